// https://hl7.org/fhir/R4/http.html#history
import { dateRange, type Range } from '../fhir/search/date-range.ts';
import type { Zone } from '../fhir/zone.ts';
import { Failure } from '../outcome.ts';
import type { HistoryQuery, Version } from '../store/store.ts';
import { bundleText, type TextEntry } from './bundle-text.ts';
import { etagOf, type FhirRequest, type FhirResponse, handlingOf, type RestParts } from './fhir.ts';
import { type Shape, shapeOf } from './present.ts';

const countDefault = 50;
const countMax = 500;

/**
 * `GET [base]/[type]/[id]/_history`, of a type, or of all: the newest first. `_count`, `_since`, `_at`, and a next link that
 * goes on below a version, so that what is written meanwhile moves nothing.
 */
export async function history(request: FhirRequest, parts: RestParts): Promise<FhirResponse> {
  const { store, base, parameters } = parts;
  const [type, id] = request.path.filter((part) => part !== '_history');
  if (type && id && !(await store.read({ type, id })))
    throw new Failure('not-found', `there is no ${type} with this id`);
  if (handlingOf(request) === 'strict') assertKnown(request.query);
  const query = parse(request.query, parameters.zone);
  const shape = shapeOf(request.query);
  const where = { ...query, ...(type && { type }), ...(id && { id }) };
  const versions = await store.history({ ...where, limit: query.limit + 1 });
  const page = versions.slice(0, query.limit);
  const last = page.at(-1);
  const self = [base(), ...request.path].join('/');
  const link = [{ relation: 'self', url: withQuery(self, request.query) }];
  if (versions.length > query.limit && last) {
    const next = new URLSearchParams(request.query);
    next.set('_page', String(last.sequence));
    link.push({ relation: 'next', url: withQuery(self, next) });
  }
  return {
    status: 200,
    body: bundleText(
      { type: 'history', link },
      page.map((version) => entry(version, base(), shape)),
    ),
  };
}

const known = ['_count', '_since', '_at', '_page', '_format', '_pretty', '_summary', '_elements'];

function assertKnown(query: URLSearchParams): void {
  for (const name of query.keys())
    if (!known.includes(name)) throw new Failure('malformed', `a history has the parameters ${known.join(', ')}`);
}

function parse(query: URLSearchParams, zone: Zone): HistoryQuery {
  const count = query.get('_count') ?? String(countDefault);
  if (!/^\d{1,9}$/.test(count) || count === '0')
    throw new Failure('malformed', '_count: must be a whole number above 0');
  const range = (name: string): Range | undefined => {
    const text = query.get(name);
    const found = text === null ? undefined : dateRange(text.replace(/ (\d\d:\d\d)$/, '+$1'), zone);
    if (text !== null && !found) throw new Failure('malformed', `${name}: is not an instant or a date`);
    return found;
  };
  const page = query.get('_page');
  if (page !== null && !/^\d{1,15}$/.test(page))
    throw new Failure('malformed', 'the page link is damaged: start again');
  const [since, at] = [range('_since'), range('_at')];
  return {
    limit: Math.min(Number(count), countMax),
    ...(since && { since: since.low }),
    ...(at && { at }),
    ...(page !== null && { before: Number(page) }),
  };
}

function withQuery(url: string, query: URLSearchParams): string {
  return query.size === 0 ? url : `${url}?${query}`;
}

function entry({ type, id, version, interaction, at, json }: Version, base: string, shape: Shape): TextEntry {
  const method = { create: 'POST', update: 'PUT', delete: 'DELETE' }[interaction];
  return {
    fullUrl: `${base}/${type}/${id}`,
    ...(json !== undefined && { json: shape(type, json) }),
    rest: {
      request: { method, url: interaction === 'create' ? type : `${type}/${id}` },
      response: {
        status: interaction === 'create' ? '201' : interaction === 'delete' ? '204' : '200',
        etag: etagOf(version),
        lastModified: new Date(at).toISOString(),
      },
    },
  };
}
