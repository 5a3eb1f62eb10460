/**
 * CNS 11643-1992 in EUC-TW, planes 1 and 2. Nothing that Node brings reads it, but Big5 does nearly all of the work: both
 * order their characters by strokes, so long runs of one are runs of the other, and only the places where the order of Big5
 * was mended begin a new run. Planes 3 to 7 have no such twin and are not supported.
 */
import { decodeEach, type Inverse, noCharacter, type Square, textOf } from './code-tables.ts';

const cells = 94;
const big5RowLength = 157;

/** CNS row and cell, then the Big5 code where its run begins; a run lasts until the next one or the end of its block. */
const runs: readonly [first: string, second: string] = [
  `2121A140 216AA1AC 216BA1AB 216CA1AD 2242A1E2 2243A1E1 2244A1E3 2257A1F7 2258A1F6 2259A1F8 234F0000 2421A2AF 243E0000 243FA2CD 24400000 2441A2CF 25710000
   4421A440 5323AD40 5753ACFE 5754AFD0 6B50BE52 6B51BBC8 6F5CBE53 7535C2CB 7536C1AB 7737C2CC 782DC456 782EC361
   7864C3BA 7865C3B9 7866C3BB 7962C457 7D4C0000`,
  `2121C940 212BC94B 214CC9BE 214DC96C 217DC9BF 224DCAF7 224EC9ED 2439CAF8 376FDADF 3770D6CD 387ED77B 3E63D6CC 3E64DAE0
   3F6AD77A 3F6BDBA7 4424DDFD 554BEBF1 554CE8A3 5722ECDE 5723E976 5A28F0CB 5A29EB5B 5B3FEBF2 5C6AECDF 5D74F056 5D75EDAA
   6039EEEC 6243F057 6337F0CC 642FEEEB 6430F163 6438F16C 6573F269 664DF4B5 664EF2C3 6761F16B 6762F375 6934F268 6935F466
   6962F4B6 6A4BF663 6A4CF4FD 6C52F664 7166F9C4 7167F977 7234F9C5 7235F9C7 7240F9C6 7241F9D2 72450000`,
];

/** What Big5 lacks, or has with a sign that Unicode names otherwise: CNS row and cell, then the characters in order. */
const others: readonly [cns: number, text: string][] = [
  [0x2126, '\u30fb'],
  [0x2136, '\ufe31\u2014\ufe32\u2013'],
  [0x2223, '\u203e'],
  [0x2244, '\u223c'],
  [0x2253, '\u2641\u2609'],
  [0x225d, '\u2016\uff5c'],
  [0x2621, '①②③④⑤⑥⑦⑧⑨⑩⑴⑵⑶⑷⑸⑹⑺⑻⑼⑽ⅰⅱⅲⅳⅴⅵⅶⅷⅸⅹ'],
  [0x2728, '亠'],
  [0x272f, '冫'],
  [0x2734, '勹'],
  [0x4221, String.fromCharCode(...Array.from({ length: 32 }, (_, i) => 0x2400 + i), 0x2421)],
  [0x7641, '彞'],
];

/** Row and cell ─▶ position in the plane. */
function place(code: number): number {
  return ((code >> 8) - 0x21) * cells + (code & 0xff) - 0x21;
}

function big5At(start: number, steps: number): number {
  const trail = start & 0xff;
  const position = ((start >> 8) - 0xa1) * big5RowLength + (trail < 0x7f ? trail - 0x40 : trail - 0xa1 + 63) + steps;
  const rest = position % big5RowLength;
  return (Math.floor(position / big5RowLength) + 0xa1) * 256 + (rest < 63 ? rest + 0x40 : rest - 63 + 0xa1);
}

function makePlane(plane: 1 | 2): Square {
  const starts = (runs[plane - 1] as string).split(/\s+/).map((run) => [run.slice(0, 4), run.slice(4)]);
  const square = new Uint16Array(cells * cells);
  for (const [i, [cns, big5]] of starts.entries()) {
    const next = starts[i + 1];
    if (!next || big5 === '0000') continue;
    const from = place(Number.parseInt(cns as string, 16));
    const start = Number.parseInt(big5 as string, 16);
    const codes = Array.from({ length: place(Number.parseInt(next[0] as string, 16)) - from }, (_, n) =>
      big5At(start, n),
    );
    square.set(decodeEach('big5', codes), from);
  }
  if (plane === 1)
    for (const [code, text] of others)
      for (let n = 0; n < text.length; n++) square[place(code) + n] = text.charCodeAt(n);
  return square;
}

const planes = new Map<1 | 2, Square>();

/** Plane 1 or 2 as a square of code units. */
export function cnsPlane(plane: 1 | 2): Square {
  let square = planes.get(plane);
  if (!square) {
    square = makePlane(plane);
    planes.set(plane, square);
  }
  return square;
}

/** EUC-TW to text; undefined when a byte is not of it, or of a plane above 2. */
export function decodeEucTw(bytes: Uint8Array): string | undefined {
  const units = new Uint16Array(bytes.length);
  let length = 0;
  for (let at = 0; at < bytes.length; ) {
    const byte = bytes[at] as number;
    if (byte < 0x80) {
      units[length++] = byte;
      at++;
      continue;
    }
    // SS2 and the number of the plane, or nothing for plane 1.
    const plane = byte === 0x8e ? (bytes[at + 1] ?? 0) - 0xa0 : 1;
    if (plane !== 1 && plane !== 2) return undefined;
    if (byte === 0x8e) at += 2;
    const [row, cell] = [(bytes[at] ?? 0) - 0xa1, (bytes[at + 1] ?? 0) - 0xa1];
    if (row < 0 || row >= cells || cell < 0 || cell >= cells) return undefined;
    const unit = cnsPlane(plane)[row * cells + cell] as number;
    if (unit === noCharacter) return undefined;
    units[length++] = unit;
    at += 2;
  }
  return textOf(units, length);
}

let inverse: Inverse | undefined;

/** Code unit ─▶ bytes of EUC-TW, packed. */
export function eucTwInverse(): Inverse {
  if (inverse) return inverse;
  inverse = new Uint32Array(0x10000);
  for (const plane of [1, 2] as const) {
    for (const [i, unit] of cnsPlane(plane).entries()) {
      if (unit === noCharacter || inverse[unit] !== 0) continue;
      const pair = (Math.floor(i / cells) + 0xa1) * 256 + (i % cells) + 0xa1;
      inverse[unit] = plane === 1 ? pair : 0x8ea20000 + pair;
    }
  }
  return inverse;
}
