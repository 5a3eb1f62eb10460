/** Rows of the stages: received messages, events of subscriptions. docs/states.md draws their states. */

/** `received → applied | duplicate | stale | ignored | rejected | unmapped | failed`. */
export const messageStates = [
  'received',
  'applied',
  'duplicate',
  'stale',
  'ignored',
  'rejected',
  'unmapped',
  'failed',
] as const;
export type MessageState = (typeof messageStates)[number];

/** What the listener keeps before it answers. */
export interface NewMessage {
  /** ms since 1970 UTC. */
  readonly receivedAt: number;
  /** `mllp:2575` or `http`. */
  readonly listener: string;
  /** Address of the sender. */
  readonly peer: string;
  readonly bytes: Uint8Array;
  readonly charset: string;
  /** `received` when it can be mapped, else `rejected`. */
  readonly state: 'received' | 'rejected';
  /** MSH-9 `ADT^A03`, MSH-10, MSH-4; empty when they could not be read. */
  readonly type: string;
  readonly controlId: string;
  readonly facility: string;
  readonly sha256: string;
  /** For a rejected one: the problems, without values. */
  readonly error?: string;
}

export interface JournalRow extends NewMessage {
  readonly id: number;
  readonly state: NewMessage['state'];
  readonly attempts: number;
}

/** Moves a message to another state, only from the one that is named. */
export interface MessageClaim {
  readonly id: number;
  readonly from: MessageState;
  readonly to: MessageState;
  readonly at: number;
  readonly mappingVersion?: string;
  /** `Patient/1/_history/3` of each version that it wrote. */
  readonly wrote?: readonly string[];
  readonly error?: string;
}

/** An event of a subscription: numbered from 1 without gaps, one per change. */
export interface EventRow {
  readonly subscription: string;
  readonly number: number;
  readonly sequence: number;
  readonly at: number;
  readonly focus: string;
}

export interface SubscriptionCursor {
  readonly lastNumber: number;
  readonly deliveredNumber: number;
}
