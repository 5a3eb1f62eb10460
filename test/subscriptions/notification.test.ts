import { describe, expect, test } from '@jest/globals';
import type { Json, Resource } from '../../src/fhir/types.ts';
import { errorsOf } from '../../src/fhir/validate.ts';
import { countingIds } from '../../src/ids.ts';
import { type NotificationType, type NotifiedEvent, notificationBundle } from '../../src/subscriptions/notification.ts';
import { type PayloadLevel, parseSubscription } from '../../src/subscriptions/subscription.ts';
import { subscriptionParts } from './parts.ts';
import { encounter, patient, statusProfile, topicSubscription, topicUrl } from './resources.ts';
import { statusPart } from './subscriber.ts';

const parts = subscriptionParts();
const base = 'http://127.0.0.1:8080/fhir';
const at = '2026-03-16T02:00:00.000Z';

function bundle(
  level: PayloadLevel,
  type: NotificationType,
  events: readonly NotifiedEvent[] = [],
  total = events.length,
): Json {
  const resource = { ...topicSubscription('https://example.org/hook', { level }), id: 's1' } as Resource;
  const status = { base, status: type === 'handshake' ? 'requested' : 'active', type, total, at };
  return notificationBundle(parseSubscription(resource, parts), status, events, countingIds('id'));
}

function event(number: number, overrides: Partial<NotifiedEvent> = {}): NotifiedEvent {
  return {
    number,
    at,
    focus: `Encounter/e${number}`,
    method: 'PUT',
    resource: encounter(`e${number}`, 'finished'),
    context: [{ reference: 'Patient/p1', resource: patient('p1') }],
    ...overrides,
  };
}

const levels = ['empty', 'id-only', 'full-resource'] as const;
const kinds = levels.flatMap((level) =>
  (['handshake', 'event-notification', 'heartbeat'] as const).map((type) => [level, type] as const),
);

describe('every notification bundle', () => {
  test.each(kinds)('at level %s of type %s is a history with the status first and only once', (level, type) => {
    const events = type === 'event-notification' ? [event(1), event(2)] : [];
    const made = bundle(level, type, events);
    expect(made).toMatchObject({ resourceType: 'Bundle', type: 'history', timestamp: at });
    expect(made.meta.profile[0]).toMatch(/backport-subscription-notification-r4$/);
    expect(made.entry[0].resource).toMatchObject({ resourceType: 'Parameters', meta: { profile: [statusProfile] } });
    expect(made.entry.filter((it: Json) => it.resource?.resourceType === 'Parameters')).toHaveLength(1);
    expect(made.entry[0].request).toEqual({ method: 'GET', url: `${base}/Subscription/s1/$status` });
    expect(made.entry[0].fullUrl).toMatch(/^urn:uuid:/);
    for (const entry of made.entry) {
      expect(entry.request).toMatchObject({ method: expect.any(String), url: expect.any(String) });
      expect(entry.response.status).toMatch(/^2\d\d$/);
      expect(entry.fullUrl).toEqual(expect.any(String));
    }
    expect(errorsOf(made)).toEqual([]);
  });

  test.each(kinds)('at level %s of type %s names subscription, status, type and count', (level, type) => {
    const made = bundle(level, type, type === 'event-notification' ? [event(7)] : [], 7);
    expect(statusPart(made, 'subscription')?.valueReference).toEqual({ reference: `${base}/Subscription/s1` });
    expect(statusPart(made, 'status')?.valueCode).toBe(type === 'handshake' ? 'requested' : 'active');
    expect(statusPart(made, 'type')?.valueCode).toBe(type);
    expect(statusPart(made, 'events-since-subscription-start')?.valueString).toBe('7');
  });

  test.each([
    ['empty', undefined],
    ['id-only', topicUrl],
    ['full-resource', topicUrl],
  ] as const)('at level %s the topic is %s', (level, topic) => {
    expect(statusPart(bundle(level, 'event-notification', [event(1)]), 'topic')?.valueCanonical).toBe(topic);
  });
});

