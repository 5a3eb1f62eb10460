/**
 * Character sets of HL7 v2 messages: MSH-18 (table 0211 and the names seen in the field) to a decoder and back.
 * A message is framed on bytes, decoded whole, and only then split: trail bytes of GB18030 are also `\ | ^ ~`.
 *
 * MLLP frames on the bytes VT, FS and CR, which UTF-16 and UTF-32 have inside their characters (U+0B1C, U+0D00 …), so HL7
 * forbids both over MLLP: a frame may be cut inside a character there, and what remains is then refused as broken, never
 * garbled. Files and HTTP bodies have no frame and may be in either.
 */
import { isAscii, isUtf8 } from 'node:buffer';
import { type Charset, charsetOf, charsetsOf, isBareUnicode } from './charset-names.ts';
import { decodeAs, encodeAs } from './codec.ts';
import {
  type Declaration,
  declaration,
  declarationOf,
  headerEnd,
  type Shape,
  shapeOf,
  unitAt,
} from './header-bytes.ts';
import { cut } from './message.ts';

export { type Charset, charsetOf };

/** What {@link decode} gives: the text and the set it was read with, or why it could not be read. */
export type Decoded = { text: string; charset: Charset } | { error: string; declared: string };

function isSingleByte(charset: Charset): boolean {
  return charset.startsWith('iso-8859-') || charset.startsWith('windows-');
}

/**
 * True when bytes are UTF-8 although their declaration says another set, which would read them without an error but as other
 * characters. In a set of single bytes no text is UTF-8 by chance; in one of pairs two-byte sequences happen (GBK `谩` is
 * UTF-8 `á`), a whole message with a three-byte sequence does not.
 */
function isUtf8InDisguise(bytes: Uint8Array, charset: Charset): boolean {
  return isUtf8(bytes) && (isSingleByte(charset) || bytes.some((byte) => byte >= 0xe0));
}

/** ESC $ switches to a set of two bytes: text of seven bits that is not what it looks like. */
function hasSwitch(bytes: Uint8Array): boolean {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).includes('\u001b$');
}

function isSwitched(charset: Charset): boolean {
  return charset.startsWith('iso-2022:');
}

/** The bytes in a set that they are declared to be in; undefined when they are not, or are surely something else. */
function read(bytes: Uint8Array, charset: Charset, shape: Shape, scheme: string): string | undefined {
  if (charset.startsWith('utf-16') || charset.startsWith('utf-32')) return undefined;
  if (isSwitched(charset)) return decodeAs(bytes, charset, { spelled: scheme === '2.3' });
  if (isAscii(bytes)) return hasSwitch(bytes) ? undefined : decodeAs(bytes, charset);
  if (charset === 'utf-8') return decodeAs(bytes, charset);
  if (shape.charset !== undefined && shape.charset !== charset) return undefined;
  return isUtf8InDisguise(bytes, charset) ? undefined : decodeAs(bytes, charset);
}

const headerUnitsMax = 4096;

const guesses: readonly Charset[] = ['gb18030', 'big5', 'euc-kr', 'shift_jis', 'euc-jp'];

const privateUse = /[\ue000-\uf8ff]/;

/** Sets that the bytes are valid in, for the person who has to mend the declaration; says nothing of the content. */
function validIn(bytes: Uint8Array): Charset[] {
  if (isAscii(bytes)) {
    const switched: Charset = 'iso-2022:ascii+jis_x0208';
    if (!hasSwitch(bytes)) return ['ascii'];
    return decodeAs(bytes, switched) === undefined ? [] : [switched];
  }
  if (isUtf8(bytes)) return ['utf-8'];
  const valid = guesses.filter((charset) => {
    const text = decodeAs(bytes, charset);
    return text !== undefined && !privateUse.test(text);
  });
  return valid.length > 0 || decodeAs(bytes, 'windows-1252') === undefined ? valid : ['windows-1252'];
}

/** A set for people; and for one that we know only in part, which part. */
function label(charset: Charset): string {
  if (isSwitched(charset)) return `ISO 2022 with ${charset.slice(9).split('+').join(', ')}`;
  return charset === 'euc-tw' ? 'euc-tw (of CNS 11643, planes 1 and 2 are supported)' : charset;
}

