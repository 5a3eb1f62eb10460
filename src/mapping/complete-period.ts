/**
 * per-1: a Period begins before it ends, and both can be compared. `2026-02-01` and `2026-02-01T08:16:00+08:00` cannot
 * (FHIRPath N1 6.2), and a validator refuses them; so the finer one is written as a day too, and stands in full in an
 * extension. It comes back when a later message says the other as finely. A begin that is a month or a year goes aside.
 */
import { dateRange } from '../fhir/search/date-range.ts';
import type { Zone } from '../fhir/zone.ts';
import type { Json } from './context.ts';

type End = 'start' | 'end';

const url = (end: End): string => `https://aftercare.example/fhir/StructureDefinition/v2-period-${end}`;

/**
 * Makes a Period sound; twice is as good as once. The end is what a discharge is about, so a begin that is later goes aside;
 * which of the two the sender got wrong, nobody can tell here.
 * @param period any object that may have a start and an end
 */
export function soundPeriod(period: Json, zone: Zone): void {
  if (period.extension) restore(period, zone);
  const { start, end } = period;
  if (typeof start !== 'string' || typeof end !== 'string') return;
  const [begun, ended] = [dateRange(start, zone), dateRange(end, zone)];
  if (!begun || !ended) return;
  const length = Math.min(precisionOf(start), precisionOf(end));
  const isLater = begun.low >= ended.high;
  if (!isLater && isBefore(start, end, length)) return;
  if (isLater || start.length < day) {
    setAside(period, 'start');
    delete period.start;
    return;
  }
  for (const key of ['start', 'end'] as const) {
    if (precisionOf(period[key]) === length) continue;
    setAside(period, key);
    period[key] = shortened(period[key], length);
  }
  // Midnight of the zone is not that of the offset.
  if (length === day && period.start > period.end)
    for (const [key, text] of Object.entries({ start, end }))
      if (text.length > day) period[key] = zone.dayOf(Date.parse(text));
}

const day = 10;
const seconds = 19;

/** Characters that count for how precise it is: 4, 7, 10, to the second, or more. */
function precisionOf(text: string): number {
  if (text.length <= day) return text.length;
  return text.includes('.') ? text.length : seconds;
}

function shortened(text: string, length: number): string {
  return length === seconds ? text.replace(/\.\d+/, '') : text.slice(0, length);
}

/** True when the one is before the other, wherever a day of the coarser is a day. */
function isBefore(start: string, end: string, length: number): boolean {
  if (length >= seconds || (length === start.length && length === end.length))
    return Date.parse(start) <= Date.parse(end);
  const days = (text: string): string[] =>
    [text, text.length > day ? new Date(Date.parse(text)).toISOString() : text].map((it) => it.slice(0, length));
  return days(start).every((begin) => days(end).every((it) => begin < it));
}

function setAside(period: Json, key: End): void {
  const others = (period.extension ?? []).filter((it: Json) => it.url !== url(key));
  period.extension = [...others, { url: url(key), valueDateTime: period[key] }];
}

/** What stands in full in an extension is the value again, if the value still is its beginning; else it is of the past. */
function restore(period: Json, zone: Zone): void {
  for (const key of ['start', 'end'] as const) {
    const exact = period.extension?.find((it: Json) => it.url === url(key))?.valueDateTime;
    const short = period[key];
    // A begin that was later than the end stands aside alone.
    if (typeof exact !== 'string' || (key === 'start' && short === undefined)) continue;
    if (typeof short === 'string' && isShortOf(short, exact, zone)) period[key] = exact;
    const others = period.extension.filter((it: Json) => it.url !== url(key));
    if (others.length > 0) period.extension = others;
    else delete period.extension;
  }
}

function isShortOf(short: string, exact: string, zone: Zone): boolean {
  if (exact.startsWith(short) || exact.replace(/\.\d+/, '') === short) return true;
  return exact.length > day && short === zone.dayOf(Date.parse(exact));
}
