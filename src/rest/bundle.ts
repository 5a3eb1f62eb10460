// https://hl7.org/fhir/R4/http.html#transaction
import { operationOutcome } from '../fhir/operation-outcome.ts';
import type { Json, Resource } from '../fhir/types.ts';
import { Failure } from '../outcome.ts';
import type { FhirRequest, FhirResponse, Interaction, RestParts } from './fhir.ts';
import type { Route } from './routes.ts';
import { transaction } from './transaction.ts';

const entriesMax = 5000;

/** One entry as a request of its own. */
export interface Entry extends FhirRequest {
  readonly index: number;
  readonly fullUrl: string | undefined;
}

/** How an entry finds its interaction. */
export interface Dispatcher {
  /** The route of a request. @throws Failure when there is none */
  route(request: FhirRequest): Route;
}

/** `POST [base]` with a transaction or batch Bundle. */
export function bundle(dispatcher: Dispatcher): Interaction {
  return async (request, parts) => {
    const body = request.body as Resource | undefined;
    if (body?.resourceType !== 'Bundle') throw new Failure('malformed', 'the body is not a Bundle');
    const entries: unknown = body.entry ?? [];
    if (!Array.isArray(entries)) throw new Failure('malformed', 'Bundle.entry is not an array');
    if (entries.length > entriesMax) throw new Failure('too-costly', `a Bundle has at most ${entriesMax} entries`);
    const respond = async (type: string, answers: Promise<Json[]>): Promise<FhirResponse> => ({
      status: 200,
      // R4 json.html: an array is never empty.
      body: { resourceType: 'Bundle', type, ...(entries.length > 0 && { entry: await answers }) },
    });
    if (body.type === 'batch') return respond('batch-response', batch(entries, request, parts, dispatcher));
    if (body.type === 'transaction') {
      const parsed = entries.map((entry, i) => inEntry(i, () => parseEntry(entry, i, request)));
      return respond('transaction-response', transaction(parsed, request, parts, dispatcher));
    }
    throw new Failure('malformed', "Bundle.type is not 'transaction' or 'batch'", [
      { text: 'must be transaction or batch', expression: 'Bundle.type' },
    ]);
  };
}

const conditionalHeaders = new Map([
  ['ifMatch', 'if-match'],
  ['ifNoneMatch', 'if-none-match'],
  ['ifModifiedSince', 'if-modified-since'],
  ['ifNoneExist', 'if-none-exist'],
]);

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'];

/** @throws Failure `malformed` */
function parseEntry(entry: Json | null, index: number, bundle: FhirRequest): Entry {
  const { method, url, ...conditions } = (entry?.request ?? {}) as Json;
  if (typeof url !== 'string' || !methods.includes(method)) {
    const text = `an entry needs request.url and request.method, one of ${methods.join(', ')}`;
    throw new Failure('malformed', text, [{ text, expression: `Bundle.entry[${index}].request` }]);
  }
  const cut = url.indexOf('?');
  const [path, search] = cut < 0 ? [url, ''] : [url.slice(0, cut), url.slice(cut + 1)];
  const headers = new Map<string, string>();
  for (const [key, value] of Object.entries(conditions)) {
    const header = conditionalHeaders.get(key);
    if (header) headers.set(header, String(value));
  }
  const prefer = bundle.header('prefer');
  if (prefer !== undefined) headers.set('prefer', prefer);
  return {
    index,
    method,
    fullUrl: typeof entry?.fullUrl === 'string' ? entry.fullUrl : undefined,
    path: path.split('/').filter((part) => part !== ''),
    query: new URLSearchParams(search),
    header: (name) => headers.get(name),
    body: entry?.resource,
  };
}

/** What fails in an entry names its index. */
export function inEntry<T>(index: number, run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw ofEntry(index, error);
  }
}

/** As {@link inEntry}, of what takes its time. */
export async function inEntryLater<T>(index: number, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw ofEntry(index, error);
  }
}

/** The same error, naming the entry. */
export function ofEntry(index: number, error: unknown): unknown {
  if (!(error instanceof Failure)) return error;
  const details = error.details.map(({ text, expression }) => ({
    text: `entry ${index}: ${text}`,
    expression: expression?.startsWith('Bundle.')
      ? expression
      : `Bundle.entry[${index}]${expression === undefined ? '' : `.resource${expression.replace(/^\w+/, '')}`}`,
  }));
  return new Failure(error.kind, error.message, details);
}

async function batch(
  entries: readonly (Json | null)[],
  request: FhirRequest,
  parts: RestParts,
  dispatcher: Dispatcher,
): Promise<Json[]> {
  const answers: Json[] = [];
  for (const [i, entry] of entries.entries())
    answers.push(await runAlone(() => parseEntry(entry, i, request), parts, dispatcher));
  return answers;
}

/** One entry that succeeds or fails for itself. */
export async function runAlone(parse: () => Entry, parts: RestParts, dispatcher: Dispatcher): Promise<Json> {
  try {
    const entry = parse();
    const route = dispatcher.route(entry);
    if (route.code === 'transaction') throw new Failure('malformed', 'a Bundle inside a Bundle is not run');
    const { body, ...head } = await route.run(entry, parts);
    const answer = { ...head, ...(body !== undefined && entry.method !== 'HEAD' && { body }) };
    return answerOf(answer, route.plan !== undefined);
  } catch (error) {
    const { status, body } = operationOutcome(error);
    return { response: { status: String(status), outcome: body } };
  }
}

/**
 * An answer as an entry of the response Bundle.
 * @param wrote an OperationOutcome is then what the client prefers to the resource, and not what it asked for
 */
export function answerOf({ status, body, etag, lastModified, location }: FhirResponse, wrote = true): Json {
  const resource = typeof body === 'string' ? (JSON.parse(body) as Json) : body;
  const outcome = wrote && (resource as Json | undefined)?.resourceType === 'OperationOutcome';
  return {
    ...(resource !== undefined && !outcome && { resource }),
    response: {
      status: String(status),
      ...(location && { location }),
      ...(etag && { etag }),
      ...(lastModified !== undefined && { lastModified: new Date(lastModified).toISOString() }),
      ...(outcome && { outcome: resource }),
    },
  };
}
