/** A FHIR request and response apart from HTTP, so that an interaction runs the same alone and inside a Bundle. */
import type { Clock } from '../clock.ts';
import type { Commit } from '../commit/commit.ts';
import { informational } from '../fhir/operation-outcome.ts';
import type { SearchParameters } from '../fhir/search/parameters.ts';
import type { Json, Resource } from '../fhir/types.ts';
import type { Ids } from '../ids.ts';
import { Failure } from '../outcome.ts';
import type { Store } from '../store/store.ts';
import type { SubscriptionParts } from '../subscriptions/subscription.ts';

export interface FhirRequest {
  readonly method: string;
  /** Path below the base, cut at the slashes and decoded: `['Patient', '1']`. */
  readonly path: readonly string[];
  readonly query: URLSearchParams;
  /** Lower-case names. */
  readonly header: (name: string) => string | undefined;
  /** Parsed JSON, or the form of a `_search`. */
  readonly body: unknown;
}

export interface FhirResponse {
  readonly status: number;
  /** Text when it stands in the database already. */
  readonly body?: string | Json;
  readonly etag?: string;
  /** ms since 1970 UTC. */
  readonly lastModified?: number;
  readonly location?: string;
}

/** What interactions work with. */
export interface RestParts {
  readonly store: Store;
  readonly commit: Commit;
  readonly parameters: SearchParameters;
  readonly ids: Ids;
  readonly clock: Clock;
  readonly subscriptions: SubscriptionParts;
  /** FHIR base URL: `http://host:port/fhir`. */
  readonly base: () => string;
}

export type Interaction = (request: FhirRequest, parts: RestParts) => Promise<FhirResponse>;

/** R4 http.html#versioning: a weak ETag of the version id. */
export function etagOf(version: number | string): string {
  return `W/"${version}"`;
}

/** The version in `If-Match`; undefined when the header is not there. @throws Failure `malformed` */
export function ifMatch(request: FhirRequest): number | undefined {
  const text = request.header('if-match');
  if (text === undefined) return undefined;
  const match = /^(?:W\/)?"(\d{1,15})"$/.exec(text.trim());
  if (!match) throw new Failure('malformed', 'If-Match is not an ETag of this server, such as W/"3"');
  return Number(match[1]);
}

/** R4 http.html#ops: the representation that `Prefer: return=` asks for, after a write. */
export function preferred(request: FhirRequest, json: string | undefined): string | Json | undefined {
  const wish = /return=(minimal|representation|OperationOutcome)/.exec(request.header('prefer') ?? '')?.[1];
  if (wish === 'minimal') return undefined;
  if (wish !== 'OperationOutcome') return json;
  return informational('done');
}

/** R4 http.html#handling. Lenient unless the client says otherwise. */
export function isStrict(request: FhirRequest): boolean {
  return /handling=strict/.test(request.header('prefer') ?? '');
}

/** The body as a resource of the type in the URL. @throws Failure `malformed` */
export function resourceOf(request: FhirRequest, type: string): Resource {
  const { body } = request;
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw new Failure('malformed', 'the body is not a JSON object');
  const resource = body as Resource;
  if (resource.resourceType !== type)
    throw new Failure('malformed', `the body is not a ${type}`, [
      { text: `resourceType is not ${type}`, expression: 'resourceType' },
    ]);
  return resource;
}

/** R4 datatypes.html#id. */
export const idPattern = /^[A-Za-z0-9\-.]{1,64}$/;

/** @throws Failure `malformed` for what is no id */
export function checkId(id: unknown): asserts id is string {
  if (typeof id !== 'string' || !idPattern.test(id))
    throw new Failure('malformed', 'an id has 1 to 64 characters of A-Z a-z 0-9 - .');
}
