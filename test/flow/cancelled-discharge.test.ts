/** Story: the discharge was a mistake (A13), and days later the patient really goes home. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { topicSubscription } from '../subscriptions/resources.ts';
import { subscribed } from '../subscriptions/server.ts';
import { allEventNumbers, Subscriber } from '../subscriptions/subscriber.ts';
import { Hospital, statuses } from './hospital.ts';

describe('a cancelled discharge', () => {
  let hospital: Hospital;
  let subscriber: Subscriber;
  beforeAll(async () => {
    hospital = await Hospital.open();
    subscriber = await Subscriber.start();
    await subscribed(hospital.app, topicSubscription(subscriber.url()));
    await hospital.send('A01');
    await hospital.send('A03');
  });
  afterAll(async () => {
    await Subscriber.closeAll();
    await Hospital.closeAll();
  });

  test('1. opens the visit again, without an end and a disposition', async () => {
    await hospital.send('A13');
    const visit = await hospital.visit();
    expect(visit).toMatchObject({ status: 'in-progress', period: { start: '2026-03-10T09:00:00+08:00' } });
    expect(visit.period).not.toHaveProperty('end');
    expect(visit).not.toHaveProperty('hospitalization.dischargeDisposition');
  });

  test('2. takes back the whole follow-up with the reason', async () => {
    const { plans, tasks, appointments, responses } = await hospital.followUp();
    expect(statuses(plans)).toEqual(['revoked']);
    expect(plans[0]?.note.map((it: { text: string }) => it.text)).toEqual(['the discharge was cancelled']);
    expect(new Set(statuses(tasks))).toEqual(new Set(['cancelled']));
    expect(statuses(appointments)).toEqual(['cancelled']);
    expect(appointments[0]?.cancelationReason.coding[0].code).toBe('cancelled-discharge');
    expect(statuses(responses)).toEqual(['stopped']);
  });

  test('3. sent twice does no further harm', async () => {
    const before = await hospital.app.store.head();
    await hospital.send('A13');
    const after = await hospital.app.store.changes(before, 100);
    expect(after.map((it) => it.type).filter((it) => ['Encounter', 'CarePlan', 'Task'].includes(it))).toEqual([]);
  });

  test('4. the real discharge enrols anew, the revoked plan stays as it is', async () => {
    hospital.clock.advance(2 * 86_400_000);
    await hospital.send('A03', { dischargedAt: '20260318093000' });
    const { plans, tasks } = await hospital.followUp();
    expect(statuses(plans)).toEqual(['active', 'revoked']);
    expect(statuses(tasks).filter((it) => it === 'requested')).toHaveLength(4);
    expect(statuses(tasks).filter((it) => it === 'cancelled')).toHaveLength(4);
    expect(plans.find((it) => it.status === 'active')?.period.start).toBe('2026-03-18T09:30:00+08:00');
  });

  test('5. a subscriber hears of both discharges', () => {
    expect(allEventNumbers(subscriber.received)).toEqual([1, 2]);
  });

  test('6. the history of the visit tells the story', async () => {
    const { id } = await hospital.visit();
    const { entry } = await hospital.read(`Encounter/${id}/_history`);
    expect(entry.map((it: { resource: { status: string } }) => it.resource.status)).toEqual([
      'finished',
      'in-progress',
      'finished',
      'in-progress',
    ]);
  });

  test('7. no message is left behind', () => hospital.expectMessages({ applied: 5 }));
});

describe('a cancelled discharge of one visit', () => {
  afterEach(() => Hospital.closeAll());

  test('leaves the follow-up of another visit of the same patient alone', async () => {
    const hospital = await Hospital.open();
    await hospital.send('A03', { visit: 'V1' });
    await hospital.send('A03', { visit: 'V2' });
    await hospital.send('A13', { visit: 'V2' });
    expect(statuses((await hospital.followUp(await hospital.visit('V1'))).plans)).toEqual(['active']);
    expect(statuses((await hospital.followUp(await hospital.visit('V2'))).plans)).toEqual(['revoked']);
  });

  test('that comes before the discharge is known leaves the visit open', async () => {
    const hospital = await Hospital.open();
    await hospital.send('A13');
    expect((await hospital.visit()).status).toBe('in-progress');
    expect((await hospital.followUp()).plans).toEqual([]);
  });
});
