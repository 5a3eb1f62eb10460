/** The values of a search parameter by its kind. R4 search.html, the section of each kind. */
import { Failure } from '../../outcome.ts';
import { isResourceType } from '../definitions.ts';
import { parseReference } from '../reference.ts';
import { dateRange } from './date-range.ts';
import type { DateFilter, FilterValue, Prefix, ReferenceFilter, SimpleFilter, StringFilter } from './filter.ts';
import { fromBase, versioned } from './index-values.ts';
import type { SearchParameter, SearchParameters } from './parameters.ts';
import { toBaseUnits, ucum } from './ucum.ts';
import { canonicalUnits, stringValue, wordsOf } from './values.ts';

/** A longer list of values is a mistake or an attack. */
const valuesMax = 500;

export function malformed(name: string, text: string): Failure {
  return new Failure('malformed', `${shortened(name)}: ${text}`);
}

/** A modifier that its parameter does not have. R4 search.html#modifiers: "SHALL reject", however lenient the client is. */
export class WrongModifier extends Failure {
  constructor(name: string, reason = 'this modifier is not supported') {
    super('malformed', `${shortened(name)}: ${reason}`);
  }
}

/** Of a text of the client, what an error may say again. */
export function shortened(text: string): string {
  return text.slice(0, 80);
}

/** R4 search.html#escaping: `\,` is a comma in a value. The escapes stay, for what else is cut at. */
export function splitValues(name: string, text: string): string[] {
  const values = cut(text, ',').filter((value) => value !== '');
  if (values.length === 0) throw malformed(name, 'has no value');
  if (values.length > valuesMax) throw malformed(name, `has more than ${valuesMax} values`);
  return values;
}

export function unescapeValue(text: string): string {
  return text.includes('\\') ? text.replace(/\\([,|$\\])/g, '$1') : text;
}

/** Cuts at a separator that is not escaped. */
function cut(text: string, separator: ',' | '|' | '$'): string[] {
  if (!text.includes('\\')) return text.split(separator);
  const parts: string[] = [];
  let from = 0;
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '\\') i++;
    else if (text[i] === separator) {
      parts.push(text.slice(from, i));
      from = i + 1;
    }
  }
  parts.push(text.slice(from));
  return parts;
}

const modifiers: Record<SearchParameter['declared'], readonly string[]> = {
  token: ['', 'in', 'below', 'above'],
  string: ['', 'exact', 'contains'],
  uri: ['', 'below', 'above'],
  date: [''],
  number: [''],
  quantity: [''],
  composite: [''],
  special: [''],
  reference: [''],
};

/**
 * @param text one value, escapes not yet taken away
 * @returns more than one where a value stands for several: `uri:above`
 * @throws Failure `malformed`
 * @throws WrongModifier for a modifier that the kind does not have
 */
export function parseValue(
  name: string,
  parameter: SearchParameter,
  modifier: string,
  text: string,
  parameters: SearchParameters,
): FilterValue[] {
  const { declared, aspect } = parameter;
  if (!takes(parameter, modifier))
    throw new WrongModifier(name, `the modifier is not supported for a parameter of type ${declared}`);
  if (parameter.kind === 'text') {
    const words = [...wordsOf(text)];
    if (words.length === 0) throw malformed(name, 'has no word');
    return [{ kind: 'text', words }];
  }
  if (parameter.kind === 'position') return [near(name, text)];
  if (parameter.kind === 'composite') return [composite(name, parameter, text, parameters)];
  if (aspect === 'text') return [stringFilter(name, 'prefix', unescapeValue(text))];
  if (aspect === 'of-type') return [ofType(name, text)];
  if (aspect === 'identifier') return [token(text)];
  if (declared === 'uri') return uri(name, modifier, unescapeValue(text));
  if (['in', 'below', 'above'].includes(modifier)) return [concept(name, modifier as 'in', text)];
  return [simple(name, parameter, modifier, text, parameters)];
}

/**
 * A text to look for, cut as what is stored, so that a long one still finds itself.
 * @throws Failure `malformed` for an accent alone and the like: folded it is empty, and would be found in every text
 */
export function stringFilter(name: string, match: StringFilter['match'], text: string): StringFilter {
  const value = stringValue(text);
  if (value.norm === '') throw malformed(name, 'holds nothing that can be searched for');
  return { match, ...value };
}

function takes({ declared, kind, aspect }: SearchParameter, modifier: string): boolean {
  if (kind === 'text') return modifier === '';
  // What `:text`, `:of-type` and `:identifier` look at has rows of its own.
  if (aspect !== 'value') return modifier === aspect;
  return modifiers[declared].includes(modifier) || (declared === 'reference' && isResourceType(modifier));
}

