/** Code systems and value sets of clients, for the tests of terminology. */

import type { ExpandRequest } from '../../src/fhir/terminology/expand.ts';
import { Terminology } from '../../src/fhir/terminology/terminology.ts';
import type { Json } from '../../src/fhir/types.ts';
import { Failure } from '../../src/outcome.ts';

export const wards = 'http://hospital.example/wards';

/** A hierarchy with a concept of two parents, one that groups, one that is retired, names in two languages. */
export const wardSystem: Json = {
  resourceType: 'CodeSystem',
  url: wards,
  version: '3',
  name: 'Wards',
  language: 'zh-CN',
  status: 'active',
  caseSensitive: false,
  content: 'complete',
  hierarchyMeaning: 'is-a',
  property: [
    { code: 'beds', type: 'integer' },
    { code: 'abstractly', uri: 'http://hl7.org/fhir/concept-properties#notSelectable', type: 'boolean' },
    { code: 'up', uri: 'http://hl7.org/fhir/concept-properties#parent', type: 'code' },
    { code: 'status', uri: 'http://hl7.org/fhir/concept-properties#status', type: 'code' },
    { code: 'floor', type: 'string' },
  ],
  concept: [
    {
      code: 'ALL',
      display: '全部病区',
      property: [{ code: 'abstractly', valueBoolean: true }],
      concept: [
        {
          code: 'INT',
          display: '内科',
          designation: [
            { language: 'en', value: 'Internal medicine' },
            { language: 'en', use: { code: 'internal-label' }, value: 'W-17' },
          ],
          property: [{ code: 'beds', valueInteger: 40 }],
          concept: [
            {
              code: 'ENDO',
              display: '内分泌科',
              designation: [{ language: 'en-GB', value: 'Endocrinology' }],
              property: [
                { code: 'beds', valueInteger: 12 },
                { code: 'floor', valueString: '3F' },
              ],
            },
            { code: 'CARD', display: '心内科', property: [{ code: 'beds', valueInteger: 20 }] },
          ],
        },
        {
          code: 'SURG',
          display: '外科',
          concept: [{ code: 'CSURG', display: '心脏外科', property: [{ code: 'up', valueCode: 'CARD' }] }],
        },
        { code: 'OLD', display: '旧病区', property: [{ code: 'status', valueCode: 'retired' }] },
      ],
    },
  ],
};

/** A value set by its includes and excludes. */
export function valueSet(include: Json[], exclude?: Json[], more: Json = {}): Json {
  return { resourceType: 'ValueSet', status: 'active', compose: { include, ...(exclude && { exclude }) }, ...more };
}

/** A terminology over these resources of clients. */
export function terminologyOf(...resources: Json[]): Terminology {
  const find =
    (type: string) =>
    (url: string, version?: string): Json | undefined =>
      resources.find(
        (it) => it.resourceType === type && it.url === url && (version === undefined || it.version === version),
      );
  return new Terminology({
    codeSystem: find('CodeSystem'),
    valueSet: find('ValueSet'),
    conceptMap: find('ConceptMap'),
  });
}

const stamp = { identifier: 'urn:uuid:6c0d1f2e-7a0b-4a4e-9a53-0f4c1a8f2b11', timestamp: '2026-11-22T08:00:00Z' };

export function expansion(terminology: Terminology, set: Json | string, more: Partial<ExpandRequest> = {}): Json {
  return terminology.expand({ valueSet: set, ...stamp, ...more }).expansion;
}

/** The codes of an expansion in their order. */
export function codes(terminology: Terminology, set: Json | string, more: Partial<ExpandRequest> = {}): string[] {
  return (expansion(terminology, set, more).contains ?? []).map((it: Json) => it.code);
}

/** kind and text of the failure, in one line. */
export function failureOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof Failure) return `${error.kind}: ${error.message}`;
    throw error;
  }
  return 'no failure';
}
