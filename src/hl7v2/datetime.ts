/**
 * HL7 v2 DTM/DT/TM ─▶ FHIR date, dateTime, instant, time, each with the precision that it came with.
 * HL7 v2.5.1 2.A.22: `YYYY[MM[DD[HH[MM[SS[.S[S[S[S]]]]]]]]][+/-ZZZZ]`.
 */

/** A read DTM: the parts that were there. `offset` is `+08:00` as FHIR writes it. */
export interface DateTimeParts {
  readonly year: string;
  readonly month?: string;
  readonly day?: string;
  readonly hour?: string;
  readonly minute?: string;
  readonly second?: string;
  readonly fraction?: string;
  readonly offset?: string;
}

/** More than nine digits of a fraction, a comma for its point or a blank before the offset hide nothing behind them. */
const pattern =
  /^(\d{4})(?:(\d{2})(?:(\d{2})(?:(\d{2})(?:(\d{2})(?:(\d{2})(?:[.,](\d{0,9})\d*)?)?)?)?)?)? ?(?:([+-])(\d{2}):?(\d{2})|(Z))?/;

/** `2026-03-16 10:30:15`, as a database or ISO 8601 writes it; three parts, so that it is no year with an offset. */
const separated = /^(\d{4})[-/](\d{2})[-/](\d{2})(?!\d)(?:[T ](\d{2})(?::(\d{2})(?::(\d{2}))?)?(?!\d))?/;

/**
 * Reads what is sound from the left: `20240000` is the year 2024, a malformed offset counts as none.
 * @returns undefined when not even a year can be read
 */
export function parseDateTime(text: string): DateTimeParts | undefined {
  const isSeparated = text.charAt(4) === '-' || text.charAt(4) === '/';
  const match = pattern.exec(isSeparated ? text.replace(separated, '$1$2$3$4$5$6') : text);
  if (!match || match[1] === '0000') return undefined;
  const [, year, month, day, hour, minute, second, fraction, sign, zoneHour, zoneMinute, utc] = match as (
    | string
    | undefined
  )[];
  const offset =
    sign && Number(zoneHour) <= 14 && Number(zoneMinute) < 60 && Number(zoneHour) * 60 + Number(zoneMinute) <= 840
      ? `${sign}${zoneHour}:${zoneMinute}`
      : utc && '+00:00';
  const zone = offset ? { offset } : {};
  const y = { year: year as string };
  if (!month || month < '01' || month > '12') return { ...y, ...zone };
  if (!day || day === '00' || (day > '28' && Number(day) > daysInMonth(Number(year), Number(month))))
    return { ...y, month, ...zone };
  if (!hour || hour > '23') return { ...y, month, day, ...zone };
  if (!minute || minute > '59') return { ...y, month, day, hour, ...zone };
  if (!second || second > '59') return { ...y, month, day, hour, minute, ...zone };
  return { ...y, month, day, hour, minute, second, ...(fraction && { fraction }), ...zone };
}

function daysInMonth(year: number, month: number): number {
  return new Date(Date.UTC(year, month, 0)).getUTCDate();
}

/** The local digits as a FHIR date: a birth date with a time and an offset stays the day that was written. */
export function toFhirDate(text: string): string | undefined {
  const parts = parseDateTime(text);
  if (!parts) return undefined;
  return [parts.year, parts.month, parts.day].filter((part) => part !== undefined).join('-');
}

/**
 * A FHIR dateTime. R4 datatypes.html#dateTime: with an hour there are minutes, seconds and an offset, so missing
 * minutes and seconds are zero-filled ("may be zero-filled and may be ignored").
 * @param zoneOffset gives the offset (`+08:00`) of the sender for a local time without one
 */
export function toFhirDateTime(text: string, zoneOffset: (local: string) => string): string | undefined {
  const parts = parseDateTime(text);
  if (!parts) return undefined;
  const { year, month, day, hour, minute = '00', second = '00', fraction, offset } = parts;
  if (!month) return year;
  if (!day) return `${year}-${month}`;
  if (!hour) return `${year}-${month}-${day}`;
  const local = `${year}-${month}-${day}T${hour}:${minute}:${second}`;
  return `${local}${fraction ? `.${fraction}` : ''}${offset ?? zoneOffset(local)}`;
}

/** A FHIR instant; undefined when the text has no time of day (an instant has at least seconds, zero-filled here). */
export function toFhirInstant(text: string, zoneOffset: (local: string) => string): string | undefined {
  const value = toFhirDateTime(text, zoneOffset);
  return value?.includes('T') ? value : undefined;
}

/**
 * v2 TM `HH[MM[SS[.S…]]][+ZZZZ]` as a FHIR time, without the fraction and the offset; colons between are read too.
 * @returns undefined for anything else: `08:30 PM` is not half past eight in the morning
 */
export function toFhirTime(text: string): string | undefined {
  const match = /^([01]\d|2[0-3])(?::?([0-5]\d)(?::?([0-5]\d)(?:\.\d*)?)?)?(?:[+-]\d{4})?$/.exec(text.trim());
  if (!match) return undefined;
  return `${match[1]}:${match[2] ?? '00'}:${match[3] ?? '00'}`;
}

/** The other way, for what we send: an epoch in ms as `YYYYMMDDHHMMSS+ZZZZ` in the given zone offset (`+08:00`). */
export function toDtm(epochMs: number, offset: string): string {
  const sign = offset.startsWith('-') ? -1 : 1;
  const shift = sign * (Number(offset.slice(1, 3)) * 60 + Number(offset.slice(4, 6)));
  const local = new Date(epochMs + shift * 60_000).toISOString();
  return local.slice(0, 19).replace(/[-T:]/g, '') + offset.replace(':', '');
}
