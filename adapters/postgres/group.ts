/**
 * The commits of one transaction. What their decisions will look at is read before them, and each sees what those before it
 * wrote: versions from memory, searches after the rows have been sent to the database.
 */
import type { SearchQuery } from '../../src/fhir/search/query.ts';
import { indexKey } from '../../src/store/index-key.ts';
import { identifierName, nameOf } from '../../src/store/key.ts';
import { namedView } from '../../src/store/named-view.ts';
import { range } from '../../src/store/numbers.ts';
import type { MessageClaim } from '../../src/store/rows.ts';
import {
  type CommitRequest,
  type Current,
  type Decision,
  type Effect,
  type IdentifierKey,
  type Key,
  LostClaim,
  type PreparedWrite,
  type View,
} from '../../src/store/store.ts';
import { Stored } from '../../src/store/stored.ts';
import { Batch } from './batch.ts';
import { applyEffect, claimMessages } from './effects.ts';
import { Numbering, type Parameters, type Run } from './parameters.ts';
import { findPage } from './search.ts';
import { storedColumns, storedOf } from './stored.ts';
import type { Row, Session } from './transactions.ts';
import { columnsOf } from './values.ts';

/** A commit that somebody waits for. */
export interface Task {
  readonly request: CommitRequest;
  resolve(): void;
  reject(error: unknown): void;
}

/** Commits whose claims were lost: the others of the group run again without them. */
export class LostClaims extends Error {
  readonly tasks: ReadonlyMap<Task, unknown>;

  constructor(tasks: ReadonlyMap<Task, unknown>) {
    super('claims were lost');
    this.tasks = tasks;
  }
}

/** Rows that are gathered before they are sent: bounds memory when a unit has thousands of resources. */
const batchMax = 20_000;

export class Group {
  readonly #session: Session;
  readonly #numbering: Numbering;
  readonly #run: Run;
  /** Current versions that committed transactions saw or wrote: only those that have changed since are read again. */
  readonly #remembered: ReadonlyMap<string, Stored>;
  /** Current versions in this transaction. */
  readonly current = new Map<string, Stored>();
  /** Identifier ─▶ the resources that have it; no entry when that may have changed. */
  readonly #found = new Map<string, readonly Stored[]>();
  readonly #claims = new Map<number, { readonly task: Task; readonly claim: MessageClaim }>();
  #batch = new Batch();
  #head = 0;
  /** True when there is something to commit. */
  written = false;

  constructor(session: Session, parameters: Parameters, remembered: ReadonlyMap<string, Stored>) {
    this.#session = session;
    this.#numbering = new Numbering(parameters);
    this.#remembered = remembered;
    this.#run = async (text, values) => (await session.query(text, values)).rows;
  }

  /**
   * Runs the decisions in order and sends what they write.
   * @returns the commits that their own decision ended, with what it threw
   * @throws LostClaims
   */
  async run(tasks: readonly Task[]): Promise<ReadonlyMap<Task, unknown>> {
    await this.#readAhead(tasks);
    const ended = new Map<Task, unknown>();
    for (const task of tasks) {
      const searched = await this.#search(task.request);
      let decision: Decision;
      try {
        const view = this.#viewOf(task.request, searched);
        decision = task.request.decide(view);
        for (const write of decision.writes) assertFits(write, view.get(write));
        // Refuses what the commit did not name.
        for (const effect of decision.effects ?? []) if (effect.kind === 'marks') view.get(effect.key);
      } catch (error) {
        ended.set(task, error);
        continue;
      }
      await this.#apply(task, decision);
    }
    await this.#flush();
    return ended;
  }

  /** The transaction is committed: what it numbered holds. */
  keep(): void {
    this.#numbering.keep();
  }

