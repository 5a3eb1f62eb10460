/**
 * A finished Encounter and a protocol ─▶ CarePlan, Tasks, Appointment, QuestionnaireResponse. Pure. Every id is derived
 * from encounter, protocol, number of the enrolment and action: the same discharge makes the same resources again.
 */
import { evalFhirPath, type FhirPathAtom } from '@medplum/core';
import type { Json, StoredResource } from '../fhir/types.ts';
import { addDays, type Zone } from '../fhir/zone.ts';
import { identityId } from '../ids.ts';
import type { Key } from '../store/store.ts';
import type { Action, Protocol } from './protocol.ts';

const system = 'https://aftercare.example/fhir/NamingSystem/';

/** What is known of the discharge. */
export interface Discharge {
  readonly patient: StoredResource;
  readonly encounter: StoredResource;
  /** Active Flags of the patient: `key-patient` opens level 3. */
  readonly flags: readonly StoredResource[];
  /** 1 for the first discharge; one more after each that was cancelled. */
  readonly enrolment: number;
  /** ms since 1970 UTC: windows that have passed by now are `missed`, never due. */
  readonly now: number;
  /** When the discharge became known, ms since 1970 UTC: day 0 of one that has no day. Absent: now. */
  readonly knownAt?: number;
}

/** The follow-up centre (随访中心): one per server. */
export const centre: StoredResource = {
  resourceType: 'Organization',
  id: 'follow-up-centre',
  active: true,
  identifier: [{ system: `${system}organization`, value: 'follow-up-centre' }],
  name: '随访中心',
  alias: ['Follow-up centre'],
};

/** True when there is nobody to follow up: the Patient is deceased or the disposition says expired. */
export function isExpired(patient: Json | undefined, encounter: Json): boolean {
  if (patient?.deceasedBoolean === true || patient?.deceasedDateTime) return true;
  return (encounter.hospitalization?.dischargeDisposition?.coding ?? []).some((coding: Json) => coding.code === 'exp');
}

export function carePlanId(encounterId: string, protocol: Protocol, enrolment: number): string {
  return identityId('CarePlan', encounterId, protocol.url, String(enrolment));
}

/** Says which of our profiles the resource follows; apps find it by `_profile`. */
function claim(name: string): Json {
  return { profile: [`https://aftercare.example/fhir/StructureDefinition/aftercare-${name}`] };
}

/** Everything that an enrolment may write, whether its conditions hold or not: a commit names what it looks at. */
export function enrolmentKeys(encounterId: string, protocol: Protocol, enrolment: number): Key[] {
  const made = protocol.actions.flatMap((action) =>
    action.creates.map((type) => ({ type, id: actionId(type, action, encounterId, protocol, enrolment) })),
  );
  return [
    { type: 'Organization', id: centre.id },
    { type: 'CarePlan', id: carePlanId(encounterId, protocol, enrolment) },
    ...made,
  ];
}

/**
 * Applies a protocol. The caller has checked that the encounter is finished and the patient alive.
 * @returns the resources in an order in which each refers to earlier ones only; the CarePlan is first
 */
export function enrol(protocol: Protocol, discharge: Discharge, zone: Zone): StoredResource[] {
  const { encounter, enrolment } = discharge;
  const end: unknown = encounter.period?.end;
  // 9999-12-31 is what systems write for a day that they do not know; no plan could begin there.
  const dischargedAt = typeof end === 'string' && end < '9999' ? end : zone.isoOf(discharge.knownAt ?? discharge.now);
  const day =
    dischargedAt.length > 10 ? zone.dayOf(Date.parse(dischargedAt)) : dischargedAt.padEnd(10, '-01').slice(0, 10);
  const id = carePlanId(encounter.id, protocol, enrolment);
  const scene: Scene = { ...discharge, protocol, zone, day, carePlan: { reference: `CarePlan/${id}` } };
  const made = protocol.actions.filter(asker(discharge)).flatMap((action) => perform(action, scene));
  return [carePlan(id, dischargedAt, made, scene), centre, ...made];
}

