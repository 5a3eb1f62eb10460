/**
 * The one writer, with group commit: jobs that come together share one transaction and so one fsync. It has a thread of its
 * own (docs/decisions/0010-the-writer.md): the event loop decides the next messages and answers its connections meanwhile. A
 * database in memory belongs to one connection, and so to the thread of that.
 */
import { MessageChannel, Worker } from 'node:worker_threads';
import type { Answer, Job, Order, Outcome, Unit } from './job.ts';
import type { Transactions } from './transactions.ts';
import type { WriterThreadData } from './writer-thread.ts';

/** Units in one transaction at the most, and how long it stays open for more; bounds how long those wait who came first. ms */
const [groupMax, groupMs] = [16, 25];

/** Urgent jobs in one transaction: while they are written, the loop takes in the next. */
const urgentMax = 32;

/** Orders live until they are written: V8's own 64 would be filled with those that are done. */
const maxYoungGenerationSizeMb = 4;

type Settle = (outcome: Outcome) => void;

/** Where orders go. */
interface Carrier {
  /** @param urgent goes before others */
  order(order: Order, urgent: boolean): void;
  /** Keeps the process alive, or lets it end. */
  hold(isBusy: boolean): void;
  end(): Promise<void>;
}

export class Writer {
  readonly #carrier: Carrier;
  readonly #waiting = new Map<number, Settle>();
  #number = 0;
  #units: Numbered[] = [];
  #urgent: Numbered[] = [];
  /** Units of the open transaction, and when it began; ms of `performance.now()`. */
  #group = 0;
  #begunAt = 0;
  #scheduled = false;
  #ended = false;
  /** See {@link Answer}. */
  round = 0;
  #failures = 0;
  /** When the last urgent job was answered; ms of `performance.now()`. Infinity while one is under way. */
  urgentAt = 0;
  #urgentNumber = 0;

  /** @param where the path of a file; or who writes to a database in memory */
  constructor(where: string | Transactions) {
    const answered = (answer: Answer): void => this.#answered(answer);
    this.#carrier = typeof where === 'string' ? inThread(where, answered) : inMemory(where, answered);
  }

  /**
   * Adds a unit to the open transaction; it is written when that ends.
   * @param settle gets what became of it, when it is durable; units are settled in the order in which they were added
   */
  add(unit: Unit, settle: Settle): void {
    if (this.#group === 0) this.#begunAt = performance.now();
    this.#group++;
    this.#units.push(this.#numbered(unit, settle));
  }

  /** Sends the units on their way. @param commit the transaction ends; it ends by itself when it is large or old */
  flush(commit: boolean): void {
    if (this.#group === 0) return;
    const ends = commit || this.#group >= groupMax || performance.now() - this.#begunAt >= groupMs;
    if (this.#units.length === 0 && !ends) return;
    if (ends) this.#group = 0;
    this.#order(this.#units.splice(0), ends, false);
  }

  /**
   * A job that somebody waits for: it goes before units. Its transaction ends after the I/O of this turn of the loop: every
   * frame that it brought is in it.
   */
  urgent(job: Exclude<Job, Unit>, settle: Settle): void {
    this.urgentAt = Number.POSITIVE_INFINITY;
    if (this.#urgent.push(this.#numbered(job, settle)) >= urgentMax) this.#sendUrgent();
    this.#urgentNumber = this.#number;
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#sendUrgent();
    });
  }

  #sendUrgent(): void {
    const jobs = this.#urgent.splice(0);
    if (jobs.length > 0) this.#order(jobs, true, true);
  }

  #order(jobs: readonly Numbered[], commit: boolean, urgent: boolean): void {
    this.#carrier.order({ jobs, commit, failures: this.#failures }, urgent);
  }

  /** Does what was asked for, and ends. Nothing may be asked any more. */
  end(): Promise<void> {
    this.#ended = true;
    this.flush(true);
    this.#sendUrgent();
    return this.#carrier.end();
  }

  #numbered(job: Job, settle: Settle): Numbered {
    if (this.#waiting.size === 0) this.#carrier.hold(true);
    this.#waiting.set(++this.#number, settle);
    return [this.#number, job];
  }

  #answered({ outcomes, round, failures }: Answer): void {
    this.round = round;
    this.#failures = failures;
    for (const [number, outcome] of outcomes) {
      if (this.#urgentNumber === number) this.urgentAt = performance.now();
      const settle = this.#waiting.get(number);
      this.#waiting.delete(number);
      settle?.(outcome);
    }
    if (this.#waiting.size === 0 && !this.#ended) this.#carrier.hold(false);
  }
}

type Numbered = readonly [number: number, job: Job];

/** Whatever ends the thread ends the program: it begins anew, and nothing that was acknowledged is lost. */
function inThread(path: string, answered: (answer: Answer) => void): Carrier {
  const { port1, port2: urgent } = new MessageChannel();
  const workerData: WriterThreadData = { path, urgent };
  const worker = new Worker(new URL('./writer-thread.ts', import.meta.url), {
    workerData,
    transferList: [urgent],
    resourceLimits: { maxYoungGenerationSizeMb },
  });
  worker.on('message', answered);
  worker.on('error', (error) => {
    throw error;
  });
  worker.unref();
  port1.unref();
  return {
    order: (order, urgent) => (urgent ? port1.postMessage(order) : worker.postMessage(order)),
    hold: (isBusy) => (isBusy ? worker.ref() : worker.unref()),
    async end() {
      const ended = new Promise((resolve) => worker.once('exit', resolve));
      worker.ref();
      worker.postMessage('end');
      await ended;
    },
  };
}

/** A transaction is not left open here: whoever reads would see it. */
function inMemory(transactions: Transactions, answered: (answer: Answer) => void): Carrier {
  const orders: Order[] = [];
  const run = (): void => {
    const last = orders.findLastIndex(({ commit }) => commit);
    for (const order of orders.splice(0, last + 1)) {
      const answer = transactions.run(order);
      if (answer) answered(answer);
    }
  };
  return {
    order(order) {
      orders.push(order);
      if (order.commit) setImmediate(run);
    },
    hold: () => {},
    end: async () => run(),
  };
}
