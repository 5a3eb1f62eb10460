// https://hl7.org/fhir/R4/http.html#transaction
import type { Intention, Written } from '../commit/commit.ts';
import { isResourceType } from '../fhir/definitions.ts';
import { operationOutcome } from '../fhir/operation-outcome.ts';
import { rewriteLinks } from '../fhir/reference.ts';
import type { Json, Resource } from '../fhir/types.ts';
import { assertValid } from '../fhir/validate.ts';
import { Failure } from '../outcome.ts';
import type { Key } from '../store/store.ts';
import {
  checkId,
  etagOf,
  type FhirRequest,
  type FhirResponse,
  type Interaction,
  ifMatch,
  preferred,
  type RestParts,
} from './fhir.ts';
import { present, presentResource } from './present.ts';
import { assertVersion } from './update.ts';
import { toPut } from './write.ts';

const entriesMax = 5000;

/** `POST [base]` with a transaction or batch Bundle. `dispatch` runs one request, for reads and for batches. */
export function bundle(dispatch: Interaction): Interaction {
  return async (request, parts) => {
    const body = request.body as Resource | undefined;
    if (body?.resourceType !== 'Bundle') throw new Failure('malformed', 'the body is not a Bundle');
    const entries: unknown = body.entry ?? [];
    if (!Array.isArray(entries)) throw new Failure('malformed', 'Bundle.entry is not an array');
    if (entries.length > entriesMax) throw new Failure('too-costly', `a Bundle has at most ${entriesMax} entries`);
    if (body.type === 'batch') return batch(entries, request, parts, dispatch);
    if (body.type === 'transaction') return transaction(entries.map(parseEntry), request, parts, dispatch);
    throw new Failure('malformed', "Bundle.type is not 'transaction' or 'batch'", [
      { text: 'must be transaction or batch', expression: 'Bundle.type' },
    ]);
  };
}

/** One entry as a request of its own. */
interface Entry extends FhirRequest {
  readonly index: number;
  readonly fullUrl: string | undefined;
}

const conditionalHeaders: Record<string, string> = {
  ifMatch: 'if-match',
  ifNoneMatch: 'if-none-match',
  ifModifiedSince: 'if-modified-since',
  ifNoneExist: 'if-none-exist',
};

