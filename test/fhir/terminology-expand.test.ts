import { describe, expect, test } from '@jest/globals';
import { Terminology } from '../../src/fhir/terminology/terminology.ts';
import type { Json } from '../../src/fhir/types.ts';
import { codes, expansion, failureOf, terminologyOf, valueSet, wardSystem, wards } from './terminology-support.ts';

const shipped = new Terminology();
const ours = terminologyOf(wardSystem);
const hl7 = 'http://terminology.hl7.org';

describe('value sets of the specification', () => {
  test.each<[string, string, string[]]>([
    [
      'a whole code system',
      'http://hl7.org/fhir/ValueSet/administrative-gender',
      ['male', 'female', 'other', 'unknown'],
    ],
    [
      'another one',
      'http://hl7.org/fhir/ValueSet/contact-point-system',
      ['phone', 'fax', 'email', 'pager', 'url', 'sms', 'other'],
    ],
    [
      'by its URL with the version',
      'http://hl7.org/fhir/ValueSet/observation-status|4.0.1',
      ['registered', 'preliminary', 'final', 'amended', 'corrected', 'cancelled', 'entered-in-error', 'unknown'],
    ],
    ['a v2 table', `${hl7}/ValueSet/v2-0001`, ['A', 'F', 'M', 'N', 'O', 'U']],
    [
      'below a concept of a v3 code system, without the concept that only groups',
      `${hl7}/ValueSet/v3-ActEncounterCode`,
      ['AMB', 'EMER', 'FLD', 'HH', 'IMP', 'ACUTE', 'NONAC', 'OBSENC', 'PRENC', 'SS', 'VR'],
    ],
    ['an import of another value set', 'http://hl7.org/fhir/ValueSet/yesnodontknow', ['N', 'Y', 'asked-unknown']],
    [
      'all but one branch',
      'http://hl7.org/fhir/ValueSet/patient-contactrelationship',
      ['BP', 'C', 'CP', 'E', 'EP', 'F', 'I', 'N', 'PR', 'S', 'U'],
    ],
    [
      'listed codes of a system that is not here',
      'http://hl7.org/fhir/ValueSet/units-of-time',
      ['s', 'min', 'h', 'd', 'wk', 'mo', 'a'],
    ],
    ['an older version of a table', `${hl7}/ValueSet/v2-2.3.1-0360`, expect.arrayContaining(['BSN', 'MD']) as any],
  ])('%s', (_, url, expected) => {
    expect(codes(shipped, url)).toEqual(expected);
  });

  test('carry the display, the system with its version, and the parameters', () => {
    const set = shipped.expand({
      valueSet: `${hl7}/ValueSet/v2-0001`,
      identifier: 'urn:uuid:1',
      timestamp: '2026-11-22T08:00:00Z',
      count: 1,
      displayLanguage: 'de',
    });
    expect(set).toEqual({
      resourceType: 'ValueSet',
      url: `${hl7}/ValueSet/v2-0001`,
      version: expect.any(String),
      name: 'v2.0001',
      title: expect.any(String),
      status: 'active',
      expansion: {
        identifier: 'urn:uuid:1',
        timestamp: '2026-11-22T08:00:00Z',
        total: 6,
        offset: 0,
        parameter: [
          { name: 'count', valueInteger: 1 },
          { name: 'displayLanguage', valueCode: 'de' },
          { name: 'version', valueUri: `${hl7}/CodeSystem/v2-0001|2.9` },
        ],
        contains: [{ system: `${hl7}/CodeSystem/v2-0001`, version: '2.9', code: 'A', display: 'mehrdeutig' }],
      },
    });
  });

  test('say when a code system is only an example of itself', () => {
    const { parameter } = expansion(shipped, 'http://hl7.org/fhir/ValueSet/service-type', { count: 1 });
    expect(parameter).toContainEqual({ name: 'used-example', valueUri: expect.stringContaining('service-type') });
  });
});

