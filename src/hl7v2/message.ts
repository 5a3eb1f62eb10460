/**
 * A decoded HL7 v2 message: segments and fields, cut on demand, nothing dropped. HL7 v2.5.1 chapter 2, 2.5 and 2.7.
 */
import { unescapeText } from './escape.ts';

/** The delimiters of MSH-1 and MSH-2. */
export interface Delimiters {
  readonly field: string;
  readonly component: string;
  readonly repetition: string;
  readonly escape: string;
  readonly subcomponent: string;
  /** A fifth encoding character (v2.7): nothing is cut at it, and `\P\` is one. */
  readonly truncation?: string;
}

/** A name of a place: `PID-3`, `PV1-2.1`, `CX.4`, `CX.4.2`; numbers count from 1, `component` 0 means the whole field. */
export interface FieldRef {
  readonly segment: string;
  readonly field: number;
  readonly component: number;
  readonly subcomponent: number;
}

const none: readonly string[] = [];

/** One segment; `fields` is cut at the first read. */
export class Segment {
  readonly name: string;
  readonly raw: string;
  /** 1 for the first segment of this name in the message, as ERR-2.2 counts. */
  readonly sequence: number;
  readonly delimiters: Delimiters;
  #fields: string[] | undefined;
  /** By field: many rows ask the same one. */
  #repetitions: (readonly string[])[] | undefined;

  constructor(raw: string, delimiters: Delimiters, sequence: number) {
    this.name = raw.slice(0, 3);
    this.raw = raw;
    this.sequence = sequence;
    this.delimiters = delimiters;
  }

  /** The raw text of field n (from 1), all repetitions, escapes as sent; empty when not there. */
  field(n: number): string {
    this.#fields ??= this.raw.split(this.delimiters.field);
    if (this.name !== 'MSH') return this.#fields[n] ?? '';
    // MSH-1 is the separator itself (2.14.9.1), so MSH-n is what stands behind the (n-1)th separator.
    return n === 1 ? this.delimiters.field : (this.#fields[n - 1] ?? '');
  }

  /** How many fields the sender wrote. */
  get fieldCount(): number {
    this.#fields ??= this.raw.split(this.delimiters.field);
    return this.#fields.length - (this.name === 'MSH' ? 0 : 1);
  }

  /** The repetitions of field n, raw; none for an empty field. MSH-2 holds the delimiters and is never cut. */
  repetitions(n: number): readonly string[] {
    const value = this.field(n);
    if (value === '') return none;
    this.#repetitions ??= [];
    this.#repetitions[n] ??=
      value.includes(this.delimiters.repetition) && !(this.name === 'MSH' && n <= 2)
        ? value.split(this.delimiters.repetition)
        : [value];
    return this.#repetitions[n];
  }

  /** Text of a component (subcomponent) of the first repetition: unescaped, without blanks around it. */
  text(n: number, component = 1, subcomponent = 1): string {
    const value = this.field(n);
    if (value === '') return '';
    if (this.name === 'MSH' && n <= 2) return value;
    const { repetition, component: c, subcomponent: s } = this.delimiters;
    return unescapeText(cut(cut(cut(value, repetition, 1), c, component), s, subcomponent), this.delimiters).trim();
  }
}

/** The nth part (from 1) of a text between delimiters, without cutting the rest. */
export function cut(text: string, delimiter: string, n: number): string {
  let from = 0;
  for (let i = 1; i < n; i++) {
    const at = text.indexOf(delimiter, from);
    if (at < 0) return '';
    from = at + 1;
  }
  const end = text.indexOf(delimiter, from);
  return from === 0 && end < 0 ? text : text.slice(from, end < 0 ? undefined : end);
}

/** A message: its header and all its segments in the order sent. */
export class Message {
  readonly delimiters: Delimiters;
  readonly segments: readonly Segment[];
  /** By name: many rows of many segments ask for one that may not be there. */
  #named: Map<string, Segment[]> | undefined;

  constructor(delimiters: Delimiters, segments: readonly Segment[]) {
    this.delimiters = delimiters;
    this.segments = segments;
  }

  get header(): Segment {
    return this.segments[0] as Segment;
  }

  /** All segments of a name, in the order sent. */
  named(name: string): readonly Segment[] {
    this.#named ??= Map.groupBy(this.segments, (segment) => segment.name);
    return this.#named.get(name) ?? [];
  }

  /** The first segment of a name. */
  first(name: string): Segment | undefined {
    return this.named(name)[0];
  }

  /** The message as it goes over the wire: segments ended by CR (2.5.2). */
  format(): string {
    return `${this.segments.map((segment) => segment.raw).join('\r')}\r`;
  }
}

/**
 * How a message ends its segments: as it ends the first. A line feed inside a field of a message with CR stays; in a message
 * with LF a CR (often only the one that MLLP asks for, at the end) ends a segment too.
 */
function segmentEnd(text: string): RegExp {
  return /[\r\n]/.exec(text)?.[0] === '\n' ? /\r\n?|\n/ : /\r\n?/;
}

/**
 * Text ─▶ message; undefined when it does not begin with a usable MSH segment, or has a second one. LF and CRLF count as CR, a byte-order mark
 * in front counts for nothing.
 */
export function parse(source: string): Message | undefined {
  const text = source.startsWith('\ufeff') ? source.slice(1) : source;
  if (!text.startsWith('MSH') || text.length < 9) return undefined;
  const field = text.charAt(3);
  const encoding = text.slice(4, 8);
  if (/[\sA-Za-z0-9]/.test(field) || new Set(field + encoding).size < 5 || /[\sA-Za-z0-9]/.test(encoding))
    return undefined;
  const delimiters: Delimiters = {
    field,
    component: encoding.charAt(0),
    repetition: encoding.charAt(1),
    escape: encoding.charAt(2),
    subcomponent: encoding.charAt(3),
    ...(/^[^\sA-Za-z0-9]$/.test(text.charAt(8)) && text.charAt(8) !== field && { truncation: text.charAt(8) }),
  };
  const counts = new Map<string, number>();
  const segments: Segment[] = [];
  for (const line of text.split(segmentEnd(text))) {
    if (isBlank(line)) continue;
    const name = line.slice(0, 3);
    // Two messages in one would be one patient's with another's findings: a batch is cut before (batch.ts).
    if (name === 'MSH' && segments.length > 0) return undefined;
    const sequence = (counts.get(name) ?? 0) + 1;
    counts.set(name, sequence);
    segments.push(new Segment(line, delimiters, sequence));
  }
  return new Message(delimiters, segments);
}

/** Buffers of a fixed size end in NULs. */
function isBlank(line: string): boolean {
  const first = line.charCodeAt(0);
  if (first > 0x20 && first < 0x7f) return false;
  return line.replaceAll('\0', '').trim() === '';
}

const refPattern = /^([A-Z][A-Z0-9]{1,2})[-.](\d+)(?:\.(\d+))?(?:\.(\d+))?$/;

/** `PID-3.4` ─▶ its parts; for a data type (`CX.4.2`) `field` is the component and `component` the subcomponent. */
export function parseRef(text: string): FieldRef | undefined {
  const match = refPattern.exec(text);
  if (!match) return undefined;
  const [, segment, field, component, subcomponent] = match;
  return {
    segment: segment as string,
    field: Number(field),
    component: Number(component ?? 0),
    subcomponent: Number(subcomponent ?? 0),
  };
}
