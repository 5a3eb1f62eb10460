import { describe, expect, test } from '@jest/globals';
import { Terminology } from '../../src/fhir/terminology/terminology.ts';
import type { Json } from '../../src/fhir/types.ts';
import { failureOf, terminologyOf } from './terminology-support.ts';

const shipped = new Terminology();
const use = 'http://hl7.org/fhir/address-use';
const v3Use = 'http://terminology.hl7.org/CodeSystem/v3-AddressUse';
const map101 = 'http://hl7.org/fhir/ConceptMap/101';

const local: Json = {
  resourceType: 'ConceptMap',
  url: 'urn:map',
  sourceUri: 'urn:vs:ours',
  targetUri: 'urn:vs:theirs',
  group: [
    {
      source: 'urn:ours',
      target: 'urn:theirs',
      targetVersion: '2',
      element: [
        {
          code: 'a',
          target: [
            { code: 'A', display: '甲', equivalence: 'equal' },
            { code: 'AB', equivalence: 'wider', product: [{ property: 'urn:p', value: 'v' }] },
          ],
        },
        { code: 'b', target: [{ equivalence: 'unmatched' }] },
        {
          code: 'c',
          target: [{ code: 'C', equivalence: 'equivalent', dependsOn: [{ property: 'urn:sex', value: 'female' }] }],
        },
      ],
      unmapped: { mode: 'other-map', url: 'urn:rest' },
    },
  ],
};
const rest: Json = {
  resourceType: 'ConceptMap',
  url: 'urn:rest',
  group: [
    {
      source: 'urn:ours',
      target: 'urn:theirs',
      element: [{ code: 'd', target: [{ code: 'D', equivalence: 'inexact' }] }],
      unmapped: { mode: 'fixed', code: 'OTHER', display: 'other' },
    },
    { source: 'urn:ours', target: 'urn:copy', element: [{ code: 'd' }], unmapped: { mode: 'provided' } },
    {
      source: 'urn:ours',
      target: 'urn:loop',
      element: [{ code: 'zz' }],
      unmapped: { mode: 'other-map', url: 'urn:map' },
    },
  ],
};
const ours = terminologyOf(local, rest);
const asked = { conceptMap: 'urn:map', system: 'urn:ours', targetSystem: 'urn:theirs' };

describe('the maps of the specification', () => {
  test('translate by the URL of the map, and back', () => {
    expect(shipped.translate({ conceptMap: map101, system: use, code: 'home' })).toEqual({
      result: true,
      match: [{ equivalence: 'equivalent', concept: { system: v3Use, code: 'H', display: 'home' }, source: map101 }],
    });
    expect(shipped.translate({ conceptMap: map101, system: v3Use, code: 'H', reverse: true }).match).toMatchObject([
      { equivalence: 'equivalent', concept: { system: use, code: 'home' } },
    ]);
  });

  test.each<[string, Json]>([
    [
      'by source and target',
      {
        source: 'http://hl7.org/fhir/ValueSet/administrative-gender',
        target: 'http://terminology.hl7.org/ValueSet/v2-0001',
      },
    ],
    [
      'by source and target system',
      {
        source: 'http://hl7.org/fhir/ValueSet/administrative-gender|4.0.1',
        targetSystem: 'http://terminology.hl7.org/CodeSystem/v2-0001',
      },
    ],
  ])('translate %s', (_, ends) => {
    const coding = { system: 'http://hl7.org/fhir/administrative-gender', code: 'female' };
    expect(shipped.translate({ ...ends, coding }).match).toMatchObject([{ concept: { code: 'F' } }]);
  });
});

