import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { App } from '../../src/app.ts';
import { fhir, settled, startTestApp, temporaryFolder } from '../support/app.ts';
import { encounter, topicSubscription } from './resources.ts';
import { discharge, putPatient, rewrite, statusOf, subscribed } from './server.ts';
import { allEventNumbers, eventNumbers, Subscriber, typeOf } from './subscriber.ts';

const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i + 1);

/** Of repeated numbers the first: what a receiver that drops repeats sees. */
function firsts(numbers: readonly number[]): number[] {
  return [...new Set(numbers)];
}

const isEvent = (it: { body: string }): boolean => typeOf(it as never) === 'event-notification';

describe('deliveries', () => {
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

  test('under concurrent writes events are numbered 1 to n without gaps and arrive in order, once', async () => {
    await subscribed(app, topicSubscription(subscriber.url()));
    await Promise.all(upTo(60).map((i) => discharge(app, `e${i}`)));
    await settled(app);
    expect(allEventNumbers(subscriber.received)).toEqual(upTo(60));
    const foci = subscriber.received.slice(1).map((it) => JSON.parse(it.body).entry[1].fullUrl);
    expect(new Set(foci).size).toBe(60);
  });

  test('the order of events is the order of the changes', async () => {
    await subscribed(app, topicSubscription(subscriber.url()));
    const entry = upTo(20).map((i) => ({
      resource: encounter(`e${i}`, 'finished'),
      request: { method: 'PUT', url: `Encounter/e${i}` },
    }));
    expect((await fhir(app, 'POST', '', { resourceType: 'Bundle', type: 'transaction', entry })).status).toBe(200);
    await settled(app);
    const order = await app.store.changes(0, 500);
    const written = order.filter((it) => it.type === 'Encounter').map((it) => it.id);
    expect(subscriber.received.slice(1).map((it) => JSON.parse(it.body).entry[1].fullUrl.split('/').at(-1))).toEqual(
      written,
    );
  });

  test('a notification holds as many events as backport-max-count allows, and no more', async () => {
    await subscribed(app, topicSubscription(subscriber.url(), { maxCount: 4 }));
    subscriber.answer = (_, count) => (count === 2 ? 503 : 200);
    await discharge(app, 'e0');
    await subscriber.atLeast(2);
    await Promise.all(upTo(9).map((i) => discharge(app, `e${i}`)));
    await subscriber.until(() => allEventNumbers(subscriber.received).includes(10));
    await settled(app);
    const batches = subscriber.received.filter(isEvent).map(eventNumbers);
    expect(batches.every((it) => it.length <= 4)).toBe(true);
    expect(batches.some((it) => it.length > 1)).toBe(true);
    expect(firsts(batches.flat())).toEqual(upTo(10));
  });

  test('after 500 the same event is tried again with a wait that grows, then the rest follows in order', async () => {
    await subscribed(app, topicSubscription(subscriber.url()));
    const at: number[] = [];
    subscriber.answer = (request) => {
      if (!isEvent(request)) return 200;
      at.push(performance.now());
      return at.length <= 2 ? 500 : 200;
    };
    await discharge(app, 'e1');
    await subscriber.until(() => at.length >= 3);
    const [first = 0, second = 0, third = 0] = at;
    expect(second - first).toBeGreaterThan(300);
    expect(third - second).toBeGreaterThan(1.5 * (second - first));
    await discharge(app, 'e2');
    await discharge(app, 'e3');
    await settled(app);
    expect(allEventNumbers(subscriber.received)).toEqual([1, 1, 1, 2, 3]);
  });

  test('new events do not cut short the wait after a failure', async () => {
    await subscribed(app, topicSubscription(subscriber.url()));
    const at: number[] = [];
    subscriber.answer = (request) => {
      if (!isEvent(request)) return 200;
      at.push(performance.now());
      return at.length === 1 ? 503 : 200;
    };
    await discharge(app, 'e1');
    await settled(app);
    for (const i of [2, 3, 4, 5]) {
      await discharge(app, `e${i}`);
      await settled(app);
    }
    await subscriber.until(() => at.length >= 6);
    expect((at[1] as number) - (at[0] as number)).toBeGreaterThan(400);
  });

  test('a subscriber that is away while many events come in is not given up within seconds', async () => {
    const { id } = await subscribed(app, topicSubscription(subscriber.url()));
    subscriber.answer = () => 503;
    for (const i of upTo(60)) {
      await discharge(app, `e${i}`);
      await settled(app);
    }
    expect(await statusOf(app, id)).toMatchObject({ status: 'active', 'events-since-subscription-start': '60' });
  });

  test('a permanent refusal ends in error with the number of the event, and is not repeated', async () => {
    const { id } = await subscribed(app, topicSubscription(subscriber.url()));
    subscriber.answer = () => 404;
    await discharge(app, 'e1');
    await settled(app);
    const { body } = await fhir(app, 'GET', `Subscription/${id}`);
    expect(body).toMatchObject({ status: 'error', error: expect.stringMatching(/event 1.*404/) });
    expect(subscriber.received).toHaveLength(2);
  });

  test('in error the events go on being counted (backport errors: i77)', async () => {
    const { id } = await subscribed(app, topicSubscription(subscriber.url()));
    subscriber.answer = () => 404;
    await discharge(app, 'e1');
    await settled(app);
    await discharge(app, 'e2');
    await discharge(app, 'e3');
    await settled(app);
    expect(await statusOf(app, id)).toMatchObject({ status: 'error', 'events-since-subscription-start': '3' });
  });

  test('active again after an error, a subscription gets what it missed', async () => {
    const { id } = await subscribed(app, topicSubscription(subscriber.url()));
    subscriber.answer = () => 404;
    await discharge(app, 'e1');
    await settled(app);
    subscriber.answer = () => 200;
    await rewrite(app, id, { status: 'requested' });
    await settled(app);
    expect(allEventNumbers(subscriber.received)).toEqual([1, 1]);
  });

  test('active again, a first attempt that fails is tried again as any other', async () => {
    const { id } = await subscribed(app, topicSubscription(subscriber.url()));
    subscriber.answer = () => 404;
    await discharge(app, 'e1');
    await settled(app);
    let attempts = 0;
    subscriber.answer = (request) => (isEvent(request) && ++attempts === 1 ? 503 : 200);
    await rewrite(app, id, { status: 'active' });
    await subscriber.until(() => attempts >= 2);
    expect(allEventNumbers(subscriber.received)).toEqual([1, 1, 1]);
  }, 5000);

  test('an event is not sent twice at the same time while the subscription becomes active', async () => {
    const { id } = await subscribed(app, topicSubscription(subscriber.url()));
    for (let round = 0; round < 5; round++) {
      const writes = upTo(5).map((i) => discharge(app, `e${round}-${i}`));
      await Promise.all([...writes, rewrite(app, id, { reason: `round ${round}` })]);
      await settled(app);
    }
    const numbers = allEventNumbers(subscriber.received);
    expect(numbers).toEqual(upTo(numbers.length));
  });

  test('two subscribers get the same events, each with numbers of its own', async () => {
    const other = await Subscriber.start();
    await subscribed(app, topicSubscription(subscriber.url()));
    await discharge(app, 'e1');
    await subscribed(app, topicSubscription(other.url()));
    await discharge(app, 'e2');
    await settled(app);
    expect(allEventNumbers(subscriber.received)).toEqual([1, 2]);
    expect(allEventNumbers(other.received)).toEqual([1]);
    await other.close();
  });

  test('a subscriber that hangs does not hold up another, not even on the same host', async () => {
    await subscribed(app, topicSubscription(subscriber.url('/fine')));
    await subscribed(app, topicSubscription(subscriber.url('/hangs'), { timeoutSeconds: 60 }));
    const other = await Subscriber.start();
    await subscribed(app, topicSubscription(other.url()));
    subscriber.answer = ({ path }) => (path === '/hangs' ? 'hang' : 200);
    for (const i of upTo(10)) await discharge(app, `e${i}`);
    const fine = (): number[] => allEventNumbers(subscriber.received.filter((it) => it.path === '/fine'));
    await subscriber.until(() => fine().length >= 10);
    await other.until(() => allEventNumbers(other.received).length >= 10);
    expect(fine()).toEqual(upTo(10));
    expect(allEventNumbers(other.received)).toEqual(upTo(10));
    await other.close();
    subscriber.answer = () => 200;
    // Ends the hanging requests, so that the server stops at once.
    await subscriber.close();
  });

  test('many hanging subscribers of one host do not hold up the one that answers', async () => {
    await subscribed(app, topicSubscription(subscriber.url('/fine')));
    for (const i of upTo(12)) await subscribed(app, topicSubscription(subscriber.url(`/h${i}`), { timeoutSeconds: 3 }));
    subscriber.answer = ({ path }) => (path === '/fine' ? 200 : 'hang');
    const fine = (): number[] => allEventNumbers(subscriber.received.filter((it) => it.path === '/fine'));
    const begun = performance.now();
    for (const i of upTo(3)) await discharge(app, `e${i}`);
    await subscriber.until(() => fine().length >= 3);
    expect(performance.now() - begun).toBeLessThan(2000);
    await subscriber.close();
  });

  test('off while events wait, a subscription gets none of them', async () => {
    const { id } = await subscribed(app, topicSubscription(subscriber.url()));
    subscriber.answer = () => 503;
    await discharge(app, 'e1');
    await settled(app);
    await rewrite(app, id, { status: 'off' });
    subscriber.answer = () => 200;
    const before = subscriber.received.length;
    await discharge(app, 'e2');
    await settled(app);
    expect(subscriber.received).toHaveLength(before);
  });
});

