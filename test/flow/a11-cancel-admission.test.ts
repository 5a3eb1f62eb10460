/** ADT A11: the patient was not admitted after all. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { applied, duplicate, Hospital, nothing, opened, stale, takenBack } from './hospital.ts';
import { adt, home, pid, pv1, renumbered } from './messages.ts';

let hospital: Hospital;
beforeAll(async () => {
  hospital = await Hospital.open();
});
afterAll(() => Hospital.closeAll());

const admitted = (n: string): string => adt('A01', '2026-03-10 09:05', pid(n), pv1(`V${n}`));
const cancelled = (n: string): string => adt('A11', '2026-03-10 09:30', pid(n), pv1(`V${n}`));

describe('A11: an admission is cancelled', () => {
  const cancellation = cancelled('1001');

  test('1. the visit is cancelled; the patient stays, and her other visit too', async () => {
    await hospital.sends(adt('A04', '2026-03-09 08:00', pid('1001'), pv1('V0', { 2: 'O' })));
    await hospital.sends(admitted('1001'));
    expect(await hospital.sends(cancellation)).toEqual(applied);
    expect((await hospital.visit('V1001')).status).toBe('cancelled');
    expect((await hospital.visit('V0')).status).toBe('in-progress');
    expect((await hospital.patient('1001')).name).toMatchObject([{ family: 'Doe' }]);
  });

  test('2. no follow-up begins', async () => {
    expect(await hospital.followed()).toEqual(nothing);
  });

  test('3. repeated, it changes nothing', async () => {
    const changed = await hospital.changedBy(async () => {
      expect(await hospital.sends(cancellation)).toEqual(duplicate);
      expect(await hospital.sends(renumbered(cancellation))).toEqual(duplicate);
    });
    expect(changed).toEqual([]);
  });

  test('4. an update (A08) behind it does not bring the visit back', async () => {
    expect(await hospital.sends(adt('A08', '2026-03-10 10:00', pid('1001'), pv1('V1001')))).toEqual(applied);
    expect((await hospital.visit('V1001')).status).toBe('cancelled');
  });

  test('5. the admission sent again with its old time leaves it cancelled', async () => {
    expect(await hospital.sends(admitted('1001').replaceAll('20260310090500', '20260310090600'))).toEqual(stale);
    expect((await hospital.visit('V1001')).status).toBe('cancelled');
  });

  test('6. admitted anew, later, the visit is in progress', async () => {
    expect(await hospital.sends(adt('A01', '2026-03-10 11:00', pid('1001'), pv1('V1001')))).toEqual(applied);
    expect((await hospital.visit('V1001')).status).toBe('in-progress');
  });
});

describe('A11 out of order', () => {
  test('before the admission is known: the visit is cancelled and stays so', async () => {
    expect(await hospital.sends(cancelled('1002'))).toEqual(applied);
    expect(await hospital.sends(admitted('1002'))).toEqual(stale);
    expect((await hospital.visit('V1002')).status).toBe('cancelled');
  });

  test('behind a discharge, of a later time: the visit never was, and its follow-up is taken back', async () => {
    await hospital.sends(admitted('1003'));
    await hospital.sends(adt('A03', '2026-03-16 10:05', pid('1003'), pv1('V1003', home)));
    expect(await hospital.followed(await hospital.visit('V1003'))).toEqual(opened);
    expect(await hospital.sends(adt('A11', '2026-03-16 10:30', pid('1003'), pv1('V1003')))).toEqual(applied);
    const visit = await hospital.visit('V1003');
    expect(visit.status).toBe('cancelled');
    expect(await hospital.followed(visit)).toEqual(takenBack);
  });
});
