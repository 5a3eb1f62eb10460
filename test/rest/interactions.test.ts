/** Create, read, vread, update and delete with their statuses and headers. R4 http.html. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { App } from '../../src/app.ts';
import { FixedClock } from '../../src/clock.ts';
import { countingIds } from '../../src/ids.ts';
import { startTestApp } from '../support/app.ts';
import { clientOf, expectOutcome } from './client.ts';

const clock = new FixedClock('2026-03-16T02:00:00.250Z');
let app: App;
let last = 0;

beforeAll(async () => {
  app = await startTestApp({ clock, ids: countingIds('id') });
});
afterAll(() => app.stop());

const { call, get, post, put, remove, head } = clientOf(() => app);

/** A Patient of its own for a test. */
async function fresh(more: object = {}): Promise<{ id: string; path: string }> {
  const id = `p${++last}`;
  await put({ resourceType: 'Patient', id, ...more });
  return { id, path: `Patient/${id}` };
}

describe('create', () => {
  test('answers 201 with Location, ETag, Last-Modified and the resource', async () => {
    const { status, headers, body } = await post({ resourceType: 'Patient', gender: 'male' });
    expect(status).toBe(201);
    expect(body.id).toMatch(/^id-\d+$/);
    expect(headers.get('location')).toBe(`${app.http}/Patient/${body.id}/_history/1`);
    expect(headers.get('etag')).toBe('W/"1"');
    expect(headers.get('last-modified')).toBe('Mon, 16 Mar 2026 02:00:00 GMT');
    expect(headers.get('content-type')).toBe('application/fhir+json; charset=utf-8');
    expect(body.meta).toEqual({ versionId: '1', lastUpdated: '2026-03-16T02:00:00.250Z' });
    expect((await get(`Patient/${body.id}`)).body).toEqual(body);
  });

  test('gives an id of its own, whatever the client sends', async () => {
    const { body } = await post({ resourceType: 'Patient', id: 'mine' });
    expect(body.id).not.toBe('mine');
    expect((await get('Patient/mine')).status).toBe(404);
  });

  test('stamps version and time over what the client sends, and keeps the rest of its meta', async () => {
    const tag = [{ system: 'urn:t', code: 'x' }];
    const meta = { versionId: '77', lastUpdated: '1999-01-01T00:00:00Z', tag };
    const { body } = await post({ resourceType: 'Patient', meta });
    expect(body.meta).toEqual({ tag, versionId: '1', lastUpdated: '2026-03-16T02:00:00.250Z' });
  });

  test('refuses a body of another type with 400, one that is not valid with 422 and its place', async () => {
    expectOutcome(await call('POST', 'Patient', { resourceType: 'Person' }), 400, 'structure');
    const answer = await post({ resourceType: 'Patient', gender: 'm' });
    expectOutcome(answer, 422, 'invalid');
    expect(answer.body.issue[0].expression).toEqual(['Patient.gender']);
  });

  test('takes application/json as well, and a body without a type', async () => {
    const bytes = JSON.stringify({ resourceType: 'Patient' });
    for (const type of [
      'application/json',
      'application/fhir+json;charset=UTF-8',
      'application/fhir+json; fhirVersion=4.0',
    ])
      expect((await call('POST', 'Patient', bytes, { 'content-type': type })).status).toBe(201);
    const bare = await fetch(`${app.http}/Patient`, { method: 'POST', body: Buffer.from(bytes) });
    expect(bare.status).toBe(201);
  });
});

