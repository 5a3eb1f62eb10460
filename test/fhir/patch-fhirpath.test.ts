/** The rules of R4 fhirpatch.html; the cases cover what HL7's fhir-path-tests.xml covers, and what it leaves out. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { applyFhirPathPatch } from '../../src/fhir/patch/fhirpath-patch.ts';
import type { Json, Resource } from '../../src/fhir/types.ts';
import {
  add,
  extension,
  identifiers,
  insert,
  move,
  type Operation,
  parameters,
  patient,
  remove,
  replace,
} from './patch-support.ts';

type Case = [title: string, before: Json, operations: Operation[], after: Json];

function describeCases(title: string, cases: Case[]): void {
  describe(title, () => {
    test.each(cases)('%s', (_, before, operations, after) => {
      const given = { resourceType: 'Patient', id: 'p1', ...before };
      const copy = structuredClone(given);
      const patched = applyFhirPathPatch(given, parameters(...operations));
      expect(patched).toEqual({ resourceType: 'Patient', id: 'p1', ...after });
      expect(given).toEqual(copy);
    });
  });
}

describeCases('add', [
  ['sets a primitive', {}, [add('Patient', 'birthDate', { valueDate: '1930-01-01' })], { birthDate: '1930-01-01' }],
  [
    'sets a primitive with its extensions',
    {},
    [add('Patient', 'birthDate', { valueDate: '1930', _valueDate: { extension: [extension] } })],
    { birthDate: '1930', _birthDate: { extension: [extension] } },
  ],
  [
    'sets a primitive that has extensions only',
    {},
    [add('Patient', 'birthDate', { _valueDate: { extension: [extension] } })],
    { _birthDate: { extension: [extension] } },
  ],
  [
    'sets a primitive inside an item',
    { contact: [{ name: { text: 'a' } }] },
    [add('Patient.contact[0]', 'gender', { valueCode: 'male' })],
    { contact: [{ name: { text: 'a' }, gender: 'male' }] },
  ],
  [
    'sets a complex element',
    {},
    [add('Patient', 'maritalStatus', { valueCodeableConcept: { text: 'married' } })],
    { maritalStatus: { text: 'married' } },
  ],
  [
    'makes a list',
    {},
    [add('Patient', 'identifier', { valueIdentifier: { value: '1' } })],
    { identifier: [{ value: '1' }] },
  ],
  [
    'appends to a list',
    identifiers(1, 2),
    [add('Patient', 'identifier', { valueIdentifier: { value: '3' } })],
    identifiers(1, 2, 3),
  ],
  [
    'appends to a list of primitives, extensions beside values',
    { name: [{ given: ['A'] }] },
    [
      add('Patient.name[0]', 'given', { valueString: 'B', _valueString: { id: 'b' } }),
      add('Patient.name[0]', 'given', { valueString: 'C' }),
    ],
    { name: [{ given: ['A', 'B', 'C'], _given: [null, { id: 'b' }, null] }] },
  ],
  ['names a choice by its type', {}, [add('Patient', 'deceased', { valueBoolean: true })], { deceasedBoolean: true }],
  [
    'names the same choice by another type',
    {},
    [add('Patient', 'deceased', { valueDateTime: '2026-03-16' })],
    { deceasedDateTime: '2026-03-16' },
  ],
  [
    'builds an element without a type of its own from parts',
    {},
    [add('Patient', 'contact', { part: [{ name: 'name', valueHumanName: { text: 'a' } }] })],
    { contact: [{ name: { text: 'a' } }] },
  ],
  [
    'builds from parts of parts, lists and choices among them',
    {},
    [
      add('Patient', 'contact', {
        part: [
          { name: 'relationship', valueCodeableConcept: { text: 'mother' } },
          { name: 'relationship', valueCodeableConcept: { text: 'carer' } },
          {
            name: 'name',
            part: [
              { name: 'given', valueString: 'A' },
              { name: 'given', valueString: 'B' },
              { name: 'period', valuePeriod: { end: '2020' } },
            ],
          },
          {
            name: 'extension',
            part: [
              { name: 'url', valueUri: 'urn:x' },
              { name: 'value', valueInteger: 5 },
            ],
          },
        ],
      }),
    ],
    {
      contact: [
        {
          relationship: [{ text: 'mother' }, { text: 'carer' }],
          name: { given: ['A', 'B'], period: { end: '2020' } },
          extension: [{ url: 'urn:x', valueInteger: 5 }],
        },
      ],
    },
  ],
  [
    'gives a primitive an extension',
    { birthDate: '1930' },
    [
      add('Patient.birthDate', 'extension', {
        part: [
          { name: 'url', valueUri: 'urn:x' },
          { name: 'value', valueString: 'x' },
        ],
      }),
    ],
    { birthDate: '1930', _birthDate: { extension: [extension] } },
  ],
  [
    'gives an item of a primitive list an id',
    { name: [{ given: ['A', 'B'] }] },
    [add('Patient.name.given[1]', 'id', { valueId: 'b' })],
    { name: [{ given: ['A', 'B'], _given: [null, { id: 'b' }] }] },
  ],
  [
    'contains a resource',
    {},
    [add('Patient', 'contained', { resource: { resourceType: 'Organization', id: 'o' } })],
    { contained: [{ resourceType: 'Organization', id: 'o' }] },
  ],
  [
    'takes a string where a code is asked for',
    {},
    [add('Patient', 'gender', { valueString: 'female' })],
    { gender: 'female' },
  ],
]);

describeCases('insert', [
  [
    'puts an item first',
    identifiers(1, 2),
    [insert('Patient.identifier', 0, { valueIdentifier: { value: '3' } })],
    identifiers(3, 1, 2),
  ],
  [
    'puts an item between',
    identifiers(1, 2),
    [insert('Patient.identifier', 1, { valueIdentifier: { value: '3' } })],
    identifiers(1, 3, 2),
  ],
  [
    'puts an item last',
    identifiers(1, 2),
    [insert('Patient.identifier', 2, { valueIdentifier: { value: '3' } })],
    identifiers(1, 2, 3),
  ],
  [
    'keeps extensions of primitives with their values',
    { name: [{ given: ['A', 'B'], _given: [null, { id: 'b' }] }] },
    [insert('Patient.name.given', 1, { valueString: 'X' })],
    { name: [{ given: ['A', 'X', 'B'], _given: [null, null, { id: 'b' }] }] },
  ],
  [
    'finds the one list that there is',
    { contact: [{ gender: 'male' }, { telecom: [{ value: '1' }] }] },
    [insert('Patient.contact.telecom', 0, { valueContactPoint: { value: '0' } })],
    { contact: [{ gender: 'male' }, { telecom: [{ value: '0' }, { value: '1' }] }] },
  ],
  [
    'puts an item made of parts',
    { contact: [{ gender: 'male' }] },
    [insert('Patient.contact', 0, { part: [{ name: 'gender', valueCode: 'female' }] })],
    { contact: [{ gender: 'female' }, { gender: 'male' }] },
  ],
  [
    'puts a contained resource',
    { contained: [{ resourceType: 'Organization', id: 'o' }] },
    [insert('Patient.contained', 0, { resource: { resourceType: 'Practitioner', id: 'd' } })],
    {
      contained: [
        { resourceType: 'Practitioner', id: 'd' },
        { resourceType: 'Organization', id: 'o' },
      ],
    },
  ],
]);

describeCases('delete', [
  ['takes a primitive', { active: true, birthDate: '1930' }, [remove('Patient.birthDate')], { active: true }],
  [
    'takes a primitive with its extensions',
    { birthDate: '1930', _birthDate: { extension: [extension] } },
    [remove('Patient.birthDate')],
    {},
  ],
  ['takes a complex element', { maritalStatus: { text: 'x' } }, [remove('Patient.maritalStatus')], {}],
  ['takes the first item', identifiers(1, 2, 3), [remove('Patient.identifier[0]')], identifiers(2, 3)],
  ['takes the last item', identifiers(1, 2, 3), [remove('Patient.identifier[2]')], identifiers(1, 2)],
  ['takes the only item and the list', identifiers(1), [remove('Patient.identifier')], {}],
  [
    'takes an element that became empty',
    { contact: [{ name: { text: 'a' }, gender: 'male' }] },
    [remove('Patient.contact[0].name.text')],
    { contact: [{ gender: 'male' }] },
  ],
  [
    'leaves an emptied element to what follows',
    { name: [{ family: 'a' }] },
    [remove('Patient.name.family'), add('Patient.name', 'family', { valueString: 'b' })],
    { name: [{ family: 'b' }] },
  ],
  [
    'takes value and extension of an item of a primitive list',
    { name: [{ given: ['A', 'B'], _given: [{ id: 'a' }, { id: 'b' }] }] },
    [remove("Patient.name.given.where($this = 'A')")],
    { name: [{ given: ['B'], _given: [{ id: 'b' }] }] },
  ],
  [
    'of nothing is nothing',
    { active: true },
    [remove('Patient.birthDate'), remove('Patient.name[3].period')],
    { active: true },
  ],
  [
    'takes the value of a choice',
    { deceasedBoolean: true, active: true },
    [remove('Patient.deceased')],
    { active: true },
  ],
]);

describeCases('replace', [
  [
    'changes a primitive',
    { birthDate: '1920' },
    [replace('Patient.birthDate', { valueDate: '1930' })],
    { birthDate: '1930' },
  ],
  [
    'replaces the whole element: extensions are of the old one',
    { birthDate: '1920', _birthDate: { extension: [extension] } },
    [replace('Patient.birthDate', { valueDate: '1930' })],
    { birthDate: '1930' },
  ],
  [
    'changes a primitive inside an item',
    { contact: [{ name: { text: 'a' }, gender: 'male' }] },
    [
      replace('Patient.contact[0].gender', { valueCode: 'female' }),
      replace('Patient.contact[0].name.text', { valueString: 'b' }),
    ],
    { contact: [{ name: { text: 'b' }, gender: 'female' }] },
  ],
  [
    'changes a complex element as a whole',
    { maritalStatus: { id: '1', text: 'married' } },
    [replace('Patient.maritalStatus', { valueCodeableConcept: { id: '2', text: 'not married' } })],
    { maritalStatus: { id: '2', text: 'not married' } },
  ],
  [
    'changes an item and keeps its place',
    identifiers(1, 2, 3),
    [replace("Patient.identifier.where(value = '2')", { valueIdentifier: { value: '5' } })],
    identifiers(1, 5, 3),
  ],
  [
    'works one after the other',
    identifiers(1, 2),
    [
      replace('Patient.identifier[0].value', { valueString: '2' }),
      replace('Patient.identifier[1].value', { valueString: '1' }),
    ],
    identifiers(2, 1),
  ],
  [
    'changes the type of a choice',
    { deceasedBoolean: true },
    [replace('Patient.deceased', { valueDateTime: '2026-03-16' })],
    { deceasedDateTime: '2026-03-16' },
  ],
  [
    'changes an anonymous element to what the parts say',
    { contact: [{ gender: 'male', name: { text: 'a' } }] },
    [replace('Patient.contact[0]', { part: [{ name: 'gender', valueCode: 'female' }] })],
    { contact: [{ gender: 'female' }] },
  ],
  [
    'changes the narrative, which goes as a string',
    { text: { status: 'generated', div: '<div>a</div>' } },
    [replace('Patient.text.div', { valueString: '<div>b</div>' })],
    { text: { status: 'generated', div: '<div>b</div>' } },
  ],
]);

describeCases('move', [
  ['forward', identifiers(1, 2, 3, 4), [move('Patient.identifier', 3, 1)], identifiers(1, 4, 2, 3)],
  ['to the front', identifiers(1, 2, 3, 4), [move('Patient.identifier', 3, 0)], identifiers(4, 1, 2, 3)],
  [
    'to the end: the index is the one afterwards',
    identifiers(1, 2, 3, 4),
    [move('Patient.identifier', 0, 3)],
    identifiers(2, 3, 4, 1),
  ],
  ['to its own place', identifiers(1, 2), [move('Patient.identifier', 1, 1)], identifiers(1, 2)],
  [
    'several in turn',
    identifiers(1, 2, 3, 4),
    [move('Patient.identifier', 3, 0), move('Patient.identifier', 3, 1), move('Patient.identifier', 3, 2)],
    identifiers(4, 3, 2, 1),
  ],
  [
    'of primitives takes their extensions along',
    { name: [{ given: ['A', 'B', 'C'], _given: [{ id: 'a' }] }] },
    [move('Patient.name.given', 0, 2)],
    { name: [{ given: ['B', 'C', 'A'], _given: [null, null, { id: 'a' }] }] },
  ],
]);

describe('operations undo each other', () => {
  const value = fc.string({ minLength: 1, maxLength: 3 });
  const item = fc.record({ value, shadow: fc.option(fc.record({ id: value }), { nil: undefined }) });
  const given = fc.array(item, { minLength: 1, maxLength: 5 });
  const withGiven = (items: { value: string; shadow: Json | undefined }[]): Resource => {
    const shadows = items.map(({ shadow }) => shadow ?? null);
    const name = { given: items.map((it) => it.value), ...(shadows.some((it) => it) && { _given: shadows }) };
    return patient({ name: [name] });
  };

  test('insert and delete, at any index, with extensions or without', () => {
    fc.assert(
      fc.property(given, item, fc.nat(5), (items, { value: text, shadow }, at) => {
        const index = at % (items.length + 1);
        const before = withGiven(items);
        const part = { valueString: text, ...(shadow && { _valueString: shadow }) };
        const inserted = applyFhirPathPatch(before, parameters(insert('Patient.name.given', index, part)));
        expect(inserted).toEqual(withGiven(items.toSpliced(index, 0, { value: text, shadow })));
        expect(applyFhirPathPatch(inserted, parameters(remove(`Patient.name.given[${index}]`)))).toEqual(before);
      }),
    );
  });

  test('move there and back', () => {
    fc.assert(
      fc.property(given, fc.nat(4), fc.nat(4), (items, a, b) => {
        const [from, to] = [a % items.length, b % items.length];
        const before = withGiven(items);
        const moved = applyFhirPathPatch(before, parameters(move('Patient.name.given', from, to)));
        expect(moved.name[0].given[to]).toBe(items[from]?.value);
        expect(applyFhirPathPatch(moved, parameters(move('Patient.name.given', to, from)))).toEqual(before);
      }),
    );
  });
});
