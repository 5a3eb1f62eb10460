/** ADT A60: allergies become known, change and turn out to be none. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Json } from '../../src/fhir/types.ts';
import { applied, duplicate, Hospital, nothing, stale } from './hospital.ts';
import { adt, pid, pv1, renumbered, segment } from './messages.ts';

let hospital: Hospital;
beforeAll(async () => {
  hospital = await Hospital.open();
});
afterAll(() => Hospital.closeAll());

const penicillin = { 1: '1', 2: 'DA^Drug allergy^HL70127', 3: 'PCN^Penicillin', 7: 'IAM-77^RENHE' };

/** Codes of what she is allergic to, with their clinical status; `-` where there is none. */
async function allergies(number: string): Promise<string[]> {
  const { id } = await hospital.patient(number);
  const found = await hospital.search(`AllergyIntolerance?patient=${id}`);
  const status = (it: Json): string => it.clinicalStatus?.coding[0].code ?? '-';
  return found.map((it) => `${it.code.coding[0].code} ${status(it)}`).sort();
}

describe('A60: an allergy is added, changed and deleted', () => {
  const added = adt(
    'A60',
    '2026-03-11 09:00',
    pid('1001'),
    segment('IAM', {
      ...penicillin,
      4: 'SV',
      5: '271807003^Rash^SCT',
      6: 'A',
      11: '20190501',
      17: 'C',
      23: 'D012^Li^Min',
    }),
    'NTE|1||Seen by the family doctor',
  );

  test('1. the allergy stands, with its comment', async () => {
    await hospital.sends(adt('A01', '2026-03-10 09:05', pid('1001'), pv1('V1001')));
    expect(await hospital.sends(added)).toEqual(applied);
    const { id } = await hospital.patient('1001');
    expect(await hospital.one(`AllergyIntolerance?patient=${id}`)).toMatchObject({
      identifier: [{ value: 'IAM-77' }],
      clinicalStatus: { coding: [{ code: 'active' }] },
      verificationStatus: { coding: expect.arrayContaining([expect.objectContaining({ code: 'confirmed' })]) },
      category: ['medication'],
      criticality: 'high',
      onsetDateTime: '2019-05-01',
      reaction: [{ severity: 'severe', manifestation: [{ coding: [{ code: '271807003' }] }] }],
      note: [{ text: 'Seen by the family doctor' }],
    });
  });

  test('2. the visit and its follow-up are not touched', async () => {
    expect(await hospital.visit('V1001')).toMatchObject({ status: 'in-progress', meta: { versionId: '1' } });
    expect(await hospital.followed()).toEqual(nothing);
  });

  test('3. repeated, it changes nothing', async () => {
    const changed = await hospital.changedBy(async () => {
      expect(await hospital.sends(added)).toEqual(duplicate);
      expect(await hospital.sends(renumbered(added))).toEqual(duplicate);
    });
    expect(changed).toEqual([]);
  });

  test('4. an update (IAM-6 = U) changes the same allergy', async () => {
    const update = adt('A60', '2026-03-12 09:00', pid('1001'), segment('IAM', { ...penicillin, 4: 'MI', 6: 'U' }));
    expect(await hospital.sends(update)).toEqual(applied);
    const { id } = await hospital.patient('1001');
    expect(await hospital.one(`AllergyIntolerance?patient=${id}`)).toMatchObject({ criticality: 'low' });
  });

  test('5. another allergy does not end the first: these are changes, no snapshot', async () => {
    const nuts = segment('IAM', { 1: '1', 2: 'FA', 3: 'NUT^Nuts', 6: 'A', 7: 'IAM-78^RENHE' });
    expect(await hospital.sends(adt('A60', '2026-03-12 10:00', pid('1001'), nuts))).toEqual(applied);
    expect(await allergies('1001')).toEqual(['NUT active', 'PCN active']);
  });

  test('6. a deletion (IAM-6 = D) makes it an error, which has no clinical status', async () => {
    const gone = adt('A60', '2026-03-13 09:00', pid('1001'), segment('IAM', { ...penicillin, 6: 'D' }));
    expect(await hospital.sends(gone)).toEqual(applied);
    expect(await allergies('1001')).toEqual(['NUT active', 'PCN -']);
  });

  test('7. an older message does not bring it back', async () => {
    expect(await hospital.sends(renumbered(added.replaceAll('20260311090000', '20260311091500')))).toEqual(stale);
    expect(await allergies('1001')).toEqual(['NUT active', 'PCN -']);
  });
});

describe('A60 of a patient who is not known', () => {
  test('makes her and her allergy', async () => {
    expect(
      await hospital.sends(adt('A60', '2026-03-11 09:00', pid('1002'), segment('IAM', { ...penicillin, 7: '' }))),
    ).toEqual(applied);
    expect(await allergies('1002')).toEqual(['PCN active']);
  });
});

describe('A60: a reaction', () => {
  test('that is a word is a text, and no code', async () => {
    const rash = segment('IAM', { ...penicillin, 3: 'NUT^Nuts', 5: 'Rash', 6: 'A', 7: 'IAM-78^RENHE' });
    expect(await hospital.sends(adt('A60', '2026-03-30 09:01', pid('1060'), rash))).toEqual(applied);
    const { id } = await hospital.patient('1060');
    const { reaction } = await hospital.one(`AllergyIntolerance?patient=${id}`);
    expect(reaction).toEqual([{ manifestation: [{ text: 'Rash' }] }]);
  });
});