describe('read', () => {
  test('answers 200 with ETag and Last-Modified', async () => {
    const { path, id } = await fresh();
    const { status, headers, body } = await get(path);
    expect(status).toBe(200);
    expect(headers.get('etag')).toBe('W/"1"');
    expect(headers.get('last-modified')).toBe('Mon, 16 Mar 2026 02:00:00 GMT');
    expect(headers.get('cache-control')).toBe('no-store');
    expect(body.id).toBe(id);
  });

  test('answers 304 without a body to a client that has the version', async () => {
    const { path } = await fresh();
    for (const tag of ['W/"1"', '"1"', 'W/"7", W/"1"', '*']) {
      const answer = await get(path, { 'if-none-match': tag });
      expect([answer.status, answer.body]).toEqual([304, undefined]);
      expect(answer.headers.get('etag')).toBe('W/"1"');
    }
    expect((await get(path, { 'if-none-match': 'W/"2"' })).status).toBe(200);
  });

  test('answers 304 when nothing changed since, and lets the tag decide when both are asked', async () => {
    const { path } = await fresh();
    const since = (date: string, more = {}) => get(path, { 'if-modified-since': date, ...more });
    expect((await since('Mon, 16 Mar 2026 02:00:00 GMT')).status).toBe(304);
    expect((await since('Mon, 16 Mar 2026 01:59:59 GMT')).status).toBe(200);
    expect((await since('Mon, 16 Mar 2026 02:00:00 GMT', { 'if-none-match': 'W/"9"' })).status).toBe(200);
    expect((await since('not a date')).status).toBe(200);
  });

  test('answers 404 for what never was and 410 for what was deleted, also to a client that had it', async () => {
    expectOutcome(await get('Patient/never'), 404, 'not-found');
    expectOutcome(await get('Nobody/1'), 404, 'not-supported');
    const { path } = await fresh();
    await remove(path);
    expectOutcome(await get(path), 410, 'deleted');
    expectOutcome(await get(path, { 'if-none-match': 'W/"1"' }), 410, 'deleted');
  });

  test('of one version gives it for ever; 410 for the one that deleted it, 404 for one that is not there', async () => {
    const { path, id } = await fresh({ gender: 'male' });
    await put({ resourceType: 'Patient', id, gender: 'female' });
    await remove(path);
    const first = await get(`${path}/_history/1`);
    expect([first.status, first.body.gender, first.headers.get('etag')]).toEqual([200, 'male', 'W/"1"']);
    expect(first.headers.get('last-modified')).toBe('Mon, 16 Mar 2026 02:00:00 GMT');
    expect((await get(`${path}/_history/2`)).body.gender).toBe('female');
    expectOutcome(await get(`${path}/_history/3`), 410, 'deleted');
    for (const version of ['4', '0', '01', '-1', 'x', '1e0', '99999999999999999999'])
      expectOutcome(await get(`${path}/_history/${version}`), 404, 'not-found');
  });
});