describe('a handshake', () => {
  test.each(levels)('at level %s has no event and nothing but the status', (level) => {
    const made = bundle(level, 'handshake', [], 3);
    expect(made.entry).toHaveLength(1);
    expect(statusPart(made, 'notification-event')).toBeUndefined();
    expect(statusPart(made, 'events-since-subscription-start')?.valueString).toBe('3');
  });
});

describe('an event notification', () => {
  const parts = (made: Json): Json[][] =>
    made.entry[0].resource.parameter.filter((it: Json) => it.name === 'notification-event').map((it: Json) => it.part);

  test.each(levels)('at level %s numbers its events with their time', (level) => {
    const made = bundle(level, 'event-notification', [event(4), event(5)], 9);
    expect(parts(made).map((it) => it.find((part) => part.name === 'event-number')?.valueString)).toEqual(['4', '5']);
    for (const part of parts(made)) expect(part.find((it) => it.name === 'timestamp')?.valueInstant).toBe(at);
  });

  test('at level empty holds no focus, no context and no entry but the status', () => {
    const made = bundle('empty', 'event-notification', [event(1), event(2)]);
    expect(made.entry).toHaveLength(1);
    expect(JSON.stringify(made)).not.toMatch(/Encounter|Patient|"focus"|additional-context/);
  });

  test('at level id-only names focus and context, and has an entry without body for each', () => {
    const made = bundle('id-only', 'event-notification', [event(1)]);
    const reference = (name: string): string =>
      parts(made)[0]?.find((it) => it.name === name)?.valueReference.reference;
    expect(reference('focus')).toBe(`${base}/Encounter/e1`);
    expect(reference('additional-context')).toBe(`${base}/Patient/p1`);
    const entries: Json[] = made.entry.slice(1);
    expect(entries.map((it) => it.fullUrl)).toEqual([`${base}/Encounter/e1`, `${base}/Patient/p1`]);
    expect(entries.every((it) => it.resource === undefined)).toBe(true);
    expect(entries[0]?.request).toEqual({ method: 'PUT', url: 'Encounter/e1' });
    expect(entries[1]?.request).toEqual({ method: 'GET', url: 'Patient/p1' });
    expect(JSON.stringify(made)).not.toContain('张');
  });

  test('at level full-resource holds the focus and the context as resources', () => {
    const made = bundle('full-resource', 'event-notification', [event(1)]);
    expect(made.entry[1]).toMatchObject({ fullUrl: `${base}/Encounter/e1`, resource: encounter('e1', 'finished') });
    expect(made.entry[2]).toMatchObject({ fullUrl: `${base}/Patient/p1`, resource: patient('p1') });
  });

  test('of a creation has POST to the type and 201', () => {
    const made = bundle('id-only', 'event-notification', [event(1, { method: 'POST' })]);
    expect(made.entry[1]).toMatchObject({
      request: { method: 'POST', url: 'Encounter' },
      response: { status: '201' },
    });
  });

  test('of a deletion has DELETE and no resource at any level', () => {
    for (const level of ['id-only', 'full-resource'] as const) {
      const made = bundle(level, 'event-notification', [
        event(1, { method: 'DELETE', resource: undefined, context: [] }),
      ]);
      expect(made.entry[1].request).toEqual({ method: 'DELETE', url: 'Encounter/e1' });
      expect(made.entry[1].resource).toBeUndefined();
    }
  });

  test('without its context resource still names it', () => {
    const made = bundle('full-resource', 'event-notification', [
      event(1, { context: [{ reference: 'Patient/p1', resource: undefined }] }),
    ]);
    expect(made.entry[2]).toMatchObject({ fullUrl: `${base}/Patient/p1`, request: { method: 'GET' } });
    expect(made.entry[2].resource).toBeUndefined();
  });
});
