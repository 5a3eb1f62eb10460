/** The journal as the listener and the operator ask for it: repeats, lists, replay. */
import { describe, expect, test } from '@jest/globals';
import type { JournalRow, MessageQuery, NewMessage } from '../../../src/store/rows.ts';
import { LostClaim } from '../../../src/store/store.ts';
import { beginMs, claim, type Given, message } from './bench.ts';

export function messagesRules(given: Given): void {
  const keep = (more: Partial<NewMessage> = {}): Promise<number> => given.store.keep(message(more));

  describe('a message of the journal', () => {
    test('has what it was kept with, and nothing of an application before there is one', async () => {
      const kept = message({ site: 'renhe', content: 'digest', answer: Buffer.from([0, 255, 13]), listener: 'http' });
      const id = await given.store.keep(kept);
      expect(await given.store.message(id)).toEqual({ ...kept, id, attempts: 0 });
    });

    test.each(['applied', 'stale'] as const)(
      'that is %s knows with which mapping, when, and what it wrote',
      async (to) => {
        const id = await keep();
        const wrote = ['Patient/1/_history/1', 'Encounter/2/_history/7'];
        await given.bench.effects(claim(id, { to, wrote, mappingVersion: 'm1', at: beginMs + 5 }));
        expect(await given.store.message(id)).toMatchObject({
          state: to,
          wrote,
          mappingVersion: 'm1',
          appliedAt: beginMs + 5,
        });
      },
    );

    test('that wrote nothing has an empty list', async () => {
      const id = await keep();
      await given.bench.effects(claim(id));
      expect((await given.store.message(id))?.wrote).toEqual([]);
    });

    test.each(['duplicate', 'ignored'] as const)('may be kept as %s: nobody looks at it again', async (state) => {
      const id = await keep({ state, error: 'why' });
      expect(await given.store.message(id)).toMatchObject({ state, error: 'why' });
      expect(await given.store.waiting(10)).toEqual([]);
    });
  });

  describe('a message that was sent again', () => {
    const hasTwin = async (more: Partial<NewMessage>): Promise<boolean> => {
      const id = await keep(more);
      return given.store.hasTwin((await given.store.message(id))!);
    };

    test('is known by its content, also under a new control id', async () => {
      await given.bench.effects(claim(await keep()));
      expect(await hasTwin({ controlId: 'C2', sha256: 'bb' })).toBe(true);
      expect(await hasTwin({ content: 'other' })).toBe(false);
    });

    test('is known also when the earlier one was late', async () => {
      await given.bench.effects(claim(await keep(), { to: 'stale' }));
      expect(await hasTwin({ controlId: 'C2' })).toBe(true);
    });

    test('is not known by what another site has applied, which maps it otherwise', async () => {
      await given.bench.effects(claim(await keep({ site: 'clinic' })));
      expect(await hasTwin({})).toBe(false);
      expect(await hasTwin({ site: 'clinic' })).toBe(true);
    });

    test('is not known by a content that nobody knows', async () => {
      await given.bench.effects(claim(await keep({ content: '' })));
      expect(await hasTwin({ content: '' })).toBe(false);
    });
  });

  describe('a message with a control id', () => {
    const keepNamed = (over: Partial<NewMessage> = {}, clash: string | undefined = 'MSH-10: again') =>
      given.store.keepNamed(message(over), clash);
    const row = ({ id }: { id: number }) => given.store.message(id);

    test('is new when nobody of its application, facility and site had it', async () => {
      await keep({ facility: 'other' });
      await keep({ application: 'LIS' });
      await keep({ site: 'clinic' });
      await keep({ controlId: 'C2' });
      const kept = await keepNamed();
      expect(kept).toEqual({ kind: 'new', id: kept.id });
      expect(await row(kept)).toEqual({ ...message(), id: kept.id, attempts: 0 });
    });

    test('and the bytes of an earlier one is kept as a duplicate, with the answer that the first had', async () => {
      const first = await keep({ answer: Buffer.from('the same') });
      await given.bench.effects(claim(first));
      for (let n = 0; n < 3; n++) {
        const kept = await keepNamed({ answer: Buffer.from('another') });
        expect(kept).toMatchObject({ kind: 'repeat', first: { id: first, state: 'applied' } });
        const { state, answer, error } = (await row(kept)) as JournalRow;
        expect([state, `${Buffer.from(answer)}`, error]).toEqual([
          'duplicate',
          'the same',
          `message ${first} sent again`,
        ]);
      }
    });

    test('of a message with other bytes is kept as rejected, and gets its answer then', async () => {
      const first = await keep();
      const kept = await keepNamed({ sha256: 'bb' });
      expect(kept).toEqual({ kind: 'clash', id: kept.id });
      expect(await row(kept)).toMatchObject({ state: 'rejected', error: 'MSH-10: again', answer: Buffer.alloc(0) });
      await given.store.answered(kept.id, Buffer.from('refused'));
      expect(`${Buffer.from((await row(kept))?.answer ?? [])}`).toBe('refused');
      expect(`${Buffer.from((await given.store.message(first))?.answer ?? [])}`).not.toBe('refused');
    });

    test('is new, where control ids are used again, unless the newest that has it has its bytes', async () => {
      const kinds: string[] = [];
      for (const sha256 of ['aa', 'aa', 'bb', 'aa', 'aa'])
        kinds.push((await given.store.keepNamed(message({ sha256 }), undefined)).kind);
      expect(kinds).toEqual(['new', 'repeat', 'new', 'new', 'repeat']);
    });

    test('is new, when what had its control id was rejected', async () => {
      const id = await keep();
      await keep({ state: 'rejected', error: 'MSH-9: empty' });
      expect(await keepNamed()).toMatchObject({ kind: 'repeat', first: { id } });
      const other = await keep({ controlId: 'C2' });
      await given.bench.effects(claim(other, { to: 'rejected', error: 'why' }));
      expect((await keepNamed({ controlId: 'C2' })).kind).toBe('new');
    });

    test('is told from another that differs in the last of many characters', async () => {
      const long = 'x'.repeat(20_000);
      await keep({ controlId: `${long}a`, facility: long });
      expect((await keepNamed({ controlId: `${long}a`, facility: long })).kind).toBe('repeat');
      expect((await keepNamed({ controlId: `${long}b`, facility: long })).kind).toBe('new');
      expect((await keepNamed({ controlId: `${long}a`, facility: `${long}y` })).kind).toBe('new');
    });

    test('of many that come at the same time the first is new; all are kept, in the order in which they came', async () => {
      const all = await Promise.all(
        Array.from({ length: 40 }, (_, i) =>
          i % 10 === 9
            ? keep({ controlId: 'K' }).then((id) => ({ kind: 'kept', id }))
            : keepNamed({ controlId: `C${i % 4}`, sha256: `${i % 3}` }),
        ),
      );
      const rows = [...(await given.store.messages({ limit: 100 }))].reverse();
      expect(all.map(({ id }) => id)).toEqual(rows.map(({ id }) => id));
      const expected = Array.from({ length: 40 }, (_, i) => {
        if (i % 10 === 9) return 'kept';
        if (i < 4) return 'new';
        return i % 3 === (i % 4) % 3 ? 'repeat' : 'clash';
      });
      expect(all.map(({ kind }) => kind)).toEqual(expected);
    });
  });

  describe('the list of messages', () => {
    const kept = {
      a: { controlId: 'a', receivedAt: beginMs + 30 },
      b: { controlId: 'b', receivedAt: beginMs + 10, type: 'ADT^A08' },
      c: { controlId: 'c', receivedAt: beginMs + 20, site: 'renhe' },
      d: { controlId: 'd', receivedAt: beginMs + 40, facility: 'X', state: 'rejected', error: 'why' },
      e: { controlId: 'a', receivedAt: beginMs + 50, site: 'renhe', facility: 'X' },
    } as const;

    test.each<[string, Omit<MessageQuery, 'limit'>, string]>([
      ['without a filter', {}, 'edcba'],
      ['in a state', { state: 'received' }, 'ecba'],
      ['that were rejected', { state: 'rejected' }, 'd'],
      ['of an event', { type: 'ADT^A08' }, 'b'],
      ['of a site', { site: 'renhe' }, 'ec'],
      ['of no site', { site: '' }, 'dba'],
      ['of a facility', { facility: 'X' }, 'ed'],
      ['with a control id', { controlId: 'a' }, 'ea'],
      ['with a control id of a facility', { controlId: 'a', facility: 'X' }, 'e'],
      ['since a time', { from: beginMs + 30 }, 'eda'],
      ['until a time', { to: beginMs + 30 }, 'cb'],
      ['of a time', { from: beginMs + 20, to: beginMs + 41 }, 'dca'],
      ['of a state and a time', { state: 'received', from: beginMs + 20, to: beginMs + 41 }, 'ca'],
      ['of all at once', { state: 'received', type: 'ADT^A03', site: 'renhe', facility: 'X', from: beginMs }, 'e'],
      ['that nobody sent', { type: 'ORU^R01' }, ''],
    ])('%s has those, the newest first', async (_, query, expected) => {
      const names = new Map<number, string>();
      for (const [name, more] of Object.entries(kept)) names.set(await keep(more), name);
      const rows = await given.store.messages({ ...query, limit: 10 });
      expect(rows.map(({ id }) => names.get(id)).join('')).toBe(expected);
      const [first] = rows;
      if (first) expect(first).toEqual(await given.store.message(first.id));
    });

    test('goes on behind an id', async () => {
      const ids = [];
      for (let i = 0; i < 5; i++) ids.push(await keep());
      const page = async (before?: number): Promise<number[]> => {
        const rows = await given.store.messages({
          limit: 2,
          state: 'received',
          ...(before !== undefined && { before }),
        });
        return rows.map(({ id }) => id);
      };
      expect(await page()).toEqual([ids[4], ids[3]]);
      expect(await page(ids[3])).toEqual([ids[2], ids[1]]);
      expect(await page(ids[1])).toEqual([ids[0]]);
      expect(await page(ids[0])).toEqual([]);
    });
  });

  describe('a message that is received again', () => {
    test('keeps its earlier outcomes, the oldest first', async () => {
      const id = await keep();
      const wrote = ['Patient/1/_history/1'];
      await given.bench.effects(claim(id, { wrote, mappingVersion: 'm1' }));
      await given.bench.effects(claim(id, { from: 'applied', to: 'received', at: beginMs + 10 }));
      expect(await given.store.message(id)).toEqual({ ...message(), id, attempts: 2 });
      await given.bench.effects(claim(id, { to: 'unmapped', error: 'no name', mappingVersion: 'm2' }));
      await given.bench.effects(claim(id, { from: 'unmapped', to: 'received', at: beginMs + 20 }));
      await given.bench.effects(claim(id, { mappingVersion: 'm3' }));
      expect(await given.store.outcomes(id)).toEqual([
        { at: beginMs + 10, state: 'applied', wrote, mappingVersion: 'm1' },
        { at: beginMs + 20, state: 'unmapped', error: 'no name', mappingVersion: 'm2' },
      ]);
      expect(await given.store.message(id)).toMatchObject({ state: 'applied', wrote: [], mappingVersion: 'm3' });
      expect(await given.store.outcomes(id + 1)).toEqual([]);
    });

    test('has no history of a claim that was lost', async () => {
      const id = await keep();
      await given.bench.effects(claim(id));
      const again = claim(id, { from: 'failed', to: 'received' });
      await expect(given.bench.effects(again)).rejects.toBeInstanceOf(LostClaim);
      expect(await given.store.outcomes(id)).toEqual([]);
    });

    test('has its own history when many are received again at once', async () => {
      const ids = await Promise.all(['a', 'b', 'c'].map((controlId) => keep({ controlId })));
      await Promise.all(ids.map((id) => given.bench.effects(claim(id, { mappingVersion: `m${id}` }))));
      const claims = ids.map((id) => claim(id, { from: 'applied', to: 'received', at: beginMs + id }));
      await Promise.all([given.bench.effects(...claims.slice(0, 2)), given.bench.effects(...claims.slice(2))]);
      for (const id of ids) {
        expect(await given.store.outcomes(id)).toEqual([
          { at: beginMs + id, state: 'applied', wrote: [], mappingVersion: `m${id}` },
        ]);
      }
      expect(await given.store.messageCounts()).toEqual({ received: 3 });
    });
  });
}
