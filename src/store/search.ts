/**
 * The search compiler: query ─▶ SQL that finds resource numbers. It fixes the join order itself: the most selective filter
 * drives, the others are EXISTS on the same resource. Every row carries the change that made it (`born`) and the one that
 * ended it (`gone`), so a search sees the state at one sequence: pages stay stable while writes go on.
 */

import type { SearchParameter } from '../fhir/search/parameters.ts';
import type { Filter, FilterValue, SearchQuery, SortKey } from '../fhir/search/query.ts';
import { Failure } from '../outcome.ts';

/** A query with the state and place at which it goes on. */
export interface CompiledSearch {
  readonly query: SearchQuery;
  /** The sequence that the first page saw; undefined for a first page. */
  readonly snapshot?: number;
  /** As {@link SearchPage.next} gave it. */
  readonly after?: string;
}

/** What differs between databases. */
export interface Dialect {
  /** The database's number of a parameter. */
  parameter(parameter: SearchParameter): number;
  /** Smallest and largest resource number of a type. */
  range(type: string): { low: number; high: number };
}

export interface Sql {
  readonly text: string;
  readonly values: readonly (string | number)[];
}

/** SQL of one page, with the order that a statement around it repeats. */
export interface PageSql extends Sql {
  readonly order: string;
}

type Part = { text: string; values: (string | number)[] };

const tables = { token: 'token_row', string: 'string_row', date: 'date_row', reference: 'reference_row' } as const;

/** The highest code point: everything that begins with a prefix is below prefix + this. */
const last = '\u{10ffff}';

/**
 * SQL for one page: columns `rid` and one `k0`, `k1` … per sort key.
 * @param snapshot the sequence to look at; undefined for the state now
 */
export function compileSearch(
  query: SearchQuery,
  snapshot: number | undefined,
  after: string | undefined,
  dialect: Dialect,
): PageSql {
  const inner = candidates(query, snapshot, dialect);
  const place = after === undefined ? undefined : keyset(query.sort, after);
  const limit = query.count + 1;
  const values = [...inner.values, ...(place?.values ?? [])];
  if (query.sort.length === 0) {
    // One flat statement: the index gives the numbers in order, so the scan ends with the page.
    return {
      text: `${inner.text}${place ? ` AND ${place.text}` : ''} ORDER BY d.rid LIMIT ${limit}`,
      values,
      order: 'rid',
    };
  }
  const keys = query.sort.map((key, i) => sortColumn(key, i, snapshot, dialect));
  const order = [...query.sort.map((key, i) => `k${i} IS NULL, k${i}${key.descending ? ' DESC' : ''}`), 'rid'].join(
    ', ',
  );
  const select = `SELECT c.rid AS rid, ${keys.join(', ')} FROM (${inner.text}) c`;
  return {
    text: `SELECT * FROM (${select}) ${place ? `WHERE ${place.text} ` : ''}ORDER BY ${order} LIMIT ${limit}`,
    values,
    order,
  };
}

/** SQL that counts all matches. */
export function compileCount(query: SearchQuery, snapshot: number | undefined, dialect: Dialect): Sql {
  const inner = candidates(query, snapshot, dialect);
  return { text: `SELECT count(*) AS n FROM (${inner.text})`, values: inner.values };
}

/** The place behind a row, to go on from: the sort keys and the number. */
export function placeOf(row: Record<string, string | number | null>, sort: readonly SortKey[]): string {
  return JSON.stringify([...sort.map((_, i) => row[`k${i}`] ?? null), row.rid]);
}

/** The state now needs no bounds; binding a value costs as much as a step of the index (2 µs), so numbers stand in the text. */
function visible(alias: string, snapshot: number | undefined): string {
  if (snapshot === undefined) return `${alias}.gone IS NULL`;
  return `${alias}.born <= ${snapshot} AND (${alias}.gone IS NULL OR ${alias}.gone > ${snapshot})`;
}

/** At one state a resource has one row of a whole code or reference: no duplicates, and so no DISTINCT (15 µs). */
function isUnique(values: readonly FilterValue[]): boolean {
  const [one] = values;
  if (values.length !== 1 || !one) return false;
  return one.kind === 'token'
    ? one.code !== undefined && one.system !== undefined
    : one.kind === 'reference' && one.target !== undefined;
}

