/** What the rules of the conformance suite work with. */
import { FixedClock } from '../../../src/clock.ts';
import { Commit, type Intention, type Written } from '../../../src/commit/commit.ts';
import { SearchParameters } from '../../../src/fhir/search/parameters.ts';
import { parseQuery, type SearchQuery } from '../../../src/fhir/search/query.ts';
import type { StoredResource } from '../../../src/fhir/types.ts';
import { Zone } from '../../../src/fhir/zone.ts';
import type { MessageClaim, NewMessage } from '../../../src/store/rows.ts';
import type { Effect, Key, Store } from '../../../src/store/store.ts';

/** What a rule is given: a store of its own for each test. */
export interface Given {
  readonly store: Store;
  readonly bench: Bench;
  readonly makeStore: MakeStore;
}

/** Gives an empty store each time; several may be open at once. */
export type MakeStore = () => Promise<MadeStore>;

export interface MadeStore {
  readonly store: Store;
  close(): Promise<void>;
}

export const parameters = new SearchParameters(new Zone('Asia/Shanghai'));
export const begin = '2026-03-16T02:00:00Z';
export const beginMs = Date.parse(begin);

/** A store with a clock that tests move, and short ways to write and search. */
export class Bench {
  readonly store: Store;
  readonly clock = new FixedClock(begin);
  readonly commit: Commit;

  constructor(store: Store) {
    this.store = store;
    this.commit = new Commit(store, parameters, this.clock);
  }

  /** One unit of work: puts, and deletions of `Type/id`. */
  async write(...work: (StoredResource | string)[]): Promise<readonly Written[]> {
    const intentions = work.map((it): Intention => {
      if (typeof it !== 'string') return { kind: 'put', resource: it };
      const [type = '', id = ''] = it.split('/');
      return { kind: 'delete', key: { type, id } };
    });
    const keys = intentions.map((it) => (it.kind === 'put' ? keyOf(it.resource) : it.key));
    const written = await this.commit.run({ cause: 'client:test', keys, decide: () => ({ intentions }) });
    this.clock.advance(1);
    return written;
  }

  effects(...effects: Effect[]): Promise<void> {
    return this.store.commit({ cause: 'system:test', keys: [], decide: () => ({ writes: [], effects }) });
  }

  /** @param search `Patient?name=a`; of several types `Patient,Encounter?_lastUpdated=2026` */
  query(search: string): SearchQuery {
    const [types = '', text = ''] = search.split(/\?(.*)/s, 2);
    return parseQuery(types.split(','), new URLSearchParams(text), parameters);
  }

  /** Ids of the first page, in its order; as it was at a snapshot when there is one. */
  async ids(search: string, snapshot?: number): Promise<string[]> {
    const { hits } = await this.store.search({
      query: this.query(search),
      ...(snapshot !== undefined && { snapshot }),
    });
    return hits.map((hit) => hit.id);
  }
}

/** A store for one test. */
export async function withStore(makeStore: MakeStore, run: (bench: Bench) => Promise<void>): Promise<void> {
  const made = await makeStore();
  try {
    await run(new Bench(made.store));
  } finally {
    await made.close();
  }
}

export function keyOf({ resourceType, id }: StoredResource): Key {
  return { type: resourceType, id };
}

export function patient(id: string, more: object = {}): StoredResource {
  return { resourceType: 'Patient', id, ...more };
}

export function message(more: Partial<NewMessage> = {}): NewMessage {
  return {
    receivedAt: beginMs,
    listener: 'mllp:2575',
    peer: '127.0.0.1',
    site: '',
    bytes: Buffer.from('MSH|^~\\&|'),
    charset: 'utf-8',
    state: 'received',
    type: 'ADT^A03',
    controlId: 'C1',
    application: 'HIS',
    facility: 'RENHE',
    sha256: 'aa',
    content: 'cc',
    answer: Buffer.from('MSA|AA|C1'),
    ...more,
  };
}

export function claim(id: number, more: Partial<MessageClaim> = {}): Effect {
  return { kind: 'message', claim: { id, from: 'received', to: 'applied', at: beginMs, ...more } };
}
