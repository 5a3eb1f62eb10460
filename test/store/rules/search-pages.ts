/** Pages, their order, and the sweep. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { StoredResource } from '../../../src/fhir/types.ts';
import type { SearchHit } from '../../../src/store/store.ts';
import { type Bench, beginMs, type Given, patient } from './bench.ts';

const numbers = 10;
const n = fc.nat(numbers - 1);

/** Few values of each kind, so that what is written between two pages meets what is searched for. */
const somePatient = fc
  .record({
    n,
    birthDate: fc.option(fc.constantFrom('1980', '1980-05', '1990-01-01', '2000'), { nil: undefined }),
    family: fc.option(fc.constantFrom('a', 'B', 'b', '张', '\u{1F600}'), { nil: undefined }),
    gender: fc.constantFrom('male', 'female'),
    link: fc.option(n, { nil: undefined }),
  })
  .map(({ n, birthDate, family, gender, link }) =>
    patient(`p${n}`, {
      gender,
      ...(birthDate && { birthDate }),
      ...(family && { name: [{ family }] }),
      ...(link !== undefined && { link: [{ other: { reference: `Patient/p${link}` }, type: 'seealso' }] }),
    }),
  );

const someObservation = fc
  .record({
    n,
    subject: n,
    code: fc.constantFrom('a', 'b'),
    quantity: fc.option(fc.tuple(fc.constantFrom(1, 5, 5000), fc.constantFrom('mg', 'ug', 'mol')), { nil: undefined }),
  })
  .map(
    ({ n, subject, code, quantity }): StoredResource => ({
      resourceType: 'Observation',
      id: `o${n}`,
      status: 'final',
      code: { coding: [{ code }] },
      subject: { reference: `Patient/p${subject}` },
      ...(quantity && {
        valueQuantity: { value: quantity[0], system: 'http://unitsofmeasure.org', code: quantity[1] },
      }),
    }),
  );

const someResource = fc.oneof(somePatient, someObservation);

/** Of every resource that there may be. */
const everything = Array.from({ length: numbers }, (_, i) => [`Patient/p${i}`, `Observation/o${i}`]).flat();

type Operation = StoredResource | string | undefined;

/** A resource to put, `Type/id` to delete, undefined to sweep. */
const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 4, arbitrary: someResource },
  {
    weight: 2,
    arbitrary: fc.oneof(
      n.map((it) => `Patient/p${it}`),
      n.map((it) => `Observation/o${it}`),
    ),
  },
  { weight: 1, arbitrary: fc.constant(undefined) },
);

const searches: readonly (readonly [types: string, filters: readonly string[], orders: readonly string[]])[] = [
  [
    'Patient',
    [
      '',
      'gender=male',
      'name=b',
      'birthdate=ge1980-03',
      'gender:not=male',
      'name:missing=true',
      '_id=p1,p3,p5,p7',
      'link.gender=male',
      'link.link.gender=female',
      '_has:Observation:patient:code=a',
      '_has:Patient:link:gender=male',
      '_content=b',
      '_filter=gender eq male or link.gender eq male',
    ],
    ['birthdate', '-birthdate', '-name,gender', '-_id', '-_lastUpdated', 'link,-birthdate'],
  ],
  [
    'Observation',
    [
      'code=a',
      'patient.gender=male',
      'value-quantity=gt4|http://unitsofmeasure.org|mg',
      'code-value-quantity=a$gt4,b$lt4',
      '_filter=not (patient.name sw b)',
    ],
    ['value-quantity', '-value-quantity,code', 'patient,-_id', '-code'],
  ],
  ['Patient,Observation', ['', '_lastUpdated=ge2026', '_id=p1,o1,p2,o2', '_content=a'], ['_lastUpdated', '-_id']],
];

const search = fc
  .constantFrom(...searches)
  .chain(([types, filters, orders]) =>
    fc
      .tuple(fc.constantFrom(...filters), fc.constantFrom('', ...orders.map((order) => `_sort=${order}`)))
      .map(([filter, order]) => `${types}?${[filter, order].filter((it) => it !== '').join('&')}`),
  );

