/** What a compiled row works with: the message, where a raw text stands, and the resources made so far. */
import type { Zone } from '../fhir/zone.ts';
import { unescapeText } from '../hl7v2/escape.ts';
import { cut, type Delimiters, type Message, type Segment } from '../hl7v2/message.ts';
import type { Owners } from './owner.ts';
import type { Questionnaires } from './questionnaire.ts';
import type { Table } from './tables.ts';

export type Json = Record<string, any>;

/** The identifier by which a resource is the same in a later message, or in what a FHIR client wrote. */
export interface BusinessIdentifier {
  readonly system: string;
  readonly value: string;
}

/** A resource that a message made. */
export interface Built {
  readonly resource: Json & { resourceType: string; id: string };
  identifier?: BusinessIdentifier;
  /** Further identifiers by which a stored one is found. */
  others?: readonly BusinessIdentifier[];
  /** Paths (`period.end`) that the sender deletes with `""` (HL7 v2.5.1 2.5.3.1) or a row clears. */
  readonly clear: Set<string>;
  /** Root elements that count only while nothing is stored. */
  readonly initial: Set<string>;
  /** List at the root ─▶ for each entry the register that it belongs to: what one field, slot or segment said as a whole. */
  readonly registers: Map<string, string[]>;
  /** The segment whose resources replace, as a set, what earlier messages gave. */
  snapshot?: string;
  /** Of a patient or visit: segments in snapshot mode that say that there are none. */
  emptied?: Set<string>;
}

/** A resource that rows are about to fill: {@link finish} gives it its id. */
export function draftOf(resourceType: string): Built {
  const resource = { resourceType } as Built['resource'];
  return { resource, clear: new Set(), initial: new Set(), registers: new Map() };
}

/** One line of lineage before its path is known. */
export interface Trace {
  readonly container: object;
  readonly key: string;
  readonly field: string;
  readonly row: string;
  /** Number of the segment that the field is of, among those of its name. */
  segment?: number;
}

/** A code that its table does not list: somebody has to say what it means. */
export interface UnknownCode {
  /** The table, by name. */
  readonly table: string;
  readonly code: string;
  /** As the sender names it; empty when he does not. */
  readonly system: string;
  readonly display: string;
  /** `PV1-36`; in a data type the segment with its part, `PID XAD.7`. */
  readonly field: string;
}

/** State of one message being mapped. */
export interface MappingContext {
  readonly message: Message;
  readonly delimiters: Delimiters;
  readonly zone: Zone;
  /** Gives the offset for a local time without one: that of MSH-7 if it has one (2.A.22), else the zone's. */
  readonly offsetOf: (local: string) => string;
  /** FHIR instant at which the message was received. */
  readonly receivedAt: string;
  /** System for identifiers without an assigning authority: they are the sender's own (MSH-4). */
  readonly senderSystem: string;
  readonly tables: ReadonlyMap<string, Table>;
  /** The questionnaires that answers may name; absent when there are none. */
  readonly questionnaires?: Questionnaires;
  readonly built: Built[];
  /** The same, by `Type/id`. */
  readonly byKey: Map<string, Built>;
  /** Periods, and what holds one. */
  readonly timed: Set<Json>;
  /** Codes that their table does not list. */
  readonly unknown: UnknownCode[];
  /** Which segment belongs to which, and what each made. */
  readonly owners: Owners;
  /** While a snapshot entry is filled: its segment, of which all list entries are one register. */
  register: string | undefined;
  /** Primitives that got an extension in place of a value; `isAlone` when they are neither one of a choice nor data. */
  readonly unconverted: { container: Json; key: string; twin: string; isAlone: boolean }[];
  /** Present only when lineage is wanted; `place` is then the field being read. */
  readonly trace?: Trace[];
  /** Beside it: what a message made twice ─▶ what stands for it. */
  readonly aliases?: Map<object, object>;
  place: string;
}

