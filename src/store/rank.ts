/** How much a condition narrows a search, by what it says: there are no statistics in the query path. */
import type { Filter, FilterValue } from '../fhir/search/filter.ts';
import type { SearchParameter } from '../fhir/search/parameters.ts';

/** Up to this, a filter finds few resources: no walk over them needs a limit. */
export const shortMax = 2;

/** Worse than this, a filter is better looked at on each resource than walked through. */
export const driveMax = 8;

/** The smaller, the fewer resources. */
export function rank(filter: Filter): number {
  switch (filter.kind) {
    case 'ids':
      return 0;
    case 'not':
    case 'missing':
      return 99;
    case 'chain':
    case 'has': {
      // One step away from what drives. A step from many resources is dearer than looking at each.
      const best = Math.min(99, ...filter.filters.map(rank));
      return best <= 3 ? best + 0.5 : 90;
    }
    case 'any':
      return filter.filters.length > 0 ? Math.max(...filter.filters.map(rank)) + 0.2 : 0;
    case 'all':
      return Math.min(99, ...filter.filters.map(rank));
    case 'values':
      return filter.except
        ? 99
        : filter.values.length === 0
          ? 0
          : rankOfValue(filter.values[0] as FilterValue, filter.parameter);
  }
}

function rankOfValue(value: FilterValue, { code }: SearchParameter): number {
  switch (value.kind) {
    case 'token':
      return code.startsWith('identifier') ? 1 : value.code === undefined ? 8 : 4;
    case 'reference':
      return 2;
    case 'string':
      return value.match === 'contains' || value.match === 'suffix' ? 8 : 3;
    case 'text':
      return 3;
    case 'composite':
      return 3.5;
    case 'date':
    case 'number':
    case 'quantity':
      return value.prefix === 'eq' ? 5 : 7;
    default:
      return 6;
  }
}

/** True when a resource of which the filter holds has a row now: it has not been deleted. */
export function impliesAlive(filter: Filter): boolean {
  switch (filter.kind) {
    case 'values':
    case 'chain':
      return true;
    case 'missing':
      return !filter.missing;
    case 'any':
      return filter.filters.every(impliesAlive);
    case 'all':
      return filter.filters.some(impliesAlive);
    default:
      return false;
  }
}

/** At one state a resource has one row of a whole code or reference: no duplicates, and so no DISTINCT (15 µs). */
export function isUnique({ code }: SearchParameter, values: readonly FilterValue[]): boolean {
  const [one] = values;
  if (values.length !== 1 || !one) return false;
  if (one.kind === 'date') return code === '_lastUpdated';
  if (one.kind === 'token') return one.code !== undefined && one.system !== undefined;
  return one.kind === 'text' || (one.kind === 'reference' && one.target !== undefined);
}
