/** A view that gives only what a commit named: some databases read it all before the decision, in one step. */
import type { SearchQuery } from '../fhir/search/query.ts';
import { identifierName, nameOf } from './key.ts';
import type { CommitRequest, Current, View } from './store.ts';

/**
 * @param keys what the commit named; what its searches find may be looked at too
 * @returns a view that throws an Error, a mistake of the program, for anything else
 */
export function namedView(view: View, keys: CommitRequest['keys']): View {
  const named = new Set<string>();
  const identifiers = new Set<string>();
  const queries = new Set<SearchQuery>();
  for (const key of keys) {
    if ('id' in key) named.add(nameOf(key));
    else if ('identifier' in key) identifiers.add(identifierName(key));
    else queries.add(key.query);
  }
  const known = (found: readonly Current[]): readonly Current[] => {
    for (const it of found) named.add(nameOf(it));
    return found;
  };
  return {
    get(key) {
      if (!named.has(nameOf(key))) throw new Error(`a decision looks at a ${key.type} that its commit did not name`);
      return view.get(key);
    },
    find(key) {
      if (!identifiers.has(identifierName(key)))
        throw new Error(`a decision looks for a ${key.type} by an identifier that its commit did not name`);
      return known(view.find(key));
    },
    search(query) {
      if (!queries.has(query)) throw new Error('a decision runs a search that its commit did not name');
      return known(view.search(query));
    },
  };
}
