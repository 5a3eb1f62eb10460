/** Every interaction with its status and headers. R4 http.html. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { App } from '../../src/app.ts';
import { FixedClock } from '../../src/clock.ts';
import { countingIds } from '../../src/ids.ts';
import { fhir, startTestApp } from '../support/app.ts';

const clock = new FixedClock('2026-03-16T02:00:00.250Z');
let app: App;
let last = 0;

beforeAll(async () => {
  app = await startTestApp({ clock, ids: countingIds('id') });
});
afterAll(() => app.stop());

type Answer = Awaited<ReturnType<typeof fhir>>;

function call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer> {
  return fhir(app, method, path, body, headers);
}

/** A Patient of its own for a test. */
async function fresh(more: object = {}): Promise<{ id: string; path: string }> {
  const id = `p${++last}`;
  await call('PUT', `Patient/${id}`, { resourceType: 'Patient', id, ...more });
  return { id, path: `Patient/${id}` };
}

function expectOutcome({ status, headers, body }: Answer, expected: number, code: string): void {
  expect(status).toBe(expected);
  expect(headers.get('content-type')).toBe('application/fhir+json; charset=utf-8');
  expect(body.resourceType).toBe('OperationOutcome');
  expect(body.issue[0]).toMatchObject({ severity: 'error', code });
}

describe('create', () => {
  test('answers 201 with Location, ETag, Last-Modified and the resource', async () => {
    const { status, headers, body } = await call('POST', 'Patient', { resourceType: 'Patient', gender: 'male' });
    expect(status).toBe(201);
    expect(body.id).toMatch(/^id-\d+$/);
    expect(headers.get('location')).toBe(`${app.http}/Patient/${body.id}/_history/1`);
    expect(headers.get('etag')).toBe('W/"1"');
    expect(headers.get('last-modified')).toBe('Mon, 16 Mar 2026 02:00:00 GMT');
    expect(headers.get('content-type')).toBe('application/fhir+json; charset=utf-8');
    expect(body.meta).toEqual({ versionId: '1', lastUpdated: '2026-03-16T02:00:00.250Z' });
    expect((await call('GET', `Patient/${body.id}`)).body).toEqual(body);
  });

  test('gives an id of its own, whatever the client sends', async () => {
    const { body } = await call('POST', 'Patient', { resourceType: 'Patient', id: 'mine' });
    expect(body.id).not.toBe('mine');
    expect((await call('GET', 'Patient/mine')).status).toBe(404);
  });

  test('refuses a body of another type with 400, one that is not valid with 422 and its place', async () => {
    expectOutcome(await call('POST', 'Patient', { resourceType: 'Person' }), 400, 'structure');
    const answer = await call('POST', 'Patient', { resourceType: 'Patient', gender: 'm' });
    expectOutcome(answer, 422, 'invalid');
    expect(answer.body.issue[0].expression).toEqual(['Patient.gender']);
  });

  test('does not do what If-None-Exist asks for, so it does not create either', async () => {
    const answer = await call(
      'POST',
      'Patient',
      { resourceType: 'Patient', active: false },
      { 'if-none-exist': 'a=b' },
    );
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.status).toBeLessThan(500);
    expect((await call('GET', 'Patient?active=false')).body.entry).toBeUndefined();
  });

  test('takes application/json as well, and a body without a type', async () => {
    const bytes = JSON.stringify({ resourceType: 'Patient' });
    for (const type of [
      'application/json',
      'application/fhir+json;charset=UTF-8',
      'application/fhir+json; fhirVersion=4.0',
    ])
      expect((await call('POST', 'Patient', bytes, { 'content-type': type })).status).toBe(201);
  });
});

