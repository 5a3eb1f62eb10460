/** What merges leave to complete: a number that its owner still has is not an old one, and a visit has a status. */
import type { Built, Json } from './context.ts';

const numberOf = ({ system, value }: Json): string => `${system}|${value}`;

/**
 * A47 sends the old list beside the new one, and most numbers stand in both; a merge that names its survivor retires nobody.
 * So what is current is taken out of what is old, and an old number stands once.
 */
export function withoutCurrent({ resource, registers }: Built): void {
  const all = resource.identifier as Json[] | undefined;
  if (!Array.isArray(all) || !all.some((it) => it.use === 'old')) return;
  const known = new Set(all.filter((it) => it.use !== 'old').map(numberOf));
  const kept = all.map((it) => {
    if (it.use !== 'old') return true;
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
