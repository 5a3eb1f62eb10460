import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { App } from '../../src/app.ts';
import { FixedClock } from '../../src/clock.ts';
import { fhir, settled, startTestApp } from '../support/app.ts';
import { encounter, topicSubscription, topicUrl } from './resources.ts';
import { discharge, putPatient, rewrite, statusOf, subscribe, subscribed } from './server.ts';
import { allEventNumbers, freePort, Subscriber, statusPart, typeOf } from './subscriber.ts';

let app: App;
let subscriber: Subscriber;
const clock = new FixedClock('2026-03-16T02:00:00Z');

beforeEach(async () => {
  app = await startTestApp({ clock });
  subscriber = await Subscriber.start();
  await putPatient(app);
});
afterEach(async () => {
  await Subscriber.closeAll();
  await app.stop();
});

describe('the handshake', () => {
  test.each(['requested', 'active'])('a subscription created as %s is requested, then active', async (status) => {
    const { id, status: answered } = await subscribe(app, topicSubscription(subscriber.url(), { status }));
    expect(answered).toBe('requested');
    const [handshake] = await subscriber.atLeast(1);
    expect(typeOf(handshake!)).toBe('handshake');
    expect(handshake).toMatchObject({ method: 'POST', path: '/hook' });
    expect(handshake?.headers['content-type']).toBe('application/fhir+json');
    await settled(app);
    const versions = (await fhir(app, 'GET', `Subscription/${id}/_history`)).body.entry;
    expect(versions.map((it: any) => it.resource.status)).toEqual(['active', 'requested']);
    expect(subscriber.received).toHaveLength(1);
  });

  test('carries the headers and the content type of the subscription', async () => {
    const payload = 'application/fhir+json; fhirVersion=4.0';
    await subscribed(app, topicSubscription(subscriber.url(), { headers: ['Authorization: Bearer abc'], payload }));
    expect(subscriber.received[0]?.headers).toMatchObject({ authorization: 'Bearer abc', 'content-type': payload });
  });

  test.each([400, 404, 500, 503, 302])(
    'answered with %i leaves an error with its text and is not repeated',
    async (answer) => {
      subscriber.answer = () => answer;
      const subscription = await subscribed(app, topicSubscription(subscriber.url()));
      expect(subscription).toMatchObject({ status: 'error', error: expect.stringContaining(String(answer)) });
      await discharge(app, 'e1');
      await settled(app);
      expect(subscriber.received).toHaveLength(1);
      expect((await fhir(app, 'GET', `Subscription/${subscription.id}`)).body.status).toBe('error');
    },
  );

  test('that nobody answers leaves an error', async () => {
    const endpoint = `http://127.0.0.1:${await freePort()}/hook`;
    expect(await subscribed(app, topicSubscription(endpoint))).toMatchObject({
      status: 'error',
      error: expect.stringMatching(/handshake/),
    });
  });

  test('that hangs leaves an error after the timeout, in words', async () => {
    subscriber.answer = () => 'hang';
    const subscription = await subscribed(app, topicSubscription(subscriber.url(), { timeoutSeconds: 1 }));
    expect(subscription).toMatchObject({ status: 'error', error: expect.stringMatching(/time-?out/i) });
  });

  test('that failed is made again when the client asks for it, and then the subscription is active', async () => {
    subscriber.answer = () => 500;
    const { id } = await subscribed(app, topicSubscription(subscriber.url()));
    subscriber.answer = () => 200;
    expect(await rewrite(app, id, { status: 'requested' })).toMatchObject({ status: 'requested' });
    await settled(app);
    const { body } = await fhir(app, 'GET', `Subscription/${id}`);
    expect(body.status).toBe('active');
    expect(body).not.toHaveProperty('error');
    await discharge(app, 'e1');
    await settled(app);
    expect(allEventNumbers(subscriber.received)).toEqual([1]);
  });

  test('a subscription written again goes through the handshake again and its numbers go on', async () => {
    const { id } = await subscribed(app, topicSubscription(subscriber.url()));
    await discharge(app, 'e1');
    await settled(app);
    await rewrite(app, id, { reason: 'another' });
    await settled(app);
    await discharge(app, 'e2');
    await settled(app);
    expect(subscriber.received.map(typeOf)).toEqual([
      'handshake',
      'event-notification',
      'handshake',
      'event-notification',
    ]);
    expect(allEventNumbers(subscriber.received)).toEqual([1, 2]);
    const handshake = JSON.parse(subscriber.received[2]?.body ?? '');
    expect(statusPart(handshake, 'events-since-subscription-start')?.valueString).toBe('1');
  });

  test('a subscription that would not be honoured is refused by 422 and nothing is sent', async () => {
    const subscription = { ...topicSubscription(subscriber.url()), criteria: 'https://example.org/topic/none' };
    const { status, body } = await fhir(app, 'POST', 'Subscription', subscription);
    expect(status).toBe(422);
    expect(body.issue[0].expression).toEqual(['Subscription.criteria']);
    await settled(app);
    expect(subscriber.received).toHaveLength(0);
  });

  test('a subscription in a transaction is admitted the same way', async () => {
    const entry = (resource: unknown) => ({ resource, request: { method: 'POST', url: 'Subscription' } });
    const bundle = (resource: unknown) => ({ resourceType: 'Bundle', type: 'transaction', entry: [entry(resource)] });
    const bad = { ...topicSubscription(subscriber.url()), criteria: 'nothing at all' };
    expect((await fhir(app, 'POST', '', bundle(bad))).status).toBe(422);
    expect(
      (await fhir(app, 'POST', '', bundle(topicSubscription(subscriber.url(), { status: 'active' })))).status,
    ).toBe(200);
    await settled(app);
    expect(subscriber.received.map(typeOf)).toEqual(['handshake']);
  });

  test('headers are masked wherever a subscription is read', async () => {
    const { id } = await subscribed(app, topicSubscription(subscriber.url(), { headers: ['X-Key: s3cr3t'] }));
    for (const path of [
      `Subscription/${id}`,
      `Subscription/${id}/_history`,
      `Subscription/${id}/_history/1`,
      `Subscription?_id=${id}`,
      `Subscription/${id}/$status`,
    ])
      expect(JSON.stringify((await fhir(app, 'GET', path)).body)).not.toContain('s3cr3t');
    const answer = await fhir(
      app,
      'POST',
      'Subscription',
      topicSubscription(subscriber.url(), { headers: ['K: s3cr3t'] }),
    );
    expect(JSON.stringify(answer.body)).not.toContain('s3cr3t');
  });
});

