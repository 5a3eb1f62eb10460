/** Values to search for: those that stand in the random resources, and others. */
import fc from 'fast-check';
import { prefixes } from '../../../src/fhir/search/filter.ts';
import type { SearchParameter } from '../../../src/fhir/search/parameters.ts';
import { type SearchValue, wordsOf } from '../../../src/fhir/search/values.ts';
import { parameters } from '../rules/bench.ts';
import type { Known } from './oracle.ts';
import { codes, dates, ids, numbers, strings, systems, ucum, units, urls } from './resources.ts';

/** The parameters that say something of the random resources. */
const used: Record<string, readonly string[]> = {
  Patient: [
    'active',
    'gender',
    'birthdate',
    'name',
    'family',
    'given',
    'identifier',
    'organization',
    'link',
    'death-date',
    'deceased',
    '_lastUpdated',
    '_text',
    '_content',
  ],
  Encounter: [
    'status',
    'class',
    'type',
    'subject',
    'patient',
    'part-of',
    'location',
    'date',
    'identifier',
    '_lastUpdated',
    '_content',
  ],
  Observation: [
    'code',
    'subject',
    'patient',
    'encounter',
    'has-member',
    'value-quantity',
    'value-concept',
    'value-string',
    'value-date',
    'component-value-quantity',
    'combo-value-quantity',
    'code-value-quantity',
    'code-value-concept',
    'code-value-string',
    'code-value-date',
    'combo-code-value-quantity',
    '_content',
  ],
  RiskAssessment: ['probability', 'subject', 'patient'],
  Location: ['name', 'near', 'partof', '_content'],
  ValueSet: ['status', 'url', 'title', 'name', 'date'],
};

export const one = <T>(values: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...values);

export function parametersOf(type: string): SearchParameter[] {
  return (used[type] as string[]).map((code) => parameters.of(type).get(code) as SearchParameter);
}

export function escaped(value: string): string {
  return value.replace(/[\\,|$]/g, '\\$&');
}

export const code = one([...codes, 'male', 'female', 'true', 'false', 'draft']).map(escaped);
export const token = fc.oneof(
  code,
  fc.tuple(one([...systems, '']).map(escaped), code).map(([system, it]) => `${system}|${it}`),
  one(systems).map((system) => `${escaped(system)}|`),
);
export const text = fc.oneof(
  one(strings),
  one(strings).map((it) => [...it].slice(0, 2).join('')),
  one(['NN', 'ANNA', '张伟', 'é', 'nn', 'b']),
);
const date = fc.tuple(one(['', ...prefixes]), one(dates)).map(([prefix, it]) => prefix + it);
const number = fc
  .tuple(one(['', ...prefixes]), one([...numbers.map(String), '5.40', '5', '1e3', '1.0e3', '0.00']))
  .map(([prefix, it]) => prefix + it);
const quantity = fc.oneof(
  number,
  fc.tuple(number, one(units)).map(([it, unit]) => `${it}||${unit}`),
  fc.tuple(number, one(units)).map(([it, unit]) => `${it}|${ucum}|${unit}`),
  number.map((it) => `${it}|${ucum}|`),
);
const reference = fc.oneof(
  fc.tuple(one(['Patient', 'Encounter', 'Group', 'Location', 'Observation']), one(ids)).map((it) => it.join('/')),
  one([...ids, 'r9', 'https://x.example/Patient/1', 'urn:uuid:7', 'Patient/r1/_history/1', 'Patient/r1/_history/2']),
);

/** The values that stand in the resources, so that a search often finds something. */
export type Stored = (parameter: SearchParameter) => readonly SearchValue[];

export function storedIn(known: readonly Known[]): Stored {
  return ({ type, code }) =>
    known
      .filter((it) => it.type === type)
      .flatMap(({ rows }) => rows.filter(({ parameter }) => parameter.code === code).map(({ value }) => value));
}

/** One value, escaped: one that is stored, or any. */
export function valueFor(parameter: SearchParameter, stored: Stored): fc.Arbitrary<string> {
  const written = stored(parameter).map(asWritten);
  const any = anyFor(parameter, stored);
  return written.length === 0 ? any : fc.oneof({ weight: 2, arbitrary: one(written) }, { weight: 1, arbitrary: any });
}

/** A value as a client would write it. */
export function asWritten(value: SearchValue): string {
  switch (value.kind) {
    case 'token':
      return `${escaped(value.system)}${value.system === '' ? '' : '|'}${escaped(value.code)}`;
    case 'string':
      return escaped([...value.text].slice(0, 3).join(''));
    case 'date':
      return new Date(Math.max(value.low, Date.UTC(2000, 0))).toISOString();
    case 'number':
      return String(value.low);
    case 'quantity':
      return `${Math.abs(value.low) > 1e100 ? value.high : value.low}|${escaped(value.system)}|${escaped(value.code)}`;
    case 'reference':
      return escaped(value.target === '' ? value.id : `${value.target}/${value.id}`);
    case 'composite':
      return value.parts.map(asWritten).join('$');
    case 'text':
      return [...wordsOf(value.text)].join(' ');
    case 'position':
      return `${value.latitude}|${value.longitude}`;
  }
}

function anyFor(parameter: SearchParameter, stored: Stored): fc.Arbitrary<string> {
  switch (parameter.kind) {
    case 'token':
      return parameter.declared === 'uri' ? one(urls).map(escaped) : token;
    case 'string':
      return text.map(escaped);
    case 'date':
      return date;
    case 'number':
      return number;
    case 'quantity':
      return quantity;
    case 'reference':
      return reference;
    case 'position':
      return one(['39.9|116.4', '39.9|116.4|1|km', '39.9|116.4|5000', '0|-179.99|10', '90|0|20', '0|0|30000']);
    case 'text':
      return one(['anna', 'cane', '走路', '每走', 'mill and', 'near', 'male', '100', 'b']);
    case 'composite':
      return fc.tuple(...parameter.components.map((part) => anyFor(part.parameter, stored))).map((it) => it.join('$'));
  }
}
