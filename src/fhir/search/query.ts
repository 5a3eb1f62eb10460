/** Search URLs ─▶ a query: `Encounter?status=finished&_sort=-date`. R4 search.html. Pure; the same for REST and criteria. */
import { Failure } from '../../outcome.ts';
import { isResourceType, resourceTypes } from '../definitions.ts';
import type { Filter } from './filter.ts';
import type { SearchParameter, SearchParameters } from './parameters.ts';
import { parseFilter } from './parse-filter.ts';
import { malformed, shortened, WrongModifier } from './parse-value.ts';
import { QueryBudget } from './query-budget.ts';

export interface SortKey {
  readonly code: string;
  readonly descending: boolean;
  /** By resource type; none for `_id`. */
  readonly parameters: ReadonlyMap<string, SearchParameter>;
}

/** `_include=Encounter:subject:Patient`; for `_revinclude` the source is the other type. */
export interface Include {
  readonly source: string;
  /** Reference parameters of the source; all of them for `*`. */
  readonly parameters: readonly SearchParameter[];
  readonly target: string | undefined;
  /** Also from what was included. */
  readonly iterate: boolean;
}

/** What is asked of one type. Filters are ANDed. */
export interface Branch {
  readonly type: string;
  readonly filters: readonly Filter[];
}

/** What the resources of some branches refer to, one step on. */
export interface Referred {
  readonly by: readonly Branch[];
  /** Only of these types. */
  readonly types: readonly string[];
  /** Only what was written at or after, ms. */
  readonly since?: number;
}

export interface SearchQuery {
  /** One for a search of a type, several for a search of the system or a compartment. */
  readonly branches: readonly Branch[];
  /** Found besides, each resource once. */
  readonly referred?: Referred;
  readonly sort: readonly SortKey[];
  /** Hits per page. */
  readonly count: number;
  readonly include: readonly Include[];
  readonly revinclude: readonly Include[];
  readonly total: boolean;
  /** Only the number of matches is wanted. */
  readonly countOnly: boolean;
  /** What was ignored, for a lenient client: names of parameters with the reason. */
  readonly ignored: readonly Ignored[];
}

export interface Ignored {
  readonly name: string;
  readonly reason: string;
}

/**
 * R4 http.html#handling. `strict` refuses what is unknown; `default` ignores what is unknown and refuses what is malformed;
 * `lenient` ignores both. What is ignored is listed. An unknown modifier is refused always (search.html#modifiers).
 */
export type Handling = 'strict' | 'default' | 'lenient';

export const countDefault = 20;
export const countMax = 1000;
const sortKeysMax = 10;
const includesMax = 50;

const resultParameters = new Set([
  '_sort',
  '_count',
  '_include',
  '_revinclude',
  '_total',
  '_summary',
  '_elements',
  '_format',
  '_pretty',
  '_page',
  '_type',
]);

type Pair = readonly [name: string, value: string];

/**
 * @param types the resource type searched for, or several
 * @param pairs decoded names and values in the order of the URL
 * @throws Failure `malformed` that names the parameter, `too-costly` for a chain that fans out too far
 */
export function parseQuery(
  types: string | readonly string[],
  pairs: Iterable<Pair>,
  parameters: SearchParameters,
  handling: Handling = 'strict',
): SearchQuery {
  const searched = [...new Set(typeof types === 'string' ? [types] : types)];
  if (!searched.every(isResourceType)) throw new Failure('not-supported', 'not a resource type of FHIR R4');
  const { conditions, results } = sorted(pairs);
  const ignored: Ignored[] = [];
  const branches = searched.map((type) => ({ type, filters: [] as Filter[] }));
  const budgets = QueryBudget.each(searched);
  for (const [name, value] of conditions) {
    const filters = leniently(name, handling, ignored, () => filtersOf(searched, name, value, parameters, budgets));
    if (filters) for (const [i, branch] of branches.entries()) branch.filters.push(filters[i] as Filter);
  }
  const read = <T>(name: string, absent: T, parse: (pairs: readonly Pair[]) => T): T => {
    const own = results.get(name);
    return (own && leniently(name, handling, ignored, () => parse(own))) ?? absent;
  };
  const oneOf = (name: string, allowed: readonly string[]): string =>
    read(name, '', ([first]) => parseOneOf(name, (first as Pair)[1], allowed));
  const count = read('_count', countDefault, ([first]) => parseCount((first as Pair)[1]));
  return {
    branches,
    sort: read('_sort', [], (own) => parseSorts(searched, own, parameters)),
    count,
    include: read('_include', [], (own) => parseIncludes('_include', own, parameters, searched)),
    revinclude: read('_revinclude', [], (own) => parseIncludes('_revinclude', own, parameters, searched)),
    total: ['estimate', 'accurate'].includes(oneOf('_total', ['none', 'estimate', 'accurate'])),
    // R4 search.html#count: _count=0 is the same as _summary=count.
    countOnly: oneOf('_summary', ['false', 'true', 'text', 'data', 'count']) === 'count' || count === 0,
    ignored,
  };
}

