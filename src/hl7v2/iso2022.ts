/**
 * ISO 2022 inside HL7 v2: sets switched by escape sequences. HL7 v2.5.1 2.14.9.18, 2.14.9.20 (`ISO 2022-1994`: the escape
 * character itself; `2.3`: `\C2842\` and `\M2442\` of 2.7.2). Delimiters and segment ends belong to the base set, so every
 * segment begins in it again; a kanji may hold the bytes of `|`, `^`, `~` and `\`, so a message is decoded before it is cut.
 */
import { type Inverse, noCharacter, textOf } from './code-tables.ts';
import { type Designation, designationOf, escapeSequence, sequencesOf } from './iso2022-sets.ts';

const ascii = designationOf('(B') as Designation;

interface State {
  lower: Designation;
  upper: Designation | undefined;
  /** After SO the upper set is read in the lower half. */
  shifted: boolean;
}

/** The upper half that holds before any escape sequence: of the only single-byte set among the declared ones. */
function initialUpper(parts: readonly string[]): Designation | undefined {
  const single = parts.filter((part) => part.startsWith('iso-8859-') || part === 'jis_x0201');
  if (single.length !== 1 && single[0] !== parts[0]) return undefined;
  return designationOf(single[0] === 'jis_x0201' ? ')I' : (sequencesOf[single[0] ?? '']?.[0] ?? ''));
}

/** `\C2842\` or `\M242844\` at an offset: the escape sequence behind ESC, and its length. */
function spelledSequence(bytes: Uint8Array, at: number): { sequence: string; length: number } | undefined {
  const text = String.fromCharCode(...bytes.subarray(at, at + 9));
  const match = /^(.)[CM]((?:[0-9A-Fa-f]{2}){2,3})\1/s.exec(text);
  if (!match) return undefined;
  return { sequence: Buffer.from(match[2] as string, 'hex').toString('latin1'), length: match[0].length };
}

function sequenceAt(bytes: Uint8Array, at: number): { sequence: string; length: number } {
  const sequence = escapeSequence(bytes, at);
  return { sequence: sequence.slice(1), length: sequence.length };
}

/** Takes what stands between characters: shifts and escape sequences. Gives the offset behind, -1 for what nobody knows. */
function control(bytes: Uint8Array, at: number, state: State, spelled: boolean): number {
  const byte = bytes[at];
  if (byte === 0x0e || byte === 0x0f) {
    state.shifted = byte === 0x0e;
    return state.shifted && !state.upper ? -1 : at + 1;
  }
  const found = spelled ? spelledSequence(bytes, at) : sequenceAt(bytes, at);
  if (!found) return at;
  // ESC & @ announces the revised JIS X 0208 of 1990 and is followed by its designation.
  if (found.sequence === '&@') return at + found.length;
  const designation = designationOf(found.sequence);
  if (!designation) return -1;
  if (designation.half === 0) state.lower = designation;
  else state.upper = designation;
  return at + found.length;
}

/** One character at an offset: its code unit; {@link noCharacter} when the set in use has none there. */
function character(bytes: Uint8Array, at: number, set: Designation): number {
  const byte = bytes[at] as number;
  if (set.width === 1) return set.units()[(byte & 0x7f) - 0x20] ?? noCharacter;
  const trail = bytes[at + 1] ?? 0;
  const [row, cell] = [(byte & 0x7f) - 0x21, (trail & 0x7f) - 0x21];
  const sameHalf = (byte ^ trail) < 0x80;
  if (!sameHalf || row < 0 || row > 93 || cell < 0 || cell > 93) return noCharacter;
  return set.units()[row * 94 + cell] as number;
}

/**
 * ISO 2022 to text.
 * @param parts the declared sets, the base first; every set whose escape sequence is known is read, declared or not
 * @param spelled MSH-20 is `2.3`: sequences spelled in hexadecimal between escape characters count too
 * @returns undefined when a byte is not of the set in use, or a sequence names a set that nobody knows
 */
export function decodeIso2022(bytes: Uint8Array, parts: readonly string[], spelled = false): string | undefined {
  const units = new Uint16Array(bytes.length);
  const state: State = { lower: ascii, upper: initialUpper(parts), shifted: false };
  const escapeCharacter = spelled ? (bytes[6] ?? 0x5c) : -1;
  let length = 0;
  for (let at = 0; at < bytes.length; ) {
    const byte = bytes[at] as number;
    const isSpelled = byte === escapeCharacter && at > 7;
    if (byte === 0x1b || byte === 0x0e || byte === 0x0f || isSpelled) {
      const next = control(bytes, at, state, isSpelled);
      if (next < 0) return undefined;
      if (next > at) {
        at = next;
        continue;
      }
    }
    if (byte <= 0x20 || byte === 0x7f) {
      if (byte === 0x0d || byte === 0x0a) Object.assign(state, { lower: ascii, shifted: false });
      units[length++] = byte;
      at++;
      continue;
    }
    const set = byte >= 0x80 || state.shifted ? state.upper : state.lower;
    if (!set || (byte >= 0x80 && byte < 0xa0)) return undefined;
    const unit = set === ascii ? byte : character(bytes, at, set);
    if (unit === noCharacter) return undefined;
    units[length++] = unit;
    at += set.width;
  }
  return textOf(units, length);
}

interface Way {
  readonly sequence: string;
  readonly designation: Designation;
  readonly inverse: Inverse;
}

const ways = new Map<string, Way>();

function wayOf(sequence: string): Way {
  let way = ways.get(sequence);
  if (!way) {
    const designation = designationOf(sequence) as Designation;
    const inverse = new Uint32Array(0x10000);
    for (const [i, unit] of designation.units().entries()) {
      if (unit === noCharacter || inverse[unit] !== 0) continue;
      const { width, half } = designation;
      const code = width === 1 ? 0x20 + i : (Math.floor(i / 94) + 0x21) * 256 + (i % 94) + 0x21;
      inverse[unit] = half === 0 ? code : code | 0x80;
    }
    way = { sequence, designation, inverse };
    ways.set(sequence, way);
  }
  return way;
}

/** ESC, SO and SI of a text would be read as switches. */
const shifts = '\u001b\u000e\u000f';

/** Text to ISO 2022 in the declared sets; ASCII stands in the base set, what no set has becomes `?`. */
export function encodeIso2022(text: string, parts: readonly string[]): Buffer {
  const out: number[] = [];
  const all = parts.flatMap((part) => sequencesOf[part] ?? []).map(wayOf);
  let lower = '(B';
  let upper = '';
  const switchTo = (sequence: string): void => {
    out.push(0x1b);
    for (const char of sequence) out.push(char.charCodeAt(0));
  };
  for (const char of text) {
    const unit = char.length === 1 && !shifts.includes(char) ? char.charCodeAt(0) : 0xfffd;
    const way = unit >= 0x80 ? all.find(({ inverse }) => inverse[unit] !== 0) : undefined;
    const { half = 0 } = way?.designation ?? {};
    const sequence = way?.sequence ?? '(B';
    if (half === 0 ? sequence !== lower : sequence !== upper) {
      switchTo(sequence);
      if (half === 0) lower = sequence;
      else upper = sequence;
    }
    const code = way ? (way.inverse[unit] as number) : unit < 0x80 ? unit : 0x3f;
    if (code > 0xff) out.push(code >>> 8);
    out.push(code & 0xff);
  }
  if (lower !== '(B') switchTo('(B');
  return Buffer.from(out);
}
