/**
 * Batches: HL7 v2.5.1 2.10.3 `[FHS] { [BHS] { MSH … } [BTS] } [FTS]`, cut into messages on bytes, and answered by a batch of
 * acknowledgements. A segment begins at the beginning or behind CR or LF, which are no second byte in any character set;
 * UTF-16 and UTF-32 are read by their code units.
 */
import { type Charset, charsetOf, encode } from './charset.ts';
import { decodeAs } from './codec.ts';
import { escapeText } from './escape.ts';
import { declarationOf, type Shape, shapeOf, unitAt } from './header-bytes.ts';
import type { Delimiters } from './message.ts';

/** One BHS … BTS; `bhs` is missing for messages that stand outside of any. */
export interface BatchGroup {
  readonly bhs?: Uint8Array;
  /** How many of the messages are its own; they follow each other. */
  readonly messages: number;
  /** What does not fit: the count of BTS-1. */
  readonly problem?: string;
}

/** One FHS … FTS; `fhs` is missing for batches that stand outside of any. */
export interface BatchFile {
  readonly fhs?: Uint8Array;
  readonly batches: readonly BatchGroup[];
  /** What does not fit: the count of FTS-1. */
  readonly problem?: string;
}

/** The frame of a batch: what {@link batchAnswer} needs to answer it. */
export interface BatchHeader {
  readonly files: readonly BatchFile[];
  /** The set of the first message, which the header segments are in too: they have no field for it. */
  readonly charset: Charset;
  /** The byte-order mark of UTF-16 and UTF-32; else empty. */
  readonly mark: Uint8Array;
}

export interface Batch {
  readonly header: BatchHeader;
  /** In the order sent, each with its line ends; parts of the bytes given, not copies. */
  readonly messages: readonly Uint8Array[];
  /** Counts that do not fit, segments that belong to no message; names no content. */
  readonly problem?: string;
  /** True for one that is whole and holds no message, as it may (2.10.3): each header has its trailer, and nothing is odd. */
  readonly isEmpty?: boolean;
}

/** More messages are not cut: the bytes come back as one, which is no sound message and so kept and refused whole. */
export const batchMessagesMax = 50_000;

const frameNames = ['MSH', 'FHS', 'BHS', 'BTS', 'FTS'];

/** `MSH`, `FHS`, `BHS`, `BTS`, `FTS`, another segment (`?`), or nothing but blanks on the line (empty). */
function nameAt(bytes: Uint8Array, at: number, shape: Shape): string {
  for (let i = at; i < bytes.length; i += shape.width) {
    const unit = unitAt(bytes, i, shape);
    if (unit === 0x0d || unit === 0x0a) return '';
    if (unit > 0x20) return i === at ? frameNameAt(bytes, at, shape) : '?';
  }
  return '';
}

function frameNameAt(bytes: Uint8Array, at: number, shape: Shape): string {
  const unit = (n: number): number => unitAt(bytes, at + n * shape.width, shape);
  const isFrame = (name: string): boolean => [0, 1, 2].every((n) => unit(n) === name.charCodeAt(n));
  // All of them have an S in the middle or at the end; most segments are none of them.
  if (unit(1) !== 0x53 && unit(2) !== 0x53) return '?';
  const name = frameNames.find(isFrame);
  return name && !/[A-Za-z0-9]/.test(String.fromCharCode(unit(3) || 0)) ? name : '?';
}

/** The offset behind the next CR or LF; the length when there is none. Linear over all calls of one line walker. */
function lineWalker(bytes: Uint8Array, shape: Shape): (from: number) => number {
  const { width } = shape;
  if (width > 1)
    return (from) => {
      let at = from;
      for (; at < bytes.length; at += width) {
        const unit = unitAt(bytes, at, shape);
        if (unit === 0x0d || unit === 0x0a) return at + width;
      }
      return bytes.length;
    };
  let [cr, lf] = [-1, -1];
  const next = (byte: number, from: number): number => {
    const at = bytes.indexOf(byte, from);
    return at < 0 ? bytes.length : at;
  };
  return (from) => {
    if (bytes[from] === 0x0d || bytes[from] === 0x0a) return from + 1;
    if (cr < from) cr = next(0x0d, from);
    if (lf < from) lf = next(0x0a, from);
    return Math.min(cr, lf) + 1;
  };
}

type Open<T> = { -readonly [K in keyof T]: T[K] };

/** Puts the lines of a batch together. */
class Builder {
  readonly messages: Uint8Array[] = [];
  readonly problems: string[] = [];
  readonly files: (Open<BatchFile> & { batches: Open<BatchGroup>[] })[] = [];
  framed = false;
  #headers = 0;
  #trailers = 0;
  #hasStray = false;
  #group: Open<BatchGroup> | undefined;
  #file: (Open<BatchFile> & { batches: Open<BatchGroup>[] }) | undefined;

