/** Bytes in, ACK bytes out: what is acknowledged with AA is kept (durable) and can be mapped. */
import { hash } from 'node:crypto';
import type { Clock } from '../clock.ts';
import type { Zone } from '../fhir/zone.ts';
import { acknowledge } from '../hl7v2/ack.ts';
import { type Charset, decode } from '../hl7v2/charset.ts';
import { toDtm } from '../hl7v2/datetime.ts';
import { type Message, parse } from '../hl7v2/message.ts';
import { describe, type Problem } from '../hl7v2/problem.ts';
import type { Ids } from '../ids.ts';
import type { Mapping } from '../mapping/map.ts';
import type { Store } from '../store/store.ts';

/** Where a message came in. */
export interface Origin {
  /** `mllp:2575`, `http`. */
  readonly listener: string;
  readonly peer: string;
}

/** What a listener hands a frame to. Never rejects for what is in the frame; rejects when the message could not be kept. */
export type Receive = (bytes: Uint8Array, origin: Origin) => Promise<Buffer>;

/** A frame that was cut off or too long, so that its content cannot be trusted. `text` says what happened. */
export type RefuseFrame = (bytes: Uint8Array, origin: Origin, text: string) => Promise<Buffer>;

export interface ReceiverParts {
  readonly store: Pick<Store, 'keep'>;
  readonly mapping: Pick<Mapping, 'check'>;
  readonly zone: Zone;
  readonly clock: Clock;
  readonly ids: Ids;
  /** The character set when MSH-18 is empty. */
  readonly charsetDefault: Charset;
  /** The bell: a message is waiting. */
  readonly kept: (state: 'received' | 'rejected') => void;
}

interface Read {
  readonly message: Message | undefined;
  readonly charset: Charset;
  readonly problems: Problem[];
}

/** Control ids longer than the journal wants are the sender's mistake; characters. */
const keyLengthMax = 250;

/** Makes the two ways in. */
export function receiver(parts: ReceiverParts): { receive: Receive; refuse: RefuseFrame } {
  const { store, zone, clock, ids, kept } = parts;

  async function keepAndAnswer(
    bytes: Uint8Array,
    origin: Origin,
    { message, charset, problems }: Read,
  ): Promise<Buffer> {
    const header = message?.header;
    const text = (field: number, component: number): string =>
      (header?.text(field, component) ?? '').slice(0, keyLengthMax);
    const state = problems.length === 0 ? 'received' : 'rejected';
    const now = clock.now();
    await store.keep({
      receivedAt: now,
      ...origin,
      bytes,
      charset,
      state,
      type: [text(9, 1), text(9, 2)].filter((it) => it).join('^'),
      controlId: text(10, 1),
      facility: text(4, 1),
      sha256: hash('sha256', bytes, 'hex'),
      ...(problems.length > 0 && { error: problems.map(describe).join('; ') }),
    });
    kept(state);
    return acknowledge(message, charset, problems, {
      controlId: ids.next(),
      timestamp: toDtm(now, zone.offsetAt(now)),
    });
  }

  return {
    receive: async (bytes, origin) => keepAndAnswer(bytes, origin, read(bytes, parts)),
    refuse: async (bytes, origin, text) => {
      const { message, charset } = read(bytes, parts);
      return keepAndAnswer(bytes, origin, { message, charset, problems: [{ code: '207', text }] });
    },
  };
}

function read(bytes: Uint8Array, { mapping, charsetDefault }: ReceiverParts): Read {
  const decoded = decode(bytes, charsetDefault);
  if ('error' in decoded) {
    // The header is still needed to answer: its ASCII part is the same in every set that we know.
    const message = parse(
      Buffer.from(bytes)
        .toString('latin1')
        .split(/[\r\n]/, 1)[0] ?? '',
    );
    return {
      message,
      charset: 'iso-8859-1',
      problems: [{ code: '102', text: decoded.error, segment: 'MSH', field: 18 }],
    };
  }
  const { text, charset } = decoded;
  const message = parse(text);
  if (!message)
    return {
      message,
      charset,
      problems: [{ code: '100', text: 'the message does not begin with a sound MSH segment', segment: 'MSH' }],
    };
  return { message, charset, problems: mapping.check(message) };
}
