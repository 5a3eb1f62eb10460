/** SearchParameters that would harm the others, or take too long: refused when they are written. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { App } from '../../src/app.ts';
import { clientOf, entries, expectOutcome, ids, type Resource, strict } from '../rest/client.ts';
import { settled, startTestApp } from '../support/app.ts';

let app: App;
let last = 0;
/** A code of its own for each test. */
let code = '';

const { get, put, remove, bundle, head } = clientOf(() => app);
beforeAll(async () => {
  app = await startTestApp();
  const extension = [{ url: 'urn:eye', valueCodeableConcept: { coding: [{ code: 'blue' }] } }];
  await put({ resourceType: 'Patient', id: 'a', extension });
});
afterAll(() => app.stop());
beforeEach(() => {
  code = `own-${++last}`;
});

const parameter = (more: object = {}): Resource => ({
  resourceType: 'SearchParameter',
  id: code,
  url: `urn:sp:${code}`,
  name: 'Own',
  status: 'active',
  description: 'x',
  code,
  base: ['Patient'],
  type: 'token',
  expression: "Patient.extension.where(url='urn:eye').value",
  ...more,
});

async function publish(more: object = {}): Promise<void> {
  expect((await put(parameter(more))).status).toBe(201);
  await settled(app);
}

async function found(search: string): Promise<string[]> {
  const { status, body } = await get(`Patient?${search}`, strict);
  expect(status).toBe(200);
  return ids(body);
}

describe('a SearchParameter that cannot be used is refused', () => {
  test.each<[string, object, RegExp]>([
    ['a code that the type has', { code: 'family' }, /code/],
    [
      'a code that a type of the base has',
      { base: ['Flag', 'Patient'], code: 'family', expression: 'Flag.code.text | Patient.name.family' },
      /code/,
    ],
    [
      'a code that some type has, for all of them',
      { base: ['Resource'], code: 'family', expression: 'Resource.id' },
      /code/,
    ],
    ['a code of every type', { code: '_tag' }, /code/],
    [
      'a code that every type has',
      { base: ['DomainResource'], code: 'status', expression: 'DomainResource.language' },
      /code/,
    ],
    ['a name in quotation marks that visits everything', { expression: 'Patient.`descendants`()' }, /expression/],
    ['a code that is none', { code: 'a.b' }, /code/],
    ['a code of a modifier', { code: 'x:exact' }, /code/],
    [
      'the url of R4 with another meaning',
      { url: 'http://hl7.org/fhir/SearchParameter/Patient-active', code: 'active' },
      /url/,
    ],
    ['no expression', { expression: undefined }, /expression/],
    ['an expression that is none', { expression: 'Patient.name.(' }, /expression/],
    ['an expression of another type', { expression: 'Flag.code' }, /expression/],
    ['an expression of nothing', { expression: ' ' }, /expression/],
    ['an expression that visits everything', { expression: 'Patient.descendants()' }, /expression/],
    [
      'an expression that visits everything behind a comment',
      { expression: 'Patient.descendants/* */()' },
      /expression/,
    ],
    ['an expression that repeats', { expression: 'Patient.repeat(extension)' }, /expression/],
    [
      'an expression with a pattern that takes for ever',
      { expression: "Patient.name.where(family.matches('^(a+)+$'))" },
      /expression/,
    ],
    [
      'an expression with a replacement',
      { expression: "Patient.name.family.replaceMatches('(a+)+$', 'x')" },
      /expression/,
    ],
    [
      'an expression of everything within everything',
      { expression: 'Patient.name.where(%resource.name.where(%resource.name.exists()).exists())' },
      /expression/,
    ],
    ['an expression of a mile', { expression: `Patient.name${'.where(true)'.repeat(500)}` }, /expression/],
    [
      'a composite',
      {
        type: 'composite',
        component: [{ definition: 'http://hl7.org/fhir/SearchParameter/clinical-code', expression: 'x' }],
      },
      /type/,
    ],
    ['a special one', { type: 'special' }, /type/],
    ['a base that is no type', { base: ['Nobody'] }, /base/],
  ])('%s', async (_, more, element) => {
    const before = await head();
    const answer = await put(parameter(more));
    expectOutcome(answer, 422, 'invalid');
    expect(JSON.stringify(answer.body.issue[0])).toMatch(element);
    const inside = await bundle('transaction', [entries.put(parameter(more))]);
    expectOutcome(inside, 422, 'invalid');
    expect(await head()).toBe(before);
  });

  test('the url of another that is in use', async () => {
    await publish();
    expectOutcome(await put(parameter({ id: `${code}-twin`, code: `${code}-twin` })), 422, 'invalid');
    expect(await found(`${code}=blue`)).toEqual(['a']);
  });

  test('the code of another that is in use', async () => {
    await publish();
    expectOutcome(await put(parameter({ id: `${code}-twin`, url: 'urn:twin' })), 422, 'invalid');
  });

  test('that which R4 has already is kept, and changes nothing', async () => {
    const url = 'http://hl7.org/fhir/SearchParameter/Patient-active';
    await publish({ url, code: 'active', expression: 'Patient.active' });
    await remove(`SearchParameter/${code}`);
    await settled(app);
    expect(await found('active:missing=true&_id=a')).toEqual(['a']);
  });
});
