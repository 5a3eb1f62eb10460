/** Reads of resources, versions and search rows in SQLite. */
import type Database from 'better-sqlite3';
import type { SearchParameter } from '../../src/fhir/search/parameters.ts';
import { indexKey } from '../../src/store/index-key.ts';
import { nameOf } from '../../src/store/key.ts';
import { range } from '../../src/store/numbers.ts';
import type { Sql } from '../../src/store/predicate.ts';
import type { Dialect, PageSql } from '../../src/store/search.ts';
import type {
  Cause,
  Change,
  Current,
  HistoryQuery,
  IdentifierKey,
  Interaction,
  Key,
  SearchHit,
  Version,
} from '../../src/store/store.ts';
import { Stored } from '../../src/store/stored.ts';
import { explained } from './explain.ts';
import { hidden } from './hidden.ts';
import type { Watch } from './watch.ts';

interface VersionRow {
  type: string;
  id: string;
  version: number;
  sequence: number;
  at: number;
  interaction: Interaction;
  cause: Cause;
  json: string | null;
  rid: number;
  /** Only where a decision may look at it. */
  marks?: string | null;
}

/** Prepared statements kept at most: searches make them. */
const statementsMax = 500;
/** A longer statement (some ten conditions) is prepared each time: five hundred of the longest would be gigabytes. Characters. */
const rememberedTextMax = 8000;

/** Current versions remembered at most; some 10 KB each. Half of them are those that were asked for last. */
const rememberedMax = 800;

/** A row of a search page: the sort keys `k0` … are beside what is named here. */
interface PageRow extends Record<string, string | number | null> {
  rid: number;
  type: string;
  id: string;
  sequence: number;
  json: string | null;
}

const columns = 'r.type, r.id, c.version, c.sequence, c.at, c.interaction, c.cause, c.json, c.rid';

/** Statements on resources; one instance per connection. */
export class Resources implements Dialect {
  readonly #db: Database.Database;
  readonly #watch: Watch;
  readonly #parameters = new Map<string, number>();
  #remembered = new Map<string, Stored>();
  /** Those that were remembered before: what nobody asks for goes with them. */
  #earlier = new Map<string, Stored>();
  readonly #resource: Database.Statement<any[], any>;
  readonly #version: Database.Statement<any[], any>;
  readonly #head: Database.Statement;
  readonly #begin: Database.Statement;
  readonly #end: Database.Statement;
  readonly #statements = new Map<string, Database.Statement<any[], any>>();

