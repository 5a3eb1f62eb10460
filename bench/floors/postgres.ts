/** PostgreSQL for the bench: pg with named statements, group commit, and one `unnest` for each table, sent in a pipeline. */
import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { clientConfig } from '../../adapters/postgres/connect.ts';
import { Groups } from '../../adapters/postgres/groups.ts';
import { arrayOf } from '../../adapters/postgres/values.ts';
import type { Key, Store } from '../../src/store/store.ts';
import type { BenchDatabase, FloorDatabase, FloorRow, Value } from './database.ts';

/** @param adminUrl a database of a cluster in which we may create others */
export function postgres(adminUrl: string, openStore: (url: string) => Promise<Store>): BenchDatabase {
  const make = async (options: string): Promise<string> => {
    const name = `aftercare_bench_${randomUUID().replaceAll('-', '')}`;
    await once(adminUrl, `CREATE DATABASE ${name} ${options}`);
    const url = new URL(adminUrl);
    url.pathname = `/${name}`;
    return url.href;
  };
  const nameOf = (url: string): string => new URL(url).pathname.slice(1);
  return {
    name: 'postgres',
    create: () => make(''),
    tidy: (url) => once(url, 'VACUUM ANALYZE'),
    copy: (url) => make(`TEMPLATE ${nameOf(url)}`),
    drop: (url) => once(adminUrl, `DROP DATABASE ${nameOf(url)} WITH (FORCE)`),
    openStore,
    openFloor: PostgresFloor.open,
  };
}

async function once(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(sql);
  await client.end();
}

/** A table with a column `rid`. Values are read and sent as text, whatever the type of the column. */
interface Table {
  readonly name: string;
  readonly columns: readonly string[];
  readonly select: string;
  readonly insert: string;
}

/** A column of some rows: what counts with the sequence, new ids, or what stays, encoded beforehand. */
type Column =
  | { readonly kind: 'counted'; readonly numbers: readonly number[] }
  | { readonly kind: 'id'; readonly rows: number }
  | { readonly kind: 'fixed'; readonly elements: string };

/** The rows of some resources, by tables and columns. */
interface Unit {
  readonly columns: ReadonlyMap<Table, readonly Column[]>;
  readonly first: number;
  readonly count: number;
}

interface Waiting {
  readonly unit: Unit;
  resolve(): void;
  reject(error: unknown): void;
}

const countedColumns = ['rid', 'sequence', 'born'];

class PostgresFloor implements FloorDatabase {
  readonly #pool: pg.Pool;
  readonly #writer: pg.Client;
  readonly #tables: readonly Table[];
  readonly #groups = new Groups<Waiting>((group) => this.#commit(group));
  #sequence: number;
  #statements = 0;

  static async open(this: void, url: string): Promise<PostgresFloor> {
    const pool = new pg.Pool(clientConfig(url));
    // Its database is dropped while a connection says goodbye: the pool tells of it, and nobody waits for an answer.
    pool.on('error', () => {});
    const writer = new pg.Client({ ...clientConfig(url), pipeline: true });
    await writer.connect();
    const { rows } = await pool.query('SELECT max(sequence) AS head FROM change');
    return new PostgresFloor(pool, writer, await tablesOfResources(pool), rows[0].head);
  }

  constructor(pool: pg.Pool, writer: pg.Client, tables: readonly Table[], sequence: number) {
    this.#pool = pool;
    this.#writer = writer;
    this.#tables = tables;
    this.#sequence = sequence;
  }

  prepare(sql: string): (...values: readonly Value[]) => Promise<readonly FloorRow[]> {
    let mark = 0;
    // The order of joins is fixed by the settings of our connections, and so is the use of indexes.
    const plain = sql.replaceAll('CROSS JOIN', 'JOIN').replaceAll(' +', ' ');
    const text = plain.replaceAll('?', () => `$${++mark}`);
    const name = `floor-${++this.#statements}`;
    return async (...values) => (await this.#pool.query({ name, text, values: [...values] })).rows;
  }

  async copier(keys: readonly Key[]): Promise<() => Promise<void>> {
    const unit = await this.#unit(keys);
    return () => new Promise((resolve, reject) => this.#groups.add({ unit, resolve, reject }));
  }

  async close(): Promise<void> {
    await this.#groups.drained();
    await this.#writer.end();
    await this.#pool.end();
  }

  async #unit(keys: readonly Key[]): Promise<Unit> {
    const { rows } = await this.#pool.query(
      `SELECT r.rid, r.sequence FROM unnest($1::text[], $2::text[]) AS k (type, id)
       JOIN resource r ON r.type = k.type AND r.id = k.id WHERE r.version = 1 ORDER BY r.sequence`,
      [keys.map(({ type }) => type), keys.map(({ id }) => id)],
    );
    const first = rows[0].sequence;
    if (rows.length !== keys.length || rows.at(-1).sequence - first !== keys.length - 1)
      throw new Error('not created one after another');
    const rids = rows.map(({ rid }) => rid);
    const columns = new Map<Table, Column[]>();
    for (const table of this.#tables) {
      const found = await this.#pool.query({ text: table.select, values: [rids], rowMode: 'array' });
      if (found.rows.length === 0) continue;
      const cells = (i: number): (string | null)[] => found.rows.map((row) => row[i]);
      columns.set(
        table,
        table.columns.map((name, i) => columnOf(table, name, cells(i))),
      );
    }
    return { columns, first, count: keys.length };
  }

