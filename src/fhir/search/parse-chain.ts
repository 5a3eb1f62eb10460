/** A chain through a reference that may name several types. R4 search.html#chaining. */
import { Failure } from '../../outcome.ts';
import type { Filter } from './filter.ts';
import type { SearchParameter } from './parameters.ts';

/**
 * A chain to each of the types for which what follows has a meaning: `target.name` goes on from a Patient, not from a
 * Task, and of one type the value may be nonsense.
 * @param parse what follows, for a type; undefined when that has no such parameter
 * @throws Failure `malformed` when it is nonsense for every type
 */
export function chains(
  parameter: SearchParameter,
  targets: readonly string[],
  parse: (target: string) => Filter | undefined,
): Filter | undefined {
  const links: Filter[] = [];
  let refusal: Failure | undefined;
  for (const target of targets) {
    try {
      const filter = parse(target);
      if (filter) links.push({ kind: 'chain', parameter, target, filters: [filter] });
    } catch (error) {
      if (!(error instanceof Failure) || error.kind !== 'malformed') throw error;
      refusal ??= error;
    }
  }
  if (links.length === 0 && refusal) throw refusal;
  return links.length > 1 ? { kind: 'any', filters: links } : links[0];
}
