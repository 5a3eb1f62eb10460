/** A Binary as its content and as a resource. R4 binary.html#rest. */
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { App } from '../../src/app.ts';
import { portOf, startTestApp } from '../support/app.ts';
import { clientOf, expectOutcome, form } from './client.ts';

let app: App;
beforeAll(async () => {
  app = await startTestApp({ config: { bodyBytesMax: 1_000_000 } });
});
afterAll(() => app.stop());

const { call, get, put, remove, head, bundle } = clientOf(() => app);

/** A request for bytes. */
async function bytes(method: string, path: string, body?: Uint8Array, headers: Record<string, string> = {}) {
  const response = await fetch(`${app.http}/${path}`, {
    method,
    headers,
    ...(body && { body: body as Buffer<ArrayBuffer> }),
  });
  return { status: response.status, headers: response.headers, body: Buffer.from(await response.arrayBuffer()) };
}

const png = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex');

describe('content as it is', () => {
  test.each([
    ['image/png', png],
    ['text/plain', Buffer.from('hello')],
    ['text/plain; charset=gb18030', Buffer.from([0xc4, 0xe3, 0xba, 0xc3])],
    ['application/pdf', Buffer.from('%PDF-1.7')],
    ['application/octet-stream', Buffer.from(Array.from({ length: 256 }, (_, i) => i))],
    ['application/json', Buffer.from('{"a": 1, "__proto__": 2}')],
    ['application/json', Buffer.from('not json at all')],
    ['application/xml', Buffer.from('<a/>')],
    ['text/html', Buffer.from('<script>alert(1)</script>')],
    ['application/x-www-form-urlencoded', Buffer.from('a=b')],
    ['application/json-patch+json', Buffer.from('[]')],
    ['application/x-pkcs7-mime;smime-type=signed-data', png],
  ])('of type %s is kept by POST and given back by GET', async (type, content) => {
    const made = await bytes('POST', 'Binary', content, { 'content-type': type });
    expect(made.status).toBe(201);
    expect(made.headers.get('content-type')).toBe('application/fhir+json; charset=utf-8');
    const { id, contentType, data } = JSON.parse(made.body.toString());
    expect([contentType, data]).toEqual([type, content.toString('base64')]);
    const given = await bytes('GET', `Binary/${id}`);
    expect([given.status, given.headers.get('content-type')]).toEqual([200, type]);
    expect(given.body.equals(content)).toBe(true);
    expect(given.headers.get('etag')).toBe('W/"1"');
    expect(given.headers.get('last-modified')).toBeTruthy();
    // What a client stored is not run by the browser that shows it.
    expect(given.headers.get('content-disposition')).toBe('attachment');
    expect(given.headers.get('x-content-type-options')).toBe('nosniff');
  });

  test('of any bytes comes back as those bytes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (content) => {
        const headers = { 'content-type': 'application/octet-stream' };
        const { status } = await bytes('PUT', 'Binary/any', Buffer.from(content), headers);
        expect([200, 201]).toContain(status);
        expect((await bytes('GET', 'Binary/any')).body.equals(Buffer.from(content))).toBe(true);
      }),
      { numRuns: 30 },
    );
  });

  test('of no length is a Binary without data', async () => {
    const made = await bytes('PUT', 'Binary/empty', Buffer.alloc(0), { 'content-type': 'text/plain' });
    expect([made.status, JSON.parse(made.body.toString()).data]).toEqual([201, undefined]);
    const given = await bytes('GET', 'Binary/empty');
    expect([given.status, given.headers.get('content-type'), given.body.length]).toEqual([200, 'text/plain', 0]);
  });

  test('is changed by PUT under the id of the URL, whose versions stay', async () => {
    const type = { 'content-type': 'text/plain' };
    expect((await bytes('PUT', 'Binary/b1', Buffer.from('one'), type)).status).toBe(201);
    expect((await bytes('PUT', 'Binary/b1', Buffer.from('two'), { ...type, 'if-match': 'W/"1"' })).status).toBe(200);
    expect((await bytes('PUT', 'Binary/b1', Buffer.from('x'), { ...type, 'if-match': 'W/"1"' })).status).toBe(412);
    expect((await bytes('GET', 'Binary/b1/_history/1')).body.toString()).toBe('one');
    expect((await bytes('GET', 'Binary/b1')).body.toString()).toBe('two');
    expect((await bytes('GET', 'Binary/b1', undefined, { 'if-none-match': 'W/"2"' })).status).toBe(304);
    await remove('Binary/b1');
    expectOutcome(await get('Binary/b1'), 410, 'deleted');
  });

  test('by HEAD has its type and length', async () => {
    await bytes('PUT', 'Binary/h1', png, { 'content-type': 'image/png' });
    const { status, headers, body } = await bytes('HEAD', 'Binary/h1');
    expect([status, headers.get('content-type'), headers.get('content-length'), body.length]).toEqual([
      200,
      'image/png',
      String(png.length),
      0,
    ]);
  });

  test('keeps who may see it, and says so again', async () => {
    const headers = { 'content-type': 'text/plain', 'x-security-context': 'Patient/1' };
    const made = await bytes('PUT', 'Binary/secret', Buffer.from('x'), headers);
    expect(JSON.parse(made.body.toString()).securityContext).toEqual({ reference: 'Patient/1' });
    expect((await bytes('GET', 'Binary/secret')).headers.get('x-security-context')).toBe('Patient/1');
  });
});

