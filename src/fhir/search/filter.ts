/** What a search asks of a resource: a tree of conditions. The SQL compiler and the matcher in memory both read it. */
import type { Range } from './date-range.ts';
import type { SearchParameter } from './parameters.ts';

export const prefixes = ['eq', 'ne', 'gt', 'ge', 'lt', 'le', 'sa', 'eb', 'ap'] as const;
export type Prefix = (typeof prefixes)[number];

export interface TokenFilter {
  readonly kind: 'token';
  /** undefined: any system */
  readonly system: string | undefined;
  /** undefined: any code */
  readonly code: string | undefined;
}

export interface StringFilter {
  readonly kind: 'string';
  readonly match: 'prefix' | 'exact' | 'contains' | 'suffix' | 'equal';
  readonly norm: string;
  readonly text: string;
}

/** A code or a uri that begins with this. */
export interface PrefixFilter {
  readonly kind: 'prefix';
  readonly text: string;
}

export interface DateFilter extends Range {
  readonly kind: 'date';
  readonly prefix: Prefix | 'overlap';
}

/** `[low, high)` is what the digits of the value leave open, for `ap` `[low, high]` a tenth around; `value` the number itself. */
export interface NumberFilter extends Range {
  readonly kind: 'number';
  readonly prefix: Prefix;
  readonly value: number;
}

export interface QuantityFilter extends Range {
  readonly kind: 'quantity';
  readonly prefix: Prefix;
  readonly value: number;
  /** undefined: any, but for canonical units */
  readonly system: string | undefined;
  readonly code: string | undefined;
}

export interface ReferenceFilter {
  readonly kind: 'reference';
  /** undefined: any type */
  readonly target: string | undefined;
  readonly id: string;
}

/** R4 search.html#composite: all parts in one row. */
export interface CompositeFilter {
  readonly kind: 'composite';
  readonly parts: readonly SimpleFilter[];
}

/** Every word is in the text. */
export interface TextFilter {
  readonly kind: 'text';
  readonly words: readonly string[];
}

/** Within so many km. */
export interface PositionFilter {
  readonly kind: 'position';
  readonly latitude: number;
  readonly longitude: number;
  readonly km: number;
}

/** Codes that a terminology names; replaced by tokens before a search runs. */
export interface ConceptFilter {
  readonly kind: 'concept';
  readonly relation: 'in' | 'below' | 'above';
  /** The ValueSet for `in`, else the CodeSystem. */
  readonly url: string;
  readonly code: string;
}

/** One value; the values of a filter are ORed. */
export type SimpleFilter =
  | TokenFilter
  | StringFilter
  | PrefixFilter
  | DateFilter
  | NumberFilter
  | QuantityFilter
  | ReferenceFilter;
export type FilterValue = SimpleFilter | CompositeFilter | TextFilter | PositionFilter | ConceptFilter;

/** A condition on a resource. */
export type Filter =
  | { readonly kind: 'ids'; readonly ids: readonly string[] }
  | { readonly kind: 'missing'; readonly parameter: SearchParameter; readonly missing: boolean }
  | {
      readonly kind: 'values';
      readonly parameter: SearchParameter;
      readonly values: readonly FilterValue[];
      /** A value that is none of these. */
      readonly except?: boolean;
    }
  /** Refers by `parameter` to a resource of type `target` of which the filters hold: `subject:Patient.name=x`. */
  | {
      readonly kind: 'chain';
      readonly parameter: SearchParameter;
      readonly target: string;
      readonly filters: readonly Filter[];
    }
  /** Is referred to by `parameter`, from a resource of which the filters hold: `_has:Observation:patient:code=x`. */
  | {
      readonly kind: 'has';
      readonly type: string;
      readonly parameter: SearchParameter;
      readonly filters: readonly Filter[];
    }
  | { readonly kind: 'any'; readonly filters: readonly Filter[] }
  | { readonly kind: 'all'; readonly filters: readonly Filter[] }
  | { readonly kind: 'not'; readonly filter: Filter };

/** True when the resource alone decides: nothing else has to be read. */
export function isLocal(filter: Filter): boolean {
  switch (filter.kind) {
    case 'chain':
    case 'has':
      return false;
    case 'any':
    case 'all':
      return filter.filters.every(isLocal);
    case 'not':
      return isLocal(filter.filter);
    case 'values':
      return filter.values.every((value) => value.kind !== 'concept');
    default:
      return true;
  }
}

/** The same filter with other values: for what has to be looked up before it can be compared. */
export async function mapValues(
  filter: Filter,
  replace: (value: FilterValue) => Promise<readonly FilterValue[]>,
): Promise<Filter> {
  switch (filter.kind) {
    case 'values':
      return { ...filter, values: (await Promise.all(filter.values.map(replace))).flat() };
    case 'not':
      return { ...filter, filter: await mapValues(filter.filter, replace) };
    case 'any':
    case 'all':
    case 'chain':
    case 'has':
      return { ...filter, filters: await Promise.all(filter.filters.map((it) => mapValues(it, replace))) };
    default:
      return filter;
  }
}