describe('update', () => {
  test('of what is there answers 200, of what is new 201 with Location', async () => {
    const { id } = await fresh();
    const update = await put({ resourceType: 'Patient', id, active: true });
    expect([update.status, update.headers.get('etag'), update.headers.get('location')]).toEqual([200, 'W/"2"', null]);
    expect(update.headers.get('last-modified')).toBe('Mon, 16 Mar 2026 02:00:00 GMT');
    const made = await put({ resourceType: 'Patient', id: 'new.One-1' });
    expect(made.status).toBe(201);
    expect(made.headers.get('location')).toBe(`${app.http}/Patient/new.One-1/_history/1`);
  });

  test('that changes nothing makes no version', async () => {
    const { path, id } = await fresh({ active: true });
    const before = await head();
    for (const body of [{ active: true, id, resourceType: 'Patient' }, (await get(path)).body]) {
      const again = await call('PUT', path, body);
      expect([again.status, again.headers.get('etag'), again.body.active]).toEqual([200, 'W/"1"', true]);
    }
    expect(await head()).toBe(before);
  });

  test('restores a deleted resource with the next version and answers 201', async () => {
    const { path, id } = await fresh();
    await remove(path);
    const back = await put({ resourceType: 'Patient', id });
    expect([back.status, back.headers.get('etag')]).toEqual([201, 'W/"3"']);
    expect(back.headers.get('location')).toBe(`${app.http}/${path}/_history/3`);
    expect((await get(path)).status).toBe(200);
  });

  test('with If-Match of another version answers 412 and changes nothing', async () => {
    const { path, id } = await fresh();
    const body = { resourceType: 'Patient', id, active: true };
    expectOutcome(await put(body, { 'if-match': 'W/"2"' }), 412, 'conflict');
    expectOutcome(await put(body, { 'if-match': '"of-another-server"' }), 412, 'conflict');
    expect((await get(path)).headers.get('etag')).toBe('W/"1"');
    expect((await put(body, { 'if-match': 'W/"1"' })).status).toBe(200);
    const none = { resourceType: 'Patient', id: 'none' };
    expectOutcome(await put(none, { 'if-match': 'W/"1"' }), 412, 'conflict');
    expectOutcome(await put(body, { 'if-match': 'yesterday' }), 400, 'structure');
  });

  test('with If-None-Match: * makes what is not there and touches nothing that is', async () => {
    // RFC 9110 13.1.2: how a client makes sure that it creates
    const { path, id } = await fresh();
    const only = { 'if-none-match': '*' };
    expectOutcome(await put({ resourceType: 'Patient', id, active: true }, only), 412, 'conflict');
    expect((await get(path)).headers.get('etag')).toBe('W/"1"');
    expect((await put({ resourceType: 'Patient', id: 'only-new' }, only)).status).toBe(201);
    await remove(path);
    expect((await put({ resourceType: 'Patient', id }, only)).status).toBe(201);
  });

  test('of many at once with the same If-Match lets exactly one through', async () => {
    const { id } = await fresh();
    const answers = await Promise.all(
      [1, 2, 3, 4, 5].map((n) =>
        put({ resourceType: 'Patient', id, multipleBirthInteger: n }, { 'if-match': 'W/"1"' }),
      ),
    );
    expect(answers.map((it) => it.status).sort()).toEqual([200, 412, 412, 412, 412]);
  });

  test('refuses a body whose id is not that of the URL, or has none', async () => {
    const { path } = await fresh();
    expectOutcome(await call('PUT', path, { resourceType: 'Patient', id: 'other' }), 400, 'structure');
    expectOutcome(await call('PUT', path, { resourceType: 'Patient' }), 400, 'structure');
    expectOutcome(await call('PUT', path, { resourceType: 'Person', id: path.slice(8) }), 400, 'structure');
  });
});

describe('delete', () => {
  test('answers 204 without a body, also the second time', async () => {
    const { path } = await fresh();
    for (let i = 0; i < 2; i++) {
      const answer = await remove(path);
      expect([answer.status, answer.body, answer.headers.get('etag')]).toEqual([204, undefined, 'W/"2"']);
    }
  });

  test('of what never was answers 204 as well: nothing is there afterwards', async () => {
    const before = await head();
    const answer = await remove('Patient/never');
    expect([answer.status, answer.headers.get('etag')]).toEqual([204, null]);
    expect(await head()).toBe(before);
  });

  test('with If-Match of another version answers 412 and deletes nothing', async () => {
    const { path } = await fresh();
    expectOutcome(await remove(path, { 'if-match': 'W/"4"' }), 412, 'conflict');
    expect((await get(path)).status).toBe(200);
    expect((await remove(path, { 'if-match': 'W/"1"' })).status).toBe(204);
  });

  test('takes the resource out of every search, and leaves its history', async () => {
    const { path, id } = await fresh({ identifier: [{ system: 'urn:d', value: 'gone' }] });
    await remove(path);
    expect((await get('Patient?identifier=urn:d|gone')).body.entry).toBeUndefined();
    expect((await get(`Patient?_id=${id}`)).body.entry).toBeUndefined();
    expect((await get(`${path}/_history`)).body.entry).toHaveLength(2);
  });
});
