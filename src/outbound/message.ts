/** Content ─▶ the bytes of a message, with its MSH. HL7 v2.5.1 2.14.9. */
import type { Zone } from '../fhir/zone.ts';
import { encode } from '../hl7v2/charset.ts';
import { toDtm } from '../hl7v2/datetime.ts';
import { identityId } from '../ids.ts';
import type { Destination } from '../mapping/destination.ts';
import { components, delimiters, segment, st } from './field.ts';
import type { Content } from './scene.ts';

/** Longer messages are a defect on our side or an abuse: they are not sent. */
export const messageBytesMax = 2_097_152;

const charsets = {
  'UTF-8': { name: 'UNICODE UTF-8', set: 'utf-8' },
  GB18030: { name: 'GB 18030-2000', set: 'gb18030' },
} as const;

/**
 * MSH-10 of what a message says: the same for the same, on every machine, and unique. 20 characters are what v2.5.1 allows
 * there, 76 bits of a digest.
 */
export function controlIdOf(destination: string, identity: string): string {
  return identityId('outgoing', destination, identity).replaceAll('-', '').slice(0, 20);
}

/**
 * @param now ms since 1970 UTC
 * @throws RangeError for a message that is too long
 */
export function messageBytes(
  { type, segments }: Content,
  controlId: string,
  { destination, zone, now }: { readonly destination: Destination; readonly zone: Zone; readonly now: number },
): Buffer {
  const { sender, application, facility, processing, version } = destination;
  const { name, set } = charsets[destination.charset];
  const encoding = delimiters.component + delimiters.repetition + delimiters.escape + delimiters.subcomponent;
  // MSH-1 is the separator itself, so MSH-n stands behind the (n-1)th.
  const header = segment('MSH', {
    1: encoding,
    2: st(sender.application),
    3: st(sender.facility),
    4: st(application),
    5: st(facility),
    6: toDtm(now, zone.offsetAt(now)),
    8: components(...type.map(st)),
    9: controlId,
    10: processing,
    11: version,
    17: name,
  });
  const bytes = encode(`${[header, ...segments].join('\r')}\r`, set);
  if (bytes.length > messageBytesMax) throw new RangeError(`a message of more than ${messageBytesMax} bytes`);
  return bytes;
}
