/** ADT A28 and A31: a person is added, and what is known of her changes. There is no visit in it. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { applied, duplicate, Hospital, nothing, opened, stale, takenBack } from './hospital.ts';
import { adt, home, pid, pv1, renumbered } from './messages.ts';

let hospital: Hospital;
beforeAll(async () => {
  hospital = await Hospital.open();
});
afterAll(() => Hospital.closeAll());

describe('A28: a person is added', () => {
  const added = adt('A28', '2026-03-01 08:00', pid('1001', { 11: 'Road 1^^Harbour City' }), 'PV1|1|N');

  test('1. the patient stands, and no visit', async () => {
    expect(await hospital.sends(added)).toEqual(applied);
    const { id, address } = await hospital.patient('1001');
    expect(address).toMatchObject([{ city: 'Harbour City' }]);
    expect(await hospital.search(`Encounter?patient=${id}`)).toEqual([]);
    expect(await hospital.followed()).toEqual(nothing);
  });

  test('2. an empty PV1, and none at all, are the same', async () => {
    for (const segments of [['PV1|1'], ['PV1|1|O'], []]) {
      expect(await hospital.sends(adt('A28', '2026-03-01 08:00', pid('1002'), ...segments))).toEqual(applied);
      const { id } = await hospital.patient('1002');
      expect(await hospital.search(`Encounter?patient=${id}`)).toEqual([]);
    }
  });

  test('3. repeated, it changes nothing', async () => {
    const changed = await hospital.changedBy(async () => {
      expect(await hospital.sends(added)).toEqual(duplicate);
      expect(await hospital.sends(renumbered(added))).toEqual(duplicate);
    });
    expect(changed).toEqual([]);
  });

  test('4. the admission of the same number is of the same patient', async () => {
    const { id } = await hospital.patient('1001');
    await hospital.sends(adt('A01', '2026-03-10 09:05', pid('1001'), pv1('V1001')));
    expect((await hospital.visit('V1001')).subject).toEqual({ reference: `Patient/${id}` });
    expect((await hospital.patient('1001')).address).toMatchObject([{ city: 'Harbour City' }]);
  });
});

describe('A31: a person changes', () => {
  const moved = adt('A31', '2026-03-11 08:00', pid('1001', { 11: 'Road 2^^Hill Town', 13: '13800000002' }));

  test('1. the patient has the new address and number, once each', async () => {
    expect(await hospital.sends(moved)).toEqual(applied);
    const patient = await hospital.patient('1001');
    expect(patient.address).toMatchObject([{ line: ['Road 2'], city: 'Hill Town' }]);
    expect(patient.address).toHaveLength(1);
    expect(patient.telecom.map((it: { value: string }) => it.value)).toEqual(['13800000002']);
  });

  test('2. the visit is not touched', async () => {
    expect(await hospital.visit('V1001')).toMatchObject({ status: 'in-progress', meta: { versionId: '1' } });
  });

  test('3. repeated, it changes nothing', async () => {
    const changed = await hospital.changedBy(async () => {
      expect(await hospital.sends(moved)).toEqual(duplicate);
      expect(await hospital.sends(renumbered(moved))).toEqual(duplicate);
    });
    expect(changed).toEqual([]);
  });

  test('4. late, it overwrites nothing newer, and fills what is empty', async () => {
    const late = adt('A31', '2026-03-05 08:00', pid('1001', { 11: 'Road 9^^Old Town', 13: '13800000009', 16: 'M' }));
    expect(await hospital.sends(late)).toEqual(stale);
    const patient = await hospital.patient('1001');
    expect(patient.address).toMatchObject([{ city: 'Hill Town' }]);
    expect(patient.telecom).toMatchObject([{ value: '13800000002' }]);
    expect(patient.maritalStatus.coding[0].code).toBe('M');
  });

  test('5. that tells of a death takes the follow-up back', async () => {
    await hospital.sends(adt('A03', '2026-03-16 10:05', pid('1001'), pv1('V1001', home)));
    expect(await hospital.followed()).toEqual(opened);
    await hospital.sends(adt('A31', '2026-03-16 10:30', pid('1001', { 29: '20260316101500', 30: 'Y' })));
    expect(await hospital.patient('1001')).toMatchObject({ deceasedDateTime: '2026-03-16T10:15:00+08:00' });
    expect(await hospital.followed()).toEqual(takenBack);
  });
});

describe('A31 of a person who is not known', () => {
  test('makes the patient, as A28 does', async () => {
    expect(await hospital.sends(adt('A31', '2026-03-11 08:00', pid('1003')))).toEqual(applied);
    expect((await hospital.patient('1003')).gender).toBe('female');
  });

  test('the A28 that comes behind it fills what is empty', async () => {
    const late = adt('A28', '2026-03-01 08:00', pid('1003', { 13: '13800000001', 16: 'S' }));
    expect(await hospital.sends(late)).toEqual(stale);
    const { telecom, maritalStatus } = await hospital.patient('1003');
    expect(telecom).toMatchObject([{ value: '13900009999' }]);
    expect(maritalStatus.coding[0].code).toBe('S');
  });
});
