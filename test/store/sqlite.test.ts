import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import Database from 'better-sqlite3';
import { SqliteStore } from '../../adapters/sqlite/store.ts';
import { storeConformance } from './conformance.ts';
import { temporaryFolder } from './folder.ts';
import { Bench, message, patient } from './rules/bench.ts';

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
