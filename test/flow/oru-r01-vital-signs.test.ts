/** ORU R01: vital signs, in a stay and at home. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Json } from '../../src/fhir/types.ts';
import { applied, duplicate, Hospital, nothing, stale } from './hospital.ts';
import { adt, obr, obx, oru, pid, pv1, renumbered } from './messages.ts';

let hospital: Hospital;
beforeAll(async () => {
  hospital = await Hospital.open();
  await hospital.sends(adt('A01', '2026-03-10 09:05', pid('1001'), pv1('V1001')));
});
afterAll(() => Hospital.closeAll());

const round = (at: string, ...results: readonly string[]): string =>
  oru(
    at,
    pid('1001'),
    'PV1|1|I|||||||||||||||||V1001^^^RENHE^VN',
    obr({ 3: 'VS1^WARD', 4: '85353-1^Vital signs^LN', 7: '20260311070000' }),
    ...results,
  );
const sign = (n: number, code: string, value: string, unit: string, more = {}): string =>
  obx({ 1: `${n}`, 3: `${code}^x^LN`, 5: value, 6: unit, 14: '20260311070000', ...more });

/** The newest Observation with a LOINC code. */
const ofCode = (code: string): Promise<Json> => hospital.one(`Observation?code=http://loinc.org|${code}`);

describe('ORU R01: a round of vital signs', () => {
  const all = round(
    '2026-03-11 07:10',
    sign(1, '8867-4', '72', '/min'),
    sign(2, '8310-5', '36.8', 'Cel'),
    sign(3, '9279-1', '16', '/min'),
    sign(4, '2708-6', '97', '%'),
    sign(5, '8480-6', '128', 'mm[Hg]'),
    sign(6, '8462-4', '82', 'mm[Hg]'),
  );

  test('1. is six Observations of category vital-signs, in UCUM, of the patient and her visit', async () => {
    expect(await hospital.sends(all)).toEqual(applied);
    const [{ id }, visit] = [await hospital.patient('1001'), await hospital.visit('V1001')];
    const found = await hospital.search(`Observation?subject=Patient/${id}&category=vital-signs&status=final`);
    expect(
      found.map((it) => `${it.code.coding[0].code} ${it.valueQuantity?.value} ${it.valueQuantity?.code}`).sort(),
    ).toEqual(
      expect.arrayContaining([
        '2708-6 97 %',
        '8310-5 36.8 Cel',
        '8462-4 82 mm[Hg]',
        '8480-6 128 mm[Hg]',
        '8867-4 72 /min',
        '9279-1 16 /min',
      ]),
    );
    for (const it of found) expect(it.encounter.reference).toBe(`Encounter/${visit.id}`);
  });

  test('2. leaves the visit as it is, and begins no follow-up', async () => {
    const visit = await hospital.visit('V1001');
    expect(visit).toMatchObject({
      status: 'in-progress',
      class: { code: 'IMP' },
      period: { start: '2026-03-10T09:00:00+08:00' },
    });
    expect(await hospital.places(visit)).toEqual(['active W1 101 01']);
    expect(await hospital.followed(visit)).toEqual(nothing);
  });

  test('3. repeated, it changes nothing', async () => {
    const changed = await hospital.changedBy(async () => {
      expect(await hospital.sends(all)).toEqual(duplicate);
      expect(await hospital.sends(renumbered(all))).toEqual(duplicate);
    });
    expect(changed).toEqual([]);
  });

  test('4. a corrected sign is corrected, the others stay', async () => {
    expect(await hospital.sends(round('2026-03-11 08:00', sign(1, '8867-4', '78', '/min', { 11: 'C' })))).toEqual(
      applied,
    );
    expect(await ofCode('8867-4')).toMatchObject({ status: 'corrected', valueQuantity: { value: 78 } });
    expect(await ofCode('8310-5')).toMatchObject({ status: 'final', valueQuantity: { value: 36.8 } });
  });

  test('5. the first round, sent again with its old time, does not undo the correction', async () => {
    expect(await hospital.sends(renumbered(all).replace('|20260311071000|', '|20260311071100|'))).toEqual(stale);
    expect(await ofCode('8867-4')).toMatchObject({ status: 'corrected', valueQuantity: { value: 78 } });
  });
});

describe('ORU R01: signs as senders write them', () => {
  test('a blood pressure in one value (128/82) is a panel of two', async () => {
    const text = oru(
      '2026-03-20 08:00',
      pid('2001'),
      obr({ 3: 'BP1^HOME' }),
      obx({ 2: 'ST', 3: '85354-9^BP^LN', 5: '128/82', 6: 'mm[Hg]' }),
    );
    expect(await hospital.sends(text)).toEqual(applied);
    const { component } = await ofCode('85354-9');
    const pressures = component.map((it: Json) => `${it.code.coding[0].code} ${it.valueQuantity.value}`);
    expect(pressures.sort()).toEqual(['8462-4 82', '8480-6 128']);
  });

  test('a height in metres is one in centimetres, and what was sent stays readable', async () => {
    await hospital.sends(
      oru('2026-03-20 08:00', pid('2002'), obr({ 3: 'H1^HOME' }), obx({ 3: '8302-2^Height^LN', 5: '1.62', 6: 'm' })),
    );
    const height = await ofCode('8302-2');
    expect(height.valueQuantity).toMatchObject({ value: 162, code: 'cm' });
    expect(JSON.stringify(height.extension)).toContain('1.62');
  });

  test('a weight without a unit has no value that would be a guess', async () => {
    await hospital.sends(
      oru('2026-03-20 08:00', pid('2003'), obr({ 3: 'W1^HOME' }), obx({ 3: '29463-7^Weight^LN', 5: '62', 6: '' })),
    );
    const weight = await ofCode('29463-7');
    expect(weight).not.toHaveProperty('valueQuantity');
    expect(weight.dataAbsentReason.coding[0].code).toBe('unsupported');
    expect(JSON.stringify(weight.extension)).toContain('62');
  });
});
