/** When what a message tells happened, and when it was sent: what its order among other messages rests on. Pure. */
import { parseDateTime } from './datetime.ts';
import type { Message } from './message.ts';

/** Times are ms since 1970 UTC. */
export interface EventTimes {
  /** When the event happened or was recorded; undefined when the message has no time that can be believed. */
  readonly at: number | undefined;
  /** MSH-7, else {@link at}. */
  readonly sent: number | undefined;
  /** The number at the end of MSH-10, which many senders count up; 0 when there is none. */
  readonly sequence: number;
}

/**
 * What systems write for "no time" lies before: the years 1, 1753, 1899, 1900 and the first day of 1970. No HL7 v2 message
 * was sent then, and no event of one.
 */
const plausibleFrom = Date.UTC(1971, 0, 1);

/** The other filler: 2999 and 9999. */
const plausibleTo = Date.UTC(2200, 0, 1);

/** In the order of trust: recorded, occurred, movement (ZBE-2). */
const places: readonly [segment: string, field: number][] = [
  ['EVN', 2],
  ['EVN', 6],
  ['ZBE', 2],
];

/** A year or a month is no time to order by; TS.2 (v2.3 to v2.5) says that the digits behind are no knowledge. */
function isVague(precision: string): boolean {
  return precision === 'Y' || precision === 'L';
}

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** What is recorded is sent afterwards. Clocks differ by minutes and zones by hours; ms. */
const aheadMax = dayMs;

interface Instant {
  /** The low end of its precision. */
  readonly from: number;
  /** How long a day or an hour is that has no minutes; 0 for what is exact. ms */
  readonly length: number;
}

/** A DTM as an instant; undefined when it has no day, cannot be read or is a filler. */
function instantOf(text: string, offset: string | undefined, offsetOf: (local: string) => string): Instant | undefined {
  const parts = parseDateTime(text);
  if (!parts?.day) return undefined;
  const { year, month, day, hour = '00', minute = '00', second = '00', fraction = '0' } = parts;
  const local = `${year}-${month}-${day}T${hour}:${minute}:${second}`;
  const seconds = Date.parse(`${local}${parts.offset ?? offset ?? offsetOf(local)}`);
  const at = seconds + Math.floor(Number(`0.${fraction}`) * 1000);
  if (!(at >= plausibleFrom && at < plausibleTo)) return undefined;
  return { from: at, length: parts.minute ? 0 : parts.hour ? hourMs : dayMs };
}

/** Of a day it is known that it was then: within it, the time of sending tells the order. */
function within({ from, length }: Instant, sent: number | undefined): number {
  if (sent === undefined || length === 0) return from;
  return Math.min(Math.max(sent, from), from + length - 1);
}

/**
 * The event time of a message: EVN-2, else EVN-6, ZBE-2, MSH-7, in that order of trust. One that cannot be read, lacks a day,
 * is a filler, or lies days after MSH-7 (a slip of the pen, a plan) is passed over. A day counts as MSH-7 on that day. A local time has the offset of MSH-7 if that has one (HL7 v2.5.1 2.A.22, 2.14.9.7), else
 * the zone's.
 *
 * @param offsetOf the UTC offset (`+08:00`) of a local time `YYYY-MM-DDTHH:MM:SS`
 */
export function eventTimes(message: Message, offsetOf: (local: string) => string): EventTimes {
  const { header } = message;
  const offset = parseDateTime(header.text(7))?.offset;
  const sent = isVague(header.text(7, 2)) ? undefined : instantOf(header.text(7), offset, offsetOf)?.from;
  let at: number | undefined;
  for (const [name, field] of places) {
    const segment = message.first(name);
    if (!segment || isVague(segment.text(field, 2))) continue;
    const instant = instantOf(segment.text(field), offset, offsetOf);
    if (!instant || (sent !== undefined && instant.from > sent + aheadMax)) continue;
    at = within(instant, sent);
    break;
  }
  at ??= sent;
  const number = /^\D*(\d{1,15})$/.exec(header.text(10))?.[1];
  return { at, sent: sent ?? at, sequence: Number(number ?? 0) };
}