/** Where rows of one file read: a segment, or the parts of a data type. `level` is that of a part: 1 field, 2 component, 3 subcomponent. */
export interface Source {
  readonly level: number;
  readonly segment: Segment;
  repetitions(n: number): readonly string[];
  /** True when the place is not empty: cheaper than its repetitions. */
  has(n: number): boolean;
}

/** Rows of a segment map read fields, each repetition for itself. */
export function segmentSource(segment: Segment): Source {
  return { level: 1, segment, repetitions: (n) => segment.repetitions(n), has: (n) => segment.field(n) !== '' };
}

const none: readonly string[] = [];

/** Rows of a data type read the parts of one raw text. */
export class PartsSource implements Source {
  readonly level: number;
  readonly segment: Segment;
  readonly #raw: string;
  readonly #parts: string[];

  constructor(raw: string, level: number, segment: Segment, delimiters: Delimiters) {
    this.level = level + 1;
    this.#raw = raw;
    this.segment = segment;
    const delimiter = level === 1 ? delimiters.component : delimiters.subcomponent;
    this.#parts = level >= 3 || !raw.includes(delimiter) ? [raw] : raw.split(delimiter);
  }

  has(n: number): boolean {
    return n === 0 || (this.#parts[n - 1] ?? '') !== '';
  }

  /** Part 0 is the whole text again: a type may hand it on to another type. */
  repetitions(n: number): readonly string[] {
    if (n === 0) return [this.#raw];
    const part = this.#parts[n - 1];
    return part === undefined || part === '' ? none : [part];
  }
}

/** The nth part below a raw text of a level, still raw. */
export function partOf(raw: string, level: number, n: number, d: Delimiters): string {
  if (level >= 3) return n === 1 ? raw : '';
  return cut(raw, level === 1 ? d.component : d.subcomponent, n);
}

/** The first text inside a raw text: unescaped, without control characters and blanks around it. */
export function leaf(raw: string, level: number, d: Delimiters): string {
  if (isPlain(raw, level, d)) return raw;
  let text = raw;
  if (level <= 1) text = cut(text, d.component, 1);
  if (level <= 2) text = cut(text, d.subcomponent, 1);
  return clean(unescapeText(text, d));
}

/** True when nothing has to be done: one pass in place of two cuts, an unescape, a test and a trim. Most texts are. */
function isPlain(raw: string, level: number, d: Delimiters): boolean {
  const component = level <= 1 ? d.component.charCodeAt(0) : -1;
  const subcomponent = level <= 2 ? d.subcomponent.charCodeAt(0) : -1;
  const mark = d.escape.charCodeAt(0);
  const last = raw.length - 1;
  for (let i = 0; i <= last; i++) {
    const code = raw.charCodeAt(i);
    if (code === component || code === subcomponent || code === mark || code < 0x20 || code === 0x7f) return false;
    // Blanks of any script around the text go; whether one is a blank is left to the slow way.
    if ((code === 0x20 || code > 0x7f) && (i === 0 || i === last) && raw.charAt(i).trim() === '') return false;
  }
  return true;
}

/** FHIR strings have no control characters but tab and line ends (R4 datatypes.html#string), and no blanks around. */
export function clean(text: string): string {
  return controls.test(text) ? text.replace(unwanted, ' ').trim() : text.trim();
}
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const controls = /[\u0000-\u001f\u007f]/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out; tab, LF and CR stay
const unwanted = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/g;

/** True when a raw text holds more than delimiters and blanks. `""` deletes, so it holds no value. */
export function isValued(raw: string, d: Delimiters): boolean {
  if (raw === '' || raw === '""') return false;
  // Most texts begin with a digit, a capital or a Chinese character: that is a value, whatever follows.
  const first = raw.charCodeAt(0);
  if ((first >= 0x30 && first <= 0x39) || (first >= 0x41 && first <= 0x5a) || (first >= 0x4e00 && first <= 0x9fff))
    return true;
  for (const repetition of raw.split(d.repetition))
    for (const component of repetition.split(d.component))
      for (const part of component.split(d.subcomponent))
        if (part !== '""' && clean(unescapeText(part, d)) !== '') return true;
  return false;
}
