/** Story: a hospital without HL7 v2 writes Patient and Encounter by FHIR; the follow-up is the same. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { encounter, patient, topicSubscription } from '../subscriptions/resources.ts';
import { subscribed } from '../subscriptions/server.ts';
import { allEventNumbers, Subscriber } from '../subscriptions/subscriber.ts';
import { fhir, settled } from '../support/app.ts';
import { Hospital, statuses } from './hospital.ts';

let hospital: Hospital;
let subscriber: Subscriber;
beforeEach(async () => {
  hospital = await Hospital.open();
  subscriber = await Subscriber.start();
  await subscribed(hospital.app, topicSubscription(subscriber.url()));
});
afterEach(async () => {
  await Subscriber.closeAll();
  await Hospital.closeAll();
});

const expectEnrolled = async (): Promise<void> => {
  const { plans, tasks, appointments, responses } = await hospital.followUp();
  expect(statuses(plans)).toEqual(['active']);
  expect(plans[0]).toMatchObject({
    subject: { reference: 'Patient/p1' },
    encounter: { reference: 'Encounter/e1' },
    period: { start: '2026-03-16T10:00:00+08:00' },
  });
  // No phone number: the greeting by SMS is left out.
  expect([tasks.length, appointments.length, responses.length]).toEqual([3, 1, 1]);
};

describe('a discharge by FHIR', () => {
  test('by PUT of an Encounter that becomes finished enrols and is notified', async () => {
    await hospital.put(patient('p1'));
    await hospital.put(encounter('e1', 'in-progress'));
    expect((await hospital.followUp()).plans).toEqual([]);
    await hospital.put(encounter('e1', 'finished'));
    await expectEnrolled();
    expect(allEventNumbers(subscriber.received)).toEqual([1]);
  });

  test('by POST of a finished Encounter enrols', async () => {
    await hospital.put(patient('p1'));
    const { id: _, ...resource } = encounter('e1', 'finished');
    expect((await fhir(hospital.app, 'POST', 'Encounter', resource)).status).toBe(201);
    await settled(hospital.app);
    expect(statuses((await hospital.followUp()).plans)).toEqual(['active']);
  });

  test('by a transaction of Patient and Encounter enrols', async () => {
    const entry = [encounter('e1', 'finished'), patient('p1')].map((resource) => ({
      resource,
      request: { method: 'PUT', url: `${resource.resourceType}/${resource.id}` },
    }));
    const { status } = await fhir(hospital.app, 'POST', '', { resourceType: 'Bundle', type: 'transaction', entry });
    expect(status).toBe(200);
    await settled(hospital.app);
    await expectEnrolled();
  });

  test('whose Patient is written after the Encounter enrols when the Patient is there', async () => {
    await hospital.put(encounter('e1', 'finished'));
    await hospital.put(patient('p1'));
    await expectEnrolled();
  });

  test('written twice enrols once', async () => {
    await hospital.put(patient('p1'));
    await hospital.put(encounter('e1', 'finished'));
    await hospital.put({ ...encounter('e1', 'finished'), priority: { text: 'urgent' } });
    await expectEnrolled();
    expect(allEventNumbers(subscriber.received)).toEqual([1]);
  });

  test('taken back (status in-progress or cancelled) takes the follow-up back', async () => {
    await hospital.put(patient('p1'));
    await hospital.put(encounter('e1', 'finished'));
    await hospital.put(encounter('e1', 'entered-in-error'));
    expect(statuses((await hospital.followUp()).plans)).toEqual(['revoked']);
  });

  test('of a patient who died enrols nobody', async () => {
    await hospital.put({ ...patient('p1'), deceasedBoolean: true });
    await hospital.put(encounter('e1', 'finished'));
    await hospital.put(encounter('e2', 'finished', 'p1', 'exp'));
    expect((await hospital.followUp()).plans).toEqual([]);
  });

  test('of a patient known by messages goes on with the same patient and visit', async () => {
    await hospital.send('A01');
    const visit = await hospital.visit();
    await hospital.put({ ...visit, status: 'finished', period: { ...visit.period, end: '2026-03-16T10:00:00+08:00' } });
    expect(statuses((await hospital.followUp(visit)).plans)).toEqual(['active']);
    await hospital.send('A03');
    expect((await hospital.visit()).id).toBe(visit.id);
    expect(statuses((await hospital.followUp(visit)).plans)).toEqual(['active']);
    expect(allEventNumbers(subscriber.received)).toEqual([1]);
  });

  test('a message about a patient that a client wrote with the same identifier updates that patient', async () => {
    const system = 'urn:id:RENHE';
    await hospital.put({ ...patient('by-client'), identifier: [{ system, value: '1001' }] });
    await hospital.send('A03');
    expect((await hospital.one('Patient?identifier=1001')).id).toBe('by-client');
    expect((await hospital.visit()).subject).toEqual({ reference: 'Patient/by-client' });
    expect(statuses((await hospital.followUp()).plans)).toEqual(['active']);
  });
});
