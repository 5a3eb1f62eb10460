/**
 * The Store seam. All-or-nothing commit; reads see a committed state; search pages are stable while writes go on.
 * One conformance suite (test/store/conformance.ts) that every implementation passes.
 */

import type { SearchParameter, SearchRow } from '../fhir/search/parameters.ts';
import type { SearchQuery } from '../fhir/search/query.ts';
import type { StoredResource } from '../fhir/types.ts';
import type {
  CodeAnswer,
  CodeKey,
  EventRow,
  JournalRow,
  KeptMessage,
  MessageClaim,
  MessageOutcome,
  MessageQuery,
  MetCode,
  NewMessage,
  NewOutgoing,
  OutgoingRow,
  OutgoingState,
  SubscriptionCursor,
  UnknownCode,
} from './rows.ts';
import type { CompiledSearch } from './search.ts';

export interface Key {
  readonly type: string;
  readonly id: string;
}

/** A resource of a type by one of its identifiers. */
export interface IdentifierKey {
  readonly type: string;
  readonly identifier: { readonly system: string; readonly value: string };
}

/** What a search finds, at most `count` of it: for conditional interactions. */
export interface QueryKey {
  readonly query: SearchQuery;
}

export type Interaction = 'create' | 'update' | 'delete';

/** What made a change: bounds loops, a stage never answers a change that it caused. */
export type Cause =
  | `message:${string}`
  | `client:${string}`
  | `plan:${string}`
  | `subscription:${string}`
  | `system:${string}`;

/** One version of a resource. A deleted one has no resource. */
export interface Version extends Key {
  readonly version: number;
  /** The change that wrote it; grows with every version of any resource. */
  readonly sequence: number;
  /** ms since 1970 UTC. */
  readonly at: number;
  readonly interaction: Interaction;
  readonly cause: Cause;
  /** The JSON text as stored; undefined for a deletion. */
  readonly json: string | undefined;
}

/** The current version, with its JSON parsed at the first use. */
export interface Current extends Version {
  readonly resource: StoredResource | undefined;
  /** What the ingest stage remembers of the resource, as JSON: which message gave what. It belongs to no version. */
  readonly marks: string | undefined;
}

/** What {@link CommitRequest.decide} may look at: the committed state of the keys it asked for. */
export interface View {
  /** The current version, deleted ones included; undefined when the key was never used. */
  get(key: Key): Current | undefined;
  /** Current resources that have the identifier, in the order of creation; at most 2, enough to see that it is ambiguous. */
  find(key: IdentifierKey): readonly Current[];
  /** Current resources that a query finds, in its order. The query object is one of the keys. */
  search(query: SearchQuery): readonly Current[];
}

/** A version to be written, complete with its search rows. */
export interface PreparedWrite extends Key {
  readonly interaction: Interaction;
  /** 1 for a new resource; else one more than the current version. */
  readonly version: number;
  readonly at: number;
  readonly json: string | undefined;
  readonly added: readonly SearchRow[];
  readonly removed: readonly SearchRow[];
  /** In place of the marks that stand; absent: they stay. */
  readonly marks?: string;
}

/** A row of a stage that changes with the commit. Each must change exactly one row, else the whole commit is off. */
export type Effect =
  | { readonly kind: 'message'; readonly claim: MessageClaim }
  /** How often it was tried, while it is `received`; 0: never. */
  | { readonly kind: 'tries'; readonly message: number; readonly count: number }
  | { readonly kind: 'cursor'; readonly name: string; readonly from: number; readonly to: number }
  /** The rows of one parameter for one resource, whatever there was before: the index of a new SearchParameter. */
  | {
      readonly kind: 'index';
      readonly key: Key;
      readonly parameter: SearchParameter;
      readonly rows: readonly SearchRow[];
    }
  /** New marks of a resource that is there and of which no version is written. */
  | { readonly kind: 'marks'; readonly key: Key; readonly marks: string }
  /** Codes that a message holds and no table translates: each is on the list once, with its messages. */
  | { readonly kind: 'codes'; readonly message: number; readonly at: number; readonly codes: readonly MetCode[] }
  /** The answer to a code of the list; it may be given again. */
  | { readonly kind: 'code-answer'; readonly id: number; readonly answer: CodeAnswer }
  /** Messages to be sent; one that is there already (same destination and identity) is left as it is. */
  | { readonly kind: 'outgoing'; readonly messages: readonly NewOutgoing[] }
  /** What became of an attempt to send, only while it is in state `from`. `attempts` counts attempts that left `waiting` waiting. */
  | {
      readonly kind: 'sent';
      readonly id: number;
      readonly from: OutgoingState;
      readonly to: OutgoingState;
      readonly dueAt: number;
      readonly answer?: Uint8Array;
      readonly error?: string;
    }
  | { readonly kind: 'events'; readonly events: readonly EventRow[] }
  /** A subscription was deleted: its events and its place go with it. */
  | { readonly kind: 'forget'; readonly subscription: string }
  | { readonly kind: 'delivered'; readonly subscription: string; readonly from: number; readonly to: number };

export interface Decision {
  readonly writes: readonly PreparedWrite[];
  readonly effects?: readonly Effect[];
}

/**
 * A unit of work. `decide` is a pure function of the view and runs inside the transaction; it may run again when the
 * database asks for a retry. What it throws ends the commit and comes out of {@link Store.commit} unchanged.
 */
