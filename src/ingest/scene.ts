/**
 * What one message changes, while it is decided: drafts of stored and new resources. What it turns out to need besides what
 * its commit named is asked for by {@link Needs}: the decision runs again when that has been read.
 */
import type { SearchParameters } from '../fhir/search/parameters.ts';
import { parseQuery } from '../fhir/search/query.ts';
import type { StoredResource } from '../fhir/types.ts';
import { Failure } from '../outcome.ts';
import { nameOf } from '../store/key.ts';
import type { Current, Key, Store, View } from '../store/store.ts';
import { Marks } from './marks.ts';
import { Draft } from './merge.ts';

/** A decision cannot go on without these. */
export class Needs extends Error {
  readonly keys: readonly Key[];
  /** Versions that the marks of resources belong to. */
  readonly versions: readonly (Key & { readonly version: number })[];
  /** Whatever refers to these. */
  readonly referrers: readonly Key[];

  constructor(needs: Partial<Pick<Needs, 'keys' | 'versions' | 'referrers'>>) {
    super('a decision needs more than its commit named');
    this.keys = needs.keys ?? [];
    this.versions = needs.versions ?? [];
    this.referrers = needs.referrers ?? [];
  }

  /**
   * Asks once for what several things need: each question is a round, and there are not many.
   * @returns what it gives for each of them
   * @throws Needs
   */
  static ofAll<T, R>(all: Iterable<T>, one: (it: T) => R): R[] {
    const missing: Needs[] = [];
    const given: R[] = [];
    for (const it of all) {
      try {
        given.push(one(it));
      } catch (error) {
        if (!(error instanceof Needs)) throw error;
        missing.push(error);
      }
    }
    if (missing.length === 0) return given;
    throw new Needs({
      keys: missing.flatMap(({ keys }) => keys),
      versions: missing.flatMap(({ versions }) => versions),
      referrers: missing.flatMap(({ referrers }) => referrers),
    });
  }
}

/** Resources that one merge may move. */
const referrersMax = 20_000;

/** What was read for a decision that runs again. */
export class Reading {
  readonly keys = new Map<string, Key>();
  readonly versions = new Map<string, StoredResource>();
  readonly referrers = new Map<string, readonly Key[]>();
  readonly #store: Store;
  readonly #parameters: SearchParameters;

  constructor(store: Store, parameters: SearchParameters) {
    this.#store = store;
    this.#parameters = parameters;
  }

  async read({ keys, versions, referrers }: Needs): Promise<void> {
    for (const key of keys) this.keys.set(nameOf(key), key);
    for (const it of versions) {
      const found = await this.#store.readVersion(it, it.version);
      this.versions.set(versionName(it), JSON.parse(found?.json ?? '{}') as StoredResource);
    }
    for (const key of referrers) {
      const found = await this.referrersOf(key);
      this.referrers.set(nameOf(key), found);
      for (const it of found) this.keys.set(nameOf(it), it);
    }
  }

  /**
   * Resources with a reference that a search parameter indexes.
   * @throws Failure `too-costly` beyond {@link referrersMax}
   */
  async referrersOf(target: Key): Promise<readonly Key[]> {
    const found = new Map<string, Key>();
    for (const type of await this.#store.types()) {
      for (const parameter of this.#parameters.of(type).values()) {
        if (parameter.kind !== 'reference' || !parameter.targets.includes(target.type)) continue;
        for await (const key of this.#search(type, parameter.code, target)) found.set(nameOf(key), key);
        if (found.size > referrersMax)
          throw new Failure('too-costly', `more than ${referrersMax} resources refer to what was merged`);
      }
    }
    return [...found.values()];
  }

  async *#search(type: string, code: string, target: Key): AsyncIterable<Key> {
    const query = parseQuery(
      type,
      [
        [code, nameOf(target)],
        ['_count', '1000'],
      ],
      this.#parameters,
    );
    let page = await this.#store.search({ query });
    for (;;) {
      for (const { type, id } of page.hits) yield { type, id };
      if (page.next === undefined) return;
      page = await this.#store.search({ query, after: page.next, snapshot: page.snapshot as number });
    }
  }
}

function versionName({ type, id, version }: Key & { version: number }): string {
  return `${type}/${id}/${version}`;
}

export class Scene {
  readonly #view: View;
  readonly #named: ReadonlySet<string>;
  readonly #reading: Reading;
  readonly #drafts = new Map<string, Draft>();

  /** @param named what the commit named, besides what was read for it */
  constructor(view: View, named: ReadonlySet<string>, reading: Reading) {
    this.#view = view;
    this.#named = named;
    this.#reading = reading;
  }

  /** The resource as stored; deleted ones are not there. */
  stored(key: Key): (Current & { readonly resource: StoredResource }) | undefined {
    const name = nameOf(key);
    if (!this.#named.has(name) && !this.#reading.keys.has(name)) throw new Needs({ keys: [key] });
    const current = this.#view.get(key);
    return current?.resource && (current as Current & { readonly resource: StoredResource });
  }

  /** The open draft of a resource: as stored, else new and empty. */
  draft(key: Key): Draft {
    const name = nameOf(key);
    const open = this.#drafts.get(name);
    if (open) return open;
    const current = this.stored(key);
    const marks = new Marks(current?.marks);
    const draft = new Draft(current?.resource ?? { resourceType: key.type, id: key.id }, marks);
    if (current && marks.version > 0 && marks.version !== current.version) {
      const of = { ...key, version: marks.version };
      const before = this.#reading.versions.get(versionName(of));
      if (!before) throw new Needs({ versions: [of] });
      draft.absorb(before, current.at);
    }
    this.#drafts.set(name, draft);
    return draft;
  }

  /** The drafts of several, asked for at once. */
  draftsOf(keys: Iterable<Key>): readonly Draft[] {
    return Needs.ofAll(keys, (key) => this.draft(key));
  }

  /** A draft that is open already. */
  open(key: Key): Draft | undefined {
    return this.#drafts.get(nameOf(key));
  }

  drafts(): Iterable<Draft> {
    return this.#drafts.values();
  }

  /** What refers to a resource in the store. @throws Needs at the first time */
  referrers(key: Key): readonly Key[] {
    const found = this.#reading.referrers.get(nameOf(key));
    if (!found) throw new Needs({ referrers: [key] });
    return found;
  }
}
