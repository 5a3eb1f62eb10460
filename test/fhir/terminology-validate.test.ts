import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Terminology } from '../../src/fhir/terminology/terminology.ts';
import type { Json } from '../../src/fhir/types.ts';
import { codes, failureOf, terminologyOf, valueSet, wardSystem, wards } from './terminology-support.ts';

const shipped = new Terminology();
const ours = terminologyOf(wardSystem);
const gender = 'http://hl7.org/fhir/administrative-gender';
const genders = 'http://hl7.org/fhir/ValueSet/administrative-gender';
const v3 = 'http://terminology.hl7.org/CodeSystem/v3-ActCode';

describe('a code in a value set', () => {
  test.each<[string, Json, Json]>([
    ['passes with its display', { system: gender, code: 'male' }, { result: true, display: 'Male' }],
    ['passes without a system, where only one fits', { code: 'male' }, { result: true, display: 'Male' }],
    [
      'passes with a display in another case',
      { system: gender, code: 'male', display: ' MALE' },
      { result: true, display: 'Male' },
    ],
    [
      'fails with a display of another code',
      { system: gender, code: 'male', display: 'Female' },
      { result: false, message: 'the display is none of those of the code', display: 'Male' },
    ],
    [
      'fails when it is unknown',
      { system: gender, code: 'M' },
      { result: false, message: `the code is not in value set ${genders}` },
    ],
    [
      'fails in the wrong case',
      { system: gender, code: 'Male' },
      { result: false, message: `the code is not in value set ${genders}` },
    ],
    [
      'fails in another system',
      { system: v3, code: 'male' },
      { result: false, message: `the code is not in value set ${genders}` },
    ],
    [
      'fails for another version of the system',
      { system: gender, code: 'male', systemVersion: '5.0.0' },
      { result: false, message: `value set ${genders} holds another version of the code system` },
    ],
    [
      'passes as a coding',
      { coding: { system: gender, code: 'male', version: '4.0.1' } },
      { result: true, display: 'Male' },
    ],
    [
      'fails as a coding without a code',
      { coding: { system: gender } },
      { result: false, message: 'there is no code' },
    ],
    [
      'passes as one of several codings',
      {
        codeableConcept: {
          coding: [
            { system: 'http://loinc.org', code: '1' },
            { system: gender, code: 'male' },
          ],
        },
      },
      { result: true, display: 'Male' },
    ],
    [
      'fails when none of several codings is in it',
      {
        codeableConcept: {
          coding: [
            { system: gender, code: 'm' },
            { system: v3, code: 'AMB' },
          ],
        },
      },
      { result: false, message: 'none of the codings passes' },
    ],
    ['fails as text', { codeableConcept: { text: 'male' } }, { result: false, message: 'there is no coding' }],
  ])('%s', (_, request, expected) => {
    expect(shipped.validateInValueSet({ valueSet: genders, ...request })).toEqual(expected);
  });

  test('is called as the language asked for has it', () => {
    const request = { valueSet: valueSet([{ system: wards }]), system: wards, code: 'endo', displayLanguage: 'en' };
    expect(ours.validateInValueSet(request)).toEqual({ result: true, display: 'Endocrinology' });
    expect(ours.validateInValueSet({ ...request, display: '内分泌科' }).result).toBe(true);
    expect(ours.validateInValueSet({ ...request, display: '内分泌' }).result).toBe(false);
  });

  test('that only groups others fails where abstract codes have no place', () => {
    const request = { valueSet: valueSet([{ system: wards }]), system: wards, code: 'ALL' };
    expect(ours.validateInValueSet(request).result).toBe(true);
    expect(ours.validateInValueSet({ ...request, abstract: true }).result).toBe(true);
    expect(ours.validateInValueSet({ ...request, abstract: false })).toEqual({
      result: false,
      message: 'the code is abstract: it only groups others',
      display: '全部病区',
    });
  });

  test('that is of two systems needs its system', () => {
    const two = valueSet([
      { system: 'urn:a', concept: [{ code: 'x' }] },
      { system: 'urn:b', concept: [{ code: 'x' }] },
    ]);
    expect(shipped.validateInValueSet({ valueSet: two, code: 'x' }).result).toBe(false);
    expect(shipped.validateInValueSet({ valueSet: two, code: 'x', system: 'urn:b' }).result).toBe(true);
  });

  test('that another include has passes, though one include cannot be followed', () => {
    const mixed = valueSet([
      { system: gender, filter: [] },
      { system: 'http://loinc.org' },
      { system: 'http://loinc.org', concept: [{ code: '8867-4' }] },
    ]);
    expect(shipped.validateInValueSet({ valueSet: mixed, system: 'http://loinc.org', code: '8867-4' })).toEqual({
      result: true,
    });
  });

  test.each<[string, Json, string]>([
    [
      'of LOINC cannot be told',
      { valueSet: valueSet([{ system: 'http://loinc.org' }]), system: 'http://loinc.org', code: '1' },
      'unknown-system: the content of code system http://loinc.org is not here',
    ],
    [
      'in an unknown value set cannot be told',
      { valueSet: 'urn:none', code: 'x' },
      'not-found: there is no value set urn:none',
    ],
    ['must be there', { valueSet: genders }, 'invalid: give one of code, coding and codeableConcept'],
    [
      'must be there once',
      { valueSet: genders, code: 'male', coding: {} },
      'invalid: give one of code, coding and codeableConcept',
    ],
  ])('%s', (_, request, expected) => {
    expect(failureOf(() => shipped.validateInValueSet(request as any))).toBe(expected);
  });
});

