/** Codes validated, looked up, compared and translated over HTTP: shipped and stored. R4 terminology-service.html. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { App } from '../../../src/app.ts';
import { startTestApp } from '../../support/app.ts';
import { clientOf } from '../client.ts';
import {
  codeSystem,
  conceptMap,
  gender,
  genders,
  outOf,
  parameters,
  query,
  type Value,
  valueSet,
  wardMap,
  wardSet,
  wards,
} from './wards.ts';

let app: App;
const { call, get, put, head } = clientOf(() => app);

beforeAll(async () => {
  app = await startTestApp();
  for (const resource of [codeSystem, valueSet, conceptMap]) expect((await put(resource)).status).toBe(201);
});
afterAll(() => app.stop());

describe.each<[string, string, Record<string, Value>, Record<string, any>]>([
  [
    'a code of a shipped set',
    'ValueSet/$validate-code',
    { url: gender, system: genders, code: 'male' },
    { result: true },
  ],
  [
    'a code that is not in it',
    'ValueSet/$validate-code',
    { url: gender, system: genders, code: 'm' },
    { result: false },
  ],
  [
    'a code of a stored set',
    'ValueSet/$validate-code',
    { url: wardSet, system: wards, code: 'cardio' },
    { result: true, display: 'Cardiology' },
  ],
  ['a code by instance', 'ValueSet/wards/$validate-code', { system: wards, code: 'surgical' }, { result: false }],
  [
    'a display that is another',
    'ValueSet/$validate-code',
    { url: wardSet, system: wards, code: 'cardio', display: 'Surgery' },
    { result: false },
  ],
  [
    'a code of a shipped system',
    'CodeSystem/$validate-code',
    { url: genders, code: 'male' },
    { result: true, display: 'Male' },
  ],
  ['a code of a stored system', 'CodeSystem/$validate-code', { url: wards, code: 'nothing' }, { result: false }],
  ['a code by the instance of its system', 'CodeSystem/wards/$validate-code', { code: 'cardio' }, { result: true }],
  [
    'a lookup',
    'CodeSystem/$lookup',
    { system: wards, code: 'cardio' },
    { name: 'Wards', version: '2', display: 'Cardiology' },
  ],
  ['a lookup of what is shipped', 'CodeSystem/$lookup', { system: genders, code: 'male' }, { display: 'Male' }],
  [
    'that the wider subsumes the narrower',
    'CodeSystem/$subsumes',
    { system: wards, codeA: 'medical', codeB: 'cardio' },
    { outcome: 'subsumes' },
  ],
  [
    'that the narrower is subsumed',
    'CodeSystem/wards/$subsumes',
    { codeA: 'cardio', codeB: 'medical' },
    { outcome: 'subsumed-by' },
  ],
  [
    'that two are the same',
    'CodeSystem/$subsumes',
    { system: wards, codeA: 'cardio', codeB: 'cardio' },
    { outcome: 'equivalent' },
  ],
  [
    'that two are apart',
    'CodeSystem/$subsumes',
    { system: wards, codeA: 'cardio', codeB: 'surgical' },
    { outcome: 'not-subsumed' },
  ],
  [
    'a translation by a stored map',
    'ConceptMap/$translate',
    { url: wardMap, system: wards, code: 'cardio' },
    { result: true },
  ],
  ['a translation by instance', 'ConceptMap/wards/$translate', { system: wards, code: 'cardio' }, { result: true }],
  [
    'a translation into nothing',
    'ConceptMap/$translate',
    { url: wardMap, system: wards, code: 'surgical' },
    { result: false },
  ],
  [
    'a translation by a shipped map',
    'ConceptMap/$translate',
    { url: 'http://hl7.org/fhir/ConceptMap/cm-administrative-gender-v3', system: genders, code: 'male' },
    { result: true },
  ],
  [
    'a translation back',
    'ConceptMap/$translate',
    { url: wardMap, system: 'urn:departments', code: 'D1', reverse: true },
    { result: true },
  ],
])('%s', (_, path, given, expected) => {
  test.each(['GET', 'POST'])('by %s', async (method) => {
    const before = await head();
    const { status, body } =
      method === 'GET' ? await get(`${path}?${query(given)}`) : await call('POST', path, parameters(given));
    expect([status, body.resourceType]).toEqual([200, 'Parameters']);
    expect(outOf(body)).toMatchObject(expected);
    expect(await head()).toBe(before);
  });
});

describe('by POST', () => {
  const coding = { system: wards, code: 'cardio' };

  test.each<[string, string, Record<string, Value>, Record<string, any>]>([
    ['a coding is validated', 'ValueSet/$validate-code', { url: wardSet, coding }, { result: true }],
    [
      'a concept is validated',
      'ValueSet/$validate-code',
      { url: wardSet, codeableConcept: { coding: [{ system: 'urn:y', code: 'z' }, coding] } },
      { result: true },
    ],
    ['a value set by value', 'ValueSet/$validate-code', { valueSet, coding }, { result: true }],
    [
      'a code system by value',
      'CodeSystem/$validate-code',
      { codeSystem: { ...codeSystem, url: 'urn:v' }, code: 'medical' },
      { result: true },
    ],
    ['a coding names its system', 'CodeSystem/$validate-code', { coding }, { result: true }],
    ['a coding is looked up', 'CodeSystem/$lookup', { coding }, { display: 'Cardiology' }],
    [
      'codings are compared',
      'CodeSystem/$subsumes',
      { codingA: { system: wards, code: 'medical' }, codingB: coding },
      { outcome: 'subsumes' },
    ],
    ['a coding is translated', 'ConceptMap/$translate', { url: wardMap, coding }, { result: true }],
    [
      'a concept is translated',
      'ConceptMap/$translate',
      { url: wardMap, codeableConcept: { coding: [coding] } },
      { result: true },
    ],
    [
      'a map by value',
      'ConceptMap/$translate',
      { conceptMap: { ...conceptMap, url: 'urn:m' }, coding },
      { result: true },
    ],
  ])('%s', async (_, path, given, expected) => {
    const { status, body } = await call('POST', path, parameters(given));
    expect(status).toBe(200);
    expect(outOf(body)).toMatchObject(expected);
  });

  test('a lookup gives designations and properties, those that are asked for', async () => {
    const all = outOf((await call('POST', 'CodeSystem/$lookup', parameters({ coding }))).body);
    expect(all.designation).toEqual(
      expect.arrayContaining([expect.objectContaining({ language: 'zh', value: '心内科' })]),
    );
    expect(all.property).toEqual(
      expect.arrayContaining([expect.objectContaining({ code: 'parent', value: 'medical' })]),
    );
    const some = outOf((await call('POST', 'CodeSystem/$lookup', parameters({ coding, property: 'parent' }))).body);
    expect([some.designation, some.property.map((it: any) => it.code)]).toEqual([undefined, ['parent']]);
  });

  test('a translation says how good it is, from which map, and what comes with it', async () => {
    const [match] = outOf(
      (await call('POST', 'ConceptMap/$translate', parameters({ url: wardMap, coding }))).body,
    ).match;
    expect(match).toMatchObject({ equivalence: 'equivalent', source: wardMap });
    expect(match.concept).toMatchObject({ system: 'urn:departments', code: 'D1', display: 'Heart' });
    expect(match.product).toMatchObject([{ valueUri: 'urn:floor' }, { valueCoding: { code: '3' } }]);
  });

  test('a translation that depends on something else is made when that is given', async () => {
    const asked = { url: wardMap, system: wards, code: 'medical' };
    expect(outOf((await call('POST', 'ConceptMap/$translate', parameters(asked))).body).result).toBe(false);
    const dependency = [
      { name: 'element', valueUri: 'urn:age' },
      { name: 'concept', valueCodeableConcept: { coding: [{ code: 'child' }] } },
    ];
    const { body } = await call('POST', 'ConceptMap/$translate', parameters({ ...asked, dependency }));
    expect(outOf(body)).toMatchObject({ result: true, match: [{ concept: { code: 'D2' } }] });
  });
});

describe('what cannot be answered', () => {
  test.each<[string, string, number[]]>([
    ['ValueSet/$expand', '', [400]],
    ['ValueSet/$expand', 'url=http://example.org/none', [404]],
    ['ValueSet/none/$expand', '', [404]],
    ['ValueSet/$expand', `url=${gender}&count=x`, [400]],
    ['ValueSet/$expand', `url=${gender}&count=-1`, [400, 422]],
    ['ValueSet/$expand', `url=${gender}&activeOnly=perhaps`, [400]],
    ['ValueSet/$validate-code', `url=${gender}`, [400, 422]],
    ['ValueSet/$validate-code', 'code=x', [400]],
    ['CodeSystem/$lookup', `system=${wards}`, [400]],
    ['CodeSystem/$lookup', 'code=x', [400]],
    ['CodeSystem/$lookup', `system=${wards}&code=nothing`, [404]],
    ['CodeSystem/$lookup', 'system=urn:none&code=x', [404, 422]],
    ['CodeSystem/$subsumes', `system=${wards}&codeA=x`, [400]],
    ['CodeSystem/$subsumes', `system=${wards}&codeA=x&codeB=y`, [400, 404, 422]],
    ['ConceptMap/$translate', `url=${wardMap}`, [400, 422]],
    ['ConceptMap/$translate', 'url=urn:none&system=urn:x&code=y', [404]],
    ['ConceptMap/$translate', `url=${wardMap}&code=x`, [400, 422]],
  ])('%s?%s', async (path, search, allowed) => {
    const { status, body } = await get(`${path}?${search}`);
    expect(allowed).toContain(status);
    expect(body.resourceType).toBe('OperationOutcome');
  });

  test.each<[string, unknown]>([
    ['a value set without its status', { resourceType: 'ValueSet', compose: {} }],
    ['a value set that is none', { ...valueSet, compose: 5 }],
    ['includes that are none', { ...valueSet, compose: { include: [null] } }],
    ['a value set in Parameters that is none', parameters({ valueSet: { resourceType: 'ValueSet', expansion: 'x' } })],
    ['a resource of another type', { resourceType: 'Patient' }],
    [
      'a url that is an object',
      { resourceType: 'Parameters', parameter: [{ name: 'url', valueCoding: { code: 'x' } }] },
    ],
    ['a value set that is a text', { resourceType: 'Parameters', parameter: [{ name: 'valueSet', valueString: 'x' }] }],
    ['a coding that is a text', { resourceType: 'Parameters', parameter: [{ name: 'coding', valueString: 'x' }] }],
    ['null', 'null'],
  ])('a POST of %s', async (_, body) => {
    for (const path of [
      'ValueSet/$expand',
      'ValueSet/$validate-code',
      'CodeSystem/$validate-code',
      'ConceptMap/$translate',
      'CodeSystem/$lookup',
      'CodeSystem/$subsumes',
    ]) {
      const answer = await call('POST', path, body);
      expect([path, answer.status < 500, answer.body.resourceType]).toEqual([path, true, 'OperationOutcome']);
      expect(answer.status).toBeGreaterThanOrEqual(400);
    }
  });
});
