/** What a client may ask for beside the interaction: formats, representations, HEAD; and what cannot be had. R4 http.html. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { App } from '../../src/app.ts';
import { startTestApp } from '../support/app.ts';
import { clientOf, expectOutcome } from './client.ts';

let app: App;
beforeAll(async () => {
  app = await startTestApp();
  await put({ resourceType: 'Patient', id: 'n1', active: true });
  await put({ resourceType: 'Patient', id: 'gone' });
  await remove('Patient/gone');
  await put({ resourceType: 'Binary', id: 'b1', contentType: 'text/plain', data: 'aGVsbG8=' });
});
afterAll(() => app.stop());

const { call, get, post, put, remove, head, text } = clientOf(() => app);

describe('Prefer', () => {
  const body = { resourceType: 'Patient' };

  test('return=minimal answers without a body, but with all headers', async () => {
    const answer = await post(body, { prefer: 'return=minimal' });
    expect([answer.status, answer.body]).toEqual([201, undefined]);
    expect(answer.headers.get('etag')).toBe('W/"1"');
    expect(answer.headers.get('last-modified')).toBeTruthy();
    expect(answer.headers.get('location')).toContain('/_history/1');
  });

  test.each([
    ['return=representation', 'Patient'],
    ['return=OperationOutcome', 'OperationOutcome'],
    ['return=OperationOutcome; handling=strict', 'OperationOutcome'],
    ['handling=lenient, return=representation', 'Patient'],
    ['return="OperationOutcome"', 'OperationOutcome'],
    ['respond-async', 'Patient'],
    ['return=everything', 'Patient'],
    ['', 'Patient'],
  ])('%j answers a create with %s', async (prefer, type) => {
    const answer = await post(body, { prefer });
    expect([answer.status, answer.body.resourceType]).toEqual([201, type]);
    if (type === 'OperationOutcome') expect(answer.body.issue[0].severity).toBe('information');
  });

  test('holds for updates and patches too', async () => {
    const minimal = { prefer: 'return=minimal' };
    await put({ ...body, id: 'up' });
    const update = await put({ ...body, id: 'up', active: true }, minimal);
    expect([update.status, update.body, update.headers.get('etag')]).toEqual([200, undefined, 'W/"2"']);
    const operations = [{ op: 'replace', path: '/active', value: false }];
    const patch = await call('PATCH', 'Patient/up', operations, {
      ...minimal,
      'content-type': 'application/json-patch+json',
    });
    expect([patch.status, patch.body, patch.headers.get('etag')]).toEqual([200, undefined, 'W/"3"']);
  });
});

describe('HEAD', () => {
  test.each([
    'Patient/n1',
    'Patient/n1/_history',
    'Patient/n1/_history/1',
    'Patient/_history',
    '_history?_count=1',
    'Patient?_id=n1',
    'Patient/n1/Observation',
    '?_type=Patient&_id=n1',
    'metadata',
    'metadata?mode=terminology',
    'Patient/n1/$everything',
    'Patient/n1/$meta',
    'Binary/b1',
    'Patient/never',
    'Patient/gone',
    'Patient?nonsense:exact=1',
    'Patient/n1/$nothing',
  ])('%s answers as GET, without the body', async (path) => {
    const [given, asked] = [await text('GET', path), await text('HEAD', path)];
    expect([asked.status, asked.text]).toEqual([given.status, '']);
    for (const name of ['etag', 'last-modified', 'content-type', 'content-length'])
      expect([name, asked.headers.get(name)]).toEqual([name, given.headers.get(name)]);
  });

  test('answers 304 to a client that has the version', async () => {
    expect((await text('HEAD', 'Patient/n1', undefined, { 'if-none-match': 'W/"1"' })).status).toBe(304);
  });
});

describe('what cannot be had', () => {
  test.each([
    ['POST', 'Patient/n1'],
    ['PUT', 'metadata'],
    ['PUT', ''],
    ['DELETE', ''],
    ['PATCH', ''],
    ['DELETE', 'Patient/n1/_history/1'],
    ['DELETE', 'Patient/n1/_history'],
    ['GET', 'Patient/n1/$meta-add'],
    ['GET', 'Patient/$match'],
    ['OPTIONS', 'Patient'],
  ])('%s %s answers 405', async (method, path) => {
    const before = await head();
    expectOutcome(await call(method, path, method === 'GET' ? undefined : {}), 405, 'not-supported');
    expect(await head()).toBe(before);
  });

  test('is said with the methods that are allowed: RFC 9110 15.5.6 wants Allow in a 405', async () => {
    const { headers } = await call('POST', 'Patient/n1', {});
    expect(headers.get('allow')?.split(/, ?/).sort()).toEqual(['DELETE', 'GET', 'HEAD', 'PATCH', 'PUT']);
  });

  test.each([
    'Observation/1/$everything',
    '$export',
    'Patient/$lookup',
    'Patient/1/2/3',
    'Patient/1/_history/1/x',
    'Nobody',
    'patient',
    'Patient/n1/Nobody',
    '_search/x',
    '$meta',
  ])('GET %s answers 404 with an outcome', async (path) => {
    expectOutcome(await get(path), 404, 'not-supported');
  });
});

describe('the format of an answer', () => {
  test.each([
    ['*/*', 'json'],
    ['application/*', 'json'],
    ['', 'json'],
    ['application/json', 'json'],
    ['application/fhir+json', 'json'],
    ['application/fhir+json; fhirVersion=4.0', 'json'],
    ['application/fhir+json;charset=utf-8', 'json'],
    ['text/html, application/xhtml+xml;q=0.9, */*;q=0.8', 'json'],
    ['application/fhir+xml', 'xml'],
    ['application/xml', 'xml'],
    ['text/xml', 'xml'],
    ['application/fhir+json;q=0.9, application/fhir+xml;q=1', 'xml'],
    ['application/fhir+xml;q=0.1, application/fhir+json;q=0', 'xml'],
    ['application/fhir+turtle, application/fhir+xml', 'xml'],
  ])('to Accept: %s is %s', async (accept, format) => {
    const { status, type } = await text('GET', 'Patient?_count=1', undefined, { accept });
    expect([status, type]).toEqual([200, `application/fhir+${format}; charset=utf-8`]);
  });

  test.each(['text/html', 'application/fhir+turtle', 'image/png', 'application/fhir+json;q=0', 'nonsense'])(
    'that Accept: %s asks for is not there: 406, and nothing is done',
    async (accept) => {
      expectOutcome(await get('Patient', { accept }), 406, 'not-supported');
      const before = await head();
      expectOutcome(await post({ resourceType: 'Patient' }, { accept }), 406, 'not-supported');
      expect(await head()).toBe(before);
    },
  );

  test.each([
    ['json', 'json'],
    ['xml', 'xml'],
    ['application/fhir%2Bxml', 'xml'],
    ['application/fhir+xml', 'xml'],
    ['text/xml', 'xml'],
    ['application/json', 'json'],
  ])('by _format=%s is %s, whatever Accept says', async (wish, format) => {
    const { status, type } = await text('GET', `Patient/n1?_format=${wish}`, undefined, { accept: 'text/html' });
    expect([status, type]).toEqual([200, `application/fhir+${format}; charset=utf-8`]);
  });

  test.each(['ttl', 'html', 'text/turtle', 'jsonx'])('by _format=%s is not there: 406', async (wish) => {
    expectOutcome(await get(`Patient/n1?_format=${wish}`), 406, 'not-supported');
  });

  test('is that of _format also for an error', async () => {
    const { status, type, text: body } = await text('GET', 'Patient/never?_format=xml&_pretty=true');
    expect([status, type]).toEqual([404, 'application/fhir+xml; charset=utf-8']);
    expect(body).toMatch(/<OperationOutcome[\s\S]*\n {2}<issue>/);
  });

  test('_pretty writes lines', async () => {
    expect((await text('GET', 'Patient/n1?_pretty=true')).text).toContain('\n  "resourceType": "Patient"');
    expect((await text('GET', 'Patient/n1?_pretty=false')).text).not.toContain('\n');
    expect((await text('GET', 'Patient/n1?_format=xml&_pretty=true')).text).toMatch(/\n {2}<active value="true"\/>/);
  });
});

describe('the type of a body', () => {
  test.each([
    ['POST', 'Patient', 'text/plain'],
    ['POST', 'Patient', 'application/fhir+turtle'],
    ['POST', 'Patient', 'application/x-www-form-urlencoded'],
    ['PUT', 'Patient/n1', 'application/x-www-form-urlencoded'],
    ['PUT', 'Patient/n1', 'image/png'],
    ['POST', '', 'text/html'],
    ['POST', 'Patient/_search', 'application/fhir+json'],
    ['POST', '_search', 'application/json'],
    ['PATCH', 'Patient/n1', 'application/merge-patch+json'],
    ['PATCH', 'Patient/n1', 'application/x-www-form-urlencoded'],
    ['POST', 'ValueSet/$expand', 'text/plain'],
  ])('that %s %s cannot take, %s, answers 415', async (method, path, type) => {
    const before = await head();
    const answer = await call(method, path, '{"resourceType":"Patient","id":"n1"}', { 'content-type': type });
    expectOutcome(answer, 415, 'not-supported');
    expect(await head()).toBe(before);
  });
});
