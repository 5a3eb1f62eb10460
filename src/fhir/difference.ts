/** Two states of one resource ─▶ the elements that differ. Pure. */
import { isDeepStrictEqual } from 'node:util';
import type { Json } from './types.ts';

/** An element that is there in one state only, or has another value. */
export interface ElementChange {
  readonly kind: 'added' | 'changed' | 'removed';
  /** For people: `extension(URL).valueString`, `name[0].family`. Indexes are those of the later state, of what is removed the earlier. */
  readonly path: string;
  readonly before?: unknown;
  readonly after?: unknown;
  /** The path in each state, indexes as in the JSON: `identifier[1].system`. */
  readonly earlier?: string;
  readonly later?: string;
}

/** A path in both states and as it is shown. */
interface Where {
  readonly shown: string;
  readonly earlier: string;
  readonly later: string;
}

/** What differs, in the order of the elements. Entries of a list are compared with those that are most like them. */
export function changesOf(before: Json, after: Json): ElementChange[] {
  return [...eachChange(before, after)];
}

/** {@link changesOf}, one by one. */
export function eachChange(before: Json, after: Json): Iterable<ElementChange> {
  return changesIn(before, after, { shown: '', earlier: '', later: '' });
}

function* changesIn(before: unknown, after: unknown, at: Where): Generator<ElementChange> {
  if (isDeepStrictEqual(before, after)) return;
  const { shown: path, earlier, later } = at;
  if (isList(before) && isList(after) && (before ?? after)) yield* listChanges(before ?? [], after ?? [], at);
  else if (isObject(before) && isObject(after)) yield* memberChanges(before, after, at);
  else if (/^\w+$/.test(path) && isObject(before ?? after) && !(before && after)) {
    // A whole element of the resource came or went: said part by part, as rows make it.
    yield* memberChanges((before ?? {}) as Json, (after ?? {}) as Json, at);
  } else if (before === undefined) yield { kind: 'added', path, after, later };
  else if (after === undefined) yield { kind: 'removed', path, before, earlier };
  else yield { kind: 'changed', path, before, after, earlier, later };
}

function* memberChanges(before: Json, after: Json, at: Where): Generator<ElementChange> {
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)]))
    yield* changesIn(before[key], after[key], member(at, key));
}

function isList(value: unknown): value is readonly unknown[] | undefined {
  return value === undefined || Array.isArray(value);
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function member({ shown, earlier, later }: Where, key: string): Where {
  const below = (path: string): string => (path === '' ? key : `${path}.${key}`);
  return { shown: below(shown), earlier: below(earlier), later: below(later) };
}

function item({ shown, earlier, later }: Where, i: number, j: number, entry: unknown): Where {
  const url: unknown = isObject(entry) ? entry.url : undefined;
  const name = typeof url === 'string' ? `(${url})` : `[${j < 0 ? i : j}]`;
  return { shown: `${shown}${name}`, earlier: `${earlier}[${i}]`, later: `${later}[${j}]` };
}

function* listChanges(before: readonly unknown[], after: readonly unknown[], at: Where): Generator<ElementChange> {
  const pairs = pairsOf(before, after);
  let differs = false;
  for (const [i, j] of pairs) {
    const entry = after[j] ?? before[i];
    for (const change of changesIn(before[i], after[j], item(at, i, j, entry))) {
      differs = true;
      yield change;
    }
  }
  const { shown: path, earlier, later } = at;
  // The same entries in another order.
  if (!differs) yield { kind: 'changed', path: `${path} (order)`, before, after, earlier, later };
}

/** Index in the one list and in the other, -1 where it has none: equal entries first, then alike ones, then by place. */
function pairsOf(before: readonly unknown[], after: readonly unknown[]): readonly (readonly [number, number])[] {
  const partner = new Map<number, number>();
  const left = new Set(before.keys());
  const match = (signature: (entry: unknown) => string | undefined): void => {
    const bySignature = new Map<string, number[]>();
    for (const i of left) {
      const name = signature(before[i]);
      if (name === undefined) continue;
      const alike = bySignature.get(name);
      if (alike) alike.push(i);
      else bySignature.set(name, [i]);
    }
    for (const [j, entry] of after.entries()) {
      if (partner.has(j)) continue;
      const i = bySignature.get(signature(entry) ?? '')?.shift();
      if (i === undefined) continue;
      partner.set(j, i);
      left.delete(i);
    }
  };
  match((entry) => JSON.stringify(entry));
  match(likeness);
  match(() => 'any');
  const together = after.map((_, j) => [partner.get(j) ?? -1, j] as const);
  return [...together, ...[...left].map((i) => [i, -1] as const)];
}

/** What an entry is about: the extension's url, the identifier's value, the code's system. */
function likeness(entry: unknown): string | undefined {
  if (!isObject(entry)) return undefined;
  for (const key of ['url', 'value', 'reference', 'system', 'use'])
    if (typeof entry[key] === 'string') return `${key} ${entry[key]}`;
  return undefined;
}
