/** Search values: what stands in the search rows of a resource, by kind. R4 search.html. */
import type { Range } from './date-range.ts';

export type IndexKind =
  | 'token'
  | 'string'
  | 'date'
  | 'reference'
  | 'number'
  | 'quantity'
  | 'composite'
  | 'text'
  | 'position';

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
/** A number is a point (`low` = `high`), a Range both of its ends. */
export interface NumberValue extends Range {
  readonly kind: 'number';
}
/** As written, and once more in UCUM base units with the system {@link canonicalUnits}. */
export interface QuantityValue extends Range {
  readonly kind: 'quantity';
  readonly system: string;
  readonly code: string;
}
/** The values of one element that belong together, in the order of the components; two or three. */
export interface CompositeValue {
  readonly kind: 'composite';
  readonly parts: readonly SimpleValue[];
}
/** The words of a text, each once, sorted, with blanks between. */
export interface TextValue {
  readonly kind: 'text';
  readonly words: string;
}
/** Degrees. */
export interface PositionValue {
  readonly kind: 'position';
  readonly latitude: number;
  readonly longitude: number;
}
export type SimpleValue = TokenValue | StringValue | DateValue | ReferenceValue | NumberValue | QuantityValue;
export type SearchValue = SimpleValue | CompositeValue | TextValue | PositionValue;

/** The system of a quantity that has been brought to UCUM base units; no client can name it. */
export const canonicalUnits = '\u0001ucum';

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

/** A string as a row holds it; NUL, which no database can search for, is left out. */
export function stringValue(text: string): StringValue {
  const cut = (it: string): string => it.slice(0, stringLengthMax).toWellFormed();
  const clean = text.replaceAll('\0', '');
  return { kind: 'string', norm: cut(fold(clean)), text: cut(clean) };
}

/** Words kept of one text at most: a book is found by its beginning. */
const wordsMax = 20_000;

/** Characters of a text whose words are indexed. */
const wordTextMax = 4_000_000;

/**
 * The words of a text for `_text` and `_content`. Chinese has no blanks between words: of a run of Han characters each
 * character and each pair is a word, so that any part of it is found.
 */
export function wordsOf(text: string): Set<string> {
  const words = new Set<string>();
  // A pattern over one word of nine million characters overflows the stack: so much text is not indexed.
  for (const [run] of fold(text.slice(0, wordTextMax)).matchAll(
    /(?:(?=\p{Script=Han})[\p{L}\p{N}])+|(?:(?!\p{Script=Han})[\p{L}\p{N}])+/gu,
  )) {
    if (words.size > wordsMax) break;
    if (!/^\p{Script=Han}/u.test(run)) words.add(run.slice(0, 64));
    else for (const word of hanWords(run)) words.add(word);
  }
  return words;
}

function* hanWords(run: string): Iterable<string> {
  let before = '';
  for (const character of run) {
    yield character;
    if (before) yield before + character;
    before = character;
  }
}

/** Equal for equal values of the same parameter, and for no others: lengths tell where one text ends. */
export function rowKey(value: SearchValue): string {
  switch (value.kind) {
    case 'token':
      return `${value.system.length}|${value.system}${value.code}`;
    case 'string':
      return value.text;
    case 'date':
    case 'number':
      return `${value.low}|${value.high}`;
    case 'quantity':
      return `${value.low}|${value.high}|${value.system.length}|${value.system}${value.code}`;
    case 'reference':
      return `${value.target}|${value.id}`;
    case 'composite':
      return value.parts
        .map(rowKey)
        .map((key) => `${key.length}|${key}`)
        .join('');
    case 'text':
      return value.words;
    case 'position':
      return `${value.latitude}|${value.longitude}`;
  }
}
