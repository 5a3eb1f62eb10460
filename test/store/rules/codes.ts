/** Codes that no table of the mapping translates. */
import { describe, expect, test } from '@jest/globals';
import type { CodeAnswer, MetCode, UnknownCode } from '../../../src/store/rows.ts';
import { LostClaim } from '../../../src/store/store.ts';
import { beginMs, type Given, message } from './bench.ts';

export function codesRules(given: Given): void {
  const met = (code: string, more: Partial<MetCode> = {}): MetCode => ({
    site: 'renhe',
    table: 'DischargeDisposition',
    code,
    system: '',
    display: 'Home',
    field: 'PV1-36',
    ...more,
  });
  const meet = (id: number, ...codes: MetCode[]): Promise<void> =>
    given.bench.effects({ kind: 'codes', message: id, at: beginMs + id, codes });
  const keep = (): Promise<number> => given.store.keep(message());
  const all = (): Promise<readonly UnknownCode[]> => given.store.unknownCodes({ open: false, limit: 100 });
  const idOf = async (code: string): Promise<number> => (await all()).find((it) => it.code === code)?.id as number;
  const answer = async (code: string, given_: CodeAnswer): Promise<void> =>
    given.bench.effects({ kind: 'code-answer', id: await idOf(code), answer: given_ });

  describe('the list of unknown codes', () => {
    test('has a code of a table and a site once, as it was met last', async () => {
      const [a, b] = [await keep(), await keep()];
      await meet(a, met('9'));
      await meet(b, met('9', { system: 'L', display: 'Left', field: 'PV1-37' }));
      expect(await all()).toEqual([
        {
          id: await idOf('9'),
          site: 'renhe',
          table: 'DischargeDisposition',
          code: '9',
          system: 'L',
          display: 'Left',
          field: 'PV1-37',
          messages: 2,
          firstAt: beginMs + a,
          lastAt: beginMs + b,
        },
      ]);
    });

    test('counts a message once, however often it holds the code and is applied', async () => {
      const [a, b] = [await keep(), await keep()];
      await meet(a, met('9', { field: 'PV1-36' }), met('8'), met('9', { field: 'PV1-37' }));
      await meet(a, met('9', { field: 'PV1-38' }));
      await Promise.all([meet(b, met('9')), meet(b, met('9')), meet(a, met('8'))]);
      expect((await all()).map((it) => [it.code, it.messages])).toEqual([
        ['8', 1],
        ['9', 2],
      ]);
      expect(await given.store.messagesWithCode(await idOf('9'), 0, 10)).toEqual([a, b]);
      expect(await given.store.messagesWithCode(await idOf('8'), 0, 10)).toEqual([a]);
    });

    test('keeps sites, tables and codes apart, also where they differ in one letter or at the end', async () => {
      const long = 'x'.repeat(20_000);
      const codes = [
        met('9'),
        met('9', { site: '' }),
        met('9', { table: 'AdmitSource' }),
        met('a'),
        met('A'),
        met(`${long}1`),
        met(`${long}2`),
      ];
      await meet(await keep(), ...codes);
      const listed = (await all()).map(({ site, table, code }) => ({ site, table, code }));
      expect(listed.reverse()).toEqual(codes.map(({ site, table, code }) => ({ site, table, code })));
    });

    test('has the newest first, and goes on behind an id', async () => {
      await meet(await keep(), met('1'), met('2'), met('3'));
      const page = async (before?: number): Promise<string[]> => {
        const rows = await given.store.unknownCodes({ open: true, limit: 2, ...(before !== undefined && { before }) });
        return rows.map(({ code }) => code);
      };
      expect(await page()).toEqual(['3', '2']);
      expect(await page(await idOf('2'))).toEqual(['1']);
      expect(await page(await idOf('1'))).toEqual([]);
    });

    test('has what waits for an answer, and all', async () => {
      await meet(await keep(), met('1'), met('2'));
      await answer('1', { by: 'li', at: beginMs });
      expect((await given.store.unknownCodes({ open: true, limit: 10 })).map((it) => it.code)).toEqual(['2']);
      expect((await all()).map((it) => it.code)).toEqual(['2', '1']);
    });

    test('has nothing of a unit that was taken back', async () => {
      const lost = { kind: 'cursor', name: 'care', from: 9, to: 10 } as const;
      const codes = { kind: 'codes', message: await keep(), at: beginMs, codes: [met('9')] } as const;
      await expect(given.bench.effects(codes, lost)).rejects.toBeInstanceOf(LostClaim);
      expect(await all()).toEqual([]);
    });

    test('gives the messages of a code in order, page by page', async () => {
      const ids = [];
      for (let i = 0; i < 5; i++) {
        ids.push(await keep());
        await meet(ids[i] as number, met(i === 1 ? 'other' : '9'));
      }
      const id = await idOf('9');
      expect(await given.store.messagesWithCode(id, 0, 2)).toEqual([ids[0], ids[2]]);
      expect(await given.store.messagesWithCode(id, ids[2] as number, 2)).toEqual([ids[3], ids[4]]);
      expect(await given.store.messagesWithCode(id, ids[4] as number, 2)).toEqual([]);
    });
  });

  describe('the answer to a code', () => {
    const home = { system: 'urn:d', code: 'home', display: 'At home' };

    test.each<[string, CodeAnswer]>([
      ['a target', { target: home, by: 'li', at: beginMs }],
      ['a target without a display', { target: { system: 'urn:d', code: 'home' }, by: 'li', at: beginMs }],
      ['none', { by: 'li', at: beginMs }],
    ])('may be %s', async (_, given_) => {
      await meet(await keep(), met('9'), met('open'));
      await answer('9', given_);
      const id = await idOf('9');
      expect((await given.store.unknownCode(id))?.answer).toEqual(given_);
      const { site, table, code } = met('9');
      expect(await given.store.codeAnswers()).toEqual([{ site, table, code, answer: given_ }]);
    });

    test('may be given again, and takes the place of the first', async () => {
      await meet(await keep(), met('9'));
      await answer('9', { target: home, by: 'li', at: beginMs });
      await answer('9', { by: 'wu', at: beginMs + 1 });
      expect((await given.store.codeAnswers()).map((it) => it.answer)).toEqual([{ by: 'wu', at: beginMs + 1 }]);
    });

    test('stays when the code is met again', async () => {
      await meet(await keep(), met('9'));
      await answer('9', { target: home, by: 'li', at: beginMs });
      await meet(await keep(), met('9'));
      expect(await all()).toMatchObject([{ messages: 2, answer: { target: home, by: 'li', at: beginMs } }]);
    });

    test('to a code that is not on the list takes its unit back', async () => {
      const wrong = { kind: 'code-answer', id: 999_999, answer: { by: 'li', at: beginMs } } as const;
      const cursor = { kind: 'cursor', name: 'care', from: 0, to: 1 } as const;
      await expect(given.bench.effects(cursor, wrong)).rejects.toBeInstanceOf(LostClaim);
      expect(await given.store.cursor('care')).toBe(0);
      expect(await given.store.unknownCode(999_999)).toBeUndefined();
    });
  });
}
