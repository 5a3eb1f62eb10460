/** A batch: each entry for itself. And what no Bundle is for. R4 http.html#transaction. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { App } from '../../src/app.ts';
import { startTestApp } from '../support/app.ts';
import { clientOf, entries, expectOutcome, ids, statuses } from './client.ts';

let app: App;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app.stop());

const { call, get, put, bundle } = clientOf(() => app);
const { post: create, put: update, remove, get: read } = entries;
const send = (all: readonly unknown[], headers?: Record<string, string>) => bundle('batch', all, headers);
const patient = (id: string, more: object = {}) => ({ resourceType: 'Patient', id, ...more });

describe('a batch', () => {
  test('runs each entry for itself, in its order: what fails fails alone', async () => {
    const { status, body } = await send([
      update(patient('batch', { active: true })),
      update(patient('batch2', { gender: 'm' })),
      read('Patient/batch'),
      read('Patient/never'),
      remove('Patient/batch'),
      read('Patient/batch'),
      read('Nobody/1'),
      update(patient('batch')),
    ]);
    expect([status, body.type]).toEqual([200, 'batch-response']);
    expect(statuses(body)).toEqual(['201', '422', '200', '404', '204', '410', '404', '201']);
    expect(body.entry[1].response.outcome.issue[0]).toMatchObject({ code: 'invalid', expression: ['Patient.gender'] });
    expect(body.entry[0].response).toMatchObject({ etag: 'W/"1"', location: `${app.http}/Patient/batch/_history/1` });
  });

  test('honours the conditions of each entry', async () => {
    await put(patient('cond', { identifier: [{ value: 'cond' }] }));
    const { body } = await send([
      update(patient('cond', { active: true }), { ifMatch: 'W/"9"' }),
      read('Patient/cond', { ifNoneMatch: 'W/"1"' }),
      update(patient('cond', { active: true }), { ifMatch: 'W/"1"' }),
      create({ resourceType: 'Patient' }, { ifNoneExist: 'identifier=cond' }),
      read('Patient/cond', { ifModifiedSince: new Date(Date.now() + 60_000).toUTCString() }),
      {
        resource: { resourceType: 'Patient', active: false },
        request: { method: 'PUT', url: 'Patient?identifier=nobody' },
      },
      remove('Patient?identifier=nobody'),
      remove('Patient?colour=red'),
    ]);
    expect(statuses(body)).toEqual(['412', '304', '200', '201', '304', '201', '204', '400']);
  });

  test('searches, with all that stands behind the first question mark', async () => {
    const url = 'http://s.example/1?x=y';
    await put({ resourceType: 'ValueSet', id: 'q', status: 'draft', url });
    const { body } = await send([read(`ValueSet?url=${url}`), read(`ValueSet?url=${encodeURIComponent(url)}`)]);
    expect(body.entry.map((it: any) => ids(it.resource))).toEqual([['q'], ['q']]);
  });

  test('answers as Prefer asks', async () => {
    const all = [create({ resourceType: 'Patient' })];
    expect((await send(all)).body.entry[0].resource?.resourceType).toBe('Patient');
    expect((await send(all, { prefer: 'return=minimal' })).body.entry[0].resource).toBeUndefined();
    expect((await send(all, { prefer: 'return=OperationOutcome' })).body.entry[0].response.outcome).toBeDefined();
  });

  test('rewrites no reference: its entries know nothing of each other', async () => {
    const urn = 'urn:uuid:61ebe359-bfdc-4613-8bf2-c5e300945f0a';
    const { body } = await send([
      create({ resourceType: 'Patient' }, {}, urn),
      create({ resourceType: 'Basic', code: { text: 'x' }, subject: { reference: urn } }),
    ]);
    const stored = body.entry[1].resource ?? { subject: { reference: urn } };
    expect(stored.subject.reference).toBe(urn);
  });

  test('runs no Bundle inside a Bundle', async () => {
    const inner = { resource: { resourceType: 'Bundle', type: 'batch' }, request: { method: 'POST', url: '/' } };
    expect(statuses((await send([inner])).body)).toEqual(['400']);
  });

  test('refuses only the entries that cannot be run', async () => {
    const { status, body } = await send([
      read('metadata'),
      { request: { method: 'GET' } },
      null,
      {},
      { request: { method: 'BREW', url: 'Patient' } },
      { resource: { resourceType: 'Patient' }, request: { method: 'POST', url: 'Person' } },
      { request: { method: 'HEAD', url: 'metadata' } },
    ]);
    expect([status, statuses(body)]).toEqual([200, ['200', '400', '400', '400', '400', '400', '200']]);
    expect(body.entry[6].resource).toBeUndefined();
  });

  test('of more than 5,000 entries is refused', async () => {
    expectOutcome(await send(Array.from({ length: 5001 }, () => read('Patient/never'))), 403, 'too-costly');
  });

  test('of nothing answers nothing, and no empty list', async () => {
    expect((await send([])).body).toEqual({ resourceType: 'Bundle', type: 'batch-response' });
  });
});

describe('a Bundle', () => {
  test.each(['document', 'searchset', 'history', 'collection', 'message', undefined, 5, null])(
    'of type %s is not run',
    async (type) => {
      expectOutcome(await call('POST', '', { resourceType: 'Bundle', type, entry: [] }), 400);
    },
  );

  test.each([
    [{ resourceType: 'Patient' }],
    [{ resourceType: 'Bundle', type: 'batch', entry: {} }],
    [[]],
    ['x'],
    [5],
    [null],
  ])('%j is none', async (body) => {
    expectOutcome(await call('POST', '', JSON.stringify(body)), 400);
  });

  test('as a resource is stored and not run', async () => {
    const collection = {
      resourceType: 'Bundle',
      id: 'b1',
      type: 'transaction',
      entry: [create({ resourceType: 'Patient', id: 'not-run' })],
    };
    expect((await put(collection)).status).toBe(201);
    expect((await get('Bundle/b1')).body.entry).toHaveLength(1);
    expect((await get('Patient/not-run')).status).toBe(404);
  });
});