describe('grammars', () => {
  const inWhole = (system: string, code: string): boolean =>
    shipped.validateInValueSet({ valueSet: valueSet([{ system }]), system, code }).result;

  test.each([
    'zh',
    'zh-CN',
    'zh-Hans-CN',
    'en',
    'yue',
    'de-CH-1901',
    'es-419',
    'i-klingon',
    'x-local',
    'en-US-u-ca-gregory',
  ])('%s is a language', (code) => expect(inWhole('urn:ietf:bcp:47', code)).toBe(true));
  test.each(['Chinese', 'zh_CN', 'zh-', '', '中文', 'a', `zh${'-abcde'.repeat(100)}`])('%s is none', (code) => {
    expect(inWhole('urn:ietf:bcp:47', code)).toBe(false);
  });

  test.each(['text/plain', 'application/fhir+json', 'text/html; charset=utf-8', 'image/svg+xml', 'json'])(
    '%s is a media type',
    (code) => {
      expect(inWhole('urn:ietf:bcp:13', code)).toBe(true);
    },
  );
  test.each(['jpeg', 'image/', 'image/*', 'text/plain;', ''])('%s is none', (code) => {
    expect(inWhole('urn:ietf:bcp:13', code)).toBe(false);
  });

  test.each(['mg/dL', 'mm[Hg]', '10*3/uL', '%', '[iU]/L', 'a'])('%s is a unit', (code) => {
    expect(inWhole('http://unitsofmeasure.org', code)).toBe(true);
  });
  test.each(['years', 'mmHg', '毫克', '', 'mg dL', '('.repeat(5000)])('%s is none', (code) => {
    expect(inWhole('http://unitsofmeasure.org', code)).toBe(false);
  });

  test.each(['CNY', 'EUR', 'XAU', 'BOV'])('%s is a currency', (code) => {
    expect(inWhole('urn:iso:std:iso:4217', code)).toBe(true);
  });
  test.each(['RMB', 'cny', '元', ''])('%s is none', (code) =>
    expect(inWhole('urn:iso:std:iso:4217', code)).toBe(false),
  );

  test.each<[string, string, boolean]>([
    ['all-time-units', 'wk', true],
    ['all-time-units', 'kg', false],
    ['all-time-units', 'week', false],
    ['all-distance-units', 'km', true],
    ['all-distance-units', 's', false],
  ])('of %s, %s: %s', (name, code, expected) => {
    const request = { valueSet: `http://hl7.org/fhir/ValueSet/${name}`, system: 'http://unitsofmeasure.org', code };
    expect(shipped.validateInValueSet(request).result).toBe(expected);
  });

  test('have names in the languages of the engine', () => {
    const request = { valueSet: 'http://hl7.org/fhir/ValueSet/all-languages', system: 'urn:ietf:bcp:47', code: 'zh' };
    expect(shipped.validateInValueSet(request).display).toBe('Chinese');
    expect(shipped.validateInValueSet({ ...request, displayLanguage: 'zh' }).display).toBe('中文');
    expect(shipped.validateInValueSet({ ...request, displayLanguage: 'no such tag' }).display).toBe('Chinese');
  });
});

