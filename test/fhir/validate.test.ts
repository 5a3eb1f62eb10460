import { describe, expect, test } from '@jest/globals';
import { assertShallow, assertValid, errorsOf } from '../../src/fhir/validate.ts';
import { Failure } from '../../src/outcome.ts';
import { realResources } from './examples.ts';

function errors(resource: unknown): string[] {
  return errorsOf(resource).map(({ text, expression }) => `${expression ?? ''} ${text}`);
}

describe('the gate for resources', () => {
  test('lets through everything that we make ourselves', () => {
    const resources = realResources();
    expect(resources.length).toBeGreaterThan(100);
    expect(resources.flatMap(errors)).toEqual([]);
  });

  test.each([
    ['the least there can be', { resourceType: 'Patient' }],
    [
      'an extension of a primitive',
      { resourceType: 'Patient', birthDate: '1980', _birthDate: { extension: [{ url: 'x', valueString: 'y' }] } },
    ],
    [
      'an extension in place of a primitive',
      { resourceType: 'Patient', _gender: { extension: [{ url: 'x', valueCode: 'u' }] } },
    ],
    [
      'null where a list of primitives has an extension',
      {
        resourceType: 'Patient',
        name: [{ given: ['A', null], _given: [null, { extension: [{ url: 'x', valueString: 'y' }] }] }],
      },
    ],
    [
      'a contained resource',
      {
        resourceType: 'Patient',
        managingOrganization: { reference: '#o' },
        contained: [{ resourceType: 'Organization', id: 'o', name: 'x' }],
      },
    ],
    [
      'a required choice',
      {
        resourceType: 'MedicationRequest',
        status: 'active',
        intent: 'order',
        medicationCodeableConcept: { text: 'x' },
        subject: { reference: 'Patient/1' },
      },
    ],
    [
      'a Bundle in a Bundle',
      {
        resourceType: 'Bundle',
        type: 'collection',
        entry: [{ resource: { resourceType: 'Bundle', type: 'collection' } }],
      },
    ],
    [
      'a Parameters with a resource',
      { resourceType: 'Parameters', parameter: [{ name: 'x', resource: { resourceType: 'Patient' } }] },
    ],
    [
      'a decimal that is whole',
      { resourceType: 'Observation', status: 'final', code: { text: 'x' }, valueQuantity: { value: 5 } },
    ],
  ])('takes %s', (_, resource) => {
    expect(errors(resource)).toEqual([]);
  });

  test.each<[string, object, string]>([
    ['an element that is not there', { resourceType: 'Patient', colour: 'red' }, 'Patient'],
    [
      'such an element deep inside',
      { resourceType: 'Patient', name: [{}, { family: 'A', colour: 'red' }] },
      'Patient.name[1]',
    ],
    [
      'such an element in a contained resource',
      { resourceType: 'Patient', contained: [{ resourceType: 'Organization', colour: 1 }] },
      'Patient.contained[0]',
    ],
    ['a number for a string', { resourceType: 'Patient', name: [{ family: 5 }] }, 'Patient.name[0].family'],
    ['a string for a boolean', { resourceType: 'Patient', active: 'true' }, 'Patient.active'],
    ['one for a list', { resourceType: 'Patient', name: { family: 'A' } }, 'Patient.name'],
    ['a list for one', { resourceType: 'Patient', gender: ['male'] }, 'Patient.gender'],
    ['a code that is not in a required set', { resourceType: 'Patient', gender: 'm' }, 'Patient.gender'],
    ['a wrong date', { resourceType: 'Patient', birthDate: '16.03.2026' }, 'Patient.birthDate'],
    ['a required element missing', { resourceType: 'Encounter', class: { code: 'IMP' } }, 'Encounter'],
    ['two of a choice', { resourceType: 'Patient', deceasedBoolean: true, deceasedDateTime: '2026' }, 'Patient'],
    [
      'two of a choice, one by extension',
      { resourceType: 'Patient', deceasedBoolean: true, _deceasedDateTime: { id: 'x' } },
      'Patient',
    ],
    [
      'none of a required choice',
      { resourceType: 'MedicationRequest', status: 'active', intent: 'order', subject: { reference: 'Patient/1' } },
      'MedicationRequest',
    ],
    [
      'two of a choice in an extension',
      { resourceType: 'Patient', extension: [{ url: 'x', valueCode: 'a', valueString: 'b' }] },
      'Patient.extension[0]',
    ],
    ['an extension without url', { resourceType: 'Patient', extension: [{ valueCode: 'a' }] }, 'Patient.extension[0]'],
    ['an empty list', { resourceType: 'Patient', name: [] }, 'Patient.name'],
    ['null for an object in a list', { resourceType: 'Patient', name: [null] }, 'Patient.name[0]'],
    ['null for an element', { resourceType: 'Patient', gender: null }, 'Patient.gender'],
    ['null for a backbone', { resourceType: 'Patient', contact: null }, 'Patient.contact'],
    ['a contained resource of no type', { resourceType: 'Patient', contained: [{ id: 'x' }] }, 'Patient.contained[0]'],
    [
      'a wrong date deep in a contained resource',
      { resourceType: 'Patient', contained: [{ resourceType: 'Patient', contact: [{ period: { start: 'x' } }] }] },
      'Patient.contained[0].contact[0].period.start',
    ],
    [
      'a wrong value in an entry of a Bundle in a Bundle',
      {
        resourceType: 'Bundle',
        type: 'collection',
        entry: [
          {},
          {
            resource: {
              resourceType: 'Bundle',
              type: 'collection',
              entry: [{ resource: { resourceType: 'Patient', active: 1 } }],
            },
          },
        ],
      },
      'Bundle.entry[1].resource.entry[0].resource.active',
    ],
    [
      'a wrong value of a choice, named as FHIRPath does',
      { resourceType: 'Patient', deceasedDateTime: 'x' },
      'Patient.deceased',
    ],
    [
      'a wrong extension of a primitive',
      { resourceType: 'Patient', _birthDate: { extension: [{}] } },
      'Patient.birthDate.extension[0]',
    ],
    ['a meta that is no object', { resourceType: 'Patient', meta: 5 }, 'Patient.meta'],
    ['an id that is none', { resourceType: 'Patient', id: 'a b' }, 'Patient.id'],
  ])('refuses %s and says where', (_, resource, expression) => {
    const found = errorsOf(resource);
    expect(found.length).toBeGreaterThan(0);
    expect(found.map((it) => it.expression)).toContain(expression);
  });

  test.each([
    ['null', null],
    ['a list', []],
    ['a text', 'Patient'],
    ['a number', 5],
    ['nothing', undefined],
    ['an object without a type', {}],
    ['a type that is not a text', { resourceType: 5 }],
    ['an unknown type', { resourceType: 'Nobody' }],
    ['a data type', { resourceType: 'HumanName' }],
    ['an abstract type', { resourceType: 'DomainResource' }],
    ['the name of what every object has', { resourceType: 'constructor' }],
    ['another such name', { resourceType: '__proto__' }],
  ])('refuses %s', (_, value) => {
    expect(errorsOf(value)).toHaveLength(1);
    expect(() => assertValid(value)).toThrow(expect.objectContaining({ kind: 'invalid' }));
  });

  test.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty'])('refuses the key %s', (key) => {
    expect(errorsOf(JSON.parse(`{"resourceType":"Patient","${key}":{"active":true}}`))).toHaveLength(1);
    expect(errorsOf(JSON.parse(`{"resourceType":"Patient","name":[{"${key}":"x"}]}`))).toHaveLength(1);
  });

  test.each([
    ['blanks between the groups', 'AAAA '.repeat(50_000), true],
    ['blanks between the groups, and what is no digit behind them', `${'AAAA '.repeat(50_000)}!`, false],
    ['megabytes', 'AAAA'.repeat(2_000_000), true],
    ['nothing', '', false],
    ['a group that is not whole', 'AAA', false],
  ])('reads base64 with %s in linear time', (_, valueBase64Binary, sound) => {
    // The published pattern would not come back from the second, and overflow the stack on the third.
    const found = errorsOf({ resourceType: 'Patient', extension: [{ url: 'http://x', valueBase64Binary }] });
    expect(found.length === 0).toBe(sound);
  });

  test('asks for bindings, invariants and targets together, once the shape is sound', () => {
    const found = errorsOf({
      resourceType: 'Patient',
      language: 'no language',
      contact: [{ gender: 'male' }],
      managingOrganization: { reference: 'Patient/1' },
    });
    expect(found.map((it) => it.expression)).toEqual([
      'Patient.language',
      'Patient.contact[0]',
      'Patient.managingOrganization.reference',
    ]);
  });

  test('takes extensions in extensions as deep as anybody needs', () => {
    const nested = (levels: number): string =>
      levels === 0 ? '{"url":"x","valueCode":"y"}' : `{"url":"x","extension":[${nested(levels - 1)}]}`;
    const text = `{"resourceType":"Patient","extension":[${nested(20)}]}`;
    expect(errors(JSON.parse(text))).toEqual([]);
    expect(() => assertShallow(text)).not.toThrow();
  });

  test('never quotes a value: it may be of a patient', () => {
    const secret = 'Zhang-13900009999';
    const wrong = [
      { resourceType: 'Patient', gender: secret },
      { resourceType: 'Patient', birthDate: secret },
      { resourceType: 'Patient', active: secret },
      { resourceType: 'Patient', name: secret },
      { resourceType: secret },
    ];
    for (const resource of wrong) expect(JSON.stringify(errorsOf(resource))).not.toContain(secret);
    expect(() => assertValid(wrong[0])).toThrow(Failure);
  });
});

describe('the gate for depth', () => {
  test.each<[string, string]>([
    ['lists', '['.repeat(100_000)],
    ['objects', '{"a":'.repeat(100_000)],
    ['both, and closed again', `${'[{"a":'.repeat(50_000)}1${'}]'.repeat(50_000)}`],
    ['101 levels', `${'['.repeat(101)}${']'.repeat(101)}`],
    ['what stands behind a text with an escaped quotation mark', `["\\"",${'['.repeat(200)}`],
    ['what stands behind a text that ends with a backslash', `["\\\\",${'['.repeat(200)}`],
  ])('refuses %s nested too deep', (_, text) => {
    expect(() => assertShallow(text)).toThrow(expect.objectContaining({ kind: 'malformed' }));
  });

  test.each<[string, string]>([
    ['brackets inside a text', `{"a":"${'['.repeat(1000)}"}`],
    ['brackets behind an escaped quotation mark', `{"a":"\\"${'{'.repeat(1000)}"}`],
    ['what is long, not deep', `[${'[],'.repeat(1000)}[]]`],
    ['what is no JSON at all', '}}}}]]]]'],
    ['nothing', ''],
  ])('takes %s', (_, text) => {
    expect(() => assertShallow(text)).not.toThrow();
  });
});
