// https://hl7.org/fhir/R4/http.html#history
import type { Json } from '../fhir/types.ts';
import { Failure } from '../outcome.ts';
import type { Version } from '../store/store.ts';
import { etagOf, type FhirRequest, type FhirResponse, type RestParts } from './fhir.ts';
import { presentResource } from './present.ts';

const countDefault = 50;
const countMax = 500;

/** `GET [base]/[type]/[id]/_history`, the newest first; `_count`, `_since`, and a next link that goes on below a version. */
export async function history(request: FhirRequest, { store, base }: RestParts): Promise<FhirResponse> {
  const [type, id] = request.path as [string, string];
  if (!(await store.read({ type, id }))) throw new Failure('not-found', `there is no ${type} with this id`);
  const { count, since, before } = parse(request.query);
  const versions = await store.history({
    type,
    id,
    limit: count + 1,
    ...(since !== undefined && { since }),
    ...(before !== undefined && { before }),
  });
  const page = versions.slice(0, count);
  const last = page.at(-1);
  const self = `${base()}/${type}/${id}/_history`;
  const link = [{ relation: 'self', url: withQuery(self, request.query) }];
  if (versions.length > count && last) {
    const next = new URLSearchParams(request.query);
    next.set('_page', String(last.sequence));
    link.push({ relation: 'next', url: withQuery(self, next) });
  }
  return {
    status: 200,
    body: { resourceType: 'Bundle', type: 'history', link, entry: page.map((version) => entry(version, base())) },
  };
}

function parse(query: URLSearchParams): { count: number; since: number | undefined; before: number | undefined } {
  const count = query.get('_count') ?? String(countDefault);
  if (!/^\d{1,9}$/.test(count) || count === '0')
    throw new Failure('malformed', '_count: must be a whole number above 0');
  const since = query.get('_since');
  const at = since === null ? undefined : Date.parse(since);
  if (at !== undefined && Number.isNaN(at)) throw new Failure('malformed', '_since: is not an instant');
  const page = query.get('_page');
  if (page !== null && !/^\d{1,15}$/.test(page))
    throw new Failure('malformed', 'the page link is damaged: start again');
  return { count: Math.min(Number(count), countMax), since: at, before: page === null ? undefined : Number(page) };
}

function withQuery(url: string, query: URLSearchParams): string {
  return query.size === 0 ? url : `${url}?${query}`;
}

function entry({ type, id, version, interaction, at, json }: Version, base: string): Json {
  const method = { create: 'POST', update: 'PUT', delete: 'DELETE' }[interaction];
  return {
    fullUrl: `${base}/${type}/${id}`,
    ...(json !== undefined && { resource: presentResource(type, json) }),
    request: { method, url: interaction === 'create' ? type : `${type}/${id}` },
    response: {
      status: interaction === 'create' ? '201' : interaction === 'delete' ? '204' : '200',
      etag: etagOf(version),
      lastModified: new Date(at).toISOString(),
    },
  };
}
