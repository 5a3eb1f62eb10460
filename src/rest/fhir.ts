/** A FHIR request and response apart from HTTP, so that an interaction runs the same alone and inside a Bundle. */
import type { Clock } from '../clock.ts';
import type { Commit } from '../commit/commit.ts';
import type { SearchParameters } from '../fhir/search/parameters.ts';
import type { Handling } from '../fhir/search/query.ts';
import type { Json, Resource } from '../fhir/types.ts';
import type { Ids } from '../ids.ts';
import { Failure } from '../outcome.ts';
import type { Store, Version } from '../store/store.ts';
import type { SubscriptionParts } from '../subscriptions/subscription.ts';
import type { Canonicals } from './canonicals.ts';

export interface FhirRequest {
  readonly method: string;
  /** Path below the base, cut at the slashes and decoded: `['Patient', '1']`. */
  readonly path: readonly string[];
  readonly query: URLSearchParams;
  /** Lower-case names. */
  readonly header: (name: string) => string | undefined;
  /** A resource or JSON Patch as parsed, the form of a `_search`, or the bytes of a Binary. */
  readonly body: unknown;
}

export interface FhirResponse {
  readonly status: number;
  /** JSON text when it stands so in the database already; bytes for a raw Binary. */
  readonly body?: string | Json | Uint8Array;
  /** Of bytes. */
  readonly contentType?: string;
  /** `X-Security-Context`, of the content of a Binary. */
  readonly securityContext?: string;
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
  readonly canonicals: Canonicals;
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

const etag = /^(?:W\/)?"([\x21\x23-\x7e]{0,100})"$/;

/**
 * R4 http.html#concurrency, RFC 9110 13.1.
 * @param current what the write is about, deleted ones included
 * @throws Failure `version-conflict` when `If-Match` asks for another version, or `If-None-Match: *` for none at all;
 *   `malformed` for what is no ETag
 */
export function assertVersion(request: FhirRequest, current: Pick<Version, 'version' | 'json'> | undefined): void {
  if (request.header('if-none-match')?.trim() === '*' && current?.json !== undefined)
    throw new Failure('version-conflict', 'If-None-Match: * asks that there is none, and there is one');
  const text = request.header('if-match')?.trim();
  if (text === undefined || (text === '*' && current?.json !== undefined)) return;
  const wanted = text.split(',').map((it) => etag.exec(it.trim())?.[1]);
  if (text !== '*' && wanted.includes(undefined))
    throw new Failure('malformed', 'If-Match is not an ETag, such as W/"3"');
  if (!current || !wanted.includes(String(current.version)))
    throw new Failure(
      'version-conflict',
      `If-Match asks for another version; the current one is ${current?.version ?? 'none'}`,
    );
}

/** What `Prefer` (RFC 7240) asks of `return` or `handling`. */
export function preference(request: FhirRequest, name: 'return' | 'handling'): string | undefined {
  return new RegExp(`\\b${name}\\s*=\\s*"?([A-Za-z]+)`).exec(request.header('prefer') ?? '')?.[1];
}

/** R4 http.html#handling. */
export function handlingOf(request: FhirRequest): Handling {
  const wish = preference(request, 'handling');
  return wish === 'strict' || wish === 'lenient' ? wish : 'default';
}

/** The body as a resource of the type in the URL. @throws Failure `malformed`, `unsupported-media-type` for a form */
export function resourceOf(request: FhirRequest, type: string): Resource {
  const { body } = request;
  if (body instanceof URLSearchParams) throw new Failure('unsupported-media-type', 'a form is not a resource');
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw new Failure('malformed', 'the body is not a resource');
  const resource = body as Resource;
  if (resource.resourceType !== type)
    throw new Failure('malformed', `the body is not a ${type}`, [
      { text: `resourceType is not ${type}`, expression: 'resourceType' },
    ]);
  return resource;
}

/**
 * What was read of a resource is there, and was not deleted.
 * @throws Failure `not-found`, `gone` (R4 http.html#read)
 */
export function assertThere<T extends { readonly json: string | undefined }>(
  type: string,
  version: T | undefined,
): asserts version is T & { readonly json: string } {
  if (!version) throw new Failure('not-found', `there is no ${type} with this id`);
  if (version.json === undefined) throw new Failure('gone', `this ${type} was deleted`);
}

/** R4 datatypes.html#id. */
const idPattern = /^[A-Za-z0-9\-.]{1,64}$/;

/** @throws Failure `malformed` for what is no id */
export function checkId(id: unknown): asserts id is string {
  if (typeof id !== 'string' || !idPattern.test(id))
    throw new Failure('malformed', 'an id has 1 to 64 characters of A-Z a-z 0-9 - .');
}

/**
 * Names and values of the URL and of the form of a POST, in their order.
 * @throws Failure `unsupported-media-type` for a POST of anything else, whose conditions would be passed over in silence
 */
export function pairsOf({ method, query, body }: FhirRequest): (readonly [string, string])[] {
  if (body instanceof URLSearchParams) return [...query, ...body];
  if (method === 'POST' && body !== undefined)
    throw new Failure('unsupported-media-type', 'a search by POST takes application/x-www-form-urlencoded');
  return [...query];
}
