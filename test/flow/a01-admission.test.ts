/** ADT A01: a patient comes to stay. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { applied, duplicate, Hospital, nothing, roles, stale } from './hospital.ts';
import { adt, home, pid, pv1, renumbered } from './messages.ts';

let hospital: Hospital;
beforeAll(async () => {
  hospital = await Hospital.open();
});
afterAll(() => Hospital.closeAll());

describe('A01: a patient is admitted', () => {
  const admission = adt(
    'A01',
    '2026-03-10 09:05',
    pid('1001', { 11: 'Road 1^^Harbour City^^315000^CHN', 13: '13900009999^PRN^CP' }),
    'PD1||||D100^Zhou^Ping',
    'NK1|1|Doe^John|SPO^Spouse|||13700001111',
    pv1('V1001', { 3: 'W1^101^01^RENHE', 10: 'MED', 17: 'D013^Wu^Gang' }),
    'AL1|1|DA|PCN^Penicillin|SV|Rash',
    'DG1|1||E11.9^Type 2 diabetes^I10|||A',
    'IN1|1|BASIC|0100^City Insurance',
  );

  test('1. the message is taken and applied', async () => {
    expect(await hospital.sends(admission)).toEqual(applied);
  });

  test('2. the patient stands with all that the message says of her', async () => {
    expect(await hospital.patient('1001')).toMatchObject({
      identifier: [{ system: 'urn:id:RENHE', value: '1001' }],
      name: [{ family: 'Doe', given: ['Jane'] }],
      gender: 'female',
      birthDate: '1980-02-29',
      address: [{ line: ['Road 1'], city: 'Harbour City', postalCode: '315000', country: 'CHN' }],
      telecom: [{ system: 'phone', value: '13900009999', use: 'mobile' }],
      contact: [{ name: { family: 'Doe', given: ['John'] } }],
      generalPractitioner: [{ reference: expect.stringMatching(/^Practitioner\//) }],
    });
  });

  test('3. the visit is in progress, in its bed, with its doctors', async () => {
    const visit = await hospital.visit('V1001');
    const { id } = await hospital.patient('1001');
    expect(visit).toMatchObject({
      status: 'in-progress',
      class: { code: 'IMP' },
      subject: { reference: `Patient/${id}` },
      period: { start: '2026-03-10T09:00:00+08:00' },
    });
    expect(visit.period).not.toHaveProperty('end');
    expect(roles(visit.participant)).toEqual(['ADM', 'ATND']);
    expect(await hospital.places(visit)).toEqual(['active RENHE W1 101 01']);
  });

  test('4. diagnosis, allergy, relative and insurance stand, each bound to her', async () => {
    const { id } = await hospital.patient('1001');
    const [subject, visit] = [{ reference: `Patient/${id}` }, await hospital.visit('V1001')];
    const condition = await hospital.one(`Condition?subject=Patient/${id}`);
    expect(condition).toMatchObject({ subject, encounter: { reference: `Encounter/${visit.id}` } });
    expect(visit.diagnosis).toMatchObject([{ condition: { reference: `Condition/${condition.id}` } }]);
    expect(await hospital.one(`AllergyIntolerance?patient=${id}`)).toMatchObject({
      patient: subject,
      code: { coding: [{ code: 'PCN' }] },
      criticality: 'high',
      reaction: [{ severity: 'severe' }],
    });
    expect(await hospital.one(`RelatedPerson?patient=${id}`)).toMatchObject({ patient: subject });
    expect(await hospital.one(`Coverage?beneficiary=${id}`)).toMatchObject({ status: 'active', beneficiary: subject });
  });

  test('5. nobody follows up a patient who is still there', async () => {
    expect(await hospital.followed(await hospital.visit('V1001'))).toEqual(nothing);
  });

  test('6. where each element came from is told by Provenance', async () => {
    const { id } = await hospital.visit('V1001');
    expect((await hospital.search(`Provenance?target=Encounter/${id}`)).length).toBeGreaterThan(0);
  });

  test('7. sent again with the same control id, or under a new one, it changes nothing', async () => {
    const changed = await hospital.changedBy(async () => {
      expect(await hospital.sends(admission)).toEqual(duplicate);
      expect(await hospital.sends(renumbered(admission))).toEqual(duplicate);
    });
    expect(changed).toEqual([]);
  });

  test('8. sent again an hour later by the clock of the hospital, it makes no new version', async () => {
    const changed = await hospital.changedBy(async () => {
      const later = admission.replaceAll('20260310090500', '20260310100500');
      expect(await hospital.sends(renumbered(later))).toEqual(applied);
    });
    expect(changed).toEqual([]);
  });
});

describe('A01 that comes late', () => {
  test('after the discharge fills what was empty, and opens nothing again', async () => {
    expect(await hospital.sends(adt('A03', '2026-03-16 10:05', pid('1002'), pv1('V1002', home)))).toEqual(applied);
    const late = adt('A01', '2026-03-10 09:05', pid('1002', { 16: 'M' }), pv1('V1002', { 14: '7' }));
    expect(await hospital.sends(late)).toEqual(stale);
    expect(await hospital.visit('V1002')).toMatchObject({
      status: 'finished',
      period: { end: '2026-03-16T10:00:00+08:00' },
      hospitalization: { admitSource: { coding: [{ code: '7' }] } },
    });
    expect((await hospital.patient('1002')).maritalStatus.coding[0].code).toBe('M');
    expect((await hospital.followed(await hospital.visit('V1002'))).plans).toEqual(['active']);
  });

  test('after the next update of the same visit brings no old telephone number back', async () => {
    await hospital.sends(adt('A08', '2026-03-11 08:00', pid('1003', { 13: '13800000002' }), pv1('V1003')));
    expect(
      await hospital.sends(adt('A01', '2026-03-10 09:05', pid('1003', { 13: '13800000001' }), pv1('V1003'))),
    ).toEqual(stale);
    expect((await hospital.patient('1003')).telecom).toMatchObject([{ value: '13800000002' }]);
  });
});

describe('A01 that cannot be taken', () => {
  test.each([
    ['a patient without a number', [pid('').replace('^^^RENHE^MR', ''), pv1('V1004')], '101 PID-3.1'],
    ['a visit without a number and a time', [pid('1004'), 'PV1|1|I'], '101 PV1-19.1'],
    ['no PID', [pv1('V1004')], '100 PID'],
    ['no PV1', [pid('1004')], '100 PV1'],
  ])('%s: refused with its place, kept as rejected, and nothing is written', async (_, segments, error) => {
    const changed = await hospital.changedBy(async () => {
      const answer = await hospital.sends(adt('A01', '2026-03-10 09:05', ...segments));
      expect(answer).toMatchObject({ ack: 'AE', state: 'rejected' });
      expect(answer.errors).toContain(error);
    });
    expect(changed).toEqual([]);
  });

  test('a visit that is none (PV1-2 = N) makes the patient alone', async () => {
    expect(await hospital.sends(adt('A01', '2026-03-10 09:05', pid('1005'), 'PV1|1|N'))).toEqual(applied);
    const { id } = await hospital.patient('1005');
    expect(await hospital.search(`Encounter?patient=${id}`)).toEqual([]);
  });
});