describe('a code in a code system', () => {
  test.each<[string, Json, Json]>([
    ['passes', { codeSystem: v3, code: 'IMP' }, { result: true, display: 'inpatient encounter' }],
    [
      'fails when it is unknown',
      { codeSystem: v3, code: 'imp' },
      { result: false, message: `the code is not in code system ${v3}` },
    ],
    [
      'fails as a coding of another',
      { codeSystem: v3, coding: { system: gender, code: 'male' } },
      { result: false, message: 'the coding is of another code system' },
    ],
    [
      'passes in any case, where the system has none',
      { codeSystem: wardSystem, code: 'endo' },
      { result: true, display: '内分泌科' },
    ],
    ['passes by its grammar', { codeSystem: 'urn:ietf:bcp:13', code: 'text/plain' }, { result: true }],
    [
      'passes as one of several codings',
      {
        codeSystem: v3,
        codeableConcept: {
          coding: [
            { system: gender, code: 'male' },
            { system: v3, code: 'AMB' },
          ],
        },
      },
      { result: true, display: 'ambulatory' },
    ],
  ])('%s', (_, request, expected) => {
    expect(shipped.validateInCodeSystem(request as any)).toEqual(expected);
  });

  test('that is not here cannot be told', () => {
    const ask = () => shipped.validateInCodeSystem({ codeSystem: 'http://snomed.info/sct', code: '1' });
    expect(failureOf(ask)).toBe('unknown-system: the content of code system http://snomed.info/sct is not here');
  });
});

describe('validation and expansion', () => {
  const code = fc.constantFrom('ALL', 'INT', 'ENDO', 'CARD', 'SURG', 'CSURG', 'OLD', 'NONE');
  const filter = fc.record({
    property: fc.constantFrom('concept', 'code'),
    op: fc.constantFrom('is-a', 'descendent-of', 'is-not-a', 'generalizes', 'in', 'not-in', '='),
    value: code.filter((it) => it !== 'NONE'),
  });
  const other = valueSet(
    [
      { system: wards, filter: [{ property: 'beds', op: 'exists', value: 'true' }] },
      { system: 'urn:b', concept: [{ code: 'INT' }] },
    ],
    undefined,
    { url: 'urn:other' },
  );
  const part = fc.oneof(
    fc.record({ system: fc.constant(wards) }),
    fc.record({
      system: fc.constantFrom(wards, 'urn:b'),
      concept: fc.array(
        code.map((it) => ({ code: it })),
        { minLength: 1, maxLength: 4 },
      ),
    }),
    fc.record({ system: fc.constant(wards), filter: fc.array(filter, { minLength: 1, maxLength: 2 }) }),
    fc.record({ valueSet: fc.constant(['urn:other']) }),
    fc.record({ system: fc.constant(wards), valueSet: fc.constant(['urn:other']) }),
  );
  const known = terminologyOf(wardSystem, other);

  test('agree on every code of every value set', () => {
    const some = fc.record({
      include: fc.array(part, { minLength: 1, maxLength: 4 }),
      exclude: fc.array(part, { maxLength: 3 }),
      inactive: fc.boolean(),
    });
    fc.assert(
      fc.property(some, fc.constantFrom(wards, 'urn:b'), code, (compose, system, asked) => {
        const set = { resourceType: 'ValueSet', compose };
        const members =
          known.expand({ valueSet: set, identifier: 'urn:uuid:1', timestamp: '2026' }).expansion.contains ?? [];
        const listed = members.some((it: Json) => it.system === system && it.code === asked);
        expect(known.validateInValueSet({ valueSet: set, system, code: asked }).result).toBe(listed);
        expect(new Set(members.map((it: Json) => `${it.system}|${it.code}`)).size).toBe(members.length);
      }),
      { numRuns: 2000 },
    );
  });

  test.each([
    'http://terminology.hl7.org/ValueSet/v3-ActEncounterCode',
    genders,
    'http://hl7.org/fhir/ValueSet/security-labels',
  ])('agree on all of %s', (url) => {
    const members = shipped.codesIn(url);
    expect(members.map((it) => it.code)).toEqual(codes(shipped, url));
    for (const { system, code: one } of members)
      expect(shipped.validateInValueSet({ valueSet: url, system, code: one }).result).toBe(true);
  });
});
