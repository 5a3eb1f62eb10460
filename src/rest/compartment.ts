// https://hl7.org/fhir/R4/compartmentdefinition.html
import { loadCompartments } from '../fhir/definitions.ts';
import type { Filter } from '../fhir/search/filter.ts';
import type { SearchParameters } from '../fhir/search/parameters.ts';
import { Failure } from '../outcome.ts';
import type { Key } from '../store/store.ts';

/** Type of compartment ─▶ member type ─▶ the parameters that make a member. */
let known: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> | undefined;

/** Types that have a compartment. */
export function compartmentTypes(): readonly string[] {
  known ??= loadCompartments();
  return Object.keys(known);
}

/** Types of resources that may be in a compartment. @throws Failure `not-supported` for a type without one */
export function memberTypes(type: string): readonly string[] {
  if (!compartmentTypes().includes(type))
    throw new Failure(
      'not-supported',
      `${type} has no compartment; there are those of ${compartmentTypes().join(', ')}`,
    );
  return Object.keys(known?.[type] ?? {});
}

/**
 * The condition for a resource of type `member` to be in the compartment of a resource. The resource itself is in it.
 * @throws Failure `not-supported` when resources of that type are in none
 */
export function inCompartment({ type, id }: Key, member: string, parameters: SearchParameters): Filter {
  const codes = memberTypes(type).includes(member) ? (known?.[type]?.[member] ?? []) : [];
  const filters: Filter[] = codes.flatMap((code): Filter[] => {
    const parameter = parameters.of(member).get(code);
    return parameter ? [{ kind: 'values', parameter, values: [{ kind: 'reference', target: type, id }] }] : [];
  });
  if (member === type) filters.unshift({ kind: 'ids', ids: [id] });
  if (filters.length === 0) throw new Failure('not-supported', `${member} is not in the compartment of ${type}`);
  return filters.length === 1 ? (filters[0] as Filter) : { kind: 'any', filters };
}
