/**
 * The one writer, with group commit: whatever is waiting goes into one transaction and so shares one fsync. Measured on
 * the development machine: bench row 1. SQLite works in the thread of the event loop, so the writer also shares out its time:
 * a sender that waits for its acknowledgement goes before messages that are applied, and these get their share all the same.
 */
import type Database from 'better-sqlite3';
import { Failure } from '../../src/outcome.ts';

/** What is known of a task beforehand. */
export interface TaskTraits {
  /** It may throw where nothing is wrong with the database: then its group goes on without it. */
  readonly mayRefuse?: boolean;
  /** It is short and somebody waits for it: it goes before what is not. */
  readonly urgent?: boolean;
}

interface Task {
  readonly mayRefuse: boolean;
  run(): unknown;
  resolve(value: any): void;
  reject(error: unknown): void;
}

/** Tasks in one transaction at the most: bounds what a failing disk takes back, and how long a reader waits. */
const groupMax = 64;

/** After so long no further task begins in a group that is not urgent: the event loop has others to serve. ms */
const groupMs = 10;

/** What is not urgent waits until nothing urgent has come for so long, but never longer than a group of its own takes. ms */
const quietMs = 1.5;

/** Another process has the file locked: between two tries, and until those who wait are told; ms. */
const lockedPauseMs = 50;
const lockedMsMax = 5000;

export class Writer {
  readonly #db: Database.Database;
  #looks: (() => void)[] = [];
  #urgent: Task[] = [];
  #waiting: Task[] = [];
  #scheduled = false;
  #timer: NodeJS.Timeout | undefined;
  #ended = false;
  /** When something urgent was done, and since when the others have been waiting for it; ms of `performance.now()`. */
  #urgentAt = 0;
  #heldSince: number | undefined;
  /** When another process was first seen to have the file locked; ms of `performance.now()`. */
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
   * Runs a task in a transaction. Tasks of a kind run in the order given; one that throws is undone alone. A task may run again
   * when its group was undone.
   * @returns what the task gives, when it is durable
   */
  write<T>(run: () => T, { mayRefuse = false, urgent = false }: TaskTraits = {}): Promise<T> {
    if (this.#ended) return Promise.reject(new Failure('stopping', 'the store is closed'));
    return new Promise<T>((resolve, reject) => {
      (urgent ? this.#urgent : this.#waiting).push({ mayRefuse, run, resolve, reject });
      if (urgent || !this.#timer) this.#soon();
    });
  }

  /** Runs a short look at the database before anything is written: it is a part of something urgent. */
  look(run: () => void): void {
    this.#looks.push(run);
    this.#soon();
  }

  /** Writes what is waiting, now, and takes nothing more. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#timer);
    for (const run of this.#looks.splice(0)) run();
    this.#db.pragma(`busy_timeout = ${lockedMsMax}`);
    for (const tasks of [this.#urgent, this.#waiting])
      while (tasks.length > 0) this.#together(tasks, Number.POSITIVE_INFINITY);
  }

  /** After the I/O of this turn of the loop: every frame that it brought is in the group. */
  #soon(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      if (!this.#ended) this.#turn();
    });
  }

  #later(ms: number): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#soon();
    }, ms);
  }

  /** One transaction at the most, then the loop goes on. */
  #turn(): void {
    if (this.#looks.length > 0) {
      for (const run of this.#looks.splice(0)) run();
      this.#urgentAt = performance.now();
    } else if (this.#lockedSince !== undefined && this.#timer) return;
    else if (this.#urgent.length > 0 && !this.#isHeldTooLong()) {
      this.#together(this.#urgent, Number.POSITIVE_INFINITY);
      this.#urgentAt = performance.now();
    } else if (this.#waiting.length > 0 && this.#mayGoOn()) {
      this.#heldSince = undefined;
      this.#together(this.#waiting, groupMs);
    }
    if (this.#waiting.length > 0) this.#heldSince ??= performance.now();
    if (this.#lockedSince !== undefined) this.#later(lockedPauseMs);
    else if (this.#urgent.length > 0 || (this.#waiting.length > 0 && this.#mayGoOn())) this.#soon();
    else if (this.#waiting.length > 0) this.#later(quietMs);
  }

  #isHeldTooLong(): boolean {
    return this.#heldSince !== undefined && performance.now() - this.#heldSince >= groupMs;
  }

  /** For what is not urgent. */
  #mayGoOn(): boolean {
    return performance.now() - this.#urgentAt >= quietMs || this.#isHeldTooLong();
  }

  /**
   * All tasks in one transaction, without savepoints: those would copy every page that a task touches (measured: a third of
   * the time). A task that throws before it wrote anything is simply left out; after that, the group is undone and its
   * tasks run again one by one. They may: a decision is pure.
   * @param tasks those that are done are taken off
   * @param ms after so long no further one begins
   */
  #together(tasks: Task[], ms: number): void {
    const group: Task[] = [];
    const done: (() => void)[] = [];
    try {
      this.#begin.run();
      this.#lockedSince = undefined;
      const until = performance.now() + ms;
      do {
        const task = tasks.shift() as Task;
        group.push(task);
        const before = task.mayRefuse && this.#totalChanges.get();
        try {
          const value = task.run();
          done.push(() => task.resolve(value));
        } catch (error) {
          if (!task.mayRefuse || !this.#db.inTransaction || this.#totalChanges.get() !== before) throw error;
          done.push(() => task.reject(error));
        }
      } while (tasks.length > 0 && group.length < groupMax && (ms > groupMs || performance.now() < until));
      this.#commit.run();
    } catch (error) {
      if (this.#db.inTransaction) this.#rollback.run();
      this.#undone();
      if (isLocked(error)) this.#wait(tasks, group, error);
      else if (group.length === 1) group[0]?.reject(error);
      else for (const task of group) this.#together([task], ms);
      return;
    }
    for (const finish of done) finish();
  }

  /** For another process, with the loop turning: SQLite's own wait would hold up every read and every connection. */
  #wait(tasks: Task[], group: readonly Task[], error: unknown): void {
    tasks.unshift(...group);
    const now = performance.now();
    this.#lockedSince ??= now;
    if (!this.#ended && now - this.#lockedSince < lockedMsMax) return;
    this.#lockedSince = undefined;
    for (const all of [tasks, this.#urgent, this.#waiting]) for (const task of all.splice(0)) task.reject(error);
  }
}

/** Another process writes (sqlite.org/rescode.html#busy). */
function isLocked(error: unknown): boolean {
  return `${(error as { code?: unknown }).code}`.startsWith('SQLITE_BUSY');
}
