/** The store on PostgreSQL: many processes, one writer at a time, reads on a pool of connections. */
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
import { type CompiledSearch, placeOf } from '../../src/store/search.ts';
import type { Change, CommitRequest, HistoryQuery, Key, SearchPage, Store, Version } from '../../src/store/store.ts';
import { Codes } from './codes.ts';
import { clientConfig } from './connect.ts';
import { Journal } from './journal.ts';
import { migrate } from './migrate.ts';
import { Outgoing } from './outgoing.ts';
import { Parameters as Numbers } from './parameters.ts';
import { Reader } from './reader.ts';
import { Resources } from './resources.ts';
import { findPage } from './search.ts';
import { sweep } from './sweep.ts';
import { Writer } from './writer.ts';

type UnknownCodesQuery = Parameters<Store['unknownCodes']>[0];
type OutgoingQuery = Parameters<Store['outgoing']>[0];

export interface PostgresOptions {
  /** Connections for reads; two more are for writes. */
  readonly poolSize?: number;
  /** How long a search or another read may take, and a statement that keeps messages. ms */
  readonly readMaxMs?: number;
}

/** How long the writer waits for the writers of other processes, and may itself keep them waiting without a word. ms */
const lockMaxMs = 20_000;
const silentMaxMs = 30_000;

/** A statement of the writer that takes longer is given up: others wait for its lock. ms */
const writeMaxMs = 60_000;

/** No answer takes as long: the network has swallowed it. ms */
const answerMaxMs = 120_000;

/**
 * Opens a schema and brings it to the newest migration.
 * @param url `postgres://user:password@host:port/database`; another schema by `?options=-c search_path=name`
 * @throws Error when the server cannot be reached, or the schema was written by a newer program
 */
export async function openPostgres(url: string, options: PostgresOptions = {}): Promise<PostgresStore> {
  const { poolSize = 10, readMaxMs = 30_000 } = options;
  const lock = await migrate(clientConfig(url));
  const reading = clientConfig(url, { statement_timeout: readMaxMs });
  const writing = {
    ...clientConfig(url, {
      lock_timeout: lockMaxMs,
      statement_timeout: writeMaxMs,
      idle_in_transaction_session_timeout: silentMaxMs,
    }),
    query_timeout: answerMaxMs,
  };
  const keeping = {
    ...clientConfig(url, { statement_timeout: readMaxMs, idle_in_transaction_session_timeout: silentMaxMs }),
    query_timeout: answerMaxMs,
  };
  const reader = new Reader(reading, poolSize);
  const parameters = new Numbers();
  return new PostgresStore(reader, parameters, new Writer(writing, lock, parameters), new Journal(keeping, reader));
}

export class PostgresStore implements Store {
  readonly #reader: Reader;
  readonly #parameters: Numbers;
  readonly #writer: Writer;
  readonly #journal: Journal;
  readonly #codes: Codes;
  readonly #outgoing: Outgoing;
  readonly #resources: Resources;

  constructor(reader: Reader, parameters: Numbers, writer: Writer, journal: Journal) {
    this.#reader = reader;
    this.#parameters = parameters;
    this.#writer = writer;
    this.#journal = journal;
    this.#codes = new Codes(reader);
    this.#outgoing = new Outgoing(reader);
    this.#resources = new Resources(reader);
  }

  commit(request: CommitRequest): Promise<void> {
    return this.#writer.commit(request);
  }

  read(key: Key): Promise<Version | undefined> {
    return this.#resources.read(key);
  }

  readAll(keys: readonly Key[]): Promise<readonly Version[]> {
    return this.#resources.readAll(keys);
  }

  readVersion(key: Key, version: number): Promise<Version | undefined> {
    return this.#resources.readVersion(key, version);
  }

  history(query: HistoryQuery): Promise<readonly Version[]> {
    return this.#resources.history(query);
  }

  types(): Promise<readonly string[]> {
    return this.#resources.types();
  }

