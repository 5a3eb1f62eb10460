/** ADT A04: a patient comes to the clinic or the emergency room, and does not stay. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { applied, duplicate, Hospital, nothing, opened, stale } from './hospital.ts';
import { adt, home, pid, pv1, renumbered } from './messages.ts';

let hospital: Hospital;
beforeAll(async () => {
  hospital = await Hospital.open();
});
afterAll(() => Hospital.closeAll());

describe('A04: an outpatient is registered', () => {
  const registration = adt(
    'A04',
    '2026-03-16 08:30',
    pid('1001'),
    pv1('V1001', { 2: 'O', 3: 'CLINIC^5', 7: 'D031^Qian^Lei', 10: 'CAR', 44: '20260316083000' }),
  );

  test('1. the visit is in progress: he is there', async () => {
    expect(await hospital.sends(registration)).toEqual(applied);
    const visit = await hospital.visit('V1001');
    expect(visit).toMatchObject({
      status: 'in-progress',
      class: { code: 'AMB' },
      serviceType: { coding: [{ code: 'CAR' }] },
      period: { start: '2026-03-16T08:30:00+08:00' },
    });
    expect(await hospital.places(visit)).toEqual(['active CLINIC 5']);
  });

  test('2. no follow-up begins', async () => {
    expect(await hospital.followed()).toEqual(nothing);
  });

  test('3. repeated, it changes nothing', async () => {
    const changed = await hospital.changedBy(async () => {
      expect(await hospital.sends(registration)).toEqual(duplicate);
      expect(await hospital.sends(renumbered(registration))).toEqual(duplicate);
    });
    expect(changed).toEqual([]);
  });

  test('4. the end of the visit (A03) begins the follow-up', async () => {
    const end = adt('A03', '2026-03-16 10:05', pid('1001'), pv1('V1001', { 2: 'O', 44: '20260316083000', ...home }));
    expect(await hospital.sends(end)).toEqual(applied);
    const visit = await hospital.visit('V1001');
    expect(visit).toMatchObject({ status: 'finished', class: { code: 'AMB' } });
    expect(await hospital.followed(visit)).toEqual(opened);
  });

  test('5. the registration that comes again behind the end does not open the visit', async () => {
    const again = renumbered(registration).replaceAll('20260316083000||ADT', '20260316083100||ADT');
    expect(await hospital.sends(again)).toEqual(stale);
    expect((await hospital.visit('V1001')).status).toBe('finished');
    expect(await hospital.followed()).toEqual(opened);
  });
});

describe('A04 of other kinds', () => {
  test.each([
    ['E', 'EMER', 'in-progress'],
    ['R', 'R', 'in-progress'],
    ['P', 'PRENC', 'planned'],
  ])('PV1-2 = %s: class %s, status %s', async (kind, code, status) => {
    expect(await hospital.sends(adt('A04', '2026-03-16 08:30', pid('1002'), pv1(`V-${kind}`, { 2: kind })))).toEqual(
      applied,
    );
    expect(await hospital.visit(`V-${kind}`)).toMatchObject({ class: { code }, status });
  });

  test('a second visit on the same day is a second visit of the same patient', async () => {
    await hospital.sends(adt('A04', '2026-03-16 08:30', pid('1003'), pv1('V1003', { 2: 'O' })));
    await hospital.sends(adt('A04', '2026-03-16 09:30', pid('1003'), pv1('V1004', { 2: 'O' })));
    const { id } = await hospital.patient('1003');
    expect(await hospital.search(`Encounter?patient=${id}&status=in-progress`)).toHaveLength(2);
  });

  test('a visit without a number is known by its patient and begin (PV1-44)', async () => {
    const visit = pv1('', { 2: 'O', 44: '20260316083000' });
    await hospital.sends(adt('A04', '2026-03-16 08:30', pid('1005'), visit));
    await hospital.sends(adt('A08', '2026-03-16 08:40', pid('1005'), visit, 'DG1|1||J06.9^Cold^I10'));
    const { id } = await hospital.patient('1005');
    expect(await hospital.one(`Encounter?patient=${id}`)).toMatchObject({ diagnosis: [{}] });
  });
});
