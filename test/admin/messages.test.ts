/** The journal as an operator asks for it. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readContent } from '../../src/admin/messages.ts';
import type { AdminParts, Done } from '../../src/admin/parts.ts';
import { adt, Operator, type Reply, smallMapping } from './operator.ts';

let operator: Operator;

/** Everything that the mapped patients say, so that a test can look for it where it must not be. */
const secrets = ['Geheim', '13911112222', '19800229', '1980-02-29'];

beforeAll(async () => {
  operator = await Operator.open(smallMapping);
  const fields = { 5: 'Geheim', 7: '19800229', 8: 'F', 13: '13911112222' };
  await operator.send(adt({ id: 'C1', at: 9, fields }));
  await operator.send(adt({ id: 'C2', at: 8, fields: { ...fields, 5: 'Other' } }));
  await operator.send(adt({ id: 'C3', patient: '', fields }));
  await operator.send(adt({ id: 'C4', event: 'A77', fields }));
  operator.clock.advance(86_400_000);
  await operator.send(adt({ id: 'C5', at: 20, fields: { ...fields, 7: 'not a date' } }));
  await operator.send(adt({ id: 'C1', at: 9, fields }));
});

afterAll(() => operator.close());

async function ids(path: string): Promise<number[]> {
  const { status, body } = await operator.get(path);
  expect([path, status]).toEqual([path, 200]);
  return body.messages.map((it: { id: number }) => it.id);
}

function expectError({ status, body }: Reply, expected: number, text: RegExp): void {
  expect([status, body.error]).toEqual([expected, expect.stringMatching(text)]);
}

describe('the list of messages', () => {
  test('has all of them, the newest first', async () => {
    expect(await ids('/messages')).toEqual([6, 5, 4, 3, 2, 1]);
  });

  test.each([
    ['state=rejected', [4, 3]],
    ['state=stale', [2]],
    ['type=ADT%5EA77', [4]],
    ['controlId=C1', [6, 1]],
    ['facility=RENHE&state=duplicate', [6]],
    ['facility=OTHER', []],
    ['site=', [6, 5, 4, 3, 2, 1]],
    ['from=2026-03-17', [6, 5]],
    ['to=2026-03-17T00:00:00%2B08:00', [4, 3, 2, 1]],
    ['to=2026-03-17T00:00:00+08:00', [4, 3, 2, 1]],
    ['to=2026-03-15', []],
    ['to=2026-03-16', [4, 3, 2, 1]],
    ['from=2026-03-17&to=2026-03-17', [6, 5]],
    ['to=2026-02', []],
    ['to=2026-03', [6, 5, 4, 3, 2, 1]],
    ['from=2026-03-16T10:31&to=2026-03-16T10:31:00.001', [4, 3, 2, 1]],
    ['before=3', [2, 1]],
  ])('by %s has what matches', async (query, expected) => {
    expect(await ids(`/messages?${query}`)).toEqual(expected);
  });

  test('comes in pages that lead to the next one', async () => {
    const seen: number[] = [];
    let next: string | undefined = '/admin/messages?limit=4&facility=RENHE';
    for (let page = 0; next && page < 10; page++) {
      const path: string = next.replace('/admin', '');
      const { body } = await operator.get(path);
      seen.push(...body.messages.map((it: { id: number }) => it.id));
      next = body.next;
    }
    expect(seen).toEqual([6, 5, 4, 3, 2, 1]);
  });

  test('says of each its state, why, and who must act', async () => {
    const { body } = await operator.get('/messages?state=rejected');
    expect(body.messages[0]).toMatchObject({
      id: 4,
      state: 'rejected',
      acts: 'sender',
      error: expect.stringMatching(/event is not mapped/),
      type: 'ADT^A77',
      controlId: 'C4',
      facility: 'RENHE',
      receivedAt: '2026-03-16T02:31:00.000Z',
    });
    const { body: applied } = await operator.get('/messages?state=stale');
    expect(applied.messages[0]).not.toHaveProperty('acts');
  });

  test.each([
    ['limit=1001', /limit must be <= 1000/],
    ['limit=0', /limit must be integer/],
    ['limit=ten', /limit must be integer/],
    ['before=9999999999999999999999', /before must be integer/],
    ['state=lost', /state is one of received, applied/],
    ['colour=red', /there is no parameter 'colour'/],
    ['__proto__=1', /there is no parameter '__proto__'/],
    ['state=applied&state=stale', /'state' is there twice/],
    ['from=yesterday', /from is a date or an instant/],
    ['to=2026-02-30', /to is a date or an instant/],
  ])('with %s is refused', async (query, text) => {
    expectError(await operator.get(`/messages?${query}`), 400, text);
  });

  test('with a text that is too long is refused', async () => {
    expectError(await operator.get(`/messages?type=${'A'.repeat(251)}`), 400, /type must NOT have more than 250/);
  });
});

