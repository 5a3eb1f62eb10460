import { describe, expect, test } from '@jest/globals';
import { isLocal, mapValues } from '../../src/fhir/search/filter.ts';
import { SearchParameters } from '../../src/fhir/search/parameters.ts';
import { countMax, type Handling, parseQuery, type SearchQuery } from '../../src/fhir/search/query.ts';
import { Zone } from '../../src/fhir/zone.ts';
import { Failure } from '../../src/outcome.ts';

const parameters = new SearchParameters(new Zone('Asia/Shanghai'));

function query(search: string, handling: Handling = 'strict'): SearchQuery {
  const [types = '', text = ''] = search.split(/\?(.*)/s, 2);
  return parseQuery(types.split(','), new URLSearchParams(text), parameters, handling);
}

function filters(search: string): SearchQuery['branches'][number]['filters'] {
  return query(search).branches[0]?.filters ?? [];
}

describe('a search', () => {
  test('of what is no resource type is refused', () => {
    expect(() => query('Nobody?x=1')).toThrow(expect.objectContaining({ kind: 'not-supported' }));
    expect(() => query('constructor?x=1')).toThrow(Failure);
    expect(() => query('Patient,Nobody?_id=1')).toThrow(Failure);
  });

  test('with an empty value is as without it', () => {
    expect(filters('Patient?name=&gender=')).toEqual([]);
  });

  test.each(['name=,', 'gender=,,', '_id=,', 'birthdate=,', 'organization=,', '_content=,', '_list=,'])(
    'with nothing but delimiters in %s has no filter without values',
    (text) => {
      expect(() => query(`Patient?${text}`)).toThrow(expect.objectContaining({ kind: 'malformed' }));
    },
  );

  test('of several types has every condition once for each, with the parameter of that type', () => {
    const { branches } = query('Patient,Practitioner,Patient?name=a&_lastUpdated=2026');
    expect(branches.map(({ type, filters }) => [type, filters.length])).toEqual([
      ['Patient', 2],
      ['Practitioner', 2],
    ]);
    expect(branches.flatMap(({ filters }) => filters)).toMatchObject([
      { parameter: { type: 'Patient', code: 'name' } },
      { parameter: { type: 'Patient', code: '_lastUpdated' } },
      { parameter: { type: 'Practitioner', code: 'name' } },
      { parameter: { type: 'Practitioner', code: '_lastUpdated' } },
    ]);
    expect(() => query('Patient,Encounter?name=a')).toThrow(/Encounter has no such search parameter/);
  });

  test('never asks for more than a page may hold', () => {
    expect(query('Patient?_count=999999999').count).toBe(countMax);
    expect(query('Patient?_count=0').count).toBe(0);
  });

  test('for no hits at all counts: R4 search.html#count treats _count=0 as _summary=count', () => {
    expect(query('Patient?_count=0').countOnly).toBe(true);
    expect(query('Patient?_summary=count').countOnly).toBe(true);
    expect(query('Patient?_summary=true').countOnly).toBe(false);
  });

  test.each([
    ['', false],
    ['_total=none', false],
    ['_total=estimate', true],
    ['_total=accurate', true],
  ])('with %j counts all matches: %s', (text, total) => {
    expect(query(`Patient?${text}`).total).toBe(total);
  });

  test('may be as long as its length, not longer, to read', () => {
    const hostile = `${'\\'.repeat(50_000)},${'a\\,'.repeat(20_000)}`;
    const begun = performance.now();
    expect(() => query(`Patient?name:contains=${encodeURIComponent(hostile)}`)).not.toThrow(RangeError);
    expect(performance.now() - begun).toBeLessThan(1000);
  });
});

describe('an order', () => {
  test('has several keys, each up or down', () => {
    expect(query('Patient?_sort=family,-birthdate&_sort=_id').sort.map((key) => [key.code, key.descending])).toEqual([
      ['family', false],
      ['birthdate', true],
      ['_id', false],
    ]);
  });

  test('of several types has the parameter of each', () => {
    const [key] = query('Patient,Encounter?_sort=-_lastUpdated').sort;
    expect([...(key?.parameters ?? [])].map(([type, { code }]) => `${type}.${code}`)).toEqual([
      'Patient._lastUpdated',
      'Encounter._lastUpdated',
    ]);
  });

  test.each(['_lastUpdated', 'gender', 'name', 'birthdate', 'organization', 'identifier'])('by %s is known', (code) => {
    expect(query(`Patient?_sort=${code}`).sort).toHaveLength(1);
  });

  test.each([
    ['Observation', 'value-quantity'],
    ['RiskAssessment', 'probability'],
    ['ValueSet', 'url'],
  ])('of %s by %s is known', (type, code) => {
    expect(query(`${type}?_sort=${code}`).sort).toHaveLength(1);
  });

  test.each([
    ['of what is not known', 'Patient?_sort=colour'],
    ['of a composite', 'Observation?_sort=code-value-quantity'],
    ['of a position', 'Location?_sort=near'],
    ['of words', 'Patient?_sort=_content'],
    ['of what one of the types does not have', 'Patient,Encounter?_sort=name'],
    ['of what is a code here and a text there', 'Patient,ValueSet?_sort=address,name'],
    ['of what is of another kind in another type', 'Observation,ResearchStudy?_sort=focus'],
    ['with a key that is empty', 'Patient?_sort=name,,gender'],
    ['of more keys than anybody reads', `Patient?_sort=${Array(11).fill('name')}`],
  ])('%s is refused', (_, search) => {
    expect(() => query(search)).toThrow(expect.objectContaining({ kind: 'malformed' }));
  });
});

