import { describe, expect, test } from '@jest/globals';
import { SearchParameters } from '../../src/fhir/search/parameters.ts';
import { canonicalUnits, type SearchValue } from '../../src/fhir/search/values.ts';
import type { Resource } from '../../src/fhir/types.ts';
import { Zone } from '../../src/fhir/zone.ts';

const parameters = new SearchParameters(new Zone('Asia/Shanghai'));
const ucum = 'http://unitsofmeasure.org';

function values(resource: Resource, code: string): SearchValue[] {
  return parameters
    .extract(resource)
    .filter((row) => row.parameter.code === code)
    .map((row) => row.value);
}

/** `low..high system|code` of each quantity. */
function quantities(value: object): string[] {
  return values({ resourceType: 'Observation', ...value }, 'value-quantity').map((it) =>
    it.kind === 'quantity'
      ? `${it.low}..${it.high} ${it.system === canonicalUnits ? 'base' : it.system}|${it.code}`
      : it.kind,
  );
}

describe('a quantity', () => {
  test('has a row as written, one in the words of people, and one in base units', () => {
    expect(quantities({ valueQuantity: { value: 37, unit: '°C', system: ucum, code: 'Cel' } })).toEqual([
      `37..37 ${ucum}|Cel`,
      '37..37 |°C',
      '310.15..310.15 base|K1',
    ]);
    expect(quantities({ valueQuantity: { value: 5.4, unit: 'mg', system: ucum, code: 'mg' } })).toEqual([
      `5.4..5.4 ${ucum}|mg`,
      '0.0054..0.0054 base|g1',
    ]);
  });

  test.each([
    ['no unit', { value: 5 }, ['5..5 |']],
    ['a unit of people', { value: 5, unit: 'spoons' }, ['5..5 |', '5..5 |spoons']],
    ['another system', { value: 5, system: 'urn:s', code: 'mg' }, ['5..5 urn:s|mg']],
    ['a unit that UCUM does not know', { value: 5, system: ucum, code: 'spoons' }, [`5..5 ${ucum}|spoons`]],
    ['no value', { unit: 'mg', system: ucum, code: 'mg' }, []],
    ['zero', { value: 0, system: ucum, code: '%' }, [`0..0 ${ucum}|%`, '0..0 base|1']],
  ])('with %s is kept as far as it goes', (_, valueQuantity, expected) => {
    expect(quantities({ valueQuantity })).toEqual(expected);
  });

  test.each([
    ['<', '-1e+300..5'],
    ['<=', '-1e+300..5'],
    ['>', '5..1e+300'],
    ['>=', '5..1e+300'],
  ])('with the comparator %s is open at one end', (comparator, range) => {
    expect(quantities({ valueQuantity: { value: 5, comparator } })).toEqual([`${range} |`]);
    const [, base] = quantities({ valueQuantity: { value: 5, comparator, system: ucum, code: 'Cel' } });
    expect(base).toBe(`${range.replace(/\b5\b/, '278.15')} base|K1`);
  });

  test('of sampled data spans the samples', () => {
    const data = {
      origin: { value: 10, system: ucum, code: 'mg' },
      period: 1,
      factor: 2,
      dimensions: 1,
      data: '1 E 3 -2 U',
    };
    expect(quantities({ valueSampledData: data })).toEqual([`6..16 ${ucum}|mg`, '0.006..0.016 base|g1']);
    expect(quantities({ valueSampledData: { ...data, data: 'E U L' } })).toEqual([]);
  });

  test('of money goes by its currency', () => {
    const [value] = values({ resourceType: 'Invoice', totalNet: { value: 9.5, currency: 'CNY' } }, 'totalnet');
    expect(value).toEqual({ kind: 'quantity', low: 9.5, high: 9.5, system: 'urn:iso:std:iso:4217', code: 'CNY' });
  });

  test('of a range spans it, open where it has no end', () => {
    const context = (valueRange: object): SearchValue[] =>
      values({ resourceType: 'ValueSet', useContext: [{ code: { code: 'age' }, valueRange }] }, 'context-quantity');
    const year = { system: ucum, code: 'a' };
    expect(context({ low: { value: 10, ...year }, high: { value: 20, ...year } })[0]).toMatchObject({
      low: 10,
      high: 20,
      code: 'a',
    });
    expect(context({ low: { value: 10, ...year } })[0]).toMatchObject({ low: 10, high: 1e300 });
    expect(context({ high: { value: 20, ...year } })[0]).toMatchObject({ low: -1e300, high: 20 });
    expect(context({})).toEqual([]);
  });
});

