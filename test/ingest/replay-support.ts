/** A journal with a store for tests of replay: messages are kept as the listener keeps them, mappings are changed at will. */
import { SqliteStore } from '../../adapters/sqlite/store.ts';
import { FixedClock } from '../../src/clock.ts';
import { Commit } from '../../src/commit/commit.ts';
import { SearchParameters } from '../../src/fhir/search/parameters.ts';
import type { Json, StoredResource } from '../../src/fhir/types.ts';
import { Zone } from '../../src/fhir/zone.ts';
import type { IngestParts } from '../../src/ingest/apply.ts';
import { ingestStage } from '../../src/ingest/stage.ts';
import type { Mapping } from '../../src/mapping/map.ts';
import type { JournalRow, MessageState } from '../../src/store/rows.ts';
import { received } from './received.ts';

const zone = new Zone('Asia/Shanghai');
export const parameters = new SearchParameters(zone);

export class TestJournal {
  readonly store = new SqliteStore(':memory:');
  readonly clock = new FixedClock('2026-03-16T02:31:00Z');
  readonly parts: IngestParts;
  readonly #ingest: () => Promise<unknown>;
  #mapping: Mapping;
  #version = 1;

  constructor(mapping: Mapping) {
    this.#mapping = mapping;
    const mappingOf = () => ({ mapping: this.#mapping, settings: {}, version: `v${this.#version}` });
    const { store, clock } = this;
    this.parts = { store, commit: new Commit(store, parameters, clock), parameters, mappingOf, zone, clock };
    this.#ingest = ingestStage(this.parts, () => {});
  }

  /** The mapping that holds from now on. */
  use(mapping: Mapping): void {
    this.#mapping = mapping;
    this.#version++;
  }

  /** Keeps a message, and applies what waits. Gives its id. */
  async receive(text: string): Promise<number> {
    const id = await this.store.keep(received(text, this.clock.now()));
    await this.apply();
    return id;
  }

  async apply(): Promise<void> {
    await this.#ingest();
  }

  async row(id: number): Promise<JournalRow> {
    return (await this.store.message(id)) as JournalRow;
  }

  async stateOf(id: number): Promise<MessageState> {
    return (await this.row(id)).state;
  }

  /** The names of all current resources, also of those that tell of the messages themselves. */
  async names(): Promise<string[]> {
    const names: string[] = [];
    for (const type of await this.store.types()) {
      const ids = new Set((await this.store.history({ type, limit: 10_000 })).map((it) => it.id));
      for (const id of ids) if ((await this.store.read({ type, id }))?.json !== undefined) names.push(`${type}/${id}`);
    }
    return names.sort();
  }

  /** The current resources, without what a version says of itself, by name; those that tell of the messages left out. */
  async resources(): Promise<Record<string, Json>> {
    const found: Record<string, Json> = {};
    for (const type of await this.store.types()) {
      if (type === 'Provenance' || type === 'MessageHeader') continue;
      const ids = new Set((await this.store.history({ type, limit: 10_000 })).map((it) => it.id));
      for (const id of ids) {
        const version = await this.store.read({ type, id });
        if (version?.json === undefined) continue;
        const { meta, ...rest } = JSON.parse(version.json) as StoredResource;
        const { versionId: _, lastUpdated: __, ...own } = meta ?? {};
        found[`${type}/${id}`] = { ...rest, ...(Object.keys(own).length > 0 && { meta: own }) };
      }
    }
    return found;
  }

  async close(): Promise<void> {
    await this.store.close();
  }
}
