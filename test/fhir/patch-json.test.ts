import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createPatch } from 'rfc6902';
import { applyJsonPatch } from '../../src/fhir/patch/json-patch.ts';
import type { Json, Resource } from '../../src/fhir/types.ts';
import { Failure, type FailureKind } from '../../src/outcome.ts';
import { failureOf } from './patch-support.ts';

const anna = (): Resource => ({
  resourceType: 'Patient',
  id: 'p1',
  active: true,
  name: [{ family: 'Li', given: ['Anna', 'Bo'] }, { family: 'Wang' }, { family: 'Zhao' }],
  birthDate: '1980-02-03',
});

describe('a JSON Patch', () => {
  test.each<[string, Json[], Json]>([
    ['without operations changes nothing', [], {}],
    ['adds a member', [{ op: 'add', path: '/gender', value: 'female' }], { gender: 'female' }],
    ['adds over a member that is there', [{ op: 'add', path: '/active', value: false }], { active: false }],
    [
      'adds at an index',
      [{ op: 'add', path: '/name/1', value: { family: 'Xu' } }],
      { name: [anna().name[0], { family: 'Xu' }, { family: 'Wang' }, { family: 'Zhao' }] },
    ],
    [
      'adds behind the last by -',
      [{ op: 'add', path: '/name/0/given/-', value: 'Cai' }],
      { name: [{ family: 'Li', given: ['Anna', 'Bo', 'Cai'] }, { family: 'Wang' }, { family: 'Zhao' }] },
    ],
    [
      'adds behind the last by the length',
      [{ op: 'add', path: '/name/3', value: { family: 'Xu' } }],
      { name: [...anna().name, { family: 'Xu' }] },
    ],
    ['removes an item', [{ op: 'remove', path: '/name/0' }], { name: [{ family: 'Wang' }, { family: 'Zhao' }] }],
    [
      'replaces an item',
      [{ op: 'replace', path: '/name/1', value: { family: 'Xu' } }],
      { name: [anna().name[0], { family: 'Xu' }, { family: 'Zhao' }] },
    ],
    [
      'moves an item to its place afterwards',
      [{ op: 'move', from: '/name/0', path: '/name/2' }],
      { name: [{ family: 'Wang' }, { family: 'Zhao' }, anna().name[0]] },
    ],
    [
      'moves into what stands at the path after the removal',
      [{ op: 'move', from: '/name/0', path: '/name/1/period' }],
      { name: [{ family: 'Wang' }, { family: 'Zhao', period: anna().name[0] }] },
    ],
    ['moves to itself and changes nothing', [{ op: 'move', from: '/name/1', path: '/name/1' }], {}],
    [
      'copies a value of its own',
      [
        { op: 'copy', from: '/name/1', path: '/name/0' },
        { op: 'replace', path: '/name/0/family', value: 'Xu' },
      ],
      { name: [{ family: 'Xu' }, ...anna().name] },
    ],
    [
      'goes on after a test that holds',
      [
        { op: 'test', path: '/name/0', value: { given: ['Anna', 'Bo'], family: 'Li' } },
        { op: 'replace', path: '/active', value: false },
      ],
      { active: false },
    ],
    ['takes a null as a value', [{ op: 'add', path: '/gender', value: null }], { gender: null }],
    ['ignores members that RFC 6902 does not define', [{ op: 'test', path: '/active', value: true, note: 1 }], {}],
    ['reads ~1 as / and ~01 as ~1', [{ op: 'add', path: '/a~1b~01', value: 1 }], { 'a/b~1': 1 }],
    [
      'may replace the whole document',
      [{ op: 'replace', path: '', value: { ...anna(), active: false } }],
      { active: false },
    ],
    [
      'keeps what a later operation adds to an emptied list',
      [
        { op: 'remove', path: '/name/0/given/1' },
        { op: 'remove', path: '/name/0/given/0' },
        { op: 'add', path: '/name/0/given/-', value: 'Cai' },
      ],
      { name: [{ family: 'Li', given: ['Cai'] }, { family: 'Wang' }, { family: 'Zhao' }] },
    ],
  ])('%s', (_, operations, changes) => {
    expect(applyJsonPatch(anna(), operations)).toEqual({ ...anna(), ...changes });
  });

  test('does not leave empty lists and elements, which FHIR does not have', () => {
    const patched = applyJsonPatch(anna(), [
      { op: 'remove', path: '/name/0/given/1' },
      { op: 'remove', path: '/name/0/given/0' },
      { op: 'remove', path: '/name/2/family' },
      { op: 'remove', path: '/name/1/family' },
    ]);
    expect(patched.name).toEqual([{ family: 'Li' }]);
    expect(applyJsonPatch(patched, [{ op: 'remove', path: '/name/0/family' }])).not.toHaveProperty('name');
  });

  test('keeps values and extensions of a primitive list side by side', () => {
    const before: Resource = {
      resourceType: 'Patient',
      name: [{ given: ['A', null, 'C'], _given: [null, { id: 'x' }, { id: 'y' }] }],
    };
    const patched = applyJsonPatch(before, [{ op: 'remove', path: '/name/0/_given/1/id' }]);
    expect(patched.name).toEqual([{ given: ['A', null, 'C'], _given: [null, null, { id: 'y' }] }]);
    const bare = applyJsonPatch(patched, [{ op: 'remove', path: '/name/0/_given/2/id' }]);
    expect(bare.name).toEqual([{ given: ['A', null, 'C'] }]);
  });

  test('never changes the resource or the operations that it is given', () => {
    const [before, operations] = [anna(), [{ op: 'add', path: '/contact', value: [{ gender: 'male' }] }]];
    const patched = applyJsonPatch(before, [
      ...operations,
      { op: 'replace', path: '/contact/0/gender', value: 'other' },
    ]);
    expect(before).toEqual(anna());
    expect(operations).toEqual([{ op: 'add', path: '/contact', value: [{ gender: 'male' }] }]);
    expect(patched.contact).toEqual([{ gender: 'other' }]);
  });
});

