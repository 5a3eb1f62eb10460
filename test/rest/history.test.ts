/** History of a resource, a type and the system. R4 http.html#history. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { App } from '../../src/app.ts';
import { FixedClock } from '../../src/clock.ts';
import { startTestApp } from '../support/app.ts';
import { clientOf, expectOutcome, linkOf } from './client.ts';

const clock = new FixedClock('2026-03-16T02:00:00Z');
let app: App;
const { get, put, remove, pages, bundle } = clientOf(() => app);

/** What a history holds: `PUT Patient/a 2`, the newest first. */
function steps(body: any): string[] {
  return (body.entry ?? []).map(
    ({ request, response, fullUrl }: any) =>
      `${request.method} ${fullUrl.slice(app.http.length + 1)} ${/"(\d+)"/.exec(response.etag)?.[1]}`,
  );
}

/** One second apart, beginning at 02:00:01. */
const story = [
  'POST Patient/a 1',
  'POST Group/g 1',
  'PUT Patient/a 2',
  'POST Patient/b 1',
  'DELETE Patient/a 3',
  'POST Patient/a 4',
  'PUT Group/g 2',
];

beforeAll(async () => {
  app = await startTestApp({ clock });
  const patient = (id: string, more: object = {}) => ({ resourceType: 'Patient', id, ...more });
  const group = (actual: boolean) => ({ resourceType: 'Group', id: 'g', type: 'person', actual });
  for (const write of [
    () => put(patient('a', { active: true })),
    () => put(group(true)),
    () => put(patient('a', { active: false })),
    () => put(patient('b')),
    () => remove('Patient/a'),
    () => put(patient('a', { gender: 'male' })),
    () => put(group(false)),
  ]) {
    clock.advance(1000);
    await write();
  }
});
afterAll(() => app.stop());

/** Of the system, what this file wrote: profiles are published at the start. */
const own = '_since=2026-03-16T02:00:01Z';
const of = (wanted: RegExp) => story.filter((it) => wanted.test(it)).reverse();

const levels: [string, string[]][] = [
  ['Patient/a/_history', of(/Patient\/a /)],
  ['Patient/_history', of(/Patient/)],
  ['Group/_history', of(/Group/)],
  [`_history?${own}`, of(/./)],
];

describe.each(levels)('%s', (path, expected) => {
  const more = (query: string) => `${path}${path.includes('?') ? '&' : '?'}${query}`;

  test('is the newest first, with request and response of each version', async () => {
    const { status, body } = await get(path);
    expect([status, body.resourceType, body.type]).toEqual([200, 'Bundle', 'history']);
    expect(steps(body)).toEqual(expected);
    for (const { request, response, resource, fullUrl } of body.entry) {
      const name = fullUrl.slice(app.http.length + 1);
      expect(request.url).toBe(request.method === 'POST' ? name.split('/')[0] : name);
      expect(response.status).toBe({ POST: '201', PUT: '200', DELETE: '204' }[request.method as 'PUT']);
      if (request.method === 'DELETE') expect(resource).toBeUndefined();
      else
        expect([`W/"${resource.meta.versionId}"`, resource.meta.lastUpdated]).toEqual([
          response.etag,
          response.lastModified,
        ]);
    }
  });

  test.each([1, 2, 3, 100])('in pages of %d has each version once', async (count) => {
    const found = await pages(more(`_count=${count}`));
    expect(found.flatMap(steps)).toEqual(expected);
    expect(found.every((it) => it.entry.length <= count)).toBe(true);
    for (const it of found) expect(linkOf(it, 'self')).toContain(`_count=${count}`);
  });
});

