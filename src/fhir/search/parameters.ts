/**
 * The search parameters of R4 with their extraction: resource ─▶ search rows. Compiled per type at the first use.
 */
import { loadSearchParameters, type SearchParameterRow } from '../definitions.ts';
import { type LocalReference, parseReference } from '../reference.ts';
import type { Json, Resource } from '../types.ts';
import type { Zone } from '../zone.ts';
import { compileExpression, compileRelative, type Found, rootsOf, type Walk } from './expression.ts';
import { type Aspect, content, type IndexContext, narrative, valuesOf } from './index-values.ts';
import { hasWords, type IndexKind, rowKey, type SearchValue, type SimpleValue } from './values.ts';

/** A parameter of one resource type. */
export interface SearchParameter {
  readonly type: string;
  /** As in a URL; what a modifier looks at has rows under `code:text`, `identifier:of-type`, `subject:identifier`. */
  readonly code: string;
  readonly url: string;
  readonly kind: IndexKind;
  /** The kind as R4 names it (`uri` is kept in token rows). */
  readonly declared: SearchParameterRow['type'];
  /** For references: the types that the specification allows as targets. */
  readonly targets: readonly string[];
  readonly aspect: Aspect;
  /** What modifiers look at. */
  readonly modified: readonly SearchParameter[];
  /** Of a composite. */
  readonly components: readonly Component[];
  readonly walk: Walk;
  /** Keys of a resource of which one must be there for `walk` to find something; absent where that is not known. */
  readonly roots?: readonly string[] | undefined;
}

/** One part of a composite: what it is compared as, and how it is found from the element that the composite is about. */
export interface Component {
  readonly parameter: SearchParameter;
  find(resource: Json, context: Found, found: Found[]): void;
}

/** A search row before it has a resource number: what stands in the database for one value of one parameter. */
export interface SearchRow {
  readonly parameter: SearchParameter;
  readonly value: SearchValue;
}

const kinds: Record<SearchParameterRow['type'], IndexKind> = {
  token: 'token',
  uri: 'token',
  string: 'string',
  date: 'date',
  reference: 'reference',
  number: 'number',
  quantity: 'quantity',
  composite: 'composite',
  special: 'position',
};

const lastUpdated: SearchParameterRow = {
  url: 'http://hl7.org/fhir/SearchParameter/Resource-lastUpdated',
  code: '_lastUpdated',
  type: 'date',
  base: ['Resource'],
  expression: 'Resource.meta.lastUpdated',
};

/** `_id` is the resource's own key and needs no row; `_query` names operations. */
const rowless = new Set(['_id', '_query']);

/** Values that one element may have for one composite; what is beyond is an attack on the index. */
const combinationsMax = 200;

/** The parameters of every type. One instance serves the whole process. */
export class SearchParameters {
  readonly #rows: SearchParameterRow[];
  /** Urls of parameters that are extracted, and not yet complete in the store. */
  readonly #pending = new Set<string>();
  readonly #added = new Map<string, string>();
  readonly #byType = new Map<string, ReadonlyMap<string, SearchParameter>>();
  readonly #readyByType = new Map<string, ReadonlyMap<string, SearchParameter>>();
  #generation = 0;
  readonly zone: Zone;
  readonly base: () => string;

  /**
   * @param zone the zone of days and of times without an offset (R4 search.html#date: the server's)
   * @param base the FHIR base URL with a slash at its end, see {@link IndexContext}
   */
  constructor(zone: Zone, base: () => string = () => '') {
    this.zone = zone;
    this.base = base;
    this.#rows = [lastUpdated, ...loadSearchParameters()].filter((row) => !rowless.has(row.code));
  }

