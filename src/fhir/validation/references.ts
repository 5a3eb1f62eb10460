/** What references name, and whether they may. R4 references.html. */
import { isResourceType } from '../definitions.ts';
import type { Json } from '../types.ts';
import type { Surroundings } from './parts.ts';
import { type Items, isObject } from './values.ts';

const definitions = 'http://hl7.org/fhir/StructureDefinition/';

/**
 * The resource type that a relative or absolute RESTful reference names (R4 references.html#literal).
 * @returns undefined for `urn:uuid:…`, `#id` and every other shape
 */
export function typeOfReference(reference: string): string | undefined {
  const parts = reference.split('/');
  if (parts.at(-2) === '_history') parts.splice(-2);
  if (parts.length !== 2 && !/^https?:$/.test(parts[0] as string)) return undefined;
  const [type, id] = parts.slice(-2);
  return type && id && isResourceType(type) && /^[A-Za-z0-9\-.]{1,64}$/.test(id) ? type : undefined;
}

/** The resources that a root contains, by id. */
export function containedIn(root: Json): ReadonlyMap<string, Json> {
  const contained: unknown = root.contained;
  return new Map(Array.isArray(contained) ? contained.filter(isObject).map((it) => [it.id, it]) : []);
}

/** The resource that `#id` names; `#` alone is the container. */
function localTarget(reference: string, { root, resource, contained }: Surroundings): Json | undefined {
  if (reference === '#') return resource === root ? undefined : root;
  return contained.get(reference.slice(1));
}

function typeNamed(reference: string, around: Surroundings): string | undefined {
  return reference.startsWith('#') ? localTarget(reference, around)?.resourceType : typeOfReference(reference);
}

/** FHIR's `resolve()` without a store: contained resources, and of others what the reference itself says, their type. */
export function resolved(items: Items, around: Surroundings): Items {
  return items.flatMap((item) => {
    const reference: unknown = isObject(item) ? item.reference : item;
    if (typeof reference !== 'string') return [];
    const resourceType = typeNamed(reference, around);
    return resourceType ? [localTarget(reference, around) ?? { resourceType }] : [];
  });
}

/** Invariant ref-1: a `#id` is the id of a contained resource. By hand: `#` in a contained resource is its container. */
export function isLocalKnown({ reference }: Json, around: Surroundings): boolean {
  return typeof reference !== 'string' || !reference.startsWith('#') || localTarget(reference, around) !== undefined;
}

/**
 * The problem of a Reference with the types that its element allows; the part that is wrong, and why.
 * @param targets undefined when any type will do
 */
export function targetProblem(
  { reference, type }: Json,
  targets: readonly string[] | undefined,
  around: Surroundings,
): { part: 'reference' | 'type'; text: string } | undefined {
  const named = typeof reference === 'string' ? typeNamed(reference, around) : undefined;
  if (named && targets && !targets.includes(named)) return { part: 'reference', text: wrongTarget(named, targets) };
  if (typeof type !== 'string') return undefined;
  const claimed = type.startsWith(definitions) ? type.slice(definitions.length) : type;
  if (!isResourceType(claimed)) return undefined;
  if (targets && !targets.includes(claimed)) return { part: 'type', text: wrongTarget(claimed, targets) };
  if (named && named !== claimed) return { part: 'type', text: 'is not the type that the reference names' };
  return undefined;
}

function wrongTarget(type: string, targets: readonly string[]): string {
  return `a reference to ${type} may not stand here, only to ${targets.join(', ')}`;
}
