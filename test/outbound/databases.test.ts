/** The whole way of a message on each database, with two stages at work on it at the same time. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { dialer } from '../../adapters/hl7-client/dial.ts';
import { openPostgres } from '../../adapters/postgres/store.ts';
import { SqliteStore } from '../../adapters/sqlite/store.ts';
import { FixedClock } from '../../src/clock.ts';
import { Commit } from '../../src/commit/commit.ts';
import { SearchParameters } from '../../src/fhir/search/parameters.ts';
import type { StoredResource } from '../../src/fhir/types.ts';
import { Sending } from '../../src/outbound/send.ts';
import { outboundStage, startOutbound } from '../../src/outbound/stage.ts';
import { InProcessQueue } from '../../src/queue/in-process.ts';
import type { Cause, Store } from '../../src/store/store.ts';
import { databases } from '../support/databases.ts';
import { HospitalListener } from './hospital.ts';
import { appointment, response } from './resources.ts';
import { destination, doctor, encounter, patient, zone } from './support.ts';

const parameters = new SearchParameters(zone);
const clock = new FixedClock('2026-03-16T02:30:00Z');

afterEach(() => HospitalListener.closeAll());

async function openStore(url: string): Promise<Store> {
  return url.startsWith('sqlite:') ? new SqliteStore(url.slice('sqlite:'.length)) : openPostgres(url);
}

async function put(store: Store, resources: readonly StoredResource[], cause: Cause): Promise<void> {
  await new Commit(store, parameters, clock).run({
    cause,
    keys: resources.map(({ resourceType: type, id }) => ({ type, id })),
    decide: () => ({ intentions: resources.map((resource) => ({ kind: 'put', resource })) }),
  });
}

async function discharged(store: Store): Promise<void> {
  const id = await store.keep({
    receivedAt: clock.now(),
    listener: 'mllp:2575',
    peer: '127.0.0.1',
    site: '',
    bytes: Buffer.from('MSH|'),
    charset: 'utf-8',
    state: 'received',
    type: 'ADT^A03',
    controlId: 'C1',
    application: 'HIS',
    facility: 'RENHE',
    sha256: '',
    content: '',
    answer: Buffer.alloc(0),
  });
  await put(store, [patient, encounter, doctor], `message:${id}`);
}

describe.each(databases)('on $name,', ({ name, open }) => {
  test('each message is made once, sent in order, and acknowledged', async () => {
    const database = await open();
    const first = await openStore(database.url);
    // SQLite belongs to one process, PostgreSQL to any number.
    const stores = [first, name === 'SQLite' ? first : await openStore(database.url)] as const;
    const hospital = await HospitalListener.open();
    const destinations = [destination({ port: hospital.port })];
    const processes = stores.map((store) => {
      const queue = new InProcessQueue(() => {});
      const commit = new Commit(store, parameters, clock);
      const parts = { store, commit, queue, parameters, destinations, zone, clock, notMade: () => {} };
      const sending = new Sending({ ...parts, dial: dialer, attempted: () => {} });
      return { parts, stage: outboundStage(parts), sending };
    });
    try {
      const [{ parts, sending }] = processes as [(typeof processes)[0]];
      await discharged(stores[0]);
      await startOutbound(parts);
      await put(stores[1], [appointment(), response()], 'client:rest');
      await Promise.all(processes.map(({ stage }) => stage()));
      await put(stores[0], [appointment({ status: 'cancelled' })], 'client:rest');
      await Promise.all(processes.map(({ stage }) => stage()));
      await sending.deliver('his');
      expect(hospital.received.map(({ header }) => header.text(9, 2))).toEqual(['S12', 'R01', 'S15']);
      expect(await stores[1].outgoingCounts()).toEqual({ acknowledged: 3 });
      const [row] = await stores[1].outgoing({ limit: 1 });
      expect(Buffer.from(row?.answer ?? []).toString()).toContain(`MSA|AA|${row?.controlId}`);
    } finally {
      await Promise.all(processes.map(({ sending }) => sending.stop()));
      await Promise.all([...new Set(stores)].map((store) => store.close()));
      await database.drop();
    }
  });
});
