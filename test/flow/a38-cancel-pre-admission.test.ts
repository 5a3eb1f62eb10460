/** ADT A38: the patient will not come after all. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { applied, duplicate, Hospital, nothing, stale } from './hospital.ts';
import { adt, pid, pv1, renumbered } from './messages.ts';

let hospital: Hospital;
beforeAll(async () => {
  hospital = await Hospital.open();
});
afterAll(() => Hospital.closeAll());

const planned = (n: string): string => adt('A05', '2026-03-08 15:00', pid(n), pv1(`V${n}`, { 2: 'P', 44: '' }));
const cancelled = (n: string): string => adt('A38', '2026-03-09 10:00', pid(n), pv1(`V${n}`, { 2: 'P', 44: '' }));

describe('A38: a pre-admission is cancelled', () => {
  const cancellation = cancelled('1001');

  test('1. the visit is cancelled, the patient stays', async () => {
    await hospital.sends(planned('1001'));
    expect(await hospital.sends(cancellation)).toEqual(applied);
    expect((await hospital.visit('V1001')).status).toBe('cancelled');
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

  test('4. the pre-admission that comes again with its old time leaves it cancelled', async () => {
    const late = planned('1001').replaceAll('20260308150000', '20260308150100');
    expect(await hospital.sends(late)).toEqual(stale);
    expect((await hospital.visit('V1001')).status).toBe('cancelled');
  });

  test('5. planned anew, it is planned', async () => {
    const anew = adt('A05', '2026-03-09 11:00', pid('1001'), pv1('V1001', { 2: 'P', 44: '' }));
    expect(await hospital.sends(anew)).toEqual(applied);
    expect((await hospital.visit('V1001')).status).toBe('planned');
  });
});

describe('A38 out of order', () => {
  test('before the pre-admission is known: the visit is cancelled and stays so', async () => {
    expect(await hospital.sends(cancelled('1002'))).toEqual(applied);
    expect(await hospital.sends(planned('1002'))).toEqual(stale);
    expect((await hospital.visit('V1002')).status).toBe('cancelled');
  });

  test('late, behind the admission: the patient is there', async () => {
    await hospital.sends(adt('A01', '2026-03-10 09:05', pid('1003'), pv1('V1003')));
    expect(await hospital.sends(cancelled('1003'))).toEqual(stale);
    expect(await hospital.visit('V1003')).toMatchObject({ status: 'in-progress', class: { code: 'IMP' } });
  });
});
