/** FHIR R4 (4.0.1) as tables: types, their elements, the names of the resource types. Made by `npm run definitions`. */
import { readFileSync } from 'node:fs';

/** One element of a type. */
export interface ElementDefinition {
  /** A FHIR type, or the path of a backbone element (`Patient.contact`). */
  readonly type: string;
  /** True when it repeats. */
  readonly list?: boolean;
  readonly required?: boolean;
  readonly summary?: boolean;
  /** `deceased` for `deceasedBoolean`: at most one of the same choice is there. */
  readonly choice?: string;
  /** For a Reference: the resource types that it may name; absent when any. */
  readonly targets?: readonly string[];
}

function load<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`./r4/${name}.json`, import.meta.url), 'utf8')) as T;
}

export const resourceTypes: readonly string[] = load('resource-types');
const elements: Record<string, Record<string, ElementDefinition>> = load('elements');
const known = new Set(resourceTypes);

/** True for the R4 resource types that can be stored. */
export function isResourceType(name: string): boolean {
  return known.has(name);
}

/** The elements of a type or backbone path; undefined when there is no such type. */
export function elementsOf(type: string): Readonly<Record<string, ElementDefinition>> | undefined {
  return Object.hasOwn(elements, type) ? elements[type] : undefined;
}

/** The same by name, of types that were asked for: every key of every resource that is written is looked up. */
const byName = new Map<string, ReadonlyMap<string, ElementDefinition>>();

/** One element; undefined when the type does not have it. */
export function elementOf(type: string, name: string): ElementDefinition | undefined {
  let own = byName.get(type);
  if (!own) {
    const table = elementsOf(type);
    // Names of types that are none are a client's: they are not remembered.
    if (!table) return undefined;
    own = new Map(Object.entries(table));
    byName.set(type, own);
  }
  return own.get(name);
}

/** True for `string`, `code`, `dateTime` …: types that JSON writes as one value. */
export function isPrimitive(type: string): boolean {
  return /^[a-z]/.test(type) && type !== 'xhtml';
}

/** The published search parameters of R4, as loaded from the package. */
export interface SearchParameterRow {
  readonly url: string;
  readonly code: string;
  readonly type: 'number' | 'date' | 'string' | 'token' | 'reference' | 'composite' | 'quantity' | 'uri' | 'special';
  readonly base: readonly string[];
  readonly expression?: string;
  readonly target?: readonly string[];
  /** Of a composite: the parameter that each part is compared as, and its path from the element. */
  readonly component?: readonly { readonly definition: string; readonly expression: string }[];
}

export function loadSearchParameters(): readonly SearchParameterRow[] {
  return load('search-parameters');
}

/** Compartments: type of the compartment ─▶ member type ─▶ codes of the search parameters that make a member. */
export function loadCompartments(): Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> {
  return load('compartments');
}

/** The mended JSON schema of every type, by name. */
export function loadSchemas(): Record<string, object> {
  return load('schema');
}
