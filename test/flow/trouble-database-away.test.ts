/**
 * Story: the database goes away in the middle of the day and comes back. Meanwhile no message is acknowledged; afterwards
 * what was acknowledged before is applied by itself, in order, and what was not is sent again: nothing lost, nothing twice.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { clientConfig } from '../../adapters/postgres/connect.ts';
import { migrate } from '../../adapters/postgres/migrate.ts';
import type { App } from '../../src/app.ts';
import { fhir, startTestApp } from '../support/app.ts';
import { makeSchema, postgresMissing, type TestSchema } from '../support/postgres.ts';
import { Gate } from '../torture/gate.ts';
import { patientsInOrder, type Sending, send, sendUntilKept } from '../torture/story.ts';

const missing = await postgresMissing();

if (missing) test(`skipped: ${missing}`, () => {});
else describe('PostgreSQL that goes away and comes back', story);

function story(): void {
  let schema: TestSchema;
  let gate: Gate;
  let app: App;
  let before: Sending[];
  let lock: string;
  beforeAll(async () => {
    schema = await makeSchema();
    gate = await Gate.open(schema.url);
    app = await startTestApp({ storeUrl: gate.url });
    lock = await migrate(clientConfig(schema.url));
  });
  afterAll(async () => {
    gate.reopen();
    await app.stop();
    await gate.close();
    await schema.drop();
  });

  test('1. five messages are acknowledged before, and not applied yet', async () => {
    await schema.query(`SELECT pg_advisory_lock(${lock})`);
    before = [];
    for (const n of [1, 2, 3, 4, 5]) {
      const one = send(app, n);
      before.push(one);
      expect(await one.kept).toBe(true);
    }
    expect(await app.store.messageCounts()).toEqual({ received: 5 });
  });

  test('2. while it is away nothing is acknowledged: connections close; the server lives and says that it is not ready', async () => {
    gate.shut();
    const sent = [6, 7, 8].map((n) => send(app, n));
    expect(await Promise.all(sent.map((it) => it.kept))).toEqual([false, false, false]);
    const { origin } = new URL(app.http);
    expect((await fetch(`${origin}/healthz`)).status).toBe(200);
    expect((await fetch(`${origin}/readyz`)).status).toBeGreaterThanOrEqual(500);
    expect((await fhir(app, 'GET', 'Patient')).status).toBeGreaterThanOrEqual(500);
  });

  test('3. when it is back, what was acknowledged is applied by itself, and its senders are told', async () => {
    await schema.query(`SELECT pg_advisory_unlock(${lock})`);
    gate.reopen();
    expect(await Promise.all(before.map((it) => it.applied))).toEqual(before.map(() => 'AA'));
  });

  test('4. what was not acknowledged is sent again and applied', async () => {
    for (const n of [6, 7, 8]) expect(await (await sendUntilKept(app, n)).applied).toBe('AA');
  });

  test('5. in the end each is applied once: eight patients, whose messages need not wait for each other', async () => {
    const { applied, duplicate = 0, ...others } = await app.store.messageCounts();
    // One whose answer was lost with the connection may have been kept, and comes again.
    expect({ applied, others }).toEqual({ applied: 8, others: {} });
    expect(duplicate).toBeLessThanOrEqual(3);
    expect((await patientsInOrder(app)).sort()).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    const { body } = await fhir(app, 'GET', 'Encounter?_count=100');
    expect(body.entry.map((it: any) => it.resource.meta.versionId)).toEqual(Array.from({ length: 8 }, () => '1'));
  });
}
