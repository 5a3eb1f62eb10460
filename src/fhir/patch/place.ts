/**
 * An element where it stands in the JSON. A primitive has two members: `birthDate` with its value and `_birthDate` with its
 * id and extensions (R4 json.html#primitive); in a list the n-th of both belong together. All of that is kept here.
 */
import type { ElementDefinition } from '../definitions.ts';
import type { Json } from '../types.ts';
import { isObject } from './common.ts';

export interface Place {
  /** The JSON object with the members `key` and `_key`. */
  readonly holder: Json;
  /** The type of what `holder` is; undefined for the resource itself. */
  readonly holderType: string | undefined;
  readonly key: string;
  /** Where in the list; undefined for an element that does not repeat. */
  readonly index: number | undefined;
  /** Undefined for the resource itself. */
  readonly element: ElementDefinition | undefined;
  /** The FHIR type; of a contained resource the type that it is. */
  readonly type: string;
}

/** Both halves of an element. */
export interface Halves {
  /** Undefined for a primitive with extensions only. */
  readonly value?: unknown;
  /** Id and extensions of a primitive. */
  readonly shadow?: unknown;
}

/** The halves that stand at a place. */
export function read({ holder, key, index }: Pick<Place, 'holder' | 'key' | 'index'>): Halves {
  const of = (member: unknown): unknown =>
    index === undefined ? member : Array.isArray(member) ? member[index] : undefined;
  return { value: of(holder[key]) ?? undefined, shadow: of(holder[`_${key}`]) ?? undefined };
}

/** How many items a list has. */
export function lengthOf(holder: Json, key: string): number {
  return Math.max(listOf(holder, key)?.length ?? 0, listOf(holder, `_${key}`)?.length ?? 0);
}

function listOf(holder: Json, name: string): unknown[] | undefined {
  return Array.isArray(holder[name]) ? holder[name] : undefined;
}

/** Takes the element away; the items behind it move up. */
export function remove({ holder, key, index }: Place): void {
  for (const name of [key, `_${key}`]) {
    if (index === undefined) delete holder[name];
    else listOf(holder, name)?.splice(index, 1);
  }
}

/** Sets an element that does not repeat. */
export function set(holder: Json, key: string, { value, shadow }: Halves): void {
  if (value === undefined) delete holder[key];
  else holder[key] = value;
  if (shadow === undefined) delete holder[`_${key}`];
  else holder[`_${key}`] = shadow;
}

/** Puts an item into a list, which is made when it is not there. */
export function insert(holder: Json, key: string, index: number, { value, shadow }: Halves): void {
  const length = lengthOf(holder, key);
  filled(holder, key, length).splice(index, 0, value ?? null);
  if (shadow !== undefined || listOf(holder, `_${key}`))
    filled(holder, `_${key}`, length).splice(index, 0, shadow ?? null);
}

/** Moves an item within its list; `destination` is its index afterwards. */
export function move(holder: Json, key: string, source: number, destination: number): void {
  const length = lengthOf(holder, key);
  for (const name of [key, `_${key}`]) {
    if (!listOf(holder, name)) continue;
    const list = filled(holder, name, length);
    list.splice(destination, 0, ...list.splice(source, 1));
  }
}

/** The list with as many items as the element has: the shorter of `given` and `_given` ends early. */
function filled(holder: Json, name: string, length: number): unknown[] {
  const list = listOf(holder, name) ?? [];
  while (list.length < length) list.push(null);
  holder[name] = list;
  return list;
}

/**
 * The object that holds the children of an element: its value, or for a primitive the half with id and extensions.
 * @param make make that half when it is not there
 */
export function childrenOf(place: Place, isPrimitive: boolean, make = false): Json | undefined {
  const { value, shadow } = read(place);
  if (!isPrimitive) return isObject(value) ? value : undefined;
  if (isObject(shadow)) return shadow;
  if (!make) return undefined;
  const made: Json = {};
  const { holder, key, index } = place;
  if (index === undefined) holder[`_${key}`] = made;
  else filled(holder, `_${key}`, lengthOf(holder, key))[index] = made;
  return made;
}
