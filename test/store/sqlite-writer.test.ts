/** How the one writer of SQLite shares out its time. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import Database from 'better-sqlite3';
import { Writer } from '../../adapters/sqlite/writer.ts';

let db: Database.Database;
let writer: Writer;
let done: string[];
beforeEach(() => {
  db = new Database(':memory:');
  db.exec('CREATE TABLE t (x)');
  writer = new Writer(db, () => {});
  done = [];
});
afterEach(() => {
  writer.end();
  db.close();
});

/** A task that takes its time, as a message that is applied does. */
function slow(name: string, ms = 4): Promise<unknown> {
  return writer.write(() => {
    for (const until = performance.now() + ms; performance.now() < until; );
    done.push(name);
  });
}

describe('a task that somebody waits for', () => {
  test('goes before a hundred that nobody waits for: at most one group of them comes first', async () => {
    const others = Array.from({ length: 100 }, (_, i) => slow(`${i}`));
    await writer.write(() => done.push('kept'), { urgent: true });
    expect(done.indexOf('kept')).toBeLessThanOrEqual(5);
    await Promise.all(others);
    expect(done.filter((it) => it !== 'kept')).toEqual(Array.from({ length: 100 }, (_, i) => `${i}`));
  });

  test('shares its transaction with all that came in the same turn of the loop', async () => {
    let commits = 0;
    db.pragma('journal_mode = MEMORY');
    const kept = Array.from({ length: 20 }, (_, i) =>
      writer.write(() => db.prepare('INSERT INTO t VALUES (?)').run(i), { urgent: true }).then(() => commits++),
    );
    await Promise.race(kept);
    await new Promise((resolve) => queueMicrotask(() => resolve(undefined)));
    expect(db.prepare('SELECT count(*) FROM t').pluck().get()).toBe(20);
    await Promise.all(kept);
    expect(commits).toBe(20);
  });
});

describe('tasks that nobody waits for', () => {
  test('get their share when urgent ones never end', async () => {
    let isOver = false;
    const sender = (async () => {
      while (!isOver) await writer.write(() => done.push('kept'), { urgent: true });
    })();
    await Promise.all(Array.from({ length: 10 }, (_, i) => slow(`${i}`)));
    isOver = true;
    await sender;
    expect(done.filter((it) => it !== 'kept')).toEqual(Array.from({ length: 10 }, (_, i) => `${i}`));
  });

  test('leave the loop to others after some milliseconds, however many wait', async () => {
    const longest = { ms: 0 };
    let last = performance.now();
    const watch = setInterval(() => {
      longest.ms = Math.max(longest.ms, performance.now() - last);
      last = performance.now();
    }, 1);
    await Promise.all(Array.from({ length: 100 }, (_, i) => slow(`${i}`)));
    clearInterval(watch);
    // All of them take 400 ms; a group is 10 ms and one task.
    expect(longest.ms).toBeLessThan(150);
  });
});

describe('a look', () => {
  test('comes before anything is written, also when tasks wait', async () => {
    const others = Array.from({ length: 5 }, (_, i) => slow(`${i}`));
    await new Promise<void>((resolve) => writer.look(() => resolve(void done.push('look'))));
    expect(done.indexOf('look')).toBeLessThanOrEqual(3);
    await Promise.all(others);
  });
});
