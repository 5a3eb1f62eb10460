/** Statements outside of transactions, on a pool of connections. */
import { setTimeout as wait } from 'node:timers/promises';
import pg from 'pg';
import { isLost, translated } from './connect.ts';
import { StatementNames, usesMax } from './names.ts';
import type { Row } from './transactions.ts';
import { bindable, type Value } from './values.ts';

/** A read on a connection that is lost runs again on another one. */
const triesMax = 4;
const pauseMs = 50;

export class Reader {
  readonly #pool: pg.Pool;
  readonly #names = new StatementNames();

  /** @param size connections at the most */
  constructor(config: pg.ClientConfig, size: number) {
    this.#pool = new pg.Pool({ ...config, max: size, maxUses: usesMax });
    // An idle connection that the server ended: the pool makes another one when it is needed.
    this.#pool.on('error', () => {});
  }

  /** @throws Failure `too-costly`, `conflict`; the error of the database */
  async rows(text: string, values: readonly Value[] = []): Promise<readonly Row[]> {
    return (await this.run(text, values)).rows;
  }

  async run(text: string, values: readonly Value[] = []): Promise<pg.QueryResult<Row>> {
    const name = this.#names.of(text);
    for (let tries = 1; ; tries++) {
      try {
        return await this.#pool.query({ text, values: values.map(bindable), ...(name && { name }) });
      } catch (error) {
        if (tries === triesMax || !isLost(error)) throw translated(error);
        await wait(pauseMs * 2 ** tries);
      }
    }
  }

  close(): Promise<void> {
    return this.#pool.end();
  }
}
