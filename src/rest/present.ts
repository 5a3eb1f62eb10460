/**
 * A stored version as a client may see it: secrets of a Subscription stay here, and of the rest what `_summary` and
 * `_elements` ask for. https://hl7.org/fhir/R4/search.html#summary, #elements
 */
import { elementsOf } from '../fhir/definitions.ts';
import type { Json } from '../fhir/types.ts';
import { Failure } from '../outcome.ts';
import { withoutSecrets } from '../subscriptions/subscription.ts';

/** @param json the text as stored */
export function present(type: string, json: string): string {
  return type === 'Subscription' ? JSON.stringify(withoutSecrets(JSON.parse(json))) : json;
}

/** Makes the text that a client gets of what is stored. */
export type Shape = (type: string, json: string) => string;

const summaries = ['true', 'text', 'data', 'count', 'false'] as const;
type Summary = (typeof summaries)[number];

/** A resource that is not whole says so (R4 search.html#summary). */
const subsetted = { system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationValue', code: 'SUBSETTED' };

/** @throws Failure `malformed` for what is no summary, or both wishes at once */
export function shapeOf(query: URLSearchParams | readonly (readonly [string, string])[]): Shape {
  const values = (name: string): string[] =>
    [...query].filter(([it, value]) => it === name && value !== '').map(([, value]) => value);
  const summary = (values('_summary')[0] ?? 'false') as Summary;
  if (!summaries.includes(summary)) throw new Failure('malformed', `_summary: must be one of ${summaries.join(', ')}`);
  const elements = values('_elements').flatMap((value) => value.split(','));
  if (elements.some((name) => !/^([A-Z][A-Za-z]*\.)?[a-z][A-Za-z]*$/.test(name.trim())))
    throw new Failure('malformed', '_elements: is not a list of element names');
  const asked = new Set(elements.map((name) => name.trim()));
  if (asked.size === 0 && (summary === 'false' || summary === 'count')) return present;
  const subset = asked.size > 0 ? (resource: Json) => withElements(resource, asked) : summarised(summary);
  return (type, json) => JSON.stringify(tagged(subset(JSON.parse(present(type, json)) as Json)));
}

function tagged(resource: Json): Json {
  const { resourceType, id, meta, ...rest } = resource;
  return {
    resourceType,
    ...(id !== undefined && { id }),
    meta: { ...meta, tag: [...(meta?.tag ?? []), subsetted] },
    ...rest,
  };
}

/** The elements asked for, by name or `Type.name`, and what is mandatory. */
function withElements(resource: Json, asked: ReadonlySet<string>): Json {
  const type = resource.resourceType as string;
  return picked(resource, (name, required) => required || asked.has(name) || asked.has(`${type}.${name}`));
}

function summarised(summary: Summary): (resource: Json) => Json {
  if (summary === 'data') return ({ text: _, ...rest }) => rest;
  if (summary === 'text') return (resource) => picked(resource, (name, required) => required || name === 'text');
  return (resource) => summaryOf(resource, resource.resourceType);
}

/** Elements at the top by name; `_name` goes with `name`. */
function picked(resource: Json, wanted: (name: string, required: boolean) => boolean): Json {
  const table = elementsOf(resource.resourceType) ?? {};
  return Object.fromEntries(
    Object.entries(resource).filter(([key]) => {
      const name = key.replace(/^_/, '');
      if (['resourceType', 'id', 'meta'].includes(name)) return true;
      const row = Object.hasOwn(table, name) ? table[name] : undefined;
      return wanted(row?.choice ?? name, row?.required === true) || wanted(name, false);
    }),
  );
}

/** Elements that the specification marks as summary, also inside of backbone elements. */
function summaryOf(node: Json, type: string): Json {
  const table = elementsOf(type) ?? {};
  return Object.fromEntries(
    Object.entries(node).flatMap(([key, value]) => {
      const row = Object.hasOwn(table, key.replace(/^_/, '')) ? table[key.replace(/^_/, '')] : undefined;
      if (key !== 'resourceType' && !row?.summary) return [];
      // Data types go whole: their marks are for the type alone.
      const inner = row?.type.includes('.') ? row.type : undefined;
      const part = (it: unknown): unknown =>
        inner && typeof it === 'object' && it !== null ? summaryOf(it as Json, inner) : it;
      return [[key, Array.isArray(value) ? value.map(part) : part(value)] as const];
    }),
  );
}
