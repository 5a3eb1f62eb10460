/**
 * What has to be known around a message that is applied again: which other messages speak of a resource, and what refers to
 * it. Read when a decision asks for it, for all resources of a round together.
 */
import type { SearchParameters } from '../fhir/search/parameters.ts';
import { parseQuery } from '../fhir/search/query.ts';
import type { StoredResource } from '../fhir/types.ts';
import { nameOf } from '../store/key.ts';
import type { JournalRow, MessageState } from '../store/rows.ts';
import type { Cause, Key, Store } from '../store/store.ts';
import type { Part } from './registers.ts';
import { Needs } from './scene.ts';
import { giveWay } from './walk.ts';

/** Registers that a message gives of a resource; undefined for those that it deletes. */
export type Says = ReadonlyMap<string, Part | undefined>;

/** A message that speaks of a resource, with what it says of it by the mapping that stands now. */
export interface Speaker {
  readonly id: number;
  readonly state: MessageState;
  readonly says: Says;
}

/** What refers to a resource. */
export interface Referrers {
  readonly keys: readonly Key[];
  /** There are more than were read. */
  readonly more: boolean;
}

/** A decision cannot go on without what is around these. */
class NeedsSurroundings extends Needs {
  readonly speakersOf: readonly StoredResource[];
  readonly referrersOf: readonly Key[];

  constructor(speakersOf: readonly StoredResource[], referrersOf: readonly Key[]) {
    super({});
    this.speakersOf = speakersOf;
    this.referrersOf = referrersOf;
  }
}

/** Messages that are looked at for one resource, the newest; and resources that refer to one. */
const [speakersMax, referrersMax] = [1000, 200];

const spoken: readonly MessageState[] = ['applied', 'stale', 'received'];

export class Surroundings {
  readonly #speakers = new Map<string, Speaker[]>();
  readonly #referrers = new Map<string, Referrers>();
  readonly #store: Store;
  readonly #parameters: SearchParameters;
  readonly #saying: (row: JournalRow) => (of: StoredResource) => Says;

  /** @param saying maps a message, and gives what it says of a resource */
  constructor(store: Store, parameters: SearchParameters, saying: (row: JournalRow) => (of: StoredResource) => Says) {
    this.#store = store;
    this.#parameters = parameters;
    this.#saying = saying;
  }

  /** @throws Needs for those that have not been read */
  speakersOf(resources: readonly StoredResource[]): ReadonlyMap<string, readonly Speaker[]> {
    const missing = resources.filter((it) => !this.#speakers.has(nameIn(it)));
    if (missing.length > 0) throw new NeedsSurroundings(missing, []);
    return this.#speakers;
  }

  /** @throws Needs for those that have not been read */
  referrersOf(keys: readonly Key[]): ReadonlyMap<string, Referrers> {
    const missing = keys.filter((it) => !this.#referrers.has(nameOf(it)));
    if (missing.length > 0) throw new NeedsSurroundings([], missing);
    return this.#referrers;
  }

  /** @returns undefined for what is not asked of us */
  read(needs: Needs): Promise<void> | undefined {
    return needs instanceof NeedsSurroundings ? this.#read(needs) : undefined;
  }

  async #read({ speakersOf, referrersOf }: NeedsSurroundings): Promise<void> {
    for (const key of referrersOf) this.#referrers.set(nameOf(key), await this.#referring(key));
    const byMessage = new Map<number, StoredResource[]>();
    const byPatient = new Map<string, readonly number[]>();
    for (const resource of speakersOf) {
      this.#speakers.set(nameIn(resource), []);
      for (const id of new Set([...(await this.#writers(resource)), ...(await this.#tellers(resource, byPatient))]))
        byMessage.set(id, [...(byMessage.get(id) ?? []), resource]);
    }
    for (const [id, resources] of [...byMessage].sort(([a], [b]) => a - b)) {
      const row = await this.#store.message(id);
      if (!row || !spoken.includes(row.state)) continue;
      // Each is mapped, which is work.
      await giveWay();
      const saying = this.#saying(row);
      for (const resource of resources) {
        const says = saying(resource);
        if (says.size > 0) this.#speakers.get(nameIn(resource))?.push({ id, state: row.state, says });
      }
    }
  }

  /** Messages that wrote a version. */
  async #writers({ resourceType: type, id }: StoredResource): Promise<number[]> {
    const versions = await this.#store.history({ type, id, limit: speakersMax });
    return versions.flatMap(({ cause }) => messageIn(cause) ?? []);
  }

  /** Messages of the same patient, by the Provenance that each left: also one that changed nothing did. */
  async #tellers(resource: StoredResource, known: Map<string, readonly number[]>): Promise<readonly number[]> {
    const named: unknown = (resource.patient ?? resource.beneficiary ?? resource.subject)?.reference;
    const patient = resource.resourceType === 'Patient' ? nameIn(resource) : named;
    if (typeof patient !== 'string') return [];
    const standing = known.get(patient);
    if (standing) return standing;
    const { hits } = await this.#search('Provenance', 'target', patient, speakersMax);
    const found: number[] = [];
    // Its first version: a merge may have moved it since.
    for (const { type, id } of hits)
      found.push(
        ...[messageIn((await this.#store.readVersion({ type, id }, 1))?.cause)].filter((it) => it !== undefined),
      );
    known.set(patient, found);
    return found;
  }

  async #referring(target: Key): Promise<Referrers> {
    const found = new Map<string, Key>();
    for (const type of await this.#store.types()) {
      for (const { kind, code, targets } of this.#parameters.of(type).values()) {
        if (kind !== 'reference' || !targets.includes(target.type)) continue;
        const { hits, next } = await this.#search(type, code, nameOf(target), referrersMax);
        for (const { type, id } of hits) found.set(nameOf({ type, id }), { type, id });
        if (next !== undefined) return { keys: [...found.values()], more: true };
      }
    }
    return { keys: [...found.values()], more: false };
  }

  #search(type: string, code: string, value: string, count: number): ReturnType<Store['search']> {
    const asked: [string, string][] = [
      [code, value],
      ['_sort', '-_lastUpdated'],
      ['_count', String(count)],
    ];
    return this.#store.search({ query: parseQuery(type, asked, this.#parameters) });
  }
}

function nameIn({ resourceType: type, id }: StoredResource): string {
  return nameOf({ type, id });
}

function messageIn(cause: Cause | undefined): number | undefined {
  const id = /^message:(\d+)$/.exec(cause ?? '')?.[1];
  return id === undefined ? undefined : Number(id);
}
