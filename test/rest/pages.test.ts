/** Page links: opaque, of one state, good over a restart. R4 http.html#paging. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { App } from '../../src/app.ts';
import { FixedClock } from '../../src/clock.ts';
import { SearchParameters } from '../../src/fhir/search/parameters.ts';
import { parseQuery } from '../../src/fhir/search/query.ts';
import { Zone } from '../../src/fhir/zone.ts';
import type { RestParts } from '../../src/rest/fhir.ts';
import { formatPage, pageLinkMs } from '../../src/rest/page-link.ts';
import { searchset } from '../../src/rest/search.ts';
import { startTestApp, temporaryFolder } from '../support/app.ts';
import { clientOf, entries, expectOutcome, ids, linkOf } from './client.ts';

const clock = new FixedClock('2026-03-16T02:00:00Z');
const folder = temporaryFolder();
const sqlitePath = `${folder.path}/pages.db`;
let app: App;
const start = (): Promise<App> => startTestApp({ clock, sqlitePath });
beforeAll(async () => {
  app = await start();
});
afterAll(async () => {
  await app.stop();
  folder.remove();
});

const { get, put, remove, pages, bundle, below } = clientOf(() => app);

const location = (id: string, more: object) => ({ resourceType: 'Location', id, status: 'active', ...more });

/** What everybody else does between two pages: makes, deletes, moves to another place of the order, leaves the hits. */
async function others(turn: number): Promise<void> {
  await bundle(
    'transaction',
    [
      entries.put(location(`l${turn * 5}`, { name: `z${turn}` })),
      entries.put(location(`l${turn * 2}`, { name: '0', status: 'inactive' })),
      entries.put(location(`new${turn}-${clock.now()}`, { name: 'n3', identifier: [{ value: 'new' }] })),
      entries.remove(`Location/l${turn * 3 + 1}`),
    ].filter(distinct),
  );
}

function distinct({ request }: any, i: number, all: any[]): boolean {
  return all.findIndex((it) => it.request.url === request.url) === i;
}

async function populate(): Promise<void> {
  clock.advance(1000);
  await remove('Location?identifier=new');
  const all = Array.from({ length: 25 }, (_, i) => entries.put(location(`l${i}`, { name: `n${i % 7}` })));
  await bundle('transaction', all);
}

const searches = [
  'Location?status=active',
  'Location?status=active&_sort=name',
  'Location?status=active&_sort=-name,_id',
  'Location?_sort=-_lastUpdated,_id',
  'Location?name=n&_sort=status,-name',
  'Location?name:missing=false',
  '?_type=Location,Organization&_sort=-_id',
  'Location?_sort=address',
  'Location?status=active&_total=accurate&_include=Location:organization',
];

describe('pages by next links', () => {
  test.each(searches)('of %s have each hit of the first page’s state once, while others write', async (search) => {
    await populate();
    const more = (query: string): string => `${search}&${query}`;
    const before = (await get(more('_count=1000'))).body;
    const expected = before.entry.map((it: any) => it.resource);
    expect(expected.length).toBeGreaterThan(20);
    const found = await pages(more('_count=4'), others);
    expect(found.flatMap((it) => it.entry.map((entry: any) => entry.resource))).toEqual(expected);
    for (const it of found) expect(it.total).toBe(before.total);
  });

  test('stay what they were: the self link of a page gives the page again', async () => {
    await populate();
    const found = await pages('Location?status=active&_sort=name&_count=7');
    await others(1);
    for (const page of found.slice(1)) {
      const again = (await get(below(linkOf(page, 'self') as string))).body;
      expect(again).toEqual(page);
    }
  });

  test('go on after a restart of the server', async () => {
    await populate();
    const before = ids((await get('Location?status=active&_sort=name&_count=1000')).body);
    const first = (await get('Location?status=active&_sort=name&_count=10')).body;
    const next = below(linkOf(first, 'next') as string);
    await others(1);
    await app.stop();
    app = await start();
    await others(2);
    const rest = await pages(next, others);
    expect([...ids(first), ...rest.flatMap((it) => ids(it))]).toEqual(before);
  });

  test('are of the state that their links name also when somebody writes while the first is looked for', async () => {
    await populate();
    const parameters = new SearchParameters(new Zone('Asia/Shanghai'));
    const pairs: [string, string][] = [
      ['_sort', 'name'],
      ['_count', '10'],
    ];
    const query = parseQuery('Location', pairs, parameters);
    let writes = 0;
    // The last of the order becomes the first, after the search was asked for and before it looks.
    const store: RestParts['store'] = Object.create(app.store, {
      search: {
        value: async (search: Parameters<RestParts['store']['search']>[0]) => {
          if (writes++ === 0) await put(location('l6', { name: '00' }));
          return app.store.search(search);
        },
      },
    });
    const parts = { store, clock, base: () => app.http, parameters } as unknown as RestParts;
    const { body } = await searchset(query, { path: ['Location'], pairs, parts });
    const page = JSON.parse(body as string);
    expect(ids(page)[0]).toBe('l6');
    const rest = await pages(below(linkOf(page, 'next') as string));
    expect([...ids(page), ...rest.flatMap((it) => ids(it))].filter((id) => id === 'l6')).toEqual(['l6']);
  });
});