describe('one message', () => {
  test('that was applied says with which mapping, what it wrote and what was answered', async () => {
    const { body } = await operator.get('/messages/1');
    const patient = await operator.one('Patient');
    expect(body).toMatchObject({
      state: 'applied',
      mappingVersion: expect.stringMatching(/^[0-9a-f]{12}$/),
      appliedAt: '2026-03-16T02:31:00.000Z',
      attempts: 1,
      listener: 'http',
      charset: 'utf-8',
      bytes: expect.any(Number),
      answered: { code: 'AA' },
      earlier: [],
      links: { content: '/admin/messages/1/content' },
    });
    expect(body.wrote).toContain(`Patient/${patient.id}/_history/1`);
  });

  test('that was rejected says what was answered, with the place of each problem', async () => {
    const { body } = await operator.get('/messages/3');
    expect(body).toMatchObject({
      state: 'rejected',
      acts: 'sender',
      answered: { code: 'AE', errors: [{ code: '101', segment: 'PID', field: 3, component: 1 }] },
    });
    expect(body).not.toHaveProperty('wrote');
  });

  test('that was late says so', async () => {
    const { body } = await operator.get('/messages/2');
    expect(body).toMatchObject({ state: 'stale', error: expect.stringMatching(/older than what is stored/) });
  });

  test('shows nothing of the patient', async () => {
    for (let id = 1; id <= 6; id++) {
      const { status, body, headers } = await operator.get(`/messages/${id}`);
      expect([status, headers.get('cache-control')]).toEqual([200, 'no-store']);
      for (const secret of secrets) expect(JSON.stringify(body)).not.toContain(secret);
    }
  });

  test.each([
    ['/messages/999', 404, /no message/],
    ['/messages/0', 400, /an id is a number/],
    ['/messages/-1', 400, /an id is a number/],
    ['/messages/1e3', 400, /an id is a number/],
    ['/messages/1%27%20OR%201=1', 400, /an id is a number/],
    [`/messages/${'9'.repeat(40)}`, 400, /an id is a number/],
    ['/messages/%E0%A4%A', 400, /malformed/],
    ['/messages/1?values=true', 400, /no parameter 'values'/],
    ['/messages/1/', 404, /no such path/],
    ['/', 404, /no such path/],
    ['/Messages', 404, /no such path/],
  ])('at %s is answered %i', async (path, status, text) => {
    expectError(await operator.get(path), status, text);
  });
});

describe('the content of a message', () => {
  test('comes as the bytes that were sent, as a file that nobody keeps', async () => {
    const response = await fetch(`${operator.server}/admin/messages/1/content`);
    const text = await response.text();
    expect(response.status).toBe(200);
    expect(text).toBe(adt({ id: 'C1', at: 9, fields: { 5: 'Geheim', 7: '19800229', 8: 'F', 13: '13911112222' } }));
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'cache-control': 'no-store',
      'content-disposition': 'attachment; filename="message-1.hl7"',
      'content-type': 'x-application/hl7-v2+er7; charset=utf-8',
    });
  });

  test('is noted in the log when it is read, without what it says', async () => {
    const done: Done[] = [];
    const parts = { store: operator.app.store, done: (it: Done) => done.push(it) } as unknown as AdminParts;
    await readContent({ path: { id: '1' }, query: new URLSearchParams(), body: undefined }, parts);
    expect(done).toEqual([{ event: 'content-read', what: 'message 1' }]);
  });

  test('of a message that is not there is answered 404', async () => {
    expectError(await operator.get('/messages/77/content'), 404, /no message/);
  });
});

describe('a path', () => {
  test.each([
    ['DELETE', '/messages/1', 'GET, HEAD'],
    ['POST', '/messages', 'GET, HEAD'],
    ['GET', '/replay', 'POST'],
  ])('does not take %s %s, and says what it takes', async (method, path, allow) => {
    const response = await fetch(`${operator.server}/admin${path}`, { method });
    expect([response.status, response.headers.get('allow')]).toEqual([405, allow]);
  });
});
