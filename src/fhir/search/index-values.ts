/** FHIR values ─▶ search values, by the kind of the parameter. R4 search.html, the section of each kind. */
import { elementsOf, isPrimitive } from '../definitions.ts';
import { parseReference } from '../reference.ts';
import type { Json } from '../types.ts';
import type { Zone } from '../zone.ts';
import { beginningOfTime, dateRange, endOfTime, type Range } from './date-range.ts';
import type { Found } from './expression.ts';
import { toBaseUnits, ucum } from './ucum.ts';
import {
  canonicalUnits,
  type DateValue,
  type IndexKind,
  type PositionValue,
  type QuantityValue,
  type ReferenceValue,
  type SearchValue,
  stringValue,
  type TokenValue,
} from './values.ts';

/**
 * What of a value is indexed: the value itself, or what a modifier looks at: the display text (`:text`), the type of an
 * Identifier (`:of-type`), the identifier of a Reference (`:identifier`).
 */
export type Aspect = 'value' | 'text' | 'of-type' | 'identifier';

/** Range ends that are not there. A number far beyond what clinical data hold, and still exact in every database. */
const endless = 1e300;

/** Where the server stands. */
export interface IndexContext {
  readonly zone: Zone;
  /** `http://host/fhir/`: a reference below it is one of this server; empty when that is not known. */
  readonly base: string;
}

/** The search values of one found value. */
export function valuesOf(kind: IndexKind, aspect: Aspect, found: Found, context: IndexContext): readonly SearchValue[] {
  if (aspect === 'text') return texts(found).map(stringValue);
  if (aspect === 'of-type') return typedIdentifiers(found);
  if (aspect === 'identifier')
    return found.type === 'Reference' ? tokens({ type: 'Identifier', value: found.value.identifier ?? {} }) : [];
  switch (kind) {
    case 'token':
      return tokens(found);
    case 'string':
      return strings(found).map(stringValue);
    case 'date':
      return dates(found, context.zone);
    case 'reference':
      return references(found, context.base);
    case 'number':
      return ranges(found).map((range) => ({ kind: 'number', ...range }));
    case 'quantity':
      return quantities(found);
    case 'position':
      return positions(found);
    default:
      return [];
  }
}

function token(system: string | undefined, code: unknown): TokenValue[] {
  return code === undefined || code === '' ? [] : [{ kind: 'token', system: system ?? '', code: String(code) }];
}

function tokens({ type, value }: Found): TokenValue[] {
  switch (type) {
    case 'Coding':
      return token(value.system, value.code);
    case 'CodeableConcept':
      return (value.coding ?? []).flatMap((coding: Json) => token(coding.system, coding.code));
    case 'Identifier':
      return token(value.system, value.value);
    case 'ContactPoint':
      // R4 search.html#token: a ContactPoint has no system for search; `telecom` and `phone` go by value.
      return token('', value.value);
    default:
      return typeof value === 'object' ? [] : token('', value);
  }
}

/** R4 search.html#modifiers, `:text`: "CodeableConcept.text, Coding.display, or Identifier.type.text". */
function texts({ type, value }: Found): string[] {
  const concept = (it: Json | undefined): unknown[] => [
    it?.text,
    ...(it?.coding ?? []).map((coding: Json) => coding.display),
  ];
  const all =
    type === 'CodeableConcept'
      ? concept(value)
      : type === 'Coding'
        ? [value.display]
        : type === 'Identifier'
          ? concept(value.type)
          : [];
  return [...new Set(all.filter((text): text is string => typeof text === 'string' && text !== ''))];
}

/** `:of-type` asks for type system, type code and value: the first two stand together in the system of the row. */
function typedIdentifiers({ type, value }: Found): TokenValue[] {
  if (type !== 'Identifier' || typeof value.value !== 'string') return [];
  return (value.type?.coding ?? []).flatMap((coding: Json) =>
    coding.code ? token(`${coding.system ?? ''}|${coding.code}`, value.value) : [],
  );
}

