/** The work of the index, step by step: while others write, when it is cut off, and for a database of an earlier program. */
import { describe, expect, test } from '@jest/globals';
import { SqliteStore } from '../../adapters/sqlite/store.ts';
import { FixedClock } from '../../src/clock.ts';
import { Commit } from '../../src/commit/commit.ts';
import { SearchParameters } from '../../src/fhir/search/parameters.ts';
import { parseQuery } from '../../src/fhir/search/query.ts';
import type { StoredResource } from '../../src/fhir/types.ts';
import { Zone } from '../../src/fhir/zone.ts';
import { indexingStage, startIndexing } from '../../src/indexing/stage.ts';
import type { CommitRequest, Store } from '../../src/store/store.ts';

const zone = new Zone('Asia/Shanghai');
const clock = new FixedClock('2026-03-16T02:00:00Z');
const parametersOf = () => new SearchParameters(zone, () => 'http://server.example/fhir/');

/** A program on a store: what one process has in memory. */
function program(store: Store, pages: string[] = []) {
  const parameters = parametersOf();
  const commit = new Commit(store, parameters, clock);
  const parts = {
    store,
    parameters,
    progress: ({ what, resources }: { what: string; resources: number }) => void pages.push(`${what} ${resources}`),
  };
  return {
    parameters,
    start: () => startIndexing(parts),
    stage: () => indexingStage(parts)('changes'),
    put: (...resources: StoredResource[]) =>
      commit.run({
        cause: 'client:test',
        keys: resources.map((it) => ({ type: it.resourceType, id: it.id })),
        decide: () => ({ intentions: resources.map((resource) => ({ kind: 'put', resource })) }),
      }),
    remove: (type: string, id: string) =>
      commit.run({
        cause: 'client:test',
        keys: [{ type, id }],
        decide: () => ({ intentions: [{ kind: 'delete', key: { type, id } }] }),
      }),
    async found(type: string, search: string): Promise<string[]> {
      const query = parseQuery(type, new URLSearchParams(`${search}&_count=1000`), parameters);
      return (await store.search({ query })).hits.map(({ id }) => id).sort();
    },
    isDeclared: (type: string, code: string) => parameters.of(type).has(code),
  };
}

const patient = (id: string, family: string): StoredResource => ({ resourceType: 'Patient', id, name: [{ family }] });
const parameter = (more: object = {}): StoredResource => ({
  resourceType: 'SearchParameter',
  id: 'own',
  url: 'urn:sp:own',
  name: 'Own',
  status: 'active',
  description: 'x',
  code: 'own',
  base: ['Patient'],
  type: 'string',
  expression: 'Patient.name.family',
  ...more,
});
const many = (n: number) => Array.from({ length: n }, (_, i) => patient(`p${i}`, `n${i}`));

/** A store of which each commit of the index is told before it is made. */
function watched(store: Store, indexing: (n: number) => Promise<void>): Store {
  let n = 0;
  return new Proxy(store, {
    get(target, name) {
      const own: unknown = Reflect.get(target, name, target);
      if (name !== 'commit') return typeof own === 'function' ? own.bind(target) : own;
      return async (request: CommitRequest) => {
        if (request.cause === 'system:index' && request.keys.length > 0) await indexing(n++);
        return target.commit(request);
      };
    },
  });
}

