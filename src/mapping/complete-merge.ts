/** What merges leave to complete: a number that its owner still has is not an old one, and a visit has a status. */
import type { Built, Json, MappingContext } from './context.ts';
import { keepEntries } from './entries.ts';

const numberOf = ({ system, value }: Json): string => `${system}|${value}`;

/**
 * A47 sends the old list beside the new one, and most numbers stand in both; a merge that names its survivor retires nobody.
 * So what is current is taken out of what is old, and an old number stands once; so does what two fields say in the same words
 * (PID-2 and PID-3).
 * @param aliases for the lineage: what is taken out ─▶ what says the same
 */
export function withNumbersOnce(built: Built, aliases: MappingContext['aliases']): void {
  const all = built.resource.identifier as Json[] | undefined;
  if (!Array.isArray(all) || all.length < 2 || new Set(all.map((it) => it.value)).size === all.length) return;
  const known = new Set(all.filter((it) => it.use !== 'old').map(numberOf));
  const firsts = new Map<string, Json>();
  keepEntries(built, 'identifier', (it) => {
    const words = JSON.stringify(it);
    const first = firsts.get(words);
    if (first) aliases?.set(it, first);
    else firsts.set(words, it);
    if (it.use !== 'old') return !first;
    const isNew = !known.has(numberOf(it));
    known.add(numberOf(it));
    return isNew;
  });
}

/** MRG-5 names a visit of which the message says no more; what is stored of its status stays. */
export function withStatus({ resource, initial }: Built): void {
  if (resource.resourceType !== 'Encounter' || resource.status || resource._status) return;
  resource.status = 'unknown';
  initial.add('status');
}
