/** SIU S26: nobody came to an appointment. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { applied, duplicate, Hospital, opened, stale } from './hospital.ts';
import { adt, home, pid, pv1, renumbered, siu } from './messages.ts';

let hospital: Hospital;
beforeAll(async () => {
  hospital = await Hospital.open();
});
afterAll(() => Hospital.closeAll());

describe('S26: nobody came', () => {
  const absence = siu('S26', '2026-04-01 11:00', { 25: 'Booked' });

  test('1. the appointment says so, with its times', async () => {
    await hospital.sends(adt('A03', '2026-03-16 10:05', pid('1001'), pv1('V1001', home)));
    await hospital.sends(siu('S12', '2026-03-11 10:30', { 25: 'Booked' }));
    expect(await hospital.sends(absence)).toEqual(applied);
    expect(await hospital.appointment()).toMatchObject({ status: 'noshow', start: '2026-04-01T09:30:00+08:00' });
  });

  test('2. the follow-up goes on', async () => {
    expect(await hospital.followed(await hospital.visit('V1001'))).toEqual(opened);
  });

  test('3. repeated, it changes nothing', async () => {
    const changed = await hospital.changedBy(async () => {
      expect(await hospital.sends(absence)).toEqual(duplicate);
      expect(await hospital.sends(renumbered(absence))).toEqual(duplicate);
    });
    expect(changed).toEqual([]);
  });

  test('4. an older change that comes behind it does not book it again', async () => {
    expect(await hospital.sends(siu('S14', '2026-03-20 10:30', { 25: 'Booked' }))).toEqual(stale);
    expect((await hospital.appointment()).status).toBe('noshow');
  });

  test('5. a correction (S14, Complete) says that the patient came after all', async () => {
    expect(await hospital.sends(siu('S14', '2026-04-01 12:00', { 25: 'Complete' }))).toEqual(applied);
    expect((await hospital.appointment()).status).toBe('fulfilled');
  });
});

describe('S26 of an appointment that is not known', () => {
  test('makes it, and the booking behind it fills what is empty', async () => {
    expect(await hospital.sends(siu('S26', '2026-04-01 11:00', { 2: 'F7002^RENHE' }))).toEqual(applied);
    expect(
      await hospital.sends(siu('S12', '2026-03-11 10:30', { 2: 'F7002^RENHE' }, 'RGS|1', 'AIP|1||D012^Li^Min')),
    ).toEqual(stale);
    const found = await hospital.appointment('F7002');
    expect(found.status).toBe('noshow');
    expect(found.participant).toHaveLength(2);
  });
});
