/** Codes that no table translates: asked for once, answered once, and the messages that hold them say what was answered. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Json } from '../../src/fhir/types.ts';
import { adt, Operator, smallMapping } from './operator.ts';

let operator: Operator;

const marital = 'http://terminology.hl7.org/CodeSystem/v3-MaritalStatus';
const single = { system: marital, code: 'S', display: 'Never Married' };
const widowed = { system: marital, code: 'W' };

beforeEach(async () => {
  operator = await Operator.open(smallMapping);
  await operator.send(adt({ id: 'C1', patient: '1', fields: { 16: 'X^Xenogamous^L' } }));
  await operator.send(adt({ id: 'C2', patient: '2', fields: { 16: 'X' } }));
  await operator.send(adt({ id: 'C3', patient: '3', fields: { 16: 'M' } }));
});

afterEach(() => operator.close());

/** PID-3 ─▶ the codes of the marital status. */
async function statuses(): Promise<Record<string, string[]>> {
  const { entry } = (await (await fetch(`${operator.app.http}/Patient?_count=100`)).json()) as Json;
  const all = entry.map(({ resource }: Json): [string, string[]] => [
    resource.identifier[0].value,
    resource.maritalStatus.coding.map((it: Json) => it.code),
  ]);
  return Object.fromEntries(all);
}

async function codes(query = ''): Promise<Json[]> {
  const { status, body } = await operator.get(`/codes${query}`);
  expect(status).toBe(200);
  return body.codes;
}

async function metric(): Promise<string | undefined> {
  const text = await (await fetch(`${operator.server}/metrics`)).text();
  return /^aftercare_unknown_codes\{state="open"\} (\d+)$/m.exec(text)?.[1];
}

describe('an unknown code', () => {
  test('is on the list once, with the field, how many messages hold it, and who must act', async () => {
    expect(await codes('?open=true')).toEqual([
      {
        id: 1,
        acts: 'mapping owner',
        site: '',
        table: 'Marital',
        code: 'X',
        field: 'PID-16',
        messages: 2,
        firstAt: '2026-03-16T02:31:00.000Z',
        lastAt: '2026-03-16T02:31:00.000Z',
      },
    ]);
    expect(await metric()).toBe('1');
    expect(await statuses()).toEqual({ 1: ['X'], 2: ['X'], 3: ['M', 'M'] });
  });

  test('says which systems its target may be of, and which messages hold it', async () => {
    const { body } = await operator.get('/codes/1');
    expect(body).toMatchObject({ code: 'X', systems: [marital], messageIds: [1, 2] });
  });

  test('comes in pages', async () => {
    for (let i = 0; i < 4; i++) await operator.send(adt({ id: `D${i}`, patient: `D${i}`, fields: { 16: `Y${i}` } }));
    const { body } = await operator.get('/codes?open=true&limit=3');
    expect(body.codes.map((it: Json) => it.code)).toEqual(['Y3', 'Y2', 'Y1']);
    const { body: rest } = await operator.get(body.next.replace('/admin', ''));
    expect(rest.codes.map((it: Json) => it.code)).toEqual(['Y0', 'X']);
    expect(rest).not.toHaveProperty('next');
  });
});

