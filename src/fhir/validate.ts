/**
 * The gate for FHIR JSON. First the schema of the type; what is sound in shape is then asked for its bindings, its
 * invariants and the targets of its references. R4 validation.html, all but profiles: those are in validation/profile.ts.
 */
import { Failure, type FailureDetail } from '../outcome.ts';
import { isResourceType } from './definitions.ts';
import { bindingErrors } from './terminology/bindings.ts';
import type { Json, Resource } from './types.ts';
import { invariantErrors, planOf } from './validation/invariants.ts';
import { schemaErrors, schemaOf } from './validation/schema.ts';

/** Deeper JSON than any R4 resource needs is an attack on the parser, not a resource. */
const depthMax = 100;
const issuesMax = 20;

/** Compiles what these types need now, so that no request waits for it. Gives way to other work between two types. */
export async function warm(types: readonly string[]): Promise<void> {
  for (const type of types) {
    await new Promise((resolve) => setImmediate(resolve));
    schemaOf(type);
    planOf(type);
  }
}

/** The problems of a value as a resource, at most 20; none when it is a sound R4 resource. */
export function errorsOf(value: unknown): FailureDetail[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [{ text: 'not a JSON object' }];
  const type = (value as Json).resourceType;
  if (typeof type !== 'string' || !isResourceType(type)) return [{ text: 'resourceType is not a resource of FHIR R4' }];
  const shape = schemaErrors(value, type);
  if (shape.length > 0) return shape.slice(0, issuesMax);
  return [...bindingErrors(value), ...invariantErrors(value, issuesMax)].slice(0, issuesMax);
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
