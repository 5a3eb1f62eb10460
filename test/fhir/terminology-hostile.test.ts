import { describe, expect, test } from '@jest/globals';
import { compilePattern } from '../../src/fhir/terminology/pattern.ts';
import { Terminology } from '../../src/fhir/terminology/terminology.ts';
import type { Json } from '../../src/fhir/types.ts';
import { codes, expansion, failureOf, terminologyOf, valueSet, wardSystem, wards } from './terminology-support.ts';

const url = 'urn:big';
const whole = valueSet([{ system: url }]);
const is = (op: string, value: string): Json =>
  valueSet([{ system: url, filter: [{ property: 'concept', op, value }] }]);

function system(concept: Json[], more: Json = {}): Json {
  return { resourceType: 'CodeSystem', url, status: 'active', content: 'complete', concept, ...more };
}

/** What it takes, in ms. */
function time(action: () => unknown): number {
  const start = performance.now();
  action();
  return performance.now() - start;
}

describe('a code system of 100,000 concepts', () => {
  const big = terminologyOf(
    system(Array.from({ length: 100_000 }, (_, i) => ({ code: `C${i}`, display: `概念 ${i}` }))),
  );

  test('is paged, and refused as a whole', () => {
    expect(codes(big, whole, { offset: 99_998, count: 10 })).toEqual(['C99998', 'C99999']);
    expect(expansion(big, whole, { filter: '99999', count: 5 }).total).toBe(1);
    expect(failureOf(() => codes(big, whole))).toContain('too-costly');
    expect(failureOf(() => codes(big, whole, { count: 100_000 }))).toContain('too-costly');
  });

  test('answers for one code without a walk through all', () => {
    const ask = (): unknown => big.validateInValueSet({ valueSet: whole, system: url, code: 'C99999' });
    ask();
    expect(time(() => Array.from({ length: 1000 }, ask))).toBeLessThan(1000);
  });

  test('cannot be included again and again', () => {
    const many = valueSet(
      Array.from({ length: 1000 }, () => ({ system: url, filter: [{ property: 'code', op: 'regex', value: 'C.*' }] })),
    );
    expect(failureOf(() => codes(big, many, { count: 1 }))).toBe(
      'too-costly: the value set takes too long to work out',
    );
  });
});

describe('a hierarchy of 10,000 levels', () => {
  const deepest = 10_000;
  let nested: Json = { code: `L${deepest}` };
  for (let i = deepest - 1; i >= 0; i--) nested = { code: `L${i}`, concept: [nested] };
  const chain = Array.from({ length: deepest + 1 }, (_, i) => ({
    code: `L${i}`,
    ...(i > 0 && { property: [{ code: 'parent', valueCode: `L${i - 1}` }] }),
  }));

  test.each<[string, Json[]]>([
    ['nested', [nested]],
    ['by properties', chain],
  ])('%s, is walked without a stack', (_, concept) => {
    const deep = terminologyOf(system(concept));
    expect(deep.below(url, 'L0')).toHaveLength(deepest + 1);
    expect(deep.above(url, `L${deepest}`)).toHaveLength(deepest + 1);
    expect(deep.subsumes({ system: url, codeA: 'L0', codeB: `L${deepest}` })).toBe('subsumes');
    expect(codes(deep, is('descendent-of', 'L9000'))).toHaveLength(1000);
    expect(JSON.stringify(expansion(deep, is('is-a', 'L5000'), { excludeNested: false }))).toContain(`L${deepest}`);
  });
});

describe('hierarchies that are no trees', () => {
  test('a cycle of parents ends', () => {
    const around = terminologyOf(
      system(
        [0, 1, 2].map((i) => ({
          code: `${i}`,
          property: [
            { code: 'parent', valueCode: `${(i + 1) % 3}` },
            { code: 'parent', valueCode: `${i}` },
          ],
        })),
      ),
    );
    expect(new Set(around.below(url, '0'))).toEqual(new Set(['0', '1', '2']));
    expect(codes(around, is('is-a', '1'))).toHaveLength(3);
    expect(codes(around, is('generalizes', '1'))).toHaveLength(3);
    expect(JSON.stringify(expansion(around, whole, { excludeNested: false }))).toContain('"total":3');
  });

  test('a concept with 100,000 parents takes no square of them', () => {
    const parents = Array.from({ length: 100_000 }, (_, i) => ({ code: `P${i}` }));
    const child = { code: 'X', property: parents.map(({ code }) => ({ code: 'parent', valueCode: code })) };
    const wide = terminologyOf(system([...parents, child]));
    expect(time(() => wide.above(url, 'X'))).toBeLessThan(5000);
  });

  test('concepts named like what every object has are concepts like others', () => {
    const odd = terminologyOf(
      system([{ code: '__proto__', concept: [{ code: 'constructor' }] }, { code: 'toString' }]),
    );
    expect(codes(odd, whole)).toEqual(['__proto__', 'constructor', 'toString']);
    expect(odd.below(url, '__proto__')).toEqual(['__proto__', 'constructor']);
    expect(failureOf(() => new Terminology().lookup({ system: '__proto__', code: 'x' }))).toContain('not here');
    expect(failureOf(() => new Terminology().codesIn('constructor'))).toContain('not-found');
  });
});

