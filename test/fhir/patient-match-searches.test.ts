import { describe, expect, test } from '@jest/globals';
import { candidateSearches } from '../../src/fhir/patient-match.ts';
import { matches } from '../../src/fhir/search/match.ts';
import { SearchParameters } from '../../src/fhir/search/parameters.ts';
import { parseQuery } from '../../src/fhir/search/query.ts';
import type { Json } from '../../src/fhir/types.ts';
import { Zone } from '../../src/fhir/zone.ts';

const mrn = { system: 'urn:oid:1.2.3', value: 'A-17' };
const zhang: Json = {
  resourceType: 'Patient',
  name: [{ family: '张', given: ['伟'] }],
  birthDate: '1980-02-03',
  gender: 'male',
  telecom: [{ system: 'phone', value: '138 1234 5678' }],
  address: [{ city: '北京市', postalCode: '100020' }],
};
const li: Json = {
  resourceType: 'Patient',
  name: [{ family: 'Li', given: ['Anna', 'Maria'] }],
  birthDate: '1980-02-03',
  gender: 'female',
  telecom: [{ system: 'phone', value: '+49 (30) 1234-5678' }],
  address: [{ city: 'Berlin', postalCode: '10115' }],
};
const named = (...name: Json[]): Json => ({ name });

describe('the searches for candidates', () => {
  test('go by each identifier, by birth date, by number and by name', () => {
    expect(candidateSearches({ ...li, identifier: [mrn, { value: '5' }] })).toEqual([
      'Patient?identifier=urn%3Aoid%3A1.2.3%7CA-17',
      'Patient?identifier=5',
      'Patient?birthdate=1980-02-03&gender=female',
      'Patient?family=Li&birthdate=1980-02-03',
      'Patient?phone=%2B49%20(30)%201234-5678,%2B493012345678,493012345678',
      'Patient?family=Li&given=Anna',
    ]);
  });

  test.each<[string, Json]>([
    ['in parts', { family: '张', given: ['伟'] }],
    ['as a text', { text: '张 伟' }],
  ])('ask for a Chinese name in one piece when it comes %s', (_, name) => {
    expect(candidateSearches(named(name))).toEqual([`Patient?name=${encodeURIComponent('张伟')}`]);
  });

  test('ask for each word of a text', () => {
    expect(candidateSearches(named({ text: 'Anna Li' }))).toEqual(['Patient?name=Anna&name=Li']);
  });

  test('do not ask for a gender that is not known', () => {
    expect(candidateSearches({ birthDate: '1980', gender: 'unknown' })).toEqual(['Patient?birthdate=1980']);
  });

  test('ask for nothing when nothing is known', () => {
    expect(candidateSearches({ gender: 'male', address: li.address, birthDate: 'x' })).toEqual([]);
  });

  test('escape what search reads as a separator, and what a URL does', () => {
    const [search] = candidateSearches({ identifier: [{ system: 'urn:a,b', value: 'x|y$z\\&gender=male#' }] });
    expect(search).toMatch(/^Patient\?identifier=[A-Za-z0-9%._-]+$/);
    const asked = new URLSearchParams((search as string).split('?')[1]);
    expect([...asked]).toEqual([['identifier', 'urn:a\\,b|x\\|y\\$z\\\\&gender=male#']]);
  });

  test('find, each on its own, a patient who was sent otherwise', () => {
    const parameters = new SearchParameters(new Zone('Asia/Shanghai'));
    const stored = {
      ...zhang,
      resourceType: 'Patient',
      identifier: [{ system: 'urn:a,b', value: 'x|y$' }],
      name: [...zhang.name, { text: 'Anna Maria Li', family: 'Li', given: ['Anna', 'Maria'] }],
      telecom: [{ system: 'phone', value: '13812345678' }],
    };
    const rows = parameters.extract(stored);
    const wanted = { ...stored, name: [{ text: '张 伟' }, { text: 'Anna Li' }, li.name[0]], telecom: zhang.telecom };
    const searches = candidateSearches(wanted);
    expect(searches).toHaveLength(7);
    for (const search of searches) {
      const query = parseQuery('Patient', new URLSearchParams(search.split('?')[1]), parameters);
      expect([search, matches(query, '1', rows)]).toEqual([search, true]);
    }
  });

  test('are at most twenty, and none is long, however much is sent', () => {
    const long = { family: 'x'.repeat(5000), given: ['y'] };
    const names = Array.from({ length: 50 }, (_, i) => ({ family: `F${i}`, given: ['G'], text: 'a b c d e f g' }));
    const searches = candidateSearches({
      identifier: Array.from({ length: 50 }, (_, i) => ({ system: 'urn:a', value: `${i}` })),
      telecom: Array.from({ length: 50 }, (_, i) => ({ system: 'phone', value: `1381234567${i}` })),
      name: [long, ...names],
      birthDate: '1980-02-03',
      gender: 'male',
    });
    expect(searches.length).toBeGreaterThan(10);
    expect(searches.length).toBeLessThanOrEqual(20);
    for (const search of searches) expect(search.length).toBeLessThan(1000);
    expect(searches.some((it) => it.includes('identifier='))).toBe(true);
    expect(searches.some((it) => it.includes('given='))).toBe(true);
  });

  test('leave out broken Unicode', () => {
    expect(candidateSearches(named({ family: '\ud800', given: ['x'] }))).toEqual([]);
  });
});