  /** The parameters of a type by code that a search may use. */
  of(type: string): ReadonlyMap<string, SearchParameter> {
    if (this.#pending.size === 0) return this.#extracted(type);
    let ready = this.#readyByType.get(type);
    if (!ready) {
      ready = new Map([...this.#extracted(type)].filter(([, { url }]) => !this.#pending.has(url)));
      this.#readyByType.set(type, ready);
    }
    return ready;
  }

  /**
   * Takes up a parameter that a client defined: from now on it is extracted; {@link of} gives it after {@link ready}.
   * One that was there under the same url is replaced.
   */
  add(row: SearchParameterRow, version = ''): void {
    this.remove(row.url);
    this.#rows.push(row);
    this.#pending.add(row.url);
    this.#added.set(row.url, version);
    this.#forget();
  }

  /** The urls of what was added, with the version that {@link add} was told. */
  get added(): ReadonlyMap<string, string> {
    return this.#added;
  }

  /** Every resource has its rows: searches may use it. */
  ready(url: string): void {
    this.#pending.delete(url);
    this.#forget();
  }

  remove(url: string): void {
    if (!this.#added.delete(url)) return;
    this.#rows.splice(
      this.#rows.findIndex((row) => row.url === url),
      1,
    );
    this.#pending.delete(url);
    this.#forget();
  }

  /** Changes whenever {@link of} gives something else. */
  get generation(): number {
    return this.#generation;
  }

  #forget(): void {
    this.#generation++;
    this.#byType.clear();
    this.#readyByType.clear();
  }

  #extracted(type: string): ReadonlyMap<string, SearchParameter> {
    const known = this.#byType.get(type);
    if (known) return known;
    const made = new Map<string, SearchParameter>();
    for (const row of this.#rows) {
      if (!row.base.some((base) => [type, 'Resource', 'DomainResource'].includes(base))) continue;
      const parameter = compileParameter(type, row, this.#rows);
      if (parameter) made.set(row.code, parameter);
    }
    this.#byType.set(type, made);
    return made;
  }

  /** All search rows of a resource, each value once. */
  extract(resource: Resource): SearchRow[] {
    const rows: SearchRow[] = [];
    for (const parameter of this.#extracted(resource.resourceType).values())
      if (mayBeIn(resource, parameter)) this.#extractOne(resource, parameter, rows);
    return rows;
  }

  /** A parameter by its url, complete or not. */
  extracted(type: string, url: string): SearchParameter | undefined {
    return [...this.#extracted(type).values()].find((it) => it.url === url);
  }

  /** The rows of one parameter, complete or not: for the index that is made in the background. */
  extractOf(resource: Resource, url: string): SearchRow[] {
    const rows: SearchRow[] = [];
    for (const parameter of this.#extracted(resource.resourceType).values())
      if (parameter.url === url) this.#extractOne(resource, parameter, rows);
    return rows;
  }

  #extractOne(resource: Resource, parameter: SearchParameter, rows: SearchRow[]): void {
    if (parameter.kind === 'text') {
      const text = parameter.code === '_text' ? narrative(resource) : content(resource);
      if (hasWords(text)) rows.push({ parameter, value: { kind: 'text', text } });
      return;
    }
    const found: Found[] = [];
    parameter.walk(resource, found);
    if (found.length === 0) return;
    const context = { zone: this.zone, base: this.base() };
    const once = new Once(rows);
    if (parameter.kind === 'composite') {
      for (const element of found)
        for (const parts of combinations(parameter, resource, element, context))
          once.add({ parameter, value: { kind: 'composite', parts } });
      return;
    }
    for (const item of found)
      for (const value of valuesOf(parameter.kind, parameter.aspect, item, context)) once.add({ parameter, value });
    for (const modified of parameter.modified) {
      const more = new Once(rows);
      for (const item of found)
        for (const value of valuesOf(modified.kind, modified.aspect, item, context))
          more.add({ parameter: modified, value });
    }
  }
}

/** Most elements of most resources are not there. */
function mayBeIn(resource: Json, { roots }: SearchParameter): boolean {
  if (!roots) return true;
  for (const key of roots) if (resource[key] !== undefined) return true;
  return false;
}

/** Every combination of the values that the components find in one element. */
function combinations(
  parameter: SearchParameter,
  resource: Json,
  element: Found,
  context: IndexContext,
): SimpleValue[][] {
  let all: SimpleValue[][] = [[]];
  for (const { parameter: part, find } of parameter.components) {
    const found: Found[] = [];
    find(resource, element, found);
    const values = found.flatMap((item) => valuesOf(part.kind, 'value', item, context) as SimpleValue[]);
    all = all.flatMap((parts) => values.map((value) => [...parts, value])).slice(0, combinationsMax);
  }
  return all;
}

/** @returns undefined when the parameter says nothing of the type */
function compileParameter(
  type: string,
  row: SearchParameterRow,
  rows: readonly SearchParameterRow[],
): SearchParameter | undefined {
  const { code, url, target = [] } = row;
  const common = {
    type,
    code,
    url,
    declared: row.type,
    targets: target,
    aspect: 'value' as const,
    modified: [],
    components: [],
  };
  if (code === '_text' || code === '_content') return { ...common, kind: 'text', walk: () => {} };
  const walk = row.expression === undefined ? undefined : compileExpression(type, row.expression);
  if (!walk) return undefined;
  const kind = kinds[row.type];
  const plain = { ...common, kind, walk, roots: rootsOf(type, row.expression as string) };
  if (kind !== 'composite') return { ...plain, modified: modifiedOf(plain) };
  const parts = row.component ?? [];
  const components = parts.map((part) => compileComponent(plain, part, definitionOf(part, parts, rows)));
  if (components.length < 2 || components.length > partsMax) return undefined;
  return components.every((it) => it !== undefined) ? { ...plain, components } : undefined;
}

type Part = NonNullable<SearchParameterRow['component']>[number];

/** Parts of a composite at most: so many columns has a row. */
const partsMax = 3;

/** Of DocumentReference-relationship the published parts have each other's definitions: the path tells which is meant. */
function definitionOf(
  part: Part,
  parts: readonly Part[],
  rows: readonly SearchParameterRow[],
): SearchParameterRow | undefined {
  const [own, ...others] = [part, ...parts].map(({ definition }) => rows.find(({ url }) => url === definition));
  return others.find((row) => row?.expression?.endsWith(`.${part.expression}`)) ?? own;
}

/** The rows that `:text`, `:of-type` and `:identifier` look at; only values that have such a part make any. */
function modifiedOf(parameter: SearchParameter): SearchParameter[] {
  const aspect = (name: Aspect, kind: IndexKind): SearchParameter => ({
    ...parameter,
    code: `${parameter.code}:${name}`,
    kind,
    aspect: name,
  });
  if (parameter.declared === 'token')
    return [aspect('text', 'string'), ...(parameter.code === 'identifier' ? [aspect('of-type', 'token')] : [])];
  return parameter.declared === 'reference' ? [aspect('identifier', 'token')] : [];
}

function compileComponent(
  composite: SearchParameter,
  { expression }: Part,
  row: SearchParameterRow | undefined,
): Component | undefined {
  if (!row || ['composite', 'special'].includes(row.type)) return undefined;
  const parameter = { ...composite, declared: row.type, kind: kinds[row.type], targets: row.target ?? [] };
  // MolecularSequence alone: a component that begins at the resource.
  if (expression.startsWith('%resource.')) {
    const walk = compileExpression(composite.type, expression.slice('%resource.'.length));
    return walk && { parameter, find: (resource, _, found) => walk(resource, found) };
  }
  const walk = compileRelative(expression);
  return walk && { parameter, find: (_, context, found) => walk(context, found) };
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

/** The resources of this server that a reference parameter finds in a resource. */
export function targetsOf(parameter: SearchParameter, resource: Json): LocalReference[] {
  const found: Found[] = [];
  parameter.walk(resource, found);
  return found.flatMap(
    ({ value }) => parseReference(typeof value === 'string' ? value : (value.reference ?? '')) ?? [],
  );
}
