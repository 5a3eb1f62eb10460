/**
 * A Subscription resource read into what the stage needs, or refused. R4 subscription.html (classic criteria) and the R5
 * backport IG STU 1.1 (topic canonical in `criteria`).
 */
import { isResourceType } from '../fhir/definitions.ts';
import { isLocal } from '../fhir/search/filter.ts';
import type { SearchParameters } from '../fhir/search/parameters.ts';
import { parseQuery, type SearchQuery } from '../fhir/search/query.ts';
import type { Json, Resource } from '../fhir/types.ts';
import { Failure } from '../outcome.ts';
import type { Channel } from './channel.ts';
import type { Topic } from './topic.ts';

const backport = 'http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/';

export type PayloadLevel = 'empty' | 'id-only' | 'full-resource';

/** What triggers it. */
export type Trigger =
  | { readonly kind: 'classic'; readonly query: SearchQuery }
  | { readonly kind: 'topic'; readonly topic: Topic; readonly filters: readonly SearchQuery[] };

export interface ParsedSubscription {
  readonly id: string;
  readonly trigger: Trigger;
  readonly endpoint: string;
  readonly headers: readonly string[];
  /** MIME type of the body; undefined for a classic subscription without payload. */
  readonly contentType: string | undefined;
  readonly level: PayloadLevel;
  readonly timeoutMs: number;
  /** Events in one notification at most. */
  readonly countMax: number;
  /** ms since 1970 UTC; undefined for no end. */
  readonly endsAt: number | undefined;
}

export interface SubscriptionParts {
  readonly parameters: SearchParameters;
  readonly topics: readonly Topic[];
  /** By `channel.type`. */
  readonly channels: ReadonlyMap<string, Channel>;
}

const timeoutDefaultMs = 10_000;
const timeoutMaxMs = 60_000;

function refuse(text: string, expression: string): never {
  throw new Failure('invalid', text, [{ text, expression: `Subscription.${expression}` }]);
}

/** @throws Failure `invalid` that names the element which will not be honoured */
export function parseSubscription(resource: Resource, parts: SubscriptionParts): ParsedSubscription {
  const { criteria, channel = {} } = resource;
  const transport = parts.channels.get(channel.type);
  if (!transport) refuse(`this server has no channel '${channel.type}'`, 'channel.type');
  const endpoint: string = channel.endpoint ?? '';
  const refusal = transport.refuses(endpoint);
  if (refusal) refuse(refusal, 'channel.endpoint');
  for (const header of channel.header ?? []) checkHeader(header);
  const trigger = parseTrigger(resource, String(criteria ?? ''), parts);
  const extension = (node: Json | undefined, name: string): Json | undefined =>
    node?.extension?.find((it: Json) => it.url === backport + name);
  const payload: string | undefined = channel.payload;
  const level =
    extension(channel._payload, 'backport-payload-content')?.valueCode ??
    (trigger.kind === 'topic' ? undefined : 'full-resource');
  if (!['empty', 'id-only', 'full-resource'].includes(level))
    refuse('backport-payload-content must be empty, id-only or full-resource', 'channel.payload');
  if (payload !== undefined && !/^application\/(fhir\+)?json(;[ -~]*)?$/.test(payload))
    refuse('only JSON can be sent', 'channel.payload');
  if (/fhirversion=(?!4\.0)/i.test(payload ?? '')) refuse('only FHIR version 4.0 can be sent', 'channel.payload');
  const timeout = extension(channel, 'backport-timeout')?.valueUnsignedInt;
  return {
    id: resource.id ?? '',
    trigger,
    endpoint,
    headers: channel.header ?? [],
    contentType: payload ?? (trigger.kind === 'topic' ? 'application/fhir+json' : undefined),
    level,
    timeoutMs: Math.min(timeout ? timeout * 1000 : timeoutDefaultMs, timeoutMaxMs),
    countMax: Math.min(extension(channel, 'backport-max-count')?.valuePositiveInt ?? 1, 100),
    endsAt: resource.end ? Date.parse(resource.end) : undefined,
  };
}

/** Headers that the connection sets itself: a second one would let a request be read in two ways. */
const ownHeaders = new Set([
  'host',
  'content-length',
  'transfer-encoding',
  'connection',
  'content-type',
  'expect',
  'upgrade',
]);

