import type { Json } from './context.ts';

/** R4 StructureDefinition/data-absent-reason: an element that has to be there, and that nobody knows. Each time a new one. */
export function unknownElement(): Json {
  return {
    extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/data-absent-reason', valueCode: 'unknown' }],
  };
}
