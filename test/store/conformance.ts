/** What every Store implementation keeps to (design.md section 3). */
import { afterEach, beforeEach, describe } from '@jest/globals';
import type { Store } from '../../src/store/store.ts';
import { Bench, type MadeStore } from './rules/bench.ts';
import { commitRules } from './rules/commit.ts';
import { searchRules } from './rules/search.ts';
import { stagesRules } from './rules/stages.ts';
import { versionsRules } from './rules/versions.ts';

/** @param makeStore gives an empty store each time */
export function storeConformance(name: string, makeStore: () => Promise<MadeStore>): void {
  describe(name, () => {
    let made: MadeStore;
    let bench: Bench;
    beforeEach(async () => {
      made = await makeStore();
      bench = new Bench(made.store);
    });
    afterEach(() => made.close());

    const given = {
      get store(): Store {
        return made.store;
      },
      get bench(): Bench {
        return bench;
      },
      makeStore,
    };
    for (const rules of [commitRules, versionsRules, searchRules, stagesRules]) rules(given);
  });
}
