import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { App } from '../../src/app.ts';
import { fhir, settled, startTestApp } from '../support/app.ts';
import { classicSubscription, encounter, topicSubscription } from './resources.ts';
import { discharge, putPatient, statusOf, subscribed } from './server.ts';
import { Subscriber } from './subscriber.ts';

let app: App;
let subscriber: Subscriber;
beforeEach(async () => {
  app = await startTestApp();
  subscriber = await Subscriber.start();
  await putPatient(app);
});
afterEach(async () => {
  await Subscriber.closeAll();
  await app.stop();
});

const criteria = 'Encounter?status=finished';

describe('a classic subscription', () => {
  test('is active without a handshake', async () => {
    expect(await subscribed(app, classicSubscription(subscriber.url(), criteria))).toMatchObject({ status: 'active' });
    expect(subscriber.received).toHaveLength(0);
  });

  test('without payload gets an empty POST with its headers', async () => {
    const wanted = classicSubscription(subscriber.url(), criteria);
    wanted.channel.header = ['Authorization: Bearer abc'];
    await subscribed(app, wanted);
    await discharge(app, 'e1');
    await settled(app);
    expect(subscriber.received).toHaveLength(1);
    expect(subscriber.received[0]).toMatchObject({ method: 'POST', path: '/hook', body: '' });
    expect(subscriber.received[0]?.headers.authorization).toBe('Bearer abc');
  });

  test.each(['/hook', '/hook/'])('with payload gets the resource by PUT below the endpoint %s', async (path) => {
    await subscribed(app, classicSubscription(subscriber.url(path), criteria, 'application/fhir+json'));
    await discharge(app, 'e1');
    await settled(app);
    expect(subscriber.received).toHaveLength(1);
    const [request] = subscriber.received;
    expect(request).toMatchObject({ method: 'PUT', path: '/hook/Encounter/e1' });
    expect(request?.headers['content-type']).toBe('application/fhir+json');
    expect(JSON.parse(request?.body ?? '')).toEqual((await fhir(app, 'GET', 'Encounter/e1')).body);
  });

  test('fires for every version that matches, and only for those', async () => {
    await subscribed(app, classicSubscription(subscriber.url(), criteria, 'application/fhir+json'));
    await fhir(app, 'PUT', 'Encounter/e1', encounter('e1', 'in-progress'));
    await fhir(app, 'PUT', 'Encounter/e1', encounter('e1', 'finished'));
    await fhir(app, 'PUT', 'Encounter/e1', { ...encounter('e1', 'finished'), priority: { text: 'x' } });
    await fhir(app, 'PUT', 'Encounter/e1', encounter('e1', 'in-progress'));
    await fhir(app, 'DELETE', 'Encounter/e1');
    await settled(app);
    expect(subscriber.received.map((it) => JSON.parse(it.body).meta.versionId)).toEqual(['2', '3']);
  });

  test('gets each version as it was, also when it is delivered late', async () => {
    await subscribed(app, classicSubscription(subscriber.url(), 'Patient?name=张', 'application/fhir+json'));
    subscriber.answer = (_, count) => (count === 1 ? 503 : 200);
    const name = [{ family: '张', given: ['伟'] }];
    await fhir(app, 'PUT', 'Patient/p9', { resourceType: 'Patient', id: 'p9', name, gender: 'male' });
    await fhir(app, 'PUT', 'Patient/p9', { resourceType: 'Patient', id: 'p9', name, gender: 'female' });
    const genders = (): string[] => subscriber.received.map((it) => JSON.parse(it.body).gender);
    await subscriber.until(() => genders().includes('female'));
    expect([...new Set(genders())]).toEqual(['male', 'female']);
  });

  test('is ended by an endpoint that refuses for good, with the reason', async () => {
    subscriber.answer = () => 403;
    const { id } = await subscribed(app, classicSubscription(subscriber.url(), criteria));
    await discharge(app, 'e1');
    await settled(app);
    expect((await fhir(app, 'GET', `Subscription/${id}`)).body).toMatchObject({
      status: 'error',
      error: expect.stringContaining('403'),
    });
  });

  test('answers $status too', async () => {
    const { id } = await subscribed(app, classicSubscription(subscriber.url(), criteria));
    await discharge(app, 'e1');
    await settled(app);
    expect(await statusOf(app, id)).toMatchObject({ status: 'active', 'events-since-subscription-start': '1' });
  });

  test('and one on the topic do not disturb each other', async () => {
    await subscribed(app, classicSubscription(subscriber.url('/classic'), criteria, 'application/fhir+json'));
    await subscribed(app, topicSubscription(subscriber.url('/topic')));
    await discharge(app, 'e1');
    await settled(app);
    expect(subscriber.received.filter((it) => it.path === '/topic')).toHaveLength(2);
    expect(subscriber.received.filter((it) => it.path === '/classic/Encounter/e1')).toHaveLength(1);
  });
});
