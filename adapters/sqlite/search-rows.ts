/** Search rows in SQLite: written with a version, ended by a later one, dropped by the sweep. */
import type Database from 'better-sqlite3';
import type { SearchParameter, SearchRow } from '../../src/fhir/search/parameters.ts';
import { layouts, type RowLayout, rowTables } from '../../src/store/row-layout.ts';

interface Statements {
  readonly insert: Database.Statement;
  readonly end: Database.Statement;
  readonly dropOf: Database.Statement;
}

export class SearchRows {
  readonly #db: Database.Database;
  readonly #parameter: (parameter: SearchParameter) => number;
  readonly #statements = new Map<RowLayout, Statements>();

  constructor(db: Database.Database, parameter: (parameter: SearchParameter) => number) {
    this.#db = db;
    this.#parameter = parameter;
  }

  add({ parameter, value }: SearchRow, rid: number, born: number): void {
    const layout = layouts[value.kind];
    this.#of(layout).insert.run(this.#parameter(parameter), rid, born, ...layout.cells(value));
  }

  end({ parameter, value }: SearchRow, rid: number, gone: number): void {
    const layout = layouts[value.kind];
    const cells = layout.cells(value);
    const identity = layout.identity.map((column) => cells[layout.columns.indexOf(column)]);
    this.#of(layout).end.run(gone, this.#parameter(parameter), rid, ...identity);
  }

  /** All rows of one parameter for one resource, anew. */
  replace(parameter: SearchParameter, rows: readonly SearchRow[], rid: number, born: number): void {
    for (const own of [parameter, ...parameter.modified])
      this.#of(layouts[own.kind]).dropOf.run(rid, this.#parameter(own));
    for (const row of rows) this.add(row, rid, born);
  }

  /** Drops rows that ended at or before a sequence; gives how many. */
  dropEnded(sequence: number): number {
    let dropped = 0;
    for (const table of rowTables)
      dropped += this.#db.prepare(`DELETE FROM ${table} WHERE gone <= ?`).run(sequence).changes;
    return dropped;
  }

  #of(layout: RowLayout): Statements {
    let statements = this.#statements.get(layout);
    if (!statements) {
      const { table, columns, identity } = layout;
      const marks = columns.map(() => ', ?').join('');
      const same = ['param', 'rid', ...identity].map((column) => `${column} = ?`).join(' AND ');
      statements = {
        insert: this.#db.prepare(
          `INSERT INTO ${table} (param, rid, born, ${columns.join(', ')}) VALUES (?, ?, ?${marks})`,
        ),
        end: this.#db.prepare(`UPDATE ${table} SET gone = ? WHERE ${same} AND gone IS NULL`),
        dropOf: this.#db.prepare(`DELETE FROM ${table} WHERE rid = ? AND param = ?`),
      };
      this.#statements.set(layout, statements);
    }
    return statements;
  }
}
