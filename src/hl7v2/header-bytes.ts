/**
 * The first segment of a message before anybody knows its character set: where its fields begin and end in the bytes.
 */
import { isAscii } from 'node:buffer';
import { type Charset, charsetOf } from './charset-names.ts';
import { escapeSequence } from './iso2022-sets.ts';

/** What the first bytes prove: a byte-order mark, or letters with zeros between them. */
export interface Shape {
  /** Bytes of the byte-order mark. */
  readonly mark: number;
  /** Bytes of a code unit. */
  readonly width: 1 | 2 | 4;
  readonly little: boolean;
  readonly charset?: Charset;
}

const plain: Shape = { mark: 0, width: 1, little: false };

const marks: readonly [readonly number[], Shape][] = [
  [[0xef, 0xbb, 0xbf], { mark: 3, width: 1, little: false, charset: 'utf-8' }],
  [[0x84, 0x31, 0x95, 0x33], { mark: 4, width: 1, little: false, charset: 'gb18030' }],
  [[0xff, 0xfe, 0, 0], { mark: 4, width: 4, little: true, charset: 'utf-32' }],
  [[0, 0, 0xfe, 0xff], { mark: 4, width: 4, little: false, charset: 'utf-32' }],
  [[0xff, 0xfe], { mark: 2, width: 2, little: true, charset: 'utf-16' }],
  [[0xfe, 0xff], { mark: 2, width: 2, little: false, charset: 'utf-16' }],
];

function isCapital(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x41 && byte <= 0x5a;
}

/** Reads a byte-order mark, or the zeros that UTF-16 and UTF-32 put between the letters of `MSH`. */
export function shapeOf(bytes: Uint8Array): Shape {
  const [a, b, c, d] = bytes;
  if (a === 0x4d && b === 0x53) return plain;
  for (const [mark, shape] of marks) if (mark.every((byte, i) => bytes[i] === byte)) return shape;
  if (isCapital(a) && b === 0 && isCapital(c) && d === 0)
    return { mark: 0, width: 2, little: true, charset: 'utf-16le' };
  if (a === 0 && isCapital(b) && c === 0 && isCapital(d))
    return { mark: 0, width: 2, little: false, charset: 'utf-16be' };
  if (isCapital(a) && b === 0 && c === 0 && d === 0) return { mark: 0, width: 4, little: true, charset: 'utf-32le' };
  if (a === 0 && b === 0 && c === 0 && isCapital(d)) return { mark: 0, width: 4, little: false, charset: 'utf-32be' };
  return plain;
}

/** The code unit that begins at a byte; NaN behind the end. */
export function unitAt(bytes: Uint8Array, at: number, { width, little }: Shape): number {
  if (width === 1) return bytes[at] ?? Number.NaN;
  let unit = 0;
  for (let i = 0; i < width; i++) {
    const byte = bytes[at + (little ? width - 1 - i : i)];
    if (byte === undefined) return Number.NaN;
    unit = unit * 256 + byte;
  }
  return unit;
}

/**
 * Which bytes belong together: `pairs` of GB18030 and Big5 and the pairs of Shift_JIS may have a separator as their
 * second byte; everything else has none above ASCII.
 */
export type Reading = 'single' | 'pairs' | 'shift_jis';

/** How a set is read; Korean and the EUC sets have no second bytes that look like separators. */
export function readingOf(charset: Charset | undefined): Reading {
  if (charset === 'gb18030' || charset === 'big5') return 'pairs';
  return charset === 'shift_jis' ? 'shift_jis' : 'single';
}

function leads(byte: number, reading: Reading): boolean {
  if (byte <= 0x80 || reading === 'single') return false;
  return reading === 'pairs' || byte < 0xa0 || byte >= 0xe0;
}

const headerBytesMax = 16_384;

/** MSH-20 is the last field that anybody looks for here. */
const fieldsMax = 20;

/**
 * Where the fields of the first segment are: `[i]` is the offset of separator i + 1, the entry behind the last separator
 * the end of the segment. MSH-n stands behind separator n - 1, as MSH-1 is the first. Empty when nothing is separated.
 */
