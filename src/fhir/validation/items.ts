/** Elements of a resource with their types and locations, as profiles go through them. */
import { elementOf, elementsOf, isResourceType } from '../definitions.ts';
import type { Json } from '../types.ts';
import { isObject } from './values.ts';

/** One value of an element. */
export interface Item {
  /** Undefined for a primitive that has only an extension. */
  readonly value: unknown;
  /** The object that carries the id and the extensions of a primitive. R4 json.html#primitive. */
  readonly shadow?: unknown;
  readonly type: string;
  /** True for a value of a choice of types. */
  readonly choice?: boolean;
  /** `Patient.contact[0].name` */
  readonly at: string;
}

/** The values of an element of an item; of a choice (`value`) that of whichever type is there. */
export function itemsAt({ value, shadow, type, at }: Item, name: string): Item[] {
  const node = isObject(value) ? value : isObject(shadow) ? shadow : undefined;
  if (!node) return [];
  const inside = node === value ? type : 'Element';
  const key = elementOf(inside, name) ? name : choiceKey(node, inside, name);
  const element = key === undefined ? undefined : elementOf(inside, key);
  if (key === undefined || !element) return [];
  return pairs(node, key).map(([item, carrier], i) => ({
    value: item,
    shadow: carrier,
    type: element.type === 'Resource' ? resourceTypeOf(item) : element.type,
    choice: element.choice !== undefined,
    at: `${at}.${name}${element.list ? `[${i}]` : ''}`,
  }));
}

function choiceKey(node: Json, type: string, name: string): string | undefined {
  if (!Object.values(elementsOf(type) ?? {}).some((it) => it.choice === name)) return undefined;
  return Object.keys(node)
    .map((key) => key.replace(/^_/, ''))
    .find((key) => elementOf(type, key)?.choice === name);
}

function pairs(node: Json, key: string): [unknown, unknown][] {
  const [value, shadow] = [node[key], node[`_${key}`]];
  if (value === undefined && shadow === undefined) return [];
  if (!Array.isArray(value) && !Array.isArray(shadow)) return [[value, shadow]];
  const [values, shadows] = [value ?? [], shadow ?? []] as [unknown[], unknown[]];
  return Array.from({ length: Math.max(values.length, shadows.length) }, (_, i) => [
    values[i] ?? undefined,
    shadows[i] ?? undefined,
  ]);
}

function resourceTypeOf(value: unknown): string {
  return isObject(value) && isResourceType(value.resourceType) ? value.resourceType : 'Resource';
}
