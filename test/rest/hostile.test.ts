/** Whatever comes in: always a 4xx with an OperationOutcome, never a defect, and the server goes on. */
import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { App } from '../../src/app.ts';
import { fhir, portOf, startTestApp } from '../support/app.ts';

let app: App;
beforeAll(async () => {
  app = await startTestApp({ config: { bodyBytesMax: 1_000_000 } });
});
afterAll(() => app.stop());

afterEach(async () => {
  expect((await fhir(app, 'GET', 'Patient?_count=1')).status).toBe(200);
});

type Answer = { status: number; type: string; body: any };

/** A request as written: `fetch` would mend the URL and the body. */
function raw(head: string, body: Uint8Array | string = ''): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const chunks: Uint8Array[] = [];
    const socket = connect(portOf(app.http), '127.0.0.1', () => {
      const bytes = Buffer.from(body);
      const length = bytes.length > 0 ? `Content-Length: ${bytes.length}\r\n` : '';
      socket.write(`${head}\r\nHost: x\r\nConnection: close\r\n${length}\r\n`, 'latin1');
      socket.write(bytes);
    });
    socket.on('data', (chunk) => chunks.push(Buffer.from(chunk)));
    socket.on('error', reject);
    socket.on('close', () => {
      const text = Buffer.concat(chunks).toString();
      const [start = '', content = ''] = text.split(/\r\n\r\n([\s\S]*)/, 2);
      const status = Number(start.split(' ')[1]);
      const type = /^content-type: (.*)$/im.exec(start)?.[1] ?? '';
      const json = type.includes('json') ? JSON.parse(content) : undefined;
      resolve({ status, type, body: json });
    });
  });
}

function expectRefused({ status, body }: { status: number; body: any }): void {
  expect(status).toBeGreaterThanOrEqual(400);
  expect(status).toBeLessThan(500);
  expect(body?.resourceType).toBe('OperationOutcome');
  expect(body.issue.length).toBeGreaterThan(0);
}

const json = 'Content-Type: application/fhir+json';

describe('a hostile body', () => {
  test.each<[string, Uint8Array | string]>([
    ['no UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x7d])],
    ['UTF-8 that was cut off', Buffer.from('{"resourceType":"Patient","name":[{"text":"张').subarray(0, -1)],
    ['UTF-8 of a surrogate', Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22])],
    ['UTF-16', Buffer.from('{"resourceType":"Patient"}', 'utf16le')],
    ['half of a surrogate pair', '{"resourceType":"Patient","name":[{"family":"x\\ud83d"}]}'],
    ['the halves of a pair the wrong way round', '{"resourceType":"Patient","name":[{"family":"\\ude00\\ud83d"}]}'],
    ['a NUL', '{"resourceType":"Patient","name":[{"family":"\\u0000"}]}'],
    ['a control character', '{"resourceType":"Patient","name":[{"family":"a\\u001bb"}]}'],
    ['what is no character', '{"resourceType":"Patient","name":[{"family":"\uffff"}]}'],
    ['no JSON', '{"resourceType":"Patient"'],
    ['two JSON texts', '{"resourceType":"Patient"}{}'],
    ['null', 'null'],
    ['a number', '1e999'],
    ['a list', '[{"resourceType":"Patient"}]'],
    ['a text', '"Patient"'],
    ['nothing at all', ''],
    ['blanks', '   '],
    ['a list nested 500,000 deep', '['.repeat(200_000) + ']'.repeat(200_000)],
    ['an object nested deep', `{"resourceType":"Patient","a":${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}}`],
    ['__proto__', '{"resourceType":"Patient","__proto__":{"active":true}}'],
    ['__proto__ inside', '{"resourceType":"Patient","name":[{"__proto__":{"family":"x"}}]}'],
    ['constructor', '{"resourceType":"Patient","constructor":{"prototype":{"x":1}}}'],
    ['a type that every object has', '{"resourceType":"__proto__"}'],
    ['a type that is a list', '{"resourceType":["Patient"]}'],
    ['a key of a mile', `{"resourceType":"Patient","${'k'.repeat(500_000)}":1}`],
    [
      'a hundred thousand wrong keys',
      `{"resourceType":"Patient"${Array.from({ length: 50_000 }, (_, i) => `,"k${i}":1`).join('')}}`,
    ],
  ])('of %s is refused', async (_, body) => {
    expectRefused(await raw(`POST /fhir/Patient HTTP/1.1\r\n${json}`, body));
  });

  test('may hold every character, written as such or as an escape', async () => {
    const text = 'a\\tb\\u000d\\u000a \\ud83d\\ude00 😀 \\u0085 张 \\ufffd';
    const answer = await raw(
      `POST /fhir/Patient HTTP/1.1\r\n${json}`,
      `{"resourceType":"Patient","name":[{"text":"${text}"}]}`,
    );
    expect([answer.status, answer.body.name[0].text]).toEqual([201, 'a\tb\r\n 😀 😀 \u0085 张 \ufffd']);
  });

  test('that is longer than allowed answers 413', async () => {
    const answer = await raw(`POST /fhir/Patient HTTP/1.1\r\n${json}`, 'x'.repeat(1_000_001));
    expect(answer.status).toBe(413);
    expectRefused(answer);
  });

  test('that becomes longer than allowed when it is unpacked answers 413', async () => {
    const bomb = gzipSync(Buffer.alloc(20_000_000, 0x20));
    const answer = await raw(`POST /fhir/Patient HTTP/1.1\r\n${json}\r\nContent-Encoding: gzip`, bomb);
    expect(answer.status).toBe(413);
    expectRefused(answer);
  });

  test('that is packed in a way that is not known, or broken, is refused', async () => {
    expectRefused(await raw(`POST /fhir/Patient HTTP/1.1\r\n${json}\r\nContent-Encoding: x-rot13`, 'abc'));
    expectRefused(await raw(`POST /fhir/Patient HTTP/1.1\r\n${json}\r\nContent-Encoding: gzip`, 'abc'));
  });

  test('leaves the objects of the process alone', () => {
    expect(({} as any).active).toBeUndefined();
    expect(({} as any).x).toBeUndefined();
  });
});

