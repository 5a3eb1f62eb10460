/** Profiles as anybody may write them. */
import { describe, expect, test } from '@jest/globals';
import { Library } from '../../src/fhir/terminology/library.ts';
import type { Json } from '../../src/fhir/types.ts';
import { profileErrors } from '../../src/fhir/validation/profile.ts';
import { rulesOf } from '../../src/fhir/validation/rules.ts';

const r4 = 'http://hl7.org/fhir/StructureDefinition/';

/** A profile on a type; its differential is given as id ─▶ what it says. */
function profile(type: string, elements: Record<string, Json>, more: Json = {}): Json {
  const element = Object.entries(elements).map(([id, rest]) => ({ id, path: id.replaceAll(/:[^.]+/g, ''), ...rest }));
  return {
    resourceType: 'StructureDefinition',
    url: `http://x/${type}`,
    name: 'X',
    type,
    differential: { element },
    ...more,
  };
}

/** `location: text` of each problem, without the name of the profile. */
function said(resource: Json, on: Json, sources = {}): string[] {
  return profileErrors(resource, [on], sources).map((it) => `${it.expression}: ${it.text.replace('X: ', '')}`);
}

const patient = (content: Json): Json => ({ resourceType: 'Patient', ...content });
const observation = (content: Json): Json => ({
  resourceType: 'Observation',
  status: 'final',
  code: { text: 'x' },
  ...content,
});

