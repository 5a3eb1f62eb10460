import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { SearchParameters } from '../../src/fhir/search/parameters.ts';
import { rowKey, type SearchValue, type TextValue, wordsOf } from '../../src/fhir/search/values.ts';
import type { Resource } from '../../src/fhir/types.ts';
import { Zone } from '../../src/fhir/zone.ts';
import { indexKey } from '../../src/store/index-key.ts';

const parameters = new SearchParameters(new Zone('Asia/Shanghai'));

function values(resource: Resource, code: string): SearchValue[] {
  return parameters
    .extract(resource)
    .filter((row) => row.parameter.code === code)
    .map((row) => row.value);
}

describe('words', () => {
  test.each([
    ['Walks with a CANE, slowly.', ['walks', 'with', 'a', 'cane', 'slowly']],
    ['Ångström Ｌｉ é', ['angstrom', 'li', 'e']],
    ["O'Neil x-ray 3.5 mg/dL", ['o', 'neil', 'x', 'ray', '3', '5', 'mg', 'dl']],
    ['三十分', ['三', '十', '三十', '分', '十分']],
    ['每天30分钟', ['每', '天', '每天', '30', '分', '钟', '分钟']],
    ['B超检查', ['b', '超', '检', '超检', '查', '检查']],
    ['\u{1F600} -- ** ""', []],
    ['', []],
  ])('of %j are %j', (text, words) => {
    expect([...wordsOf(text)]).toEqual(words);
  });

  test('of a part are words of the whole, so that a part is found', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('张', '伟', '医', '院', '检'), { minLength: 3, maxLength: 12 }),
        fc.nat(),
        fc.nat(),
        (all, a, b) => {
          const [from, to] = [a % all.length, b % all.length].sort((x, y) => x - y) as [number, number];
          const whole = wordsOf(all.join(''));
          for (const word of wordsOf(all.slice(from, to + 1).join(''))) expect(whole.has(word)).toBe(true);
        },
      ),
    );
  });

  test('are letters and digits alone, as a full-text index takes them', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        for (const word of wordsOf(text)) expect(word).toMatch(/^[\p{L}\p{N}]+$/u);
      }),
      // A radical is of the Han script and no letter.
      { examples: [['\u2e80'], ['张\u2e80伟']] },
    );
  });

  test('of a long text end somewhere', () => {
    const many = Array.from({ length: 100_000 }, (_, i) => `w${i}`).join(' ');
    expect(wordsOf(many).size).toBeLessThan(30_000);
    expect([...wordsOf('x'.repeat(10_000))][0]).toHaveLength(64);
  });
});

describe('the content of a resource', () => {
  const resource = {
    resourceType: 'Patient',
    id: 'hidden',
    meta: { versionId: '7', profile: ['http://hidden'], tag: [{ id: 'hidden', code: 'hidden' }] },
    text: {
      status: 'generated',
      div: '<div xmlns="http://www.w3.org/1999/xhtml" class="hidden">Seen <b>bold</b>ly</div>',
    },
    name: [{ use: 'official', family: 'Doe', given: ['Jane'] }],
    managingOrganization: { reference: 'Organization/hidden', display: 'Renhe' },
    contact: [{ relationship: [{ coding: [{ system: 'urn:hidden', code: 'hidden', display: 'Mother' }] }] }],
  };

  test('is what people read: the narrative, names, displays; not what machines do', () => {
    const words = (code: string) => values(resource, code).map((it) => [...wordsOf((it as TextValue).text)].join(' '));
    expect(words('_content')).toEqual(['seen bold ly doe jane renhe mother']);
    expect(words('_text')).toEqual(['seen bold ly']);
  });

  test('of a narrative that was made to hurt is there soon', () => {
    const begun = performance.now();
    for (const div of ['<'.repeat(300_000), '<a '.repeat(100_000), '>'.repeat(300_000)])
      expect(values({ resourceType: 'Patient', text: { div } }, '_text').length).toBeLessThan(2);
    expect(performance.now() - begun).toBeLessThan(1000);
  });

  test('is nothing when there is nothing to read', () => {
    expect(values({ resourceType: 'Patient', active: true }, '_content')).toEqual([]);
    expect(values({ resourceType: 'Patient', active: true }, '_text')).toEqual([]);
  });
});

