/** ADT A08: what is known of a patient and a visit changes; the visit goes on, or is over, as it was. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { allEventNumbers, type Subscriber } from '../subscriptions/subscriber.ts';
import { applied, duplicate, Hospital, nothing, opened, stale } from './hospital.ts';
import { adt, home, pid, pv1, renumbered } from './messages.ts';

let hospital: Hospital;
let subscriber: Subscriber;
beforeAll(async () => {
  ({ hospital, subscriber } = await Hospital.openTold());
});
afterAll(() => Hospital.closeAll());

describe('A08 during a stay', () => {
  const update = adt(
    'A08',
    '2026-03-11 09:00',
    pid('1001', { 13: '13800000002', 16: 'M' }),
    pv1('V1001', { 7: 'D020^Sun^Hui' }),
    'DG1|1||E11.9^Type 2 diabetes^I10',
  );

  test('1. changes patient and visit; the visit stays in progress', async () => {
    await hospital.sends(adt('A01', '2026-03-10 09:05', pid('1001'), pv1('V1001')));
    expect(await hospital.sends(update)).toEqual(applied);
    const { telecom, maritalStatus } = await hospital.patient('1001');
    expect(telecom.map((it: { value: string }) => it.value)).toEqual(['13800000002']);
    expect(maritalStatus.coding[0].code).toBe('M');
    const visit = await hospital.visit('V1001');
    expect(visit).toMatchObject({ status: 'in-progress', diagnosis: [{}] });
    expect((await hospital.read(visit.participant[0].individual.reference)).name).toMatchObject([{ family: 'Sun' }]);
  });

  test('2. is found by the new number, not by the old one', async () => {
    expect(await hospital.search('Patient?phone=13800000002')).toHaveLength(1);
    expect(await hospital.search('Patient?phone=13900009999')).toHaveLength(0);
  });

  test('3. begins no follow-up', async () => {
    expect(await hospital.followed(await hospital.visit('V1001'))).toEqual(nothing);
  });

  test('4. repeated, changes nothing', async () => {
    const changed = await hospital.changedBy(async () => {
      expect(await hospital.sends(update)).toEqual(duplicate);
      expect(await hospital.sends(renumbered(update))).toEqual(duplicate);
    });
    expect(changed).toEqual([]);
  });

  test('5. late, overwrites nothing newer', async () => {
    const late = adt('A08', '2026-03-10 12:00', pid('1001', { 13: '13800000001' }), pv1('V1001', { 7: 'D012^Li^Min' }));
    expect(await hospital.sends(late)).toEqual(stale);
    expect((await hospital.patient('1001')).telecom).toMatchObject([{ value: '13800000002' }]);
  });

  test('6. as the inverse, brings the old values back', async () => {
    expect(await hospital.sends(adt('A08', '2026-03-11 10:00', pid('1001'), pv1('V1001')))).toEqual(applied);
    expect((await hospital.patient('1001')).telecom).toMatchObject([{ value: '13900009999' }]);
  });
});

describe('A08 after the discharge', () => {
  test('1. changes the patient; the visit stays finished, with its end and its disposition', async () => {
    await hospital.sends(adt('A03', '2026-03-16 10:05', pid('1001'), pv1('V1001', home)));
    const before = await hospital.visit('V1001');
    expect(before).toMatchObject({ status: 'finished', period: { end: '2026-03-16T10:00:00+08:00' } });
    expect(
      await hospital.sends(adt('A08', '2026-03-16 10:30', pid('1001', { 13: '13700000003' }), pv1('V1001'))),
    ).toEqual(applied);
    expect((await hospital.patient('1001')).telecom).toMatchObject([{ value: '13700000003' }]);
    expect(await hospital.visit('V1001')).toEqual(before);
  });

  test('2. is no second discharge: the follow-up goes on, and a subscriber heard of it once', async () => {
    expect(await hospital.followed(await hospital.visit('V1001'))).toEqual(opened);
    expect(allEventNumbers(subscriber.received)).toEqual([1]);
  });

  test('3. that repeats the end (PV1-45) makes no new version of the visit', async () => {
    const { meta } = await hospital.visit('V1001');
    await hospital.sends(adt('A08', '2026-03-16 10:40', pid('1001', { 13: '13700000003' }), pv1('V1001', home)));
    expect((await hospital.visit('V1001')).meta.versionId).toBe(meta.versionId);
    expect(allEventNumbers(subscriber.received)).toEqual([1]);
  });

  test('4. takes a telephone number away ("") and leaves the rest', async () => {
    await hospital.sends(adt('A08', '2026-03-16 10:50', pid('1001', { 13: '""' }), pv1('V1001')));
    const patient = await hospital.patient('1001');
    expect(patient).not.toHaveProperty('telecom');
    expect(patient).toMatchObject({ name: [{ family: 'Doe' }], gender: 'female' });
    expect((await hospital.followed(await hospital.visit('V1001'))).plans).toEqual(['active']);
  });
});

describe('A08 of a visit that is not known', () => {
  test.each([
    ['that goes on', '1002', {}, 'in-progress'],
    ['that is planned (PV1-2 = P)', '1003', { 2: 'P' }, 'planned'],
    ['that is over (PV1-45)', '1004', home, 'finished'],
  ])('%s: makes it', async (_, n, fields, status) => {
    expect(await hospital.sends(adt('A08', '2026-03-16 10:30', pid(n), pv1(`V${n}`, fields)))).toEqual(applied);
    const visit = await hospital.visit(`V${n}`);
    expect(visit.status).toBe(status);
    expect(await hospital.followed(visit)).toEqual(status === 'finished' ? opened : nothing);
  });

  test('the admission that comes behind it says what it knows', async () => {
    await hospital.sends(adt('A08', '2026-03-11 09:00', pid('1005'), pv1('V1005', { 2: 'P' })));
    expect(
      await hospital.sends(adt('A01', '2026-03-10 09:05', pid('1005'), pv1('V1005', { 17: 'D013^Wu^Gang' }))),
    ).toEqual(stale);
    const visit = await hospital.visit('V1005');
    expect(visit.status).toBe('in-progress');
    expect(visit.participant).toHaveLength(2);
  });
});
