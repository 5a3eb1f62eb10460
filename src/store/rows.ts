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
  /** The mapping overrides that it is read with; empty for none. */
  readonly site: string;
  readonly bytes: Uint8Array;
  readonly charset: string;
  /** `received` when it can be mapped; the others are done with: nobody looks at them again by himself. */
  readonly state: 'received' | 'rejected' | 'duplicate' | 'ignored';
  /** MSH-9 `ADT^A03`, MSH-10, MSH-3, MSH-4; empty when they could not be read. */
  readonly type: string;
  readonly controlId: string;
  readonly application: string;
  readonly facility: string;
  readonly sha256: string;
  /** Digest of everything but MSH-10: equal for the same content under a new control id. */
  readonly content: string;
  /** The acknowledgement that was sent at once; empty when none was wanted. */
  readonly answer: Uint8Array;
  /** For one that is not `received`: the reason, without values. */
  readonly error?: string;
}

/** A message of the journal. */
export interface JournalRow extends Omit<NewMessage, 'state' | 'application'> {
  /** Absent: it was kept by a program that did not look at it. */
  readonly application?: string;
  readonly id: number;
  readonly state: MessageState;
  readonly attempts: number;
  /** How often the program began to apply it, and ended. Counted for those that waited when it started. */
  readonly tries?: number;
  /** The mapping that it was last applied with. */
  readonly mappingVersion?: string;
  /**
   * By its last application: `Patient/1/_history/3` of each version that it wrote, and `Patient/1` of each resource that says
   * what it said and needed no new version.
   */
  readonly wrote?: readonly string[];
  /** ms since 1970 UTC. */
  readonly appliedAt?: number;
}

/** How a message was kept that has a control id: its number, and what that is of the others of its facility. */
export type KeptMessage =
  | { readonly kind: 'new'; readonly id: number }
  /** As `duplicate`, with the answer of the first that had the control id and the bytes. */
  | { readonly kind: 'repeat'; readonly id: number; readonly first: Pick<JournalRow, 'id' | 'state' | 'answer'> }
  /** As `rejected`, and without an answer yet. */
  | { readonly kind: 'clash'; readonly id: number };

/** An earlier outcome of a message that was replayed. */
export interface MessageOutcome {
  /** When it was moved back to `received`; ms since 1970 UTC. */
  readonly at: number;
  readonly state: MessageState;
  readonly mappingVersion?: string;
  readonly wrote?: readonly string[];
  readonly error?: string;
}

/** Which messages of the journal; all of what is given must hold. The newest first. */
export interface MessageQuery {
  readonly state?: MessageState;
  /** `ADT^A03`. */
  readonly type?: string;
  readonly site?: string;
  readonly facility?: string;
  readonly controlId?: string;
  /** Received in `[from, to)`; ms since 1970 UTC. */
  readonly from?: number;
  readonly to?: number;
  /** Only ids smaller than this: the next page. */
  readonly before?: number;
  readonly limit: number;
}

/** Moves a message to another state, only from the one that is named. To `received`: its last outcome becomes history. */
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

/** A code that no table translates, as one site sends it. */
export interface CodeKey {
  readonly site: string;
  /** The table of the mapping, by name. */
  readonly table: string;
  /** As sent: CWE.1. */
  readonly code: string;
}

/** A code that was met in a message. */
export interface MetCode extends CodeKey {
  /** CWE.3; empty when the sender names none. */
  readonly system: string;
  /** CWE.2. */
  readonly display: string;
  /** Where it stood: `PV1-36`. */
  readonly field: string;
}

/** What the mapping owner answered. */
export interface CodeAnswer {
  /** The target; absent: the code has none and stays as it is sent. */
  readonly target?: { readonly system: string; readonly code: string; readonly display?: string };
  readonly by: string;
  /** ms since 1970 UTC. */
  readonly at: number;
}

/** A code on the list. */
export interface UnknownCode extends MetCode {
  readonly id: number;
  /** Messages that hold it. */
  readonly messages: number;
  /** ms since 1970 UTC. */
  readonly firstAt: number;
  readonly lastAt: number;
  readonly answer?: CodeAnswer;
}

/** `waiting → acknowledged | failed`; a failed one goes back to `waiting` when an operator says so. */
export const outgoingStates = ['waiting', 'acknowledged', 'failed'] as const;
export type OutgoingState = (typeof outgoingStates)[number];

/** A message to be sent to a hospital. */
export interface NewOutgoing {
  /** Where to: the name of a destination of a site. */
  readonly destination: string;
  /** Messages with the same key go in order, one after the other: the Patient. */
  readonly lane: string;
  /** What it says: one message for each kind and version, `SIU^S12 Appointment/1/_history/2`. */
  readonly identity: string;
  readonly controlId: string;
  readonly bytes: Uint8Array;
  /** ms since 1970 UTC. */
  readonly at: number;
}

/** A message to a hospital with what became of it. */
export interface OutgoingRow extends NewOutgoing {
  readonly id: number;
  readonly state: OutgoingState;
  readonly attempts: number;
  /** Not before; ms since 1970 UTC. */
  readonly dueAt: number;
  /** The last answer of the hospital. */
  readonly answer?: Uint8Array;
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
