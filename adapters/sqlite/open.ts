/** Opens the database file and brings it to the newest migration. */
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';

const folder = new URL('./migrations/', import.meta.url);

/**
 * @param path a file, or `:memory:`
 * @throws Error when the file was written by a newer program
 */
export function openDatabase(path: string): Database.Database {
  if (path !== ':memory:') mkdirSync(dirname(path), { recursive: true });
  const db = new Database(path);
  db.pragma('journal_mode = WAL');
  // A commit is on the disk when it returns (sqlite.org/pragma.html#pragma_synchronous): an ACK follows.
  db.pragma('synchronous = FULL');
  db.pragma('foreign_keys = OFF');
  // For the migrations; afterwards only the writer waits, which is a thread of its own.
  db.pragma('busy_timeout = 5000');
  db.pragma('cache_size = -8192');
  // Pages. Whoever waits for the commit that makes a checkpoint waits for that too: often and short is better.
  db.pragma('wal_autocheckpoint = 1000');
  migrate(db);
  db.pragma('busy_timeout = 10');
  return db;
}

/** Forward only: each file runs once, in one transaction with the number that it brings the file to. */
function migrate(db: Database.Database): void {
  const files = readdirSync(folder).sort();
  const version = db.pragma('user_version', { simple: true }) as number;
  if (version > files.length) throw new Error(`the database has schema ${version}, this program knows ${files.length}`);
  for (const [i, file] of files.entries()) {
    if (i < version) continue;
    db.transaction(() => {
      db.exec(readFileSync(new URL(file, folder), 'utf8'));
      db.pragma(`user_version = ${i + 1}`);
    }).immediate();
  }
}
