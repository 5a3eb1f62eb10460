/** Story: the registration desk corrects data after the patient has left. */
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
  await hospital.send('A01');
  await hospital.send('A03');
});
afterEach(async () => {
  await Subscriber.closeAll();
  await Hospital.closeAll();
});

describe('an update after the discharge', () => {
  test('changes the patient; the visit stays finished with its end', async () => {
    await hospital.send('A08', { phone: '13700002222' });
    expect((await hospital.one('Patient?identifier=1001')).telecom[0].value).toBe('13700002222');
    expect(await hospital.visit()).toMatchObject({
      status: 'finished',
      period: { start: '2026-03-10T09:00:00+08:00', end: '2026-03-16T10:00:00+08:00' },
    });
  });

  test('keeps the disposition that the discharge gave', async () => {
    const before = (await hospital.visit()).hospitalization.dischargeDisposition;
    await hospital.send('A08');
    expect((await hospital.visit()).hospitalization.dischargeDisposition).toEqual(before);
  });

  test('leaves the follow-up as it is and is no second discharge', async () => {
    const before = await hospital.followUp();
    await hospital.send('A08', { phone: '13700002222' });
    expect(await hospital.followUp()).toEqual(before);
    expect(allEventNumbers(subscriber.received)).toEqual([1]);
  });

  test('that repeats the end (PV1-45) changes nothing', async () => {
    const { meta } = await hospital.visit();
    await hospital.send('A08', { dischargedAt: '20260316100000', disposition: '01' });
    expect((await hospital.visit()).meta.versionId).toBe(meta.versionId);
    expect(statuses((await hospital.followUp()).plans)).toEqual(['active']);
  });

  test('with a deleted phone number (“”) takes the number away and keeps the rest', async () => {
    await hospital.send('A08', { edit: (it) => it.replace('13900009999^PRN^CP', '""') });
    const patient = await hospital.one('Patient?identifier=1001');
    expect(patient).not.toHaveProperty('telecom');
    expect(patient).toMatchObject({ name: [{ family: 'Doe' }], gender: 'female' });
  });

  test('with an empty phone number keeps the number', async () => {
    await hospital.send('A08', { phone: '', edit: (it) => it.replace('^PRN^CP', '') });
    expect((await hospital.one('Patient?identifier=1001')).telecom[0].value).toBe('13900009999');
  });

  test('an admission (A01) that was held up on its way does not open the visit again', async () => {
    await hospital.send('A01', { edit: (it) => it.replaceAll('20260316103000', '20260310090500') });
    expect((await hospital.visit()).status).toBe('finished');
    expect(statuses((await hospital.followUp()).plans)).toEqual(['active']);
  });
});
