/** Which fields of a message its mapping uses, and why it leaves others out: the measure that nothing is dropped in silence. */
import type { Message, Segment } from '../hl7v2/message.ts';
import { withType } from '../hl7v2/message-type.ts';
import { compileCondition, type Predicate } from './condition.ts';
import { isValued, type MappingContext, PartsSource, partOf, segmentSource } from './context.ts';
import { defaultConverters } from './converters.ts';
import type { LineageRow } from './lineage.ts';
import type { EntryRows, MapOptions, Mapped, Mapping } from './map.ts';
import { Owners, ownersBySegment } from './owner.ts';
import {
  type Condition,
  type DataTypeMap,
  type Identity,
  keyOf,
  type Located,
  type Row,
  type SegmentMap,
  saysOnlyWhy,
} from './rows.ts';
import { compileTarget } from './target.ts';

/**
 * What becomes of a field: a row made elements of it; its `""` deletes; a row says that it goes nowhere; it has rows and none
 * of them used it; only conditions, identities or the server itself read it; nobody does.
 */
export const uses = ['mapped', 'deletes', 'nowhere', 'not used', 'read', 'no row'] as const;
export type Use = (typeof uses)[number];

/** A valued field of a message with what becomes of it; after a field that is mapped, its parts that are not. */
export interface FieldUse {
  /** `PID-3`; of a part `PID-13.11`. */
  readonly field: string;
  /** Which of the segments of this name it is of, from 1. */
  readonly segment: number;
  readonly use: Use;
  /** The elements that were made of it, by which rows. */
  readonly lineage: readonly LineageRow[];
  /** Names of the rows that used it, or that could have: `PID-Patient#PID-8 gender`. */
  readonly rows: readonly string[];
  /** What else reads it. */
  readonly readBy: readonly string[];
  /** Of `nowhere` and `not used`: why. */
  readonly reason?: string;
}

export interface Coverage {
  readonly fields: readonly FieldUse[];
  /** True when there are more fields than were asked for. */
  readonly cut: boolean;
  readonly mapped: Mapped;
}

/** A row that a field may go through. */
interface Candidate {
  readonly name: string;
  readonly row: Row;
  readonly entry: EntryRows;
  /** The rows for the parts of what it reads: of its data type, and of the file that is named for the HL7 data type alone. */
  readonly parts: readonly Located<DataTypeMap>[];
  /** Of the entry and of the row; compiled when they are asked for. */
  conditions?: readonly (Predicate | undefined)[];
}

interface Readers {
  readonly rows: Candidate[];
  readonly nowhere: Candidate[];
  readonly readBy: Set<string>;
}

/** Fields that the server reads whatever the mapping says. */
const ofServer: Readonly<Record<string, string>> = {
  'MSH-1': 'the delimiters',
  'MSH-2': 'the delimiters',
  'MSH-3': 'the sender',
  'MSH-4': 'the sender',
  'MSH-7': 'the order of messages',
  'MSH-9': 'the choice of the mapping',
  'MSH-10': 'the acknowledgement',
  'MSH-11': 'the check of the header',
  'MSH-12': 'the check of the header',
  'MSH-15': 'the acknowledgement',
  'MSH-16': 'the acknowledgement',
  'MSH-18': 'the character set',
  'EVN-2': 'the order of messages',
  'EVN-6': 'the order of messages',
  'ZBE-2': 'the order of messages',
};

/**
 * @param message one that {@link Mapping.check} finds nothing wrong with
 * @param fieldsMax fields to tell of at most
 */
export function coverageOf(
  message: Message,
  mapping: Mapping,
  options: Omit<MapOptions, 'lineage'>,
  fieldsMax: number,
): Coverage {
  const mapped = mapping.map(message, { ...options, lineage: true });
  const lineage = byField(mapped.lineage ?? []);
  const entries = mapping.entriesOf(message);
  const readers = readersOf(entries, mapping);
  const read = withType(message);
  const owners = new Owners(read, ownersBySegment(entries.map(({ entry }) => entry)));
  // Conditions look at nothing else of it.
  const { questionnaires, tables } = mapping;
  const context = { message: read, delimiters: read.delimiters, owners, questionnaires, tables } as MappingContext;
  const fields: FieldUse[] = [];
  let cut = false;
  for (const { segment, n } of valuedFields(read)) {
    if (fields.length >= fieldsMax) {
      cut = true;
      break;
    }
    const field = `${segment.name}-${n}`;
    const own = lineage.get(`${field} ${segment.sequence}`) ?? [];
    const place = { field, n, segment };
    fields.push(useOf(place, own, readers.get(field), context));
    if (own.length > 0) fields.push(...lostParts(place, own, readers.get(field), context));
  }
  return { fields, cut, mapped };
}

function* valuedFields({ segments, delimiters }: Message): Generator<{ segment: Segment; n: number }> {
  for (const segment of segments) {
    for (let n = 1; n <= segment.fieldCount; n++) {
      const raw = segment.field(n);
      if (raw === '""' || isValued(raw, delimiters)) yield { segment, n };
    }
  }
}