describe('value sets that import one another', () => {
  const set = (name: string, include: Json[]): Json => valueSet(include, undefined, { url: name });

  test.each<[string, Json[]]>([
    ['itself', [set('urn:0', [{ valueSet: ['urn:0'] }])]],
    [
      'in a circle',
      [
        set('urn:0', [{ valueSet: ['urn:1'] }]),
        set('urn:1', [{ valueSet: ['urn:2|'] }]),
        set('urn:2', [{ valueSet: ['urn:0'] }]),
      ],
    ],
  ])('%s are refused', (_, sets) => {
    expect(failureOf(() => codes(terminologyOf(...sets), 'urn:0'))).toBe('invalid: the value set imports itself');
    // Read anew each time, as from a store.
    const fresh = new Terminology({
      valueSet: (name) => structuredClone(sets.find((it) => it.url === name)),
      codeSystem: () => undefined,
      conceptMap: () => undefined,
    });
    expect(failureOf(() => codes(fresh, 'urn:0'))).toBe('invalid: the value set imports itself');
  });

  test('too deep are refused', () => {
    const chain = Array.from({ length: 1000 }, (_, i) => set(`urn:${i}`, [{ valueSet: [`urn:${i + 1}`] }]));
    expect(failureOf(() => codes(terminologyOf(...chain), 'urn:0'))).toContain('too-costly');
  });

  test.each<[string, Json]>([
    ['held', { system: wards }],
    ['not held', { system: 'http://loinc.org' }],
  ])('twice on each of forty levels are asked once each, on a system that is %s', (_, leaf) => {
    const levels = Array.from({ length: 40 }, (_, i) =>
      set(`urn:${i}`, [{ valueSet: [`urn:${i + 1}`] }, { valueSet: [`urn:${i + 1}`, `urn:${i + 1}`] }]),
    );
    const known = terminologyOf(wardSystem, ...levels, set('urn:40', [leaf]));
    const ask = (): unknown =>
      failureOf(() => known.validateInValueSet({ valueSet: 'urn:0', system: leaf.system, code: 'NONE' }));
    expect(time(ask)).toBeLessThan(1000);
    expect(time(() => failureOf(() => codes(known, 'urn:0')))).toBeLessThan(1000);
    const anywhere = (): unknown => known.validateInValueSet({ valueSet: 'urn:0', code: 'NONE' });
    expect(time(() => failureOf(anywhere))).toBeLessThan(1000);
  });
});

describe('regular expressions', () => {
  test.each([
    '(a+)+',
    '(a*)*b',
    '(a|a)*',
    '(?=a)a',
    '(?<n>a)',
    '(a)\\1',
    '[',
    'a{1,1000}',
    '(',
    ')',
    'a)(b',
    '\\',
    'x'.repeat(201),
  ])('%s is refused', (pattern) => {
    expect(failureOf(() => compilePattern(pattern))).toMatch(/^invalid: the regular expression of a filter /);
  });

  test.each<[string, string, boolean]>([
    ['[A-Z]{3}', 'ABC', true],
    ['[A-Z]{3}', 'ABCD', false],
    ['I(10|11|12)(\\.\\d+)?', 'I11.9', true],
    ['^E1[0-4].*$', 'E11.65', true],
    ['糖尿.+|高血.', '糖尿病', true],
    ['[^\\]]\\p{Lu}?', 'aB', true],
    ['a|b|c|d|e|f|g|h|i|j|k|l|m|n|o|p', 'p', true],
  ])('%s on %s: %s', (pattern, text, expected) => {
    const compiled = compilePattern(pattern);
    expect(compiled.test(text)).toBe(expected);
    expect(compiled.steps(text.length)).toBeLessThan(10_000);
  });

  test('that could take for ever on these codes are refused before they start', () => {
    const codesOf = terminologyOf(system([{ code: 'a'.repeat(200) }]));
    const slow = valueSet([{ system: url, filter: [{ property: 'code', op: 'regex', value: `${'a*'.repeat(40)}b` }] }]);
    expect(time(() => expect(failureOf(() => codes(codesOf, slow))).toContain('too-costly'))).toBeLessThan(1000);
  });
});

test('a list of 100,000 codes with 10,000 excludes ends', () => {
  const list = valueSet(
    [{ system: 'urn:x', concept: Array.from({ length: 100_000 }, (_, i) => ({ code: `${i}` })) }],
    Array.from({ length: 10_000 }, (_, i) => ({ system: 'urn:x', concept: [{ code: `none${i}` }] })),
  );
  expect(
    time(() => expect(failureOf(() => codes(new Terminology(), list, { count: 1 }))).toContain('too-costly')),
  ).toBeLessThan(20_000);
});

test('a stored expansion of 200,000 codes is read', () => {
  const contains = [
    { display: 'all', contains: Array.from({ length: 200_000 }, (_, i) => ({ system: url, code: `${i}` })) },
  ];
  const stored = { resourceType: 'ValueSet', expansion: { timestamp: '2026', contains } };
  expect(codes(new Terminology(), stored, { offset: 199_999, count: 5 })).toEqual(['199999']);
});

test('a code that maps to 200,000 others is refused', () => {
  const target = Array.from({ length: 200_000 }, (_, i) => ({ code: `${i}`, equivalence: 'wider' }));
  const conceptMap = [
    { resourceType: 'ConceptMap', group: [{ source: url, target: url, element: [{ code: 'x', target }] }] },
  ];
  const ask = (): unknown => new Terminology().translate({ conceptMap, system: url, code: 'x' });
  expect(failureOf(ask)).toContain('too-costly');
});

test('concept maps that lead to one another many times end', () => {
  const unmapped = (i: number): Json => ({
    source: 'urn:s',
    element: [{ code: 'none' }],
    unmapped: { mode: 'other-map', url: `urn:${i + 1}` },
  });
  const maps = Array.from({ length: 30 }, (_, i) => ({
    resourceType: 'ConceptMap',
    url: `urn:${i}`,
    group: [unmapped(i), unmapped(i)],
  }));
  const known = terminologyOf(...maps, { resourceType: 'ConceptMap', url: 'urn:30', group: [] });
  expect(failureOf(() => known.translate({ conceptMap: 'urn:0', system: 'urn:s', code: 'x' }))).toContain('too-costly');
});
