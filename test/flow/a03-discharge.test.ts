/** ADT A03: a patient goes home. From the admission to the follow-up, with the number that changed in between. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { Json } from '../../src/fhir/types.ts';
import { topicSubscription } from '../subscriptions/resources.ts';
import { subscribed } from '../subscriptions/server.ts';
import { allEventNumbers, Subscriber } from '../subscriptions/subscriber.ts';
import { settled } from '../support/app.ts';
import { discharge } from '../support/messages.ts';
import { applied, Hospital, nothing, opened, stale } from './hospital.ts';
import { adt, home, pid, pv1 } from './messages.ts';

describe('a discharge, from admission to follow-up', () => {
  let hospital: Hospital;
  let subscriber: Subscriber;
  beforeAll(async () => {
    hospital = await Hospital.open();
    subscriber = await Subscriber.start();
    await subscribed(hospital.app, topicSubscription(subscriber.url(), { level: 'full-resource' }));
  });
  afterAll(async () => {
    await Subscriber.closeAll();
    await Hospital.closeAll();
  });

  test('1. the admission (A01) makes patient and visit, and no follow-up', async () => {
    await hospital.send('A01');
    const patient = await hospital.one('Patient?identifier=1001');
    expect(patient).toMatchObject({
      name: [{ family: 'Doe', given: ['Jane'] }],
      gender: 'female',
      birthDate: '1980-02-29',
      telecom: [{ system: 'phone', value: '13900009999' }],
    });
    expect(await hospital.visit()).toMatchObject({
      status: 'in-progress',
      class: { code: 'IMP' },
      subject: { reference: `Patient/${patient.id}` },
      period: { start: '2026-03-10T09:00:00+08:00' },
    });
    expect((await hospital.followUp()).plans).toEqual([]);
    expect(allEventNumbers(subscriber.received)).toEqual([]);
  });

  test('2. an update (A08) changes the phone number, not the visit', async () => {
    await hospital.send('A08', { phone: '13800001111' });
    const patient = await hospital.one('Patient?identifier=1001');
    expect(patient).toMatchObject({ telecom: [{ value: '13800001111' }], meta: { versionId: '2' } });
    expect(await hospital.visit()).toMatchObject({ status: 'in-progress', meta: { versionId: '1' } });
    expect(await hospital.search('Patient?phone=13800001111')).toHaveLength(1);
    expect(await hospital.search('Patient?phone=13900009999')).toHaveLength(0);
  });

  test('3. the discharge (A03) finishes the visit', async () => {
    await hospital.send('A03', { phone: '13800001111' });
    expect(await hospital.visit()).toMatchObject({
      status: 'finished',
      period: { start: '2026-03-10T09:00:00+08:00', end: '2026-03-16T10:00:00+08:00' },
      hospitalization: {
        dischargeDisposition: { coding: expect.arrayContaining([expect.objectContaining({ code: 'home' })]) },
      },
    });
    expect(await hospital.search('Encounter?status=finished')).toHaveLength(1);
    expect(await hospital.search('Encounter?status=in-progress')).toHaveLength(0);
  });

  test('4. one care plan stands for the visit, with everything that it refers to', async () => {
    const encounter = await hospital.visit();
    const { plans, tasks, appointments, responses } = await hospital.followUp(encounter);
    expect(plans).toHaveLength(1);
    const plan = plans[0] as Json;
    expect(plan).toMatchObject({
      status: 'active',
      intent: 'plan',
      subject: encounter.subject,
      encounter: { reference: `Encounter/${encounter.id}` },
      instantiatesCanonical: ['https://aftercare.example/fhir/PlanDefinition/fu-general|1.0.0'],
      period: { start: '2026-03-16T10:00:00+08:00', end: '2026-04-15T23:59:59+08:00' },
    });
    const made = [...tasks, ...appointments].map((it) => `${it.resourceType}/${it.id}`);
    expect(plan.activity.map((it: Json) => it.reference.reference).sort()).toEqual(made.sort());
    for (const it of [...tasks, ...responses]) expect(it.basedOn).toEqual([{ reference: `CarePlan/${plan.id}` }]);
    for (const reference of [plan.author.reference, ...plan.addresses.map((it: Json) => it.reference)])
      await hospital.read(reference);
  });

  test('5. the tasks have the days of the protocol, counted from the day of discharge', async () => {
    const { tasks } = await hospital.followUp();
    expect(tasks.map((it) => [it.executionPeriod.start, it.executionPeriod.end]).sort()).toEqual([
      ['2026-03-16T00:00:00+08:00', '2026-03-23T23:59:59+08:00'],
      ['2026-03-17T00:00:00+08:00', '2026-03-17T23:59:59+08:00'],
      ['2026-03-24T00:00:00+08:00', '2026-03-30T23:59:59+08:00'],
      ['2026-03-31T00:00:00+08:00', '2026-04-15T23:59:59+08:00'],
    ]);
    expect(tasks.every((it) => it.status === 'requested')).toBe(true);
  });

  test('6. a revisit with the attending doctor is proposed and a survey is ready', async () => {
    const { appointments, responses } = await hospital.followUp();
    expect(appointments).toHaveLength(1);
    expect(appointments[0]).toMatchObject({
      status: 'proposed',
      requestedPeriod: [{ start: '2026-03-30T00:00:00+08:00', end: '2026-04-13T23:59:59+08:00' }],
    });
    const doctor = appointments[0]?.participant.find((it: Json) => it.actor.reference.startsWith('Practitioner/'));
    expect((await hospital.read(doctor.actor.reference)).name).toMatchObject([{ family: 'Li', given: ['Min'] }]);
    expect(responses).toHaveLength(1);
    expect(responses[0]?.questionnaire).toBe(
      'https://aftercare.example/fhir/Questionnaire/inpatient-satisfaction|1.0.0',
    );
  });

  test('7. the subscriber was told of the discharge once, with visit and patient', async () => {
    expect(allEventNumbers(subscriber.received)).toEqual([1]);
    const bundle = JSON.parse(subscriber.received.at(-1)?.body ?? '');
    expect(bundle.entry[1].resource).toEqual(await hospital.visit());
    expect(bundle.entry[2].resource.telecom[0].value).toBe('13800001111');
  });

  test('8. the same message sent again changes nothing and tells nobody', async () => {
    const before = await hospital.app.store.head();
    const again = discharge({ event: 'A03', controlId: 'C3', phone: '13800001111' });
    expect(await hospital.sendRaw(again)).toBe('AA');
    await settled(hospital.app);
    expect(await hospital.app.store.head()).toBe(before);
    expect(allEventNumbers(subscriber.received)).toEqual([1]);
    await hospital.expectMessages({ applied: 3, duplicate: 1 });
  });

  test('9. the same discharge under a new control id enrols nobody twice', async () => {
    await hospital.send('A03', { controlId: 'C99', phone: '13800001111' });
    const { plans, tasks } = await hospital.followUp();
    expect([plans.length, tasks.length]).toEqual([1, 4]);
    expect(allEventNumbers(subscriber.received)).toEqual([1]);
  });
});

describe('A03 out of order', () => {
  let hospital: Hospital;
  beforeAll(async () => {
    hospital = await Hospital.open();
  });
  afterAll(() => Hospital.closeAll());

  const discharged = (n: string, fields = {}): string =>
    adt('A03', '2026-03-16 10:05', pid(n), pv1(`V${n}`, { ...home, ...fields }));

  test('of a patient who was never admitted here: the visit is finished, and followed up', async () => {
    expect(await hospital.sends(discharged('2001'))).toEqual(applied);
    const visit = await hospital.visit('V2001');
    expect(visit).toMatchObject({ status: 'finished', class: { code: 'IMP' } });
    expect(await hospital.followed(visit)).toEqual(opened);
  });

  test('late, behind its cancellation (A13): the visit stays open, and nobody is followed up', async () => {
    await hospital.sends(adt('A01', '2026-03-10 09:05', pid('2002'), pv1('V2002')));
    await hospital.sends(adt('A13', '2026-03-16 10:30', pid('2002'), pv1('V2002')));
    expect(await hospital.sends(discharged('2002'))).toEqual(stale);
    const visit = await hospital.visit('V2002');
    expect(visit.status).toBe('in-progress');
    expect(visit.period).not.toHaveProperty('end');
    expect(await hospital.followed(visit)).toEqual(nothing);
  });

  test('of a visit that was cancelled (A11) later: it is cancelled', async () => {
    await hospital.sends(adt('A11', '2026-03-16 10:30', pid('2003'), pv1('V2003')));
    expect(await hospital.sends(discharged('2003'))).toEqual(stale);
    expect((await hospital.visit('V2003')).status).toBe('cancelled');
    expect(await hospital.followed(await hospital.visit('V2003'))).toEqual(nothing);
  });

  test('to another hospital, and home: the place (PV1-37) is kept', async () => {
    expect(await hospital.sends(discharged('2004', { 36: '02', 37: 'H7^City Hospital' }))).toEqual(applied);
    const { hospitalization } = await hospital.visit('V2004');
    expect(hospitalization.dischargeDisposition.coding).toContainEqual(expect.objectContaining({ code: 'other-hcf' }));
    expect(hospitalization.destination.reference).toMatch(/^Location\//);
  });
});

describe('a discharge that becomes known late', () => {
  afterEach(() => Hospital.closeAll());

  test('has its passed windows as missed and the others as due', async () => {
    const hospital = await Hospital.open('2026-03-25T09:00:00+08:00');
    await hospital.send('A03');
    const { tasks } = await hospital.followUp();
    const byStart = tasks.sort((a, b) => a.executionPeriod.start.localeCompare(b.executionPeriod.start));
    expect(byStart.map((it) => [it.status, it.businessStatus?.text])).toEqual([
      ['failed', 'missed'],
      ['failed', 'missed'],
      ['requested', undefined],
      ['requested', undefined],
    ]);
  });
});