describe('who gets an event', () => {
  test('a discharge is notified with its focus and its patient', async () => {
    await subscribed(app, topicSubscription(subscriber.url(), { level: 'full-resource' }));
    await fhir(app, 'PUT', 'Encounter/e1', encounter('e1', 'in-progress'));
    await fhir(app, 'PUT', 'Encounter/e1', encounter('e1', 'finished'));
    await settled(app);
    const bundle = JSON.parse(subscriber.received[1]?.body ?? '');
    expect(statusPart(bundle, 'topic')?.valueCanonical).toBe(topicUrl);
    expect(statusPart(bundle, 'status')?.valueCode).toBe('active');
    expect(bundle.entry[1]).toMatchObject({
      fullUrl: `${app.http}/Encounter/e1`,
      resource: { status: 'finished', meta: { versionId: '2' } },
      request: { method: 'PUT', url: 'Encounter/e1' },
    });
    expect(bundle.entry[2]).toMatchObject({ fullUrl: `${app.http}/Patient/p1`, resource: { id: 'p1' } });
    expect(subscriber.received).toHaveLength(2);
  });

  test('only discharges that the filter lets through are notified, numbered without gaps', async () => {
    await putPatient(app, 'p2');
    await subscribed(app, topicSubscription(subscriber.url(), { filters: ['Encounter?patient=Patient/p2'] }));
    await discharge(app, 'e1', 'p1');
    await discharge(app, 'e2', 'p2');
    await discharge(app, 'e3', 'p1');
    await discharge(app, 'e4', 'p2');
    await settled(app);
    expect(allEventNumbers(subscriber.received)).toEqual([1, 2]);
    expect(subscriber.received.slice(1).map((it) => JSON.parse(it.body).entry[1].request.url)).toEqual([
      'Encounter',
      'Encounter',
    ]);
    expect(subscriber.received.slice(1).map((it) => JSON.parse(it.body).entry[1].fullUrl.split('/').at(-1))).toEqual([
      'e2',
      'e4',
    ]);
  });

  test('a filter of two parts and two filters are ANDed', async () => {
    await subscribed(app, topicSubscription(subscriber.url(), { filters: ['patient=Patient/p1', '_id=e2'] }));
    const other = await Subscriber.start();
    await subscribed(app, topicSubscription(other.url(), { filters: ['patient=Patient/p1&_id=e3'] }));
    for (const id of ['e1', 'e2', 'e3']) await discharge(app, id);
    await settled(app);
    expect(subscriber.received.map((it) => JSON.parse(it.body).entry[1]?.fullUrl.split('/').at(-1))).toEqual([
      undefined,
      'e2',
    ]);
    expect(other.received.map((it) => JSON.parse(it.body).entry[1]?.fullUrl.split('/').at(-1))).toEqual([
      undefined,
      'e3',
    ]);
    await other.close();
  });

  test('an event before the subscription was active is not notified', async () => {
    await discharge(app, 'e1');
    await subscribed(app, topicSubscription(subscriber.url()));
    await settled(app);
    expect(allEventNumbers(subscriber.received)).toEqual([]);
  });

  test('a deleted subscription gets nothing', async () => {
    const { id } = await subscribed(app, topicSubscription(subscriber.url()));
    expect((await fhir(app, 'DELETE', `Subscription/${id}`)).status).toBe(204);
    await discharge(app, 'e1');
    await settled(app);
    expect(subscriber.received.map(typeOf)).toEqual(['handshake']);
    expect((await fhir(app, 'GET', `Subscription/${id}/$status`)).status).toBe(410);
  });

  test('a subscription that is off gets nothing, no handshake either', async () => {
    const { id } = await subscribed(app, topicSubscription(subscriber.url()));
    await rewrite(app, id, { status: 'off' });
    await discharge(app, 'e1');
    await settled(app);
    expect(subscriber.received.map(typeOf)).toEqual(['handshake']);
    expect((await fhir(app, 'GET', `Subscription/${id}`)).body.status).toBe('off');
  });

  test('a subscription created as off gets nothing', async () => {
    await subscribed(app, topicSubscription(subscriber.url(), { status: 'off' }));
    await discharge(app, 'e1');
    await settled(app);
    expect(subscriber.received).toHaveLength(0);
  });

  test('after its end a subscription gets nothing', async () => {
    const end = new Date(clock.now() + 60_000).toISOString();
    await subscribed(app, topicSubscription(subscriber.url(), { end }));
    await discharge(app, 'e1');
    await settled(app);
    clock.advance(60_000);
    await discharge(app, 'e2');
    await settled(app);
    expect(allEventNumbers(subscriber.received)).toEqual([1]);
  });

  test('a subscription whose end has passed already gets no handshake', async () => {
    await subscribed(app, topicSubscription(subscriber.url(), { end: '2026-01-01T00:00:00Z' }));
    await discharge(app, 'e1');
    await settled(app);
    expect(subscriber.received).toHaveLength(0);
  });

  test('a subscription made anew under the id of a deleted one begins at 1 and gets nothing of the former', async () => {
    const path = 'Subscription/again';
    const wanted = { ...topicSubscription(subscriber.url(), { timeoutSeconds: 1 }), id: 'again' };
    expect((await fhir(app, 'PUT', path, wanted)).status).toBe(201);
    await settled(app);
    subscriber.answer = () => 400;
    await discharge(app, 'e1');
    await settled(app);
    expect((await fhir(app, 'DELETE', path)).status).toBe(204);
    const other = await Subscriber.start();
    expect((await fhir(app, 'PUT', path, { ...topicSubscription(other.url()), id: 'again' })).status).toBe(201);
    await settled(app);
    await discharge(app, 'e2');
    await settled(app);
    const seen = other.received.map((it) => [typeOf(it), JSON.parse(it.body).entry[1]?.fullUrl.split('/').at(-1)]);
    expect(seen).toEqual([
      ['handshake', undefined],
      ['event-notification', 'e2'],
    ]);
    expect(allEventNumbers(other.received)).toEqual([1]);
    await other.close();
  });
});

describe('$status', () => {
  test('is a searchset with one status of type query-status', async () => {
    const { id } = await subscribed(app, topicSubscription(subscriber.url()));
    await discharge(app, 'e1');
    await settled(app);
    const { body } = await fhir(app, 'GET', `Subscription/${id}/$status`);
    expect(body).toMatchObject({ resourceType: 'Bundle', type: 'searchset' });
    expect(body.entry).toHaveLength(1);
    expect(await statusOf(app, id)).toMatchObject({
      subscription: `${app.http}/Subscription/${id}`,
      topic: topicUrl,
      status: 'active',
      type: 'query-status',
      'events-since-subscription-start': '1',
    });
  });

  test('goes on to answer when the subscription is in error', async () => {
    const { id } = await subscribed(app, topicSubscription(subscriber.url()));
    subscriber.answer = () => 410;
    await discharge(app, 'e1');
    await settled(app);
    expect(await statusOf(app, id)).toMatchObject({ status: 'error', 'events-since-subscription-start': '1' });
  });

  test('of what never was is 404', async () => {
    expect((await fhir(app, 'GET', 'Subscription/none/$status')).status).toBe(404);
  });
});
