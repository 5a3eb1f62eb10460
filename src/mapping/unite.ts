/**
 * A resource that a message makes twice: one doctor in three fields, one insurer of two insurances. What the second says is
 * added to the first; where they contradict each other the first stays.
 */
import type { Built, Json, MappingContext } from './context.ts';
import { rivalsOf } from './target.ts';

/** @param second of the same type and identity as `first`; it is used up */
export function unite(first: Built, second: Built, context: MappingContext): void {
  const { resource: draft, clear, initial, registers } = second;
  const { aliases, unconverted } = context;
  const { resource } = first;
  aliases?.set(draft, resource);
  for (const it of unconverted) if (it.container === draft) it.container = resource;
  for (const [key, value] of Object.entries(draft)) {
    const standing = resource[key];
    if (standing === undefined) {
      const rivals = rivalsOf(draft.resourceType, key.replace(/^_/, ''));
      if (rivals.some((rival) => resource[rival] !== undefined)) continue;
      resource[key] = value;
      const names = registers.get(key);
      if (names) first.registers.set(key, names);
      if (initial.has(key)) first.initial.add(key);
    } else if (Array.isArray(standing) && Array.isArray(value)) {
      const added = addTo(standing, value, key, context);
      const names = first.registers.get(key);
      if (names) names.push(...added.map((i) => registers.get(key)?.[i] ?? ''));
    } else if (isSame(standing, value)) stands(value, standing, aliases);
  }
  for (const path of clear) first.clear.add(path);
}

/**
 * Adds the entries that are not there. `Li Min` says nothing beside `Dr Li Min`, and is completed by it.
 * @returns their indexes in `more`
 */
function addTo(
  standing: unknown[],
  more: readonly unknown[],
  key: string,
  { aliases, unconverted }: MappingContext,
): number[] {
  const before = standing.slice();
  const added: number[] = [];
  for (const [i, item] of more.entries()) {
    const same = before.find((it) => covers(it, item) || (key === 'identifier' && isSameNumber(it, item)));
    const less = same === undefined && key !== 'identifier' ? before.find((it) => covers(item, it)) : undefined;
    if (isObject(less)) {
      for (const [name, part] of Object.entries(item as Json)) (less as Json)[name] ??= part;
      for (const it of unconverted) if (it.container === item) it.container = less;
    }
    const known = same ?? less;
    if (known !== undefined) stands(item, known, aliases);
    else {
      standing.push(item);
      added.push(i);
    }
  }
  return added;
}

/** True when the first says all that the second says. */
function covers(whole: unknown, part: unknown): boolean {
  if (Array.isArray(whole) || Array.isArray(part) || !isObject(whole) || !isObject(part)) return isSame(whole, part);
  return Object.entries(part).every(([key, value]) => covers((whole as Json)[key], value));
}

type Aliases = Map<object, object> | undefined;

/** For the lineage: what was made of a field stands in another object that says the same. */
function stands(item: unknown, known: unknown, aliases: Aliases): void {
  if (!aliases || !isObject(item) || !isObject(known)) return;
  aliases.set(item, known);
  for (const [key, part] of Object.entries(item)) stands(part, (known as Json)[key], aliases);
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

/** Rows write the members of equal things in the same order. */
export function isSame(a: unknown, b: unknown): boolean {
  return a === b || (isObject(a) && isObject(b) && JSON.stringify(a) === JSON.stringify(b));
}

function isSameNumber(a: unknown, b: unknown): boolean {
  const [one, other] = [a as Json, b as Json];
  return one.value !== undefined && one.value === other.value && one.system === other.system;
}
