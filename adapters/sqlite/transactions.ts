/**
 * Jobs in transactions, on the connection that writes. Nothing of a job that fails is written, and the others of its
 * transaction are: without savepoints, for these copy every page that a job touches (measured: a third of the time). The
 * transaction is taken back, and what it held before is written again.
 */
import type Database from 'better-sqlite3';
import { type Answer, failed, type Job, type Order, type Outcome } from './job.ts';
import { ResourceRows } from './resource-rows.ts';
import type { StageRows } from './stage-rows.ts';

/** How long another process may have the file locked; ms. */
const lockedMsMax = 5000;

interface Done {
  readonly number: number;
  readonly job: Job;
}

export class Transactions {
  readonly #db: Database.Database;
  readonly #resources: ResourceRows;
  readonly #stages: StageRows;
  readonly #begin: Database.Statement;
  readonly #commit: Database.Statement;
  readonly #rollback: Database.Statement;
  readonly #outcomes = new Map<number, Outcome>();
  /** Written in the open transaction. */
  #group: Done[] = [];
  /** Units that are not in it for a reason of their own. */
  #refused: number[] = [];
  #round = 0;
  /** See {@link Answer}. */
  #failures = 0;
  /** The last of them; `isForAll` when another process keeps the file locked: whoever asked before that was known has waited long enough. */
  #failure: { readonly outcome: Outcome; readonly isForAll: boolean } | undefined;

  /** @param stages on the same connection */
  constructor(db: Database.Database, stages: StageRows) {
    this.#db = db;
    db.pragma(`busy_timeout = ${lockedMsMax}`);
    this.#resources = new ResourceRows(db);
    this.#stages = stages;
    this.#begin = db.prepare('BEGIN IMMEDIATE');
    this.#commit = db.prepare('COMMIT');
    this.#rollback = db.prepare('ROLLBACK');
  }

  /** Runs the jobs of an order. @returns when it ends the transaction, what became of all jobs since the last */
  run({ jobs, commit, failures }: Order): Answer | undefined {
    for (const [number, job] of jobs) this.#job(number, job, failures);
    return commit ? this.#end() : undefined;
  }

  #job(number: number, job: Job, failures: number): void {
    if (this.#failure && failures < this.#failures && (this.#failure.isForAll || isKept(job))) {
      this.#outcomes.set(number, this.#failure.outcome);
      if (job.kind === 'unit') this.#round++;
    } else if (job.kind === 'unit' && job.round !== this.#round) this.#outcomes.set(number, { kind: 'again' });
    else {
      try {
        if (!this.#db.inTransaction) this.#begin.run();
        this.#outcomes.set(number, { kind: 'done', value: this.#write(job) });
        this.#group.push({ number, job });
      } catch (error) {
        this.#undo();
        this.#outcomes.set(number, failed(error));
        if (job.kind === 'unit') this.#round++;
        if (isOwn(error)) {
          if (job.kind === 'unit') this.#refused.push(number);
          this.#writeAgain();
        } else this.#failGroup(error, job);
      }
    }
  }

  #write(job: Job): unknown {
    switch (job.kind) {
      case 'keep':
        return this.#stages.messages.keep(job.message);
      case 'keep-named':
        return this.#stages.messages.keepNamed(job.message, job.clash);
      case 'answered':
        return this.#stages.messages.answered(job.id, job.answer);
      case 'sweep':
        return this.#resources.dropEnded(job.sequence);
      case 'unit':
        for (const effect of job.effects) {
          if (effect.kind === 'index') this.#resources.index(effect);
          else if (effect.kind === 'marks') this.#resources.mark(effect);
          else this.#stages.apply(effect);
        }
        for (const version of job.versions) this.#resources.write(version);
        return undefined;
    }
  }

  #end(): Answer {
    try {
      if (this.#db.inTransaction) this.#commit.run();
    } catch (error) {
      this.#undo();
      this.#failGroup(error);
    }
    const outcomes = [...this.#outcomes];
    this.#outcomes.clear();
    this.#group = [];
    this.#refused = [];
    return { outcomes, round: this.#round, failures: this.#failures };
  }

  #undo(): void {
    if (this.#db.inTransaction) this.#rollback.run();
    this.#resources.forget();
  }

  /** What was written before the job that failed: it is data, so the same is written. */
  #writeAgain(): void {
    if (this.#group.length === 0) return;
    try {
      this.#begin.run();
      for (const { number, job } of this.#group) this.#outcomes.set(number, { kind: 'done', value: this.#write(job) });
    } catch (error) {
      this.#undo();
      this.#failGroup(error);
    }
  }

  /**
   * The database cannot write: nothing of the transaction is there.
   * @param failing the job at which that was seen, if it was not the commit
   */
  #failGroup(error: unknown, failing?: Job): void {
    for (const { number } of this.#group) this.#outcomes.set(number, failed(error));
    const isForAll = isLocked(error);
    if (isForAll || (failing && isKept(failing)) || this.#group.some(({ job }) => isKept(job))) {
      this.#failures++;
      this.#failure = { outcome: failed(error), isForAll };
    }
    // They were refused upon what is not there now.
    for (const number of this.#refused) this.#outcomes.set(number, { kind: 'again' });
    if (this.#group.some(({ job }) => job.kind === 'unit')) this.#round++;
    this.#group = [];
  }
}

/** Of messages the order in which they came counts. */
function isKept({ kind }: Job): boolean {
  return kind === 'keep' || kind === 'keep-named';
}

/** True when the reason lies in the job: a claim that was lost, a row that is there already, a value that no column takes. */
function isOwn(error: unknown): boolean {
  const code = (error as { code?: unknown }).code;
  return typeof code !== 'string' || code.startsWith('SQLITE_CONSTRAINT');
}

/** Another process writes (sqlite.org/rescode.html#busy). */
function isLocked(error: unknown): boolean {
  return `${(error as { code?: unknown }).code}`.startsWith('SQLITE_BUSY');
}
