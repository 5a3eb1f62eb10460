/** Senders that write one byte at a time: they cost no more than their frames. */
import { connect, type Socket } from 'node:net';
import { frame } from '../../adapters/mllp/frame.ts';
import { portOf } from '../support/app.ts';
import { databases } from '../support/databases.ts';
import { discharge } from '../support/messages.ts';
import { ServerProcess } from './server-process.ts';

export interface SlowReport {
  readonly connections: number;
  readonly frameBytes: number;
  /** Resident memory of the server before, and the most while they write; MB. */
  readonly beforeMegabytes: number;
  readonly mostMegabytes: number;
}

const connections = 128;
const noteBytes = 16_384;

/** What a process needs for 128 connections and a thousand messages besides; MB. */
const allowanceMegabytes = 120;

/** @throws Error when memory grows beyond the frames, or one of them is not acknowledged */
export async function slowSenders(): Promise<SlowReport> {
  const database = await (databases[0] as (typeof databases)[number]).open();
  const server = new ServerProcess(database.url);
  try {
    const { http, mllp } = await server.ready();
    await warm(portOf(mllp));
    const before = await residentBytes(http);
    const messages = Array.from({ length: connections }, (_, n) => slowMessage(n));
    const frameBytes = messages.reduce((sum, it) => sum + it.length, 0);
    let most = before;
    const watch = setInterval(() => {
      void residentBytes(http).then((now) => {
        most = Math.max(most, now);
      });
    }, 200);
    try {
      const codes = await Promise.all(messages.map((bytes) => drip(portOf(mllp), bytes)));
      if (codes.some((it) => it !== 'AA')) throw new Error(`answers: ${[...new Set(codes)].join()}`);
    } finally {
      clearInterval(watch);
    }
    if (most - before > 2 * frameBytes + allowanceMegabytes * 1_048_576)
      throw new Error(`${megabytes(most - before)} MB for ${connections} frames of ${megabytes(frameBytes)} MB in all`);
    return { connections, frameBytes, beforeMegabytes: megabytes(before), mostMegabytes: megabytes(most) };
  } finally {
    server.kill('SIGTERM');
    await server.exited;
    await database.drop();
  }
}

const megabytes = (bytes: number): number => Math.round(bytes / 1_048_576);

function slowMessage(n: number): Buffer {
  const text = discharge({ event: 'A01', controlId: `SLOW${n}`, patient: `P${n}`, visit: `V${n}`, disposition: '' });
  return frame(Buffer.from(`${text}NTE|1||${'x'.repeat(noteBytes)}\r`));
}

/** Lets the server do once what it does for the first time only. */
async function warm(port: number): Promise<void> {
  for (let n = 0; n < 200; n++) await drip(port, slowMessage(1000 + n), noteBytes * 2);
}

/** Writes a frame in pieces of so many bytes; gives MSA-1. */
function drip(port: number, bytes: Buffer, piece = 1): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket: Socket = connect({ host: '127.0.0.1', port, noDelay: true });
    let at = 0;
    const next = (): void => {
      if (at >= bytes.length) return;
      socket.write(bytes.subarray(at, at + piece));
      at += piece;
      setImmediate(next);
    };
    socket.on('connect', next);
    socket.on('error', reject);
    socket.once('data', (answer: Buffer) => {
      socket.destroy();
      resolve(/\rMSA\|(\w\w)/.exec(answer.toString('latin1'))?.[1] ?? 'nothing');
    });
    socket.on('close', () => reject(new Error('the connection closed without an answer')));
  });
}

async function residentBytes(http: string): Promise<number> {
  const text = await (await fetch(`${new URL(http).origin}/metrics`)).text();
  return Number(/^process_resident_memory_bytes (\S+)$/m.exec(text)?.[1]);
}
