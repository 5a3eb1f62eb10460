/** A hospital RENHE that is told everything, and what one of its patients and her visit are here. */
import type { Json, Resource } from '../../src/fhir/types.ts';
import { Zone } from '../../src/fhir/zone.ts';
import { type Destination, type DestinationEntry, destinationsOf } from '../../src/mapping/destination.ts';
import { controlIdOf, messageBytes } from '../../src/outbound/message.ts';
import type { Content, Scene } from '../../src/outbound/scene.ts';

export const zone = new Zone('Asia/Shanghai');

/** 2026-03-16 10:30 in Shanghai. */
export const now = Date.parse('2026-03-16T02:30:00Z');

export function destination(entry: Partial<DestinationEntry> = {}): Destination {
  const all = destinationsOf(
    [
      {
        name: 'his',
        host: '127.0.0.1',
        port: 6661,
        application: 'HIS',
        facility: 'RENHE',
        send: ['SIU^S12', 'ORU^R01', 'MDM^T02'],
        ...entry,
      },
    ],
    new Map(),
  );
  return all[0] as Destination;
}

export const patient: Resource & { id: string } = {
  resourceType: 'Patient',
  id: 'p1',
  identifier: [
    { system: 'urn:id:RENHE', value: '1001', type: { coding: [{ code: 'MR' }] } },
    { system: 'urn:id:CHN', value: '990000197104220114', type: { coding: [{ code: 'NI' }] } },
    { system: 'urn:id:RENHE', value: '0999', use: 'old', type: { coding: [{ code: 'MR' }] } },
  ],
  name: [
    { use: 'official', family: '张', given: ['伟'] },
    { use: 'old', family: '王' },
  ],
  gender: 'male',
  birthDate: '1971-04-22',
};

export const encounter: Resource & { id: string } = {
  resourceType: 'Encounter',
  id: 'e1',
  identifier: [{ system: 'urn:id:RENHE', value: 'V1001', type: { coding: [{ code: 'VN' }] } }],
  status: 'finished',
  class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'IMP' },
  subject: { reference: 'Patient/p1' },
};

export const doctor: Resource & { id: string } = {
  resourceType: 'Practitioner',
  id: 'd1',
  identifier: [{ system: 'urn:id:RENHE', value: 'D071' }],
  name: [{ family: '李', given: ['敏'], prefix: ['Dr'] }],
};

/** The scene of a message, with the resources that it may look at. */
export function scene(about: Partial<Scene> = {}, resources: readonly Json[] = [doctor]): Scene {
  const all = new Map(resources.map((it) => [`${it.resourceType}/${it.id}`, it]));
  const asked = new Map(resources.map((it) => [`${it.url}|${it.version}`, it]));
  return {
    destination: destination(),
    zone,
    patient,
    encounter,
    look: (reference) => all.get(reference ?? ''),
    questionnaire: (canonical) => asked.get(canonical ?? ''),
    ...about,
  };
}

/** The message as it is sent, a line for each segment. */
export function text(content: Content | undefined, to = destination()): string {
  if (!content) return '';
  const controlId = controlIdOf(to.name, 'a test');
  const bytes = messageBytes(content, controlId, { destination: to, zone, now });
  return new TextDecoder(to.charset === 'UTF-8' ? 'utf-8' : 'gb18030', { fatal: true })
    .decode(bytes)
    .replaceAll('\r', '\n');
}