describe('a number', () => {
  const probability = (prediction: object): SearchValue[] =>
    values({ resourceType: 'RiskAssessment', prediction: [prediction] }, 'probability');

  test('is a point, a range has both of its ends', () => {
    expect(probability({ probabilityDecimal: 0.1 })).toEqual([{ kind: 'number', low: 0.1, high: 0.1 }]);
    expect(probability({ probabilityRange: { low: { value: 1 }, high: { value: 2 } } })).toEqual([
      { kind: 'number', low: 1, high: 2 },
    ]);
    expect(probability({ qualitativeRisk: {} })).toEqual([]);
  });
});

describe('a position', () => {
  test('is latitude and longitude, or nothing', () => {
    const position = (value: object): SearchValue[] => values({ resourceType: 'Location', position: value }, 'near');
    expect(position({ latitude: 1.5, longitude: -2 })).toEqual([{ kind: 'position', latitude: 1.5, longitude: -2 }]);
    expect(position({ latitude: 1 })).toEqual([]);
  });
});

describe('a composite', () => {
  const component = (code: string, value: number): object => ({
    code: { coding: [{ code }] },
    valueQuantity: { value, system: 'urn:s', code: 'u' },
  });
  const pairs = (resource: object, code: string): string[] =>
    values({ resourceType: 'Observation', ...resource }, code).map((it) =>
      it.kind === 'composite'
        ? it.parts
            .map((part) => (part.kind === 'token' ? part.code : part.kind === 'quantity' ? part.low : part.kind))
            .join('$')
        : it.kind,
    );

  test('has the values of one element together, never those of two', () => {
    expect(pairs({ component: [component('a', 1), component('b', 2)] }, 'component-code-value-quantity')).toEqual([
      'a$1',
      'b$2',
    ]);
  });

  test('has every combination of what one element says', () => {
    const code = { coding: [{ code: 'a' }, { code: 'b' }] };
    expect(pairs({ code, valueQuantity: { value: 1, unit: 'x' } }, 'code-value-quantity')).toEqual([
      'a$1',
      'a$1',
      'b$1',
      'b$1',
    ]);
    expect(pairs({ code, valueString: 'x' }, 'code-value-string')).toEqual(['a$string', 'b$string']);
  });

  test('looks at the resource and its components where it says so', () => {
    const resource = { code: { coding: [{ code: 'a' }] }, valueQuantity: { value: 1 }, component: [component('b', 2)] };
    expect(pairs(resource, 'combo-code-value-quantity')).toEqual(['a$1', 'b$2']);
    expect(pairs(resource, 'code-value-quantity')).toEqual(['a$1']);
  });

  test('without one of its parts is none', () => {
    expect(pairs({ code: { coding: [{ code: 'a' }] } }, 'code-value-quantity')).toEqual([]);
    expect(pairs({ code: { text: 'a' }, valueQuantity: { value: 1 } }, 'code-value-quantity')).toEqual([]);
  });

  test('has no more combinations than an index bears', () => {
    const code = { coding: Array.from({ length: 100 }, (_, i) => ({ code: `c${i}` })) };
    const valueCodeableConcept = { coding: Array.from({ length: 100 }, (_, i) => ({ code: `v${i}` })) };
    expect(pairs({ code, valueCodeableConcept }, 'code-value-concept').length).toBeLessThanOrEqual(200);
  });

  test('of DocumentReference.relationship is a code and a reference', () => {
    const relatesTo = [{ code: 'replaces', target: { reference: 'DocumentReference/1' } }];
    expect(values({ resourceType: 'DocumentReference', relatesTo }, 'relationship')).toEqual([
      {
        kind: 'composite',
        parts: [
          { kind: 'token', system: '', code: 'replaces' },
          { kind: 'reference', target: 'DocumentReference', id: '1' },
        ],
      },
    ]);
  });
});