describe('a JSON Patch that does not fit is refused with the index of the operation', () => {
  const fine = { op: 'test', path: '/active', value: true };

  test.each<[string, unknown, FailureKind]>([
    ['not an object', 'remove', 'malformed'],
    ['null', null, 'malformed'],
    ['without op', { path: '/active' }, 'malformed'],
    ['an unknown op', { op: 'delete', path: '/active' }, 'malformed'],
    ['an op of Object.prototype', { op: 'constructor', path: '/active' }, 'malformed'],
    ['without path', { op: 'remove' }, 'malformed'],
    ['a path that is no text', { op: 'remove', path: ['active'] }, 'malformed'],
    ['a path without /', { op: 'remove', path: 'active' }, 'malformed'],
    ['a path with ~ alone', { op: 'remove', path: '/a~2' }, 'malformed'],
    ['add without value', { op: 'add', path: '/gender' }, 'malformed'],
    ['test without value', { op: 'test', path: '/nothing' }, 'malformed'],
    ['move without from', { op: 'move', path: '/gender' }, 'malformed'],
    ['move into itself', { op: 'move', from: '/name', path: '/name/0' }, 'malformed'],
    ['a path through __proto__', { op: 'add', path: '/__proto__/active', value: true }, 'malformed'],
    ['a path to constructor', { op: 'add', path: '/constructor', value: {} }, 'malformed'],
    ['from prototype', { op: 'copy', from: '/name/prototype', path: '/x' }, 'malformed'],
    ['a value with __proto__', { op: 'add', path: '/x', value: JSON.parse('{"__proto__":{"y":1}}') }, 'malformed'],
    ['remove of nothing', { op: 'remove', path: '/gender' }, 'invalid'],
    ['replace of nothing', { op: 'replace', path: '/gender', value: 'male' }, 'invalid'],
    ['an index behind the end', { op: 'add', path: '/name/4', value: {} }, 'invalid'],
    ['copy behind the end', { op: 'copy', from: '/name/0', path: '/name/9' }, 'invalid'],
    ['move behind the end', { op: 'move', from: '/name/0', path: '/name/3' }, 'invalid'],
    ['an index with a leading zero', { op: 'remove', path: '/name/01' }, 'invalid'],
    ['a negative index', { op: 'replace', path: '/name/-1', value: {} }, 'invalid'],
    ['an index that is a name', { op: 'copy', from: '/name/0', path: '/name/first' }, 'invalid'],
    ['- where something must be', { op: 'replace', path: '/name/-', value: {} }, 'invalid'],
    ['what JavaScript adds to a list', { op: 'copy', from: '/name/length', path: '/x' }, 'invalid'],
    ['what JavaScript adds to an object', { op: 'copy', from: '/toString', path: '/x' }, 'invalid'],
    ['a child of a text', { op: 'add', path: '/birthDate/x', value: 1 }, 'invalid'],
    ['a list that is not there', { op: 'add', path: '/telecom/-', value: {} }, 'invalid'],
    ['a test of another value', { op: 'test', path: '/birthDate', value: '1980-02-04' }, 'invalid'],
    ['a test of another order', { op: 'test', path: '/name/0/given', value: ['Bo', 'Anna'] }, 'invalid'],
    ['a test of nothing', { op: 'test', path: '/gender', value: null }, 'invalid'],
  ])('%s', (_, operation, kind) => {
    const before = anna();
    const failure = failureOf(() => applyJsonPatch(before, [fine, operation]));
    expect(failure.kind).toBe(kind);
    expect(failure.message).toMatch(/^operation 1: /);
    expect(before).toEqual(anna());
  });

  test.each<[string, unknown]>([
    ['no array', { op: 'remove', path: '/active' }],
    ['nothing', undefined],
    ['another resourceType', [{ op: 'replace', path: '/resourceType', value: 'Person' }]],
    ['another id', [{ op: 'replace', path: '/id', value: 'p2' }]],
    ['no id', [{ op: 'remove', path: '/id' }]],
    ['no document', [{ op: 'remove', path: '' }]],
    ['a list as the document', [{ op: 'replace', path: '', value: [] }]],
  ])('malformed: %s', (_, operations) => {
    expect(failureOf(() => applyJsonPatch(anna(), operations)).kind).toBe('malformed');
  });

  test('the failure names no value of the patient', () => {
    const failure = failureOf(() => applyJsonPatch(anna(), [{ op: 'test', path: '/birthDate', value: '1999-09-09' }]));
    expect(JSON.stringify([failure.message, failure.details])).not.toMatch(/1980|1999/);
  });
});

