/** A limit for searches: SQLite runs in the process, and what runs in it holds up everything else. */
import type Database from 'better-sqlite3';
import { Failure } from '../../src/outcome.ts';

/** Long enough for a count over a million resources. ms */
const searchMaxMs = 3000;
/** Rows between two looks at the clock: the call itself costs 0.15 µs a row. */
const rowsBetween = 1024;

export class Watch {
  #rows = 0;
  #until = 0;

  constructor(db: Database.Database) {
    db.function('in_time', { deterministic: false }, (_rid: unknown) => this.#inTime());
  }

  /** Runs a search. @throws Failure `too-costly` when it goes on for too long */
  run<T>(search: () => T): T {
    this.#until = performance.now() + searchMaxMs;
    return search();
  }

  #inTime(): number {
    if (++this.#rows % rowsBetween === 0 && performance.now() > this.#until)
      throw new Failure('too-costly', `the search took more than ${searchMaxMs} ms: add a more selective parameter`);
    return 1;
  }
}
