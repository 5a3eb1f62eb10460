/** ADT A40: two records are of one patient. The one of MRG-1 retires, the one of PID-3 stays. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Json } from '../../src/fhir/types.ts';
import { applied, duplicate, Hospital, opened, stale, takenBack } from './hospital.ts';
import { adt, home, message, mrg, pid, pv1, renumbered, segment } from './messages.ts';

let hospital: Hospital;
beforeAll(async () => {
  hospital = await Hospital.open();
});
afterAll(() => Hospital.closeAll());

const merged = (survivor: string, retired: string, at: string): string => adt('A40', at, pid(survivor), mrg(retired));

/** Links of a patient: `replaced-by 1001`, by the numbers that the records have as their own. */
async function links(number: string): Promise<string[]> {
  const of = async ({ type, other }: Json): Promise<string> => {
    const { identifier } = await hospital.read(other.reference);
    return `${type} ${identifier.find((it: Json) => it.use !== 'old')?.value ?? identifier[0].value}`;
  };
  return Promise.all(((await record(number)).link ?? []).map(of));
}

/** Ids of the records, by the number under which each came first. */
const records = new Map<string, string>();
const record = (number: string): Promise<Json> => hospital.read(`Patient/${records.get(number)}`);
const reference = (number: string): string => `Patient/${records.get(number)}`;

async function known(...numbers: readonly string[]): Promise<void> {
  for (const number of numbers) {
    await hospital.sends(adt('A28', '2026-03-01 08:00', pid(number)));
    records.set(number, (await hospital.patient(number)).id);
  }
}

