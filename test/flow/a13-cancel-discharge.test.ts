/** ADT A13: the discharge was a mistake, and days later the patient really goes home. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Json } from '../../src/fhir/types.ts';
import { allEventNumbers, type Subscriber } from '../subscriptions/subscriber.ts';
import { applied, duplicate, Hospital, nothing, opened, stale, statuses, takenBack } from './hospital.ts';
import { adt, home, pid, pv1, renumbered } from './messages.ts';

let hospital: Hospital;
let subscriber: Subscriber;
beforeAll(async () => {
  ({ hospital, subscriber } = await Hospital.openTold());
});
afterAll(() => Hospital.closeAll());

describe('A13: a discharge is cancelled', () => {
  const discharge = adt('A03', '2026-03-16 10:05', pid('1001'), pv1('V1001', { ...home, 37: 'H7^City Hospital' }));
  const cancellation = adt('A13', '2026-03-16 10:30', pid('1001'), pv1('V1001'));

  test('1. the visit is open again, without an end, a disposition and a place', async () => {
    await hospital.sends(adt('A01', '2026-03-10 09:05', pid('1001'), pv1('V1001')));
    await hospital.sends(discharge);
    expect(await hospital.followed(await hospital.visit('V1001'))).toEqual(opened);
    expect(await hospital.sends(cancellation)).toEqual(applied);
    const visit = await hospital.visit('V1001');
    expect(visit).toMatchObject({ status: 'in-progress', period: { start: '2026-03-10T09:00:00+08:00' } });
    expect(visit.period).not.toHaveProperty('end');
    expect(visit).not.toHaveProperty('hospitalization.dischargeDisposition');
    expect(visit).not.toHaveProperty('hospitalization.destination');
  });

  test('2. the whole follow-up is taken back, with the reason', async () => {
    const visit = await hospital.visit('V1001');
    expect(await hospital.followed(visit)).toEqual(takenBack);
    const { plans, appointments } = await hospital.followUp(visit);
    expect(plans[0]?.note.map((it: { text: string }) => it.text)).toEqual(['the discharge was cancelled']);
    expect(appointments[0]?.cancelationReason.coding[0].code).toBe('cancelled-discharge');
  });

  test('3. repeated, it changes nothing', async () => {
    const changed = await hospital.changedBy(async () => {
      expect(await hospital.sends(cancellation)).toEqual(duplicate);
      expect(await hospital.sends(renumbered(cancellation))).toEqual(duplicate);
    });
    expect(changed).toEqual([]);
  });

  test('4. the cancelled discharge, sent again, is late', async () => {
    expect(await hospital.sends(discharge)).toEqual(duplicate);
    expect(await hospital.sends(renumbered(discharge).replaceAll('20260316100500', '20260316100600'))).toEqual(stale);
    expect((await hospital.visit('V1001')).status).toBe('in-progress');
    expect(await hospital.followed(await hospital.visit('V1001'))).toEqual(takenBack);
  });

  test('5. the real discharge enrols anew, and the revoked plan stays as it is', async () => {
    hospital.clock.advance(2 * 86_400_000);
    const real = adt('A03', '2026-03-18 09:35', pid('1001'), pv1('V1001', { 36: '01', 45: '20260318093000' }));
    expect(await hospital.sends(real)).toEqual(applied);
    const { plans, tasks } = await hospital.followUp(await hospital.visit('V1001'));
    expect(statuses(plans)).toEqual(['active', 'revoked']);
    expect(statuses(tasks).filter((it) => it === 'requested')).toHaveLength(4);
    expect(statuses(tasks).filter((it) => it === 'cancelled')).toHaveLength(4);
    expect(plans.find((it) => it.status === 'active')?.period.start).toBe('2026-03-18T09:30:00+08:00');
  });

  test('6. a subscriber heard of both discharges', () => {
    expect(allEventNumbers(subscriber.received)).toEqual([1, 2]);
  });

  test('7. the history of the visit tells the story', async () => {
    const { id } = await hospital.visit('V1001');
    const { entry } = await hospital.read(`Encounter/${id}/_history`);
    const told = entry.map(({ resource }: Json) => [resource.status, resource.period.end?.slice(0, 10)]).reverse();
    expect(told.filter(([status]: string[], i: number) => status !== told[i - 1]?.[0])).toEqual([
      ['in-progress', undefined],
      ['finished', '2026-03-16'],
      ['in-progress', undefined],
      ['finished', '2026-03-18'],
    ]);
  });
});

describe('A13 of one visit', () => {
  test('leaves the follow-up of another visit of the same patient alone', async () => {
    for (const it of ['VA', 'VB']) await hospital.sends(adt('A03', '2026-03-16 10:05', pid('1002'), pv1(it, home)));
    await hospital.sends(adt('A13', '2026-03-16 10:30', pid('1002'), pv1('VB')));
    expect((await hospital.followed(await hospital.visit('VA'))).plans).toEqual(['active']);
    expect((await hospital.followed(await hospital.visit('VB'))).plans).toEqual(['revoked']);
  });

  test('what was done of its follow-up stays done', async () => {
    await hospital.sends(adt('A03', '2026-03-18 09:00', pid('1003'), pv1('V1003', { 45: '20260318090000' })));
    const visit = await hospital.visit('V1003');
    const [task] = (await hospital.followUp(visit)).tasks;
    await hospital.put({ ...task, status: 'completed' });
    await hospital.sends(adt('A13', '2026-03-18 10:30', pid('1003'), pv1('V1003')));
    expect((await hospital.followed(visit)).tasks).toEqual(['cancelled', 'cancelled', 'cancelled', 'completed']);
  });
});

describe('A13 before its discharge is known', () => {
  test('leaves the visit open, and the discharge behind it is late', async () => {
    expect(await hospital.sends(adt('A13', '2026-03-16 10:30', pid('1004'), pv1('V1004')))).toEqual(applied);
    expect(await hospital.sends(adt('A03', '2026-03-16 10:05', pid('1004'), pv1('V1004', home)))).toEqual(stale);
    const visit = await hospital.visit('V1004');
    expect(visit.status).toBe('in-progress');
    expect(await hospital.followed(visit)).toEqual(nothing);
  });
});
