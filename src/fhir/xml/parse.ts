/** FHIR XML ─▶ the JSON form, by the table of elements. R4 xml.html, json.html. */
import { Failure } from '../../outcome.ts';
import { elementOf as definitionOf, type ElementDefinition, isPrimitive, isResourceType } from '../definitions.ts';
import type { Json } from '../types.ts';
import { decodeAttribute } from './characters.ts';
import { elementOf, readDocument, type XmlElement } from './document.ts';
import { narrativeOf } from './narrative.ts';
import { failAt, fhirNamespace, holdsResource, isAttribute, type Place, xhtmlNamespace } from './place.ts';

/** Prefix ─▶ namespace; the default namespace has the prefix ''. */
type Scope = ReadonlyMap<string, string>;

/** A document with all its namespaces has three. The bound keeps the copy that a declaration makes small. */
const prefixesMax = 20;

/** An element that has been found, with the namespaces that hold in it. */
interface Found {
  readonly element: XmlElement;
  readonly scope: Scope;
  readonly place: Place;
}

/**
 * Reads a resource. Elements may come in any order; what only the gate for JSON can judge (required elements, formats of
 * texts, one of a choice) is left to it. Comments and processing instructions are dropped, but kept in narratives.
 * @param text XML, decoded; a byte-order mark and an XML declaration may be there, a DTD may not
 * @throws Failure `malformed` with a FHIRPath location where there is one, `too-large` for more elements than we read
 */
export function parseXml(text: string): Json {
  const document = readDocument(text);
  const { root } = document;
  const place = { name: localName(root.name) };
  const scope = scopeOf(root, new Map(), place);
  if (namespaceOf(root, scope) !== fhirNamespace)
    throw new Failure('malformed', `the namespace of the root element must be ${fhirNamespace}`);
  return resourceOf(document.text, { element: root, scope, place });
}

function resourceOf(text: string, found: Found): Json {
  const type = localName(found.element.name);
  if (!isResourceType(type)) throw new Failure('malformed', `'${type}' is not a resource of FHIR R4`);
  const json: Json = { resourceType: type };
  readAttributes(json, type, found);
  readChildren(json, type, text, found);
  return json;
}

/** An element of a data type, a backbone element, or a primitive as an object of `value`, `id` and `extension`. */
function contentOf(type: string, text: string, found: Found): Json {
  const json: Json = {};
  readAttributes(json, type, found);
  readChildren(json, type, text, found);
  if (Object.keys(json).length === 0) failAt('malformed', 'an element is never empty', found.place);
  return json;
}

/** Every name that becomes a key of `json` is one of `id`, `url` and `value`. */
function readAttributes(json: Json, type: string, { element, place }: Found): void {
  for (const name in element.attributes) {
    if (isDeclaration(name)) continue;
    if (!isAttribute(type, name)) failAt('malformed', `there is no attribute '${name}' here`, place);
    const text = decodeAttribute(element.attributes[name] as string) as string;
    if (text === '') failAt('malformed', `the attribute '${name}' is empty`, place);
    json[name] = name === 'value' ? literalOf(type, text, place) : text;
  }
}

/** Every name that becomes a key of `json` has been found in the table of elements. */
function readChildren(json: Json, type: string, text: string, { element, scope, place }: Found): void {
  for (const node of element.children) {
    const child = elementOf(node);
    if (!child) failAt('malformed', 'text is not allowed here', place);
    const name = localName(child.name);
    const definition = isAttribute(type, name) ? undefined : definitionOf(type, name);
    if (!definition) failAt('malformed', `there is no element '${name}' here`, place);
    const at = { within: place, name, index: definition.list ? (json[name]?.length ?? 0) : undefined };
    const inner = scopeOf(child, scope, at);
    const namespace = definition.type === 'xhtml' ? xhtmlNamespace : fhirNamespace;
    if (namespaceOf(child, inner) !== namespace) failAt('malformed', `the namespace must be ${namespace}`, at);
    if (!definition.list && (Object.hasOwn(json, name) || Object.hasOwn(json, `_${name}`)))
      failAt('malformed', 'the element must not be repeated', at);
    readChild(json, name, definition, text, { element: child, scope: inner, place: at });
  }
}

