/** Story: a hospital without HL7 v2 writes Patient and Encounter by FHIR; the follow-up is the same. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Json } from '../../src/fhir/types.ts';
import { encounter, patient } from '../subscriptions/resources.ts';
import { allEventNumbers, type Subscriber } from '../subscriptions/subscriber.ts';
import { fhir, settled } from '../support/app.ts';
import { applied, Hospital, nothing, opened, takenBack } from './hospital.ts';
import { adt, home, pid, pv1 } from './messages.ts';

let hospital: Hospital;
let subscriber: Subscriber;
beforeAll(async () => {
  ({ hospital, subscriber } = await Hospital.openTold());
});
afterAll(() => Hospital.closeAll());

/** Without a telephone number there is no greeting by SMS. */
const openedWithoutPhone = { ...opened, tasks: opened.tasks.slice(1) };

const ofVisit = (id: string): Json => ({ resourceType: 'Encounter', id });

/** Discharges that the subscriber hears of while something happens. */
async function heardWhile(something: () => Promise<unknown>): Promise<number> {
  const before = allEventNumbers(subscriber.received).length;
  await something();
  await settled(hospital.app);
  return allEventNumbers(subscriber.received).length - before;
}

describe('a discharge by FHIR', () => {
  test('by PUT of an Encounter that becomes finished enrols and is notified', async () => {
    await hospital.put(patient('p1'));
    await hospital.put(encounter('e1', 'in-progress', 'p1'));
    expect(await hospital.followed(ofVisit('e1'))).toEqual(nothing);
    expect(await heardWhile(() => hospital.put(encounter('e1', 'finished', 'p1')))).toBe(1);
    expect(await hospital.followed(ofVisit('e1'))).toEqual(openedWithoutPhone);
    const { plans } = await hospital.followUp(ofVisit('e1'));
    expect(plans[0]).toMatchObject({
      subject: { reference: 'Patient/p1' },
      encounter: { reference: 'Encounter/e1' },
      period: { start: '2026-03-16T10:00:00+08:00' },
    });
  });

  test('by POST of a finished Encounter enrols', async () => {
    await hospital.put(patient('p2'));
    const { id: _, ...resource } = encounter('e2', 'finished', 'p2');
    const { status, body } = await fhir(hospital.app, 'POST', 'Encounter', resource);
    expect(status).toBe(201);
    await settled(hospital.app);
    expect(await hospital.followed(body)).toEqual(openedWithoutPhone);
  });

  test('by a transaction of Patient and Encounter enrols', async () => {
    const entry = [encounter('e3', 'finished', 'p3'), patient('p3')].map((resource) => ({
      resource,
      request: { method: 'PUT', url: `${resource.resourceType}/${resource.id}` },
    }));
    const { status } = await fhir(hospital.app, 'POST', '', { resourceType: 'Bundle', type: 'transaction', entry });
    expect(status).toBe(200);
    await settled(hospital.app);
    expect(await hospital.followed(ofVisit('e3'))).toEqual(openedWithoutPhone);
  });

  test('whose Patient is written after the Encounter enrols when the Patient is there', async () => {
    await hospital.put(encounter('e4', 'finished', 'p4'));
    expect(await hospital.followed(ofVisit('e4'))).toEqual(nothing);
    await hospital.put(patient('p4'));
    expect(await hospital.followed(ofVisit('e4'))).toEqual(openedWithoutPhone);
  });

  test('written twice enrols once', async () => {
    const heard = await heardWhile(async () => {
      await hospital.put(patient('p5'));
      await hospital.put(encounter('e5', 'finished', 'p5'));
      await hospital.put({ ...encounter('e5', 'finished', 'p5'), priority: { text: 'urgent' } });
    });
    expect(heard).toBe(1);
    expect(await hospital.followed(ofVisit('e5'))).toEqual(openedWithoutPhone);
  });

  test('taken back (entered in error) takes the follow-up back', async () => {
    await hospital.put(patient('p6'));
    await hospital.put(encounter('e6', 'finished', 'p6'));
    await hospital.put(encounter('e6', 'entered-in-error', 'p6'));
    expect(await hospital.followed(ofVisit('e6'))).toEqual({ ...takenBack, tasks: takenBack.tasks.slice(1) });
  });

  test('of a patient who died enrols nobody', async () => {
    await hospital.put({ ...patient('p7'), deceasedBoolean: true });
    await hospital.put(encounter('e7', 'finished', 'p7'));
    await hospital.put(encounter('e8', 'finished', 'p7', 'exp'));
    for (const id of ['e7', 'e8']) expect(await hospital.followed(ofVisit(id))).toEqual(nothing);
  });
});

describe('a discharge by FHIR and messages', () => {
  test('of a patient known by messages goes on with the same patient and visit', async () => {
    await hospital.sends(adt('A01', '2026-03-10 09:05', pid('1001'), pv1('V1001')));
    const visit = await hospital.visit('V1001');
    const heard = await heardWhile(async () => {
      const period = { ...visit.period, end: '2026-03-16T10:00:00+08:00' };
      await hospital.put({ ...visit, status: 'finished', period });
      expect(await hospital.followed(visit)).toEqual(opened);
      expect(await hospital.sends(adt('A03', '2026-03-16 10:05', pid('1001'), pv1('V1001', home)))).toEqual(applied);
    });
    expect(heard).toBe(1);
    expect((await hospital.visit('V1001')).id).toBe(visit.id);
    expect(await hospital.followed(visit)).toEqual(opened);
  });

  test('a message about a patient that a client wrote with the same identifier updates that patient', async () => {
    await hospital.put({ ...patient('by-client'), identifier: [{ system: 'urn:id:RENHE', value: '1002' }] });
    await hospital.sends(adt('A03', '2026-03-16 12:00', pid('1002'), pv1('V1002', home)));
    expect((await hospital.one('Patient?identifier=1002')).id).toBe('by-client');
    const visit = await hospital.visit('V1002');
    expect(visit.subject).toEqual({ reference: 'Patient/by-client' });
    expect((await hospital.followed(visit)).plans).toEqual(['active']);
  });
});
