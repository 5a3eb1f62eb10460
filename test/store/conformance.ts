/** What every Store implementation keeps to (design.md section 3). */
import { afterEach, beforeEach, describe } from '@jest/globals';
import type { Store } from '../../src/store/store.ts';
import { Bench, type MadeStore, type MakeStore } from './rules/bench.ts';
import { codesRules } from './rules/codes.ts';
import { commitRules } from './rules/commit.ts';
import { marksRules } from './rules/marks.ts';
import { messagesRules } from './rules/messages.ts';
import { outgoingRules } from './rules/outgoing.ts';
import { searchRules } from './rules/search.ts';
import { searchAgreementRules } from './rules/search-agreement.ts';
import { searchChainsRules } from './rules/search-chains.ts';
import { searchFilterExpressionRules } from './rules/search-filter-expression.ts';
import { searchHostileRules } from './rules/search-hostile.ts';
import { searchHostileTextRules } from './rules/search-hostile-text.ts';
import { searchModifiersRules } from './rules/search-modifiers.ts';
import { searchPagesRules } from './rules/search-pages.ts';
import { searchValuesRules } from './rules/search-values.ts';
import { stagesRules } from './rules/stages.ts';
import { versionsRules } from './rules/versions.ts';

/** @param makeStore gives an empty store each time; several may be open at once */
export function storeConformance(name: string, makeStore: MakeStore): void {
  describe(name, () => {
    describe('with a store of its own for each test', () => {
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
      for (const rules of [
        commitRules,
        versionsRules,
        marksRules,
        searchRules,
        searchPagesRules,
        stagesRules,
        messagesRules,
        codesRules,
        outgoingRules,
      ])
        rules(given);
    });

    describe('with the ward', () => {
      for (const rules of [
        searchValuesRules,
        searchModifiersRules,
        searchChainsRules,
        searchFilterExpressionRules,
        searchHostileRules,
        searchHostileTextRules,
        searchAgreementRules,
      ])
        rules(makeStore);
    });
  });
}
