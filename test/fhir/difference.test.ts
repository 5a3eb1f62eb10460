import { describe, expect, test } from '@jest/globals';
import { changesOf } from '../../src/fhir/difference.ts';

const patient = (content: object): any => ({ resourceType: 'Patient', id: '1', ...content });
const lines = (before: object, after: object): string[] =>
  changesOf(patient(before), patient(after)).map(
    ({ kind, path, before: was, after: is }) => `${kind} ${path} ${JSON.stringify(was)} ${JSON.stringify(is)}`,
  );

describe('the difference of two states of a resource', () => {
  test('is nothing when they are equal, whatever the order of their keys', () => {
    expect(lines({ gender: 'male', birthDate: '1980' }, { birthDate: '1980', gender: 'male' })).toEqual([]);
  });

  test('names elements that came, went and changed', () => {
    expect(lines({ gender: 'male', birthDate: '1980' }, { gender: 'female', active: true })).toEqual([
      'changed gender "male" "female"',
      'removed birthDate "1980" undefined',
      'added active undefined true',
    ]);
  });

  test('finds an entry again that stands at another place, by its value and by its url', () => {
    const [mrn, ssn] = [
      { system: 'urn:a', value: '1' },
      { system: 'urn:b', value: '2' },
    ];
    expect(lines({ identifier: [mrn, ssn] }, { identifier: [{ ...ssn, system: 'urn:c' }] })).toEqual([
      'changed identifier[0].system "urn:b" "urn:c"',
      'removed identifier[0] {"system":"urn:a","value":"1"} undefined',
    ]);
    expect(
      lines(
        { extension: [{ url: 'urn:x', valueString: 'a' }] },
        {
          extension: [
            { url: 'urn:y', valueString: 'b' },
            { url: 'urn:x', valueString: 'c' },
          ],
        },
      ),
    ).toEqual([
      'added extension(urn:y) undefined {"url":"urn:y","valueString":"b"}',
      'changed extension(urn:x).valueString "a" "c"',
    ]);
  });

  test('tells a whole element of the resource part by part', () => {
    expect(lines({}, { maritalStatus: { coding: [{ code: 'M' }], text: 'married' } })).toEqual([
      'added maritalStatus.coding[0] undefined {"code":"M"}',
      'added maritalStatus.text undefined "married"',
    ]);
  });

  test('says so when nothing but the order of a list is another', () => {
    const [a, b] = [{ given: ['A'] }, { given: ['B'] }];
    expect(changesOf(patient({ name: [a, b] }), patient({ name: [b, a] }))).toMatchObject([
      { kind: 'changed', path: 'name (order)' },
    ]);
  });

  test('gives the path in each state, as lineage writes it', () => {
    const [change] = changesOf(
      patient({ identifier: [{ value: '1' }, { value: '2', use: 'usual' }] }),
      patient({ identifier: [{ value: '2', use: 'old' }] }),
    );
    expect(change).toMatchObject({ earlier: 'identifier[1].use', later: 'identifier[0].use' });
  });

  test('of long lists takes a moment', () => {
    const entries = (system: string): object[] => Array.from({ length: 20_000 }, (_, i) => ({ system, value: `${i}` }));
    expect(lines({ identifier: entries('urn:a') }, { identifier: entries('urn:b') })).toHaveLength(20_000);
  });
});
