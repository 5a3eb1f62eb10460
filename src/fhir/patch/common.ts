/** What both patch formats hold to: how much they may do, what they may not touch, and what a finished resource has not. */
import { Failure } from '../../outcome.ts';
import type { Json, Resource } from '../types.ts';

/** Operations in one patch. */
export const operationsMax = 1000;
/** JSON levels, as many as a body may have. */
const depthMax = 100;
/** Names that lead out of the data, to what all objects share. */
const forbiddenNames: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

/** True for a JSON object: neither null nor a list. */
export function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** True for a name that no element has and that reaches a prototype. */
export function isForbidden(name: string): boolean {
  return forbiddenNames.has(name);
}

/**
 * Runs the operations in order; a failure names the index of its operation.
 * @param at the FHIRPath location of an operation
 * @throws Failure `too-costly` for more than {@link operationsMax}; what an operation throws, with its index
 */
export function runEach<T>(
  operations: readonly T[],
  run: (operation: T) => void,
  at?: (index: number) => string,
): void {
  if (operations.length > operationsMax)
    throw new Failure('too-costly', `a patch has at most ${operationsMax} operations`);
  for (const [index, operation] of operations.entries()) {
    try {
      run(operation);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      const text = `operation ${index}: ${error.message}`;
      throw new Failure(error.kind, text, [{ text, ...(at && { expression: at(index) }) }]);
    }
  }
}

/**
 * How long a value is as JSON, about, in characters. It does not recurse, so that what passes may be recursed into.
 * @throws Failure `malformed` for a level too many, or a name that reaches a prototype
 */
export function sizeOf(value: unknown): number {
  let size = 0;
  const open: [node: unknown, depth: number][] = [[value, 1]];
  for (let next = open.pop(); next; next = open.pop()) {
    const [node, depth] = next;
    size += typeof node === 'string' ? node.length + 3 : 3;
    if (typeof node !== 'object' || node === null) continue;
    if (depth > depthMax) throw new Failure('malformed', `nested deeper than ${depthMax} levels`);
    for (const [name, part] of Object.entries(node)) {
      if (isForbidden(name)) throw new Failure('malformed', 'has a name that no element has');
      size += name.length;
      open.push([part, depth + 1]);
    }
  }
  return size;
}

/**
 * The patched resource, without the elements that the patch left empty.
 * @throws Failure `malformed` when it is another resource than before
 */
export function finish(before: Resource, after: unknown): Resource {
  sizeOf(after);
  if (!isObject(after) || after.resourceType !== before.resourceType || after.id !== before.id)
    throw new Failure('malformed', 'a patch changes neither resourceType nor id');
  prune(after);
  return after as Resource;
}

/**
 * R4 json.html: "an array … never empty", "objects are never empty". Whoever removes the last item of a list, or the last
 * child of an element, means to remove the list and the element.
 */
function prune(node: Json): void {
  const names = Object.keys(node);
  // Extensions go first: a list of nulls in `given` says only how many extensions `_given` has.
  for (const name of names) if (name.startsWith('_')) pruneMember(node, name, (kept) => kept.every(isNull));
  for (const name of names) {
    if (name.startsWith('_')) continue;
    const lostExtensions = names.includes(`_${name}`) && !Object.hasOwn(node, `_${name}`);
    pruneMember(node, name, (kept) => kept.length === 0 || (lostExtensions && kept.every(isNull)));
  }
}

function isNull(item: unknown): boolean {
  return item === null;
}

function pruneMember(node: Json, name: string, isEmpty: (kept: readonly unknown[]) => boolean): void {
  const part: unknown = node[name];
  if (Array.isArray(part)) {
    const kept = prunedList(part, name);
    if (isEmpty(kept)) delete node[name];
    else node[name] = kept;
  } else if (isObject(part)) {
    prune(part);
    if (Object.keys(part).length === 0) delete node[name];
  }
}

/** In `_given` an empty place stays a place: the n-th belongs to the n-th value. */
function prunedList(list: readonly unknown[], name: string): unknown[] {
  return list.flatMap((item) => {
    if (!isObject(item)) return [item];
    prune(item);
    if (Object.keys(item).length > 0) return [item];
    return name.startsWith('_') ? [null] : [];
  });
}
