/** Conditional interactions inside a transaction, and transactions of many entries. R4 http.html#trules. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { App } from '../../src/app.ts';
import { startTestApp } from '../support/app.ts';
import { clientOf, entries, expectOutcome, namesOf, type Resource, statuses } from './client.ts';

let app: App;
let last = 0;
let mrn = '';
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app.stop());
beforeEach(() => {
  mrn = `m${++last}`;
});

const { get, post, put, remove: removeAlone, bundle, head } = clientOf(() => app);
const { post: create, put: update, remove } = entries;
const send = (all: readonly unknown[]) => bundle('transaction', all);

const patient = (more: object = {}): Resource => ({
  resourceType: 'Patient',
  identifier: [{ system: 'urn:mrn', value: mrn }],
  ...more,
});
const condition = () => `identifier=urn:mrn|${mrn}`;
const ifNone = (more: object = {}) => create(patient(more), { ifNoneExist: condition() });
const updateBy = (more: object = {}, search = condition()) => ({
  resource: patient(more),
  request: { method: 'PUT', url: `Patient?${search}` },
});
const count = async (): Promise<number> => (await get(`Patient?${condition()}&_summary=count`)).body.total;
async function make(n: number): Promise<string[]> {
  const made: string[] = [];
  for (let i = 0; i < n; i++) made.push(`Patient/${(await post(patient())).body.id}`);
  return made;
}

describe('a conditional create in a transaction', () => {
  test('makes it when there is none, and finds it when there is one', async () => {
    const first = (await send([ifNone()])).body;
    expect([statuses(first), first.entry[0].response.etag]).toEqual([['201'], 'W/"1"']);
    const again = (await send([ifNone({ active: true })])).body;
    expect([statuses(again), namesOf(again)]).toEqual([['200'], namesOf(first)]);
    expect(await count()).toBe(1);
  });

  test('that stands there several times makes one resource, which all of them answer and can be referred to by', async () => {
    const flag = (reference: string) =>
      create({ resourceType: 'Flag', status: 'active', code: { text: 'x' }, subject: { reference } });
    const [one, two] = [
      'urn:uuid:4a6f7c52-2bb0-4d4c-93b7-58ad1f9b7b0b',
      'urn:uuid:a1a4c3de-7c3e-4a8e-8d3f-9c8f3c1d2e5f',
    ];
    const [first, second] = [
      { ...ifNone(), fullUrl: one },
      { ...ifNone(), fullUrl: two },
    ];
    const { body } = await send([flag(two), first, flag(one), second]);
    expect(statuses(body)).toEqual(['201', '201', '201', '200']);
    const names = namesOf(body);
    expect(names[3]).toBe(names[1]);
    for (const i of [0, 2]) expect((await get(names[i] as string)).body.subject.reference).toBe(names[1]);
    expect(await count()).toBe(1);
  });

  test('leaves what it fits as it is beside an update of the same resource', async () => {
    const [name = ''] = await make(1);
    const { body } = await send([ifNone(), update(patient({ id: name.slice(8), active: true }))]);
    expect([statuses(body), namesOf(body)[0]]).toEqual([['200', '200'], name]);
    expect((await get(name)).body.active).toBe(true);
  });

  test('by many clients at the same time makes one resource', async () => {
    const answers = await Promise.all(Array.from({ length: 50 }, () => send([ifNone()])));
    expect(answers.flatMap((it) => statuses(it.body)).sort()).toEqual([...Array(49).fill('200'), '201']);
    expect(await count()).toBe(1);
  });
});

describe('conditional updates and deletes in a transaction', () => {
  test('make, change and delete what they find', async () => {
    const made = (await send([updateBy({ active: true })])).body;
    expect(statuses(made)).toEqual(['201']);
    const changed = (await send([updateBy({ active: false })])).body;
    expect([statuses(changed), changed.entry[0].response.etag]).toEqual([['200'], 'W/"2"']);
    await make(2);
    const deleted = (await send([remove(`Patient?${condition()}`)])).body;
    expect([statuses(deleted), await count()]).toEqual([['204'], 0]);
  });

  test('hold to If-Match', async () => {
    await make(1);
    const of = (ifMatch: string) => ({
      resource: patient({ active: true }),
      request: { method: 'PUT', url: `Patient?${condition()}`, ifMatch },
    });
    expectOutcome(await send([of('W/"2"')]), 412, 'conflict');
    expect(statuses((await send([of('W/"1"')])).body)).toEqual(['200']);
  });

  test('with codes of a terminology find what they stand for', async () => {
    const code = (it: string) => ({
      coding: [{ system: 'http://terminology.hl7.org/CodeSystem/observation-category', code: it }],
    });
    const observation = {
      resourceType: 'Observation',
      status: 'final',
      code: { text: mrn },
      category: [code('vital-signs')],
    };
    const { id } = (await post(observation)).body;
    const search = `category:in=http://hl7.org/fhir/ValueSet/observation-category&code:text=${mrn}`;
    const { body } = await send([create(observation, { ifNoneExist: search })]);
    expect([statuses(body), namesOf(body)]).toEqual([['200'], [`Observation/${id}`]]);
  });
});

describe('what a transaction cannot do at once is refused, and nothing is done', () => {
  test.each<[string, (names: string[]) => unknown[], number, number]>([
    ['a create that fits several', () => [ifNone()], 2, 412],
    ['an update that fits several', () => [updateBy()], 2, 412],
    ['two updates by one condition that fits', () => [updateBy({ active: true }), updateBy({ active: false })], 1, 400],
    [
      'two updates by one condition that fits nothing',
      () => [updateBy({ active: true }), updateBy({ active: false })],
      0,
      400,
    ],
    ['a create and an update by one condition that fits nothing', () => [ifNone(), updateBy({ active: true })], 0, 400],
    [
      'an update by a condition and one by the id',
      ([name = '']) => [updateBy({ active: true }), update(patient({ id: name.slice(8) }))],
      1,
      400,
    ],
    [
      'a deletion by a condition and one by the id',
      ([name = '']) => [remove(`Patient?${condition()}`), remove(name)],
      1,
      400,
    ],
    [
      'a deletion by a condition and an update',
      ([name = '']) => [updateBy(), remove(`Patient?${condition()}`), remove(name)],
      1,
      400,
    ],
    ['a create that fits what is deleted', ([name = '']) => [ifNone(), remove(name)], 1, 400],
    ['an update whose body has another id', () => [updateBy({ id: 'other' })], 1, 400],
    ['a condition that asks nothing', () => [create(patient(), { ifNoneExist: '_count=1' })], 0, 400],
    ['a condition with an unknown parameter', () => [updateBy({}, 'colour=red')], 0, 400],
    ['a deletion of everything', () => [remove('Patient?')], 0, 400],
  ])('%s', async (_, all, n, status) => {
    const names = await make(n);
    const before = await head();
    const answer = await send([create({ resourceType: 'Basic', code: { text: 'x' } }), ...all(names)]);
    expectOutcome(answer, status);
    expect(answer.body.issue[0].diagnostics).toMatch(/entry [1-3]\b/);
    expect(await head()).toBe(before);
  });
});

describe('a transaction of many entries', () => {
  const urn = (i: number) => `urn:uuid:00000000-0000-4000-8000-${String(i).padStart(12, '0')}`;
  /** Patients and what refers to them, creates and updates by turns. */
  const many = (n: number, run: string) =>
    Array.from({ length: n }, (_, i) => {
      if (i % 2 === 0)
        return create(
          { resourceType: 'Patient', identifier: [{ system: 'urn:many', value: `${run}-${i}` }] },
          {},
          urn(i),
        );
      const subject = { reference: urn(i - 1) };
      const flag = { resourceType: 'Flag', id: `${run}-${i}`, status: 'active', code: { text: 'x' }, subject };
      return i % 4 === 1 ? create(flag, {}, urn(i)) : update(flag, {}, urn(i));
    });

  test('takes 5,000, in time that grows with their number', async () => {
    const took = async (n: number, run: string): Promise<number> => {
      const begun = performance.now();
      const { status, body } = await send(many(n, run));
      expect([status, new Set(statuses(body))]).toEqual([200, new Set(['201'])]);
      expect(body.entry).toHaveLength(n);
      return performance.now() - begun;
    };
    await took(200, 'warm');
    const few = await took(500, 'few');
    const all = await took(5000, 'many');
    expect(all / few).toBeLessThan(30);
    expect((await get('Patient?identifier=urn:many|many-4998')).body.entry).toHaveLength(1);
    expect((await get('Flag/many-4999')).body.subject.reference).toMatch(/^Patient\//);
  });

  test('fails as a whole by the last of them, which it names', async () => {
    const before = await head();
    const wrong = update({ resourceType: 'Patient', id: 'wrong', gender: 'm' });
    const answer = await send([...many(999, 'failed'), wrong]);
    expectOutcome(answer, 422, 'invalid');
    expect(answer.body.issue[0].expression).toEqual(['Bundle.entry[999].resource.gender']);
    expect(await head()).toBe(before);
  });

  test('is refused when they are more than 5,000', async () => {
    const before = await head();
    expectOutcome(await send(many(5001, 'over')), 403, 'too-costly');
    expect(await head()).toBe(before);
  });

  test('leaves the server to others meanwhile', async () => {
    await put({ resourceType: 'Patient', id: 'quick' });
    const long = send(many(2000, 'long'));
    expect((await get('Patient/quick')).status).toBe(200);
    expect((await removeAlone('Patient/quick')).status).toBe(204);
    expect((await long).status).toBe(200);
  });
});