interface Scene extends Discharge {
  readonly protocol: Protocol;
  readonly zone: Zone;
  /** Local day of the discharge: day 0. */
  readonly day: string;
  readonly carePlan: Json;
}

/** Asks each condition once per discharge: most actions share theirs, and an evaluation takes 50 µs. */
function asker(discharge: Discharge): (action: Action) => boolean {
  const answers = new Map<string, boolean>();
  return (action) =>
    action.conditions.every(({ text, atom }) => {
      const known = answers.get(text);
      if (known !== undefined) return known;
      const answer = holds(atom, discharge);
      answers.set(text, answer);
      return answer;
    });
}

/** One flag is in scope at a time: a variable of @medplum/core's FHIRPath is one item. */
function holds(condition: FhirPathAtom, { patient, encounter, flags }: Discharge): boolean {
  return (flags.length > 0 ? flags : [undefined]).some((flag) => {
    const [result, ...more] = evalFhirPath(condition, patient, {
      '%patient': { type: 'Patient', value: patient },
      '%encounter': { type: 'Encounter', value: encounter },
      '%flags': { type: 'Flag', value: flag },
    });
    return result === true && more.length === 0;
  });
}

function identifier(kind: string, scene: Scene, action = ''): Json {
  const { encounter, protocol, enrolment } = scene;
  const value = [encounter.id, protocol.id, protocol.version, ...(action ? [action] : []), enrolment].join('|');
  return { system: system + kind, value };
}

function subject({ patient }: Scene): Json {
  return { reference: `Patient/${patient.id}` };
}

function visit({ encounter }: Scene): Json {
  return { reference: `Encounter/${encounter.id}` };
}

function attending({ encounter }: Scene): Json | undefined {
  const of = (code: string): Json | undefined =>
    encounter.participant?.find((it: Json) =>
      it.type?.some((type: Json) => type.coding?.some((coding: Json) => coding.code === code)),
    );
  return (of('ATND') ?? of('ADM'))?.individual;
}

/** First local day of a window to its last; the whole days. */
function windowOf(action: Action, { day, zone }: Scene): { start: string; end: string } {
  const { low, high } = action.window as { low: number; high: number };
  return { start: zone.startOfDay(addDays(day, low)), end: zone.endOfDay(addDays(day, high)) };
}

function perform(action: Action, scene: Scene): StoredResource[] {
  const made: StoredResource[] = [];
  if (action.creates.includes('QuestionnaireResponse')) made.push(response(action, scene));
  if (action.creates.includes('Task')) made.push(task(action, scene, made[0]));
  if (action.creates.includes('Appointment')) made.push(appointment(action, scene));
  return made;
}

function idOf(type: string, action: Action, { encounter, protocol, enrolment }: Scene): string {
  return actionId(type, action, encounter.id, protocol, enrolment);
}

function actionId(type: string, action: Action, encounterId: string, protocol: Protocol, enrolment: number): string {
  return identityId(type, encounterId, protocol.url, String(enrolment), action.id);
}

/** An answer sheet in progress, with the version of the questionnaire that it began with. */
function response(action: Action, scene: Scene): StoredResource {
  return {
    resourceType: 'QuestionnaireResponse',
    id: idOf('QuestionnaireResponse', action, scene),
    meta: claim('questionnaireresponse'),
    identifier: identifier('questionnaire-response', scene, action.id),
    basedOn: [scene.carePlan],
    questionnaire: action.questionnaire,
    status: 'in-progress',
    subject: subject(scene),
    encounter: visit(scene),
    authored: scene.zone.isoOf(scene.now),
  };
}

