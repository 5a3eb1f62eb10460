/**
 * When something was said: the order in which messages count, whatever the order in which they arrive. A later stamp wins.
 * Compared as texts: event time, time of sending, number in the control id, then the place of the event in a visit.
 */
import { eventTimes } from '../hl7v2/event-time.ts';
import type { Message } from '../hl7v2/message.ts';

/** `EVENT SENT SEQUENCE RANK@SOURCE`; of equal length before the `@`, so that texts order as times do. */
export type Stamp = string;

/** Before everything that a message says: what a FHIR client created. */
export const never: Stamp = '';

/** Events of one visit and minute, in the order in which they happen. */
const events = [
  'A28',
  'A31',
  'A05',
  'A14',
  'A38',
  'A04',
  'A01',
  'A06',
  'A07',
  'A02',
  'A12',
  'A08',
  'A11',
  'A03',
  'A13',
];

const width = 14;
const sequenceWidth = 15;

function padded(number: number, length: number): string {
  return String(Math.max(0, number)).padStart(length, '0').slice(-length);
}

/**
 * @param receivedAt ms since 1970 UTC: the time of a message that says none
 * @param offsetOf the UTC offset for a local time without one
 * @param id of the message: does not count in the order
 */
export function stampOf(
  message: Message,
  event: string,
  receivedAt: number,
  offsetOf: (local: string) => string,
  id: number,
): Stamp {
  const { at = receivedAt, sent = at, sequence } = eventTimes(message, offsetOf);
  const rank = events.indexOf(event) + 1;
  return `${padded(at, width)}${padded(sent, width)}${padded(sequence, sequenceWidth)}${padded(rank, 2)}@${id}`;
}

/** Nobody says any more what has this stamp: whatever is said next counts. */
export const withdrawn: Stamp = `${padded(0, 2 * width + sequenceWidth + 2)}@withdrawn`;

/** What a FHIR client changed at an instant (ms). */
export function clientStamp(at: number): Stamp {
  return `${padded(at, width)}${padded(at, width)}${padded(0, sequenceWidth)}99@client`;
}

/**
 * Negative when `a` is older. Of two messages of one moment the one that was received later counts, also when the other is
 * applied again after it. 0 when neither is older: then the one that comes later counts.
 */
export function compareStamps(a: Stamp, b: Stamp): number {
  if (a === b) return 0;
  const [x, y] = [a.slice(0, a.indexOf('@') + 1), b.slice(0, b.indexOf('@') + 1)];
  if (x !== y) return x < y ? -1 : 1;
  const [m, n] = [messageOf(a), messageOf(b)];
  return m !== undefined && n !== undefined ? m - n : 0;
}

/** Event time of a stamp; ms since 1970 UTC. */
export function timeOf(stamp: Stamp): number {
  return Number(stamp.slice(0, width));
}

/** Id of the message behind a stamp; undefined when a client is. */
export function messageOf(stamp: Stamp): number | undefined {
  const id = Number(stamp.slice(stamp.indexOf('@') + 1) || Number.NaN);
  return Number.isInteger(id) ? id : undefined;
}