describe('what is included', () => {
  const included = (search: string): string[] =>
    query(search).include.map(
      (it) => `${it.source}:${it.parameters.map(({ code }) => code)}:${it.target} ${it.iterate}`,
    );

  test('is named by type, parameter and target', () => {
    expect(included('Encounter?_include=Encounter:subject&_include=Encounter:subject:Patient')).toEqual([
      'Encounter:subject:undefined false',
      'Encounter:subject:Patient false',
    ]);
  });

  test.each(['iterate', 'recurse'])('goes on with :%s, also from other types', (modifier) => {
    expect(included(`Encounter?_include:${modifier}=Patient:organization`)).toEqual([
      'Patient:organization:undefined true',
    ]);
  });

  test('with * is every reference', () => {
    const [all] = query('Encounter?_include=*').include;
    expect(all?.parameters.map(({ code }) => code)).toEqual(expect.arrayContaining(['subject', 'service-provider']));
    expect(query('Encounter?_include=Encounter:*').include[0]?.parameters).toEqual(all?.parameters);
    const referrers = query('Patient?_revinclude=*').revinclude;
    expect(referrers.map(({ source }) => source)).toEqual(
      expect.arrayContaining(['Encounter', 'Observation', 'Provenance']),
    );
    expect(
      referrers
        .flatMap(({ parameters }) => parameters)
        .every(({ targets }) => targets.length === 0 || targets.includes('Patient')),
    ).toBe(true);
  });
});

/** Malformed: refused, unless the client asked for leniency (R4 http.html#handling). */
const malformed = [
  'Patient?gender:missing=maybe',
  'Patient?birthdate=tomorrow',
  'Patient?birthdate=xx2026',
  'Patient?_count=-1',
  'Patient?_count=many',
  'Patient?_count=1e3',
  'Patient?_sort=colour',
  'Patient?_total=some',
  'Patient?_summary=short',
  'Patient?_include=Patient:name',
  'Patient?_include=Encounter:subject',
  'Patient?_include=Patient',
  'Patient?_include=Nobody:x',
  'Patient?_revinclude=Encounter:status',
  'Patient?_filter=gender eq',
  'Patient?_list=$current-problems',
  'Patient?_has:Encounter:status:class=x',
  'Patient?_has:Encounter:subject=x',
  'Patient?gender.name=x',
  'Observation?value-quantity=many',
  'Observation?code-value-quantity=mass',
  'Location?near=39.9|116.4|1|parsec',
  `Patient?identifier=${Array.from({ length: 501 }, (_, i) => i).join(',')}`,
];

/** Modifiers that a parameter does not have: refused always (R4 search.html#modifiers: "SHALL reject"). */
const wrongModifiers = [
  'Patient?gender:exact=male',
  'Patient?gender:value=male',
  'Patient?gender:identifier=male',
  'Patient?gender:of-type=s|c|v',
  'Patient?name:not=x',
  'Patient?name:text=x',
  'Patient?name:value=x',
  'Patient?name:in=x',
  'Patient?birthdate:exact=2026',
  'Patient?birthdate:not=2026',
  'Patient?organization:Nobody=1',
  'Patient?organization:Nobody.name=x',
  'Patient?organization:text=1',
  'Patient?organization:not=1',
  'Patient?_id:exact=1',
  'Patient?_content:exact=1',
  'Observation?value-quantity:not=1',
  'Observation?code-value-quantity:exact=a$1',
  'Location?near:not=1|1',
  'ValueSet?url:in=http://x',
  'ValueSet?url:contains=http://x',
  'Patient?_include:up=Patient:organization',
];

describe('strict handling', () => {
  test.each([
    ...malformed,
    ...wrongModifiers,
    'Patient?colour=red',
    'Patient?organization.colour=x',
    'Patient?_has:Encounter:subject:colour=x',
  ])('refuses %s, and says which parameter it is', (search) => {
    const name = /\?(_?[a-z-]*)/.exec(search)?.[1] as string;
    expect(() => query(search)).toThrow(
      expect.objectContaining({ kind: 'malformed', message: expect.stringContaining(name) }),
    );
  });
});

