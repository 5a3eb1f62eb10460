/** ADT A05: a patient will come to stay. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { applied, duplicate, Hospital, nothing, stale } from './hospital.ts';
import { adt, pid, pv1, renumbered } from './messages.ts';

let hospital: Hospital;
beforeAll(async () => {
  hospital = await Hospital.open();
});
afterAll(() => Hospital.closeAll());

describe('A05: a patient is pre-admitted', () => {
  const plan = adt(
    'A05',
    '2026-03-08 15:00',
    pid('1001'),
    pv1('V1001', { 2: 'P', 3: 'W1^101^01', 5: 'PRE7^^^RENHE', 44: '' }),
    'PV2|||K80.2^Gallstones|||||20260309160000',
  );

  test('1. the visit is planned, its bed as well', async () => {
    expect(await hospital.sends(plan)).toEqual(applied);
    const visit = await hospital.visit('V1001');
    expect(visit).toMatchObject({
      status: 'planned',
      class: { code: 'PRENC' },
      period: { start: '2026-03-09T16:00:00+08:00' },
      reasonCode: [{ coding: [{ code: 'K80.2' }] }],
      hospitalization: { preAdmissionIdentifier: { value: 'PRE7' } },
    });
    expect(await hospital.places(visit)).toEqual(['planned W1 101 01']);
  });

  test('2. no follow-up begins', async () => {
    expect(await hospital.followed()).toEqual(nothing);
  });

  test('3. repeated, it changes nothing', async () => {
    const changed = await hospital.changedBy(async () => {
      expect(await hospital.sends(plan)).toEqual(duplicate);
      expect(await hospital.sends(renumbered(plan))).toEqual(duplicate);
    });
    expect(changed).toEqual([]);
  });

  test('4. the admission (A01) makes the same visit real', async () => {
    const { id } = await hospital.visit('V1001');
    const admission = adt('A01', '2026-03-10 09:05', pid('1001'), pv1('V1001', { 5: 'PRE7^^^RENHE' }));
    expect(await hospital.sends(admission)).toEqual(applied);
    const visit = await hospital.visit('V1001');
    expect(visit).toMatchObject({
      id,
      status: 'in-progress',
      class: { code: 'IMP' },
      period: { start: '2026-03-10T09:00:00+08:00' },
      reasonCode: [{ coding: [{ code: 'K80.2' }] }],
    });
    expect(await hospital.places(visit)).toEqual(['active W1 101 01']);
  });

  test('5. a pre-admission that comes late leaves the stay as it is', async () => {
    const late = adt('A05', '2026-03-08 16:00', pid('1001'), pv1('V1001', { 2: 'P', 3: 'W9^909^09', 44: '' }));
    expect(await hospital.sends(late)).toEqual(stale);
    const visit = await hospital.visit('V1001');
    expect(visit).toMatchObject({ status: 'in-progress', class: { code: 'IMP' } });
    expect(await hospital.places(visit)).toEqual(['active W1 101 01']);
  });
});

describe('A05 without a number of the visit', () => {
  const plan = adt('A05', '2026-03-08 15:00', pid('1002'), pv1('', { 2: 'P', 5: 'PRE8^^^RENHE', 44: '' }));

  test('is known by the pre-admission number (PV1-5)', async () => {
    expect(await hospital.sends(plan)).toEqual(applied);
    const { id } = await hospital.patient('1002');
    expect(await hospital.one(`Encounter?patient=${id}`)).toMatchObject({ status: 'planned' });
    const moved = adt('A05', '2026-03-09 09:00', pid('1002'), pv1('', { 2: 'P', 3: 'W2', 5: 'PRE8^^^RENHE', 44: '' }));
    expect(await hospital.sends(moved)).toEqual(applied);
    expect(await hospital.places(await hospital.one(`Encounter?patient=${id}`))).toEqual(['planned W2']);
  });

  test('is cancelled (A38) by the same number', async () => {
    const cancelled = adt('A38', '2026-03-09 10:00', pid('1002'), pv1('', { 2: 'P', 5: 'PRE8^^^RENHE', 44: '' }));
    expect(await hospital.sends(cancelled)).toEqual(applied);
    const { id } = await hospital.patient('1002');
    expect(await hospital.one(`Encounter?patient=${id}`)).toMatchObject({ status: 'cancelled' });
  });

  test('and with no number at all is refused', async () => {
    const answer = await hospital.sends(adt('A05', '2026-03-08 15:00', pid('1002'), pv1('', { 2: 'P', 44: '' })));
    expect(answer).toEqual({ ack: 'AE', errors: ['101 PV1-19.1'], state: 'rejected' });
  });
});
