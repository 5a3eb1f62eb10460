/** Searches by looking at every resource: slow, and plain enough to be right. */
import type { Filter } from '../../../src/fhir/search/filter.ts';
import { matches } from '../../../src/fhir/search/match.ts';
import type { SearchRow } from '../../../src/fhir/search/parameters.ts';
import type { SearchQuery, SortKey } from '../../../src/fhir/search/query.ts';
import { canonicalUnits, type SearchValue } from '../../../src/fhir/search/values.ts';

/** A resource with its search rows. */
export interface Known {
  readonly type: string;
  readonly id: string;
  readonly rows: readonly SearchRow[];
}

/** `Type/id` of what a query finds, in no order. */
export function found({ branches }: SearchQuery, all: readonly Known[]): string[] {
  return branches.flatMap(({ type, filters }) =>
    all.filter((it) => it.type === type && filters.every((filter) => holds(filter, it, all))).map(nameOf),
  );
}

export function nameOf({ type, id }: { type: string; id: string }): string {
  return `${type}/${id}`;
}

function holds(filter: Filter, resource: Known, all: readonly Known[]): boolean {
  switch (filter.kind) {
    case 'any':
      return filter.filters.some((it) => holds(it, resource, all));
    case 'all':
      return filter.filters.every((it) => holds(it, resource, all));
    case 'not':
      return !holds(filter.filter, resource, all);
    case 'chain':
      return all.some(
        (target) =>
          target.type === filter.target &&
          refers(resource, filter.parameter.code, target) &&
          filter.filters.every((it) => holds(it, target, all)),
      );
    case 'has':
      return all.some(
        (source) =>
          source.type === filter.parameter.type &&
          refers(source, filter.parameter.code, resource) &&
          filter.filters.every((it) => holds(it, source, all)),
      );
    default:
      return matches({ branches: [{ type: resource.type, filters: [filter] }] }, resource.id, resource.rows);
  }
}

function refers(from: Known, code: string, to: Known): boolean {
  return from.rows.some(
    ({ parameter, value }) =>
      parameter.code === code && value.kind === 'reference' && value.target === to.type && value.id === to.id,
  );
}

/** True when resources stand in an order: each key of each is not behind that of the next. */
export function isSorted(resources: readonly Known[], sort: readonly SortKey[]): boolean {
  return resources.every((it, i) => i === 0 || compared(resources[i - 1] as Known, it, sort) <= 0);
}

function compared(a: Known, b: Known, sort: readonly SortKey[]): number {
  for (const key of sort) {
    const [x, y] = [keyOf(a, key), keyOf(b, key)];
    if (x === y) continue;
    if (x === undefined) return 1;
    if (y === undefined) return -1;
    const order = typeof x === 'number' ? x - (y as number) : Buffer.compare(Buffer.from(x), Buffer.from(y as string));
    if (order !== 0) return key.descending ? -order : order;
  }
  return 0;
}

/** The smallest value for an order that goes up, the largest for one that goes down. */
function keyOf({ id, rows }: Known, { code, descending }: SortKey): string | number | undefined {
  if (code === '_id') return id;
  const own = rows.filter(({ parameter }) => parameter.code === code).map(({ value }) => value);
  const canonical = own.filter((value) => value.kind === 'quantity' && value.system === canonicalUnits);
  const keys = (canonical.length > 0 ? canonical : own).map((value) => sortValue(value, descending));
  return keys.reduce<string | number | undefined>((best, it) => {
    if (best === undefined) return it;
    const before =
      typeof it === 'number' ? it < (best as number) : Buffer.compare(Buffer.from(it), Buffer.from(best as string)) < 0;
    return before === descending ? best : it;
  }, undefined);
}

function sortValue(value: SearchValue, descending: boolean): string | number {
  switch (value.kind) {
    case 'token':
      return value.code;
    case 'string':
      return value.norm;
    case 'reference':
      return value.id;
    case 'date':
      return descending ? value.high : value.low;
    case 'number':
    case 'quantity':
      return value.low;
    default:
      throw new Error(`${value.kind} has no order`);
  }
}
