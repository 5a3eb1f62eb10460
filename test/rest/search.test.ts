/** A search of one type over HTTP: by GET and POST, sorted, counted. R4 search.html. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { App } from '../../src/app.ts';
import { FixedClock } from '../../src/clock.ts';
import { startTestApp } from '../support/app.ts';
import { clientOf, form, ids, strict } from './client.ts';

const clock = new FixedClock('2026-03-16T02:00:00Z');
let app: App;

const { call, get, pages, put, remove } = clientOf(() => app);

async function found(search: string): Promise<string[]> {
  const { status, body } = await get(search, strict);
  expect(status).toBe(200);
  return ids(body);
}

beforeAll(async () => {
  app = await startTestApp({ clock });
  await put({ resourceType: 'Organization', id: 'o1', name: 'Renhe' });
  const people: [string, object][] = [
    [
      'a',
      {
        gender: 'male',
        birthDate: '1980',
        name: [{ family: 'Li' }],
        managingOrganization: { reference: 'Organization/o1' },
      },
    ],
    ['b', { gender: 'female', birthDate: '1970', name: [{ family: 'Li' }] }],
    ['c', { gender: 'female', birthDate: '1990', name: [{ family: 'An' }] }],
    ['d', { gender: 'male', name: [{ family: 'Wu' }] }],
  ];
  for (const [id, more] of people) await put({ resourceType: 'Patient', id, ...more });
  for (const [id, subject] of [
    ['e1', 'a'],
    ['e2', 'a'],
    ['e3', 'b'],
  ] as const)
    await put({
      resourceType: 'Encounter',
      id,
      status: 'planned',
      class: { code: 'IMP' },
      subject: { reference: `Patient/${subject}` },
    });
});
afterAll(() => app.stop());

describe('a search', () => {
  test('answers a searchset with self, full URLs and the mode of each entry', async () => {
    const { status, body } = await get('Patient?gender=female');
    expect(status).toBe(200);
    expect(body).toMatchObject({
      resourceType: 'Bundle',
      type: 'searchset',
      link: [{ relation: 'self', url: `${app.http}/Patient?gender=female` }],
    });
    expect(body.total).toBeUndefined();
    expect(body.entry.map((it: any) => [it.fullUrl, it.search.mode])).toEqual([
      [`${app.http}/Patient/b`, 'match'],
      [`${app.http}/Patient/c`, 'match'],
    ]);
  });

  test('that finds nothing answers an empty searchset, not a failure', async () => {
    const { status, body } = await get('Patient?gender=other');
    expect([status, body.type, body.entry]).toEqual([200, 'searchset', undefined]);
  });

  test('by POST is the same, with parameters in the form, in the URL, or in both', async () => {
    const whole = await call('POST', 'Patient/_search', 'gender=female&birthdate=1990', form);
    expect([whole.status, ids(whole.body)]).toEqual([200, ['c']]);
    const both = await call('POST', 'Patient/_search?gender=female', 'birthdate=1990', form);
    expect(ids(both.body)).toEqual(['c']);
    const url = await call('POST', 'Patient/_search?gender=female', undefined);
    expect(ids(url.body)).toEqual(['b', 'c']);
    expect(whole.body.link[0].url).toBe(`${app.http}/Patient?gender=female&birthdate=1990`);
  });

  test.each([
    ['_sort=birthdate', ['b', 'a', 'c', 'd']],
    ['_sort=-birthdate', ['c', 'a', 'b', 'd']],
    ['_sort=family,birthdate', ['c', 'b', 'a', 'd']],
    ['_sort=family,-birthdate', ['c', 'a', 'b', 'd']],
    ['_sort=-family&_sort=birthdate', ['d', 'b', 'a', 'c']],
    ['_sort=-_id', ['d', 'c', 'b', 'a']],
    ['_sort=gender,-_id', ['c', 'b', 'd', 'a']],
    ['_sort=-_lastUpdated,_id', ['a', 'b', 'c', 'd']],
  ])('%s gives %j, what has no value last', async (sort, order) => {
    expect(await found(`Patient?${sort}`)).toEqual(order);
    const paged = (await pages(`Patient?${sort}&_count=1`)).flatMap((it) => ids(it));
    expect(paged).toEqual(order);
  });

  test('_count bounds the page, _total=accurate counts all, _summary=count counts alone', async () => {
    const page = (await get('Patient?_count=3&_total=accurate')).body;
    expect([page.entry.length, page.total]).toEqual([3, 4]);
    const count = (await get('Patient?gender=male&_summary=count')).body;
    expect([count.entry, count.total, count.link.map((it: any) => it.relation)]).toEqual([undefined, 2, ['self']]);
    expect((await get('Patient?_total=none')).body.total).toBeUndefined();
  });

  test('_count=0 is as _summary=count: the total without entries or pages', async () => {
    const { body } = await get('Patient?gender=male&_count=0');
    expect([body.total, body.entry, body.link.map((it: any) => it.relation)]).toEqual([2, undefined, ['self']]);
  });

  test('sees a write at once', async () => {
    await put({ resourceType: 'Practitioner', id: 'x', name: [{ family: 'Zhao' }] });
    expect(await found('Practitioner?family=zhao')).toEqual(['x']);
    await put({ resourceType: 'Practitioner', id: 'x', name: [{ family: 'Qian' }] });
    expect(await found('Practitioner?family=zhao')).toEqual([]);
    await remove('Practitioner/x');
    expect(await found('Practitioner?family=qian')).toEqual([]);
  });

  test('by a reference to this server finds it written absolute as well as relative', async () => {
    // R4 references.html: with the base of this server both name the same resource
    expect(await found(`Encounter?subject=${app.http}/Patient/a`)).toEqual(['e1', 'e2']);
  });

  test('by a uri of this server takes it as it is written: it is a name, not a reference', async () => {
    const url = `${app.http}/ValueSet/own`;
    await put({ resourceType: 'ValueSet', id: 'own', status: 'draft', url });
    expect(await found(`ValueSet?url=${encodeURIComponent(url)}`)).toEqual(['own']);
    expect(await found('ValueSet?url=ValueSet/own')).toEqual([]);
  });
});