/** Selectivity by what the value says, the best first: there are no statistics in the query path. */
function rank(filter: Filter): number {
  if (filter.kind === 'ids') return 0;
  if (filter.kind === 'missing' || filter.not) return 9;
  const { parameter, values } = filter;
  const one = values[0] as FilterValue;
  if (one.kind === 'token') return parameter.code === 'identifier' ? 1 : one.code === undefined ? 8 : 4;
  if (one.kind === 'reference') return 2;
  if (one.kind === 'string') return one.match === 'contains' ? 8 : 3;
  return one.prefix === 'eq' ? 5 : 7;
}

function candidates(query: SearchQuery, snapshot: number | undefined, dialect: Dialect): Part {
  const [driver, ...rest] = [...query.filters].sort((a, b) => rank(a) - rank(b));
  const alive = aliveRows(query.type, snapshot, dialect);
  if (!driver || rank(driver) === 9) return withFilters(alive, query.filters, snapshot, dialect);
  if (driver.kind === 'ids') return withFilters(byIds(query.type, driver.ids, alive), rest, snapshot, dialect);
  if (driver.kind === 'missing') throw new Error('a missing filter cannot drive');
  const found = anyOf(driver.values, 'd');
  const table = tables[driver.parameter.kind];
  const text = `SELECT ${isUnique(driver.values) ? '' : 'DISTINCT '}d.rid AS rid FROM ${table} d WHERE d.param = ${dialect.parameter(driver.parameter)} AND (${found.text}) AND ${visible('d', snapshot)}`;
  return withFilters({ text, values: found.values }, rest, snapshot, dialect);
}

/** Every resource of the type that lives at the snapshot: it has a row of `_lastUpdated`. */
function aliveRows(type: string, snapshot: number | undefined, dialect: Dialect): Part & { probe: string } {
  const { low, high } = dialect.range(type);
  const parameter = dialect.parameter({ type, code: '_lastUpdated' } as SearchParameter);
  const probe = `d.param = ${parameter} AND ${visible('d', snapshot)}`;
  return {
    text: `SELECT d.rid AS rid FROM date_row d WHERE d.rid BETWEEN ${low} AND ${high} AND ${probe}`,
    values: [],
    probe,
  };
}

function byIds(type: string, ids: readonly string[], alive: ReturnType<typeof aliveRows>): Part {
  const marks = ids.map(() => '?').join(', ');
  return {
    text: `SELECT d.rid AS rid FROM resource r CROSS JOIN date_row d ON d.rid = r.rid WHERE r.type = ? AND r.id IN (${marks}) AND ${alive.probe}`,
    values: [type, ...ids],
  };
}

function withFilters(driver: Part, filters: readonly Filter[], snapshot: number | undefined, dialect: Dialect): Part {
  let { text, values } = driver;
  for (const filter of filters) {
    const part = exists(filter, snapshot, dialect);
    text += ` AND ${part.text}`;
    values = [...values, ...part.values];
  }
  return { text, values };
}

function exists(filter: Filter, snapshot: number | undefined, dialect: Dialect): Part {
  if (filter.kind === 'ids') {
    return {
      text: `d.rid IN (SELECT rid FROM resource WHERE id IN (${filter.ids.map(() => '?').join(', ')}))`,
      values: [...filter.ids],
    };
  }
  const { parameter } = filter;
  const found: Part = filter.kind === 'missing' ? { text: '1 = 1', values: [] } : anyOf(filter.values, 'e');
  const not = filter.kind === 'missing' ? filter.missing : filter.not;
  return {
    text: `${not ? 'NOT ' : ''}EXISTS (SELECT 1 FROM ${tables[parameter.kind]} e WHERE e.rid = d.rid AND e.param = ${dialect.parameter(parameter)} AND (${found.text}) AND ${visible('e', snapshot)})`,
    values: found.values,
  };
}

function anyOf(values: readonly FilterValue[], alias: string): Part {
  const parts = values.map((value) => one(value, alias));
  return { text: parts.map((part) => part.text).join(' OR '), values: parts.flatMap((part) => part.values) };
}

