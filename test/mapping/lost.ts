/** What the mapping loses of a message: fields that it makes nothing of, and of which no row says why. */
import type { Message } from '../../src/hl7v2/message.ts';
import { coverageOf } from '../../src/mapping/coverage.ts';
import { mapping, receivedAt, shanghai } from './support.ts';

/** Segments whose maps do not read every field yet. */
export const later: ReadonlySet<string> = new Set();

/** @returns `PID-12`, `OBX-6 of the 2nd OBX`: the valued fields without lineage and without a reason */
export function lostIn(message: Message): string[] {
  const { fields } = coverageOf(message, mapping, { zone: shanghai, receivedAt }, 100_000);
  return fields
    .filter(({ field, use }) => !later.has(field.slice(0, 3)) && ['no row', 'not used', 'read'].includes(use))
    .map(({ field, segment, reason }) => `${field} of segment ${segment}${reason ? `: ${reason}` : ''}`);
}
