/** One value of a filter ─▶ a condition on a search row. The SQL twin of `src/fhir/search/match.ts`; a property test holds them together. */
import type { DateFilter, FilterValue, NumberFilter, SimpleFilter } from '../fhir/search/filter.ts';
import { earthRadiusKm } from '../fhir/search/match.ts';
import { canonicalUnits, type IndexKind } from '../fhir/search/values.ts';
import { indexKey, storable } from './index-key.ts';
import { always, join, nothing, parenthesised, type Sql } from './sql.ts';

export type { Sql };

/** What differs between databases in a condition. */
export interface PredicateDialect {
  /** True when a text column holds `?`. */
  contains(column: string): string;
  /** True when a text column ends with a text. */
  endsWith(column: string, end: string): Sql;
  /** True when the row of `text_row` under this alias has all the words. */
  words(alias: string, words: readonly string[]): Sql;
  /** True as long as the statement may go on, asked for each resource; absent where the database has a limit of its own. */
  guard?(rid: string): string;
  /** A column by which no index shall be chosen; absent where the planner knows better. */
  noIndex?(column: string): string;
}

/** Where the values of each kind stand. */
export const tables: Record<IndexKind, string> = {
  token: 'token_row',
  string: 'string_row',
  date: 'date_row',
  reference: 'reference_row',
  number: 'number_row',
  quantity: 'quantity_row',
  composite: 'composite_row',
  text: 'text_row',
  position: 'number_row',
};

/** Names of the columns: a composite has those of each part under `c1 s1 l1 h1`, `c2` … */
interface Columns {
  readonly code: string;
  /** The code, where a range of codes is asked for. */
  readonly codes: string;
  readonly system: string;
  readonly norm: string;
  readonly text: string;
  readonly id: string;
  readonly target: string;
  readonly low: string;
  readonly high: string;
}

function columnsOf(alias: string): Columns {
  return {
    code: `${alias}.code`,
    codes: `${alias}.code`,
    system: `${alias}.system`,
    norm: `${alias}.norm`,
    text: `${alias}.text`,
    id: `${alias}.id`,
    target: `${alias}.target`,
    low: `${alias}.low`,
    high: `${alias}.high`,
  };
}

/** For a look at the rows of one resource: a range of values would find those of all resources. */
function hiddenRanges(columns: Columns, { noIndex }: PredicateDialect): Columns {
  if (!noIndex) return columns;
  const { codes, norm, low, high } = columns;
  return { ...columns, codes: noIndex(codes), norm: noIndex(norm), low: noIndex(low), high: noIndex(high) };
}

function columnsOfPart(alias: string, part: number): Columns {
  const [c, s, low, high] = ['c', 's', 'l', 'h'].map((letter) => `${alias}.${letter}${part}`) as [
    string,
    string,
    string,
    string,
  ];
  return { code: c, codes: c, norm: c, id: c, system: s, text: s, target: s, low, high };
}

/** True when any of the values fits the row. */
export function anyOf(values: readonly FilterValue[], alias: string, dialect: PredicateDialect): Sql {
  return ored(values, alias, columnsOf(alias), dialect);
}

/** The same, where the row is one of a resource that is known: it is found by that, not by its value. */
export function anyOfResource(values: readonly FilterValue[], alias: string, dialect: PredicateDialect): Sql {
  return ored(values, alias, hiddenRanges(columnsOf(alias), dialect), dialect);
}

function ored(values: readonly FilterValue[], alias: string, columns: Columns, dialect: PredicateDialect): Sql {
  if (values.length === 0) return nothing;
  return join(
    values.map((value) => predicate(value, alias, columns, dialect)),
    ' OR ',
  );
}

function predicate(value: FilterValue, alias: string, columns: Columns, dialect: PredicateDialect): Sql {
  switch (value.kind) {
    case 'composite':
      return join(
        value.parts.map((part, i) => parenthesised(simple(part, columnsOfPart(alias, i + 1), dialect))),
        ' AND ',
      );
    case 'text':
      return dialect.words(alias, value.words);
    case 'position':
      return within(value, columns);
    case 'concept':
      throw new Error('a concept must be replaced by its codes before it is compiled');
    default:
      return simple(value, columns, dialect);
  }
}

function simple(value: SimpleFilter, at: Columns, dialect: PredicateDialect): Sql {
  switch (value.kind) {
    case 'token': {
      const parts: Sql[] = [];
      if (value.code !== undefined) parts.push({ text: `${at.code} = ?`, values: [indexKey(value.code)] });
      if (value.system !== undefined) parts.push({ text: `${at.system} = ?`, values: [indexKey(value.system)] });
      return parts.length === 0 ? always : join(parts, ' AND ');
    }
    case 'prefix':
      return beginsWith(at.codes, storable(value.text));
    case 'string':
      return string(value, at, dialect);
    case 'date':
      return date(value, at);
    case 'number':
      return number(value, at);
    case 'quantity': {
      const system: Sql =
        value.system === undefined
          ? { text: `${at.system} <> ?`, values: [canonicalUnits] }
          : { text: `${at.system} = ?`, values: [indexKey(value.system)] };
      const code: Sql[] = value.code === undefined ? [] : [{ text: `${at.code} = ?`, values: [indexKey(value.code)] }];
      return join([parenthesised(number(value, at)), ...code, system], ' AND ');
    }
    case 'reference': {
      const id: Sql = { text: `${at.id} = ?`, values: [indexKey(value.id)] };
      return value.target === undefined
        ? id
        : join([id, { text: `${at.target} = ?`, values: [value.target] }], ' AND ');
    }
  }
}

