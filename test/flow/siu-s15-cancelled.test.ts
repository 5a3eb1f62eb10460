/** SIU S15: an appointment was cancelled. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { applied, duplicate, Hospital, stale } from './hospital.ts';
import { renumbered, siu } from './messages.ts';

let hospital: Hospital;
beforeAll(async () => {
  hospital = await Hospital.open();
});
afterAll(() => Hospital.closeAll());

const booked = (number: string): string => siu('S12', '2026-03-11 10:30', { 2: `${number}^RENHE`, 25: 'Booked' });
/** Many senders repeat the old status: a cancellation with "Booked" is a cancellation. */
const cancelled = (number: string): string =>
  siu('S15', '2026-03-12 10:30', { 2: `${number}^RENHE`, 6: 'ILL^Doctor is ill', 25: 'Booked' });

describe('S15: an appointment is cancelled', () => {
  const cancellation = cancelled('F7001');

  test('1. it is cancelled, with the reason; its times stay readable', async () => {
    await hospital.sends(booked('F7001'));
    expect(await hospital.sends(cancellation)).toEqual(applied);
    expect(await hospital.appointment()).toMatchObject({
      status: 'cancelled',
      cancelationReason: { coding: [{ code: 'ILL' }] },
      start: '2026-04-01T09:30:00+08:00',
    });
  });

  test('2. repeated, it changes nothing', async () => {
    const changed = await hospital.changedBy(async () => {
      expect(await hospital.sends(cancellation)).toEqual(duplicate);
      expect(await hospital.sends(renumbered(cancellation))).toEqual(duplicate);
    });
    expect(changed).toEqual([]);
  });

  test('3. what was sent before it and comes behind it does not book it again', async () => {
    expect(await hospital.sends(booked('F7001').replace('20260311103000', '20260311103100'))).toEqual(stale);
    const move = siu('S13', '2026-03-12 09:00', { 11: '^^^20260403140000^20260403143000' });
    expect(await hospital.sends(move)).toEqual(stale);
    expect((await hospital.appointment()).status).toBe('cancelled');
  });

  test('4. booked anew, later, it is booked, and has no reason of a cancellation', async () => {
    expect(await hospital.sends(siu('S12', '2026-03-13 10:30', { 25: 'Booked' }))).toEqual(applied);
    const found = await hospital.appointment();
    expect(found.status).toBe('booked');
    expect(found).not.toHaveProperty('cancelationReason');
  });
});

describe('S15 before its booking', () => {
  test('is cancelled, and stays so', async () => {
    expect(await hospital.sends(cancelled('F7002'))).toEqual(applied);
    expect(await hospital.sends(booked('F7002'))).toEqual(stale);
    expect((await hospital.appointment('F7002')).status).toBe('cancelled');
  });
});
