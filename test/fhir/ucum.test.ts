import { describe, expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import { toBaseUnits } from '../../src/fhir/search/ucum.ts';

describe('a quantity in base units', () => {
  test.each([
    [5.4, 'mg', 0.0054, 'g'],
    [23, 'mm/h', 0.23, 'm/h'],
    [120, 'mm[Hg]', 15.99864, 'kPa'],
    [98.6, '[degF]', 37, 'Cel'],
    [90, '/min', 1.5, '/s'],
    [7, 'd', 168, 'h'],
    [40, '%', 0.4, '1'],
    [1, '[lb_av]', 453.59237, 'g'],
    [5, 'mmol/L', 5000, 'umol/L'],
    [1, 'kg/m2', 1000, 'g/m2'],
  ])('of %d %s is that of %d %s', (value, unit, other, otherUnit) => {
    const [a, b] = [toBaseUnits(value, unit), toBaseUnits(other, otherUnit)];
    expect(a?.code).toBe(b?.code);
    expect(a?.value).toBeCloseTo(b?.value as number, 2);
  });

  test('has no dust of binary fractions', () => {
    expect(toBaseUnits(5.4, 'mg')).toEqual({ value: 0.0054, code: 'g1' });
    expect(toBaseUnits(0.1, 'cm')).toEqual({ value: 0.001, code: 'm1' });
  });

  test.each([
    ['mg', 'mmol'],
    ['m', 's'],
    ['g', 'g/L'],
    ['[iU]', 'mol'],
  ])('tells %s from %s', (a, b) => {
    expect(toBaseUnits(1, a)?.code).not.toBe(toBaseUnits(1, b)?.code);
  });

  test.each(['', 'bushels', 'MG ', 'constructor', '__proto__', '(', 'm'.repeat(51), '10*', 'mg/'])(
    'of %j is none, or one that is sound',
    (unit) => {
      const found = toBaseUnits(1, unit);
      if (found) expect(Number.isFinite(found.value)).toBe(true);
      else expect(found).toBeUndefined();
    },
  );

  test('is never what no database can hold', () => {
    for (const [value, unit] of [
      [1e308, 'Ym'],
      [-1e10, '[pH]'],
      [1e300, 'Ym9'],
      [Number.NaN, 'g'],
    ] as const) {
      const found = toBaseUnits(value, unit);
      expect(found === undefined || Number.isFinite(found.value)).toBe(true);
    }
  });

  test('keeps the order of what it converts', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('mg', 'Cel', '[degF]', 'mm[Hg]', '/min'),
        fc.double({ min: -1000, max: 1000, noNaN: true }),
        fc.double({ min: 0.001, max: 1000, noNaN: true }),
        (unit, value, more) => {
          const [low, high] = [toBaseUnits(value, unit), toBaseUnits(value + more, unit)];
          expect(low && high && low.value < high.value).toBe(true);
        },
      ),
    );
  });

  test('of any text ends soon, and says nothing of it to the world', () => {
    const printed = jest.spyOn(console, 'log').mockImplementation(() => {});
    const begun = performance.now();
    const character = fc.constantFrom(...'mgk/.()12{}[]-*%_^ 张');
    fc.assert(
      fc.property(fc.string({ unit: character, maxLength: 60 }), (unit) => {
        toBaseUnits(1, unit);
      }),
      { numRuns: 1000, examples: [['mm Hg'], ['()'], ['{a}b'], ['*.{g*1./}1'], [' mg ']] },
    );
    expect(performance.now() - begun).toBeLessThan(5000);
    expect(printed).not.toHaveBeenCalled();
    printed.mockRestore();
  });
});
