/** The event stage alone, with the changes of a whole batch written before it looks: what a slow moment or a crash leaves. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { SqliteStore } from '../../adapters/sqlite/store.ts';
import { systemClock } from '../../src/clock.ts';
import { Commit, keyOf } from '../../src/commit/commit.ts';
import type { StoredResource } from '../../src/fhir/types.ts';
import { InProcessQueue } from '../../src/queue/in-process.ts';
import { subscriptionStage } from '../../src/subscriptions/stage.ts';
import { subscriptionParts } from './parts.ts';
import { encounter, topicSubscription } from './resources.ts';

const parts = subscriptionParts();
let store: SqliteStore;
let commit: Commit;
let stage: () => Promise<unknown>;

beforeEach(() => {
  store = new SqliteStore(':memory:');
  commit = new Commit(store, parts.parameters, systemClock);
  stage = newStage();
});
afterEach(() => store.close());

/** A stage that knows nothing yet: as after a start. */
function newStage(): () => Promise<unknown> {
  const queue = new InProcessQueue(() => {});
  return subscriptionStage({ ...parts, store, commit, queue, clock: systemClock });
}

async function put(resource: unknown): Promise<void> {
  const intention = { kind: 'put' as const, resource: resource as StoredResource };
  await commit.run({
    cause: 'client:test',
    keys: [keyOf(intention)],
    decide: () => ({ intentions: [intention] }),
  });
}

const subscription = (status: string, id = 's1'): unknown => ({
  ...topicSubscription('https://example.org/hook'),
  id,
  status,
});

async function events(id = 's1'): Promise<string[]> {
  return (await store.events(id, 0, 1000)).map((it) => `${it.number} ${it.focus}`);
}

describe('the event stage', () => {
  test('gives one event per change and subscription that was active at that change', async () => {
    await put(encounter('e0', 'finished'));
    await put(subscription('active'));
    await put(encounter('e1', 'finished'));
    await put(subscription('active', 's2'));
    await put(encounter('e2', 'finished'));
    await put(subscription('off'));
    await put(encounter('e3', 'finished'));
    await stage();
    expect(await events()).toEqual(['1 Encounter/e1/_history/1', '2 Encounter/e2/_history/1']);
    expect(await events('s2')).toEqual(['1 Encounter/e2/_history/1', '2 Encounter/e3/_history/1']);
  });

  test.each(['off', 'requested', 'error'])(
    'goes on with the numbers after %s and active in one batch',
    async (status) => {
      await put(subscription('active'));
      await put(encounter('e1', 'finished'));
      await put(subscription(status));
      await put(subscription('active'));
      await put(encounter('e2', 'finished'));
      await stage();
      expect(await events()).toEqual(['1 Encounter/e1/_history/1', '2 Encounter/e2/_history/1']);
    },
  );

  test('goes on with the numbers after a restart', async () => {
    await put(subscription('active'));
    await put(encounter('e1', 'finished'));
    await stage();
    stage = newStage();
    await put(encounter('e2', 'finished'));
    await stage();
    expect(await events()).toEqual(['1 Encounter/e1/_history/1', '2 Encounter/e2/_history/1']);
  });

  test('after a restart knows what was active where it stopped, not what is active now', async () => {
    await put(subscription('active'));
    await stage();
    await put(encounter('e1', 'finished'));
    await put(subscription('off'));
    stage = newStage();
    await stage();
    expect(await events()).toEqual(['1 Encounter/e1/_history/1']);
  });

  test('numbers across batches without gaps', async () => {
    await put(subscription('active'));
    const many = Array.from({ length: 1200 }, (_, i) => encounter(`e${i}`, 'finished'));
    await Promise.all(many.map(put));
    await stage();
    expect((await store.events('s1', 0, 2000)).map((it) => it.number)).toEqual(many.map((_, i) => i + 1));
  });

  test('run twice or by two at a time gives no event twice', async () => {
    await put(subscription('active'));
    await put(encounter('e1', 'finished'));
    await Promise.all([stage(), newStage()(), newStage()()]);
    await stage();
    expect(await events()).toEqual(['1 Encounter/e1/_history/1']);
  });

  test('gives an Encounter that is finished, opened and finished again two events', async () => {
    await put(subscription('active'));
    for (const status of ['finished', 'in-progress', 'finished']) await put(encounter('e1', status));
    await stage();
    expect(await events()).toEqual(['1 Encounter/e1/_history/1', '2 Encounter/e1/_history/3']);
  });
});
