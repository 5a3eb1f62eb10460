/** R4 search.html over HTTP. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { App } from '../../src/app.ts';
import { FixedClock } from '../../src/clock.ts';
import { fhir, startTestApp } from '../support/app.ts';

const clock = new FixedClock('2026-03-16T02:00:00Z');
let app: App;

const call = (method: string, path: string, body?: unknown, headers?: Record<string, string>) =>
  fhir(app, method, path, body, headers);
const put = (resource: { resourceType: string; id: string } & Record<string, unknown>) =>
  call('PUT', `${resource.resourceType}/${resource.id}`, resource);

function ids(body: any, mode = 'match'): string[] {
  return (body.entry ?? []).filter((it: any) => it.search.mode === mode).map((it: any) => it.resource.id);
}

async function found(search: string): Promise<string[]> {
  const { status, body } = await call('GET', search, undefined, { prefer: 'handling=strict' });
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
  await put({
    resourceType: 'Encounter',
    id: 'e4',
    status: 'planned',
    class: { code: 'IMP' },
    subject: { reference: 'Patient/gone' },
  });
});
afterAll(() => app.stop());

describe('a search', () => {
  test('answers a searchset with self, full URLs and the mode of each entry', async () => {
    const { status, body } = await call('GET', 'Patient?gender=female');
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
    const { status, body } = await call('GET', 'Patient?gender=other');
    expect([status, body.type, body.entry]).toEqual([200, 'searchset', undefined]);
  });

  test('by POST is the same, with parameters in the form, in the URL, or in both', async () => {
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
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
    const paged: string[] = [];
    let next: string | undefined = `Patient?${sort}&_count=1`;
    while (next) {
      const { body } = await call('GET', next);
      paged.push(...ids(body));
      next = body.link.find((it: any) => it.relation === 'next')?.url.slice(app.http.length + 1);
    }
    expect(paged).toEqual(order);
  });

  test('_count bounds the page, _total=accurate counts all, _summary=count counts alone', async () => {
    const page = (await call('GET', 'Patient?_count=3&_total=accurate')).body;
    expect([page.entry.length, page.total]).toEqual([3, 4]);
    const count = (await call('GET', 'Patient?gender=male&_summary=count')).body;
    expect([count.entry, count.total, count.link.map((it: any) => it.relation)]).toEqual([undefined, 2, ['self']]);
    expect((await call('GET', 'Patient?_total=none')).body.total).toBeUndefined();
  });

  test('_count=0 is as _summary=count: the total without entries or pages', async () => {
    const { body } = await call('GET', 'Patient?gender=male&_count=0');
    expect([body.total, body.entry, body.link.map((it: any) => it.relation)]).toEqual([2, undefined, ['self']]);
  });

  test('_include adds what the hits refer to, once, with mode include', async () => {
    const { body } = await call('GET', 'Encounter?_include=Encounter:subject&_id=e1,e2,e3,e4');
    expect(ids(body)).toEqual(['e1', 'e2', 'e3', 'e4']);
    expect(ids(body, 'include').sort()).toEqual(['a', 'b']);
    const other = await call('GET', 'Encounter?_include=Encounter:subject:Group');
    expect(ids(other.body, 'include')).toEqual([]);
  });

  test('_revinclude adds what refers to the hits, without counting it', async () => {
    const { body } = await call('GET', 'Patient?_id=a,b,c&_revinclude=Encounter:subject&_total=accurate');
    expect(ids(body)).toEqual(['a', 'b', 'c']);
    expect(ids(body, 'include').sort()).toEqual(['e1', 'e2', 'e3']);
    expect(body.total).toBe(3);
    const both = await call('GET', 'Patient?_id=a&_include=Patient:organization&_revinclude=Encounter:patient');
    expect(ids(both.body, 'include').sort()).toEqual(['e1', 'e2', 'o1']);
  });

  test('with an unknown parameter says in an outcome what it ignored, and the self link shows what it used', async () => {
    const { status, body } = await call('GET', 'Patient?gender=male&colour=red');
    expect([status, ids(body)]).toEqual([200, ['a', 'd']]);
    const outcome = body.entry.find((it: any) => it.search.mode === 'outcome').resource;
    expect(outcome.resourceType).toBe('OperationOutcome');
    expect(outcome.issue[0]).toMatchObject({ severity: 'warning', code: 'not-supported' });
    expect(outcome.issue[0].diagnostics).toContain('colour');
    // R4 search.html#conformance: the parameters that were actually used are in the self link
    expect(body.link[0].url).toBe(`${app.http}/Patient?gender=male`);
  });

  test('with an unknown parameter is refused when the client is strict', async () => {
    const { status, body } = await call('GET', 'Patient?gender=male&colour=red', undefined, {
      prefer: 'handling=strict',
    });
    expect([status, body.resourceType]).toEqual([400, 'OperationOutcome']);
    expect(body.issue[0].diagnostics).toContain('colour');
  });

  test.each([
    'gender:text=x',
    'name:not=x',
    'gender:nonsense=male',
    'birthdate:missing=2',
    'birthdate=soon',
    '_sort=colour',
  ])('with %s is refused with 400, strict or not', async (text) => {
    const { status, body } = await call('GET', `Patient?${text}`);
    expect([status, body.resourceType]).toEqual([400, 'OperationOutcome']);
  });

  test('sees a write at once', async () => {
    await put({ resourceType: 'Practitioner', id: 'x', name: [{ family: 'Zhao' }] });
    expect(await found('Practitioner?family=zhao')).toEqual(['x']);
    await put({ resourceType: 'Practitioner', id: 'x', name: [{ family: 'Qian' }] });
    expect(await found('Practitioner?family=zhao')).toEqual([]);
    await call('DELETE', 'Practitioner/x');
    expect(await found('Practitioner?family=qian')).toEqual([]);
  });

  test('by a reference to this server finds it written absolute as well as relative', async () => {
    // R4 references.html: with the base of this server both name the same resource
    expect(await found(`Encounter?subject=${app.http}/Patient/a`)).toEqual(['e1', 'e2']);
  });
});

describe('pages', () => {
  test('by next links have each hit of the first page’s state once, while others create, update and delete', async () => {
    const n = 25;
    for (let i = 0; i < n; i++)
      await put({ resourceType: 'Location', id: `l${i}`, name: `n${i % 7}`, status: 'active' });
    for (const sort of ['', '&_sort=name', '&_sort=-name,_id']) {
      const before = (await call('GET', `Location?status=active&_count=1000${sort}`)).body;
      const seen: any[] = [];
      let next: string | undefined = `Location?status=active&_count=4${sort}`;
      let turn = 0;
      while (next) {
        const { status, body } = await call('GET', next);
        expect(status).toBe(200);
        seen.push(...body.entry.map((it: any) => it.resource));
        const self = body.link.find((it: any) => it.relation === 'self').url;
        expect((await call('GET', self.slice(app.http.length + 1))).body.entry).toEqual(body.entry);
        next = body.link.find((it: any) => it.relation === 'next')?.url.slice(app.http.length + 1);
        turn++;
        await put({ resourceType: 'Location', id: `l${turn * 5}`, name: `z${turn}`, status: 'active' });
        await put({ resourceType: 'Location', id: `new${sort.length}-${turn}`, name: 'n3', status: 'active' });
        await call('DELETE', `Location/l${turn * 3}`);
        await put({ resourceType: 'Location', id: `l${turn * 2}`, name: 'a', status: 'inactive' });
      }
      expect(seen).toEqual(before.entry.map((it: any) => it.resource));
    }
  });

  test.each(['x', 'W10', '%00', 'eyJhIjoxfQ', 'WzEsMl0', 'Wy0xLCJbMV0iXQ', 'WzEsIltcIlwiXSJd', `${'A'.repeat(5000)}`])(
    'with a garbage token %s are refused with 400',
    async (token) => {
      const { status, body } = await call('GET', `Patient?_count=1&_page=${token}`);
      expect([status, body.resourceType]).toEqual([400, 'OperationOutcome']);
    },
  );
});

describe('history', () => {
  test('is the newest first, with request and response of each version', async () => {
    clock.advance(1000);
    const path = 'Patient/h';
    await put({ resourceType: 'Patient', id: 'h', active: true });
    clock.advance(1000);
    await put({ resourceType: 'Patient', id: 'h', active: false });
    clock.advance(1000);
    await call('DELETE', path);
    const { status, body } = await call('GET', `${path}/_history`);
    expect(status).toBe(200);
    expect(body).toMatchObject({ resourceType: 'Bundle', type: 'history' });
    expect(
      body.entry.map((it: any) => [it.request.method, it.response.status, it.response.etag, it.resource?.active]),
    ).toEqual([
      ['DELETE', '204', 'W/"3"', undefined],
      ['PUT', '200', 'W/"2"', false],
      ['POST', '201', 'W/"1"', true],
    ]);
    for (const entry of body.entry) expect(entry.fullUrl).toBe(`${app.http}/${path}`);
    expect(body.entry[1].response.lastModified).toBe('2026-03-16T02:00:02.000Z');
  });

  test('pages by _count and next, and goes back to _since', async () => {
    const seen: string[] = [];
    let next: string | undefined = 'Patient/h/_history?_count=2';
    while (next) {
      const { body } = await call('GET', next);
      seen.push(...body.entry.map((it: any) => it.response.etag));
      next = body.link.find((it: any) => it.relation === 'next')?.url.slice(app.http.length + 1);
    }
    expect(seen).toEqual(['W/"3"', 'W/"2"', 'W/"1"']);
    const since = async (at: string): Promise<number> =>
      (await call('GET', `Patient/h/_history?_since=${encodeURIComponent(at)}`)).body.entry.length;
    expect(await since('2026-03-16T02:00:02.000Z')).toBe(2);
    expect(await since('2026-03-16T10:00:03+08:00')).toBe(1);
    expect(await since('2027-01-01T00:00:00Z')).toBe(0);
  });

  test('of what never was answers 404; a wrong parameter 400', async () => {
    expect((await call('GET', 'Patient/never/_history')).status).toBe(404);
    for (const text of ['_count=0', '_count=x', '_since=soon', '_page=x', '_page=-1'])
      expect([text, (await call('GET', `Patient/h/_history?${text}`)).status]).toEqual([text, 400]);
  });
});
