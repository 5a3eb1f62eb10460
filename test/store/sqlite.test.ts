import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import Database from 'better-sqlite3';
import { SqliteStore } from '../../adapters/sqlite/store.ts';
import { range } from '../../src/store/numbers.ts';
import { storeConformance } from './conformance.ts';
import { temporaryFolder } from './folder.ts';
import { Bench, beginMs, message, patient } from './rules/bench.ts';
import { expectUpgraded } from './rules/upgraded.ts';

storeConformance('SQLite in a file', async () => {
  const folder = temporaryFolder();
  const store = new SqliteStore(join(folder.path, 'data', 'aftercare.db'));
  return {
    store,
    async close() {
      await store.close();
      folder.remove();
    },
  };
});

describe('a SQLite file', () => {
  function inFile(run: (path: string) => Promise<void>): Promise<void> {
    const folder = temporaryFolder();
    return run(join(folder.path, 'a.db')).finally(() => folder.remove());
  }

  test('opened again has everything: versions, search rows, journal, cursors, events', () =>
    inFile(async (path) => {
      const first = new SqliteStore(path);
      const before = new Bench(first);
      await before.write(patient('1', { gender: 'male' }), patient('2', { gender: 'female' }));
      await before.write(patient('1', { gender: 'other' }));
      const id = await first.keep(message());
      await before.effects(
        { kind: 'cursor', name: 'care', from: 0, to: 2 },
        { kind: 'events', events: [{ subscription: 's', number: 1, sequence: 3, at: 1, focus: 'Patient/1' }] },
        { kind: 'delivered', subscription: 's', from: 0, to: 1 },
      );
      const history = await first.history({ limit: 10 });
      await first.close();

      const second = new SqliteStore(path);
      const after = new Bench(second);
      expect(await second.history({ limit: 10 })).toEqual(history);
      expect(await after.ids('Patient?gender=other')).toEqual(['1']);
      expect(await after.ids('Patient?gender=male')).toEqual([]);
      expect((await second.waiting(10)).map((row) => row.id)).toEqual([id]);
      expect(await second.cursor('care')).toBe(2);
      expect(await second.progress('s')).toEqual({ lastNumber: 1, deliveredNumber: 1 });
      await after.write(patient('3', { gender: 'other' }));
      expect(await second.head()).toBe(4);
      expect(await after.ids('Patient?gender=other')).toEqual(['1', '3']);
      await second.close();
    }));

  test('gives the number of a message only once, also after it was opened again', () =>
    inFile(async (path) => {
      const first = new SqliteStore(path);
      const id = await first.keep(message());
      await first.close();
      const second = new SqliteStore(path);
      expect(await second.keep(message())).toBeGreaterThan(id);
      await second.close();
    }));

  test('takes what was given before it is closed', () =>
    inFile(async (path) => {
      const first = new SqliteStore(path);
      const kept = first.keep(message());
      await first.close();
      const id = await kept;
      const second = new SqliteStore(path);
      expect((await second.message(id))?.state).toBe('received');
      await second.close();
    }));

  test('of schema 2 is brought up to date with everything that it has', () =>
    inFile(async (path) => {
      writeSchema2(path);
      const store = new SqliteStore(path);
      const bench = new Bench(store);
      expect(await expectUpgraded(bench)).toBe(8);
      await store.close();
    }));

  /** As the program wrote it before messages had a site, a content and an answer. */
  function writeSchema2(path: string): void {
    const raw = new Database(path);
    for (const file of ['001-initial.sql', '002-search.sql'])
      raw.exec(readFileSync(new URL(`../../adapters/sqlite/migrations/${file}`, import.meta.url), 'utf8'));
    raw.pragma('user_version = 2');
    const { low } = range('Patient');
    raw.prepare("INSERT INTO resource VALUES (?, 'Patient', '1', 1, 1, 0)").run(low + 1);
    raw
      .prepare("INSERT INTO change VALUES (1, ?, 1, 'create', ?, 'message:1', ?)")
      .run(low + 1, beginMs, '{"resourceType":"Patient","id":"1","meta":{"versionId":"1"}}');
    const insert = raw.prepare(
      `INSERT INTO received_message (id, received_at, listener, peer, bytes, charset, type, control_id, facility, sha256, state,
         attempts, error, mapping_version, wrote, applied_at)
       VALUES (?, ?, 'mllp:2575', '127.0.0.1', ?, 'utf-8', 'ADT^A03', ?, 'RENHE', 'aa', ?, ?, ?, ?, ?, ?)`,
    );
    const { bytes } = message();
    insert.run(1, beginMs, bytes, 'C1', 'applied', 1, null, 'm1', '["Patient/1/_history/1"]', beginMs);
    insert.run(2, beginMs, bytes, 'C2', 'received', 0, null, null, null, null);
    insert.run(3, beginMs, bytes, 'C3', 'rejected', 0, 'why', null, null, null);
    // Number 7 was given to one that is gone.
    raw.exec("UPDATE sqlite_sequence SET seq = 7 WHERE name = 'received_message'");
    raw.close();
  }

  test('of a newer schema is refused and not changed', () =>
    inFile(async (path) => {
      await new SqliteStore(path).close();
      const raw = new Database(path);
      raw.pragma('user_version = 999');
      raw.close();
      const bytes = readFileSync(path);
      expect(() => new SqliteStore(path)).toThrow(/schema 999/);
      expect(readFileSync(path).equals(bytes)).toBe(true);
    }));

  test('has a write-ahead log, so that readers do not wait for the writer', () =>
    inFile(async (path) => {
      const store = new SqliteStore(path);
      const raw = new Database(path);
      expect(raw.pragma('journal_mode', { simple: true })).toBe('wal');
      raw.close();
      await store.close();
    }));
});