function simple(
  name: string,
  parameter: SearchParameter,
  modifier: string,
  text: string,
  { zone, base }: SearchParameters,
): SimpleFilter {
  switch (parameter.kind) {
    case 'token':
      return parameter.declared === 'uri' ? { kind: 'token', system: '', code: unescapeValue(text) } : token(text);
    case 'string': {
      return stringFilter(name, modifier === '' ? 'prefix' : (modifier as 'exact' | 'contains'), unescapeValue(text));
    }
    case 'date': {
      const { prefix, rest } = prefixed(text);
      const range = dateRange(rest, zone);
      if (!range) throw malformed(name, 'is not a date');
      const filter: DateFilter = { kind: 'date', prefix, ...range };
      return parameter.code === '_lastUpdated' ? ofInstants(filter) : filter;
    }
    case 'number': {
      const { prefix, rest } = prefixed(text);
      return { kind: 'number', prefix, ...around(prefix, number(name, rest)) };
    }
    case 'quantity':
      return quantity(name, text);
    case 'reference':
      return reference(name, parameter, modifier, fromBase(unescapeValue(text), base()));
    default:
      throw malformed(name, 'cannot be a part of a composite');
  }
}

/**
 * For what is stamped to the millisecond: what ends behind a value begins there, too. An index goes by the beginning, and
 * asking for changes since an instant must not read them all.
 */
function ofInstants(filter: DateFilter): DateFilter {
  switch (filter.prefix) {
    case 'gt':
      return { ...filter, prefix: 'sa' };
    case 'ge':
      return { ...filter, prefix: 'sa', high: filter.low };
    case 'le':
      return { ...filter, prefix: 'lt', low: filter.high };
    default:
      return filter;
  }
}

function prefixed(text: string): { prefix: Prefix; rest: string } {
  const [, prefix = 'eq', rest = ''] = /^(eq|ne|gt|ge|lt|le|sa|eb|ap)?(.*)$/s.exec(text) as RegExpExecArray;
  return { prefix: prefix as Prefix, rest };
}

function token(text: string): Extract<FilterValue, { kind: 'token' }> {
  const [first = '', ...rest] = cut(text, '|');
  if (rest.length === 0) return { kind: 'token', system: undefined, code: unescapeValue(first) };
  const code = unescapeValue(rest.join('|'));
  return { kind: 'token', system: unescapeValue(first), code: code === '' ? undefined : code };
}

/** `identifier:of-type=system|code|value`. */
function ofType(name: string, text: string): FilterValue {
  const [system = '', code = '', ...value] = cut(text, '|').map(unescapeValue);
  if (code === '' || value.length !== 1 || value[0] === '') throw malformed(name, 'is not system|code|value');
  return { kind: 'token', system: `${system}|${code}`, code: value[0] as string };
}

function concept(name: string, relation: 'in' | 'below' | 'above', text: string): FilterValue {
  if (relation === 'in') return { kind: 'concept', relation, url: unescapeValue(text), code: '' };
  const [url = '', code] = cut(text, '|').map(unescapeValue);
  if (!code) throw malformed(name, 'is not system|code');
  return { kind: 'concept', relation, url, code };
}

/** Parts of a URL between slashes; each has a value of its own above it. */
const urlPartsMax = 100;

