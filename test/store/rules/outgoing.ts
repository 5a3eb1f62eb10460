/** Messages to hospitals. */
import { describe, expect, test } from '@jest/globals';
import type { NewOutgoing, OutgoingRow } from '../../../src/store/rows.ts';
import { type Effect, LostClaim } from '../../../src/store/store.ts';
import { beginMs, type Given } from './bench.ts';

type Sent = Extract<Effect, { kind: 'sent' }>;

export function outgoingRules(given: Given): void {
  const outgoing = (identity: string, lane: string, more: Partial<NewOutgoing> = {}): NewOutgoing => ({
    destination: 'renhe',
    lane,
    identity,
    controlId: `O${identity}`,
    bytes: Buffer.from([0, 11, 255]),
    at: beginMs,
    ...more,
  });
  const add = (...messages: NewOutgoing[]): Promise<void> => given.bench.effects({ kind: 'outgoing', messages });
  const due = async (now = beginMs, limit = 10, destination = 'renhe'): Promise<string[]> =>
    (await given.store.outgoingDue(destination, now, limit)).map(({ identity }) => identity);
  const list = (): Promise<readonly OutgoingRow[]> => given.store.outgoing({ limit: 100 });
  const row = async (identity: string): Promise<OutgoingRow> =>
    (await list()).find((it) => it.identity === identity) as OutgoingRow;
  const sent = async (identity: string, to: Sent['to'], more: Partial<Sent> = {}): Promise<void> => {
    const { id } = await row(identity);
    await given.bench.effects({ kind: 'sent', id, from: 'waiting', to, dueAt: beginMs, ...more });
  };

  describe('a message to a hospital', () => {
    test('waits, due at once, with what it was given', async () => {
      await add(outgoing('S12 a/1', 'p'));
      const { id } = await row('S12 a/1');
      const whole = { ...outgoing('S12 a/1', 'p'), id, state: 'waiting', attempts: 0, dueAt: beginMs };
      expect(await list()).toEqual([whole]);
      expect(await given.store.outgoingDue('renhe', beginMs, 10)).toEqual([whole]);
    });

    test('is there once for each destination, as it was given first', async () => {
      await add(outgoing('1', 'p'), outgoing('1', 'p', { controlId: 'twice' }));
      await add(outgoing('1', 'other', { controlId: 'again', bytes: Buffer.from('x') }), outgoing('2', 'p'));
      await add(outgoing('1', 'p', { destination: 'north' }));
      expect((await list()).map((it) => [it.destination, it.identity, it.lane, it.controlId])).toEqual([
        ['north', '1', 'p', 'O1'],
        ['renhe', '2', 'p', 'O2'],
        ['renhe', '1', 'p', 'O1'],
      ]);
    });

    test('that was acknowledged is not made again', async () => {
      await add(outgoing('1', 'p'));
      await sent('1', 'acknowledged', { answer: Buffer.from('AA') });
      await add(outgoing('1', 'p'));
      expect(await list()).toMatchObject([{ state: 'acknowledged', answer: Buffer.from('AA') }]);
      expect(await due()).toEqual([]);
    });

    test('is not there when its unit was taken back', async () => {
      const effect = { kind: 'outgoing', messages: [outgoing('1', 'p')] } as const;
      const lost = { kind: 'cursor', name: 'out', from: 9, to: 10 } as const;
      await expect(given.bench.effects(effect, lost)).rejects.toBeInstanceOf(LostClaim);
      expect(await list()).toEqual([]);
    });
  });

  describe('the lanes', () => {
    test('have their oldest message each to be sent, in the order in which they came', async () => {
      await add(outgoing('b1', 'b'), outgoing('a1', 'a'), outgoing('b2', 'b'));
      await add(outgoing('c1', 'c'), outgoing('a2', 'a'), outgoing('x', 'a', { destination: 'north' }));
      expect(await due()).toEqual(['b1', 'a1', 'c1']);
      expect(await due(beginMs, 2)).toEqual(['b1', 'a1']);
      expect(await due(beginMs, 10, 'north')).toEqual(['x']);
      expect(await due(beginMs, 10, 'south')).toEqual([]);
    });

    test('go on when their oldest message is acknowledged', async () => {
      await add(outgoing('a1', 'a'), outgoing('a2', 'a'));
      await sent('a1', 'acknowledged');
      expect(await due()).toEqual(['a2']);
      await sent('a2', 'acknowledged');
      expect(await due()).toEqual([]);
    });

    test('wait behind a message that is tried again later', async () => {
      await add(outgoing('a1', 'a'), outgoing('a2', 'a'), outgoing('b1', 'b'));
      await sent('a1', 'waiting', { dueAt: beginMs + 1000, error: 'no answer' });
      expect(await due()).toEqual(['b1']);
      expect(await due(beginMs + 999)).toEqual(['b1']);
      expect(await due(beginMs + 1000)).toEqual(['a1', 'b1']);
    });

    test('do not wait behind a message that failed for good', async () => {
      await add(outgoing('a1', 'a'), outgoing('a2', 'a'));
      await sent('a1', 'failed', { error: 'AR' });
      expect(await due()).toEqual(['a2']);
      await sent('a1', 'waiting', { from: 'failed' });
      expect(await due()).toEqual(['a1']);
    });

    test('wait for a message that is to be sent later', async () => {
      await add(outgoing('a1', 'a', { at: beginMs + 5 }), outgoing('a2', 'a'));
      expect(await due()).toEqual([]);
      expect(await due(beginMs + 5)).toEqual(['a1']);
    });
  });

  describe('an attempt to send', () => {
    test('counts while the message goes on waiting', async () => {
      await add(outgoing('1', 'p'));
      await sent('1', 'waiting', { dueAt: beginMs + 1, error: 'no answer' });
      await sent('1', 'waiting', { dueAt: beginMs + 2, error: 'refused' });
      expect(await row('1')).toMatchObject({ attempts: 2, dueAt: beginMs + 2, error: 'refused' });
      await sent('1', 'failed', { error: 'given up' });
      await sent('1', 'waiting', { from: 'failed', dueAt: beginMs + 3 });
      await sent('1', 'acknowledged');
      expect(await row('1')).toMatchObject({ state: 'acknowledged', attempts: 2 });
    });

    test('that had no answer leaves the last answer, and has a reason of its own', async () => {
      await add(outgoing('1', 'p'));
      await sent('1', 'waiting', { answer: Buffer.from('AE'), error: 'AE' });
      await sent('1', 'waiting', { error: 'no answer' });
      expect(await row('1')).toMatchObject({ answer: Buffer.from('AE'), error: 'no answer' });
      await sent('1', 'acknowledged', { answer: Buffer.from('AA') });
      expect((await row('1')).answer).toEqual(Buffer.from('AA'));
      expect(Object.keys(await row('1'))).not.toContain('error');
    });

    test('is taken once, from the state that is named', async () => {
      await add(outgoing('1', 'p'));
      const all = await Promise.allSettled([1, 2, 3].map(() => sent('1', 'acknowledged')));
      expect(all.filter((it) => it.status === 'fulfilled')).toHaveLength(1);
      await expect(sent('1', 'failed')).rejects.toBeInstanceOf(LostClaim);
      await expect(
        given.bench.effects({ kind: 'sent', id: 999_999, from: 'waiting', to: 'failed', dueAt: 0 }),
      ).rejects.toBeInstanceOf(LostClaim);
      expect(await given.store.outgoingCounts()).toEqual({ acknowledged: 1 });
    });
  });

  test('the list of messages to hospitals has the newest first, of a state or all, and goes on behind an id', async () => {
    await add(...['1', '2', '3', '4'].map((it) => outgoing(it, it)));
    await sent('2', 'failed', { error: 'AR' });
    const { id } = await row('3');
    const names = async (query: Parameters<typeof given.store.outgoing>[0]): Promise<string[]> =>
      (await given.store.outgoing(query)).map(({ identity }) => identity);
    expect(await names({ limit: 3 })).toEqual(['4', '3', '2']);
    expect(await names({ limit: 3, before: id })).toEqual(['2', '1']);
    expect(await names({ limit: 3, state: 'waiting' })).toEqual(['4', '3', '1']);
    expect(await names({ limit: 3, state: 'waiting', before: id })).toEqual(['1']);
    expect(await names({ limit: 3, state: 'acknowledged' })).toEqual([]);
    expect(await given.store.outgoingCounts()).toEqual({ waiting: 3, failed: 1 });
  });
}
