/** Conditional create, update, patch and delete. R4 http.html#ccreate, #cond-update, #patch, #3.1.0.7.1. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { App } from '../../src/app.ts';
import { startTestApp } from '../support/app.ts';
import { clientOf, expectOutcome } from './client.ts';

let app: App;
let last = 0;
/** An identifier of its own for each test. */
let mrn = '';

beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app.stop());
beforeEach(() => {
  mrn = `m${++last}`;
});

const { call, get, post, put, remove, head } = clientOf(() => app);
const patch = (path: string, value: unknown, headers = {}) =>
  call('PATCH', path, [{ op: 'add', path: '/active', value }], {
    'content-type': 'application/json-patch+json',
    ...headers,
  });

const patient = (more: object = {}) => ({
  resourceType: 'Patient',
  identifier: [{ system: 'urn:mrn', value: mrn }],
  ...more,
});
const condition = () => `identifier=urn:mrn|${mrn}`;

/** So many Patients that fit. @returns their ids */
async function make(n: number): Promise<string[]> {
  const made: string[] = [];
  for (let i = 0; i < n; i++) made.push((await post(patient())).body.id);
  return made;
}
const count = async (search = condition()) => (await get(`Patient?${search}&_summary=count`)).body.total;

describe('a conditional create', () => {
  const create = (search: string, more: object = {}, headers = {}) =>
    post(patient(more), { 'if-none-exist': search, ...headers });

  test('with no match creates', async () => {
    const { status, headers } = await create(condition());
    expect([status, headers.get('etag')]).toEqual([201, 'W/"1"']);
    expect(await count()).toBe(1);
  });

  test('with one match answers 200 with where it is, and leaves it as it is', async () => {
    const [id] = await make(1);
    const before = await head();
    const { status, headers, body } = await create(condition(), { active: true });
    expect([status, headers.get('etag'), body.id, body.active]).toEqual([200, 'W/"1"', id, undefined]);
    expect(headers.get('location')).toBe(`${app.http}/Patient/${id}/_history/1`);
    expect(await head()).toBe(before);
  });

  test('with several matches answers 412', async () => {
    await make(2);
    const before = await head();
    expectOutcome(await create(condition()), 412, 'multiple-matches');
    expect(await head()).toBe(before);
  });

  test('does not find what was deleted', async () => {
    const [id] = await make(1);
    await remove(`Patient/${id}`);
    expect((await create(condition())).status).toBe(201);
  });

  test('takes the search with a question mark, with the type before it, and with question marks in its values', async () => {
    for (const prefix of ['?', 'Patient?', `${app.http}/Patient?`]) {
      mrn = `p${++last}`;
      const [id] = await make(1);
      expect((await create(`${prefix}${condition()}`)).body.id).toBe(id);
    }
    const url = `http://s.example/${mrn}?x=y`;
    const valueSet = { resourceType: 'ValueSet', status: 'draft', url };
    const { id } = (await post(valueSet)).body;
    const again = await post(valueSet, { 'if-none-exist': `url=${url}` });
    expect([again.status, again.body.id]).toEqual([200, id]);
  });

  test('by 50 clients at the same time makes one resource', async () => {
    const answers = await Promise.all(Array.from({ length: 50 }, () => create(condition())));
    expect(answers.map((it) => it.status).sort()).toEqual([...Array(49).fill(200), 201]);
    expect(new Set(answers.map((it) => it.body.id)).size).toBe(1);
    expect(await count()).toBe(1);
  });

  test('is refused for a body that is not sound', async () => {
    expectOutcome(await create(condition(), { gender: 'm' }), 422, 'invalid');
    expect(await count()).toBe(0);
  });
});

describe('a conditional update', () => {
  const update = (more: object = {}, headers = {}, search = condition()) =>
    call('PUT', `Patient?${search}`, patient(more), headers);

  test('with no match and no id creates under an id of the server', async () => {
    const { status, headers, body } = await update();
    expect([status, headers.get('location')]).toEqual([201, `${app.http}/Patient/${body.id}/_history/1`]);
    expect(await count()).toBe(1);
  });

  test('with no match creates under the id of the body', async () => {
    const { status, body } = await update({ id: `own-${mrn}` });
    expect([status, body.id]).toEqual([201, `own-${mrn}`]);
  });

  test('with no match does not write over another resource that has the id of the body', async () => {
    // R5 http.html#cond-update says what R4 leaves open: 409
    const { id } = (await put({ resourceType: 'Patient', id: `other-${mrn}`, active: true })).body;
    const before = await head();
    expectOutcome(await update({ id }), 409, 'conflict');
    expect(await head()).toBe(before);
  });

  test.each([false, true])('with one match updates it (id in the body: %j)', async (withId) => {
    const [id] = await make(1);
    const { status, headers, body } = await update({ active: true, ...(withId && { id }) });
    expect([status, headers.get('etag'), body.id, body.active]).toEqual([200, 'W/"2"', id, true]);
    expect(await count()).toBe(1);
  });

  test('with one match that has another id than the body answers 400', async () => {
    await make(1);
    const before = await head();
    expectOutcome(await update({ id: 'another' }), 400, 'structure');
    expect(await head()).toBe(before);
  });

  test('with several matches answers 412', async () => {
    await make(2);
    const before = await head();
    expectOutcome(await update({ active: true }), 412, 'multiple-matches');
    expect(await head()).toBe(before);
  });

  test('that changes nothing makes no version', async () => {
    await make(1);
    const before = await head();
    expect((await update()).headers.get('etag')).toBe('W/"1"');
    expect(await head()).toBe(before);
  });

  test('with If-Match holds to the version of the match', async () => {
    await make(1);
    expectOutcome(await update({ active: true }, { 'if-match': 'W/"2"' }), 412, 'conflict');
    expect((await update({ active: true }, { 'if-match': 'W/"1"' })).status).toBe(200);
  });

  test('by 20 clients at the same time makes one resource', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => update()));
    expect(answers.filter((it) => it.status === 201)).toHaveLength(1);
    expect(await count()).toBe(1);
  });

  test('restores a deleted resource that the body names', async () => {
    const [id] = await make(1);
    await remove(`Patient/${id}`);
    const { status, headers } = await update({ id });
    expect([status, headers.get('etag')]).toEqual([201, 'W/"3"']);
  });
});

