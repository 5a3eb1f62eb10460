/** Bytes in, acknowledgement bytes out: what is acknowledged with AA or CA is kept (durable) and can be mapped. */
import { hash } from 'node:crypto';
import type { Clock } from '../clock.ts';
import type { Zone } from '../fhir/zone.ts';
import { type AckWish, ackCodeOf, acknowledge, ackWishOf, isWanted } from '../hl7v2/ack.ts';
import { batchAnswer, batchMessagesMax, splitBatch } from '../hl7v2/batch.ts';
import { type Charset, charsetOf, decode, salvageHeader } from '../hl7v2/charset.ts';
import { contentDigest } from '../hl7v2/content.ts';
import { toDtm } from '../hl7v2/datetime.ts';
import { unescapeText } from '../hl7v2/escape.ts';
import { type Message, parse } from '../hl7v2/message.ts';
import { messageType } from '../hl7v2/message-type.ts';
import { describe, type Problem } from '../hl7v2/problem.ts';
import type { Ids } from '../ids.ts';
import type { SiteMapping } from '../mapping/site-mappings.ts';
import type { JournalRow, MessageState, NewMessage } from '../store/rows.ts';
import type { Store } from '../store/store.ts';

/** Where a message came in. */
export interface Origin {
  /** `mllp:2575`, `http`. */
  readonly listener: string;
  readonly peer: string;
  /** The mapping overrides of the listener; absent for none. */
  readonly site?: string;
  /** The character set of the listener when MSH-18 is empty; absent: that of the site, else of the server. */
  readonly charset?: Charset;
}

/** What goes back to the sender. */
export interface Answer {
  /** At once: AA, AE, AR, or CA, CE, CR in enhanced mode; undefined when the sender wants none. */
  readonly accept: Buffer | undefined;
  /** Enhanced mode: on the same connection, when the message has been applied; gives undefined when none is wanted. */
  readonly application?: Promise<Buffer | undefined>;
  /** Of a batch, for a way in that has one answer to give: for each message the one of its two that says more. */
  readonly single?: () => Promise<Buffer | undefined>;
}

/** What a listener hands a frame to. Never rejects for what is in the frame; rejects when the message could not be kept. */
export type Receive = (bytes: Uint8Array, origin: Origin) => Promise<Answer>;

/** A frame that was cut off or too long, so that its content cannot be trusted. `text` says what happened. */
export type RefuseFrame = (bytes: Uint8Array, origin: Origin, text: string) => Promise<Answer>;

export interface ReceiverParts {
  readonly store: Pick<Store, 'keep' | 'keepNamed' | 'answered' | 'message'>;
  /** @param site '' for none */
  readonly mappingOf: (site: string) => SiteMapping;
  readonly zone: Zone;
  readonly clock: Clock;
  readonly ids: Pick<Ids, 'controlId'>;
  /** The character set when MSH-18 is empty and neither listener nor site say one. */
  readonly charsetDefault: Charset;
  /** The bell: a message is waiting. */
  readonly kept: (state: NewMessage['state']) => void;
  /** An application acknowledgement was given up, because too many are waited for. */
  readonly givenUp: () => void;
  /** For tests. */
  readonly waitingMax?: number;
}

/** The two ways in, and how the receiver learns what became of a message. */
export interface Receiver {
  readonly receive: Receive;
  readonly refuse: RefuseFrame;
  /** A message has reached a state: whoever waits for its application acknowledgement gets it. */
  applied(id: number, state: MessageState): void;
}

interface Read {
  readonly bytes: Uint8Array;
  readonly message: Message | undefined;
  readonly charset: Charset;
  readonly problems: readonly Problem[];
  readonly site: SiteMapping;
}

/** Control ids longer than the journal wants are the sender's mistake; characters. */
const keyLengthMax = 250;

/**
 * Messages whose application acknowledgement is waited for at most; beyond, the oldest gets none. Two of the largest batches and
 * the rest of a day's senders: the messages of one batch never push each other out. Some 30 MB, were it ever reached.
 */
const defaultWaitingMax = 2 * batchMessagesMax + 10_000;

