/** The journal and the events. */
import { describe, expect, test } from '@jest/globals';
import { SearchParameters } from '../../../src/fhir/search/parameters.ts';
import { parseQuery } from '../../../src/fhir/search/query.ts';
import type { StoredResource } from '../../../src/fhir/types.ts';
import { Zone } from '../../../src/fhir/zone.ts';
import { type Effect, LostClaim, type Store } from '../../../src/store/store.ts';
import { beginMs, claim, type Given, keyOf, message, patient } from './bench.ts';

export function stagesRules(given: Given): void {
  describe('the journal', () => {
    test('gives back the bytes as they came, and every field', async () => {
      const bytes = Buffer.from([0, 11, 13, 28, 255, 254, 0x81, 0x7c]);
      const id = await given.store.keep(message({ bytes, charset: 'gb18030', controlId: '' }));
      const row = await given.store.message(id);
      expect(row).toMatchObject({ id, state: 'received', attempts: 0, charset: 'gb18030', controlId: '' });
      expect(Buffer.from(row?.bytes as Uint8Array)).toEqual(bytes);
      expect(await given.store.message(id + 1)).toBeUndefined();
    });

    test('has only what is to be done among the waiting, the oldest first', async () => {
      const ids = [];
      for (let i = 0; i < 4; i++) ids.push(await given.store.keep(message({ controlId: `C${i}` })));
      await given.store.keep(message({ state: 'rejected', error: 'MSH-9: empty' }));
      await given.bench.effects(claim(ids[1] as number));
      expect((await given.store.waiting(10)).map((row) => row.id)).toEqual([ids[0], ids[2], ids[3]]);
      expect((await given.store.waiting(2)).map((row) => row.id)).toEqual([ids[0], ids[2]]);
      expect(await given.store.messageCounts()).toEqual({ received: 3, applied: 1, rejected: 1 });
    });

    test('gives new messages before those that are applied again, and a quarter of these where both wait', async () => {
      const ids: number[] = [];
      for (let i = 0; i < 6; i++) ids.push(await given.store.keep(message({ controlId: `C${i}` })));
      for (const id of ids) {
        await given.bench.effects(claim(id));
        await given.bench.effects(claim(id, { from: 'applied', to: 'received' }));
      }
      for (let i = 0; i < 6; i++) ids.push(await given.store.keep(message({ controlId: `N${i}` })));
      const waiting = async (limit: number) => (await given.store.waiting(limit)).map(({ id }) => ids.indexOf(id));
      expect(await waiting(4)).toEqual([6, 7, 8, 0]);
      expect(await waiting(20)).toEqual([6, 7, 8, 9, 10, 11, 0, 1, 2, 3, 4, 5]);
      for (const id of ids.slice(6)) await given.bench.effects(claim(id));
      expect(await waiting(4)).toEqual([0, 1, 2, 3]);
    });

    test('knows a message that was sent again only when an earlier one was applied', async () => {
      const first = await given.store.keep(message());
      const again = await given.store.keep(message({ receivedAt: beginMs + 1 }));
      const rows = async (): Promise<Parameters<Store['hasTwin']>[0][]> =>
        Promise.all([first, again].map(async (id) => (await given.store.message(id))!));
      for (const row of await rows()) expect(await given.store.hasTwin(row)).toBe(false);
      await given.bench.effects(claim(first));
      const [a, b] = await rows();
      expect(await given.store.hasTwin(a!)).toBe(false);
      expect(await given.store.hasTwin(b!)).toBe(true);
      for (const other of [{ facility: 'X' }, { content: 'dd' }])
        expect(await given.store.hasTwin({ ...b!, ...other })).toBe(false);
    });

    test.each([
      ['rejected at receipt', { state: 'rejected' as const }],
      ['in no known state', { state: 'lost' as unknown as 'received' }],
    ])('takes no message that is %s without a reason', async (_, more) => {
      await expect(given.store.keep(message(more))).rejects.toThrow();
      expect(await given.store.messageCounts()).toEqual({});
    });

    test.each(['failed', 'unmapped', 'rejected'] as const)('lets no message become %s without a reason', async (to) => {
      const id = await given.store.keep(message());
      await expect(given.bench.effects(claim(id, { to }))).rejects.toThrow();
      expect((await given.store.message(id))?.state).toBe('received');
      await given.bench.effects(claim(id, { to, error: 'why' }));
      expect(await given.store.message(id)).toMatchObject({ state: to, error: 'why', attempts: 1 });
    });

    test('lets a failed message be received and applied again', async () => {
      const id = await given.store.keep(message());
      await given.bench.effects(claim(id, { to: 'failed', error: 'disk' }));
      await given.bench.effects(claim(id, { from: 'failed', to: 'received' }));
      expect((await given.store.waiting(1))[0]).toMatchObject({ id, attempts: 2 });
      await given.bench.effects(claim(id));
      expect(await given.store.messageCounts()).toEqual({ applied: 1 });
    });

    test('counts the tries of a message until something became of it', async () => {
      const id = await given.store.keep(message());
      const tries = (count: number): Effect => ({ kind: 'tries', message: id, count });
      await given.bench.effects(tries(1));
      await given.bench.effects(tries(2));
      expect((await given.store.waiting(1))[0]).toMatchObject({ id, tries: 2 });
      await given.bench.effects(tries(0));
      expect(await given.store.message(id)).not.toHaveProperty('tries');
      await given.bench.effects(tries(3));
      await given.bench.effects(claim(id));
      expect(await given.store.message(id)).not.toHaveProperty('tries');
      await expect(given.bench.effects(tries(1))).rejects.toThrow(LostClaim);
    });

    test('keeps many messages at once, each under a number of its own that grows', async () => {
      const ids = await Promise.all(
        Array.from({ length: 100 }, (_, i) => given.store.keep(message({ sha256: `${i}` }))),
      );
      expect(ids).toEqual([...new Set(ids)].sort((a, b) => a - b));
    });
  });

  describe('the index of a new search parameter', () => {
    const own = new SearchParameters(new Zone('Asia/Shanghai'));
    const url = 'http://example.org/SearchParameter/nickname';
    own.add({
      url,
      code: 'nickname',
      type: 'token',
      base: ['Patient'],
      expression: 'Patient.maritalStatus',
    });
    own.ready(url);
    const parameter = own.of('Patient').get('nickname')!;
    const found = async (value: string, snapshot?: number): Promise<string[]> => {
      const query = parseQuery('Patient', [['nickname', value]], own);
      const { hits } = await given.store.search({ query, ...(snapshot !== undefined && { snapshot }) });
      return hits.map(({ id }) => id);
    };
    const named = (id: string, code: string, text: string): StoredResource =>
      patient(id, { maritalStatus: { coding: [{ system: 'urn:m', code }], text } });
    const index = (resource: StoredResource): Promise<void> =>
      given.store.commit({
        cause: 'system:test',
        keys: [keyOf(resource)],
        decide: () => ({
          writes: [],
          effects: [{ kind: 'index', key: keyOf(resource), parameter, rows: own.extractOf(resource, url) }],
        }),
      });

    test('is made for resources that were there before', async () => {
      const [a, b] = [named('a', 'M', 'Wed'), named('b', 'S', 'Single')];
      await given.bench.write(a, b);
      expect(await found('M')).toEqual([]);
      await index(a);
      await index(b);
      expect(await found('M')).toEqual(['a']);
      expect(await found('M,S')).toEqual(['a', 'b']);
    });

    test('replaces what there was, also what a modifier looks at, however often it is made', async () => {
      const before = named('a', 'M', 'Wed');
      await given.bench.write(before);
      await index(before);
      await index(before);
      expect(await found('M')).toEqual(['a']);
      await index(named('a', 'S', 'Single'));
      expect(await found('M')).toEqual([]);
      expect(await found('S')).toEqual(['a']);
      const text = async (value: string): Promise<number> =>
        (await given.store.search({ query: parseQuery('Patient', [['nickname:text', value]], own) })).hits.length;
      expect([await text('wed'), await text('single')]).toEqual([0, 1]);
    });

    test('has nothing of what was deleted or never there, and leaves other rows alone', async () => {
      const [a, b] = [named('a', 'M', 'Wed'), named('b', 'M', 'Wed')];
      await given.bench.write(a, b);
      await given.bench.write('Patient/a');
      for (const it of [a, b, named('never', 'M', 'Wed')]) await index(it);
      expect(await found('M')).toEqual(['b']);
      expect(await given.bench.ids('Patient?_content=wed')).toEqual(['b']);
      expect(await given.bench.ids('Patient')).toEqual(['b']);
    });

    test('shows itself at the state of the resource, not before', async () => {
      await given.bench.write(patient('a'));
      const before = await given.store.head();
      const a = named('a', 'M', 'Wed');
      await given.bench.write(a);
      await index(a);
      expect(await found('M', before)).toEqual([]);
      expect(await found('M', before + 1)).toEqual(['a']);
    });
  });

  describe('events', () => {
    const event = (number: number, sequence = number, subscription = 's') => ({
      subscription,
      number,
      sequence,
      at: beginMs,
      focus: `Patient/${number}/_history/1`,
    });
    const add = (...events: ReturnType<typeof event>[]): Promise<void> =>
      given.bench.effects({ kind: 'events', events });

    test('come in the order of their numbers, after the one that is named', async () => {
      await add(event(1), event(2), event(3));
      await add(event(4), event(1, 1, 't'));
      expect(await given.store.events('s', 1, 2)).toEqual([event(2), event(3)]);
      expect(await given.store.events('s', 4, 10)).toEqual([]);
      expect(await given.store.progress('s')).toEqual({ lastNumber: 4, deliveredNumber: 0 });
      expect(await given.store.progress('t')).toEqual({ lastNumber: 1, deliveredNumber: 0 });
      expect(await given.store.progress('none')).toEqual({ lastNumber: 0, deliveredNumber: 0 });
    });

    test.each([
      ['a number that is given already', event(2, 9)],
      ['a second event for one change', event(3, 2)],
      ['number 0', event(0, 9)],
    ])('are refused with %s, and the whole unit with them', async (_, wrong) => {
      await add(event(1), event(2));
      await expect(add(event(7), wrong)).rejects.toThrow();
      expect((await given.store.progress('s')).lastNumber).toBe(2);
    });
  });
}
