/** Bodies that nobody meant: an answer in time, an outcome for every error, never a defect, and nothing half-written. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { App } from '../../src/app.ts';
import { startTestApp } from '../support/app.ts';
import { clientOf } from './client.ts';
import { anyResource, anything, askerOf, json, scalars, texts } from './hostile.ts';

let app: App;
beforeAll(async () => {
  app = await startTestApp({ config: { bodyBytesMax: 300_000 } });
  await put({ resourceType: 'Patient', id: 'a', active: true, name: [{ family: 'A', given: ['x'] }] });
});
afterAll(() => app.stop());

const { put } = clientOf(() => app);
const ask = askerOf(() => app);
const runs = { numRuns: 100 };

describe('a body', () => {
  test('of any JSON', async () => {
    const lines = fc.constantFrom(
      ...[
        'POST Patient',
        'PUT Patient/a',
        'POST ',
        'PATCH Patient/a',
        'POST Patient/$validate',
        'POST Patient/a/$meta-add',
      ],
    );
    await fc.assert(
      fc.asyncProperty(anything, lines, async (body, line) => {
        const [method = '', path = ''] = line.split(' ');
        await ask(method, path, json, body);
      }),
      runs,
    );
  });

  test('of any resource: stored and validated', async () => {
    await fc.assert(
      fc.asyncProperty(anyResource, async (resource) => {
        const { resourceType } = resource;
        const status = await ask('PUT', `${resourceType}/fuzz`, json, resource);
        if (status < 300)
          for (const path of ['', '/_history', '?_summary=true']) await ask('GET', `${resourceType}/fuzz${path}`);
        await ask('POST', `${resourceType}/$validate`, json, resource);
      }),
      runs,
    );
  });

  test('of any entries', async () => {
    const urls = [
      'Patient',
      'Patient/a',
      'Patient?name=x',
      'Patient/a/$meta-add',
      'metadata',
      '',
      '/',
      '?',
      'Patient?',
    ];
    const more = ['Patient/a/_history/1', 'Patient/$validate', 'Observation?_include=*', '%'];
    const request = fc.record(
      {
        method: fc.oneof(fc.constantFrom('GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'), anything),
        url: fc.oneof(fc.constantFrom(...urls, ...more), texts),
        ifMatch: fc.oneof(fc.constant('W/"1"'), scalars),
        ifNoneExist: fc.oneof(fc.constant('identifier=x'), scalars),
        ifNoneMatch: scalars,
        ifModifiedSince: scalars,
      },
      { requiredKeys: ['method', 'url'] },
    );
    const fullUrl = fc.oneof(fc.constantFrom('urn:uuid:1', 'http://x/Patient/1'), scalars);
    const resource = fc.oneof(anyResource, anything);
    const sound = fc.record({ fullUrl, resource, request }, { requiredKeys: ['request'] });
    const entry = fc.oneof({ weight: 5, arbitrary: sound }, { weight: 1, arbitrary: anything });
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('transaction', 'batch'),
        fc.array(entry, { maxLength: 5 }),
        async (type, all) => {
          await ask('POST', '', json, { resourceType: 'Bundle', type, entry: all });
        },
      ),
      runs,
    );
  });

  test('of any operations of a patch', async () => {
    const places = ['', '/', '/name/0/given/-', '/__proto__/x', '/name/-1', '/name/1e9', '/~2'];
    const operation = fc.record(
      {
        op: fc.oneof(fc.constantFrom('add', 'remove', 'replace', 'move', 'copy', 'test'), anything),
        path: fc.oneof(fc.constantFrom(...places), texts),
        from: fc.oneof(fc.constantFrom('/name', ''), texts),
        value: anything,
      },
      { requiredKeys: ['op'] },
    );
    const type = { 'content-type': 'application/json-patch+json' };
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(operation, anything), { maxLength: 4 }), async (operations) => {
        await ask('PATCH', 'Patient/a', type, operations);
      }),
      runs,
    );
  });

  test('of any bytes and any type', async () => {
    const fhir = [
      'application/fhir+json',
      'application/fhir+xml',
      'application/fhir+json; charset=utf-16',
      'application/xml',
    ];
    const others = ['application/x-www-form-urlencoded', 'application/json-patch+json', 'text/plain', 'x'];
    const paths = fc.constantFrom('Patient', 'Binary', 'Patient/_search', '', 'ValueSet/$expand');
    const content = fc.string({ unit: 'binary', maxLength: 200 });
    await fc.assert(
      fc.asyncProperty(paths, fc.constantFrom(...fhir, ...others), content, async (path, type, body) => {
        await ask('POST', path, { 'content-type': type }, body);
      }),
      runs,
    );
  });
});

describe('a body that is large in one way', () => {
  const codes = (n: number) => `{"coding":[${'{"code":"x"},'.repeat(n)}{"code":"y"}]}`;
  const component = `{"code":${codes(3000)},"valueCodeableConcept":${codes(3000)}}`;
  test.each<[string, string, string]>([
    ['deep', 'Patient', `"extension":${'[{"extension":'.repeat(5000)}1${'}]'.repeat(5000)}`],
    ['of many keys', 'Patient', Array.from({ length: 20_000 }, (_, i) => `"k${i}":1`).join(',')],
    ['of many names', 'Patient', `"name":[${'{"family":"x"},'.repeat(15_000)}{"family":"x"}]`],
    ['of many identifiers', 'Patient', `"identifier":[${'{"system":"s","value":"v"},'.repeat(9000)}{"value":"v"}]`],
    ['of a long number', 'Patient', `"multipleBirthInteger":${'9'.repeat(100_000)}`],
    ['of a long text', 'Patient', `"name":[{"family":"${'x'.repeat(250_000)}"}]`],
    ['of a deep narrative', 'Patient', `"text":{"status":"generated","div":"${'<div>'.repeat(10_000)}"}`],
    ['of codes that combine', 'Observation', `"status":"final","code":${codes(3000)},"component":[${component}]`],
    [
      'of many contained resources',
      'Patient',
      `"contained":[${Array.from({ length: 3000 }, (_, i) => `{"resourceType":"Basic","id":"c${i}","code":{"text":"x"}}`).join(',')}]`,
    ],
  ])('%s takes a bounded time', async (_, type, members) => {
    const body = `{"resourceType":"${type}",${members}}`;
    await ask('POST', type, json, body);
    await ask('POST', `${type}/$validate`, json, body);
  });
});

test('the objects of the process are as they were, and the server goes on', async () => {
  expect(Object.keys(Object.prototype)).toEqual([]);
  expect(await ask('GET', 'metadata')).toBe(200);
});
