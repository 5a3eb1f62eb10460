/** What the writer is given: plain data with everything decided, for it may go to another thread. */
import type { IndexKind } from '../../src/fhir/search/values.ts';
import { isDefect } from '../../src/outcome.ts';
import type { Cell } from '../../src/store/row-layout.ts';
import type { NewMessage } from '../../src/store/rows.ts';
import { type Effect, LostClaim, type PreparedWrite, type Version } from '../../src/store/store.ts';

/** A search parameter as its rows know it. */
export type ParameterName = readonly [kind: IndexKind, type: string, code: string];

/** A search row: its parameter, and the cells of its table. */
export type IndexRow = readonly [...ParameterName, ...cells: Cell[]];

/** A version to be written. */
export interface NewVersion extends Version, Pick<PreparedWrite, 'marks'> {
  /** Number of the resource, see `range`. */
  readonly rid: number;
  readonly added: readonly IndexRow[];
  readonly removed: readonly IndexRow[];
}

/** Rows of one resource for some parameters, whatever there was before. */
export interface IndexAnew {
  readonly kind: 'index';
  readonly rid: number;
  /** The sequence of the version that they are of. */
  readonly born: number;
  readonly parameters: readonly ParameterName[];
  readonly rows: readonly IndexRow[];
}

export type WriterEffect = Exclude<Effect, { kind: 'index' }> | IndexAnew;

/** A unit of work that was decided. `round` tells upon what: see {@link Answer}. */
export interface Unit {
  readonly kind: 'unit';
  readonly round: number;
  readonly versions: readonly NewVersion[];
  readonly effects: readonly WriterEffect[];
}

export type Job =
  | Unit
  /** Gives the number of the message. */
  | { readonly kind: 'keep'; readonly message: NewMessage }
  /** Gives a {@link KeptMessage}. */
  | { readonly kind: 'keep-named'; readonly message: NewMessage; readonly clash: string | undefined }
  | { readonly kind: 'answered'; readonly id: number; readonly answer: Uint8Array }
  /** Drops search rows that ended at or before a sequence; gives how many. */
  | { readonly kind: 'sweep'; readonly sequence: number };

/** Jobs for the open transaction, each with its number. */
export interface Order {
  readonly jobs: readonly (readonly [number: number, job: Job])[];
  /** The transaction ends with them. */
  readonly commit: boolean;
  /** {@link Answer.failures} as it was known when this was ordered. */
  readonly failures: number;
}

/** What became of a job. `again`: what it was decided upon was not written; nor was it. */
export type Outcome =
  | { readonly kind: 'done'; readonly value: unknown }
  | { readonly kind: 'again' }
  | {
      readonly kind: 'failed';
      readonly reason: 'lost' | 'defect' | 'database';
      readonly name: string;
      readonly message: string;
      /** Of SQLite: `SQLITE_FULL`. */
      readonly code?: string;
    };

/** What became of all jobs since the last answer, in the order in which they were done, when it is durable. */
export interface Answer {
  readonly outcomes: readonly (readonly [number: number, outcome: Outcome])[];
  /** Grows when a unit is not written: units of an earlier round were decided upon it, and are not written either. */
  readonly round: number;
  /**
   * Grows when the database fails a message that was to be kept: those that were ordered before that was known are not kept
   * either, for it may have come before them on their connection. And when the file is locked: then nothing that was ordered
   * before that was known is tried.
   */
  readonly failures: number;
}

/** An error does not keep its class on the way between threads. */
export function failed(error: unknown): Outcome {
  const reason = error instanceof LostClaim ? 'lost' : isDefect(error) ? 'defect' : 'database';
  const { name, message, code } = error as Error & { readonly code?: unknown };
  return { kind: 'failed', reason, name, message, ...(typeof code === 'string' && { code }) };
}

/** What {@link failed} was given, as the program knows it. */
export function errorOf({ reason, name, message, code }: Extract<Outcome, { kind: 'failed' }>): Error {
  if (reason === 'lost') return new LostClaim(message);
  const error = reason === 'defect' ? new TypeError(message) : new Error(message);
  return Object.assign(error, { name, ...(code && { code }) });
}