describe('what a modifier looks at', () => {
  const patient = {
    resourceType: 'Patient',
    maritalStatus: { text: 'Wed', coding: [{ display: 'Married', code: 'M' }, { display: 'Wed' }] },
    identifier: [
      {
        type: { text: 'Record', coding: [{ system: 'urn:t', code: 'MR' }, { code: 'XX' }] },
        system: 'urn:s',
        value: '1',
      },
      { value: '2' },
    ],
    managingOrganization: { identifier: { system: 'urn:o', value: '9' } },
    language: 'en',
  };

  test('of :text is what is displayed', () => {
    expect(values(patient, 'identifier:text')).toEqual([{ kind: 'string', norm: 'record', text: 'Record' }]);
    const condition = { resourceType: 'Condition', code: patient.maritalStatus };
    expect(values(condition, 'code:text').map((it) => it.kind === 'string' && it.text)).toEqual(['Wed', 'Married']);
  });

  test('of :of-type is the type with the value', () => {
    expect(values(patient, 'identifier:of-type')).toEqual([
      { kind: 'token', system: 'urn:t|MR', code: '1' },
      { kind: 'token', system: '|XX', code: '1' },
    ]);
  });

  test('of :identifier is the identifier of the reference', () => {
    expect(values(patient, 'organization:identifier')).toEqual([{ kind: 'token', system: 'urn:o', code: '9' }]);
    expect(values(patient, 'organization')).toEqual([]);
  });
});

const text = fc.string({ unit: fc.constantFrom('a', '|', '$', ' ', '1', '.', '\0', '\ud800'), maxLength: 6 });
const token = fc.record({ kind: fc.constant('token' as const), system: text, code: text });
const quantity = fc.record({
  kind: fc.constant('quantity' as const),
  low: fc.nat(3),
  high: fc.nat(3),
  system: text,
  code: text,
});
const reference = fc.record({
  kind: fc.constant('reference' as const),
  target: fc.constantFrom('', 'Patient'),
  id: text,
});

describe('the key of a value', () => {
  test.each<[string, fc.Arbitrary<SearchValue>]>([
    ['token', token],
    ['quantity', quantity],
    ['reference', reference],
    ['composite', fc.record({ kind: fc.constant('composite' as const), parts: fc.tuple(token, quantity) })],
    [
      'composite of three',
      fc.record({ kind: fc.constant('composite' as const), parts: fc.tuple(token, token, token) }),
    ],
  ])('is that of no other %s', (_, value) => {
    fc.assert(
      fc.property(value, value, (a, b) => {
        expect(rowKey(a) === rowKey(b)).toBe(JSON.stringify(a) === JSON.stringify(b));
      }),
      { numRuns: 1000 },
    );
  });

  test('in an index is short, sound, and that of no other text', () => {
    const long = fc
      .tuple(fc.constantFrom('a', '张', '\u{1F600}', '\0', '\ud800'), fc.nat(400), text)
      .map(([head, n, tail]) => head.repeat(n) + tail);
    fc.assert(
      fc.property(long, long, (a, b) => {
        const key = indexKey(a);
        expect(Buffer.byteLength(key)).toBeLessThanOrEqual(1200);
        expect(key.isWellFormed() && !key.includes('\0')).toBe(true);
        // Halves of characters are one and the same in UTF-8.
        expect(key === indexKey(b)).toBe(a.toWellFormed() === b.toWellFormed());
      }),
      { numRuns: 1000 },
    );
    expect(indexKey('urn:oid:1.2')).toBe('urn:oid:1.2');
  });
});