describe('a Binary is given', () => {
  beforeAll(async () => {
    await put({ resourceType: 'Binary', id: 'j1', contentType: 'text/plain', data: 'aGVsbG8=' });
  });

  test.each([
    ['*/*', '', 'raw'],
    ['text/plain', '', 'raw'],
    ['image/png', '', 'raw'],
    ['application/json', '', 'raw'],
    ['application/fhir+json', '', 'json'],
    ['application/fhir+xml', '', 'xml'],
    ['application/fhir+json;q=0.5, application/fhir+xml', '', 'xml'],
    ['*/*', '?_format=json', 'json'],
    ['image/png', '?_format=xml', 'xml'],
    ['*/*', '?_elements=contentType', 'json'],
    ['*/*', '?_summary=true', 'json'],
  ])('to Accept: %s%s as %s', async (accept, query, as) => {
    const { status, headers, body } = await bytes('GET', `Binary/j1${query}`, undefined, { accept });
    expect(status).toBe(200);
    const type = as === 'raw' ? 'text/plain' : `application/fhir+${as}; charset=utf-8`;
    expect(headers.get('content-type')).toBe(type);
    expect(body.toString().includes('hello')).toBe(as === 'raw');
    if (as === 'json') expect(JSON.parse(body.toString()).resourceType).toBe('Binary');
  });

  test.each(['Binary?_id=j1', 'Binary/j1/_history', 'Binary/_history'])(
    'as a resource by %s, to which Accept applies as to any other',
    async (path) => {
      const json = await bytes('GET', path, undefined, { accept: 'application/json' });
      expect(JSON.parse(json.body.toString()).resourceType).toBe('Bundle');
      expect((await bytes('GET', path, undefined, { accept: 'image/png' })).status).toBe(406);
    },
  );

  test('as a resource inside a Bundle', async () => {
    const { body } = await bundle('batch', [{ request: { method: 'GET', url: 'Binary/j1' } }]);
    expect(body.entry[0].resource).toMatchObject({ resourceType: 'Binary', data: 'aGVsbG8=' });
  });

  test('as an OperationOutcome when it is not there, whatever Accept says', async () => {
    for (const accept of ['*/*', 'image/png', 'application/fhir+json'])
      expectOutcome(await get('Binary/never', { accept }), 404, 'not-found');
  });
});

