/** Resources, versions and search rows in SQLite. Everything here runs inside a transaction of the writer, or reads. */
import type Database from 'better-sqlite3';
import { resourceTypes } from '../../src/fhir/definitions.ts';
import type { SearchParameter, SearchRow } from '../../src/fhir/search/parameters.ts';
import type { StoredResource } from '../../src/fhir/types.ts';
import type { Dialect, PageSql } from '../../src/store/search.ts';
import type {
  Cause,
  Change,
  Current,
  HistoryQuery,
  IdentifierKey,
  Interaction,
  Key,
  PreparedWrite,
  SearchHit,
  Version,
} from '../../src/store/store.ts';

const typeWidth = 2 ** 40;
const typeNumbers = new Map(resourceTypes.map((type, i) => [type, i + 1]));

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
}

/** Prepared statements kept at most: searches make them. */
const statementsMax = 500;

/** Current versions remembered at most; some 10 KB each. */
const rememberedMax = 2000;

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
  readonly #parameters = new Map<string, number>();
  readonly #remembered = new Map<string, Current>();
  readonly #sequenceOf: Database.Statement<any[], any>;
  readonly #version: Database.Statement<any[], any>;
  readonly #statements = new Map<string, Database.Statement<any[], any>>();
  /** The sequence of the last version written; goes back with a unit of work that is undone. */
  sequence: number;

  constructor(db: Database.Database) {
    this.#db = db;
    // Two look-ups in place of a join: measured at half the time, and a quarter for a resource that is not there.
    this.#sequenceOf = db.prepare('SELECT sequence FROM resource WHERE type = ? AND id = ?').pluck();
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
    this.sequence = this.#storedHead();
  }

  #prepared(text: string): Database.Statement<any[], any> {
    let statement = this.#statements.get(text);
    if (!statement) {
      if (this.#statements.size >= statementsMax) this.#statements.clear();
      statement = this.#db.prepare(text);
      this.#statements.set(text, statement);
    }
    return statement;
  }

  #storedHead(): number {
    return (this.#prepared('SELECT coalesce(max(sequence), 0) AS head FROM change').get() as { head: number }).head;
  }

  parameter({ type, code }: SearchParameter): number {
    const key = `${type}.${code}`;
    const known = this.#parameters.get(key);
    if (known !== undefined) return known;
    this.#prepared('INSERT OR IGNORE INTO parameter (type, code) VALUES (?, ?)').run(type, code);
    const { param } = this.#prepared('SELECT param FROM parameter WHERE type = ? AND code = ?').get(type, code);
    this.#parameters.set(key, param);
    return param;
  }

  range(type: string): { low: number; high: number } {
    const low = (typeNumbers.get(type) ?? 0) * typeWidth;
    return { low, high: low + typeWidth - 1 };
  }

  read({ type, id }: Key): VersionRow | undefined {
    const sequence = this.#sequenceOf.get(type, id);
    return sequence === undefined ? undefined : { type, id, ...this.#version.get(sequence) };
  }

  /**
   * The current version for a decision, remembered: doctors, wards and insurers come with every message, and parsing them
   * again costs more than the rest of their part. This connection is the only writer, so what is remembered is true.
   */
  current(key: Key): Current | undefined {
    const name = `${key.type}/${key.id}`;
    const known = this.#remembered.get(name);
    if (known) return known;
    const row = this.read(key);
    if (!row) return undefined;
    const current = currentOf(row);
    this.#remember(name, current);
    return current;
  }

  #remember(name: string, current: Current): void {
    if (this.#remembered.size >= rememberedMax) this.#remembered.clear();
    this.#remembered.set(name, current);
  }

  readVersion({ type, id }: Key, version: number): VersionRow | undefined {
    return this.#prepared(
      `SELECT ${columns} FROM resource r JOIN change c ON c.rid = r.rid WHERE r.type = ? AND r.id = ? AND c.version = ?`,
    ).get(type, id, version);
  }

  history({ type, id, since, before, limit }: HistoryQuery): VersionRow[] {
    const where: string[] = [];
    const values: (string | number)[] = [];
    const add = (text: string, ...more: (string | number)[]): void => {
      where.push(text);
      values.push(...more);
    };
    if (type && id) add('r.type = ? AND r.id = ?', type, id);
    else if (type) add('c.rid BETWEEN ? AND ?', this.range(type).low, this.range(type).high);
    if (since !== undefined) add('c.at >= ?', since);
    if (before !== undefined) add('c.sequence < ?', before);
    const filter = where.length > 0 ? `WHERE ${where.join(' AND ')}` : '';
    return this.#prepared(
      `SELECT ${columns} FROM change c JOIN resource r ON r.rid = c.rid ${filter} ORDER BY c.sequence DESC LIMIT ?`,
    ).all(...values, limit);
  }

  /**
   * The text of the search compiler for this database. The unary plus hides a bound value from the planner: with STAT4,
   * SQLite prepares a statement anew whenever such a value changes (measured: 15 µs of 20).
   */
  #compiled(text: string): string {
    return text.replaceAll('?', '+?');
  }

  /** The rows of a page with the current content of each: one statement. */
  page({ text, values, order }: PageSql): PageRow[] {
    return this.#prepared(
      `SELECT f.*, r.type AS type, r.id AS id, r.sequence AS sequence, c.json AS json FROM (${this.#compiled(text)}) f
       CROSS JOIN resource r ON r.rid = f.rid CROSS JOIN change c ON c.sequence = r.sequence ORDER BY ${order.replace(/\brid\b/, 'f.rid')}`,
    ).all(...values);
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
    return this.#prepared(this.#compiled(text)).all(...values);
  }

  changes(after: number, limit: number): Change[] {
    return this.#prepared(
      `SELECT c.sequence, r.type, r.id, c.version, c.interaction, c.at, c.cause FROM change c JOIN resource r ON r.rid = c.rid
       WHERE c.sequence > ? ORDER BY c.sequence LIMIT ?`,
    ).all(after, limit);
  }

  find({ type, identifier }: IdentifierKey): VersionRow[] {
    const parameter = this.parameter({ type, code: 'identifier' } as SearchParameter);
    return this.#prepared(
      `SELECT ${columns} FROM token_row t CROSS JOIN resource r ON r.rid = t.rid CROSS JOIN change c ON c.sequence = r.sequence
       WHERE t.param = ? AND t.code = ? AND t.system = ? AND t.gone IS NULL ORDER BY t.rid LIMIT 2`,
    ).all(parameter, identifier.value, identifier.system);
  }

  /** Writes one version with its search rows. */
  write(write: PreparedWrite, cause: Cause): void {
    const sequence = ++this.sequence;
    const { type, id, version, interaction, at, json } = write;
    let rid: number;
    if (version === 1) {
      rid = this.range(type).low + sequence;
      this.#prepared('INSERT INTO resource (rid, type, id, version, sequence, deleted) VALUES (?, ?, ?, ?, ?, 0)').run(
        rid,
        type,
        id,
        version,
        sequence,
      );
    } else {
      const row = this.#prepared(
        'UPDATE resource SET version = ?, sequence = ?, deleted = ? WHERE type = ? AND id = ? AND version = ? RETURNING rid',
      ).get(version, sequence, interaction === 'delete' ? 1 : 0, type, id, version - 1);
      rid = row.rid;
    }
    this.#prepared(
      'INSERT INTO change (sequence, rid, version, interaction, at, cause, json) VALUES (?, ?, ?, ?, ?, ?, ?)',
    ).run(sequence, rid, version, interaction, at, cause, json ?? null);
    this.#remembered.delete(`${type}/${id}`);
    for (const row of write.removed) this.#endRow(row, rid, sequence);
    for (const row of write.added) this.#addRow(row, rid, sequence);
  }

  /** After work was undone: what it numbered is forgotten. `sequence` is the one to go back to; by default what stands. */
  undo(sequence = this.#storedHead()): void {
    this.sequence = sequence;
    this.#parameters.clear();
    this.#remembered.clear();
  }

  #addRow({ parameter, value }: SearchRow, rid: number, born: number): void {
    const param = this.parameter(parameter);
    switch (value.kind) {
      case 'token':
        this.#prepared('INSERT INTO token_row (param, code, rid, system, born) VALUES (?, ?, ?, ?, ?)').run(
          param,
          value.code,
          rid,
          value.system,
          born,
        );
        return;
      case 'string':
        this.#prepared('INSERT INTO string_row (param, norm, rid, text, born) VALUES (?, ?, ?, ?, ?)').run(
          param,
          value.norm,
          rid,
          value.text,
          born,
        );
        return;
      case 'date':
        this.#prepared('INSERT INTO date_row (param, low, high, rid, born) VALUES (?, ?, ?, ?, ?)').run(
          param,
          value.low,
          value.high,
          rid,
          born,
        );
        return;
      case 'reference':
        this.#prepared('INSERT INTO reference_row (param, id, rid, target, born) VALUES (?, ?, ?, ?, ?)').run(
          param,
          value.id,
          rid,
          value.target,
          born,
        );
    }
  }

  #endRow({ parameter, value }: SearchRow, rid: number, gone: number): void {
    const param = this.parameter(parameter);
    switch (value.kind) {
      case 'token':
        this.#prepared(
          'UPDATE token_row SET gone = ? WHERE param = ? AND code = ? AND rid = ? AND system = ? AND gone IS NULL',
        ).run(gone, param, value.code, rid, value.system);
        return;
      case 'string':
        this.#prepared(
          'UPDATE string_row SET gone = ? WHERE param = ? AND norm = ? AND rid = ? AND text = ? AND gone IS NULL',
        ).run(gone, param, value.norm, rid, value.text);
        return;
      case 'date':
        this.#prepared(
          'UPDATE date_row SET gone = ? WHERE param = ? AND low = ? AND high = ? AND rid = ? AND gone IS NULL',
        ).run(gone, param, value.low, value.high, rid);
        return;
      case 'reference':
        this.#prepared(
          'UPDATE reference_row SET gone = ? WHERE param = ? AND id = ? AND rid = ? AND target = ? AND gone IS NULL',
        ).run(gone, param, value.id, rid, value.target);
    }
  }

  /** Drops search rows that ended at or before a sequence. */
  dropEnded(sequence: number): number {
    let dropped = 0;
    for (const table of ['token_row', 'string_row', 'date_row', 'reference_row']) {
      dropped += this.#prepared(`DELETE FROM ${table} WHERE gone <= ?`).run(sequence).changes;
    }
    return dropped;
  }

  /** The newest sequence written before an instant (ms). */
  sequenceBefore(at: number): number {
    const row = this.#prepared('SELECT sequence FROM change WHERE at < ? ORDER BY sequence DESC LIMIT 1').get(at);
    return row?.sequence ?? 0;
  }
}

/** A row as the seam speaks of it. */
export function versionOf({ rid: _, json, ...row }: VersionRow): Version {
  return { ...row, json: json ?? undefined };
}

/** A current version whose JSON is parsed when somebody looks. */
export function currentOf(row: VersionRow): Current {
  let parsed: StoredResource | undefined;
  const version = versionOf(row);
  return {
    ...version,
    get resource(): StoredResource | undefined {
      if (parsed === undefined && version.json !== undefined) parsed = JSON.parse(version.json);
      return parsed;
    },
  };
}
