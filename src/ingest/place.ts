/** Where elements of resources stand among their registers: of what a message made, and of what is stored. Pure. */
import { parseReference } from '../fhir/reference.ts';
import type { Json } from '../fhir/types.ts';
import type { Built } from '../mapping/context.ts';
import { entryPath, isSplit, type Names, registerPath } from './registers.ts';

/** A place in a resource: its register, and for an entry of a list which one of the register. */
export interface Place {
  readonly register: string;
  /** The element at the root, when it is a list. */
  readonly list?: string;
  /** From 0, among the entries of the register. */
  readonly nth: number;
  /** What follows the root element. */
  readonly rest: string;
}

/** The names of the registers of a message's resource, as they are stored. */
export function namesIn({ registers }: Pick<Built, 'registers'>): Names {
  return Object.fromEntries(registers);
}

/** @param path `telecom[0].value`, `period.start`, `_birthDate.extension[0]` */
export function placeOf(path: string, resource: Json, names: Names): Place {
  const type: string = resource.resourceType;
  const [, root = '', index, rest = ''] = /^(\w+)(?:\[(\d+)\])?(.*)$/.exec(path) ?? [];
  const plain = root.replace(/^_/, '');
  const list: unknown = resource[plain];
  if (root === plain && index !== undefined && Array.isArray(list)) {
    const paths = registersOfList(plain, list, names);
    const register = paths[Number(index)] ?? '';
    const nth = paths.slice(0, Number(index)).filter((it) => it === register).length;
    return { register, list: plain, nth, rest };
  }
  const child = /^\.(\w+)/.exec(rest)?.[1]?.replace(/^_/, '');
  if (isSplit(type, plain) && child) return { register: registerPath(type, `${plain}.${child}`), nth: 0, rest: path };
  return { register: registerPath(type, plain), nth: 0, rest: path };
}

/** For each entry of a list the register that it belongs to. */
export function registersOfList(key: string, list: readonly unknown[], names: Names): string[] {
  const own = names[key];
  return list.map((entry, i) => {
    if (typeof entry !== 'object' || entry === null) return key;
    return entryPath(key, entry, own?.length === list.length ? (own[i] as string) : '');
  });
}

/** The path of a place in another version of the resource; undefined where it is not there. */
export function pathIn({ register, list, nth, rest }: Place, resource: Json, names: Names): string | undefined {
  if (!list) return rest;
  const entries: unknown = resource[list];
  if (!Array.isArray(entries)) return undefined;
  const found = registersOfList(list, entries, names).flatMap((it, i) => (it === register ? [i] : []))[nth];
  return found === undefined ? undefined : `${list}[${found}]${rest}`;
}

/** `Patient/ID.name[0]` ─▶ `Patient/ID` and `name[0]`. */
export function splitElement(element: string): { name: string; path: string } {
  const at = element.indexOf('.', element.indexOf('/'));
  const name = at < 0 ? element : element.slice(0, at);
  return { name: parseReference(name) ? name : element, path: at < 0 ? '' : element.slice(at + 1) };
}

/** The value at a path; undefined where there is none. */
export function valueAt(resource: Json, path: string): unknown {
  let at: any = resource;
  for (const [, key, index] of path.matchAll(/(\w+)(?:\[(\d+)\])?/g)) {
    at = at?.[key as string];
    if (index !== undefined) at = at?.[Number(index)];
  }
  return at;
}
