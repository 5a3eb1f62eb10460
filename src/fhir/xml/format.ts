/** The JSON form ─▶ FHIR XML, elements in the order of the specification. R4 xml.html. */
import { type ElementDefinition, elementsOf, isPrimitive, isResourceType } from '../definitions.ts';
import type { Json } from '../types.ts';
import { encodeAttribute, isLegal } from './characters.ts';
import { narrativeXml } from './narrative.ts';
import { failAt, fhirNamespace, holdsResource, isAttribute, type Place } from './place.ts';

/**
 * Writes a resource as XML, to be sent as UTF-8.
 * @param resource sound R4 JSON
 * @param pretty with line breaks and two blanks for each level; narratives stay as they are
 * @throws Failure `not-acceptable` with a FHIRPath location for what XML cannot hold: a control character, a narrative that
 *   is not well-formed, an element that R4 does not have
 */
export function formatXml(resource: Json, pretty = false): string {
  const writer = new Writer(pretty);
  writer.resource(resource, { name: String(resource.resourceType) }, ` xmlns="${fhirNamespace}"`);
  return pretty ? `${writer.text}\n` : writer.text;
}

/** An element of a type, and where in the order of the type it stands. */
interface Slot extends ElementDefinition {
  readonly name: string;
  readonly order: number;
  readonly attribute: boolean;
}

const slotsByType = new Map<string, Map<string, Slot>>();

function slotsOfType(type: string): Map<string, Slot> {
  let slots = slotsByType.get(type);
  if (!slots) {
    slots = new Map(
      Object.entries(elementsOf(type) ?? {}).map(([name, definition], order) => [
        name,
        { ...definition, name, order, attribute: isAttribute(type, name) },
      ]),
    );
    slotsByType.set(type, slots);
  }
  return slots;
}

/** The elements that are there, each once, in the order of the type. Goes by the keys: an Extension has 50 choices and one value. */
function slotsOf(json: Json, type: string, place: Place): Slot[] {
  const slots = slotsOfType(type);
  const found: Slot[] = [];
  for (const key of Object.keys(json)) {
    if (json[key] === undefined || (key === 'resourceType' && isResourceType(type))) continue;
    const name = key.startsWith('_') ? key.slice(1) : key;
    const slot = slots.get(name);
    if (!slot || (name !== key && (slot.attribute || !isPrimitive(slot.type))))
      failAt('not-acceptable', `there is no element '${key}' here`, place);
    found.push(slot);
  }
  found.sort((a, b) => a.order - b.order);
  return found.filter((slot, i) => slot !== found[i - 1]);
}

class Writer {
  text = '<?xml version="1.0" encoding="UTF-8"?>';
  readonly #pretty: boolean;
  #level = 0;

  constructor(pretty: boolean) {
    this.#pretty = pretty;
  }

  resource(resource: unknown, place: Place, namespace = ''): void {
    const { resourceType } = objectAt(resource, place);
    if (typeof resourceType !== 'string' || !isResourceType(resourceType))
      failAt('not-acceptable', 'resourceType is not a resource of FHIR R4', place);
    this.#object(resourceType, resourceType, resource as Json, place, namespace);
  }

  /** A primitive comes as an object of `value`, `id` and `extension`. */
  #object(name: string, type: string, json: Json, place: Place, namespace = ''): void {
    const slots = slotsOf(json, type, place);
    // R4 xml.html: "FHIR elements are never empty". A resource may be: its name says something.
    if (slots.length === 0 && name !== type) return;
    let tag = name + namespace;
    for (const slot of slots)
      if (slot.attribute) tag += ` ${slot.name}="${attributeText(json[slot.name], within(place, slot.name))}"`;
    if (slots.every((slot) => slot.attribute)) {
      this.#line(`<${tag}/>`);
      return;
    }
    this.#line(`<${tag}>`);
    this.#level++;
    for (const slot of slots) if (!slot.attribute) this.#slot(slot, json, place);
    this.#level--;
    this.#line(`</${name}>`);
  }

  /** The value with its `_` sibling; both are lists when the element repeats. R4 json.html#primitive. */
  #slot(slot: Slot, json: Json, place: Place): void {
    const value = json[slot.name];
    const extra = json[`_${slot.name}`];
    if (!slot.list) {
      this.#element(slot, value, extra, within(place, slot.name));
      return;
    }
    const [values, extras] = [listAt(value, place), listAt(extra, place)];
    for (let i = 0; i < Math.max(values.length, extras.length); i++)
      this.#element(slot, values[i], extras[i], within(place, slot.name, i));
  }

  #element({ name, type }: Slot, value: unknown, extra: unknown, place: Place): void {
    if (isPrimitive(type)) {
      // In the lists of primitives null stands for nothing.
      const there = value !== null && value !== undefined;
      if (extra !== null && extra !== undefined)
        this.#object(name, type, { ...objectAt(extra, place), ...(there && { value }) }, place);
      else if (there) this.#line(`<${name} value="${attributeText(value, place)}"/>`);
    } else if (type === 'xhtml') this.#line(narrativeXml(value, place));
    else if (holdsResource(type)) {
      this.#line(`<${name}>`);
      this.#level++;
      this.resource(value, place);
      this.#level--;
      this.#line(`</${name}>`);
    } else this.#object(name, type, objectAt(value, place), place);
  }

  #line(text: string): void {
    this.text += this.#pretty ? `\n${'  '.repeat(this.#level)}${text}` : text;
  }
}

function within(place: Place, name: string, index?: number): Place {
  return { within: place, name, index };
}

function attributeText(value: unknown, place: Place): string {
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (typeof value !== 'string') failAt('not-acceptable', 'not a value', place);
  if (!isLegal(value)) failAt('not-acceptable', 'the text holds a control character, which XML cannot', place);
  return encodeAttribute(value);
}

function objectAt(value: unknown, place: Place): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    failAt('not-acceptable', 'not an object', place);
  return value;
}

function listAt(value: unknown, place: Place): readonly unknown[] {
  if (value !== undefined && !Array.isArray(value)) failAt('not-acceptable', 'not a list', place);
  return value ?? [];
}
