// https://hl7.org/fhir/R4/http.html#mime-type

import type { Json } from '../fhir/types.ts';
import { assertShallow } from '../fhir/validate.ts';
import { formatXml } from '../fhir/xml/format.ts';
import { parseXml } from '../fhir/xml/parse.ts';
import { Failure } from '../outcome.ts';

export type Format = 'json' | 'xml';

/** The media type of JSON Patch (RFC 6902). */
export const jsonPatchType = 'application/json-patch+json';

const formats = new Map<string, Format>([
  ...['json', 'application/json', 'application/fhir+json', 'text/json', 'application/json+fhir'].map(
    (it) => [it, 'json'] as const,
  ),
  ...['xml', 'application/xml', 'application/fhir+xml', 'text/xml', 'application/xml+fhir'].map(
    (it) => [it, 'xml'] as const,
  ),
]);
const wild = new Set(['*/*', 'application/*']);

export const mediaType: Readonly<Record<Format, string>> = {
  json: 'application/fhir+json; charset=utf-8',
  xml: 'application/fhir+xml; charset=utf-8',
};

function bare(type: string): string {
  return (type.split(';')[0] as string).trim().toLowerCase();
}

/** `application/fhir+xml;q=0.8` ─▶ 0.8. */
function quality(type: string): number {
  const q = /;\s*q=([0-9.]+)/i.exec(type)?.[1];
  return q === undefined ? 1 : Number(q);
}

/**
 * The format of an answer: `_format` wins over Accept. Parameters (`fhirVersion`, `charset`) ask for what we send anyway.
 * @returns undefined when none that we have is wanted
 */
export function formatOf(accept: string | undefined, wish: string | null): Format | undefined {
  // A blank is a plus sign that was not encoded: `application/fhir+json`.
  if (wish) return formats.get(bare(wish.replace(' ', '+')));
  const types = (accept || '*/*')
    .split(',')
    .slice(0, 50)
    .sort((a, b) => quality(b) - quality(a));
  for (const type of types) {
    if (quality(type) === 0) continue;
    const format = wild.has(bare(type)) ? 'json' : formats.get(bare(type));
    if (format) return format;
  }
  return undefined;
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

function textOf(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw new Failure('malformed', 'the body is not UTF-8');
  }
}

/** R4 binary.html#rest: only the FHIR types make a resource of a body; `application/json` is content. */
export function isFhir(contentType: string): boolean {
  const type = bare(contentType);
  return formats.has(type) && type.includes('fhir');
}

/**
 * A body as its media type says: a resource, a JSON Patch, or a form.
 * @throws Failure `malformed`, `unsupported-media-type`
 */
export function parseBody(bytes: Uint8Array, contentType: string | undefined): unknown {
  const type = bare(contentType ?? 'application/json');
  if (type === 'application/x-www-form-urlencoded') return new URLSearchParams(textOf(bytes));
  const format = type === jsonPatchType ? 'json' : formats.get(type);
  if (!format) throw new Failure('unsupported-media-type', 'send application/fhir+json or application/fhir+xml');
  if (format === 'xml' && bytes.length > xmlBytesMax)
    throw new Failure('too-large', `a body in XML has at most ${xmlBytesMax} bytes; JSON may be larger`);
  const text = textOf(bytes);
  if (format === 'xml') return parseXml(text);
  return parseJson(text.charCodeAt(0) === 0xfeff ? text.slice(1) : text, 'the body');
}

/** @param what is parsed, for the error. @throws Failure `malformed` */
export function parseJson(text: string, what: string): unknown {
  assertShallow(text);
  if (!hasOnlyCharacters(text))
    throw new Failure('malformed', `${what} holds a control character, or half of a surrogate pair`);
  try {
    return JSON.parse(text);
  } catch {
    throw new Failure('malformed', `${what} is not JSON`);
  }
}

/**
 * R4 datatypes.html#string, and what XML can carry: no control characters but blanks, no halves of surrogate pairs. As
 * such they are no JSON or no UTF-8, so all but two of them can come as an escape only.
 */
function hasOnlyCharacters(json: string): boolean {
  if (/[\ufffe\uffff]/.test(json)) return false;
  if (!/\\[bfu]/.test(json)) return true;
  let lowAt = -1;
  for (const { 1: letter = '', 2: digits = '', index } of json.matchAll(/\\([^u]|u([\da-fA-F]{4}))/g)) {
    const code = letter === 'b' || letter === 'f' ? 0 : digits === '' ? 0x20 : Number.parseInt(digits, 16);
    const isLow = code >= 0xdc00 && code <= 0xdfff;
    if (isLow !== (index === lowAt)) return false;
    // A first half that is not followed at once is found at the next escape, or at the end.
    if (lowAt >= 0 && !isLow) return false;
    lowAt = code >= 0xd800 && code <= 0xdbff ? index + 6 : -1;
    if (code >= 0xfffe || (code < 0x20 && ![0x09, 0x0a, 0x0d].includes(code))) return false;
  }
  return lowAt < 0;
}

/** XML takes ten times as long to read as JSON, and nothing else runs meanwhile: this is a second. */
const xmlBytesMax = 8_388_608;

/** A body as text. @param body JSON text is sent as it is, unless another form is asked for */
export function formatBody(body: string | Json, format: Format, pretty: boolean): string {
  if (format === 'json' && !pretty) return typeof body === 'string' ? body : JSON.stringify(body);
  const resource = typeof body === 'string' ? (JSON.parse(body) as Json) : body;
  return format === 'xml' ? formatXml(resource, pretty) : JSON.stringify(resource, null, 2);
}