  message(bytes: Uint8Array): void {
    this.#group ??= this.#open({ messages: 0 });
    this.#group.messages++;
    this.messages.push(bytes);
  }

  /** A segment of the frame. */
  frame(name: string, line: Uint8Array, shape: Shape): void {
    this.framed = true;
    if (name.endsWith('HS')) this.#headers++;
    else if (this.#of(name)) this.#trailers++;
    else this.#hasStray = true;
    if (name === 'FHS') {
      this.#group = undefined;
      this.#file = { fhs: line, batches: [] };
      this.files.push(this.#file);
    } else if (name === 'BHS') this.#group = this.#open({ bhs: line, messages: 0 });
    else if (name === 'BTS') {
      this.#count(this.#group, countIn(line, shape), 'BTS-1', 'messages', this.#group?.messages ?? 0);
      this.#group = undefined;
    } else {
      this.#count(this.#file, countIn(line, shape), 'FTS-1', 'batches', this.#file?.batches.length ?? 0);
      this.#group = undefined;
      this.#file = undefined;
    }
  }

  /** What a trailer ends, where its header was there. */
  #of(name: string): Uint8Array | undefined {
    return name === 'BTS' ? this.#group?.bhs : this.#file?.fhs;
  }

  get isEmpty(): boolean {
    const isWhole = this.#headers > 0 && this.#headers === this.#trailers && !this.#hasStray;
    return isWhole && this.messages.length === 0 && this.problems.length === 0;
  }

  #open(group: Open<BatchGroup>): Open<BatchGroup> {
    if (!this.#file) {
      this.#file = { batches: [] };
      this.files.push(this.#file);
    }
    this.#file.batches.push(group);
    return group;
  }

  #count(of: { problem?: string } | undefined, said: string, place: string, what: string, found: number): void {
    if (!/^\d{1,9}$/.test(said) || Number(said) === found) return;
    const problem = `${place} says ${Number(said)} ${what}, ${found} came`;
    if (of) of.problem = problem;
    this.problems.push(problem);
  }
}

/** BTS-1 or FTS-1: digits are ASCII in every set. */
function countIn(line: Uint8Array, shape: Shape): string {
  let text = '';
  for (let at = 0; at < Math.min(line.length, 200); at += shape.width)
    text += String.fromCharCode(Math.min(unitAt(line, at, shape), 0xffff));
  return (text.split(text.charAt(3))[1] ?? '').trim();
}

const frameSegmentBytesMax = 16_384;

/**
 * Cuts a batch into its messages: with FHS and BHS, with several BHS in one FHS, or just several MSH. Linear.
 *
 * @param bytes the content of a frame, a file or an HTTP body, in any character set; a byte-order mark in front is dropped
 * @returns undefined for what is no batch: one message alone, or what does not begin with FHS, BHS or MSH
 */
export function splitBatch(bytes: Uint8Array, messagesMax = batchMessagesMax): Batch | undefined {
  const shape = shapeOf(bytes);
  const next = lineWalker(bytes, shape);
  const builder = new Builder();
  let [begun, strays, end] = [-1, 0, shape.mark];
  const close = (to: number): void => {
    if (begun >= 0) builder.message(bytes.subarray(begun, to));
    begun = -1;
  };
  for (let at = end; at < bytes.length; at = end) {
    end = next(at);
    const name = nameAt(bytes, at, shape);
    if (name === '' || (name === '?' && begun >= 0)) continue;
    if (name === '?' && !builder.framed && builder.messages.length === 0) return undefined;
    if (name === '?') {
      strays++;
      continue;
    }
    close(at);
    if (name === 'MSH') begun = at;
    else builder.frame(name, bytes.subarray(at, Math.min(end, at + frameSegmentBytesMax)), shape);
    if (builder.messages.length >= messagesMax && begun >= 0) return tooMany(bytes, messagesMax);
  }
  close(bytes.length);
  if (!builder.framed && builder.messages.length < 2) return undefined;
  if (strays > 0) builder.problems.push(`${strays} segments belong to no message`);
  return finished(bytes, shape, builder);
}

const problemsMax = 20;

function finished(bytes: Uint8Array, shape: Shape, builder: Builder): Batch {
  const { files, messages, problems, isEmpty } = builder;
  const charset = shape.width > 1 ? wideCharset(shape) : narrowCharset(shape, messages[0]);
  const mark = bytes.subarray(0, shape.width > 1 ? shape.mark : 0);
  const problem = problems.slice(0, problemsMax).join('; ');
  return { header: { files, charset, mark }, messages, ...(problem && { problem }), ...(isEmpty && { isEmpty }) };
}

