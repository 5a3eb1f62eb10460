/** Searches that were made to hurt: they are answered or refused, in bounded time. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { resourceTypes } from '../../../src/fhir/definitions.ts';
import type { StoredResource } from '../../../src/fhir/types.ts';
import { Failure } from '../../../src/outcome.ts';
import { type Bench, type MakeStore, patient, withStore } from './bench.ts';

/** How a search ends, and that it ends soon. */
export async function ends(bench: Bench, search: string): Promise<string> {
  const begun = performance.now();
  try {
    return `${(await bench.ids(search)).length} found`;
  } catch (error) {
    if (error instanceof Failure) return error.kind;
    throw error;
  } finally {
    expect(performance.now() - begun).toBeLessThan(2000);
  }
}

export function searchHostileRules(makeStore: MakeStore): void {
  describe('a hostile search', () => {
    const many = (count: number, text: (i: number) => string, between: string): string =>
      Array.from({ length: count }, (_, i) => text(i)).join(between);
    const link = (depth: number): string => `${'link:Patient.'.repeat(depth)}`;

    const rows: [string, string, RegExp][] = [
      ['a chain that is longer than any path', `Patient?${link(300)}name=x`, /^too-costly$/],
      ['_has in _has, without end', `Patient?${'_has:Patient:link:'.repeat(300)}name=x`, /^too-costly$/],
      ['a chain over every type', 'Provenance?target.target.target.name=x', /^too-costly$/],
      ['a chain without types through what refers to anything', 'List?item.item.item._id=x', /found$|^too-costly$/],
      ['parentheses without end', `Patient?_filter=${'('.repeat(5000)}gender eq male`, /^malformed$/],
      ['not of not of not', `Patient?_filter=${'not ('.repeat(25)}gender eq male${')'.repeat(25)}`, /found$/],
      ['a thousand conditions', `Patient?${many(1000, () => 'gender=male', '&')}`, /^too-costly$/],
      ['four hundred conditions', `Patient?${many(400, (i) => `name=a${i}`, '&')}`, /found$/],
      [
        'four hundred conditions in an expression',
        `Patient?_filter=${many(400, (i) => `name eq a${i}`, ' or ')}`,
        /found$/,
      ],
      [
        'and and or in turns',
        `Patient?_filter=${many(400, (i) => `name eq a${i}${i % 2 ? ' and' : ' or'} gender eq male`, ' or ')}`,
        /found$|^too-costly$/,
      ],
      ['five hundred values', `Patient?name:contains=${many(500, (i) => `a${i}`, ',')}`, /found$/],
      ['a thousand values', `Patient?name=${many(1000, (i) => `a${i}`, ',')}`, /^malformed$/],
      [
        'five hundred values a hundred times',
        `Patient?${many(100, () => `identifier=${many(500, (i) => `s|${i}`, ',')}`, '&')}`,
        /^too-costly$/,
      ],
      [
        'five hundred values, four hundred times, in every type',
        `${resourceTypes.join(',')}?${many(400, () => `_tag=${many(500, (i) => `s|${i}`, ',')}`, '&')}`,
        /^too-costly$/,
      ],
      [
        'a condition on every type',
        `${resourceTypes.join(',')}?_tag=urn:t|x&_lastUpdated=ge2026&_content=x`,
        /^0 found$/,
      ],
      ['an order of every type', `${resourceTypes.join(',')}?_sort=-_lastUpdated`, /^1 found$/],
      [
        'ten thousand words',
        `Patient?_content=${many(10_000, (i) => `w${i}`, ' ')}`,
        /found$|^malformed$|^too-costly$/,
      ],
      ['a megabyte of backslashes', `Patient?name=${'\\'.repeat(1_000_000)}`, /found$|^malformed$/],
      ['a megabyte of an open quotation mark', `Patient?_filter=name co "${'x\\"'.repeat(300_000)}`, /^malformed$/],
      ['a megabyte of bars', `Observation?value-quantity=${'|'.repeat(1_000_000)}`, /^malformed$/],
      ['a megabyte of dollars', `Observation?code-value-quantity=${'$'.repeat(1_000_000)}`, /^malformed$/],
      ['a megabyte of slashes', `ValueSet?url:above=${'/'.repeat(1_000_000)}`, /^malformed$/],
      ['as many slashes as a URL may have', `ValueSet?url:above=${'/'.repeat(99)}`, /found$/],
      [
        'a unit without end',
        `Observation?value-quantity=1|http://unitsofmeasure.org|${'m.'.repeat(50_000)}m`,
        /found$/,
      ],
      [
        'a unit to a great power',
        'Observation?value-quantity=1e300|http://unitsofmeasure.org|Ym9',
        /found$|^malformed$/,
      ],
      ['a number without end', `RiskAssessment?probability=${'9'.repeat(100_000)}`, /^malformed$/],
      ['more sort keys than there are parameters', `Patient?_sort=${many(1000, () => 'name', ',')}`, /^malformed$/],
      ['prototypes', 'Patient?__proto__=x', /^malformed$/],
      ['a parameter that every object has', 'Patient?constructor=x', /^malformed$/],
      ['a chain through what every object has', 'Patient?organization.toString=x', /^malformed$/],
    ];
    test.each(rows)('with %s ends soon', async (_, search, expected) =>
      withStore(makeStore, async (bench) => {
        await bench.write(
          patient('a', { gender: 'male', link: [{ other: { reference: 'Patient/a' }, type: 'seealso' }] }),
        );
        expect(await ends(bench, search)).toMatch(expected);
      }),
    );

    test('goes round a circle of references as often as it says, and not more', () =>
      withStore(makeStore, async (bench) => {
        const to = (id: string, other: string, more: object): StoredResource =>
          patient(id, { link: [{ other: { reference: `Patient/${other}` }, type: 'seealso' }], ...more });
        await bench.write(
          to('a', 'b', { gender: 'male' }),
          to('b', 'c', {}),
          to('c', 'a', {}),
          to('self', 'self', { active: true }),
        );
        for (let depth = 1; depth <= 12; depth++)
          expect(await bench.ids(`Patient?${link(depth)}gender=male`)).toEqual([['a', 'c', 'b'][depth % 3]]);
        expect(await bench.ids(`Patient?${link(12)}active=true`)).toEqual(['self']);
        expect(await bench.ids(`Patient?${'_has:Patient:link:'.repeat(12)}active=true`)).toEqual(['self']);
      }));

    test('of any characters ends with what was found or a failure of the closed list', () =>
      withStore(makeStore, async (bench) => {
        await bench.write(patient('a', { gender: 'male', name: [{ text: 'x' }] }));
        const names = [
          'name',
          'name:contains',
          'identifier',
          'identifier:of-type',
          'birthdate',
          'organization',
          'link.name',
          '_id',
          '_content',
          '_filter',
          '_sort',
          '_has:Patient:link:name',
          '_list',
          '_lastUpdated',
        ];
        await fc.assert(
          fc.asyncProperty(
            fc.constantFrom(...names),
            fc.string({ unit: 'binary', maxLength: 30 }),
            async (name, value) => {
              await ends(bench, `Patient?${new URLSearchParams([[name, value]])}`);
            },
          ),
          { numRuns: 300 },
        );
      }));
  });
}
