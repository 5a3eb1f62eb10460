/** PATCH with JSON Patch and FHIRPath Patch, alone and inside a Bundle. R4 http.html#patch, fhirpatch.html. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { App } from '../../src/app.ts';
import { startTestApp } from '../support/app.ts';
import { clientOf, expectOutcome, statuses } from './client.ts';

// The clones of Node are of another realm than the objects of a test, and so are never strictly equal to them.
globalThis.structuredClone = (value) => JSON.parse(JSON.stringify(value));

let app: App;
let last = 0;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app.stop());

const { call, get, put, remove, bundle, head } = clientOf(() => app);

const jsonPatch = { 'content-type': 'application/json-patch+json' };
const fhirJson = { 'content-type': 'application/fhir+json' };

async function fresh(more: object = {}): Promise<string> {
  const id = `p${++last}`;
  await put({ resourceType: 'Patient', id, active: true, name: [{ family: 'A', given: ['x', 'y'] }], ...more });
  return `Patient/${id}`;
}

/** An operation of a FHIRPath patch. */
function parameters(...operations: Record<string, object>[]): object {
  const part = (name: string, value: object) => ({ name, ...value });
  return {
    resourceType: 'Parameters',
    parameter: operations.map((operation) => ({
      name: 'operation',
      part: Object.entries(operation).map(([name, value]) => part(name, value)),
    })),
  };
}

const code = (it: string) => ({ valueCode: it });
const text = (it: string) => ({ valueString: it });
const step = (type: string, path: string, more: Record<string, object> = {}) => ({
  type: code(type),
  path: text(path),
  ...more,
});
const replaceActive = parameters(step('replace', 'Patient.active', { value: { valueBoolean: false } }));

describe('a JSON Patch', () => {
  test.each<[string, object[], object]>([
    ['add', [{ op: 'add', path: '/gender', value: 'female' }], { gender: 'female' }],
    [
      'add to a list',
      [{ op: 'add', path: '/name/0/given/-', value: 'z' }],
      { name: [{ family: 'A', given: ['x', 'y', 'z'] }] },
    ],
    ['remove', [{ op: 'remove', path: '/active' }], { active: undefined }],
    ['remove the last of a list', [{ op: 'remove', path: '/name/0' }], { name: undefined }],
    [
      'replace',
      [{ op: 'replace', path: '/name/0/family', value: 'B' }],
      { name: [{ family: 'B', given: ['x', 'y'] }] },
    ],
    [
      'move',
      [{ op: 'move', from: '/name/0/given/1', path: '/name/0/given/0' }],
      { name: [{ family: 'A', given: ['y', 'x'] }] },
    ],
    [
      'copy',
      [{ op: 'copy', from: '/name/0', path: '/name/1' }],
      {
        name: [
          { family: 'A', given: ['x', 'y'] },
          { family: 'A', given: ['x', 'y'] },
        ],
      },
    ],
    [
      'test and replace',
      [
        { op: 'test', path: '/active', value: true },
        { op: 'replace', path: '/active', value: false },
      ],
      { active: false },
    ],
  ])('%s is done, and makes a version', async (_, operations, expected) => {
    const path = await fresh();
    const { status, headers, body } = await call('PATCH', path, operations, jsonPatch);
    expect([status, headers.get('etag'), body.meta.versionId]).toEqual([200, 'W/"2"', '2']);
    for (const [name, value] of Object.entries(expected)) expect(body[name]).toEqual(value);
    expect((await get(path)).body).toEqual(body);
  });

  test('that changes nothing makes no version', async () => {
    const path = await fresh();
    const { status, headers } = await call('PATCH', path, [{ op: 'replace', path: '/active', value: true }], jsonPatch);
    expect([status, headers.get('etag')]).toEqual([200, 'W/"1"']);
  });

  test('may say its character set', async () => {
    const type = { 'content-type': 'application/json-patch+json; charset=utf-8' };
    expect((await call('PATCH', await fresh(), [{ op: 'remove', path: '/active' }], type)).body.active).toBeUndefined();
  });
});