function parseEntry(entry: Json | null, index: number): Entry {
  const fail = (text: string): never =>
    failAt(index, new Failure('malformed', text, [{ text, expression: `Bundle.entry[${index}].request` }]));
  const { method, url, ...conditions } = (entry?.request ?? {}) as Json;
  if (typeof url !== 'string' || !['GET', 'POST', 'PUT', 'DELETE'].includes(method))
    return fail('an entry needs request.url and request.method GET, POST, PUT or DELETE');
  const cut = url.indexOf('?');
  const [path, search] = cut < 0 ? [url, ''] : [url.slice(0, cut), url.slice(cut + 1)];
  const headers = new Map(
    Object.entries(conditions).flatMap(([key, value]) =>
      conditionalHeaders[key] ? [[conditionalHeaders[key], String(value)] as const] : [],
    ),
  );
  return {
    index,
    method,
    fullUrl: typeof entry?.fullUrl === 'string' ? entry.fullUrl : undefined,
    path: path
      .replace(/^\//, '')
      .split('/')
      .filter((part) => part !== ''),
    query: new URLSearchParams(search),
    header: (name) => headers.get(name),
    body: entry?.resource,
  };
}

/** A failed entry names its index. */
function failAt(index: number, error: unknown): never {
  if (!(error instanceof Failure)) throw error;
  const details = error.details.map(({ text, expression }) => ({
    text: `entry ${index}: ${text}`,
    expression: expression ?? `Bundle.entry[${index}]`,
  }));
  throw new Failure(error.kind, error.message, details);
}

async function batch(
  entries: readonly (Json | null)[],
  request: FhirRequest,
  parts: RestParts,
  dispatch: Interaction,
): Promise<FhirResponse> {
  const answers: Json[] = [];
  for (const [i, entry] of entries.entries())
    answers.push(await alone(() => parseEntry(entry, i), request, parts, dispatch));
  return { status: 200, body: { resourceType: 'Bundle', type: 'batch-response', entry: answers } };
}

async function alone(parse: () => Entry, request: FhirRequest, parts: RestParts, dispatch: Interaction): Promise<Json> {
  try {
    const entry = parse();
    if (entry.path.length === 0) throw new Failure('malformed', 'a Bundle inside a Bundle is not run');
    const header = (name: string): string | undefined =>
      name === 'prefer' ? request.header(name) : entry.header(name);
    return answerOf(await dispatch({ ...entry, header }, parts));
  } catch (error) {
    const { status, body } = operationOutcome(error);
    return { response: { status: String(status), outcome: body } };
  }
}

function answerOf({ status, body, etag, lastModified, location }: FhirResponse): Json {
  return {
    ...(body !== undefined && { resource: typeof body === 'string' ? JSON.parse(body) : body }),
    response: {
      status: String(status),
      ...(location && { location }),
      ...(etag && { etag }),
      ...(lastModified !== undefined && { lastModified: new Date(lastModified).toISOString() }),
    },
  };
}

/** A write of a transaction with the identity that it has been given. */
interface PlannedWrite {
  readonly entry: Entry;
  readonly key: Key;
}

/** All or nothing. Order of the specification: DELETE, POST, PUT, then GET; the unit is one commit, so only GET sees an order. */
async function transaction(
  entries: readonly Entry[],
  request: FhirRequest,
  parts: RestParts,
  dispatch: Interaction,
): Promise<FhirResponse> {
  const order = ['DELETE', 'POST', 'PUT'];
  const writes = entries
    .filter((entry) => entry.method !== 'GET')
    .sort((a, b) => order.indexOf(a.method) - order.indexOf(b.method) || a.index - b.index)
    .map((entry) => plan(entry, parts));
  assertOnce(writes);
  const rewrite = renaming(writes);
  const results = await parts.commit.run({
    cause: 'client:rest',
    keys: writes.map(({ key }) => key),
    decide: (view) => ({
      intentions: writes.map(({ entry, key }): Intention => {
        try {
          const current = view.get(key);
          assertVersion(ifMatch(entry), current?.version);
          if (entry.method === 'DELETE') return { kind: 'delete', key };
          const resource = { ...rewriteLinks(entry.body as Resource, rewrite), id: key.id };
          assertValid(resource);
          return toPut(resource, key.id, view, parts);
        } catch (error) {
          return failAt(entry.index, error);
        }
      }),
    }),
  });
  const answers: Json[] = [];
  for (const [i, { entry }] of writes.entries()) answers[entry.index] = writeAnswer(request, results[i]!, parts);
  for (const entry of entries)
    if (entry.method === 'GET') answers[entry.index] = await alone(() => entry, request, parts, dispatch);
  return { status: 200, body: { resourceType: 'Bundle', type: 'transaction-response', entry: answers } };
}

function plan(entry: Entry, { ids }: RestParts): PlannedWrite {
  try {
    const [type = '', id] = entry.path;
    if (!isResourceType(type)) throw new Failure('not-supported', 'the URL does not name a resource type of FHIR R4');
    if (entry.query.size > 0 || entry.header('if-none-exist') !== undefined)
      throw new Failure('malformed', 'conditional interactions are not supported');
    const wanted = entry.method === 'POST' ? 1 : 2;
    if (entry.path.length !== wanted)
      throw new Failure('malformed', `the URL of a ${entry.method} is ${wanted === 1 ? '[type]' : '[type]/[id]'}`);
    if (entry.method !== 'POST') checkId(id);
    if (entry.method === 'DELETE') return { entry, key: { type, id: id as string } };
    const resource = entry.body as Resource | undefined;
    if (resource?.resourceType !== type) throw new Failure('malformed', `the resource is not a ${type}`);
    if (entry.method === 'POST') return { entry, key: { type, id: ids.next() } };
    if (resource.id !== undefined && resource.id !== id)
      throw new Failure('malformed', 'the id of the resource is not the id of the URL');
    return { entry, key: { type, id: id as string } };
  } catch (error) {
    return failAt(entry.index, error);
  }
}

/** R4 http.html#trules: "If any resource identities overlap … then the transaction SHALL fail." */
function assertOnce(writes: readonly PlannedWrite[]): void {
  const seen = new Set<string>();
  for (const { entry, key } of writes) {
    const name = `${key.type}/${key.id}`;
    if (seen.has(name)) failAt(entry.index, new Failure('malformed', 'writes a resource that another entry writes'));
    seen.add(name);
  }
}

/** `urn:uuid:` and absolute fullUrls of the Bundle become references to what was stored. */
function renaming(writes: readonly PlannedWrite[]): (reference: string) => string | undefined {
  const names = new Map<string, string>();
  for (const { entry, key } of writes)
    if (entry.fullUrl && entry.method !== 'DELETE') names.set(entry.fullUrl, `${key.type}/${key.id}`);
  return (reference) => names.get(reference);
}

function writeAnswer(
  request: FhirRequest,
  { type, id, version, interaction, at, json }: Written,
  parts: RestParts,
): Json {
  const deleted = json === undefined;
  const wish =
    /return=/.test(request.header('prefer') ?? '') && !deleted ? preferred(request, present(type, json)) : undefined;
  return {
    ...(typeof wish === 'string' && { resource: presentResource(type, json as string) }),
    response: {
      status: interaction === 'create' ? '201' : deleted ? '204' : '200',
      ...(!deleted && { location: `${parts.base()}/${type}/${id}/_history/${version}` }),
      etag: etagOf(version),
      lastModified: new Date(at).toISOString(),
      ...(wish !== undefined && typeof wish !== 'string' && { outcome: wish }),
    },
  };
}
