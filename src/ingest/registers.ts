/**
 * A resource taken apart into registers, and put together again. A register is what one field says as a whole, the smallest
 * thing that a message sets, keeps or deletes: `gender`, `period.end`, `telecom{PID-13}`, `extension(URL)`,
 * `identifier(SYSTEM|VALUE)`. Putting together is canonical: the same registers give the same resource.
 */
import { elementOf, elementsOf } from '../fhir/definitions.ts';
import type { Json, StoredResource } from '../fhir/types.ts';
import type { Built } from '../mapping/context.ts';

/** List ─▶ for each of its entries the register that it belongs to. */
export type Names = Readonly<Record<string, readonly string[]>>;

/** The content of a register. */
export interface Part {
  /** The element at the root. */
  readonly key: string;
  /** Where the members or entries go: into the root, into the object of the element, or into its list. */
  readonly kind: 'member' | 'child' | 'list';
  readonly members: Json;
  readonly entries: readonly unknown[];
  /** The name of the register that a list entry came from; of an identifier the field. */
  readonly name: string;
}

export type Parts = Map<string, Part>;

/** A part that is being gathered. */
type OpenPart = { -readonly [K in keyof Part]: Part[K] } & { readonly entries: unknown[] };

/**
 * Elements whose parts are registers of their own: backbones, periods and meta. Not `performedPeriod`: it and its twin
 * `performedDateTime` are one register, or one message would leave the one and another the other.
 */
export function isSplit(type: string, key: string): boolean {
  const element = elementOf(type, key);
  if (!element || element.list || element.choice !== undefined) return false;
  return element.type.includes('.') || element.type === 'Period' || element.type === 'Meta';
}

/** `deceased` for `deceasedBoolean` and its twin `_deceasedBoolean`. */
function baseOf(type: string, key: string): string {
  const plain = key.startsWith('_') ? key.slice(1) : key;
  return elementOf(type, plain)?.choice ?? plain;
}

/** The register that a path of the mapping names: `deceased` for `deceasedDateTime`. Lists and extensions are named so already. */
export function registerPath(type: string, path: string): string {
  if (/[({]/.test(path)) return path;
  const [key, child, ...rest] = path.split('.') as [string, ...string[]];
  if (child === undefined) return baseOf(type, key);
  if (!isSplit(type, key)) return elementOf(type, key)?.choice ?? path;
  return rest.length > 0 ? path : `${key}.${baseOf(elementOf(type, key)?.type ?? '', child)}`;
}

/** Path of the register of an entry. @param name of the register in the list */
export function entryPath(key: string, entry: Json, name: string): string {
  if (key === 'identifier') return `identifier(${entry.system ?? ''}|${entry.value ?? ''})`;
  if (key === 'extension') return `extension(${entry.url})`;
  return `${key}{${name}}`;
}

/** The names of a list that a client wrote, or that nobody noted: one register without a name. */
function namesOf(names: Names, key: string, length: number): readonly string[] {
  const known = names[key];
  return known?.length === length ? known : Array.from({ length }, () => '');
}

export function takeApart(resource: Json, names: Names): Parts {
  const type: string = resource.resourceType;
  const parts = new Map<string, OpenPart>();
  // Filled in place: a sender may repeat a field ten thousand times.
  const add = (path: string, { key, kind, name, members, entries }: OpenPart): void => {
    const standing = parts.get(path);
    if (!standing) parts.set(path, { key, kind, name, members: { ...members }, entries: [...entries] });
    else {
      Object.assign(standing.members, members);
      for (const entry of entries) standing.entries.push(entry);
      standing.name = name;
    }
  };
  for (const [key, value] of Object.entries(resource)) {
    if (key === 'resourceType' || key === 'id') continue;
    const plain = key.startsWith('_') ? key.slice(1) : key;
    const split = isSplit(type, plain);
    if (Array.isArray(value) && typeof value[0] === 'object' && plain === key) {
      const own = namesOf(names, key, value.length);
      for (const [i, entry] of value.entries()) {
        const name = own[i] as string;
        add(entryPath(key, entry, name), { key, kind: 'list', members: {}, entries: [entry], name });
      }
    } else if (split) {
      const inside = elementOf(type, key)?.type ?? '';
      for (const [child, part] of Object.entries(value as Json)) {
        if (key === 'meta' && (child === 'versionId' || child === 'lastUpdated')) continue;
        const path = `${key}.${baseOf(inside, child)}`;
        add(path, { key, kind: 'child', members: { [child]: part }, entries: [], name: '' });
      }
    } else add(baseOf(type, key), { key: plain, kind: 'member', members: { [key]: value }, entries: [], name: '' });
  }
  return parts;
}

/** What a message says of a resource, by register: a part, or undefined for what it deletes. */
export function registersOf({ resource, registers, clear }: Built): Map<string, Part | undefined> {
  const says = new Map<string, Part | undefined>();
  for (const path of clear) says.set(registerPath(resource.resourceType, path), undefined);
  for (const [path, part] of takeApart(resource, Object.fromEntries(registers))) says.set(path, part);
  return says;
}

/** `PID-9` before `PID-13`. */
function compareNames(a: string, b: string): number {
  const [x, y] = [a, b].map((it) => /^(.*?)(\d*)$/.exec(it) as RegExpExecArray);
  if (x?.[1] !== y?.[1]) return (x?.[1] as string) < (y?.[1] as string) ? -1 : 1;
  return Number(x?.[2] || 0) - Number(y?.[2] || 0);
}

const orders = new Map<string, ReadonlyMap<string, number>>();

/** Place of an element in its type, as R4 defines it. */
function placeOf(type: string, key: string): number {
  let order = orders.get(type);
  if (!order) {
    order = new Map(Object.keys(elementsOf(type) ?? {}).map((name, i) => [name, i]));
    orders.set(type, order);
  }
  return order.get(key.replace(/^_/, '')) ?? -1;
}

/** Numbers of merged records stand behind those that are in use. */
function isOld({ key, entries }: Part): boolean {
  return key === 'identifier' && (entries[0] as Json).use === 'old';
}

/**
 * @param newer orders entries of one list with the same name: identifiers of one field, the newest first
 * @returns the resource, and the names of its lists
 */
export function putTogether(
  head: { readonly resourceType: string; readonly id: string },
  parts: Parts,
  newer: (path: string, other: string) => number,
): { resource: StoredResource; names: Names } {
  const type = head.resourceType;
  const ordered = [...parts].sort(
    ([path, a], [other, b]) =>
      placeOf(type, a.key) - placeOf(type, b.key) ||
      Number(isOld(a)) - Number(isOld(b)) ||
      compareNames(a.name, b.name) ||
      (a.key === 'extension' && path !== other ? (path < other ? -1 : 1) : newer(path, other)),
  );
  const resource: Json = { resourceType: type, id: head.id };
  const names: Record<string, string[]> = {};
  for (const [, { key, kind, members, entries, name }] of ordered) {
    if (kind === 'member') Object.assign(resource, members);
    else if (kind === 'child') resource[key] = { ...resource[key], ...members };
    else {
      resource[key] ??= [];
      names[key] ??= [];
      for (const entry of entries) {
        resource[key].push(entry);
        names[key].push(name);
      }
    }
  }
  return { resource: resource as StoredResource, names };
}