describe('A40: record 1002 goes into record 1001', () => {
  const merge = merged('1001', '1002', '2026-03-16 10:30');

  test('1. before: a discharged patient with all that a record can have', async () => {
    await known('1001', '1002');
    const [retired, booked] = [
      reference('1002'),
      segment('SCH', { 2: 'F1^RENHE', 11: '^^^20260401093000^20260401100000' }),
    ];
    await hospital.sends(adt('A01', '2026-03-09 08:05', pid('1001'), pv1('V1001')));
    await hospital.sends(
      adt(
        'A01',
        '2026-03-10 09:05',
        pid('1002', { 18: 'ACC2^^^RENHE^AN', 21: '3003^^^RENHE^MR' }),
        'NK1|1|Doe^John|SPO',
        pv1('V1002', { 20: 'C' }),
        'OBX|1|NM|8867-4^Pulse^LN||72|/min|||||F',
        'AL1|1|DA|PCN^Penicillin',
        'DG1|1||E11.9^Diabetes^I10',
        'PR1|1||47.0^Appendectomy^I9C||20260311',
        'IN1|1|BASIC|0100^City Insurance',
        'ROL|1|AD|AT^Attending|D012^Li^Min',
      ),
    );
    await hospital.sends(message('SIU^S12', '2026-03-12 09:00', booked, pid('1002')));
    await hospital.sends(adt('A03', '2026-03-16 10:05', pid('1002'), pv1('V1002', home)));
    await hospital.put({
      resourceType: 'Goal',
      id: 'g',
      lifecycleStatus: 'active',
      description: { text: 'walk' },
      subject: { reference: retired },
    });
    await hospital.put({
      resourceType: 'Communication',
      id: 'c',
      status: 'completed',
      subject: { reference: retired },
      recipient: [{ reference: retired }],
    });
    await hospital.put({
      resourceType: 'Group',
      id: 'gr',
      type: 'person',
      actual: true,
      member: [{ entity: { reference: retired } }],
    });
    const types = await hospital.referrers('Patient', records.get('1002') as string);
    expect(types).toEqual(
      expect.arrayContaining([
        'Account',
        'AllergyIntolerance',
        'Appointment',
        'CarePlan',
        'Communication',
        'Condition',
      ]),
    );
    expect(types).toEqual(
      expect.arrayContaining(['Coverage', 'Encounter', 'Goal', 'Group', 'Observation', 'Procedure']),
    );
    expect(types).toEqual(expect.arrayContaining(['QuestionnaireResponse', 'RelatedPerson', 'Task']));
  });

  test('2. the merge is taken; the retired record says who stands for it', async () => {
    expect(await hospital.sends(merge)).toEqual(applied);
    expect(await record('1002')).toMatchObject({ active: false, name: [{ family: 'Doe' }] });
    expect(await links('1002')).toEqual(['replaced-by 1001']);
    expect(await record('1001')).toMatchObject({ active: true });
    expect(await links('1001')).toEqual(['replaces 1002']);
  });

  test('3. the patient who stays has both numbers, and is found by the old one', async () => {
    expect((await record('1001')).identifier).toMatchObject([{ value: '1001' }, { value: '1002', use: 'old' }]);
    const found = await hospital.search('Patient?identifier=1002&active=true');
    expect(found.map((it) => it.id)).toEqual([records.get('1001')]);
  });

  test('4. nothing refers to the retired record any more', async () => {
    expect(await hospital.referrers('Patient', records.get('1002') as string)).toEqual([]);
  });

  test('5. what the messages, the care stage and a FHIR client wrote is hers', async () => {
    const { id } = await record('1001');
    const [visit, task] = [await hospital.visit('V1002'), (await hospital.followUp()).tasks[0]];
    expect(visit.subject.reference).toBe(`Patient/${id}`);
    expect(task?.for.reference).toBe(`Patient/${id}`);
    expect((await hospital.read('Communication/c')).recipient[0].reference).toBe(`Patient/${id}`);
    expect((await hospital.read('Group/gr')).member[0].entity.reference).toBe(`Patient/${id}`);
    expect(await hospital.search(`Encounter?patient=${id}`)).toHaveLength(2);
    expect(await hospital.search(`Appointment?patient=${id}`)).toHaveLength(2);
  });

  test('6. the follow-up goes on as it is: one plan, its four tasks', async () => {
    expect(await hospital.followed(await hospital.visit('V1002'))).toEqual(opened);
  });

  test('7. repeated, also with a new time, it changes nothing', async () => {
    const changed = await hospital.changedBy(async () => {
      expect(await hospital.sends(merge)).toEqual(duplicate);
      expect(await hospital.sends(renumbered(merge))).toEqual(duplicate);
      expect(await hospital.sends(merged('1001', '1002', '2026-03-16 10:40'))).toEqual(applied);
    });
    expect(changed).toEqual([]);
  });

  test('8. what still comes under the old number goes to the patient who stays', async () => {
    await hospital.sends(adt('A13', '2026-03-16 10:45', pid('1002'), pv1('V1002')));
    const visit = await hospital.visit('V1002');
    expect(visit).toMatchObject({ status: 'in-progress', subject: { reference: reference('1001') } });
    expect(await hospital.followed(visit)).toEqual(takenBack);
    expect(await record('1002')).toMatchObject({ active: false });
  });

  test('9. sent the other way round, later, it turns everything round', async () => {
    expect(await hospital.sends(merged('1002', '1001', '2026-03-16 11:00'))).toEqual(applied);
    expect(await links('1001')).toEqual(['replaced-by 1002']);
    expect(await links('1002')).toEqual(['replaces 1001']);
    expect([(await record('1001')).active, (await record('1002')).active]).toEqual([false, true]);
    expect(await hospital.referrers('Patient', records.get('1001') as string)).toEqual([]);
  });

  test('10. sent the other way round with an older time, it is late', async () => {
    expect(await hospital.sends(merged('1001', '1002', '2026-03-16 10:50'))).toEqual(stale);
    expect(await links('1001')).toEqual(['replaced-by 1002']);
  });
});

describe('A40 in a chain', () => {
  test('1103 into 1102, then 1102 into 1101: everything is of 1101', async () => {
    await known('1101', '1102', '1103');
    await hospital.sends(adt('A01', '2026-03-10 09:05', pid('1103'), pv1('V1103'), 'DG1|1||I10^Hypertension^I10'));
    await hospital.sends(merged('1102', '1103', '2026-03-12 09:00'));
    expect((await hospital.visit('V1103')).subject.reference).toBe(reference('1102'));
    expect(await hospital.sends(merged('1101', '1102', '2026-03-12 10:00'))).toEqual(applied);
    expect((await hospital.visit('V1103')).subject.reference).toBe(reference('1101'));
    expect(await hospital.referrers('Patient', records.get('1103') as string)).toEqual([]);
    expect(await hospital.referrers('Patient', records.get('1102') as string)).toEqual([]);
    expect(await links('1103')).toEqual(['replaced-by 1102']);
  });

  test('the same chain in the other order ends the same', async () => {
    await known('1201', '1202', '1203');
    await hospital.sends(adt('A01', '2026-03-10 09:05', pid('1203'), pv1('V1203')));
    expect(await hospital.sends(merged('1201', '1202', '2026-03-12 10:00'))).toEqual(applied);
    expect(await hospital.sends(merged('1202', '1203', '2026-03-12 09:00'))).toMatchObject({ ack: 'AA' });
    expect((await hospital.visit('V1203')).subject.reference).toBe(reference('1201'));
  });
});

