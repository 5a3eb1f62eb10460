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
/** Texts, a line each. Its words are looked for, see {@link wordsOf}; whoever writes the row makes them. */
export interface TextValue {
  readonly kind: 'text';
  readonly text: string;
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

function isAscii(text: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the range is ASCII
  return /^[\u0000-\u007f]*$/.test(text);
}

/** Case, accents and width folded: `Ａngström` and `angstrom` are the same. */
export function fold(text: string): string {
  const lower = text.toLowerCase();
  // ASCII has nothing to decompose; most names are spared the cost.
  if (isAscii(lower)) return lower;
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

/** Longer words are cut; UTF-16 code units. */
const wordLengthMax = 64;

/** Characters of a text whose words are indexed. */
const wordTextMax = 4_000_000;

const inWord = /[\p{L}\p{N}]/u;
const han = /\p{Script=Han}/u;

/** By UTF-16 code unit: 1 between words, 2 in a word, 3 in a word of Han characters; 0 not asked yet. */
const kinds = new Uint8Array(0x10000);

function kindAt(text: string, at: number): number {
  const unit = text.charCodeAt(at);
  const known = kinds[unit] as number;
  if (known !== 0) return known;
  // A half of a pair alone says nothing.
  const character = String.fromCodePoint(text.codePointAt(at) as number);
  const kind = !inWord.test(character) ? 1 : han.test(character) ? 3 : 2;
  if (character.length === 1) kinds[unit] = kind;
  return kind;
}

/**
 * The words of a text for `_text` and `_content`. Chinese has no blanks between words: of a run of Han characters each
 * character and each pair is a word, so that any part of it is found.
 */
export function wordsOf(text: string): Set<string> {
  const words = new Set<string>();
  // By lines: most are ASCII, which takes a third of the time.
  for (const line of text.slice(0, wordTextMax).split('\n')) {
    addWords(fold(line), words);
    if (words.size > wordsMax) break;
  }
  return words;
}

/** False for a text that has none of them. */
export function hasWords(text: string): boolean {
  // A sign may be folded to letters (`™`), so the quick look is not enough for a no.
  return inWord.test(text) || wordsOf(text).size > 0;
}

function addWords(folded: string, words: Set<string>): void {
  if (isAscii(folded)) {
    for (const word of folded.match(/[a-z0-9]+/g) ?? []) {
      if (words.size > wordsMax) return;
      words.add(word.slice(0, wordLengthMax));
    }
    return;
  }
  let before = '';
  for (let at = 0; at < folded.length && words.size <= wordsMax; ) {
    const kind = kindAt(folded, at);
    if (kind === 3) {
      const character = String.fromCodePoint(folded.codePointAt(at) as number);
      words.add(character);
      if (before) words.add(before + character);
      before = character;
      at += character.length;
      continue;
    }
    before = '';
    const from = at;
    do at += isPair(folded, at) ? 2 : 1;
    while (kind === 2 && at < folded.length && kindAt(folded, at) === 2);
    if (kind === 2) words.add(folded.slice(from, Math.min(at, from + wordLengthMax)));
  }
}

function isPair(text: string, at: number): boolean {
  return (text.codePointAt(at) as number) > 0xffff;
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
      return value.text;
    case 'position':
      return `${value.latitude}|${value.longitude}`;
  }
}
