/** Appointment ─▶ SIU S12, S13, S14, S15, S26. HL7 v2.5.1 chapter 10, 10.4.12 and 10.6. Pure. */
import type { Json } from '../fhir/types.ts';
import { components, dtm, segment, st } from './field.ts';
import { cwe, ei, pid, pl, pv1, xcn } from './person.ts';
import type { Content, Rule, Scene } from './scene.ts';

export type AppointmentEvent = 'S12' | 'S13' | 'S14' | 'S15' | 'S26';

/** Persons and places of one appointment that are sent at most. */
const participantsMax = 50;

/** The appointment stands. */
const standing = ['booked', 'arrived', 'checked-in', 'fulfilled'];

/** Table 0278 by Appointment.status. */
const fillerStatuses: Record<string, string> = {
  booked: 'Booked',
  arrived: 'Started',
  'checked-in': 'Started',
  fulfilled: 'Complete',
};

/** SCH-6 where the appointment gives no reason. */
const reasons: Record<AppointmentEvent, string> = {
  S12: 'booked',
  S13: 'rescheduled',
  S14: 'modified',
  S15: 'cancelled',
  S26: 'no-show',
};

export const appointmentRule: Rule = {
  resourceType: 'Appointment',

  about({ participant = [], supportingInformation = [] }) {
    const ofType = (all: readonly (Json | undefined)[], type: string): string | undefined =>
      all.find((it) => it?.reference?.startsWith(`${type}/`))?.reference;
    return {
      patient: ofType(
        participant.map((it: Json) => it.actor),
        'Patient',
      ),
      encounter: ofType(supportingInformation, 'Encounter'),
    };
  },

  /** A follow-up that is booked: of that type, or part of a plan. */
  concerns({ status, appointmentType, supportingInformation = [] }) {
    return (
      status === 'booked' &&
      (appointmentType?.coding?.some((it: Json) => it.code === 'FOLLOWUP') ||
        supportingInformation.some((it: Json) => it.reference?.startsWith('CarePlan/')))
    );
  },

  references({ participant = [] }) {
    const resources = participant.slice(0, participantsMax).flatMap((it: Json) => it.actor?.reference ?? []);
    return { resources, questionnaires: [] };
  },

  tell(known, now, scene) {
    const wording = (it: Json): string => [...schedule(it, 'S14', scene), ...comments(it)].join('\r');
    const event = eventOf(known, now, wording);
    const appointment = now ?? known;
    if (!event || !appointment) return undefined;
    return content(appointment, event, scene);
  },
};

/**
 * What happened to an appointment since the hospital was told.
 * @param wording all that a message says of an appointment
 */
export function eventOf(
  known: Json | undefined,
  now: Json | undefined,
  wording: (appointment: Json) => string,
): AppointmentEvent | undefined {
  const stood = known !== undefined && standing.includes(known.status);
  const stands = now !== undefined && standing.includes(now.status);
  if (!stood) return now?.status === 'booked' ? 'S12' : undefined;
  // Proposed again, entered in error, deleted: for the hospital there is no appointment any more.
  if (!stands) return now?.status === 'noshow' ? 'S26' : 'S15';
  if (instant(known.start) !== instant(now.start) || instant(known.end) !== instant(now.end)) return 'S13';
  return wording(known) === wording(now) ? undefined : 'S14';
}

function instant(text: unknown): number | undefined {
  return typeof text === 'string' ? Date.parse(text) : undefined;
}

function content(appointment: Json, event: AppointmentEvent, scene: Scene): Content {
  const [head, ...resources] = schedule(appointment, event, scene);
  const [sch, times, notes] = [head as string, timing(appointment, scene), comments(appointment)];
  return {
    type: ['SIU', event, 'SIU_S12'],
    segments: [sch, ...times, ...notes, pid(scene), ...pv1(scene), ...resources],
  };
}

