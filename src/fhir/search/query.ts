/** Search URLs ─▶ a query: `Encounter?status=finished&_sort=-date`. R4 search.html. Pure; the same for REST and criteria. */
import { Failure } from '../../outcome.ts';
import { isResourceType } from '../definitions.ts';
import { parseReference } from '../reference.ts';
import { beginningOfTime, dateRange, endOfTime } from './date-range.ts';
import type { SearchParameter, SearchParameters } from './parameters.ts';
import { fold, stringLengthMax } from './values.ts';

export const datePrefixes = ['eq', 'ne', 'gt', 'ge', 'lt', 'le', 'sa', 'eb', 'ap'] as const;
export type DatePrefix = (typeof datePrefixes)[number];

/** One value of a filter; values of a filter are ORed. */
export type FilterValue =
  | {
      readonly kind: 'token' /** undefined: any system */;
      readonly system: string | undefined /** undefined: any code */;
      readonly code: string | undefined;
    }
  | {
      readonly kind: 'string';
      readonly match: 'prefix' | 'exact' | 'contains';
      readonly norm: string;
      readonly text: string;
    }
  | { readonly kind: 'date'; readonly prefix: DatePrefix; readonly low: number; readonly high: number }
  | { readonly kind: 'reference' /** undefined: any type */; readonly target: string | undefined; readonly id: string };

/** Filters of a query are ANDed. */
export type Filter =
  | { readonly kind: 'ids'; readonly ids: readonly string[] }
  | { readonly kind: 'missing'; readonly parameter: SearchParameter; readonly missing: boolean }
  | {
      readonly kind: 'values';
      readonly parameter: SearchParameter;
      readonly not: boolean;
      readonly values: readonly FilterValue[];
    };

export interface SortKey {
  /** undefined: by `_id`. */
  readonly parameter: SearchParameter | undefined;
  readonly descending: boolean;
}

/** `_include=Encounter:subject:Patient`; for `_revinclude` the source is the other type. */
export interface Include {
  readonly source: string;
  readonly parameter: SearchParameter;
  readonly target: string | undefined;
}

export interface SearchQuery {
  readonly type: string;
  readonly filters: readonly Filter[];
  readonly sort: readonly SortKey[];
  /** Hits per page. */
  readonly count: number;
  readonly include: readonly Include[];
  readonly revinclude: readonly Include[];
  readonly total: boolean;
  readonly summary: 'false' | 'count';
  /** Names of parameters that were ignored, for a lenient client. */
  readonly ignored: readonly string[];
}

export const countDefault = 20;
export const countMax = 1000;
/** A longer list of values is a mistake or an attack. */
const valuesMax = 500;

const resultParameters = new Set([
  '_sort',
  '_count',
  '_include',
  '_revinclude',
  '_total',
  '_summary',
  '_format',
  '_pretty',
  '_page',
]);

/**
 * @param pairs decoded names and values in the order of the URL
 * @param strict R4 http.html#handling: unknown parameters are refused, else listed in `ignored`
 * @throws Failure `malformed` that names the parameter; unknown modifiers always (R4 search.html#modifiers: "SHALL reject")
 */
export function parseQuery(
  type: string,
  pairs: Iterable<readonly [string, string]>,
  parameters: SearchParameters,
  strict: boolean,
): SearchQuery {
  if (!isResourceType(type)) throw new Failure('not-supported', 'not a resource type of FHIR R4');
  const all = [...pairs].filter(([, value]) => value !== '');
  const ignored: string[] = [];
  const filters: Filter[] = [];
  for (const [name, value] of all) {
    const [code = '', ...modifier] = name.split(':');
    if (resultParameters.has(code)) continue;
    const filter = parseFilter(type, code, modifier.join(':'), value, parameters);
    if (filter) filters.push(filter);
    else if (strict) throw malformed(name, `${type} has no search parameter '${code}' here`);
    else ignored.push(name);
  }
  const values = (name: string): string[] => all.filter(([it]) => it.split(':')[0] === name).map(([, value]) => value);
  const count = parseCount(values('_count')[0]);
  const summary = oneOf('_summary', values('_summary')[0] ?? 'false', ['false', 'true', 'text', 'data', 'count']);
  return {
    type,
    filters,
    sort: values('_sort').flatMap((value) => value.split(',').map((key) => parseSort(type, key, parameters))),
    count,
    include: parseIncludes('_include', all, parameters, type),
    revinclude: parseIncludes('_revinclude', all, parameters, type),
    total: oneOf('_total', values('_total')[0] ?? 'none', ['none', 'estimate', 'accurate']) !== 'none',
    // R4 search.html#count: _count=0 is the same as _summary=count. The other summaries may be answered with more.
    summary: summary === 'count' || count === 0 ? 'count' : 'false',
    ignored,
  };
}

function malformed(name: string, text: string): Failure {
  return new Failure('malformed', `${name}: ${text}`);
}

function oneOf(name: string, value: string, allowed: string[]): string {
  if (!allowed.includes(value)) throw malformed(name, `must be one of ${allowed.join(', ')}`);
  return value;
}

function parseCount(value: string | undefined): number {
  if (value === undefined) return countDefault;
  if (!/^\d{1,9}$/.test(value)) throw malformed('_count', 'must be a whole number');
  return Math.min(Number(value), countMax);
}

function parseSort(type: string, key: string, parameters: SearchParameters): SortKey {
  const descending = key.startsWith('-');
  const code = descending ? key.slice(1) : key;
  const parameter = parameters.of(type).get(code);
  if (!parameter && code !== '_id') throw malformed('_sort', `${type} has no search parameter '${code}' to sort by`);
  return { parameter, descending };
}

