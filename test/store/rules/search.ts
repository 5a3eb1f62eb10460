/** Search: what a page holds, what it follows, and searches inside a commit. */
import { beforeEach, describe, expect, test } from '@jest/globals';
import type { Given } from './bench.ts';
import { patient } from './bench.ts';

export function searchRules(given: Given): void {
  describe('search', () => {
    beforeEach(async () => {
      await given.bench.write(
        patient('a', { gender: 'male', name: [{ family: 'Ångström' }], birthDate: '1980-02-29' }),
        patient('b', { gender: 'female', birthDate: '1990' }),
        patient('c', { birthDate: '1990-07' }),
        { resourceType: 'Organization', id: 'a', name: 'A' },
      );
    });

    test('gives type, id and the stored JSON of each hit', async () => {
      const { hits } = await given.store.search({ query: given.bench.query('Patient?_id=a') });
      const stored = await given.store.read({ type: 'Patient', id: 'a' });
      expect(hits).toEqual([{ type: 'Patient', id: 'a', json: stored?.json }]);
    });

    test('without conditions finds everything of its types, and nothing of others', async () => {
      expect(await given.bench.ids('Patient')).toEqual(['a', 'b', 'c']);
      expect(await given.bench.ids('Practitioner')).toEqual([]);
      const { hits } = await given.store.search({ query: given.bench.query('Patient,Organization,Task') });
      expect(hits.map(({ type, id }) => `${type}/${id}`).sort()).toEqual([
        'Organization/a',
        'Patient/a',
        'Patient/b',
        'Patient/c',
      ]);
    });

    test('of several types holds each condition against each of them', async () => {
      const found = async (search: string): Promise<string[]> =>
        (await given.store.search({ query: given.bench.query(search) })).hits.map(({ type, id }) => `${type}/${id}`);
      expect(await found('Patient,Organization?_id=a&_sort=-_id')).toEqual(['Organization/a', 'Patient/a']);
      expect(await found('Patient,Organization?name=ang')).toEqual(['Patient/a']);
      expect(await found('Patient,Organization?_content=a')).toEqual(['Organization/a']);
      const { total } = await given.store.search({
        query: given.bench.query('Patient,Organization?_id=a&_summary=count'),
      });
      expect(total).toBe(2);
    });

    test('of every type there is works, too', async () => {
      const types = await given.store.types();
      expect(types).toEqual(['Organization', 'Patient']);
      expect(await given.bench.ids(`${types.join(',')}?_lastUpdated=ge2026&_sort=_lastUpdated,-_id`)).toEqual([
        'c',
        'b',
        'a',
        'a',
      ]);
    });

    test('leaves no trace of types that were only asked for', async () => {
      expect(await given.bench.ids('Practitioner?name=x&gender=male')).toEqual([]);
      expect(await given.store.types()).toEqual(['Organization', 'Patient']);
    });

    test('counts all matches when asked to, and only then', async () => {
      const page = await given.store.search({ query: given.bench.query('Patient?_count=1&_total=accurate') });
      expect(page.hits).toHaveLength(1);
      expect(page.total).toBe(3);
      expect(await given.store.search({ query: given.bench.query('Patient?_summary=count') })).toEqual({
        hits: [],
        next: undefined,
        total: 3,
      });
      expect((await given.store.search({ query: given.bench.query('Patient') })).total).toBeUndefined();
    });

    test('follows an update: the old value finds it no more, the new one does', async () => {
      await given.bench.write(patient('a', { gender: 'other', birthDate: '2000' }));
      expect(await given.bench.ids('Patient?gender=male')).toEqual([]);
      expect(await given.bench.ids('Patient?gender=other')).toEqual(['a']);
      expect(await given.bench.ids('Patient?family=angst')).toEqual([]);
      expect(await given.bench.ids('Patient?_content=angstrom')).toEqual([]);
      expect(await given.bench.ids('Patient?birthdate=2000')).toEqual(['a']);
    });

    test('follows a value that comes back after it went', async () => {
      await given.bench.write(patient('a', { gender: 'other' }));
      await given.bench.write(patient('a', { gender: 'male', name: [{ family: 'Ångström' }] }));
      expect(await given.bench.ids('Patient?gender=male')).toEqual(['a']);
      expect(await given.bench.ids('Patient?gender=other')).toEqual([]);
      expect(await given.bench.ids('Patient?_content=angstrom')).toEqual(['a']);
    });

    test('at an earlier state sees that state', async () => {
      const snapshot = await given.store.head();
      await given.bench.write(patient('a', { gender: 'female' }), 'Patient/b', patient('d', { gender: 'male' }));
      expect(await given.bench.ids('Patient', snapshot)).toEqual(['a', 'b', 'c']);
      expect(await given.bench.ids('Patient?gender=male', snapshot)).toEqual(['a']);
      expect(await given.bench.ids('Patient?gender=female', snapshot)).toEqual(['b']);
      expect(await given.bench.ids('Patient?gender:not=female', snapshot)).toEqual(['a', 'c']);
      expect(await given.bench.ids('Patient?_content=angstrom', snapshot)).toEqual(['a']);
      expect(await given.bench.ids('Patient?_sort=-gender', snapshot)).toEqual(['a', 'b', 'c']);
      const later = await given.store.head();
      await given.bench.write('Patient/d');
      expect(await given.bench.ids('Patient?gender=male', later)).toEqual(['d']);
      expect(await given.bench.ids('Patient?gender=male', later + 1)).toEqual([]);
      expect(await given.bench.ids('Patient', later + 1)).toEqual(['a', 'c']);
      const { hits } = await given.store.search({ query: given.bench.query('Patient?_id=a'), snapshot });
      expect(JSON.parse(hits[0]?.json as string).gender).toBe('male');
    });

    test('refuses a damaged place to go on from', async () => {
      for (const after of ['', '[', '{}', '[]', '["x"]', '[1.5]', '[null]', '[[1]]', '[1,2]', '1', '[1e99]']) {
        await expect(
          given.store.search({ query: given.bench.query('Patient'), snapshot: 1, after }),
        ).rejects.toMatchObject({
          kind: 'malformed',
        });
      }
    });
  });

  describe('a search in a unit of work', () => {
    const found = async (search: string): Promise<readonly (readonly [string, unknown])[]> => {
      const query = given.bench.query(search);
      let seen: readonly (readonly [string, unknown])[] = [];
      await given.store.commit({
        cause: 'client:test',
        keys: [{ query }],
        decide: (view) => {
          seen = view.search(query).map(({ id, version, resource }) => [`${id}/${version}`, resource?.gender] as const);
          return { writes: [] };
        },
      });
      return seen;
    };

    test('gives current resources, at most as many as it asks for, in its order', async () => {
      for (const id of ['c', 'a', 'b']) await given.bench.write(patient(id, { gender: 'male' }));
      await given.bench.write(patient('a', { gender: 'female' }), 'Patient/b');
      expect(await found('Patient?gender=male,female&_sort=-_id')).toEqual([
        ['c/1', 'male'],
        ['a/2', 'female'],
      ]);
      expect(await found('Patient?gender=male,female&_count=1')).toEqual([['c/1', 'male']]);
      expect(await found('Patient?gender=other')).toEqual([]);
    });

    test('sees what the unit before it wrote, so that of many conditional creates one creates', async () => {
      const query = given.bench.query('Patient?identifier=urn:s|1&_count=2');
      const create = (id: string): Promise<unknown> =>
        given.bench.commit.run({
          cause: 'client:test',
          keys: [{ query }, { type: 'Patient', id }],
          decide: (view) => ({
            intentions:
              view.search(query).length > 0
                ? []
                : [{ kind: 'put', resource: patient(id, { identifier: [{ system: 'urn:s', value: '1' }] }) }],
          }),
        });
      await Promise.all(Array.from({ length: 20 }, (_, i) => create(`p${i}`)));
      expect(await given.bench.ids('Patient?identifier=urn:s|1')).toHaveLength(1);
      expect(await given.bench.ids('Patient')).toHaveLength(1);
    });
  });
}
