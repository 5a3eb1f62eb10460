/** A server for tests: free ports, a database of its own in memory or in a temporary file, no log. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type App, startApp } from '../../src/app.ts';
import type { Clock } from '../../src/clock.ts';
import { type Config, readConfig } from '../../src/config.ts';
import type { Ids } from '../../src/ids.ts';

export interface TestAppOptions {
  readonly sqlitePath?: string;
  /** Another database than SQLite. */
  readonly storeUrl?: string;
  readonly clock?: Clock;
  readonly ids?: Ids;
  readonly config?: Partial<Config>;
}

/** The configuration that tests run with. */
export function testConfig(overrides: Partial<Config> = {}): Config {
  return { ...readConfig({}), httpPort: 0, mllpPort: 0, storeUrl: 'sqlite::memory:', logLevel: 'silent', ...overrides };
}

/** Starts a server; the caller stops it. */
export function startTestApp({
  sqlitePath = ':memory:',
  storeUrl = `sqlite:${sqlitePath}`,
  clock,
  ids,
  config = {},
}: TestAppOptions = {}): Promise<App> {
  return startApp(testConfig({ storeUrl, ...config }), clock, ids);
}

/** A folder that is removed by `remove`. */
export function temporaryFolder(): { path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'aftercare-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** The port of `mllp://host:port` or `http://host:port/…`. */
export function portOf(address: string): number {
  return Number(new URL(address).port);
}

/** Resolves when nothing is left to be done for what was sent before. */
export async function settled(app: App): Promise<void> {
  await app.queue.idle();
}

/** GET, POST … with a FHIR body; gives status, headers and the parsed body. */
export async function fhir(
  app: Pick<App, 'http'>,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<{ status: number; headers: Headers; body: any }> {
  const response = await fetch(`${app.http}/${path}`, {
    method,
    headers: { ...(body !== undefined && { 'content-type': 'application/fhir+json' }), ...headers },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text === '' ? undefined : JSON.parse(text) };
}
