/** The store on SQLite: one file, one writer with a thread of its own, reads meanwhile (WAL). */
import type Database from 'better-sqlite3';
import { Failure } from '../../src/outcome.ts';
import type {
  CodeAnswer,
  CodeKey,
  EventRow,
  JournalRow,
  KeptMessage,
  MessageOutcome,
  MessageQuery,
  NewMessage,
  OutgoingRow,
  SubscriptionCursor,
  UnknownCode,
} from '../../src/store/rows.ts';
import { type CompiledSearch, compileCount, compileSearch, placeOf } from '../../src/store/search.ts';
import type { Change, CommitRequest, HistoryQuery, Key, SearchPage, Store, Version } from '../../src/store/store.ts';
import { Decisions } from './decisions.ts';
import { errorOf, type Job, type Unit } from './job.ts';
import { openDatabase } from './open.ts';
import { Resources, versionOf } from './resources.ts';
import { StageRows } from './stage-rows.ts';
import { Transactions } from './transactions.ts';
import { Watch } from './watch.ts';
import { Writer } from './writer.ts';

export class SqliteStore implements Store {
  readonly #db: Database.Database;
  readonly #writer: Writer;
  readonly #decisions: Decisions;
  readonly #resources: Resources;
  readonly #stages: StageRows;
  #ended = false;

  /** @param path a file, made with its folder when missing; or `:memory:` */
  constructor(path: string) {
    this.#db = openDatabase(path);
    const watch = new Watch(this.#db);
    this.#resources = new Resources(this.#db, watch);
    this.#stages = new StageRows(this.#db, watch);
    this.#writer = new Writer(path === ':memory:' ? new Transactions(this.#db, this.#stages) : path);
    this.#decisions = new Decisions(this.#resources, this.#writer, (query) =>
      this.#page({ query }).hits.flatMap((it) => this.#resources.current(it) ?? []),
    );
  }

  commit(request: CommitRequest): Promise<void> {
    return this.#ended ? stopping() : this.#decisions.commit(request);
  }

  async read(key: Key): Promise<Version | undefined> {
    const row = this.#resources.read(key);
    return row && versionOf(row);
  }

  async readVersion(key: Key, version: number): Promise<Version | undefined> {
    const row = this.#resources.readVersion(key, version);
    return row && versionOf(row);
  }

  async history(query: HistoryQuery): Promise<readonly Version[]> {
    return this.#resources.history(query).map(versionOf);
  }

  async head(): Promise<number> {
    return this.#resources.head();
  }

  async readAll(keys: readonly Key[]): Promise<readonly Version[]> {
    const rows = this.#resources.atOnce(() => keys.map((key) => this.#resources.read(key)));
    return rows.flatMap((row) => (row ? [versionOf(row)] : []));
  }

  async types(): Promise<readonly string[]> {
    return this.#resources.types();
  }

  async search(search: CompiledSearch): Promise<SearchPage> {
    return this.#resources.atOnce(() => this.#page(search));
  }

  #page({ query, snapshot, after }: CompiledSearch): SearchPage {
    const total = query.total || query.countOnly ? this.#count(query, snapshot) : undefined;
    const counted = total === undefined ? {} : { total };
    if (query.countOnly) return { hits: [], next: undefined, ...counted };
    const rows = this.#resources.page(compileSearch(query, snapshot, after, this.#resources));
    const page = rows.slice(0, query.count);
    const hits = page.flatMap((row) => this.#resources.hit(row, snapshot) ?? []);
    const last = page.at(-1);
    if (rows.length <= query.count || !last) return { hits, next: undefined, ...counted };
    const seen = snapshot ?? this.#resources.head();
    return { hits, next: placeOf(last, query.sort), snapshot: seen, ...counted };
  }