/** Conditions, and what is said of the result by its name without a modifier; what has no value is left out. */
function sorted(pairs: Iterable<Pair>): { conditions: Pair[]; results: ReadonlyMap<string, Pair[]> } {
  const conditions: Pair[] = [];
  const results = new Map<string, Pair[]>();
  for (const pair of pairs) {
    const [name, value] = pair;
    if (value === '') continue;
    const colon = name.indexOf(':');
    const code = colon < 0 ? name : name.slice(0, colon);
    if (!resultParameters.has(code)) conditions.push(pair);
    else if (results.has(code)) results.get(code)?.push(pair);
    else results.set(code, [pair]);
  }
  return { conditions, results };
}

/** A query without conditions, to be filled in. */
export function queryOf(type: string, filters: readonly Filter[], count: number): SearchQuery {
  return {
    branches: [{ type, filters }],
    sort: [],
    count,
    include: [],
    revinclude: [],
    total: false,
    countOnly: false,
    ignored: [],
  };
}

/** An unknown parameter, as an error that a lenient client does not get. */
class Unknown extends Failure {}

function leniently<T>(name: string, handling: Handling, ignored: Ignored[], parse: () => T): T | undefined {
  try {
    return parse();
  } catch (error) {
    const ignorable =
      error instanceof Unknown
        ? handling !== 'strict'
        : error instanceof Failure &&
          error.kind === 'malformed' &&
          handling === 'lenient' &&
          !(error instanceof WrongModifier);
    if (!ignorable) throw error;
    ignored.push({ name, reason: (error as Failure).message });
    return undefined;
  }
}

function filtersOf(
  types: readonly string[],
  name: string,
  value: string,
  parameters: SearchParameters,
  budgets: readonly QueryBudget[],
): Filter[] {
  return types.map((type, i) => {
    const filter = parseFilter(type, name, value, parameters, budgets[i]);
    if (!filter) throw new Unknown('malformed', `${shortened(name)}: ${type} has no such search parameter here`);
    return filter;
  });
}

function parseOneOf(name: string, value: string, allowed: readonly string[]): string {
  if (!allowed.includes(value)) throw malformed(name, `must be one of ${allowed.join(', ')}`);
  return value;
}

function parseCount(value: string): number {
  if (!/^\d{1,9}$/.test(value)) throw malformed('_count', 'must be a whole number');
  return Math.min(Number(value), countMax);
}

/** Kinds whose values have an order. */
const sortable = new Set(['token', 'string', 'date', 'reference', 'number', 'quantity']);

function parseSorts(types: readonly string[], pairs: readonly Pair[], parameters: SearchParameters): SortKey[] {
  const keys = pairs.flatMap(([, value]) => value.split(',', sortKeysMax + 1));
  if (keys.length > sortKeysMax) throw malformed('_sort', `has more than ${sortKeysMax} keys`);
  return keys.map((key) => parseSort(types, key, parameters));
}

function parseSort(types: readonly string[], key: string, parameters: SearchParameters): SortKey {
  const descending = key.startsWith('-');
  const code = descending ? key.slice(1) : key;
  const found = new Map<string, SearchParameter>();
  if (code === '_id') return { code, descending, parameters: found };
  for (const type of types) {
    const parameter = parameters.of(type).get(code);
    if (!parameter || !sortable.has(parameter.kind))
      throw malformed('_sort', `${type} has no search parameter '${shortened(code)}' to sort by`);
    found.set(type, parameter);
  }
  if (new Set([...found.values()].map(({ kind }) => kind)).size > 1)
    throw malformed('_sort', `'${code}' is not of one kind in all types that are searched`);
  return { code, descending, parameters: found };
}

function parseIncludes(
  name: '_include' | '_revinclude',
  pairs: readonly Pair[],
  parameters: SearchParameters,
  types: readonly string[],
): Include[] {
  if (pairs.length > includesMax) throw malformed(name, `is there more than ${includesMax} times`);
  return pairs.flatMap(([it, value]) => {
    // STU3 called it `:recurse`; clients still send that.
    if (!/^_(rev)?include(:iterate|:recurse)?$/.test(it)) throw new WrongModifier(it);
    const iterate = it.includes(':');
    const [source = '', code = '', target] = value === '*' ? ['*', '*'] : value.split(':');
    if (source === '*') return everything(name, types, parameters).map((include) => ({ ...include, iterate }));
    const named = isResourceType(source) ? references(source, code, parameters) : [];
    if (named.length === 0) throw malformed(name, `'${shortened(value)}' does not name a reference parameter`);
    if (name === '_include' && !iterate && !types.includes(source))
      throw malformed(name, `'${source}' is not the type searched for`);
    return { source, parameters: named, target: target || undefined, iterate };
  });
}

function references(type: string, code: string, parameters: SearchParameters): SearchParameter[] {
  return [...parameters.of(type).values()].filter(
    (it) => it.kind === 'reference' && (code === '*' || it.code === code),
  );
}

/** `*`: every reference of what is searched for, or every type that may refer to it. */
function everything(
  name: '_include' | '_revinclude',
  types: readonly string[],
  parameters: SearchParameters,
): Omit<Include, 'iterate'>[] {
  const sources = name === '_include' ? types : resourceTypes;
  return sources.flatMap((source) => {
    const named = references(source, '*', parameters).filter(
      ({ targets }) => name === '_include' || targets.length === 0 || types.some((type) => targets.includes(type)),
    );
    return named.length === 0 ? [] : [{ source, parameters: named, target: undefined }];
  });
}
