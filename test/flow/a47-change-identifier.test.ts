/** ADT A47: a patient gets another number. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Json } from '../../src/fhir/types.ts';
import { applied, duplicate, Hospital, opened, stale } from './hospital.ts';
import { adt, home, mrg, pid, pv1, renumbered } from './messages.ts';

let hospital: Hospital;
beforeAll(async () => {
  hospital = await Hospital.open();
});
afterAll(() => Hospital.closeAll());

describe('A47: the number of a patient changes from 1001 to 9001', () => {
  const change = adt('A47', '2026-03-12 09:00', pid('9001'), mrg('1001'));
  let before: Json;

  test('1. the new number is hers, the old one is kept as old', async () => {
    await hospital.sends(
      adt('A01', '2026-03-10 09:05', pid('1001', { 16: 'M' }), pv1('V1001'), 'DG1|1||E11.9^Diabetes^I10'),
    );
    before = await hospital.patient('1001');
    expect(await hospital.sends(change)).toEqual(applied);
    const patient = await hospital.patient('9001');
    expect(patient).toMatchObject({ active: true, name: [{ family: 'Doe' }] });
    expect(patient.identifier).toMatchObject([{ value: '9001' }, { value: '1001', use: 'old' }]);
    expect(patient.identifier).toHaveLength(2);
  });

  test('2. whoever searches by the old number finds her', async () => {
    const found = await hospital.search('Patient?identifier=1001&active=true');
    expect(found.map((it) => it.id)).toEqual([(await hospital.patient('9001')).id]);
  });

  test('3. the record of the old number points to the new one', async () => {
    const { id } = await hospital.patient('9001');
    expect(await hospital.read(`Patient/${before.id}`)).toMatchObject({
      active: false,
      link: [{ type: 'replaced-by', other: { reference: `Patient/${id}` } }],
    });
  });

  test('4. visit and diagnosis are hers', async () => {
    const { id } = await hospital.patient('9001');
    expect((await hospital.visit('V1001')).subject.reference).toBe(`Patient/${id}`);
    expect(await hospital.search(`Condition?subject=Patient/${id}`)).toHaveLength(1);
  });

  test('5. repeated, it changes nothing', async () => {
    const changed = await hospital.changedBy(async () => {
      expect(await hospital.sends(change)).toEqual(duplicate);
      expect(await hospital.sends(renumbered(change))).toEqual(duplicate);
      expect(await hospital.sends(renumbered(change.replaceAll('20260312090000', '20260312093000')))).toEqual(applied);
    });
    expect(changed).toEqual([]);
  });

  test('6. the discharge under the new number follows up the same visit', async () => {
    expect(await hospital.sends(adt('A03', '2026-03-16 10:05', pid('9001'), pv1('V1001', home)))).toEqual(applied);
    const visit = await hospital.visit('V1001');
    expect(visit.status).toBe('finished');
    expect(await hospital.followed(visit)).toEqual(opened);
    const { plans } = await hospital.followUp(visit);
    expect(plans[0]?.subject.reference).toBe(visit.subject.reference);
  });

  test('7. a message that still has the old number brings its visit to her', async () => {
    expect(await hospital.sends(adt('A04', '2026-03-13 09:00', pid('1001'), pv1('V1002', { 2: 'O' })))).toMatchObject({
      ack: 'AA',
    });
    const { id } = await hospital.patient('9001');
    expect((await hospital.visit('V1002')).subject.reference).toBe(`Patient/${id}`);
  });
});

describe('A47 that comes before anything is known of either number', () => {
  test('holds for what comes behind it', async () => {
    expect(await hospital.sends(adt('A47', '2026-03-12 09:00', pid('9002'), mrg('1002')))).toEqual(applied);
    await hospital.sends(adt('A01', '2026-03-10 09:05', pid('1002'), pv1('V1003')));
    const { id } = await hospital.patient('9002');
    expect((await hospital.visit('V1003')).subject.reference).toBe(`Patient/${id}`);
  });
});

describe('A47 back to the old number', () => {
  test('makes the old number the living one', async () => {
    await hospital.sends(adt('A28', '2026-03-01 08:00', pid('1004')));
    await hospital.sends(adt('A47', '2026-03-12 09:00', pid('9004'), mrg('1004')));
    expect(await hospital.sends(adt('A47', '2026-03-12 10:00', pid('1004'), mrg('9004')))).toEqual(applied);
    expect(await hospital.patient('1004')).toMatchObject({ active: true, link: [{ type: 'replaces' }] });
    expect(await hospital.sends(adt('A47', '2026-03-12 09:30', pid('9004'), mrg('1004')))).toEqual(stale);
    expect(await hospital.patient('1004')).toMatchObject({ active: true });
  });
});

describe('A47 without the old number', () => {
  test('is refused', async () => {
    expect(await hospital.sends(adt('A47', '2026-03-12 09:00', pid('9005'), 'MRG|'))).toEqual({
      ack: 'AE',
      errors: ['101 MRG-1.1'],
      state: 'rejected',
    });
  });
});