function one(value: FilterValue, a: string): Part {
  switch (value.kind) {
    case 'token': {
      const parts: Part[] = [];
      if (value.code !== undefined) parts.push({ text: `${a}.code = ?`, values: [value.code] });
      if (value.system !== undefined) parts.push({ text: `${a}.system = ?`, values: [value.system] });
      return {
        text: parts.map((part) => part.text).join(' AND ') || '1 = 1',
        values: parts.flatMap((part) => part.values),
      };
    }
    case 'string':
      if (value.match === 'exact')
        return {
          text: `${a}.norm = ? AND ${a}.text = ?`,
          values: [value.norm, value.text],
        };
      if (value.match === 'prefix')
        return { text: `${a}.norm >= ? AND ${a}.norm < ?`, values: [value.norm, value.norm + last] };
      return { text: `instr(${a}.norm, ?) > 0`, values: [value.norm] };
    case 'date':
      return date(value, a);
    case 'reference': {
      if (value.target === undefined) return { text: `${a}.id = ?`, values: [value.id] };
      return { text: `${a}.id = ? AND ${a}.target = ?`, values: [value.id, value.target] };
    }
  }
}

/** The SQL twin of `dateMatches`; a property test holds the two together. */
function date({ prefix, low, high }: Extract<FilterValue, { kind: 'date' }>, a: string): Part {
  const inside = `(${a}.low >= ? AND ${a}.high <= ?)`;
  switch (prefix) {
    case 'eq':
      // The upper bound on low lets the index end the scan: a range inside the value begins before its end.
      return { text: `${a}.low >= ? AND ${a}.low < ? AND ${a}.high <= ?`, values: [low, high, high] };
    case 'ne':
      return { text: `NOT ${inside}`, values: [low, high] };
    case 'gt':
      return { text: `${a}.high > ?`, values: [high] };
    case 'lt':
      return { text: `${a}.low < ?`, values: [low] };
    case 'ge':
      return { text: `(${a}.high > ? OR ${inside})`, values: [high, low, high] };
    case 'le':
      return { text: `(${a}.low < ? OR ${inside})`, values: [low, low, high] };
    case 'sa':
      return { text: `${a}.low >= ?`, values: [high] };
    case 'eb':
      return { text: `${a}.high <= ?`, values: [low] };
    case 'ap':
      return { text: `(${a}.low < ? AND ${a}.high > ?)`, values: [high + (high - low), low - (high - low)] };
  }
}

const sortValue = { token: 'code', string: 'norm', date: 'low', reference: 'id' } as const;

function sortColumn(
  { parameter, descending }: SortKey,
  i: number,
  snapshot: number | undefined,
  dialect: Dialect,
): string {
  if (!parameter) return `(SELECT s.id FROM resource s WHERE s.rid = c.rid) AS k${i}`;
  const value = parameter.kind === 'date' && descending ? 'high' : sortValue[parameter.kind];
  return `(SELECT ${descending ? 'max' : 'min'}(s.${value}) FROM ${tables[parameter.kind]} s WHERE s.rid = c.rid AND s.param = ${dialect.parameter(parameter)} AND ${visible('s', snapshot)}) AS k${i}`;
}

/** Rows behind a place: lexicographic over the keys, missing last, the number as the tie-break. */
function keyset(sort: readonly SortKey[], after: string): Part {
  const place = parsePlace(after, sort.length);
  const rid = place[sort.length] as number;
  let part: Part = { text: sort.length > 0 ? 'rid > ?' : 'd.rid > ?', values: [rid] };
  for (let i = sort.length - 1; i >= 0; i--) {
    const value = place[i] as string | number | null;
    const beyond = (sort[i] as SortKey).descending ? '<' : '>';
    part =
      value === null
        ? { text: `(k${i} IS NULL AND ${part.text})`, values: part.values }
        : {
            text: `(k${i} IS NULL OR k${i} ${beyond} ? OR (k${i} = ? AND ${part.text}))`,
            values: [value, value, ...part.values],
          };
  }
  return part;
}

function parsePlace(after: string, keys: number): (string | number | null)[] {
  try {
    const place: unknown = JSON.parse(after);
    const sound = Array.isArray(place) && place.length === keys + 1 && Number.isSafeInteger(place[keys]);
    if (sound && place.every((it) => it === null || ['string', 'number'].includes(typeof it))) return place;
  } catch {
    // falls through: one answer for every kind of garbage
  }
  throw new Failure('malformed', 'the page link is damaged: start the search again');
}
