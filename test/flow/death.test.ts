/** Story: nobody calls the home of a patient who has died. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Subscriber } from '../subscriptions/subscriber.ts';
import { Hospital, nothing, opened, takenBack } from './hospital.ts';
import { adt, home, pid, pv1 } from './messages.ts';

let hospital: Hospital;
let subscriber: Subscriber;
beforeAll(async () => {
  ({ hospital, subscriber } = await Hospital.openTold());
});
afterAll(() => Hospital.closeAll());

const followed = async (n: string) => hospital.followed(await hospital.visit(`V${n}`));

describe('a patient who died in hospital', () => {
  const dead: string[] = [];
  test.each([
    ['disposition 20 and PID-30', '1001', { 30: 'Y' }, { 36: '20' }],
    ['disposition 20 alone', '1002', {}, { 36: '20' }],
    ['PID-30 alone', '1003', { 30: 'Y' }, { 36: '01' }],
    ['PID-29, the time of death', '1004', { 29: '20260316094500' }, { 36: '01' }],
  ])('by %s: the visit is finished, and there is no follow-up', async (_, n, person, end) => {
    await hospital.sends(adt('A01', '2026-03-10 09:05', pid(n), pv1(`V${n}`)));
    await hospital.sends(adt('A03', '2026-03-16 10:05', pid(n, person), pv1(`V${n}`, { ...home, ...end })));
    expect((await hospital.visit(`V${n}`)).status).toBe('finished');
    expect(await followed(n)).toEqual(nothing);
    if (end[36] === '20') dead.push((await hospital.visit(`V${n}`)).id);
  });

  test('nobody is told of a discharge with disposition 20', () => {
    const told = subscriber.received.map((it) => it.body).join('');
    expect(dead).toHaveLength(2);
    for (const id of dead) expect(told).not.toContain(id);
  });

  test('is deceased in FHIR', async () => {
    expect(await hospital.patient('1001')).toMatchObject({ deceasedBoolean: true });
    expect(await hospital.search('Patient?deceased=true')).toHaveLength(3);
  });
});

describe('a patient who died after the discharge', () => {
  async function discharged(n: string): Promise<void> {
    await hospital.sends(adt('A01', '2026-03-10 09:05', pid(n), pv1(`V${n}`)));
    await hospital.sends(adt('A03', '2026-03-16 10:05', pid(n), pv1(`V${n}`, home)));
    expect(await followed(n)).toEqual(opened);
  }
  const died = (n: string): string => adt('A08', '2026-03-16 10:30', pid(n, { 30: 'Y' }), pv1(`V${n}`));

  test('known by a message (A08 with PID-30): what is open is taken back, with the reason', async () => {
    await discharged('2001');
    await hospital.sends(died('2001'));
    expect(await followed('2001')).toEqual(takenBack);
    const { tasks } = await hospital.followUp(await hospital.visit('V2001'));
    for (const task of tasks) expect(task.statusReason.coding[0].code).toBe('deceased');
    expect((await hospital.visit('V2001')).status).toBe('finished');
  });

  test('known by FHIR: what is open is taken back', async () => {
    await discharged('2002');
    await hospital.put({ ...(await hospital.patient('2002')), deceasedDateTime: '2026-03-20T04:00:00+08:00' });
    expect(await followed('2002')).toEqual(takenBack);
  });

  test('what was done stays done', async () => {
    await discharged('2003');
    const [task] = (await hospital.followUp(await hospital.visit('V2003'))).tasks;
    await hospital.put({ ...task, status: 'completed' });
    await hospital.sends(died('2003'));
    expect((await followed('2003')).tasks).toEqual(['cancelled', 'cancelled', 'cancelled', 'completed']);
  });

  test('is not enrolled again by a later copy of the discharge', async () => {
    await discharged('2004');
    await hospital.sends(died('2004'));
    await hospital.sends(adt('A03', '2026-03-16 10:06', pid('2004'), pv1('V2004', home)));
    expect(await followed('2004')).toEqual(takenBack);
  });

  test('another patient keeps her plan', async () => {
    await discharged('2005');
    await discharged('2006');
    await hospital.sends(died('2005'));
    expect(await followed('2005')).toEqual(takenBack);
    expect(await followed('2006')).toEqual(opened);
  });
});
