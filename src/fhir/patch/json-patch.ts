/** JSON Patch. R4 http.html#patch; RFC 6902 (operations) and RFC 6901 (pointers). */
import { isDeepStrictEqual } from 'node:util';
import { Failure } from '../../outcome.ts';
import type { Json, Resource } from '../types.ts';
import { finish, isForbidden, isObject, runEach, sizeOf } from './common.ts';

/** What all `copy` operations of a patch may add together: copying a copy doubles it, thirty times over are a billion. */
const copiedCharactersMax = 1_000_000;

/** The steps of a JSON pointer. The first is always '' and stands for the document, a member of {@link State.holder}. */
type Pointer = readonly string[];

interface State {
  readonly holder: Json;
  copiedCharacters: number;
}

/**
 * Applies a JSON Patch to a copy; the resource itself is not changed. All or nothing. What the operations leave empty
 * (a list without items) is not in the result. The caller validates it.
 * @param operations what the client sent: an array of operations
 * @throws Failure with the index of the operation: `malformed` when it is no operation of RFC 6902 or when resourceType or
 *   id would change; `invalid` when a `test` fails or a path is not there; `too-costly` for too many or too large copies
 */
export function applyJsonPatch(resource: Resource, operations: unknown): Resource {
  if (!Array.isArray(operations)) throw new Failure('malformed', 'a JSON Patch is an array of operations');
  const state: State = { holder: { '': structuredClone(resource) }, copiedCharacters: 0 };
  runEach(operations, (operation: unknown) => apply(state, operation));
  return finish(resource, state.holder['']);
}

function apply(state: State, operation: unknown): void {
  if (!isObject(operation)) throw new Failure('malformed', 'not an object');
  const run = operators.get(operation.op);
  if (!run) throw new Failure('malformed', `op is none of ${[...operators.keys()].join(', ')}`);
  run(state, operation, pointer(operation, 'path'));
}

/** RFC 6902 4. */
const operators = new Map<unknown, (state: State, operation: Json, path: Pointer) => void>([
  ['add', ({ holder }, operation, path) => put(holder, path, valueIn(operation))],
  ['remove', ({ holder }, _, path) => take(holder, path)],
  ['replace', ({ holder }, operation, path) => overwrite(holder, path, valueIn(operation))],
  ['move', ({ holder }, operation, path) => move(holder, pointer(operation, 'from'), path)],
  ['copy', (state, operation, path) => put(state.holder, path, copyOf(state, pointer(operation, 'from')))],
  ['test', ({ holder }, operation, path) => assertEqual(holder, path, valueIn(operation))],
]);

function overwrite(holder: Json, path: Pointer, value: unknown): void {
  read(holder, path);
  parentOf(holder, path)[path.at(-1) as string] = value;
}

function assertEqual(holder: Json, path: Pointer, value: unknown): void {
  if (!isDeepStrictEqual(read(holder, path), value))
    throw new Failure('invalid', 'the test failed: there is another value at its path');
}

/** RFC 6902 4.4: as a remove followed by an add, so `path` is read after the removal. */
function move(holder: Json, from: Pointer, path: Pointer): void {
  if (from.length < path.length && from.every((step, i) => step === path[i]))
    throw new Failure('malformed', 'moves a value into itself');
  put(holder, path, take(holder, from));
}

function copyOf(state: State, from: Pointer): unknown {
  const value = read(state.holder, from);
  state.copiedCharacters += sizeOf(value);
  if (state.copiedCharacters > copiedCharactersMax)
    throw new Failure('too-costly', `the copies of a patch have at most ${copiedCharactersMax} characters together`);
  return structuredClone(value);
}

/** The value of an operation, its own: what the client sent never becomes part of two places. */
function valueIn(operation: Json): unknown {
  if (!Object.hasOwn(operation, 'value')) throw new Failure('malformed', 'value is missing');
  sizeOf(operation.value);
  return structuredClone(operation.value);
}

function pointer(operation: Json, name: 'path' | 'from'): Pointer {
  const text: unknown = operation[name];
  if (typeof text !== 'string') throw new Failure('malformed', `${name} is missing or not a string`);
  if ((text !== '' && !text.startsWith('/')) || /~(?![01])/.test(text))
    throw new Failure('malformed', `${name} is not a JSON pointer`);
  // RFC 6901 4: first ~1, then ~0, so that ~01 becomes ~1.
  const steps = text.split('/').map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
  if (steps.some(isForbidden)) throw new Failure('malformed', `${name} has a name that no element has`);
  return steps;
}

function notThere(): Failure {
  return new Failure('invalid', 'there is nothing at its path');
}

/** What a step leads to; undefined for nothing. Only what the document itself has, never what JavaScript adds. */
function child(node: unknown, step: string): unknown {
  if (Array.isArray(node)) return isIndex(step) ? node[Number(step)] : undefined;
  return isObject(node) && Object.hasOwn(node, step) ? node[step] : undefined;
}

/** RFC 6901 4: digits without leading zeros. */
function isIndex(step: string): boolean {
  return /^(?:0|[1-9]\d{0,8})$/.test(step);
}

function read(holder: Json, path: Pointer): unknown {
  let node: unknown = holder;
  for (const step of path) {
    node = child(node, step);
    if (node === undefined) throw notThere();
  }
  return node;
}

/** The object or list that holds the last step. */
function parentOf(holder: Json, path: Pointer): Json {
  const parent = read(holder, path.slice(0, -1));
  if (typeof parent !== 'object' || parent === null) throw notThere();
  return parent;
}

function put(holder: Json, path: Pointer, value: unknown): void {
  const parent = parentOf(holder, path);
  const step = path.at(-1) as string;
  if (!Array.isArray(parent)) {
    parent[step] = value;
    return;
  }
  const index = step === '-' ? parent.length : isIndex(step) ? Number(step) : Number.POSITIVE_INFINITY;
  if (index > parent.length) throw notThere();
  parent.splice(index, 0, value);
}

function take(holder: Json, path: Pointer): unknown {
  const value = read(holder, path);
  const parent = parentOf(holder, path);
  const step = path.at(-1) as string;
  if (Array.isArray(parent)) parent.splice(Number(step), 1);
  else delete parent[step];
  return value;
}
