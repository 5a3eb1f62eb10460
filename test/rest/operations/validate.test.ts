/** `$validate`. R4 resource-operation-validate.html. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { App } from '../../../src/app.ts';
import { startTestApp } from '../../support/app.ts';
import { clientOf, expectOutcome, statuses } from '../client.ts';

let app: App;
const { call, get, put, remove, bundle, head } = clientOf(() => app);

const profile = 'http://example.org/StructureDefinition/named-patient';
/** Every Patient has a name. */
const named = {
  resourceType: 'StructureDefinition',
  id: 'named',
  url: profile,
  name: 'NamedPatient',
  status: 'active',
  kind: 'resource',
  abstract: false,
  type: 'Patient',
  baseDefinition: 'http://hl7.org/fhir/StructureDefinition/Patient',
  derivation: 'constraint',
  differential: { element: [{ id: 'Patient.name', path: 'Patient.name', min: 1 }] },
};

beforeAll(async () => {
  app = await startTestApp();
  expect((await put(named)).status).toBe(201);
  await put({ resourceType: 'Patient', id: 'sound', active: true });
  await put({ resourceType: 'Patient', id: 'gone' });
  await remove('Patient/gone');
});
afterAll(() => app.stop());

const parameters = (resource: unknown, mode?: string, ...profiles: string[]) => ({
  resourceType: 'Parameters',
  parameter: [
    ...(resource === undefined ? [] : [{ name: 'resource', resource }]),
    ...(mode ? [{ name: 'mode', valueCode: mode }] : []),
    ...profiles.map((it) => ({ name: 'profile', valueUri: it })),
  ],
});
const sound = { resourceType: 'Patient', active: true };
const unsound = { resourceType: 'Patient', gender: 'm' };

/** The first problem's place; undefined when none was found. */
async function problem(method: string, path: string, body?: unknown): Promise<string | undefined> {
  const before = await head();
  const answer = await call(method, path, body);
  expect([answer.status, answer.body.resourceType]).toEqual([200, 'OperationOutcome']);
  expect(await head()).toBe(before);
  const [issue] = answer.body.issue;
  if (issue.severity === 'information') return undefined;
  expect(issue).toMatchObject({ severity: 'error', code: 'invalid' });
  return issue.expression?.[0] ?? '';
}

describe('$validate', () => {
  test.each<[string, string, unknown, string | undefined]>([
    ['a sound resource', 'Patient/$validate', sound, undefined],
    ['an unsound resource', 'Patient/$validate', unsound, 'Patient.gender'],
    ['a sound resource in Parameters', 'Patient/$validate', parameters(sound), undefined],
    ['an unsound resource in Parameters', 'Patient/$validate', parameters(unsound), 'Patient.gender'],
    ['a resource of another type', 'Patient/$validate', parameters({ resourceType: 'Person' }), 'resourceType'],
    [
      'a resource that is not sound JSON',
      'Patient/$validate',
      parameters({ resourceType: 'Patient', name: 5 }),
      'Patient.name',
    ],
    ['an unknown element', 'Patient/$validate', { ...sound, colour: 'red' }, 'Patient'],
    ['a create', 'Patient/$validate', parameters(sound, 'create'), undefined],
    ['an unsound create', 'Patient/$validate', parameters(unsound, 'create'), 'Patient.gender'],
    ['an update', 'Patient/sound/$validate', parameters({ ...sound, id: 'sound' }, 'update'), undefined],
    ['an update of another id', 'Patient/sound/$validate', parameters({ ...sound, id: 'x' }, 'update'), 'Patient.id'],
    ['an update without an id', 'Patient/sound/$validate', parameters(sound, 'update'), 'Patient.id'],
    [
      'a resource at an id that is not there',
      'Patient/new/$validate',
      parameters({ ...sound, id: 'new' }, 'update'),
      undefined,
    ],
    ['a deletion', 'Patient/sound/$validate', parameters(undefined, 'delete'), undefined],
  ])('of %s by POST', async (_, path, body, expected) => {
    expect(await problem('POST', path, body)).toBe(expected);
  });

  test.each([
    ['Patient/sound/$validate', undefined],
    ['Patient/sound/$validate?mode=profile', undefined],
    ['Patient/sound/$validate?mode=delete', undefined],
  ])('of what is stored by GET %s', async (path, expected) => {
    expect(await problem('GET', path)).toBe(expected);
  });

  test('with a mode or a profile in the URL takes a bare resource', async () => {
    expect(await problem('POST', 'Patient/$validate?mode=create', unsound)).toBe('Patient.gender');
  });

  test.each<[string, string, string, unknown, number]>([
    ['of nothing', 'POST', 'Patient/$validate', parameters(undefined), 400],
    ['of nothing at all', 'GET', 'Patient/$validate', undefined, 400],
    ['of an unknown mode', 'POST', 'Patient/$validate', parameters(sound, 'destroy'), 400],
    ['of what never was', 'GET', 'Patient/never/$validate', undefined, 404],
    ['of what was deleted', 'GET', 'Patient/gone/$validate', undefined, 410],
    ['of the deletion of what never was', 'POST', 'Patient/never/$validate', parameters(undefined, 'delete'), 404],
    ['of an update without a resource', 'POST', 'Patient/sound/$validate', parameters(undefined, 'update'), 400],
    ['of null', 'POST', 'Patient/$validate', 'null', 400],
    ['of a list', 'POST', 'Patient/$validate', '[]', 400],
    ['of a text', 'POST', 'Patient/$validate', '"Patient"', 400],
    ['of a resource that is a text', 'POST', 'Patient/$validate', parameters('Patient'), 400],
    [
      'by a profile that is not here',
      'POST',
      'Patient/$validate',
      parameters(sound, undefined, 'http://example.org/none'),
      404,
    ],
    [
      'by a profile that is no uri',
      'POST',
      'Patient/$validate',
      {
        ...parameters(sound),
        parameter: [
          { name: 'resource', resource: sound },
          { name: 'profile', valueCoding: {} },
        ],
      },
      400,
    ],
  ])('%s is refused', async (_, method, path, body, status) => {
    expectOutcome(await call(method, path, body), status);
  });

  test('runs inside a batch and a transaction', async () => {
    const entry = { resource: parameters(unsound), request: { method: 'POST', url: 'Patient/$validate' } };
    for (const type of ['batch', 'transaction'] as const) {
      const { body } = await bundle(type, [entry]);
      expect([statuses(body), body.entry[0].resource.issue[0].expression]).toEqual([['200'], ['Patient.gender']]);
    }
  });
});

