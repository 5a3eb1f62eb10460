/** How SQLite writes: on a thread of its own, decisions in order, each upon what those before it decided. */
import { join } from 'node:path';
import { MessagePort } from 'node:worker_threads';
import { afterAll, afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import Database from 'better-sqlite3';
import type { Answer, Order } from '../../adapters/sqlite/job.ts';
import { openDatabase } from '../../adapters/sqlite/open.ts';
import { StageRows } from '../../adapters/sqlite/stage-rows.ts';
import { SqliteStore } from '../../adapters/sqlite/store.ts';
import { Transactions } from '../../adapters/sqlite/transactions.ts';
import { Watch } from '../../adapters/sqlite/watch.ts';
import type { Commit } from '../../src/commit/commit.ts';
import type { StoredResource } from '../../src/fhir/types.ts';
import type { NewMessage } from '../../src/store/rows.ts';
import { type Effect, LostClaim, type View } from '../../src/store/store.ts';
import { temporaryFolder } from './folder.ts';
import { Bench, message, patient } from './rules/bench.ts';

const folder = temporaryFolder();
afterAll(() => folder.remove());
let path: string;
let store: SqliteStore;
let bench: Bench;
let files = 0;
beforeEach(() => {
  path = join(folder.path, `${++files}.db`);
  store = new SqliteStore(path);
  bench = new Bench(store);
});
afterEach(() => store.close());

const key = (id: string): { type: string; id: string } => ({ type: 'Patient', id });
const mrn = (value: string) => ({ type: 'Patient', identifier: { system: 'urn:mrn', value } });
const named = (id: string, value: string): StoredResource =>
  patient(id, { identifier: [{ system: 'urn:mrn', value }] });

/** Writes what `decide` makes of what it sees of `Patient/ID`. */
function decide(
  id: string,
  decide: (view: View) => StoredResource | undefined,
  more: { keys?: Parameters<Commit['run']>[0]['keys']; effects?: readonly Effect[] } = {},
): Promise<unknown> {
  return bench.commit.run({
    cause: 'client:test',
    keys: [key(id), ...(more.keys ?? [])],
    decide: (view) => {
      const resource = decide(view);
      return {
        intentions: resource ? [{ kind: 'put', resource }] : [],
        ...(more.effects && { effects: () => more.effects as Effect[] }),
      };
    },
  });
}

/** Each adds one to what it sees. */
function count(id: string): Promise<unknown> {
  return decide(id, (view) => {
    const birthDate = Number(view.get(key(id))?.resource?.birthDate ?? 1999) + 1;
    return patient(id, { birthDate: String(birthDate) });
  });
}

/** A cursor that does not stand where the claim says. */
const lost: Effect = { kind: 'cursor', name: 'care', from: 7, to: 8 };

function otherProcess(): Database.Database {
  return new Database(path);
}

describe('a decision', () => {
  test('sees what those before it decided, though it is not in the file yet', async () => {
    await Promise.all(Array.from({ length: 100 }, () => count('1')));
    expect(await store.read(key('1'))).toMatchObject({ version: 100, sequence: 100 });
    expect(JSON.parse((await store.read(key('1')))?.json ?? '').birthDate).toBe('2099');
  });

  test('finds by identifier what those before it named, renamed and deleted', async () => {
    await bench.write(named('1', 'A'), named('2', 'B'));
    const seen: string[][] = [];
    const look = (view: View): undefined => {
      seen.push(['A', 'B', 'C'].map((it) => view.find(mrn(it)).map(({ id }) => id)).map(String));
      return undefined;
    };
    const keys = ['A', 'B', 'C'].map(mrn);
    await Promise.all([
      decide('x', look, { keys }),
      decide('3', () => named('3', 'C')),
      decide('x', look, { keys }),
      decide('1', () => named('1', 'C')),
      decide('x', look, { keys }),
      bench.commit.run({
        cause: 'client:test',
        keys: [key('2')],
        decide: () => ({ intentions: [{ kind: 'delete', key: key('2') }] }),
      }),
      decide('0', () => named('0', 'C')),
      decide('x', look, { keys }),
      decide('3', () => named('3', 'A')),
      decide('x', look, { keys }),
    ]);
    // In the order of creation, and at most two.
    const expected = [
      ['1', '2', ''],
      ['1', '2', '3'],
      ['', '2', '1,3'],
      ['', '', '1,3'],
      ['3', '', '1,0'],
    ];
    expect(seen).toEqual(expected);
    await decide('x', look, { keys });
    expect(seen.at(-1)).toEqual(expected.at(-1));
  });

  test('is told only when it is durable: by then another process reads it', async () => {
    const other = otherProcess();
    const rows = other.prepare('SELECT count(*) FROM change').pluck();
    const told = await Promise.all(
      Array.from({ length: 50 }, (_, i) => count(`${i}`).then(() => rows.get() as number)),
    );
    other.close();
    expect(told.every((seen, i) => seen > i)).toBe(true);
  });

  test('that changes nothing is told after what it saw is durable', async () => {
    const order: string[] = [];
    await Promise.all([
      count('1').then(() => order.push('written')),
      decide('1', (view) => view.get(key('1'))?.resource).then(() => order.push('the same')),
    ]);
    expect(order).toEqual(['written', 'the same']);
  });
});

describe('a unit that is not written', () => {
  test('takes nothing with it but itself: what was decided upon it is decided again', async () => {
    const ended = await Promise.allSettled([
      count('1'),
      decide('1', (view) => patient('1', { ...view.get(key('1'))?.resource, gender: 'male' }), { effects: [lost] }),
      count('1'),
      decide('2', () => patient('2')),
    ]);
    expect(ended.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled']);
    expect((ended[1] as PromiseRejectedResult).reason).toBeInstanceOf(LostClaim);
    expect(await store.read(key('1'))).toMatchObject({ version: 2 });
    expect(JSON.parse((await store.read(key('1')))?.json ?? '')).not.toHaveProperty('gender');
    expect(await store.head()).toBe(3);
  });

  test('keeps the order of those after it, however many are lost', async () => {
    const told: number[] = [];
    await Promise.allSettled(
      Array.from({ length: 60 }, (_, i) =>
        (i % 7 === 3 ? decide('1', () => patient('1', { gender: 'male' }), { effects: [lost] }) : count('1')).then(() =>
          told.push(i),
        ),
      ),
    );
    expect(told).toEqual(Array.from({ length: 60 }, (_, i) => i).filter((i) => i % 7 !== 3));
    expect(JSON.parse((await store.read(key('1')))?.json ?? '').birthDate).toBe(String(1999 + told.length));
  });

  test('and upon which another was refused: that one is decided again too', async () => {
    const [, refused] = await Promise.allSettled([
      decide('1', () => patient('1'), { effects: [lost] }),
      decide('1', (view) => {
        if (view.get(key('1'))) throw new Error('it is there');
        return patient('1', { gender: 'female' });
      }),
    ]);
    expect(refused?.status).toBe('fulfilled');
    expect(await bench.ids('Patient?gender=female')).toEqual(['1']);
  });

  test('does not keep a message that came meanwhile from being kept', async () => {
    const units = Promise.allSettled(
      Array.from({ length: 20 }, (_, i) => decide(`${i}`, () => patient(`${i}`), { effects: [lost] })),
    );
    const ids = await Promise.all(Array.from({ length: 20 }, () => store.keep(message())));
    await units;
    expect(new Set(ids).size).toBe(20);
    expect((await store.waiting(100)).map(({ id }) => id)).toEqual(ids);
    expect(await store.head()).toBe(0);
  });
});

describe('the event loop', () => {
  test('goes on while the file is written, and while another process has it locked', async () => {
    const other = otherProcess();
    other.exec('BEGIN IMMEDIATE');
    const written = count('1');
    const kept = store.keep(message());
    for (let turns = 0; turns < 50; turns++) await new Promise((resolve) => setImmediate(resolve));
    expect(await store.read(key('1'))).toBeUndefined();
    other.exec('COMMIT');
    other.close();
    await Promise.all([written, kept]);
    expect(await store.read(key('1'))).toMatchObject({ version: 1 });
  });
});

describe('a file that another process has locked', () => {
  test('for longer than five seconds: all who ask are told so together, and nothing that was decided meanwhile is believed', async () => {
    await count('1');
    const other = otherProcess();
    other.exec('BEGIN IMMEDIATE');
    const begun = performance.now();
    const asked = [
      store.keep(message()),
      count('1'),
      decide('2', () => named('2', 'A')),
      store.keep(message()),
      count('1'),
    ];
    const ended = await Promise.allSettled(asked);
    expect(performance.now() - begun).toBeLessThan(9000);
    expect(ended.map(({ status }) => status)).toEqual(asked.map(() => 'rejected'));
    expect((ended[0] as PromiseRejectedResult).reason).toMatchObject({ code: 'SQLITE_BUSY' });
    other.exec('COMMIT');
    other.close();
    let seen: unknown;
    const look = (view: View): undefined => {
      seen = [view.get(key('2')), view.find(mrn('A'))];
      return undefined;
    };
    await decide('2', look, { keys: [mrn('A')] });
    expect(seen).toEqual([undefined, []]);
    await Promise.all([count('1'), decide('2', () => named('2', 'A'))]);
    expect(await store.read(key('1'))).toMatchObject({ version: 2 });
    expect(await store.read(key('2'))).toMatchObject({ version: 1 });
    expect(await store.head()).toBe(3);
  });
});

describe('a message for which there is no room', () => {
  test('is not overtaken: those that were handed over before that was known are not kept either', () => {
    const db = openDatabase(join(folder.path, 'full.db'));
    const transactions = new Transactions(db, new StageRows(db, new Watch(db)));
    db.pragma(`max_page_count = ${(db.pragma('page_count', { simple: true }) as number) + 20}`);
    const large = message({ bytes: Buffer.alloc(200_000, 'x') });
    const keep = (number: number, message: NewMessage, failures: number): Answer | undefined =>
      transactions.run({ jobs: [[number, { kind: 'keep', message }]], commit: true, failures });
    const failed = { kind: 'failed', code: 'SQLITE_FULL' };
    expect(keep(1, large, 0)).toMatchObject({ outcomes: [[1, failed]], failures: 1 });
    expect(keep(2, message(), 0)).toMatchObject({ outcomes: [[2, failed]], failures: 1 });
    expect(keep(3, message(), 1)).toMatchObject({ outcomes: [[3, { kind: 'done' }]], failures: 1 });
    expect(db.prepare('SELECT count(*) FROM received_message').pluck().get()).toBe(1);
    db.close();
  });
});

describe('a message that is kept', () => {
  test('takes its own bytes to the thread, not the batch that it is of', async () => {
    const batch = Buffer.alloc(8_000_000, 'x');
    const all = Array.from({ length: 400 }, (_, i) => message({ bytes: batch.subarray(i * 100, i * 100 + 100) }));
    const posted = jest.spyOn(MessagePort.prototype, 'postMessage');
    const begun = performance.now();
    const ids = await Promise.all(all.map((it) => store.keep(it)));
    expect(performance.now() - begun).toBeLessThan(2000);
    // Node itself posts on ports of its own.
    const orders = posted.mock.calls.flatMap(([order]) => ((order as Partial<Order>).jobs ? (order as Order) : []));
    posted.mockRestore();
    const sent = orders.flatMap(({ jobs }) =>
      jobs.flatMap(([, job]) => (job.kind === 'keep' ? job.message.bytes : [])),
    );
    expect(sent).toHaveLength(400);
    expect(new Set(sent.map(({ buffer }) => buffer.byteLength))).toEqual(new Set([100]));
    expect(`${Buffer.from((await store.message(ids[7] as number))?.bytes ?? [])}`).toBe('x'.repeat(100));
  });

  test('by hundreds of senders at a time does not keep units from being written', async () => {
    let isOver = false;
    const senders = Array.from({ length: 200 }, async () => {
      while (!isOver) await store.keep(message());
    });
    await Promise.all(Array.from({ length: 10 }, (_, i) => count(`${i}`)));
    isOver = true;
    await Promise.all(senders);
    expect(await store.head()).toBe(10);
  });

  test('goes before units that wait: a hundred of them are not written by then', async () => {
    const units = Array.from({ length: 100 }, (_, i) => count(`${i}`));
    await store.keep(message());
    expect(await store.head()).toBeLessThan(100);
    await Promise.all(units);
  });

  test('does not hold up units for ever, though one comes after the other', async () => {
    let isOver = false;
    const sender = (async () => {
      while (!isOver) await store.keep(message());
    })();
    await Promise.all(Array.from({ length: 10 }, (_, i) => count(`${i}`)));
    isOver = true;
    await sender;
    expect(await store.head()).toBe(10);
  });
});