describe('a profile asks for', () => {
  test.each<[string, Json, Json, Json, string[]]>([
    [
      'at least so many',
      { 'Patient.name': { min: 2 } },
      patient({ name: [{}, {}] }),
      patient({ name: [{}] }),
      ["Patient: needs at least 2 of 'name', and has 1"],
    ],
    [
      'at most so many',
      { 'Patient.name': { max: '1' } },
      patient({ name: [{}] }),
      patient({ name: [{}, {}] }),
      ["Patient: takes at most 1 of 'name', and has 2"],
    ],
    [
      'none',
      { 'Patient.name': { max: '0' } },
      patient({}),
      patient({ name: [{}] }),
      ["Patient: 'name' may not stand here"],
    ],
    [
      'what is in a data type, where it is there',
      { 'Patient.name.family': { min: 1 } },
      patient({}),
      patient({ name: [{ family: 'x' }, {}] }),
      ["Patient.name[1]: needs at least 1 of 'family', and has 0"],
    ],
    [
      'a fixed value',
      { 'Patient.active': { fixedBoolean: false } },
      patient({ active: false }),
      patient({ active: true }),
      ['Patient.active: must be false'],
    ],
    [
      'a fixed object, whole',
      { 'Patient.maritalStatus': { fixedCodeableConcept: { text: 'x' } } },
      patient({ maritalStatus: { text: 'x' } }),
      patient({ maritalStatus: { text: 'x', id: 'y' } }),
      ['Patient.maritalStatus: must be {"text":"x"}'],
    ],
    [
      'a pattern',
      { 'Patient.maritalStatus': { patternCodeableConcept: { coding: [{ code: 'M' }] } } },
      patient({ maritalStatus: { text: 'x', coding: [{ code: 'S' }, { code: 'M', display: 'y' }] } }),
      patient({ maritalStatus: { coding: [{ code: 'S' }] } }),
      ['Patient.maritalStatus: must match {"coding":[{"code":"M"}]}'],
    ],
    [
      'a value where there is only an extension',
      { 'Patient.gender': { fixedCode: 'male' } },
      patient({ gender: 'male' }),
      patient({ _gender: { extension: [] } }),
      ['Patient.gender: must be "male"'],
    ],
    [
      'one type of a choice',
      { 'Observation.value[x]': { type: [{ code: 'Quantity' }] } },
      observation({ valueQuantity: { value: 1 } }),
      observation({ valueString: 'x' }),
      ['Observation.value: must be Quantity'],
    ],
    [
      'a length',
      { 'Patient.name.family': { maxLength: 3 } },
      patient({ name: [{ family: 'abc' }] }),
      patient({ name: [{ family: 'abcd' }] }),
      ['Patient.name[0].family: has more than 3 characters'],
    ],
    [
      'a smallest and a largest value',
      { 'Patient.multipleBirth[x]': { minValueInteger: 1, maxValueInteger: 9 } },
      patient({ multipleBirthInteger: 9 }),
      patient({ multipleBirthInteger: 0 }),
      ['Patient.multipleBirth: is less than the profile allows'],
    ],
    [
      'a latest date',
      { 'Patient.birthDate': { maxValueDate: '2026-03-16' } },
      patient({ birthDate: '2026' }),
      patient({ birthDate: '2026-03-17' }),
      ['Patient.birthDate: is more than the profile allows'],
    ],
    [
      'a target',
      { 'Patient.generalPractitioner': { type: [{ code: 'Reference', targetProfile: [`${r4}Practitioner`] }] } },
      patient({ generalPractitioner: [{ reference: 'Practitioner/1' }, { reference: 'urn:uuid:1' }] }),
      patient({ generalPractitioner: [{ reference: 'Organization/1' }] }),
      [
        'Patient.generalPractitioner[0].reference: a reference to Organization may not stand here, only to Practitioner',
      ],
    ],
    [
      'a constraint',
      {
        'Patient.contact': {
          constraint: [{ key: 'x-1', severity: 'error', human: 'Say who.', expression: 'name.exists()' }],
        },
      },
      patient({ contact: [{ name: {} }] }),
      patient({ contact: [{ name: {} }, { gender: 'male' }] }),
      ['Patient.contact[1]: x-1: Say who.'],
    ],
    [
      'a constraint on the whole',
      {
        Patient: {
          constraint: [
            {
              key: 'x-1',
              severity: 'error',
              human: 'Name or number.',
              expression: 'name.exists() or identifier.exists()',
            },
          ],
        },
      },
      patient({ name: [{}] }),
      patient({}),
      ['Patient: x-1: Name or number.'],
    ],
    [
      'an extension of a primitive',
      { 'Patient.birthDate.extension': { min: 1 } },
      patient({ _birthDate: { extension: [{ url: 'x' }] } }),
      patient({ birthDate: '1980' }),
      ["Patient.birthDate: needs at least 1 of 'extension', and has 0"],
    ],
    [
      'what is in a contained resource',
      { 'Patient.contained.id': { fixedId: 'x' } },
      patient({ contained: [{ resourceType: 'Organization', id: 'x' }] }),
      patient({ contained: [{ resourceType: 'Organization', id: 'y' }] }),
      ['Patient.contained[0].id: must be "x"'],
    ],
  ])('%s', (_, elements, good, bad, problems) => {
    const on = profile(good.resourceType, elements);
    expect(said(good, on)).toEqual([]);
    expect(said(bad, on)).toEqual(problems);
  });

  test.each([true, false])('the same of an item in an item, by snapshot and differential: %s', (both) => {
    const element = [
      { id: 'QuestionnaireResponse.item.text', path: 'QuestionnaireResponse.item.text', min: 1 },
      {
        id: 'QuestionnaireResponse.item.item',
        path: 'QuestionnaireResponse.item.item',
        contentReference: '#QuestionnaireResponse.item',
      },
    ];
    const base = { baseDefinition: `${r4}QuestionnaireResponse`, differential: { element: element.slice(0, 1) } };
    const on = profile('QuestionnaireResponse', {}, { snapshot: { element }, ...(both && base) });
    const reply = (item: Json): Json => ({
      resourceType: 'QuestionnaireResponse',
      status: 'in-progress',
      item: [item],
    });
    expect(said(reply({ linkId: 'a', text: 'x', item: [{ linkId: 'b', text: 'y' }] }), on)).toEqual([]);
    expect(
      said(reply({ linkId: 'a', text: 'x', item: [{ linkId: 'b', text: 'y', item: [{ linkId: 'c' }] }] }), on),
    ).toEqual(["QuestionnaireResponse.item[0].item[0].item[0]: needs at least 1 of 'text', and has 0"]);
  });

  test('what the snapshot of a profile on a profile says', () => {
    const element = [{ id: 'Patient.name', path: 'Patient.name', min: 1 }];
    const on = profile(
      'Patient',
      { 'Patient.gender': { min: 1 } },
      { snapshot: { element }, baseDefinition: 'http://x/base' },
    );
    expect(said(patient({}), on)).toEqual(["Patient: needs at least 1 of 'name', and has 0"]);
  });

  test('a code of a required value set, of a code, a Coding or a CodeableConcept', () => {
    const valueSet = {
      resourceType: 'ValueSet',
      compose: { include: [{ system: 'http://s', concept: [{ code: 'a' }] }] },
    };
    const library = new Library({
      valueSet: (url) => (url === 'http://v' ? valueSet : undefined),
      codeSystem: () => undefined,
      conceptMap: () => undefined,
    });
    const binding = (url: string): Json => ({ binding: { strength: 'required', valueSet: url } });
    const bound = (url: string): Json =>
      profile('Patient', {
        'Patient.language': binding(url),
        'Patient.meta.tag': binding(url),
        'Patient.maritalStatus': binding(url),
      });
    const coded = (system: string, code: string): Json =>
      patient({
        language: code,
        meta: { tag: [{ system, code }] },
        maritalStatus: { coding: [{ code: 'x' }, { system, code }] },
      });
    expect(said(coded('http://s', 'a'), bound('http://v'), { library })).toEqual([]);
    expect(said(coded('http://s', 'b'), bound('http://v'), { library }).map((it) => it.split(':')[0])).toEqual([
      'Patient.language',
      'Patient.meta.tag[0]',
      'Patient.maritalStatus',
    ]);
    expect(said(coded('http://t', 'a'), bound('http://v'), { library })).toHaveLength(2);
    expect(said(patient({ maritalStatus: { text: 'x' } }), bound('http://v'), { library })).toHaveLength(1);
    expect(said(coded('http://s', 'b'), bound('http://unknown'), { library })).toEqual([]);
  });
});

