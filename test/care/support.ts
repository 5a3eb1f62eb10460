/** A discharge for care tests: patient p1, visit e1, attended by d1. */
import { fileURLToPath } from 'node:url';
import { type Protocol, parseProtocol } from '../../src/care/protocol.ts';
import type { Json, StoredResource } from '../../src/fhir/types.ts';
import { readProfiles } from '../../src/profiles.ts';

export const profileFolder = fileURLToPath(new URL('../../profiles', import.meta.url));

export const general: Protocol = parseProtocol(
  readProfiles(profileFolder).find((it) => it.id === 'fu-general') as StoredResource,
);

export const patient: StoredResource = {
  resourceType: 'Patient',
  id: 'p1',
  identifier: [{ system: 'urn:id:RENHE', value: '1001' }],
  telecom: [{ system: 'phone', value: '13900009999' }],
};

export function visit(content: Json = {}): StoredResource {
  return {
    resourceType: 'Encounter',
    id: 'e1',
    identifier: [{ system: 'urn:id:RENHE', value: 'V1001' }],
    status: 'finished',
    class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'IMP' },
    subject: { reference: 'Patient/p1' },
    participant: [
      {
        type: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ParticipationType', code: 'ATND' }] }],
        individual: { reference: 'Practitioner/d1' },
      },
    ],
    period: { start: '2026-03-10T09:00:00+08:00', end: '2026-03-16T10:00:00+08:00' },
    ...content,
  };
}

/** What marks a patient for level 3. */
export const keyPatient: StoredResource = {
  resourceType: 'Flag',
  id: 'f1',
  status: 'active',
  code: { coding: [{ system: 'https://aftercare.example/fhir/CodeSystem/followup-flag', code: 'key-patient' }] },
  subject: { reference: 'Patient/p1' },
};

/** The action that a resource was made for: the second but last part of its identifier. */
export function actionOf(resource: Json): string {
  const identifier = [resource.identifier].flat()[0];
  return identifier.value.split('|').at(-2);
}
