/** Resources that break one invariant, where they break it, and how they would not. */
import type { Json } from '../../src/fhir/types.ts';

export interface Case {
  readonly key: string;
  readonly broken: Json;
  readonly at: string;
  readonly sound: Json;
}

const xhtml = (content: string): string => `<div xmlns="http://www.w3.org/1999/xhtml">${content}</div>`;
const text = (content: string): Json => ({ text: { status: 'generated', div: xhtml(content) } });
const quantity = (value: number, more: Json = {}): Json => ({ value, unit: 'kg', ...more });
const condition = 'http://terminology.hl7.org/CodeSystem/condition-clinical';

/** One element of a resource, in its broken and its sound form. */
function at(key: string, base: Json, path: string, element: string, broken: unknown, sound: unknown): Case {
  const made = (value: unknown): Json => (value === undefined ? base : { ...base, [element]: value });
  return { key, at: path, broken: made(broken), sound: made(sound) };
}

const patient = { resourceType: 'Patient' };
const observation = { resourceType: 'Observation', status: 'final', code: { text: 'weight' } };
const appointment = {
  resourceType: 'Appointment',
  status: 'booked',
  participant: [{ type: [{ text: 'x' }], status: 'accepted' }],
};
const task = { resourceType: 'Task', status: 'requested', intent: 'order', authoredOn: '2026-03-16T10:00:00+08:00' };
const plan = { resourceType: 'CarePlan', status: 'active', intent: 'plan', subject: { reference: 'Patient/1' } };
const reply = { resourceType: 'QuestionnaireResponse', status: 'in-progress' };
const form = { resourceType: 'Questionnaire', status: 'draft' };
const codes = { resourceType: 'CodeSystem', status: 'draft', content: 'complete' };
const set = { resourceType: 'ValueSet', status: 'draft' };
const bundle = (type: string): Json => ({ resourceType: 'Bundle', type });
const entry = {
  fullUrl: 'urn:uuid:5a1a0c5e-5b5e-4b0e-8b0e-0a1b2c3d4e5f',
  resource: { resourceType: 'Patient', id: 'a' },
};
const documentBundle = { ...bundle('document'), identifier: { system: 'http://x', value: '1' } };
const composition = {
  fullUrl: 'urn:uuid:6a1a0c5e-5b5e-4b0e-8b0e-0a1b2c3d4e5f',
  resource: {
    resourceType: 'Composition',
    id: 'c',
    status: 'final',
    type: { text: 'x' },
    date: '2026',
    author: [{ display: 'x' }],
    title: 'x',
  },
};
const capability = {
  resourceType: 'CapabilityStatement',
  status: 'draft',
  date: '2026',
  fhirVersion: '4.0.1',
  format: ['json'],
  rest: [{ mode: 'server' }],
};
const structure = {
  resourceType: 'StructureDefinition',
  url: 'http://example.org/x',
  name: 'X',
  status: 'draft',
  kind: 'resource',
  abstract: false,
  type: 'Patient',
  baseDefinition: 'http://hl7.org/fhir/StructureDefinition/Patient',
  derivation: 'constraint',
};
const differential = (...element: Json[]): Json => ({ element });

