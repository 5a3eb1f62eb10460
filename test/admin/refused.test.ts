/** What is asked of the operator's API and is not sound. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { adt, Operator, smallMapping } from './operator.ts';

let operator: Operator;

beforeAll(async () => {
  operator = await Operator.open(smallMapping);
  await operator.send(adt({ fields: { 7: '1980' } }));
});

afterAll(() => operator.close());

describe('messages to be replayed', () => {
  test.each([
    [{}, 400, /name what is to be replayed/],
    [{ dryRun: true }, 400, /name what is to be replayed/],
    [{ state: 'rejected' }, 409, /rejected is not replayed/],
    [{ state: 'lost' }, 400, /state is one of/],
    [{ ids: [] }, 400, /ids must NOT have fewer than 1/],
    [{ ids: ['1'] }, 400, /ids\/0 must be integer/],
    [{ ids: [1.5] }, 400, /ids\/0 must be integer/],
    [{ ids: Array.from({ length: 10_001 }, (_, i) => i + 1) }, 400, /ids must NOT have more than 10000/],
    [{ from: 'never' }, 400, /from is a date/],
    [{ everything: true }, 400, /there is no member 'everything'/],
    [[], 400, /the body must be object/],
    ['no json', 400, /not JSON/],
    ['{"ids": [1', 400, /not JSON/],
    [`{"type": "${'x'.repeat(1_100_000)}"}`, 413, /at most 1048576 bytes/],
  ])('asked for by the body of case %# are refused', async (body, status, text) => {
    const reply = await operator.post('/replay', body);
    expect([reply.status, reply.body.error]).toEqual([status, expect.stringMatching(text)]);
  });

  test('are not moved by what a page of another origin can send by itself', async () => {
    const form = { 'content-type': 'text/plain' };
    const reply = await operator.post('/replay', { facility: 'RENHE' }, form);
    expect([reply.status, reply.body.error]).toEqual([415, 'a POST takes application/json']);
  });
});
