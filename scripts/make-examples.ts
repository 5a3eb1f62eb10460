/**
 * Writes `profiles/examples/`: what the mapping makes of one discharge of the demo's hospital day, and what the care stage
 * makes of that. Run it after a change of either; a test says when it is due.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { enrol } from '../src/care/enrol.ts';
import { parseProtocol } from '../src/care/protocol.ts';
import { withdrawn } from '../src/care/withdraw.ts';
import type { StoredResource } from '../src/fhir/types.ts';
import { Zone } from '../src/fhir/zone.ts';
import { decode } from '../src/hl7v2/charset.ts';
import { parse } from '../src/hl7v2/message.ts';
import { Mapping } from '../src/mapping/map.ts';
import { readMappings } from '../src/mapping/read.ts';
import { readProfiles } from '../src/profiles.ts';

const root = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url));
const base = 'https://aftercare.example/fhir/StructureDefinition/aftercare-';
const zone = new Zone('Asia/Shanghai');
const now = Date.parse('2026-03-16T09:30:00+08:00');

/** The resource as one that claims its profile. */
export function claiming(resource: StoredResource): StoredResource {
  const { resourceType, id, meta, ...content } = resource;
  return { resourceType, id, meta: { ...meta, profile: [base + resourceType.toLowerCase()] }, ...content };
}

/** File name ─▶ example. */
export function examples(): Map<string, StoredResource> {
  const made = discharge();
  const find = (type: string, action = ''): StoredResource =>
    made.find((it) => it.resourceType === type && JSON.stringify(it.identifier).includes(action)) as StoredResource;
  const revisit = find('Appointment');
  return new Map(
    Object.entries({
      'Patient.json': find('Patient'),
      'Encounter.json': find('Encounter'),
      'CarePlan.json': find('CarePlan'),
      'Task-call.json': find('Task', 'l1-call'),
      'Task-survey.json': find('Task', 'l2-survey'),
      'Appointment.json': revisit,
      'Appointment-withdrawn.json': { ...withdrawn(revisit, 'cancelled-discharge'), id: `${revisit.id}-x` },
      'QuestionnaireResponse.json': find('QuestionnaireResponse'),
    }).map(([name, resource]) => [name, claiming(resource as StoredResource)]),
  );
}

function discharge(): StoredResource[] {
  const decoded = decode(readFileSync(root('demo/hospital-day/09-A03-zhang-home.hl7')), 'utf-8');
  const message = 'text' in decoded ? parse(decoded.text) : undefined;
  if (!message) throw new Error('the message of the example cannot be read');
  const mapped = new Mapping(readMappings(root('mappings'))).map(message, { zone, receivedAt: zone.isoOf(now) });
  const resources: StoredResource[] = mapped.resources.map((it) => it.resource);
  const [patient, encounter] = ['Patient', 'Encounter'].map((type) => resources.find((it) => it.resourceType === type));
  if (!patient || !encounter) throw new Error('the message of the example makes no patient or no encounter');
  const plans = readProfiles(root('profiles')).filter((it) => it.resourceType === 'PlanDefinition');
  const followUp = plans.flatMap((plan) =>
    enrol(parseProtocol(plan), { patient, encounter, flags: [], enrolment: 1, now }, zone),
  );
  return [patient, encounter, ...followUp];
}

if (import.meta.main)
  for (const [name, resource] of examples())
    writeFileSync(root(`profiles/examples/${name}`), `${JSON.stringify(resource, null, 2)}\n`);