/** Lineage by field and number of the segment: `PID-3[2].4.1` is of `PID-3`. */
function byField(rows: readonly LineageRow[]): Map<string, LineageRow[]> {
  const found = new Map<string, LineageRow[]>();
  for (const row of rows) {
    const key = `${/^[A-Z0-9]{3}-\d+/.exec(row.field)?.[0]} ${row.segment}`;
    const own = found.get(key);
    if (own) own.push(row);
    else found.set(key, [row]);
  }
  return found;
}

function useOf(
  { field, n, segment }: { readonly field: string; readonly n: number; readonly segment: Segment },
  lineage: readonly LineageRow[],
  readers: Readers | undefined,
  context: MappingContext,
): FieldUse {
  const server = ofServer[field];
  const readBy = [...(readers?.readBy ?? []), ...(server ? [server] : [])];
  const rows = readers?.rows ?? [];
  const of = (use: Use, names: Iterable<string>, reason?: string): FieldUse => ({
    field,
    segment: segment.sequence,
    use,
    lineage,
    rows: [...new Set(names)],
    readBy,
    ...(reason && { reason }),
  });
  if (lineage.length > 0)
    return of(
      'mapped',
      lineage.map(({ row }) => row),
    );
  const names = rows.map(({ name }) => name);
  if (segment.field(n) === '""' && rows.length > 0) return of('deletes', names);
  // A reason that stands under a condition is one only where that holds; whether its entry runs does not matter.
  const reason = readers?.nowhere.find(
    (it) => it.row.field === field && conditionsOf(it, segment, context)[1] !== false,
  )?.row.nowhere;
  if (reason !== undefined) return of('nowhere', names, reason);
  if (rows.length > 0) return of('not used', names, whyNot(rows, segment, context));
  return of(readBy.length > 0 ? 'read' : 'no row', []);
}

/** Parts of a field are looked at, at most. */
const partsMax = 100;

/** The parts of a mapped field that go nowhere, or that no row reads. */
function* lostParts(
  { field, n, segment }: { readonly field: string; readonly n: number; readonly segment: Segment },
  lineage: readonly LineageRow[],
  readers: Readers | undefined,
  context: MappingContext,
): Generator<FieldUse> {
  const { rows = [], nowhere = [] } = readers ?? {};
  const whole = rows.filter(({ row }) => row.field === field);
  const files = [...new Set(whole.flatMap(({ parts }) => parts))];
  const made = new Set(lineage.map((it) => partOfField(it.field)));
  const read = new Set([
    ...rows.map(({ row }) => partOfField(row.field)),
    ...files.flatMap((it) => it.content.rows.map((row) => partOfType(row.field))),
  ]);
  // What reads the whole text, a converter or a row of `XTN.0`, knows itself what it uses.
  const isWhole = read.has(0) || whole.some(({ parts }) => parts.every((it) => saysOnlyWhy(it.content)));
  const told = new Set<number>();
  for (const raw of segment.repetitions(n))
    for (let part = 1; part <= partsMax; part++) {
      if (made.has(part) || told.has(part)) continue;
      if (!isValued(partOf(raw, 1, part, context.delimiters), context.delimiters)) continue;
      const place = `${field}.${part}`;
      const reason =
        nowhere.find(({ row }) => row.field === place)?.row.nowhere ?? whyLost(raw, part, files, segment, context);
      if (reason === undefined && (isWhole || read.has(part))) continue;
      told.add(part);
      const use = reason === undefined ? 'no row' : 'nowhere';
      yield { ...unused, field: place, segment: segment.sequence, use, ...(reason && { reason }) };
    }
}

const unused = { lineage: [], rows: [], readBy: [] };

/** `PID-13[2].4`: 4. */
function partOfField(field = ''): number {
  return Number(/^[A-Z0-9]{3}-\d+(?:\[\d+\])?\.(\d+)/.exec(field)?.[1] ?? -1);
}

/** Of a row of a data type, the part that it reads (`XTN.3`, `XPN.1.2`): 3, 1; 0 for the whole. */
function partOfType(field = ''): number {
  return Number(/^[A-Z][A-Z0-9]{1,2}\.(\d+)/.exec(field)?.[1] ?? -1);
}

function whyLost(
  raw: string,
  part: number,
  files: readonly Located<DataTypeMap>[],
  segment: Segment,
  context: MappingContext,
): string | undefined {
  const source = new PartsSource(raw, 1, segment, context.delimiters);
  for (const { content } of files)
    for (const { field, nowhere, when } of content.rows)
      if (
        nowhere !== undefined &&
        partOfType(field) === part &&
        conditionOf(content.datatype, when)?.(source, context) !== false
      )
        return nowhere;
  return undefined;
}

/** Reasons are given of so many rows. */
const reasonsMax = 5;

