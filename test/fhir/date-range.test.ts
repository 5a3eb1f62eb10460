import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { beginningOfTime, dateRange, endOfTime } from '../../src/fhir/search/date-range.ts';
import { type Prefix, prefixes } from '../../src/fhir/search/filter.ts';
import { dateMatches } from '../../src/fhir/search/match.ts';
import { Zone } from '../../src/fhir/zone.ts';

const shanghai = new Zone('Asia/Shanghai');
const newYork = new Zone('America/New_York');
const utc = new Zone('UTC');

describe('the range of a date', () => {
  test.each([
    ['2026', '2025-12-31T16:00:00Z', '2026-12-31T16:00:00Z'],
    ['2026-02', '2026-01-31T16:00:00Z', '2026-02-28T16:00:00Z'],
    ['2028-02', '2028-01-31T16:00:00Z', '2028-02-29T16:00:00Z'],
    ['2026-12', '2026-11-30T16:00:00Z', '2026-12-31T16:00:00Z'],
    ['2026-03-16', '2026-03-15T16:00:00Z', '2026-03-16T16:00:00Z'],
    ['2028-02-29', '2028-02-28T16:00:00Z', '2028-02-29T16:00:00Z'],
    ['2026-03-16T10:30', '2026-03-16T02:30:00Z', '2026-03-16T02:31:00Z'],
    ['2026-03-16T10:30:15', '2026-03-16T02:30:15Z', '2026-03-16T02:30:16Z'],
    ['2026-03-16T10:30:15Z', '2026-03-16T10:30:15Z', '2026-03-16T10:30:16Z'],
    ['2026-03-16T10:30:15-05:00', '2026-03-16T15:30:15Z', '2026-03-16T15:30:16Z'],
    ['2026-03-16T10:30:15.2Z', '2026-03-16T10:30:15.200Z', '2026-03-16T10:30:15.300Z'],
    ['2026-03-16T10:30:15.25Z', '2026-03-16T10:30:15.250Z', '2026-03-16T10:30:15.260Z'],
    ['2026-03-16T10:30:15.123Z', '2026-03-16T10:30:15.123Z', '2026-03-16T10:30:15.124Z'],
    ['2026-03-16T10:30:15.123456Z', '2026-03-16T10:30:15.123Z', '2026-03-16T10:30:15.124Z'],
    ['2016-12-31T23:59:60Z', '2016-12-31T23:59:59Z', '2017-01-01T00:00:00Z'],
    ['0001', '0000-12-31T15:54:17Z', '0001-12-31T15:54:17Z'],
  ])('%s in Shanghai is from %s until before %s', (text, low, high) => {
    const range = dateRange(text, shanghai);
    // Before 1901 Shanghai had +08:05:43; offsets are kept to the minute.
    const slack = text < '1901' ? 60_000 : 0;
    expect(Math.abs((range?.low ?? 0) - Date.parse(low))).toBeLessThanOrEqual(slack);
    expect(Math.abs((range?.high ?? 0) - Date.parse(high))).toBeLessThanOrEqual(slack);
  });

  test.each([
    ['2026-03-08', 23],
    ['2026-11-01', 25],
    ['2026-07-01', 24],
  ])('%s in New York has %i hours', (day, hours) => {
    const range = dateRange(day, newYork)!;
    expect(range.high - range.low).toBe(hours * 3_600_000);
  });

  test.each([
    '',
    'yesterday',
    '26-03-16',
    '2026-3-16',
    '2026-13',
    '2026-00',
    '2026-02-29',
    '2026-04-31',
    '2026-01-00',
    '2026-03-16T',
    '2026-03-16T10',
    '2026-03-16T24:00',
    '2026-03-16T10:60',
    '2026-03-16T10:30:61',
    '2026-03-16T10:30:15+99:00',
    '2026-03-16 10:30',
    '20260316',
    ' 2026',
    '2026\n',
    '2026-03-16T10:30:15.Z',
  ])('%j is not a date', (text) => {
    expect(dateRange(text, shanghai)).toBeUndefined();
  });

  test('days, months and years follow each other without a gap, in every zone', () => {
    const zones = ['Asia/Shanghai', 'America/New_York', 'Pacific/Auckland', 'America/Santiago', 'Asia/Kathmandu'];
    fc.assert(
      fc.property(
        fc.constantFrom(...zones),
        fc.date({ min: new Date('1950-01-01'), max: new Date('2050-12-30'), noInvalidDate: true }),
        (name, date) => {
          const zone = new Zone(name);
          const day = date.toISOString().slice(0, 10);
          const next = new Date(Date.parse(day) + 86_400_000).toISOString().slice(0, 10);
          expect(dateRange(day, zone)?.high).toBe(dateRange(next, zone)?.low);
          const month = dateRange(day.slice(0, 7), zone)!;
          const own = dateRange(day, zone)!;
          expect(month.low <= own.low && own.high <= month.high).toBe(true);
          const year = dateRange(day.slice(0, 4), zone)!;
          expect(year.low <= month.low && month.high <= year.high).toBe(true);
        },
      ),
    );
  });

  test('a time lies in the range of its local day', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('Asia/Shanghai', 'America/New_York', 'America/Santiago'),
        fc.integer({ min: Date.parse('2020-01-01') / 1000, max: Date.parse('2030-01-01') / 1000 }),
        (name, second) => {
          const zone = new Zone(name);
          const range = dateRange(zone.dayOf(second * 1000), zone)!;
          expect(range.low <= second * 1000 && second * 1000 < range.high).toBe(true);
        },
      ),
      {
        numRuns: 300,
        examples: [
          ['America/Santiago', Date.parse('2026-09-06T03:30:00Z') / 1000],
          ['America/New_York', Date.parse('2026-11-01T05:30:00Z') / 1000],
        ],
      },
    );
  });

  test('every date that R4 can write lies between the ends of time', () => {
    for (const text of ['0001', '0001-01-01T00:00:00+14:00', '9999', '9999-12-31T23:59:59-14:00']) {
      for (const zone of [utc, shanghai, newYork]) {
        const range = dateRange(text, zone)!;
        expect(range.low).toBeGreaterThan(beginningOfTime);
        expect(range.high).toBeLessThan(endOfTime);
        expect(range.high).toBeGreaterThan(range.low);
      }
    }
  });
});