  /** How a search is done: its statement and SQLite's plan for it, without its values. */
  explain({ query, snapshot, after }: CompiledSearch): string {
    return this.#resources.explain(
      query.countOnly
        ? compileCount(query, snapshot, this.#resources)
        : compileSearch(query, snapshot, after, this.#resources),
    );
  }

  #count(query: CompiledSearch['query'], snapshot: number | undefined): number {
    const sql = compileCount(query, snapshot, this.#resources);
    return this.#resources.rows(sql.text, sql.values)[0]?.n as number;
  }

  async changes(after: number, limit: number): Promise<readonly Change[]> {
    return this.#resources.changes(after, limit);
  }

  keep(message: NewMessage): Promise<number> {
    return this.#job({ kind: 'keep', message: handedOver(message) });
  }

  keepNamed(message: NewMessage, clash: string | undefined): Promise<KeptMessage> {
    return this.#job({ kind: 'keep-named', message: handedOver(message), clash });
  }

  answered(id: number, answer: Uint8Array): Promise<void> {
    return this.#job({ kind: 'answered', id, answer });
  }

  async waiting(limit: number): Promise<readonly JournalRow[]> {
    return this.#stages.messages.waiting(limit);
  }

  async hasTwin(message: JournalRow): Promise<boolean> {
    return this.#stages.messages.hasTwin(message);
  }

  async message(id: number): Promise<JournalRow | undefined> {
    return this.#stages.messages.message(id);
  }

  async messages(query: MessageQuery): Promise<readonly JournalRow[]> {
    return this.#stages.messages.messages(query);
  }

  async outcomes(id: number): Promise<readonly MessageOutcome[]> {
    return this.#stages.messages.outcomes(id);
  }

  async messageCounts(): Promise<Readonly<Record<string, number>>> {
    return this.#stages.messages.counts();
  }

  async unknownCodes({
    open,
    before = Number.MAX_SAFE_INTEGER,
    limit,
  }: Parameters<Store['unknownCodes']>[0]): Promise<readonly UnknownCode[]> {
    return this.#stages.codes.list(open, before, limit);
  }

  async unknownCode(id: number): Promise<UnknownCode | undefined> {
    return this.#stages.codes.one(id);
  }

  async codeAnswers(): Promise<readonly (CodeKey & { readonly answer: CodeAnswer })[]> {
    return this.#stages.codes.answers();
  }

  async messagesWithCode(id: number, after: number, limit: number): Promise<readonly number[]> {
    return this.#stages.codes.messagesWith(id, after, limit);
  }

  async outgoingDue(destination: string, now: number, limit: number): Promise<readonly OutgoingRow[]> {
    return this.#stages.outgoing.due(destination, now, limit);
  }

  async outgoing({
    state,
    before = Number.MAX_SAFE_INTEGER,
    limit,
  }: Parameters<Store['outgoing']>[0]): Promise<readonly OutgoingRow[]> {
    return this.#stages.outgoing.list(state, before, limit);
  }

  async outgoingCounts(): Promise<Readonly<Record<string, number>>> {
    return this.#stages.outgoing.counts();
  }

  async cursor(name: string): Promise<number> {
    return this.#stages.cursor(name);
  }

  async events(subscription: string, after: number, limit: number): Promise<readonly EventRow[]> {
    return this.#stages.events(subscription, after, limit);
  }

  async progress(subscription: string): Promise<SubscriptionCursor> {
    return this.#stages.progress(subscription);
  }

  sweep(before: number): Promise<number> {
    return this.#job({ kind: 'sweep', sequence: this.#resources.sequenceBefore(before) });
  }

  /** A job that nothing is decided for. @returns its value, when it is durable */
  #job<T>(job: Exclude<Job, Unit>): Promise<T> {
    if (this.#ended) return stopping();
    return new Promise((resolve, reject) => {
      this.#writer.urgent(job, (outcome) => {
        if (outcome.kind === 'done') resolve(outcome.value as T);
        else reject(outcome.kind === 'failed' ? errorOf(outcome) : new TypeError('only units are decided again'));
      });
    });
  }

  async close(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    await this.#decisions.drained();
    await this.#writer.end();
    this.#db.close();
  }
}

/** What is sent to a thread takes its whole buffer along: a message of a batch does not take the batch. */
function handedOver(message: NewMessage): NewMessage {
  const { bytes } = message;
  return bytes.buffer.byteLength > 2 * bytes.length + pooledBytes
    ? { ...message, bytes: new Uint8Array(bytes) }
    : message;
}
/** Small buffers share one of this length (Node's `Buffer.poolSize`, with room). */
const pooledBytes = 65_536;

function stopping(): Promise<never> {
  return Promise.reject(new Failure('stopping', 'the store is closed'));
}
