/**
 * The measure of the mapping: of every field that a message fills, lineage says where it went, or a row says why it goes
 * nowhere. Here every field of every segment that a message map knows is filled.
 */
import { describe, expect, test } from '@jest/globals';
import { readMappings } from '../../src/mapping/read.ts';
import type { DataTypeMap, MessageMap, Row } from '../../src/mapping/rows.ts';
import { later, lostIn } from './lost.ts';
import { mapping, mappingFolder, messageOf, segment } from './support.ts';

/** Fields of each segment: HL7 v2.8, or the later version whose fields the guide or a site sends (MSH, ARV, IN3, PRT, OBX: v2.9). */
const fieldCount: Readonly<Record<string, number>> = {
  ...{
    MSH: 28,
    SFT: 6,
    UAC: 2,
    EVN: 7,
    PID: 40,
    PD1: 23,
    ARV: 10,
    ROL: 14,
    PRT: 24,
    NK1: 41,
    PV1: 54,
    PV2: 50,
    DB1: 8,
  },
  ...{ OBX: 33, AL1: 6, IAM: 30, IAR: 4, DG1: 26, DRG: 33, PR1: 25, GT1: 57, IN1: 55, IN2: 72, IN3: 31, ACC: 13 },
  ...{ UB1: 23, UB2: 17, PDA: 9, MRG: 7, NTE: 9, ZBE: 9, RF1: 25, AUT: 10 },
  ...{ SCH: 27, TQ1: 14, RGS: 3, AIS: 12, AIG: 14, AIL: 12, AIP: 12, ORC: 38, OBR: 55, SPM: 35, CTD: 7 },
};

type Values = Readonly<Record<string, string>>;

/** What a field must hold for the rows that follow to count; else a day: {@link usual}. */
const chosen: Values = {
  'MSH-1': '|',
  'MSH-2': '^~\\&',
  'MSH-4': 'RENHE',
  'MSH-10': 'C1',
  'MSH-11': 'P',
  'MSH-12': '2.8',
  'MSH-18': 'UNICODE UTF-8',
  'EVN-1': 'Z99',
  'PID-3': '1001^^^RENHE^MR',
  'PID-18': 'A1001^^^RENHE^AN',
  'PV1-2': 'I',
  'PV1-19': 'V1001^^^RENHE^VN',
  'MRG-1': '1002^^^RENHE^MR',
  'MRG-3': 'A1002^^^RENHE^AN',
  'MRG-5': 'V1002^^^RENHE^VN',
  'OBX-2': 'NM',
};

/** Where another value of one field changes what becomes of others. */
const variants: readonly (readonly [string, Values])[] = [
  ['as it is', {}],
  ['of a patient who is his own insured and guarantor', { 'IN1-17': 'SEL', 'GT1-11': 'SEL', 'IAM-15': 'SEL' }],
  ['of a general practitioner', { 'ROL-3': 'PP', 'PRT-4': 'PP' }],
  [
    'of what is deleted or has ended',
    {
      'DG1-21': 'D',
      'PR1-20': 'D',
      'IN1-55': 'D',
      'IAM-6': 'D',
      'RF1-25': 'D',
      'ARV-2': 'D',
      'ROL-2': 'DE',
      'PRT-2': 'DE',
    },
  ],
  ['of an employer as next of kin, of a device that takes part', { 'NK1-3': 'EMR', 'PRT-4': 'EQUIP' }],
  [
    'with little in it',
    {
      ...{ 'MSH-23': '', 'PID-34': '', 'PID-29': '', 'PID-25': '', 'PR1-3': '', 'IAM-11': '', 'IAR-1': '' },
      ...{ 'GT1-3': '', 'IN1-4': '', 'IN1-8': '', 'IN1-11': '', 'IN1-16': '', 'IN1-17': '', 'IN1-49': '' },
      ...{ 'PRT-5': '', 'PRT-6': '', 'ROL-4': '' },
    },
  ],
];

const names = Object.keys(fieldCount);

/** A day of its own for each field: a date, a number, a code, a name, a telephone number, and no two things are the same. */
function usual(name: string, field: number): string {
  const day = new Date(Date.UTC(1900, 0, 1 + names.indexOf(name) * 100 + field));
  return day.toISOString().slice(0, 10).replaceAll('-', '');
}

