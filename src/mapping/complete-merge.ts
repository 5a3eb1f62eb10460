/** What merges leave to complete: a number that its owner still has is not an old one, and a visit has a status. */
import type { Built, Json, MappingContext } from './context.ts';

const numberOf = ({ system, value }: Json): string => `${system}|${value}`;

/**
 * A47 sends the old list beside the new one, and most numbers stand in both; a merge that names its survivor retires nobody.
 * So what is current is taken out of what is old, and an old number stands once; so does what two fields say in the same words
 * (PID-2 and PID-3).
 * @param aliases for the lineage: what is taken out ─▶ what says the same
 */
export function withNumbersOnce({ resource, registers }: Built, aliases: MappingContext['aliases']): void {
  const all = resource.identifier as Json[] | undefined;
  if (!Array.isArray(all) || all.length < 2 || new Set(all.map((it) => it.value)).size === all.length) return;
  const known = new Set(all.filter((it) => it.use !== 'old').map(numberOf));
  const firsts = new Map<string, Json>();
  const kept = all.map((it) => {
    const words = JSON.stringify(it);
    const first = firsts.get(words);
    if (first) aliases?.set(it, first);
    else firsts.set(words, it);
    if (it.use !== 'old') return !first;
    const isNew = !known.has(numberOf(it));
    known.add(numberOf(it));
    return isNew;
  });
  if (kept.every((it) => it)) return;
  resource.identifier = all.filter((_, i) => kept[i]);
  const names = registers.get('identifier');
  if (names)
    registers.set(
      'identifier',
      names.filter((_, i) => kept[i]),
    );
}

/** MRG-5 names a visit of which the message says no more; what is stored of its status stays. */
export function withStatus({ resource, initial }: Built): void {
  if (resource.resourceType !== 'Encounter' || resource.status || resource._status) return;
  resource.status = 'unknown';
  initial.add('status');
}