  constructor(db: Database.Database, watch: Watch) {
    this.#db = db;
    this.#watch = watch;
    // Two look-ups in place of a join: measured at half the time, and a quarter for a resource that is not there.
    this.#resource = db.prepare('SELECT sequence, marks FROM resource WHERE type = ? AND id = ?');
    this.#head = db.prepare('SELECT coalesce(max(sequence), 0) AS head FROM change');
    this.#begin = db.prepare('BEGIN');
    this.#end = db.prepare('COMMIT');
    this.#version = db.prepare(
      'SELECT rid, version, sequence, at, interaction, cause, json FROM change WHERE sequence = ?',
    );
    for (const row of db.prepare('SELECT param, type, code FROM parameter').all() as {
      param: number;
      type: string;
      code: string;
    }[]) {
      this.#parameters.set(`${row.type}.${row.code}`, row.param);
    }
  }

  #prepared(text: string): Database.Statement<any[], any> {
    if (text.length > rememberedTextMax) return this.#db.prepare(text);
    let statement = this.#statements.get(text);
    if (!statement) {
      if (this.#statements.size >= statementsMax) this.#statements.clear();
      statement = this.#db.prepare(text);
      this.#statements.set(text, statement);
    }
    return statement;
  }

  /** The sequence of the last version in the file. */
  head(): number {
    return (this.#head.get() as { head: number }).head;
  }

  /** Runs several reads on one state of the file: each takes a third of the time that it takes alone (measured). */
  atOnce<T>(read: () => T): T {
    this.#begin.run();
    try {
      return read();
    } finally {
      this.#end.run();
    }
  }

  /** 0, which no row has, for a parameter that was never written: a search writes nothing. */
  parameter({ type, code }: Pick<SearchParameter, 'type' | 'code'>): number {
    const key = `${type}.${code}`;
    const known = this.#parameters.get(key);
    if (known !== undefined) return known;
    const row = this.#prepared('SELECT param FROM parameter WHERE type = ? AND code = ?').get(type, code);
    if (row) this.#parameters.set(key, row.param);
    return row?.param ?? 0;
  }

  range(type: string): { low: number; high: number } {
    return range(type);
  }

  noIndex(column: string): string {
    return `+${column}`;
  }

  contains(column: string): string {
    return `instr(${column}, ?) > 0`;
  }

  endsWith(column: string, end: string): Sql {
    return { text: `substr(${column}, -${[...end].length}) = ?`, values: [end] };
  }

  words(alias: string, words: readonly string[]): Sql {
    // Words are letters and digits; in quotation marks none is an operator of FTS5.
    const match = words.map((word) => `"${word}"`).join(' ');
    return { text: `${alias}.id IN (SELECT rowid FROM text_index WHERE text_index MATCH ?)`, values: [match] };
  }

  readonly sample = ({ text, values }: Sql, max: number): number => {
    const counting = this.#prepared(`SELECT count(*) AS n FROM (${hidden(text)} LIMIT ${max})`);
    return (counting.get(...values) as { n: number }).n;
  };

  guard(rid: string): string {
    return `in_time(${rid})`;
  }

  types(): string[] {
    // From type to type by the index: DISTINCT would read every resource.
    return this.#prepared(
      `WITH RECURSIVE found (type) AS (
         SELECT min(type) FROM resource
         UNION ALL SELECT (SELECT min(type) FROM resource WHERE type > found.type) FROM found WHERE found.type IS NOT NULL
       ) SELECT type FROM found WHERE type IS NOT NULL`,
    )
      .all()
      .map(({ type }) => type);
  }

  read({ type, id }: Key): VersionRow | undefined {
    const row = this.#resource.get(type, id);
    return row && { type, id, marks: row.marks, ...this.#version.get(row.sequence) };
  }

  /**
   * The current version for a decision, remembered: doctors, wards and insurers come with every message, and parsing them
   * again costs more than the rest of their part. What is written is forgotten ({@link forget}), so what is remembered is true.
   */
  current(key: Key): Current | undefined {
    const name = nameOf(key);
    const known = this.#remembered.get(name);
    if (known) return known;
    const earlier = this.#earlier.get(name);
    const row = earlier ? undefined : this.read(key);
    const current = earlier ?? (row && currentOf(row));
    if (!current) return undefined;
    if (this.#remembered.size >= rememberedMax / 2) {
      this.#earlier = this.#remembered;
      this.#remembered = new Map();
    }
    this.#remembered.set(name, current);
    return current;
  }

  readVersion({ type, id }: Key, version: number): VersionRow | undefined {
    return this.#prepared(
      `SELECT ${columns} FROM resource r JOIN change c ON c.rid = r.rid WHERE r.type = ? AND r.id = ? AND c.version = ?`,
    ).get(type, id, version);
  }

  history({ type, id, since, at, before, limit }: HistoryQuery): VersionRow[] {
    const where: string[] = [];
    const values: (string | number)[] = [];
    const add = (text: string, ...more: (string | number)[]): void => {
      where.push(text);
      values.push(...more);
    };
    if (type && id) add('r.type = ? AND r.id = ?', type, id);
    else if (type) add('c.rid BETWEEN ? AND ?', this.range(type).low, this.range(type).high);
    if (since !== undefined) add('c.at >= ?', since);
    if (at !== undefined) {
      // Current from its own instant until that of the next version.
      const next =
        'SELECT n.at FROM change n WHERE n.rid = c.rid AND n.sequence > c.sequence ORDER BY n.sequence LIMIT 1';
      add(`c.at < ? AND coalesce((${next}) > ?, TRUE)`, at.high, at.low);
    }
    if (before !== undefined) add('c.sequence < ?', before);
    const filter = where.length > 0 ? `WHERE ${where.join(' AND ')}` : '';
    return this.#prepared(
      `SELECT ${columns} FROM change c JOIN resource r ON r.rid = c.rid ${filter} ORDER BY c.sequence DESC LIMIT ?`,
    ).all(...values, limit);
  }

  /** The rows of a page with the current content of each: one statement. */
  page(page: PageSql): PageRow[] {
    const statement = this.#prepared(this.#pageText(page));
    return this.#watch.run(() => statement.all(...page.values) as PageRow[]);
  }

  #pageText({ text, order }: PageSql): string {
    return `SELECT f.*, r.type AS type, r.id AS id, r.sequence AS sequence, c.json AS json FROM (${hidden(text)}) f
      CROSS JOIN resource r ON r.rid = f.rid CROSS JOIN change c ON c.sequence = r.sequence ORDER BY ${order.replace(/\brid\b/, 'f.rid')}`;
  }

  /** The statement of a page or of a count, with its plan. */
  explain(sql: PageSql | Sql): string {
    const text = 'order' in sql ? this.#pageText(sql) : hidden(sql.text);
    return explained(this.#db, { text, values: sql.values });
  }

  /** A row as it was at the snapshot: what was written since is looked up; undefined when it did not live then. */
  hit({ rid, type, id, sequence, json }: PageRow, snapshot = Number.MAX_SAFE_INTEGER): SearchHit | undefined {
    const then = sequence <= snapshot ? json : this.#at(rid, snapshot);
    return typeof then === 'string' ? { type, id, json: then } : undefined;
  }

  #at(rid: number, snapshot: number): string | null | undefined {
    const row = this.#prepared(
      'SELECT json FROM change WHERE rid = ? AND sequence <= ? ORDER BY sequence DESC LIMIT 1',
    ).get(rid, snapshot);
    return row?.json;
  }

  rows(text: string, values: readonly (string | number)[]): Record<string, string | number | null>[] {
    const statement = this.#prepared(hidden(text));
    return this.#watch.run(() => statement.all(...values));
  }

  changes(after: number, limit: number): Change[] {
    return this.#prepared(
      `SELECT c.sequence, r.type, r.id, c.version, c.interaction, c.at, c.cause FROM change c JOIN resource r ON r.rid = c.rid
       WHERE c.sequence > ? ORDER BY c.sequence LIMIT ?`,
    ).all(after, limit);
  }

  /** Current resources with an identifier, at most `limit`, in the order of creation. */
  find({ type, identifier }: IdentifierKey, limit: number): VersionRow[] {
    const parameter = this.parameter({ type, code: 'identifier' });
    return this.#prepared(
      hidden(`SELECT ${columns}, r.marks FROM token_row t CROSS JOIN resource r ON r.rid = t.rid CROSS JOIN change c ON c.sequence = r.sequence
       WHERE t.param = ? AND t.code = ? AND t.system = ? AND t.gone IS NULL ORDER BY t.rid LIMIT ?`),
    ).all(parameter, indexKey(identifier.value), indexKey(identifier.system), limit);
  }

  /** Others may have changed what is remembered: one resource, or all. */
  forget(name?: string): void {
    for (const remembered of [this.#remembered, this.#earlier])
      if (name === undefined) remembered.clear();
      else remembered.delete(name);
  }

  /** The newest sequence written before an instant (ms). */
  sequenceBefore(at: number): number {
    const row = this.#prepared('SELECT sequence FROM change WHERE at < ? ORDER BY sequence DESC LIMIT 1').get(at);
    return row?.sequence ?? 0;
  }
}

/** A row as the seam speaks of it. */
export function versionOf({ rid: _, marks: __, json, ...row }: VersionRow): Version {
  return { ...row, json: json ?? undefined };
}

/** A row as a decision sees it. */
export function currentOf(row: VersionRow): Stored {
  return new Stored(row.rid, versionOf(row), row.marks ?? undefined);
}
