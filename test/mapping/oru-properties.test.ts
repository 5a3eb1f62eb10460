/** ORU: whatever is in the fields, what is mapped is sound FHIR, distinct, and refers to what is there. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { errorsOf } from '../../src/fhir/validate.ts';
import { mapped, obr, obx, oru } from './oru-support.ts';
import { segment } from './support.ts';

/** The segments of a result with what stands before them, and how many fields they have. */
const places: readonly (readonly [string, number, readonly string[]])[] = [
  ['ORC', 38, []],
  ['OBR', 55, []],
  ['OBR', 55, ['ORC|RE|P1']],
  ['OBX', 33, []],
  ['OBX', 33, [obr()]],
  ['OBX', 33, [obr(), 'SPM|1|S1']],
  ['SPM', 35, [obr()]],
  ['TQ1', 14, ['ORC|RE|P1', obr()]],
  ['CTD', 7, [obr()]],
  ['NTE', 9, [obr(), obx({ 5: '7' })]],
  ['NTE', 9, ['ORC|RE|P1']],
  ['PRT', 24, [obr(), obx({ 5: '7' })]],
  ['PRT', 24, [obr()]],
  ['PRT', 24, ['ORC|RE|P1']],
];

function problems(sent: string): string[] {
  const { resources } = mapped(sent);
  const names = resources.map(({ resource }) => `${resource.resourceType}/${resource.id}`);
  const known = new Set(names);
  const twice = names.filter((it, i) => names.indexOf(it) !== i);
  const found = resources.flatMap(({ resource }) => {
    const lost = [...JSON.stringify(resource).matchAll(/"reference":"([^"]*)"/g)].filter(
      ([, it]) => !known.has(it ?? ''),
    );
    return [...errorsOf(resource).map((it) => `${it.expression}: ${it.text}`), ...lost.map(([it]) => it)];
  });
  return [...twice, ...found];
}

const values = [
  ...['A~B', '^B', '&B', '^""', '\u3000', '\\.br\\', '\u0007', '20260316', '01^x^HL70001', '-1', '1e9', '0.5~'],
  ...['^^^^Base64^!', '>^1^-^0', 'a&b^c&d~e', '2026^2025', '""', 'r1^x^followup-call'],
];

describe('each field alone', () => {
  test.each(values.map((it) => [JSON.stringify(it), it]))('holding %s is sound', (_, value) => {
    const wrong = places.flatMap(([name, count, before]) =>
      Array.from({ length: count }, (_, i) => i + 1).flatMap((field) =>
        problems(oru(...before, segment(name, { 1: '1', [field]: value }))).map((it) => `${name}-${field}: ${it}`),
      ),
    );
    expect(wrong).toEqual([]);
  });
});

const types = [
  'NM',
  'SN',
  'ST',
  'CWE',
  'DR',
  'TM',
  'DT',
  'NR',
  'ED',
  'RP',
  'CQ',
  'CX',
  'XCN',
  'NA',
  'MA',
  'XPN',
  'MO',
  '',
  'ZZ',
];
const codes = [
  '8867-4^HR^LN',
  '85354-9^BP^LN',
  '14743-9^G^LN',
  'h1^x^followup-call',
  'r1^x^followup-call',
  'd1.1^x^inpatient-satisfaction',
  'X',
  '',
];
const piece = fc.oneof(
  fc.constantFrom(...values, 'mmHg', 'mmol/L^^UCUM', '128/82', 'better', 'C', 'D', 'F', 'X', '20260320070500'),
  fc.string({
    unit: fc.constantFrom('^', '~', '&', '\\', '"', ' ', 'A', '1', '.', '-', '/', '<', '张'),
    maxLength: 20,
  }),
);
const anObx = fc
  .record({
    type: fc.constantFrom(...types),
    code: fc.constantFrom(...codes),
    fields: fc.array(fc.tuple(fc.nat(33), piece)),
  })
  .map(({ type, code, fields }) =>
    segment('OBX', { ...Object.fromEntries(fields.filter(([it]) => it > 0)), 2: type, 3: code }),
  );
const another = fc
  .record({
    name: fc.constantFrom('ORC', 'OBR', 'SPM', 'TQ1', 'NTE', 'PRT', 'CTD'),
    fields: fc.array(fc.tuple(fc.integer({ min: 1, max: 55 }), piece), { minLength: 1 }),
  })
  .map(({ name, fields }) => segment(name, Object.fromEntries(fields)));

describe('a result with anything in it, in any order', () => {
  test('is mapped to sound, distinct resources that refer to one another (500 messages)', () => {
    const segments = fc.array(fc.oneof({ weight: 2, arbitrary: anObx }, another), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(segments, (sent) => expect(problems(oru(...sent))).toEqual([])),
      { numRuns: 500, seed: 20260322 },
    );
  });
});
