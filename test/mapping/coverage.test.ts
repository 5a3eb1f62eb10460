/** What a report says of each field of a message: nothing is dropped without somebody being told. */
import { describe, expect, test } from '@jest/globals';
import { Zone } from '../../src/fhir/zone.ts';
import { parse } from '../../src/hl7v2/message.ts';
import { coverageOf, type FieldUse } from '../../src/mapping/coverage.ts';
import type { Mapping } from '../../src/mapping/map.ts';
import { hospitalDay } from '../support/messages.ts';
import { smallMapping } from '../support/small-mapping.ts';
import { messageOf, mapping as shipped } from './support.ts';

const options = { zone: new Zone('Asia/Shanghai'), receivedAt: '2026-03-16T10:31:00+08:00' };

const small = smallMapping({
  maps: `
  - { segment: PID, map: PID-Patient }
  - { segment: OBX, map: OBX-Observation, when: { notIn: [OBX-11, X] } }
  - { segment: NTE, map: NTE-Observation, into: Observation, under: [OBX] }
`,
  segments: {
    'PID-Patient': `
segment: PID
resource: Patient
identity:
  - [PID-3.1]
rows:
  - { field: PID-5.1, to: "name[main].family" }
  - { field: PID-8, to: gender, type: CWE-code, table: Sex }
  - { field: PID-7, to: birthDate }
  - { field: PID-34, to: birthDate }
  - { field: PID-30, to: deceasedBoolean, when: { absent: PID-29 } }
  - { field: PID-29, to: deceasedDateTime }
  - { field: PID-31, nowhere: "nobody asks for it" }
  - { field: PID-33, nowhere: "it is the same as PID-7", when: { valued: PID-7 } }
  - { to: active, value: true, when: { in: [PID-32, AL] } }
`,
    'OBX-Observation': `
segment: OBX
resource: Observation
rows:
  - { to: status, value: final }
  - { field: OBX-5, to: valueString, when: { in: [OBX-2, ST] } }
`,
    'NTE-Observation': `
segment: NTE
resource: Observation
rows:
  - { field: NTE-3, to: "note[].text" }
`,
  },
  tables: { Sex: { F: 'female' } },
});

const head = 'MSH|^~\\&|HIS|RENHE|||20260316103000||ADT^A01|C1|P|2.5.1';

function fields(mapping: Mapping, ...segments: string[]): FieldUse[] {
  const message = parse([head, ...segments, ''].join('\r'))!;
  expect(mapping.check(message)).toEqual([]);
  return [...coverageOf(message, mapping, options, 1000).fields];
}

/** The only use of a field, of the nth segment of its name. */
function use(name: string, segment: number, ...segments: string[]): FieldUse {
  const found = fields(small, ...segments).filter((it) => it.field === name && it.segment === segment);
  expect(found).toHaveLength(1);
  return found[0] as FieldUse;
}

/** A PID with fields by number. */
function pid(values: Readonly<Record<number, string>>): string {
  return ['PID', ...Array.from({ length: 40 }, (_, i) => values[i + 1] ?? '')].join('|').replace(/\|+$/, '');
}

