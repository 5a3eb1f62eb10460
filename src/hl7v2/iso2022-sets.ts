/**
 * The sets that ISO 2022 escape sequences switch to, with the sequences as the ISO-IR registry has them and as HL7 v2.5.1
 * 2.7.2 lists them: which half of the code they take, and how their characters are read and written.
 */
import { decodeEach, noCharacter, range, type Square, squareOf } from './code-tables.ts';
import { cnsPlane } from './euc-tw.ts';

/** One set behind one escape sequence. */
export interface Designation {
  /** 0 is the lower half (bytes 20 to 7F), 1 the upper. */
  readonly half: 0 | 1;
  /** Bytes of a character. */
  readonly width: 1 | 2;
  /** Code units by position from 0: of a 94×94 square, or of the 96 places of a single-byte set. */
  readonly units: () => Square;
}

/** Katakana of JIS X 0201 by the places of a 96-place half; place 0 is unused. */
const katakana = Uint16Array.from({ length: 96 }, (_, i) => (i >= 1 && i <= 63 ? 0xff60 + i : noCharacter));

/** ASCII; JIS X 0201 Roman too: `~` and `\` are delimiters, whatever a Japanese screen shows for them. */
const ascii = Uint16Array.from({ length: 96 }, (_, i) => 0x20 + i);

const upperHalves = new Map<string, Square>();

function upperHalf(label: string): Square {
  let half = upperHalves.get(label);
  if (!half) {
    half = decodeEach(label, range(0xa0, 0xff));
    upperHalves.set(label, half);
  }
  return half;
}

const squares: Record<string, () => Square> = {
  jis_x0208: () => squareOf('euc-jp'),
  jis_x0212: () => squareOf('euc-jp', 0x8f),
  ks_x1001: () => squareOf('euc-kr'),
  gb_2312: () => squareOf('gb18030'),
  cns_1: () => cnsPlane(1),
  cns_2: () => cnsPlane(2),
};

/** What stands behind ESC ─▶ the set. */
const designations = new Map<string, Designation>();

for (const [final, name] of Object.entries({
  '@': 'jis_x0208',
  A: 'gb_2312',
  B: 'jis_x0208',
  C: 'ks_x1001',
  D: 'jis_x0212',
  G: 'cns_1',
  H: 'cns_2',
})) {
  const units = squares[name] as () => Square;
  if (final <= 'B') designations.set(`$${final}`, { half: 0, width: 2, units });
  designations.set(`$(${final}`, { half: 0, width: 2, units });
  designations.set(`$)${final}`, { half: 1, width: 2, units });
}
designations.set('(B', { half: 0, width: 1, units: () => ascii });
designations.set('(J', { half: 0, width: 1, units: () => ascii });
designations.set('(I', { half: 0, width: 1, units: () => katakana });
designations.set(')I', { half: 1, width: 1, units: () => katakana });

/** Final letters of the upper halves of ISO 8859, by its part. */
const finals = { 1: 'A', 2: 'B', 3: 'C', 4: 'D', 5: 'L', 6: 'G', 7: 'F', 8: 'H', 9: 'M', 15: 'b' };
for (const [part, final] of Object.entries(finals))
  designations.set(`-${final}`, { half: 1, width: 1, units: () => upperHalf(`iso-8859-${part}`) });

/** The set behind an escape sequence, given without its ESC; undefined when nobody knows it. */
export function designationOf(sequence: string): Designation | undefined {
  return designations.get(sequence);
}

/** How each declared set (a part of the name of an `iso-2022:` set) is switched to when we write; `(B` is always there. */
export const sequencesOf: Readonly<Record<string, readonly string[]>> = {
  ascii: [],
  jis_x0201: ['(I'],
  jis_x0208: ['$B'],
  jis_x0212: ['$(D'],
  ks_x1001: ['$(C'],
  gb_2312: ['$A'],
  cns_11643: ['$(G', '$(H'],
  ...Object.fromEntries(Object.entries(finals).map(([part, final]) => [`iso-8859-${part}`, [`-${final}`]])),
};

/**
 * The escape sequence that begins at an ESC, with it: intermediate bytes 20 to 2F and a final byte 30 to 7E
 * (ISO/IEC 2022 13.1). ESC alone when that is not what follows.
 */
export function escapeSequence(bytes: Uint8Array, at: number): string {
  let end = at + 1;
  while (end < at + 4 && (bytes[end] ?? 0) >= 0x20 && (bytes[end] ?? 0) <= 0x2f) end++;
  const final = bytes[end] ?? 0;
  if (final < 0x30 || final > 0x7e) return '\u001b';
  let sequence = '\u001b';
  for (let i = at + 1; i <= end; i++) sequence += String.fromCharCode(bytes[i] as number);
  return sequence;
}
