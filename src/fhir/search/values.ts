/** FHIR values ─▶ search values, by the kind of the parameter. R4 search.html sections for string, token, reference, date. */

import { parseReference } from '../reference.ts';
import type { Json } from '../types.ts';
import type { Zone } from '../zone.ts';
import { beginningOfTime, dateRange, endOfTime, type Range } from './date-range.ts';
import type { Found } from './expression.ts';

export type IndexKind = 'token' | 'string' | 'date' | 'reference';

/** `system` is empty for a code without one. */
export interface TokenValue {
  readonly kind: 'token';
  readonly system: string;
  readonly code: string;
}
/** `norm` is folded for comparison, `text` as written. */
export interface StringValue {
  readonly kind: 'string';
  readonly norm: string;
  readonly text: string;
}
/** ms since 1970 UTC, `[low, high)`. */
export interface DateValue extends Range {
  readonly kind: 'date';
}
/** `target` is the type and `id` the id; for a foreign URL or canonical `target` is empty and `id` the URL. */
export interface ReferenceValue {
  readonly kind: 'reference';
  readonly target: string;
  readonly id: string;
}
export type SearchValue = TokenValue | StringValue | DateValue | ReferenceValue;

/** Longer strings are cut: an index key of a whole note helps nobody. Characters. */
export const stringLengthMax = 512;

/** Case, accents and width folded: `Ａngström` and `angstrom` are the same. */
export function fold(text: string): string {
  const lower = text.toLowerCase();
  // ASCII has nothing to decompose; most names are spared the cost.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the range is ASCII
  if (/^[\u0000-\u007f]*$/.test(lower)) return lower;
  return lower.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();
}

/** The search values of one found value. */
export function valuesOf(kind: IndexKind, found: Found, zone: Zone): SearchValue[] {
  switch (kind) {
    case 'token':
      return tokens(found);
    case 'string':
      return strings(found).map((text) => ({
        kind: 'string',
        norm: fold(text).slice(0, stringLengthMax),
        text: text.slice(0, stringLengthMax),
      }));
    case 'date':
      return dates(found, zone);
    case 'reference':
      return references(found);
  }
}

function token(system: string | undefined, code: unknown): TokenValue[] {
  return code === undefined || code === '' ? [] : [{ kind: 'token', system: system ?? '', code: String(code) }];
}

function tokens({ type, value }: Found): TokenValue[] {
  switch (type) {
    case 'Coding':
      return token(value.system, value.code);
    case 'CodeableConcept':
      return (value.coding ?? []).flatMap((coding: Json) => token(coding.system, coding.code));
    case 'Identifier':
      return token(value.system, value.value);
    case 'ContactPoint':
      // R4 search.html#token: a ContactPoint has no system for search; `telecom` and `phone` go by value.
      return token('', value.value);
    default:
      return typeof value === 'object' ? [] : token('', value);
  }
}

function strings({ type, value }: Found): string[] {
  const parts: unknown[] =
    type === 'HumanName'
      ? [
          value.text,
          value.family,
          ...(value.given ?? []),
          ...(value.prefix ?? []),
          ...(value.suffix ?? []),
          wholeName(value),
        ]
      : type === 'Address'
        ? [value.text, ...(value.line ?? []), value.city, value.district, value.state, value.country, value.postalCode]
        : [value];
  return [...new Set(parts.filter((part): part is string => typeof part === 'string' && part !== ''))];
}

/** Chinese names are searched whole (张伟) and are sent in parts; there is no blank between the parts. */
function wholeName(name: Json): string | undefined {
  const { family, given } = name;
  return family && given?.[0] && /\p{Script=Han}/u.test(family) ? family + given.join('') : undefined;
}

function dates({ type, value }: Found, zone: Zone): DateValue[] {
  const range = (text: unknown): Range | undefined => (typeof text === 'string' ? dateRange(text, zone) : undefined);
  switch (type) {
    case 'Period': {
      const [start, end] = [range(value.start), range(value.end)];
      if (!start && !end) return [];
      return [{ kind: 'date', low: start?.low ?? beginningOfTime, high: end?.high ?? endOfTime }];
    }
    case 'Timing': {
      const events = (value.event ?? []).map(range).filter((it: Range | undefined) => it);
      if (events.length === 0) return [];
      const low = Math.min(...events.map((it: Range) => it.low));
      return [{ kind: 'date', low, high: Math.max(...events.map((it: Range) => it.high)) }];
    }
    default: {
      const found = range(value);
      return found ? [{ kind: 'date', ...found }] : [];
    }
  }
}

function references({ type, value }: Found): ReferenceValue[] {
  const text: unknown = type === 'Reference' ? value.reference : value;
  if (typeof text !== 'string' || text === '' || text.startsWith('#')) return [];
  if (type !== 'Reference') return [{ kind: 'reference', target: '', id: text }];
  const parsed = parseReference(text);
  return [{ kind: 'reference', target: parsed?.type ?? '', id: parsed?.id ?? text }];
}