describe('read', () => {
  test('answers 200 with ETag and Last-Modified', async () => {
    const { path, id } = await fresh();
    const { status, headers, body } = await call('GET', path);
    expect(status).toBe(200);
    expect(headers.get('etag')).toBe('W/"1"');
    expect(headers.get('last-modified')).toBe('Mon, 16 Mar 2026 02:00:00 GMT');
    expect(headers.get('cache-control')).toBe('no-store');
    expect(body.id).toBe(id);
  });

  test('answers 304 without a body to a client that has the version', async () => {
    const { path } = await fresh();
    for (const tag of ['W/"1"', '"1"', 'W/"7", W/"1"']) {
      const answer = await call('GET', path, undefined, { 'if-none-match': tag });
      expect([answer.status, answer.body]).toEqual([304, undefined]);
      expect(answer.headers.get('etag')).toBe('W/"1"');
    }
    expect((await call('GET', path, undefined, { 'if-none-match': 'W/"2"' })).status).toBe(200);
  });

  test('answers 304 when nothing changed since, and lets the tag decide when both are asked', async () => {
    const { path } = await fresh();
    const since = (date: string, more = {}) => call('GET', path, undefined, { 'if-modified-since': date, ...more });
    expect((await since('Mon, 16 Mar 2026 02:00:00 GMT')).status).toBe(304);
    expect((await since('Mon, 16 Mar 2026 01:59:59 GMT')).status).toBe(200);
    expect((await since('Mon, 16 Mar 2026 02:00:00 GMT', { 'if-none-match': 'W/"9"' })).status).toBe(200);
    expect((await since('not a date')).status).toBe(200);
  });

  test('answers 404 for what never was and 410 for what was deleted', async () => {
    expectOutcome(await call('GET', 'Patient/never'), 404, 'not-found');
    expectOutcome(await call('GET', 'Nobody/1'), 404, 'not-supported');
    const { path } = await fresh();
    await call('DELETE', path);
    expectOutcome(await call('GET', path), 410, 'deleted');
  });

  test('by HEAD answers the same headers and no body', async () => {
    const { path } = await fresh();
    const get = await call('GET', path);
    const head = await call('HEAD', path);
    expect([head.status, head.body]).toEqual([200, undefined]);
    for (const name of ['etag', 'last-modified', 'content-type', 'content-length'])
      expect([name, head.headers.get(name)]).toEqual([name, get.headers.get(name)]);
    expect((await call('HEAD', 'Patient/never')).status).toBe(404);
  });

  test('of one version gives it for ever; 410 for the one that deleted it, 404 for one that is not there', async () => {
    const { path, id } = await fresh({ gender: 'male' });
    await call('PUT', path, { resourceType: 'Patient', id, gender: 'female' });
    await call('DELETE', path);
    const first = await call('GET', `${path}/_history/1`);
    expect([first.status, first.body.gender, first.headers.get('etag')]).toEqual([200, 'male', 'W/"1"']);
    expect(first.headers.get('last-modified')).toBe('Mon, 16 Mar 2026 02:00:00 GMT');
    expect((await call('GET', `${path}/_history/2`)).body.gender).toBe('female');
    expectOutcome(await call('GET', `${path}/_history/3`), 410, 'deleted');
    for (const version of ['4', '0', '01', '-1', 'x', '1e0', '99999999999999999999'])
      expectOutcome(await call('GET', `${path}/_history/${version}`), 404, 'not-found');
  });
});