export function receiver(parts: ReceiverParts): Receiver {
  const { waitingMax = defaultWaitingMax } = parts;
  const waiting = new Map<number, ((state: MessageState | undefined) => void)[]>();

  /** What a message comes to; `forget` when that is known otherwise. */
  function outcomeOf(id: number): { readonly state: Promise<MessageState | undefined>; forget(): void } {
    // Another process may have applied them: nobody here will ever hear of that.
    if (waiting.size >= waitingMax && !waiting.has(id)) {
      settle(waiting.keys().next().value as number, undefined);
      parts.givenUp();
    }
    const { promise, resolve } = Promise.withResolvers<MessageState | undefined>();
    waiting.set(id, [...(waiting.get(id) ?? []), resolve]);
    const forget = (): void => {
      // Only oneself: who sent the same message before may be waiting too.
      const others = waiting.get(id)?.filter((it) => it !== resolve) ?? [];
      if (others.length > 0) waiting.set(id, others);
      else waiting.delete(id);
    };
    return { state: promise, forget };
  }

  function settle(id: number, state: MessageState | undefined): void {
    for (const resolve of waiting.get(id) ?? []) resolve(state);
    waiting.delete(id);
  }

  function answerTo({ message, charset }: Read, problems: readonly Problem[], kind: 'A' | 'C'): Buffer {
    const now = parts.clock.now();
    const context = { controlId: parts.ids.controlId(), timestamp: toDtm(now, parts.zone.offsetAt(now)) };
    return acknowledge(message, charset, problems, context, kind);
  }

  /** Nothing is awaited before the store has the message: messages are kept in the order in which they came in. */
  async function keepAndAnswer(read: Read, origin: Origin): Promise<Answer> {
    const wish = ackWishOf(read.message);
    const accept = acceptance(read, wish);
    const message = newMessage(read, accept, origin);
    const { store, kept: bell } = parts;
    const clash = read.site.settings.controlIds === 'reused' ? undefined : reasonOf([...read.problems, reused]);
    const kept =
      message.controlId === ''
        ? ({ kind: 'new', id: await store.keep(message) } as const)
        : await store.keepNamed(message, clash);
    if (kept.kind === 'repeat') {
      bell('duplicate');
      return answerOf(kept.first.answer, read, kept.first, wish);
    }
    if (kept.kind === 'clash') {
      const clashing = { ...read, problems: [...read.problems, reused] };
      const refusal = acceptance(clashing, wish);
      await store.answered(kept.id, refusal);
      bell('rejected');
      return answerOf(refusal, clashing, { id: kept.id, state: 'rejected' }, wish);
    }
    bell(message.state);
    return answerOf(accept, read, { id: kept.id, state: message.state }, wish);
  }

  function newMessage(read: Read, answer: Buffer, origin: Origin): NewMessage {
    const { bytes, message, charset, site, problems } = read;
    const state = stateOf(problems, site);
    return {
      receivedAt: parts.clock.now(),
      listener: origin.listener,
      peer: origin.peer,
      site: origin.site ?? '',
      bytes,
      charset,
      state,
      type: typeOf(message),
      controlId: controlIdOf(read),
      application: textOf(read, 3),
      facility: textOf(read, 4),
      sha256: hash('sha256', bytes, 'hex'),
      content: contentDigest(bytes, charset),
      answer,
      ...(state !== 'received' && { error: reasonOf(problems) }),
    };
  }

  /** @param row the message that is applied: itself, or the one that it repeats */
  function answerOf(accept: Uint8Array, read: Read, row: Pick<JournalRow, 'id' | 'state'>, wish: AckWish): Answer {
    // HL7 v2.5.1 2.9.3: CE and CR end the exchange; a sender in lock-step would take what follows for its next answer.
    const isOver = row.state === 'rejected' && accept.length > 0;
    return {
      accept: accept.length > 0 ? Buffer.from(accept) : undefined,
      ...(wish.application !== 'NE' && !isOver && { application: application(read, row, wish) }),
    };
  }

  function acceptance(read: Read, wish: AckWish): Buffer {
    const problems = stateOf(read.problems, read.site) === 'ignored' ? [] : read.problems;
    const kind = wish.enhanced ? 'C' : 'A';
    if (!isWanted(wish.accept, ackCodeOf(problems, kind))) return Buffer.alloc(0);
    return answerTo(read, problems, kind);
  }

  async function application(
    read: Read,
    { id, state }: { id: number; state: MessageState },
    wish: AckWish,
  ): Promise<Buffer | undefined> {
    const end = state === 'received' ? await settledState(id) : state;
    if (end === undefined) return undefined;
    const problems = end === 'rejected' ? read.problems : notApplied(end);
    return isWanted(wish.application, ackCodeOf(problems)) ? answerTo(read, problems, 'A') : undefined;
  }

  /** The bell may have been quicker than we are: what has become of the message stands in its row. */
  async function settledState(id: number): Promise<MessageState | undefined> {
    const later = outcomeOf(id);
    let now: MessageState | undefined;
    try {
      now = (await parts.store.message(id))?.state;
    } catch {
      // The database is away: what becomes of the message will be told when it is back.
      return later.state;
    }
    if (now === 'received') return later.state;
    later.forget();
    return now;
  }

  async function receiveBatch(all: readonly Uint8Array[], origin: Origin): Promise<Answer[]> {
    // Handed over together, so that they share a group commit; the order is that of the batch.
    return Promise.all(all.map((bytes) => keepAndAnswer(readMessage(bytes, origin, parts), origin)));
  }

  return {
    receive: async (bytes, origin) => {
      const batch = splitBatch(bytes);
      if (!batch || (batch.messages.length === 0 && !batch.isEmpty))
        return keepAndAnswer(readMessage(bytes, origin, parts), origin);
      const answered = (all: readonly (Buffer | undefined)[]): Buffer => {
        const now = parts.clock.now();
        const context = { controlId: () => parts.ids.controlId(), timestamp: toDtm(now, parts.zone.offsetAt(now)) };
        return batchAnswer(batch.header, all, context);
      };
      if (batch.isEmpty) {
        const accept = answered([]);
        const row = newMessage(readMessage(bytes, origin, parts), accept, origin);
        await parts.store.keep({ ...row, state: 'ignored', error: 'a batch without messages' });
        parts.kept('ignored');
        return { accept };
      }
      const answers = await receiveBatch(batch.messages, origin);
      const joined = (all: readonly (Buffer | undefined)[]): Buffer | undefined =>
        all.some((it) => it) ? answered(all) : undefined;
      const wanted = answers.some((it) => it.application);
      return {
        accept: joined(answers.map((it) => it.accept)),
        ...(wanted && {
          application: Promise.all(answers.map((it) => it.application)).then(joined),
          single: async () => joined(await Promise.all(answers.map(async (it) => (await it.application) ?? it.accept))),
        }),
      };
    },
    refuse: async (bytes, origin, text) => {
      const read = readMessage(bytes, origin, parts);
      return keepAndAnswer({ ...read, problems: [{ code: '207', text }] }, origin);
    },
    applied: settle,
  };
}