  async #readAhead(tasks: readonly Task[]): Promise<void> {
    const keys = tasks.flatMap(({ request }) => request.keys);
    const [head] = await Promise.all([
      this.#run('SELECT coalesce(max(sequence), 0) AS head FROM change', []),
      this.#readKeys(keys.filter((key): key is Key => 'id' in key)),
      this.#readIdentifiers(keys.filter((key): key is IdentifierKey => 'identifier' in key)),
    ]);
    this.#head = head[0]?.head;
  }

  async #readKeys(keys: readonly Key[]): Promise<void> {
    if (keys.length === 0) return;
    const wanted = [...new Map(keys.map((key) => [nameOf(key), key])).values()].map(({ type, id }) => {
      const known = this.#remembered.get(nameOf({ type, id }));
      return { type, id, sequence: known?.sequence ?? 0 };
    });
    const rows = await this.#run(
      `SELECT r.rid, r.type, r.id, r.version, r.sequence, c.at, c.interaction, c.cause, c.json, r.marks
       FROM unnest($1::text[], $2::text[], $3::int8[]) AS k (type, id, sequence)
       JOIN resource r ON r.type = k.type AND r.id = k.id
       LEFT JOIN change c ON c.sequence = r.sequence AND r.sequence <> k.sequence`,
      columnsOf(wanted, ['type', 'id', 'sequence']),
    );
    for (const row of rows) {
      const name = nameOf(row as Key & Row);
      const known = this.#remembered.get(name);
      this.current.set(
        name,
        known && known.sequence === row.sequence ? known.withMarks(row.marks ?? undefined) : storedOf(row),
      );
    }
  }

  async #readIdentifiers(keys: readonly IdentifierKey[]): Promise<void> {
    const wanted = [...new Map(keys.map((key) => [identifierName(key), key])).values()];
    const numbers = wanted.map(({ type }) => ({ type, code: 'identifier' }));
    const unknown = numbers.filter((it) => this.#numbering.get(it) === undefined);
    if (unknown.length > 0) await this.#numbering.look(unknown, this.#run);
    const usable = wanted.flatMap((key, i) => {
      this.#found.set(identifierName(key), []);
      const param = this.#numbering.get(numbers[i] as (typeof numbers)[number]);
      const { system, value } = key.identifier;
      return param === undefined
        ? []
        : [{ name: identifierName(key), param, code: indexKey(value), system: indexKey(system) }];
    });
    if (usable.length === 0) return;
    const rows = await this.#run(
      `SELECT k.name, ${storedColumns} FROM unnest($1::text[], $2::int[], $3::text[], $4::text[]) AS k (name, param, code, system)
       CROSS JOIN LATERAL (SELECT t.rid FROM token_row t WHERE t.param = k.param AND t.code = k.code AND t.system = k.system
         AND t.gone IS NULL ORDER BY t.rid LIMIT 2) f
       JOIN resource r ON r.rid = f.rid JOIN change c ON c.sequence = r.sequence ORDER BY c.rid`,
      columnsOf(usable, ['name', 'param', 'code', 'system']),
    );
    for (const [name, some] of Map.groupBy(rows, (row) => row.name as string))
      this.#found.set(name, some.map(storedOf));
  }

  /** Identifiers that the group itself touched, and queries: they are asked of the database, which must know all. */
  async #search({ keys }: CommitRequest): Promise<ReadonlyMap<SearchQuery, readonly Stored[]>> {
    const again = keys.filter(
      (key): key is IdentifierKey => 'identifier' in key && !this.#found.has(identifierName(key)),
    );
    const queries = keys.flatMap((key) => ('query' in key ? [key.query] : []));
    if (again.length === 0 && queries.length === 0) return new Map();
    await this.#flush();
    await this.#readIdentifiers(again);
    const pages = await Promise.all(
      queries.map((query) => findPage({ query }, this.#numbering, this.#run, storedColumns)),
    );
    return new Map(queries.map((query, i) => [query, pages[i]?.rows.slice(0, query.count).map(storedOf) ?? []]));
  }

  /** What its searches found is from then on as the group leaves it. */
  #viewOf({ keys }: CommitRequest, searched: ReadonlyMap<SearchQuery, readonly Stored[]>): View {
    const seen = (found: readonly Stored[] = []): readonly Current[] =>
      found.map((it) => {
        const name = nameOf(it);
        const current = this.current.get(name) ?? it;
        this.current.set(name, current);
        return current;
      });
    const view: View = {
      get: (key) => this.current.get(nameOf(key)),
      find: (key) => seen(this.#found.get(identifierName(key))),
      search: (query) => seen(searched.get(query)),
    };
    return namedView(view, keys);
  }

  async #apply(task: Task, { writes, effects = [] }: Decision): Promise<void> {
    if (writes.length > 0 || effects.length > 0) this.written = true;
    for (const effect of effects) await this.#effect(task, effect);
    for (const write of writes) await this.#write(write, task.request);
  }

  async #effect(task: Task, effect: Effect): Promise<void> {
    switch (effect.kind) {
      case 'message':
        if (this.#claims.has(effect.claim.id)) await this.#flush();
        this.#claims.set(effect.claim.id, { task, claim: effect.claim });
        return;
      case 'marks':
        return this.#mark(task, effect);
      case 'index': {
        const name = nameOf(effect.key);
        const stored = this.current.get(name);
        if (stored?.json === undefined) return;
        if (this.#batch.holdsIndex(name, effect.parameter)) await this.#flush();
        this.#found.clear();
        this.#batch.index(effect, stored);
        return;
      }
      default:
        try {
          await applyEffect(effect, this.#session);
        } catch (error) {
          throw error instanceof LostClaim ? new LostClaims(new Map([[task, error]])) : error;
        }
    }
  }

  #mark(task: Task, { key, marks }: Extract<Effect, { kind: 'marks' }>): void {
    const name = nameOf(key);
    const stored = this.current.get(name);
    if (!stored) throw new LostClaims(new Map([[task, new LostClaim(`marks of a ${key.type}`)]]));
    this.current.set(name, stored.withMarks(marks));
    this.#batch.mark(stored, marks);
  }

  async #write(write: PreparedWrite, { cause }: CommitRequest): Promise<void> {
    const name = nameOf(write);
    await this.#turn(name);
    const sequence = ++this.#head;
    const before = this.current.get(name);
    const rid = before?.rid ?? range(write.type).low + sequence;
    const { type, id, version, at, interaction, json } = write;
    const fields = { type, id, version, sequence, at, interaction, cause, json };
    const stored = new Stored(rid, fields, write.marks ?? before?.marks);
    this.current.set(name, stored);
    for (const { parameter, value } of [...write.added, ...write.removed]) {
      if (parameter.code === 'identifier' && value.kind === 'token')
        this.#found.delete(identifierName({ type, identifier: { system: value.system, value: value.code } }));
    }
    this.#batch.write(stored, write);
  }

  /** A resource has one turn in a batch. */
  async #turn(name: string): Promise<void> {
    if (this.#batch.holds(name) || this.#batch.size >= batchMax) await this.#flush();
  }

  async #flush(): Promise<void> {
    const [batch, claims] = [this.#batch, [...this.#claims.values()]];
    this.#batch = new Batch();
    this.#claims.clear();
    const [kept] = await Promise.all([
      claims.length === 0
        ? new Set<number>()
        : claimMessages(
            claims.map(({ claim }) => claim),
            this.#session,
          ),
      batch.flush(this.#session, this.#numbering),
    ]);
    const lost = claims.filter(({ claim }) => !kept.has(claim.id));
    if (lost.length > 0)
      throw new LostClaims(new Map(lost.map(({ task, claim }) => [task, new LostClaim(`message ${claim.id}`)])));
  }
}

/** @throws Error for a write that does not follow the current version: its decision did not look at it */
function assertFits({ type, version }: PreparedWrite, current: Current | undefined): void {
  if (version !== (current?.version ?? 0) + 1) throw new Error(`a ${type} is not written as the next version`);
}