/** SCH, and RGS with what is booked: everything that tells one appointment from another but its times and its comment. */
function schedule(appointment: Json, event: AppointmentEvent, scene: Scene): string[] {
  const { destination } = scene;
  const filler = fillerStatus(appointment, event);
  const [placer, own] = numbers(appointment, destination);
  const minutes = minutesOf(appointment);
  const contact = components('', st(destination.contact));
  const [start, end] = [dtm(appointment.start, scene.zone), dtm(appointment.end, scene.zone)];
  const sch = segment('SCH', {
    1: placer,
    2: own,
    6: cwe(appointment.cancelationReason) || components(st(reasons[event].toUpperCase()), st(reasons[event])),
    7: cwe(appointment.appointmentType ?? appointment.reasonCode?.[0]),
    9: minutes,
    10: minutes && 'min',
    11: components('', '', minutes && `M${minutes}`, start, end),
    16: contact,
    20: contact,
    25: filler,
  });
  return [sch, ...booked(appointment, event, filler, scene)];
}

/** The hospital's own numbers where it gave some; ours is that of the filler, because we keep the schedule of the follow-up. */
function numbers(appointment: Json, destination: Scene['destination']): [placer: string, filler: string] {
  const all: Json[] = appointment.identifier ?? [];
  const typed = (code: string): Json | undefined =>
    all.find((it) => it.value && it.type?.coding?.some((coding: Json) => coding.code === code));
  const [placer, filler] = [typed('PLAC'), typed('FILL')];
  const own = all.find((it) => it.value && it !== placer && it !== filler);
  const numberOf = (it: Json | undefined): string => (it ? ei(it, destination) : '');
  if (filler) return [numberOf(placer ?? own), numberOf(filler)];
  return [numberOf(placer), numberOf(own ?? { value: appointment.id })];
}

function fillerStatus({ status }: Json, event: AppointmentEvent): string {
  if (event === 'S15') return 'Cancelled';
  return event === 'S26' ? 'Noshow' : (fillerStatuses[status as string] ?? 'Booked');
}

function minutesOf({ minutesDuration, start, end }: Json): string {
  const minutes = minutesDuration ?? Math.round(((instant(end) ?? 0) - (instant(start) ?? 0)) / 60_000);
  return minutes > 0 ? String(minutes) : '';
}

/** TQ1 came with v2.5; SCH-11 says the same for older receivers. */
function timing(appointment: Json, { destination, zone }: Scene): string[] {
  if (destination.version < '2.5') return [];
  const minutes = minutesOf(appointment);
  return [
    segment('TQ1', {
      1: '1',
      6: minutes && components(minutes, 'min'),
      7: dtm(appointment.start, zone),
      8: dtm(appointment.end, zone),
    }),
  ];
}

function comments({ comment }: Json): string[] {
  return comment ? [segment('NTE', { 1: '1', 3: st(comment) })] : [];
}

function booked(
  appointment: Json,
  event: AppointmentEvent,
  filler: string,
  { destination, zone, look }: Scene,
): string[] {
  const [action, start, minutes] = [event === 'S12' ? 'A' : 'U', dtm(appointment.start, zone), minutesOf(appointment)];
  const unit = minutes && 'min';
  const service = cwe(appointment.serviceType?.[0]);
  const actors = (appointment.participant ?? [])
    .slice(0, participantsMax)
    .map(({ actor, type }: Json) => ({ resource: look(actor?.reference), role: type?.[0] }));
  const persons = actors.flatMap(({ resource, role }: Json) => {
    const person = xcn(resource, destination);
    return person ? [{ person, role: cwe(role) }] : [];
  });
  const places = actors
    .filter(({ resource }: Json) => resource?.resourceType === 'Location')
    .map(({ resource }: Json) => pl(resource, look));
  return [
    segment('RGS', { 1: '1', 2: action }),
    ...(service ? [segment('AIS', { 1: '1', 2: action, 3: service, 4: start, 7: minutes, 8: unit, 10: filler })] : []),
    ...places.map((place: string, i: number) =>
      segment('AIL', { 1: String(i + 1), 2: action, 3: place, 6: start, 9: minutes, 10: unit, 12: filler }),
    ),
    ...persons.map(({ person, role }: { person: string; role: string }, i: number) =>
      segment('AIP', { 1: String(i + 1), 2: action, 3: person, 4: role, 6: start, 9: minutes, 10: unit, 12: filler }),
    ),
  ];
}
