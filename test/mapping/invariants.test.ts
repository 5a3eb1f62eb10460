/** What invariants of R4 ask for and a message may leave out: the message is taken, and nothing it says is lost. */
import { describe, expect, test } from '@jest/globals';
import { errorsOf } from '../../src/fhir/validate.ts';
import { all, first, mapped, type Parts, segment } from './support.ts';

function isSound(parts: Parts): void {
  for (const { resource } of mapped(parts).resources)
    expect([resource.resourceType, errorsOf(resource)]).toEqual([resource.resourceType, []]);
}

describe('a message that leaves out what R4 asks for', () => {
  test('a telephone of a kind that nobody knows has the system other, and the kind beside it', () => {
    const parts = { PID: { 13: '555^PRN^TELEPATHY' } };
    isSound(parts);
    expect(first(parts, 'Patient').telecom[0]).toMatchObject({ system: 'other', value: '555' });
    expect(JSON.stringify(first(parts, 'Patient').telecom[0])).toContain('TELEPATHY');
  });

  test('a next of kin without name, address or number is a RelatedPerson and no contact', () => {
    const parts = { more: [segment('NK1', { 1: '1', 3: 'SPO^spouse^HL70063' })] };
    isSound(parts);
    expect(first(parts, 'Patient').contact).toBeUndefined();
    expect(all(parts, 'RelatedPerson')).toHaveLength(1);
  });

  test('an organization without name and number says that its name is not known', () => {
    const parts = { more: [segment('PD1', { 3: '^L' })] };
    isSound(parts);
    expect(first(parts, 'Organization')._name.extension[0].valueCode).toBe('unknown');
  });

  test('a discharge before the admission keeps the discharge, and the admission beside it', () => {
    const parts = { event: 'A03', PV1: { 44: '20260316100000', 45: '20260310090000' } };
    isSound(parts);
    const { period } = first(parts, 'Encounter');
    expect(period.start).toBeUndefined();
    expect(period.end).toContain('2026-03-10');
    expect(period.extension[0]).toMatchObject({ valueDateTime: expect.stringContaining('2026-03-16') });
  });

  test('a reaction of which only the code system is named is an unknown one', () => {
    const parts = { more: ['IAM|1|DA|PEN^Penicillin^L|SV||A', 'IAR|^^I10|SV'] };
    isSound(parts);
    expect(first(parts, 'AllergyIntolerance').reaction[0].manifestation).toEqual([{ text: 'unknown' }]);
  });

  test('a number that PID-2 says as PID-3 does stands once', () => {
    const found = first({ PID: { 2: '1001^^^RENHE^MR', 3: '1001^^^RENHE^MR~1002^^^RENHE^MR' } }, 'Patient').identifier;
    expect(found.map((it: { value: string }) => it.value)).toEqual(['1001', '1002']);
  });

  test('a text in which the delimiters were not escaped is kept whole', () => {
    const { extension } = first({ more: [segment('PV2', { 5: 'ring^watch&gold', 12: 'chest^pain' })] }, 'Encounter');
    expect(JSON.stringify(extension)).toContain('"ring^watch&gold"');
    expect(JSON.stringify(extension)).toContain('"chest^pain"');
  });

  test('a text of a result goes in as it was sent, without the separators of parts that are not there', () => {
    const value = (type: string, text: string): string =>
      first({ more: [segment('OBX', { 1: '1', 2: type, 3: 'A^a^L', 5: text, 11: 'F' })] }, 'Observation').valueString;
    expect(value('TX', '10^5 CFU/mL E. coli & S. aureus^^')).toBe('10^5 CFU/mL E. coli & S. aureus');
    expect(value('ST', String.raw`\T\ & &`)).toBe('& & &');
    expect(value('PPN', 'D1^Li&van^Min')).toBe('D1 Li van Min');
  });

  test('a coded text and the name of an organization keep an & that nobody escaped', () => {
    const { code } = first(
      { more: ['AL1|1|DA|123^Amoxicillin & Clavulanate^L^^Augmentin & more'] },
      'AllergyIntolerance',
    );
    expect(code.coding[0].display).toBe('Amoxicillin & Clavulanate');
    expect(JSON.stringify(code)).toContain('Augmentin & more');
    expect(all({ more: ['IN1|1|A|C1|Blue Cross & Blue Shield'] }, 'Organization').map((it) => it.name)).toContain(
      'Blue Cross & Blue Shield',
    );
  });

  test('a language that is none is left out of the header', () => {
    isSound({ MSH: { 19: 'A' } });
  });
});