describe('a slice', () => {
  const slicing = (path: string, rules = 'open', type = 'value'): Json => ({
    slicing: { discriminator: [{ type, path }], rules },
  });
  const numbers = (more: Json = {}): Json => ({
    'Patient.identifier': slicing('system'),
    'Patient.identifier:mrn': { min: 1, max: '1' },
    'Patient.identifier:mrn.system': { fixedUri: 'urn:mrn' },
    'Patient.identifier:mrn.value': { min: 1 },
    ...more,
  });

  test.each<[string, Json[], string[]]>([
    ['that is there', [{ system: 'urn:mrn', value: '1' }, { system: 'urn:other' }], []],
    ['that is not there', [{ system: 'urn:other' }], ["Patient: needs at least 1 of 'identifier:mrn', and has 0"]],
    ['without any value', [], ["Patient: needs at least 1 of 'identifier:mrn', and has 0"]],
    [
      'that lacks what its rules ask for',
      [{ system: 'urn:x' }, { system: 'urn:mrn' }],
      ["Patient.identifier[1]: needs at least 1 of 'value', and has 0"],
    ],
    [
      'that is there too often',
      [
        { system: 'urn:mrn', value: '1' },
        { system: 'urn:mrn', value: '2' },
      ],
      ["Patient: takes at most 1 of 'identifier:mrn', and has 2"],
    ],
  ])('%s', (_, identifier, problems) => {
    expect(said(patient(identifier.length > 0 ? { identifier } : {}), profile('Patient', numbers()))).toEqual(problems);
  });

  test('of a closed list takes no other beside it', () => {
    const on = profile('Patient', numbers({ 'Patient.identifier': slicing('system', 'closed') }));
    expect(said(patient({ identifier: [{ system: 'urn:mrn', value: '1' }, { system: 'urn:x' }] }), on)).toEqual([
      "Patient.identifier[1]: is none of the slices of 'identifier', and there may be no other",
    ]);
  });

  test.each<[string, Json, Json, Json]>([
    [
      'a pattern above the place that is looked at',
      {
        'Patient.identifier': slicing('type.coding.code', 'open', 'pattern'),
        'Patient.identifier:mr': { max: '0' },
        'Patient.identifier:mr.type': { patternCodeableConcept: { coding: [{ code: 'MR' }] } },
      },
      patient({ identifier: [{ type: { coding: [{ code: 'VN' }] } }, {}] }),
      patient({ identifier: [{ type: { coding: [{ code: 'VN' }, { code: 'MR' }] } }] }),
    ],
    [
      'the value itself',
      { 'Patient.name.given': slicing('$this'), 'Patient.name.given:x': { max: '0', fixedString: 'X' } },
      patient({ name: [{ given: ['Y'] }] }),
      patient({ name: [{ given: ['Y', 'X'] }] }),
    ],
    [
      'whether something is there',
      {
        'Patient.name': slicing('period', 'open', 'exists'),
        'Patient.name:old': { max: '0' },
        'Patient.name:old.period': { min: 1 },
      },
      patient({ name: [{ family: 'x' }] }),
      patient({ name: [{ period: {} }] }),
    ],
    [
      'the type of a choice',
      {
        'Observation.value[x]': slicing('$this', 'open', 'type'),
        'Observation.value[x]:valueString': { max: '0', type: [{ code: 'string' }] },
      },
      observation({ valueInteger: 1 }),
      observation({ valueString: 'x' }),
    ],
    [
      'a value in an extension',
      {
        'Patient.contact': slicing("extension('http://x').value"),
        'Patient.contact:a': { max: '0' },
        'Patient.contact:a.extension': slicing('url'),
        'Patient.contact:a.extension:e': { type: [{ code: 'Extension', profile: ['http://x'] }] },
        'Patient.contact:a.extension:e.value[x]': { fixedCode: 'a' },
      },
      patient({
        contact: [
          {
            extension: [
              { url: 'http://x', valueCode: 'b' },
              { url: 'http://y', valueCode: 'a' },
            ],
          },
        ],
      }),
      patient({ contact: [{ extension: [{ url: 'http://x', valueCode: 'a' }] }] }),
    ],
  ])('is told by %s', (_, elements, good, bad) => {
    const on = profile(good.resourceType, elements);
    expect(said(good, on)).toEqual([]);
    expect(said(bad, on)).toEqual([expect.stringContaining('may not stand here')]);
  });

  test.each<[string, Json]>([
    ['what a reference resolves to', { ...slicing('resolve()', 'closed') }],
    ['a profile', { ...slicing('$this', 'closed', 'profile') }],
    ['nothing that the slice fixes', { ...slicing('value', 'closed') }],
  ])('that is told by %s cannot be told: all pass', (_, sliced) => {
    const on = profile('Patient', { 'Patient.identifier': sliced, 'Patient.identifier:a': { min: 1, max: '1' } });
    expect(said(patient({ identifier: [{ value: '1' }, { value: '2' }] }), on)).toEqual([]);
  });

  test('of extensions needs no discriminator; a slice of a slice is passed over', () => {
    const one = { max: '1', type: [{ code: 'Extension', profile: ['http://x/e'] }] };
    const on = profile('Patient', { 'Patient.extension:e': one, 'Patient.extension:e/f': { min: 1 } });
    expect(said(patient({ extension: [{ url: 'http://x/e' }, { url: 'http://x/f' }] }), on)).toEqual([]);
    expect(said(patient({ extension: [{ url: 'http://x/e' }, { url: 'http://x/e' }] }), on)).toHaveLength(1);
  });

  test('that is an extension is told by the url of its profile, and follows it', () => {
    const extension = profile(
      'Extension',
      { 'Extension.value[x]': { min: 1, type: [{ code: 'code' }] } },
      { name: 'E' },
    );
    const on = profile('Patient', {
      'Patient.extension': slicing('url'),
      'Patient.extension:e': { min: 1, type: [{ code: 'Extension', profile: ['http://x/e|1.0'] }] },
    });
    const structure = (url: string): Json | undefined => (url === 'http://x/e' ? extension : undefined);
    const good = patient({ extension: [{ url: 'http://x/e', valueCode: 'a' }] });
    const bad = patient({ extension: [{ url: 'http://x/e', valueString: 'a' }] });
    expect(said(good, on, { structure })).toEqual([]);
    expect(said(bad, on, { structure })).toEqual(['Patient.extension[0].value: must be code']);
    expect(said(bad, on)).toEqual([]);
    expect(said(patient({}), on, { structure })).toEqual(["Patient: needs at least 1 of 'extension:e', and has 0"]);
  });
});