describe('A40 with several pairs', () => {
  test('merges each of them', async () => {
    await known('1301', '1302', '1303', '1304');
    const pairs = [pid('1301'), mrg('1302'), pid('1303'), mrg('1304')];
    expect(await hospital.sends(adt('A40', '2026-03-12 09:00', ...pairs))).toEqual(applied);
    expect(await links('1302')).toEqual(['replaced-by 1301']);
    expect(await links('1304')).toEqual(['replaced-by 1303']);
    expect((await record('1301')).identifier.map((it: Json) => it.value)).toEqual(['1301', '1302']);
  });
});

describe('A40 with a list of old numbers', () => {
  test('retires the record that is known by one of them', async () => {
    await known('1801', '1802');
    await hospital.sends(adt('A01', '2026-03-10 09:05', pid('1802'), pv1('V1802')));
    const numbers = mrg('', { 1: '9802^^^RENHE^MR~1802^^^RENHE^MR' });
    expect(await hospital.sends(adt('A40', '2026-03-12 09:00', pid('1801'), numbers))).toEqual(applied);
    expect(await links('1802')).toEqual(['replaced-by 1801']);
    expect(await record('1802')).toMatchObject({ active: false });
    expect((await hospital.visit('V1802')).subject.reference).toBe(reference('1801'));
  });
});

describe('A40 whose list of old numbers names the one who stays', () => {
  test('retires nobody who is stored', async () => {
    await known('1901');
    const numbers = mrg('', { 1: '9901^^^RENHE^MR~1901^^^RENHE^MR' });
    await hospital.sends(adt('A40', '2026-03-12 09:00', pid('1901'), numbers));
    expect(await record('1901')).not.toMatchObject({ active: false });
    expect((await links('1901')).filter((it) => it.startsWith('replaced-by'))).toEqual([]);
  });
});

describe('A40 that merges two records into each other', () => {
  test('leaves one of them, the same in each order', async () => {
    await known('1601', '1602', '1701', '1702');
    const circle = (one: string, other: string): string =>
      adt('A40', '2026-03-12 09:00', pid(one), mrg(other), pid(other), mrg(one));
    const actives = async (...numbers: readonly string[]): Promise<unknown[]> =>
      (await Promise.all(numbers.map(record))).map((it) => it.active !== false).sort();
    for (const [one, other] of [
      ['1601', '1602'],
      ['1702', '1701'],
    ] as const) {
      expect(await hospital.sends(circle(one, other))).toEqual(applied);
      expect(await actives(one, other)).toEqual([false, true]);
    }
  });
});

describe('A40 before its patients are known', () => {
  test('holds for what comes behind it', async () => {
    expect(await hospital.sends(merged('1401', '1402', '2026-03-12 09:00'))).toEqual(applied);
    await hospital.sends(adt('A01', '2026-03-10 09:05', pid('1402'), pv1('V1402')));
    expect((await hospital.visit('V1402')).subject.reference).toBe(`Patient/${(await hospital.patient('1401')).id}`);
  });
});

describe('A40 that cannot be', () => {
  test('a record with itself: nobody is merged', async () => {
    await known('1501');
    expect(await hospital.sends(merged('1501', '1501', '2026-03-12 09:00'))).toEqual(applied);
    expect(await record('1501')).not.toHaveProperty('link');
    expect(await record('1501')).not.toMatchObject({ active: false });
    expect((await record('1501')).identifier).toHaveLength(1);
  });

  test.each([
    ['no number that retires', [pid('1501'), 'MRG|'], '101 MRG-1.1'],
    ['no MRG', [pid('1501')], '100 MRG'],
  ])('%s: refused', async (_, segments, error) => {
    const answer = await hospital.sends(adt('A40', '2026-03-12 09:00', ...segments));
    expect(answer).toMatchObject({ ack: 'AE', state: 'rejected' });
    expect(answer.errors).toContain(error);
  });
});
