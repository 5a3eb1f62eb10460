/** The parts that a compiled FHIRPath expression is made of. */
import type { EmptySetAtom, FunctionAtom, InfixOperatorAtom, LiteralAtom, SymbolAtom } from '@medplum/core';
import type { Json } from '../types.ts';
import { type Items, keyOf, nothing } from './values.ts';

/** What @medplum/core's parser gives, as far as it is supported. */
export type Atom = EmptySetAtom | LiteralAtom | SymbolAtom | FunctionAtom | InfixOperatorAtom;

/** The resources around an element. */
export interface Surroundings {
  /** `%resource`: the nearest resource, also a contained one. */
  readonly resource: Json;
  /** `%rootResource`: the resource that is not contained. */
  readonly root: Json;
  /** What `#id` names: the contained resources of the root. */
  readonly contained: ReadonlyMap<string, Json>;
}

/** What an evaluation is about. */
export interface Scope extends Surroundings {
  /** `%context`: the element that holds the invariant. */
  readonly context: unknown;
  /** What is the same for every item of a loop, worked out once. */
  memo?: Map<object, unknown>;
}

/** @param focus what a path goes on from; @param self `$this` */
export type Run = (focus: Items, self: Items, scope: Scope) => Items;

/** `always`: it never changes. `scope`: it is the same within one evaluation. Else it depends on the item in focus. */
export type Fixed = 'always' | 'scope' | undefined;

/** A compiled part of an expression. */
export interface Part {
  readonly run: Run;
  /** The FHIR type of its items; empty when it is not known before the resource is there. */
  readonly type: string;
  readonly fixed?: Fixed;
  /** For a choice of types: the same path, only of one type. */
  readonly narrow?: (type: string) => Part;
  /** For an element: the objects that carry the extensions of its primitives. R4 json.html#primitive. */
  readonly shadow?: () => Part;
}

/** Where an atom stands. */
export interface Place {
  /** The type of `$this`. */
  readonly self: string;
  /** The type that holds the invariant. */
  readonly context: string;
}

/** The items themselves. */
export function identity(type: string): Part {
  return { run: (focus) => focus, type };
}

export function constant(items: Items, type: string): Part {
  return { run: () => items, type, fixed: 'always' };
}

/** What is made of two parts changes when one of them does. */
export function bothFixed(a: Fixed, b: Fixed): Fixed {
  return a && b && (a === 'scope' ? a : b);
}

/** A part that does not change is worked out once, not once for each item of a loop. */
export function held(part: Part): Part {
  if (!part.fixed) return part;
  // What never changes asks nothing of the scope.
  if (part.fixed === 'always') return constant(part.run(nothing, nothing, {} as Scope), part.type);
  return { ...part, run: (focus, self, scope) => once(scope, part, () => part.run(focus, self, scope)) };
}

/** The keys of a collection; made once where it does not change from item to item. */
export function keysOf(list: Part): (self: Items, scope: Scope) => ReadonlySet<string> {
  const make = (self: Items, scope: Scope): Set<string> => new Set(list.run(self, self, scope).map(keyOf));
  return list.fixed ? (self, scope) => once(scope, make, () => make(self, scope)) : make;
}

function once<T>(scope: Scope, key: object, make: () => T): T {
  scope.memo ??= new Map();
  let value = scope.memo.get(key) as T | undefined;
  if (value === undefined) {
    value = make();
    scope.memo.set(key, value);
  }
  return value;
}
