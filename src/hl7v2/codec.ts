/** Bytes ─▶ text and back in one character set. Nothing is guessed, and no broken byte becomes a replacement character. */
import { isAscii } from 'node:buffer';
import type { Charset } from './charset-names.ts';
import { type Inverse, inverseOf, textOf, writePacked } from './code-tables.ts';
import { decodeEucKr, eucKrInverse } from './euc-kr.ts';
import { decodeEucTw, eucTwInverse } from './euc-tw.ts';
import { decodeIso2022, encodeIso2022 } from './iso2022.ts';

const decoders = new Map<string, TextDecoder>();

function fatally(bytes: Uint8Array, label: string): string | undefined {
  let decoder = decoders.get(label);
  if (!decoder) {
    decoder = new TextDecoder(label, { fatal: true });
    decoders.set(label, decoder);
  }
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function decodeUtf32(bytes: Uint8Array, little: boolean): string | undefined {
  if (bytes.length % 4 !== 0) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const units = new Uint16Array(bytes.length / 2);
  let length = 0;
  for (let at = 0; at < bytes.length; at += 4) {
    const point = view.getUint32(at, little);
    if (point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) return undefined;
    if (point > 0xffff) units[length++] = 0xd7c0 + (point >> 10);
    units[length++] = point > 0xffff ? 0xdc00 + (point & 0x3ff) : point;
  }
  return textOf(units, length);
}

function decodeJisX0201(bytes: Uint8Array): string | undefined {
  const units = new Uint16Array(bytes.length);
  for (const [i, byte] of bytes.entries()) {
    if (byte >= 0x80 && (byte < 0xa1 || byte > 0xdf)) return undefined;
    units[i] = byte < 0x80 ? byte : 0xff61 + byte - 0xa1;
  }
  return textOf(units, units.length);
}

/** The sets of an `iso-2022:` name, the base first. */
function partsOf(charset: Charset): string[] {
  return charset.slice(9).split('+');
}

/**
 * What decoders make of bytes that are not of the set: C1 control characters, which no set of table 0211 has, and U+F8F8 of
 * the byte FF in Big5.
 */
const strange = /[\u0080-\u009f\uf8f8]/;

/** How a message was declared beyond its set. */
export interface Manner {
  /** UTF-16 and UTF-32 without their order in the name: as the byte-order mark said. */
  readonly little?: boolean;
  /** MSH-20 is `2.3`. */
  readonly spelled?: boolean;
}

/**
 * All bytes in one set, without a byte-order mark. ISO 8859/1 and 8859/9 are read as the Windows code pages 1252 and 1254,
 * as the Encoding Standard does: they add printable characters where ISO has none.
 * @returns undefined when a byte is not of the set
 */
export function decodeAs(bytes: Uint8Array, charset: Charset, { little = false, spelled = false }: Manner = {}) {
  if (charset.startsWith('utf-16'))
    return fatally(bytes, charset === 'utf-16le' || (charset === 'utf-16' && little) ? 'utf-16le' : 'utf-16be');
  if (charset.startsWith('utf-32'))
    return decodeUtf32(bytes, charset === 'utf-32le' || (charset === 'utf-32' && little));
  if (charset.startsWith('iso-2022:')) return decodeIso2022(bytes, partsOf(charset), spelled);
  if (isAscii(bytes)) return asBuffer(bytes).toString('latin1');
  switch (charset) {
    case 'ascii':
      return undefined;
    case 'utf-8':
    case 'gb18030':
      return fatally(bytes, charset);
    case 'euc-tw':
      return decodeEucTw(bytes);
    case 'euc-kr':
      return decodeEucKr(bytes);
    case 'jis_x0201':
      return decodeJisX0201(bytes);
  }
  const text = fatally(bytes, charset);
  return text === undefined || strange.test(text) ? undefined : text;
}

const made = new Map<Charset, Inverse>();

function inverseFor(charset: Charset): Inverse {
  if (charset === 'euc-tw') return eucTwInverse();
  if (charset === 'euc-kr') return eucKrInverse();
  let table = made.get(charset);
  if (!table) {
    table =
      charset === 'ascii' || charset === 'jis_x0201' ? new Uint32Array(0x10000) : Uint32Array.from(inverseOf(charset));
    if (charset === 'jis_x0201') for (let i = 0; i < 63; i++) table[0xff61 + i] = 0xa1 + i;
    // A header that could not be decoded is read byte by byte and goes back so.
    if (charset === 'iso-8859-1') for (let i = 0x80; i < 0x100; i++) table[i] ||= i;
    made.set(charset, table);
  }
  return table;
}

function encodeByTable(text: string, charset: Charset): Buffer {
  const inverse = inverseFor(charset);
  const out = Buffer.alloc(text.length * 4);
  let length = 0;
  for (const char of text) {
    const point = char.codePointAt(0) as number;
    const packed = point < 0x80 ? point : point <= 0xffff ? (inverse[point] as number) : beyond(point, charset);
    length = writePacked(out, length, packed === 0 && point !== 0 ? 0x3f : packed);
  }
  return out.subarray(0, length);
}

/** GB18030 counts the characters above U+FFFF through from 90308130; no other table set has any. */
function beyond(point: number, charset: Charset): number {
  if (charset !== 'gb18030') return 0;
  const n = point - 0x10000;
  const [a, b, c, d] = [Math.floor(n / 12_600), Math.floor(n / 1260) % 10, Math.floor(n / 10) % 126, n % 10];
  return (0x90 + a) * 0x1000000 + (0x30 + b) * 0x10000 + (0x81 + c) * 0x100 + 0x30 + d;
}

function encodeWide(text: string, charset: Charset): Buffer {
  const little = charset.endsWith('le');
  const marked = charset.endsWith('le') || charset.endsWith('be') ? text : `\ufeff${text}`;
  if (charset.startsWith('utf-16')) {
    const bytes = Buffer.from(marked, 'utf16le');
    return little ? bytes : bytes.swap16();
  }
  const points = Uint32Array.from(marked, (char) => char.codePointAt(0) as number);
  const bytes = Buffer.from(points.buffer);
  return little ? bytes : bytes.swap32();
}

/** Text to bytes in a set; what the set lacks becomes one `?`. `utf-16` and `utf-32` get a byte-order mark. */
export function encodeAs(text: string, charset: Charset): Buffer {
  if (charset === 'utf-8') return Buffer.from(text, 'utf8');
  if (/^utf-(16|32)/.test(charset)) return encodeWide(text, charset);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the range is ASCII
  if (/^[\u0000-\u007f]*$/.test(text) && !charset.startsWith('iso-2022:')) return Buffer.from(text, 'latin1');
  return charset.startsWith('iso-2022:') ? encodeIso2022(text, partsOf(charset)) : encodeByTable(text, charset);
}
