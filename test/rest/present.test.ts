/** `_summary`, `_elements` and `_format` on everything that gives resources, and in the links of its pages. R4 search.html#summary. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { App } from '../../src/app.ts';
import { startTestApp } from '../support/app.ts';
import { clientOf, expectOutcome, linkOf } from './client.ts';

let app: App;
const { get, put, pages, text, bundle } = clientOf(() => app);

const subsetted = [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationValue', code: 'SUBSETTED' }];
const div = '<div xmlns="http://www.w3.org/1999/xhtml">x</div>';
const observation = {
  resourceType: 'Observation',
  id: 'o1',
  meta: { tag: [{ system: 'urn:t', code: 'kept' }] },
  text: { status: 'generated', div },
  extension: [{ url: 'urn:e', valueBoolean: true }],
  status: 'final',
  _status: { extension: [{ url: 'urn:s', valueString: 'x' }] },
  code: { text: 'weight' },
  valueQuantity: { value: 70, unit: 'kg' },
  method: { text: 'scale' },
  note: [{ text: 'sober' }],
  component: [{ code: { text: 'c' }, valueString: 'v', dataAbsentReason: undefined, interpretation: [{ text: 'i' }] }],
};

beforeAll(async () => {
  app = await startTestApp();
  expect((await put(observation)).status).toBe(201);
  for (const n of [2, 3, 4]) await put({ ...observation, id: `o${n}` });
});
afterAll(() => app.stop());

/** Names of a resource's elements, without those that every answer has. */
function namesOf(resource: any): string[] {
  return Object.keys(resource)
    .filter((it) => !['resourceType', 'id', 'meta'].includes(it))
    .sort();
}

const shapes: [string, string[]][] = [
  ['_summary=true', ['_status', 'code', 'component', 'status', 'valueQuantity']],
  ['_summary=text', ['_status', 'code', 'status', 'text']],
  ['_summary=data', ['_status', 'code', 'component', 'extension', 'method', 'note', 'status', 'valueQuantity']],
  ['_elements=note', ['_status', 'code', 'note', 'status']],
  ['_elements=value,%20Observation.method', ['_status', 'code', 'method', 'status', 'valueQuantity']],
  ['_elements=valueQuantity&_elements=note', ['_status', 'code', 'note', 'status', 'valueQuantity']],
  ['_elements=Patient.name', ['_status', 'code', 'status']],
];

describe.each(shapes)('%s', (wish, names) => {
  test.each([
    ['read', `Observation/o1?${wish}`, (body: any) => [body]],
    ['vread', `Observation/o1/_history/1?${wish}`, (body: any) => [body]],
    ['search', `Observation?_id=o1&${wish}`, (body: any) => body.entry.map((it: any) => it.resource)],
    ['system search', `?_type=Observation&_id=o1&${wish}`, (body: any) => body.entry.map((it: any) => it.resource)],
    ['history', `Observation/o1/_history?${wish}`, (body: any) => body.entry.map((it: any) => it.resource)],
  ])('by %s gives those elements, what is mandatory, and says that it is a part', async (_, path, resources) => {
    const { status, body } = await get(path);
    expect(status).toBe(200);
    const found = resources(body);
    expect(found).toHaveLength(1);
    for (const resource of found) {
      expect([resource.id, namesOf(resource)]).toEqual(['o1', names]);
      expect(resource.meta).toMatchObject({ versionId: '1', tag: [{ code: 'kept' }, ...subsetted] });
    }
  });

  test('survives the next link of a search and of a history', async () => {
    for (const path of [`Observation?_count=2&${wish}`, `Observation/_history?_count=2&${wish}`]) {
      const all = (await pages(path)).flatMap((it) => it.entry);
      expect(all).toHaveLength(4);
      for (const { resource } of all) expect(namesOf(resource)).toEqual(names);
    }
  });
});

test('_summary=true keeps of a backbone element what is summary, and of a data type everything', async () => {
  const { body } = await get('Observation/o1?_summary=true');
  expect(body.component).toEqual([{ code: { text: 'c' }, valueString: 'v' }]);
  expect(body.valueQuantity).toEqual(observation.valueQuantity);
});

describe('what stays whole', () => {
  test.each(['', '_summary=false', '_elements=', '_summary='])('with %j is not marked', async (wish) => {
    const { body } = await get(`Observation/o1?${wish}`);
    expect(body.meta.tag).toEqual(observation.meta.tag);
    expect(namesOf(body)).toContain('note');
  });

  test('is what is stored: a subset in an answer changes nothing', async () => {
    await get('Observation/o1?_elements=note');
    expect((await get('Observation/o1')).body).toMatchObject({ ...observation, component: expect.anything() });
    expect((await get('Observation/o1')).body.meta.versionId).toBe('1');
  });
});

describe('_summary=count', () => {
  test.each(['Observation?_summary=count', 'Observation?_count=0', '?_type=Observation&_summary=count'])(
    '%s gives the number alone',
    async (path) => {
      const { body } = await get(path);
      expect([body.type, body.total, body.entry, linkOf(body, 'next')]).toEqual(['searchset', 4, undefined, undefined]);
    },
  );
});

describe('a wish that is none', () => {
  test.each([
    '_summary=half',
    '_summary=TRUE',
    '_elements=__proto__',
    '_elements=a..b',
    '_elements=%00',
    '_elements=,',
  ])('%s is refused with 400', async (wish) => {
    for (const path of ['Observation/o1', 'Observation/o1/_history/1', 'Observation', 'Observation/_history'])
      expectOutcome(await get(`${path}?${wish}`), 400, 'structure');
  });
});

describe('_format and _pretty', () => {
  test('survive the next link', async () => {
    for (const path of ['Observation?_count=3', 'Observation/_history?_count=3']) {
      const first = await text('GET', `${path}&_format=xml&_pretty=true`);
      const next = /<relation value="next"\/>\s*<url value="([^"]*)"/.exec(first.text)?.[1]?.replaceAll('&amp;', '&');
      const second = await fetch(next as string);
      expect([second.status, second.headers.get('content-type')]).toEqual([200, 'application/fhir+xml; charset=utf-8']);
      expect((await second.text()).match(/\n +<Observation>/g)).toHaveLength(1);
    }
  });

  test('are no conditions of a search, strict or not', async () => {
    const { status, body } = await get('Observation?_format=json&_pretty=true&_summary=false', {
      prefer: 'handling=strict',
    });
    expect([status, body.entry.length]).toEqual([200, 4]);
  });
});

test('a search with a subset keeps its outcome entry whole, and a search inside a Bundle its subset', async () => {
  const { body } = await get('Observation?_elements=note&colour=red&_count=1');
  const outcome = body.entry.find((it: any) => it.search.mode === 'outcome').resource;
  expect(outcome.issue[0].severity).toBe('warning');
  expect(outcome.meta).toBeUndefined();
  const request = { method: 'GET', url: 'Observation/o1?_elements=note' };
  const inside = (await bundle('batch', [{ request }])).body.entry[0].resource;
  expect(namesOf(inside)).toEqual(['_status', 'code', 'note', 'status']);
});