describe('the definition of a value set', () => {
  const filter = (property: string, op: string, value: string): Json => ({
    system: wards,
    filter: [{ property, op, value }],
  });

  test.each<[string, Json[], string[]]>([
    ['a whole system', [{ system: wards }], ['ALL', 'INT', 'ENDO', 'CARD', 'SURG', 'CSURG', 'OLD']],
    ['is-a', [filter('concept', 'is-a', 'INT')], ['INT', 'ENDO', 'CARD', 'CSURG']],
    ['descendent-of', [filter('concept', 'descendent-of', 'INT')], ['ENDO', 'CARD', 'CSURG']],
    ['is-not-a', [filter('concept', 'is-not-a', 'INT')], ['ALL', 'SURG', 'OLD']],
    ['generalizes', [filter('concept', 'generalizes', 'CSURG')], ['ALL', 'INT', 'CARD', 'SURG', 'CSURG']],
    ['regex on the code', [filter('code', 'regex', 'C.*')], ['CARD', 'CSURG']],
    ['regex on the display', [filter('display', 'regex', '心.{2,3}')], ['CARD', 'CSURG']],
    ['in', [filter('concept', 'in', 'INT, SURG')], ['INT', 'SURG']],
    ['not-in', [filter('code', 'not-in', 'ALL,INT,ENDO,OLD')], ['CARD', 'SURG', 'CSURG']],
    ['=', [filter('beds', '=', '40')], ['INT']],
    ['in a property', [filter('beds', 'in', '12,20')], ['ENDO', 'CARD']],
    ['exists', [filter('beds', 'exists', 'true')], ['INT', 'ENDO', 'CARD']],
    ['does not exist', [filter('beds', 'exists', 'false')], ['ALL', 'SURG', 'CSURG', 'OLD']],
    ['parent, by nesting and by property', [filter('parent', '=', 'CARD')], ['CSURG']],
    ['child', [filter('child', '=', 'CARD')], ['INT']],
    [
      'two filters, both of which hold',
      [{ system: wards, filter: [...filter('concept', 'is-a', 'INT').filter, ...filter('floor', '=', '3F').filter] }],
      ['ENDO'],
    ],
    [
      'two includes, each code once',
      [filter('code', '=', 'CARD'), filter('concept', 'is-a', 'CARD')],
      ['CARD', 'CSURG'],
    ],
    [
      'a list, in its order and in the case of the system',
      [{ system: wards, concept: [{ code: 'surg' }, { code: 'INT' }] }],
      ['SURG', 'INT'],
    ],
    [
      'a list, without what the system does not have',
      [{ system: wards, concept: [{ code: 'INT' }, { code: 'GONE' }] }],
      ['INT'],
    ],
  ])('%s', (_, include, expected) => {
    expect(codes(ours, valueSet(include))).toEqual(expected);
  });

  test.each<[string, Json[], string[]]>([
    ['a list', [{ system: wards, concept: [{ code: 'INT' }] }], ['ALL', 'ENDO', 'CARD', 'SURG', 'CSURG', 'OLD']],
    ['a branch', [filter('concept', 'is-a', 'INT')], ['ALL', 'SURG', 'OLD']],
    ['a whole system', [{ system: wards }], []],
    [
      'a whole system that is not here',
      [{ system: 'http://loinc.org' }],
      ['ALL', 'INT', 'ENDO', 'CARD', 'SURG', 'CSURG', 'OLD'],
    ],
  ])('an exclude takes %s away', (_, exclude, expected) => {
    expect(codes(ours, valueSet([{ system: wards }], exclude))).toEqual(expected);
  });

  test('without inactive codes, where it says so', () => {
    const active = { ...valueSet([{ system: wards }]).compose, inactive: false };
    expect(codes(ours, { resourceType: 'ValueSet', compose: active })).not.toContain('OLD');
    expect(codes(ours, valueSet([{ system: wards }]), { activeOnly: true })).not.toContain('OLD');
  });

  test('is its expansion, where only that is stored', () => {
    const contains = [
      {
        display: '病区',
        contains: [
          { system: wards, code: 'INT' },
          { system: 'urn:x', code: 'y', display: 'Y' },
        ],
      },
    ];
    const stored = { resourceType: 'ValueSet', expansion: { timestamp: '2026', contains } };
    expect(expansion(ours, stored).contains).toEqual([
      { system: wards, code: 'INT', display: '内科' },
      { system: 'urn:x', code: 'y', display: 'Y' },
    ]);
  });
});

