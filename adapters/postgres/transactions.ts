/**
 * Transactions on one connection of their own. What passes by itself is tried again: serialisation failures, deadlocks, lost
 * connections. A commit whose answer was lost is asked about, so that nothing is written twice.
 */
import { setTimeout as wait } from 'node:timers/promises';
import pg from 'pg';
import { isConflict, isLost } from './connect.ts';
import { StatementNames, usesMax } from './names.ts';
import { bindable, type Value } from './values.ts';

/** How often a transaction is tried again, and the first pause. It doubles, with a random part: two do not meet again. */
const retriesMax = 5;
const pauseMs = 40;

/** Asked over some 60 s: longer than a session may be idle in a transaction. */
const doubtTries = 20;

export type Row = Record<string, any>;

/** Inside a transaction. Statements are sent without waiting for the answers to those before. */
export interface Session {
  query(text: string, values?: readonly Value[]): Promise<pg.QueryResult<Row>>;
}

/** What a transaction came to. One that is not to be kept is rolled back: there was nothing to write. */
export interface Result<T> {
  readonly value: T;
  readonly keep: boolean;
}

export class Transactions {
  readonly #config: pg.ClientConfig;
  readonly #names = new StatementNames();
  #client: pg.Client | undefined;
  /** Transactions of this connection so far. */
  #uses = 0;
  #closed = false;
  #last: Promise<unknown> = Promise.resolve();

  /** @param config of its connection, which is made at the first use and again when it was lost */
  constructor(config: pg.ClientConfig) {
    this.#config = { ...config, pipeline: true };
  }

  /**
   * One after the other, in the order in which they were asked for.
   * @param first statements that begin each transaction
   * @param work may run again, on another connection
   * @returns what `work` gives, when it is durable
   * @throws what `work` throws; the last error of the database when trying again did not help
   */
  run<T>(first: readonly string[], work: (session: Session) => Promise<Result<T>>): Promise<T> {
    const own = this.#last.then(() => this.#run(first, work));
    this.#last = own.catch(() => {});
    return own;
  }

  async #run<T>(first: readonly string[], work: (session: Session) => Promise<Result<T>>): Promise<T> {
    for (let tries = 0; ; tries++) {
      try {
        return await this.#once(first, work);
      } catch (error) {
        if (tries === retriesMax || !(isConflict(error) || isLost(error))) throw error;
        await wait(pauseMs * 2 ** tries * (1 + Math.random()));
      }
    }
  }

  /** Finishes what was asked for. */
  async close(): Promise<void> {
    await this.#last;
    this.#closed = true;
    const client = this.#client;
    this.#client = undefined;
    await client?.end();
  }

  async #once<T>(first: readonly string[], work: (session: Session) => Promise<Result<T>>): Promise<T> {
    if (++this.#uses > usesMax) this.#drop();
    const session = await this.#session();
    const begun = Promise.all(
      ['BEGIN', ...first, 'SELECT pg_current_xact_id()::text AS xid'].map((text) => session.query(text)),
    );
    // Looked at below; until then a failure is not an unhandled one.
    begun.catch(() => {});
    let result: Result<T>;
    try {
      result = await work(session);
      await begun;
    } catch (error) {
      await this.#rollback(session);
      // When it did not begin, everything behind only says that the transaction is aborted.
      await begun;
      throw error;
    }
    const xid: string = (await begun).at(-1)?.rows[0]?.xid;
    if (result.keep) await this.#commit(session, xid);
    else await this.#rollback(session);
    return result.value;
  }

  async #commit(session: Session, xid: string): Promise<void> {
    try {
      const { command } = await session.query('COMMIT');
      if (command !== 'COMMIT') throw new Error('the database rolled a transaction back');
    } catch (error) {
      if (!isLost(error)) throw error;
      this.#drop();
      if (!(await this.#wasCommitted(xid))) throw error;
    }
  }

  /**
   * A server that did not get the COMMIT says `in progress` until it ends the idle session.
   * @throws Error when the database does not say: then nobody knows, and nothing may be tried again
   */
  async #wasCommitted(xid: string): Promise<boolean> {
    for (let tries = 0; tries < doubtTries; tries++) {
      try {
        const session = await this.#session();
        const { rows } = await session.query('SELECT pg_xact_status($1::xid8) AS status', [xid]);
        if (rows[0]?.status === 'committed') return true;
        if (rows[0]?.status === 'aborted') return false;
      } catch (error) {
        if (!isLost(error)) throw error;
        this.#drop();
      }
      await wait(Math.min(pauseMs * 2 ** tries, 4000));
    }
    throw new Error('the connection was lost during a commit, and whether it was written cannot be found out');
  }

  async #rollback(session: Session): Promise<void> {
    try {
      await session.query('ROLLBACK');
    } catch {
      this.#drop();
    }
  }

  async #session(): Promise<Session> {
    const client = this.#client ?? (await this.#connect());
    return {
      query: (text, values = []) => {
        const name = values.length > 0 ? this.#names.of(text) : undefined;
        return client.query({ text, values: values.map(bindable), ...(name && { name }) });
      },
    };
  }

  async #connect(): Promise<pg.Client> {
    if (this.#closed) throw new Error('the store is closed');
    const client = new pg.Client(this.#config);
    const forget = (): void => {
      if (this.#client === client) this.#client = undefined;
    };
    client.on('error', forget);
    client.on('end', forget);
    await client.connect();
    this.#client = client;
    this.#uses = 0;
    return client;
  }

  #drop(): void {
    const client = this.#client;
    this.#client = undefined;
    client?.end().catch(() => {});
  }
}