describe('default handling', () => {
  test.each([...malformed, ...wrongModifiers])('refuses %s', (search) => {
    expect(() => query(search, 'default')).toThrow(expect.objectContaining({ kind: 'malformed' }));
  });

  test.each(['colour', 'organization.colour', '_has:Encounter:subject:colour', '_query'])(
    'ignores %s, which is not known, and says so',
    (name) => {
      const { branches, ignored } = query(`Patient?${name}=red&gender=male`, 'default');
      expect(branches[0]?.filters).toHaveLength(1);
      expect(ignored).toEqual([{ name, reason: expect.stringContaining('no such search parameter') }]);
    },
  );
});

describe('lenient handling', () => {
  test.each(malformed)('ignores %s, and says so', (search) => {
    const { branches, sort, include, revinclude, ignored } = query(search, 'lenient');
    expect([branches[0]?.filters, sort, include, revinclude]).toEqual([[], [], [], []]);
    expect(ignored).toHaveLength(1);
    expect(search).toContain(ignored[0]?.name);
  });

  test.each(wrongModifiers)('refuses %s', (search) => {
    expect(() => query(search, 'lenient')).toThrow(expect.objectContaining({ kind: 'malformed' }));
  });

  test('ignores nothing else', () => {
    const { branches, ignored } = query('Patient?birthdate=never&gender=male&_count=x&_sort=name', 'lenient');
    expect(branches[0]?.filters).toMatchObject([{ parameter: { code: 'gender' } }]);
    expect(ignored.map(({ name }) => name)).toEqual(['birthdate', '_count']);
  });
});

describe('a chain', () => {
  test('goes to every target that has what follows', () => {
    const [filter] = filters('Encounter?subject.birthdate=2026');
    expect(filter).toMatchObject({ kind: 'chain', target: 'Patient', filters: [{ parameter: { type: 'Patient' } }] });
    const [many] = filters('Observation?subject.identifier=1');
    expect(many?.kind === 'any' && many.filters.map((it) => it.kind === 'chain' && it.target)).toEqual([
      'Group',
      'Device',
      'Patient',
      'Location',
    ]);
  });

  test('leaves out the targets for which its value is nonsense', () => {
    // A status of a Task is a code; where `focus` names a Location, `near` would be a position.
    expect(filters('Provenance?target.near=1|1')).toMatchObject([{ kind: 'chain', target: 'Location' }]);
    expect(() => query('Provenance?target.near=here')).toThrow(/near/);
  });

  test('looks at _id of any target', () => {
    expect(filters('Encounter?subject:Group._id=1')).toMatchObject([
      { kind: 'chain', target: 'Group', filters: [{ kind: 'ids', ids: ['1'] }] },
    ]);
  });

  test.each([
    ['a chain', 'link:Patient.'],
    ['_has', '_has:Patient:link:'],
  ])('of twelve links is taken, of thirteen it is too costly: %s', (_, link) => {
    expect(filters(`Patient?${link.repeat(12)}gender=male`)).toHaveLength(1);
    expect(() => query(`Patient?${link.repeat(13)}gender=male`)).toThrow(
      expect.objectContaining({ kind: 'too-costly' }),
    );
    expect(() => query(`Patient?${link.repeat(13)}gender=male`, 'lenient')).toThrow(Failure);
  });
});

describe('a filter', () => {
  test.each([
    ['Patient?gender=male&_id=1', true],
    ['Patient?gender:not=male&_filter=name co a or not (birthdate lt 2000)', true],
    ['Observation?code-value-quantity=a$1', true],
    ['Patient?organization.name=a', false],
    ['Patient?_has:Encounter:subject:status=finished', false],
    ['Patient?_list=1', false],
    ['Patient?_filter=gender eq male or organization.name eq a', false],
    ['Patient?_filter=not (organization.name eq a)', false],
    ['Observation?code:in=http://v', false],
    ['Observation?code:not-in=http://v', false],
  ])('%s looks at the resource alone: %s', (search, local) => {
    expect(filters(search).every(isLocal)).toBe(local);
  });

  test('has its values replaced wherever they stand', async () => {
    const [filter] = filters('Encounter?_filter=type in http://v or not (subject.language ss s|c)');
    const replaced = await mapValues(filter!, async (value) =>
      value.kind === 'concept' ? [{ kind: 'token', system: value.url, code: value.relation }] : [value],
    );
    expect(JSON.stringify(replaced)).not.toContain('concept');
    expect(JSON.stringify(replaced)).toContain('{"kind":"token","system":"http://v","code":"in"}');
  });
});