describe('imports', () => {
  const inner = valueSet([{ system: wards, filter: [{ property: 'concept', op: 'is-a', value: 'INT' }] }], undefined, {
    url: 'urn:int',
  });
  const outer = valueSet([{ system: wards, filter: [{ property: 'concept', op: 'is-a', value: 'SURG' }] }], undefined, {
    url: 'urn:surg',
  });
  const known = terminologyOf(wardSystem, inner, outer);

  test.each<[string, Json[], Json[] | undefined, string[]]>([
    [
      'of two includes are joined',
      [{ valueSet: ['urn:int'] }, { valueSet: ['urn:surg'] }],
      undefined,
      ['INT', 'ENDO', 'CARD', 'CSURG', 'SURG'],
    ],
    ['of one include must all hold', [{ valueSet: ['urn:int', 'urn:surg'] }], undefined, ['CSURG']],
    [
      'must hold beside the filters',
      [{ system: wards, filter: [{ property: 'code', op: 'regex', value: '.{4,5}' }], valueSet: ['urn:int'] }],
      undefined,
      ['ENDO', 'CARD', 'CSURG'],
    ],
    ['may be excluded', [{ valueSet: ['urn:int'] }], [{ valueSet: ['urn:surg'] }], ['INT', 'ENDO', 'CARD']],
  ])('%s', (_, include, exclude, expected) => {
    expect(codes(known, valueSet(include, exclude))).toEqual(expected);
  });

  test('say which codes of a grammar are meant', () => {
    const listed = valueSet(
      [{ system: 'urn:ietf:bcp:47', concept: [{ code: 'zh-CN' }, { code: 'Chinese' }] }],
      undefined,
      { url: 'urn:tags' },
    );
    expect(codes(terminologyOf(listed), valueSet([{ system: 'urn:ietf:bcp:47', valueSet: ['urn:tags'] }]))).toEqual([
      'zh-CN',
    ]);
  });

  test('go before those of the specification', () => {
    const gender = valueSet([{ system: wards, concept: [{ code: 'INT' }] }], undefined, {
      url: 'http://hl7.org/fhir/ValueSet/administrative-gender',
    });
    expect(codes(terminologyOf(wardSystem, gender), gender.url)).toEqual(['INT']);
  });
});

describe('parameters', () => {
  const all = valueSet([{ system: wards }]);

  test.each<[string, string, string[]]>([
    ['Chinese, anywhere in the display', '内', ['INT', 'ENDO', 'CARD']],
    ['a name in another language', 'endocrin', ['ENDO']],
    ['full width and upper case', 'ＩＮＴ', ['INT']],
    ['all of several words', 'internal medicine', ['INT']],
    ['nothing', 'psychiatry', []],
  ])('filter finds %s', (_, filter, expected) => {
    expect(codes(ours, all, { filter })).toEqual(expected);
    expect(expansion(ours, all, { filter }).total).toBe(expected.length);
  });

  test.each<[string, { offset?: number; count?: number }, string[]]>([
    ['the first page', { count: 2 }, ['ALL', 'INT']],
    ['a later page', { offset: 2, count: 2 }, ['ENDO', 'CARD']],
    ['the rest', { offset: 5 }, ['CSURG', 'OLD']],
    ['a page behind the end', { offset: 50, count: 2 }, []],
    ['the total only', { count: 0 }, []],
  ])('offset and count give %s, and the total', (_, page, expected) => {
    expect(codes(ours, all, page)).toEqual(expected);
    expect(expansion(ours, all, page).total).toBe(7);
  });

  test.each<[string, string | undefined, string[]]>([
    ['as usual', undefined, ['内科', '内分泌科']],
    ['in the language asked for', 'en', ['Internal medicine', 'Endocrinology']],
    ['in a wider language', 'en-GB', ['Internal medicine', 'Endocrinology']],
    ['in the language of the system', 'zh', ['内科', '内分泌科']],
    ['as usual where the language is not there', 'fr', ['内科', '内分泌科']],
  ])('displays are %s', (_, displayLanguage, expected) => {
    const two = valueSet([{ system: wards, concept: [{ code: 'INT' }, { code: 'ENDO' }] }]);
    expect(expansion(ours, two, { displayLanguage }).contains.map((it: Json) => it.display)).toEqual(expected);
  });

  test('the value set may name a code in its own way', () => {
    const own = valueSet([
      {
        system: wards,
        concept: [{ code: 'INT', display: '普通内科', designation: [{ language: 'en', value: 'General' }] }],
      },
    ]);
    expect(expansion(ours, own).contains[0].display).toBe('普通内科');
    expect(expansion(ours, own, { displayLanguage: 'en' }).contains[0].display).toBe('General');
  });

  test('includeDesignations gives the other names, designation chooses among them', () => {
    const int = valueSet([{ system: wards, concept: [{ code: 'INT' }] }]);
    expect(expansion(ours, int).contains[0].designation).toBeUndefined();
    expect(expansion(ours, int, { includeDesignations: true }).contains[0].designation).toHaveLength(2);
    const chosen = expansion(ours, int, { includeDesignations: true, designation: ['|internal-label'] });
    expect(chosen.contains[0].designation).toEqual([
      { language: 'en', use: { code: 'internal-label' }, value: 'W-17' },
    ]);
  });

  test('excludeNested=false stands codes below their parents', () => {
    const shape = (rows: Json[] = []): unknown[] =>
      rows.map((it) => [it.code, ...(it.contains ? [shape(it.contains)] : [])]);
    expect(shape(expansion(ours, all, { excludeNested: false }).contains)).toEqual([
      ['ALL', [['INT', [['ENDO'], ['CARD']]], ['SURG', [['CSURG']]], ['OLD']]],
    ]);
  });

  test('abstract and inactive codes are marked, and can be left out', () => {
    const { contains } = expansion(ours, all);
    expect(contains.filter((it: Json) => it.abstract).map((it: Json) => it.code)).toEqual(['ALL']);
    expect(contains.filter((it: Json) => it.inactive).map((it: Json) => it.code)).toEqual(['OLD']);
    expect(codes(ours, all, { excludeNotForUI: true })).not.toContain('ALL');
  });

  test('includeDefinition gives the definition, excludeSystem takes systems out', () => {
    const request = { valueSet: all, identifier: 'urn:uuid:1', timestamp: '2026' };
    expect(ours.expand(request).compose).toBeUndefined();
    expect(ours.expand({ ...request, includeDefinition: true }).compose).toEqual(all.compose);
    expect(codes(ours, all, { excludeSystem: [`${wards}|3`] })).toEqual([]);
    expect(codes(ours, all, { excludeSystem: [`${wards}|2`] })).toHaveLength(7);
  });
});

