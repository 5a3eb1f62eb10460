/** Trouble: a message is lost on its way and sent again later. In the end all is as if it had come in its turn. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Json } from '../../src/fhir/types.ts';
import { Hospital, opened } from './hospital.ts';
import { adt, home, mrg, pid, pv1, siu } from './messages.ts';

let hospital: Hospital;
beforeAll(async () => {
  hospital = await Hospital.open();
});
afterAll(() => Hospital.closeAll());

/** A stay with all its turns, of a patient with this number. */
function stay(n: string): string[] {
  return [
    adt('A05', '2026-03-08 15:00', pid(n), pv1(`V${n}`, { 2: 'P', 44: '' })),
    adt(
      'A01',
      '2026-03-10 09:05',
      pid(n, { 13: '1' }),
      pv1(`V${n}`),
      'AL1|1|DA|PCN^Penicillin',
      'DG1|1||E11.9^Diabetes^I10',
    ),
    adt('A08', '2026-03-11 09:00', pid(n, { 13: '2' }), pv1(`V${n}`), 'AL1|1|DA|ASA^Aspirin'),
    adt('A02', '2026-03-12 09:00', pid(n, { 13: '2' }), pv1(`V${n}`, { 3: 'W2^2^2', 6: 'W1^101^01' })),
    adt('A03', '2026-03-16 08:05', pid(n, { 13: '2' }), pv1(`V${n}`, { 3: 'W2^2^2', 36: '02', 45: '20260316080000' })),
    adt('A13', '2026-03-16 09:00', pid(n, { 13: '2' }), pv1(`V${n}`, { 3: 'W2^2^2' })),
    adt('A03', '2026-03-16 10:05', pid(n, { 13: '2' }), pv1(`V${n}`, { 3: 'W2^2^2', ...home })),
    siu('S12', '2026-03-16 10:10', { 2: `F${n}^RENHE` }, pid(n, { 13: '2' })),
    siu('S13', '2026-03-16 10:20', { 2: `F${n}^RENHE`, 11: '^^^20260403140000^20260403143000' }, pid(n, { 13: '2' })),
  ];
}

/** What stands of a patient and her visit: without ids and numbers. */
async function standing(n: string): Promise<Json> {
  const [patient, visit, appointment] = [
    await hospital.patient(n),
    await hospital.visit(`V${n}`),
    await hospital.appointment(`F${n}`),
  ];
  const allergies = await hospital.search(`AllergyIntolerance?patient=${patient.id}`);
  const followed = await hospital.followed(visit);
  const strip = ({ id, meta, identifier, subject, participant, diagnosis, ...rest }: Json): Json => rest;
  return {
    patient: strip(patient),
    visit: strip(visit),
    places: await hospital.places(visit),
    appointment: strip(appointment),
    allergies: allergies.map((it) => [it.code.coding[0].code, it.clinicalStatus.coding[0].code].join(' ')).sort(),
    tasks: followed.tasks.filter((it) => it === 'requested'),
    plans: followed.plans.filter((it) => it === 'active'),
  };
}

describe('a stay of which one message was lost', () => {
  let expected: Json;
  beforeAll(async () => {
    for (const message of stay('1000')) await hospital.sends(message);
    expected = await standing('1000');
  });

  test('as it should be: finished, moved, at home, followed up', () => {
    expect(expected).toMatchObject({
      patient: { telecom: [{ value: '2' }] },
      visit: { status: 'finished', period: { start: '2026-03-10T09:00:00+08:00', end: '2026-03-16T10:00:00+08:00' } },
      places: ['active W2 2 2', 'completed W1 101 01'],
      appointment: { status: 'booked', start: '2026-04-03T14:00:00+08:00' },
      allergies: ['ASA active', 'PCN inactive'],
      tasks: opened.tasks,
      plans: ['active'],
    });
  });

  test.each(
    ['A05', 'A01', 'A08', 'A02', 'A03, the first', 'A13', 'A03, the last', 'S12', 'S13'].map(
      (it, i) => [it, i] as const,
    ),
  )('%s sent again at the end: all is the same', async (_, lost) => {
    const n = `11${lost}0`;
    const all = stay(n);
    for (const [i, message] of all.entries())
      if (i !== lost) expect(await hospital.sends(message)).toMatchObject({ ack: 'AA' });
    expect(await hospital.sends(all[lost] as string)).toMatchObject({ ack: 'AA' });
    expect(await standing(n)).toEqual(expected);
  });

  test('all of them sent again, from the last to the first: all is the same', async () => {
    for (const message of stay('1200').reverse()) expect(await hospital.sends(message)).toMatchObject({ ack: 'AA' });
    expect(await standing('1200')).toEqual(expected);
  });
});

describe('a merge that was lost', () => {
  test('sent again behind the discharge moves everything, and the follow-up goes on', async () => {
    await hospital.sends(adt('A28', '2026-03-01 08:00', pid('2001')));
    await hospital.sends(adt('A01', '2026-03-10 09:05', pid('2002'), pv1('V2002')));
    await hospital.sends(adt('A03', '2026-03-16 10:05', pid('2002'), pv1('V2002', home)));
    await hospital.sends(adt('A40', '2026-03-12 08:00', pid('2001'), mrg('2002')));
    const visit = await hospital.visit('V2002');
    expect(visit.subject.reference).toBe(`Patient/${(await hospital.patient('2001')).id}`);
    expect(await hospital.followed(visit)).toEqual(opened);
  });
});