describe('a Binary as a resource', () => {
  test('is taken by the FHIR types, and checked', async () => {
    const body = { resourceType: 'Binary', contentType: 'image/png', data: png.toString('base64') };
    expect((await call('POST', 'Binary', body)).status).toBe(201);
    const xml = `<Binary xmlns="http://hl7.org/fhir"><contentType value="text/plain"/><data value="aGVsbG8="/></Binary>`;
    const made = await bytes('POST', 'Binary', Buffer.from(xml), { 'content-type': 'application/fhir+xml' });
    expect([made.status, JSON.parse(made.body.toString()).data]).toEqual([201, 'aGVsbG8=']);
    expectOutcome(await call('POST', 'Binary', { ...body, contentType: undefined }), 422, 'invalid');
    expectOutcome(await call('POST', 'Binary', { ...body, resourceType: 'Patient' }), 400, 'structure');
  });

  test('can be searched for by POST and validated like others', async () => {
    expect((await call('POST', 'Binary/_search', '_id=j1', form)).body.entry).toHaveLength(1);
    const text = '{"resourceType":"Binary"}';
    const answer = await call('POST', 'Binary/$validate', text, { 'content-type': 'application/json' });
    expect([answer.status, answer.body.issue[0].severity]).toEqual([200, 'error']);
  });
});

describe('hostile content', () => {
  test('that is longer than allowed answers 413 and is not kept', async () => {
    const before = await head();
    const { status, body } = await bytes('POST', 'Binary', Buffer.alloc(1_000_001), { 'content-type': 'image/png' });
    expect([status, JSON.parse(body.toString()).issue[0].code]).toEqual([413, 'too-long']);
    expect(await head()).toBe(before);
  });

  test.each([
    'text/html\r\nX-Evil: 1',
    'text/plain\nX-Evil: 1',
    'text/plain\u0000',
    '文本/纯',
    'plain',
    'a/b/c',
    ' ',
    'x'.repeat(300),
  ])('whose resource says %j puts no header into the answer', async (contentType) => {
    const { status } = await put({ resourceType: 'Binary', id: 'evil', contentType, data: 'aGVsbG8=' });
    if (status >= 400) expect([400, 422]).toContain(status);
    else {
      const given = await bytes('GET', 'Binary/evil');
      expect([given.status, given.body.toString()]).toEqual([200, 'hello']);
      expect(given.headers.get('x-evil')).toBeNull();
      expect(given.headers.get('content-type')).toBe('application/octet-stream');
    }
    await remove('Binary/evil');
  });

  test('whose resource has a security context with a line of its own puts no header into the answer', async () => {
    const securityContext = { reference: 'Patient/1\r\nX-Evil: 1' };
    const { status } = await put({ resourceType: 'Binary', id: 'evil', contentType: 'text/plain', securityContext });
    if (status >= 400) expect([400, 422]).toContain(status);
    else {
      const given = await bytes('GET', 'Binary/evil');
      expect([given.status, given.headers.get('x-evil')]).toEqual([200, null]);
    }
  });

  test.each(['plain', 'text', 'text/', '/plain', 'text/plain, image/png', 'a'.repeat(500)])(
    'of a type that is none, %j, is refused',
    async (type) => {
      const before = await head();
      const line = `POST /fhir/Binary HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: ${type}\r\nContent-Length: 1\r\n\r\nx`;
      const answer = await new Promise<string>((resolve, reject) => {
        const socket = connect(portOf(app.http), '127.0.0.1', () => socket.write(line));
        let text = '';
        socket.on('data', (chunk) => (text += chunk));
        socket.on('error', reject);
        socket.on('close', () => resolve(text));
      });
      expect(answer).toMatch(/^HTTP\/1\.1 4\d\d [\s\S]*"resourceType":"OperationOutcome"/);
      expect(await head()).toBe(before);
    },
  );
});
