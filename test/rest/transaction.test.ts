/** R4 http.html#transaction. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { App } from '../../src/app.ts';
import { FixedClock } from '../../src/clock.ts';
import { countingIds } from '../../src/ids.ts';
import { fhir, startTestApp } from '../support/app.ts';

let app: App;
beforeAll(async () => {
  app = await startTestApp({ clock: new FixedClock('2026-03-16T02:00:00Z'), ids: countingIds('id') });
});
afterAll(() => app.stop());

const call = (method: string, path: string, body?: unknown, headers?: Record<string, string>) =>
  fhir(app, method, path, body, headers);

interface Entry {
  readonly fullUrl?: string;
  readonly resource?: object;
  readonly request: object;
}

const send = (type: string, entry: readonly unknown[], headers?: Record<string, string>) =>
  call('POST', '', { resourceType: 'Bundle', type, entry }, headers);

function post(resource: { resourceType: string } & Record<string, unknown>, fullUrl?: string): Entry {
  return { ...(fullUrl && { fullUrl }), resource, request: { method: 'POST', url: resource.resourceType } };
}

function put(resource: { resourceType: string; id: string } & Record<string, unknown>, more: object = {}): Entry {
  return { resource, request: { method: 'PUT', url: `${resource.resourceType}/${resource.id}`, ...more } };
}

const remove = (url: string, more: object = {}): Entry => ({ request: { method: 'DELETE', url, ...more } });
const get = (url: string): Entry => ({ request: { method: 'GET', url } });
const head = (): Promise<number> => app.store.head();

describe('a transaction', () => {
  const urn = 'urn:uuid:61ebe359-bfdc-4613-8bf2-c5e300945f0a';

  test('answers an entry for each, in the order in which they were sent', async () => {
    await call('PUT', 'Patient/old', { resourceType: 'Patient', id: 'old' });
    const { status, body } = await send('transaction', [
      get('Patient/t1'),
      put({ resourceType: 'Patient', id: 't1' }),
      post({ resourceType: 'Patient' }),
      remove('Patient/old'),
    ]);
    expect([status, body.type]).toEqual([200, 'transaction-response']);
    expect(body.entry.map((it: any) => it.response.status)).toEqual(['200', '201', '201', '204']);
    expect(body.entry[0].resource.id).toBe('t1');
    expect(body.entry[1].response).toMatchObject({
      location: `${app.http}/Patient/t1/_history/1`,
      etag: 'W/"1"',
      lastModified: '2026-03-16T02:00:00.000Z',
    });
    expect((await call('GET', 'Patient/old')).status).toBe(410);
  });

  test('has the writes before the reads, whatever the order', async () => {
    const { body } = await send('transaction', [
      get('Patient?identifier=urn:order|1'),
      post({ resourceType: 'Patient', identifier: [{ system: 'urn:order', value: '1' }] }),
      get('Patient/nowhere'),
    ]);
    expect(body.entry[0].resource.entry).toHaveLength(1);
    expect(body.entry[2].response.status).toBe('404');
    expect(body.entry[2].response.outcome.resourceType).toBe('OperationOutcome');
  });

  test('rewrites references to what it creates: elements, lists, extensions, extensions of primitives, contained', async () => {
    const reference = { reference: urn };
    const extension = [{ url: 'urn:x', valueReference: reference }];
    const { body } = await send('transaction', [
      post({
        resourceType: 'Encounter',
        status: 'planned',
        _status: { extension },
        class: { code: 'IMP' },
        subject: reference,
        extension: [{ url: 'urn:outer', extension }],
        contained: [{ resourceType: 'Basic', id: 'b', code: { text: 'x' }, subject: reference }],
        participant: [{ individual: { reference: 'Practitioner/1' } }],
      }),
      post({ resourceType: 'Patient' }, urn),
    ]);
    const [encounter, patient] = body.entry.map((it: any) => /fhir\/(\w+\/[^/]+)/.exec(it.response.location)?.[1]);
    const stored = (await call('GET', encounter)).body;
    expect(JSON.stringify(stored)).not.toContain('urn:uuid');
    expect(JSON.stringify(stored).match(new RegExp(patient, 'g'))).toHaveLength(4);
    expect(stored.participant[0].individual.reference).toBe('Practitioner/1');
    expect((await call('GET', `Encounter?subject=${patient}`)).body.entry).toHaveLength(1);
  });

  test('rewrites links in uri and url elements and in the narrative too, but no canonical', async () => {
    // R4 http.html#trules: "whether they are found in the resource ids, resource references, elements of type uri, url,
    // oid, uuid, and <a href="" & <img src="" in the narrative"
    const { body } = await send('transaction', [
      post({ resourceType: 'Patient' }, urn),
      post({
        resourceType: 'DocumentReference',
        status: 'current',
        text: { status: 'generated', div: `<div xmlns="http://www.w3.org/1999/xhtml"><a href="${urn}">x</a></div>` },
        content: [{ attachment: { url: urn } }],
        extension: [
          { url: 'urn:u', valueUri: urn },
          { url: 'urn:c', valueCanonical: urn },
          { url: 'urn:s', valueString: urn },
        ],
      }),
    ]);
    const [patient, document] = body.entry.map((it: any) => /fhir\/(\w+\/[^/]+)/.exec(it.response.location)?.[1]);
    const stored = (await call('GET', document)).body;
    expect(stored.content[0].attachment.url).toBe(patient);
    expect(stored.extension.map((it: any) => it.valueUri ?? it.valueCanonical ?? it.valueString)).toEqual([
      patient,
      urn,
      urn,
    ]);
    expect(stored.text.div).toContain(`href="${patient}"`);
  });

  test('may refer in a circle, and by absolute full URLs', async () => {
    const [one, two] = ['https://his.example/Patient/1', 'https://his.example/Patient/2'];
    const link = (other: string) => [{ other: { reference: other }, type: 'seealso' }];
    const { body } = await send('transaction', [
      post({ resourceType: 'Patient', link: link(two as string) }, one),
      post({ resourceType: 'Patient', link: link(one as string) }, two),
    ]);
    const names = body.entry.map((it: any) => /fhir\/(\w+\/[^/]+)/.exec(it.response.location)?.[1]);
    expect((await call('GET', names[0])).body.link[0].other.reference).toBe(names[1]);
    expect((await call('GET', names[1])).body.link[0].other.reference).toBe(names[0]);
  });

  test.each<[string, Entry, number]>([
    ['a resource that is not valid', put({ resourceType: 'Patient', id: 'bad', gender: 'm' }), 422],
    ['an id that is none', put({ resourceType: 'Patient', id: 'a b' }), 400],
    [
      'another type than the URL',
      { resource: { resourceType: 'Person' }, request: { method: 'POST', url: 'Patient' } },
      400,
    ],
    ['no resource', { request: { method: 'POST', url: 'Patient' } }, 400],
    ['an unknown type', { resource: { resourceType: 'Nobody' }, request: { method: 'POST', url: 'Nobody' } }, 404],
    ['a version that is not current', put({ resourceType: 'Patient', id: 'first' }, { ifMatch: 'W/"5"' }), 412],
    ['a deletion of another version', remove('Patient/first', { ifMatch: 'W/"5"' }), 412],
    ['no request', { resource: { resourceType: 'Patient' } } as unknown as Entry, 400],
    ['a method that is none', { request: { method: 'MERGE', url: 'Patient/1' } }, 400],
    ['a resource that was written before in it', put({ resourceType: 'Patient', id: 'atomic' }), 400],
  ])('with %s is refused as a whole, and the outcome names the entry', async (_, wrong, status) => {
    await call('PUT', 'Patient/first', { resourceType: 'Patient', id: 'first' });
    const before = await head();
    const answer = await send('transaction', [
      put({ resourceType: 'Patient', id: 'atomic', active: true }),
      post({ resourceType: 'Patient' }),
      wrong,
    ]);
    expect(answer.status).toBe(status);
    expect(await head()).toBe(before);
    expect((await call('GET', 'Patient/atomic')).status).toBe(404);
    expect(answer.body.resourceType).toBe('OperationOutcome');
    expect(JSON.stringify(answer.body.issue[0])).toMatch(/entry 2\b|entry\[2\]/);
  });

  test('answers as Prefer asks', async () => {
    const entry = [put({ resourceType: 'Patient', id: 'prefer' })];
    expect((await send('transaction', entry)).body.entry[0].resource).toBeUndefined();
    const full = await send('transaction', entry, { prefer: 'return=representation' });
    expect(full.body.entry[0].resource).toMatchObject({ resourceType: 'Patient', id: 'prefer' });
    const outcome = await send('transaction', entry, { prefer: 'return=OperationOutcome' });
    expect(outcome.body.entry[0].response.outcome.resourceType).toBe('OperationOutcome');
  });

  test('of 5,000 entries is taken, of 5,001 refused', async () => {
    const many = (n: number): Entry[] => Array.from({ length: n }, () => get('Patient/never'));
    const { status, body } = await send('transaction', many(5001));
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(500);
    expect(body.resourceType).toBe('OperationOutcome');
    expect((await send('transaction', many(5000))).body.entry).toHaveLength(5000);
  });

  test('of nothing answers nothing', async () => {
    const { status, body } = await call('POST', '', { resourceType: 'Bundle', type: 'transaction' });
    expect([status, body.type]).toEqual([200, 'transaction-response']);
  });

  test('with a key __proto__ in a resource is refused like any unknown element', async () => {
    const before = await head();
    const text = `{"resourceType":"Bundle","type":"transaction","entry":[{"request":{"method":"PUT","url":"Patient/proto"},
      "resource":{"resourceType":"Patient","id":"proto",
        "link":[{"__proto__":{"other":{"reference":"Patient/1"},"type":"seealso"}}]}}]}`;
    const answer = await call('POST', '', text);
    expect([answer.status, answer.body.resourceType]).toEqual([422, 'OperationOutcome']);
    expect(await head()).toBe(before);
  });

  test('with a resource nested without end is refused, not a defect', async () => {
    const deep = `${'{"extension":['.repeat(30_000)}{}${']}'.repeat(30_000)}`;
    const text = `{"resourceType":"Bundle","type":"transaction","entry":[{"request":{"method":"POST","url":"Patient"},
      "resource":{"resourceType":"Patient","extension":[${deep}]}}]}`;
    const answer = await call('POST', '', text);
    expect([400, 422]).toContain(answer.status);
    expect(answer.body.resourceType).toBe('OperationOutcome');
  });
});

describe('a batch', () => {
  test('runs each entry for itself: what fails fails alone', async () => {
    const { status, body } = await send('batch', [
      put({ resourceType: 'Patient', id: 'batch', active: true }),
      put({ resourceType: 'Patient', id: 'batch2', gender: 'm' }),
      get('Patient/batch'),
      get('Patient/never'),
      remove('Patient/batch'),
      get('Patient/batch'),
      { request: { method: 'GET', url: 'Nobody/1' } },
    ]);
    expect([status, body.type]).toEqual([200, 'batch-response']);
    expect(body.entry.map((it: any) => it.response.status)).toEqual(['201', '422', '200', '404', '204', '410', '404']);
    expect(body.entry[1].response.outcome.issue[0].code).toBe('invalid');
    expect(body.entry[0].response).toMatchObject({ etag: 'W/"1"', location: `${app.http}/Patient/batch/_history/1` });
  });

  test('honours the conditions of each entry', async () => {
    await call('PUT', 'Patient/cond', { resourceType: 'Patient', id: 'cond' });
    const { body } = await send('batch', [
      put({ resourceType: 'Patient', id: 'cond', active: true }, { ifMatch: 'W/"9"' }),
      { request: { method: 'GET', url: 'Patient/cond', ifNoneMatch: 'W/"1"' } },
      put({ resourceType: 'Patient', id: 'cond', active: true }, { ifMatch: 'W/"1"' }),
    ]);
    expect(body.entry.map((it: any) => it.response.status)).toEqual(['412', '304', '200']);
  });

  test('searches, with all that stands behind the first question mark', async () => {
    const url = 'http://s.example/1?x=y';
    await call('PUT', 'ValueSet/q', { resourceType: 'ValueSet', id: 'q', status: 'draft', url });
    const { body } = await send('batch', [get(`ValueSet?url=${url}`), get(`ValueSet?url=${encodeURIComponent(url)}`)]);
    expect(body.entry.map((it: any) => it.resource.entry?.length)).toEqual([1, 1]);
  });

  test('runs no Bundle inside a Bundle', async () => {
    const { body } = await send('batch', [
      { resource: { resourceType: 'Bundle', type: 'batch' }, request: { method: 'POST', url: '/' } },
    ]);
    expect(body.entry[0].response.status).toBe('400');
  });

  test('refuses only the entry that cannot be run', async () => {
    const { status, body } = await send('batch', [get('metadata'), { request: { method: 'GET' } }]);
    expect(status).toBe(200);
    expect(body.entry.map((it: any) => it.response.status)).toEqual(['200', '400']);
  });
});

describe('a Bundle', () => {
  test.each(['document', 'searchset', 'history', 'collection', undefined, 5])('of type %s is not run', async (type) => {
    const { status, body } = await call('POST', '', { resourceType: 'Bundle', type, entry: [] });
    expect([status, body.resourceType]).toEqual([400, 'OperationOutcome']);
  });

  test.each([[{ resourceType: 'Patient' }], [{ resourceType: 'Bundle', type: 'batch', entry: {} }], [[]], ['x'], [5]])(
    '%j is none',
    async (body) => {
      const answer = await call('POST', '', JSON.stringify(body));
      expect([answer.status, answer.body.resourceType]).toEqual([400, 'OperationOutcome']);
    },
  );
});