export function separators(bytes: Uint8Array, reading: Reading, shape: Shape = plain): number[] {
  const { width, mark } = shape;
  const end = Math.min(bytes.length, headerBytesMax);
  const first = mark + 3 * width;
  const separator = unitAt(bytes, first, shape);
  const found: number[] = [];
  let wide = false;
  let at = first;
  for (; at < end && found.length <= fieldsMax; at += width) {
    const unit = unitAt(bytes, at, shape);
    if (unit === 0x0d || unit === 0x0a) break;
    if (width === 1 && unit === 0x1b) {
      // Two-byte characters behind an ISO 2022 escape sequence may look like separators too.
      const sequence = escapeSequence(bytes, at);
      if (sequence.length > 1) wide = sequence.charAt(1) === '$' && !/[)*+]/.test(sequence.charAt(2));
      at += sequence.length - 1;
    } else if (wide && unit > 0x20) at++;
    else if (unit === separator) found.push(at);
    else if (width === 1 && leads(unit, reading)) at++;
  }
  if (found.length > 0 && found.length <= fieldsMax) found.push(Math.min(at, bytes.length));
  return found;
}

/** The bytes of MSH-n (from 3); empty at the end of the segment when it is not there. */
export function fieldSpan(offsets: readonly number[], n: number, width: number): { from: number; to: number } {
  const last = offsets.at(-1) ?? 0;
  const from = offsets[n - 2];
  const to = offsets[n - 1];
  return from === undefined || to === undefined ? { from: last, to: last } : { from: from + width, to };
}

/** What MSH-18 and MSH-20 say. */
export interface Declaration {
  /** MSH-18 as written. */
  readonly text: string;
  /** Its repetitions; none when it is empty. */
  readonly repetitions: readonly string[];
  /** MSH-20. */
  readonly scheme: string;
}

const declarationCharsMax = 200;

function declarationAs(bytes: Uint8Array, reading: Reading): Declaration {
  const offsets = separators(bytes, reading);
  const textOf = (n: number): string => {
    const { from, to } = fieldSpan(offsets, n, 1);
    return Buffer.from(bytes.buffer, bytes.byteOffset + from, Math.min(to - from, declarationCharsMax))
      .toString('latin1')
      .trim();
  };
  const [component, repetition] = [bytes[4] ?? 0x5e, bytes[5] ?? 0x7e].map((byte) => String.fromCharCode(byte));
  return declaration(textOf(18), textOf(20), component as string, repetition as string);
}

/** Cuts MSH-18. `^ISO IR87` is seen where `~ISO IR87` is meant, and no name has a component separator in it. */
export function declaration(text: string, scheme: string, component: string, repetition: string): Declaration {
  const names = text.split(component).join(repetition).split(repetition);
  const repetitions = names.map((name) => name.trim());
  return { text, scheme, repetitions: repetitions.every((name) => name === '') ? [] : repetitions };
}

/** Where the first segment ends in bytes whose units are single bytes; no second byte is a CR or LF in any set. */
export function headerEnd(bytes: Uint8Array): number {
  const end = Math.min(bytes.length, headerBytesMax);
  let at = 0;
  while (at < end && bytes[at] !== 0x0d && bytes[at] !== 0x0a) at++;
  return at;
}

/**
 * MSH-18 and MSH-20 of a message in bytes whose units are single bytes, without a mark.
 * @param siteDefault the set when MSH-18 is empty, which also says how the header is read then
 */
export function declarationOf(bytes: Uint8Array, siteDefault: Charset): Declaration {
  if (isAscii(bytes.subarray(0, headerEnd(bytes)))) return declarationAs(bytes, 'single');
  const nameOf = ({ repetitions }: Declaration): Charset | undefined => charsetOf(repetitions[0] ?? '');
  // Read by pairs first: only a set of pairs may be believed so, everything else is what stands between single bytes.
  const pairs = declarationAs(bytes, 'pairs');
  if (readingOf(nameOf(pairs)) === 'pairs') return pairs;
  const shiftJis = declarationAs(bytes, 'shift_jis');
  if (nameOf(shiftJis) === 'shift_jis') return shiftJis;
  const single = declarationAs(bytes, 'single');
  if (single.text === '' || nameOf(single)) return single;
  // A name that nobody knows may be another field, moved here by a second byte that is no separator.
  const reading = readingOf(siteDefault);
  const expected = reading === 'pairs' ? pairs : shiftJis;
  return reading !== 'single' && expected.text === '' ? expected : single;
}
