/** Who is on the other side of a connection, as the allow-list and the journal want it. */
import { type BlockList, isIPv6 } from 'node:net';
import type { PeerCertificate } from 'node:tls';

/** An IPv4 address that came in on an IPv6 socket (RFC 4291, 2.5.5.2) as IPv4, without the zone of a link-local one. */
export function plainAddress(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '');
}

export function isIn(list: BlockList, address: string): boolean {
  return list.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
}

/** Longest name that goes into the journal; characters. */
const nameLengthMax = 100;

/** Spaces and signs of our own notation become `_`: a name cannot pretend to be two. */
function clean(name: string): string {
  return name.replace(/[^\p{L}\p{N}._:@*/-]/gu, '_').slice(0, nameLengthMax);
}

/** `CN=engine1` of a client certificate; the first alternative name when it has no common name. */
export function nameIn({ subject, subjectaltname }: PeerCertificate): string | undefined {
  // A subject with several common names gives a list.
  const [commonName] = [subject?.CN ?? []].flat();
  if (commonName) return `CN=${clean(commonName)}`;
  const [first] = subjectaltname?.split(', ') ?? [];
  return first ? `SAN=${clean(first)}` : undefined;
}
