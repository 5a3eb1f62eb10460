/** `ValueSet/$expand` over HTTP: shipped and stored, by instance, by url and by value. R4 valueset-operation-expand.html. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { App } from '../../../src/app.ts';
import { errorsOf } from '../../../src/fhir/validate.ts';
import { startTestApp } from '../../support/app.ts';
import { clientOf, expectOutcome, form, statuses } from '../client.ts';
import { codeSystem, gender, parameters, valueSet, wardSet } from './wards.ts';

let app: App;
const { call, get, put, remove, bundle, head, text } = clientOf(() => app);

beforeAll(async () => {
  app = await startTestApp();
  for (const resource of [codeSystem, valueSet]) expect((await put(resource)).status).toBe(201);
});
afterAll(() => app.stop());

describe('ValueSet/$expand', () => {
  const codes = (body: any): string[] => (body.expansion.contains ?? []).map((it: any) => it.code);

  test.each<[string, () => ReturnType<typeof call>, string[]]>([
    ['shipped, by url', () => get(`ValueSet/$expand?url=${gender}`), ['male', 'female', 'other', 'unknown']],
    ['stored, by url', () => get(`ValueSet/$expand?url=${wardSet}`), ['medical', 'cardio']],
    ['stored, by instance', () => get('ValueSet/wards/$expand'), ['medical', 'cardio']],
    [
      'by POST of Parameters',
      () => call('POST', 'ValueSet/$expand', parameters({ url: gender, filter: 'fem' })),
      ['female'],
    ],
    [
      'by value',
      () => call('POST', 'ValueSet/$expand', parameters({ valueSet: { ...valueSet, url: 'urn:x' } })),
      ['medical', 'cardio'],
    ],
    ['by POST of the value set itself', () => call('POST', 'ValueSet/$expand', valueSet), ['medical', 'cardio']],
    ['by POST of a form', () => call('POST', 'ValueSet/$expand', `url=${gender}&count=1`, form), ['male']],
    ['a page of it', () => get(`ValueSet/$expand?url=${gender}&offset=1&count=2`), ['female', 'other']],
    ['by instance and POST', () => call('POST', 'ValueSet/wards/$expand', parameters({ filter: 'card' })), ['cardio']],
  ])('%s', async (_, ask, expected) => {
    const before = await head();
    const { status, body } = await ask();
    expect([status, body.resourceType, errorsOf(body)]).toEqual([200, 'ValueSet', []]);
    expect(
      body.expansion.contains.flatMap((it: any) => [it.code, ...(it.contains ?? []).map((each: any) => each.code)]),
    ).toEqual(expected);
    expect(codes(body).length).toBeGreaterThan(0);
    expect(await head()).toBe(before);
  });

  test('gives displays in the language that is asked for', async () => {
    const { body } = await get('ValueSet/wards/$expand?displayLanguage=zh&filter=card');
    expect(JSON.stringify(body.expansion)).toContain('心内科');
  });

  test('sees a new version of what it is made from at once', async () => {
    const more = {
      ...codeSystem,
      id: 'fresh',
      url: 'urn:fresh',
      hierarchyMeaning: undefined,
      concept: [{ code: 'a' }],
    };
    const all = { ...valueSet, id: 'fresh', url: 'urn:fresh-set', compose: { include: [{ system: 'urn:fresh' }] } };
    await put(more);
    await put(all);
    expect(codes((await get('ValueSet/$expand?url=urn:fresh-set')).body)).toEqual(['a']);
    await put({ ...more, concept: [{ code: 'b' }] });
    expect(codes((await get('ValueSet/$expand?url=urn:fresh-set')).body)).toEqual(['b']);
    await remove('ValueSet/fresh');
    expectOutcome(await get('ValueSet/$expand?url=urn:fresh-set'), 404, 'not-found');
  });

  test('is XML when that is asked for, and runs inside a Bundle', async () => {
    expect((await text('GET', `ValueSet/$expand?url=${gender}&_format=xml`)).text).toContain('<code value="male"/>');
    const { body } = await bundle('batch', [{ request: { method: 'GET', url: `ValueSet/$expand?url=${gender}` } }]);
    expect([statuses(body), codes(body.entry[0].resource).length]).toEqual([['200'], 4]);
  });
});
