/** Sound resources with something changed in them: the nearer to sound, the deeper they get. Never a defect. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { App } from '../../src/app.ts';
import type { Json } from '../../src/fhir/types.ts';
import { realResources } from '../fhir/examples.ts';
import { settled, startTestApp } from '../support/app.ts';
import { clientOf, entries } from './client.ts';

let app: App;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app.stop());

const { bundle, call, head: headNow, text } = clientOf(() => app);

/** What stages have still to write, the handshake of a Subscription, is not the client's. */
async function head(): Promise<number> {
  await settled(app);
  return headNow();
}

/** What the server itself reads and acts on. */
const own: Json[] = [
  {
    resourceType: 'Subscription',
    status: 'requested',
    reason: 'x',
    criteria: 'Observation?code=x&subject.name=y',
    channel: {
      type: 'rest-hook',
      endpoint: 'http://127.0.0.1:9/x',
      payload: 'application/fhir+json',
      header: ['A: b'],
    },
  },
  {
    resourceType: 'SearchParameter',
    url: 'urn:sp',
    name: 'X',
    status: 'active',
    description: 'x',
    code: 'own',
    base: ['Patient'],
    type: 'string',
    expression: "Patient.name.where(use='official').family | Patient.extension('urn:x').value.as(string)",
  },
  {
    resourceType: 'ValueSet',
    url: 'urn:vs',
    status: 'active',
    compose: {
      include: [
        { system: 'urn:cs', concept: [{ code: 'a' }], filter: [] },
        { system: 'urn:cs', filter: [{ property: 'concept', op: 'is-a', value: 'a' }] },
        { valueSet: ['urn:vs2'] },
      ],
      exclude: [{ system: 'urn:cs', concept: [{ code: 'b' }] }],
    },
    expansion: {
      timestamp: '2026-01-01',
      contains: [{ system: 'urn:cs', code: 'a', contains: [{ system: 'urn:cs', code: 'b' }] }],
    },
  },
  {
    resourceType: 'CodeSystem',
    url: 'urn:cs',
    status: 'active',
    content: 'complete',
    property: [{ code: 'p', type: 'code' }],
    concept: [
      {
        code: 'a',
        designation: [{ language: 'zh', value: 'x' }],
        property: [{ code: 'p', valueCode: 'b' }],
        concept: [{ code: 'b' }],
      },
    ],
  },
  {
    resourceType: 'ConceptMap',
    url: 'urn:cm',
    status: 'active',
    group: [
      {
        source: 'urn:cs',
        target: 'urn:t',
        element: [
          {
            code: 'a',
            target: [
              {
                code: 'x',
                equivalence: 'equal',
                dependsOn: [{ property: 'urn:d', value: 'v' }],
                product: [{ property: 'urn:p', value: 'v' }],
              },
            ],
          },
        ],
        unmapped: { mode: 'fixed', code: 'z' },
      },
    ],
  },
  {
    resourceType: 'StructureDefinition',
    url: 'urn:sd',
    name: 'X',
    status: 'active',
    kind: 'resource',
    abstract: false,
    type: 'Patient',
    baseDefinition: 'http://hl7.org/fhir/StructureDefinition/Patient',
    derivation: 'constraint',
    differential: {
      element: [
        {
          id: 'Patient',
          path: 'Patient',
          constraint: [{ key: 'x-1', severity: 'error', human: 'x', expression: 'name.exists()' }],
        },
        {
          id: 'Patient.name',
          path: 'Patient.name',
          min: 1,
          slicing: { discriminator: [{ type: 'value', path: 'use' }], rules: 'open' },
        },
        { id: 'Patient.name:o', path: 'Patient.name', sliceName: 'o', patternHumanName: { use: 'official' } },
      ],
    },
  },
  {
    resourceType: 'Patient',
    meta: { profile: ['urn:sd'] },
    name: [{ family: 'A', given: ['b', null], _given: [null, { extension: [{ url: 'urn:x', valueString: 'y' }] }] }],
    contained: [{ resourceType: 'Organization', id: 'o', name: 'x' }],
    managingOrganization: { reference: '#o' },
    photo: [{ contentType: 'image/png', data: 'aGVsbG8=' }],
    text: { status: 'generated', div: '<div xmlns="http://www.w3.org/1999/xhtml"><a href="x">x</a></div>' },
  },
  {
    resourceType: 'Observation',
    status: 'final',
    code: { coding: [{ system: 'http://loinc.org', code: '8302-2' }] },
    valueQuantity: { value: 1.5, comparator: '<', system: 'http://unitsofmeasure.org', code: 'm' },
    component: [{ code: { text: 'x' }, valueRange: { low: { value: 1 }, high: { value: 2 } } }],
    effectivePeriod: { start: '2026', end: '2026-02' },
  },
  {
    resourceType: 'Bundle',
    type: 'transaction',
    entry: [
      {
        fullUrl: 'urn:uuid:3f9f1c2e-0000-4000-8000-000000000000',
        resource: { resourceType: 'Patient', active: true },
        request: { method: 'POST', url: 'Patient' },
      },
    ],
  },
];
const all: Json[] = [...own, ...realResources().filter((it) => JSON.stringify(it).length < 8000)];

