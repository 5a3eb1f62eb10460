/** SQLite for the bench: better-sqlite3 with prepared statements and group commit, as bare as it goes. */
import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';
import { openDatabase } from '../../adapters/sqlite/open.ts';
import { SqliteStore } from '../../adapters/sqlite/store.ts';
import type { Key } from '../../src/store/store.ts';
import { temporary } from '../support.ts';
import type { BenchDatabase, FloorDatabase, FloorRow, Value } from './database.ts';

const scheme = 'sqlite:';
const pathOf = (url: string): string => url.slice(scheme.length);
const fresh = (): string => `${scheme}${temporary().path('bench.db')}`;

export const sqlite: BenchDatabase = {
  name: 'sqlite',
  create: async () => fresh(),
  async tidy() {},
  async copy(url) {
    const to = fresh();
    const db = new Database(pathOf(url), { readonly: true });
    await db.backup(pathOf(to));
    db.close();
    return to;
  },
  drop: async (url) => rmSync(dirname(pathOf(url)), { recursive: true, force: true }),
  openStore: async (url) => new SqliteStore(pathOf(url)),
  openFloor: async (url) => new SqliteFloor(pathOf(url)),
};

/** A row to be written again and again: the values are changed in place, so that the floor makes no garbage. */
interface Template {
  readonly insert: Database.Statement;
  readonly values: Value[];
  /** Columns that count with the sequence. */
  readonly counted: readonly number[];
  /** The column of the resource's id, in the table `resource` only. */
  readonly id: number | undefined;
}

/** The rows of some resources, and the sequences that they were written with last. */
interface Unit {
  readonly templates: readonly Template[];
  first: number;
  readonly count: number;
}

interface Waiting {
  readonly unit: Unit;
  resolve(): void;
  reject(error: unknown): void;
}

class SqliteFloor implements FloorDatabase {
  readonly #db: Database.Database;
  readonly #tables: readonly Table[];
  readonly #group: (waiting: readonly Waiting[]) => void;
  #sequence: number;
  #waiting: Waiting[] = [];

  constructor(path: string) {
    this.#db = openDatabase(path);
    this.#tables = tablesOfResources(this.#db);
    this.#sequence = this.#db.prepare('SELECT max(sequence) FROM change').pluck().get() as number;
    this.#group = this.#db.transaction((waiting: readonly Waiting[]) => {
      for (const { unit } of waiting) this.#write(unit);
    }).immediate;
  }

  prepare(sql: string): (...values: readonly Value[]) => readonly FloorRow[] {
    // The floor gets what we know of SQLite: see `#compiled` in adapters/sqlite/resources.ts.
    const statement = this.#db.prepare(sql.replaceAll('?', '+?'));
    return (...values) => statement.all(...values) as FloorRow[];
  }

  async copier(keys: readonly Key[]): Promise<() => Promise<void>> {
    const unit = this.#unit(keys);
    return () =>
      new Promise((resolve, reject) => {
        this.#waiting.push({ unit, resolve, reject });
        // After the I/O of this turn of the loop: every request that it brought is in the group.
        if (this.#waiting.length === 1) setImmediate(() => this.#flush());
      });
  }

  async close(): Promise<void> {
    this.#db.close();
  }

  #unit(keys: readonly Key[]): Unit {
    const find = this.#db.prepare('SELECT rid, sequence FROM resource WHERE type = ? AND id = ? AND version = 1');
    const found = keys.map(({ type, id }) => find.get(type, id) as { rid: number; sequence: number });
    const sequences = found.map(({ sequence }) => sequence);
    const first = Math.min(...sequences);
    if (Math.max(...sequences) - first !== keys.length - 1) throw new Error('not created one after another');
    const templates = this.#tables.flatMap(({ select, insert, counted, id }) =>
      found.flatMap(({ rid }) =>
        (select.all(rid) as Value[][]).map((values): Template => ({ insert, values, counted, id })),
      ),
    );
    return { templates, first, count: keys.length };
  }

  #flush(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    try {
      this.#group(waiting);
    } catch (error) {
      for (const { reject } of waiting) reject(error);
      return;
    }
    for (const { resolve } of waiting) resolve();
  }

  /** Numbers of resources begin with the sequence, so one shift moves both. */
  #write(unit: Unit): void {
    const shift = this.#sequence + 1 - unit.first;
    for (const { insert, values, counted, id } of unit.templates) {
      for (const column of counted) (values[column] as number) += shift;
      if (id !== undefined) values[id] = randomUUID();
      insert.run(...values);
    }
    unit.first += shift;
    this.#sequence += unit.count;
  }
}

interface Table {
  readonly select: Database.Statement;
  readonly insert: Database.Statement;
  readonly counted: readonly number[];
  readonly id: number | undefined;
}

/** All but the number that SQLite gives itself: an INTEGER PRIMARY KEY that nothing of ours counts. */
function columnsOf(db: Database.Database, table: string): string[] {
  const columns = db.prepare('SELECT name, type, pk FROM pragma_table_info(?)').all(table) as {
    name: string;
    type: string;
    pk: number;
  }[];
  const keys = columns.filter(({ pk }) => pk > 0);
  const given = keys.length === 1 && keys[0]?.type === 'INTEGER' ? keys[0].name : '';
  return columns.map(({ name }) => name).filter((name) => name !== given || countedColumns.includes(name));
}

const countedColumns = ['rid', 'sequence', 'born'];

function tablesOfResources(db: Database.Database): Table[] {
  const tables = db
    .prepare(
      "SELECT s.name FROM sqlite_schema s JOIN pragma_table_info(s.name) c ON c.name = 'rid' WHERE s.type = 'table' ORDER BY s.rowid",
    )
    .pluck()
    .all() as string[];
  return tables.map((table) => {
    const columns = columnsOf(db, table);
    const counted = columns.flatMap((name, i) => (countedColumns.includes(name) ? [i] : []));
    const marks = columns.map(() => '?').join(', ');
    return {
      select: db.prepare(`SELECT ${columns.join(', ')} FROM ${table} WHERE rid = ?`).raw(),
      insert: db.prepare(`INSERT INTO ${table} (${columns.join(', ')}) VALUES (${marks})`),
      counted,
      id: table === 'resource' ? columns.indexOf('id') : undefined,
    };
  });
}
