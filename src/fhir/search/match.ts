/** Does a resource match a query? In memory, for subscriptions and as the oracle of the search tests. */

import type { SearchRow } from './parameters.ts';
import { dateMatches, type Filter, type FilterValue, type SearchQuery } from './query.ts';
import type { SearchValue } from './values.ts';

/**
 * @param id the logical id of the resource
 * @param rows the rows that `SearchParameters.extract` gives for it
 */
export function matches(query: Pick<SearchQuery, 'filters'>, id: string, rows: readonly SearchRow[]): boolean {
  return query.filters.every((filter) => matchesFilter(filter, id, rows));
}

function matchesFilter(filter: Filter, id: string, rows: readonly SearchRow[]): boolean {
  if (filter.kind === 'ids') return filter.ids.includes(id);
  const own = rows.filter((row) => row.parameter.code === filter.parameter.code);
  if (filter.kind === 'missing') return (own.length === 0) === filter.missing;
  const hit = own.some((row) => filter.values.some((value) => matchesValue(value, row.value)));
  return hit !== filter.not;
}

function matchesValue(wanted: FilterValue, row: SearchValue): boolean {
  if (wanted.kind === 'token' && row.kind === 'token') {
    return (
      (wanted.system === undefined || wanted.system === row.system) &&
      (wanted.code === undefined || wanted.code === row.code)
    );
  }
  if (wanted.kind === 'string' && row.kind === 'string') {
    if (wanted.match === 'exact') return row.text === wanted.text;
    return wanted.match === 'prefix' ? row.norm.startsWith(wanted.norm) : row.norm.includes(wanted.norm);
  }
  if (wanted.kind === 'date' && row.kind === 'date') return dateMatches(wanted.prefix, wanted, row);
  if (wanted.kind === 'reference' && row.kind === 'reference') {
    return row.id === wanted.id && (wanted.target === undefined || wanted.target === row.target);
  }
  return false;
}