function readChild(json: Json, name: string, { type, list }: ElementDefinition, text: string, found: Found): void {
  if (isPrimitive(type)) {
    const { value, ...extra } = contentOf(type, text, found);
    if (list) addPrimitive(json, name, value, extra);
    else {
      if (value !== undefined) json[name] = value;
      if (Object.keys(extra).length > 0) json[`_${name}`] = extra;
    }
    return;
  }
  const value =
    type === 'xhtml'
      ? narrativeOf(text, found.element, found.place)
      : holdsResource(type)
        ? containedOf(text, found)
        : contentOf(type, text, found);
  if (!list) json[name] = value;
  else if (json[name]) json[name].push(value);
  else json[name] = [value];
}

/** R4 json.html#primitive: two lists of one length, `null` where one of them has nothing; the second only when needed. */
function addPrimitive(json: Json, name: string, value: unknown, extra: Json): void {
  json[name] ??= [];
  const { length } = json[name];
  json[name].push(value ?? null);
  const extraOrNull = Object.keys(extra).length > 0 ? extra : null;
  if (json[`_${name}`]) json[`_${name}`].push(extraOrNull);
  else if (extraOrNull) json[`_${name}`] = [...new Array(length).fill(null), extraOrNull];
}

/** An element that wraps one resource has no attributes. */
function containedOf(text: string, { element, scope, place }: Found): Json {
  for (const name in element.attributes)
    if (!isDeclaration(name)) failAt('malformed', `there is no attribute '${name}' here`, place);
  const [child, ...more] = element.children.map(elementOf);
  if (!child || more.length > 0) failAt('malformed', 'exactly one resource belongs here', place);
  const inner = scopeOf(child, scope, place);
  if (namespaceOf(child, inner) !== fhirNamespace) failAt('malformed', `the namespace must be ${fhirNamespace}`, place);
  return resourceOf(text, { element: child, scope: inner, place });
}

const integer = /^[-+]?(?:0|[1-9]\d{0,14})$/;
const decimal = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/** R4 json.html: "boolean and number types are represented as JSON literals". */
function literalOf(type: string, text: string, place: Place): unknown {
  switch (type) {
    case 'boolean':
      return text === 'true' || (text === 'false' ? false : failAt('malformed', 'must be true or false', place));
    case 'decimal': {
      const number = decimal.test(text) ? Number(text) : Number.NaN;
      return Number.isFinite(number) ? number : failAt('malformed', 'must be a decimal number', place);
    }
    case 'integer':
    case 'positiveInt':
    case 'unsignedInt':
      return integer.test(text) ? Number(text) : failAt('malformed', 'must be an integer', place);
    default:
      return text;
  }
}

function localName(name: string): string {
  return name.slice(name.indexOf(':') + 1);
}

function namespaceOf({ name }: XmlElement, scope: Scope): string | undefined {
  return scope.get(name.slice(0, Math.max(0, name.indexOf(':'))));
}

function isDeclaration(attribute: string): boolean {
  return attribute === 'xmlns' || attribute.startsWith('xmlns:');
}

function scopeOf({ attributes }: XmlElement, outer: Scope, place: Place): Scope {
  let scope = outer;
  for (const name in attributes) {
    if (!isDeclaration(name)) continue;
    const namespace = decodeAttribute(attributes[name] as string) as string;
    scope = new Map(scope).set(name.slice('xmlns:'.length), namespace);
    if (scope.size > prefixesMax) failAt('malformed', `more than ${prefixesMax} namespace prefixes`, place);
  }
  return scope;
}
