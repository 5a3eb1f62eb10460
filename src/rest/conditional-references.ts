// https://hl7.org/fhir/R4/http.html#trules (conditional references)
import { isResourceType } from '../fhir/definitions.ts';
import { rewriteReferences } from '../fhir/reference.ts';
import { isLocal } from '../fhir/search/filter.ts';
import { matches } from '../fhir/search/match.ts';
import type { SearchParameters, SearchRow } from '../fhir/search/parameters.ts';
import type { SearchQuery } from '../fhir/search/query.ts';
import type { Resource } from '../fhir/types.ts';
import { Failure } from '../outcome.ts';
import type { Key, QueryKey, View } from '../store/store.ts';
import { type Entry, inEntry, inEntryLater } from './bundle.ts';
import { condition, deleteMax } from './conditional.ts';
import type { RestParts } from './fhir.ts';
import type { Planned } from './transaction.ts';
import type { Target } from './write.ts';

type Targets = readonly (readonly Target[])[];

export interface ConditionalReferences {
  readonly keys: readonly QueryKey[];
  /** Gives what a reference `Patient?identifier=x` stands for. @throws Failure when it fits none or several */
  resolver(
    view: View,
    writes: readonly Planned[],
    targets: Targets,
  ): (reference: string, entry: Entry) => string | undefined;
}

/**
 * The references in the writes of a transaction that are searches. Each distinct one is looked for once, in what the transaction leaves:
 * the specification resolves them last.
 */
export async function conditionalReferences(
  entries: readonly Entry[],
  parts: RestParts,
): Promise<ConditionalReferences> {
  // What fits before may be gone or changed afterwards, so then more than two matter.
  const count = entries.every(({ method }) => method === 'POST') ? 2 : deleteMax;
  const queries = new Map<string, SearchQuery>();
  for (const { index, body } of entries)
    for (const reference of searchesIn(body)) {
      if (queries.has(reference)) continue;
      const [type, search] = reference.split(/\?(.*)/s) as [string, string];
      queries.set(reference, await inEntryLater(index, () => condition(type, search, parts, count)));
    }
  return {
    keys: [...queries.values()].map((query) => ({ query })),
    resolver: (view, writes, targets) => {
      const known = new Map<string, string>();
      const after = queries.size > 0 ? new Afterwards(writes, targets, parts.parameters) : undefined;
      return (reference, entry) => {
        const query = queries.get(reference);
        if (!query || !after) return undefined;
        let found = known.get(reference);
        if (!found) {
          found = inEntry(entry.index, () => theOnly(after.find(query, view)));
          known.set(reference, found);
        }
        return found;
      };
    },
  };
}

function searchesIn(body: unknown): Set<string> {
  const found = new Set<string>();
  if (typeof body === 'object' && body !== null)
    rewriteReferences(body, (reference) => {
      const type = /^([A-Za-z]+)\?/.exec(reference)?.[1];
      if (type && isResourceType(type)) found.add(reference);
      return undefined;
    });
  return found;
}

function theOnly(found: ReadonlySet<string>): string {
  const [one] = found;
  if (one === undefined) throw new Failure('version-conflict', 'a conditional reference fits no resource');
  if (found.size > 1) throw new Failure('multiple-matches', 'a conditional reference fits more than one resource');
  return one;
}

interface Made extends Key {
  readonly rows: readonly SearchRow[];
}

/** What a transaction leaves behind, as far as it can be told from its bodies: a patch counts as what was there before. */
class Afterwards {
  readonly #replaced = new Set<string>();
  /** What is made or replaced: by type, and by each code that it has. */
  readonly #made = new Map<string, Made[]>();

  constructor(writes: readonly Planned[], targets: Targets, parameters: SearchParameters) {
    for (const [i, { entry }] of writes.entries())
      for (const { type, id, current } of targets[i] as readonly Target[]) {
        const isPut = entry.method === 'PUT' || (entry.method === 'POST' && !current);
        const resource = entry.body as Resource | undefined;
        if (entry.method === 'DELETE' || isPut) this.#replaced.add(`${type}/${id}`);
        if (!isPut || resource?.resourceType !== type) continue;
        const made = { type, id, rows: parameters.extract({ ...resource, id }) };
        this.#add(type, made);
        for (const { parameter, value } of made.rows)
          if (value.kind === 'token') this.#add(`${type} ${parameter.code} ${value.code}`, made);
      }
  }

  #add(name: string, made: Made): void {
    const known = this.#made.get(name);
    if (known) known.push(made);
    else this.#made.set(name, [made]);
  }

  /** Names of the resources that fit. Chains are followed in the store alone. */
  find(query: SearchQuery, view: View): ReadonlySet<string> {
    const before = view.search(query).map(({ type, id }) => `${type}/${id}`);
    const found = new Set(before.filter((name) => !this.#replaced.has(name)));
    for (const { type, filters } of query.branches) {
      if (!filters.every(isLocal)) continue;
      for (const { id, rows } of this.#candidates(type, filters))
        if (matches(query, id, rows)) found.add(`${type}/${id}`);
    }
    return found;
  }

  /** Those with the code that is asked for, so that thousands of references by identifier do not look at everything. */
  #candidates(type: string, filters: SearchQuery['branches'][number]['filters']): readonly Made[] {
    for (const filter of filters) {
      if (filter.kind !== 'values' || filter.except) continue;
      const [value, ...more] = filter.values;
      if (value?.kind === 'token' && value.code !== undefined && more.length === 0)
        return this.#made.get(`${type} ${filter.parameter.code} ${value.code}`) ?? [];
    }
    return this.#made.get(type) ?? [];
  }
}
