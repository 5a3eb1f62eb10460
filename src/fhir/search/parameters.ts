/**
 * The search parameters of R4 with their extraction: resource ─▶ search rows. Compiled per type at the first use.
 */

import { loadSearchParameters, type SearchParameterRow } from '../definitions.ts';
import { type LocalReference, parseReference } from '../reference.ts';
import type { Json, Resource } from '../types.ts';
import type { Zone } from '../zone.ts';
import { compileExpression, type Found, type Walk } from './expression.ts';
import { type IndexKind, type SearchValue, valuesOf } from './values.ts';

/** A parameter of one resource type. */
export interface SearchParameter {
  readonly type: string;
  readonly code: string;
  readonly url: string;
  readonly kind: IndexKind;
  /** The kind as R4 names it (`uri` is kept in token rows). */
  readonly declared: SearchParameterRow['type'];
  /** For references: the types that the specification allows as targets. */
  readonly targets: readonly string[];
  readonly walk: Walk;
}

/** A search row before it has a resource number: what stands in the database for one value of one parameter. */
export interface SearchRow {
  readonly parameter: SearchParameter;
  readonly value: SearchValue;
}

/** What is kept in rows today; number, quantity, composite and special come with issue 4. */
const kinds: Partial<Record<SearchParameterRow['type'], IndexKind>> = {
  token: 'token',
  uri: 'token',
  string: 'string',
  date: 'date',
  reference: 'reference',
};

const lastUpdated: SearchParameterRow = {
  url: 'http://hl7.org/fhir/SearchParameter/Resource-lastUpdated',
  code: '_lastUpdated',
  type: 'date',
  base: ['Resource'],
  expression: 'Resource.meta.lastUpdated',
};

/** The parameters of every type. One instance serves the whole process. */
export class SearchParameters {
  readonly #rows: readonly SearchParameterRow[];
  readonly #byType = new Map<string, Map<string, SearchParameter>>();
  readonly #zone: Zone;

  /** @param zone the zone of days and of times without an offset (R4 search.html#date: the server's) */
  constructor(zone: Zone) {
    this.#zone = zone;
    // `_id` is the resource's own key and needs no row; `_query` names operations.
    this.#rows = [lastUpdated, ...loadSearchParameters()].filter((row) => !['_id', '_query'].includes(row.code));
  }

  /** The parameters of a type by code. */
  of(type: string): ReadonlyMap<string, SearchParameter> {
    const known = this.#byType.get(type);
    if (known) return known;
    const made = new Map<string, SearchParameter>();
    for (const row of this.#rows) {
      const kind = kinds[row.type];
      if (!kind || !row.expression || !row.base.some((base) => [type, 'Resource', 'DomainResource'].includes(base)))
        continue;
      const walk = compileExpression(type, row.expression);
      if (!walk) continue;
      const { code, url, target = [] } = row;
      made.set(code, { type, code, url, kind, declared: row.type, targets: target, walk });
    }
    this.#byType.set(type, made);
    return made;
  }

  get zone(): Zone {
    return this.#zone;
  }

  /** All search rows of a resource, each value once. */
  extract(resource: Resource): SearchRow[] {
    const rows: SearchRow[] = [];
    const found: Found[] = [];
    for (const parameter of this.of(resource.resourceType).values()) {
      found.length = 0;
      parameter.walk(resource, found);
      if (found.length === 0) continue;
      const once = new Once(rows);
      for (const item of found)
        for (const value of valuesOf(parameter.kind, item, this.#zone)) once.add({ parameter, value });
    }
    return rows;
  }
}

/** Each value once. A parameter has one or two values, so comparing beats a set; beyond eight, a set keeps it linear. */
class Once {
  readonly #rows: SearchRow[];
  readonly #first: number;
  #keys: Set<string> | undefined;

  constructor(rows: SearchRow[]) {
    this.#rows = rows;
    this.#first = rows.length;
  }

  add(row: SearchRow): void {
    const count = this.#rows.length - this.#first;
    if (count > 0) {
      const key = rowKey(row.value);
      if (count > 8) this.#keys ??= new Set(this.#rows.slice(this.#first).map((it) => rowKey(it.value)));
      if (this.#keys ? this.#keys.has(key) : this.#stands(key)) return;
      this.#keys?.add(key);
    }
    this.#rows.push(row);
  }

  #stands(key: string): boolean {
    for (let i = this.#first; i < this.#rows.length; i++)
      if (rowKey((this.#rows[i] as SearchRow).value) === key) return true;
    return false;
  }
}

/** Equal for equal values of the same parameter. */
export function rowKey(value: SearchValue): string {
  switch (value.kind) {
    case 'token':
      return `${value.system}|${value.code}`;
    case 'string':
      return value.text;
    case 'date':
      return `${value.low}|${value.high}`;
    case 'reference':
      return `${value.target}|${value.id}`;
  }
}

/** The resources of this server that a reference parameter finds in a resource. */
export function targetsOf(parameter: SearchParameter, resource: Json): LocalReference[] {
  const found: Found[] = [];
  parameter.walk(resource, found);
  return found.flatMap(
    ({ value }) => parseReference(typeof value === 'string' ? value : (value.reference ?? '')) ?? [],
  );
}
