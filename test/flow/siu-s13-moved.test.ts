/** SIU S13: an appointment was moved to another time. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { applied, duplicate, Hospital, stale } from './hospital.ts';
import { renumbered, siu } from './messages.ts';

let hospital: Hospital;
beforeAll(async () => {
  hospital = await Hospital.open();
});
afterAll(() => Hospital.closeAll());

const booked = (number: string): string =>
  siu('S12', '2026-03-11 10:30', { 2: `${number}^RENHE` }, 'RGS|1', 'AIP|1||D012^Li^Min');
const moved = (number: string): string =>
  siu('S13', '2026-03-12 10:30', {
    2: `${number}^RENHE`,
    6: 'ILL^Doctor is ill',
    11: '^^^20260403140000^20260403143000',
  });

describe('S13: an appointment is moved', () => {
  const move = moved('F7001');

  test('1. the same appointment has the new times', async () => {
    await hospital.sends(booked('F7001'));
    const { id } = await hospital.appointment();
    expect(await hospital.sends(move)).toEqual(applied);
    expect(await hospital.appointment()).toMatchObject({
      id,
      status: 'booked',
      start: '2026-04-03T14:00:00+08:00',
      end: '2026-04-03T14:30:00+08:00',
    });
  });

  test('2. it is found on the new day, and not on the old one', async () => {
    expect(await hospital.search('Appointment?date=2026-04-03')).toHaveLength(1);
    expect(await hospital.search('Appointment?date=2026-04-01')).toHaveLength(0);
  });

  test('3. who takes part stays, as the message says nothing of it', async () => {
    expect((await hospital.appointment()).participant).toHaveLength(2);
  });

  test('4. repeated, it changes nothing', async () => {
    const changed = await hospital.changedBy(async () => {
      expect(await hospital.sends(move)).toEqual(duplicate);
      expect(await hospital.sends(renumbered(move))).toEqual(duplicate);
    });
    expect(changed).toEqual([]);
  });

  test('5. the booking that comes again with its old time does not move it back', async () => {
    expect(await hospital.sends(booked('F7001').replace('20260311103000', '20260311103100'))).toEqual(stale);
    expect((await hospital.appointment()).start).toBe('2026-04-03T14:00:00+08:00');
  });

  test('6. the inverse, later, moves it back', async () => {
    expect(await hospital.sends(siu('S13', '2026-03-13 10:30'))).toEqual(applied);
    expect((await hospital.appointment()).start).toBe('2026-04-01T09:30:00+08:00');
  });
});

describe('S13 before its booking', () => {
  test('books; the booking behind it fills what is empty', async () => {
    expect(await hospital.sends(moved('F7002'))).toEqual(applied);
    expect(await hospital.sends(booked('F7002'))).toEqual(stale);
    const found = await hospital.appointment('F7002');
    expect(found).toMatchObject({ status: 'booked', start: '2026-04-03T14:00:00+08:00' });
    expect(found.participant).toHaveLength(2);
  });
});