function strings({ type, value }: Found): string[] {
  const parts: unknown[] =
    type === 'HumanName'
      ? [
          value.text,
          value.family,
          ...(value.given ?? []),
          ...(value.prefix ?? []),
          ...(value.suffix ?? []),
          wholeName(value),
        ]
      : type === 'Address'
        ? [value.text, ...(value.line ?? []), value.city, value.district, value.state, value.country, value.postalCode]
        : [value];
  return [...new Set(parts.filter((part): part is string => typeof part === 'string' && part !== ''))];
}

/** Chinese names are searched whole (张伟) and are sent in parts; there is no blank between the parts. */
function wholeName(name: Json): string | undefined {
  const { family, given } = name;
  return family && given?.[0] && /\p{Script=Han}/u.test(family) ? family + given.join('') : undefined;
}

function dates({ type, value }: Found, zone: Zone): DateValue[] {
  const range = (text: unknown): Range | undefined => (typeof text === 'string' ? dateRange(text, zone) : undefined);
  switch (type) {
    case 'Period': {
      const [start, end] = [range(value.start), range(value.end)];
      if (!start && !end) return [];
      return [{ kind: 'date', low: start?.low ?? beginningOfTime, high: end?.high ?? endOfTime }];
    }
    case 'Timing': {
      const events = (value.event ?? []).map(range).filter((it: Range | undefined) => it);
      if (events.length === 0)
        return value.repeat?.boundsPeriod ? dates({ type: 'Period', value: value.repeat.boundsPeriod }, zone) : [];
      const low = Math.min(...events.map((it: Range) => it.low));
      return [{ kind: 'date', low, high: Math.max(...events.map((it: Range) => it.high)) }];
    }
    default: {
      const found = range(value);
      return found ? [{ kind: 'date', ...found }] : [];
    }
  }
}

/** A versioned one has two rows, so that it is found with and without its version; a canonical likewise. */
function references({ type, value }: Found, base: string): ReferenceValue[] {
  const text: unknown = type === 'Reference' ? value.reference : value;
  if (typeof text !== 'string' || text === '' || text.startsWith('#')) return [];
  if (type !== 'Reference') {
    const bar = text.indexOf('|');
    return [text, ...(bar > 0 ? [text.slice(0, bar)] : [])].map((id) => ({ kind: 'reference', target: '', id }));
  }
  const parsed = parseReference(fromBase(text, base));
  if (!parsed) return [{ kind: 'reference', target: '', id: text }];
  const { type: target, id, version } = parsed;
  return [id, ...(version ? [versioned(id, version)] : [])].map((it) => ({ kind: 'reference', target, id: it }));
}

/** R4 search.html#reference: a relative reference and the absolute one that it stands for find each other. */
export function fromBase(reference: string, base: string): string {
  return base !== '' && reference.startsWith(base) ? reference.slice(base.length) : reference;
}

/** How a reference to one version stands in its row; no id holds a slash. */
export function versioned(id: string, version: string): string {
  return `${id}/_history/${version}`;
}

/** A number is exact; of a Range (also of Age, Money …) both ends count, an open end has no bound. */
function ranges({ type, value }: Found): Range[] {
  if (typeof value === 'number') return [{ low: value, high: value }];
  if (type !== 'Range') return typeof value?.value === 'number' ? [{ low: value.value, high: value.value }] : [];
  const [low, high] = [value.low?.value, value.high?.value];
  return low === undefined && high === undefined ? [] : [{ low: low ?? -endless, high: high ?? endless }];
}

/**
 * A Quantity has up to three rows: by its code, by its unit as people read it, and in UCUM base units. A comparator
 * (`<`, `>=`) opens the end that it leaves open.
 */
function quantities({ type, value }: Found): QuantityValue[] {
  if (type === 'SampledData') return sampled(value);
  if (type === 'Money')
    return ranges({ type, value }).map((range) => quantity(range, 'urn:iso:std:iso:4217', value.currency));
  const unit: Json = type === 'Range' ? (value.low ?? value.high ?? {}) : value;
  return ranges({ type, value }).flatMap((range) => inUnits(compared(range, value.comparator), unit));
}