  async #commit(group: readonly Waiting[]): Promise<void> {
    try {
      const statements = [{ text: 'BEGIN' }, ...this.#inserts(group), { text: 'COMMIT' }];
      await Promise.all(statements.map((statement) => this.#writer.query(statement)));
    } catch (error) {
      for (const { reject } of group) reject(error);
      return;
    }
    for (const { resolve } of group) resolve();
  }

  /** One statement for each table, for all units. Numbers of resources begin with the sequence, so one shift moves both. */
  #inserts(group: readonly Waiting[]): { name: string; text: string; values: string[] }[] {
    const parts = new Map<Table, string[][]>();
    for (const { unit } of group) {
      const shift = this.#sequence + 1 - unit.first;
      this.#sequence += unit.count;
      for (const [table, columns] of unit.columns) {
        const own = parts.get(table) ?? columns.map((): string[] => []);
        parts.set(table, own);
        for (const [i, column] of columns.entries()) own[i]?.push(elementsOf(column, shift));
      }
    }
    return [...parts].map(([{ name, insert }, columns]) => ({
      name: `insert-${name}`,
      text: insert,
      values: columns.map((elements) => `{${elements.join(',')}}`),
    }));
  }
}

function columnOf(table: Table, name: string, cells: readonly (string | null)[]): Column {
  if (countedColumns.includes(name)) return { kind: 'counted', numbers: cells.map(Number) };
  if (table.name === 'resource' && name === 'id') return { kind: 'id', rows: cells.length };
  return { kind: 'fixed', elements: arrayOf(cells).slice(1, -1) };
}

function elementsOf(column: Column, shift: number): string {
  switch (column.kind) {
    case 'counted':
      return column.numbers.map((number) => number + shift).join(',');
    case 'id':
      return Array.from({ length: column.rows }, () => randomUUID()).join(',');
    case 'fixed':
      return column.elements;
  }
}

/** With all columns but those that PostgreSQL fills itself and nothing of ours counts. */
async function tablesOfResources(pool: pg.Pool): Promise<Table[]> {
  const { rows } = await pool.query<{ name: string; columns: string[]; types: string[] }>(
    `SELECT c.relname AS name, array_agg(a.attname::text ORDER BY a.attnum) AS columns,
            array_agg(format_type(a.atttypid, a.atttypmod) ORDER BY a.attnum) AS types
     FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
     LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
     WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
       AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
       AND (a.attname = ANY ($1) OR a.attidentity = '' AND coalesce(pg_get_expr(d.adbin, d.adrelid), '') NOT LIKE 'nextval%')
     GROUP BY c.oid, c.relname HAVING bool_or(a.attname = 'rid') ORDER BY c.oid`,
    [countedColumns],
  );
  return rows.map(({ name, columns, types }) => {
    // An array of arrays has no `unnest`: such a column travels as text.
    const arrays = types.map((type, i) => `$${i + 1}::${type.endsWith('[]') ? 'text' : type}[]`).join(', ');
    const cells = types.map((type, i) => `u${i}::${type}`).join(', ');
    return {
      name,
      columns,
      select: `SELECT ${columns.map((column) => `${column}::text`).join(', ')} FROM ${name} WHERE rid = ANY ($1::bigint[])`,
      insert: `INSERT INTO ${name} (${columns.join(', ')}) OVERRIDING SYSTEM VALUE SELECT ${cells} FROM unnest(${arrays}) AS u(${columns.map((_, i) => `u${i}`).join(', ')})`,
    };
  });
}