describe('a hostile URL', () => {
  test.each([
    '/fhir/Patient/%',
    '/fhir/Patient/%E0%A4%A',
    '/fhir/Patient/%ff',
    '/fhir/%00',
    '/fhir/Patient/%00',
    '/fhir/Patient/..%2f..%2fetc%2fpasswd',
    '/fhir/../etc/passwd',
    '/fhir//[',
    '/fhir/\\\\[',
    '/fhir/Patient/a%20b',
    `/fhir/Patient/${'x'.repeat(65)}`,
    `/fhir/Patient/${'x'.repeat(10_000)}`,
    '/fhir/__proto__/1',
    '/fhir/constructor',
    '/fhir/toString?x=1',
    '/fhir/Patient/1/_history/%F0%28',
    '/fhir/Patient?_count=99999999999999999999',
    '/fhir/Patient?_count=-1',
    '/fhir/Patient?_count=NaN',
    '/fhir/Patient?_page=%ff%fe',
    '/fhir/Patient?_page=garbage',
    '/fhir/Patient?_sort=__proto__',
    '/fhir/Patient?_include=__proto__:constructor',
    '/fhir/Patient?birthdate=%F0%9F%98%80',
    `/fhir/Patient?identifier=${'a,'.repeat(501)}a`,
    '/fhir/Patient/x/_history?_count=%31%30%30%30%30%30%30%30%30%30%30',
    '/nowhere',
    '/',
  ])('%s is refused', async (path) => {
    expectRefused(await raw(`GET ${path} HTTP/1.1`));
  });

  test.each([
    'name=,',
    'gender=,,',
    'identifier=%5C',
    'identifier=,',
    '_id=,',
    'organization=,',
    'birthdate=,',
    'name:exact=,',
  ])('a value of delimiters alone, %s, is refused or ignored, no defect', async (text) => {
    const { status, body } = await raw(`GET /fhir/Patient?${text} HTTP/1.1`);
    expect(status).toBeLessThan(500);
    expect(['Bundle', 'OperationOutcome']).toContain(body.resourceType);
  });

  test.each([
    '_count=999999999',
    'name=%00',
    'name=%ff%fe',
    'name=%ED%A0%80',
    "name=';DROP%20TABLE%20resource;--",
    'name=%25',
    'name:contains=%22',
    '__proto__=1',
    'constructor=1',
    '=x',
    '&&&',
    '_id=%27%20OR%201=1',
    `name=${'x'.repeat(7000)}`,
    'birthdate=0000',
    'birthdate=ap9999-12-31T23:59:59%2B14:00',
  ])('Patient?%s finds nothing that it should not, and is no defect', async (text) => {
    const { status, body } = await raw(`GET /fhir/Patient?${text} HTTP/1.1`);
    expect([200, 400]).toContain(status);
    expect(['Bundle', 'OperationOutcome']).toContain(body.resourceType);
  });
});

describe('a hostile id', () => {
  test.each(['a%20b', 'a_b', '%E5%BC%A0', 'x'.repeat(65), '%2e%2e%2f', '$x', '_x', 'a%2Fb', "a'b", 'a%0Ab'])(
    '%s is refused by PUT and not there for GET',
    async (id) => {
      const body = JSON.stringify({ resourceType: 'Patient', id: decodeURIComponent(id) });
      expectRefused(await raw(`PUT /fhir/Patient/${id} HTTP/1.1\r\n${json}`, body));
      expectRefused(await raw(`GET /fhir/Patient/${id} HTTP/1.1`));
      expectRefused(await raw(`DELETE /fhir/Patient/${id} HTTP/1.1`));
    },
  );
});

