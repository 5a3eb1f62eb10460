import { describe, expect, test } from '@jest/globals';
import { Terminology } from '../../src/fhir/terminology/terminology.ts';
import { failureOf, terminologyOf, wardSystem, wards } from './terminology-support.ts';

const shipped = new Terminology();
const ours = terminologyOf(wardSystem);
const v3 = 'http://terminology.hl7.org/CodeSystem/v3-ActCode';
const v2 = 'http://terminology.hl7.org/CodeSystem/v2-0001';

describe('lookup', () => {
  test('gives the display, the definition and the relatives of a concept', () => {
    expect(shipped.lookup({ system: v3, code: 'IMP' })).toEqual({
      name: 'v3 Code System ActCode',
      version: '2018-08-12',
      display: 'inpatient encounter',
      designation: [],
      property: [
        { code: 'definition', valueString: expect.stringContaining('admitted by a hospital') },
        { code: 'inactive', valueBoolean: false },
        { code: 'parent', valueCode: '_ActEncounterCode', description: 'ActEncounterCode' },
        { code: 'child', valueCode: 'ACUTE', description: 'inpatient acute' },
        { code: 'child', valueCode: 'NONAC', description: 'inpatient non-acute' },
      ],
    });
  });

  test('gives designations and properties as the code system has them', () => {
    const { name, display, designation, property } = ours.lookup({ system: wards, code: 'int', displayLanguage: 'en' });
    expect({ name, display }).toEqual({ name: 'Wards', display: 'Internal medicine' });
    expect(designation).toHaveLength(2);
    expect(property).toContainEqual({ code: 'beds', valueInteger: 40 });
  });

  test.each<[string, string[], { designation: number; property: string[] }]>([
    ['one property', ['beds'], { designation: 0, property: ['beds'] }],
    ['the parents', ['parent'], { designation: 0, property: ['parent'] }],
    ['the designations', ['designation'], { designation: 2, property: [] }],
    ['the designations of a language', ['lang.en', 'inactive'], { designation: 2, property: ['inactive'] }],
    ['those of a language that it lacks', ['lang.fr'], { designation: 0, property: [] }],
  ])('gives only %s when asked so', (_, property, expected) => {
    const found = ours.lookup({ system: wards, code: 'INT', property });
    expect({ designation: found.designation.length, property: found.property.map((it) => it.code) }).toEqual(expected);
  });

  test('marks what is abstract or retired', () => {
    expect(ours.lookup({ system: wards, code: 'OLD' }).property).toContainEqual({
      code: 'inactive',
      valueBoolean: true,
    });
    expect(shipped.lookup({ system: v3, code: '_ActEncounterCode' }).property).toContainEqual({
      code: 'notSelectable',
      valueBoolean: true,
    });
  });

  test('knows the languages of a v2 table, and codes of a grammar', () => {
    expect(shipped.lookup({ system: v2, code: 'F', displayLanguage: 'de' }).display).toBe('weiblich');
    expect(shipped.lookup({ system: 'urn:ietf:bcp:47', code: 'zh' }).display).toBe('Chinese');
    expect(shipped.lookup({ system: 'http://unitsofmeasure.org', code: 'mg/dL' }).display).toBe('mg/dL');
  });

  test('finds a Chinese name that R4 has itself', () => {
    const request = { system: 'http://hl7.org/fhir/resource-types', code: 'Patient', displayLanguage: 'zh-CN' };
    expect(shipped.lookup(request).display).toBe('患者');
  });

  test.each<[string, { system: string; code: string; version?: string }, string]>([
    ['an unknown code', { system: v2, code: 'XYZ' }, `not-found: code system ${v2} has no such code`],
    [
      'an unknown system',
      { system: 'http://loinc.org', code: '1' },
      'unknown-system: the content of code system http://loinc.org is not here',
    ],
    [
      'another version',
      { system: v2, code: 'F', version: '1' },
      `unknown-system: the content of code system ${v2} is not here`,
    ],
  ])('fails for %s', (_, request, expected) => {
    expect(failureOf(() => shipped.lookup(request))).toBe(expected);
  });
});

describe('subsumption', () => {
  test.each([
    ['IMP', 'IMP', 'equivalent'],
    ['IMP', 'ACUTE', 'subsumes'],
    ['ACUTE', '_ActEncounterCode', 'subsumed-by'],
    ['IMP', 'AMB', 'not-subsumed'],
  ])('%s and %s: %s', (codeA, codeB, expected) => {
    expect(shipped.subsumes({ system: v3, codeA, codeB })).toBe(expected);
    expect(shipped.subsumes({ codingA: { system: v3, code: codeA }, codingB: { system: v3, code: codeB } })).toBe(
      expected,
    );
  });

  test('goes by properties too, where the case of a code does not matter', () => {
    expect(ours.subsumes({ system: wards, codeA: 'int', codeB: 'csurg' })).toBe('subsumes');
  });

  test.each<[string, object, string]>([
    ['no system', { codeA: 'IMP', codeB: 'AMB' }, 'invalid: subsumes needs a system'],
    ['one code', { system: v3, codeA: 'IMP' }, 'invalid: subsumes needs two codes'],
    [
      'an unknown code',
      { system: v3, codeA: 'IMP', codeB: 'NO-SUCH' },
      `not-found: code system ${v3} has no such code`,
    ],
    [
      'two systems',
      { system: v3, codeA: 'IMP', codingB: { system: v2, code: 'F' } },
      'invalid: how codes of two systems relate is not known',
    ],
    [
      'a system that is not here',
      { system: 'http://loinc.org', codeA: '1', codeB: '2' },
      'unknown-system: the content of code system http://loinc.org is not here',
    ],
  ])('fails for %s', (_, request, expected) => {
    expect(failureOf(() => shipped.subsumes(request))).toBe(expected);
  });
});

describe('search', () => {
  test(':below takes the code and all under it, :above the code and all over it', () => {
    expect(shipped.below(v3, 'IMP')).toEqual(['IMP', 'ACUTE', 'NONAC']);
    expect(shipped.above(v3, 'ACUTE')).toEqual(['ACUTE', 'IMP', '_ActEncounterCode', '_ActCareProvisionCode']);
    expect(new Set(ours.above(wards, 'CSURG'))).toEqual(new Set(['CSURG', 'SURG', 'CARD', 'INT', 'ALL']));
  });

  test('an unknown code stands for itself, an unknown system fails', () => {
    expect(shipped.below(v3, 'NO-SUCH')).toEqual(['NO-SUCH']);
    expect(shipped.above(v3, 'NO-SUCH')).toEqual(['NO-SUCH']);
    expect(failureOf(() => shipped.below('http://loinc.org', '1'))).toContain(
      'unknown-system: the content of code system http://loinc.org',
    );
  });

  test(':in takes all codes of a value set', () => {
    expect(shipped.codesIn('http://hl7.org/fhir/ValueSet/units-of-time').slice(0, 2)).toMatchObject([
      { system: 'http://unitsofmeasure.org', code: 's' },
      { system: 'http://unitsofmeasure.org', code: 'min' },
    ]);
    expect(failureOf(() => shipped.codesIn('urn:none'))).toBe('not-found: there is no value set urn:none');
  });
});
