/**
 * The times of a schedule message (SIU): when the appointment begins, and when each service and resource is needed.
 * Senders say it in TQ1, in SCH-11, or in AIS, AIG, AIL and AIP alone; with durations and offsets in units of their own.
 */
import { parseDateTime, toFhirDate, toFhirInstant } from '../hl7v2/datetime.ts';
import type { Segment } from '../hl7v2/message.ts';
import { leaf, type MappingContext, partOf } from './context.ts';

/** Field of the start of a service or resource; behind it offset, its unit, duration and its unit. */
const startFields: Readonly<Record<string, number>> = { AIS: 4, AIG: 8, AIL: 6, AIP: 6 };

const unitMs: Readonly<Record<string, number>> = { s: 1000, min: 60_000, h: 3_600_000, d: 86_400_000, wk: 604_800_000 };
const durationDaysMax = 3660;

/** What the whole message says of its times. */
export interface Schedule {
  /** Start of the appointment, a FHIR instant: TQ1-7, SCH-11.4, the first AIS-4, AIG-8, AIL-6, AIP-6. */
  readonly start: string | undefined;
  /** Where no time of day is given: the days, FHIR dates. */
  readonly days: { readonly start: string; readonly end: string } | undefined;
  /** Segment name ─▶ the segment of that name that begins first; deleted ones do not count. */
  readonly first: ReadonlyMap<string, Segment>;
  /** Segment name ─▶ the one that ends last. */
  readonly last: ReadonlyMap<string, Segment>;
}

const schedules = new WeakMap<MappingContext, Schedule>();

/** The times of the message, found once. */
export function scheduleOf(context: MappingContext): Schedule {
  const known = schedules.get(context);
  if (known) return known;
  const kept = keptSegments(context);
  const first = new Map<string, Segment>();
  for (const segment of kept) {
    const at = startStated(segment, context);
    const before = first.get(segment.name);
    if (at && (!before || Date.parse(at) < Date.parse(startStated(before, context) ?? '')))
      first.set(segment.name, segment);
  }
  const stated = statedTimes(context);
  const resource = Object.keys(startFields).flatMap((name) => first.get(name) ?? [])[0];
  const start =
    stated.map(([begin]) => instantOf(begin, context)).find((it) => it) ?? (resource && startStated(resource, context));
  const all = [...stated, ...kept.map((it): [string, string] => [startText(it), ''])];
  const last = new Map<string, Segment>();
  const schedule = { start, days: start ? undefined : daysOf(all), first, last };
  // The ends are reckoned from the start: it has to be there for them.
  schedules.set(context, schedule);
  for (const segment of kept) {
    const at = untilOf(segment, context);
    const before = last.get(segment.name);
    if (at && (!before || Date.parse(at) > Date.parse(untilOf(before, context) ?? ''))) last.set(segment.name, segment);
  }
  return schedule;
}

/** The services and resources that stay: not those with action code D, nor those of a group with it (table 0206). */
function keptSegments({ message }: MappingContext): Segment[] {
  const kept: Segment[] = [];
  let group: Segment | undefined;
  for (const segment of message.segments) {
    if (segment.name === 'RGS') group = segment;
    if (startFields[segment.name] && segment.text(2) !== 'D' && group?.text(2) !== 'D') kept.push(segment);
  }
  return kept;
}

/** Begin and end of the appointment as TQ1-7/-8 and SCH-11.4/.5 say them, in the order of their rank. */
function statedTimes({ message, delimiters }: MappingContext): [string, string][] {
  const times: [string, string][] = [];
  for (const segment of message.named('TQ1')) times.push([segment.text(7), segment.text(8)]);
  for (const raw of message.first('SCH')?.repetitions(11) ?? [])
    times.push([4, 5].map((n) => leaf(partOf(raw, 1, n, delimiters), 2, delimiters)) as [string, string]);
  return times;
}

function daysOf(times: readonly [string, string][]): Schedule['days'] {
  for (const [begin, end] of times) {
    const start = toFhirDate(begin);
    if (!start) continue;
    return { start, end: [start, toFhirDate(end) ?? start].sort().at(-1) as string };
  }
  return undefined;
}

/** A FHIR instant, for a text with a time of day; undefined for a day, and for what is no time. */
export function instantOf(text: string, { offsetOf }: MappingContext): string | undefined {
  return parseDateTime(text)?.hour === undefined ? undefined : toFhirInstant(text, offsetOf);
}

function startText(segment: Segment): string {
  return segment.text(startFields[segment.name] as number);
}

function startStated(segment: Segment, context: MappingContext): string | undefined {
  return instantOf(startText(segment), context);
}

/** Start of the appointment plus the offset of a service or resource (AIS-5, AIG-9, AIL-7, AIP-7). */
export function offsetStart(segment: Segment, context: MappingContext): string | undefined {
  const field = (startFields[segment.name] as number) + 1;
  return plus(scheduleOf(context).start, amountIn(segment, field, context));
}

/** Start of a service or resource (its own, by offset, or that of the appointment) plus its duration. */
export function untilOf(segment: Segment, context: MappingContext): string | undefined {
  const field = (startFields[segment.name] as number) + 3;
  const start = startStated(segment, context) ?? offsetStart(segment, context) ?? scheduleOf(context).start;
  return plus(start, amountIn(segment, field, context));
}

/** The amount of time in a field, in the unit that the field behind it names; ms. Undefined for what is none. */
export function amountIn(segment: Segment, field: number, context: MappingContext): number | undefined {
  return amountOf(segment.text(field), unitIn(segment, field + 1, context), context);
}

/** The unit that a CWE field names, by whichever of its parts is a unit of time; else its first text. */
export function unitIn(segment: Segment, field: number, { tables }: MappingContext): string {
  const names = [1, 2, 4, 5].map((n) => segment.text(field, n)).filter((it) => it !== '');
  return names.find((it) => tables.get('TimeUnits')?.knows(it)) ?? names[0] ?? '';
}

/**
 * @param text `30`, `-15`, `1.5`, also with the unit behind it: `30 MIN`
 * @param unit as table TimeUnits has it; empty for minutes, in which appointments are counted
 * @returns ms; undefined for what is no time, or more than ten years
 */
export function amountOf(text: string, unit: string, { tables }: MappingContext): number | undefined {
  const [, number, own = ''] = /^([+-]?\d{1,9}(?:\.\d{1,6})?) ?(\D{0,20})$/.exec(text) ?? [];
  if (number === undefined) return undefined;
  const code = tables.get('TimeUnits')?.translate(own.trim() || unit || 'min')?.code ?? '';
  const ms = Math.round(Number(number) * (unitMs[code] ?? Number.NaN));
  return Math.abs(ms) <= durationDaysMax * 86_400_000 ? ms : undefined;
}

/** An instant some time later, with the offset of the start. */
export function plus(start: string | undefined, ms: number | undefined): string | undefined {
  if (!start || ms === undefined) return undefined;
  const offset = start.endsWith('Z') ? '+00:00' : start.slice(-6);
  const sign = offset.startsWith('-') ? -1 : 1;
  const shift = sign * (Number(offset.slice(1, 3)) * 60 + Number(offset.slice(4))) * 60_000;
  const local = new Date(Date.parse(start) + ms + shift);
  const year = local.getUTCFullYear();
  return year >= 1 && year <= 9999 ? local.toISOString().slice(0, 19) + offset : undefined;
}
