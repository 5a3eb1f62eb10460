/** Whether two messages say the same. */
import { hash } from 'node:crypto';
import type { Charset } from './charset-names.ts';
import { charsetOf } from './charset-names.ts';
import { declarationOf, fieldSpan, readingOf, separators, shapeOf } from './header-bytes.ts';

/**
 * SHA-256 of a message without its control id (MSH-10), in hexadecimal: the same content under a new control id gives the
 * same digest. On the bytes, linear.
 *
 * @param bytes one message without its frame; a byte-order mark in front counts for nothing
 * @param charset the set that the message was decoded with; absent: what MSH-18 names. It only matters for the second bytes
 *   of GB18030, Big5 and Shift_JIS that look like separators, in fields before MSH-10
 */
export function contentDigest(bytes: Uint8Array, charset?: Charset): string {
  const shape = shapeOf(bytes);
  const body = bytes.subarray(shape.mark);
  const bare = { ...shape, mark: 0 };
  const set = charset ?? (shape.width === 1 ? charsetOf(declarationOf(body, 'utf-8').repetitions[0] ?? '') : undefined);
  const { from, to } = fieldSpan(separators(body, readingOf(set), bare), 10, shape.width);
  return hash('sha256', Buffer.concat([body.subarray(0, from), body.subarray(to)]), 'hex');
}
