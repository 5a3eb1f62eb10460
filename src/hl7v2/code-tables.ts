/**
 * Tables of the older character sets, learnt from the decoders that Node brings: what `TextDecoder` reads is what we write,
 * so that decoding an encoded text gives it back. A table is made when it is first needed (some milliseconds, 128 KB–256 KB).
 */

/** What no set has a character for. */
export const noCharacter = 0;

/**
 * Decodes many byte sequences at once, each by itself: each is followed by a line feed, which ends whatever was broken.
 * @param sequences bytes of one character each, packed into a number, first byte highest
 * @returns UTF-16 code units in the same order, {@link noCharacter} for what is not one character
 */
export function decodeEach(label: string, sequences: readonly number[]): Uint16Array {
  const bytes = Buffer.alloc(sequences.length * 5);
  let length = 0;
  for (const sequence of sequences) {
    length = writePacked(bytes, length, sequence);
    bytes[length++] = 0x0a;
  }
  const texts = new TextDecoder(label).decode(bytes.subarray(0, length)).split('\n');
  return Uint16Array.from(sequences, (_, i) => {
    const text = texts[i] as string;
    const unit = text.charCodeAt(0);
    const broken = text.length !== 1 || unit === 0xfffd || (unit >= 0x80 && unit < 0xa0 && label !== 'gb18030');
    return broken ? noCharacter : unit;
  });
}

/** Writes the bytes of a packed number; gives the offset behind them. */
export function writePacked(bytes: Uint8Array, at: number, packed: number): number {
  let next = at;
  if (packed > 0xffffff) bytes[next++] = packed >>> 24;
  if (packed > 0xffff) bytes[next++] = (packed >>> 16) & 0xff;
  if (packed > 0xff) bytes[next++] = (packed >>> 8) & 0xff;
  bytes[next++] = packed & 0xff;
  return next;
}

/** Code units to a string, without a limit on their number. */
export function textOf(units: Uint16Array, length: number): string {
  return Buffer.from(units.buffer, units.byteOffset, length * 2).toString('utf16le');
}

/** UTF-16 code unit ─▶ packed bytes; 0 where the set lacks the character. */
export type Inverse = Uint32Array;

/** Adds what sequences stand for; the first sequence of a character stays. */
export function learn(table: Inverse, sequences: readonly number[], units: ArrayLike<number>): void {
  for (let i = 0; i < sequences.length; i++) {
    const unit = units[i] as number;
    if (unit !== noCharacter && table[unit] === 0) table[unit] = sequences[i] as number;
  }
}

/** The numbers of a range, both ends in it. */
export function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, i) => from + i);
}

/** Every pair of a first and a second byte, packed. */
export function pairs(firsts: readonly number[], seconds: readonly number[]): number[] {
  return firsts.flatMap((first) => seconds.map((second) => first * 256 + second));
}

const high = range(0xa1, 0xfe);
const trails = [...range(0x40, 0x7e), ...range(0x80, 0xfe)];

/** The sequences of a set above ASCII, the preferred one of a character before its doubles. */
function sequencesOf(charset: string): number[] {
  switch (charset) {
    case 'gb18030': {
      const digits = range(0x30, 0x39);
      const lead = range(0x81, 0xfe);
      const fours = pairs(pairs(pairs(range(0x81, 0x84), digits), lead), digits);
      return [...pairs(lead, trails), ...fours];
    }
    case 'big5':
      // From the end: 十 and 卅 are also among the numerals in front of the letters.
      return pairs(range(0x81, 0xfe), trails).reverse();
    case 'shift_jis':
      // Rows ED and EE repeat what FA to FC hold.
      return [
        ...range(0xa1, 0xdf),
        ...pairs([...range(0x81, 0x9f), ...range(0xe0, 0xec), ...range(0xef, 0xfc)], trails),
      ];
    case 'euc-jp':
      return [...pairs(high, high), ...pairs([0x8e], range(0xa1, 0xdf)), ...pairs(pairs([0x8f], high), high)];
    case 'euc-kr':
      return pairs(high, high);
    default:
      return range(0x80, 0xff);
  }
}

const inverses = new Map<string, Inverse>();

/** The way back of a set that `TextDecoder` reads. */
export function inverseOf(charset: string): Inverse {
  let table = inverses.get(charset);
  if (!table) {
    table = new Uint32Array(0x10000);
    const sequences = sequencesOf(charset);
    learn(table, sequences, decodeEach(charset, sequences));
    inverses.set(charset, table);
  }
  return table;
}

/** 94 rows of 94 characters, as ISO 2022 switches to them: code units by (row − 1) × 94 + (cell − 1). */
export type Square = Uint16Array;

const squares = new Map<string, Square>();

/** A square out of the set that has it in its upper half; `prefix` is a byte in front of every pair. */
export function squareOf(label: string, prefix = 0): Square {
  const key = `${label} ${prefix}`;
  let square = squares.get(key);
  if (!square) {
    square = decodeEach(label, pairs(prefix === 0 ? high : pairs([prefix], high), high));
    squares.set(key, square);
  }
  return square;
}
