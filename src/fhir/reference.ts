/** References. R4 references.html#literal. */
import { isResourceType } from './definitions.ts';
import type { Json } from './types.ts';

/** A relative reference to a resource of this server. */
export interface LocalReference {
  readonly type: string;
  readonly id: string;
  readonly version?: string;
}

const pattern = /^([A-Za-z]+)\/([A-Za-z0-9\-.]{1,64})(?:\/_history\/([A-Za-z0-9\-.]{1,64}))?$/;

/** `Patient/1` or `Patient/1/_history/2`; undefined for URLs, fragments and anything else. */
export function parseReference(reference: string): LocalReference | undefined {
  const match = pattern.exec(reference);
  if (!match || !isResourceType(match[1] as string)) return undefined;
  return { type: match[1] as string, id: match[2] as string, ...(match[3] && { version: match[3] }) };
}

/**
 * Rewrites every `reference` in a resource (also in extensions and contained resources); the resource itself is not changed.
 * @param rewrite gives the new text, or undefined to keep it
 */
export function rewriteReferences<T>(node: T, rewrite: (reference: string) => string | undefined): T {
  if (Array.isArray(node)) return node.map((item) => rewriteReferences(item, rewrite)) as T;
  if (typeof node !== 'object' || node === null) return node;
  const copy: Json = {};
  for (const [key, value] of Object.entries(node)) {
    const changed = key === 'reference' && typeof value === 'string' ? rewrite(value) : undefined;
    copy[key] = changed ?? rewriteReferences(value, rewrite);
  }
  return copy as T;
}
