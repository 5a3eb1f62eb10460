/** PostgreSQL for tests: a schema of its own for each, dropped afterwards. */
import { randomUUID } from 'node:crypto';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { afterEach, beforeEach } from '@jest/globals';
import pg from 'pg';
import { openPostgres, type PostgresOptions } from '../../adapters/postgres/store.ts';
import { Bench } from '../store/rules/bench.ts';

const server = process.env.TEST_POSTGRES_URL ?? 'postgres://root@127.0.0.1:5432/test';

/** Why PostgreSQL cannot be used here; undefined when it can. @throws Error in CI, which must have it */
export async function postgresMissing(): Promise<string | undefined> {
  try {
    await onServer((client) => client.query('SELECT 1'));
    return undefined;
  } catch (error) {
    const reason = `no PostgreSQL at ${server}: ${(error as Error).message}`;
    if (process.env.CI === 'true') throw new Error(reason);
    return reason;
  }
}

/** A schema of its own. */
export interface TestSchema {
  /** STORE_URL of the schema. */
  readonly url: string;
  readonly name: string;
  /** Runs a statement in the schema, as somebody else than the store. */
  query(text: string, values?: unknown[]): Promise<Record<string, any>[]>;
  /** Takes every row away, and leaves the tables. */
  empty(): Promise<void>;
  drop(): Promise<void>;
}

export async function makeSchema(): Promise<TestSchema> {
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  await onServer((client) => client.query(`CREATE SCHEMA ${name}`));
  const client = new pg.Client({ connectionString: server, options: `-c search_path=${name}` });
  await client.connect();
  return {
    name,
    url: `${server}?options=${encodeURIComponent(`-c search_path=${name}`)}`,
    query: async (text, values) => (await client.query(text, values)).rows,
    async empty() {
      const { rows } = await client.query(
        "SELECT tablename FROM pg_tables WHERE schemaname = $1 AND tablename <> 'schema_version'",
        [name],
      );
      await client.query(rows.map(({ tablename }) => `DELETE FROM ${tablename}`).join('; '));
    },
    async drop() {
      await client.query(`DROP SCHEMA ${name} CASCADE`);
      await client.end();
    },
  };
}

/** What the rules of PostgreSQL work with: a schema for each test. */
export interface InSchema {
  readonly schema: TestSchema;
  /** A store as another process would have it: connections and memory of its own. */
  makeBench(url?: string, options?: PostgresOptions): Promise<Bench>;
  /** Closed after the test, the last one first. */
  readonly open: { close(): Promise<void> }[];
}

/** Called in a `describe`. */
export function schemaForEachTest(): InSchema {
  let schema: TestSchema;
  let open: { close(): Promise<void> }[];
  beforeEach(async () => {
    schema = await makeSchema();
    open = [];
  });
  afterEach(async () => {
    for (const it of open.reverse()) await it.close();
    await schema.drop();
  });
  return {
    get schema() {
      return schema;
    },
    get open() {
      return open;
    },
    async makeBench(url = schema.url, options = {}) {
      const store = await openPostgres(url, { poolSize: 3, ...options });
      open.push(store);
      return new Bench(store);
    },
  };
}

async function onServer<T>(run: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: server, connectionTimeoutMillis: 3000 });
  await client.connect();
  try {
    return await run(client);
  } finally {
    await client.end();
  }
}

/** Between a store and the server: cuts the connection at a COMMIT. */
export interface CommitCutter {
  /** STORE_URL through this. */
  readonly url: string;
  /** Cuts at the next COMMIT: before the server gets it, or when it has answered. */
  cut(when: 'before' | 'after'): void;
  /** How often it has cut. */
  readonly cuts: number;
  close(): Promise<void>;
}

export async function cutCommits(url: string): Promise<CommitCutter> {
  const target = new URL(url);
  let when: 'before' | 'after' | undefined;
  let cuts = 0;
  const cutNow = (...sockets: Socket[]): void => {
    cuts++;
    for (const socket of sockets) socket.destroy();
  };
  const server = createServer((client) => {
    const upstream = connect(Number(target.port || 5432), target.hostname);
    let committing = false;
    client.on('data', (bytes) => {
      const commits = when !== undefined && bytes.includes('COMMIT\0');
      if (commits && when === 'before') {
        when = undefined;
        return cutNow(client, upstream);
      }
      committing ||= commits;
      upstream.write(bytes);
    });
    upstream.on('data', (bytes) => {
      if (!committing) return client.write(bytes);
      when = undefined;
      return cutNow(client, upstream);
    });
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      one.on('error', () => {});
      one.on('close', () => other.destroy());
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const through = new URL(url);
  through.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url: through.href,
    cut(next) {
      when = next;
    },
    get cuts() {
      return cuts;
    },
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
