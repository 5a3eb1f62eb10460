/** Resident memory of a server of its own after many discharges: when all are applied, and when it has been idle for a while. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { MllpSender } from '../adapters/mllp/sender.ts';
import { startOurs } from './http/processes.ts';
import { dischargeMessage } from './messages.ts';
import { type Row, spawnServer, temporary } from './support.ts';

const limitMegabytes = 250;
const connections = 8;
/** V8 gives memory back when it has been idle for 38 s. ms */
const idleMs = 45_000;

export async function memory(messages: number): Promise<Row[]> {
  const folder = temporary();
  const storeUrl = `sqlite:${folder.path('memory.db')}`;
  // The first start compiles the program, and keeps what it compiled when it ends.
  await (await startOurs(storeUrl)).stop();
  const child = spawnServer(storeUrl);
  const [fhir, mllp] = await addressesOf(child);
  const metrics = async (): Promise<string> => (await fetch(new URL('/metrics', fhir))).text();
  const number = (name: string, text: string): number =>
    Number(
      text
        .split('\n')
        .find((line) => line.startsWith(`${name} `))
        ?.slice(name.length) ?? 0,
    );
  const resident = async (): Promise<number> => number('process_resident_memory_bytes', await metrics()) / 1_000_000;
  const row = (what: string, ours: number): Row => ({
    what,
    unit: 'MB (floor: the limit)',
    ours,
    floor: limitMegabytes,
    ratio: limitMegabytes / ours,
    promise: 1,
  });
  let sent = 0;
  await Promise.all(
    Array.from({ length: connections }, async () => {
      const sender = await MllpSender.connect('127.0.0.1', Number(new URL(mllp).port));
      while (sent < messages) await sender.send(dischargeMessage(sent++));
      sender.close();
    }),
  );
  while (number('aftercare_messages{state="received"}', await metrics()) > 0) await wait(500);
  const busy = await resident();
  await wait(idleMs);
  const idle = await resident();
  child.kill('SIGTERM');
  await once(child, 'exit');
  folder.remove();
  const count = messages.toLocaleString('en');
  return [row(`resident when ${count} messages are applied`, busy), row(`resident ${idleMs / 1000} s later`, idle)];
}

/** The two lines that the server prints when it listens. */
async function addressesOf({ stdout }: ChildProcess): Promise<[fhir: string, mllp: string]> {
  let text = '';
  for await (const chunk of stdout as NodeJS.ReadableStream) {
    text += chunk;
    const found = /FHIR (\S+)\nHL7 v2 (\S+)/.exec(text);
    if (found) return [found[1] as string, found[2] as string];
  }
  throw new Error('the server ended before it listened');
}
