import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { dateRange, type Range } from '../../src/fhir/search/date-range.ts';
import { type FilterValue, prefixes } from '../../src/fhir/search/filter.ts';
import { dateMatches, numberMatches } from '../../src/fhir/search/match.ts';
import { SearchParameters } from '../../src/fhir/search/parameters.ts';
import { parseQuery } from '../../src/fhir/search/query.ts';
import { canonicalUnits } from '../../src/fhir/search/values.ts';
import { Zone } from '../../src/fhir/zone.ts';

const base = 'https://here.example/fhir/';
const parameters = new SearchParameters(new Zone('Asia/Shanghai'), () => base);

function values(search: string): readonly FilterValue[] {
  const [type = '', text = ''] = search.split(/\?(.*)/s, 2);
  const [filter] = parseQuery(type, new URLSearchParams(text), parameters).branches[0]?.filters ?? [];
  return filter?.kind === 'values' ? filter.values : [];
}

function refused(search: string): void {
  expect(() => values(search)).toThrow(expect.objectContaining({ kind: 'malformed' }));
}

describe('a value', () => {
  const token = (code: string, system?: string): FilterValue => ({ kind: 'token', system, code });

  test('that is escaped keeps the commas, bars, dollars and backslashes', () => {
    expect(values('Patient?identifier=a\\,b,c')).toEqual([token('a,b'), token('c')]);
    expect(values('Patient?identifier=s\\|t|c\\|d')).toEqual([token('c|d', 's|t')]);
    expect(values('Patient?identifier=s\\\\|c\\\\,d')).toEqual([token('c\\', 's\\'), token('d')]);
    expect(values('Patient?identifier=\\')).toEqual([token('\\')]);
    expect(values('Patient?name=a\\$b\\\\c')).toMatchObject([{ text: 'a$b\\c' }]);
    expect(values('Observation?code-value-string=a\\$b$c\\,d')).toMatchObject([
      { parts: [token('a$b'), { text: 'c,d' }] },
    ]);
  });

  test('that is empty among others is left out', () => {
    expect(values('Patient?identifier=,a,,b,')).toEqual([token('a'), token('b')]);
  });

  test('of a token tells apart no system, a system alone, and any system', () => {
    expect(values('Patient?identifier=|1')).toEqual([token('1', '')]);
    expect(values('Patient?identifier=urn:s|')).toEqual([{ kind: 'token', system: 'urn:s', code: undefined }]);
    expect(values('Patient?identifier=1')).toEqual([token('1')]);
    expect(values('Patient?identifier=urn:s|a|b')).toEqual([token('a|b', 'urn:s')]);
  });

  test.each(['́', '%00', '%00%00,%CC%81'])('of a string with nothing to search for (%s) is refused', (text) => {
    refused(`Patient?name=${text}`);
    refused(`Patient?name:contains=${text}`);
    refused(`Patient?name:exact=${text}`);
    refused(`Patient?identifier:text=${text}`);
  });

  test.each(['|', 's|c', 's|c|', 's||v', 's|c|v|w', 'v'])('of-type %s is refused', (text) =>
    refused(`Patient?identifier:of-type=${text}`),
  );
});

describe('a reference', () => {
  const reference = (target: string | undefined, id: string): FilterValue => ({ kind: 'reference', target, id });

  test.each([
    ['Encounter?subject=Patient/1', reference('Patient', '1')],
    ['Encounter?subject:Group=1', reference('Group', '1')],
    ['Encounter?subject:Group=Group/1', reference('Group', '1')],
    ['Encounter?subject=1', reference(undefined, '1')],
    ['Patient?organization=1', reference('Organization', '1')],
    ['Provenance?target=Patient/1/_history/2', reference('Patient', '1/_history/2')],
    ['Encounter?subject=https://there.example/Patient/1', reference('', 'https://there.example/Patient/1')],
    ['CarePlan?instantiates-canonical=http://x.example/p|1', reference('', 'http://x.example/p|1')],
    [`Encounter?subject=${base}Patient/1`, reference('Patient', '1')],
    [`Encounter?subject:Patient=${base}Patient/1`, reference('Patient', '1')],
  ])('%s is read', (search, expected) => {
    expect(values(search)).toEqual([expected]);
  });

  test('to this server is known as such wherever it stands', () => {
    expect(values(`Encounter?subject=Group/1,${base}Patient/1`)).toEqual([
      reference('Group', '1'),
      reference('Patient', '1'),
    ]);
    const [chain] =
      parseQuery('Observation', [['encounter.subject', `${base}Patient/1`]], parameters).branches[0]?.filters ?? [];
    expect(chain).toMatchObject({ filters: [{ values: [reference('Patient', '1')] }] });
  });

  test('of another type than the modifier says is refused', () => {
    refused('Encounter?subject:Group=Patient/1');
    refused(`Encounter?subject:Group=${base}Patient/1`);
  });
});

