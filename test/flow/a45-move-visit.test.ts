/** ADT A45: a visit was filed under the wrong patient. PID is the right one, MRG-1 the wrong one, MRG-5 the visit. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Json } from '../../src/fhir/types.ts';
import { applied, duplicate, Hospital, opened, stale } from './hospital.ts';
import { adt, home, mrg, pid, pv1, renumbered } from './messages.ts';

let hospital: Hospital;
beforeAll(async () => {
  hospital = await Hospital.open();
});
afterAll(() => Hospital.closeAll());

const visitNumber = (number: string): string => `${number}^^^RENHE^VN`;
const subjectOf = async (visit: string): Promise<string> => (await hospital.visit(visit)).subject.reference;
const patientOf = async (number: string): Promise<string> => `Patient/${(await hospital.patient(number)).id}`;

describe('A45: visit V1 moves from patient 1001 to patient 1002', () => {
  const move = adt(
    'A45',
    '2026-03-16 10:30',
    pid('1002'),
    mrg('1001', { 5: visitNumber('V1') }),
    pv1('V1', { 44: '' }),
  );

  test('1. before: two visits of the wrong patient, one of them with its follow-up', async () => {
    await hospital.sends(
      adt(
        'A01',
        '2026-03-10 09:05',
        pid('1001'),
        pv1('V1'),
        'AL1|1|DA|PCN^Penicillin',
        'DG1|1||E11.9^Diabetes^I10',
        'PR1|1||47.0^Appendectomy^I9C||20260311',
      ),
    );
    await hospital.sends(adt('A04', '2026-03-11 09:05', pid('1001'), pv1('V2', { 2: 'O' }), 'DG1|1||J06.9^Cold^I10'));
    await hospital.sends(adt('A28', '2026-03-01 08:00', pid('1002')));
    await hospital.sends(adt('A03', '2026-03-16 10:05', pid('1001'), pv1('V1', home)));
    expect(await hospital.followed(await hospital.visit('V1'))).toEqual(opened);
  });

  test('2. the visit is of the right patient; the other one stays', async () => {
    expect(await hospital.sends(move)).toEqual(applied);
    expect(await subjectOf('V1')).toBe(await patientOf('1002'));
    expect(await subjectOf('V2')).toBe(await patientOf('1001'));
    expect(await hospital.visit('V1')).toMatchObject({
      status: 'finished',
      period: { end: '2026-03-16T10:00:00+08:00' },
    });
  });

  test('3. diagnosis and procedure go along with the visit', async () => {
    const [right, wrong] = [await patientOf('1002'), await patientOf('1001')];
    const codes = (found: Json[]): string[] => found.map((it) => it.code.coding[0].code);
    expect(codes(await hospital.search(`Condition?subject=${right}`))).toEqual(['E11.9']);
    expect(codes(await hospital.search(`Condition?subject=${wrong}`))).toEqual(['J06.9']);
    expect(await hospital.search(`Procedure?subject=${right}`)).toHaveLength(1);
  });

  test('4. the plan, its tasks, the revisit and the survey go along', async () => {
    const { plans, tasks, appointments, responses } = await hospital.followUp(await hospital.visit('V1'));
    expect(await hospital.followed(await hospital.visit('V1'))).toEqual(opened);
    const right = await patientOf('1002');
    for (const it of [...plans, ...responses]) expect(it.subject.reference).toBe(right);
    for (const it of tasks) expect(it.for.reference).toBe(right);
    expect(appointments[0]?.participant.map((it: Json) => it.actor.reference)).toContain(right);
  });

  test('5. an allergy stays with the patient that it was told of', async () => {
    expect(await hospital.search(`AllergyIntolerance?patient=${await patientOf('1001')}`)).toHaveLength(1);
  });

  test('6. neither patient is retired', async () => {
    for (const number of ['1001', '1002']) {
      expect(await hospital.patient(number)).not.toMatchObject({ active: false });
      expect(await hospital.patient(number)).not.toHaveProperty('link');
    }
  });

  test('7. repeated, it changes nothing', async () => {
    const changed = await hospital.changedBy(async () => {
      expect(await hospital.sends(move)).toEqual(duplicate);
      expect(await hospital.sends(renumbered(move))).toEqual(duplicate);
    });
    expect(changed).toEqual([]);
  });

  test('8. the admission that comes again with its old time does not take the visit back', async () => {
    expect(await hospital.sends(adt('A01', '2026-03-10 09:06', pid('1001'), pv1('V1')))).toEqual(stale);
    expect(await subjectOf('V1')).toBe(await patientOf('1002'));
  });

  test('9. the inverse move, later, takes everything back', async () => {
    const back = adt(
      'A45',
      '2026-03-16 10:40',
      pid('1001'),
      mrg('1002', { 5: visitNumber('V1') }),
      pv1('V1', { 44: '' }),
    );
    expect(await hospital.sends(back)).toEqual(applied);
    expect(await subjectOf('V1')).toBe(await patientOf('1001'));
    expect(await hospital.search(`Condition?subject=${await patientOf('1001')}`)).toHaveLength(2);
    expect((await hospital.followUp(await hospital.visit('V1'))).plans[0]?.subject.reference).toBe(
      await patientOf('1001'),
    );
  });
});

describe('A45 with several visits', () => {
  test('moves each of them, and one gets a new number on the way', async () => {
    for (const visit of ['V31', 'V32', 'V33'])
      await hospital.sends(adt('A01', '2026-03-10 09:05', pid('1003'), pv1(visit), 'DG1|1||I10^Hypertension^I10'));
    const move = adt(
      'A45',
      '2026-03-12 09:00',
      pid('1004'),
      mrg('1003', { 5: visitNumber('V31') }),
      pv1('V31', { 44: '' }),
      mrg('1003', { 5: visitNumber('V32') }),
      pv1('V99', { 44: '' }),
    );
    expect(await hospital.sends(move)).toEqual(applied);
    const right = await patientOf('1004');
    expect(await subjectOf('V31')).toBe(right);
    expect(await subjectOf('V99')).toBe(right);
    expect(await subjectOf('V33')).toBe(await patientOf('1003'));
    expect(await hospital.search(`Condition?subject=${right}`)).toHaveLength(2);
    expect((await hospital.visit('V99')).identifier).toMatchObject([{ value: 'V99' }, { value: 'V32', use: 'old' }]);
  });
});

describe('A45 before the visit is known', () => {
  test('files what comes behind it under the right patient', async () => {
    const move = adt(
      'A45',
      '2026-03-12 09:00',
      pid('1006'),
      mrg('1005', { 5: visitNumber('V5') }),
      pv1('V5', { 44: '' }),
    );
    expect(await hospital.sends(move)).toEqual(applied);
    expect(
      await hospital.sends(adt('A01', '2026-03-10 09:05', pid('1005'), pv1('V5'), 'DG1|1||I10^Hypertension^I10')),
    ).toEqual(stale);
    expect(await subjectOf('V5')).toBe(await patientOf('1006'));
    expect(await hospital.search(`Condition?subject=${await patientOf('1006')}`)).toHaveLength(1);
  });
});

describe('A45 that says too little', () => {
  test('without the number of the visit is refused', async () => {
    const answer = await hospital.sends(adt('A45', '2026-03-12 09:00', pid('1006'), mrg('1005'), pv1('V5')));
    expect(answer).toEqual({ ack: 'AE', errors: ['101 MRG-5.1'], state: 'rejected' });
  });
});