describe('a prefix', () => {
  // R4 search.html#prefix. The search value is 2026-03, the stored value what the row says.
  const all = prefixes.join(' ');
  test.each<[string, string, string]>([
    ['2026-03', 'the same month', 'eq ge le ap'],
    ['2026-03-16', 'a day inside', 'eq ge le ap'],
    ['2026-02-28', 'a day before', 'ne lt le eb ap'],
    ['2026-04-01', 'a day behind', 'ne gt ge sa ap'],
    ['2020', 'a year long before', 'ne lt le eb'],
    ['2030', 'a year long behind', 'ne gt ge sa'],
    ['2026', 'the year around it', 'ne gt lt ge le ap'],
  ])('on %s, %s, matches for %s only', (stored, _, expected) => {
    const value = dateRange('2026-03', utc)!;
    const row = dateRange(stored, utc)!;
    const matching = prefixes.filter((prefix) => dateMatches({ prefix, ...value }, row));
    expect(matching.join(' ')).toBe(
      all
        .split(' ')
        .filter((it) => expected.split(' ').includes(it))
        .join(' '),
    );
  });

  test.each<[Prefix, boolean]>([
    ['eq', false],
    ['ne', true],
    ['gt', true],
    ['lt', false],
    ['ge', true],
    ['le', false],
    ['sa', false],
    ['eb', false],
    ['ap', true],
  ])('%s of a day, for a period that begins on it and has not ended, is %s', (prefix, expected) => {
    const value = dateRange('2026-03-16', utc)!;
    expect(dateMatches({ prefix, ...value }, { low: value.low, high: endOfTime })).toBe(expected);
  });

  const range = fc
    .tuple(fc.integer({ min: 0, max: 30 }), fc.integer({ min: 1, max: 10 }))
    .map(([low, width]) => ({ low, high: low + width }));

  test('ne is the opposite of eq; sa and eb are never true together; what overlaps is approximately equal', () => {
    fc.assert(
      fc.property(range, range, (value, row) => {
        const is = (prefix: Prefix): boolean => dateMatches({ prefix, ...value }, row);
        expect(is('ne')).toBe(!is('eq'));
        expect(is('sa') && is('eb')).toBe(false);
        if (is('sa')) expect(is('gt')).toBe(true);
        if (is('eb')) expect(is('lt')).toBe(true);
        expect(is('ge')).toBe(is('gt') || is('eq'));
        expect(is('le')).toBe(is('lt') || is('eq'));
        if (!is('sa') && !is('eb')) expect(is('ap')).toBe(true);
      }),
    );
  });
});
