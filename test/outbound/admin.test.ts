import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { SqliteStore } from '../../adapters/sqlite/store.ts';
import { listOutgoing, retryOutgoing } from '../../src/admin/outgoing.ts';
import type { AdminRequest } from '../../src/admin/request.ts';
import { FixedClock } from '../../src/clock.ts';
import { Commit } from '../../src/commit/commit.ts';
import { SearchParameters } from '../../src/fhir/search/parameters.ts';
import type { Json } from '../../src/fhir/types.ts';
import type { Effect } from '../../src/store/store.ts';
import { zone } from './support.ts';

let store: SqliteStore;
let clock: FixedClock;
let commit: Commit;
let rung: string[];

beforeEach(async () => {
  store = new SqliteStore(':memory:');
  clock = new FixedClock('2026-03-16T02:30:00Z');
  commit = new Commit(store, new SearchParameters(zone), clock);
  rung = [];
  const messages = [1, 2, 3].map((it) => ({
    destination: 'his',
    lane: 'Patient/p1',
    identity: `SIU^S12 Appointment/${it}/_history/1`,
    controlId: `C${it}`,
    bytes: Buffer.from('MSH|^~\\&|A|B|C|D|||SIU^S12|C1|P|2.5.1\rPID|||1001||Doe^Jane\r'),
    at: clock.now(),
  }));
  await write({ kind: 'outgoing', messages });
  await write({ kind: 'sent', id: 2, from: 'waiting', to: 'failed', dueAt: clock.now(), error: 'AE PID-3 (204)' });
});
afterEach(() => store.close());

async function write(effect: Effect): Promise<void> {
  await commit.run({ cause: 'system:test', keys: [], decide: () => ({ intentions: [], effects: () => [effect] }) });
}

const parts = () => ({ store, commit, clock, send: (it: string) => void rung.push(it) });
const request = (query: string, id = '', body: unknown = undefined): AdminRequest => {
  return { path: { id }, query: new URLSearchParams(query), body };
};

async function list(query: string): Promise<Json> {
  const { status, body } = await listOutgoing(request(query), parts());
  expect(status).toBe(200);
  return body as Json;
}

describe('GET /admin/outgoing', () => {
  test('lists the messages, the newest first, by pages', async () => {
    const first = await list('limit=2');
    expect(first.messages.map((it: Json) => it.controlId)).toEqual(['C3', 'C2']);
    expect(first.next).toBe('/admin/outgoing?limit=2&before=2');
    const second = await list('limit=2&before=2');
    expect(second).toMatchObject({ messages: [{ controlId: 'C1' }] });
    expect(second).not.toHaveProperty('next');
  });

  test('says what became of a message and who must act, and nothing of the patient', async () => {
    const body = await list('state=failed');
    expect(body).toEqual({
      messages: [
        {
          id: 2,
          destination: 'his',
          kind: 'SIU^S12',
          resource: 'Appointment/2/_history/1',
          patient: 'Patient/p1',
          controlId: 'C2',
          state: 'failed',
          attempts: 0,
          at: '2026-03-16T02:30:00.000Z',
          error: 'AE PID-3 (204)',
          acts: 'operator',
          links: { retry: '/admin/outgoing/2/retry' },
        },
      ],
    });
    expect(JSON.stringify(body)).not.toContain('Doe');
  });

  test.each(['state=lost', 'before=x', 'limit=0', 'limit=-1', 'limit=1001', 'status=failed'])(
    '?%s is refused',
    async (query) => {
      await expect(listOutgoing(request(query), parts())).rejects.toMatchObject({ kind: 'malformed' });
    },
  );
});

describe('POST /admin/outgoing/{id}/retry', () => {
  test('has a message that has failed sent again, now', async () => {
    clock.advance(60_000);
    const { status, body } = await retryOutgoing(request('', '2', {}), parts());
    expect(status).toBe(202);
    expect(body).toMatchObject({ id: 2, state: 'waiting', dueAt: '2026-03-16T02:31:00.000Z' });
    expect(body).not.toHaveProperty('error');
    expect(rung).toEqual(['his']);
    expect((await store.outgoing({ state: 'waiting', limit: 10 })).map((it) => it.id)).toEqual([3, 2, 1]);
  });

  test.each([
    ['one that waits', '1', {}, 'conflict'],
    ['one that is not there', '9', {}, 'not-found'],
    ['no number', 'x', {}, 'malformed'],
    ['wishes that it does not know', '2', { to: 'pas' }, 'malformed'],
  ])('refuses %s', async (_, id, body, kind) => {
    await expect(retryOutgoing(request('', id, body), parts())).rejects.toMatchObject({ kind });
    expect(rung).toEqual([]);
  });
});
