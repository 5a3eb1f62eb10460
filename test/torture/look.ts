/** Reads a database beside the server, in the little SQL that both have in common. */
import Database from 'better-sqlite3';
import { Client } from 'pg';

export interface Look {
  rows(sql: string): Promise<any[]>;
  /** SQL of the text at a path of the JSON column `c.json`. */
  text(...path: (string | number)[]): string;
  /** What the database says of its own soundness; undefined for nothing. */
  unsound(): Promise<string | undefined>;
}

/** Everything is seen as it was at one moment. @param url as in STORE_URL */
export async function looking<T>(url: string, look: (at: Look) => Promise<T>): Promise<T> {
  return url.startsWith('sqlite:') ? inSqlite(url.slice('sqlite:'.length), look) : inPostgres(url, look);
}

async function inSqlite<T>(path: string, look: (at: Look) => Promise<T>): Promise<T> {
  const db = new Database(path, { readonly: true, fileMustExist: true });
  try {
    db.exec('BEGIN');
    return await look({
      rows: async (sql) => db.prepare(sql).all(),
      text: (...path) => {
        const steps = path.map((it) => (typeof it === 'number' ? `[${it}]` : `.${it}`));
        return `json_extract(c.json, '$${steps.join('')}')`;
      },
      unsound: async () => {
        const said = db.pragma('integrity_check', { simple: true });
        return said === 'ok' ? undefined : `integrity_check: ${said}`;
      },
    });
  } finally {
    db.close();
  }
}

async function inPostgres<T>(url: string, look: (at: Look) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
    return await look({
      rows: async (sql) => (await client.query(sql)).rows,
      text: (...path) => `(c.json::json #>> '{${path.join(',')}}')`,
      unsound: async () => undefined,
    });
  } finally {
    await client.end();
  }
}
