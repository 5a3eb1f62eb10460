// https://hl7.org/fhir/R4/http.html#search
import { isResourceType } from '../fhir/definitions.ts';
import type { Filter } from '../fhir/search/filter.ts';
import { parseQuery, type SearchQuery } from '../fhir/search/query.ts';
import { Failure } from '../outcome.ts';
import type { Key, SearchHit } from '../store/store.ts';
import { bundleText, type TextEntry } from './bundle-text.ts';
import { inCompartment, memberTypes } from './compartment.ts';
import { checkId, type FhirRequest, type FhirResponse, handlingOf, pairsOf, type RestParts } from './fhir.ts';
import { included } from './include.ts';
import { formatPage, type Place, parsePage } from './page-link.ts';
import { type Shape, shapeOf } from './present.ts';

/**
 * `GET [base]/[type]?…`, of a compartment (`Patient/1/Observation`, `Patient/1/*`), of the system, and each by
 * `POST …/_search`. A page link carries the state that the first page saw and the place to go on from, so pages are stable
 * while others write, and survive a restart.
 */
export async function search(request: FhirRequest, parts: RestParts): Promise<FhirResponse> {
  const pairs = pairsOf(request);
  const path = request.path.filter((part) => part !== '_search');
  const compartment = path.length > 1 ? { type: path[0] as string, id: path[1] as string } : undefined;
  if (compartment) checkId(compartment.id);
  const types = await typesOf(path, pairs, parts);
  const parsed = parseQuery(types, pairs, parts.parameters, handlingOf(request));
  const query = await parts.canonicals.resolved(compartment ? within(compartment, parsed, parts) : parsed);
  return searchset(query, { path, pairs, parts });
}

/** A search as it was asked, for the links of its pages. */
export interface Asked {
  readonly path: readonly string[];
  readonly pairs: readonly (readonly [string, string])[];
  readonly parts: RestParts;
}

/** One page of a query as a searchset Bundle. */
export async function searchset(query: SearchQuery, { path, pairs, parts }: Asked): Promise<FhirResponse> {
  const { store, base, clock } = parts;
  const shape = shapeOf(pairs);
  const place = parsePage(pairs.find(([name]) => name === '_page')?.[1], clock.now());
  const issuedAt = place?.issuedAt ?? clock.now();
  const page = await store.search({ query, ...place });
  const entries = page.hits.map((hit) => entryOf(hit, 'match', base(), shape));
  const warnings = query.ignored.map(({ reason }) => `${reason}; it was ignored`);
  for (const hit of await included(query, page.hits, parts, warnings))
    entries.push(entryOf(hit, 'include', base(), shape));
  if (warnings.length > 0) entries.push(outcomeEntry(warnings));
  const used = pairs.filter(([name, value]) => name !== '_page' && wasUsed(name, value, query, parts));
  const url = (place: Place | undefined): string => {
    const all = new URLSearchParams(used as [string, string][]);
    if (place) all.set('_page', formatPage(place));
    return [base(), ...path].join('/') + (all.size > 0 ? `?${all}` : '');
  };
  const link = [{ relation: 'self', url: url(place) }];
  const { next: after, snapshot } = page;
  if (after !== undefined && snapshot !== undefined)
    link.push({ relation: 'next', url: url({ snapshot, after, issuedAt }) });
  const total = page.total === undefined ? {} : { total: page.total };
  return { status: 200, body: bundleText({ type: 'searchset', ...total, link }, entries) };
}

/**
 * R4 search.html#conformance: a link holds the parameters that were used, and no others. Of several under one name each is
 * asked for itself.
 */
function wasUsed(name: string, value: string, { branches, ignored }: SearchQuery, { parameters }: RestParts): boolean {
  if (!ignored.some((it) => it.name === name)) return true;
  const types = branches.map(({ type }) => type);
  return parseQuery(types, [[name, value]], parameters, 'lenient').ignored.length === 0;
}

/** The types searched: of the path, of `_type`, else all that there are. @throws Failure `malformed` for a `_type` that is none */
async function typesOf(
  path: readonly string[],
  pairs: readonly (readonly [string, string])[],
  { store }: RestParts,
): Promise<string | readonly string[]> {
  const [type, , member] = path;
  if (type && member === undefined) return type;
  if (member !== undefined && member !== '*') return member;
  const wanted = pairs
    .filter(([name, value]) => name === '_type' && value !== '')
    .flatMap(([, value]) => value.split(','));
  if (!wanted.every(isResourceType))
    throw new Failure('malformed', '_type: is not a list of resource types of FHIR R4');
  const there = await store.types();
  if (type) return there.filter((it) => memberTypes(type).includes(it) && (wanted.length === 0 || wanted.includes(it)));
  return wanted.length > 0 ? [...new Set(wanted)] : there;
}

function within(key: Key, query: SearchQuery, { parameters }: RestParts): SearchQuery {
  const filterOf = (type: string): Filter => inCompartment(key, type, parameters);
  return {
    ...query,
    branches: query.branches.map(({ type, filters }) => ({ type, filters: [filterOf(type), ...filters] })),
  };
}

function entryOf({ type, id, json }: SearchHit, mode: 'match' | 'include', base: string, shape: Shape): TextEntry {
  return { fullUrl: `${base}/${type}/${id}`, json: shape(type, json), rest: { search: { mode } } };
}

function outcomeEntry(warnings: readonly string[]): TextEntry {
  const issue = warnings.map((diagnostics) => ({ severity: 'warning', code: 'not-supported', diagnostics }));
  return { json: JSON.stringify({ resourceType: 'OperationOutcome', issue }), rest: { search: { mode: 'outcome' } } };
}
