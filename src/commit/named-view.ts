/** A view that gives only what a unit of work named: some databases read it all before the decision, in one step. */
import type { Current, IdentifierKey, Key, QueryKey, View } from '../store/store.ts';

function nameOf({ type, id }: Key): string {
  return `${type}/${id}`;
}

/**
 * @param keys what the unit named; what its searches find may be looked at too
 * @returns a view that throws an Error, a mistake of the program, for anything else
 */
export function namedView(view: View, keys: readonly (Key | IdentifierKey | QueryKey)[]): View {
  const named = new Set<string>();
  for (const key of keys) if ('id' in key) named.add(nameOf(key));
  const known = (found: readonly Current[]): readonly Current[] => {
    for (const it of found) named.add(nameOf(it));
    return found;
  };
  return {
    get(key) {
      if (!named.has(nameOf(key))) throw new Error(`a decision looks at a ${key.type} that its commit did not name`);
      return view.get(key);
    },
    find: (key) => known(view.find(key)),
    search: (query) => known(view.search(query)),
  };
}