const replacement = fc.oneof(
  fc.constantFrom<unknown>(null, true, -1, 1e308, [], {}, [null], [[]], { __proto__: null }),
  fc.constantFrom('', ' ', '\ud800', '\u0000', '#', '#o', "'", '(', '../x', '$this', '<div>', 'x'.repeat(2000)),
  fc.constantFrom('Patient?x=y', 'Patient.name.where(a=b)', '2026-02-30T25:00:00Z', 'urn:uuid:x', 'urn:vs', 'urn:cm'),
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.oneof(fc.integer(), fc.double()),
);

/** Changes one place: replaces it, takes it away, doubles it, or adds a member. */
function changed(root: Json, at: number, how: number, value: unknown): Json {
  const copy = JSON.parse(JSON.stringify(root)) as Json;
  const places: [Json, string][] = [];
  const visit = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return;
    for (const key of Object.keys(node)) {
      if (node !== copy || key !== 'resourceType') places.push([node as Json, key]);
      visit((node as Json)[key]);
    }
  };
  visit(copy);
  const [holder, key] = places[at % places.length] as [Json, string];
  if (how === 0) holder[key] = value;
  else if (how === 1) delete holder[key];
  else if (how === 2) holder[key] = [holder[key], holder[key]];
  else if (how === 3) holder[`_${key}`] = value;
  else holder[key] = { [key]: holder[key], value };
  return copy;
}

const mutant = fc
  .tuple(
    fc.nat(all.length - 1),
    fc.array(fc.tuple(fc.nat(1000), fc.nat(4), replacement), { minLength: 1, maxLength: 2 }),
  )
  .map(([which, changes]) => changes.reduce((it, [at, how, value]) => changed(it, at, how, value), all[which] as Json));

async function sound(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<number> {
  const before = await head();
  const answer = await call(method, path, body, headers);
  const defect = answer.status >= 500 ? JSON.stringify(body).slice(0, 3000) : undefined;
  expect([method, path, answer.status, defect]).toEqual([method, path, expect.any(Number), undefined]);
  if (answer.status < 400) return answer.status;
  expect(answer.body.resourceType).toBe('OperationOutcome');
  expect(await head()).toBe(before);
  return answer.status;
}

const runs = { numRuns: 120 };

describe('a sound resource with something changed', () => {
  test('is stored or refused; what is stored can be read in every form', async () => {
    let stored = 0;
    await fc.assert(
      fc.asyncProperty(mutant, async (resource) => {
        const type = resource.resourceType as string;
        if ((await sound('PUT', `${type}/mutant`, { ...resource, id: 'mutant' })) >= 300) return;
        stored++;
        for (const query of ['_format=xml', '_summary=true', '_summary=text', '_elements=name', '_pretty=true'])
          expect([query, (await text('GET', `${type}/mutant?${query}`)).status]).toEqual([query, 200]);
        expect(await sound('GET', `${type}?_id=mutant&_include=*&_revinclude=*&_sort=_lastUpdated`)).toBe(200);
        // What was written as XML is the same resource again.
        const xml = (await text('GET', `${type}/mutant?_format=xml`)).text;
        const again = await text('PUT', `${type}/mutant`, xml, { 'content-type': 'application/fhir+xml' });
        expect([again.status, again.headers.get('etag')]).toEqual([
          200,
          (await call('GET', `${type}/mutant`)).headers.get('etag'),
        ]);
      }),
      runs,
    );
    expect(stored).toBeGreaterThan(5);
  });

  test('is validated, matched, expanded and translated, or refused', async () => {
    const paths: Record<string, string[]> = {
      ValueSet: ['ValueSet/$expand', 'ValueSet/$validate-code?system=urn:cs&code=a'],
      CodeSystem: ['CodeSystem/$validate-code?code=a'],
      ConceptMap: ['ConceptMap/$translate?system=urn:cs&code=a'],
      Patient: ['Patient/$match'],
    };
    await fc.assert(
      fc.asyncProperty(mutant, async (resource) => {
        // 400 for what is no text at all: half of a surrogate pair.
        expect([200, 400]).toContain(await sound('POST', `${resource.resourceType}/$validate`, resource));
        for (const path of paths[resource.resourceType] ?? []) await sound('POST', path, resource);
      }),
      runs,
    );
  });

  test('among others in a transaction takes all of them down, or none', async () => {
    const good = entries.post({ resourceType: 'Basic', code: { text: 'x' } });
    await fc.assert(
      fc.asyncProperty(mutant, async (resource) => {
        const entry = { resource, request: { method: 'POST', url: resource.resourceType } };
        const before = await head();
        const { status, body } = await bundle('transaction', [good, entry]);
        expect(status).toBeLessThan(500);
        expect(await headNow()).toBe(status === 200 ? before + 2 : before);
        if (status === 422) expect(JSON.stringify(body)).toContain('entry 1');
      }),
      { numRuns: 80 },
    );
  });
});