function quantity(range: Range, system = '', code = ''): QuantityValue {
  return { kind: 'quantity', ...range, system, code };
}

function compared({ low, high }: Range, comparator: string | undefined): Range {
  if (comparator === undefined) return { low, high };
  return comparator.startsWith('<') ? { low: -endless, high } : { low, high: endless };
}

function inUnits(range: Range, { system, code, unit }: Json): QuantityValue[] {
  const rows = [quantity(range, system, code)];
  if (unit !== undefined && unit !== code) rows.push(quantity(range, '', unit));
  if (system !== ucum || code === undefined) return rows;
  const [low, high] = [bound(range.low, code), bound(range.high, code)];
  if (low && high) rows.push(quantity({ low: low.value, high: high.value }, canonicalUnits, low.code));
  return rows;
}

function bound(value: number, code: string): ReturnType<typeof toBaseUnits> {
  const base = toBaseUnits(Math.abs(value) === endless ? 1 : value, code);
  return base && Math.abs(value) === endless ? { ...base, value } : base;
}

/** R4 datatypes.html#SampledData: `data` holds numbers, to be multiplied by `factor` and added to the origin. */
function sampled({ origin = {}, factor = 1, data = '' }: Json): QuantityValue[] {
  let [low, high] = [endless, -endless];
  for (const text of String(data).split(' ')) {
    const value = Number(text);
    if (text === '' || Number.isNaN(value)) continue;
    const measured = (origin.value ?? 0) + value * factor;
    low = Math.min(low, measured);
    high = Math.max(high, measured);
  }
  return low > high ? [] : inUnits({ low, high }, origin);
}

function positions({ value }: Found): PositionValue[] {
  const { latitude, longitude } = value;
  return typeof latitude === 'number' && typeof longitude === 'number'
    ? [{ kind: 'position', latitude, longitude }]
    : [];
}

/** Every text that people read (`_content`), the narrative included; a line each. */
export function content(resource: Json): string {
  const texts = [narrative(resource)];
  collect(resource, resource.resourceType, texts);
  return texts.join('\n');
}

/** The text of the narrative (`_text`). */
export function narrative(resource: Json): string {
  const div: unknown = resource.text?.div;
  // A tag does not hold another: so each is looked at once, whatever a client sends.
  return typeof div === 'string' ? div.replace(/<[^<>]*>/g, ' ') : '';
}

/** Elements that the definitions call strings, and that no person reads: ids, references, samples, code. */
const machineText = new Set(['id', 'reference', 'data', 'expression']);

/** Type ─▶ its elements that people read, and those that may hold such, with their types. */
const readable = new Map<string, ReadonlyMap<string, string>>();

/** Elements that people read are strings; codes, uris, ids and dates are for machines. */
function readableOf(type: string): ReadonlyMap<string, string> {
  let found = readable.get(type);
  if (!found) {
    const elements = Object.entries(elementsOf(type) ?? {}).filter(
      ([name, it]) => !machineText.has(name) && (isText(it.type) || !isPrimitive(it.type)),
    );
    found = new Map(elements.map(([name, it]) => [name, it.type]));
    readable.set(type, found);
  }
  return found;
}

function isText(type: string): boolean {
  return type === 'string' || type === 'markdown';
}

function collect(node: Json, type: string, texts: string[]): void {
  const elements = readableOf(type);
  // Every resource is gone through: no arrays are made for it.
  for (const key in node) {
    const element = elements.get(key);
    if (element === undefined) continue;
    const value = node[key];
    if (Array.isArray(value)) for (const item of value) collectItem(item, element, texts);
    else collectItem(value, element, texts);
  }
}

function collectItem(item: unknown, type: string, texts: string[]): void {
  if (isText(type)) texts.push(String(item));
  else if (typeof item === 'object' && item !== null) collect(item, (item as Json).resourceType ?? type, texts);
}
