/** ORU R01: a patient who went home measures her blood sugar, and the gateway sends it. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Json } from '../../src/fhir/types.ts';
import { applied, duplicate, Hospital, opened, stale } from './hospital.ts';
import { adt, home, mrg, obr, obx, oru, pid, pv1, renumbered, withHeader } from './messages.ts';

let hospital: Hospital;
beforeAll(async () => {
  hospital = await Hospital.open();
  await hospital.sends(adt('A03', '2026-03-16 10:05', pid('1001'), pv1('V1001', home)));
});
afterAll(() => Hospital.closeAll());

/** Values of a patient, the oldest first, with their status. */
async function values(number = '1001'): Promise<string[]> {
  const { id } = await hospital.patient(number);
  const found = await hospital.search(`Observation?subject=Patient/${id}&_sort=date`);
  return found.map((it) => `${it.valueQuantity?.value ?? '-'} ${it.status}`);
}

describe('ORU R01: a home measurement', () => {
  const morning = oru('2026-03-20 08:15', obr(), obx());

  test('1. is an Observation of the patient, with unit and time', async () => {
    expect(await hospital.sends(morning)).toEqual(applied);
    const { id } = await hospital.patient('1001');
    expect(await hospital.one(`Observation?subject=Patient/${id}`)).toMatchObject({
      status: 'final',
      code: { coding: [{ system: 'http://loinc.org', code: '14743-9' }] },
      valueQuantity: { value: 6.1, system: 'http://unitsofmeasure.org', code: 'mmol/L' },
      effectiveDateTime: '2026-03-20T07:05:00+08:00',
    });
  });

  test('2. is found by code, by value and by day, and its report names it', async () => {
    const { id } = await hospital.one('Observation?code=14743-9&date=2026-03-20');
    expect(await hospital.search('Observation?value-quantity=gt6')).toHaveLength(1);
    const report = await hospital.one('DiagnosticReport?status=final');
    expect(report.result).toMatchObject([{ reference: `Observation/${id}` }]);
  });

  test('3. leaves the visit and its follow-up as they are', async () => {
    const visit = await hospital.visit('V1001');
    expect(visit).toMatchObject({ status: 'finished', meta: { versionId: '1' } });
    expect(await hospital.followed(visit)).toEqual(opened);
  });

  test('4. repeated, it changes nothing', async () => {
    const changed = await hospital.changedBy(async () => {
      expect(await hospital.sends(morning)).toEqual(duplicate);
      expect(await hospital.sends(renumbered(morning))).toEqual(duplicate);
      expect(await hospital.sends(renumbered(withHeader(morning, { 7: '20260320090000' })))).toEqual(applied);
    });
    expect(changed).toEqual([]);
  });

  test('5. the next one stands beside it', async () => {
    const evening = [obr({ 3: 'F2^LAB', 7: '20260320180000' }), obx({ 5: '9.4', 14: '20260320180000' })];
    expect(await hospital.sends(oru('2026-03-20 18:30', ...evening))).toEqual(applied);
    expect(await values()).toEqual(['6.1 final', '9.4 final']);
  });

  test('6. a correction (OBX-11 = C) takes the place of what it corrects', async () => {
    expect(await hospital.sends(oru('2026-03-21 08:00', obr({ 25: 'C' }), obx({ 5: '7.1', 11: 'C' })))).toEqual(
      applied,
    );
    expect(await values()).toEqual(['7.1 corrected', '9.4 final']);
  });

  test('7. a preliminary result that comes late does not undo it', async () => {
    expect(await hospital.sends(oru('2026-03-20 08:00', obr({ 25: 'P' }), obx({ 5: '5.0', 11: 'P' })))).toEqual(stale);
    expect(await values()).toEqual(['7.1 corrected', '9.4 final']);
  });

  test('8. the inverse: a result that was wrong (OBX-11 = W) is entered in error', async () => {
    expect(await hospital.sends(oru('2026-03-22 08:00', obr({ 25: 'C' }), obx({ 5: '7.1', 11: 'W' })))).toEqual(
      applied,
    );
    expect(await values()).toEqual(['7.1 entered-in-error', '9.4 final']);
  });

  test('9. of a record that was merged goes to the patient who stays', async () => {
    await hospital.sends(adt('A40', '2026-03-23 08:00', pid('1000'), mrg('1001')));
    await hospital.sends(oru('2026-03-23 09:00', obr({ 3: 'F3^LAB' }), obx({ 5: '6.6', 14: '20260323070000' })));
    expect(await values('1000')).toEqual(['7.1 entered-in-error', '9.4 final', '6.6 final']);
  });
});