function whyNot(rows: readonly Candidate[], segment: Segment, context: MappingContext): string {
  const reasons = rows.slice(0, reasonsMax).map((it) => `${it.name}: ${obstacle(it, segment, context)}`);
  return [...new Set(reasons)].join('; ');
}

/** The segment that a row of an entry runs with. One that reads another segment's field does not say which: the first. */
function runsWith({ entry: { file } }: Candidate, segment: Segment, { message }: MappingContext): Segment | undefined {
  return file.content.segment === segment.name ? segment : message.first(file.content.segment);
}

function obstacle(candidate: Candidate, segment: Segment, context: MappingContext): string {
  const { entry, file } = candidate.entry;
  const own = runsWith(candidate, segment, context);
  if (!own) return `the message has no ${file.content.segment}`;
  if (entry.under && !entry.under.includes(context.owners.ownerOf(own)?.name ?? 'none'))
    return `only under ${entry.under.join(', ')}`;
  if (conditionsOf(candidate, segment, context).includes(false)) return 'its condition does not hold';
  return 'another row gave the element, or the text has no value for it';
}

/** Whether the conditions of the entry and of the row hold; undefined for none, and for one that cannot be seen from here. */
function conditionsOf(
  candidate: Candidate,
  segment: Segment,
  context: MappingContext,
): readonly (boolean | undefined)[] {
  const own = runsWith(candidate, segment, context);
  const { entry, file } = candidate.entry;
  candidate.conditions ??= [entry.when, candidate.row.when].map((when) => conditionOf(file.content.segment, when));
  if (!own) return [false, false];
  const source = segmentSource(own);
  return candidate.conditions.map((holds) => holds?.(source, context));
}

/** Undefined also for a condition on parts of a data type. */
function conditionOf(owner: string, when: Row['when']): Predicate | undefined {
  try {
    return compileCondition(owner, when);
  } catch {
    return undefined;
  }
}

const known = new WeakMap<readonly EntryRows[], ReadonlyMap<string, Readers>>();

/** Field ─▶ who reads it, of all entries of a message map. */
function readersOf(entries: readonly EntryRows[], mapping: Mapping): ReadonlyMap<string, Readers> {
  const standing = known.get(entries);
  if (standing) return standing;
  const readers = new Map<string, Readers>();
  const at = (place: string): Readers => {
    // The parts of a data type (`XCN.3`) are kept under their own names, which no segment has.
    const field = /^[A-Z][A-Z0-9]{2}-\d+/.exec(place)?.[0] ?? place;
    const own = readers.get(field) ?? { rows: [], nowhere: [], readBy: new Set() };
    readers.set(field, own);
    return own;
  };
  for (const entry of entries) {
    const { file } = entry;
    const { identity = [] } = file.content;
    for (const place of [...placesOf(entry.entry.when), ...placesOfIdentity(identity)]) at(place).readBy.add(file.name);
    for (const { name, row, parts } of rowsOf(file, mapping, new Set())) {
      if (row.field && row.nowhere !== undefined) at(row.field).nowhere.push({ name, row, entry, parts });
      else if (row.field && row.to) at(row.field).rows.push({ name, row, entry, parts });
      for (const place of [...placesOf(row.when), ...(row.each ? [row.each] : [])]) at(place).readBy.add(name);
    }
  }
  known.set(entries, readers);
  return readers;
}

/** The rows of a file and of the data types that they use. */
function* rowsOf(
  file: Located<SegmentMap | DataTypeMap>,
  mapping: Mapping,
  seen: Set<string>,
): Generator<Omit<Candidate, 'entry'>> {
  if (seen.has(file.name)) return;
  seen.add(file.name);
  for (const row of file.content.rows) {
    const type = typeOf(row, file.content) ?? '';
    const parts = [type, type.split('-')[0] ?? ''].flatMap((it) => mapping.datatype(it) ?? []);
    yield { name: `${file.name}#${keyOf(row)}`, row, parts };
    for (const it of parts) yield* rowsOf(it, mapping, seen);
  }
}

/** The data type map or converter of a row. */
function typeOf({ type, to, value, reference }: Row, content: SegmentMap | DataTypeMap): string | undefined {
  const owner = content.resource ?? (content as DataTypeMap).makes;
  if (type !== undefined || !to || !owner || value !== undefined || reference !== undefined) return type;
  return defaultConverters[compileTarget(owner, to).element.type];
}

function placesOf(when: Row['when']): string[] {
  const all = when === undefined ? [] : ([when].flat() as Condition[]);
  return all.flatMap((it) =>
    Object.values(it).flatMap((value: string | readonly unknown[]) =>
      typeof value === 'string' ? [value] : [value[0] as string],
    ),
  );
}

function placesOfIdentity(identity: Identity): string[] {
  return identity
    .flatMap((it): readonly string[] => ('identifier' in it ? (it.and ?? []) : it))
    .filter((part) => /^[A-Z][A-Z0-9]{2}-\d/.test(part));
}
