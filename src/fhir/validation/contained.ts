/** Invariant dom-3, in one pass over the resource. */
import type { Json } from '../types.ts';
import { isObject } from './values.ts';

/**
 * "If the resource is contained in another resource, it SHALL be referred to from elsewhere in the resource or SHALL refer
 * to the containing resource." Any text `#id` that stands alone counts, be it a reference, a canonical, a uri or a url.
 */
export function isReferredTo(root: Json): boolean {
  const contained: unknown = root.contained;
  if (!Array.isArray(contained)) return true;
  const named = localNames(root);
  return contained.every((it: Json) => named.has(`#${it.id}`) || localNames(it).has('#'));
}

function localNames(node: unknown, found = new Set<string>()): Set<string> {
  if (typeof node === 'string') {
    if (node.startsWith('#')) found.add(node);
  } else if (Array.isArray(node)) for (const item of node) localNames(item, found);
  else if (isObject(node)) for (const key in node) localNames(node[key], found);
  return found;
}