describe('a new parameter', () => {
  test('is declared when every resource has its rows; what is written meanwhile makes its own', async () => {
    const store = new SqliteStore(':memory:');
    const seen: boolean[] = [];
    const it = program(
      watched(store, async (n) => {
        seen.push(it.isDeclared('Patient', 'own'));
        if (n !== 1) return;
        // The first page is indexed, the second has been read, the third has not.
        await it.put(
          patient('p0', 'changed-first'),
          patient('p250', 'changed-second'),
          patient('p449', 'changed-third'),
        );
        await it.put(patient('new', 'new'));
        for (const id of ['p1', 'p251', 'p448']) await it.remove('Patient', id);
      }),
    );
    await it.put(...many(450));
    await it.put(parameter());
    await it.stage();
    expect(seen).toEqual([false, false, false]);
    expect(it.isDeclared('Patient', 'own')).toBe(true);
    expect(await it.found('Patient', 'own=changed')).toEqual(['p0', 'p250', 'p449']);
    expect(await it.found('Patient', 'own=new')).toEqual(['new']);
    for (const gone of ['n0', 'n1', 'n250', 'n251', 'n448', 'n449'])
      expect([gone, await it.found('Patient', `own:exact=${gone}`)]).toEqual([gone, []]);
    expect(await it.found('Patient', 'own=n')).toHaveLength(450 - 6 + 1);
    expect(await it.found('Patient', 'own:missing=true')).toEqual([]);
    await store.close();
  });

  test('whose index was cut off is made again from the beginning, also by another process', async () => {
    const store = new SqliteStore(':memory:');
    const first = program(
      watched(store, async (n) => {
        if (n === 1) throw new Error('the power is off');
      }),
    );
    await first.put(...many(450));
    await first.put(parameter());
    await expect(first.stage()).rejects.toThrow('the power is off');
    expect(first.isDeclared('Patient', 'own')).toBe(false);
    const second = program(store);
    await second.start();
    expect(second.isDeclared('Patient', 'own')).toBe(false);
    // Written before the index goes on: extracted already.
    await second.put(patient('p449', 'between'));
    await second.stage();
    expect(await second.found('Patient', 'own=between')).toEqual(['p449']);
    expect(await second.found('Patient', 'own=n')).toHaveLength(449);
    const third = program(store);
    await third.start();
    expect([third.isDeclared('Patient', 'own'), (await third.found('Patient', 'own=n')).length]).toEqual([true, 449]);
    await store.close();
  });

  test('that is indexed already costs the next bells nothing', async () => {
    const store = new SqliteStore(':memory:');
    const pages: string[] = [];
    const it = program(store, pages);
    await it.put(...many(3));
    await it.put(parameter());
    await it.stage();
    const [generation, made] = [it.parameters.generation, pages.length];
    for (let i = 0; i < 3; i++) await it.stage();
    expect([it.parameters.generation, pages.length]).toEqual([generation, made]);
    await store.close();
  });

  test('with the url of another is left alone, and takes over when that is gone', async () => {
    const store = new SqliteStore(':memory:');
    const it = program(store);
    await it.put(...many(3));
    // Both were written before either was in use.
    await it.put(parameter(), parameter({ id: 'twin', code: 'twin', expression: 'Patient.id' }));
    await it.stage();
    const { generation } = it.parameters;
    await it.stage();
    expect([it.parameters.generation, it.isDeclared('Patient', 'own'), it.isDeclared('Patient', 'twin')]).toEqual([
      generation,
      true,
      false,
    ]);
    await it.remove('SearchParameter', 'own');
    await it.stage();
    expect([it.isDeclared('Patient', 'own'), it.isDeclared('Patient', 'twin')]).toEqual([false, true]);
    expect(await it.found('Patient', 'twin=p1')).toEqual(['p1']);
    await store.close();
  });

  test('that a later program cannot use is kept and not used', async () => {
    const store = new SqliteStore(':memory:');
    const it = program(store);
    await it.put(patient('p1', 'x'), parameter({ expression: 'Patient.name.(' }));
    await it.start();
    await it.stage();
    expect(it.isDeclared('Patient', 'own')).toBe(false);
    expect(await it.found('Patient', 'name=x')).toEqual(['p1']);
    await store.close();
  });
});