function checkHeader(header: string): void {
  const [, name] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+): ?[\t\x20-\x7e]*$/.exec(header) ?? [];
  if (name === undefined) refuse('a header is not `Name: value`', 'channel.header');
  if (ownHeaders.has(name.toLowerCase())) refuse(`the header ${name} is the server's own`, 'channel.header');
}

/** A.10.01: a search string is a classic subscription, a canonical URL a topic; never the one for the other. */
function parseTrigger(resource: Resource, criteria: string, { parameters, topics }: SubscriptionParts): Trigger {
  if (/^(https?:|urn:)/.test(criteria)) {
    const [url, version] = criteria.split('|');
    const topic = topics.find((it) => it.url === url && (version === undefined || version === it.version));
    if (!topic) refuse('this server has no such topic', 'criteria');
    const filters = (resource._criteria?.extension ?? [])
      .filter((it: Json) => it.url === `${backport}backport-filter-criteria`)
      .map((it: Json) => parseFilter(String(it.valueString ?? ''), topic, parameters));
    return { kind: 'topic', topic, filters };
  }
  const cut = criteria.indexOf('?');
  const [type, search] = cut < 0 ? [criteria, ''] : [criteria.slice(0, cut), criteria.slice(cut + 1)];
  if (!isResourceType(type)) refuse('neither a search of a resource type nor a topic', 'criteria');
  // A search may ignore an empty value; a subscription that ignored it would tell of everything.
  for (const [name, value] of new URLSearchParams(search)) if (value === '') refuse(`${name} has no value`, 'criteria');
  return { kind: 'classic', query: parseCriteria(type, search, parameters) };
}

/** A search that can be answered from the changed resource alone. */
function parseCriteria(type: string, search: string, parameters: SearchParameters): SearchQuery {
  try {
    const query = parseQuery(type, new URLSearchParams(search), parameters);
    if (query.branches.every(({ filters }) => filters.every(isLocal))) return query;
  } catch (error) {
    if (error instanceof Failure) refuse(error.message, 'criteria');
    throw error;
  }
  refuse('criteria look at the resource alone: no chain, _has, _list or terminology', 'criteria');
}

/** A2.08: `p=v`, `p:mod=v`, `Type.p=v`, `Type?p=v`. */
function parseFilter(text: string, topic: Topic, parameters: SearchParameters): SearchQuery {
  const plain = text.replace(new RegExp(`^${topic.type}[.?]`), '');
  if (!/^[^=]+=./.test(plain)) refuse('a filter is `parameter=value`', 'criteria');
  for (const [name] of new URLSearchParams(plain)) {
    const code = name.split(':')[0] as string;
    if (!topic.filters.includes(code)) refuse(`the topic cannot be filtered by '${code}'`, 'criteria');
  }
  return parseCriteria(topic.type, plain, parameters);
}

const mask = '********';

/** Headers hold secrets: what is read back shows their names only. */
export function withoutSecrets(resource: Resource): Resource {
  if (resource.resourceType !== 'Subscription' || !resource.channel?.header) return resource;
  const header = (resource.channel.header as string[]).map((it) => `${it.split(':')[0]}: ${mask}`);
  return { ...resource, channel: { ...resource.channel, header } };
}

/**
 * What a client wrote, as it may be stored: refused when it will not be honoured; `active` becomes `requested`, because
 * the endpoint is checked first (R4 Subscription.status, IG A3.01); masked headers get back their stored values.
 */
export function admit<T extends Resource>(resource: T, stored: Resource | undefined, parts: SubscriptionParts): T {
  parseSubscription(resource, parts);
  const secrets: string[] = [...(stored?.channel?.header ?? [])];
  const header = resource.channel?.header?.map((it: string) => {
    const [name] = it.split(':');
    if (it !== `${name}: ${mask}`) return it;
    // A secret goes back only where it belongs: another endpoint must be given it anew.
    if (stored?.channel?.endpoint !== resource.channel.endpoint)
      refuse('the endpoint is another: write the headers again', 'channel.header');
    const at = secrets.findIndex((secret) => secret.split(':')[0] === name);
    return at < 0 ? it : secrets.splice(at, 1)[0];
  });
  const { error: _, ...rest } = resource;
  const status = resource.status === 'off' ? 'off' : 'requested';
  return { ...rest, status, ...(header && { channel: { ...resource.channel, header } }) } as unknown as T;
}