export const cases: readonly Case[] = [
  at('ele-1', patient, 'Patient.name[0]', 'name', [{ id: 'x' }], [{ family: 'x' }]),
  at(
    'ext-1',
    patient,
    'Patient.extension[0]',
    'extension',
    [{ url: 'http://x' }],
    [{ url: 'http://x', valueCode: 'a' }],
  ),
  at(
    'ext-1',
    patient,
    'Patient.birthDate.extension[0]',
    '_birthDate',
    { extension: [{ url: 'http://x', valueCode: 'a', extension: [{ url: 'y', valueCode: 'b' }] }] },
    { extension: [{ url: 'http://x', extension: [{ url: 'y', valueCode: 'b' }] }] },
  ),
  at('pat-1', patient, 'Patient.contact[0]', 'contact', [{ gender: 'male' }], [{ name: { text: 'x' } }]),
  at('cpt-2', patient, 'Patient.telecom[0]', 'telecom', [{ value: '1' }], [{ system: 'phone', value: '1' }]),
  at('att-1', patient, 'Patient.photo[0]', 'photo', [{ data: 'AAAA' }], [{ data: 'AAAA', contentType: 'image/png' }]),
  at('txt-1', patient, 'Patient.text.div', 'text', text('<script>x</script>').text, text('<p>x</p>').text),
  at('txt-2', patient, 'Patient.text.div', 'text', text(' ').text, text('x').text),
  at(
    'per-1',
    patient,
    'Patient.name[0].period',
    'name',
    [{ family: 'x', period: { start: '2026-03-16T10:00:00+08:00', end: '2026-03-16T01:59:59Z' } }],
    [{ family: 'x', period: { start: '2026-03-16T10:00:00+08:00', end: '2026-03-16T02:00:00Z' } }],
  ),
  at(
    'ref-1',
    patient,
    'Patient.managingOrganization',
    'managingOrganization',
    { reference: '#a' },
    { reference: 'Organization/a' },
  ),
  {
    key: 'dom-2',
    at: 'Patient',
    broken: {
      ...patient,
      managingOrganization: { reference: '#a' },
      contained: [
        { resourceType: 'Organization', id: 'a', name: 'x', contained: [{ resourceType: 'Patient', id: 'b' }] },
      ],
    },
    sound: {
      ...patient,
      managingOrganization: { reference: '#a' },
      contained: [{ resourceType: 'Organization', id: 'a', name: 'x' }],
    },
  },
  at('dom-3', patient, 'Patient', 'contained', [{ resourceType: 'Organization', id: 'a', name: 'x' }], undefined),
  ...[
    ['dom-4', { versionId: '1' }],
    ['dom-5', { security: [{ system: 'http://x', code: 'a' }] }],
  ].map(([key, meta]): Case => {
    const holder = (more: Json): Json => ({
      ...patient,
      managingOrganization: { reference: '#a' },
      contained: [{ resourceType: 'Organization', id: 'a', name: 'x', ...more }],
    });
    return {
      key: key as string,
      at: 'Patient',
      broken: holder({ meta }),
      sound: holder({ meta: { tag: [{ code: 'a' }] } }),
    };
  }),
  at(
    'qty-3',
    observation,
    'Observation.value',
    'valueQuantity',
    quantity(1, { code: 'kg' }),
    quantity(1, { code: 'kg', system: 'http://x' }),
  ),
  at(
    'rng-2',
    observation,
    'Observation.value',
    'valueRange',
    { low: quantity(2), high: quantity(1) },
    { low: quantity(1), high: quantity(2) },
  ),
  at(
    'rat-1',
    observation,
    'Observation.value',
    'valueRatio',
    { numerator: quantity(1) },
    { numerator: quantity(1), denominator: quantity(2) },
  ),
  at(
    'sqty-1',
    observation,
    'Observation.value.low',
    'valueRange',
    { low: quantity(1, { comparator: '<' }) },
    { low: quantity(1) },
  ),
  at(
    'obs-3',
    observation,
    'Observation.referenceRange[0]',
    'referenceRange',
    [{ type: { text: 'x' } }],
    [{ text: 'x' }],
  ),
  at('obs-6', { ...observation, dataAbsentReason: { text: 'x' } }, 'Observation', 'valueString', 'x', undefined),
  at(
    'obs-7',
    { ...observation, code: { coding: [{ system: 'http://x', code: 'a' }] }, valueString: 'x' },
    'Observation',
    'component',
    [{ code: { coding: [{ code: 'a', system: 'http://x' }] } }],
    [{ code: { coding: [{ code: 'b', system: 'http://x' }] } }],
  ),
  at(
    'tim-1',
    observation,
    'Observation.effective.repeat',
    'effectiveTiming',
    { repeat: { duration: 1 } },
    { repeat: { duration: 1, durationUnit: 'd' } },
  ),
  at(
    'tim-9',
    observation,
    'Observation.effective.repeat',
    'effectiveTiming',
    { repeat: { offset: 5, when: ['C'] } },
    { repeat: { offset: 5, when: ['HS'] } },
  ),
  at(
    'app-1',
    { ...appointment, start: '2026-03-16T10:00:00Z', end: '2026-03-16T11:00:00Z' },
    'Appointment.participant[0]',
    'participant',
    [{ status: 'accepted' }],
    [{ type: [{ text: 'x' }], status: 'accepted' }],
  ),
  at(
    'app-2',
    { ...appointment, start: '2026-03-16T10:00:00Z' },
    'Appointment',
    'end',
    undefined,
    '2026-03-16T11:00:00Z',
  ),
  at('app-3', appointment, 'Appointment', 'status', 'booked', 'proposed'),
  at('app-4', { ...appointment, status: 'proposed' }, 'Appointment', 'cancelationReason', { text: 'x' }, undefined),
  at('inv-1', task, 'Task', 'lastModified', '2026-03-16T01:59:59Z', '2026-03-16T02:00:00Z'),
  at(
    'cpl-3',
    plan,
    'CarePlan.activity[0]',
    'activity',
    [{ reference: { reference: 'Task/1' }, detail: { status: 'completed' } }],
    [{ reference: { reference: 'Task/1' } }],
  ),
  at(
    'ctm-1',
    { resourceType: 'CareTeam' },
    'CareTeam.participant[0]',
    'participant',
    [{ member: { reference: 'Patient/1' }, onBehalfOf: { reference: 'Organization/1' } }],
    [{ member: { reference: 'Practitioner/1' }, onBehalfOf: { reference: 'Organization/1' } }],
  ),
  at(
    'qrs-1',
    reply,
    'QuestionnaireResponse.item[0]',
    'item',
    [{ linkId: 'a', answer: [{ valueString: 'x' }], item: [{ linkId: 'b' }] }],
    [{ linkId: 'a', item: [{ linkId: 'b' }] }],
  ),
  at(
    'que-1',
    form,
    'Questionnaire.item[0]',
    'item',
    [{ linkId: 'a', type: 'group' }],
    [{ linkId: 'a', type: 'group', item: [{ linkId: 'b', type: 'string' }] }],
  ),
  at(
    'que-2',
    form,
    'Questionnaire',
    'item',
    [{ linkId: 'a', type: 'group', item: [{ linkId: 'a', type: 'string' }] }],
    [{ linkId: 'a', type: 'string' }],
  ),
  at(
    'que-7',
    form,
    'Questionnaire.item[0].enableWhen[0]',
    'item',
    [{ linkId: 'a', type: 'string', enableWhen: [{ question: 'a', operator: 'exists', answerString: 'x' }] }],
    [{ linkId: 'a', type: 'string', enableWhen: [{ question: 'b', operator: 'exists', answerBoolean: true }] }],
  ),
  at(
    'csd-1',
    codes,
    'CodeSystem',
    'concept',
    [{ code: 'a', concept: [{ code: 'b' }, { code: 'b' }] }],
    [{ code: 'a', concept: [{ code: 'b' }] }],
  ),
  at(
    'vsd-1',
    set,
    'ValueSet.compose.include[0]',
    'compose',
    { include: [{ version: '1' }] },
    { include: [{ system: 'http://x' }] },
  ),
  at(
    'con-4',
    { resourceType: 'Condition', subject: { reference: 'Patient/1' }, abatementString: 'x' },
    'Condition',
    'clinicalStatus',
    { coding: [{ system: condition, code: 'active' }] },
    { coding: [{ system: condition, code: 'resolved' }] },
  ),
  at('org-1', { resourceType: 'Organization', active: true }, 'Organization', 'name', undefined, 'x'),
  at(
    'org-3',
    { resourceType: 'Organization', name: 'x' },
    'Organization.telecom[0]',
    'telecom',
    [{ system: 'phone', value: '1', use: 'home' }],
    [{ system: 'phone', value: '1', use: 'work' }],
  ),
  at(
    'cmp-1',
    {
      resourceType: 'Composition',
      status: 'final',
      type: { text: 'x' },
      date: '2026',
      author: [{ reference: 'Patient/1' }],
      title: 'x',
    },
    'Composition.section[0]',
    'section',
    [{ title: 'x' }],
    [{ title: 'x', entry: [{ reference: 'Patient/1' }] }],
  ),
  at(
    'inv-1',
    { resourceType: 'Parameters' },
    'Parameters.parameter[0]',
    'parameter',
    [{ name: 'x' }],
    [{ name: 'x', valueString: 'y' }],
  ),
  at('bdl-1', bundle('collection'), 'Bundle', 'total', 1, undefined),
  at(
    'bdl-3',
    bundle('transaction'),
    'Bundle',
    'entry',
    [entry],
    [{ ...entry, request: { method: 'PUT', url: 'Patient/a' } }],
  ),
  at('bdl-5', bundle('collection'), 'Bundle.entry[0]', 'entry', [{ fullUrl: entry.fullUrl }], [entry]),
  at('bdl-7', bundle('collection'), 'Bundle', 'entry', [entry, entry], [entry]),
  at(
    'bdl-8',
    bundle('collection'),
    'Bundle.entry[0]',
    'entry',
    [{ ...entry, fullUrl: 'http://x/Patient/a/_history/1' }],
    [{ ...entry, fullUrl: 'http://x/Patient/a' }],
  ),
  at('bdl-10', { ...documentBundle, entry: [composition] }, 'Bundle', 'timestamp', undefined, '2026-03-16T10:00:00Z'),
  at('bdl-11', { ...documentBundle, timestamp: '2026-03-16T10:00:00Z' }, 'Bundle', 'entry', [entry], [composition]),
  at(
    'cpb-3',
    { ...capability, kind: 'requirements', description: 'x' },
    'CapabilityStatement',
    'messaging',
    [{ endpoint: [{ protocol: { code: 'http' }, address: 'http://x' }] }],
    undefined,
  ),
  at(
    'cpb-9',
    { ...capability, kind: 'requirements', description: 'x' },
    'CapabilityStatement.rest[0]',
    'rest',
    [{ mode: 'server', resource: [{ type: 'Patient' }, { type: 'Patient' }] }],
    [{ mode: 'server', resource: [{ type: 'Patient' }] }],
  ),
  at(
    'sdf-6',
    structure,
    'StructureDefinition',
    'differential',
    undefined,
    differential({ id: 'Patient', path: 'Patient' }),
  ),
  at(
    'sdf-9',
    structure,
    'StructureDefinition',
    'differential',
    differential({ id: 'Patient', path: 'Patient', label: 'x' }),
    differential({ id: 'Patient', path: 'Patient' }),
  ),
  at(
    'sdf-17',
    structure,
    'StructureDefinition',
    'differential',
    differential({ id: 'Patient', path: 'Patient' }, { id: 'Patient', path: 'Patient.name' }),
    differential({ id: 'Patient', path: 'Patient' }),
  ),
  at(
    'sdf-8a',
    structure,
    'StructureDefinition.differential',
    'differential',
    differential({ id: 'Patient', path: 'Patient' }, { id: 'x', path: 'Observation.name' }),
    differential({ id: 'Patient', path: 'Patient' }),
  ),
  at(
    'eld-2',
    structure,
    'StructureDefinition.differential.element[1]',
    'differential',
    differential({ id: 'Patient', path: 'Patient' }, { id: 'Patient.name', path: 'Patient.name', min: 2, max: '1' }),
    differential({ id: 'Patient', path: 'Patient' }),
  ),
  at(
    'eld-3',
    structure,
    'StructureDefinition.differential.element[1].max',
    'differential',
    differential({ id: 'Patient', path: 'Patient' }, { id: 'Patient.name', path: 'Patient.name', max: 'many' }),
    differential({ id: 'Patient', path: 'Patient' }),
  ),
];
