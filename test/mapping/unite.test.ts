/** A resource that a message makes twice: nothing of the second is lost, and nothing of the first. */
import { describe, expect, test } from '@jest/globals';
import { all, first, mapped, type Parts, segment } from './support.ts';

const number = '^^^^^^RENHE';

describe('one doctor in several fields', () => {
  const doctor = (...texts: string[]): any => {
    const [attending, referring, consulting] = texts.map((it) => `D071^${it}${number.slice(it.split('^').length - 1)}`);
    const sent: Parts = { PV1: { 7: attending ?? '', 8: referring ?? '', 9: consulting ?? '' } };
    expect(all(sent, 'Practitioner')).toHaveLength(1);
    return first(sent, 'Practitioner');
  };

  test('has one name where they say the same, or one says more', () => {
    expect(doctor('Li^Min', 'Li^Min').name).toEqual([{ family: 'Li', given: ['Min'] }]);
    expect(doctor('Li^Min^^^Dr', 'Li^Min').name).toEqual([{ family: 'Li', given: ['Min'], prefix: ['Dr'] }]);
    expect(doctor('Li^Min', 'Li^Min^^^Dr').name).toEqual([{ family: 'Li', given: ['Min'], prefix: ['Dr'] }]);
  });

  test('has two names where they contradict each other', () => {
    expect(doctor('Li^Min', 'Li-Wang^Min').name.map((it: any) => it.family)).toEqual(['Li', 'Li-Wang']);
  });

  test('has one number, as the first said it', () => {
    expect(doctor('Li^Min', 'Li^Min').identifier).toHaveLength(1);
  });
});

test('a name that completes another brings along the code that nobody knows', () => {
  const nk1 = (name: string): string => segment('NK1', { 1: '1', 30: name, 33: '1^^^RENHE^SS' });
  const [person, ...others] = all({ more: [nk1('A'), nk1('A^B^^^^^ZZ')] }, 'RelatedPerson');
  expect(others).toEqual([]);
  expect(person?.name).toEqual([
    {
      family: 'A',
      given: ['B'],
      extension: [
        {
          url: 'https://aftercare.example/fhir/StructureDefinition/v2-use',
          valueCodeableConcept: { coding: [{ code: 'ZZ' }] },
        },
      ],
    },
  ]);
});

test('the lineage of both fields names the element that stands', () => {
  const { lineage = [] } = mapped({ PV1: { 7: 'D071^Li^Min', 17: 'D071^Li^Min' } }, true);
  const families = lineage.filter((it) => it.row === 'XCN-Practitioner#XCN.2.1 name[n].family');
  expect(families.map((it) => it.field)).toEqual(['PV1-7.2', 'PV1-17.2']);
  expect(new Set(families.map((it) => it.element)).size).toBe(1);
});

test('a field whose value yields to another has no lineage', () => {
  const sent = { more: ['DG1|1||E11.9^^I10||20260101|A', 'DG1|2||E11.9^^I10||20260202|A'] };
  expect(first(sent, 'Condition').onsetDateTime).toBe('2026-01-01');
  const onsets = mapped(sent, true).lineage?.filter((it) => it.field === 'DG1-5') ?? [];
  expect(onsets.map((it) => it.segment)).toEqual([1]);
});
