import { describe, expect, test } from '@jest/globals';
import { applyFhirPathPatch } from '../../src/fhir/patch/fhirpath-patch.ts';
import type { Json, Resource } from '../../src/fhir/types.ts';
import {
  add,
  extension,
  failureOf,
  insert,
  many,
  move,
  type Operation,
  parameters,
  patient,
  remove,
  replace,
} from './patch-support.ts';

describe('an operation that does not fit the resource is invalid', () => {
  test.each<[string, Operation]>([
    ['add to nothing', add('Patient.maritalStatus', 'text', { valueString: 'x' })],
    ['add to several', add('Patient.name', 'family', { valueString: 'x' })],
    ['add what is there', add('Patient', 'active', { valueBoolean: false })],
    ['add what has extensions only', add('Patient', 'gender', { valueCode: 'male' })],
    ['add a second value of a choice', add('Patient', 'multipleBirth', { valueInteger: 2 })],
    ['add a value of a choice by its key', add('Patient', 'multipleBirthInteger', { valueInteger: 2 })],
    ['add what the type does not have', add('Patient', 'status', { valueCode: 'x' })],
    ['add resourceType', add('Patient', 'resourceType', { valueCode: 'Person' })],
    ['add a child to a text', add('Patient.text.div', 'p', { valueString: 'x' })],
    ['add a value of another type', add('Patient', 'photo', { valueString: 'x' })],
    ['add a number for a text', add('Patient', 'language', { valueInteger: 5 })],
    ['add a date for a dateTime', add('Patient.name[0].period', 'end', { valueDate: '2021' })],
    ['add a type that the choice does not have', add('Patient', 'deceased', { valueString: 'x' })],
    ['add parts for a choice', add('Patient', 'deceased', { part: [{ name: 'x', valueString: 'x' }] })],
    ['add parts for a primitive', add('Patient', 'birthDate', { part: [{ name: 'id', valueString: 'x' }] })],
    ['add parts that the type does not have', add('Patient', 'contact', { part: [{ name: 'x', valueString: 'x' }] })],
    [
      'add parts twice where one may be',
      add('Patient', 'contact', {
        part: [
          { name: 'gender', valueCode: 'male' },
          { name: 'gender', valueCode: 'other' },
        ],
      }),
    ],
    ['insert into nothing', insert('Patient.telecom', 0, { valueContactPoint: { value: '1' } })],
    ['insert behind the end', insert('Patient.name', 3, { valueHumanName: { text: 'x' } })],
    ['insert before the start', insert('Patient.name', -1, { valueHumanName: { text: 'x' } })],
    ['insert into what does not repeat', insert('Patient.birthDate', 0, { valueDate: '1930' })],
    ['insert into several lists', insert('Patient.name.given', 0, { valueString: 'x' })],
    ['insert another type', insert('Patient.name', 0, { valueString: 'x' })],
    ['replace nothing', replace('Patient.birthDate.extension[0]', { valueString: 'x' })],
    ['replace several', replace('Patient.name', { valueHumanName: { text: 'x' } })],
    ['replace by another type', replace('Patient.active', { valueString: 'true' })],
    ['delete several', remove('Patient.name')],
    ['move from behind the end', move('Patient.name', 2, 0)],
    ['move behind the end', move('Patient.name', 0, 2)],
    ['move from before the start', move('Patient.name', -1, 0)],
  ])('%s', (_, operation) => {
    const before = patient({
      active: true,
      _gender: { extension: [extension] },
      multipleBirthBoolean: true,
      birthDate: '1930',
      text: { status: 'generated', div: '<div/>' },
      name: [{ given: ['A'], period: { start: '2020' } }, { given: ['B'] }],
    });
    const copy = structuredClone(before);
    const failure = failureOf(() => applyFhirPathPatch(before, parameters(operation)));
    expect([failure.kind, failure.message]).toEqual(['invalid', expect.stringMatching(/^operation 0: /)]);
    expect(before).toEqual(copy);
  });
});

