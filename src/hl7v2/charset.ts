/**
 * Character sets of HL7 v2 messages: MSH-18 (table 0211 and the names seen in the field) to a decoder and back.
 * A message is framed on bytes, decoded whole, and only then split: trail bytes of GB18030 are also `\ | ^ ~`.
 */
import iconv from 'iconv-lite';

/** Canonical names of what can be decoded and encoded. */
export type Charset =
  | 'ascii'
  | 'utf-8'
  | 'gb18030'
  | 'big5'
  | 'euc-kr'
  | 'shift_jis'
  | `iso-8859-${number}`
  | 'windows-1252';

/** MSH-18 as written, upper case without spaces, dashes, underscores and slashes ─▶ character set. */
const names: Record<string, Charset> = {
  ASCII: 'ascii',
  USASCII: 'ascii',
  ISOIR6: 'ascii',
  UTF8: 'utf-8',
  UNICODE: 'utf-8',
  UNICODEUTF8: 'utf-8',
  GB180302000: 'gb18030',
  GB18030: 'gb18030',
  // GB18030 is a superset of GBK and GB2312: one decoder reads all three.
  GBK: 'gb18030',
  GB2312: 'gb18030',
  BIG5: 'big5',
  KSX1001: 'euc-kr',
  WINDOWS1252: 'windows-1252',
  CP1252: 'windows-1252',
};
for (const part of [1, 2, 3, 4, 5, 6, 7, 8, 9, 15]) {
  names[`8859${part}`] = `iso-8859-${part}`;
  names[`ISO8859${part}`] = `iso-8859-${part}`;
}

/** The character set that a value of MSH-18 names; undefined when nobody knows the name. */
export function charsetOf(name: string): Charset | undefined {
  return names[name.toUpperCase().replace(/[\s/_-]/g, '')];
}

/** What {@link decode} gives: the text and the set it was read with, or why it could not be read. */
export type Decoded = { text: string; charset: Charset } | { error: string; declared: string };

const decoders = new Map<Charset, TextDecoder>();

function decodeAs(bytes: Uint8Array, charset: Charset): string | undefined {
  if (charset === 'ascii') return bytes.some((byte) => byte > 0x7f) ? undefined : Buffer.from(bytes).toString('latin1');
  let decoder = decoders.get(charset);
  if (!decoder) {
    decoder = new TextDecoder(charset, { fatal: true });
    decoders.set(charset, decoder);
  }
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}

const headerBytesMax = 16_384;

const doubleByteSets = new Set<Charset | undefined>(['gb18030', 'big5', 'euc-kr', 'shift_jis']);

/**
 * MSH-18, first repetition, before anything can be decoded: found by counting field separators in the first segment.
 * `doubleByte` keeps the trail bytes of GB18030 and Big5, which may look like separators, out of the count.
 */
function declaredIn(bytes: Uint8Array, doubleByte: boolean): string {
  const end = Math.min(bytes.length, headerBytesMax);
  const separator = bytes[3];
  let separators = 0;
  let from = 0;
  let at = 3;
  for (; at < end; at++) {
    const byte = bytes[at] as number;
    if (byte === 0x0d || byte === 0x0a) break;
    if (byte === separator) {
      // MSH-1 is the separator itself, so MSH-18 stands behind the 17th.
      if (++separators === 17) from = at + 1;
      else if (separators === 18) break;
    } else if (doubleByte && byte > 0x80) at++;
  }
  if (separators < 17 || from >= at) return '';
  const field = Buffer.from(bytes.buffer, bytes.byteOffset + from, at - from).toString('latin1');
  return (field.split(String.fromCharCode(bytes[5] ?? 0x7e), 1)[0] as string).trim();
}

/**
 * Decodes one message by its own MSH-18 (first repetition), else by the site's default.
 *
 * @param bytes one message without its frame; a UTF-8 byte-order mark in front is dropped
 * @param siteDefault the set when MSH-18 is empty
 * @returns the text, or an error when the name is unknown or a byte is not of the set: never a garbled text
 */
export function decode(bytes: Uint8Array, siteDefault: Charset): Decoded {
  const body = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes;
  // Read by pairs first: only a set of pairs may be believed so, everything else is what stands between single bytes.
  const pairs = declaredIn(body, true);
  const declared = doubleByteSets.has(charsetOf(pairs)) ? pairs : declaredIn(body, false);
  const charset = declared === '' ? siteDefault : charsetOf(declared);
  if (!charset) return { error: 'the character set of MSH-18 is not known', declared };
  const text = decodeAs(body, charset);
  if (text === undefined) return { error: `the bytes are not ${charset}`, declared };
  return { text, charset };
}

/** Text to bytes in a character set; what the set lacks becomes `?`. */
export function encode(text: string, charset: Charset): Buffer {
  if (charset === 'utf-8' || charset === 'ascii') return Buffer.from(text, 'utf8');
  // All these sets write ASCII as ASCII, and most ACKs hold nothing else.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the range is ASCII
  return /^[\u0000-\u007f]*$/.test(text) ? Buffer.from(text, 'latin1') : iconv.encode(text, charset);
}
