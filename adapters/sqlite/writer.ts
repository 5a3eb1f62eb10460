/**
 * The one writer, with group commit: whatever is waiting goes into one transaction and so shares one fsync. Measured on
 * the development machine: bench row 1.
 */
import type Database from 'better-sqlite3';

interface Task {
  run(): unknown;
  resolve(value: any): void;
  reject(error: unknown): void;
}

/** Tasks in one transaction at the most: bounds what a failing disk takes back, and how long a reader waits. */
const groupMax = 64;

export class Writer {
  readonly #db: Database.Database;
  #waiting: Task[] = [];
  #scheduled = false;
  readonly #begin: Database.Statement;
  readonly #commit: Database.Statement;
  readonly #rollback: Database.Statement;
  readonly #savepoint: Database.Statement;
  readonly #release: Database.Statement;
  readonly #back: Database.Statement;

  readonly #undone: () => void;

  /** @param undone called after a whole group was taken back */
  constructor(db: Database.Database, undone: () => void) {
    this.#db = db;
    this.#undone = undone;
    this.#begin = db.prepare('BEGIN IMMEDIATE');
    this.#commit = db.prepare('COMMIT');
    this.#rollback = db.prepare('ROLLBACK');
    this.#savepoint = db.prepare('SAVEPOINT task');
    this.#release = db.prepare('RELEASE task');
    this.#back = db.prepare('ROLLBACK TO task');
  }

  /**
   * Runs a task in a transaction. Tasks run in the order given; one that throws is undone alone.
   * @returns what the task gives, when it is durable
   */
  write<T>(run: () => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push({ run, resolve, reject });
      if (this.#scheduled) return;
      this.#scheduled = true;
      // After the I/O of this turn of the loop: every frame that it brought is in the group.
      setImmediate(() => this.#flush());
    });
  }

  /** Writes what is waiting, now. */
  drain(): void {
    while (this.#waiting.length > 0) this.#flush();
  }

  #flush(): void {
    const group = this.#waiting.splice(0, groupMax);
    this.#scheduled = this.#waiting.length > 0;
    if (this.#scheduled) setImmediate(() => this.#flush());
    if (group.length === 0) return;
    const done: (() => void)[] = [];
    try {
      this.#begin.run();
      for (const task of group) done.push(this.#one(task));
      this.#commit.run();
    } catch (error) {
      if (this.#db.inTransaction) this.#rollback.run();
      this.#undone();
      for (const task of group) task.reject(error);
      return;
    }
    for (const finish of done) finish();
  }

  #one({ run, resolve, reject }: Task): () => void {
    this.#savepoint.run();
    try {
      const value = run();
      this.#release.run();
      return () => resolve(value);
    } catch (error) {
      // A full disk or a lost file ends the whole transaction; then there is nothing to go back to.
      if (!this.#db.inTransaction) throw error;
      this.#back.run();
      this.#release.run();
      return () => reject(error);
    }
  }
}
