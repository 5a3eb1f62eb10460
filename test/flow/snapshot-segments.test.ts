/** Trouble: AL1, DG1, NK1, GT1 and IN1 are sent as sets. The newest set counts; what it leaves out is not current any more. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Json } from '../../src/fhir/types.ts';
import { applied, Hospital, stale } from './hospital.ts';
import { adt, mrg, pid, pv1 } from './messages.ts';

let hospital: Hospital;
beforeAll(async () => {
  hospital = await Hospital.open();
});
afterAll(() => Hospital.closeAll());

const update = (n: string, at: string, ...segments: readonly string[]): string =>
  adt('A08', at, pid(n), pv1(`V${n}`), ...segments);

const clinical = (it: Json): string => it.clinicalStatus?.coding?.[0].code ?? 'said nothing';

/** Kind of segment: two entries of a set, and how a resource shows what it is and whether it is current. */
const kinds = [
  [
    'AL1',
    'AllergyIntolerance?patient',
    ['AL1|1|DA|A^A', 'AL1|2|DA|B^B'],
    (it: Json) => `${it.code.coding[0].code} ${clinical(it)}`,
    'active',
    'inactive',
  ],
  [
    'DG1',
    'Condition?subject',
    ['DG1|1||A^A^I10', 'DG1|2||B^B^I10'],
    (it: Json) => `${it.code.coding[0].code} ${clinical(it)}`,
    'said nothing',
    'inactive',
  ],
  [
    'NK1',
    'RelatedPerson?patient',
    ['NK1|1|A^Al|SPO', 'NK1|2|B^Bo|CHD'],
    (it: Json) => `${it.name[0].family} ${it.active ?? 'said nothing'}`,
    'said nothing',
    'false',
  ],
  [
    'IN1',
    'Coverage?beneficiary',
    ['IN1|1|A|0100^City', 'IN1|2|B|0200^State'],
    (it: Json) => `${(it.class?.[0]?.value ?? it.type?.coding?.[0].code) as string} ${it.status}`,
    'active',
    'cancelled',
  ],
] as const;

describe.each(kinds)('%s', (name, search, [first, second], show, current, gone) => {
  const n = `1${name.charCodeAt(0)}`;
  const standing = async (): Promise<string[]> => {
    const { id } = await hospital.patient(n);
    return (await hospital.search(`${search}=Patient/${id}`)).map(show).sort();
  };

  test('1. a set of two stands', async () => {
    await hospital.sends(update(n, '2026-03-10 09:00', first, second));
    expect(await standing()).toEqual([`A ${current}`, `B ${current}`]);
  });

  test('2. a message without the segment, or with an empty one, says nothing of it', async () => {
    expect(await hospital.sends(update(n, '2026-03-10 10:00'))).toEqual(applied);
    expect(await hospital.sends(update(n, '2026-03-10 10:01', `${name}|1`, `${name}|2|`))).toEqual(applied);
    expect(await standing()).toEqual([`A ${current}`, `B ${current}`]);
  });

  test('3. a set of one: the other is kept, as not current', async () => {
    expect(await hospital.sends(update(n, '2026-03-11 09:00', second))).toEqual(applied);
    expect(await standing()).toEqual([`A ${gone}`, `B ${current}`]);
  });

  test('4. an older set that comes late does not bring it back', async () => {
    expect(await hospital.sends(update(n, '2026-03-10 12:00', first))).toMatchObject({ ack: 'AA' });
    expect(await standing()).toEqual([`A ${gone}`, `B ${current}`]);
  });

  test('5. a newer set brings it back', async () => {
    expect(await hospital.sends(update(n, '2026-03-12 09:00', first))).toEqual(applied);
    expect(await standing()).toEqual([`A ${current}`, `B ${gone}`]);
  });

  test('6. the set of another patient has nothing to do with it', async () => {
    await hospital.sends(update(`${n}9`, '2026-03-13 09:00', second));
    expect(await standing()).toEqual([`A ${current}`, `B ${gone}`]);
  });

  test('7. a segment of nothing but `""` says that there are none, and makes none', async () => {
    const none = `${name}|1|${name === 'AL1' ? '""' : '""|""|""'}`;
    expect(await hospital.sends(update(n, '2026-03-14 09:00', none))).toEqual(applied);
    expect(await standing()).toEqual([`A ${gone}`, `B ${gone}`]);
    const { contact } = await hospital.patient(n);
    const { diagnosis } = await hospital.visit(`V${n}`);
    expect([contact, diagnosis]).toEqual([undefined, undefined]);
  });

  test('8. an older set that comes later does not bring one back', async () => {
    await hospital.sends(update(n, '2026-03-13 12:00', first, second));
    expect(await standing()).toEqual([`A ${gone}`, `B ${gone}`]);
  });
});