describe('ORU R01 as senders write it', () => {
  test('several measurements of one day in one message, under one OBR', async () => {
    const all = ['06', '12', '18'].map((hour, i) => obx({ 1: `${i + 1}`, 5: `${i + 5}`, 14: `20260320${hour}0000` }));
    expect(await hospital.sends(oru('2026-03-20 20:00', pid('2001'), obr({ 3: 'F4^LAB' }), ...all))).toEqual(applied);
    expect(await values('2001')).toEqual(['5 final', '6 final', '7 final']);
  });

  test('MSH-9 is only ORU^^ORU_R01', async () => {
    const text = withHeader(oru('2026-03-20 08:15', pid('2002'), obr({ 3: 'F5^LAB' }), obx()), { 9: 'ORU^^ORU_R01' });
    expect(await hospital.sends(text)).toEqual(applied);
    expect(await values('2002')).toEqual(['6.1 final']);
  });

  test('OBX without OBR: it is about the patient', async () => {
    expect(await hospital.sends(oru('2026-03-20 08:15', pid('2003'), obx()))).toEqual(applied);
    expect(await values('2003')).toEqual(['6.1 final']);
    const { id } = await hospital.patient('2003');
    expect(await hospital.search(`DiagnosticReport?subject=Patient/${id}`)).toEqual([]);
  });

  test('OBX behind SPM: it is about the specimen', async () => {
    const specimen = ['SPM|1|S77&LAB||BLD^Blood', obx({ 3: '14804-9^Volume^LN', 5: '2', 6: 'mL' })];
    expect(
      await hospital.sends(oru('2026-03-20 08:15', pid('2004'), obr({ 3: 'F6^LAB' }), obx(), ...specimen)),
    ).toEqual(applied);
    const { id } = await hospital.patient('2004');
    const found = await hospital.search(`Observation?subject=Patient/${id}`);
    const of = (code: string): Json | undefined => found.find((it) => it.code.coding[0].code === code);
    expect((await hospital.read(of('14804-9')?.specimen.reference)).type.coding[0].code).toBe('BLD');
    expect(of('14743-9')).not.toHaveProperty('specimen');
  });

  test('a value that is no number is kept as it was written', async () => {
    await hospital.sends(oru('2026-03-20 08:15', pid('2005'), obr({ 3: 'F7^LAB' }), obx({ 2: 'SN', 5: '>^33.3' })));
    const { id } = await hospital.patient('2005');
    expect((await hospital.one(`Observation?subject=Patient/${id}`)).valueQuantity).toMatchObject({
      value: 33.3,
      comparator: '>',
    });
    await hospital.sends(oru('2026-03-20 08:15', pid('2006'), obr({ 3: 'F8^LAB' }), obx({ 5: 'HI' })));
    const other = await hospital.patient('2006');
    expect(JSON.stringify(await hospital.one(`Observation?subject=Patient/${other.id}`))).toContain('"HI"');
  });

  test('a comment (NTE) belongs to its result', async () => {
    await hospital.sends(oru('2026-03-20 08:15', pid('2007'), obr({ 3: 'F9^LAB' }), obx(), 'NTE|1||before breakfast'));
    const { id } = await hospital.patient('2007');
    expect((await hospital.one(`Observation?subject=Patient/${id}`)).note).toMatchObject([
      { text: 'before breakfast' },
    ]);
  });

  test('of nobody (no PID-3) is refused', async () => {
    const answer = await hospital.sends(oru('2026-03-20 08:15', 'PID|1||', obr(), obx()));
    expect(answer).toEqual({ ack: 'AE', errors: ['101 PID-3.1'], state: 'rejected' });
  });
});
