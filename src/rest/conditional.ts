// https://hl7.org/fhir/R4/http.html#ccreate, #cond-update, #3.1.0.7.1 (conditional delete)
import { parseQuery, queryOf, type SearchQuery } from '../fhir/search/query.ts';
import { Failure } from '../outcome.ts';
import type { View } from '../store/store.ts';
import type { RestParts } from './fhir.ts';
import type { Target } from './write.ts';

/** Resources that one conditional delete may take. */
export const deleteMax = 1000;

/**
 * The search of a conditional interaction. Always strict: a condition that is ignored would reach other resources. What it
 * says of the answer of a search (`_sort`, `_count`, `_summary`) has no meaning here.
 * @param count how many matches matter; 2 tell that it is ambiguous
 * @throws Failure `malformed` also for a search without a condition
 */
export async function condition(
  type: string,
  search: string | URLSearchParams,
  parts: RestParts,
  count = 2,
): Promise<SearchQuery> {
  const pairs = typeof search === 'string' ? [...new URLSearchParams(search)] : [...search];
  const query = parseQuery(
    type,
    pairs.filter(([name]) => name !== '_format' && name !== '_pretty'),
    parts.parameters,
    'strict',
  );
  const filters = query.branches[0]?.filters ?? [];
  if (filters.length === 0)
    throw new Failure('malformed', 'a conditional interaction needs at least one search parameter with a value');
  return parts.canonicals.resolved(queryOf(type, filters, count));
}

/** @throws Failure `multiple-matches` when more than one fits */
export function theOne(query: SearchQuery, view: View): Target | undefined {
  const found = view.search(query);
  if (found.length > 1)
    throw new Failure('multiple-matches', 'the condition fits more than one resource: it is not selective enough');
  const [current] = found;
  return current && { type: current.type, id: current.id, current };
}
