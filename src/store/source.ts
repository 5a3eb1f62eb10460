/** Parts of the statements that the search compiler puts together. */
import type { Filter } from '../fhir/search/filter.ts';
import type { Sql } from './sql.ts';

/** Where resources are looked for: a FROM with its conditions, and the column that holds their number. */
export interface Source {
  readonly from: Sql;
  readonly where: Sql;
  readonly rid: string;
  /** A resource may come more than once. */
  readonly repeats: boolean;
}

export function select({ from, where, rid, repeats }: Source): Sql {
  return {
    text: `SELECT ${repeats ? 'DISTINCT ' : ''}${rid} AS rid FROM ${from.text} WHERE ${where.text}`,
    values: [...from.values, ...where.values],
  };
}

export function narrowed(source: Source, { text, values }: Sql): Source {
  const { where } = source;
  return { ...source, where: { text: `${where.text} AND ${text}`, values: [...where.values, ...values] } };
}

/** Conditions within conditions that all have to hold are as good a driver as those outside. */
export function flattened(filters: readonly Filter[]): readonly Filter[] {
  if (!filters.some(({ kind }) => kind === 'all')) return filters;
  return filters.flatMap((filter) => (filter.kind === 'all' ? flattened(filter.filters) : [filter]));
}