describe('the time of a history', () => {
  const at = (second: number, zone = 'Z') =>
    encodeURIComponent(zone === 'Z' ? `2026-03-16T02:00:0${second}Z` : `2026-03-16T10:00:0${second}+08:00`);
  const untilStory = (body: any) => steps(body).filter((it) => story.includes(it));

  test.each<[string, string[]]>([
    [`_since=${at(3)}`, ['POST Patient/a 4', 'DELETE Patient/a 3', 'PUT Patient/a 2']],
    [`_since=${at(5, '+8')}`, ['POST Patient/a 4', 'DELETE Patient/a 3']],
    ['_since=2026-03-16', ['POST Patient/a 4', 'DELETE Patient/a 3', 'PUT Patient/a 2', 'POST Patient/a 1']],
    ['_since=2027-01-01T00:00:00Z', []],
    // What was current at some time in it.
    [`_at=${at(1)}`, ['POST Patient/a 1']],
    [`_at=${at(2)}`, ['POST Patient/a 1']],
    [`_at=${at(4)}`, ['PUT Patient/a 2']],
    ['_at=2025', []],
  ])('%s gives %j', async (query, expected) => {
    const { status, body } = await get(`Patient/a/_history?${query}&_count=500`);
    expect(status).toBe(200);
    expect(untilStory(body)).toEqual(expected);
  });

  test('as a plus sign that was not encoded is read as one', async () => {
    const { status, body } = await get('Patient/a/_history?_since=2026-03-16T10:00:05+08:00&_count=500');
    expect([status, untilStory(body)]).toEqual([200, ['POST Patient/a 4', 'DELETE Patient/a 3']]);
  });

  test('holds for the next pages too', async () => {
    const found = await pages(`Patient/a/_history?_since=${at(3)}&_count=1`);
    expect(found.flatMap(untilStory)).toEqual(['POST Patient/a 4', 'DELETE Patient/a 3', 'PUT Patient/a 2']);
    for (const it of found) expect(linkOf(it, 'self')).toContain('_since=');
  });
});

describe('a history', () => {
  test('of what never was answers 404, of what was deleted 200', async () => {
    expectOutcome(await get('Patient/never/_history'), 404, 'not-found');
    expectOutcome(await get('Nobody/_history'), 404, 'not-supported');
    await put({ resourceType: 'Patient', id: 'dead' });
    await remove('Patient/dead');
    expect(steps((await get('Patient/dead/_history')).body)).toEqual(['DELETE Patient/dead 2', 'POST Patient/dead 1']);
  });

  test('of a type that has no resources is empty, without an entry', async () => {
    const { status, body } = await get('Slot/_history');
    expect([status, body.entry, linkOf(body, 'next')]).toEqual([200, undefined, undefined]);
  });

  test.each([
    '_count=0',
    '_count=x',
    '_count=-1',
    '_count=99999999999999999999',
    '_since=soon',
    '_since=2026-02-30',
    '_at=x',
    '_page=x',
    '_page=-1',
    '_page=99999999999999999999',
  ])('with %s is refused with 400', async (query) => {
    for (const path of ['Patient/a/_history', 'Patient/_history', '_history'])
      expectOutcome(await get(`${path}?${query}`), 400, 'structure');
  });

  test('with a parameter that is not known is refused when the client is strict', async () => {
    const strict = { prefer: 'handling=strict' };
    expectOutcome(await get('Patient/a/_history?colour=red', strict), 400);
    expect((await get('Patient/a/_history?_count=5&_format=json&_pretty=false', strict)).status).toBe(200);
    expect((await get('Patient/a/_history?colour=red')).status).toBe(200);
  });

  test('of a transaction has each of its writes', async () => {
    clock.advance(1000);
    const since = new Date(clock.now()).toISOString();
    const patients = ['x', 'y'].map((id) => ({
      resource: { resourceType: 'Patient', id },
      request: { method: 'PUT', url: `Patient/${id}` },
    }));
    await bundle('transaction', [...patients, { request: { method: 'DELETE', url: 'Patient/b' } }]);
    const { body } = await get(`_history?_since=${since}`);
    expect(steps(body).sort()).toEqual(['DELETE Patient/b 2', 'POST Patient/x 1', 'POST Patient/y 1']);
  });
});

describe('while others write', () => {
  test.each(levels)('%s in pages has each version of the first page’s state once', async (path) => {
    const more = (query: string) => `${path}${path.includes('?') ? '&' : '?'}${query}`;
    const before = (await get(more('_count=100'))).body.entry;
    const found = await pages(more('_count=2'), async (page) => {
      await put({ resourceType: 'Patient', id: 'a', multipleBirthInteger: page });
      await remove('Patient/a');
      await put({ resourceType: 'Group', id: 'g', type: 'person', actual: true, quantity: page });
      await put({ resourceType: 'Patient', id: `new${page}` });
    });
    expect(found.length).toBeGreaterThan(1);
    expect(found.flatMap((it) => it.entry)).toEqual(before);
  });
});
