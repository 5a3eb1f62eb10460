/** The store on SQLite: one file, one writer with group commit, reads between the groups. */
import type Database from 'better-sqlite3';
import { namedView } from '../../src/store/named-view.ts';
import type {
  CodeAnswer,
  CodeKey,
  EventRow,
  JournalRow,
  MessageOutcome,
  MessageQuery,
  NewMessage,
  OutgoingRow,
  SubscriptionCursor,
  UnknownCode,
} from '../../src/store/rows.ts';
import { type CompiledSearch, compileCount, compileSearch, placeOf } from '../../src/store/search.ts';
import type {
  Change,
  CommitRequest,
  Effect,
  HistoryQuery,
  Key,
  SearchPage,
  Store,
  Version,
  View,
} from '../../src/store/store.ts';
import { Looks } from './looks.ts';
import type { MessageName } from './message-rows.ts';
import { openDatabase } from './open.ts';
import { currentOf, Resources, versionOf } from './resources.ts';
import { StageRows } from './stage-rows.ts';
import { Watch } from './watch.ts';
import { Writer } from './writer.ts';

export class SqliteStore implements Store {
  readonly #db: Database.Database;
  readonly #writer: Writer;
  readonly #resources: Resources;
  readonly #stages: StageRows;
  readonly #looks: Looks<MessageName, JournalRow>;

  /** Reads of a decision run inside the transaction of the only writer: they need no locks and no keys in advance. */
  readonly #view: View = {
    get: (key) => this.#resources.current(key),
    find: (key) => this.#resources.find(key).map(currentOf),
    search: (query) =>
      this.#page({ query }).hits.flatMap(({ type, id }) => this.#resources.current({ type, id }) ?? []),
  };

  /** @param path a file, made with its folder when missing; or `:memory:` */
  constructor(path: string) {
    this.#db = openDatabase(path);
    const watch = new Watch(this.#db);
    this.#resources = new Resources(this.#db, watch);
    this.#writer = new Writer(this.#db, () => this.#resources.undo());
    this.#stages = new StageRows(this.#db, watch);
    this.#looks = new Looks(
      (names) => this.#stages.messages.earlier(names),
      (run) => this.#writer.look(run),
    );
  }

  commit(request: CommitRequest): Promise<void> {
    return this.#writer.write(
      () => {
        const before = this.#resources.sequence;
        try {
          const view = namedView(this.#view, request.keys);
          const { writes, effects = [] } = request.decide(view);
          for (const effect of effects) this.#apply(effect, view);
          for (const write of writes) this.#resources.write(write, request.cause);
        } catch (error) {
          this.#resources.undo(before);
          throw error;
        }
      },
      { mayRefuse: true },
    );
  }

  #apply(effect: Effect, view: View): void {
    if (effect.kind === 'index') this.#resources.index(effect);
    else if (effect.kind === 'marks') {
      // Refuses what the commit did not name.
      view.get(effect.key);
      this.#resources.mark(effect);
    } else this.#stages.apply(effect);
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
    return this.#resources.sequence;
  }

  async readAll(keys: readonly Key[]): Promise<readonly Version[]> {
    return keys.flatMap((key) => {
      const row = this.#resources.read(key);
      return row ? [versionOf(row)] : [];
    });
  }

  async types(): Promise<readonly string[]> {
    return this.#resources.types();
  }

  async search(search: CompiledSearch): Promise<SearchPage> {
    return this.#page(search);
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
    const seen = snapshot ?? this.#resources.sequence;
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
    return this.#writer.write(() => this.#stages.messages.keep(message), { urgent: true });
  }

  async waiting(limit: number): Promise<readonly JournalRow[]> {
    return this.#stages.messages.waiting(limit);
  }

  async hasTwin(message: JournalRow): Promise<boolean> {
    return this.#stages.messages.hasTwin(message);
  }

  earlier(facility: string, controlId: string): Promise<JournalRow | undefined> {
    return this.#looks.look({ facility, controlId });
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
    return this.#writer.write(() => this.#resources.dropEnded(this.#resources.sequenceBefore(before)));
  }

  async close(): Promise<void> {
    this.#writer.end();
    this.#db.close();
  }
}
