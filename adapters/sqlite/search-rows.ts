/** Search rows in SQLite: written with a version, ended by a later one, dropped by the sweep. */
import type Database from 'better-sqlite3';
import type { IndexKind } from '../../src/fhir/search/values.ts';
import { layouts, type RowLayout, rowTables } from '../../src/store/row-layout.ts';
import type { IndexAnew, IndexRow } from './job.ts';

interface Statements {
  readonly insert: Database.Statement;
  readonly end: Database.Statement;
  readonly dropOf: Database.Statement;
  readonly written: RowLayout['written'];
  /** Places of the cells that tell two rows of a parameter apart. */
  readonly identity: readonly number[];
}

export class SearchRows {
  readonly #db: Database.Database;
  readonly #statements = new Map<RowLayout, Statements>();
  /** Type ─▶ code ─▶ number of the parameter. */
  readonly #parameters = new Map<string, Map<string, number>>();
  readonly #number: Database.Statement;
  readonly #newNumber: Database.Statement;

  constructor(db: Database.Database) {
    this.#db = db;
    this.#number = db.prepare('SELECT param FROM parameter WHERE type = ? AND code = ?').pluck();
    this.#newNumber = db.prepare('INSERT INTO parameter (type, code) VALUES (?, ?)');
  }

  add([kind, type, code, ...cells]: IndexRow, rid: number, born: number): void {
    const { insert, written } = this.#of(kind);
    insert.run(this.#parameter(type, code), rid, born, ...(written ? written(cells) : cells));
  }

  end([kind, type, code, ...cells]: IndexRow, rid: number, gone: number): void {
    const { end, identity } = this.#of(kind);
    end.run(gone, this.#parameter(type, code), rid, ...identity.map((i) => cells[i]));
  }

  replace({ rid, born, parameters, rows }: IndexAnew): void {
    for (const [kind, type, code] of parameters) this.#of(kind).dropOf.run(rid, this.#parameter(type, code));
    for (const row of rows) this.add(row, rid, born);
  }

  /** Drops rows that ended at or before a sequence; gives how many. */
  dropEnded(sequence: number): number {
    let dropped = 0;
    for (const table of rowTables)
      dropped += this.#db.prepare(`DELETE FROM ${table} WHERE gone <= ?`).run(sequence).changes;
    return dropped;
  }

  /** Numbers that a transaction gave and that was taken back. */
  forget(): void {
    this.#parameters.clear();
  }

  /** The number of a parameter; one that has none gets it. */
  #parameter(type: string, code: string): number {
    let codes = this.#parameters.get(type);
    if (!codes) {
      codes = new Map();
      this.#parameters.set(type, codes);
    }
    let number = codes.get(code);
    if (number === undefined) {
      number = (this.#number.get(type, code) ?? this.#newNumber.run(type, code).lastInsertRowid) as number;
      codes.set(code, number);
    }
    return number;
  }

  #of(kind: IndexKind): Statements {
    const layout = layouts[kind];
    let statements = this.#statements.get(layout);
    if (!statements) {
      const { table, columns, identity, written } = layout;
      const marks = columns.map(() => ', ?').join('');
      const same = ['param', 'rid', ...identity].map((column) => `${column} = ?`).join(' AND ');
      statements = {
        insert: this.#db.prepare(
          `INSERT INTO ${table} (param, rid, born, ${columns.join(', ')}) VALUES (?, ?, ?${marks})`,
        ),
        end: this.#db.prepare(`UPDATE ${table} SET gone = ? WHERE ${same} AND gone IS NULL`),
        dropOf: this.#db.prepare(`DELETE FROM ${table} WHERE rid = ? AND param = ?`),
        written,
        identity: identity.map((column) => columns.indexOf(column)),
      };
      this.#statements.set(layout, statements);
    }
    return statements;
  }
}
