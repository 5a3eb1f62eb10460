/**
 * The one door for writes. Whoever writes says what a resource shall become; here it is validated, numbered, stamped and
 * given its search rows, and goes to the store as one unit with the rows of the stage.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../clock.ts';
import type { SearchParameters, SearchRow } from '../fhir/search/parameters.ts';
import { rowKey } from '../fhir/search/values.ts';
import type { Json, StoredResource } from '../fhir/types.ts';
import { assertValid } from '../fhir/validate.ts';
import { Failure } from '../outcome.ts';
import {
  type Cause,
  type Effect,
  type IdentifierKey,
  type Key,
  LostClaim,
  type PreparedWrite,
  type QueryKey,
  type Store,
  type View,
} from '../store/store.ts';
import { withinTime } from './time-limit.ts';

/** What a resource shall become. */
export type Intention =
  /** @param marks what the ingest stage remembers of it; the version that is written is added as `v` */
  | { readonly kind: 'put'; readonly resource: StoredResource; readonly marks?: Json }
  | { readonly kind: 'delete'; readonly key: Key };

/** What an intention is about: the keys of a unit that writes without looking. */
export function keyOf(intention: Intention): Key {
  if (intention.kind === 'delete') return intention.key;
  const { resourceType: type, id } = intention.resource;
  return { type, id };
}

/** A unit of work. */
export interface Work {
  readonly cause: Cause;
  readonly keys: readonly (Key | IdentifierKey | QueryKey)[];
  /** What ships with the program is judged by its tests, not again at each start: compiling the schemas takes 0.3 s. */
  readonly trusted?: boolean;
  /** How long the decision may take, with judging and indexing what it writes; ms. */
  readonly msMax?: number | undefined;
  /** Pure; may run again. What it throws ends the unit and comes out of {@link Commit.run}. */
  decide(view: View): {
    readonly intentions: readonly Intention[];
    effects?(written: readonly Written[]): readonly Effect[];
    /** What to throw in place of the error of one intention: an entry of a Bundle adds its place. */
    refusal?(intention: number, error: unknown): unknown;
  };
}

/** What became of an intention. */
export interface Written extends Key {
  readonly version: number;
  readonly interaction: 'create' | 'update' | 'delete' | 'none';
  /** ms since 1970 UTC: when this version was written. */
  readonly at: number;
  /** As stored, with its meta; undefined after a deletion. */
  readonly json: string | undefined;
}

export class Commit {
  readonly #store: Store;
  readonly #parameters: SearchParameters;
  readonly #clock: Clock;
  readonly #committed: () => void;

  /** @param committed the bell: called after each commit that wrote something */
  constructor(store: Store, parameters: SearchParameters, clock: Clock, committed: () => void = () => {}) {
    this.#store = store;
    this.#parameters = parameters;
    this.#clock = clock;
    this.#committed = committed;
  }

