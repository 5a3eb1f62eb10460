/**
 * Story: the disk is full. What is acknowledged is kept; what cannot be kept is not acknowledged, and the sender sends it
 * again; when there is room, everything that waits is applied by itself, in order and once. (On SQLite: of PostgreSQL's disk
 * its own administrator knows; what the server sees of it is an error like others of trouble-database-away. The limit is set on a
 * database in memory; `npm run torture -- trouble` does it with a file system that is full.)
 */
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import Database from 'better-sqlite3';
import type { App } from '../../src/app.ts';
import { fhir, startTestApp } from '../support/app.ts';
import { patientsInOrder, type Sending, send, sendUntilKept } from '../torture/story.ts';

/** What SQLite has without a limit. */
const pagesMax = 1_073_741_823;

describe('a disk that runs full', () => {
  let app: App;
  let connection: Database.Database;
  let sent: Sending[];
  let kept: Sending[];
  beforeAll(async () => {
    const pragma = jest.spyOn(Database.prototype, 'pragma');
    app = await startTestApp();
    connection = pragma.mock.contexts[0] as Database.Database;
    pragma.mockRestore();
  });
  afterAll(() => app.stop());

  test('1. before, a message is kept and applied', async () => {
    expect(await send(app, 0).applied).toBe('AA');
  });

  test('2. of thirty messages some are still kept; the others are not acknowledged: their connections close', async () => {
    const pages = connection.pragma('page_count', { simple: true }) as number;
    connection.pragma(`max_page_count = ${pages + 3}`);
    sent = Array.from({ length: 30 }, (_, i) => send(app, i + 1));
    const answers = await Promise.all(sent.map((it) => it.kept));
    kept = sent.filter((_, i) => answers[i]);
    expect(kept.length).toBeGreaterThan(0);
    expect(kept.length).toBeLessThan(sent.length);
  });

  test('3. what is acknowledged is in the journal and nothing else is, and what was stored can be read', async () => {
    const { received = 0, ...others } = await app.store.messageCounts();
    expect({ received, others }).toEqual({ received: kept.length, others: { applied: 1 } });
    expect((await fhir(app, 'GET', 'Patient?identifier=P0')).body.entry).toHaveLength(1);
    const large = { resourceType: 'Patient', name: [{ text: 'x'.repeat(100_000) }] };
    expect((await fhir(app, 'POST', 'Patient', large)).status).toBe(500);
  });

  test('4. when there is room again, the others are sent again and kept', async () => {
    connection.pragma(`max_page_count = ${pagesMax}`);
    const again = await Promise.all(sent.filter((it) => !kept.includes(it)).map(({ n }) => sendUntilKept(app, n)));
    expect(await Promise.all(again.map((it) => it.applied))).toEqual(again.map(() => 'AA'));
  });

  test('5. what was kept is applied by then, and its senders are told', async () => {
    expect(await Promise.all(kept.map((it) => it.applied))).toEqual(kept.map(() => 'AA'));
  });

  test('6. in the end each is applied once: patients whose messages need not wait for each other', async () => {
    expect(await app.store.messageCounts()).toEqual({ applied: 31 });
    expect((await patientsInOrder(app)).sort((a, b) => a - b)).toEqual(Array.from({ length: 31 }, (_, n) => n));
    const { body } = await fhir(app, 'GET', 'Encounter?_count=100');
    expect(body.entry.map((it: any) => it.resource.meta.versionId)).toEqual(Array.from({ length: 31 }, () => '1'));
  });
});