describe('a profile that', () => {
  test('is on another type is refused for this one', () => {
    expect(said(patient({}), profile('Encounter', {}))).toEqual(['Patient: is for Encounter, not for Patient']);
  });

  test('has a constraint that is no FHIRPath of ours lets it pass, and the next one does not', () => {
    const constraint = (key: string, expression: string): Json => ({ key, severity: 'error', human: 'x', expression });
    const on = profile('Patient', {
      Patient: {
        constraint: [
          constraint('a', 'name.('),
          constraint('b', 'memberOf(x)'),
          constraint('c', 'false'),
          { ...constraint('d', 'false'), severity: 'warning' },
        ],
      },
    });
    expect(said(patient({}), on)).toEqual(['Patient: c: x']);
  });

  test('repeats what R4 says does not say it twice', () => {
    const per1 = {
      key: 'per-1',
      severity: 'error',
      human: 'x',
      expression: 'start.hasValue().not() or end.hasValue().not() or (start <= end)',
    };
    const on = profile('Patient', { 'Patient.name.period': { constraint: [per1] } });
    expect(said(patient({ name: [{ period: { start: '2027', end: '2026' } }] }), on)).toEqual([]);
  });

  test('has many problems names twenty', () => {
    const on = profile('Patient', { 'Patient.name.family': { min: 1 } });
    expect(said(patient({ name: Array.from({ length: 100 }, () => ({})) }), on)).toHaveLength(20);
  });

  test('quotes what it wants, never what it found', () => {
    const on = profile('Patient', { 'Patient.name.family': { fixedString: 'expected' } });
    expect(said(patient({ name: [{ family: 'Zhang-13900009999' }] }), on)).toEqual([
      'Patient.name[0].family: must be "expected"',
    ]);
  });

  test.each<[string, () => [Json, Json]]>([
    [
      'has a regular expression that takes ages',
      () => [
        patient({ name: [{ family: `${'a'.repeat(50)}!` }] }),
        profile('Patient', {
          Patient: {
            constraint: [{ key: 'a', severity: 'error', human: 'x', expression: "name.family.matches('^(a+)+$')" }],
          },
        }),
      ],
    ],
    [
      'compares each with each',
      () => [
        patient({ name: Array.from({ length: 30_000 }, (_, i) => ({ family: `n${i}` })) }),
        profile('Patient', {
          Patient: {
            constraint: [
              {
                key: 'a',
                severity: 'error',
                human: 'x',
                expression: 'name.all(family.combine(%context.name.family).isDistinct().not())',
              },
            ],
          },
        }),
      ],
    ],
    [
      'has slices by the thousand',
      () => [
        patient({ identifier: Array.from({ length: 5_000 }, (_, i) => ({ system: `urn:x:${i}` })) }),
        profile('Patient', {
          'Patient.identifier': { slicing: { discriminator: [{ type: 'value', path: 'system' }], rules: 'open' } },
          ...Object.fromEntries(
            Array.from({ length: 2_000 }, (_, i) => [`Patient.identifier:s${i}.system`, { fixedUri: `urn:s:${i}` }]),
          ),
        }),
      ],
    ],
  ])('%s is given up', (_, make) => {
    const [resource, on] = make();
    const began = performance.now();
    expect(() => said(resource, on)).toThrow(expect.objectContaining({ kind: 'too-costly' }));
    expect(performance.now() - began).toBeLessThan(5_000);
    expect(said(patient({}), profile('Patient', { 'Patient.name': { min: 1 } }))).toHaveLength(1);
  });

  test.each(['__proto__', 'constructor', 'toString'])('speaks of %s does no harm', (name) => {
    const on = profile('Patient', { [`Patient.${name}`]: { min: 1 }, [`Patient.name:${name}.${name}`]: { max: '0' } });
    expect(said(patient({}), on)).toContain(`Patient: needs at least 1 of '${name}', and has 0`);
    expect(({} as Json).min).toBeUndefined();
  });

  test('is the same object is compiled once', () => {
    const on = profile('Patient', { 'Patient.name': { max: '1' } });
    expect(rulesOf(on)).toBe(rulesOf(on));
    expect(rulesOf({ ...on })).not.toBe(rulesOf(on));
  });
});
