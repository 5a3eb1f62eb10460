/** What clients of the bench write: patients of whom some share a name, and discharges. */
import type { Json, Resource } from '../../src/fhir/types.ts';

export const identifierSystem = 'urn:oid:2.16.840.1.113883.4.330.156';

/** Patients that share a family name: three pages by family name, more than one by family name and gender. */
const sharing = 60;

/** How many family names there are among so many patients. */
export function familyCount(patients: number): number {
  return Math.max(1, Math.floor(patients / sharing));
}

/** All of one length, so that no name is the beginning of another. */
export function familyName(n: number, patients: number): string {
  const families = familyCount(patients);
  return `Family${String(n % families).padStart(6, '0')}`;
}

/** @param patients how many share the names */
export function patient(n: number, patients: number): Resource {
  const day = String(1 + (n % 28)).padStart(2, '0');
  return {
    resourceType: 'Patient',
    active: true,
    identifier: [
      { use: 'official', system: identifierSystem, value: String(10_000_000 + n) },
      { use: 'usual', system: 'urn:id:hospital', value: `M${10_000_000 + n}` },
    ],
    name: [{ use: 'official', family: familyName(n, patients), given: [`Given${n % 331}`] }],
    telecom: [{ system: 'phone', value: `138${String(n).padStart(8, '0')}`, use: 'mobile' }],
    gender: Math.floor(n / familyCount(patients)) % 2 ? 'male' : 'female',
    birthDate: `19${10 + ((n * 7) % 90)}-0${1 + (n % 9)}-${day}`,
    address: [{ use: 'home', line: ['Jianguo Road 88'], city: 'Beijing', postalCode: '100022', country: 'CN' }],
    contact: [{ name: { text: 'Next of kin' }, telecom: [{ system: 'phone', value: '13900000000' }] }],
  };
}

const urn = (i: number): string => `urn:uuid:00000000-0000-4000-8000-${String(i).padStart(12, '0')}`;
const coded = (system: string, code: string, display: string): Json => ({ coding: [{ system, code, display }] });
const snomed = 'http://snomed.info/sct';
const [person, doctor, ward, visit, plan] = [0, 1, 2, 3, 6].map((i) => ({ reference: urn(i) }));

/**
 * The discharge of a patient as one transaction of 15 creates that refer to each other by `urn:uuid`. The visit is not
 * `finished` yet: else the care stage would answer with a plan of its own, and this row is about the transaction.
 */
export function discharge(n: number, patients: number): Resource {
  const value = String(20_000_000 + n);
  const resources: Resource[] = [
    patient(n, patients),
    { resourceType: 'Practitioner', active: true, name: [{ family: 'Li', given: ['Ming'], prefix: ['Dr'] }] },
    { resourceType: 'Organization', active: true, name: 'Cardiology', telecom: [{ system: 'phone', value: '010-1' }] },
    {
      resourceType: 'Encounter',
      identifier: [{ system: 'urn:id:visit', value: `V${value}` }],
      status: 'in-progress',
      class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'IMP' },
      subject: person,
      participant: [{ individual: doctor }],
      period: { start: '2026-03-10T09:00:00+08:00', end: '2026-03-16T10:00:00+08:00' },
      diagnosis: [{ condition: { reference: urn(4) } }],
      serviceProvider: ward,
    },
    ...[
      ['22298006', 'Myocardial infarction'],
      ['38341003', 'Hypertensive disorder'],
    ].map(([code, display]) => condition(code as string, display as string)),
    carePlan(),
    ...[1, 7, 30].map((day) => task(day, value)),
    appointment(),
    questionnaireResponse(),
    {
      resourceType: 'Observation',
      status: 'final',
      code: coded('http://loinc.org', '8867-4', 'Heart rate'),
      subject: person,
      encounter: visit,
      effectiveDateTime: '2026-03-16T08:00:00+08:00',
      valueQuantity: { value: 60 + (n % 40), unit: 'beats/minute', system: 'http://unitsofmeasure.org', code: '/min' },
    },
    {
      resourceType: 'MedicationRequest',
      status: 'active',
      intent: 'order',
      medicationCodeableConcept: coded(snomed, '387458008', 'Aspirin'),
      subject: person,
      encounter: visit,
      authoredOn: '2026-03-16T09:00:00+08:00',
      requester: doctor,
      dosageInstruction: [{ text: '100 mg once daily' }],
    },
    {
      resourceType: 'Communication',
      status: 'completed',
      subject: person,
      encounter: visit,
      sent: '2026-03-16T10:00:00+08:00',
      payload: [{ contentString: 'Discharge letter handed over' }],
    },
  ];
  const entry = resources.map((resource, i) => ({
    fullUrl: urn(i),
    resource,
    request: { method: 'POST', url: resource.resourceType },
  }));
  return { resourceType: 'Bundle', type: 'transaction', entry };
}

function condition(code: string, display: string): Resource {
  return {
    resourceType: 'Condition',
    clinicalStatus: coded('http://terminology.hl7.org/CodeSystem/condition-clinical', 'active', 'Active'),
    verificationStatus: coded('http://terminology.hl7.org/CodeSystem/condition-ver-status', 'confirmed', 'Confirmed'),
    code: coded(snomed, code, display),
    subject: person,
    encounter: visit,
    onsetDateTime: '2026-03-09',
  };
}

function carePlan(): Resource {
  return {
    resourceType: 'CarePlan',
    status: 'active',
    intent: 'plan',
    title: 'Follow-up after discharge',
    subject: person,
    encounter: visit,
    period: { start: '2026-03-16', end: '2026-04-15' },
    addresses: [{ reference: urn(4) }],
    activity: [7, 8, 9, 10].map((i) => ({ reference: { reference: urn(i) } })),
  };
}

function task(day: number, value: string): Resource {
  return {
    resourceType: 'Task',
    identifier: [{ system: 'urn:id:task', value: `T${value}-${day}` }],
    basedOn: [plan],
    status: 'requested',
    intent: 'plan',
    code: { text: `Call on day ${day}` },
    for: person,
    encounter: visit,
    authoredOn: '2026-03-16T10:00:00+08:00',
    requester: doctor,
    owner: ward,
    restriction: { period: { start: '2026-03-17', end: '2026-04-15' } },
  };
}

function appointment(): Resource {
  return {
    resourceType: 'Appointment',
    status: 'booked',
    start: '2026-03-30T09:00:00+08:00',
    end: '2026-03-30T09:20:00+08:00',
    participant: [person, doctor].map((actor) => ({ actor, status: 'accepted' })),
  };
}

function questionnaireResponse(): Resource {
  return {
    resourceType: 'QuestionnaireResponse',
    status: 'completed',
    basedOn: [plan],
    subject: person,
    encounter: visit,
    authored: '2026-03-16T10:00:00+08:00',
    author: doctor,
    item: [
      { linkId: 'pain', text: 'Pain today, 0 to 10', answer: [{ valueInteger: 2 }] },
      { linkId: 'help', text: 'Somebody helps at home', answer: [{ valueBoolean: true }] },
    ],
  };
}
