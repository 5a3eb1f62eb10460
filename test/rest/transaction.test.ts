/** A transaction: its order, its answer, all or nothing. R4 http.html#trules. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { App } from '../../src/app.ts';
import { FixedClock } from '../../src/clock.ts';
import { startTestApp } from '../support/app.ts';
import { clientOf, type Entry, entries, expectOutcome, ids, statuses } from './client.ts';

let app: App;
beforeAll(async () => {
  app = await startTestApp({ clock: new FixedClock('2026-03-16T02:00:00Z') });
});
afterAll(() => app.stop());

const { call, get, put, bundle, head } = clientOf(() => app);
const { post: create, put: update, remove, get: read } = entries;
const send = (all: readonly unknown[], headers?: Record<string, string>) => bundle('transaction', all, headers);
const patient = (id: string, more: object = {}) => ({ resourceType: 'Patient', id, ...more });

describe('a transaction', () => {
  test('answers an entry for each, in the order in which they were sent', async () => {
    await put(patient('old'));
    const { status, body } = await send([
      read('Patient/t1'),
      update(patient('t1')),
      create({ resourceType: 'Patient' }),
      remove('Patient/old'),
      remove('Patient/never'),
    ]);
    expect([status, body.type]).toEqual([200, 'transaction-response']);
    expect(statuses(body)).toEqual(['200', '201', '201', '204', '204']);
    expect(body.entry[0].resource.id).toBe('t1');
    expect(body.entry[1].response).toMatchObject({
      location: `${app.http}/Patient/t1/_history/1`,
      etag: 'W/"1"',
      lastModified: '2026-03-16T02:00:00.000Z',
    });
    expect(body.entry[3].response).toMatchObject({ etag: 'W/"2"', lastModified: '2026-03-16T02:00:00.000Z' });
    expect((await get('Patient/old')).status).toBe(410);
  });

  test('has the deletions first, then what is made, then what is changed, then the reads', async () => {
    await put(patient('order', { identifier: [{ value: 'o' }] }));
    const { body } = await send([
      read('Patient?identifier=urn:order|1'),
      read('Patient/order'),
      create({ resourceType: 'Patient', identifier: [{ system: 'urn:order', value: '1' }] }),
      remove('Patient/order'),
      update(patient('order-2', { active: true })),
      read('Patient/order-2'),
    ]);
    expect(statuses(body)).toEqual(['200', '410', '201', '204', '201', '200']);
    expect(body.entry[0].resource.entry).toHaveLength(1);
    expect(body.entry[1].response.outcome.resourceType).toBe('OperationOutcome');
    expect(body.entry[5].resource.active).toBe(true);
  });

  test('deletes what refers to each other, and makes it anew, together', async () => {
    await put(patient('ref'));
    const flag = {
      resourceType: 'Flag',
      id: 'ref',
      status: 'active',
      code: { text: 'x' },
      subject: { reference: 'Patient/ref' },
    };
    await put(flag);
    const gone = await send([remove('Patient/ref'), remove('Flag/ref'), read('Flag?patient=ref')]);
    expect([statuses(gone.body), gone.body.entry[2].resource.entry]).toEqual([['204', '204', '200'], undefined]);
    const back = await send([update(flag), update(patient('ref'))]);
    expect(statuses(back.body)).toEqual(['201', '201']);
    expect(back.body.entry[0].response.etag).toBe('W/"3"');
  });

  test('has metadata, searches, histories and operations inside', async () => {
    await put(patient('inside', { name: [{ family: 'Inside' }] }));
    const parameters = {
      resourceType: 'Parameters',
      parameter: [{ name: 'url', valueUri: 'http://hl7.org/fhir/ValueSet/administrative-gender' }],
    };
    const { status, body } = await send([
      read('metadata'),
      read('Patient?name=inside'),
      read('Patient/inside/_history'),
      read('Patient/inside/_history/1'),
      read('Patient/inside/Observation'),
      read('Patient/inside/$everything'),
      { resource: parameters, request: { method: 'POST', url: 'ValueSet/$expand' } },
      { request: { method: 'POST', url: 'Patient/_search?name=inside' } },
      { request: { method: 'HEAD', url: 'Patient/inside' } },
      read('Patient/inside', { ifNoneMatch: 'W/"1"' }),
      read('?_type=Patient&name=inside'),
    ]);
    expect([status, statuses(body)]).toEqual([200, [...Array(9).fill('200'), '304', '200']]);
    expect(body.entry.map((it: any) => it.resource?.resourceType)).toEqual([
      ...['CapabilityStatement', 'Bundle', 'Bundle', 'Patient', 'Bundle', 'Bundle', 'ValueSet', 'Bundle'],
      ...[undefined, undefined, 'Bundle'],
    ]);
    for (const i of [1, 7, 10]) expect(ids(body.entry[i].resource)).toEqual(['inside']);
    expect(body.entry[8].response.etag).toBe('W/"1"');
  });

  test('has operations that write inside, all or nothing', async () => {
    await put(patient('labels'));
    const meta = (name: string, code: string) => ({
      resource: { resourceType: 'Parameters', parameter: [{ name: 'meta', valueMeta: { tag: [{ code }] } }] },
      request: { method: 'POST', url: `Patient/labels/${name}` },
    });
    const { body } = await send([meta('$meta-add', 'x'), read('Patient/labels')]);
    expect([statuses(body), body.entry[1].resource.meta.tag]).toEqual([['200', '200'], [{ code: 'x' }]]);
    const before = await head();
    expectOutcome(await send([meta('$meta-add', 'y'), update(patient('bad', { gender: 'm' }))]), 422);
    const nobody = { ...meta('$meta-add', 'y'), request: { method: 'POST', url: 'Patient/nobody/$meta-add' } };
    expectOutcome(await send([update(patient('never-made')), nobody]), 404);
    expect(await head()).toBe(before);
  });

  test('answers as Prefer asks', async () => {
    const entry = [update(patient('prefer'))];
    expect((await send(entry)).body.entry[0].resource).toBeUndefined();
    const full = await send(entry, { prefer: 'return=representation' });
    expect(full.body.entry[0].resource).toMatchObject(patient('prefer'));
    const outcome = await send(entry, { prefer: 'return=OperationOutcome' });
    expect(outcome.body.entry[0].response.outcome.resourceType).toBe('OperationOutcome');
    expect((await send(entry, { prefer: 'return=minimal' })).body.entry[0]).toEqual({ response: expect.any(Object) });
  });

  test('that changes nothing makes no version', async () => {
    await put(patient('same', { active: true }));
    const before = await head();
    const { body } = await send([update(patient('same', { active: true }))]);
    expect([statuses(body), body.entry[0].response.etag]).toEqual([['200'], 'W/"1"']);
    expect(await head()).toBe(before);
  });

  test('of nothing answers nothing, and no empty list', async () => {
    for (const entry of [undefined, []]) {
      const { status, body } = await call('POST', '', { resourceType: 'Bundle', type: 'transaction', entry });
      expect([status, body]).toEqual([200, { resourceType: 'Bundle', type: 'transaction-response' }]);
    }
  });
});

describe('a transaction with', () => {
  const double = (one: Entry, two: Entry): Entry[] => [one, two];
  test.each<[string, Entry | Entry[], number]>([
    ['a resource that is not valid', update(patient('bad', { gender: 'm' })), 422],
    ['an id that is none', update(patient('a b')), 400],
    [
      'another type than the URL',
      { resource: { resourceType: 'Person' }, request: { method: 'POST', url: 'Patient' } },
      400,
    ],
    ['no resource', { request: { method: 'POST', url: 'Patient' } }, 400],
    ['an unknown type', { resource: { resourceType: 'Nobody' }, request: { method: 'POST', url: 'Nobody' } }, 404],
    ['an unknown operation', { resource: patient('x'), request: { method: 'POST', url: 'Patient/$nothing' } }, 404],
    ['a version that is not current', update(patient('first'), { ifMatch: 'W/"5"' }), 412],
    ['a deletion of another version', remove('Patient/first', { ifMatch: 'W/"5"' }), 412],
    ['a resource that is to be there no more', update(patient('first'), { ifNoneMatch: '*' }), 412],
    ['no request', { resource: { resourceType: 'Patient' } } as unknown as Entry, 400],
    ['a method that is none', { request: { method: 'MERGE', url: 'Patient/1' } }, 400],
    ['a method that the URL does not take', { request: { method: 'PUT', url: 'metadata' } }, 405],
    ['a resource that it writes before', update(patient('atomic')), 400],
    ['a resource that it writes and deletes', remove('Patient/atomic'), 400],
    ['a resource that it deletes twice', double(remove('Patient/first'), remove('Patient/first')), 400],
    [
      'a URL of elsewhere',
      { resource: patient('x'), request: { method: 'PUT', url: 'https://elsewhere.example/fhir/Patient/x' } },
      404,
    ],
    [
      'a Bundle of its own',
      { resource: { resourceType: 'Bundle', type: 'batch' }, request: { method: 'POST', url: '/' } },
      400,
    ],
    [
      'two entries of one full URL',
      double(create(patient('x'), {}, 'urn:uuid:1'), create(patient('y'), {}, 'urn:uuid:1')),
      400,
    ],
  ])('%s is refused as a whole, and the outcome names the entry', async (_, wrong, status) => {
    await put(patient('first'));
    const before = await head();
    const all = [update(patient('atomic', { active: true })), create({ resourceType: 'Patient' }), wrong].flat();
    const answer = await send(all);
    expectOutcome(answer, status);
    expect(await head()).toBe(before);
    expect((await get('Patient/atomic')).status).toBe(404);
    const { diagnostics, expression = [] } = answer.body.issue[0];
    // Of two that stand against each other either may be named.
    expect(diagnostics).toMatch(/entry [0-3]\b/);
    if (!/twice|two|writes/.test(_)) expect([diagnostics, ...expression].join(' ')).toMatch(/entry 2\b.*entry\[2\]/);
  });

  test('a key __proto__ in a resource is refused like any unknown element', async () => {
    const before = await head();
    const text = `{"resourceType":"Bundle","type":"transaction","entry":[{"request":{"method":"PUT","url":"Patient/proto"},
      "resource":{"resourceType":"Patient","id":"proto",
        "link":[{"__proto__":{"other":{"reference":"Patient/1"},"type":"seealso"}}]}}]}`;
    expectOutcome(await call('POST', '', text), 422);
    expect(await head()).toBe(before);
  });

  test('a resource nested without end is refused, not a defect', async () => {
    const deep = `${'{"extension":['.repeat(30_000)}{}${']}'.repeat(30_000)}`;
    const text = `{"resourceType":"Bundle","type":"transaction","entry":[{"request":{"method":"POST","url":"Patient"},
      "resource":{"resourceType":"Patient","extension":[${deep}]}}]}`;
    const answer = await call('POST', '', text);
    expect([400, 422]).toContain(answer.status);
    expect(answer.body.resourceType).toBe('OperationOutcome');
  });

  test('many at the same time about the same resources let none see half of another', async () => {
    const both = (n: number) => ['w1', 'w2'].map((id) => update(patient(id, { multipleBirthInteger: n })));
    await Promise.all(Array.from({ length: 20 }, (_, n) => send(both(n + 1))));
    const { body } = await send([read('Patient/w1'), read('Patient/w2')]);
    const [one, two] = body.entry.map((it: any) => it.resource);
    expect([one.multipleBirthInteger, one.meta.versionId]).toEqual([two.multipleBirthInteger, two.meta.versionId]);
  });
});
