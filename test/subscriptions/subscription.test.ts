import { describe, expect, test } from '@jest/globals';
import type { Json, Resource } from '../../src/fhir/types.ts';
import { Failure } from '../../src/outcome.ts';
import { admit, parseSubscription, withoutSecrets } from '../../src/subscriptions/subscription.ts';
import { subscriptionParts } from './parts.ts';
import { backport, classicSubscription, topicSubscription, topicUrl } from './resources.ts';

const parts = subscriptionParts();
const endpoint = 'https://example.org/hook';

/** The topic subscription with parts of its channel replaced; undefined takes one away. */
function channel(changes: Json): Resource {
  const subscription = topicSubscription(endpoint);
  return { ...subscription, channel: { ...subscription.channel, ...changes } } as unknown as Resource;
}

function refusal(resource: Json): Failure | undefined {
  try {
    parseSubscription(resource as Resource, parts);
    return undefined;
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
}

describe('a subscription that is honoured', () => {
  test('on a topic has its topic, level, header and type', () => {
    const parsed = parseSubscription(
      topicSubscription(endpoint, { level: 'full-resource', headers: ['X-Key: 1'], maxCount: 10 }) as Resource,
      parts,
    );
    expect(parsed.trigger).toMatchObject({ kind: 'topic', topic: { url: topicUrl }, filters: [] });
    expect(parsed).toMatchObject({
      endpoint,
      headers: ['X-Key: 1'],
      contentType: 'application/fhir+json',
      level: 'full-resource',
      countMax: 10,
    });
  });

  test.each(['empty', 'id-only', 'full-resource'] as const)('may ask for the payload level %s', (level) => {
    expect(parseSubscription(topicSubscription(endpoint, { level }) as Resource, parts).level).toBe(level);
  });

  test('may name the version of the topic', () => {
    expect(refusal({ ...topicSubscription(endpoint), criteria: `${topicUrl}|1.0.0` })).toBeUndefined();
  });

  test.each([
    'patient=Patient/p1',
    'patient=p1',
    'patient:Patient=p1',
    'Encounter.patient=Patient/p1',
    'Encounter.patient:Patient=p1',
    'Encounter?patient=Patient/p1',
    'patient=Patient/p1,Patient/p2',
    '_id=e1',
    'Encounter?_id=e1&patient=Patient/p1',
  ])('may filter by %s', (filter) => {
    const { trigger } = parseSubscription(topicSubscription(endpoint, { filters: [filter] }) as Resource, parts);
    expect(trigger.kind === 'topic' && trigger.filters[0]?.branches[0]?.filters.length).toBeGreaterThan(0);
  });

  test.each([
    'application/fhir+json',
    'application/json',
    'application/fhir+json; fhirVersion=4.0',
    'application/fhir+json;fhirVersion=4.0.1',
    'application/fhir+json;charset=utf-8',
  ])('may ask for %s', (payload) => {
    expect(refusal(channel({ payload }))).toBeUndefined();
  });

  test.each([
    'Encounter?status=finished',
    'Encounter?status=finished&class=IMP',
    'Patient?name=张',
    'Observation?code=http://loinc.org|1975-2',
    'Encounter?date=ge2026-01-01',
    'Task?status:not=completed',
  ])('may have the search %s as criteria', (criteria) => {
    expect(parseSubscription(classicSubscription(endpoint, criteria) as Resource, parts).trigger.kind).toBe('classic');
  });

  test('without payload is classic and has no content type', () => {
    const parsed = parseSubscription(classicSubscription(endpoint, 'Encounter?status=finished') as Resource, parts);
    expect(parsed.contentType).toBeUndefined();
  });

  test.each(['Authorization: Bearer abc', 'X-Key:', 'X-Key:1', 'X-Key: a:b;c="d"', "X_~!#$%&'*+.^`|-1: x"])(
    'may send the header %s',
    (header) => {
      expect(refusal(channel({ header: [header] }))).toBeUndefined();
    },
  );

  test('waits for an answer as long as it says, but no longer than a minute', () => {
    const timeout = (timeoutSeconds: number): number =>
      parseSubscription(topicSubscription(endpoint, { timeoutSeconds }) as Resource, parts).timeoutMs;
    expect(timeout(5)).toBe(5000);
    expect(timeout(86_400)).toBe(60_000);
  });
});

describe('a subscription that would not be honoured is refused with the element', () => {
  const topic = topicSubscription(endpoint);
  const filtered = (filter: string): Json => topicSubscription(endpoint, { filters: [filter] });

  test.each<[string, Json, string]>([
    ['an unknown topic', { ...topic, criteria: 'https://example.org/topic/other' }, 'criteria'],
    ['an unknown topic by urn', { ...topic, criteria: 'urn:oid:1.2.3' }, 'criteria'],
    ['a topic that the name of ours begins with', { ...topic, criteria: topicUrl.slice(0, -1) }, 'criteria'],
    ['a topic in a version that is not here', { ...topic, criteria: `${topicUrl}|9.9.9` }, 'criteria'],
    ['no criteria', { ...topic, criteria: undefined }, 'criteria'],
    ['empty criteria', { ...topic, criteria: '' }, 'criteria'],
    ['criteria that are words', { ...topic, criteria: 'every discharge' }, 'criteria'],
    ['criteria on an unknown type', classicSubscription(endpoint, 'Visit?status=finished'), 'criteria'],
    ['criteria with an unknown parameter', classicSubscription(endpoint, 'Encounter?color=red'), 'criteria'],
    ['criteria with an unknown modifier', classicSubscription(endpoint, 'Encounter?status:like=fin'), 'criteria'],
    ['criteria with a chain', classicSubscription(endpoint, 'Encounter?patient.name=x'), 'criteria'],
    ['criteria with a parameter without value', classicSubscription(endpoint, 'Encounter?status='), 'criteria'],
    ['criteria with a bad date', classicSubscription(endpoint, 'Encounter?date=yesterday'), 'criteria'],
    ['a filter that the topic does not have', filtered('status=finished'), 'criteria'],
    ['a filter on another type', filtered('Patient.name=x'), 'criteria'],
    ['a filter on another type with ?', filtered('Patient?patient=x'), 'criteria'],
    ['a filter with an unknown modifier', filtered('patient:near=x'), 'criteria'],
    ['a filter without value', filtered('patient='), 'criteria'],
    ['a filter that is only a name', filtered('patient'), 'criteria'],
    ['an empty filter', filtered('Encounter?'), 'criteria'],
    ['one good and one bad filter', topicSubscription(endpoint, { filters: ['patient=p1', 'x=1'] }), 'criteria'],
    ['one good and one bad part in a filter', filtered('patient=p1&x=1'), 'criteria'],
    ['a result parameter as filter', filtered('_count=1'), 'criteria'],
    ['no payload content', channel({ _payload: undefined }), 'channel.payload'],
    [
      'an unknown payload content',
      channel({ _payload: { extension: [{ url: `${backport}backport-payload-content`, valueCode: 'everything' }] } }),
      'channel.payload',
    ],
    ['a payload in XML', channel({ payload: 'application/fhir+xml' }), 'channel.payload'],
    ['a payload in plain text', channel({ payload: 'text/plain' }), 'channel.payload'],
    ['a payload that only begins like JSON', channel({ payload: 'application/jsonx' }), 'channel.payload'],
    ['FHIR 5.0', channel({ payload: 'application/fhir+json;fhirVersion=5.0' }), 'channel.payload'],
    ['FHIR 3.0', channel({ payload: 'application/fhir+json; fhirVersion=3.0' }), 'channel.payload'],
    ['FHIR 5.0 in other letters', channel({ payload: 'application/fhir+json;fhirversion=5.0' }), 'channel.payload'],
    ['a payload with a line break', channel({ payload: 'application/fhir+json;\nX-Evil: 1' }), 'channel.payload'],
    ['a websocket', channel({ type: 'websocket' }), 'channel.type'],
    ['an e-mail', channel({ type: 'email' }), 'channel.type'],
    ['no channel type', channel({ type: undefined }), 'channel.type'],
    ['no channel', { ...topic, channel: undefined }, 'channel.type'],
    ['no endpoint', channel({ endpoint: undefined }), 'channel.endpoint'],
    ['a header without colon', channel({ header: ['Authorization'] }), 'channel.header'],
    ['a header without name', channel({ header: [': x'] }), 'channel.header'],
    ['a header with a blank in its name', channel({ header: ['X Key: 1'] }), 'channel.header'],
    ['a header with CR LF', channel({ header: ['X-Key: 1\r\nX-Evil: 1'] }), 'channel.header'],
    ['a header with LF', channel({ header: ['X-Key: 1\nX-Evil: 1'] }), 'channel.header'],
    ['a header with LF behind the colon', channel({ header: ['X-Key:\nX-Evil: 1'] }), 'channel.header'],
    ['a header with CR behind the colon', channel({ header: ['X-Key:\rX-Evil: 1'] }), 'channel.header'],
    ['a header that ends with LF', channel({ header: ['X-Key: 1\n'] }), 'channel.header'],
    ['a header with NUL', channel({ header: ['X-Key: a\u0000b'] }), 'channel.header'],
    ['a header with letters beyond ASCII', channel({ header: ['X-Key: 张'] }), 'channel.header'],
    ['a header that is null', channel({ header: [null] }), 'channel.header'],
    ['a Content-Length of its own', channel({ header: ['Content-Length: 5'] }), 'channel.header'],
    ['a Transfer-Encoding of its own', channel({ header: ['Transfer-Encoding: chunked'] }), 'channel.header'],
    ['a Host of its own', channel({ header: ['Host: internal.example'] }), 'channel.header'],
  ])('%s', (_, resource, element) => {
    const failure = refusal(JSON.parse(JSON.stringify(resource)));
    expect(failure).toMatchObject({ kind: 'invalid' });
    expect(failure?.details[0]?.expression).toBe(`Subscription.${element}`);
  });

  test('the refusal of a header does not repeat its value', () => {
    expect(JSON.stringify(refusal(channel({ header: ['X-Key s3cr3t'] })))).not.toContain('s3cr3t');
  });
});

describe('what is stored of a subscription', () => {
  const sub = (changes: Json = {}): Resource => ({ ...topicSubscription(endpoint), id: 's1', ...changes }) as Resource;
  const withHeaders = (header: string[]): Resource => channel({ header });

  test.each([
    ['requested', 'requested'],
    ['active', 'requested'],
    ['error', 'requested'],
    ['off', 'off'],
  ])('status %s becomes %s', (status, stored) => {
    expect(admit(sub({ status }), undefined, parts).status).toBe(stored);
  });

  test('the error text is the server’s: what a client sends is dropped', () => {
    expect(admit(sub({ error: 'old' }), undefined, parts)).not.toHaveProperty('error');
  });

  test('headers are shown by name only', () => {
    const shown = withoutSecrets(withHeaders(['Authorization: Bearer abc', 'X-Key: k']));
    expect(shown.channel.header).toEqual(['Authorization: ********', 'X-Key: ********']);
  });

  test('what was read and is written back keeps its secrets', () => {
    const stored = withHeaders(['Authorization: Bearer abc', 'X-Key: k']);
    expect(admit(withoutSecrets(stored), stored, parts).channel.header).toEqual(stored.channel.header);
  });

  test('two headers of one name keep their own secrets', () => {
    const stored = withHeaders(['X-Tag: one', 'X-Tag: two']);
    expect(admit(withoutSecrets(stored), stored, parts).channel.header).toEqual(stored.channel.header);
  });

  test('a new value replaces the stored one, a new header is added', () => {
    const stored = withHeaders(['Authorization: Bearer abc']);
    const wanted = withHeaders(['Authorization: Bearer new', 'X-Key: k']);
    expect(admit(wanted, stored, parts).channel.header).toEqual(['Authorization: Bearer new', 'X-Key: k']);
  });

  test('the secret of one endpoint is not sent to another because a client moved the subscription', () => {
    const stored = withHeaders(['Authorization: Bearer abc']);
    const moved = withoutSecrets(stored);
    moved.channel.endpoint = 'https://elsewhere.example/hook';
    const attempt = (): string => {
      try {
        return JSON.stringify(admit(moved, stored, parts));
      } catch (error) {
        if (error instanceof Failure) return '';
        throw error;
      }
    };
    expect(attempt()).not.toContain('Bearer abc');
  });
});
