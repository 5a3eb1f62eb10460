/**
 * FHIR dates as ranges of milliseconds. R4 search.html#date: a date stands for all instants that its precision allows.
 */
import type { Zone } from '../zone.ts';

/** `[low, high)` in ms since 1970 UTC. */
export interface Range {
  readonly low: number;
  readonly high: number;
}

/** Open ends of a Period: before and after every date that R4 can write. */
export const beginningOfTime = -62_200_000_000_000;
export const endOfTime = 253_500_000_000_000;

const pattern = /^(\d{4})(?:-(\d{2})(?:-(\d{2})(?:T(\d{2}):(\d{2})(?::(\d{2})(?:\.(\d+))?)?(Z|[+-]\d{2}:\d{2})?)?)?)?$/;

/** To the second or millisecond, with an offset; a 60th second goes the long way. */
const instant = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:[0-5]\d(?:\.\d{3})?(?:Z|[+-]\d{2}:\d{2})$/;

/**
 * @param text a FHIR date, dateTime or instant, also with minutes only as search values may be
 * @param zone the zone of a time without an offset, and of a day
 * @returns undefined for what is not a date
 */
export function dateRange(text: string, zone: Zone): Range | undefined {
  if (instant.test(text)) {
    // What the server itself stamps, and most of what is stored: no parts are needed.
    const low = Date.parse(text);
    if (!Number.isNaN(low)) return { low, high: low + (text.charCodeAt(19) === 0x2e ? 1 : 1000) };
  }
  const match = pattern.exec(text);
  if (!match) return undefined;
  const [, year, month, day, hour, minute, second, fraction, offset] = match as (string | undefined)[];
  const y = Number(year);
  if (!month) return local(y, 1, 1, zone, y + 1, 1, 1);
  const m = Number(month);
  if (m < 1 || m > 12) return undefined;
  if (!day) return m === 12 ? local(y, 12, 1, zone, y + 1, 1, 1) : local(y, m, 1, zone, y, m + 1, 1);
  const d = Number(day);
  if (d < 1 || (d > 28 && d > new Date(Date.UTC(y, m, 0)).getUTCDate())) return undefined;
  if (!hour) return local(y, m, d, zone, y, m, d + 1);
  if (hour > '23' || (minute as string) > '59' || (second ?? '00') > '60') return undefined;
  const written = `${year}-${month}-${day}T${hour}:${minute}:${second === '60' ? '59' : (second ?? '00')}`;
  const base = Date.parse(written + (offset ?? zone.offsetOf(written)));
  if (Number.isNaN(base)) return undefined;
  if (!second) return { low: base, high: base + 60_000 };
  if (!fraction) return { low: base, high: base + 1000 };
  const ms = Number(fraction.slice(0, 3).padEnd(3, '0'));
  const width = fraction.length === 1 ? 100 : fraction.length === 2 ? 10 : 1;
  return { low: base + ms, high: base + ms + width };
}

function local(y1: number, m1: number, d1: number, zone: Zone, y2: number, m2: number, d2: number): Range {
  return { low: midnight(y1, m1, d1, zone), high: midnight(y2, m2, d2, zone) };
}

function midnight(year: number, month: number, day: number, zone: Zone): number {
  const utc = new Date(0);
  utc.setUTCFullYear(year, month - 1, day);
  const iso = utc.toISOString().slice(0, 19);
  return Date.parse(`${iso}${iso.startsWith('+') ? 'Z' : zone.offsetOf(iso)}`);
}