  head(): Promise<number> {
    return this.#resources.head();
  }

  async search(search: CompiledSearch): Promise<SearchPage> {
    const { query, after } = search;
    try {
      const { rows, total } = await findPage(search, this.#parameters, (text, values) =>
        this.#reader.rows(text, values),
      );
      const page = rows.slice(0, query.count);
      const hits = page.flatMap(({ type, id, json }) => (json === null ? [] : { type, id, json }));
      const last = page.at(-1);
      const next = rows.length > query.count && last ? placeOf(last, query.sort) : undefined;
      const snapshot: number | undefined = search.snapshot ?? last?.head;
      return {
        hits,
        next,
        ...(next !== undefined && snapshot !== undefined && { snapshot }),
        ...(total !== undefined && { total }),
      };
    } catch (error) {
      // A key of another type than its column: 22P02, 22003. The place is the only value that a client can bend so.
      if (after !== undefined && /^22/.test((error as { code?: string }).code ?? ''))
        throw new Failure('malformed', 'the page link is damaged: start the search again');
      throw error;
    }
  }

  changes(after: number, limit: number): Promise<readonly Change[]> {
    return this.#resources.changes(after, limit);
  }

  keep(message: NewMessage): Promise<number> {
    return this.#journal.keep(message);
  }

  waiting(limit: number): Promise<readonly JournalRow[]> {
    return this.#journal.waiting(limit);
  }

  hasTwin(message: JournalRow): Promise<boolean> {
    return this.#journal.hasTwin(message);
  }

  keepNamed(message: NewMessage, clash: string | undefined): Promise<KeptMessage> {
    return this.#journal.keepNamed(message, clash);
  }

  answered(id: number, answer: Uint8Array): Promise<void> {
    return this.#journal.answered(id, answer);
  }

  message(id: number): Promise<JournalRow | undefined> {
    return this.#journal.message(id);
  }

  messages(query: MessageQuery): Promise<readonly JournalRow[]> {
    return this.#journal.messages(query);
  }

  outcomes(id: number): Promise<readonly MessageOutcome[]> {
    return this.#journal.outcomes(id);
  }

  messageCounts(): Promise<Readonly<Record<string, number>>> {
    return this.#journal.messageCounts();
  }

  unknownCodes({ open, before = Number.MAX_SAFE_INTEGER, limit }: UnknownCodesQuery): Promise<readonly UnknownCode[]> {
    return this.#codes.list(open, before, limit);
  }

  unknownCode(id: number): Promise<UnknownCode | undefined> {
    return this.#codes.one(id);
  }

  codeAnswers(): Promise<readonly (CodeKey & { readonly answer: CodeAnswer })[]> {
    return this.#codes.answers();
  }

  messagesWithCode(id: number, after: number, limit: number): Promise<readonly number[]> {
    return this.#codes.messagesWith(id, after, limit);
  }

  outgoingDue(destination: string, now: number, limit: number): Promise<readonly OutgoingRow[]> {
    return this.#outgoing.due(destination, now, limit);
  }

  outgoing({ state, before = Number.MAX_SAFE_INTEGER, limit }: OutgoingQuery): Promise<readonly OutgoingRow[]> {
    return this.#outgoing.list(state, before, limit);
  }

  outgoingCounts(): Promise<Readonly<Record<string, number>>> {
    return this.#outgoing.counts();
  }

  cursor(name: string): Promise<number> {
    return this.#journal.cursor(name);
  }

  events(subscription: string, after: number, limit: number): Promise<readonly EventRow[]> {
    return this.#journal.events(subscription, after, limit);
  }

  progress(subscription: string): Promise<SubscriptionCursor> {
    return this.#journal.progress(subscription);
  }

  sweep(before: number): Promise<number> {
    return sweep(before, this.#reader);
  }

  /** Finishes what was given. */
  async close(): Promise<void> {
    await Promise.all([this.#writer.close(), this.#journal.close()]);
    await this.#reader.close();
  }
}