  /**
   * Runs a unit of work: all of it or nothing.
   * @returns one entry for each intention, in order
   * @throws Failure `invalid` for a resource that is not sound R4, `too-costly` after `msMax`; LostClaim; whatever `decide` throws
   */
  async run({ cause, keys, decide, trusted = false, msMax }: Work): Promise<readonly Written[]> {
    let written: Written[] = [];
    await this.#store.commit({
      cause,
      keys,
      decide: (view) =>
        withinTime(msMax, () => {
          const { intentions, effects, refusal } = decide(view);
          const at = this.#clock.now();
          const prepared = intentions.map((intention, i) => {
            try {
              return this.#prepare(intention, view, at, trusted);
            } catch (error) {
              throw refusal ? refusal(i, error) : error;
            }
          });
          assertOnce(prepared);
          written = prepared.map((it) => it.written);
          return {
            writes: prepared.flatMap((it) => it.write ?? []),
            effects: [...prepared.flatMap((it) => it.effect ?? []), ...(effects?.(written) ?? [])],
          };
        }),
    });
    if (written.some((it) => it.interaction !== 'none')) this.#committed();
    return written;
  }

  /**
   * Writes rows of a stage that no resource changes with: a cursor that moves on, a claim.
   * @returns false when another worker was first; then nothing is written
   */
  async effects(cause: Cause, effects: readonly Effect[]): Promise<boolean> {
    try {
      await this.run({ cause, keys: [], decide: () => ({ intentions: [], effects: () => effects }) });
      return true;
    } catch (error) {
      if (error instanceof LostClaim) return false;
      throw error;
    }
  }

  #prepare(
    intention: Intention,
    view: View,
    at: number,
    trusted: boolean,
  ): { write?: PreparedWrite; effect?: Effect; written: Written } {
    if (intention.kind === 'delete') return this.#delete(intention.key, view, at);
    const { resourceType: type, id } = intention.resource;
    const current = view.get({ type, id });
    if (current?.resource && isUnchanged(current.resource, intention.resource)) {
      const marks = marksOf(intention.marks, current.version);
      return {
        ...(marks !== undefined && marks !== current.marks && { effect: { kind: 'marks', key: { type, id }, marks } }),
        written: { type, id, version: current.version, interaction: 'none', at: current.at, json: current.json },
      };
    }
    const version = (current?.version ?? 0) + 1;
    const interaction = current?.resource ? 'update' : 'create';
    if (!trusted) assertValid(intention.resource);
    const resource = stamp(intention.resource, version, at);
    const json = JSON.stringify(resource);
    const before = current?.resource ? this.#parameters.extract(current.resource) : [];
    const { added, removed } = difference(before, this.#parameters.extract(resource));
    const marks = marksOf(intention.marks, version);
    const write: PreparedWrite = {
      type,
      id,
      version,
      interaction,
      at,
      json,
      added,
      removed,
      ...(marks !== undefined && { marks }),
    };
    return { write, written: { type, id, version, interaction, at, json } };
  }

  #delete(key: Key, view: View, at: number): { write?: PreparedWrite; written: Written } {
    const current = view.get(key);
    if (!current?.resource) {
      return {
        written: {
          ...key,
          version: current?.version ?? 0,
          interaction: 'none',
          at: current?.at ?? at,
          json: undefined,
        },
      };
    }
    const version = current.version + 1;
    const removed = this.#parameters.extract(current.resource);
    const write: PreparedWrite = { ...key, version, interaction: 'delete', at, json: undefined, added: [], removed };
    return { write, written: { ...key, version, interaction: 'delete', at, json: undefined } };
  }
}

function marksOf(marks: Json | undefined, version: number): string | undefined {
  return marks && JSON.stringify({ ...marks, v: version });
}

/** Two intentions for one resource in one unit have no order (R4 http.html#trules: "SHALL fail"). */
function assertOnce(prepared: readonly { written: Written }[]): void {
  const seen = new Set<string>();
  for (const { written } of prepared) {
    const key = `${written.type}/${written.id}`;
    if (seen.has(key))
      throw new Failure('malformed', 'a resource is written twice in one transaction', [
        { text: 'written twice in one transaction', expression: written.type },
      ]);
    seen.add(key);
  }
}

/** The server's own part of meta, over what the client sent; the rest of meta is the client's. */
function stamp(resource: StoredResource, version: number, at: number): StoredResource {
  const { resourceType, id, meta } = resource;
  const own = { ...meta, versionId: String(version), lastUpdated: new Date(at).toISOString() };
  const stamped: StoredResource = { resourceType, id, meta: own };
  // By keys: a rest pattern takes half as long again.
  for (const key in resource)
    if (key !== 'resourceType' && key !== 'id' && key !== 'meta') stamped[key] = resource[key];
  return stamped;
}

/** An update that changes nothing makes no new version: compared without the server's part of meta. */
function isUnchanged(stored: StoredResource, wanted: StoredResource): boolean {
  const bare = ({ meta, ...rest }: StoredResource): Json => {
    const { versionId: _, lastUpdated: __, ...own } = meta ?? {};
    return { ...rest, ...(Object.keys(own).length > 0 && { meta: own }) };
  };
  const [a, b] = [bare(stored), bare(wanted)];
  if (Object.keys(a).length !== Object.keys(b).length) return false;
  return isDeepStrictEqual(a, b);
}

/** Only what differs is written: an update of one field touches the rows of that field. */
function difference(
  before: readonly SearchRow[],
  after: readonly SearchRow[],
): { added: SearchRow[]; removed: SearchRow[] } {
  if (before.length === 0) return { added: [...after], removed: [] };
  const key = (row: SearchRow): string => `${row.parameter.code} ${rowKey(row.value)}`;
  const old = new Map(before.map((row) => [key(row), row]));
  const added: SearchRow[] = [];
  for (const row of after) {
    if (!old.delete(key(row))) added.push(row);
  }
  return { added, removed: [...old.values()] };
}
