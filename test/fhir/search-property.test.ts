/** The SQL of a search and the matcher in memory say the same: each is the other's oracle. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { SqliteStore } from '../../adapters/sqlite/store.ts';
import { FixedClock } from '../../src/clock.ts';
import { Commit } from '../../src/commit/commit.ts';
import { matches } from '../../src/fhir/search/match.ts';
import { type SearchParameter, SearchParameters } from '../../src/fhir/search/parameters.ts';
import { datePrefixes, parseQuery } from '../../src/fhir/search/query.ts';
import type { StoredResource } from '../../src/fhir/types.ts';
import { Zone } from '../../src/fhir/zone.ts';

const parameters = new SearchParameters(new Zone('Asia/Shanghai'));

// Few values of each kind, so that a random query meets a random resource.
const dates = [
  '2025',
  '2026',
  '2026-03',
  '2026-03-16',
  '2026-03-16T10:00:00+08:00',
  '2026-03-16T02:00:00.5Z',
  '2026-04',
];
const strings = [
  'Anna',
  'annabel',
  'Ånna',
  '张',
  '伟',
  'Li',
  'Ｌｉ',
  'a b',
  "O'Neil",
  '100%',
  'x_y',
  'a,b',
  'a|b',
  '\u{1F600}',
];
const codes = ['a', 'B', 'b', 'finished', 'planned', 'a|b', 'x,y'];
const systems = ['urn:s', 'http://s.example/1?x=y'];
const references = ['Patient/1', 'Patient/2', 'Group/1', 'https://x.example/Patient/1', 'urn:uuid:7'];

const date = fc.constantFrom(...dates);
const period = fc
  .tuple(fc.option(fc.nat(4), { nil: undefined }), fc.option(fc.nat(4), { nil: undefined }))
  .map(([start, width]) => {
    const first = start === undefined ? undefined : `2026-0${3 + (start % 3)}-1${start}`;
    const end = width === undefined ? undefined : `2026-0${5 + width}`;
    return { ...(first && { start: first }), ...(end && { end }) };
  });
const coding = fc.record(
  { system: fc.constantFrom(...systems), code: fc.constantFrom(...codes) },
  { requiredKeys: [] },
);
const concept = fc.record({ coding: fc.array(coding, { minLength: 1, maxLength: 2 }) });
const reference = fc.record({ reference: fc.constantFrom(...references) });
const identifiers = fc.array(
  fc.record({ system: fc.constantFrom(...systems), value: fc.constantFrom(...codes) }, { requiredKeys: [] }),
  { minLength: 1, maxLength: 2 },
);
const text = fc.constantFrom(...strings);

const patient = fc.record(
  {
    resourceType: fc.constant('Patient'),
    active: fc.boolean(),
    gender: fc.constantFrom('male', 'female'),
    birthDate: fc.constantFrom('2025', '2026-03', '2026-03-16'),
    name: fc.array(
      fc.record({ family: text, given: fc.array(text, { minLength: 1, maxLength: 2 }) }, { requiredKeys: [] }),
      {
        minLength: 1,
        maxLength: 2,
      },
    ),
    identifier: identifiers,
    managingOrganization: reference,
    deceasedDateTime: date,
  },
  { requiredKeys: ['resourceType'] },
);
const encounter = fc.record(
  {
    resourceType: fc.constant('Encounter'),
    status: fc.constantFrom('finished', 'planned'),
    class: coding,
    type: fc.array(concept, { minLength: 1, maxLength: 2 }),
    subject: reference,
    period,
    identifier: identifiers,
  },
  { requiredKeys: ['resourceType', 'status', 'class'] },
);
const valueSet = fc.record(
  {
    resourceType: fc.constant('ValueSet'),
    status: fc.constantFrom('draft', 'active'),
    url: fc.constantFrom('http://s.example/1', 'http://s.example/1?x=y', 'urn:s'),
    title: text,
    name: text,
    date: fc.constantFrom('2025', '2026-03', '2026-03-16'),
  },
  { requiredKeys: ['resourceType', 'status'] },
);
const used: Record<string, readonly string[]> = {
  Patient: [
    'active',
    'gender',
    'birthdate',
    'name',
    'family',
    'given',
    'identifier',
    'organization',
    'death-date',
    'deceased',
    '_lastUpdated',
  ],
  Encounter: ['status', 'class', 'type', 'subject', 'patient', 'date', 'identifier', '_lastUpdated'],
  ValueSet: ['status', 'url', 'title', 'name', 'date'],
};

function escaped(value: string): string {
  return value.replace(/[\\,|$]/g, '\\$&');
}

function valueFor(parameter: SearchParameter): fc.Arbitrary<string> {
  switch (parameter.kind) {
    case 'token': {
      const plain = [...codes, 'male', 'female', 'true', 'false', 'draft', ...systems, 'http://s.example/1'];
      const code = fc.constantFrom(...plain).map(escaped);
      if (parameter.declared === 'uri') return code;
      const system = fc.constantFrom(...systems, '').map(escaped);
      return fc.oneof(
        code,
        fc.tuple(system, code).map(([s, c]) => `${s}|${c}`),
        system.map((s) => `${s}|`),
      );
    }
    case 'string':
      return fc
        .oneof(
          text,
          text.map((it) => it.slice(0, 2)),
          fc.constantFrom('NN', 'ANNA', '张伟', 'é'),
        )
        .map(escaped);
    case 'date':
      return fc.tuple(fc.constantFrom('', ...datePrefixes), date).map(([prefix, it]) => prefix + it);
    case 'reference':
      return fc.constantFrom(...references, '1', '2', '3', 'Patient/1/_history/4');
  }
}

const modifiers = {
  token: ['', '', ':not'],
  string: ['', ':exact', ':contains'],
  date: [''],
  reference: ['', ':Patient', ':Group'],
};

function filterOf(type: string): fc.Arbitrary<[string, string]> {
  const own = (used[type] as string[]).map((code) => parameters.of(type).get(code) as SearchParameter);
  return fc.constantFrom(...own).chain((parameter) => {
    const { code, kind, declared } = parameter;
    const allowed = declared === 'uri' ? [''] : modifiers[kind];
    return fc.oneof(
      {
        weight: 6,
        arbitrary: fc
          .tuple(fc.constantFrom(...allowed), fc.array(valueFor(parameter), { minLength: 1, maxLength: 3 }))
          .map(([modifier, values]): [string, string] => [code + modifier, values.join(',')]),
      },
      {
        weight: 1,
        arbitrary: fc.constantFrom('true', 'false').map((value): [string, string] => [`${code}:missing`, value]),
      },
      {
        weight: 1,
        arbitrary: fc
          .subarray(['r0', 'r1', 'r2', 'r9'], { minLength: 1 })
          .map((it): [string, string] => ['_id', it.join(',')]),
      },
    );
  });
}

/** Resources that were written, and queries on them. */
function trial(type: string, resource: fc.Arbitrary<object>) {
  return fc.record({
    resources: fc.array(resource, { minLength: 1, maxLength: 8 }),
    queries: fc.array(fc.array(filterOf(type), { minLength: 1, maxLength: 3 }), { minLength: 10, maxLength: 25 }),
  });
}

