/** Subscriptions, encounters and bundles that the tests of this folder write. */
import type { Json } from '../../src/fhir/types.ts';

export const topicUrl = 'https://aftercare.example/fhir/SubscriptionTopic/discharge-final';
export const backport = 'http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/';
export const statusProfile = `${backport}backport-subscription-status-r4`;

export interface TopicOptions {
  readonly level?: 'empty' | 'id-only' | 'full-resource';
  readonly filters?: readonly string[];
  readonly headers?: readonly string[];
  readonly payload?: string;
  readonly status?: string;
  readonly end?: string;
  readonly maxCount?: number;
  readonly timeoutSeconds?: number;
}

/** A Subscription on the topic of the final discharge, as the backport IG writes it. */
export function topicSubscription(endpoint: string, options: TopicOptions = {}): Json {
  const { level = 'id-only', filters = [], headers, payload = 'application/fhir+json', status = 'requested' } = options;
  const { end, maxCount, timeoutSeconds } = options;
  const extension = [
    ...(maxCount ? [{ url: `${backport}backport-max-count`, valuePositiveInt: maxCount }] : []),
    ...(timeoutSeconds ? [{ url: `${backport}backport-timeout`, valueUnsignedInt: timeoutSeconds }] : []),
  ];
  return {
    resourceType: 'Subscription',
    meta: { profile: [`${backport}backport-subscription`] },
    status,
    reason: 'test',
    ...(end && { end }),
    criteria: topicUrl,
    ...(filters.length > 0 && {
      _criteria: {
        extension: filters.map((valueString) => ({ url: `${backport}backport-filter-criteria`, valueString })),
      },
    }),
    channel: {
      ...(extension.length > 0 && { extension }),
      type: 'rest-hook',
      endpoint,
      payload,
      _payload: { extension: [{ url: `${backport}backport-payload-content`, valueCode: level }] },
      ...(headers && { header: headers }),
    },
  };
}

/** A Subscription as R4 core has it: a search string as criteria. */
export function classicSubscription(endpoint: string, criteria: string, payload?: string): Json {
  return {
    resourceType: 'Subscription',
    status: 'requested',
    reason: 'test',
    criteria,
    channel: { type: 'rest-hook', endpoint, ...(payload && { payload }) },
  };
}

export function patient(id: string): Json {
  return { resourceType: 'Patient', id, name: [{ family: '张', given: ['伟'] }] };
}

export function encounter(id: string, status: string, patientId = 'p1', disposition?: string): Json {
  return {
    resourceType: 'Encounter',
    id,
    status,
    class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'IMP' },
    subject: { reference: `Patient/${patientId}` },
    period: { start: '2026-03-10T09:00:00+08:00', ...(status === 'finished' && { end: '2026-03-16T10:00:00+08:00' }) },
    ...(disposition && {
      hospitalization: {
        dischargeDisposition: {
          coding: [{ system: 'http://terminology.hl7.org/CodeSystem/discharge-disposition', code: disposition }],
        },
      },
    }),
  };
}