describe('a profile', () => {
  const bare = { ...sound };
  const full = { ...sound, name: [{ text: 'x' }] };

  test.each<[string, unknown, string | undefined]>([
    ['asked for', parameters(bare, undefined, profile), 'Patient.name'],
    ['asked for, with mode=profile', parameters(bare, 'profile', profile), 'Patient.name'],
    ['asked for, and kept', parameters(full, undefined, profile), undefined],
    ['claimed', { ...bare, meta: { profile: [profile] } }, 'Patient.name'],
    ['claimed, and kept', { ...full, meta: { profile: [profile] } }, undefined],
    ['claimed that is not here', { ...bare, meta: { profile: ['http://example.org/none'] } }, undefined],
  ])('%s', async (_, body, expected) => {
    const found = await problem('POST', 'Patient/$validate', body);
    if (expected === undefined) expect(found).toBeUndefined();
    else expect(found).toMatch(/^Patient/);
  });

  test('in the URL is asked for of what is stored', async () => {
    expect(await problem('GET', `Patient/sound/$validate?profile=${encodeURIComponent(profile)}`)).toMatch(/^Patient/);
    expect((await get('Patient/sound/$validate?profile=http://example.org/none')).status).toBe(404);
  });
});

describe('a profile that a resource claims', () => {
  const claim = (id: string, more: object = {}) => ({
    resourceType: 'Patient',
    id,
    meta: { profile: [profile] },
    ...more,
  });

  test('holds for whoever writes it: create, update, patch, $meta-add and transactions', async () => {
    const before = await head();
    expectOutcome(await put(claim('c1')), 422, 'invalid');
    expectOutcome(await call('POST', 'Patient', claim('c1')), 422, 'invalid');
    const entry = { resource: claim('c1'), request: { method: 'PUT', url: 'Patient/c1' } };
    const refused = await bundle('transaction', [entry]);
    expectOutcome(refused, 422, 'invalid');
    expect(refused.body.issue[0].expression[0]).toMatch(/^Bundle\.entry\[0\]\.resource/);
    const add = { resourceType: 'Parameters', parameter: [{ name: 'meta', valueMeta: { profile: [profile] } }] };
    expectOutcome(await call('POST', 'Patient/sound/$meta-add', add), 422, 'invalid');
    expect(await head()).toBe(before);
    expect((await put(claim('c1', { name: [{ text: 'x' }] }))).status).toBe(201);
    const patch = { 'content-type': 'application/json-patch+json' };
    expectOutcome(await call('PATCH', 'Patient/c1', [{ op: 'remove', path: '/name' }], patch), 422, 'invalid');
  });

  test('that is not sound R4 is refused for that', async () => {
    expectOutcome(await put(claim('c2', { name: 5 })), 422, 'invalid');
    expectOutcome(await put({ ...claim('c2'), meta: { profile: 5 } }), 422, 'invalid');
    expectOutcome(await put({ ...claim('c2'), meta: { profile: [{}, null, 5] } }), 422, 'invalid');
  });
});