describe('an answer', () => {
  test('is what the messages say that hold the code, and those that come', async () => {
    const { status, body } = await operator.post('/codes/1', { target: single, by: 'Ann' });
    expect([status, body]).toMatchObject([
      202,
      { answer: { target: single, by: 'Ann', at: '2026-03-16T02:31:00.000Z' } },
    ]);
    await operator.send(adt({ id: 'C4', patient: '4', fields: { 16: 'X' } }));
    expect(await statuses()).toEqual({ 1: ['S', 'X'], 2: ['S', 'X'], 3: ['M', 'M'], 4: ['S', 'X'] });
    expect(await codes('?open=true')).toEqual([]);
    expect(await metric()).toBe('0');
    const [answered] = await codes();
    expect(answered).toMatchObject({ code: 'X', answer: { by: 'Ann' } });
    expect(answered).not.toHaveProperty('acts');
  });

  test('touches no message that does not hold the code', async () => {
    await operator.post('/codes/1', { target: single, by: 'Ann' });
    const histories = await Promise.all(
      [1, 2, 3].map(async (id) => (await operator.get(`/messages/${id}`)).body.earlier),
    );
    expect(histories.map((it) => it.length)).toEqual([1, 1, 0]);
  });

  test('that there is no target leaves the code as it is sent, and off the list', async () => {
    expect((await operator.post('/codes/1', { target: null, by: 'Ann' })).body.answer.target).toBeNull();
    expect(await statuses()).toMatchObject({ 1: ['X'], 2: ['X'] });
    expect(await codes('?open=true')).toEqual([]);
  });

  test('holds after a restart', async () => {
    await operator.post('/codes/1', { target: single, by: 'Ann' });
    await operator.restart();
    await operator.send(adt({ id: 'C4', patient: '4', fields: { 16: 'X' } }));
    expect(await statuses()).toMatchObject({ 1: ['S', 'X'], 4: ['S', 'X'] });
  });

  test('may be given again: also messages that came after the first say the second', async () => {
    await operator.post('/codes/1', { target: single, by: 'Ann' });
    await operator.send(adt({ id: 'C4', patient: '4', fields: { 16: 'X' } }));
    await operator.post('/codes/1', { target: widowed, by: 'Bob' });
    expect(await statuses()).toMatchObject({ 1: ['W', 'X'], 2: ['W', 'X'], 4: ['W', 'X'] });
    expect((await codes())[0]).toMatchObject({ messages: 3, answer: { by: 'Bob' } });
  });

  test('that was stored before a crash reaches the messages when the server starts again', async () => {
    await operator.app.store.commit({
      cause: 'system:test',
      keys: [],
      decide: () => ({
        writes: [],
        effects: [{ kind: 'code-answer', id: 1, answer: { target: single, by: 'Ann', at: 1 } }],
      }),
    });
    expect(await statuses()).toMatchObject({ 1: ['X'] });
    await operator.restart();
    expect(await statuses()).toMatchObject({ 1: ['S', 'X'], 2: ['S', 'X'] });
  });

  test('makes every message another version of the mapping', async () => {
    const before = (await operator.get('/messages/1')).body.mappingVersion;
    await operator.post('/codes/1', { target: single, by: 'Ann' });
    expect((await operator.get('/messages/1')).body.mappingVersion).not.toBe(before);
  });
});

test('an answer that is not sound is refused', async () => {
  for (const [body, status, text] of [
    [
      { target: { ...single, system: 'http://loinc.org' }, by: 'Ann' },
      422,
      /table Marital translates to http.*MaritalStatus/,
    ],
    [{ target: { system: marital, code: 'NONE' }, by: 'Ann' }, 422, /the code is not in/],
    [{ target: { system: marital, code: 'S', display: 'Married' }, by: 'Ann' }, 422, /display is none/],
    [{ target: { system: 'not a uri', code: 'S' }, by: 'Ann' }, 400, /target\/system must match/],
    [{ target: { system: marital, code: ' S' }, by: 'Ann' }, 400, /target\/code must match/],
    [{ target: { system: marital }, by: 'Ann' }, 400, /target must have required property 'code'/],
    [{ target: 'S', by: 'Ann' }, 400, /target must be object,null/],
    [{ by: 'Ann' }, 400, /required property 'target'/],
    [{ target: null }, 400, /required property 'by'/],
    [{ target: null, by: ' ' }, 400, /by must match/],
    [{ target: null, by: 'Ann', for: 'ever' }, 400, /no member 'for'/],
  ] as const) {
    const reply = await operator.post('/codes/1', body);
    expect([reply.status, reply.body.error]).toEqual([status, expect.stringMatching(text)]);
  }
  expect((await operator.post('/codes/99', { target: null, by: 'Ann' })).status).toBe(404);
  expect((await operator.get('/codes/x')).status).toBe(400);
  expect((await operator.get('/codes?open=maybe')).status).toBe(400);
  expect(await codes('?open=true')).toHaveLength(1);
});