describe('a search in SQL', () => {
  let store: SqliteStore;
  let run = 0;
  beforeAll(() => {
    store = new SqliteStore(':memory:');
  });
  afterAll(() => store.close());

  const clock = new FixedClock('2026-03-16T02:00:00Z');

  /** Each run has the store to itself: what the run before wrote is deleted. */
  async function write(resources: readonly object[]): Promise<StoredResource[]> {
    const commit = new Commit(store, parameters, clock);
    const own = resources.map((it, i) => ({ ...it, id: `r${i}` }) as StoredResource);
    const old = Array.from({ length: 8 }, (_, i) => `r${i}`).filter((id) => !own.some((it) => it.id === id));
    const types = ['Patient', 'Encounter', 'ValueSet'];
    await commit.run({
      cause: `system:${run++}`,
      keys: [],
      decide: () => ({
        intentions: [
          ...own.map((resource) => ({ kind: 'put' as const, resource })),
          ...types.flatMap((type) =>
            [...old, ...own.filter((it) => it.resourceType !== type).map((it) => it.id)].map((id) => ({
              kind: 'delete' as const,
              key: { type, id },
            })),
          ),
        ],
      }),
    });
    clock.advance(3_600_000);
    return own;
  }

  test.each([
    ['Patient', patient],
    ['Encounter', encounter],
    ['ValueSet', valueSet],
  ] as [string, fc.Arbitrary<object>][])(
    'finds the %s resources that the matcher in memory finds, for every query',
    async (type, resource) => {
      await fc.assert(
        fc.asyncProperty(trial(type, resource), async ({ resources, queries }) => {
          const written = await write(resources);
          const rows = new Map<string, ReturnType<SearchParameters['extract']>>();
          for (const { id } of written) {
            const json = (await store.read({ type, id }))?.json as string;
            rows.set(id, parameters.extract(JSON.parse(json)));
          }
          for (const pairs of queries) {
            const query = parseQuery(type, [...pairs, ['_count', '1000']], parameters, true);
            const found = (await store.search({ query })).hits.map((hit) => hit.id).sort();
            const expected = [...rows].filter(([id, own]) => matches(query, id, own)).map(([id]) => id);
            expect({ pairs, found }).toEqual({ pairs, found: expected.sort() });
            const { total } = await store.search({ query: { ...query, summary: 'count' } });
            expect({ pairs, total }).toEqual({ pairs, total: expected.length });
          }
        }),
        { numRuns: 60 },
      );
    },
  );

  test('and the matcher agree on a period that ends before it begins', async () => {
    const base = { resourceType: 'Encounter', status: 'finished', class: {} };
    const [resource] = await write([{ ...base, period: { start: '2026-03-20', end: '2026-03-10' } }]);
    const rows = parameters.extract(resource as StoredResource);
    for (const prefix of datePrefixes)
      for (const value of ['2026-03-05', '2026-03-10', '2026-03-15', '2026-03-20', '2026-03-25', '2026-03', '2026']) {
        const query = parseQuery('Encounter', [['date', prefix + value]], parameters, true);
        const { hits } = await store.search({ query });
        expect([prefix, value, hits.length]).toEqual([prefix, value, matches(query, 'r0', rows) ? 1 : 0]);
      }
  });

  test('and the matcher agree on a string that is longer than the index keeps', async () => {
    const long = 'Å'.repeat(600);
    const [resource] = await write([{ resourceType: 'Patient', name: [{ family: long }] }]);
    const rows = parameters.extract(resource as StoredResource);
    for (const pair of [
      ['family:exact', long],
      ['family', long],
      ['family', long.slice(0, 300)],
      ['family:contains', long.slice(0, 300)],
    ] as const) {
      const query = parseQuery('Patient', [pair], parameters, true);
      const { hits } = await store.search({ query });
      expect([pair[0], pair[1].length, hits.length]).toEqual([pair[0], pair[1].length, 1]);
      expect([pair[0], pair[1].length, matches(query, 'r0', rows)]).toEqual([pair[0], pair[1].length, true]);
    }
  });
});