describe('a number', () => {
  // R4 search.html#number.
  test.each([
    ['100', 99.5, 100.5],
    ['100.00', 99.995, 100.005],
    ['1e2', 95, 105],
    ['1.00e2', 99.5, 100.5],
    ['0.1', 0.05, 0.15],
    ['-2.5', -2.55, -2.45],
    ['5.40e-3', 0.005395, 0.005405],
    ['0', -0.5, 0.5],
  ])('%s is from %d until before %d', (text, low, high) => {
    expect(values(`RiskAssessment?probability=${text}`)).toEqual([
      { kind: 'number', prefix: 'eq', low, high, value: Number(text) },
    ]);
  });

  test.each([
    ['ap100', 90, 110],
    ['ap-100', -110, -90],
    ['ap0.3', 0.27, 0.33],
  ])('%s is a tenth around: from %d to %d', (text, low, high) => {
    expect(values(`RiskAssessment?probability=${text}`)).toMatchObject([{ prefix: 'ap', low, high }]);
  });

  test.each([
    '',
    'eq',
    'x',
    '1,',
    '--1',
    '1.',
    '.5',
    '1e',
    '0x10',
    'Infinity',
    'NaN',
    '1e999',
    '1 2',
    'eqeq1',
    '１',
    `1${'0'.repeat(50)}`,
  ])('%j is none', (text) => {
    if (text === '') expect(values('RiskAssessment?probability=')).toEqual([]);
    else if (text === '1,') expect(values('RiskAssessment?probability=1,')).toHaveLength(1);
    else refused(`RiskAssessment?probability=${text}`);
  });

  test('of any digits finds itself, and is neither above nor below itself', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e30, max: 1e30 }), (number) => {
        const text = String(number).replace('e+', 'e');
        const is = (prefix: string): boolean => {
          const [value] = values(`RiskAssessment?probability=${prefix}${text}`);
          return value?.kind === 'number' && numberMatches(value, { low: number, high: number });
        };
        expect([text, ...['eq', 'ge', 'le', 'ap', 'ne', 'gt', 'lt', 'sa', 'eb'].map(is)]).toEqual([
          text,
          ...[true, true, true, true, false, false, false, false, false],
        ]);
      }),
    );
  });
});

describe('a quantity', () => {
  const ucum = 'http://unitsofmeasure.org';
  const found = (text: string): FilterValue | undefined =>
    values(`Observation?value-quantity=${encodeURIComponent(text)}`)[0];

  test('without a unit, with the system alone, with the unit alone, and with both', () => {
    expect(found('5.4')).toMatchObject({ system: undefined, code: undefined });
    expect(found('5.4||')).toMatchObject({ system: undefined, code: undefined });
    expect(found('5.4|urn:s|')).toMatchObject({ system: 'urn:s', code: undefined });
    expect(found('5.4||mg')).toMatchObject({ system: undefined, code: 'mg' });
    expect(found('lt5.4|urn:s|mg')).toMatchObject({ prefix: 'lt', system: 'urn:s', code: 'mg', value: 5.4 });
  });

  test('of UCUM is in base units, with the digits that it was written with', () => {
    expect(found(`5.4|${ucum}|mg`)).toEqual({
      kind: 'quantity',
      prefix: 'eq',
      system: canonicalUnits,
      code: 'g1',
      low: 0.00535,
      high: 0.00545,
      value: 0.0054,
    });
    expect(found(`37.0|${ucum}|Cel`)).toMatchObject({ code: 'K1', low: 310.1, high: 310.2, value: 310.15 });
  });

  test('around a value is a tenth of what was written, not of its base units', () => {
    expect(found(`ap30|${ucum}|Cel`)).toMatchObject({ low: 300.15, high: 306.15 });
  });

  test('of a unit that UCUM does not know, or that runs backwards, stays as written', () => {
    expect(found(`5|${ucum}|bushels`)).toMatchObject({ system: ucum, code: 'bushels', value: 5 });
    expect(found(`7|${ucum}|[pH]`)).toMatchObject({ system: ucum, code: '[pH]', value: 7 });
  });

  test('with more digits than a unit keeps still has room for itself', () => {
    const value = found(`5.123456789012345|${ucum}|mg`);
    expect(value?.kind === 'quantity' && value.low <= value.value && value.value < value.high).toBe(true);
  });

  test.each(['', 'x', '|mg', '5|mg', '5|a|b|c', 'x|a|b', 'lt', '1e999|a|b'])('%j is none', (text) => {
    if (text === '') expect(found('')).toBeUndefined();
    else expect(() => found(text)).toThrow(expect.objectContaining({ kind: 'malformed' }));
  });
});

