/** Values ─▶ HL7 v2 text: escaped, in the delimiters that everybody uses. HL7 v2.5.1 chapter 2, 2.5.3 and 2.7. */
import type { Zone } from '../fhir/zone.ts';
import { toDtm } from '../hl7v2/datetime.ts';
import { escapeText } from '../hl7v2/escape.ts';
import type { Delimiters } from '../hl7v2/message.ts';

export const delimiters: Delimiters = { field: '|', component: '^', repetition: '~', escape: '\\', subcomponent: '&' };

/** One value as a component or subcomponent; empty for nothing. Line ends become `\.br\`, other control characters go. */
export function st(value: unknown): string {
  if (value === undefined || value === null) return '';
  const text = String(value).toWellFormed().replace(/\r\n?/g, '\n').replaceAll('\t', ' ');
  // Two quotation marks alone would delete what the receiver has stored (2.5.3).
  return text === '""' ? '\\X2222\\' : escapeText(text, delimiters);
}

/** Values that are escaped already, as components; empty ones at the end go. */
export function components(...parts: readonly (string | undefined)[]): string {
  return joined(parts, delimiters.component);
}

export function subcomponents(...parts: readonly (string | undefined)[]): string {
  return joined(parts, delimiters.subcomponent);
}

/** The repetitions of a field; empty ones go. */
export function repetitions(parts: readonly (string | undefined)[]): string {
  return parts.filter((it) => it).join(delimiters.repetition);
}

/** A segment by the numbers of its fields, whose texts are escaped already. */
export function segment(name: string, fields: Readonly<Record<number, string | undefined>>): string {
  const last = Math.max(0, ...Object.keys(fields).map(Number));
  const parts = Array.from({ length: last }, (_, i) => fields[i + 1] ?? '');
  return [name, joined(parts, delimiters.field)].join(delimiters.field).replace(/\|$/, '');
}

function joined(parts: readonly (string | undefined)[], delimiter: string): string {
  let last = parts.length;
  while (last > 0 && !parts[last - 1]) last--;
  return parts
    .slice(0, last)
    .map((it) => it ?? '')
    .join(delimiter);
}

/** A FHIR date, dateTime or instant with the precision that it has; a time in the zone of the site, with its offset. */
export function dtm(value: unknown, zone: Zone): string {
  if (typeof value !== 'string') return '';
  if (value.length <= 10) return value.replaceAll('-', '');
  const epochMs = Date.parse(value);
  return Number.isNaN(epochMs) ? '' : toDtm(epochMs, zone.offsetAt(epochMs));
}

/** A number as NM writes it: without an exponent. */
export function nm(value: unknown): string {
  if (typeof value !== 'number' || !Number.isFinite(value)) return '';
  const text = String(value);
  return text.includes('e') ? value.toLocaleString('en-US', { useGrouping: false, maximumFractionDigits: 20 }) : text;
}