describe('a page link', () => {
  test('is good for an hour, and then gone: 410', async () => {
    await populate();
    const next = below(linkOf((await get('Location?_count=3')).body, 'next') as string);
    clock.advance(pageLinkMs);
    const second = await get(next);
    expect(second.status).toBe(200);
    // The hour begins with the first page: the state is kept no longer for who reads slowly.
    const third = below(linkOf(second.body, 'next') as string);
    clock.advance(1);
    expectOutcome(await get(next), 410);
    expectOutcome(await get(third), 410);
  });

  test('keeps the whole question, and asks nothing that the client has to repeat', async () => {
    const asked = 'Location?status=active&status:not=inactive&_sort=name&_count=2&_elements=name&_format=json';
    const next = new URL(linkOf((await get(asked)).body, 'next') as string);
    for (const [name, value] of new URLSearchParams(asked.split('?')[1]))
      expect(next.searchParams.getAll(name)).toContain(value);
    expect(next.searchParams.get('_page')).toMatch(/^[\w-]+$/);
  });

  test('of a lenient client works without the wish to be lenient', async () => {
    const first = await get('Location?status=active&name:exact=&colour=red&_lastUpdated=soon&_count=2', {
      prefer: 'handling=lenient',
    });
    const found = await pages(below(linkOf(first.body, 'next') as string));
    expect(found.length).toBeGreaterThan(3);
  });

  test('of a lenient client keeps what was used beside what was not under the same name', async () => {
    await bundle(
      'transaction',
      [1, 2, 3, 4].map((n) => entries.put({ resourceType: 'Person', id: `p${n}`, birthDate: n < 4 ? '1990' : '1970' })),
    );
    const lenient = { prefer: 'handling=lenient' };
    const first = await get('Person?birthdate=ge1980&birthdate=soon&_count=2', lenient);
    const rest = await pages(below(linkOf(first.body, 'next') as string));
    expect([...ids(first.body), ...rest.flatMap((it) => ids(it))]).toEqual(['p1', 'p2', 'p3']);
    expect(linkOf(first.body, 'self')).toContain('birthdate=ge1980');
    expect(linkOf(first.body, 'self')).not.toContain('soon');
  });

  const forged = (snapshot: unknown, after: unknown, issuedAt: unknown): string =>
    formatPage({ snapshot, after, issuedAt } as never);
  test.each([
    ['nothing', 'x'],
    ['a list of nothing', 'W10'],
    ['an object', 'eyJhIjoxfQ'],
    ['half of it', 'WzEsMl0'],
    ['zero bytes', '%00'],
    ['no base64', '%ff%fe'],
    ['a mile', 'A'.repeat(5000)],
    ['a state before the beginning', forged(-1, '[1]', 0)],
    ['a state that is no number', forged('1; DROP TABLE resource', '[1]', 0)],
    ['a state with a fraction', forged(1.5, '[1]', 0)],
    ['a place that is no text', forged(1, [1], 0)],
    ['a place that is no list', forged(1, '{}', 1_773_626_400_000)],
    ['a place of other sort keys', forged(1, '["a","b","c","d"]', 1_773_626_400_000)],
    ['a place with a list in it', forged(1, '[[1]]', 1_773_626_400_000)],
    ['a place with SQL in it', forged(1, '["1 OR 1=1"]', 1_773_626_400_000)],
    ['a place that is not JSON', forged(1, '["', 1_773_626_400_000)],
    ['a time that is none', forged(1, '[1]', 'now')],
  ])('that holds %s is refused with 4xx', async (_, token) => {
    for (const path of [
      `Location?_count=1&_page=${token}`,
      `Location?_sort=name&_page=${token}`,
      `?_page=${token}`,
      `Patient/a/*?_page=${token}`,
    ]) {
      const { status, body } = await get(path);
      expect([path, status, body.resourceType]).toEqual([path, expect.any(Number), 'OperationOutcome']);
      expect([400, 410]).toContain(status);
    }
  });

  test('of a state that is still to come finds no more than there is', async () => {
    await remove('Location/l1');
    const token = forged(Number.MAX_SAFE_INTEGER, '[0]', clock.now());
    const { status, body } = await get(`Location?_count=1000&_page=${token}`);
    expect([status, ids(body).sort()]).toEqual([200, ids((await get('Location?_count=1000')).body).sort()]);
  });
});
