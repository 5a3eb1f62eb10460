/** SIU S12: an appointment was booked. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Json } from '../../src/fhir/types.ts';
import { applied, duplicate, Hospital, nothing, opened } from './hospital.ts';
import { adt, home, pid, pv1, renumbered, siu } from './messages.ts';

let hospital: Hospital;
beforeAll(async () => {
  hospital = await Hospital.open();
});
afterAll(() => Hospital.closeAll());

describe('S12: an appointment is booked', () => {
  const booking = siu(
    'S12',
    '2026-03-11 10:30',
    { 1: 'P55^APP', 6: 'FU^Follow-up', 7: 'CHECKUP^Check-up', 9: '30', 10: 'min', 25: 'Booked' },
    'RGS|1|A',
    'AIS|1|A|CONS^Consultation',
    'AIL|1|A|CLINIC^5',
    'AIP|1|A|D012^Li^Min',
  );

  test('1. the appointment is booked, with its times', async () => {
    await hospital.sends(adt('A01', '2026-03-10 09:05', pid('1001'), pv1('V1001')));
    expect(await hospital.sends(booking)).toEqual(applied);
    expect(await hospital.appointment()).toMatchObject({
      status: 'booked',
      start: '2026-04-01T09:30:00+08:00',
      end: '2026-04-01T10:00:00+08:00',
      minutesDuration: 30,
      serviceType: [{ coding: [{ code: 'CONS' }] }],
    });
  });

  test('2. the patient, the doctor and the room take part', async () => {
    const { participant } = await hospital.appointment();
    const { id } = await hospital.patient('1001');
    const actors: string[] = participant.map((it: Json) => it.actor.reference);
    expect(actors).toContain(`Patient/${id}`);
    expect(actors.map((it) => it.split('/')[0]).sort()).toEqual(['Location', 'Patient', 'Practitioner']);
    for (const actor of actors) await hospital.read(actor);
  });

  test('3. it is found by the number of the filler and of the placer, by patient and by day', async () => {
    const { id } = await hospital.appointment('F7001');
    const patient = await hospital.patient('1001');
    expect((await hospital.appointment('P55')).id).toBe(id);
    expect((await hospital.one(`Appointment?patient=${patient.id}&date=2026-04-01`)).id).toBe(id);
  });

  test('4. the stay of the patient is not touched, and no follow-up begins', async () => {
    expect(await hospital.visit('V1001')).toMatchObject({ status: 'in-progress', meta: { versionId: '1' } });
    expect(await hospital.followed(await hospital.visit('V1001'))).toEqual(nothing);
  });

  test('5. repeated, it changes nothing', async () => {
    const changed = await hospital.changedBy(async () => {
      expect(await hospital.sends(booking)).toEqual(duplicate);
      expect(await hospital.sends(renumbered(booking))).toEqual(duplicate);
    });
    expect(changed).toEqual([]);
  });

  test('6. the revisit that a discharge proposes stands beside it', async () => {
    await hospital.sends(adt('A03', '2026-03-16 10:05', pid('1001'), pv1('V1001', home)));
    expect(await hospital.followed(await hospital.visit('V1001'))).toEqual(opened);
    expect((await hospital.appointment()).status).toBe('booked');
    const { id } = await hospital.patient('1001');
    expect((await hospital.search(`Appointment?patient=${id}`)).map((it) => it.status).sort()).toEqual([
      'booked',
      'proposed',
    ]);
  });

  test('7. a cancelled discharge takes back its own revisit, not the booking of the hospital', async () => {
    await hospital.sends(adt('A13', '2026-03-16 10:30', pid('1001'), pv1('V1001')));
    expect((await hospital.appointment()).status).toBe('booked');
    expect((await hospital.followed(await hospital.visit('V1001'))).appointments).toEqual(['cancelled']);
  });
});

describe('S12 of other kinds', () => {
  test('on a waiting list', async () => {
    await hospital.sends(siu('S12', '2026-03-11 10:30', { 2: 'F7002^RENHE', 25: 'Waitlist' }));
    expect((await hospital.appointment('F7002')).status).toBe('waitlist');
  });

  test('with a day and no time of day: the day is kept as requested', async () => {
    await hospital.sends(siu('S12', '2026-03-11 10:30', { 2: 'F7003^RENHE', 11: '^^^20260402' }));
    const found = await hospital.appointment('F7003');
    expect(found.start).toBeUndefined();
    expect(found.requestedPeriod).toMatchObject([{ start: expect.stringMatching(/^2026-04-02/) }]);
  });

  test('of a patient who is not known makes her', async () => {
    await hospital.sends(siu('S12', '2026-03-11 10:30', { 2: 'F7004^RENHE' }, pid('1004')));
    const { id } = await hospital.patient('1004');
    expect((await hospital.one(`Appointment?patient=${id}`)).status).toBe('booked');
  });

  test('without a number is refused', async () => {
    const answer = await hospital.sends(siu('S12', '2026-03-11 10:30', { 2: '' }));
    expect(answer).toEqual({ ack: 'AE', errors: ['101 SCH-2.1'], state: 'rejected' });
  });
});