describe('deliveries across a restart', () => {
  const cleanups: (() => unknown)[] = [];
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  });

  function database(): string {
    const folder = temporaryFolder();
    cleanups.push(folder.remove);
    return join(folder.path, 'aftercare.db');
  }
  async function start(sqlitePath: string): Promise<App> {
    const app = await startTestApp({ sqlitePath });
    let stopping: Promise<void> | undefined;
    const stop = (): Promise<void> => (stopping ??= app.stop());
    cleanups.push(stop);
    return { ...app, stop };
  }
  async function listen(port = 0): Promise<Subscriber> {
    const subscriber = await Subscriber.start(port);
    cleanups.push(() => subscriber.close());
    return subscriber;
  }

  test('events made while the subscriber was away are delivered in order after the restart', async () => {
    const sqlitePath = database();
    const first = await start(sqlitePath);
    const subscriber = await listen();
    await putPatient(first);
    const { id } = await subscribed(first, topicSubscription(subscriber.url(), { level: 'full-resource' }));
    await discharge(first, 'e1');
    await settled(first);
    await subscriber.close();
    for (const i of [2, 3, 4, 5]) await discharge(first, `e${i}`);
    await settled(first);
    expect(await statusOf(first, id)).toMatchObject({ status: 'active', 'events-since-subscription-start': '5' });
    await first.stop();

    const second = await start(sqlitePath);
    const back = await listen(subscriber.port);
    await back.until(() => allEventNumbers(back.received).includes(5));
    await settled(second);
    await discharge(second, 'e6');
    await settled(second);
    expect(firsts(allEventNumbers(back.received))).toEqual([2, 3, 4, 5, 6]);
    expect(back.received.some((it) => typeOf(it) === 'handshake')).toBe(false);
  });

  test('a handshake that a stop cut off is not left waiting for ever', async () => {
    const sqlitePath = database();
    const first = await start(sqlitePath);
    const subscriber = await listen();
    subscriber.answer = () => 'hang';
    const wanted = topicSubscription(subscriber.url(), { timeoutSeconds: 1 });
    const { body } = await fhir(first, 'POST', 'Subscription', wanted);
    await subscriber.atLeast(1);
    await first.stop();
    subscriber.answer = () => 200;
    const again = await start(sqlitePath);
    await settled(again);
    expect(['active', 'error']).toContain((await fhir(again, 'GET', `Subscription/${body.id}`)).body.status);
  });

  test('a stop does not wait for a subscriber that hangs', async () => {
    const app = await start(':memory:');
    const subscriber = await listen();
    await putPatient(app);
    await subscribed(app, topicSubscription(subscriber.url(), { timeoutSeconds: 60 }));
    subscriber.answer = () => 'hang';
    await discharge(app, 'e1');
    await subscriber.atLeast(2);
    let released = false;
    const release = setTimeout(() => {
      released = true;
      void subscriber.close();
    }, 3000);
    await app.stop();
    clearTimeout(release);
    expect(released).toBe(false);
  });

  test('a stop does not wait until everything that is due is delivered', async () => {
    const sqlitePath = database();
    const app = await start(sqlitePath);
    const subscriber = await listen();
    await putPatient(app);
    await subscribed(app, topicSubscription(subscriber.url()));
    subscriber.answer = () => 'hang';
    await Promise.all(upTo(30).map((i) => discharge(app, `e${i}`)));
    await subscriber.atLeast(2);
    let stopped = false;
    const stopping = app.stop().then(() => {
      stopped = true;
    });
    // From here each delivery takes a round trip; a stop that waits for all of them sees every event.
    subscriber.answer = () => 200;
    await subscriber.close();
    const back = await listen(subscriber.port);
    await stopping;
    expect(stopped).toBe(true);
    const again = await start(sqlitePath);
    await back.until(() => allEventNumbers(back.received).includes(30));
    await settled(again);
    expect(firsts(allEventNumbers(back.received))).toEqual(upTo(30));
  });
});
