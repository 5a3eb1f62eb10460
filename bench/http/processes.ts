/** The servers of the bench, each a process of its own: ours as a user starts it, and the floor. */
import { spawn } from 'node:child_process';
import type { FloorSettings } from '../floors/server.ts';
import { startArguments } from '../support.ts';

export interface Running {
  /** `http://127.0.0.1:8080`. */
  readonly origin: string;
  stop(): Promise<void>;
}

export function startOurs(storeUrl: string): Promise<Running> {
  const env = { ...process.env, STORE_URL: storeUrl, HTTP_PORT: '0', MLLP_PORT: '0', LOG_LEVEL: 'silent' };
  return start(startArguments, env, '');
}

export function startFloor(settings: FloorSettings): Promise<Running> {
  return start(['bench/floors/server.ts'], process.env, JSON.stringify(settings));
}

/** Resolves when the process has printed its address. */
function start(args: readonly string[], env: NodeJS.ProcessEnv, input: string): Promise<Running> {
  const child = spawn(process.execPath, args, { env, stdio: ['pipe', 'pipe', 'inherit'] });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const kill = (): void => void child.kill();
  process.once('exit', kill);
  const stop = async (): Promise<void> => {
    process.off('exit', kill);
    child.kill('SIGTERM');
    await exited;
  };
  child.stdin.end(input);
  return new Promise((resolve, reject) => {
    let printed = '';
    child.stdout.on('data', (bytes: Buffer) => {
      printed += bytes.toString();
      const origin = /http:\/\/[\d.]+:\d+(?=\/fhir)/.exec(printed)?.[0];
      if (origin) resolve({ origin, stop });
    });
    child.once('error', reject);
    void exited.then(() => reject(new Error(`${args.join(' ')} ended: ${printed}`)));
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