describe('what cannot be expanded says why', () => {
  test.each<[string, Json | string, string]>([
    ['an unknown value set', 'urn:none', 'not-found: there is no value set urn:none'],
    [
      'another version of it',
      'http://hl7.org/fhir/ValueSet/administrative-gender|5.0.0',
      'not-found: there is no value set http://hl7.org/fhir/ValueSet/administrative-gender|5.0.0',
    ],
    [
      'LOINC',
      valueSet([{ system: 'http://loinc.org' }]),
      'unknown-system: the content of code system http://loinc.org is not here',
    ],
    [
      'SNOMED CT',
      'http://hl7.org/fhir/ValueSet/condition-code',
      'unknown-system: the content of code system http://snomed.info/sct is not here',
    ],
    [
      'a version that is not here',
      valueSet([{ system: wards, version: '9' }]),
      `unknown-system: the content of code system ${wards}|9 is not here`,
    ],
    [
      'languages',
      'http://hl7.org/fhir/ValueSet/all-languages',
      'invalid: code system urn:ietf:bcp:47 has no list of its codes: it is a grammar',
    ],
    [
      'units',
      'http://hl7.org/fhir/ValueSet/ucum-units',
      'invalid: code system http://unitsofmeasure.org has no list of its codes: it is a grammar',
    ],
    [
      'an import that is not there',
      valueSet([{ valueSet: ['urn:none'] }]),
      'not-found: there is no value set urn:none',
    ],
    ['nothing', { resourceType: 'ValueSet' }, 'invalid: the value set has neither a definition nor an expansion'],
    ['an include of nothing', valueSet([{}]), 'invalid: an include needs a system or a value set'],
    [
      'an unknown property',
      valueSet([{ system: wards, filter: [{ property: 'rooms', op: '=', value: '1' }] }]),
      `invalid: filter 'rooms' is not a property of ${wards} that we know`,
    ],
    [
      'an unknown operation',
      valueSet([{ system: wards, filter: [{ property: 'beds', op: 'above', value: '1' }] }]),
      "invalid: there is no filter operation 'above'",
    ],
    [
      'a filter from no concept',
      valueSet([{ system: wards, filter: [{ property: 'concept', op: 'is-a', value: 'X' }] }]),
      `invalid: a filter 'is-a' starts from a code that ${wards} does not have`,
    ],
    [
      'a needed supplement',
      {
        ...valueSet([{ system: wards }]),
        extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/valueset-supplement', valueCanonical: 'urn:s' }],
      },
      'invalid: value sets that need a code system supplement are not supported',
    ],
  ])('%s', (_, set, expected) => {
    expect(failureOf(() => codes(ours, set))).toBe(expected);
  });

  test.each([{ offset: -1 }, { count: -1 }, { filter: 'a'.repeat(1000) }])('parameters %j', (more) => {
    expect(failureOf(() => codes(ours, valueSet([{ system: wards }]), more))).toContain('invalid');
  });
});
