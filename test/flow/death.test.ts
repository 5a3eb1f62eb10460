/** Story: nobody calls the home of a patient who has died. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { topicSubscription } from '../subscriptions/resources.ts';
import { subscribed } from '../subscriptions/server.ts';
import { allEventNumbers, Subscriber } from '../subscriptions/subscriber.ts';
import { Hospital, statuses } from './hospital.ts';

let hospital: Hospital;
let subscriber: Subscriber;
beforeEach(async () => {
  hospital = await Hospital.open();
  subscriber = await Subscriber.start();
  await subscribed(hospital.app, topicSubscription(subscriber.url()));
});
afterEach(async () => {
  await Subscriber.closeAll();
  await Hospital.closeAll();
});

async function expectWithdrawn(): Promise<void> {
  const { plans, tasks, appointments, responses } = await hospital.followUp();
  expect(statuses(plans)).toEqual(['revoked']);
  expect(statuses(tasks)).toEqual(['cancelled', 'cancelled', 'cancelled', 'cancelled']);
  expect(statuses(appointments)).toEqual(['cancelled']);
  expect(statuses(responses)).toEqual(['stopped']);
  for (const task of tasks) expect(task.statusReason.coding[0].code).toBe('deceased');
}

describe('a patient who died in hospital', () => {
  test.each([
    ['disposition 20 and PID-30', { disposition: '20', deceased: 'Y' }],
    ['disposition 20 alone', { disposition: '20' }],
    ['PID-30 alone', { deceased: 'Y' }],
  ])('by %s: the visit is finished and there is no follow-up', async (_, options) => {
    await hospital.send('A01');
    await hospital.send('A03', options);
    expect((await hospital.visit()).status).toBe('finished');
    const { plans, tasks, appointments, responses } = await hospital.followUp();
    expect([plans, tasks, appointments, responses]).toEqual([[], [], [], []]);
  });

  test('is deceased in FHIR and no discharge is notified', async () => {
    await hospital.send('A01');
    await hospital.send('A03', { disposition: '20', deceased: 'Y' });
    expect(await hospital.one('Patient?identifier=1001')).toMatchObject({ deceasedBoolean: true });
    expect(await hospital.search('Patient?deceased=true')).toHaveLength(1);
    expect(allEventNumbers(subscriber.received)).toEqual([]);
  });
});

describe('a patient who died after the discharge', () => {
  beforeEach(async () => {
    await hospital.send('A01');
    await hospital.send('A03');
    expect(statuses((await hospital.followUp()).plans)).toEqual(['active']);
  });

  test('known by a message (A08 with PID-30): what is open is taken back', async () => {
    await hospital.send('A08', { deceased: 'Y' });
    await expectWithdrawn();
    expect((await hospital.visit()).status).toBe('finished');
  });

  test('known by FHIR: what is open is taken back', async () => {
    const patient = await hospital.one('Patient?identifier=1001');
    await hospital.put({ ...patient, deceasedDateTime: '2026-03-20T04:00:00+08:00' });
    await expectWithdrawn();
  });

  test('what was done stays done', async () => {
    const [task] = (await hospital.followUp()).tasks;
    await hospital.put({ ...task, status: 'completed' });
    await hospital.send('A08', { deceased: 'Y' });
    expect(statuses((await hospital.followUp()).tasks)).toEqual(['cancelled', 'cancelled', 'cancelled', 'completed']);
  });

  test('is not enrolled again by a later copy of the discharge', async () => {
    await hospital.send('A08', { deceased: 'Y' });
    await hospital.send('A03');
    await expectWithdrawn();
  });

  test('another patient keeps her plan', async () => {
    await hospital.send('A03', { patient: '2002', visit: 'V2002' });
    await hospital.send('A08', { deceased: 'Y' });
    expect(statuses((await hospital.followUp(await hospital.visit('V2002'))).plans)).toEqual(['active']);
    expect(statuses((await hospital.followUp(await hospital.visit('V1001'))).plans)).toEqual(['revoked']);
  });
});
