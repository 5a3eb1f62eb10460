/**
 * Messages by the grammar that the mapping knows: for each event that is mapped its segments, for each segment the fields that
 * rows read. What is mapped tomorrow is tortured tomorrow.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type MappingFiles, readMappings } from '../../src/mapping/read.ts';
import type { MessageEntry } from '../../src/mapping/rows.ts';
import type { Random } from './random.ts';
import { dtm, type FieldKind, fieldValue, nasty } from './values.ts';

const folder = fileURLToPath(new URL('../../mappings', import.meta.url));

/** An event with the segments of its message. */
export interface Shape {
  readonly type: string;
  readonly event: string;
  /** Segments without which it is refused. */
  readonly required: readonly string[];
  /** All others, each with those behind which it may stand; none: anywhere. */
  readonly optional: readonly { readonly name: string; readonly under: readonly string[] }[];
}

export interface Grammar {
  readonly shapes: readonly Shape[];
  /** Segment name ─▶ its fields, from 1. */
  readonly segments: ReadonlyMap<string, ReadonlyMap<number, FieldKind>>;
}

/** Who the messages are about: few, so that they meet. */
export interface World {
  readonly name: string;
  readonly people: number;
  /** Begins the control ids of one connection. */
  readonly chunk: string;
}

/** Reads what is mapped. @throws MappingError */
export function readGrammar(): Grammar {
  const files = readMappings(folder);
  const codes = codesByTable();
  const shapes = files.messages.flatMap(({ content: { message, events, segments, maps } }) =>
    events.map((event): Shape => {
      const required = segments.filter((name) => name !== 'MSH');
      const rest = maps.filter(({ segment }) => segment !== 'MSH' && !required.includes(segment));
      return { type: message.split('_')[0] as string, event, required, optional: optionalOf(rest) };
    }),
  );
  const names = new Set(shapes.flatMap((it) => [...it.required, ...it.optional.map(({ name }) => name)]));
  return { shapes, segments: new Map([...names].map((name) => [name, fieldsOf(name, files, codes)])) };
}

function optionalOf(entries: readonly MessageEntry[]): Shape['optional'] {
  const under = new Map<string, Set<string>>();
  for (const entry of entries) {
    const known = under.get(entry.segment) ?? new Set<string>();
    for (const owner of entry.under ?? []) if (owner !== 'none') known.add(owner);
    under.set(entry.segment, known);
  }
  return [...under].map(([name, owners]) => ({ name, under: [...owners] }));
}

function codesByTable(): ReadonlyMap<string, readonly string[]> {
  const tables = join(folder, 'tables');
  return new Map(
    readdirSync(tables).map((file) => {
      const { group = [] } = JSON.parse(readFileSync(join(tables, file), 'utf8'));
      return [file.replace(/\.json$/, ''), group.flatMap((it: any) => it.element.map(({ code }: any) => code))];
    }),
  );
}

function fieldsOf(
  segment: string,
  { segments }: MappingFiles,
  codes: ReadonlyMap<string, readonly string[]>,
): ReadonlyMap<number, FieldKind> {
  const fields = new Map<number, { types: Set<string>; codes: Set<string> }>();
  for (const { content } of segments.values()) {
    for (const { field, type, table } of content.rows) {
      const [, name, number] = /^([A-Z][A-Z0-9]{2})-(\d+)/.exec(field ?? '') ?? [];
      if (name !== segment) continue;
      const known = fields.get(Number(number)) ?? { types: new Set(), codes: new Set() };
      if (type) known.types.add(type.split('-')[0] as string);
      for (const one of codes.get(table ?? '') ?? []) known.codes.add(one);
      fields.set(Number(number), known);
    }
  }
  return new Map([...fields].map(([n, it]) => [n, { types: [...it.types], codes: [...it.codes] }]));
}

const obxTypes = ['NM', 'ST', 'TX', 'CWE', 'SN', 'DTM', 'ED', 'RP', 'XPN', 'CX', 'NR', ''];