describe('a FHIRPath Patch', () => {
  test.each<[string, Record<string, object>[], object]>([
    ['replace', [step('replace', 'Patient.active', { value: { valueBoolean: false } })], { active: false }],
    [
      'add',
      [step('add', 'Patient', { name: text('birthDate'), value: { valueDate: '1980-02-29' } })],
      { birthDate: '1980-02-29' },
    ],
    ['delete', [step('delete', 'Patient.name.given[0]')], { name: [{ family: 'A', given: ['y'] }] }],
    [
      'insert',
      [step('insert', 'Patient.name.given', { index: { valueInteger: 1 }, value: { valueString: 'm' } })],
      { name: [{ family: 'A', given: ['x', 'm', 'y'] }] },
    ],
    [
      'move',
      [step('move', 'Patient.name.given', { source: { valueInteger: 1 }, destination: { valueInteger: 0 } })],
      { name: [{ family: 'A', given: ['y', 'x'] }] },
    ],
  ])('%s is done, and makes a version', async (_, operations, expected) => {
    const path = await fresh();
    const { status, headers, body } = await call('PATCH', path, parameters(...operations), fhirJson);
    expect([status, headers.get('etag')]).toEqual([200, 'W/"2"']);
    expect(body).toMatchObject(expected);
  });

  test('of application/json is taken as well', async () => {
    const answer = await call('PATCH', await fresh(), replaceActive, { 'content-type': 'application/json' });
    expect([answer.status, answer.body.active]).toEqual([200, false]);
  });
});

describe('a patch', () => {
  const active = [{ op: 'replace', path: '/active', value: false }];

  test('of what never was answers 404, of what was deleted 410', async () => {
    expectOutcome(await call('PATCH', 'Patient/never', active, jsonPatch), 404, 'not-found');
    expectOutcome(await call('PATCH', 'Patient/never', replaceActive, fhirJson), 404, 'not-found');
    const path = await fresh();
    await remove(path);
    expectOutcome(await call('PATCH', path, active, jsonPatch), 410, 'deleted');
  });

  test('with If-Match of another version answers 412 and changes nothing', async () => {
    const path = await fresh();
    expectOutcome(await call('PATCH', path, active, { ...jsonPatch, 'if-match': 'W/"9"' }), 412, 'conflict');
    expect((await get(path)).body.active).toBe(true);
    expect((await call('PATCH', path, active, { ...jsonPatch, 'if-match': 'W/"1"' })).status).toBe(200);
  });

  test('of many at the same time loses none', async () => {
    const path = await fresh();
    const add = (n: number) => [{ op: 'add', path: '/name/-', value: { text: `n${n}` } }];
    await Promise.all(Array.from({ length: 20 }, (_, n) => call('PATCH', path, add(n), jsonPatch)));
    const { body } = await get(path);
    expect([body.meta.versionId, body.name.length]).toEqual(['21', 21]);
  });

  test.each<[string, unknown, Record<string, string>, number[]]>([
    ['that makes the resource unsound', [{ op: 'replace', path: '/gender', value: 'm' }], jsonPatch, [400, 422]],
    ['that adds what R4 does not have', [{ op: 'add', path: '/colour', value: 'red' }], jsonPatch, [422]],
    ['that changes the id', [{ op: 'replace', path: '/id', value: 'other' }], jsonPatch, [400, 422]],
    ['that changes the type', [{ op: 'replace', path: '/resourceType', value: 'Person' }], jsonPatch, [400, 422]],
    ['that replaces everything', [{ op: 'replace', path: '', value: 5 }], jsonPatch, [400, 422]],
    ['that tests in vain', [{ op: 'test', path: '/active', value: false }], jsonPatch, [400, 409, 422]],
    ['of a path that is not there', [{ op: 'remove', path: '/telecom/0' }], jsonPatch, [400, 422]],
    ['of no known operation', [{ op: 'destroy', path: '/active' }], jsonPatch, [400, 422]],
    ['that is no list', { op: 'remove', path: '/active' }, jsonPatch, [400]],
    ['that is nothing', '', jsonPatch, [400, 415]],
    ['that is null', 'null', jsonPatch, [400]],
    ['of nulls', '[null]', jsonPatch, [400]],
    ['that reaches a prototype', [{ op: 'add', path: '/__proto__/x', value: 1 }], jsonPatch, [400, 422]],
    ['of a constructor', [{ op: 'add', path: '/constructor/prototype/x', value: 1 }], jsonPatch, [400, 422]],
    ['by a bad FHIRPath', parameters(step('delete', 'Patient.name.(')), fhirJson, [400, 422]],
    ['by a FHIRPath of another type', parameters(step('delete', 'Person.name')), fhirJson, [200, 400, 422]],
    [
      'that replaces nothing',
      parameters(step('replace', 'Patient.gender', { value: code('male') })),
      fhirJson,
      [400, 422],
    ],
    [
      'with an unsound value',
      parameters(step('replace', 'Patient.active', { value: text('x') })),
      fhirJson,
      [400, 422],
    ],
    ['without operations that is a resource', { resourceType: 'Patient' }, fhirJson, [400, 415]],
    ['of Parameters that are none', { resourceType: 'Parameters', parameter: 5 }, fhirJson, [400, 422]],
  ])('%s is refused and changes nothing', async (_, body, headers, allowed) => {
    const path = await fresh();
    const before = await head();
    const answer = await call('PATCH', path, body, headers);
    expect(allowed).toContain(answer.status);
    if (answer.status !== 200) expect(answer.body?.resourceType).toBe('OperationOutcome');
    expect(await head()).toBe(before);
    expect(({} as { x?: unknown }).x).toBeUndefined();
  });

  test.each(['text/plain', 'application/merge-patch+json', 'application/xml-patch+xml', 'image/png'])(
    'of type %s answers 415',
    async (type) => {
      expectOutcome(await call('PATCH', await fresh(), active, { 'content-type': type }), 415, 'not-supported');
    },
  );
});

