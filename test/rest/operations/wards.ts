/** A code system, a value set and a concept map of wards, and how their operations are asked and answered. */
import { expect } from '@jest/globals';
import { errorsOf } from '../../../src/fhir/validate.ts';

export const gender = 'http://hl7.org/fhir/ValueSet/administrative-gender';
export const genders = 'http://hl7.org/fhir/administrative-gender';
export const wards = 'http://example.org/CodeSystem/wards';
export const wardSet = 'http://example.org/ValueSet/wards';
export const wardMap = 'http://example.org/ConceptMap/wards';

export const codeSystem = {
  resourceType: 'CodeSystem',
  id: 'wards',
  url: wards,
  version: '2',
  name: 'Wards',
  status: 'active',
  content: 'complete',
  hierarchyMeaning: 'is-a',
  concept: [
    {
      code: 'medical',
      display: 'Medical',
      concept: [{ code: 'cardio', display: 'Cardiology', designation: [{ language: 'zh', value: '心内科' }] }],
    },
    { code: 'surgical', display: 'Surgical' },
  ],
};
export const valueSet = {
  resourceType: 'ValueSet',
  id: 'wards',
  url: wardSet,
  status: 'active',
  compose: { include: [{ system: wards, filter: [{ property: 'concept', op: 'is-a', value: 'medical' }] }] },
};
export const conceptMap = {
  resourceType: 'ConceptMap',
  id: 'wards',
  url: wardMap,
  status: 'active',
  group: [
    {
      source: wards,
      target: 'urn:departments',
      element: [
        {
          code: 'cardio',
          target: [
            {
              code: 'D1',
              display: 'Heart',
              equivalence: 'equivalent',
              product: [{ property: 'urn:floor', value: '3' }],
            },
          ],
        },
        { code: 'surgical', target: [{ equivalence: 'unmatched' }] },
        {
          code: 'medical',
          target: [{ code: 'D2', equivalence: 'wider', dependsOn: [{ property: 'urn:age', value: 'child' }] }],
        },
      ],
    },
  ],
};

export type Value = string | boolean | number | object;
const types: Record<string, string> = {
  url: 'Uri',
  system: 'Uri',
  code: 'Code',
  codeA: 'Code',
  codeB: 'Code',
  filter: 'String',
  count: 'Integer',
  offset: 'Integer',
  display: 'String',
  displayLanguage: 'Code',
  coding: 'Coding',
  codingA: 'Coding',
  codingB: 'Coding',
  codeableConcept: 'CodeableConcept',
  activeOnly: 'Boolean',
  reverse: 'Boolean',
  property: 'Code',
  source: 'Uri',
  target: 'Uri',
};

/** Parameters of name and value. A resource stands for itself, a list for parts. */
export function parameters(given: Record<string, Value>): object {
  const parameter = Object.entries(given).map(([name, value]) => {
    if (Array.isArray(value)) return { name, part: value };
    if (typeof value === 'object' && 'resourceType' in value) return { name, resource: value };
    return { name, [`value${types[name]}`]: value };
  });
  return { resourceType: 'Parameters', parameter };
}

export const query = (given: Record<string, Value>) => new URLSearchParams(given as Record<string, string>).toString();

/** The values of the out parameters by name; those with parts as objects of theirs. */
export function outOf(body: any): Record<string, any> {
  expect(errorsOf(body)).toEqual([]);
  const only = (it: any): unknown => it[Object.keys(it).find((key) => key.startsWith('value')) ?? ''];
  const found: Record<string, any> = {};
  for (const it of body.parameter) {
    const value = it.part
      ? Object.fromEntries(it.part.map((part: any) => [part.name, part.part ?? only(part)]))
      : only(it);
    found[it.name] = it.part ? [...(found[it.name] ?? []), value] : value;
  }
  return found;
}
