import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Json, Resource } from '../../src/fhir/types.ts';
import type { State, Transition } from '../../src/subscriptions/topic.ts';
import { isTopic, parseTopic } from '../../src/subscriptions/topic.ts';
import { subscriptionParts } from './parts.ts';
import { encounter, topicUrl } from './resources.ts';

const { parameters, topics } = subscriptionParts();
const topic = topics.find((it) => it.url === topicUrl)!;

function state(resource: Json | undefined): State | undefined {
  return resource && { resource: resource as Resource, rows: parameters.extract(resource as Resource) };
}

function transition(interaction: Transition['interaction'], previous?: Json, current?: Json): Transition {
  const type = (current ?? previous)?.resourceType as string;
  return { type, interaction, previous: state(previous), current: state(current) };
}

const statuses = ['planned', 'arrived', 'triaged', 'in-progress', 'onleave', 'cancelled', 'entered-in-error'];

describe('the topic of the final discharge', () => {
  test('is about Encounters, filtered by patient and _id, with the patient in its shape', () => {
    expect(topic).toMatchObject({ type: 'Encounter', filters: ['patient', '_id'] });
    expect(topic.includes.map((it) => it.code)).toEqual(['patient']);
  });

  test('fires when an Encounter is created as finished', () => {
    expect(topic.triggers(transition('create', undefined, encounter('e1', 'finished')))).toBe(true);
  });

  test.each(statuses)('fires when an Encounter changes from %s to finished', (status) => {
    expect(topic.triggers(transition('update', encounter('e1', status), encounter('e1', 'finished')))).toBe(true);
  });

  test.each(statuses)('does not fire when an Encounter is created as %s', (status) => {
    expect(topic.triggers(transition('create', undefined, encounter('e1', status)))).toBe(false);
  });

  test('does not fire again while the Encounter stays finished', () => {
    const changed = { ...encounter('e1', 'finished'), priority: { text: 'urgent' } };
    expect(topic.triggers(transition('update', encounter('e1', 'finished'), changed))).toBe(false);
  });

  test('does not fire when a discharge is taken back', () => {
    expect(topic.triggers(transition('update', encounter('e1', 'finished'), encounter('e1', 'in-progress')))).toBe(
      false,
    );
  });

  test('does not fire when an Encounter is deleted', () => {
    expect(topic.triggers(transition('delete', encounter('e1', 'finished'), undefined))).toBe(false);
    expect(topic.triggers(transition('delete', encounter('e1', 'in-progress'), undefined))).toBe(false);
  });

  test('fires when a deleted Encounter is made again as finished', () => {
    expect(topic.triggers(transition('create', undefined, encounter('e1', 'finished')))).toBe(true);
  });

  test('does not fire for a patient who died, by create or by update', () => {
    const dead = encounter('e1', 'finished', 'p1', 'exp');
    expect(topic.triggers(transition('create', undefined, dead))).toBe(false);
    expect(topic.triggers(transition('update', encounter('e1', 'in-progress'), dead))).toBe(false);
  });

  test('fires for every other disposition', () => {
    for (const code of ['home', 'other-hcf', 'aadvice', 'snf'])
      expect(topic.triggers(transition('create', undefined, encounter('e1', 'finished', 'p1', code)))).toBe(true);
  });

  test('does not fire for another type that has a status finished', () => {
    const procedure = { resourceType: 'DeviceUseStatement', id: 'x', status: 'finished' };
    expect(topic.triggers(transition('create', undefined, procedure))).toBe(false);
  });

  test('fires once in a life that is finished once, whatever happens before and after', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...statuses), { maxLength: 6 }),
        fc.integer({ min: 1, max: 5 }),
        (before, after) => {
          const life = [...before, ...Array.from({ length: after }, () => 'finished')];
          const versions = life.map((status, i) => ({ ...encounter('e1', status), language: `x-${i}` }));
          const fired = versions.filter((current, i) =>
            topic.triggers(transition(i === 0 ? 'create' : 'update', versions[i - 1], current)),
          );
          expect(fired).toHaveLength(1);
          expect(fired[0]?.language).toBe(`x-${before.length}`);
        },
      ),
      { seed: 20260316, numRuns: 100 },
    );
  });

  test('a Basic without the parts of a topic is refused at start', () => {
    const basic = { resourceType: 'Basic', id: 'b', code: { coding: [{ code: 'SubscriptionTopic' }] } } as Resource;
    expect(isTopic(basic)).toBe(true);
    expect(() => parseTopic(basic, parameters)).toThrow(/Basic\/b/);
  });

  test('a Basic with another code, or none, is no topic', () => {
    expect(isTopic({ resourceType: 'Basic', code: { coding: [{ code: 'referral' }] } } as Resource)).toBeFalsy();
    expect(isTopic({ resourceType: 'Basic', code: { text: 'x' } } as Resource)).toBeFalsy();
  });
});
