/** Story: the sample hospital day, all 18 messages, and what stands in the store in the evening. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { topicSubscription } from '../subscriptions/resources.ts';
import { subscribed } from '../subscriptions/server.ts';
import { allEventNumbers, Subscriber } from '../subscriptions/subscriber.ts';
import { settled } from '../support/app.ts';
import { hospitalDay } from '../support/messages.ts';
import { Hospital, statuses } from './hospital.ts';

describe('the sample hospital day', () => {
  let hospital: Hospital;
  let subscriber: Subscriber;
  let answers: string[];
  beforeAll(async () => {
    hospital = await Hospital.open('2026-03-16T17:00:00+08:00');
    subscriber = await Subscriber.start();
    await subscribed(hospital.app, topicSubscription(subscriber.url()));
    answers = [];
    for (const { bytes } of hospitalDay()) answers.push(await hospital.sendRaw(bytes));
    await settled(hospital.app);
  });
  afterAll(async () => {
    await Subscriber.closeAll();
    await Hospital.closeAll();
  });

  test('all 18 messages are acknowledged with AA and applied', async () => {
    expect(answers).toEqual(Array.from({ length: 18 }, () => 'AA'));
    await hospital.expectMessages({ applied: 18 });
  });

  test.each([
    ['Patient', 8],
    ['Encounter', 9],
    ['CarePlan', 7],
    ['Task', 28],
    ['Appointment', 7],
    ['QuestionnaireResponse', 7],
    ['Procedure', 5],
    ['AllergyIntolerance', 3],
    ['MessageHeader', 18],
  ])('leaves as many %s as the day asks for: %i', async (type, count) => {
    expect(await hospital.search(type)).toHaveLength(count);
  });

  test.each([
    ['V202603090031', '张伟, endocrinology', 'finished', 1],
    ['V202603110012', '王琟, obstetrics', 'finished', 1],
    ['V202603130007', 'Emily Carter, obstetrics', 'finished', 1],
    ['V202603150044', 'Thomas Reed, day surgery', 'finished', 1],
    ['V202603080019', 'George Whitfield, died', 'finished', 0],
    ['V202603120025', '陈晐, to another hospital', 'finished', 1],
    ['V202603160003', '李玕, dentistry', 'finished', 1],
    ['V202603160118', '张伟, outpatient', 'in-progress', 0],
    ['V202603150051', '赵珇, never admitted here', 'finished', 1],
  ])('visit %s (%s) is %s with %i care plans', async (number, _, status, plans) => {
    const visit = await hospital.visit(number);
    expect(visit.status).toBe(status);
    expect((await hospital.followUp(visit)).plans).toHaveLength(plans);
  });

  test('every care plan is active and none belongs to the dead', async () => {
    const plans = await hospital.search('CarePlan');
    expect(new Set(statuses(plans))).toEqual(new Set(['active']));
    const dead = await hospital.one('Patient?deceased=true');
    expect(dead.name[0].family).toBe('Whitfield');
    expect(plans.some((it) => it.subject.reference === `Patient/${dead.id}`)).toBe(false);
  });

  test('the late update of Thomas Reed left his visit finished and gave him a new address', async () => {
    const patient = await hospital.one('Patient?identifier=100267');
    expect(JSON.stringify(patient.address)).toMatch(/International House 7/);
    expect((await hospital.visit('V202603150044')).period.end).toBe('2026-03-16T13:30:00+08:00');
  });

  test('张伟 has two visits under one patient, with the new phone number', async () => {
    const patient = await hospital.one('Patient?identifier=100231');
    expect(patient.telecom[0].value).toBe('13900001099');
    expect(await hospital.search(`Encounter?patient=Patient/${patient.id}`)).toHaveLength(2);
  });

  test('the subscriber heard of seven discharges, numbered in order', () => {
    expect(allEventNumbers(subscriber.received)).toEqual([1, 2, 3, 4, 5, 6, 7]);
  });

  test('every reference in the store leads to a resource that is there', async () => {
    const types = ['Encounter', 'CarePlan', 'Task', 'Appointment', 'QuestionnaireResponse', 'Condition', 'Observation'];
    const references = new Set<string>();
    for (const type of types) {
      const found = JSON.stringify(await hospital.search(type)).matchAll(/"reference":"([A-Z]\w+\/[\w.-]+)"/g);
      for (const [, reference] of found) references.add(reference as string);
    }
    expect(references.size).toBeGreaterThan(50);
    for (const reference of references) await hospital.read(reference);
  });

  test('the whole day sent again changes nothing', async () => {
    const before = await hospital.app.store.head();
    for (const { bytes } of hospitalDay()) expect(await hospital.sendRaw(bytes)).toBe('AA');
    await settled(hospital.app);
    expect(await hospital.app.store.head()).toBe(before);
    await hospital.expectMessages({ applied: 18, duplicate: 18 });
  });
});
