import { describe, expect, test } from '@jest/globals';
import type { Json } from '../../src/fhir/types.ts';
import { type Change, differenceOf } from '../../src/ingest/difference.ts';

const cases: Readonly<Record<string, { before?: Json; after?: Json; changes: readonly Change[] }>> = {
  'nothing, when only the server’s own part of meta differs': {
    before: { meta: { versionId: '1', lastUpdated: 'then' }, gender: 'male' },
    after: { meta: { versionId: '2', lastUpdated: 'now' }, gender: 'male' },
    changes: [],
  },
  'another value': {
    before: { gender: 'male' },
    after: { gender: 'female' },
    changes: [{ op: 'replace', path: 'gender', before: 'male', after: 'female' }],
  },
  'what came and what went': {
    before: { birthDate: '1980' },
    after: { gender: 'male' },
    changes: [
      { op: 'remove', path: 'birthDate', before: '1980' },
      { op: 'add', path: 'gender', after: 'male' },
    ],
  },
  'the element inside that differs, not all of it': {
    before: { name: [{ family: 'Doe', given: ['Jane'] }] },
    after: { name: [{ family: 'Roe', given: ['Jane'] }] },
    changes: [{ op: 'replace', path: 'name[0].family', before: 'Doe', after: 'Roe' }],
  },
  'an entry that was put in front': {
    before: { telecom: [{ value: '1' }, { value: '2' }] },
    after: { telecom: [{ value: '0' }, { value: '1' }, { value: '2' }] },
    changes: [{ op: 'add', path: 'telecom[0]', after: { value: '0' } }],
  },
  'an entry that was taken from the middle': {
    before: { telecom: [{ value: '1' }, { value: '2' }, { value: '3' }] },
    after: { telecom: [{ value: '1' }, { value: '3' }] },
    changes: [{ op: 'remove', path: 'telecom[1]', before: { value: '2' } }],
  },
  'a text in place of an object': {
    before: { x: { y: 1 } },
    after: { x: 'y' },
    changes: [{ op: 'replace', path: 'x', before: { y: 1 }, after: 'y' }],
  },
  'all of a new resource': {
    after: { resourceType: 'Basic' },
    changes: [{ op: 'add', path: 'resourceType', after: 'Basic' }],
  },
};

describe('a difference', () => {
  test.each(Object.entries(cases))('is %s', (_, { before, after, changes }) => {
    expect(differenceOf(before, after, 100)).toEqual(changes);
  });

  test('has no more changes than are asked for', () => {
    const before = { list: Array.from({ length: 1000 }, (_, i) => ({ value: i })) };
    const after = { list: Array.from({ length: 1000 }, (_, i) => ({ value: -1 - i })) };
    expect(differenceOf(before, after, 10)).toHaveLength(10);
  });
});