describe('update', () => {
  test('of what is there answers 200, of what is new 201 with Location', async () => {
    const { path, id } = await fresh();
    const update = await call('PUT', path, { resourceType: 'Patient', id, active: true });
    expect([update.status, update.headers.get('etag'), update.headers.get('location')]).toEqual([200, 'W/"2"', null]);
    expect(update.headers.get('last-modified')).toBe('Mon, 16 Mar 2026 02:00:00 GMT');
    const made = await call('PUT', 'Patient/new.One-1', { resourceType: 'Patient', id: 'new.One-1' });
    expect(made.status).toBe(201);
    expect(made.headers.get('location')).toBe(`${app.http}/Patient/new.One-1/_history/1`);
  });

  test('that changes nothing makes no version', async () => {
    const { path, id } = await fresh({ active: true });
    const again = await call('PUT', path, { active: true, id, resourceType: 'Patient' });
    expect([again.status, again.headers.get('etag')]).toEqual([200, 'W/"1"']);
  });

  test('restores a deleted resource with the next version and answers 201', async () => {
    const { path, id } = await fresh();
    await call('DELETE', path);
    const back = await call('PUT', path, { resourceType: 'Patient', id });
    expect([back.status, back.headers.get('etag')]).toEqual([201, 'W/"3"']);
    expect((await call('GET', path)).status).toBe(200);
  });

  test('with If-Match of another version answers 412 and changes nothing', async () => {
    const { path, id } = await fresh();
    const body = { resourceType: 'Patient', id, active: true };
    expectOutcome(await call('PUT', path, body, { 'if-match': 'W/"2"' }), 412, 'conflict');
    expect((await call('GET', path)).headers.get('etag')).toBe('W/"1"');
    expect((await call('PUT', path, body, { 'if-match': 'W/"1"' })).status).toBe(200);
    expectOutcome(
      await call('PUT', 'Patient/none', { resourceType: 'Patient', id: 'none' }, { 'if-match': 'W/"1"' }),
      412,
      'conflict',
    );
    expectOutcome(await call('PUT', path, body, { 'if-match': 'yesterday' }), 400, 'structure');
  });

  test('of many at once with the same If-Match lets exactly one through', async () => {
    const { path, id } = await fresh();
    const answers = await Promise.all(
      [1, 2, 3, 4, 5].map((n) =>
        call('PUT', path, { resourceType: 'Patient', id, multipleBirthInteger: n }, { 'if-match': 'W/"1"' }),
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
      const answer = await call('DELETE', path);
      expect([answer.status, answer.body, answer.headers.get('etag')]).toEqual([204, undefined, 'W/"2"']);
    }
  });

  test('of what never was is no failure of the server', async () => {
    expect([204, 404]).toContain((await call('DELETE', 'Patient/never')).status);
  });

  test('with If-Match of another version answers 412 and deletes nothing', async () => {
    const { path } = await fresh();
    expectOutcome(await call('DELETE', path, undefined, { 'if-match': 'W/"4"' }), 412, 'conflict');
    expect((await call('GET', path)).status).toBe(200);
    expect((await call('DELETE', path, undefined, { 'if-match': 'W/"1"' })).status).toBe(204);
  });
});

describe('Prefer', () => {
  const body = { resourceType: 'Patient' };
  const prefer = (value: string) => call('POST', 'Patient', body, { prefer: value });

  test('return=minimal answers without a body, but with all headers', async () => {
    const answer = await prefer('return=minimal');
    expect([answer.status, answer.body]).toEqual([201, undefined]);
    expect(answer.headers.get('etag')).toBe('W/"1"');
    expect(answer.headers.get('location')).toContain('/_history/1');
  });

  test('return=representation answers the resource, return=OperationOutcome an outcome', async () => {
    expect((await prefer('return=representation')).body.resourceType).toBe('Patient');
    const { status, body } = await prefer('return=OperationOutcome; handling=strict');
    expect([status, body.resourceType, body.issue[0].severity]).toEqual([201, 'OperationOutcome', 'information']);
  });

  test('holds for updates too', async () => {
    const { path, id } = await fresh();
    const answer = await call('PUT', path, { ...body, id, active: true }, { prefer: 'return=minimal' });
    expect([answer.status, answer.body]).toEqual([200, undefined]);
  });
});

describe('what cannot be had', () => {
  test.each([
    ['PATCH', 'Patient/1'],
    ['PUT', 'Patient'],
    ['DELETE', 'Patient'],
    ['POST', 'Patient/1'],
    ['PUT', 'metadata'],
    ['GET', ''],
    ['DELETE', 'Patient/1/_history/1'],
  ])('%s %s answers 405', async (method, path) => {
    expectOutcome(await call(method, path, method === 'GET' ? undefined : {}), 405, 'not-supported');
  });

  test('is said with the methods that are allowed: RFC 9110 15.5.6 wants Allow in a 405', async () => {
    const { headers } = await call('PATCH', 'Patient/1', {});
    expect(headers.get('allow')?.split(/, ?/)).toEqual(expect.arrayContaining(['GET', 'PUT', 'DELETE']));
  });

  test.each(['Patient/1/$everything', '$export', 'Patient/$match', '_history', 'Patient/1/2/3', 'Patient/_history'])(
    'GET %s answers 404 with an outcome',
    async (path) => {
      const answer = await call('GET', path);
      expectOutcome(answer, 404, 'not-supported');
    },
  );

  test.each(['application/fhir+xml', 'text/html', 'application/xml', 'application/fhir+turtle'])(
    'Accept: %s answers 406',
    async (accept) => {
      expectOutcome(await call('GET', 'Patient', undefined, { accept }), 406, 'not-supported');
    },
  );

  test.each([
    '*/*',
    'application/*',
    'application/json',
    'application/fhir+json',
    'application/fhir+json;q=0.9, application/fhir+xml;q=1',
    'application/fhir+json; fhirVersion=4.0',
    'application/fhir+json;charset=utf-8',
  ])('Accept: %s answers JSON', async (accept) => {
    const answer = await call('GET', 'Patient?_count=1', undefined, { accept });
    expect([answer.status, answer.body?.resourceType]).toEqual([200, 'Bundle']);
  });

  test('_format wins over Accept', async () => {
    expect((await call('GET', 'Patient?_format=json', undefined, { accept: 'text/html' })).status).toBe(200);
    expect((await call('GET', 'Patient?_format=application/fhir%2Bjson')).status).toBe(200);
    expect((await call('GET', 'Patient?_format=application/fhir+json')).status).toBe(200);
    expectOutcome(await call('GET', 'Patient?_format=xml'), 406, 'not-supported');
  });

  test.each(['application/fhir+xml', 'text/plain', 'application/xml'])('a body of %s answers 415', async (type) => {
    expectOutcome(await call('POST', 'Patient', '<Patient/>', { 'content-type': type }), 415, 'not-supported');
  });

  test('_pretty writes lines', async () => {
    const { path } = await fresh();
    const text = await (await fetch(`${app.http}/${path}?_pretty=true`)).text();
    expect(text).toContain('\n  "resourceType": "Patient"');
  });
});
