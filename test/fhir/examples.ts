/** Example resources: what the sample hospital day becomes, its care plans, and one of every type with every element. */
import { fileURLToPath } from 'node:url';
import { enrol } from '../../src/care/enrol.ts';
import { parseProtocol } from '../../src/care/protocol.ts';
import { elementsOf, resourceTypes } from '../../src/fhir/definitions.ts';
import type { Json, Resource, StoredResource } from '../../src/fhir/types.ts';
import { Zone } from '../../src/fhir/zone.ts';
import { decode } from '../../src/hl7v2/charset.ts';
import { parse } from '../../src/hl7v2/message.ts';
import { Mapping } from '../../src/mapping/map.ts';
import { readMappings } from '../../src/mapping/read.ts';
import { readProfiles } from '../../src/profiles.ts';
import { hospitalDay } from '../support/messages.ts';

const root = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const zone = new Zone('Asia/Shanghai');
const now = Date.parse('2026-03-16T02:30:00Z');

/** Resources of the hospital day with the plans of its discharges, and the shipped profiles. */
export function realResources(): StoredResource[] {
  const mapping = new Mapping(readMappings(root('mappings')));
  const profiles = readProfiles(root('profiles'));
  const protocols = profiles.filter((it) => it.resourceType === 'PlanDefinition').map(parseProtocol);
  const made: StoredResource[] = [...profiles];
  for (const { name, bytes } of hospitalDay()) {
    const decoded = decode(bytes, 'utf-8');
    const message = 'text' in decoded ? parse(decoded.text) : undefined;
    if (!message) throw new Error(`${name} cannot be read`);
    const resources: StoredResource[] = mapping
      .map(message, { zone, receivedAt: zone.isoOf(now) })
      .resources.map((it) => it.resource);
    const patient = resources.find((it) => it.resourceType === 'Patient');
    const encounter = resources.find((it) => it.resourceType === 'Encounter');
    made.push(...resources);
    if (!patient || encounter?.status !== 'finished') continue;
    for (const protocol of protocols)
      made.push(...enrol(protocol, { patient, encounter, flags: [], enrolment: 1, now }, zone));
  }
  return made;
}

const primitives: Record<string, unknown> = {
  boolean: true,
  integer: 3,
  positiveInt: 3,
  unsignedInt: 3,
  decimal: 1.5,
  date: '2026-03-16',
  dateTime: '2026-03-16T10:00:00+08:00',
  instant: '2026-03-16T10:00:00.5Z',
  time: '10:00:00',
  uri: 'urn:example:uri',
  url: 'https://example.org/url',
  canonical: 'http://example.org/canonical',
  xhtml: '<div xmlns="http://www.w3.org/1999/xhtml">x</div>',
};

/** Codes that expressions ask for: `telecom.where(system='phone')`, `relatedArtifact.where(type='depends-on')`. */
const codes: Record<string, readonly string[]> = {
  'ContactPoint.system': ['phone', 'email'],
  'RelatedArtifact.type': ['composed-of', 'depends-on', 'derived-from', 'predecessor', 'successor'],
};

const depthMax = 5;

/** A value of every element of a type; `turn` picks among the types of a choice and the targets of a reference. */
function filled(type: string, turn: number, depth: number): unknown {
  if (/^[a-z]/.test(type)) return primitives[type] ?? `${type}-${turn}`;
  const elements = elementsOf(type);
  if (!elements || depth > depthMax) return undefined;
  const node: Json = {};
  const choices = new Map<string, string[]>();
  for (const [name, { choice }] of Object.entries(elements))
    if (choice) choices.set(choice, [...(choices.get(choice) ?? []), name]);
  for (const [name, element] of Object.entries(elements)) {
    if (['contained', 'extension', 'modifierExtension'].includes(name) || element.type === 'Narrative') continue;
    const names = element.choice ? (choices.get(element.choice) as string[]) : [name];
    if (names[turn % names.length] !== name) continue;
    const one = (n: number): unknown => {
      const code = codes[`${type}.${name}`];
      if (code) return code[n % code.length];
      if (element.type === 'Reference')
        return { reference: `${element.targets?.[n % element.targets.length] ?? 'Patient'}/r${n}` };
      return filled(element.type, n, depth + 1);
    };
    const value = element.list ? [one(turn), one(turn + 1)].filter((it) => it !== undefined) : one(turn);
    if (value !== undefined && !(Array.isArray(value) && value.length === 0)) node[name] = value;
  }
  return node;
}

/** Variants of a type with every element filled in; each variant takes other types of its choices. */
export function filledResources(type: string, variants: number): Resource[] {
  return Array.from({ length: variants }, (_, turn) => ({
    ...(filled(type, turn, 0) as Json),
    resourceType: type,
    id: `${type.toLowerCase()}-${turn}`,
  }));
}

export const allTypes = resourceTypes;
