/** What the rows share: rounds, medians, messages, a database of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { SqliteStore } from '../adapters/sqlite/store.ts';
import packageFile from '../package.json' with { type: 'json' };
import { systemClock } from '../src/clock.ts';
import { Commit } from '../src/commit/commit.ts';
import { SearchParameters } from '../src/fhir/search/parameters.ts';
import { Zone } from '../src/fhir/zone.ts';

/** One measured promise. */
export interface Row {
  readonly what: string;
  /** Ours per second, and the floor's in the same run. */
  readonly ours: number;
  readonly floor: number;
  readonly unit: string;
  /** ours / floor (for times: floor / ours); at least this is promised. */
  readonly ratio: number;
  readonly promise: number;
}

export const zone = new Zone('Asia/Shanghai');

const start = packageFile.scripts.start.split(' ');

/** A server of its own, with the settings and flags of `npm start`; it prints its addresses. */
export function spawnServer(storeUrl: string): ChildProcess & { readonly stdout: Readable } {
  const node = start.indexOf('node');
  const settings = Object.fromEntries(start.slice(0, node).map((it) => it.split('=')));
  const own = { STORE_URL: storeUrl, HTTP_PORT: '0', MLLP_PORT: '0', LOG_LEVEL: 'silent' };
  return spawn(process.execPath, start.slice(node + 1), {
    env: { ...process.env, ...settings, ...own },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] as number;
}

/** Milliseconds that a piece of work takes. */
export async function time(work: () => unknown): Promise<number> {
  const begun = performance.now();
  await work();
  return performance.now() - begun;
}

/**
 * Rounds of ours and the floor by turns, so that a noisy neighbour hits both; the medians count.
 * @returns times in ms
 */
export async function alternate(
  rounds: number,
  ours: () => Promise<number>,
  floor: () => Promise<number>,
): Promise<{ ours: number; floor: number }> {
  const times: { ours: number[]; floor: number[] } = { ours: [], floor: [] };
  await ours();
  await floor();
  for (let i = 0; i < rounds; i++) {
    times.ours.push(await ours());
    times.floor.push(await floor());
  }
  return { ours: median(times.ours), floor: median(times.floor) };
}

export function temporary(): { path(name: string): string; remove(): void } {
  // On the disk of the project, not in a memory file system: fsync shall cost what it costs.
  const folder = mkdtempSync(join(process.env.BENCH_DIR ?? tmpdir(), 'aftercare-bench-'));
  return { path: (name) => join(folder, name), remove: () => rmSync(folder, { recursive: true, force: true }) };
}

export function openStore(path: string): { store: SqliteStore; commit: Commit; parameters: SearchParameters } {
  const parameters = new SearchParameters(zone);
  const store = new SqliteStore(path);
  return { store, commit: new Commit(store, parameters, systemClock), parameters };
}

/** A bench whose care stage leaves a visit out measures nothing. */
export function notMade(_: unknown, error: unknown): never {
  throw error;
}