describe('a hostile JSON Patch stays cheap', () => {
  test('more than 1,000 operations are refused', () => {
    const operations = Array(1001).fill({ op: 'test', path: '/active', value: true });
    expect(failureOf(() => applyJsonPatch(anna(), operations)).kind).toBe('too-costly');
    expect(applyJsonPatch(anna(), operations.slice(1))).toEqual(anna());
  });

  test('copies of copies do not grow without end', () => {
    const operations = Array.from({ length: 60 }, (_, i) => ({ op: 'copy', from: '/name', path: `/name/0/x${i}` }));
    expect(failureOf(() => applyJsonPatch(anna(), operations)).kind).toBe('too-costly');
  });

  test('moves cannot nest deeper than a body may', () => {
    const chain = (): Json => Array.from({ length: 60 }).reduce<Json>((inner) => ({ a: inner }), {});
    const operations = Array.from({ length: 100 }).flatMap(() => [
      { op: 'add', path: '/b', value: chain() },
      { op: 'move', from: '/name', path: `/b${'/a'.repeat(60)}/z` },
      { op: 'move', from: '/b', path: '/name' },
    ]);
    const failure = failureOf(() => applyJsonPatch(anna(), operations));
    expect([failure.kind, failure.message]).toEqual(['malformed', 'nested deeper than 100 levels']);
  });

  test('a test of long lists compares them once', () => {
    const many = Array.from({ length: 20_000 }, (_, i) => ({ family: `f${i}` }));
    const before = { ...anna(), name: many };
    expect(applyJsonPatch(before, [{ op: 'test', path: '/name', value: many }])).toEqual(before);
    expect(
      failureOf(() => applyJsonPatch(before, [{ op: 'test', path: '/name', value: many.toReversed() }])).kind,
    ).toBe('invalid');
  });
});

const leaf = fc.oneof(fc.string({ minLength: 1 }), fc.integer(), fc.boolean());
const name = fc.constantFrom('name', 'given', '_given', 'period', 'a/b', '~', '0', '-', 'toString');
const tree = fc.letrec<{ node: unknown; object: Json }>((tie) => ({
  node: fc.oneof({ maxDepth: 4 }, leaf, fc.array(tie('node'), { minLength: 1, maxLength: 4 }), tie('object')),
  object: fc.dictionary(name, tie('node'), { minKeys: 1, maxKeys: 4, noNullPrototype: true }),
}));
const resource = tree.object.map((it): Resource => ({ resourceType: 'Patient', id: 'p1', ...it }));

describe('whatever the JSON is', () => {
  test('a patch made by another library from two resources makes the second of the first', () => {
    fc.assert(
      fc.property(resource, resource, (before, after) => {
        const copy = structuredClone(before);
        expect(applyJsonPatch(before, createPatch(before, after))).toEqual(after);
        expect(before).toEqual(copy);
      }),
    );
  });

  test('operations made at random give a resource or a Failure, and change neither the input nor Object.prototype', () => {
    const step = fc.constantFrom('', 'name', 'given', '0', '1', '-', '__proto__', 'constructor', 'length', '~1', '~');
    const path = fc.array(step, { maxLength: 4 }).map((steps) => steps.map((it) => `/${it}`).join(''));
    const operation = fc.record(
      {
        op: fc.constantFrom('add', 'remove', 'replace', 'move', 'copy', 'test', 'x'),
        path,
        from: path,
        value: tree.node,
      },
      { requiredKeys: ['op', 'path'] },
    );
    const shared = Object.getOwnPropertyNames(Object.prototype);
    fc.assert(
      fc.property(resource, fc.array(operation, { maxLength: 6 }), (before, operations) => {
        const copy = structuredClone(before);
        try {
          expect(applyJsonPatch(before, operations)).toMatchObject({ resourceType: 'Patient', id: 'p1' });
        } catch (error) {
          if (!(error instanceof Failure)) throw error;
        }
        expect(before).toEqual(copy);
        expect(Object.getOwnPropertyNames(Object.prototype)).toEqual(shared);
      }),
    );
  });
});