describe('a patch that is none is malformed', () => {
  const part = (name: string, value: Json): Json => ({ name, ...value });
  const [type, path] = [part('type', { valueCode: 'delete' }), part('path', { valueString: 'Patient.name' })];
  const operation = (...parts: Json[]): Json => ({
    resourceType: 'Parameters',
    parameter: [{ name: 'operation', part: parts }],
  });

  test.each<[string, unknown]>([
    ['nothing', undefined],
    ['a list', []],
    ['another resource', { resourceType: 'Patient' }],
    ['no valid resource', { resourceType: 'Parameters', parameter: {} }],
    ['a parameter of another name', { resourceType: 'Parameters', parameter: [{ name: 'x', part: [type, path] }] }],
    ['no parts', { resourceType: 'Parameters', parameter: [{ name: 'operation' }] }],
    ['no type', operation(path)],
    ['another type', operation(part('type', { valueCode: 'remove' }), path)],
    ['a type of Object.prototype', operation(part('type', { valueCode: 'constructor' }), path)],
    ['no path', operation(type)],
    ['a path that is no string', operation(type, part('path', { valueInteger: 1 }))],
    ['a part without value', operation(type, part('path', {}))],
    ['two paths', operation(type, path, path)],
    ['a part that the type does not take', operation(type, path, part('index', { valueInteger: 1 }))],
    ['a part that nobody knows', operation(type, path, part('x', { valueInteger: 1 }))],
    ['add without name', operation(part('type', { valueCode: 'add' }), path, part('value', { valueString: 'x' }))],
    ['replace without value', operation(part('type', { valueCode: 'replace' }), path)],
    [
      'insert without index',
      operation(part('type', { valueCode: 'insert' }), path, part('value', { valueString: 'x' })),
    ],
    [
      'an index that is no integer',
      operation(
        part('type', { valueCode: 'move' }),
        path,
        part('source', { valueString: '1' }),
        part('destination', { valueInteger: 1 }),
      ),
    ],
    [
      'a value and parts at once',
      operation(part('type', { valueCode: 'replace' }), path, part('value', { valueString: 'x', part: [path] })),
    ],
    ['a path through a list for insert', parameters(insert('Patient.name[0]', 0, { valueHumanName: { text: 'x' } }))],
    ['another id', parameters(replace('Patient.id', { valueId: 'p2' }))],
    ['no id', parameters(remove('Patient.id'))],
    ['the resource itself', parameters(replace('Patient', { resource: { resourceType: 'Patient', id: 'p1' } }))],
    ['a name that reaches a prototype', JSON.parse('{"resourceType":"Parameters","__proto__":{"x":1}}')],
  ])('%s', (_, patch) => {
    expect(failureOf(() => applyFhirPathPatch(many, patch)).kind).toBe('malformed');
  });
});

describe('a hostile FHIRPath Patch stays cheap', () => {
  const group = (members: number): Resource => ({
    resourceType: 'Group',
    member: Array.from({ length: members }, (_, i) => ({ entity: { reference: `Patient/${i}` } })),
  });

  test('more than 1,000 operations are refused', () => {
    const operations = Array<Operation>(1001).fill(remove('Patient.photo'));
    expect(failureOf(() => applyFhirPathPatch(many, parameters(...operations))).kind).toBe('too-costly');
  });

  test.each([
    'Group.member[9999].period',
    "Group.member.where(entity.reference = 'x').period",
    "Group.where(member.where(entity.where(reference.where($this = 'x').exists()).exists()).exists()).code",
    `Group.where(${Array(20).fill('member.entity.count() = 1').join(' or ')}).code`,
  ])('%s a thousand times over is refused', (path) => {
    const operations = Array<Operation>(1000).fill(remove(path));
    expect(failureOf(() => applyFhirPathPatch(group(10_000), parameters(...operations))).kind).toBe('too-costly');
  });

  test('once it is not', () => {
    const path = "Group.member.where(entity.reference = 'Patient/9999')";
    expect(applyFhirPathPatch(group(10_000), parameters(remove(path))).member).toHaveLength(9_999);
  });

  test.each(['('.repeat(490), 'Patient.name.where('.repeat(50), '-'.repeat(999), "'\\u", '@'])(
    'what the parser cannot read is malformed: %#',
    (path) => {
      expect(failureOf(() => applyFhirPathPatch(many, parameters(remove(path)))).kind).toBe('malformed');
    },
  );

  test('nested parentheses are read', () => {
    const path = `${'('.repeat(490)}Patient${')'.repeat(490)}.active`;
    expect(applyFhirPathPatch(many, parameters(remove(path)))).not.toHaveProperty('active');
  });
});
