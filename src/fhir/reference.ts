/** References. R4 references.html#literal. */
import { elementOf, isResourceType } from './definitions.ts';

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
 * Rewrites every reference in a resource (also in extensions and contained resources); the resource itself is not changed.
 * @param rewrite gives the new text, or undefined to keep it
 */
export function rewriteReferences<T>(node: T, rewrite: (reference: string) => string | undefined): T {
  return rewriteTexts(node, (_, key, text) => (key === 'reference' ? rewrite(text) : undefined)) as T;
}

const uriTypes = new Set(['uri', 'url', 'oid', 'uuid']);

/**
 * As {@link rewriteReferences}, and links too. R4 http.html#trules: "elements of type uri, url, oid, uuid, and <a href=""
 * & <img src="" in the narrative. Elements of type canonical are not replaced".
 */
export function rewriteLinks<T>(node: T, rewrite: (link: string) => string | undefined): T {
  return rewriteTexts(node, (type, key, text) => {
    if (key === 'reference') return rewrite(text);
    if (key === 'div') return text.replace(/(?<=\b(?:href|src)=(["']))[^"']+(?=\1)/g, (link) => rewrite(link) ?? link);
    return uriTypes.has(elementOf(type, key)?.type ?? '') ? rewrite(text) : undefined;
  }) as T;
}

type RewriteText = (type: string, key: string, text: string) => string | undefined;

function rewriteTexts(node: unknown, rewrite: RewriteText, type = '', key = ''): unknown {
  if (typeof node === 'string') return rewrite(type, key, node) ?? node;
  if (Array.isArray(node)) return node.map((item) => rewriteTexts(item, rewrite, type, key));
  if (typeof node !== 'object' || node === null) return node;
  const declared = elementOf(type, key)?.type;
  const named: unknown = (node as { resourceType?: unknown }).resourceType;
  // ExampleScenario.instance has an element of that name: only where a resource may stand, the name is its type.
  const isResource = declared === undefined || declared === 'Resource' || isResourceType(declared);
  const inside = isResource && typeof named === 'string' ? named : (declared ?? '');
  // fromEntries makes a property of every key, `__proto__` too; an assignment would set the prototype.
  return Object.fromEntries(
    Object.entries(node).map(([name, part]) => [name, rewriteTexts(part, rewrite, inside, name)]),
  );
}