describe('a patch inside a Bundle', () => {
  const asBinary = (operations: unknown, contentType = 'application/json-patch+json') => ({
    resourceType: 'Binary',
    contentType,
    data: Buffer.from(JSON.stringify(operations)).toString('base64'),
  });
  const entry = (url: string, resource: object, more: object = {}) => ({
    resource,
    request: { method: 'PATCH', url, ...more },
  });
  const operations = [{ op: 'replace', path: '/active', value: false }];

  test.each(['transaction', 'batch'] as const)(
    'of a %s is done: JSON Patch as a Binary, and Parameters',
    async (type) => {
      const [one, two] = [await fresh(), await fresh()];
      const { status, body } = await bundle(type, [entry(one, asBinary(operations)), entry(two, replaceActive)]);
      expect([status, statuses(body)]).toEqual([200, ['200', '200']]);
      for (const path of [one, two]) expect((await get(path)).body.active).toBe(false);
    },
  );

  test('by a condition is done', async () => {
    await fresh({ identifier: [{ value: 'cond-patch' }] });
    const { body } = await bundle('transaction', [entry('Patient?identifier=cond-patch', replaceActive)]);
    expect([statuses(body), body.entry[0].response.etag]).toEqual([['200'], 'W/"2"']);
    const none = await bundle('transaction', [entry('Patient?identifier=nobody', replaceActive)]);
    expectOutcome(none, 404, 'not-found');
  });

  test('refers to what the Bundle makes', async () => {
    const path = await fresh();
    const urn = 'urn:uuid:0d2c7d4a-2d4e-4b3f-8a53-0f8f6a1d9c55';
    const patch = parameters({
      type: code('add'),
      path: text('Patient'),
      name: text('managingOrganization'),
      value: { valueReference: { reference: urn } },
    });
    const organization = {
      resource: { resourceType: 'Organization', name: 'x' },
      request: { method: 'POST', url: 'Organization' },
    };
    const { status } = await bundle('transaction', [{ fullUrl: urn, ...organization }, entry(path, patch)]);
    expect(status).toBe(200);
    expect((await get(path)).body.managingOrganization.reference).toMatch(/^Organization\/.+/);
  });

  test.each<[string, (path: string) => object, number]>([
    ['of another version', (path) => entry(path, replaceActive, { ifMatch: 'W/"9"' }), 412],
    ['of what is not there', () => entry('Patient/never', replaceActive), 404],
    ['of a Binary of another type', (path) => entry(path, asBinary(operations, 'text/plain')), 415],
    ['of a Binary that holds no JSON', (path) => entry(path, { ...asBinary([]), data: 'eA==' }), 400],
    ['of a Binary without data', (path) => entry(path, { ...asBinary([]), data: undefined }), 400],
    ['that makes it unsound', (path) => entry(path, asBinary([{ op: 'add', path: '/gender', value: 'm' }])), 422],
    ['of a resource', (path) => entry(path, { resourceType: 'Patient' }), 415],
  ])('%s refuses the whole transaction and names its entry', async (_, wrong, status) => {
    const path = await fresh();
    const before = await head();
    const answer = await bundle('transaction', [
      { resource: { resourceType: 'Patient' }, request: { method: 'POST', url: 'Patient' } },
      wrong(path),
    ]);
    expectOutcome(answer, status);
    expect(JSON.stringify(answer.body)).toMatch(/entry 1\b/);
    expect(await head()).toBe(before);
  });
});