function typeOf(message: Message | undefined): string {
  if (!message) return '';
  const { type, event } = messageType(message);
  return [type, event]
    .filter((it) => it)
    .join('^')
    .slice(0, keyLengthMax);
}

const reused: Problem = {
  code: '205',
  text: 'another message had this control id',
  segment: 'MSH',
  field: 10,
};

function textOf({ message }: Read, field: number): string {
  return (message?.header.text(field) ?? '').slice(0, keyLengthMax);
}

/** MSH-10 as MSA-2 gives it back, delimiters and all; of one that is too long its beginning and a digest, so that it is no other. */
function controlIdOf({ message }: Read): string {
  if (!message) return '';
  const whole = unescapeText(message.header.field(10), message.delimiters).trim();
  if (whole.length <= keyLengthMax) return whole;
  const digest = hash('sha256', whole, 'hex');
  return `${whole.slice(0, keyLengthMax - digest.length - 1)}#${digest}`;
}

/** A message of which nothing but its type or event is unknown may be ignored, when the site says so. */
export function stateOf(problems: readonly Problem[], { settings }: SiteMapping): NewMessage['state'] {
  if (problems.length === 0) return 'received';
  const other = problems.every(({ code }) => code === '200' || code === '201');
  return other && settings.otherEvents === 'ignore' ? 'ignored' : 'rejected';
}

function reasonOf(problems: readonly Problem[]): string {
  return problems.map(describe).join('; ');
}

/** What an application acknowledgement says of a message that did not become FHIR. */
function notApplied(state: MessageState): Problem[] {
  if (state === 'unmapped') return [{ code: '102', text: 'the message cannot be mapped: see the journal' }];
  if (state === 'failed') return [{ code: '207', text: 'the message was kept and could not be applied' }];
  return [];
}

function readMessage(bytes: Uint8Array, origin: Origin, { mappingOf, charsetDefault }: ReceiverParts): Read {
  const site = mappingOf(origin.site ?? '');
  const named = site.settings.charset && charsetOf(site.settings.charset);
  const decoded = decode(bytes, origin.charset ?? (named || charsetDefault));
  if ('error' in decoded) {
    // The header is still needed to answer.
    const { text, charset } = salvageHeader(bytes);
    const problem: Problem = { code: '102', text: decoded.error, segment: 'MSH', field: 18 };
    return answerable({ bytes, message: parse(text), charset, problems: [problem], site });
  }
  const { text, charset } = decoded;
  const message = parse(text);
  const unsound: Problem = { code: '100', text: 'the message does not begin with a sound MSH segment', segment: 'MSH' };
  return answerable({ bytes, message, charset, problems: message ? site.mapping.check(message) : [unsound], site });
}

/** Whoever sends what is no message gets his answer in ASCII. */
function answerable(read: Read): Read {
  return read.message ? read : { ...read, charset: 'ascii' };
}
