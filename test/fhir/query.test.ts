import { describe, expect, test } from '@jest/globals';
import { SearchParameters } from '../../src/fhir/search/parameters.ts';
import { countMax, parseQuery, type SearchQuery } from '../../src/fhir/search/query.ts';
import { Zone } from '../../src/fhir/zone.ts';
import { Failure } from '../../src/outcome.ts';

const parameters = new SearchParameters(new Zone('Asia/Shanghai'));

function query(search: string, strict = true): SearchQuery {
  const [type = '', text = ''] = search.split(/\?(.*)/s, 2);
  return parseQuery(type, new URLSearchParams(text), parameters, strict);
}

function values(search: string): unknown[] {
  const [filter] = query(search).filters;
  return filter?.kind === 'values' ? [...filter.values] : [];
}

describe('a search', () => {
  test('with a value escaped keeps the commas and bars of the value', () => {
    expect(values('Patient?identifier=a\\,b,c')).toEqual([
      { kind: 'token', system: undefined, code: 'a,b' },
      { kind: 'token', system: undefined, code: 'c' },
    ]);
    expect(values('Patient?identifier=s\\|t|c\\|d')).toEqual([{ kind: 'token', system: 's|t', code: 'c|d' }]);
    expect(values('Patient?name=a\\$b\\\\c')).toMatchObject([{ text: 'a$b\\c' }]);
  });

  test('tells apart no system, a system alone, and any system', () => {
    expect(values('Patient?identifier=|1')).toEqual([{ kind: 'token', system: '', code: '1' }]);
    expect(values('Patient?identifier=urn:s|')).toEqual([{ kind: 'token', system: 'urn:s', code: undefined }]);
    expect(values('Patient?identifier=1')).toEqual([{ kind: 'token', system: undefined, code: '1' }]);
  });

  test('takes the type of a reference from the value, the modifier, or the only type there can be', () => {
    expect(values('Encounter?subject=Patient/1')).toEqual([{ kind: 'reference', target: 'Patient', id: '1' }]);
    expect(values('Encounter?subject:Group=1')).toEqual([{ kind: 'reference', target: 'Group', id: '1' }]);
    expect(values('Encounter?subject=1')).toEqual([{ kind: 'reference', target: undefined, id: '1' }]);
    expect(values('Patient?organization=1')).toEqual([{ kind: 'reference', target: 'Organization', id: '1' }]);
  });

  test('of a parameter that is not known is refused when strict, else says what it ignored', () => {
    expect(() => query('Patient?colour=red')).toThrow(Failure);
    const lenient = query('Patient?colour=red&gender=male', false);
    expect(lenient.filters).toHaveLength(1);
    expect(lenient.ignored).toHaveLength(1);
    expect(lenient.ignored[0]).toContain('colour');
  });

  test.each([
    'Patient?gender:text=x',
    'Patient?gender:exact=male',
    'Patient?name:not=x',
    'Patient?birthdate:exact=2026',
    'Patient?organization:Nobody=1',
    'Patient?gender:missing=maybe',
    'Patient?_id:not=1',
    'ValueSet?url:below=http://x',
    'Patient?birthdate=tomorrow',
    'Patient?birthdate=xx2026',
    'Patient?_count=-1',
    'Patient?_count=many',
    'Patient?_count=1e3',
    'Patient?_sort=colour',
    'Patient?_sort=',
    'Patient?_total=some',
    'Patient?_include=Patient:name',
    'Patient?_include=Encounter:subject',
    'Patient?_include=Patient',
    'Patient?_include=Nobody:x',
    'Patient?_revinclude=Encounter:status',
    'Patient?_include:iterate=Patient:organization',
    'Patient?general-practitioner.name=x',
    'Patient?_has:Encounter:subject:status=finished',
    `Patient?identifier=${Array.from({ length: 501 }, (_, i) => i).join(',')}`,
  ])('%s is refused, also by a lenient server', (search) => {
    if (search.endsWith('_sort=')) return expect(query(search).sort).toEqual([]);
    expect(() => query(search, false)).toThrow(expect.objectContaining({ kind: 'malformed' }));
  });

  test('of what is no resource type is refused', () => {
    expect(() => query('Nobody?x=1')).toThrow(expect.objectContaining({ kind: 'not-supported' }));
    expect(() => query('constructor?x=1')).toThrow(Failure);
  });

  test('with an empty value is as without it', () => {
    expect(query('Patient?name=&gender=').filters).toEqual([]);
  });

  test.each(['name=,', 'gender=,,', 'identifier=\\', '_id=,', 'birthdate=,', 'organization=,'])(
    'with nothing but delimiters in %s has no filter without values',
    (text) => {
      let filters: SearchQuery['filters'] = [];
      try {
        filters = query(`Patient?${text}`).filters;
      } catch (error) {
        expect(error).toBeInstanceOf(Failure);
      }
      for (const filter of filters) {
        if (filter.kind === 'values') expect(filter.values.length).toBeGreaterThan(0);
        if (filter.kind === 'ids') expect(filter.ids.length).toBeGreaterThan(0);
      }
    },
  );

  test('never asks for more than a page may hold', () => {
    expect(query('Patient?_count=999999999').count).toBe(countMax);
    expect(query('Patient?_count=0').count).toBe(0);
  });

  test('for no hits at all counts: R4 search.html#count treats _count=0 as _summary=count', () => {
    expect(query('Patient?_count=0').summary).toBe('count');
  });

  test('sorts by several keys, each up or down', () => {
    const { sort } = query('Patient?_sort=family,-birthdate,_id');
    expect(sort.map((key) => [key.parameter?.code, key.descending])).toEqual([
      ['family', false],
      ['birthdate', true],
      [undefined, false],
    ]);
  });

  test('may be as long as its length, not longer, to read', () => {
    const hostile = `${'\\'.repeat(50_000)},${'a\\,'.repeat(20_000)}`;
    const begun = performance.now();
    try {
      query(`Patient?name=${encodeURIComponent(hostile)}`);
    } catch (error) {
      expect(error).toBeInstanceOf(Failure);
    }
    expect(performance.now() - begun).toBeLessThan(1000);
  });
});