function tooMany(bytes: Uint8Array, messagesMax: number): Batch {
  const problem = `more than ${messagesMax} messages in a batch`;
  const files = [{ batches: [{ messages: 1, problem }] }];
  return { header: { files, charset: 'ascii', mark: new Uint8Array() }, messages: [bytes], problem };
}

/** With its order: the mark stands in front of the first segment only, and its messages are read without it. */
function wideCharset({ width, little }: Shape): Charset {
  return `utf-${width === 2 ? 16 : 32}${little ? 'le' : 'be'}`;
}

/** The set that the first message names; bytes as they are when it names none, which go back as they came. */
function narrowCharset({ charset }: Shape, first: Uint8Array | undefined): Charset {
  if (charset || !first) return charset ?? 'iso-8859-1';
  const { repetitions } = declarationOf(first, 'iso-8859-1');
  const named = charsetOf(repetitions.join('~'));
  // Bytes of one width are no UTF-16, whatever they say: the message is refused, and its batch is answered as it is written.
  return named === undefined || /^utf-(16|32)/.test(named) ? 'iso-8859-1' : named;
}

/** What a batch of answers needs from outside: for each header a unique BHS-11 (FHS-11), and BHS-7 as a DTM. */
export interface BatchContext {
  readonly controlId: () => string;
  readonly timestamp: string;
}

/**
 * The batch of acknowledgements (2.10.3.3): FHS and BHS turned around where they came, BTS-1 and FTS-1 counted anew, what did
 * not fit in BTS-2 and FTS-2. Messages that came without BHS are answered without.
 *
 * @param answers one for each message, in order; undefined where the sender wants none
 */
export function batchAnswer(
  header: BatchHeader,
  answers: readonly (Uint8Array | undefined)[],
  context: BatchContext,
): Buffer {
  const { files, charset } = header;
  const out: Uint8Array[] = [header.mark];
  let taken = 0;
  const open = (line: Uint8Array): Frame => {
    const frame = frameOf(line, charset);
    out.push(encode(turned(frame, context), frame.charset));
    return frame;
  };
  for (const file of files) {
    const fileFrame = file.fhs && open(file.fhs);
    for (const { bhs, messages, problem } of file.batches) {
      const frame = bhs && open(bhs);
      const own = answers.slice(taken, taken + messages).filter((answer) => answer !== undefined);
      taken += messages;
      out.push(...own);
      if (frame) out.push(encode(trailer('BTS', own.length, frame, problem), frame.charset));
    }
    if (fileFrame) out.push(encode(trailer('FTS', file.batches.length, fileFrame, file.problem), fileFrame.charset));
  }
  return Buffer.concat(out);
}

/** FHS or BHS, cut. */
interface Frame {
  readonly delimiters: Delimiters;
  /** `[n - 1]` is FHS-n, as in MSH. */
  readonly fields: readonly string[];
  readonly charset: Charset;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
const controls = /[\u0000-\u001f\u007f]/g;

function frameOf(line: Uint8Array, expected: Charset): Frame {
  const decoded = decodeAs(line, expected);
  const text = (decoded ?? Buffer.from(line).toString('latin1')).replace(/[\r\n]+$/, '').replace(controls, ' ');
  const charset = decoded === undefined ? 'iso-8859-1' : expected;
  const signs = /^...([^\sA-Za-z0-9])([^\sA-Za-z0-9]{4})/.exec(text);
  const [field, encoding] = [signs?.[1] ?? '|', signs?.[2] ?? '^~\\&'];
  return {
    delimiters: {
      field,
      component: encoding.charAt(0),
      repetition: encoding.charAt(1),
      escape: encoding.charAt(2),
      subcomponent: encoding.charAt(3),
    },
    fields: text.split(field),
    charset,
  };
}

function turned({ fields, delimiters }: Frame, { controlId, timestamp }: BatchContext): string {
  const { field, component, repetition, subcomponent } = delimiters;
  const encoding = component + repetition + delimiters.escape + subcomponent;
  const [name = '', , sender = '', facility = '', receiver = '', destination = ''] = fields;
  const cells = [name.slice(0, 3), encoding, receiver, destination, sender];
  cells.push(facility, timestamp, '', '', '', controlId(), fields[10] ?? '');
  return `${cells.join(field).slice(0, frameSegmentBytesMax)}\r`;
}

function trailer(name: string, count: number, { delimiters }: Frame, problem: string | undefined): string {
  const comment = problem ? [escapeText(problem, delimiters)] : [];
  return `${[name, count, ...comment].join(delimiters.field)}\r`;
}
