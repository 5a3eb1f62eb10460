/** A plan that has lost its reason: what it made is taken back, what was done stays. Pure. */
import type { Json, StoredResource } from '../fhir/types.ts';

/** Why a plan ends before its time. */
export type Reason = 'cancelled-discharge' | 'deceased' | 'not-applicable';

/** Open states per type, and what they become. */
const closing: Record<string, { open: readonly string[]; to: string }> = {
  CarePlan: { open: ['draft', 'active', 'on-hold'], to: 'revoked' },
  Task: { open: ['draft', 'requested', 'received', 'accepted', 'ready', 'on-hold'], to: 'cancelled' },
  Appointment: { open: ['proposed', 'pending', 'booked', 'waitlist'], to: 'cancelled' },
  QuestionnaireResponse: { open: ['in-progress'], to: 'stopped' },
};

const texts: Record<Reason, string> = {
  'cancelled-discharge': 'the discharge was cancelled',
  deceased: 'the patient has died',
  'not-applicable': 'what it was planned for does not hold any more',
};

const system = 'https://aftercare.example/fhir/CodeSystem/withdrawal-reason';

/** Why a Task or an Appointment was taken back; undefined when it was not, or by somebody else. */
export function reasonCode({ statusReason, cancelationReason }: Json): string | undefined {
  return (statusReason ?? cancelationReason)?.coding?.find((it: Json) => it.system === system)?.code;
}

/** @returns the resource as it shall be; undefined when it is done or closed already */
export function withdrawn(resource: StoredResource, reason: Reason): StoredResource | undefined {
  const rule = closing[resource.resourceType];
  if (!rule?.open.includes(resource.status)) return undefined;
  const why = {
    coding: [{ system, code: reason }],
    text: texts[reason],
  };
  switch (resource.resourceType) {
    case 'Task':
      return { ...resource, status: rule.to, statusReason: why };
    case 'Appointment':
      return { ...resource, status: rule.to, cancelationReason: why };
    case 'CarePlan':
      // R4 CarePlan has no statusReason; the note is what a person reads.
      return { ...resource, status: rule.to, note: [...(resource.note ?? []), { text: texts[reason] }] };
    default:
      return { ...resource, status: rule.to };
  }
}