export interface CommitRequest {
  readonly cause: Cause;
  decide(view: View): Decision;
  /** Everything `decide` will look at. */
  readonly keys: readonly (Key | IdentifierKey | QueryKey)[];
}

/** A stage's row was not as claimed: another worker has done the work. */
export class LostClaim extends Error {}

export interface HistoryQuery {
  readonly type?: string;
  readonly id?: string;
  /** Versions written at or after, ms. */
  readonly since?: number;
  /** Versions that were current at some time in `[low, high)`, ms (R4 http.html#history, `_at`). */
  readonly at?: { readonly low: number; readonly high: number };
  /** Only versions with a smaller sequence: the next page. */
  readonly before?: number;
  readonly limit: number;
}

export interface SearchHit extends Key {
  readonly json: string;
}

export interface SearchPage {
  readonly hits: readonly SearchHit[];
  /** Where the next page begins; undefined at the end. */
  readonly next: string | undefined;
  /** The sequence that the page saw; there when `next` is. */
  readonly snapshot?: number;
  /** All matches, only when asked for. */
  readonly total?: number;
}

export interface Change extends Key {
  readonly sequence: number;
  readonly version: number;
  readonly interaction: Interaction;
  readonly at: number;
  readonly cause: Cause;
}

export interface Store {
  /** Runs one unit of work. @throws LostClaim, and whatever `decide` throws */
  commit(request: CommitRequest): Promise<void>;
  /** The current version, deletions included. */
  read(key: Key): Promise<Version | undefined>;
  /** The current versions of many, in the order of the keys, without those that were never there. */
  readAll(keys: readonly Key[]): Promise<readonly Version[]>;
  readVersion(key: Key, version: number): Promise<Version | undefined>;
  /** Versions, the newest first. */
  history(query: HistoryQuery): Promise<readonly Version[]>;
  /** Types that have or had resources. */
  types(): Promise<readonly string[]>;
  /** The sequence of the newest change: what a search that begins now sees. */
  head(): Promise<number>;
  search(search: CompiledSearch): Promise<SearchPage>;
  /** Changes after a sequence, in order, without content. */
  changes(after: number, limit: number): Promise<readonly Change[]>;

  /** Keeps a received message; resolved when it is durable (fsync). */
  keep(message: NewMessage): Promise<number>;
  /**
   * Keeps a message with a control id, and looks whether its facility has sent one before: of two that come at the same time
   * one is the first. What was rejected is not looked at. Messages are kept in the order in which they are given.
   * @param clash why it is rejected when the newest of its control id has other bytes; absent: it is kept as it is
   */
  keepNamed(message: NewMessage, clash: string | undefined): Promise<KeptMessage>;
  /** The acknowledgement of a message of which it was not known when it was kept. */
  answered(id: number, answer: Uint8Array): Promise<void>;
  /**
   * Messages in state received: those that were never applied, the oldest first, then those that are applied again. Of both
   * kinds some, where both wait: a big replay holds up no new message, and comes to its end.
   */
  waiting(limit: number): Promise<readonly JournalRow[]>;
  /** True when an earlier message of the same facility and content was applied: this one was sent again. */
  hasTwin(message: JournalRow): Promise<boolean>;
  message(id: number): Promise<JournalRow | undefined>;
  messages(query: MessageQuery): Promise<readonly JournalRow[]>;
  /** Earlier outcomes of a message that was replayed, the oldest first. */
  outcomes(id: number): Promise<readonly MessageOutcome[]>;
  /** Codes that no table translates: those that wait for an answer, or all; the newest first, by `before` (an id). */
  unknownCodes(query: {
    readonly open: boolean;
    readonly before?: number;
    readonly limit: number;
  }): Promise<readonly UnknownCode[]>;
  unknownCode(id: number): Promise<UnknownCode | undefined>;
  /** All answers: the mapping is laid over with them. */
  codeAnswers(): Promise<readonly (CodeKey & { readonly answer: CodeAnswer })[]>;
  /** Ids of the messages that hold a code, the oldest first, after an id. */
  messagesWithCode(id: number, after: number, limit: number): Promise<readonly number[]>;

  /**
   * The oldest waiting message of each lane of a destination, if it is due at `now` (ms): a lane waits behind one that is
   * tried again, not behind one that failed for good.
   */
  outgoingDue(destination: string, now: number, limit: number): Promise<readonly OutgoingRow[]>;
  outgoing(query: {
    readonly state?: OutgoingState;
    readonly before?: number;
    readonly limit: number;
  }): Promise<readonly OutgoingRow[]>;
  /** How many are in each state. */
  outgoingCounts(): Promise<Readonly<Record<string, number>>>;
  /** How many messages are in each state. */
  messageCounts(): Promise<Readonly<Record<string, number>>>;

  cursor(name: string): Promise<number>;
  /** Events of a subscription after a number, in order. */
  events(subscription: string, after: number, limit: number): Promise<readonly EventRow[]>;
  /** Last event number and last delivered number of a subscription; zeros when it has none. */
  progress(subscription: string): Promise<SubscriptionCursor>;

  /** Drops what superseded search rows and pages no longer need: older than `before` (ms). Gives how many rows went. */
  sweep(before: number): Promise<number>;
  close(): Promise<void>;
}
