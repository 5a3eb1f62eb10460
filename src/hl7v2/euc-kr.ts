/**
 * KS X 1001 in EUC-KR with Microsoft's extension (code page 949), which Korean senders mean when they say `KS X 1001`.
 * `TextDecoder` of Node knows the 2,350 syllables of the standard; the extension holds the other 8,822 in the order of
 * Unicode, so that counting finds them.
 */
import { type Inverse, inverseOf, noCharacter, pairs, range, squareOf, textOf } from './code-tables.ts';

const cells = 94;

/** Pairs of the extension in order: before row A1 all second bytes, from there only those that the standard leaves free. */
function extensionPairs(): number[] {
  const letters = [...range(0x41, 0x5a), ...range(0x61, 0x7a)];
  return [
    ...pairs(range(0x81, 0xa0), [...letters, ...range(0x81, 0xfe)]),
    ...pairs(range(0xa1, 0xc6), [...letters, ...range(0x81, 0xa0)]),
  ];
}

interface Extension {
  /** Packed pair ─▶ code unit. */
  readonly units: Uint16Array;
  /** Code unit ─▶ packed pair, the standard's characters with it. */
  readonly inverse: Inverse;
}

let extension: Extension | undefined;

function made(): Extension {
  if (extension) return extension;
  const inverse = Uint32Array.from(inverseOf('euc-kr'));
  const units = new Uint16Array(0x10000);
  const free = range(0xac00, 0xd7a3).filter((syllable) => inverse[syllable] === 0);
  const places = extensionPairs();
  for (const [i, syllable] of free.entries()) {
    const pair = places[i] as number;
    units[pair] = syllable;
    inverse[syllable] = pair;
  }
  extension = { units, inverse };
  return extension;
}

/** EUC-KR or code page 949 to text; undefined when a byte is not of it. */
export function decodeEucKr(bytes: Uint8Array): string | undefined {
  const standard = squareOf('euc-kr');
  const out = new Uint16Array(bytes.length);
  let length = 0;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] as number;
    if (byte < 0x80) {
      out[length++] = byte;
      continue;
    }
    const trail = bytes[++at] ?? 0;
    const isStandard = byte >= 0xa1 && byte <= 0xfe && trail >= 0xa1 && trail <= 0xfe;
    const unit = isStandard ? standard[(byte - 0xa1) * cells + trail - 0xa1] : made().units[byte * 256 + trail];
    if (unit === noCharacter || unit === undefined) return undefined;
    out[length++] = unit;
  }
  return textOf(out, length);
}

/** Code unit ─▶ bytes of code page 949, packed. */
export function eucKrInverse(): Inverse {
  return made().inverse;
}
