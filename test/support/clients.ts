/** FHIR clients that we did not write, as their users make them. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { MedplumClient, type MedplumClientOptions } from '@medplum/core';
import { Client } from 'fhir-kit-client';
import FHIR from 'fhirclient';
import type { App } from '../../src/app.ts';

type Server = Pick<App, 'http'>;
export type SmartClient = ReturnType<ReturnType<typeof FHIR>['client']>;

/** `fhir-kit-client`. */
export function fhirKit({ http }: Server): Client {
  return new Client({ baseUrl: http });
}

/** `@medplum/core`. What it would take from its cache, it asks for. */
export function medplum({ http }: Server, options: MedplumClientOptions = {}): MedplumClient {
  const baseUrl = `${new URL(http).origin}/`;
  return new MedplumClient({
    baseUrl,
    fhirUrlPath: 'fhir/',
    cacheTime: 0,
    autoBatchTime: 0,
    maxRetries: 0,
    fetch,
    ...options,
  });
}

/**
 * `fhirclient`, the SMART client, on the side of a server.
 * @param patient the id of the patient that the launch was for
 */
export function smart({ http }: Server, patient?: string): SmartClient {
  const kept = new Map<string, any>();
  const storage = {
    get: async (key: string) => kept.get(key),
    set: async (key: string, value: any) => kept.set(key, value) && value,
    unset: async (key: string) => kept.delete(key),
  };
  // A launch without authorisation looks at neither.
  const api = FHIR({} as IncomingMessage, {} as ServerResponse, storage);
  return api.client(patient === undefined ? http : { serverUrl: http, tokenResponse: { patient } });
}

/** The resources of a Bundle. */
export function resourcesOf(bundle: any): any[] {
  return (bundle.entry ?? []).map((it: any) => it.resource);
}

/** The ids in the `Location` of each entry of a transaction's response. */
export function idsOf(bundle: any): string[] {
  return bundle.entry.map((it: any) => /\/([^/]+)\/_history\/\d+$/.exec(it.response.location)?.[1]);
}

/** How many Observations a {@link ward} has: more than one page of 3. */
export const pulses = 7;

/**
 * A ward on its first day, as a transaction whose entries name each other by `urn:uuid`: a doctor, two patients of hers, the
 * stay of one of them and the pulse on seven mornings, 60 to 66 a minute.
 */
export function ward(): any {
  const urn = (n: number): string => `urn:uuid:00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
  const entry = (n: number, resource: any): any => ({
    fullUrl: urn(n),
    resource,
    request: { method: 'POST', url: resource.resourceType },
  });
  const [doctor, jane, , stay] = [1, 2, 3, 4].map((n) => ({ reference: urn(n) }));
  const coding = (system: string, code: string): any => ({ coding: [{ system, code }] });
  const patient = { resourceType: 'Patient', generalPractitioner: [doctor] };
  return {
    resourceType: 'Bundle',
    type: 'transaction',
    entry: [
      entry(1, { resourceType: 'Practitioner', name: [{ family: 'Okafor', given: ['Ada'] }] }),
      entry(2, {
        ...patient,
        identifier: [{ system: 'urn:ward', value: 'jane' }],
        name: [{ family: 'Müller', given: ['Jane'] }],
        gender: 'female',
        birthDate: '1980-02-29',
      }),
      entry(3, {
        ...patient,
        identifier: [{ system: 'urn:ward', value: 'john' }],
        name: [{ family: 'Müller', given: ['John'] }],
        gender: 'male',
        birthDate: '1955-07',
      }),
      entry(4, {
        resourceType: 'Encounter',
        status: 'in-progress',
        class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'IMP' },
        subject: jane,
        participant: [{ individual: doctor }],
      }),
      ...Array.from({ length: pulses }, (_, day) =>
        entry(5 + day, {
          resourceType: 'Observation',
          status: 'final',
          code: coding('http://loinc.org', '8867-4'),
          subject: jane,
          encounter: stay,
          effectiveDateTime: `2026-03-0${day + 1}T07:00:00+08:00`,
          valueQuantity: { value: 60 + day, unit: '/min', system: 'http://unitsofmeasure.org', code: '/min' },
        }),
      ),
    ],
  };
}
