/** Values as FHIRPath sees them: what is true, what is equal, what comes first. FHIRPath N1, section 6. */
import type { Json } from '../types.ts';

/** A collection. A primitive that has only an extension is the object that carries it. */
export type Items = readonly unknown[];

export const nothing: Items = [];
export const yes: Items = [true];
export const no: Items = [false];

export function ofBoolean(value: boolean | undefined): Items {
  return value === undefined ? nothing : value ? yes : no;
}

/** Singleton evaluation (N1 4.5): one item that is no boolean counts as true; none or many are undecided. */
export function truth(items: Items): boolean | undefined {
  if (items.length !== 1) return undefined;
  return items[0] !== false;
}

export function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null;
}

/** Equal values have equal keys, so that a set finds a duplicate without comparing each with each. */
export function keyOf(value: unknown): string {
  return isObject(value) ? JSON.stringify(sorted(value)) : `${typeof value} ${value}`;
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isObject(value)) return value;
  return Object.keys(value)
    .sort()
    .map((key) => [key, sorted(value[key])]);
}

export function distinct(items: Items): Items {
  return items.length < 2 ? items : [...new Map(items.map((item) => [keyOf(item), item])).values()];
}

/** `=`: undecided where either side is empty. */
export function equal(left: Items, right: Items): boolean | undefined {
  if (left.length === 0 || right.length === 0) return undefined;
  if (left.length !== right.length) return false;
  return left.every((item, i) => item === right[i] || (isObject(item) && keyOf(item) === keyOf(right[i])));
}

/**
 * `<`, `<=`, `>`, `>=` of two single values; undecided for what has no order.
 *
 * A date that is less precise than the other holds where it may hold: a Period "includes any matching date/time" of its
 * end (R4 datatypes.html#period), and R5 rewrote per-1 to say so. Quantities of different units are not compared.
 */
export function ordered(operator: string, left: Items, right: Items): boolean | undefined {
  if (left.length !== 1 || right.length !== 1) return undefined;
  const [a, b] = [left[0], right[0]];
  if (operator === '>' || operator === '>=') return before(b, a, operator === '>');
  return before(a, b, operator === '<');
}

function before(a: unknown, b: unknown, strictly: boolean): boolean | undefined {
  if (typeof a === 'number' && typeof b === 'number') return strictly ? a < b : a <= b;
  if (typeof a === 'string' && typeof b === 'string') return dateBefore(a, b, strictly);
  if (isObject(a) && isObject(b)) {
    const same = a.system === b.system && (a.code ?? a.unit) === (b.code ?? b.unit);
    return same ? before(a.value, b.value, strictly) : true;
  }
  return undefined;
}

const hour = 3_600_000;

function dateBefore(a: string, b: string, strictly: boolean): boolean {
  const [aTimed, bTimed] = [a.length > 10, b.length > 10];
  if (!aTimed && !bTimed) {
    const common = Math.min(a.length, b.length);
    const [x, y] = [a.slice(0, common), b.slice(0, common)];
    return x < y || (x === y && (a.length !== b.length || !strictly));
  }
  // A day has no zone: it may begin 14 hours before, and end 12 hours after the same day of UTC.
  const low = aTimed ? Date.parse(a) : Date.parse(firstDay(a)) - 14 * hour;
  const high = bTimed ? Date.parse(b) : Date.parse(lastDay(b)) + 36 * hour;
  // A leap second is a time that JavaScript does not know.
  if (Number.isNaN(low) || Number.isNaN(high)) return true;
  return strictly ? low < high : low <= high;
}

function firstDay(date: string): string {
  return date.padEnd(10, '-01');
}

function lastDay(date: string): string {
  if (date.length === 10) return date;
  const [year, month = '12'] = date.split('-');
  return new Date(Date.UTC(Number(year), Number(month), 0)).toISOString().slice(0, 10);
}

/** Whether a value has all that a pattern has. R4 elementdefinition.html#ElementDefinition.pattern[x]. */
export function includes(value: unknown, pattern: unknown): boolean {
  if (Array.isArray(pattern)) {
    const items: unknown[] = Array.isArray(value) ? value : [];
    return pattern.every((wanted) => items.some((item) => includes(item, wanted)));
  }
  if (!isObject(pattern)) return value === pattern;
  return isObject(value) && Object.keys(pattern).every((key) => includes(value[key], pattern[key]));
}
