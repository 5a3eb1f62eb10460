/** Does a resource match a query? In memory, for subscriptions and as the oracle of the search tests. */
import type { Range } from './date-range.ts';
import type { DateFilter, Filter, FilterValue, NumberFilter, SimpleFilter } from './filter.ts';
import type { SearchRow } from './parameters.ts';
import type { SearchQuery } from './query.ts';
import { canonicalUnits, type SearchValue, type SimpleValue, wordsOf } from './values.ts';

/**
 * @param id the logical id of the resource
 * @param rows the rows that `SearchParameters.extract` gives for it
 * @throws Error for a filter that needs other resources, see `isLocal`
 */
export function matches(query: Pick<SearchQuery, 'branches'>, id: string, rows: readonly SearchRow[]): boolean {
  return query.branches.some(({ filters }) => filters.every((filter) => matchesFilter(filter, id, rows)));
}

function matchesFilter(filter: Filter, id: string, rows: readonly SearchRow[]): boolean {
  switch (filter.kind) {
    case 'ids':
      return filter.ids.includes(id);
    case 'any':
      return filter.filters.some((it) => matchesFilter(it, id, rows));
    case 'all':
      return filter.filters.every((it) => matchesFilter(it, id, rows));
    case 'not':
      return !matchesFilter(filter.filter, id, rows);
    case 'missing':
      return rows.some((row) => row.parameter.code === filter.parameter.code) !== filter.missing;
    case 'values':
      return rows.some(
        (row) =>
          row.parameter.code === filter.parameter.code &&
          filter.values.some((value) => matchesValue(value, row.value)) !== (filter.except ?? false),
      );
    default:
      throw new Error(`a ${filter.kind} filter needs other resources`);
  }
}

function matchesValue(wanted: FilterValue, row: SearchValue): boolean {
  if (wanted.kind === 'composite')
    return (
      row.kind === 'composite' && wanted.parts.every((part, i) => matchesSimple(part, row.parts[i] as SimpleValue))
    );
  if (wanted.kind === 'text') {
    if (row.kind !== 'text') return false;
    const words = wordsOf(row.text);
    return wanted.words.every((word) => words.has(word));
  }
  if (wanted.kind === 'position') return row.kind === 'position' && distanceKm(wanted, row) <= wanted.km;
  if (wanted.kind === 'concept') throw new Error('a concept filter needs a terminology');
  return row.kind !== 'composite' && row.kind !== 'text' && row.kind !== 'position' && matchesSimple(wanted, row);
}

function matchesSimple(wanted: SimpleFilter, row: SimpleValue): boolean {
  if (wanted.kind === 'prefix') return row.kind === 'token' && row.code.startsWith(wanted.text);
  if (wanted.kind === 'token' && row.kind === 'token')
    return (
      (wanted.system === undefined || wanted.system === row.system) &&
      (wanted.code === undefined || wanted.code === row.code)
    );
  if (wanted.kind === 'string' && row.kind === 'string') {
    if (wanted.match === 'exact') return row.text === wanted.text;
    if (wanted.match === 'equal') return row.norm === wanted.norm;
    if (wanted.match === 'suffix') return row.norm.endsWith(wanted.norm);
    return wanted.match === 'prefix' ? row.norm.startsWith(wanted.norm) : row.norm.includes(wanted.norm);
  }
  if (wanted.kind === 'date' && row.kind === 'date') return dateMatches(wanted, row);
  if (wanted.kind === 'number' && row.kind === 'number') return numberMatches(wanted, row);
  if (wanted.kind === 'quantity' && row.kind === 'quantity')
    return (
      (wanted.system === undefined ? row.system !== canonicalUnits : wanted.system === row.system) &&
      (wanted.code === undefined || wanted.code === row.code) &&
      numberMatches(wanted, row)
    );
  return (
    wanted.kind === 'reference' &&
    row.kind === 'reference' &&
    row.id === wanted.id &&
    (wanted.target === undefined || wanted.target === row.target)
  );
}

/**
 * Does a stored range fit a date value? R4 search.html#prefix, on `[low, high)` ranges. `ap` widens the value by a tenth of
 * its distance from now in other servers; here by its own width, so that the answer does not depend on the clock.
 */
export function dateMatches(value: Pick<DateFilter, 'prefix' | 'low' | 'high'>, row: Range): boolean {
  switch (value.prefix) {
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
    case 'overlap':
      return row.low < value.high && row.high > value.low;
    case 'ap': {
      const width = value.high - value.low;
      return row.low < value.high + width && row.high > value.low - width;
    }
  }
}

/**
 * Does a stored number (`low` = `high`) or Range fit? R4 search.html#number: equality goes by the digits of the value, the
 * comparisons by the number itself.
 */
export function numberMatches(wanted: Omit<NumberFilter, 'kind'>, row: Range): boolean {
  const { prefix, low, high, value } = wanted;
  // A Range whose ends are the wrong way round is inside nothing that it does not begin in.
  const equal = row.low >= low && row.low < high && row.high < high;
  switch (prefix) {
    case 'eq':
      return equal;
    case 'ne':
      return !equal;
    case 'gt':
      return row.high > value;
    case 'ge':
      return row.high >= value;
    case 'lt':
      return row.low < value;
    case 'le':
      return row.low <= value;
    case 'sa':
      return row.low > value;
    case 'eb':
      return row.high < value;
    case 'ap':
      return row.high >= low && row.low <= high;
  }
}

/** The mean radius. */
export const earthRadiusKm = 6371.0088;

/** Great-circle distance. */
export function distanceKm(
  a: { latitude: number; longitude: number },
  b: { latitude: number; longitude: number },
): number {
  const radians = (degrees: number): number => (degrees * Math.PI) / 180;
  const [north, east] = [radians(b.latitude - a.latitude), radians(b.longitude - a.longitude)];
  const h =
    Math.sin(north / 2) ** 2 + Math.cos(radians(a.latitude)) * Math.cos(radians(b.latitude)) * Math.sin(east / 2) ** 2;
  return 2 * earthRadiusKm * Math.asin(Math.min(1, Math.sqrt(h)));
}
