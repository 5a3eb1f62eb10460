/** Texts as they stand in the keys of an index. */
import { hash } from 'node:crypto';

/** Characters kept as they are; PostgreSQL takes some 2,700 bytes for a whole key, and a character may have four. */
const lengthMax = 300;
const headLength = 200;

/**
 * A code, an id or a URL for an index, the same for what is stored and what is looked for. What is too long, or no
 * database can hold, ends in its hash: two different texts stay different.
 */
export function indexKey(text: string): string {
  const plain = storable(text);
  return plain === text && text.length <= lengthMax
    ? text
    : `${storable(plain.slice(0, headLength))}#${hash('sha256', text)}`;
}

/** PostgreSQL has no NUL in a text, and UTF-8 no half of a surrogate pair. */
export function storable(text: string): string {
  return (text.includes('\0') ? text.replaceAll('\0', '\ufffd') : text).toWellFormed();
}
