/** What the bench needs of a database: one for ours, and the bare driver of the floors. */
import type { Key, Store } from '../../src/store/store.ts';

export type Value = string | number | null;
export type FloorRow = Readonly<Record<string, Value>>;

/** A kind of database that is measured. */
export interface BenchDatabase {
  readonly name: string;
  /** A new, empty database. @returns its STORE_URL */
  create(): Promise<string>;
  /** After a large load: what the database would do by itself some time later, in the middle of a round. */
  tidy(url: string): Promise<void>;
  /** The same content once more, page by page; nobody writes to the original meanwhile. @returns the STORE_URL of the copy */
  copy(url: string): Promise<string>;
  /** Removes a database that {@link create} or {@link copy} made. */
  drop(url: string): Promise<void>;
  openStore(url: string): Promise<Store>;
  openFloor(url: string): Promise<FloorDatabase>;
}

/** The bare driver on a database that our store made. */
export interface FloorDatabase {
  /**
   * Prepares a hand-written statement once. One text for all databases: values are `?`; where the database plans by rules,
   * `CROSS JOIN … ON` fixes the order of a join and a unary plus keeps a column out of the choice of an index.
   */
  prepare(sql: string): (...values: readonly Value[]) => readonly FloorRow[] | Promise<readonly FloorRow[]>;
  /**
   * Takes every row that belongs to these resources, from every table with a column `rid`: a new kind of search row needs
   * no line here. The resources are at version 1 and were created one after another.
   * @returns writes the rows again as new resources, under other numbers and ids, all or nothing; resolved when they are
   * durable
   */
  copier(keys: readonly Key[]): Promise<() => Promise<void>>;
  close(): Promise<void>;
}