/** All hits by pages, with something done after each. */
async function paged(bench: Bench, text: string, count: number, between: () => Promise<void>): Promise<SearchHit[]> {
  const query = bench.query(`${text}&_count=${count}`);
  const snapshot = await bench.store.head();
  const hits: SearchHit[] = [];
  let after: string | undefined;
  do {
    const page = await bench.store.search({ query, snapshot, ...(after !== undefined && { after }) });
    hits.push(...page.hits);
    after = page.next;
    await between();
  } while (after !== undefined);
  return hits;
}

export function searchPagesRules(given: Given): void {
  describe('pages', () => {
    test('put together are exactly what matched at the first page, however much is written in between', async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.uniqueArray(someResource, { selector: (it) => it.id, maxLength: 16 }),
          search,
          fc.integer({ min: 1, max: 4 }),
          fc.array(fc.array(operation, { maxLength: 4 }), { minLength: 1, maxLength: 4 }),
          async (initial, text, count, turns) => {
            const { bench } = given;
            // What the run before wrote goes, but for what it left behind.
            await bench.write(
              ...everything.filter((it) => !initial.some((own) => it === `${own.resourceType}/${own.id}`)),
              ...initial,
            );
            const whole = await bench.store.search({ query: bench.query(`${text}&_count=1000&_total=accurate`) });
            const firstPageAt = bench.clock.now();
            let turn = 0;
            const hits = await paged(bench, text, count, async () => {
              for (const it of turns[turn++ % turns.length] as Operation[]) {
                if (it === undefined) await bench.store.sweep(firstPageAt);
                else await bench.write(it);
              }
            });
            expect(hits).toEqual(whole.hits);
            expect(whole.total).toBe(hits.length);
          },
        ),
        { numRuns: 100 },
      );
    });

    test('of one order are in that order, each hit once', async () => {
      for (let i = 0; i < 23; i++)
        await given.bench.write(patient(`p${i}`, i % 5 === 0 ? {} : { birthDate: `19${50 + (i % 7)}` }));
      const hits = await paged(given.bench, 'Patient?_sort=birthdate', 4, async () => {});
      expect(new Set(hits.map(({ id }) => id)).size).toBe(23);
      const born = hits.map(({ json }): string | undefined => JSON.parse(json).birthDate);
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
      const gendered = (gender: string): StoredResource => patient('1', { gender, maritalStatus: { text: gender } });
      await given.bench.write(gendered('male'));
      await given.bench.write(gendered('female'));
      const between = await given.store.head();
      const boundary = given.bench.clock.now();
      await given.bench.write(gendered('other'));
      const end = given.bench.clock.now();
      expect(await given.store.sweep(beginMs)).toBe(0);
      // Of the first version: gender, the words of its content, and _lastUpdated.
      expect(await given.store.sweep(boundary)).toBe(3);
      expect(await given.store.sweep(boundary)).toBe(0);
      expect(await given.bench.ids('Patient?gender=female', between)).toEqual(['1']);
      expect(await given.bench.ids('Patient?_content=female', between)).toEqual(['1']);
      expect(await given.store.sweep(end)).toBe(3);
      expect(await given.bench.ids('Patient?gender=other')).toEqual(['1']);
      expect(await given.bench.ids('Patient?_content=other')).toEqual(['1']);
      expect(await given.bench.ids('Patient')).toEqual(['1']);
      expect(await given.store.history({ limit: 10 })).toHaveLength(3);
    });

    test('drops nothing that lives, however late the bound', async () => {
      await given.bench.write(patient('1', { gender: 'male', birthDate: '1980', name: [{ family: 'a' }] }));
      expect(await given.store.sweep(beginMs + 1e12)).toBe(0);
      expect(await given.bench.ids('Patient?gender=male&birthdate=1980&name=a&_content=a')).toEqual(['1']);
    });
  });
}
