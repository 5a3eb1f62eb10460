// https://hl7.org/fhir/R4/search.html#include
import type { SearchParameter, SearchParameters } from '../fhir/search/parameters.ts';
import { type Include, queryOf, type SearchQuery } from '../fhir/search/query.ts';
import type { Resource } from '../fhir/types.ts';
import { nameOf } from '../store/key.ts';
import type { Key, SearchHit } from '../store/store.ts';
import type { RestParts } from './fhir.ts';

/** Resources that includes may add to one page: a cycle of `:iterate` over a large graph ends here. */
const includedMax = 1000;

/**
 * What `_include` and `_revinclude` add to a page: each resource once, none that is a match already. With `:iterate`, also
 * from what was included, until nothing new comes.
 * @param warnings told when there is more than a page may add
 */
export async function included(
  query: SearchQuery,
  hits: readonly SearchHit[],
  parts: RestParts,
  warnings: string[],
): Promise<readonly SearchHit[]> {
  if (query.include.length === 0 && query.revinclude.length === 0) return [];
  const seen = new Set(hits.map(nameOf));
  const added: SearchHit[] = [];
  for (let from = hits, first = true; from.length > 0; first = false) {
    const step = [
      ...(await referredTo(
        from,
        query.include.filter((it) => first || it.iterate),
        seen,
        parts,
      )),
      ...(await referrers(
        from,
        query.revinclude.filter((it) => first || it.iterate),
        parts,
      )),
    ];
    from = step.filter((hit) => !seen.has(nameOf(hit)) && seen.add(nameOf(hit)));
    if (added.length + from.length > includedMax) {
      warnings.push(`the includes add more than ${includedMax} resources to this page; the rest is left out`);
      return [...added, ...from.slice(0, includedMax - added.length)];
    }
    added.push(...from);
  }
  return added;
}

/** One read for all targets. */
async function referredTo(
  hits: readonly SearchHit[],
  includes: readonly Include[],
  seen: ReadonlySet<string>,
  { store, parameters: searchParameters }: RestParts,
): Promise<SearchHit[]> {
  const keys = new Map<string, Key>();
  for (const hit of hits) {
    const own = includes.filter(({ source }) => source === hit.type);
    if (own.length === 0) continue;
    const resource = JSON.parse(hit.json) as Resource;
    for (const { parameters, target } of own)
      for (const parameter of parameters)
        for (const key of targetsOf(resource, parameter, searchParameters))
          if ((target === undefined || key.type === target) && !seen.has(nameOf(key))) keys.set(nameOf(key), key);
  }
  const versions = await store.readAll([...keys.values()].slice(0, includedMax + 1));
  return versions.flatMap(({ type, id, json }) => (json === undefined ? [] : [{ type, id, json }]));
}

/** The resources of this server that a parameter refers to, as its rows name them: relative, absolute, or of a version. */
function targetsOf(resource: Resource, { url }: SearchParameter, parameters: SearchParameters): Key[] {
  return parameters.extractOf(resource, url).flatMap(({ value }) => {
    const isHere = value.kind === 'reference' && value.target !== '' && !value.id.includes('/');
    return isHere ? [{ type: value.target, id: value.id }] : [];
  });
}

async function referrers(
  hits: readonly SearchHit[],
  includes: readonly Include[],
  { store }: RestParts,
): Promise<SearchHit[]> {
  const found: SearchHit[] = [];
  for (const { source, parameters, target } of includes) {
    const values = hits
      .filter(({ type }) => target === undefined || type === target)
      .map(({ type, id }) => ({ kind: 'reference' as const, target: type, id }));
    if (values.length === 0) continue;
    const filters = parameters.map((parameter) => ({ kind: 'values' as const, parameter, values }));
    const query = queryOf(source, [{ kind: 'any', filters }], includedMax + 1);
    found.push(...(await store.search({ query })).hits);
  }
  return found;
}
