/** ADT A14: an admission is expected. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { applied, duplicate, Hospital, nothing, stale } from './hospital.ts';
import { adt, pid, pv1, renumbered } from './messages.ts';

let hospital: Hospital;
beforeAll(async () => {
  hospital = await Hospital.open();
});
afterAll(() => Hospital.closeAll());

describe('A14: an admission is pending', () => {
  const pending = adt(
    'A14',
    '2026-03-09 18:00',
    pid('1001'),
    pv1('V1001', { 2: 'E', 3: 'ER^1', 42: 'W1^101^01', 44: '' }),
    'PV2||||||||20260310090000',
  );

  test('1. the visit is planned, and the bed that waits is reserved', async () => {
    expect(await hospital.sends(pending)).toEqual(applied);
    const visit = await hospital.visit('V1001');
    expect(visit.status).toBe('planned');
    expect(await hospital.places(visit)).toEqual(['active ER 1', 'reserved W1 101 01']);
  });

  test('2. no follow-up begins', async () => {
    expect(await hospital.followed()).toEqual(nothing);
  });

  test('3. repeated, it changes nothing', async () => {
    const changed = await hospital.changedBy(async () => {
      expect(await hospital.sends(pending)).toEqual(duplicate);
      expect(await hospital.sends(renumbered(pending))).toEqual(duplicate);
    });
    expect(changed).toEqual([]);
  });

  test('4. the admission (A01) makes the same visit real', async () => {
    const { id } = await hospital.visit('V1001');
    expect(await hospital.sends(adt('A01', '2026-03-10 09:05', pid('1001'), pv1('V1001')))).toEqual(applied);
    const visit = await hospital.visit('V1001');
    expect(visit).toMatchObject({ id, status: 'in-progress', class: { code: 'IMP' } });
    expect(await hospital.places(visit)).toContain('active W1 101 01');
  });

  test('5. late, behind the admission, it does not make the stay a plan again', async () => {
    const late = adt('A14', '2026-03-09 19:00', pid('1001'), pv1('V1001', { 2: 'E', 44: '' }));
    expect(await hospital.sends(late)).toEqual(stale);
    expect(await hospital.visit('V1001')).toMatchObject({ status: 'in-progress', class: { code: 'IMP' } });
  });
});
