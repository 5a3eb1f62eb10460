/** Lists of resources that rows made, with the names of the registers that their entries belong to. */
import type { Built, Json } from './context.ts';

/**
 * Keeps the entries of a list at the root that are sound, with the names of their registers; a list without any goes.
 * @param isSound is asked once of each, in their order
 */
export function keepEntries({ resource, registers }: Built, key: string, isSound: (entry: Json) => boolean): void {
  const all: Json[] = resource[key] ?? [];
  const sound = all.map(isSound);
  if (sound.every((it) => it)) return;
  const kept = all.filter((_, i) => sound[i]);
  const names = registers.get(key)?.filter((_, i) => sound[i]);
  if (kept.length > 0) resource[key] = kept;
  else delete resource[key];
  if (names) registers.set(key, names);
}
