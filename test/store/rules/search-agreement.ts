/** What the database finds is what a look at every resource finds: for every kind of condition, and for every order. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { prefixes } from '../../../src/fhir/search/filter.ts';
import { parseQuery } from '../../../src/fhir/search/query.ts';
import type { StoredResource } from '../../../src/fhir/types.ts';
import type { PreparedWrite, Store } from '../../../src/store/store.ts';
import { found, isSorted, type Known, nameOf } from '../agreement/oracle.ts';
import { dates, numbers, types, ucum, world } from '../agreement/resources.ts';
import { graphPair, localPair, order, type Pair } from '../agreement/searches.ts';
import { type Stored, storedIn } from '../agreement/values.ts';
import { beginMs, type MadeStore, type MakeStore, parameters } from './bench.ts';

function knownOf(resource: StoredResource): Known {
  return { type: resource.resourceType, id: resource.id, rows: parameters.extract(resource) };
}

type Search = readonly [type: string, pairs: readonly Pair[]];

/** Puts a world in the place of another: not through the door, which would refuse the odd ones. */
class World {
  readonly #store: Store;
  readonly #versions = new Map<string, number>();
  #known: readonly Known[] = [];
  #at = beginMs;

  constructor(store: Store) {
    this.#store = store;
  }

  async become(resources: readonly StoredResource[]): Promise<readonly Known[]> {
    this.#at += 3_600_000;
    const next = resources.map(
      (it): StoredResource => ({ ...it, meta: { lastUpdated: new Date(this.#at).toISOString() } }),
    );
    const known = next.map(knownOf);
    const json = new Map(next.map((it) => [`${it.resourceType}/${it.id}`, JSON.stringify(it)]));
    const gone = this.#known
      .filter((it) => !json.has(nameOf(it)))
      .map((it) => this.#write({ ...it, rows: [] }, undefined));
    const writes = [...gone, ...known.map((it) => this.#write(it, json.get(nameOf(it))))];
    await this.#store.commit({ cause: 'system:test', keys: writes, decide: () => ({ writes }) });
    this.#known = known;
    return known;
  }

  #write(it: Known, json: string | undefined): PreparedWrite {
    const name = nameOf(it);
    const version = (this.#versions.get(name) ?? 0) + 1;
    this.#versions.set(name, version);
    const before = this.#known.find((other) => nameOf(other) === name);
    const interaction = json === undefined ? 'delete' : before ? 'update' : 'create';
    return {
      type: it.type,
      id: it.id,
      interaction,
      version,
      at: this.#at,
      json,
      added: it.rows,
      removed: before?.rows ?? [],
    };
  }
}

export function searchAgreementRules(makeStore: MakeStore): void {
  describe('a search agrees with a look at every resource', () => {
    let made: MadeStore;
    let place: World;
    beforeAll(async () => {
      made = await makeStore();
      place = new World(made.store);
    });
    afterAll(() => made.close());

    /** Each query is asked of the state now, and again of the same state after another has taken its place. */
    async function agrees(resources: readonly StoredResource[], queries: readonly Search[]): Promise<void> {
      const known = await place.become(resources);
      const byName = new Map(known.map((it) => [nameOf(it), it]));
      const parsed = queries.map(([type, pairs]) => ({
        asked: `${type}?${pairs.map((it) => it.join('=')).join('&')}`,
        query: parseQuery(type, [...pairs, ['_count', '1000'], ['_total', 'accurate']], parameters),
      }));
      const ask = async (snapshot?: number): Promise<void> => {
        for (const { asked, query } of parsed) {
          const { hits, total } = await made.store.search({ query, ...(snapshot !== undefined && { snapshot }) });
          const names = hits.map(nameOf);
          const expected = found(query, known);
          expect({ asked, found: names.toSorted(), total }).toEqual({
            asked,
            found: expected.sort(),
            total: expected.length,
          });
          const inOrder = isSorted(
            names.map((name) => byName.get(name) as Known),
            query.sort,
          );
          expect({ asked, inOrder }).toEqual({ asked, inOrder: true });
        }
      };
      await ask();
      const snapshot = await made.store.head();
      await place.become(resources.slice(0, 2).map((it, i) => ({ resourceType: it.resourceType, id: `r${i}` })));
      await ask(snapshot);
    }

    // What few resources have in common with three conditions is mostly nothing: one is asked most of the time.
    const asked = fc.constantFrom('Patient', 'Encounter', 'Observation', 'Observation', ...types);
    const trial = (pair: (type: string, stored: Stored) => fc.Arbitrary<Pair>) =>
      world.chain((resources) => {
        const stored = storedIn(resources.map(knownOf));
        const search = asked.chain((type) => {
          const one = pair(type, stored);
          const some = fc.oneof(
            { weight: 4, arbitrary: fc.tuple(one) },
            { weight: 1, arbitrary: fc.array(one, { minLength: 2, maxLength: 3 }) },
          );
          return fc
            .tuple(some, order(type))
            .map(([pairs, sort]) => [type, [...pairs, ['_sort', sort] as Pair]] as const);
        });
        return fc.record({
          resources: fc.constant(resources),
          searches: fc.array(search, { minLength: 30, maxLength: 40 }),
        });
      });

    test('on every prefix, for every pair of ranges', async () => {
      const ends = [undefined, ...dates];
      const visits = ends.flatMap((start, i) =>
        ends.map(
          (end, j): StoredResource => ({
            resourceType: 'Encounter',
            id: `e${i}-${j}`,
            period: { ...(start && { start }), ...(end && { end }) },
          }),
        ),
      );
      const risks = numbers.flatMap((low, i) => [
        { resourceType: 'RiskAssessment', id: `n${i}`, prediction: [{ probabilityDecimal: low }] },
        ...numbers.map((high, j) => ({
          resourceType: 'RiskAssessment',
          id: `n${i}-${j}`,
          prediction: [{ probabilityRange: { low: { value: low }, high: { value: high } } }],
        })),
      ]);
      const doses = numbers.flatMap((value, i) =>
        [undefined, '<', '>='].map(
          (comparator, j): StoredResource => ({
            resourceType: 'Observation',
            id: `q${i}-${j}`,
            valueQuantity: { value, system: ucum, code: 'mg', ...(comparator && { comparator }) },
          }),
        ),
      );
      await agrees(
        [...visits, ...risks, ...doses],
        prefixes.flatMap((prefix): Search[] => [
          ...dates.map((it): Search => ['Encounter', [['date', prefix + it]]]),
          ...numbers.flatMap((it): Search[] => [
            ['RiskAssessment', [['probability', prefix + it]]],
            ['Observation', [['value-quantity', `${prefix}${it}|${ucum}|mg`]]],
            ['Observation', [['value-quantity', `${prefix}${it / 1000}|${ucum}|g`]]],
          ]),
        ]),
      );
    });

    test.each([
      ['what each resource says', localPair],
      ['what refers to what', graphPair],
    ])('on %s', (_, pair) =>
      fc.assert(
        fc.asyncProperty(trial(pair), ({ resources, searches }) => agrees(resources, searches)),
        // No limit by the clock: fast-check leaves an interrupted run at work, and the next test shares the world.
        { numRuns: process.env.CI ? 25 : 10 },
      ),
    );
  });
}
