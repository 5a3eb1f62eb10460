/** Resources, versions and search rows in SQLite. Everything here runs inside a transaction of the writer, or reads. */
import type Database from 'better-sqlite3';
import { resourceTypes } from '../../src/fhir/definitions.ts';
import type { SearchParameter, SearchRow } from '../../src/fhir/search/parameters.ts';
import type { StoredResource } from '../../src/fhir/types.ts';
import type { Dialect } from '../../src/store/search.ts';
import type {
  Cause,
  Change,
  Current,
  HistoryQuery,
  IdentifierKey,
  Interaction,
  Key,
  PreparedWrite,
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

const columns = 'r.type, r.id, c.version, c.sequence, c.at, c.interaction, c.cause, c.json, c.rid';

/** Statements on resources; one instance per connection. */
export class Resources implements Dialect {
  readonly #db: Database.Database;
  readonly #parameters = new Map<string, number>();
  readonly #statements = new Map<string, Database.Statement<any[], any>>();
  /** The sequence of the last version written; goes back with a unit of work that is undone. */
  sequence: number;

  constructor(db: Database.Database) {
    this.#db = db;
    for (const row of db.prepare('SELECT param, type, code FROM parameter').all() as {
      param: number;
      type: string;
      code: string;
    }[]) {
      this.#parameters.set(`${row.type}.${row.code}`, row.param);
    }
    this.sequence = this.head();
  }

  #prepared(text: string): Database.Statement<any[], any> {
    let statement = this.#statements.get(text);
    if (!statement) {
      statement = this.#db.prepare(text);
      this.#statements.set(text, statement);
    }
    return statement;
  }

  head(): number {
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
    return this.#prepared(
      `SELECT ${columns} FROM resource r JOIN change c ON c.sequence = r.sequence WHERE r.type = ? AND r.id = ?`,
    ).get(type, id);
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

  /** The state of a resource number at a sequence; undefined when it did not live then. */
  at(rid: number, snapshot: number): { type: string; id: string; json: string } | undefined {
    const row = this.#prepared(
      `SELECT r.type, r.id, c.json FROM resource r JOIN change c ON c.sequence =
         CASE WHEN r.sequence <= @snapshot THEN r.sequence ELSE (SELECT max(o.sequence) FROM change o WHERE o.rid = r.rid AND o.sequence <= @snapshot) END
       WHERE r.rid = @rid`,
    ).get({ snapshot, rid });
    return row?.json === null ? undefined : row;
  }

  rows(text: string, values: readonly (string | number)[]): Record<string, string | number | null>[] {
    return this.#prepared(text).all(...values);
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
    for (const row of write.removed) this.#endRow(row, rid, sequence);
    for (const row of write.added) this.#addRow(row, rid, sequence);
  }

  /** After work was undone: what it numbered is forgotten. `sequence` is the one to go back to; by default what stands. */
  undo(sequence = this.head()): void {
    this.sequence = sequence;
    this.#parameters.clear();
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
