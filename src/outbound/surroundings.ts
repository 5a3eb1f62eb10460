/** What a message looks at besides the resource that it is about, read before the message is made. */
import { parseReference } from '../fhir/reference.ts';
import type { SearchParameters } from '../fhir/search/parameters.ts';
import { parseQuery } from '../fhir/search/query.ts';
import type { Json } from '../fhir/types.ts';
import { nameOf } from '../store/key.ts';
import type { Key, Store } from '../store/store.ts';

interface Readers {
  readonly store: Store;
  readonly parameters: SearchParameters;
}

/** A Location is part of others: site, building, floor, ward, room, bed. */
const partsMax = 6;

export class Surroundings {
  readonly #resources = new Map<string, Json>();
  readonly #questionnaires = new Map<string, Json>();

  /** @param questionnaires canonicals, besides those of the responses among the references */
  static async read(references: readonly string[], questionnaires: readonly string[], readers: Readers) {
    const own = new Surroundings();
    let keys = keysOf(references);
    for (let depth = 0; depth < partsMax && keys.length > 0; depth++) {
      const read = await own.#readAll(keys, readers.store);
      keys = keysOf(read.flatMap((it) => it.partOf?.reference ?? [])).filter((key) => !own.#resources.has(nameOf(key)));
    }
    const asked = [...own.#resources.values()].flatMap((it) => it.questionnaire ?? []);
    for (const canonical of new Set([...questionnaires, ...asked])) await own.#find(canonical, readers);
    return own;
  }

  look(reference: string | undefined): Json | undefined {
    return reference === undefined ? undefined : this.#resources.get(reference);
  }

  questionnaire(canonical: string | undefined): Json | undefined {
    return canonical === undefined ? undefined : this.#questionnaires.get(canonical);
  }

  async #readAll(keys: readonly Key[], store: Store): Promise<Json[]> {
    const read: Json[] = [];
    for (const { type, id, json } of await store.readAll(keys)) {
      if (json === undefined) continue;
      const resource: Json = JSON.parse(json);
      this.#resources.set(`${type}/${id}`, resource);
      read.push(resource);
    }
    return read;
  }

  async #find(canonical: string, { store, parameters }: Readers): Promise<void> {
    const [url = '', version] = canonical.split('|').map(escaped);
    if (url === '') return;
    const wanted = new URLSearchParams({ url, ...(version && { version }), _sort: '-_lastUpdated', _count: '1' });
    const { hits } = await store.search({ query: parseQuery('Questionnaire', wanted, parameters) });
    if (hits[0]) this.#questionnaires.set(canonical, JSON.parse(hits[0].json));
  }
}

/** As a value of a search (R4 search.html#escaping). */
function escaped(value: string): string {
  return value.replace(/[\\,$]/g, '\\$&');
}

function keysOf(references: readonly string[]): Key[] {
  const keys = references.flatMap((it) => parseReference(it) ?? []);
  return [...new Map(keys.map(({ type, id }) => [`${type}/${id}`, { type, id }])).values()];
}
