/** Searches of the system and of a compartment. R4 http.html#search, search.html#3.1.1.1.1, compartmentdefinition.html. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { App } from '../../src/app.ts';
import { startTestApp } from '../support/app.ts';
import { clientOf, expectOutcome, form, ids, linkOf, strict } from './client.ts';

let app: App;
const { call, get, put, remove, pages } = clientOf(() => app);

const code = { coding: [{ system: 'http://loinc.org', code: '8302-2' }] };
const observation = (id: string, subject: string, more: object = {}) =>
  put({ resourceType: 'Observation', id, status: 'final', code, subject: { reference: subject }, ...more });
const encounter = (id: string, subject: string, more: object = {}) =>
  put({
    resourceType: 'Encounter',
    id,
    status: 'planned',
    class: { code: 'IMP' },
    subject: { reference: subject },
    ...more,
  });

beforeAll(async () => {
  app = await startTestApp();
  const tag = [{ system: 'urn:t', code: 'mine' }];
  await put({ resourceType: 'Patient', id: 'a', meta: { tag }, active: true });
  await put({ resourceType: 'Patient', id: 'b', link: [{ other: { reference: 'Patient/a' }, type: 'seealso' }] });
  await put({ resourceType: 'Practitioner', id: 'a', meta: { tag } });
  await observation('o1', 'Patient/a');
  await observation('o2', 'Patient/a', { code: { text: 'other' }, encounter: { reference: 'Encounter/e1' } });
  await observation('o3', 'Patient/b', { performer: [{ reference: 'Patient/a' }] });
  await observation('o4', 'Patient/b');
  await encounter('e1', 'Patient/a', { meta: { tag } });
  await encounter('e2', 'Patient/b', { participant: [{ individual: { reference: 'Practitioner/a' } }] });
});
afterAll(() => app.stop());

const names = (body: any): string[] =>
  (body.entry ?? []).map((it: any) => `${it.resource.resourceType}/${it.resource.id}`).sort();

describe('a search of the system', () => {
  test.each([
    ['?_tag=urn:t|mine', ['Encounter/e1', 'Patient/a', 'Practitioner/a']],
    [
      '?_type=Patient,Observation',
      ['Observation/o1', 'Observation/o2', 'Observation/o3', 'Observation/o4', 'Patient/a', 'Patient/b'],
    ],
    ['?_type=Patient&_type=Practitioner&_tag=urn:t|mine', ['Patient/a', 'Practitioner/a']],
    ['?_id=a', ['Patient/a', 'Practitioner/a']],
    ['?_type=Patient&active=true', ['Patient/a']],
    ['?_type=Observation,Encounter&subject=Patient/b', ['Encounter/e2', 'Observation/o3', 'Observation/o4']],
    ['?_type=Slot', []],
    ['?_type=Slot,Patient&_tag=urn:t|mine', ['Patient/a']],
    ['?_tag=urn:t|none', []],
    ['?_type=Patient,Patient', ['Patient/a', 'Patient/b']],
  ])('%s finds %j', async (query, expected) => {
    const { status, body } = await get(query, strict);
    expect([status, body.type, names(body)]).toEqual([200, 'searchset', expected]);
    for (const { fullUrl, resource } of body.entry ?? [])
      expect(fullUrl).toBe(`${app.http}/${resource.resourceType}/${resource.id}`);
    const posted = await call('POST', '_search', query.slice(1), { ...form, ...strict });
    expect([posted.status, names(posted.body)]).toEqual([200, expected]);
    expect(linkOf(posted.body, 'self')).toBe(linkOf(body, 'self'));
  });

  test('without anything gives all that there is, in pages', async () => {
    const all = await pages('?_count=10');
    const found = all.flatMap(names);
    expect(new Set(found).size).toBe(found.length);
    expect(found).toEqual(expect.arrayContaining(['Patient/a', 'Observation/o4', 'Encounter/e2', 'Practitioner/a']));
    const { body } = await get('?_summary=count');
    expect(body.total).toBe(found.length);
  });

  test('is sorted over all types, and paged', async () => {
    const query = '?_type=Patient,Observation,Encounter&_sort=-_id&_count=3';
    const found = (await pages(query)).flatMap((it) => ids(it));
    expect(found).toEqual(['o4', 'o3', 'o2', 'o1', 'e2', 'e1', 'b', 'a']);
    const byTime = (await pages('?_type=Patient,Observation&_sort=_lastUpdated,_id&_count=2')).flatMap((it) => ids(it));
    expect(byTime).toEqual(['a', 'b', 'o1', 'o2', 'o3', 'o4']);
  });

  test.each(['?_type=Nobody', '?_type=Patient,Nobody', '?_type=patient', '?_type=__proto__', '?_type=,'])(
    '%s is refused with 400',
    async (query) => {
      expectOutcome(await get(query), 400, 'structure');
    },
  );

  test('by a parameter that one of the types does not have is refused when the client is strict', async () => {
    expectOutcome(await get('?_type=Patient,Observation&code=8302-2', strict), 400);
    expectOutcome(await get('?gender=male', strict), 400);
    expectOutcome(await get('?_type=Patient&_sort=nonsense'), 400);
  });
});

describe('a search of a compartment', () => {
  test.each([
    ['Patient/a/Observation', ['Observation/o1', 'Observation/o2', 'Observation/o3']],
    ['Patient/a/Observation?code=http://loinc.org|8302-2', ['Observation/o1', 'Observation/o3']],
    ['Patient/a/Observation?code:text=other', ['Observation/o2']],
    ['Patient/a/Observation?subject=Patient/b', ['Observation/o3']],
    ['Patient/b/Encounter?status=planned', ['Encounter/e2']],
    ['Patient/a/Patient', ['Patient/a', 'Patient/b']],
    ['Patient/a/Condition', []],
    ['Patient/nobody/Observation', []],
    ['Encounter/e1/Observation', ['Observation/o2']],
    ['Practitioner/a/Encounter', ['Encounter/e2']],
    ['Practitioner/a/Observation', []],
    ['Patient/a/*', ['Encounter/e1', 'Observation/o1', 'Observation/o2', 'Observation/o3', 'Patient/a', 'Patient/b']],
    ['Patient/a/*?_type=Encounter,Patient', ['Encounter/e1', 'Patient/a', 'Patient/b']],
    ['Patient/a/*?_tag=urn:t|mine', ['Encounter/e1', 'Patient/a']],
    ['Encounter/e1/*', ['Encounter/e1', 'Observation/o2']],
  ])('%s finds %j', async (path, expected) => {
    const { status, body } = await get(path, strict);
    expect([status, body.type, names(body)]).toEqual([200, 'searchset', expected]);
    const [url = '', query = ''] = path.split('?');
    const posted = await call('POST', `${url}/_search`, query, { ...form, ...strict });
    expect([posted.status, names(posted.body)]).toEqual([200, expected]);
    expect(linkOf(posted.body, 'self')).toBe(linkOf(body, 'self'));
  });

  test('is paged, counted and sorted as any other', async () => {
    const found = (await pages('Patient/a/*?_count=2&_sort=-_id')).flatMap((it) => ids(it));
    expect(found).toEqual(['o3', 'o2', 'o1', 'e1', 'b', 'a']);
    expect((await get('Patient/a/Observation?_summary=count')).body.total).toBe(3);
    const page = (await get('Patient/a/Observation?_count=1&_total=accurate')).body;
    expect([page.total, linkOf(page, 'next')?.startsWith(`${app.http}/Patient/a/Observation?`)]).toEqual([3, true]);
  });

  test('includes what the hits refer to', async () => {
    const { body } = await get('Patient/a/Observation?_include=Observation:encounter&_id=o2', strict);
    expect([ids(body), ids(body, 'include')]).toEqual([['o2'], ['e1']]);
  });

  test('of a resource that was deleted still finds what refers to it', async () => {
    await put({ resourceType: 'Patient', id: 'gone' });
    await encounter('e9', 'Patient/gone');
    await remove('Patient/gone');
    expect(names((await get('Patient/gone/*')).body)).toEqual(['Encounter/e9']);
  });

  test.each([
    'Patient/a/Location',
    'Patient/a/Organization',
    'Patient/a/Practitioner',
    'Observation/o1/Patient',
    'Observation/o1/*',
    'Patient/a/Nobody',
    'Location/x/*',
  ])('%s answers 404: there is no such compartment, or no such type in it', async (path) => {
    expectOutcome(await get(path), 404, 'not-supported');
    expectOutcome(await call('POST', `${path}/_search`, '_count=1', form), 404, 'not-supported');
  });

  test.each(['Patient/a/*?_type=Nobody', 'Patient/a/Observation?code:nonsense=1', 'Patient/a/Observation?_sort=x'])(
    '%s is refused with 400',
    async (path) => {
      expectOutcome(await get(path), 400, 'structure');
    },
  );
});
