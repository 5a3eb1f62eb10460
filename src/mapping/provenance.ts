/**
 * The Provenance of the transformation names all that the message says something of (guide 1.6). What many messages share, a
 * doctor or a ward, is not among it: its lineage is asked of the message.
 */
import type { Built, Json } from './context.ts';

const shared = new Set([
  'MessageHeader',
  'Provenance',
  'Practitioner',
  'PractitionerRole',
  'Organization',
  'Location',
  'Device',
]);

/** Resources that one Provenance names at most: a result of ten thousand lines is found by its report. */
const targetsMax = 200;

/** Completes the targets of the Provenance of a transformation, where the message made one. */
export function nameTargets(built: readonly Built[]): void {
  const provenance = built.find(({ resource }) => isOfTransformation(resource))?.resource;
  if (!provenance) return;
  const named = new Set((provenance.target as Json[]).map((it) => it.reference));
  for (const { resource } of built) {
    const reference = `${resource.resourceType}/${resource.id}`;
    if (shared.has(resource.resourceType) || named.has(reference) || named.size >= targetsMax) continue;
    named.add(reference);
    provenance.target.push({ reference });
  }
}

function isOfTransformation({ resourceType, activity, target }: Json): boolean {
  if (resourceType !== 'Provenance' || !target) return false;
  return (activity?.coding ?? []).some((it: Json) => it.code === 'v2-fhir-transformation');
}
