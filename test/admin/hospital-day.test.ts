/** The sample hospital day, by the mapping as it ships: replayed as a whole it says the same again. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { App } from '../../src/app.ts';
import { FixedClock } from '../../src/clock.ts';
import type { Json } from '../../src/fhir/types.ts';
import { fhir, settled, startTestApp } from '../support/app.ts';
import { hospitalDay } from '../support/messages.ts';

let app: App;
const server = (): string => new URL(app.http).origin;

async function get(path: string): Promise<Json> {
  const response = await fetch(`${server()}/admin${path}`);
  expect([path, response.status]).toEqual([path, 200]);
  return (await response.json()) as Json;
}

async function replay(body: Json): Promise<Json> {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(`${server()}/admin/replay`, { method: 'POST', headers, body: JSON.stringify(body) });
  await settled(app);
  return (await response.json()) as Json;
}

beforeAll(async () => {
  app = await startTestApp({ clock: new FixedClock('2026-03-16T12:00:00Z') });
  for (const { bytes } of hospitalDay()) {
    await fetch(`${server()}/hl7v2`, { method: 'POST', body: bytes as unknown as string });
    await settled(app);
  }
});

afterAll(() => app.stop());

describe('the hospital day', () => {
  test('would change nothing if it were applied again', async () => {
    const { differing, previewed, differences } = await replay({ facility: 'RENHE', dryRun: true });
    expect(differences).toEqual([]);
    expect([differing, previewed]).toEqual([0, hospitalDay().length]);
  });

  test('changes nothing when it is applied again', async () => {
    const head = await app.store.head();
    const before = await get('/messages');
    expect((await replay({ facility: 'RENHE' })).moved).toBe(hospitalDay().length);
    expect(await app.store.head()).toBe(head);
    const after = await get('/messages');
    expect(after.messages.map((it: Json) => [it.id, it.state])).toEqual(
      before.messages.map((it: Json) => [it.id, it.state]),
    );
  });

  test('has a word for every field of every message', async () => {
    const { senders } = await get('/coverage');
    expect(senders.flatMap((it: Json) => it.fields.filter(({ use }: Json) => use === 'no row'))).toEqual([]);
    expect(senders.map((it: Json) => it.refused)).toEqual(senders.map(() => ({})));
  });

  test('leads from every element that a message says it made to something that stands', async () => {
    const { messages } = await get('/messages');
    for (const { id } of messages) {
      const { fields } = await get(`/messages/${id}/lineage`);
      for (const { field, elements = [] } of fields)
        for (const { element, by, absent } of elements) expect([field, element, by || absent]).not.toContain(undefined);
    }
  });

  test('leads from every register of every patient and visit back to a message', async () => {
    for (const type of ['Patient', 'Encounter']) {
      const { body } = await fhir(app, 'GET', `${type}?_count=100`);
      expect(body.entry.length).toBeGreaterThan(3);
      for (const { resource } of body.entry) {
        const { registers } = await get(`/lineage/${type}/${resource.id}`);
        expect(registers.length).toBeGreaterThan(3);
        for (const { register, message } of registers)
          expect([register, message]).toEqual([register, expect.any(Number)]);
      }
    }
  });
});
