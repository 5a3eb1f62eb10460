/** Versions of resources with their search rows: how they are written in SQLite, inside a transaction. */
import type Database from 'better-sqlite3';
import type { Effect } from '../../src/store/store.ts';
import type { IndexAnew, NewVersion } from './job.ts';
import { one } from './one.ts';
import { SearchRows } from './search-rows.ts';

export class ResourceRows {
  readonly #rows: SearchRows;
  readonly #create: Database.Statement;
  readonly #update: Database.Statement;
  readonly #change: Database.Statement;
  readonly #mark: Database.Statement;

  constructor(db: Database.Database) {
    this.#rows = new SearchRows(db);
    this.#create = db.prepare(
      'INSERT INTO resource (rid, type, id, version, sequence, deleted, marks) VALUES (?, ?, ?, ?, ?, 0, ?)',
    );
    this.#update = db.prepare(
      `UPDATE resource SET version = ?, sequence = ?, deleted = ?, marks = coalesce(?, marks)
       WHERE type = ? AND id = ? AND version = ?`,
    );
    this.#change = db.prepare(
      'INSERT INTO change (sequence, rid, version, interaction, at, cause, json) VALUES (?, ?, ?, ?, ?, ?, ?)',
    );
    this.#mark = db.prepare('UPDATE resource SET marks = ? WHERE type = ? AND id = ?');
  }

  /** Writes one version. @throws Error when the one before it is not the current version */
  write(write: NewVersion): void {
    const { rid, sequence, type, id, version, interaction, at, cause, json, marks = null } = write;
    if (version === 1) this.#create.run(rid, type, id, version, sequence, marks);
    else {
      const deleted = interaction === 'delete' ? 1 : 0;
      const { changes } = this.#update.run(version, sequence, deleted, marks, type, id, version - 1);
      if (changes !== 1) throw new Error(`a ${type} is not written as the next version`);
    }
    this.#change.run(sequence, rid, version, interaction, at, cause, json ?? null);
    for (const row of write.removed) this.#rows.end(row, rid, sequence);
    for (const row of write.added) this.#rows.add(row, rid, sequence);
  }

  /** @throws LostClaim for a resource that was never there */
  mark({ key: { type, id }, marks }: Extract<Effect, { kind: 'marks' }>): void {
    one(this.#mark.run(marks, type, id), `marks of a ${type}`);
  }

  index(anew: IndexAnew): void {
    this.#rows.replace(anew);
  }

  /** Drops search rows that ended at or before a sequence; gives how many. */
  dropEnded(sequence: number): number {
    return this.#rows.dropEnded(sequence);
  }

  /** After a transaction was taken back: what it numbered is forgotten. */
  forget(): void {
    this.#rows.forget();
  }
}
