/** Versions, history, changes. */
import { beforeEach, describe, expect, test } from '@jest/globals';
import type { Store } from '../../../src/store/store.ts';
import { beginMs, type Given, patient } from './bench.ts';

export function versionsRules(given: Given): void {
  describe('versions', () => {
    test('are read as they were written, the newest by read', async () => {
      await given.bench.write(patient('1', { gender: 'male' }));
      await given.bench.write(patient('1', { gender: 'female' }));
      const first = await given.store.readVersion({ type: 'Patient', id: '1' }, 1);
      expect(first).toMatchObject({
        type: 'Patient',
        id: '1',
        version: 1,
        sequence: 1,
        at: beginMs,
        interaction: 'create',
        cause: 'client:test',
      });
      expect(JSON.parse(first?.json as string).gender).toBe('male');
      const current = await given.store.read({ type: 'Patient', id: '1' });
      expect(current).toMatchObject({ version: 2, sequence: 2, at: beginMs + 1, interaction: 'update' });
      expect(JSON.parse(current?.json as string).gender).toBe('female');
    });

    test('that are not there are undefined', async () => {
      await given.bench.write(patient('1'));
      expect(await given.store.read({ type: 'Patient', id: '2' })).toBeUndefined();
      expect(await given.store.read({ type: 'Encounter', id: '1' })).toBeUndefined();
      expect(await given.store.readVersion({ type: 'Patient', id: '1' }, 2)).toBeUndefined();
      expect(await given.store.readVersion({ type: 'Patient', id: '1' }, 0)).toBeUndefined();
    });

    test('of a deleted resource are still there, the current one has no content', async () => {
      await given.bench.write(patient('1', { gender: 'male' }));
      await given.bench.write('Patient/1');
      expect(await given.store.read({ type: 'Patient', id: '1' })).toMatchObject({
        version: 2,
        interaction: 'delete',
        json: undefined,
      });
      expect((await given.store.readVersion({ type: 'Patient', id: '1' }, 1))?.json).toContain('male');
      expect(await given.bench.ids('Patient?gender=male')).toEqual([]);
      expect(await given.bench.ids('Patient?_id=1')).toEqual([]);
      expect(await given.bench.ids('Patient')).toEqual([]);
    });

    test('go on counting when a deleted resource is put back', async () => {
      await given.bench.write(patient('1', { gender: 'male' }));
      await given.bench.write('Patient/1');
      await given.bench.write(patient('1', { gender: 'male' }));
      expect(await given.store.read({ type: 'Patient', id: '1' })).toMatchObject({ version: 3, interaction: 'create' });
      expect(await given.bench.ids('Patient?gender=male')).toEqual(['1']);
      expect(await given.bench.ids('Patient')).toEqual(['1']);
    });

    test('of many are read at once, in the order of the keys, without those that were never there', async () => {
      await given.bench.write(patient('1'), patient('2'), { resourceType: 'Organization', id: '1', name: 'a' });
      await given.bench.write(patient('2', { active: true }), 'Patient/1');
      const keys = [
        { type: 'Patient', id: '2' },
        { type: 'Organization', id: '1' },
        { type: 'Patient', id: 'never' },
        { type: 'Task', id: '1' },
        { type: 'Patient', id: '1' },
        { type: 'Patient', id: '2' },
      ];
      const read = await given.store.readAll(keys);
      expect(read).toEqual(
        await Promise.all(
          ['Patient/2', 'Organization/1', 'Patient/1', 'Patient/2'].map((it) => {
            const [type = '', id = ''] = it.split('/');
            return given.store.read({ type, id });
          }),
        ),
      );
      expect(read.map(({ version, json }) => [version, json === undefined])).toEqual([
        [2, false],
        [1, false],
        [2, true],
        [2, false],
      ]);
      expect(await given.store.readAll([])).toEqual([]);
    });

    test('of more keys than a statement has values are read', async () => {
      const some = Array.from({ length: 50 }, (_, i) => patient(`p${i}`));
      await given.bench.write(...some);
      const keys = Array.from({ length: 40_000 }, (_, i) => ({ type: 'Patient', id: `p${i}` }));
      expect(await given.store.readAll(keys)).toHaveLength(50);
    });

    test('keep every character of the JSON', async () => {
      const text = '张伟 \u{1F600} \u{10ffff} "\\ \t é é \u0000';
      await given.bench.write(patient('1', { name: [{ text }] }));
      const version = await given.store.read({ type: 'Patient', id: '1' });
      expect(JSON.parse(version?.json as string).name).toEqual([{ text }]);
    });
  });

  describe('history', () => {
    const versions = async (query: Parameters<Store['history']>[0]): Promise<string[]> =>
      (await given.store.history(query)).map((it) => `${it.type}/${it.id}/${it.version}`);

    beforeEach(async () => {
      await given.bench.write(patient('1'));
      await given.bench.write({ resourceType: 'Organization', id: '1', name: 'a' });
      await given.bench.write(patient('2'));
      await given.bench.write(patient('1', { active: true }));
      await given.bench.write('Patient/1');
    });

    test('is the newest first: of one resource, of a type, of all', async () => {
      expect(await versions({ type: 'Patient', id: '1', limit: 10 })).toEqual([
        'Patient/1/3',
        'Patient/1/2',
        'Patient/1/1',
      ]);
      expect(await versions({ type: 'Patient', limit: 10 })).toEqual([
        'Patient/1/3',
        'Patient/1/2',
        'Patient/2/1',
        'Patient/1/1',
      ]);
      expect(await versions({ limit: 10 })).toEqual([
        'Patient/1/3',
        'Patient/1/2',
        'Patient/2/1',
        'Organization/1/1',
        'Patient/1/1',
      ]);
    });

    test('goes on below a sequence, and pages put together are the whole', async () => {
      const all = await versions({ limit: 10 });
      const paged: string[] = [];
      let before: number | undefined;
      for (;;) {
        const page = await given.store.history({ limit: 2, ...(before !== undefined && { before }) });
        if (page.length === 0) break;
        paged.push(...page.map((it) => `${it.type}/${it.id}/${it.version}`));
        before = page.at(-1)?.sequence;
        await given.bench.write(patient('3', { multipleBirthInteger: paged.length }));
      }
      expect(paged).toEqual(all);
    });

    test('since an instant has what was written at it or later', async () => {
      expect(await versions({ since: beginMs + 3, limit: 10 })).toEqual(['Patient/1/3', 'Patient/1/2']);
      expect(await versions({ since: beginMs + 5, limit: 10 })).toEqual([]);
    });

    // Patient/1 has a version at 0, 3 and 4 ms, the last a deletion; Organization/1 at 1; Patient/2 at 2.
    test.each<[low: number, high: number, expected: readonly string[]]>([
      [0, 1, ['Patient/1/1']],
      [-5, 0, []],
      [-5, 1, ['Patient/1/1']],
      [1, 2, ['Organization/1/1', 'Patient/1/1']],
      [2, 3, ['Patient/2/1', 'Organization/1/1', 'Patient/1/1']],
      [3, 4, ['Patient/1/2', 'Patient/2/1', 'Organization/1/1']],
      [2, 5, ['Patient/1/3', 'Patient/1/2', 'Patient/2/1', 'Organization/1/1', 'Patient/1/1']],
      [9, 10, ['Patient/1/3', 'Patient/2/1', 'Organization/1/1']],
    ])('at %i to %i ms has what was current then', async (low, high, expected) => {
      const at = { low: beginMs + low, high: beginMs + high };
      expect(await versions({ at, limit: 10 })).toEqual(expected);
      expect(await versions({ at, type: 'Patient', limit: 10 })).toEqual(
        expected.filter((it) => it.startsWith('Patient')),
      );
      expect(await versions({ at, type: 'Patient', id: '1', limit: 10 })).toEqual(
        expected.filter((it) => it.startsWith('Patient/1/')),
      );
    });

    test('at an instant, since another and before a sequence is all of these', async () => {
      const at = { low: beginMs + 2, high: beginMs + 5 };
      expect(await versions({ at, since: beginMs + 1, before: 5, limit: 2 })).toEqual(['Patient/1/2', 'Patient/2/1']);
    });
  });

  describe('types', () => {
    test('are those that have or had resources', async () => {
      expect(await given.store.types()).toEqual([]);
      await given.bench.write(patient('1'), { resourceType: 'Organization', id: '1', name: 'a' });
      await given.bench.write(patient('2'), 'Organization/1');
      expect(await given.bench.ids('Encounter?status=planned')).toEqual([]);
      expect(await given.store.types()).toEqual(['Organization', 'Patient']);
    });
  });

  describe('changes', () => {
    test('come in order after a sequence, as many as asked for, each with its cause', async () => {
      for (const id of ['1', '2', '3']) await given.bench.write(patient(id));
      await given.bench.write('Patient/2');
      expect(await given.store.head()).toBe(4);
      expect((await given.store.changes(1, 2)).map((it) => [it.sequence, it.id, it.interaction])).toEqual([
        [2, '2', 'create'],
        [3, '3', 'create'],
      ]);
      expect(await given.store.changes(3, 10)).toEqual([
        {
          sequence: 4,
          type: 'Patient',
          id: '2',
          version: 2,
          interaction: 'delete',
          at: beginMs + 3,
          cause: 'client:test',
        },
      ]);
      expect(await given.store.changes(4, 10)).toEqual([]);
    });

    test('of an empty store are none, and its head is 0', async () => {
      expect(await given.store.head()).toBe(0);
      expect(await given.store.changes(0, 10)).toEqual([]);
    });
  });
}