describe('a field of a message', () => {
  test('that says what an earlier row has said otherwise is not used', () => {
    expect(use('PID-34', 1, pid({ 3: '1', 7: '19600101', 34: '19610101' }))).toMatchObject({ use: 'not used' });
    expect(use('PID-34', 1, pid({ 3: '1', 7: '19600101', 34: '19600101' }))).toMatchObject({ use: 'mapped' });
    expect(use('PID-34', 1, pid({ 3: '1', 34: '19610101' }))).toMatchObject({ use: 'mapped' });
  });

  test('that a row uses is mapped, with the element and the row', () => {
    const { lineage, ...rest } = use('PID-8', 1, pid({ 3: '1', 8: 'F' }));
    expect(rest).toMatchObject({ use: 'mapped', rows: ['PID-Patient#PID-8 gender'] });
    expect(lineage).toMatchObject([{ field: 'PID-8', element: expect.stringMatching(/^Patient\/[\w-]+\.gender$/) }]);
  });

  test('that a row sends nowhere says why', () => {
    expect(use('PID-31', 1, pid({ 3: '1', 31: 'Y' }))).toMatchObject({ use: 'nowhere', reason: 'nobody asks for it' });
  });

  test('that a row sends nowhere under a condition goes nowhere only where that holds', () => {
    expect(use('PID-33', 1, pid({ 3: '1', 7: '1980', 33: '1980' }))).toMatchObject({ use: 'nowhere' });
    expect(use('PID-33', 1, pid({ 3: '1', 33: '1980' }))).toMatchObject({ use: 'no row' });
  });

  test('that no row reads has no row', () => {
    expect(use('PID-24', 1, pid({ 3: '1', 24: 'Y' }))).toMatchObject({ use: 'no row', rows: [], readBy: [] });
  });

  test('of a segment that is not in the map has no row', () => {
    expect(use('ZPI-1', 1, pid({ 3: '1' }), 'ZPI|secret')).toMatchObject({ use: 'no row' });
  });

  test('whose row has a condition that does not hold is not used, with the row', () => {
    const found = use('PID-30', 1, pid({ 3: '1', 29: '20260316', 30: 'Y' }));
    expect(found).toMatchObject({
      use: 'not used',
      rows: ['PID-Patient#PID-30 deceasedBoolean'],
      reason: 'PID-Patient#PID-30 deceasedBoolean: its condition does not hold',
    });
  });

  test('whose segment the entry does not take is not used', () => {
    const found = use('OBX-5', 2, pid({ 3: '1' }), 'OBX|1|ST|A||one', 'OBX|2|ST|A||two||||||X');
    expect(found).toMatchObject({
      use: 'not used',
      reason: 'OBX-Observation#OBX-5 valueString: its condition does not hold',
    });
  });

  test('whose segment stands under another one than the entry wants is not used', () => {
    const found = use('NTE-3', 1, pid({ 3: '1' }), 'NTE|1||alone', 'OBX|1|ST|A||one', 'NTE|1||of the value');
    expect(found).toMatchObject({ use: 'not used', reason: 'NTE-Observation#NTE-3 note[].text: only under OBX' });
    expect(use('NTE-3', 2, pid({ 3: '1' }), 'NTE|1||alone', 'OBX|1|ST|A||one', 'NTE|1||it')).toMatchObject({
      use: 'mapped',
    });
  });

  test('that only an identity or a condition reads is read by them', () => {
    expect(use('PID-3', 1, pid({ 3: '1' }))).toMatchObject({ use: 'read', readBy: ['PID-Patient'] });
    expect(use('PID-32', 1, pid({ 3: '1', 32: 'AL' }))).toMatchObject({
      use: 'read',
      readBy: ['PID-Patient#active'],
    });
  });

  test('that only the server reads is read by it', () => {
    expect(use('MSH-7', 1, pid({ 3: '1' }))).toMatchObject({ use: 'read', readBy: ['the order of messages'] });
  });

  test('that the sender deletes says so', () => {
    expect(use('PID-7', 1, pid({ 3: '1', 7: '""' }))).toMatchObject({
      use: 'deletes',
      rows: ['PID-Patient#PID-7 birthDate'],
    });
  });

  test('is told for each segment of its name', () => {
    const all = fields(small, pid({ 3: '1' }), 'OBX|1|ST|A||one', 'OBX|2|NM|A||2', 'OBX|3|ST|B||three');
    expect(all.filter((it) => it.field === 'OBX-5').map((it) => [it.segment, it.use])).toEqual([
      [1, 'mapped'],
      [2, 'not used'],
      [3, 'mapped'],
    ]);
  });

  test('that is empty or blank is not there', () => {
    const all = fields(small, pid({ 3: '1', 24: '^^&', 25: ' ' }));
    expect(all.map((it) => it.field).filter((it) => it.startsWith('PID'))).toEqual(['PID-3']);
  });
});

describe('a part of a field that is mapped', () => {
  /** The parts of a field of PID that are told of, with what becomes of them. */
  const parts = (field: number, value: string): Record<string, string> => {
    const told = fields(shipped, pid({ 3: '1', [field]: value }), 'PV1|1|N').filter((it) =>
      it.field.startsWith(`PID-${field}.`),
    );
    return Object.fromEntries(told.map((it) => [it.field, it.reason ?? it.use]));
  };

  test('is told of by itself where it goes nowhere, with the reason, once for all repetitions', () => {
    const phone = '^PRN^PH^^^^88230001^^^^*11';
    expect(parts(13, `${phone}~${phone}`)).toEqual({
      'PID-13.11': "the short way to dial it at the sender's own exchange",
    });
  });

  test('is told of where no row reads it', () => {
    expect(parts(13, '^PRN^PH^^^^88230001')).toEqual({});
    expect(parts(5, 'Doe^Jane^^^^^^^^^^^^^^sixteen')).toEqual({ 'PID-5.16': 'no row' });
  });

  test('goes nowhere under the condition of its row only', () => {
    expect(parts(5, 'Doe^Jane^^^^^^^^20200101&20300101')).toEqual({});
    expect(parts(5, 'Doe^Jane^^^^^^^^20200101&20300101^^20210101')).toEqual({
      'PID-5.10': 'the old form of XPN.12 and XPN.13',
    });
  });

  test('has the reason of its HL7 data type where a converter reads the field', () => {
    expect(parts(16, 'M^Married^HL70002^^^^^^^^^^^2.16.840.1.113883.12.2^list')).toEqual({
      'PID-16.14': 'the system that CWE.3 names, as an OID',
      'PID-16.15': 'the list that the sender chose the code from; the code is the same',
    });
  });
});

test('no more fields are told of than are asked for', () => {
  const message = parse(`${head}\r${pid({ 3: '1' })}\rZZZ${'|x'.repeat(5000)}\r`)!;
  const { fields: told, cut } = coverageOf(message, small, options, 100);
  expect([told.length, cut]).toEqual([100, true]);
});

describe('the mapping as it ships', () => {
  test.each(hospitalDay())('has a word for every field of $name', ({ bytes }) => {
    const { fields: told } = coverageOf(messageOf(bytes), shipped, options, 10_000);
    expect(told.filter((it) => it.use === 'no row').map((it) => it.field)).toEqual([]);
    for (const it of told)
      if (it.use === 'not used') expect([it.field, it.reason]).toEqual([it.field, expect.any(String)]);
  });
});
