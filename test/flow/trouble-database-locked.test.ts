/**
 * Story: another process (a backup, a shell that was left open) has the database locked. Nothing is acknowledged that is not
 * kept, the server goes on to answer, and when the lock is gone everything that waits is applied by itself, in order and once.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { App } from '../../src/app.ts';
import { fhir, startTestApp, temporaryFolder } from '../support/app.ts';
import { patientsInOrder, type Sending, send, sendUntilKept } from '../torture/story.ts';

/** Says `locked`, and unlocks when it is told anything. */
const locker = `
  const db = new (require('better-sqlite3'))(process.argv[1], { timeout: 10000 });
  db.exec('BEGIN EXCLUSIVE');
  process.stdout.write('locked');
  process.stdin.once('data', () => { db.exec('COMMIT'); process.exit(); });
`;

describe('a database that another process has locked', () => {
  const folder = temporaryFolder();
  const path = join(folder.path, 'aftercare.db');
  let app: App;
  let other: ChildProcess;
  let waiting: Sending[];

  async function lock(): Promise<void> {
    other = spawn(process.execPath, ['-e', locker, path], { stdio: ['pipe', 'pipe', 'inherit'] });
    await once(other.stdout as NodeJS.ReadableStream, 'data');
  }

  async function unlock(): Promise<void> {
    const ended = once(other, 'exit');
    other.stdin?.write('go');
    await ended;
  }

  beforeAll(async () => {
    app = await startTestApp({ sqlitePath: path });
  });
  afterAll(async () => {
    other?.kill('SIGKILL');
    await app.stop();
    folder.remove();
  });

  test('1. before, a message is kept and applied', async () => {
    expect(await send(app, 0).applied).toBe('AA');
  });

  test('2. while it is locked no message is acknowledged; what is stored can be read, at once', async () => {
    await lock();
    waiting = [1, 2, 3].map((n) => send(app, n));
    const { origin } = new URL(app.http);
    expect((await fetch(`${origin}/healthz`)).status).toBe(200);
    expect((await fhir(app, 'GET', 'Patient?identifier=P0')).body.entry).toHaveLength(1);
    expect(await app.store.messageCounts()).toEqual({ applied: 1 });
  });

  test('3. when the lock is soon gone, nobody has noticed but by the time: all are acknowledged and applied', async () => {
    await unlock();
    expect(await Promise.all(waiting.map((it) => it.kept))).toEqual([true, true, true]);
    expect(await Promise.all(waiting.map((it) => it.applied))).toEqual(['AA', 'AA', 'AA']);
  });

  test('4. when it stays, senders are not left waiting: their connections close without an answer, and a client is told', async () => {
    await lock();
    const sent = Array.from({ length: 100 }, (_, i) => send(app, i + 4));
    const written = fhir(app, 'POST', 'Patient', { resourceType: 'Patient' });
    expect(new Set(await Promise.all(sent.map((it) => it.kept)))).toEqual(new Set([false]));
    expect((await written).status).toBe(500);
  });

  test('5. when it is gone, what is sent again is kept, and each is applied once, in the order of the journal', async () => {
    await unlock();
    const again = await Promise.all(Array.from({ length: 100 }, (_, i) => sendUntilKept(app, i + 4)));
    expect(new Set(await Promise.all(again.map((it) => it.applied)))).toEqual(new Set(['AA']));
    expect(await app.store.messageCounts()).toEqual({ applied: 104 });
    const journal = [...(await app.store.messages({ limit: 200 }))].reverse();
    expect(await patientsInOrder(app)).toEqual(journal.map((row) => Number(row.controlId.slice(1))));
  });
});
