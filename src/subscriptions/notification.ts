/** Notification bundles of the R5 backport IG for R4 (STU 1.1). Pure. */
import type { Json } from '../fhir/types.ts';
import type { ParsedSubscription } from './subscription.ts';

const profile = 'http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/';

export type NotificationType = 'handshake' | 'heartbeat' | 'event-notification' | 'query-status' | 'query-event';

/** An event with the resource as the event saw it; no resource after a deletion. */
export interface NotifiedEvent {
  readonly number: number;
  /** ISO instant. */
  readonly at: string;
  /** `Encounter/1`. */
  readonly focus: string;
  readonly method: 'POST' | 'PUT' | 'DELETE';
  readonly resource: Json | undefined;
  /** What the topic's shape sends along: `Patient/1` with the resource. */
  readonly context: readonly { readonly reference: string; readonly resource: Json | undefined }[];
}

export interface Status {
  /** FHIR base URL of this server. */
  readonly base: string;
  readonly status: string;
  readonly type: NotificationType;
  /** Events so far, delivered or not (A4.10). */
  readonly total: number;
  /** ISO instant. */
  readonly at: string;
}

/** The Parameters of `backport-subscription-status-r4`. */
export function statusParameters(
  subscription: ParsedSubscription,
  status: Status,
  events: readonly NotifiedEvent[],
): Json {
  const { id, trigger, level } = subscription;
  const focus = level !== 'empty';
  return {
    resourceType: 'Parameters',
    meta: { profile: [`${profile}backport-subscription-status-r4`] },
    parameter: [
      { name: 'subscription', valueReference: { reference: `${status.base}/Subscription/${id}` } },
      ...(trigger.kind === 'topic' && focus ? [{ name: 'topic', valueCanonical: trigger.topic.url }] : []),
      { name: 'status', valueCode: status.status },
      { name: 'type', valueCode: status.type },
      { name: 'events-since-subscription-start', valueString: String(status.total) },
      ...events.map((event) => ({
        name: 'notification-event',
        part: [
          { name: 'event-number', valueString: String(event.number) },
          { name: 'timestamp', valueInstant: event.at },
          ...(focus
            ? [event.focus, ...event.context.map((it) => it.reference)].map((reference, i) => ({
                name: i === 0 ? 'focus' : 'additional-context',
                valueReference: { reference: `${status.base}/${reference}` },
              }))
            : []),
        ],
      })),
    ],
  };
}

/**
 * The Bundle: the status first (A4.02), then one entry per focus as the level allows (A5).
 * @param ids gives the fullUrl of the status entry
 */
export function notificationBundle(
  subscription: ParsedSubscription,
  status: Status,
  events: readonly NotifiedEvent[],
  ids: { next(): string },
): Json {
  return {
    resourceType: 'Bundle',
    id: ids.next(),
    meta: { profile: [`${profile}backport-subscription-notification-r4`] },
    type: 'history',
    timestamp: status.at,
    entry: [
      {
        fullUrl: `urn:uuid:${ids.next()}`,
        resource: statusParameters(subscription, status, events),
        request: { method: 'GET', url: `${status.base}/Subscription/${subscription.id}/$status` },
        response: { status: '200' },
      },
      ...(subscription.level === 'empty'
        ? []
        : events.flatMap((event) => eventEntries(subscription, status.base, event))),
    ],
  };
}

function eventEntries({ level }: ParsedSubscription, base: string, event: NotifiedEvent): Json[] {
  const body = (resource: Json | undefined): Json => (level === 'full-resource' && resource ? { resource } : {});
  const { focus, method, resource, context } = event;
  return [
    {
      fullUrl: `${base}/${focus}`,
      ...body(resource),
      request: { method, url: method === 'POST' ? focus.split('/')[0] : focus },
      response: { status: method === 'POST' ? '201' : '200' },
    },
    ...context.map((it) => ({
      fullUrl: `${base}/${it.reference}`,
      ...body(it.resource),
      request: { method: 'GET', url: it.reference },
      response: { status: '200' },
    })),
  ];
}