describe('diagnoses', () => {
  test('are sets of a visit: those of an earlier visit stay', async () => {
    await hospital.sends(adt('A01', '2026-03-01 09:00', pid('2001'), pv1('VA'), 'DG1|1||A^A^I10'));
    await hospital.sends(adt('A01', '2026-03-10 09:00', pid('2001'), pv1('VB'), 'DG1|1||B^B^I10'));
    const { id } = await hospital.patient('2001');
    expect((await hospital.search(`Condition?subject=Patient/${id}`)).map(clinical)).toEqual([
      'said nothing',
      'said nothing',
    ]);
    expect((await hospital.visit('VA')).diagnosis).toHaveLength(1);
  });

  test('of the visit list the newest set only', async () => {
    await hospital.sends(adt('A08', '2026-03-11 09:00', pid('2001'), pv1('VB'), 'DG1|1||C^C^I10'));
    const visit = await hospital.visit('VB');
    expect(visit.diagnosis).toHaveLength(1);
    expect((await hospital.read(visit.diagnosis[0].condition.reference)).code.coding[0].code).toBe('C');
  });

  test('an older set that comes late is stale, and is none of the visit', async () => {
    expect(await hospital.sends(adt('A08', '2026-03-10 12:00', pid('2001'), pv1('VB'), 'DG1|1||D^D^I10'))).toEqual(
      stale,
    );
    const visit = await hospital.visit('VB');
    expect(visit.diagnosis).toHaveLength(1);
  });
});

describe('two records of one patient that were merged (A40)', () => {
  const allergies = async (): Promise<string[]> =>
    (await hospital.search(`AllergyIntolerance?patient=Patient/${(await hospital.patient('3001')).id}`))
      .map((it) => `${it.code.coding[0].code} ${clinical(it)}`)
      .sort();

  test('1. have both sets', async () => {
    await hospital.sends(adt('A28', '2026-03-10 09:00', pid('3001'), 'AL1|1|DA|PCN^Penicillin'));
    await hospital.sends(adt('A28', '2026-03-10 10:00', pid('3002'), 'AL1|1|FA|NUT^Nuts'));
    await hospital.sends(adt('A40', '2026-03-11 09:00', pid('3001'), mrg('3002')));
    expect(await allergies()).toEqual(['NUT active', 'PCN active']);
  });

  test('2. a set of the one who stays replaces both', async () => {
    await hospital.sends(adt('A31', '2026-03-12 09:00', pid('3001'), 'AL1|1|DA|PCN^Penicillin'));
    expect(await allergies()).toEqual(['NUT inactive', 'PCN active']);
  });

  test('3. a set of the retired record from before the merge, come late, brings nothing back', async () => {
    expect(await hospital.sends(adt('A31', '2026-03-10 11:00', pid('3002'), 'AL1|1|FA|EGG^Eggs'))).toEqual(stale);
    expect(await allergies()).toEqual(['EGG inactive', 'NUT inactive', 'PCN active']);
  });

  test('4. a set that still comes under the old number is hers too', async () => {
    await hospital.sends(adt('A31', '2026-03-13 09:00', pid('3002'), 'AL1|1|FA|NUT^Nuts'));
    expect(await allergies()).toEqual(['EGG inactive', 'NUT active', 'PCN inactive']);
  });
});

test('diagnoses of an outpatient who stays under another number (A06) are those that come with it, and later', async () => {
  const codes = async (): Promise<string[]> =>
    (await hospital.search(`Condition?subject=Patient/${(await hospital.patient('4001')).id}`))
      .map((it) => `${it.code.coding[0].code} ${clinical(it)}`)
      .sort();
  await hospital.sends(adt('A04', '2026-03-10 09:00', pid('4001'), pv1('O1', { 2: 'O' }), 'DG1|1||A^A^I10'));
  const mergedVisit = mrg('4001', { 5: 'O1^^^RENHE^VN' });
  await hospital.sends(adt('A06', '2026-03-11 09:00', pid('4001'), mergedVisit, pv1('I1'), 'DG1|1||B^B^I10'));
  expect(await codes()).toEqual(['A inactive', 'B said nothing']);
  await hospital.sends(adt('A08', '2026-03-12 09:00', pid('4001'), pv1('I1'), 'DG1|1||C^C^I10'));
  expect(await codes()).toEqual(['A inactive', 'B inactive', 'C said nothing']);
});