const files = readMappings(mappingFolder);
const messages = files.messages.filter(({ content }) => content.events.length > 0);

/** The data type maps that rows use, and those use. */
function* typesOf(rows: readonly Row[], seen = new Set<string>()): Generator<DataTypeMap> {
  for (const { type } of rows) {
    const file = type === undefined || seen.has(type) ? undefined : files.datatypes.get(type);
    if (!file) continue;
    seen.add(type as string);
    yield file.content;
    yield* typesOf(file.content.rows, seen);
  }
}

/** The fields that rows of this map read, those of its data types included. */
function fieldsRead(map: MessageMap): Set<string> {
  const own = map.maps.flatMap((entry) => files.segments.get(entry.map)?.content.rows ?? []);
  const rows = [...own, ...[...typesOf(own)].flatMap((it) => it.rows)];
  return new Set(rows.map(({ field = '' }) => /^[A-Z][A-Z0-9]{2}-\d+/.exec(field)?.[0] ?? ''));
}

/** `PID-1` … `PID-40`. */
function fields(name: string): string[] {
  if (later.has(name)) return [];
  return Array.from({ length: fieldCount[name] ?? 0 }, (_, i) => `${name}-${i + 1}`);
}

const segmentsOf = (map: MessageMap): string[] => [...new Set(map.maps.map((it) => it.segment))];

describe.each(messages.map((it) => [it.name, it.content] as const))('the message map %s', (_, map) => {
  test('knows segments only whose fields are counted here', () => {
    expect(segmentsOf(map).filter((name) => fieldCount[name] === undefined)).toEqual([]);
  });

  test('has a row for every field of its segments', () => {
    const known = fieldsRead(map);
    expect(segmentsOf(map).flatMap((name) => fields(name).filter((field) => !known.has(field)))).toEqual([]);
  });

  test.each(variants)('has for every field that is filled a place in FHIR, or a reason why not: %s', (_, values) => {
    const lost = placesOf(map).flatMap(({ owner, segments }) => {
      const message = messageOf(filled(map, { ...chosen, ...values }, segments, owner));
      expect(mapping.check(message)).toEqual([]);
      const own = lostIn(message).filter((it) => segments.includes(it.slice(0, 3)));
      return own.map((it) => (owner ? `${it} (under ${owner})` : it));
    });
    expect(lost).toEqual([]);
  });
});

/** The segments that stand on their own, together; and each that belongs to another, behind that one. */
function placesOf({ maps }: MessageMap): { owner?: string; segments: string[] }[] {
  const alone = new Set(maps.flatMap((it) => (it.under ? [] : [it.segment])));
  const owned = new Map(
    maps.flatMap(({ segment: name, under }) =>
      (under ?? []).map((owner) => [`${name} ${owner}`, { owner, segments: [name] }]),
    ),
  );
  return [{ segments: [...alone] }, ...owned.values()];
}

/** MSH, what the message must have, and these segments (behind their owner), all fields filled. */
function filled(map: MessageMap, values: Values, segments: readonly string[], owner?: string): string {
  const ownerOf = (it: string): string =>
    map.maps.find(({ segment: name, under }) => name === it && under)?.under?.[0] ?? '';
  const ordered = ['MSH', 'PID'];
  const put = (it: string, behind: string): void => {
    if (behind !== '' && !ordered.includes(behind)) put(behind, ownerOf(behind));
    ordered.splice(behind === '' ? ordered.length : ordered.indexOf(behind) + 1, 0, it);
  };
  for (const it of [...map.segments, ...(owner ? [] : segments)])
    if (!ordered.includes(it)) put(it, owner ? ownerOf(it) : '');
  for (const it of owner ? segments : []) {
    if (ordered.includes(it)) ordered.splice(ordered.indexOf(it), 1);
    put(it, owner === 'none' ? 'MSH' : (owner as string));
  }
  return `${ordered.map((it) => line(it, map, values)).join('\r')}\r`;
}

function line(name: string, { message, events }: MessageMap, values: Values): string {
  const texts = fields(name).map((field, i) => [i + 1, values[field] ?? usual(name, i + 1)]);
  const event = { 9: `${message.split('_')[0]}^${events[0]}^${message}` };
  return segment(name, { ...Object.fromEntries(texts), ...(name === 'MSH' && event) });
}
