/** The smallest resource of a type that is sound R4: what is required, nothing else. */
import { readFileSync } from 'node:fs';
import { elementsOf, loadSchemas } from '../../src/fhir/definitions.ts';
import { Terminology } from '../../src/fhir/terminology/terminology.ts';
import type { Json, Resource } from '../../src/fhir/types.ts';

const bindings: Record<string, readonly string[]> = JSON.parse(
  readFileSync(new URL('../../src/fhir/r4/bindings.json', import.meta.url), 'utf8'),
);
const terminology = new Terminology();
const schemas = loadSchemas() as Record<string, Json>;

const primitives: Record<string, unknown> = {
  boolean: true,
  integer: 1,
  positiveInt: 1,
  unsignedInt: 1,
  decimal: 1,
  date: '2026-03-16',
  dateTime: '2026-03-16',
  instant: '2026-03-16T10:00:00Z',
  time: '10:00:00',
  uri: 'urn:example:uri',
  url: 'https://example.org/url',
  canonical: 'http://example.org/canonical',
  base64Binary: 'eA==',
  code: 'en',
};

/** What invariants and bindings ask for beyond the required elements. */
const more: Record<string, Json> = {
  AllergyIntolerance: {
    clinicalStatus: {
      coding: [{ system: 'http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical', code: 'active' }],
    },
  },
  Appointment: { participant: [{ status: 'accepted', actor: { reference: 'Patient/x' } }] },
  AppointmentResponse: { actor: { reference: 'Patient/x' } },
  Bundle: { type: 'collection' },
  Binary: { contentType: 'text/plain' },
  CapabilityStatement: { format: ['json'], kind: 'requirements', description: 'x', rest: [{ mode: 'server' }] },
  Consent: { policy: [{ authority: 'https://example.org' }] },
  EventDefinition: { trigger: [{ type: 'named-event', name: 'x' }] },
  EvidenceVariable: { characteristic: [{ definitionReference: { reference: 'Group/x' } }] },
  GraphDefinition: { start: 'Patient' },
  ImmunizationRecommendation: {
    recommendation: [{ forecastStatus: { text: 'x' }, targetDisease: { text: 'x' } }],
  },
  InsurancePlan: { name: 'x' },
  Linkage: {
    item: [
      { type: 'source', resource: { reference: 'Patient/x' } },
      { type: 'alternate', resource: { reference: 'Patient/y' } },
    ],
  },
  Organization: { name: 'x' },
  SearchParameter: { base: ['Patient'], status: 'draft' },
  StructureDefinition: {
    kind: 'resource',
    type: 'Patient',
    abstract: true,
    differential: { element: [{ id: 'Patient', path: 'Patient' }] },
  },
  Subscription: {
    status: 'off',
    criteria: 'Patient?active=true',
    channel: { type: 'rest-hook', endpoint: 'http://127.0.0.1:9/x' },
  },
  TerminologyCapabilities: { kind: 'requirements', description: 'x' },
};

export function smallest(type: string): Resource {
  return { resourceType: type, ...(required(type, type) as Json), ...more[type] };
}

function required(type: string, path: string): unknown {
  if (/^[a-z]/.test(type)) return primitives[type] ?? 'x';
  const node: Json = {};
  const chosen = new Set<string>();
  for (const [name, element] of Object.entries(elementsOf(type) ?? {})) {
    if (!element.required || (element.choice && chosen.has(element.choice))) continue;
    if (element.choice) chosen.add(element.choice);
    const value =
      codeOf(type, name) ??
      (element.type === 'Reference'
        ? { reference: `${element.targets?.[0] ?? 'Patient'}/x` }
        : required(element.type, `${path}.${name}`));
    node[name] = element.list ? [value] : value;
  }
  if (type === 'CodeableConcept' || type === 'Annotation') return { text: 'x', ...node };
  if (type === 'Quantity' || type === 'Money') return { value: 1, ...node };
  if (type === 'Period') return { start: '2026-03-16' };
  if (type === 'Coding') return { code: 'x' };
  if (type === 'Attachment') return { title: 'x' };
  return node;
}

/** The first code of an enumeration in the schema. */
function codeOf(type: string, name: string): string | undefined {
  const schema = schemas[type] ?? schemas[type.replaceAll('.', '_')] ?? schemas[schemaName(type)];
  const property = schema?.properties?.[name];
  const listed = (property?.enum ?? property?.items?.enum ?? property?.items?.anyOf?.[0]?.enum)?.[0];
  if (listed) return listed;
  if (/contentType|format/i.test(name)) return 'text/plain';
  const [bound] = bindings[`${type}.${name}`] ?? [];
  const isCode = elementsOf(type)?.[name]?.type === 'code';
  return bound && isCode ? terminology.codesIn(bound)[0]?.code : undefined;
}

function schemaName(path: string): string {
  const [root, ...rest] = path.split('.');
  return [root, rest.map((part) => part.charAt(0).toUpperCase() + part.slice(1)).at(-1)].join('_');
}
