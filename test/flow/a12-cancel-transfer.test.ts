/** ADT A12: the transfer did not happen. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { applied, duplicate, Hospital, nothing, stale } from './hospital.ts';
import { adt, home, pid, pv1, renumbered } from './messages.ts';

let hospital: Hospital;
beforeAll(async () => {
  hospital = await Hospital.open();
});
afterAll(() => Hospital.closeAll());

const admitted = (n: string): string => adt('A01', '2026-03-10 09:05', pid(n), pv1(`V${n}`, { 3: 'W1^101^01' }));
const transferred = (n: string): string =>
  adt('A02', '2026-03-12 14:00', pid(n), pv1(`V${n}`, { 3: 'W2^202^02', 6: 'W1^101^01' }));
/** PV1-3 is where the patient is again, PV1-6 where the cancelled transfer led to. */
const cancelled = (n: string): string =>
  adt('A12', '2026-03-12 14:30', pid(n), pv1(`V${n}`, { 3: 'W1^101^01', 6: 'W2^202^02' }));

describe('A12: a transfer is cancelled', () => {
  const cancellation = cancelled('1001');

  test('1. the patient is in the old bed, and never was in another', async () => {
    await hospital.sends(admitted('1001'));
    await hospital.sends(transferred('1001'));
    expect(await hospital.sends(cancellation)).toEqual(applied);
    const visit = await hospital.visit('V1001');
    expect(visit.status).toBe('in-progress');
    expect(await hospital.places(visit)).toEqual(['active W1 101 01']);
  });

  test('2. no follow-up begins', async () => {
    expect(await hospital.followed(await hospital.visit('V1001'))).toEqual(nothing);
  });

  test('3. repeated, it changes nothing', async () => {
    const changed = await hospital.changedBy(async () => {
      expect(await hospital.sends(cancellation)).toEqual(duplicate);
      expect(await hospital.sends(renumbered(cancellation))).toEqual(duplicate);
    });
    expect(changed).toEqual([]);
  });

  test('4. the transfer made anew counts', async () => {
    const again = adt('A02', '2026-03-13 08:00', pid('1001'), pv1('V1001', { 3: 'W2^202^02', 6: 'W1^101^01' }));
    expect(await hospital.sends(again)).toEqual(applied);
    expect(await hospital.places(await hospital.visit('V1001'))).toEqual(['active W2 202 02', 'completed W1 101 01']);
  });
});

describe('A12 out of order', () => {
  test('before the transfer that it cancels: the transfer moves nobody', async () => {
    await hospital.sends(admitted('1002'));
    expect(await hospital.sends(cancelled('1002'))).toEqual(applied);
    expect(await hospital.sends(transferred('1002'))).toEqual(stale);
    expect(await hospital.places(await hospital.visit('V1002'))).toEqual(['active W1 101 01']);
  });

  test('behind the discharge: the visit stays finished, and the follow-up goes on', async () => {
    await hospital.sends(admitted('1003'));
    await hospital.sends(adt('A03', '2026-03-16 10:05', pid('1003'), pv1('V1003', { 3: 'W1^101^01', ...home })));
    expect(await hospital.sends(cancelled('1003'))).toEqual(applied);
    const visit = await hospital.visit('V1003');
    expect(visit.status).toBe('finished');
    expect((await hospital.followed(visit)).plans).toEqual(['active']);
  });
});
