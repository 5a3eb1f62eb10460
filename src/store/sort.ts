/** Orders of a search: by what is stored of each resource, missing last, the number as the tie-break. */
import type { SortKey } from '../fhir/search/query.ts';
import { canonicalUnits } from '../fhir/search/values.ts';
import type { Dialect } from './dialect.ts';
import { tables } from './predicate.ts';

/** Every resource has exactly one value of it, to the millisecond. */
export const stamp = '_lastUpdated';

/**
 * The key of the resource `c.rid`: the smallest of its values for an order that goes up, the largest for one that goes down.
 * @param visible the condition on a row `s` that it stands at the state that is looked at
 */
export function sortColumn({ code, parameters, descending }: SortKey, visible: string, dialect: Dialect): string {
  const [first] = parameters.values();
  if (!first) return '(SELECT s.id FROM resource s WHERE s.rid = c.rid)';
  const numbers = [...parameters.values()].map((parameter) => dialect.parameter(parameter));
  // Else the smallest would be looked for along all values of the parameter, not among those of the resource.
  const noIndex = (column: string): string => dialect.noIndex?.(column) ?? column;
  const of = (value: string, more = ''): string =>
    `(SELECT ${descending ? 'max' : 'min'}(${noIndex(`s.${value}`)}) FROM ${tables[first.kind]} s WHERE s.rid = c.rid AND s.param IN (${numbers.join(', ')}) AND ${visible}${more})`;
  switch (first.kind) {
    case 'date':
      return of(descending && code !== stamp ? 'high' : 'low');
    case 'number':
      return of('low');
    case 'quantity':
      // In base units where there are any: 900 mg before 1 g.
      return `coalesce(${of('low', ` AND s.system = '${canonicalUnits}'`)}, ${of('low')})`;
    default:
      return of({ token: 'code', string: 'norm', reference: 'id' }[first.kind as 'token']);
  }
}

/** @param complete every resource has the first key */
export function orderBy(sort: readonly SortKey[], complete = false): string {
  const keys = sort.map(({ descending }, i) => {
    const key = `k${i}${descending ? ' DESC' : ''}`;
    return i === 0 && complete ? key : `k${i} IS NULL, ${key}`;
  });
  return [...keys, 'rid'].join(', ');
}
