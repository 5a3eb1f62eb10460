/**
 * The writer: one at a time over all processes. Each holds a lock for the length of its transaction, so sequences are given
 * and become visible in order, and what a decision saw still holds when it is written (docs/decisions/0015-postgresql.md).
 */
import type pg from 'pg';
import type { CommitRequest } from '../../src/store/store.ts';
import type { Stored } from '../../src/store/stored.ts';
import { isConflict, isLost, translated } from './connect.ts';
import { Group, LostClaims, type Task } from './group.ts';
import { Groups } from './groups.ts';
import type { Parameters } from './parameters.ts';
import { Transactions } from './transactions.ts';

/** Current versions remembered at most; some 10 KB each. Doctors, wards and insurers come with every message. */
const rememberedMax = 2000;

export class Writer {
  readonly #transactions: Transactions;
  readonly #groups: Groups<Task>;
  readonly #parameters: Parameters;
  readonly #remembered = new Map<string, Stored>();
  readonly #begin: readonly string[];

  /** @param lock the number of the lock that all writers of this schema share */
  constructor(config: pg.ClientConfig, lock: string, parameters: Parameters) {
    this.#transactions = new Transactions(config);
    this.#parameters = parameters;
    this.#begin = [`SELECT pg_advisory_xact_lock(${lock})`];
    this.#groups = new Groups((group) => this.#together(group));
  }

  commit(request: CommitRequest): Promise<void> {
    return new Promise((resolve, reject) => this.#groups.add({ request, resolve, reject }));
  }

  /** Finishes what was given. */
  async close(): Promise<void> {
    await this.#groups.drained();
    await this.#transactions.close();
  }

  /**
   * All tasks in one transaction. When that fails for a reason that lies in some of them, it is rolled back, these are told,
   * and the others run again; when nobody knows in which, each runs alone. They may: a decision is pure.
   */
  async #together(tasks: readonly Task[]): Promise<void> {
    if (tasks.length === 0) return;
    try {
      const ended = await this.#transact(tasks);
      for (const task of tasks) {
        if (ended.has(task)) task.reject(ended.get(task));
        else task.resolve();
      }
    } catch (error) {
      if (error instanceof LostClaims) {
        for (const [task, lost] of error.tasks) task.reject(lost);
        await this.#together(tasks.filter((task) => !error.tasks.has(task)));
      } else if (tasks.length === 1 || isConflict(error) || isLost(error)) {
        for (const task of tasks) task.reject(translated(error));
      } else {
        for (const task of tasks) await this.#together([task]);
      }
    }
  }

  async #transact(tasks: readonly Task[]): Promise<ReadonlyMap<Task, unknown>> {
    const { group, ended } = await this.#transactions.run(this.#begin, async (session) => {
      const group = new Group(session, this.#parameters, this.#remembered);
      const ended = await group.run(tasks);
      return { value: { group, ended }, keep: group.written };
    });
    if (group.written) group.keep();
    for (const [name, stored] of group.current) {
      if (this.#remembered.size >= rememberedMax) this.#remembered.clear();
      this.#remembered.set(name, stored);
    }
    return ended;
  }
}
