/**
 * A server under load while its database is in trouble, for as long as is asked for; then the database is held against what
 * was acknowledged. The stories of test/flow/trouble-* tell the same in seconds.
 */
import { execFileSync } from 'node:child_process';
import { appendFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { Client } from 'pg';
import { clientConfig } from '../../adapters/postgres/connect.ts';
import { migrate } from '../../adapters/postgres/migrate.ts';
import { Subscriber } from '../subscriptions/subscriber.ts';
import { portOf, temporaryFolder } from '../support/app.ts';
import { databases } from '../support/databases.ts';
import { checkEnd } from './check.ts';
import { checkNotified, failWith, finish, sendAll, subscribe } from './crash.ts';
import { Gate } from './gate.ts';
import { Ledger, type Target } from './load.ts';
import { seeded } from './random.ts';
import { ServerProcess } from './server-process.ts';

/** A database that can be brought into trouble. */
interface Patient {
  /** As in STORE_URL, for the server; and for who looks from outside. */
  readonly url: string;
  readonly direct: string;
  begin(): Promise<void>;
  end(): Promise<void>;
  close(): Promise<void>;
}

export interface Trouble {
  readonly name: string;
  /** Undefined where this machine cannot do it; then `missing` says why. */
  open(): Promise<Patient | undefined>;
  readonly missing?: string;
}

async function sqliteLocked(): Promise<Patient> {
  const folder = temporaryFolder();
  const path = join(folder.path, 'aftercare.db');
  const other = new Database(path);
  other.pragma('busy_timeout = 10000');
  return {
    url: `sqlite:${path}`,
    direct: `sqlite:${path}`,
    begin: async () => void other.exec('BEGIN EXCLUSIVE'),
    end: async () => void other.exec('COMMIT'),
    async close() {
      other.close();
      folder.remove();
    },
  };
}

const smallDisk = 'size=64m';

async function sqliteDiskFull(): Promise<Patient | undefined> {
  const folder = temporaryFolder();
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', smallDisk, 'tmpfs', folder.path], { stdio: 'ignore' });
  } catch {
    folder.remove();
    return undefined;
  }
  const filler = join(folder.path, 'filler');
  const url = `sqlite:${join(folder.path, 'aftercare.db')}`;
  return {
    url,
    direct: url,
    begin: async () => fill(filler),
    end: async () => rmSync(filler),
    async close() {
      execFileSync('umount', ['--lazy', folder.path]);
      folder.remove();
    },
  };
}

/** Writes until nothing more goes onto the disk. */
function fill(path: string): void {
  try {
    for (;;) appendFileSync(path, Buffer.alloc(4096));
  } catch (error) {
    if ((error as { code?: string }).code !== 'ENOSPC') throw error;
  }
}

/** @param make what `begin` and `end` do, with a connection of their own */
async function postgres(
  make: (client: Client, gate: Gate, url: string) => Pick<Patient, 'begin' | 'end'>,
): Promise<Patient | undefined> {
  const kind = databases.find(({ name }) => name === 'PostgreSQL');
  if (!kind) return undefined;
  const database = await kind.open();
  const gate = await Gate.open(database.url);
  const client = new Client({ connectionString: database.url });
  await client.connect();
  return {
    url: gate.url,
    direct: database.url,
    ...make(client, gate, database.url),
    async close() {
      await client.end();
      await gate.close();
      await database.drop();
    },
  };
}

const missing = 'no PostgreSQL';

export const troubles: readonly Trouble[] = [
  { name: 'SQLite, locked by another process', open: sqliteLocked },
  { name: 'SQLite, disk full', open: sqliteDiskFull, missing: 'no small file system can be mounted here' },
  {
    name: 'PostgreSQL away',
    open: () => postgres((_, gate) => ({ begin: async () => gate.shut(), end: async () => gate.reopen() })),
    missing,
  },
  {
    name: 'PostgreSQL, the lock of all writers held',
    open: () =>
      postgres((client, _, url) => {
        const lock = migrate(clientConfig(url));
        return {
          begin: async () => void (await client.query(`SELECT pg_advisory_lock(${await lock})`)),
          end: async () => void (await client.query(`SELECT pg_advisory_unlock(${await lock})`)),
        };
      }),
    missing,
  },
  {
    name: 'PostgreSQL, the journal locked',
    open: () =>
      postgres((client) => ({
        begin: async () => void (await client.query('BEGIN; LOCK TABLE received_message IN ACCESS EXCLUSIVE MODE')),
        end: async () => void (await client.query('COMMIT')),
      })),
    missing,
  },
];

export interface TroubleReport {
  readonly messages: number;
  readonly cuts: number;
  /** Acknowledged while the trouble lasted. */
  readonly meanwhile: number;
  /** From the end of the trouble until 200 more were acknowledged, ms. */
  readonly recoveredMs: number;
  /** The longest that `/healthz` took, ms. */
  readonly healthMs: number;
}

/** The process has to answer while its database does not; ms. */
const healthMsMax = 3000;

/** @returns undefined where this machine cannot do it; @throws Error with everything that does not hold, and the seed */
export async function troubled(trouble: Trouble, seconds: number, seed: number): Promise<TroubleReport | undefined> {
  const database = await trouble.open();
  if (!database) return undefined;
  const ledger = new Ledger();
  let enough = false;
  const server = new ServerProcess(database.url);
  const subscriber = await Subscriber.start();
  try {
    const { http, mllp } = await server.ready();
    await subscribe(http, subscriber);
    const broken = sendAll(6, new Patience(portOf(mllp)), ledger, seeded(seed), () => enough);
    await Promise.race([ledger.atLeast(100), broken]);
    await database.begin();
    const before = ledger.acknowledgements;
    const healthMs = await watchHealth(http, seconds);
    const meanwhile = ledger.acknowledgements - before;
    const ended = performance.now();
    await database.end();
    await Promise.race([ledger.atLeast(ledger.acknowledgements + 200), broken]);
    const recoveredMs = Math.round(performance.now() - ended);
    enough = true;
    await broken;
    server.kill('SIGTERM');
    await server.exited;
    await finish(database.direct);
    const problems = [...(await checkEnd(database.direct, ledger)), ...checkNotified(subscriber, ledger)];
    if (healthMs > healthMsMax) problems.push(`the server did not answer for ${healthMs} ms`);
    failWith(problems, `seed ${seed}, ${trouble.name}`);
    return { messages: ledger.sent.size, cuts: ledger.cuts, meanwhile, recoveredMs, healthMs };
  } finally {
    enough = true;
    server.kill('SIGKILL');
    await server.exited;
    await subscriber.close();
    await database.close();
  }
}

/** One server all along: who is cut off waits a little and connects again. */
class Patience implements Target {
  readonly #port: number;

  constructor(port: number) {
    this.#port = port;
  }

  async port(than: number): Promise<{ port: number; generation: number }> {
    if (than > 0) await wait(200);
    return { port: this.#port, generation: than + 1 };
  }
}

/** Asks for the health of the process again and again. @returns the longest that it took, ms */
async function watchHealth(http: string, seconds: number): Promise<number> {
  const until = Date.now() + seconds * 1000;
  let longest = 0;
  while (Date.now() < until) {
    const begun = performance.now();
    const { status } = await fetch(`${new URL(http).origin}/healthz`);
    if (status !== 200) throw new Error(`/healthz answered ${status}`);
    longest = Math.max(longest, Math.round(performance.now() - begun));
    await wait(100);
  }
  return longest;
}