describe('a map of a client', () => {
  test('gives every match with its version and its products', () => {
    expect(ours.translate({ ...asked, code: 'a' })).toEqual({
      result: true,
      match: [
        {
          equivalence: 'equal',
          concept: { system: 'urn:theirs', version: '2', code: 'A', display: '甲' },
          source: 'urn:map',
        },
        {
          equivalence: 'wider',
          concept: { system: 'urn:theirs', version: '2', code: 'AB' },
          product: [{ property: 'urn:p', value: 'v' }],
          source: 'urn:map',
        },
      ],
    });
  });

  test('reads wider as narrower on the way back', () => {
    const back = ours.translate({ conceptMap: 'urn:map', system: 'urn:theirs', code: 'AB', reverse: true });
    expect(back.match).toEqual([
      { equivalence: 'narrower', concept: { system: 'urn:ours', code: 'a' }, source: 'urn:map' },
    ]);
  });

  test('may say that there is nothing', () => {
    expect(ours.translate({ ...asked, code: 'b' })).toEqual({
      result: false,
      match: [{ equivalence: 'unmatched', source: 'urn:map' }],
    });
  });

  test('may depend on another element', () => {
    const without = ours.translate({
      conceptMap: [{ ...local, group: [{ ...local.group[0], unmapped: undefined }] }],
      system: 'urn:ours',
      code: 'c',
    });
    expect(without).toMatchObject({ result: false, message: expect.stringContaining('depends'), match: [] });
    const dependency = [{ element: 'urn:sex', concept: { coding: [{ code: 'female' }] } }];
    expect(ours.translate({ ...asked, code: 'c', dependency }).match).toMatchObject([{ concept: { code: 'C' } }]);
    const other = [{ element: 'urn:sex', concept: { coding: [{ code: 'male' }] } }];
    expect(ours.translate({ ...asked, code: 'c', dependency: other }).match).not.toContainEqual(
      expect.objectContaining({ equivalence: 'equivalent' }),
    );
  });

  test.each<[string, string, string, string]>([
    ['another map', 'd', 'urn:theirs', 'D'],
    ['a fixed code', 'e', 'urn:theirs', 'OTHER'],
    ['the code itself', 'e', 'urn:copy', 'e'],
  ])('leads what it does not map to %s', (_, code, targetSystem, expected) => {
    const conceptMap = code === 'd' ? 'urn:map' : 'urn:rest';
    expect(
      ours.translate({ conceptMap, system: 'urn:ours', code, targetSystem }).match.map((it) => it.concept?.code),
    ).toEqual([expected]);
  });

  test('that leads back to itself comes to an end', () => {
    expect(
      ours.translate({ conceptMap: 'urn:rest', system: 'urn:ours', code: 'q', targetSystem: 'urn:loop' }),
    ).toMatchObject({ result: false, match: [] });
  });

  test('translates each coding of a concept', () => {
    const codeableConcept = {
      coding: [
        { system: 'urn:else', code: 'a' },
        { system: 'urn:ours', code: 'a' },
      ],
    };
    expect(ours.translate({ conceptMap: [local], codeableConcept }).match).toHaveLength(2);
  });
});

test.each<[string, Json, string]>([
  ['nothing to translate', { conceptMap: map101 }, 'invalid: give one of code, coding and codeableConcept'],
  ['a code without its system', { conceptMap: map101, code: 'home' }, 'invalid: a code needs its system'],
  [
    'an unknown map',
    { conceptMap: 'urn:none', system: use, code: 'home' },
    'not-found: there is no concept map urn:none',
  ],
  ['no map and no end', { system: use, code: 'home' }, 'invalid: translate needs a concept map, a source or a target'],
])('%s fails', (_, request, expected) => {
  expect(failureOf(() => shipped.translate(request))).toBe(expected);
});

test('a code that the map leaves out gets its fixed code, or nothing', () => {
  expect(shipped.translate({ conceptMap: map101, system: use, code: 'none' }).match).toMatchObject([
    { concept: { code: 'temp' } },
  ]);
  const conceptMap = 'http://hl7.org/fhir/ConceptMap/cm-address-use-v3';
  expect(shipped.translate({ conceptMap, system: use, code: 'none' })).toEqual({
    result: false,
    message: 'no mapping was found',
    match: [],
  });
});