function string(
  { match, norm, text }: Extract<SimpleFilter, { kind: 'string' }>,
  at: Columns,
  dialect: PredicateDialect,
): Sql {
  switch (match) {
    case 'exact':
      return { text: `${at.norm} = ? AND ${at.text} = ?`, values: [norm, text] };
    case 'equal':
      return { text: `${at.norm} = ?`, values: [norm] };
    case 'prefix':
      return beginsWith(at.norm, norm);
    case 'contains':
      return { text: dialect.contains(at.norm), values: [norm] };
    case 'suffix':
      return dialect.endsWith(at.norm, norm);
  }
}

/** A range of the index: LIKE would have to know whether the text holds a wildcard. */
function beginsWith(column: string, text: string): Sql {
  const end = behind(text);
  if (end === undefined) return { text: `${column} >= ?`, values: [text] };
  return { text: `${column} >= ? AND ${column} < ?`, values: [text, end] };
}

/** The first text, in the order of code points, behind all that begin with a text; undefined when there is none. */
function behind(text: string): string | undefined {
  const points = [...text];
  for (let point = points.pop()?.codePointAt(0); point !== undefined; point = points.pop()?.codePointAt(0)) {
    // U+D800 to U+DFFF are halves of surrogate pairs, not characters.
    if (point < 0x10ffff) return points.join('') + String.fromCodePoint(point === 0xd7ff ? 0xe000 : point + 1);
  }
  return undefined;
}

function date({ prefix, low, high }: DateFilter, at: Columns): Sql {
  const inside = `(${at.low} >= ? AND ${at.high} <= ?)`;
  switch (prefix) {
    case 'eq':
      // The upper bound on low lets the index end the scan: a range inside the value begins before its end.
      return { text: `${at.low} >= ? AND ${at.low} < ? AND ${at.high} <= ?`, values: [low, high, high] };
    case 'ne':
      return { text: `NOT ${inside}`, values: [low, high] };
    case 'gt':
      return { text: `${at.high} > ?`, values: [high] };
    case 'lt':
      return { text: `${at.low} < ?`, values: [low] };
    case 'ge':
      return { text: `(${at.high} > ? OR ${inside})`, values: [high, low, high] };
    case 'le':
      return { text: `(${at.low} < ? OR ${inside})`, values: [low, low, high] };
    case 'sa':
      return { text: `${at.low} >= ?`, values: [high] };
    case 'eb':
      return { text: `${at.high} <= ?`, values: [low] };
    case 'overlap':
      return { text: `${at.low} < ? AND ${at.high} > ?`, values: [high, low] };
    case 'ap':
      return { text: `(${at.low} < ? AND ${at.high} > ?)`, values: [high + (high - low), low - (high - low)] };
  }
}

const comparisons = {
  gt: ['high', '>'],
  ge: ['high', '>='],
  lt: ['low', '<'],
  le: ['low', '<='],
  sa: ['low', '>'],
  eb: ['high', '<'],
} as const;

function number(
  { prefix, low, high, value }: Pick<NumberFilter, 'prefix' | 'low' | 'high' | 'value'>,
  at: Columns,
): Sql {
  // As with dates: the second bound on low ends the scan.
  const equal: Sql = { text: `${at.low} >= ? AND ${at.low} < ? AND ${at.high} < ?`, values: [low, high, high] };
  switch (prefix) {
    case 'eq':
      return equal;
    case 'ne':
      return { text: `NOT (${equal.text})`, values: equal.values };
    case 'ap':
      return { text: `${at.high} >= ? AND ${at.low} <= ?`, values: [low, high] };
    default: {
      const [end, operator] = comparisons[prefix];
      return { text: `${at[end]} ${operator} ?`, values: [value] };
    }
  }
}

/** The haversine of the angle is compared, not the distance: no function is needed that one of the databases lacks. */
function within({ latitude, longitude, km }: Extract<FilterValue, { kind: 'position' }>, { low, high }: Columns): Sql {
  const angle = Math.min(km / (2 * earthRadiusKm), Math.PI / 2);
  const band = (angle * 2 * 180) / Math.PI;
  const haversine = `(sin(radians(${low} - ?) / 2) * sin(radians(${low} - ?) / 2) + cos(radians(?)) * cos(radians(${low})) * sin(radians(${high} - ?) / 2) * sin(radians(${high} - ?) / 2))`;
  return {
    text: `${low} BETWEEN ? AND ? AND ${haversine} <= ?`,
    values: [
      latitude - band,
      latitude + band,
      latitude,
      latitude,
      latitude,
      longitude,
      longitude,
      Math.sin(angle) ** 2,
    ],
  };
}