/** R4 search.html#uri: `:below` takes what begins with the value, `:above` what the value begins with, part by part. */
function uri(name: string, modifier: string, text: string): FilterValue[] {
  if (modifier === 'below') return [{ kind: 'prefix', text }];
  if (modifier !== 'above') return [{ kind: 'token', system: '', code: text }];
  if (text.split('/', urlPartsMax + 1).length > urlPartsMax)
    throw malformed(name, `has more than ${urlPartsMax} parts`);
  const starts = [...text.matchAll(/\//g)].flatMap(({ index }) => [text.slice(0, index), text.slice(0, index + 1)]);
  return [...new Set([...starts, text])].map((code) => ({ kind: 'token', system: '', code }));
}

const decimal = /^[+-]?\d{1,40}(?:\.(\d{1,40}))?(?:[eE]([+-]?\d{1,3}))?$/;

/** R4 search.html#number: 100 stands for [99.5, 100.5), 100.00 for [99.995, 100.005), 1e2 for [95, 105). */
function number(name: string, text: string): Around {
  const match = decimal.exec(text);
  if (!match || !Number.isFinite(Number(text))) throw malformed(name, 'is not a number');
  const [, fraction = '', exponent] = match;
  const digits = exponent === undefined ? fraction.length : Math.max(fraction.length, 1);
  const half = 0.5 * 10 ** (Number(exponent ?? 0) - digits);
  const value = Number(text);
  // Sums of decimal fractions in binary: 0.1 + 0.05 must be the 0.15 that a client writes.
  return withItself({ low: tidy(value - half), high: tidy(value + half), value });
}

/** More digits than a double holds leave no room: the number itself is still in the range. */
function withItself({ low, high, value }: Around): Around {
  const next = value + Math.max(Math.abs(value) * Number.EPSILON, Number.MIN_VALUE);
  return { low: Math.min(low, value), high: Math.max(high, next), value };
}

interface Around {
  readonly low: number;
  readonly high: number;
  readonly value: number;
}

/** R4 search.html#prefix, `ap`: "the recommended value for the approximation is 10% of the stated value". */
function around(prefix: Prefix, { low, high, value }: Around): Around {
  const tenth = Math.abs(value) / 10;
  return prefix === 'ap' ? { low: tidy(value - tenth), high: tidy(value + tenth), value } : { low, high, value };
}

function tidy(value: number): number {
  return Number(value.toPrecision(15));
}

/** `5.4`, `5.4|system|code`, `5.4||mg`. */
function quantity(name: string, text: string): Extract<FilterValue, { kind: 'quantity' }> {
  const [first = '', system, code, ...more] = cut(text, '|');
  if (more.length > 0 || (system !== undefined && code === undefined))
    throw malformed(name, 'is not number|system|code');
  const { prefix, rest } = prefixed(first);
  const found = around(prefix, number(name, rest));
  const unit = {
    system: system ? unescapeValue(system) : undefined,
    code: code ? unescapeValue(code) : undefined,
  };
  const plain = { kind: 'quantity' as const, prefix, ...found, ...unit };
  if (unit.system !== ucum || unit.code === undefined) return plain;
  const [low, high, value] = [found.low, found.high, found.value].map((it) => toBaseUnits(it, unit.code as string));
  // A scale that runs the other way (pH) cannot be compared by its ends: it stays as written.
  if (!low || !high || !value || low.value > high.value) return plain;
  const range = withItself({ low: low.value, high: high.value, value: value.value });
  return { ...plain, ...range, system: canonicalUnits, code: value.code };
}

function reference(name: string, parameter: SearchParameter, modifier: string, text: string): ReferenceFilter {
  const parsed = parseReference(text);
  if (parsed) {
    if (modifier !== '' && modifier !== parsed.type) throw malformed(name, `does not name a ${modifier}`);
    const id = parsed.version ? versioned(parsed.id, parsed.version) : parsed.id;
    return { kind: 'reference', target: parsed.type, id };
  }
  if (/[/:|]/.test(text)) return { kind: 'reference', target: '', id: text };
  return {
    kind: 'reference',
    target: modifier || (parameter.targets.length === 1 ? parameter.targets[0] : undefined),
    id: text,
  };
}

function composite(
  name: string,
  { components }: SearchParameter,
  text: string,
  parameters: SearchParameters,
): FilterValue {
  const texts = cut(text, '$');
  if (texts.length !== components.length) throw malformed(name, `has ${components.length} parts with $ between them`);
  const parts = components.map(({ parameter }, i) => simple(name, parameter, '', texts[i] as string, parameters));
  return { kind: 'composite', parts };
}

const kmOf = new Map(
  Object.entries({
    km: 1,
    m: 0.001,
    '[mi_us]': 1.609344,
    mi: 1.609344,
    '[mi_i]': 1.609344,
    '[ft_i]': 0.0003048,
  }),
);
/** R4 location.html#search: "if the distance is omitted … the server chooses": what one can go to on foot. */
const kmDefault = 5;

/** `near=latitude|longitude|distance|units`. */
function near(name: string, text: string): FilterValue {
  const [latitude = '', longitude = '', distance = '', units = ''] = text.split('|');
  const km = kmOf.get(units || 'km');
  if (km === undefined) throw malformed(name, `the unit is not one of ${[...kmOf.keys()].join(', ')}`);
  const at = { latitude: number(name, latitude).value, longitude: number(name, longitude).value };
  if (Math.abs(at.latitude) > 90 || Math.abs(at.longitude) > 180)
    throw malformed(name, 'is not a position on the earth');
  const away = distance === '' ? kmDefault : number(name, distance).value * km;
  if (away < 0) throw malformed(name, 'the distance is below zero');
  return { kind: 'position', ...at, km: away };
}
