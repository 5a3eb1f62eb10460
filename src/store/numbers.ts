/** Numbers of resources: number of the type * 2^40 + sequence of the change that created it. */
import { resourceTypes } from '../fhir/definitions.ts';

const typeWidth = 2 ** 40;
const typeNumbers = new Map(resourceTypes.map((type, i) => [type, i + 1]));

/** 0 for what is not a type of FHIR: nothing has that number. */
export function typeNumber(type: string): number {
  return typeNumbers.get(type) ?? 0;
}

/** Smallest and largest number of the resources of a type. */
export function range(type: string): { low: number; high: number } {
  const low = typeNumber(type) * typeWidth;
  return { low, high: low + typeWidth - 1 };
}
