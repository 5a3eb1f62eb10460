// https://hl7.org/fhir/R4/http.html#search
import { targetsOf } from '../fhir/search/parameters.ts';
import { type Include, parseQuery, type SearchQuery } from '../fhir/search/query.ts';
import type { Json } from '../fhir/types.ts';
import { Failure } from '../outcome.ts';
import type { Key, SearchHit, Store } from '../store/store.ts';
import { type FhirRequest, type FhirResponse, isStrict, type RestParts } from './fhir.ts';
import { presentResource } from './present.ts';

/** Resources that one `_revinclude` may add to a page; more is said in an outcome entry. */
const revincludeMax = 1000;

/** Page links are good for an hour: so long the store keeps the rows that a snapshot needs. ms */
export const pageLinkMs = 3_600_000;

/**
 * `GET [base]/[type]?…` and `POST [base]/[type]/_search`. A page link carries the state that the first page saw and the
 * place to go on from, so pages are stable while others write, and survive a restart.
 */
export async function search(request: FhirRequest, parts: RestParts): Promise<FhirResponse> {
  const { store, parameters, base, clock } = parts;
  const type = request.path[0] as string;
  const pairs = allPairs(request);
  const own = `${base()}/`;
  const local = pairs.map(([name, value]) => [name, value.startsWith(own) ? value.slice(own.length) : value] as const);
  const query = parseQuery(type, local, parameters, isStrict(request));
  const place = parsePage(pairs.find(([name]) => name === '_page')?.[1], clock.now());
  const issuedAt = place?.issuedAt ?? clock.now();
  // The first page is of the state now; its links name that state. Asked before, so that it is not younger than the page.
  const snapshot = place?.snapshot ?? (await store.head());
  const page = await store.search({ query, ...place });
  const entries = page.hits.map((hit) => entryOf(hit, 'match', base()));
  const warnings = query.ignored.map(
    (name) => `the search parameter '${name}' is not supported for ${type} and was ignored`,
  );
  entries.push(...(await included(query, page.hits, parts, warnings)));
  if (warnings.length > 0) entries.push(outcomeEntry(warnings));
  const url = (page: string | undefined): string => {
    // R4 search.html#conformance: the self link holds the parameters that were used, and no others.
    const used = pairs.filter(([name]) => name !== '_page' && !query.ignored.includes(name));
    const all = new URLSearchParams(used as [string, string][]);
    if (page) all.set('_page', page);
    return `${base()}/${type}${all.size > 0 ? `?${all}` : ''}`;
  };
  const link = [{ relation: 'self', url: url(place && formatPage(place)) }];
  if (page.next !== undefined)
    link.push({ relation: 'next', url: url(formatPage({ snapshot, after: page.next, issuedAt })) });
  return {
    status: 200,
    body: {
      resourceType: 'Bundle',
      type: 'searchset',
      ...(page.total !== undefined && { total: page.total }),
      link,
      ...(entries.length > 0 && { entry: entries }),
    },
  };
}

function allPairs(request: FhirRequest): (readonly [string, string])[] {
  const form = request.body instanceof URLSearchParams ? [...request.body] : [];
  return [...request.query, ...form];
}

/** Where a page link goes on, in which state, and when the first page was given (ms). */
interface Place {
  readonly snapshot: number;
  readonly after: string;
  readonly issuedAt: number;
}

function formatPage({ snapshot, after, issuedAt }: Place): string {
  return Buffer.from(JSON.stringify([snapshot, after, issuedAt])).toString('base64url');
}

function parsePage(token: string | undefined, now: number): Place | undefined {
  if (token === undefined) return undefined;
  const place = readPage(token);
  if (!place) throw new Failure('malformed', 'the page link is damaged: start the search again');
  // What the first page saw is kept for so long; later, rows could be missing in silence.
  if (now - place.issuedAt > pageLinkMs) throw new Failure('gone', 'the page link has expired: start the search again');
  return place;
}

function readPage(token: string): Place | undefined {
  try {
    const [snapshot, after, issuedAt] = JSON.parse(Buffer.from(token, 'base64url').toString('utf8'));
    const sound =
      Number.isSafeInteger(snapshot) && snapshot >= 0 && typeof after === 'string' && Number.isSafeInteger(issuedAt);
    return sound ? { snapshot, after, issuedAt } : undefined;
  } catch {
    return undefined;
  }
}

function entryOf({ type, id, json }: SearchHit, mode: 'match' | 'include', base: string): Json {
  return { fullUrl: `${base}/${type}/${id}`, resource: presentResource(type, json), search: { mode } };
}

function outcomeEntry(warnings: readonly string[]): Json {
  const issue = warnings.map((diagnostics) => ({ severity: 'warning', code: 'not-supported', diagnostics }));
  return { resource: { resourceType: 'OperationOutcome', issue }, search: { mode: 'outcome' } };
}

/** What `_include` and `_revinclude` add: each resource once, none that is a match already. */
async function included(
  query: SearchQuery,
  hits: readonly SearchHit[],
  parts: RestParts,
  warnings: string[],
): Promise<Json[]> {
  const seen = new Set(hits.map(({ type, id }) => `${type}/${id}`));
  const more: SearchHit[] = [];
  const add = (hit: SearchHit): void => {
    const key = `${hit.type}/${hit.id}`;
    if (!seen.has(key)) more.push(hit);
    seen.add(key);
  };
  for (const include of query.include)
    for (const key of targets(hits, include)) await addCurrent(key, parts.store, add);
  for (const include of query.revinclude) {
    const page = await referrers(hits, include, parts);
    page.hits.forEach(add);
    if (page.next !== undefined)
      warnings.push(
        `_revinclude=${include.source}:${include.parameter.code} has more than ${revincludeMax} resources; the rest is left out`,
      );
  }
  return more.map((hit) => entryOf(hit, 'include', parts.base()));
}

function targets(hits: readonly SearchHit[], { parameter, target }: Include): Key[] {
  const keys = hits.flatMap((hit) => targetsOf(parameter, JSON.parse(hit.json)));
  return keys.filter((key) => target === undefined || key.type === target);
}

async function addCurrent(key: Key, store: Store, add: (hit: SearchHit) => void): Promise<void> {
  const version = await store.read(key);
  if (version?.json !== undefined) add({ type: key.type, id: key.id, json: version.json });
}

async function referrers(
  hits: readonly SearchHit[],
  { source, parameter, target }: Include,
  { store }: RestParts,
): ReturnType<Store['search']> {
  const values = hits
    .filter(({ type }) => target === undefined || type === target)
    .map(({ type, id }) => ({ kind: 'reference' as const, target: type, id }));
  if (values.length === 0) return { hits: [], next: undefined };
  const query: SearchQuery = {
    type: source,
    filters: [{ kind: 'values', parameter, not: false, values }],
    sort: [],
    count: revincludeMax,
    include: [],
    revinclude: [],
    total: false,
    summary: 'false',
    ignored: [],
  };
  return store.search({ query });
}
