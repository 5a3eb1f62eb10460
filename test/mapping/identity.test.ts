import { describe, expect, test } from '@jest/globals';
import { all, first, follow, type Parts } from './support.ts';

/** The id of the resource that the first message makes of a type, and of that of the second. */
const ids = (a: Parts, b: Parts, type: string): [string, string] => [first(a, type).id, first(b, type).id];
const same = (a: Parts, b: Parts, type: string): void => {
  const [one, other] = ids(a, b, type);
  expect(other).toBe(one);
};
const different = (a: Parts, b: Parts, type: string): void => {
  const [one, other] = ids(a, b, type);
  expect(other).not.toBe(one);
};

const later: Parts = { event: 'A08', MSH: { 7: '20260317080000', 10: 'C2' } };

describe('what is the same in two messages', () => {
  test('a patient by the medical record number, whatever else is new', () => {
    same({ PID: { 5: 'Doe^Jane' } }, { ...later, PID: { 3: '9^^^CHN^NI~1001^^^RENHE^MR', 5: 'Roe^Jane' } }, 'Patient');
  });

  test('a patient of the old field PID-2 is the one of PID-3', () => {
    same({}, { ...later, PID: { 2: '1001^^^RENHE^MR', 3: '' } }, 'Patient');
  });

  test('a patient is another with another number, or with the same number of another authority', () => {
    different({}, { ...later, PID: { 3: '1002^^^RENHE^MR' } }, 'Patient');
    different({}, { ...later, PID: { 3: '1001^^^OTHER^MR' } }, 'Patient');
  });

  test('a visit by its number, whether it comes in PV1-19 with or without a type', () => {
    same({}, { ...later, PV1: { 3: 'W07', 19: 'V1001^^^RENHE' } }, 'Encounter');
    different({}, { ...later, PV1: { 19: 'V1002^^^RENHE^VN' } }, 'Encounter');
  });

  test('a visit without a number by patient and time of admission', () => {
    same({ PV1: { 19: '' } }, { ...later, PV1: { 19: '' } }, 'Encounter');
    different({ PV1: { 19: '' } }, { ...later, PV1: { 19: '', 44: '20260311' } }, 'Encounter');
  });

  test('a doctor by number, also with a changed name', () => {
    same(
      { PV1: { 7: 'D071^Li^Min^^^^^^RENHE' } },
      { ...later, PV1: { 7: 'D071^Li-Wang^Min^^^^^^RENHE' } },
      'Practitioner',
    );
    different(
      { PV1: { 7: 'D071^Li^Min^^^^^^RENHE' } },
      { ...later, PV1: { 7: 'D072^Li^Min^^^^^^RENHE' } },
      'Practitioner',
    );
  });

  test('a doctor without a number by name and sender', () => {
    same({ PV1: { 7: '^Li^Min' } }, { ...later, PV1: { 17: '^Li^Min^^^Dr' } }, 'Practitioner');
    different({ PV1: { 7: '^Li^Min' } }, { ...later, PV1: { 7: '^Li^Ming' } }, 'Practitioner');
    different({ PV1: { 7: '^Li^Min' } }, { ...later, MSH: { 4: 'OTHER' }, PV1: { 7: '^Li^Min' } }, 'Practitioner');
  });

  test('two doctors of whom only the family name is known are not one and the same with every other nameless one', () => {
    different({ PV1: { 7: '^Li' } }, { ...later, PV1: { 7: '^Wu' } }, 'Practitioner');
  });

  test('a ward, a room and a bed, in any message and from any field', () => {
    const a: Parts = { PV1: { 3: 'W07^0706^12^RENHE' } };
    const b: Parts = { ...later, PV1: { 6: 'W07^0706^12^RENHE' } };
    expect(all(b, 'Location').map((it) => it.id)).toEqual(all(a, 'Location').map((it) => it.id));
  });

  test('beds of the same number in two rooms are two', () => {
    const bed = (pl: string): string => {
      const parts = { PV1: { 3: pl } };
      return follow(parts, first(parts, 'Encounter').location[0].location).id;
    };
    expect(bed('W07^0706^12')).not.toBe(bed('W07^0707^12'));
  });

  test('an organization by its number, else by its name and sender', () => {
    const pd1 = (xon: string): Parts => ({ ...later, more: [`PD1|||${xon}`] });
    const practice = (parts: Parts): string => follow(parts, first(parts, 'Patient').generalPractitioner[0]).id;
    expect(practice(pd1('North Station^^^^^RENHE^XX^^^CHS01'))).toBe(
      practice(pd1('Northern Station^^^^^RENHE^XX^^^CHS01')),
    );
    expect(practice(pd1('North Station'))).toBe(practice(pd1('North Station')));
    expect(practice(pd1('North Station'))).not.toBe(practice(pd1('South Station')));
  });

  test('the sending facility', () => {
    same({}, later, 'Organization');
  });

  test('a diagnosis of the same visit, code and type; another type is another', () => {
    const dg1 = (type: string): Parts => ({ more: [`DG1|1||E11.9^Diabetes^I10||20260309|${type}`] });
    same(dg1('A'), { ...later, ...dg1('A') }, 'Condition');
    different(dg1('A'), { ...later, ...dg1('F') }, 'Condition');
  });

  test('an allergy of the same patient and code', () => {
    const more = ['AL1|1|DA|PCN^Penicillin^RENHE-ALG'];
    same({ more }, { ...later, more: ['AL1|3|DA|PCN^penicillin^RENHE-ALG|SV'] }, 'AllergyIntolerance');
  });

  test('a next of kin of the same patient and name', () => {
    same({ more: ['NK1|1|Zhang^Mei|SPO||1'] }, { ...later, more: ['NK1|2|Zhang^Mei|SPO||2'] }, 'RelatedPerson');
  });

  test('a measurement repeated at another time is another observation', () => {
    const obx = (time: string): Parts => ({ more: [`OBX|1|NM|8867-4^^LN||60||||||F|||${time}`] });
    same(obx('20260309101500'), { ...later, ...obx('20260309101500') }, 'Observation');
    different(obx('20260309101500'), { ...later, ...obx('20260309111500') }, 'Observation');
  });

  test('a message sent again, byte for byte', () => {
    const sent: Parts = { more: ['NK1|1|Zhang^Mei|SPO', 'OBX|1|NM|8867-4^^LN||60||||||F', 'SFT|Maker|1|Product|1'] };
    const names = (): string[] =>
      ['Patient', 'Encounter', 'Provenance', 'MessageHeader', 'Observation', 'RelatedPerson', 'Device'].flatMap(
        (type) => all(sent, type).map((it) => `${type}/${it.id}`),
      );
    expect(names()).toEqual(names());
  });
});
