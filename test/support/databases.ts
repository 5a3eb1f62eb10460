/** The databases that a suite runs on: SQLite always, PostgreSQL where there is one. */
import { join } from 'node:path';
import { Client } from 'pg';
import { temporaryFolder } from './app.ts';

export interface Database {
  /** As in STORE_URL. */
  readonly url: string;
  /** Removes it with all that it holds. */
  drop(): Promise<void>;
}

export interface DatabaseKind {
  readonly name: string;
  /** A new, empty one. */
  open(): Promise<Database>;
}

const server = process.env.TEST_POSTGRES_URL ?? 'postgres://postgres@127.0.0.1:5432/test';

const sqlite: DatabaseKind = {
  name: 'SQLite',
  async open() {
    const folder = temporaryFolder();
    return { url: `sqlite:${join(folder.path, 'aftercare.db')}`, drop: async () => folder.remove() };
  },
};

let last = 0;

const postgres: DatabaseKind = {
  name: 'PostgreSQL',
  async open() {
    const name = `aftercare_test_${process.pid}_${Date.now().toString(36)}_${++last}`;
    await asOwner(`CREATE DATABASE ${name}`);
    return {
      url: Object.assign(new URL(server), { pathname: `/${name}` }).href,
      drop: () => asOwner(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`),
    };
  },
};

async function asOwner(sql: string): Promise<void> {
  const client = new Client({ connectionString: server });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

async function isThere(): Promise<boolean> {
  try {
    await asOwner('SELECT 1');
    return true;
  } catch {
    // In CI a database that is missing is an error of the suite that wants it, not a reason to pass.
    if (process.env.CI === 'true') return true;
    process.stdout.write('skipped: the suites on PostgreSQL, which is not at TEST_POSTGRES_URL\n');
    return false;
  }
}

export const databases: readonly DatabaseKind[] = (await isThere()) ? [sqlite, postgres] : [sqlite];
