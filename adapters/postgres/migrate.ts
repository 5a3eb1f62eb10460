/** Brings a schema to the newest migration. */
import { readdirSync, readFileSync } from 'node:fs';
import pg from 'pg';

const folder = new URL('./migrations/', import.meta.url);

/**
 * Forward only: each file runs once, in one transaction with the number that it brings the schema to. Processes that start
 * at once wait for one another.
 * @param upTo the last migration to run; for tests of the way from there
 * @returns the number of the lock that the writers of this schema share
 * @throws Error when the schema was written by a newer program, or there is none
 */
export async function migrate(config: pg.ClientConfig, upTo = Number.POSITIVE_INFINITY): Promise<string> {
  const files = readdirSync(folder).sort();
  const client = new pg.Client(config);
  await client.connect();
  try {
    const { rows } = await client.query(
      `SELECT current_schema() AS schema, hashtextextended('aftercare ' || current_schema(), 0)::text AS lock`,
    );
    const [{ schema, lock }] = rows;
    if (schema === null) throw new Error('the database has no schema that search_path names');
    const version = await versionIn(client);
    if (version > files.length)
      throw new Error(`the database has schema ${version}, this program knows ${files.length}`);
    // Who only uses a schema needs no right to change it.
    for (const [i, file] of files.slice(0, upTo).entries()) if (i >= version) await step(client, lock, file, i + 1);
    return lock;
  } finally {
    await client.end();
  }
}

async function versionIn(client: pg.Client): Promise<number> {
  // Not to_regclass: it may answer from before the wait for the lock.
  const { rows } = await client.query(
    "SELECT 1 FROM pg_class WHERE relname = 'schema_version' AND relnamespace = current_schema()::regnamespace",
  );
  if (rows.length === 0) return 0;
  const found = await client.query('SELECT coalesce(max(version), 0) AS version FROM schema_version');
  return found.rows[0].version;
}

async function step(client: pg.Client, lock: string, file: string, version: number): Promise<void> {
  await client.query('BEGIN');
  await client.query(`SELECT pg_advisory_xact_lock(${lock})`);
  // Another process may have been faster.
  if ((await versionIn(client)) < version) {
    await client.query('CREATE TABLE IF NOT EXISTS schema_version (version integer NOT NULL)');
    await client.query(readFileSync(new URL(file, folder), 'utf8'));
    await client.query('INSERT INTO schema_version (version) VALUES ($1)', [version]);
  }
  await client.query('COMMIT');
}
