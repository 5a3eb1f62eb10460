/** What the ingest stage remembers of a resource: beside its versions, read and written with them. */
import { describe, expect, test } from '@jest/globals';
import type { StoredResource } from '../../../src/fhir/types.ts';
import { type Effect, LostClaim, type View } from '../../../src/store/store.ts';
import { type Given, keyOf, patient } from './bench.ts';

export function marksRules(given: Given): void {
  const key = { type: 'Patient', id: '1' };
  const identifier = { system: 'urn:mrn', value: '7' };

  const put = (resource: StoredResource, from?: string): Promise<unknown> =>
    given.bench.commit.run({
      cause: 'message:1',
      keys: [keyOf(resource)],
      decide: () => ({ intentions: [{ kind: 'put', resource, ...(from !== undefined && { marks: { from } }) }] }),
    });
  const mark = (marks: string, ...more: Effect[]): Promise<void> =>
    given.store.commit({
      cause: 'message:1',
      keys: [key],
      decide: () => ({ writes: [], effects: [{ kind: 'marks', key, marks }, ...more] }),
    });
  const look = async <T>(see: (view: View) => T): Promise<T> => {
    let seen: T | undefined;
    const query = given.bench.query('Patient?_id=1');
    await given.store.commit({
      cause: 'client:test',
      keys: [key, { type: 'Patient', identifier }, { query }],
      decide: (view) => {
        seen = see({ ...view, search: () => view.search(query) });
        return { writes: [] };
      },
    });
    return seen as T;
  };
  const marks = (): Promise<string | undefined> => look((view) => view.get(key)?.marks);

  describe('marks', () => {
    test('are there for a decision, however it comes to the resource', async () => {
      await put(patient('1', { identifier: [identifier] }), 'C1');
      const all = '{"from":"C1","v":1}';
      expect(await look((view) => view.get(key)?.marks)).toBe(all);
      expect(await look((view) => view.find({ type: 'Patient', identifier }).map((it) => it.marks))).toEqual([all]);
      expect(await look((view) => view.search(given.bench.query('Patient?_id=1')).map((it) => it.marks))).toEqual([
        all,
      ]);
    });

    test('that nobody wrote are none', async () => {
      await put(patient('1'));
      expect(await marks()).toBeUndefined();
    });

    test('survive a version that somebody else writes, and a deletion', async () => {
      await put(patient('1'), 'C1');
      await given.bench.write(patient('1', { gender: 'male' }));
      expect(await marks()).toBe('{"from":"C1","v":1}');
      await given.bench.write('Patient/1');
      expect(await marks()).toBe('{"from":"C1","v":1}');
      await given.bench.write(patient('1', { gender: 'female' }));
      expect(await marks()).toBe('{"from":"C1","v":1}');
    });

    test('are replaced by those of a later version', async () => {
      await put(patient('1'), 'C1');
      await put(patient('1', { gender: 'male' }), 'C2');
      expect(await marks()).toBe('{"from":"C2","v":2}');
    });

    test('that change alone make no version and no change', async () => {
      await put(patient('1', { gender: 'male' }), 'C1');
      await put(patient('1', { gender: 'male' }), 'C2');
      expect(await marks()).toBe('{"from":"C2","v":1}');
      await mark('{"from":"C3"}');
      expect(await marks()).toBe('{"from":"C3"}');
      expect(await given.store.head()).toBe(1);
      expect(await given.store.changes(0, 10)).toHaveLength(1);
      expect(await given.store.history({ limit: 10 })).toHaveLength(1);
      expect(await given.bench.ids('Patient?gender=male')).toEqual(['1']);
    });

    test('are in no version that is read', async () => {
      await put(patient('1'), 'C1');
      const [newest] = await given.store.history({ limit: 1 });
      for (const version of [await given.store.read(key), await given.store.readVersion(key, 1), newest])
        expect(Object.keys(version as object)).not.toContain('marks');
    });

    type Step = readonly [StoredResource | undefined, string | undefined];
    test.each<[string, readonly Step[], string, number]>([
      [
        'marks, then a version',
        [
          [undefined, 'a'],
          [patient('1', { gender: 'male' }), undefined],
        ],
        'a',
        2,
      ],
      [
        'marks, then a version with marks',
        [
          [undefined, 'a'],
          [patient('1', { gender: 'male' }), 'b'],
        ],
        'b',
        2,
      ],
      [
        'a version, then marks',
        [
          [patient('1', { gender: 'male' }), undefined],
          [undefined, 'a'],
        ],
        'a',
        2,
      ],
      [
        'a version with marks, then marks',
        [
          [patient('1', { gender: 'male' }), 'a'],
          [undefined, 'b'],
        ],
        'b',
        2,
      ],
      [
        'marks, a version, marks',
        [
          [undefined, 'a'],
          [patient('1', { gender: 'male' }), 'b'],
          [undefined, 'c'],
        ],
        'c',
        2,
      ],
      [
        'marks, then marks',
        [
          [undefined, 'a'],
          [undefined, 'b'],
        ],
        'b',
        1,
      ],
    ])('of units given at once keep their order: %s', async (_, steps, last, version) => {
      await put(patient('1'), 'old');
      const seen: (string | undefined)[] = [];
      await Promise.all(
        steps.map(([resource, text]) =>
          given.store.commit({
            cause: 'message:1',
            keys: [key],
            decide: (view) => {
              const before = view.get(key);
              seen.push(before?.marks);
              if (!resource) return { writes: [], effects: [{ kind: 'marks', key, marks: text as string }] };
              const write = {
                ...key,
                interaction: 'update' as const,
                version: (before?.version ?? 0) + 1,
                at: given.bench.clock.now(),
                json: JSON.stringify(resource),
                added: [],
                removed: [],
              };
              return { writes: [{ ...write, ...(text !== undefined && { marks: text }) }] };
            },
          }),
        ),
      );
      const expected = ['{"from":"old","v":1}'];
      for (const [, text] of steps) expected.push(text ?? (expected.at(-1) as string));
      expect(seen).toEqual(expected.slice(0, -1));
      expect(await marks()).toBe(last);
      expect((await given.store.read(key))?.version).toBe(version);
    });

    test('of a resource that was never there take their unit back', async () => {
      await expect(mark('{}', { kind: 'cursor', name: 'care', from: 0, to: 1 })).rejects.toBeInstanceOf(LostClaim);
      expect(await given.store.cursor('care')).toBe(0);
      await put(patient('1'));
      expect(await marks()).toBeUndefined();
    });

    test('of a unit that is taken back are as before, and those of the units beside it stand', async () => {
      await put(patient('1'), 'C1');
      const units = [
        mark('{"from":"C2"}'),
        mark('{"from":"C3"}', { kind: 'cursor', name: 'care', from: 9, to: 10 }),
        given.bench.write(patient('2')),
      ];
      const results = await Promise.allSettled(units);
      expect(results.map((it) => it.status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
      expect(await marks()).toBe('{"from":"C2"}');
    });

    test('of a resource that the commit did not name are refused', async () => {
      await put(patient('1'), 'C1');
      await expect(given.bench.effects({ kind: 'marks', key, marks: '{}' })).rejects.toThrow('did not name');
      expect(await marks()).toBe('{"from":"C1","v":1}');
    });

    test('may be as long as a resource', async () => {
      const long = JSON.stringify({ from: 'é"\\'.repeat(20_000) });
      await put(patient('1'));
      await mark(long);
      await given.bench.write(patient('1', { gender: 'male' }));
      expect(await marks()).toBe(long);
    });
  });
}