describe('a conditional patch', () => {
  test('with one match patches it', async () => {
    const [id] = await make(1);
    const { status, headers, body } = await patch(`Patient?${condition()}`, true);
    expect([status, headers.get('etag'), body.id, body.active]).toEqual([200, 'W/"2"', id, true]);
  });

  test('with no match answers 404, with several 412', async () => {
    expectOutcome(await patch(`Patient?${condition()}`, true), 404, 'not-found');
    await make(2);
    const before = await head();
    expectOutcome(await patch(`Patient?${condition()}`, true), 412, 'multiple-matches');
    expect(await head()).toBe(before);
  });

  test('with If-Match holds to the version of the match', async () => {
    await make(1);
    expectOutcome(await patch(`Patient?${condition()}`, true, { 'if-match': 'W/"7"' }), 412, 'conflict');
    expect((await patch(`Patient?${condition()}`, true, { 'if-match': 'W/"1"' })).status).toBe(200);
  });
});

describe('a conditional delete', () => {
  test.each([0, 1, 3])('with %d matches deletes them all and answers 204', async (n) => {
    const made = await make(n);
    const { status, body } = await remove(`Patient?${condition()}`);
    expect([status, body]).toEqual([204, undefined]);
    expect(await count()).toBe(0);
    for (const id of made) expect((await get(`Patient/${id}`)).status).toBe(410);
  });

  test('of more than 1,000 is refused, and nothing is deleted', async () => {
    const entry = Array.from({ length: 1001 }, () => ({
      resource: { resourceType: 'Basic', code: { text: 'x' }, identifier: [{ value: 'crowd' }] },
      request: { method: 'POST', url: 'Basic' },
    }));
    await call('POST', '', { resourceType: 'Bundle', type: 'transaction', entry });
    const before = await head();
    expectOutcome(await remove('Basic?identifier=crowd'), 403, 'too-costly');
    expect(await head()).toBe(before);
  });
});

describe('the condition', () => {
  const interactions: [string, (search: string) => ReturnType<typeof call>][] = [
    ['create', (search) => post(patient(), { 'if-none-exist': search })],
    ['update', (search) => call('PUT', `Patient?${search}`, patient())],
    ['patch', (search) => patch(`Patient?${search}`, true)],
    ['delete', (search) => remove(`Patient?${search}`)],
  ];

  // What is ignored would reach other resources: a condition is strict, whatever the client prefers.
  test.each([
    '',
    '_format=json',
    'identifier=',
    'colour=red',
    'identifier=x&colour=red',
    'birthdate=soon',
    'identifier:nonsense=x',
    'identifier=,',
    '_count=5',
    '_sort=_id',
    '_include=*',
    '_summary=count',
  ])('%j is refused by all of them', async (search) => {
    await make(1);
    const before = await head();
    for (const [name, run] of interactions) {
      const { status, body } = await run(search);
      expect([name, status, body?.resourceType]).toEqual([name, 400, 'OperationOutcome']);
    }
    expect(await head()).toBe(before);
  });

  test.each(['_count=0', '_summary=count', '_total=accurate', '_count=1', '_sort=-_id'])(
    'is not turned by %s, which is about the answer of a search',
    async (more) => {
      await make(2);
      for (const [name, run] of interactions.slice(0, 3))
        expect([name, (await run(`${condition()}&${more}`)).status]).toEqual([name, 412]);
      expect((await remove(`Patient?${condition()}&${more}`)).status).toBe(204);
      expect(await count()).toBe(0);
    },
  );

  test('may be of chains, dates, modifiers and several values', async () => {
    const organization = (await post({ resourceType: 'Organization', name: `Org ${mrn}` })).body.id;
    const more = { managingOrganization: { reference: `Organization/${organization}` }, birthDate: '1980-02-29' };
    const { id } = (await post(patient(more))).body;
    const search = `organization:Organization.name=Org ${mrn}&birthdate=lt1981&gender:missing=true&identifier=a,urn:mrn|${mrn}`;
    const found = await call('PUT', `Patient?${encodeURI(search)}`, patient({ ...more, active: true }));
    expect([found.status, found.body.id, found.body.active]).toEqual([200, id, true]);
  });

  test('with codes of a terminology finds what they stand for', async () => {
    const code = (it: string) => ({
      coding: [{ system: 'http://terminology.hl7.org/CodeSystem/observation-category', code: it }],
    });
    const observation = (it: string) => ({
      resourceType: 'Observation',
      status: 'final',
      code: { text: mrn },
      category: [code(it)],
    });
    const { id } = (await post(observation('vital-signs'))).body;
    const search = 'category:in=http://hl7.org/fhir/ValueSet/observation-category&code:text=';
    const { status, body } = await call('PUT', `Observation?${search}${mrn}`, { ...observation('laboratory') });
    expect([status, body.id]).toEqual([200, id]);
  });
});
