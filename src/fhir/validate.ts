/** The gate for FHIR JSON: per type one ajv schema, compiled at the first use (10–130 ms), then 10–60 µs a resource. */
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import { Failure, type FailureDetail } from '../outcome.ts';
import { isResourceType, loadSchemas } from './definitions.ts';
import type { Json, Resource } from './types.ts';

/** Deeper JSON than any R4 resource needs is an attack on the parser, not a resource. */
const depthMax = 100;
const issuesMax = 20;

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
  });
  ajv.addKeyword({ keyword: 'fhirResource', schema: false, validate: (data: unknown) => errorsOf(data).length === 0 });
  ajv.addKeyword({ keyword: 'fhirChoice', compile: compileChoice });
  ajv.addSchema({ $id: 'r4', definitions: loadSchemas() });
  return ajv;
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

function validatorOf(type: string): ValidateFunction {
  let validate = compiled.get(type);
  if (!validate) {
    validate = instance().compile({ $ref: `r4#/definitions/${type}` });
    compiled.set(type, validate);
  }
  return validate;
}

/** Compiles the schemas of these types now, so that no request waits for it. Gives way to other work between two types. */
export async function warm(types: readonly string[]): Promise<void> {
  for (const type of types) {
    await new Promise((resolve) => setImmediate(resolve));
    validatorOf(type);
  }
}

/** The problems of a value as a resource; none when it is a sound R4 resource. */
export function errorsOf(value: unknown): FailureDetail[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [{ text: 'not a JSON object' }];
  const type = (value as Json).resourceType;
  if (typeof type !== 'string' || !isResourceType(type)) return [{ text: 'resourceType is not a resource of FHIR R4' }];
  const validate = validatorOf(type);
  if (validate(value)) return [];
  return (validate.errors ?? []).slice(0, issuesMax).map((error) => detail(type, error));
}

/** @throws Failure `invalid` with a FHIRPath location for each problem */
export function assertValid(resource: unknown): asserts resource is Resource {
  const details = errorsOf(resource);
  if (details.length > 0) throw new Failure('invalid', 'the resource is not valid FHIR R4', details);
}

/**
 * Refuses JSON that is nested deeper than any resource needs, before anything recurses into it. One pass over the text.
 * @throws Failure `malformed`
 */
export function assertShallow(json: string): void {
  let depth = 0;
  let inString = false;
  for (let i = 0; i < json.length; i++) {
    const code = json.charCodeAt(i);
    if (inString) {
      if (code === 0x5c) i++;
      else if (code === 0x22) inString = false;
    } else if (code === 0x22) inString = true;
    else if (code === 0x7b || code === 0x5b) {
      if (++depth > depthMax) throw new Failure('malformed', `the body is nested deeper than ${depthMax} levels`);
    } else if (code === 0x7d || code === 0x5d) depth--;
  }
}

function detail(type: string, error: ErrorObject): FailureDetail {
  const path = error.instancePath
    .split('/')
    .slice(1)
    .map((part) => (/^\d+$/.test(part) ? `[${part}]` : `.${part}`))
    .join('');
  const extra = error.params as Json;
  const text =
    error.keyword === 'additionalProperties'
      ? `there is no element '${extra.additionalProperty}' here`
      : error.keyword === 'fhirChoice'
        ? 'more than one of a choice of types, or none of a required one'
        : error.keyword === 'enum'
          ? `must be one of ${(extra.allowedValues as string[]).slice(0, 20).join(', ')}`
          : (error.message ?? 'not valid');
  return { text, expression: type + path };
}
