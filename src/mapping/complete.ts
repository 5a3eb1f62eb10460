/** What the rows made is completed by what invariants of R4 ask and a message may leave out; nothing that it says is lost. */
import { type ElementDefinition, elementsOf, isPrimitive } from '../fhir/definitions.ts';
import type { Zone } from '../fhir/zone.ts';
import { withNumbersOnce, withStatus } from './complete-merge.ts';
import { completeOrder } from './complete-order.ts';
import { soundPeriod } from './complete-period.ts';
import { completeAppointment, soundAppointment, withParticipants } from './complete-schedule.ts';
import type { Built, Json, MappingContext } from './context.ts';
import { ours } from './converters.ts';
import { unknownElement } from './data-absent.ts';
import { keepEntries } from './entries.ts';

const alternateCodes = 'http://hl7.org/fhir/StructureDefinition/alternate-codes';
const originalText = 'http://hl7.org/fhir/StructureDefinition/originalText';

/**
 * A code without a target stands as alternate-codes beside the value of its element (guide 1.5). Where no other row gave
 * a value, it goes to the parent as an extension of ours: a required binding wants a code or nothing. A text that is no date
 * stays at the date that is not there, unless something else of a choice has to be.
 */
export function settle(context: MappingContext): void {
  const { unconverted, built, timed, zone, aliases } = context;
  for (const { container, key, twin, isAlone } of unconverted) {
    if (twin === key || container[key] !== undefined || !container[twin]) continue;
    // The value of an extension: it must have one, and the twin is one.
    if (key.startsWith('value') && container.url !== undefined) continue;
    const kept: Json[] = [];
    for (const extension of container[twin].extension) {
      if (extension.url !== alternateCodes && (extension.url !== originalText || isAlone)) {
        kept.push(extension);
        continue;
      }
      container.extension ??= [];
      container.extension.push(extension.valueCodeableConcept ? { ...extension, url: `${ours}v2-${key}` } : extension);
    }
    if (kept.length > 0) container[twin].extension = kept;
    else delete container[twin];
    // cpt-2: a ContactPoint with a value has a system; the code that nobody knows stands beside it.
    if (key === 'system' && container.value !== undefined) container.system = 'other';
  }
  for (const it of timed) straighten(it, zone);
  for (const it of built) {
    if (it.resource.resourceType === 'Appointment') withParticipants(it, built);
    complete(it);
    completeOrder(it, context);
    withNumbersOnce(it, aliases);
    withStatus(it);
    withRequired(it);
    withLabelsOnce(it.resource, aliases);
  }
}

/** Meta.security and Meta.tag are sets; two segments may say the same. */
function withLabelsOnce({ meta }: Json, aliases: MappingContext['aliases']): void {
  for (const key of ['security', 'tag']) {
    const all: Json[] = meta?.[key] ?? [];
    if (all.length < 2) continue;
    const labels = new Map<string, Json>();
    for (const it of all) {
      const label = `${it.system}|${it.code}`;
      const first = labels.get(label);
      if (first) aliases?.set(it, first);
      else labels.set(label, it);
    }
    meta[key] = [...labels.values()];
  }
}

/** Makes all Periods and Appointments of a resource sound; twice is as good as once. */
export function straighten(node: Json | readonly Json[], zone: Zone): void {
  if (Array.isArray(node)) {
    for (const item of node) if (typeof item === 'object' && item !== null) straighten(item, zone);
    return;
  }
  const json = node as Json;
  if (json.resourceType === 'Appointment') soundAppointment(json);
  else if (json.resourceType === 'Observation') soundObservation(json);
  else if (json.start !== undefined || json.end !== undefined) soundPeriod(json, zone);
  // Every resource of every message is walked: no arrays are made for it.
  for (const key in json) {
    const value = json[key];
    if (typeof value === 'object' && value !== null) straighten(value, zone);
  }
}

/**
 * - obs-7: a value stands in the observation or in a component of the same code; of several values (OBX-5 repeated) in these;
 * - obs-6: a reason for a value that is not there, only when it is not there.
 */
function soundObservation(observation: Json): void {
  const codesOf = ({ code }: Json): string[] => list(code?.coding).map((it) => `${it.system}|${it.code}`);
  const own = new Set(codesOf(observation));
  const isOwn = (component: Json): boolean => codesOf(component).some((code) => own.has(code));
  const values = Object.keys(observation).filter((it) => /^_?value[A-Z]/.test(it));
  if (values.length > 0 && observation.component?.some(isOwn)) for (const key of values) delete observation[key];
  else if (values.some((it) => it.startsWith('v'))) delete observation.dataAbsentReason;
}