function contradiction(charset: Charset, declared: string, valid: readonly Charset[]): Decoded {
  const others = valid.filter((it) => it !== charset);
  const hint = others.length > 0 ? `; they would be valid as ${others.map(label).join(' or ')}` : '';
  return { error: `the bytes are not ${label(charset)}${hint}`, declared };
}

/** MSH-18 and MSH-20 of a text that is decoded already. */
function declarationIn(text: string): Declaration {
  const end = text.search(/[\r\n]/);
  const header = text.slice(0, end < 0 ? undefined : end);
  const field = (n: number): string => cut(header, text.charAt(3), n).trim();
  return declaration(field(18), field(20), text.charAt(4), text.charAt(5));
}

/** UTF-16 and UTF-32 show themselves; MSH-18 may only agree. */
function decodeWide(body: Uint8Array, shape: Shape): Decoded {
  const charset = shape.charset as Charset;
  const text = decodeAs(body, charset, { little: shape.little });
  if (text === undefined) return { error: `the bytes are not ${charset}`, declared: '' };
  const { repetitions, text: declared } = declarationIn(text);
  const family = charset.slice(0, 6);
  const agrees = (name: string): boolean => isBareUnicode(name) || charsetOf(name)?.startsWith(family) === true;
  if (repetitions.length === 0 || repetitions.some(agrees)) return { text, charset };
  const said = charsetOf(repetitions[0] as string);
  if (!said) return { error: 'the character set of MSH-18 is not known', declared };
  return contradiction(said, declared, [charset]);
}

/**
 * Decodes one message by its own MSH-18, else by the site's default. Of several repetitions, ISO 2022 where they and MSH-20
 * say so, else the first that the bytes are valid in ({@link charsetsOf}).
 *
 * @param bytes one message without its frame; a byte-order mark in front is dropped
 * @param siteDefault the set when MSH-18 is empty
 * @returns the text, or an error when the name is unknown, a byte is not of the set, or the bytes are surely another set:
 *   never a garbled text. The error names sets, never content
 */
export function decode(bytes: Uint8Array, siteDefault: Charset): Decoded {
  const shape = shapeOf(bytes);
  const body = shape.mark > 0 ? bytes.subarray(shape.mark) : bytes;
  if (shape.width > 1) return decodeWide(body, shape);
  const { repetitions, scheme, text: declared } = declarationOf(body, siteDefault);
  const charsets = repetitions.length === 0 ? [shape.charset ?? siteDefault] : charsetsOf(repetitions, scheme);
  if (!charsets) return { error: 'the character set of MSH-18 is not known', declared };
  for (const charset of charsets) {
    const text = read(body, charset, shape, scheme);
    if (text !== undefined) return { text, charset };
  }
  return contradiction(charsets[0] as Charset, declared, validIn(body));
}

/**
 * The first segment of a message that {@link decode} refused, as far as it can be read, to answer its sender: its ASCII part
 * is right in every set, the rest goes back byte for byte when it is encoded in the set given with it.
 */
export function salvageHeader(bytes: Uint8Array): { text: string; charset: Charset } {
  const shape = shapeOf(bytes);
  const body = bytes.subarray(shape.mark);
  if (shape.width === 1) {
    const end = headerEnd(body);
    return { text: Buffer.from(body.subarray(0, end)).toString('latin1'), charset: 'iso-8859-1' };
  }
  const units: number[] = [];
  for (let at = 0; at < Math.min(body.length, headerUnitsMax * shape.width); at += shape.width) {
    const unit = unitAt(body, at, shape);
    if (unit === 0x0d || unit === 0x0a) break;
    units.push(unit < 0x80 ? unit : 0x3f);
  }
  return { text: String.fromCharCode(...units), charset: shape.charset as Charset };
}

/** Text to bytes in a character set; what the set lacks becomes `?`. */
export function encode(text: string, charset: Charset): Buffer {
  return encodeAs(text, charset);
}