describe('a composite', () => {
  test('has a value of its own kind for each part', () => {
    expect(values('Observation?code-value-quantity=http://loinc.org|1$gt5.4||mg')).toMatchObject([
      {
        kind: 'composite',
        parts: [
          { kind: 'token', system: 'http://loinc.org', code: '1' },
          { kind: 'quantity', prefix: 'gt', code: 'mg' },
        ],
      },
    ]);
    expect(values('MolecularSequence?chromosome-variant-coordinate=17$ge1$lt2')).toMatchObject([
      { parts: [{ kind: 'token' }, { kind: 'number', prefix: 'ge' }, { kind: 'number', prefix: 'lt' }] },
    ]);
    expect(values('DocumentReference?relationship=replaces$DocumentReference/1')).toMatchObject([
      { parts: [{ kind: 'token' }, { kind: 'reference' }] },
    ]);
  });

  test.each(['a', 'a$1$2', '$', 'a$', 'a$x'])('of %s is refused', (text) =>
    refused(`Observation?code-value-quantity=${text}`),
  );
});

describe('near', () => {
  const near = (text: string): FilterValue | undefined => values(`Location?near=${text}`)[0];

  test.each([
    ['1|2', 5],
    ['1|2|3', 3],
    ['1|2|3|km', 3],
    ['1|2|300|m', 0.3],
    ['1|2|1|[mi_us]', 1.609344],
    ['1|2|0|km', 0],
  ])('%s is within %d km', (text, km) => {
    expect(near(text)).toEqual({ kind: 'position', latitude: 1, longitude: 2, km });
  });

  test('may be south and west', () => {
    expect(near('-90|-180')).toMatchObject({ latitude: -90, longitude: -180 });
  });

  test.each(['1', '91|0', '0|181', 'a|b', '1|2|-1', '1|2|3|parsec', '1|2|3|toString', '|', '1|'])(
    '%s is refused',
    (text) => refused(`Location?near=${text}`),
  );
});

describe('a uri', () => {
  const codes = (search: string): unknown[] =>
    values(search).map((it) => (it.kind === 'prefix' ? `${it.text}…` : it.kind === 'token' && it.code));

  test('is itself, what begins with it, or what it begins with', () => {
    expect(codes('ValueSet?url=http://a.example/b')).toEqual(['http://a.example/b']);
    expect(codes('ValueSet?url:below=http://a.example/b')).toEqual(['http://a.example/b…']);
    expect(codes('ValueSet?url:above=http://a.example/b')).toEqual([
      'http:',
      'http:/',
      'http://',
      'http://a.example',
      'http://a.example/',
      'http://a.example/b',
    ]);
  });
});

describe('a concept', () => {
  test('is kept for the terminology to look up', () => {
    expect(values('Observation?code:in=http://v.example|2')).toEqual([
      { kind: 'concept', relation: 'in', url: 'http://v.example|2', code: '' },
    ]);
    expect(values('Observation?code:below=http://s.example|c\\|d')).toEqual([
      { kind: 'concept', relation: 'below', url: 'http://s.example', code: 'c|d' },
    ]);
    expect(values('Observation?code:above=http://s.example|c')).toMatchObject([{ relation: 'above' }]);
  });

  test('without a code is refused', () => {
    refused('Observation?code:below=http://s.example|');
    refused('Observation?code:above=c');
  });
});

describe('_lastUpdated', () => {
  const at = Date.parse('2026-03-16T02:00:00.000Z');
  const stored = [-2000, -1000, -1, 0, 1, 999, 1000, 1001, 2000, 86_400_000].map((ms) => ({
    low: at + ms,
    high: at + ms + 1,
  }));

  test.each(prefixes)('with %s is compared as every date is', (prefix) => {
    for (const text of [
      '2026-03-16T10:00:00+08:00',
      '2026-03-16T02:00:00.001Z',
      '2026-03-16',
      '2026-03',
      '2027',
      '2026-03-16T02:00Z',
    ]) {
      const [value] = values(`Patient?_lastUpdated=${prefix}${encodeURIComponent(text)}`);
      const plain = { prefix, ...(dateRange(text, parameters.zone) as Range) };
      expect([text, ...stored.map((row) => value?.kind === 'date' && dateMatches(value, row))]).toEqual([
        text,
        ...stored.map((row) => dateMatches(plain, row)),
      ]);
    }
  });
});
