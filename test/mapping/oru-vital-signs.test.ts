/**
 * ORU: vital signs. R4's profiles hold for every Observation with one of their LOINC codes; what a message says otherwise is
 * kept beside it, and nothing is guessed. HAPI's validator judges the same (test/judges).
 */
import { describe, expect, test } from '@jest/globals';
import type { Json } from '../../src/fhir/types.ts';
import { errorsOf } from '../../src/fhir/validate.ts';
import { all, extended, mapped, obr, observed, obx, oru } from './oru-support.ts';

const reason = ({ dataAbsentReason }: Json): string | undefined => dataAbsentReason?.coding[0].code;

describe('a vital sign', () => {
  test.each([
    ['8867-4', '72', 'bpm', 72, '/min'],
    ['9279-1', '16', '次/分', 16, '/min'],
    ['8310-5', '36.8', '℃', 36.8, 'Cel'],
    ['8310-5', '98.1', '°F', 98.1, '[degF]'],
    ['59408-5', '97', '%', 97, '%'],
    ['2708-6', '97', '%^percent^UCUM', 97, '%'],
    ['29463-7', '70.5', '公斤', 70.5, 'kg'],
    ['29463-7', '155', 'lbs', 155, '[lb_av]'],
    ['8302-2', '175', 'cm', 175, 'cm'],
    ['8302-2', '1.756', 'm', 175.6, 'cm'],
    ['39156-5', '23.1', 'kg/m²', 23.1, 'kg/m2'],
    ['8480-6', '128', 'mmHg', 128, 'mm[Hg]'],
    ['8462-4', '82', 'mm[Hg]^^UCUM', 82, 'mm[Hg]'],
    ['8867-4', '72', '{beats}/min^^UCUM', 72, '/min'],
  ])('%s of %s %s is %d %s', (code, value, unit, number, ucum) => {
    const found = observed({ 3: `${code}^x^LN`, 5: value, 6: unit });
    expect(found.category[0].coding[0].code).toBe('vital-signs');
    expect(found.valueQuantity).toMatchObject({ value: number, system: 'http://unitsofmeasure.org', code: ucum });
    expect(found.dataAbsentReason).toBeUndefined();
    expect(errorsOf(found)).toEqual([]);
  });

  test('by the alternate code is one too', () => {
    expect(observed({ 3: 'HR^Puls^99LAB^8867-4^Heart rate^LN', 5: '72', 6: '/min' }).category[0].coding[0].code).toBe(
      'vital-signs',
    );
  });

  test.each([
    ['a text', { 2: 'ST', 5: 'refused', 6: '' }, 'as-text', 'refused'],
    ['a word in place of a number', { 2: 'NM', 5: 'HI', 6: '/min' }, 'as-text', { code: '/min' }],
    ['a number without a unit', { 2: 'NM', 5: '72', 6: '' }, 'unsupported', { value: 72 }],
    ['a unit that says another thing', { 2: 'NM', 5: '72', 6: 'mmol/L' }, 'unsupported', { value: 72, code: 'mmol/L' }],
    ['a code', { 2: 'CWE', 5: 'N^normal^L', 6: '' }, 'as-text', { coding: [{ code: 'N' }] }],
    ['a wave', { 2: 'NA', 5: '72^80', 6: '/min' }, 'unsupported', { data: '72 80' }],
  ])('that is %s has no value, a reason, and what was sent beside it', (_, fields, why, kept) => {
    const found = observed({ 3: '8867-4^HR^LN', ...fields });
    expect(Object.keys(found).filter((it) => it.startsWith('value'))).toEqual([]);
    expect(reason(found)).toBe(why);
    const value = extended(found)['v2-value'];
    if (typeof kept === 'string') expect(value).toBe(kept);
    else expect(value).toMatchObject(kept);
  });

  test('that is no number any more takes the number away that is stored', () => {
    const { resources } = mapped(oru(obr(), obx({ 2: 'ST', 3: '8867-4^HR^LN', 5: 'artefact' })));
    const built = resources.find((it) => it.resource.resourceType === 'Observation');
    expect([...(built?.clear ?? [])]).toContain('valueQuantity');
  });

  test.each([
    ['', undefined],
    ['2026', '2026'],
    ['202603', '2026-03'],
  ])('at the time "%s" says that its day is unknown', (time, kept) => {
    const [found] = all(oru(obr({ 7: time }), obx({ 3: '8867-4^HR^LN', 5: '72', 6: '/min', 14: time })), 'Observation');
    expect(found?.effectiveDateTime).toBeUndefined();
    expect(extended(found?._effectiveDateTime)).toEqual({ 'data-absent-reason': 'unknown' });
    expect(extended(found)['v2-effective']).toBe(kept);
  });

  test('and what is none stays as it is: a unit of the sender’s own, no time, no category', () => {
    const found = observed({ 3: 'X^x^99LAB', 5: '7', 6: 'drops', 14: '' });
    expect(found).toMatchObject({ valueQuantity: { value: 7, unit: 'drops' } });
    expect(found.category).toBeUndefined();
  });
});

describe('a blood pressure panel', () => {
  const panel = (fields: Record<number, string>, ...more: string[]): Json =>
    all(oru(obr(), obx({ 3: '85354-9^BP^LN', ...fields }), ...more), 'Observation')[0] as Json;
  const pressures = (found: Json): unknown[] =>
    found.component.map((it: Json) => [it.code.coding[0].code, it.valueQuantity?.value, reason(it)]);
  const both = [
    ['8480-6', 128, undefined],
    ['8462-4', 82, undefined],
  ];

  test.each([
    ['128/82', { 2: 'ST', 5: '128/82', 6: 'mmHg' }],
    ['a ratio', { 2: 'SN', 5: '^128^/^82', 6: 'mm[Hg]^^UCUM' }],
    ['two numbers', { 2: 'NM', 5: '128~82', 6: 'mmHg' }],
  ])('sent as %s has a systolic and a diastolic component and no value', (_, fields) => {
    const found = panel(fields);
    expect(pressures(found)).toEqual(both);
    expect(Object.keys(found).filter((it) => it.startsWith('value'))).toEqual([]);
    expect(errorsOf(found as never)).toEqual([]);
  });

  test('without a value has those that the same message gives on their own at the same time', () => {
    const systolic = obx({ 3: '8480-6^S^LN', 5: '128', 6: 'mmHg' });
    const diastolic = obx({ 3: '8462-4^D^LN', 5: '82', 6: 'mmHg' });
    const found = panel({ 2: '', 5: '' }, systolic, diastolic);
    expect(pressures(found)).toEqual(both);
    expect(reason(found)).toBeUndefined();
    const other = obx({ 3: '8480-6^S^LN', 5: '130', 6: 'mmHg', 14: '20260321' });
    expect(pressures(panel({ 2: '', 5: '' }, other))).toEqual([
      ['8480-6', undefined, 'unknown'],
      ['8462-4', undefined, 'unknown'],
    ]);
  });

  test.each([
    ['no pair', { 2: 'ST', 5: 'high', 6: 'mmHg' }],
    ['a pair without a unit', { 2: 'ST', 5: '128/82', 6: '' }],
    ['kilopascals', { 2: 'NM', 5: '17~11', 6: 'kPa' }],
  ])('of %s has components without a value, and what was sent beside them', (_, fields) => {
    const found = panel(fields);
    expect(pressures(found).map((it) => (it as unknown[])[1])).toEqual([undefined, undefined]);
    expect(JSON.stringify(found.extension)).toContain(fields[5].split('~')[0]);
  });
});
