/** A request of an operator apart from HTTP, and the checks of what is in it. */
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import { dateRange } from '../fhir/search/date-range.ts';
import type { Json } from '../fhir/types.ts';
import type { Zone } from '../fhir/zone.ts';
import { Failure } from '../outcome.ts';
import { type MessageQuery, messageStates } from '../store/rows.ts';

export interface AdminRequest {
  /** The parts of the path in the place of `:id`, `:type`. */
  readonly path: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** Parsed JSON; undefined for GET. */
  readonly body: unknown;
}

export interface AdminAnswer {
  readonly status: number;
  /** JSON, or bytes with their type. */
  readonly body: Json | Uint8Array;
  readonly contentType?: string;
  /** For bytes: the name of the file that a browser makes of them. */
  readonly file?: string;
}

const ajv = new Ajv({ allErrors: false, coerceTypes: false, meta: false, validateSchema: false });

export function schemaOf(schema: object): ValidateFunction {
  return ajv.compile(schema);
}

const text = { type: 'string', minLength: 1, maxLength: 250 };

/** Which messages; the same names in a query and in a body. */
export const selection = {
  state: { enum: [...messageStates] },
  type: text,
  site: { type: 'string', maxLength: 250 },
  facility: { type: 'string', maxLength: 250 },
  controlId: text,
  from: { type: 'string', maxLength: 40 },
  to: { type: 'string', maxLength: 40 },
} as const;

/** A message id or a limit in a body. */
export const wholeNumber = { type: 'integer', minimum: 1, maximum: Number.MAX_SAFE_INTEGER };

const digits = /^[1-9]\d{0,14}$/;

/** Names that are numbers, and those that are true or false, in a query. */
const numbers = new Set(['limit', 'before']);
const switches = new Set(['values', 'open']);

/**
 * The query as an object, each name once.
 * @throws Failure `malformed` for a name that is there twice, and for what the schema refuses
 */
export function queryOf({ query }: AdminRequest, validate: ValidateFunction): Json {
  const values: Json = {};
  for (const [name, value] of query) {
    if (Object.hasOwn(values, name)) throw new Failure('malformed', `'${shown(name)}' is there twice`);
    // As an own property, whatever its name.
    Object.defineProperty(values, name, { value: typed(name, value), enumerable: true, configurable: true });
  }
  return checked(values, validate, 'parameter');
}

function typed(name: string, value: string): unknown {
  if (numbers.has(name) && digits.test(value)) return Number(value);
  if (switches.has(name) && (value === 'true' || value === 'false')) return value === 'true';
  return value;
}

/** @throws Failure `malformed` for what the schema refuses */
export function bodyOf({ body }: AdminRequest, validate: ValidateFunction): Json {
  return checked(body as Json, validate, 'member');
}

function checked(value: Json, validate: ValidateFunction, noun: string): Json {
  if (validate(value)) return value;
  throw new Failure('malformed', problemOf(validate.errors?.[0], noun));
}

/** Names what is wrong, never its value. */
function problemOf(error: ErrorObject | undefined, noun: string): string {
  if (error?.keyword === 'additionalProperties')
    return `there is no ${noun} '${shown(error.params.additionalProperty as string)}'`;
  if (error?.keyword === 'enum')
    return `${nameOf(error)} is one of ${(error.params.allowedValues as unknown[]).join(', ')}`;
  return `${error ? nameOf(error) : 'the body'} ${error?.message ?? 'is not sound'}`;
}

function nameOf({ instancePath }: ErrorObject): string {
  return shown(instancePath.slice(1)) || 'the body';
}

function shown(name: string): string {
  return name.length > 50 ? `${name.slice(0, 50)}…` : name;
}

/** @throws Failure `malformed` for what is no number */
export function idOf(id: string | undefined): number {
  if (!id || !digits.test(id)) throw new Failure('malformed', 'an id is a number, such as 12');
  return Number(id);
}

/**
 * What of a query or a body chooses messages.
 * @throws Failure `malformed` for a time that is none
 */
export function chosen(values: Json, zone: Zone): Omit<MessageQuery, 'limit'> {
  const { state, type, site, facility, controlId, before } = values;
  const [from, to] = [timeOf('from', values.from, zone), timeOf('to', values.to, zone)];
  const given = { state, type, site, facility, controlId, from, to, before };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

/**
 * An instant is itself. A year, a month or a day counts whole: `from` is where it begins, `to` where it ends. Local times are
 * those of the server.
 */
function timeOf(name: 'from' | 'to', value: string | undefined, zone: Zone): number | undefined {
  if (value === undefined) return undefined;
  // In a query an unescaped `+` is a blank.
  const range = dateRange(value.replace(/(?<=T.*) (?=\d\d:\d\d$)/, '+'), zone);
  const at = name === 'to' && !value.includes('T') ? range?.high : range?.low;
  if (at === undefined || !Number.isFinite(at))
    throw new Failure('malformed', `${name} is a date or an instant, such as 2026-03-16 or 2026-03-16T10:00:00+08:00`);
  return at;
}

/** The address of the next page, with what this one was asked for. @param before the last id of this page */
export function nextLink(path: string, { query }: AdminRequest, before: number): string {
  const next = new URLSearchParams(query);
  next.set('before', String(before));
  return `/admin/${path}?${next}`;
}

/** An instant as the API writes it. */
export function isoOf(ms: number): string {
  return new Date(ms).toISOString();
}