describe('a database of an earlier program', () => {
  const firstKinds = ['token', 'string', 'date', 'reference'];
  const observation = (id: string, value: number): StoredResource => ({
    resourceType: 'Observation',
    id,
    status: 'final',
    code: { text: 'Body weight', coding: [{ system: 'http://loinc.org', code: '29463-7' }] },
    subject: { reference: 'Patient/1', identifier: { value: 'mrn-1' } },
    valueQuantity: { value, unit: 'kg', system: 'http://unitsofmeasure.org', code: 'kg' },
    text: { status: 'generated', div: '<div xmlns="http://www.w3.org/1999/xhtml">heavy</div>' },
  });
  const newSearches: [string, string[]][] = [
    ['value-quantity=70|http://unitsofmeasure.org|kg', ['o1']],
    ['value-quantity=80000|http://unitsofmeasure.org|g', ['o2']],
    ['code-value-quantity=http://loinc.org|29463-7$gt75', ['o2']],
    ['code:text=body', ['o1', 'o2']],
    ['subject:identifier=mrn-1', ['o1', 'o2']],
    ['_text=heavy', ['o1', 'o2']],
    ['_content=weight', ['o1', 'o2']],
  ];

  /** Writes as the program did whose rows were of version 1. */
  async function earlier(store: Store, ...resources: StoredResource[]): Promise<void> {
    const parameters = parametersOf();
    const old = Object.create(parameters, {
      extract: {
        value: (it: StoredResource) =>
          parameters
            .extract(it)
            .filter(({ parameter }) => parameter.aspect === 'value' && firstKinds.includes(parameter.kind)),
      },
    }) as SearchParameters;
    await new Commit(store, old, clock).run({
      cause: 'client:test',
      keys: resources.map((it) => ({ type: it.resourceType, id: it.id })),
      decide: () => ({ intentions: resources.map((resource) => ({ kind: 'put', resource })) }),
    });
  }

  test('gets its new rows at the start, and keeps the old ones as they are', async () => {
    const store = new SqliteStore(':memory:');
    await earlier(store, observation('o1', 70), observation('o2', 80), patient('p1', 'x'));
    const pages: string[] = [];
    const it = program(store, pages);
    for (const [search] of newSearches) expect([search, await it.found('Observation', search)]).toEqual([search, []]);
    const before = await store.head();
    await it.start();
    for (const [search, expected] of newSearches)
      expect([search, await it.found('Observation', search)]).toEqual([search, expected]);
    const query = parseQuery(
      'Observation',
      new URLSearchParams('code=29463-7&subject=Patient/1&_total=accurate'),
      it.parameters,
    );
    expect((await store.search({ query })).total).toBe(2);
    expect([await store.cursor('search-rows'), await store.head()]).toEqual([2, before]);
    expect(pages.length).toBeGreaterThan(0);
    await it.put(observation('o1', 90));
    expect(await it.found('Observation', newSearches[0]?.[0] as string)).toEqual([]);
    expect(await it.found('Observation', 'value-quantity=90|http://unitsofmeasure.org|kg')).toEqual(['o1']);
    await store.close();
  });

  test('gets them once', async () => {
    const store = new SqliteStore(':memory:');
    await earlier(store, observation('o1', 70));
    await program(store).start();
    const pages: string[] = [];
    await program(store, pages).start();
    expect(pages).toEqual([]);
    await store.close();
  });

  test('that was cut off meanwhile gets all of them at the next start', async () => {
    const store = new SqliteStore(':memory:');
    await earlier(store, ...Array.from({ length: 450 }, (_, i) => observation(`o${i}`, i)));
    const cutOff = watched(store, async (n) => {
      if (n === 2) throw new Error('the power is off');
    });
    await expect(program(cutOff).start()).rejects.toThrow('the power is off');
    const it = program(store);
    await it.start();
    expect(await it.found('Observation', 'value-quantity=449|http://unitsofmeasure.org|kg')).toEqual(['o449']);
    expect(await it.found('Observation', 'value-quantity=ge0|http://unitsofmeasure.org|kg')).toHaveLength(450);
    await store.close();
  });

  test('that is new has nothing to be done for it', async () => {
    const store = new SqliteStore(':memory:');
    const pages: string[] = [];
    const it = program(store, pages);
    await it.start();
    expect([pages, await store.cursor('search-rows')]).toEqual([[], 2]);
    await it.put(observation('o1', 70));
    await program(store, pages).start();
    expect(pages).toEqual([]);
    await store.close();
  });
});
