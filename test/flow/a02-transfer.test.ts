/** ADT A02: a patient moves to another ward. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { applied, duplicate, Hospital, nothing, stale } from './hospital.ts';
import { adt, home, pid, pv1, renumbered } from './messages.ts';

let hospital: Hospital;
beforeAll(async () => {
  hospital = await Hospital.open();
});
afterAll(() => Hospital.closeAll());

const admitted = (patient: string, visit: string): string =>
  adt('A01', '2026-03-10 09:05', pid(patient), pv1(visit, { 3: 'W1^101^01' }));

describe('A02: a patient is transferred', () => {
  const transfer = adt(
    'A02',
    '2026-03-12 14:00',
    pid('1001'),
    pv1('V1001', { 3: 'W2^202^02', 6: 'W1^101^01', 7: 'D020^Sun^Hui' }),
  );

  test('1. the visit stays in progress, in the new bed, with the old one behind it', async () => {
    await hospital.sends(admitted('1001', 'V1001'));
    expect(await hospital.sends(transfer)).toEqual(applied);
    const visit = await hospital.visit('V1001');
    expect(visit).toMatchObject({ status: 'in-progress', period: { start: '2026-03-10T09:00:00+08:00' } });
    expect(await hospital.places(visit)).toEqual(['active W2 202 02', 'completed W1 101 01']);
  });

  test('2. the new attending doctor takes the place of the old one', async () => {
    const { participant } = await hospital.visit('V1001');
    expect(participant).toHaveLength(1);
    expect((await hospital.read(participant[0].individual.reference)).name).toMatchObject([{ family: 'Sun' }]);
  });

  test('3. no follow-up begins', async () => {
    expect(await hospital.followed(await hospital.visit('V1001'))).toEqual(nothing);
  });

  test('4. repeated, it changes nothing', async () => {
    const changed = await hospital.changedBy(async () => {
      expect(await hospital.sends(transfer)).toEqual(duplicate);
      expect(await hospital.sends(renumbered(transfer))).toEqual(duplicate);
    });
    expect(changed).toEqual([]);
  });

  test('5. a third ward follows the second', async () => {
    const again = adt('A02', '2026-03-14 10:00', pid('1001'), pv1('V1001', { 3: 'W3^303^03', 6: 'W2^202^02' }));
    expect(await hospital.sends(again)).toEqual(applied);
    expect(await hospital.places(await hospital.visit('V1001'))).toEqual(['active W3 303 03', 'completed W2 202 02']);
  });
});

describe('A02 that comes late', () => {
  test('behind the next transfer does not move the patient back', async () => {
    await hospital.sends(admitted('1002', 'V1002'));
    await hospital.sends(adt('A02', '2026-03-14 10:00', pid('1002'), pv1('V1002', { 3: 'W3^303^03', 6: 'W2^202^02' })));
    const late = adt('A02', '2026-03-12 14:00', pid('1002'), pv1('V1002', { 3: 'W2^202^02', 6: 'W1^101^01' }));
    expect(await hospital.sends(late)).toEqual(stale);
    expect(await hospital.places(await hospital.visit('V1002'))).toEqual(['active W3 303 03', 'completed W2 202 02']);
  });

  test('behind the discharge does not open the visit, and the follow-up goes on', async () => {
    await hospital.sends(adt('A03', '2026-03-16 10:05', pid('1003'), pv1('V1003', { 3: 'W2^202^02', ...home })));
    const late = adt('A02', '2026-03-12 14:00', pid('1003'), pv1('V1003', { 3: 'W2^202^02', 6: 'W1^101^01' }));
    expect(await hospital.sends(late)).toEqual(applied);
    const visit = await hospital.visit('V1003');
    expect(visit.status).toBe('finished');
    expect(await hospital.places(visit)).toEqual(['active W2 202 02', 'completed W1 101 01']);
    expect((await hospital.followed(visit)).plans).toEqual(['active']);
  });

  test('before the admission is known stands by itself, and the admission adds to it', async () => {
    const transfer = adt('A02', '2026-03-12 14:00', pid('1004'), pv1('V1004', { 3: 'W2^202^02', 6: 'W1^101^01' }));
    expect(await hospital.sends(transfer)).toEqual(applied);
    expect(await hospital.sends(admitted('1004', 'V1004'))).toEqual(stale);
    const visit = await hospital.visit('V1004');
    expect(visit.status).toBe('in-progress');
    expect(await hospital.places(visit)).toEqual(['active W2 202 02', 'completed W1 101 01']);
  });
});
