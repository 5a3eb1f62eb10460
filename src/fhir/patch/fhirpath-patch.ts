/** FHIRPath Patch. R4 fhirpatch.html. */
import { Failure } from '../../outcome.ts';
import { isPrimitive } from '../definitions.ts';
import type { Resource } from '../types.ts';
import { finish, isObject, runEach, sizeOf } from './common.ts';
import { add, type Content, elementFor, fits, halvesOf, namedParts } from './element-content.ts';
import { findList, findPlaces, startWalk, type Walk } from './element-path.ts';
import { childrenOf, insert, lengthOf, move, type Place, remove, set } from './place.ts';

type Parts = ReadonlyMap<string, Content>;

interface OperationType {
  /** Besides `type`; all are mandatory. */
  readonly parts: readonly string[];
  readonly run: (walk: Walk, path: string, parts: Parts) => void;
}

const operationTypes = new Map<string, OperationType>([
  [
    'add',
    {
      parts: ['path', 'name', 'value'],
      run: (walk, path, parts) => addTo(one(findPlaces(walk, path)), text(parts, 'name'), content(parts)),
    },
  ],
  [
    'insert',
    {
      parts: ['path', 'value', 'index'],
      run: (walk, path, parts) => insertInto(findList(walk, path), integer(parts, 'index'), content(parts)),
    },
  ],
  ['delete', { parts: ['path'], run: (walk, path) => deleteOne(findPlaces(walk, path)) }],
  [
    'replace',
    {
      parts: ['path', 'value'],
      run: (walk, path, parts) => replace(one(findPlaces(walk, path)), content(parts)),
    },
  ],
  [
    'move',
    {
      parts: ['path', 'source', 'destination'],
      run: (walk, path, parts) =>
        moveWithin(findList(walk, path), integer(parts, 'source'), integer(parts, 'destination')),
    },
  ],
]);

/**
 * Applies a FHIRPath Patch to a copy; the resource itself is not changed. All or nothing. What the operations leave empty
 * is not in the result. The caller validates it.
 * @param parameters what the client sent: a Parameters resource
 * @throws Failure with the index of the operation: `malformed` when the operation is wrong whatever the resource is, or when
 *   resourceType or id would change; `invalid` when it does not fit the resource; `too-costly`
 */
export function applyFhirPathPatch(resource: Resource, parameters: unknown): Resource {
  const walk = startWalk(structuredClone(resource));
  runEach(
    operationsIn(parameters),
    (operation) => apply(walk, operation),
    (index) => `Parameters.parameter[${index}]`,
  );
  return finish(resource, walk.root.holder[walk.root.key]);
}

/**
 * The parameters, each an operation; their own copy. Only what a patch reads is checked: the values are validated where
 * they come to stand, and a reference to a contained resource would be wrong before it is there.
 */
function operationsIn(parameters: unknown): unknown[] {
  sizeOf(parameters);
  if (!isObject(parameters) || parameters.resourceType !== 'Parameters')
    throw new Failure('malformed', 'a FHIRPath Patch is a Parameters resource');
  const { parameter = [] } = parameters;
  if (!Array.isArray(parameter)) throw new Failure('malformed', 'parameter is not a list');
  return structuredClone(parameter);
}

function apply(walk: Walk, operation: unknown): void {
  const parts = partsIn(operation);
  const name = text(parts, 'type');
  const type = operationTypes.get(name);
  if (!type) throw new Failure('malformed', `its type is none of ${[...operationTypes.keys()].join(', ')}`);
  const missing = type.parts.find((part) => !parts.has(part));
  if (missing) throw new Failure('malformed', `${name} has no part '${missing}'`);
  if (parts.size > type.parts.length + 1)
    throw new Failure('malformed', `${name} takes no parts but type, ${type.parts.join(', ')}`);
  type.run(walk, text(parts, 'path'), parts);
}

function partsIn(operation: unknown): Parts {
  if (!isObject(operation) || operation.name !== 'operation')
    throw new Failure('malformed', "the parameter is not named 'operation'");
  const named = namedParts(operation.part ?? []);
  const parts = new Map(named.map(({ name, content }) => [name, content]));
  if (parts.size < named.length) throw new Failure('malformed', 'has two parts of the same name');
  return parts;
}

function content(parts: Parts): Content {
  return parts.get('value') as Content;
}

function text(parts: Parts, name: string): string {
  const part = parts.get(name);
  if (part?.type && fits('string', part.type) && typeof part.value === 'string') return part.value;
  throw new Failure('malformed', `its part '${name}' is no string`);
}

function integer(parts: Parts, name: string): number {
  const part = parts.get(name);
  if (part?.type && fits('integer', part.type) && Number.isSafeInteger(part.value)) return part.value as number;
  throw new Failure('malformed', `its part '${name}' is no integer`);
}

/** "The FHIRPath statement must return a single element … it is an error if no element matches the specified path". */
function one(places: readonly Place[]): Place {
  const [place, ...more] = places;
  if (!place) throw new Failure('invalid', 'there is nothing at its path');
  if (more.length > 0) throw new Failure('invalid', `its path finds ${places.length} elements, not one`);
  return place;
}

function addTo(place: Place, name: string, value: Content): void {
  const holder = childrenOf(place, isPrimitive(place.type), true);
  if (!isObject(holder)) throw new Failure('invalid', `an element of type ${place.type} has no children`);
  add(holder, place.type, name, value);
}

function insertInto(list: Place, index: number, value: Content): void {
  const { holder, key, element } = assertElement(list);
  assertIndex('index', index, lengthOf(holder, key));
  insert(holder, key, index, halvesOf(element.type, value));
}

function moveWithin({ holder, key }: Place, source: number, destination: number): void {
  const last = lengthOf(holder, key) - 1;
  assertIndex('source', source, last);
  assertIndex('destination', destination, last);
  move(holder, key, source, destination);
}

function assertIndex(name: string, index: number, max: number): void {
  if (index < 0 || index > max) throw new Failure('invalid', `${name} is not from 0 to ${max}`);
}

/** "Except for the delete operation, it is an error if no element matches"; "only a single element can be deleted". */
function deleteOne(places: readonly Place[]): void {
  if (places.length === 0) return;
  const place = one(places);
  assertElement(place);
  remove(place);
}

function replace(place: Place, value: Content): void {
  const { holder, holderType, index, element } = assertElement(place);
  const { key, element: asked } = element.choice
    ? elementFor(holderType, element.choice, value)
    : { key: place.key, element };
  const halves = halvesOf(asked.type, value);
  if (index !== undefined || key !== place.key) remove(place);
  if (index === undefined) set(holder, key, halves);
  else insert(holder, key, index, halves);
}

/** @throws Failure `malformed` for the resource itself */
function assertElement(place: Place): Place & { holderType: string; element: NonNullable<Place['element']> } {
  const { holderType, element } = place;
  if (holderType === undefined || !element) throw new Failure('malformed', 'its path names the resource itself');
  return { ...place, holderType, element };
}
