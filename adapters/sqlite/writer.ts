/**
 * The one writer, with group commit: whatever is waiting goes into one transaction and so shares one fsync. Measured on
 * the development machine: bench row 1.
 */
import type Database from 'better-sqlite3';
import { Failure } from '../../src/outcome.ts';

interface Task {
  readonly mayRefuse: boolean;
  run(): unknown;
  resolve(value: any): void;
  reject(error: unknown): void;
}

/** Tasks in one transaction at the most: bounds what a failing disk takes back, and how long a reader waits. */
const groupMax = 64;

/** Another process has the file locked: between two tries, and until those who wait are told; ms. */
const lockedPauseMs = 50;
const lockedMsMax = 5000;

export class Writer {
  readonly #db: Database.Database;
  #waiting: Task[] = [];
  #scheduled = false;
  #ended = false;
  /** When another process was first seen to have the file locked; ms since the epoch. */
  #lockedSince: number | undefined;
  readonly #begin: Database.Statement;
  readonly #commit: Database.Statement;
  readonly #rollback: Database.Statement;
  readonly #totalChanges: Database.Statement;
  readonly #undone: () => void;

  /** @param undone called after a whole group was taken back */
  constructor(db: Database.Database, undone: () => void) {
    this.#db = db;
    this.#undone = undone;
    this.#begin = db.prepare('BEGIN IMMEDIATE');
    this.#commit = db.prepare('COMMIT');
    this.#rollback = db.prepare('ROLLBACK');
    this.#totalChanges = db.prepare('SELECT total_changes()').pluck();
  }

  /**
   * Runs a task in a transaction. Tasks run in the order given; one that throws is undone alone. A task may run again when
   * its group was undone.
   * @param mayRefuse it may throw where nothing is wrong with the database: then its group goes on without it
   * @returns what the task gives, when it is durable
   */
  write<T>(run: () => T, mayRefuse = false): Promise<T> {
    if (this.#ended) return Promise.reject(new Failure('stopping', 'the store is closed'));
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push({ mayRefuse, run, resolve, reject });
      if (this.#scheduled) return;
      this.#scheduled = true;
      // After the I/O of this turn of the loop: every frame that it brought is in the group.
      setImmediate(() => this.#flush());
    });
  }

  /** Writes what is waiting, now, and takes nothing more. */
  end(): void {
    this.#ended = true;
    this.#db.pragma(`busy_timeout = ${lockedMsMax}`);
    while (this.#waiting.length > 0) this.#together(this.#waiting.splice(0, groupMax));
  }

  #flush(): void {
    const group = this.#waiting.splice(0, groupMax);
    if (group.length > 0) this.#together(group);
    this.#scheduled = this.#waiting.length > 0;
    if (!this.#scheduled) return;
    if (this.#lockedSince === undefined) setImmediate(() => this.#flush());
    else setTimeout(() => this.#flush(), lockedPauseMs);
  }

  /**
   * All tasks in one transaction, without savepoints: those would copy every page that a task touches (measured: a third of
   * the time). A task that throws before it wrote anything is simply left out; after that, the group is undone and its
   * tasks run again one by one. They may: a decision is pure.
   */
  #together(group: readonly Task[]): void {
    const done: (() => void)[] = [];
    try {
      this.#begin.run();
      this.#lockedSince = undefined;
      for (const task of group) {
        const before = task.mayRefuse && this.#totalChanges.get();
        try {
          const value = task.run();
          done.push(() => task.resolve(value));
        } catch (error) {
          if (!task.mayRefuse || !this.#db.inTransaction || this.#totalChanges.get() !== before) throw error;
          done.push(() => task.reject(error));
        }
      }
      this.#commit.run();
    } catch (error) {
      if (this.#db.inTransaction) this.#rollback.run();
      this.#undone();
      if (isLocked(error)) this.#wait(group, error);
      else if (group.length === 1) group[0]?.reject(error);
      else for (const task of group) this.#together([task]);
      return;
    }
    for (const finish of done) finish();
  }

  /** For another process, with the loop turning: SQLite's own wait would hold up every read and every connection. */
  #wait(group: readonly Task[], error: unknown): void {
    this.#waiting.unshift(...group);
    this.#lockedSince ??= Date.now();
    if (!this.#ended && Date.now() - this.#lockedSince < lockedMsMax) return;
    this.#lockedSince = undefined;
    for (const task of this.#waiting.splice(0)) task.reject(error);
  }
}

/** Another process writes (sqlite.org/rescode.html#busy). */
function isLocked(error: unknown): boolean {
  return `${(error as { code?: unknown }).code}`.startsWith('SQLITE_BUSY');
}