function parseIncludes(
  name: '_include' | '_revinclude',
  all: (readonly [string, string])[],
  parameters: SearchParameters,
  type: string,
): Include[] {
  return all
    .filter(([it]) => it.split(':')[0] === name)
    .map(([it, value]) => {
      if (it.includes(':')) throw malformed(it, 'this modifier is not supported');
      const [source = '', code = '', target] = value.split(':');
      const parameter = isResourceType(source) ? parameters.of(source).get(code) : undefined;
      if (parameter?.kind !== 'reference') throw malformed(name, `'${value}' does not name a reference parameter`);
      if (name === '_include' && source !== type) throw malformed(name, `'${source}' is not the type searched for`);
      return { source, parameter, target: target || undefined };
    });
}

function parseFilter(
  type: string,
  code: string,
  modifier: string,
  value: string,
  parameters: SearchParameters,
): Filter | undefined {
  const name = modifier ? `${code}:${modifier}` : code;
  if (code === '_id') {
    if (modifier) throw malformed(name, 'this modifier is not supported');
    return { kind: 'ids', ids: splitValues(name, value) };
  }
  if (code.includes('.') || code === '_has') throw malformed(name, 'chained parameters are not supported');
  const parameter = parameters.of(type).get(code);
  if (!parameter) return undefined;
  if (modifier === 'missing') {
    if (value !== 'true' && value !== 'false') throw malformed(name, 'must be true or false');
    return { kind: 'missing', parameter, missing: value === 'true' };
  }
  const values = splitValues(name, value).map((it) => parseValue(name, parameter, modifier, it, parameters));
  return { kind: 'values', parameter, not: modifier === 'not', values };
}

/** R4 search.html#escaping: `\,` is a comma in a value. */
function splitValues(name: string, text: string): string[] {
  const values = text.match(/(?:\\.|[^,\\])+/g) ?? [];
  if (values.length === 0) throw malformed(name, 'has no value');
  if (values.length > valuesMax) throw malformed(name, `has more than ${valuesMax} values`);
  return values;
}

function unescapeValue(text: string): string {
  return text.replace(/\\([,|$\\])/g, '$1');
}

function parseValue(
  name: string,
  parameter: SearchParameter,
  modifier: string,
  text: string,
  { zone }: SearchParameters,
): FilterValue {
  const refuse = (): never => {
    throw malformed(name, `the modifier ':${modifier}' is not supported for a parameter of type ${parameter.declared}`);
  };
  switch (parameter.kind) {
    case 'token':
      if (modifier !== '' && (modifier !== 'not' || parameter.declared === 'uri')) refuse();
      return parseToken(parameter, text);
    case 'string': {
      if (!['', 'exact', 'contains'].includes(modifier)) refuse();
      const plain = unescapeValue(text);
      const match = modifier === '' ? 'prefix' : (modifier as 'exact' | 'contains');
      // Cut as what is stored, so that a long value still finds itself.
      return {
        kind: 'string',
        match,
        norm: fold(plain).slice(0, stringLengthMax),
        text: plain.slice(0, stringLengthMax),
      };
    }
    case 'date': {
      if (modifier !== '') refuse();
      const found = /^(eq|ne|gt|ge|lt|le|sa|eb|ap)?(.*)$/s.exec(text) as RegExpExecArray;
      const range = dateRange(found[2] as string, zone);
      if (!range) throw malformed(name, 'is not a date');
      return { kind: 'date', prefix: (found[1] ?? 'eq') as DatePrefix, ...range };
    }
    case 'reference':
      if (modifier !== '' && !isResourceType(modifier)) refuse();
      return parseReferenceValue(parameter, modifier, unescapeValue(text));
  }
}

function parseToken(parameter: SearchParameter, text: string): FilterValue {
  if (parameter.declared === 'uri') return { kind: 'token', system: '', code: unescapeValue(text) };
  const bar = text.search(/(?<!\\)\|/);
  if (bar < 0) return { kind: 'token', system: undefined, code: unescapeValue(text) };
  const code = unescapeValue(text.slice(bar + 1));
  return { kind: 'token', system: unescapeValue(text.slice(0, bar)), code: code === '' ? undefined : code };
}

function parseReferenceValue(parameter: SearchParameter, modifier: string, text: string): FilterValue {
  const parsed = parseReference(text);
  if (parsed) return { kind: 'reference', target: parsed.type, id: parsed.id };
  if (/[/:]/.test(text)) return { kind: 'reference', target: '', id: text };
  return {
    kind: 'reference',
    target: modifier || (parameter.targets.length === 1 ? parameter.targets[0] : undefined),
    id: text,
  };
}

/**
 * Does a stored range fit a date value? R4 search.html#prefix, on `[low, high)` ranges. `ap` widens the value by a tenth of
 * its distance from now in other servers; here by its own width, so that the answer does not depend on the clock.
 */
export function dateMatches(
  prefix: DatePrefix,
  value: { low: number; high: number },
  row: { low: number; high: number },
): boolean {
  switch (prefix) {
    case 'eq':
      // A Period that ends before it begins is inside nothing that it does not begin in.
      return row.low >= value.low && row.low < value.high && row.high <= value.high;
    case 'ne':
      return !(row.low >= value.low && row.high <= value.high);
    case 'gt':
      return row.high > value.high;
    case 'lt':
      return row.low < value.low;
    case 'ge':
      return row.high > value.high || (row.low >= value.low && row.high <= value.high);
    case 'le':
      return row.low < value.low || (row.low >= value.low && row.high <= value.high);
    case 'sa':
      return row.low >= value.high;
    case 'eb':
      return row.high <= value.low;
    case 'ap': {
      const width = value.high - value.low;
      const low = Math.max(value.low - width, beginningOfTime);
      return row.low < Math.min(value.high + width, endOfTime) && row.high > low;
    }
  }
}
