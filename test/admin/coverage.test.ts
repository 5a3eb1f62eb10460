/** What each sender sends, and what becomes of it. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Json } from '../../src/fhir/types.ts';
import { adt, Operator, smallMapping } from './operator.ts';

let operator: Operator;

beforeAll(async () => {
  operator = await Operator.open(smallMapping);
  const fields = { 7: '19800229', 8: 'F', 31: 'Y', 24: 'N' };
  for (let i = 1; i <= 3; i++) await operator.send(adt({ id: `C${i}`, patient: `${i}`, fields }));
  await operator.send(
    adt({ id: 'C4', patient: '4', fields: { 8: 'F' }, more: ['ZZZ|1'] }).replace('HIS|RENHE', 'LAB|OTHER'),
  );
  await operator.send(adt({ id: 'C5', patient: '', fields }));
});

afterAll(() => operator.close());

async function report(query = ''): Promise<Json> {
  const { status, body } = await operator.get(`/coverage${query}`);
  expect(status).toBe(200);
  return body;
}

function row(sender: Json | undefined, field: string): Json | undefined {
  return sender?.fields.find((it: Json) => it.field === field);
}

describe('the coverage', () => {
  test('tells senders apart', async () => {
    const { messages, senders } = await report();
    expect(messages).toBe(5);
    expect(senders.map((it: Json) => [it.application, it.facility, it.messages])).toEqual([
      ['HIS', 'RENHE', 4],
      ['LAB', 'OTHER', 1],
    ]);
  });

  test('counts how often a field comes, and says what becomes of it', async () => {
    const { senders } = await report();
    const [his, lab] = senders as [Json, Json];
    expect(row(his, 'PID-7')).toEqual({ field: 'PID-7', use: 'mapped', count: 3, elements: ['Patient.birthDate'] });
    expect(row(his, 'PID-31')).toEqual({ field: 'PID-31', use: 'nowhere', count: 3, reason: 'nobody asks for it' });
    expect(row(his, 'PID-24')).toEqual({ field: 'PID-24', use: 'no row', count: 3 });
    expect(row(lab, 'ZZZ-1')).toEqual({ field: 'ZZZ-1', use: 'no row', count: 1 });
    expect(row(lab, 'PID-7')).toBeUndefined();
    expect(lab.totals).toMatchObject({ 'no row': 2, nowhere: 0 });
  });

  test('counts messages that cannot be mapped, by the reason', async () => {
    const { senders } = await report('?facility=RENHE');
    expect(senders).toHaveLength(1);
    expect(senders[0].refused).toEqual({ 'PID-3.1: a required field is empty (101)': 1 });
  });

  test('has no value of a message', async () => {
    const text = JSON.stringify(await report());
    expect(text).not.toContain('19800229');
  });

  test('says where it stopped, and goes on from there', async () => {
    const first = await report('?limit=2');
    expect([first.messages, first.before]).toEqual([2, 4]);
    const rest = await report(`?before=${first.before}`);
    expect([rest.messages, rest.before]).toEqual([3, undefined]);
  });

  test.each(['limit=100001', 'limit=x', 'from=then', 'sender=HIS'])('with %s is refused', async (query) => {
    expect((await operator.get(`/coverage?${query}`)).status).toBe(400);
  });
});
