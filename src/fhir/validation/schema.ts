/** The shape of FHIR JSON: per type one ajv schema, compiled at the first use (10–130 ms), then 10–60 µs a resource. */
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import type { FailureDetail } from '../../outcome.ts';
import { elementOf, isResourceType, loadSchemas } from '../definitions.ts';
import type { Json } from '../types.ts';
import { isObject } from './values.ts';

let ajv: Ajv | undefined;
const compiled = new Map<string, ValidateFunction>();

function instance(): Ajv {
  if (ajv) return ajv;
  ajv = new Ajv({
    strict: false,
    // NaN and Infinity (1e999 in a body) are no numbers: JSON would write them as null.
    strictNumbers: true,
    allErrors: false,
    validateFormats: false,
    meta: false,
    validateSchema: false,
    logger: false,
    // Halves the time to compile, and costs nothing measurable afterwards.
    code: { optimize: false, regExp: Object.assign(regExp, { code: '' }) },
  });
  ajv.addKeyword({ keyword: 'fhirResource', schema: false, validate: (data: unknown) => isSound(data) });
  ajv.addKeyword({ keyword: 'fhirChoice', compile: compileChoice });
  ajv.addSchema({ $id: 'r4', definitions: loadSchemas() });
  return ajv;
}

const blank = ' \\t\\n\\u000b\\f\\r';

/**
 * The published pattern of base64Binary (`(\s*(…){4}\s*)+`) takes exponential time on text with blanks, and overflows the
 * stack on a long one. This asks the same in linear time.
 */
function regExp(pattern: string, flags: string): { test(text: string): boolean } {
  if (!pattern.includes('([0-9a-zA-Z\\+/=]){4}')) return new RegExp(pattern, flags);
  const [digits, blanks] = [new RegExp(`^[0-9a-zA-Z+/=${blank}]+$`), new RegExp(`[${blank}]+`, 'g')];
  const inFours = (length: number): boolean => length > 0 && length % 4 === 0;
  return { test: (text) => digits.test(text) && inFours(text.replace(blanks, '').length) };
}

/** The names of a choice ─▶ its group, and which groups must be there. Made once per schema. */
interface Choices {
  readonly groupOf: Map<string, number>;
  readonly required: readonly number[];
}

/** R4 formats.html#choice: of `value[x]` at most one is there; the first number of a group says whether one must be. */
function compileChoice(groups: [number, ...string[]][]): (data: Json) => boolean {
  const groupOf = new Map<string, number>();
  const required: number[] = [];
  for (const [i, [least, ...names]] of groups.entries()) {
    for (const name of names) groupOf.set(name, i);
    if (least > 0) required.push(i);
  }
  return (data) => oneChoice(data, { groupOf, required });
}

/** Goes by the keys that are there: an Extension has 50 choices and one value. */
function oneChoice(data: Json, { groupOf, required }: Choices): boolean {
  const found = new Map<number, string>();
  for (const key in data) {
    const name = key.charCodeAt(0) === 0x5f ? key.slice(1) : key;
    const group = groupOf.get(name);
    if (group === undefined || data[key] === undefined) continue;
    const other = found.get(group);
    if (other !== undefined && other !== name) return false;
    found.set(group, name);
  }
  return required.every((group) => found.has(group));
}

/** The compiled schema of a type. */
export function schemaOf(type: string): ValidateFunction {
  let validate = compiled.get(type);
  if (!validate) {
    validate = instance().compile({ $ref: `r4#/definitions/${type}` });
    compiled.set(type, validate);
  }
  return validate;
}

function isSound(data: unknown): boolean {
  return typeOf(data) !== undefined && schemaOf(typeOf(data) as string)(data) === true;
}

function typeOf(data: unknown): string | undefined {
  const type: unknown = isObject(data) ? data.resourceType : undefined;
  return typeof type === 'string' && isResourceType(type) ? type : undefined;
}

/**
 * What is wrong in the shape of a resource of that type; the first thing that ajv finds.
 * @param at the location of the resource, when it stands in another
 */
export function schemaErrors(resource: unknown, type: string, at = type): FailureDetail[] {
  const validate = schemaOf(type);
  if (validate(resource)) return [];
  const errors = validate.errors ?? [];
  // Of an element that may be one of several things, what is said of the first is the useful one.
  const error = errors.find((it) => it.keyword === 'fhirResource') ?? errors[0]!;
  const { expression, value } = locate(resource as Json, type, at, error.instancePath);
  if (error.keyword !== 'fhirResource') return [{ text: textOf(error), expression }];
  const inner = typeOf(value);
  return inner
    ? schemaErrors(value, inner, expression)
    : [{ text: 'resourceType is not a resource of FHIR R4', expression }];
}

/** A JSON pointer as FHIRPath: `/deceasedBoolean` is `Patient.deceased`. */
function locate(resource: Json, type: string, at: string, pointer: string): { expression: string; value: unknown } {
  let expression = at;
  let value: unknown = resource;
  let inside = type;
  for (const part of pointer.split('/').slice(1)) {
    value = (value as Json)[part];
    if (/^\d+$/.test(part)) expression += `[${part}]`;
    else {
      const name = part.replace(/^_/, '');
      const element = elementOf(inside, name);
      expression += `.${element?.choice ?? name}`;
      inside = name === part ? (element?.type ?? '') : 'Element';
    }
  }
  return { expression, value };
}

function textOf({ keyword, params, message }: ErrorObject): string {
  switch (keyword) {
    case 'additionalProperties':
      return `there is no element '${(params as Json).additionalProperty}' here`;
    case 'fhirChoice':
      return 'more than one of a choice of types, or none of a required one';
    case 'enum':
      return `must be one of ${((params as Json).allowedValues as string[]).slice(0, 20).join(', ')}`;
    default:
      return message ?? 'not valid';
  }
}
