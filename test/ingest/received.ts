import { hash } from 'node:crypto';
import { contentDigest } from '../../src/hl7v2/content.ts';
import type { NewMessage } from '../../src/store/rows.ts';

/** A message as the listener keeps it. @param receivedAt ms since 1970 UTC */
export function received(text: string, receivedAt: number): NewMessage {
  const bytes = Buffer.from(text);
  const [header = ''] = text.split('\r', 1);
  const fields = header.split('|');
  return {
    receivedAt,
    listener: 'test',
    peer: 'test',
    site: '',
    bytes,
    charset: 'utf-8',
    state: 'received',
    type: fields[8] ?? '',
    controlId: fields[9] ?? '',
    application: fields[2] ?? '',
    facility: fields[3] ?? '',
    sha256: hash('sha256', bytes, 'hex'),
    content: contentDigest(bytes),
    answer: Buffer.alloc(0),
  };
}
