/** Names of what a commit may name: equal for equal keys. */
import type { IdentifierKey, Key } from './store.ts';

/** `Patient/1`. */
export function nameOf({ type, id }: Key): string {
  return `${type}/${id}`;
}

/** The key of a name. */
export function keyNamed(name: string): Key {
  const [type, id] = name.split('/') as [string, string];
  return { type, id };
}

/** Of a resource by its identifier; the length tells where the system ends. */
export function identifierName({ type, identifier: { system, value } }: IdentifierKey): string {
  return `${type}|${system.length}|${system}${value}`;
}