/** What invariants of R4 ask of a resource and a message may leave out. */
function complete(built: Built): void {
  const { resource } = built;
  if (resource.resourceType === 'Organization' && !resource.name && !resource.identifier)
    // org-1: a name or an identifier.
    resource._name = unknownElement();
  if (resource.resourceType === 'Observation') soundObservation(resource);
  if (resource.resourceType === 'Organization')
    for (const it of [...list(resource.telecom), ...list(resource.address)]) neverHome(it);
  withoutStatusOfAnError(built);
  if (resource.resourceType === 'Appointment') completeAppointment(built);
  if (resource.resourceType === 'CareTeam') for (const it of resource.participant ?? []) onlyBehalf(it);
  // Who did it is required; a name of nothing but delimiters (SCH-20) is nobody's.
  if (resource.resourceType === 'Provenance') {
    resource.agent ??= [{}];
    for (const it of resource.agent) it.who ??= { display: 'unknown' };
  }
  if (resource.resourceType !== 'Patient') return;
  for (const it of resource.extension ?? []) if (it.url === animal) withSpecies(it);
  // pat-1: who cannot be named or reached is no contact; the RelatedPerson says what the message does.
  keepEntries(built, 'contact', isReachable);
  // PD1-10 of nothing but delimiters names nobody.
  keepEntries(built, 'link', (it) => it.other !== undefined);
}

/** Root elements that R4 wants, by type; a choice has its rows. */
const required = new Map<string, readonly (readonly [key: string, element: ElementDefinition])[]>();

function requiredOf(type: string): readonly (readonly [key: string, element: ElementDefinition])[] {
  let found = required.get(type);
  if (!found) {
    found = Object.entries(elementsOf(type) ?? {}).filter(([, it]) => it.required && !it.choice);
    required.set(type, found);
  }
  return found;
}

/** What R4 wants and the message does not say, as of insurance for nobody (an empty PID), is unknown until somebody says it. */
function withRequired({ resource, initial }: Built): void {
  for (const [key, { type, list: repeats }] of requiredOf(resource.resourceType)) {
    const name = isPrimitive(type) ? `_${key}` : key;
    if (resource[key] !== undefined || resource[name] !== undefined) continue;
    resource[name] = repeats ? [unknownElement()] : unknownElement();
    initial.add(key);
  }
}

const list = (value: Json[] | undefined): Json[] => value ?? [];

/** org-2, org-3: an organization has no home. */
function neverHome(it: Json): void {
  if (it.use !== 'home') return;
  delete it.use;
  it.extension = [...list(it.extension), { url: `${ours}v2-use`, valueCode: 'home' }];
}

/** ait-2, con-5: what was entered in error has no clinical status; two segments may contradict each other. */
function withoutStatusOfAnError({ resource, clear }: Built): void {
  if (!resource.clinicalStatus || !isError(resource.verificationStatus)) return;
  delete resource.clinicalStatus;
  clear.add('clinicalStatus');
}

/** True for a status of verification that says that the whole is an error. */
export function isError(status: Json | undefined): boolean {
  return list(status?.coding).some((it) => it.code === 'entered-in-error');
}

const animal = 'http://hl7.org/fhir/StructureDefinition/patient-animal';

/** Of an animal the species must be told; some send the breed (PID-36) alone. */
function withSpecies(extension: Json): void {
  const parts = extension.extension as Json[];
  if (!parts.some((it) => it.url === 'species'))
    parts.unshift({ url: 'species', valueCodeableConcept: { text: 'unknown' } });
}

/** ctm-1: only a Practitioner acts on behalf of an organization. */
function onlyBehalf(participant: Json): void {
  const { member, onBehalfOf } = participant;
  if (!onBehalfOf || member?.reference?.startsWith('Practitioner/')) return;
  const extension = { url: `${ours}v2-on-behalf-of`, valueReference: onBehalfOf };
  participant.extension = [...(participant.extension ?? []), extension];
  delete participant.onBehalfOf;
}

function isReachable({ name, telecom, address, organization }: Json): boolean {
  return (name ?? telecom ?? address ?? organization) !== undefined;
}
