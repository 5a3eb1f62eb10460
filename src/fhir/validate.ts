/** The gate for FHIR JSON: per type one ajv schema, compiled at the first use (10–130 ms), then 10–60 µs a resource. */
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import { Failure, type FailureDetail } from '../outcome.ts';
import { isResourceType, loadSchemas } from './definitions.ts';
import type { Json, Resource } from './types.ts';

/** Deeper JSON than any R4 resource needs is an attack on the parser, not a resource. */
const depthMax = 60;
const issuesMax = 20;

let ajv: Ajv | undefined;
const compiled = new Map<string, ValidateFunction>();

function instance(): Ajv {
  if (ajv) return ajv;
  ajv = new Ajv({
    strict: false,
    allErrors: false,
    validateFormats: false,
    meta: false,
    validateSchema: false,
    logger: false,
  });
  ajv.addKeyword({ keyword: 'fhirResource', schema: false, validate: (data: unknown) => errorsOf(data).length === 0 });
  ajv.addKeyword({ keyword: 'fhirChoice', validate: oneChoice });
  ajv.addSchema({ $id: 'r4', definitions: loadSchemas() });
  return ajv;
}

/** R4 formats.html#choice: of `value[x]` at most one is there; the first number says whether one must be. */
function oneChoice(groups: [number, ...string[]][], data: Json): boolean {
  return groups.every(([least, ...names]) => {
    const count = names.filter((name) => data[name] !== undefined || data[`_${name}`] !== undefined).length;
    return count <= 1 && count >= least;
  });
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
  const deep = tooDeep(value, 0, type);
  if (deep) return [deep];
  const validate = validatorOf(type);
  if (validate(value)) return [];
  return (validate.errors ?? []).slice(0, issuesMax).map((error) => detail(type, error));
}

/** @throws Failure `invalid` with a FHIRPath location for each problem */
export function assertValid(resource: unknown): asserts resource is Resource {
  const details = errorsOf(resource);
  if (details.length > 0) throw new Failure('invalid', 'the resource is not valid FHIR R4', details);
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

function tooDeep(node: object, depth: number, path: string): FailureDetail | undefined {
  if (depth > depthMax) return { text: `nested deeper than ${depthMax} levels`, expression: path };
  for (const value of Object.values(node)) {
    const found = typeof value === 'object' && value !== null ? tooDeep(value, depth + 1, path) : undefined;
    if (found) return found;
  }
  return undefined;
}