/** What makes a message one about somebody: without these it would be refused, or be about nobody twice. */
const anchors: Readonly<Record<string, (random: Random, world: World) => Readonly<Record<number, string>>>> = {
  PID: (random, world) => ({ 1: '1', 3: `${person(random, world)}^^^RENHE^MR`, 5: 'Doe^Jane^^^^^L' }),
  PV1: (random, world) => ({
    2: random.pick(['I', 'O', 'E', 'P', 'R', 'N', 'B']),
    19: `V${person(random, world)}^^^RENHE^VN`,
    44: `202603${random.whole(10, 16)}090000`,
  }),
  MRG: (random, world) => ({
    1: `${person(random, world)}^^^RENHE^MR`,
    ...(random.next() < 0.5 && { 3: `A${person(random, world)}^^^RENHE^AN` }),
    5: `V${person(random, world)}^^^RENHE^VN`,
  }),
  SCH: (random, world) => ({
    2: `F${person(random, world)}^RENHE`,
    11: `^^^${dtm(random)}^${dtm(random)}`,
    25: random.pick(['Booked', 'Cancelled', 'Noshow', 'Pending', 'Complete', '']),
  }),
  OBR: (random) => ({
    3: `R${random.whole(1, 20)}^LAB`,
    4: 'VITALS^Vital signs^L',
    7: dtm(random),
    25: random.pick(['F', 'P', 'C', '']),
  }),
  OBX: (random) => {
    const type = random.pick(obxTypes);
    return {
      2: type,
      3: random.pick(['29463-7^Weight^LN', '2339-0^Glucose^LN', 'PULSE^^L', '8480-6^^LN']),
      5: fieldValue({ types: [type], codes: [] }, random),
      11: random.pick(['F', 'P', 'C', 'D', 'X']),
    };
  },
  DG1: (random) => ({ 3: random.pick(['E11.9^Diabetes^I10', 'I10^Hypertension^I10', 'J18.9^^I10']) }),
  AL1: (random) => ({ 3: random.pick(['PCN^Penicillin', '^Dust', 'NUTS^^L']) }),
};

function person(random: Random, { name, people }: World): string {
  return `${name}P${random.whole(1, people)}`;
}

/** One segment with some of its fields filled. */
function segmentOf(name: string, { segments }: Grammar, world: World, random: Random): string[] {
  const fields: string[] = [name];
  const share = random.pick([0.02, 0.06, 0.06, 0.25]);
  for (const [n, kind] of segments.get(name) ?? []) if (random.next() < share) fields[n] = fieldValue(kind, random);
  for (const [n, text] of Object.entries(anchors[name]?.(random, world) ?? {})) {
    // An anchor is spared from what is nasty, most of the time.
    if (random.next() < 0.97) fields[Number(n)] = text;
  }
  return Array.from(fields, (it) => it ?? '');
}

export interface MessageOptions {
  readonly controlId: string;
  /** MSH-18, and what MSH-20 says of it. */
  readonly charset: string;
  readonly scheme?: string;
  /** MSH-7 and EVN-2, most of the time. */
  readonly sentAt: string;
}

/** One message as segments of fields, MSH-1 and MSH-2 in one (`MSH`, `^~\&`, …); sound but for what {@link fieldValue} puts in. */
export function wellFormed(grammar: Grammar, world: World, options: MessageOptions, random: Random): string[][] {
  const shape = random.pick(grammar.shapes);
  const make = (name: string): string[] => segmentOf(name, grammar, world, random);
  const lines = shape.required.filter((name) => name !== 'EVN').map(make);
  if (shape.type === 'ADT' && random.next() < 0.95)
    lines.unshift(Object.assign(make('EVN'), { 1: shape.event, ...(random.next() < 0.9 && { 2: options.sentAt }) }));
  for (let n = random.pick([0, 0, 1, 1, 2]); n > 0 && shape.optional.length > 0; n--) put(random.pick(shape.optional));
  if (random.next() < 0.1) lines.push(['ZZ1', '1', fieldValue({ types: [], codes: [] }, random), random.pick(nasty)]);
  return [headerOf(shape, options, random), ...lines];

  function put({ name, under }: Shape['optional'][number]): void {
    const owners = lines.map(([it], i) => (under.includes(it as string) ? i : -1)).filter((i) => i >= 0);
    if (under.length > 0 && owners.length === 0) {
      const owner = shape.optional.find((it) => it.name === under[0]);
      // Some belong to what belongs to another.
      if (owner && owner.name !== name) put({ ...owner, under: owner.under.filter((it) => it !== name) });
      if (!lines.some(([it]) => under.includes(it as string))) return;
      put({ name, under });
      return;
    }
    const at = owners.length > 0 ? random.pick(owners) + 1 : lines.length;
    for (let n = random.pick([1, 1, 1, 2]); n > 0; n--) lines.splice(at, 0, make(name));
  }
}

function headerOf(shape: Shape, { controlId, charset, scheme = '', sentAt }: MessageOptions, random: Random): string[] {
  const { type, event } = shape;
  const [accept, application] =
    random.next() < 0.8 ? ['', ''] : [0, 0].map(() => random.pick(['AL', 'AL', 'NE', 'ER', 'SU', '', 'XX']));
  return [
    ...['MSH', '^~\\&', 'HIS', random.pick(['RENHE', 'RENHE', 'RENHE&1.2.3&ISO', ''])],
    ...['AFTERCARE', 'RENHE', random.next() < 0.9 ? sentAt : fieldValue({ types: ['DTM'], codes: [] }, random), ''],
    ...[
      `${type}^${event}^${type}_${event}`,
      controlId,
      'P',
      random.pick(['2.1', '2.3', '2.4', '2.5', '2.5.1', '2.7', '2.8']),
    ],
    ...['', '', accept as string, application as string, 'CHN', charset, '', scheme],
  ];
}
