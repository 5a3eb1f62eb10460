/** What R4 asks of an Appointment and a schedule message leaves out, or several of them contradict. */
import type { Built, Json } from './context.ts';
import { ours } from './converters.ts';
import { unknownElement } from './data-absent.ts';

/** app-3: an appointment in one of these states needs no times. */
const untimed = ['proposed', 'cancelled', 'waitlist'];
/** app-4 means noshow as well, but R4 misspells it there (`no-show`), and validators go by the letter. */
const withReason = 'cancelled';

/**
 * Completes what a message says of an Appointment. A time that it does not give yields to one that is stored; the end
 * that belonged to another start does not stay.
 */
export function completeAppointment({ resource, initial, clear, registers }: Built): void {
  keepParticipants(resource, registers.get('participant'));
  soundAppointment(resource);
  if (resource.status !== withReason) clear.add('cancelationReason');
  if (resource.start || resource.end || resource.requestedPeriod) return;
  initial.add('start');
  initial.add('end');
}

/** Appointment.participant is required, and its status: of two SCH before one PID the first is the patient's too. */
export function withParticipants({ resource, registers }: Built, built: readonly Built[]): void {
  const all: Json[] = resource.participant ?? [];
  for (const [i, it] of all.entries()) it.status ??= all[i - 1]?.status ?? 'needs-action';
  if (all.some((it) => it.actor ?? it.type)) return;
  const patient = built.find((it) => it.resource.resourceType === 'Patient')?.resource;
  const actor = patient ? { reference: `Patient/${patient.id}` } : { display: 'unknown' };
  resource.participant = [{ actor, status: 'accepted' }];
  // As the row of PID-Appointment calls it.
  registers.set('participant', ['patient']);
}

/**
 * app-1: who or what is neither named nor described is no participant.
 * @param names the registers of the participants: one for each, in the same order
 */
function keepParticipants(resource: Json, names: string[] | undefined): void {
  const all: Json[] = resource.participant ?? [];
  let kept = 0;
  for (const [i, it] of all.entries()) {
    if (!(it.actor ?? it.type)) continue;
    all[kept] = it;
    if (names) names[kept] = names[i] as string;
    kept++;
  }
  all.length = kept;
  if (names) names.length = kept;
}

/**
 * Makes an Appointment sound, of one message or of several laid over each other; once is as good as twice.
 * - app-4: a reason that is not that of an end is an extension;
 * - an end before the start is not the end of this appointment, and stands in an extension;
 * - app-2, app-3: a time that has to be there, and is not known, says so.
 */
export function soundAppointment(resource: Json): void {
  const { start, end, status, cancelationReason } = resource;
  if (cancelationReason && status !== withReason) {
    setAside(resource, { url: `${ours}v2-event-reason`, valueCodeableConcept: cancelationReason });
    delete resource.cancelationReason;
  }
  if (start && end && Date.parse(end) < Date.parse(start)) {
    setAside(resource, { url: `${ours}v2-appointment-end`, valueDateTime: end });
    delete resource.end;
  }
  const missing = ['start', 'end'].filter((key) => resource[key] === undefined);
  if (missing.length === 2 && untimed.includes(status)) return;
  for (const key of missing) resource[`_${key}`] ??= unknownElement();
}

function setAside(resource: Json, extension: Json): void {
  resource.extension = [...(resource.extension ?? []).filter((it: Json) => it.url !== extension.url), extension];
}
