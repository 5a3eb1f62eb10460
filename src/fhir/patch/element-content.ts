/** What an operation brings along: a value of a Parameters part ─▶ the JSON of an element. R4 fhirpatch.html#anonymous. */
import { Failure } from '../../outcome.ts';
import { type ElementDefinition, elementOf, isPrimitive } from '../definitions.ts';
import type { Json } from '../types.ts';
import { isObject } from './common.ts';
import { childElements, noSuchElement } from './element-path.ts';
import { type Halves, insert, lengthOf, read, set } from './place.ts';

/** A value with its type, or the children of an element whose type the place says. */
export type Content =
  | ({ readonly type: string } & Halves)
  | { readonly type?: undefined; readonly parts: readonly NamedPart[] };

/** A part of Parameters, read. */
export interface NamedPart {
  readonly name: string;
  readonly content: Content;
}

/**
 * The types that JSON writes alike and of which one specialises the other: whoever sends a string for a code means the
 * code. Whether the text is a code is for the validation to say.
 */
const families: readonly (readonly string[])[] = [
  ['string', 'code', 'id', 'markdown', 'xhtml'],
  ['uri', 'url', 'canonical', 'oid', 'uuid'],
  ['integer', 'positiveInt', 'unsignedInt'],
  ['Quantity', 'Age', 'Count', 'Distance', 'Duration'],
];

/** True when a value of one type may stand where the other is asked for. */
export function fits(asked: string, given: string): boolean {
  return asked === given || families.some((family) => family.includes(asked) && family.includes(given));
}

/**
 * The parts of a parameter, or parts of a part.
 * @throws Failure `malformed` unless each has a name and exactly one of `value[x]`, `resource` and `part`
 */
export function namedParts(parts: unknown): NamedPart[] {
  if (!Array.isArray(parts)) throw new Failure('malformed', 'part is not a list');
  return parts.map((part: unknown) => {
    if (!isObject(part) || typeof part.name !== 'string') throw new Failure('malformed', 'a part has no name');
    return { name: part.name, content: contentOf(part) };
  });
}

function contentOf(part: Json): Content {
  const keys = new Set(Object.keys(part).map((name) => (name.startsWith('_') ? name.slice(1) : name)));
  for (const key of ['id', 'extension', 'name']) keys.delete(key);
  const [key, ...more] = keys;
  if (!key || more.length > 0) throw new Failure('malformed', 'a part has either a value, a resource or parts');
  if (key === 'part') return { parts: namedParts(part.part) };
  if (key === 'resource') return { type: 'Resource', value: part.resource };
  const row = elementOf('Parameters.parameter', key);
  if (row?.choice !== 'value') throw new Failure('malformed', 'a part has a value of a type that R4 does not have');
  return { type: row.type, value: part[key] ?? undefined, shadow: part[`_${key}`] ?? undefined };
}

/**
 * The element of a type that is one of those a name stands for.
 * @throws Failure `invalid` when there is none
 */
export function elementFor(type: string, name: string, content: Content): { key: string; element: ElementDefinition } {
  const rows = childElements(type, name);
  const row = rows.length > 1 ? rows.find(({ element }) => element.type === content.type) : rows[0];
  if (row) return row;
  if (rows.length === 0) throw noSuchElement(type);
  throw new Failure('invalid', `no ${content.type ?? 'parts'} can be there; it takes ${typesOf(rows).join(', ')}`);
}

function typesOf(rows: readonly { element: ElementDefinition }[]): string[] {
  return rows.map(({ element }) => element.type);
}

/**
 * The JSON of an element.
 * @param type the type of the element
 * @throws Failure `invalid` for a value of another type. R4 fhirpatch.html: "Servers SHALL return an error if the type is
 *   wrong"
 */
export function halvesOf(type: string, content: Content): Halves {
  if (content.type !== undefined) {
    if (fits(type, content.type)) return { value: content.value, shadow: content.shadow };
    throw new Failure('invalid', `the element is of type ${type}, its value of type ${content.type}`);
  }
  if (isPrimitive(type) || type === 'xhtml' || type === 'Resource')
    throw new Failure('invalid', `the element is of type ${type}, its value is made of parts`);
  const made: Json = {};
  for (const part of content.parts) add(made, type, part.name, part.content);
  return { value: made };
}

/**
 * Adds a child: the last of a list, or an element that is not there yet.
 * @param holder the JSON of the element that gets it
 * @param type the type of that element
 * @throws Failure `invalid` when the type has no such element, when it is there already, or for a value of another type
 */
export function add(holder: Json, type: string, name: string, content: Content): void {
  const { key, element } = elementFor(type, name, content);
  const halves = halvesOf(element.type, content);
  if (element.list) {
    insert(holder, key, lengthOf(holder, key), halves);
    return;
  }
  const rivals = element.choice ? childElements(type, element.choice) : [{ key }];
  for (const rival of rivals)
    if (Object.values(read({ holder, key: rival.key, index: undefined })).some((half) => half !== undefined))
      throw new Failure('invalid', 'the element is there already; replace changes it');
  set(holder, key, halves);
}
