/** The servers of the bench, each a process of its own: ours as a user starts it, and the floor. */
import { type ChildProcess, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import type { FloorSettings } from '../floors/server.ts';
import { spawnServer } from '../support.ts';

export interface Running {
  /** `http://127.0.0.1:8080`. */
  readonly origin: string;
  stop(): Promise<void>;
}

export function startOurs(storeUrl: string): Promise<Running> {
  return listening(spawnServer(storeUrl), 'the server');
}

export function startFloor(settings: FloorSettings): Promise<Running> {
  const child = spawn(process.execPath, ['bench/floors/server.ts'], { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.end(JSON.stringify(settings));
  return listening(child, 'the floor');
}

/** Resolves when the process has printed its address. */
function listening(child: ChildProcess & { readonly stdout: Readable }, name: string): Promise<Running> {
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const kill = (): void => void child.kill();
  process.once('exit', kill);
  const stop = async (): Promise<void> => {
    process.off('exit', kill);
    child.kill('SIGTERM');
    await exited;
  };
  return new Promise((resolve, reject) => {
    let printed = '';
    child.stdout.on('data', (bytes: Buffer) => {
      printed += bytes.toString();
      const origin = /http:\/\/[\d.]+:\d+(?=\/fhir)/.exec(printed)?.[0];
      if (origin) resolve({ origin, stop });
    });
    child.once('error', reject);
    void exited.then(() => reject(new Error(`${name} ended: ${printed}`)));
  });
}

/**
 * Waits until a server of ours has done what it took: stages answer the changes of a write after the client has its answer.
 * @returns ms of CPU that this took: it belongs to the round that is over, and must not disturb the next
 */
export async function settle(origin: string): Promise<number> {
  const begin = await cpuMs(origin);
  let last = begin;
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, pollMs));
    const now = await cpuMs(origin);
    if (now - last < idleMs) return last - begin;
    last = now;
  }
}

const pollMs = 200;
/** Of {@link pollMs}: what the answer on `/metrics` costs itself, and a little more. */
const idleMs = 20;

async function cpuMs(origin: string): Promise<number> {
  const text = await (await fetch(`${origin}/metrics`)).text();
  const seconds = /^process_cpu_seconds_total (\S+)/m.exec(text)?.[1];
  if (seconds === undefined) throw new Error('the server does not say what CPU time it took');
  return Number(seconds) * 1000;
}