describe('a hostile Bundle', () => {
  const bundle = (entry: unknown, type: unknown = 'batch') => ({ resourceType: 'Bundle', type, entry });

  test.each<[string, unknown]>([
    ['entry is an object', {}],
    ['entry is a text', 'x'],
  ])('whose %s is refused', async (_, entry) => {
    expectRefused(await fhir(app, 'POST', '', bundle(entry)));
  });

  test.each<[string, unknown]>([
    ['null', null],
    ['a number', 5],
    ['a list', []],
    ['a request that is null', { request: null }],
    ['a request that is a text', { request: 'GET x' }],
    ['a URL that is a number', { request: { method: 'GET', url: 5 } }],
    ['a method that is an object', { request: { method: {}, url: 'Patient/1' } }],
    ['a full URL that is an object', { fullUrl: {}, request: { method: 'POST', url: 'Patient' } }],
    ['a resource that is a text', { resource: 'x', request: { method: 'POST', url: 'Patient' } }],
    ['a resource that is null', { resource: null, request: { method: 'PUT', url: 'Patient/1' } }],
    ['a malformed URL', { request: { method: 'DELETE', url: 'Patient/%' } }],
    ['an If-Match that is an object', { request: { method: 'DELETE', url: 'Patient/1', ifMatch: {} } }],
  ])('with an entry that is %s is refused in a transaction, and no defect in a batch', async (_, entry) => {
    expectRefused(await fhir(app, 'POST', '', bundle([entry], 'transaction')));
    const { status, body } = await fhir(app, 'POST', '', bundle([entry]));
    expect(status).toBeLessThan(500);
    if (status === 200) expect(body.entry[0].response.status).toMatch(/^4/);
  });
});

describe('a hostile Subscription', () => {
  const base = {
    resourceType: 'Subscription',
    status: 'requested',
    reason: 'x',
    criteria: 'Patient?gender=male',
    channel: { type: 'rest-hook', endpoint: 'http://127.0.0.1:9/x', payload: 'application/fhir+json' },
  };

  test.each<[string, object]>([
    ['no channel', { channel: undefined }],
    ['a channel that is null', { channel: null }],
    ['a channel that is a text', { channel: 'rest-hook' }],
    ['a channel of no known type', { channel: { ...base.channel, type: 'pigeon' } }],
    ['a channel type that every object has', { channel: { ...base.channel, type: 'constructor' } }],
    ['headers that are a number', { channel: { ...base.channel, header: 5 } }],
    ['headers that are an object', { channel: { ...base.channel, header: {} } }],
    ['a header that is null', { channel: { ...base.channel, header: [null] } }],
    ['a header that is a number', { channel: { ...base.channel, header: [5] } }],
    ['a header with a line of its own', { channel: { ...base.channel, header: ['X: a\r\nY: b'] } }],
    ['an endpoint that is a number', { channel: { ...base.channel, endpoint: 5 } }],
    ['an endpoint that is an object', { channel: { ...base.channel, endpoint: {} } }],
    ['no endpoint', { channel: { ...base.channel, endpoint: undefined } }],
    ['a payload that is a number', { channel: { ...base.channel, payload: 5 } }],
    ['an extension that is a text', { channel: { ...base.channel, extension: 'x' } }],
    ['an extension that is an object', { channel: { ...base.channel, extension: {} } }],
    ['an extension that is null', { channel: { ...base.channel, extension: [null] } }],
    ['an extension of the payload that is no list', { channel: { ...base.channel, _payload: { extension: 5 } } }],
    ['criteria that are a number', { criteria: 5 }],
    ['criteria that are null', { criteria: null }],
    ['criteria of no type', { criteria: 'Nobody?x=1' }],
    ['criteria with delimiters alone', { criteria: 'Patient?name=,' }],
    [
      'filters that are no list',
      { criteria: 'https://aftercare.example/fhir/SubscriptionTopic/discharge-final', _criteria: { extension: 5 } },
    ],
    ['an end that is no instant', { end: 'never' }],
  ])('with %s is refused', async (_, more) => {
    const text = JSON.stringify({ ...base, ...more });
    expectRefused(await fhir(app, 'POST', 'Subscription', text));
    const transaction = `{"resourceType":"Bundle","type":"transaction","entry":[{"request":{"method":"POST","url":"Subscription"},"resource":${text}}]}`;
    expectRefused(await fhir(app, 'POST', '', transaction));
  });
});
