import { describe, expect, test } from '@jest/globals';
import type { Json } from '../../src/fhir/types.ts';
import { errorsOf } from '../../src/fhir/validate.ts';
import { typeOfReference } from '../../src/fhir/validation/references.ts';

/** A Patient may be managed by an Organization only. */
function managedBy(reference: Json, more: Json = {}): Json {
  return { resourceType: 'Patient', managingOrganization: reference, ...more };
}

describe('a reference is let through', () => {
  test.each<[string, Json]>([
    ['to a type that the element allows', { reference: 'Organization/1' }],
    ['to a version', { reference: 'Organization/1/_history/2' }],
    ['by an absolute URL', { reference: 'https://example.org/fhir/Organization/1' }],
    [
      'by an absolute URL of another server, with a port and a version',
      { reference: 'http://example.org:8080/a/b/Organization/1/_history/2' },
    ],
    ['by a urn', { reference: 'urn:uuid:5a1a0c5e-5b5e-4b0e-8b0e-0a1b2c3d4e5f' }],
    ['by a URL of no known shape', { reference: 'https://example.org/registry?patient=1' }],
    ['by a search', { reference: 'Patient?identifier=1' }],
    ['to a type that nobody knows', { reference: 'Clinic/1' }],
    ['by an identifier', { identifier: { value: '1' }, type: 'Organization' }],
    ['by its display', { display: 'x' }],
    ['with its type', { reference: 'Organization/1', type: 'Organization' }],
    [
      'with the URL of its type',
      { reference: 'Organization/1', type: 'http://hl7.org/fhir/StructureDefinition/Organization' },
    ],
    ['with a type of one’s own', { reference: 'urn:uuid:1', type: 'http://example.org/Clinic' }],
  ])('%s', (_, reference) => {
    expect(errorsOf(managedBy(reference))).toEqual([]);
  });

  test('to a contained resource of an allowed type, which refers to its container', () => {
    const contained = [
      { resourceType: 'Organization', id: 'o', name: 'x', partOf: { reference: '#p' } },
      { resourceType: 'Organization', id: 'p', name: 'y' },
    ];
    expect(errorsOf(managedBy({ reference: '#o' }, { contained }))).toEqual([]);
    const provenance = {
      resourceType: 'Provenance',
      id: 'v',
      recorded: '2026-03-16T10:00:00Z',
      target: [{ reference: '#' }],
      agent: [{ who: { display: 'x' } }],
    };
    expect(errorsOf({ resourceType: 'Patient', contained: [provenance] })).toEqual([]);
  });

  test('of any type where the element allows any', () => {
    const task = { resourceType: 'Task', status: 'requested', intent: 'order', focus: { reference: 'Binary/1' } };
    expect(errorsOf(task)).toEqual([]);
    expect(
      errorsOf({ resourceType: 'Patient', extension: [{ url: 'http://x', valueReference: { reference: 'Group/1' } }] }),
    ).toEqual([]);
  });
});

describe('a reference is refused', () => {
  test.each<[string, Json, string, string]>([
    [
      'to another type',
      { reference: 'Patient/1' },
      'reference',
      'a reference to Patient may not stand here, only to Organization',
    ],
    [
      'to another type by an absolute URL',
      { reference: 'https://example.org/fhir/Patient/1/_history/2' },
      'reference',
      'a reference to Patient may not stand here, only to Organization',
    ],
    [
      'whose type is another',
      { type: 'Patient', identifier: { value: '1' } },
      'type',
      'a reference to Patient may not stand here, only to Organization',
    ],
    [
      'whose type is not that of its URL',
      { reference: 'Organization/1', type: 'http://hl7.org/fhir/StructureDefinition/Patient' },
      'type',
      'a reference to Patient may not stand here, only to Organization',
    ],
  ])('%s', (_, reference, part, text) => {
    expect(errorsOf(managedBy(reference))).toEqual([{ text, expression: `Patient.managingOrganization.${part}` }]);
  });

  test('whose type is allowed, but not that of its URL', () => {
    const patient = {
      resourceType: 'Patient',
      generalPractitioner: [{ reference: 'Practitioner/1', type: 'Organization' }],
    };
    expect(errorsOf(patient)).toEqual([
      { text: 'is not the type that the reference names', expression: 'Patient.generalPractitioner[0].type' },
    ]);
  });

  test('to a contained resource that is not there, or not allowed', () => {
    const contained = [{ resourceType: 'Group', id: 'g', type: 'person', actual: true }];
    expect(errorsOf(managedBy({ reference: '#g' }, { contained }))).toEqual([
      {
        text: 'a reference to Group may not stand here, only to Organization',
        expression: 'Patient.managingOrganization.reference',
      },
    ]);
    const found = errorsOf(managedBy({ reference: '#o' }));
    expect(found).toEqual([{ text: expect.stringMatching(/^ref-1: /), expression: 'Patient.managingOrganization' }]);
  });

  test('to the container, where there is none', () => {
    expect(errorsOf(managedBy({ reference: '#' })).map((it) => it.text.slice(0, 5))).toEqual(['ref-1']);
  });

  test('in a list, with its index; in an entry, by its own type', () => {
    const entry = [{ resource: managedBy({ reference: 'Patient/1' }) }];
    expect(errorsOf({ resourceType: 'Bundle', type: 'collection', entry }).map((it) => it.expression)).toEqual([
      'Bundle.entry[0].resource.managingOrganization.reference',
    ]);
  });
});

test.each([
  ['Patient/1', 'Patient'],
  ['Patient/1/_history/2', 'Patient'],
  ['http://example.org/Patient/1', 'Patient'],
  ['ftp://example.org/Patient/1', undefined],
  ['a/b/Patient/1', undefined],
  ['Patient/a b', undefined],
  ['Patient/', undefined],
  ['Patient', undefined],
  ['/Patient/1', undefined],
  ['constructor/1', undefined],
  [`Patient/${'1'.repeat(65)}`, undefined],
  ['', undefined],
])('%s names %s', (reference, type) => {
  expect(typeOfReference(reference)).toBe(type);
});
