/**
 * References follow a merge. A reference that was moved keeps the id that the message named, in an extension: so a merge that
 * is taken back, chained or sent the other way round moves it again, whatever came in between.
 */
import { parseReference } from '../fhir/reference.ts';
import type { Json } from '../fhir/types.ts';
import type { Draft } from './merge.ts';

/** Reference.extension: the id under which the sender filed it. */
export const filedUnder = 'https://aftercare.example/fhir/StructureDefinition/filed-under';

/** Gives the id that now stands for another one of the type; undefined to leave the reference as it is. */
export type Follow = (type: string, id: string) => string | undefined;

/** The id that a Reference named at first. */
export function originOf(reference: Json | undefined): string | undefined {
  const own = (reference?.extension as Json[] | undefined)?.find((it) => it.url === filedUnder)?.valueId;
  return own ?? parseReference(reference?.reference ?? '')?.id;
}

/** A Reference to a resource that was filed under another id, or under its own. */
export function filed(reference: Json, type: string, origin: string, id: string): Json {
  const { extension, ...rest } = reference;
  const others = ((extension ?? []) as Json[]).filter((it) => it.url !== filedUnder);
  const all = origin === id ? others : [...others, { url: filedUnder, valueId: origin }];
  return { ...rest, reference: `${type}/${id}`, ...(all.length > 0 && { extension: all }) };
}

/** The resources that a value refers to: `Patient/ID`. @param origins also those that it named at first */
export function referencesIn(node: unknown, origins = false, found = new Set<string>()): Set<string> {
  if (typeof node !== 'object' || node === null) return found;
  const { reference } = node as Json;
  const named = typeof reference === 'string' ? parseReference(reference) : undefined;
  if (named) found.add(`${named.type}/${named.id}`);
  if (named && origins) found.add(`${named.type}/${originOf(node as Json)}`);
  for (const value of Object.values(node)) referencesIn(value, origins, found);
  return found;
}

/** The value with its references moved; the same object when none is. */
export function moved(node: unknown, follow: Follow): unknown {
  if (typeof node !== 'object' || node === null) return node;
  if (Array.isArray(node)) {
    const items = node.map((item) => moved(item, follow));
    return items.some((item, i) => item !== node[i]) ? items : node;
  }
  const json = node as Json;
  if (typeof json.reference === 'string') {
    const named = parseReference(json.reference);
    const origin = originOf(json);
    const id = named && origin && follow(named.type, origin);
    if (id && id !== named.id) return filed(json, named.type, origin, id);
  }
  let changed: Json | undefined;
  for (const [key, value] of Object.entries(json)) {
    const next = moved(value, follow);
    if (next === value) continue;
    changed ??= { ...json };
    changed[key] = next;
  }
  return changed ?? node;
}

/** Moves the references of all registers of a draft; their stamps stay. The links between merged patients are not moved. */
export function moveDraft(draft: Draft, follow: Follow): void {
  for (const [path, part] of draft.parts) {
    if (part.key === 'link') continue;
    const members = moved(part.members, follow) as Json;
    const entries = moved(part.entries, follow) as readonly unknown[];
    if (members !== part.members || entries !== part.entries) draft.parts.set(path, { ...part, members, entries });
  }
}
