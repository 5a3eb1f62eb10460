/** Search, pages, sweep. */
import { beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { StoredResource } from '../../../src/fhir/types.ts';
import { Bench, beginMs, type Given, patient } from './bench.ts';

export function searchRules(given: Given): void {
  describe('search', () => {
    beforeEach(async () => {
      await given.bench.write(
        patient('a', {
          gender: 'male',
          active: true,
          birthDate: '1980-02-29',
          name: [{ family: 'Ångström', given: ['Anna', 'Bo'] }],
          identifier: [{ system: 'urn:mrn', value: '1' }],
          telecom: [{ system: 'phone', value: '139' }],
          managingOrganization: { reference: 'Organization/o1' },
          link: [{ other: { reference: 'Patient/b' }, type: 'seealso' }],
        }),
        patient('b', {
          gender: 'female',
          birthDate: '1990',
          name: [{ family: '张', given: ['伟'] }],
          identifier: [{ system: 'urn:mrn', value: '2' }, { value: '1' }],
          managingOrganization: { reference: 'https://other.example/Organization/o1' },
          meta: { profile: ['http://example.org/p'], tag: [{ system: 'urn:t', code: 'x' }] },
        }),
        patient('c', { name: [{ text: 'ANNABEL' }], birthDate: '1990-07' }),
        {
          resourceType: 'Encounter',
          id: 'a',
          status: 'finished',
          class: { system: 'urn:c', code: 'IMP' },
          subject: { reference: 'Patient/a' },
          period: { start: '2026-03-10T09:00:00+08:00', end: '2026-03-16' },
        },
        {
          resourceType: 'Encounter',
          id: 'open',
          status: 'in-progress',
          class: { code: 'AMB' },
          subject: { reference: 'Patient/b' },
          period: { start: '2026-03-12' },
        },
      );
    });

    test.each([
      ['Patient', ['a', 'b', 'c']],
      ['Encounter', ['a', 'open']],
      ['Practitioner', []],
      // token
      ['Patient?gender=male', ['a']],
      ['Patient?gender=male,female', ['a', 'b']],
      ['Patient?gender=male&gender=female', []],
      ['Patient?gender:not=male', ['b', 'c']],
      ['Patient?active=true', ['a']],
      ['Patient?identifier=1', ['a', 'b']],
      ['Patient?identifier=urn:mrn|1', ['a']],
      ['Patient?identifier=urn:mrn|', ['a', 'b']],
      ['Patient?identifier=|1', ['b']],
      ['Patient?phone=139', ['a']],
      ['Patient?deceased=false', ['a', 'b', 'c']],
      ['Encounter?class=urn:c|IMP', ['a']],
      ['Encounter?class=|AMB', ['open']],
      // string
      ['Patient?family=angst', ['a']],
      ['Patient?family:exact=Ångström', ['a']],
      ['Patient?family:exact=Angström', []],
      ['Patient?family:contains=STRO', ['a']],
      ['Patient?name=anna', ['a', 'c']],
      ['Patient?name=张伟', ['b']],
      ['Patient?name=伟', ['b']],
      // date
      ['Patient?birthdate=1980', ['a']],
      ['Patient?birthdate=ge1990', ['b', 'c']],
      ['Patient?birthdate=1990', ['b', 'c']],
      ['Patient?birthdate=1990-07', ['c']],
      ['Patient?birthdate=lt1990-07', ['a', 'b']],
      ['Encounter?date=sa2026-03-11', ['open']],
      ['Encounter?date=ge2030', ['open']],
      ['Encounter?date=eb2026-03-17', ['a']],
      ['Encounter?date=ap2026-03-20', ['open']],
      // reference
      ['Patient?organization=Organization/o1', ['a']],
      ['Patient?organization=o1', ['a']],
      ['Patient?organization=https://other.example/Organization/o1', ['b']],
      ['Encounter?subject=Patient/a', ['a']],
      ['Encounter?subject:Patient=b', ['open']],
      ['Encounter?patient=a', ['a']],
      ['Encounter?subject=Group/a', []],
      ['Patient?link=Patient/b', ['a']],
      // uri, tag, of all resources
      ['Patient?_profile=http://example.org/p', ['b']],
      ['Patient?_tag=urn:t|x', ['b']],
      ['Patient?_id=a', ['a']],
      ['Patient?_id=a,c,x', ['a', 'c']],
      ['Patient?_id=a&_id=c', []],
      ['Patient?_id=a&gender=female', []],
      ['Patient?gender=male&_id=a', ['a']],
      ['Patient?_lastUpdated=2026-03-16', ['a', 'b', 'c']],
      ['Patient?_lastUpdated=gt2026-03-16', []],
      // missing
      ['Patient?gender:missing=true', ['c']],
      ['Patient?gender:missing=false', ['a', 'b']],
      ['Patient?organization:missing=true&birthdate=1990-07', ['c']],
      // order
      ['Patient?_sort=birthdate', ['a', 'b', 'c']],
      ['Patient?_sort=-birthdate', ['b', 'c', 'a']],
      ['Patient?_sort=gender', ['b', 'a', 'c']],
      ['Patient?_sort=-gender', ['a', 'b', 'c']],
      ['Patient?_sort=-_id', ['c', 'b', 'a']],
      ['Patient?_sort=organization,-_id', ['b', 'a', 'c']],
    ])('%s finds %j', async (search, ids) => {
      const sorted = search.includes('_sort') ? (it: string[]): string[] => it : (it: string[]): string[] => it.sort();
      expect(sorted(await given.bench.ids(search))).toEqual(ids);
    });

    test('gives type, id and the stored JSON of each hit', async () => {
      const { hits } = await given.store.search({ query: given.bench.query('Patient?_id=a') });
      const stored = await given.store.read({ type: 'Patient', id: 'a' });
      expect(hits).toEqual([{ type: 'Patient', id: 'a', json: stored?.json }]);
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
      expect(await given.bench.ids('Patient?birthdate=2000')).toEqual(['a']);
    });

    test('follows a value that comes back after it went', async () => {
      await given.bench.write(patient('a', { gender: 'other' }));
      await given.bench.write(patient('a', { gender: 'male' }));
      expect(await given.bench.ids('Patient?gender=male')).toEqual(['a']);
      expect(await given.bench.ids('Patient?gender=other')).toEqual([]);
    });

    test('at an earlier state sees that state', async () => {
      const snapshot = await given.store.head();
      await given.bench.write(patient('a', { gender: 'female' }), 'Patient/b', patient('d', { gender: 'male' }));
      const at = async (search: string): Promise<string[]> =>
        (await given.store.search({ query: given.bench.query(search), snapshot })).hits.map((hit) => hit.id);
      expect(await at('Patient')).toEqual(['a', 'b', 'c']);
      expect(await at('Patient?gender=male')).toEqual(['a']);
      expect(await at('Patient?gender=female')).toEqual(['b']);
      const { hits } = await given.store.search({ query: given.bench.query('Patient?_id=a'), snapshot });
      expect(JSON.parse(hits[0]?.json as string).gender).toBe('male');
    });

    test('refuses a damaged place to go on from', async () => {
      for (const after of ['', '[', '{}', '[]', '["x"]', '[1.5]', '[null]', '[[1]]', '[1,2]', '1']) {
        await expect(
          given.store.search({ query: given.bench.query('Patient'), snapshot: 1, after }),
        ).rejects.toMatchObject({
          kind: 'malformed',
        });
      }
    });
  });

  describe('pages', () => {
    type Operation =
      | { kind: 'put'; n: number; birthDate: string | undefined; family: string | undefined; gender: string }
      | { kind: 'delete'; n: number }
      | { kind: 'sweep' };
    const put = fc.record({
      kind: fc.constant('put' as const),
      n: fc.integer({ min: 0, max: 14 }),
      birthDate: fc.option(fc.constantFrom('1980', '1980-05', '1990-01-01', '2000'), { nil: undefined }),
      family: fc.option(fc.constantFrom('a', 'B', 'b', '张', '\u{1F600}'), { nil: undefined }),
      gender: fc.constantFrom('male', 'female'),
    });
    const operation = fc.oneof(
      { weight: 4, arbitrary: put },
      {
        weight: 2,
        arbitrary: fc.record({ kind: fc.constant('delete' as const), n: fc.integer({ min: 0, max: 14 }) }),
      },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('sweep' as const) }) },
    );
    const resource = ({ n, birthDate, family, gender }: Extract<Operation, { kind: 'put' }>): StoredResource =>
      patient(`p${n}`, { gender, ...(birthDate && { birthDate }), ...(family && { name: [{ family }] }) });

    test('put together are exactly what matched at the first page, however much is written in between', async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.uniqueArray(put, { selector: (it) => it.n, maxLength: 12 }),
          fc.constantFrom('', 'gender=male', 'name=b', 'birthdate=ge1980-03', 'gender:not=male', '_id=p1,p3,p5,p7'),
          fc.constantFrom('', '_sort=birthdate', '_sort=-birthdate', '_sort=-name,gender', '_sort=-_id'),
          fc.integer({ min: 1, max: 4 }),
          fc.array(fc.array(operation, { maxLength: 4 }), { minLength: 1, maxLength: 4 }),
          async (initial, filter, sort, count, between) => {
            const own = await given.makeStore();
            try {
              const work = new Bench(own.store);
              if (initial.length > 0) await work.write(...initial.map(resource));
              const search = `Patient?${[filter, sort].filter((it) => it).join('&')}`;
              const whole = await own.store.search({ query: work.query(`${search}&_count=1000`) });
              const firstPageAt = work.clock.now();
              const snapshot = await own.store.head();
              const hits = [];
              let after: string | undefined;
              let turn = 0;
              do {
                const query = work.query(`${search}&_count=${count}`);
                const page = await own.store.search({ query, snapshot, ...(after !== undefined && { after }) });
                hits.push(...page.hits);
                after = page.next;
                for (const it of between[turn++ % between.length] as Operation[]) {
                  if (it.kind === 'put') await work.write(resource(it));
                  else if (it.kind === 'delete') await work.write(`Patient/p${it.n}`);
                  else await own.store.sweep(firstPageAt);
                }
              } while (after !== undefined);
              expect(hits).toEqual(whole.hits);
            } finally {
              await own.close();
            }
          },
        ),
        { numRuns: 60 },
      );
    });

    test('of one order are in that order, each hit once', async () => {
      for (let i = 0; i < 23; i++)
        await given.bench.write(patient(`p${i}`, i % 5 === 0 ? {} : { birthDate: `19${50 + (i % 7)}` }));
      const born: (string | undefined)[] = [];
      const seen = new Set<string>();
      let after: string | undefined;
      do {
        const query = given.bench.query('Patient?_sort=birthdate&_count=4');
        const page = await given.store.search({ query, snapshot: 23, ...(after !== undefined && { after }) });
        for (const hit of page.hits) {
          expect(seen.has(hit.id)).toBe(false);
          seen.add(hit.id);
          born.push(JSON.parse(hit.json).birthDate);
        }
        after = page.next;
      } while (after !== undefined);
      expect(seen.size).toBe(23);
      const dated = born.filter((it) => it !== undefined);
      expect(dated).toEqual([...dated].sort());
      expect(born.slice(dated.length).every((it) => it === undefined)).toBe(true);
    });

    test('that end exactly with the last hit have no next', async () => {
      for (const id of ['1', '2', '3', '4']) await given.bench.write(patient(id));
      const first = await given.store.search({ query: given.bench.query('Patient?_count=2') });
      const after = first.next as string;
      const second = await given.store.search({ query: given.bench.query('Patient?_count=2'), snapshot: 4, after });
      expect(second.hits.map((hit) => hit.id)).toEqual(['3', '4']);
      expect(second.next).toBeUndefined();
    });
  });

  describe('sweep', () => {
    test('drops only search rows that ended before the bound', async () => {
      await given.bench.write(patient('1', { gender: 'male' }));
      await given.bench.write(patient('1', { gender: 'female' }));
      const between = await given.store.head();
      const boundary = given.bench.clock.now();
      await given.bench.write(patient('1', { gender: 'other' }));
      const end = given.bench.clock.now();
      expect(await given.store.sweep(beginMs)).toBe(0);
      // gender and _lastUpdated of the first version
      expect(await given.store.sweep(boundary)).toBe(2);
      expect(await given.store.sweep(boundary)).toBe(0);
      const at = async (search: string): Promise<number> =>
        (await given.store.search({ query: given.bench.query(search), snapshot: between })).hits.length;
      expect(await at('Patient?gender=female')).toBe(1);
      expect(await given.store.sweep(end)).toBe(2);
      expect(await given.bench.ids('Patient?gender=other')).toEqual(['1']);
      expect(await given.bench.ids('Patient')).toEqual(['1']);
      expect(await given.store.history({ limit: 10 })).toHaveLength(3);
    });

    test('drops nothing that lives, however late the bound', async () => {
      await given.bench.write(patient('1', { gender: 'male', birthDate: '1980', name: [{ family: 'a' }] }));
      expect(await given.store.sweep(beginMs + 1e12)).toBe(0);
      expect(await given.bench.ids('Patient?gender=male&birthdate=1980&name=a')).toEqual(['1']);
    });
  });
}