function task(action: Action, scene: Scene, focus: StoredResource | undefined): StoredResource {
  const period = windowOf(action, scene);
  const missed = Date.parse(period.end) < scene.now;
  const { title, _title, description, _description } = action.texts;
  const doctor = action.owner === 'centre' ? undefined : attending(scene);
  const input = [
    ...(action.questionnaire ? [{ type: { text: 'questionnaire' }, valueCanonical: action.questionnaire }] : []),
    ...action.channels.map((channel) => ({ type: { text: 'channel' }, valueCode: channel })),
    ...(action.targetDay === undefined
      ? []
      : [{ type: { text: 'target-day' }, valueDate: addDays(scene.day, action.targetDay) }]),
  ];
  return {
    resourceType: 'Task',
    id: idOf('Task', action, scene),
    meta: claim('task'),
    identifier: [identifier('task', scene, action.id)],
    instantiatesUri: scene.protocol.canonical,
    basedOn: [scene.carePlan],
    groupIdentifier: identifier('care-plan', scene),
    // R4 has no code for it: a window that had passed before the discharge was known is failed, business status missed.
    status: missed ? 'failed' : 'requested',
    ...(missed && {
      businessStatus: { text: 'missed' },
      statusReason: { text: 'the window had passed when the discharge became known' },
    }),
    intent: 'order',
    priority: 'routine',
    code: action.code ?? { text: title },
    description: description ?? title,
    ...((_description ?? _title) && { _description: _description ?? _title }),
    ...(focus && { focus: { reference: `QuestionnaireResponse/${focus.id}` } }),
    for: subject(scene),
    encounter: visit(scene),
    executionPeriod: period,
    authoredOn: scene.zone.isoOf(scene.now),
    lastModified: scene.zone.isoOf(scene.now),
    requester: { reference: `Organization/${centre.id}` },
    ...(action.performer && { performerType: [action.performer] }),
    owner: doctor ?? { reference: `Organization/${centre.id}` },
    restriction: { ...(action.attemptsMax && { repetitions: action.attemptsMax }), period: { end: period.end } },
    ...(input.length > 0 && { input }),
  };
}

function appointment(action: Action, scene: Scene): StoredResource {
  const doctor = attending(scene);
  const { description, title, _description } = action.texts;
  return {
    resourceType: 'Appointment',
    id: idOf('Appointment', action, scene),
    meta: claim('appointment'),
    identifier: [identifier('appointment', scene, action.id)],
    status: 'proposed',
    ...(scene.encounter.serviceType && { serviceType: [scene.encounter.serviceType] }),
    appointmentType: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0276', code: 'FOLLOWUP' }] },
    description: description ?? title,
    ...(_description && { _description }),
    supportingInformation: [visit(scene), scene.carePlan],
    created: scene.zone.isoOf(scene.now),
    participant: [
      { actor: subject(scene), required: 'required', status: 'needs-action' },
      ...(doctor ? [{ actor: doctor, required: 'required', status: 'needs-action' }] : []),
    ],
    requestedPeriod: [windowOf(action, scene)],
  };
}

function carePlan(id: string, dischargedAt: string, made: readonly StoredResource[], scene: Scene): StoredResource {
  const { protocol, encounter, zone, day } = scene;
  const last = Math.max(...protocol.actions.map((action) => action.window?.high ?? 0));
  const conditions = (encounter.diagnosis ?? []).map((it: Json) => it.condition);
  return {
    resourceType: 'CarePlan',
    id,
    meta: claim('careplan'),
    identifier: [identifier('care-plan', scene)],
    instantiatesCanonical: [protocol.canonical],
    status: 'active',
    intent: 'plan',
    ...protocol.title,
    subject: subject(scene),
    encounter: visit(scene),
    period: { start: dischargedAt, end: zone.endOfDay(addDays(day, last)) },
    created: zone.isoOf(scene.now),
    author: { reference: `Organization/${centre.id}` },
    ...(conditions.length > 0 && { addresses: conditions }),
    activity: made
      .filter((it) => it.resourceType !== 'QuestionnaireResponse')
      .map((it) => ({ reference: { reference: `${it.resourceType}/${it.id}` } })),
  };
}
