/** ORU R01: the answers of a survey. An OBX-3 that names an item of a Questionnaire is an answer to it. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Json } from '../../src/fhir/types.ts';
import { applied, duplicate, Hospital, stale } from './hospital.ts';
import { adt, home, obr, obx, oru, pid, pv1, renumbered } from './messages.ts';

let hospital: Hospital;
beforeAll(async () => {
  hospital = await Hospital.open();
});
afterAll(() => Hospital.closeAll());

const answer = (linkId: string, value: string, type = 'CWE', more = {}): string =>
  obx({ 2: type, 3: `${linkId}^question^inpatient-satisfaction`, 5: value, 6: '', 14: '20260320100000', ...more });
const sheet = (at: string, patient: string, ...answers: readonly string[]): string =>
  oru(at, patient, obr({ 3: 'S1^CRM', 4: 'SURVEY^Satisfaction^L', 7: '20260320100000' }), ...answers);

const response = (): Promise<Json> => hospital.one('QuestionnaireResponse?identifier=S1');

/** `d1.1 satisfied`: the answers, in the order of the questionnaire. */
function answers(items: readonly Json[] = []): string[] {
  return items.flatMap((it) => [
    ...(it.answer ?? []).map((one: Json) => {
      const [value] = Object.values(one) as [Json];
      return `${it.linkId} ${value.code ?? value}`;
    }),
    ...answers(it.item),
  ]);
}

describe('ORU R01: a survey', () => {
  const first = sheet(
    '2026-03-20 10:10',
    pid('1001'),
    answer('o1', '5', 'NM'),
    answer('d1.1', 'very-satisfied'),
    answer('d2.1', 'satisfied^满意'),
    answer('c1', 'N', 'ID'),
    answer('o3', 'The food was cold', 'ST'),
  );

  test('1. is a response to the questionnaire, with groups and order of it, each answer in its type', async () => {
    expect(await hospital.sends(first)).toEqual(applied);
    const { id } = await hospital.patient('1001');
    const found = await response();
    expect(found).toMatchObject({
      status: 'completed',
      questionnaire: 'https://aftercare.example/fhir/Questionnaire/inpatient-satisfaction|1.0.0',
      subject: { reference: `Patient/${id}` },
      authored: '2026-03-20T10:00:00+08:00',
    });
    expect(answers(found.item)).toEqual([
      'd1.1 very-satisfied',
      'd2.1 satisfied',
      'o1 5',
      'o3 The food was cold',
      'c1 false',
    ]);
    expect(found.item[0]).toMatchObject({ linkId: 'd1', item: [{ linkId: 'd1.1' }] });
  });

  test('2. makes no Observation of an answer', async () => {
    expect(await hospital.search('Observation')).toEqual([]);
  });

  test('3. repeated, it changes nothing', async () => {
    const changed = await hospital.changedBy(async () => {
      expect(await hospital.sends(first)).toEqual(duplicate);
      expect(await hospital.sends(renumbered(first))).toEqual(duplicate);
    });
    expect(changed).toEqual([]);
  });

  test('4. a correction (OBX-11 = C) changes its answer, and the response is amended', async () => {
    const again = sheet('2026-03-20 11:00', pid('1001'), answer('d1.1', 'dissatisfied', 'CWE', { 11: 'C' }));
    expect(await hospital.sends(again)).toEqual(applied);
    expect((await response()).status).toBe('amended');
    expect(answers((await response()).item)).toEqual(expect.arrayContaining(['d1.1 dissatisfied', 'o1 5']));
  });

  test('5. the first one, late, changes nothing that is newer', async () => {
    expect(await hospital.sends(renumbered(first).replace('|20260320101000|', '|20260320101100|'))).toEqual(stale);
    expect((await response()).status).toBe('amended');
    expect(answers((await response()).item)).toEqual(expect.arrayContaining(['d1.1 dissatisfied', 'o1 5']));
  });
});

describe('ORU R01: the survey that a discharge has opened', () => {
  test('is completed by the answers, and the plan goes on', async () => {
    await hospital.sends(adt('A03', '2026-03-16 10:05', pid('1002'), pv1('V1002', home)));
    const visit = await hospital.visit('V1002');
    const [opened] = (await hospital.followUp(visit)).responses;
    expect(opened?.status).toBe('in-progress');
    const filled = sheet('2026-03-20 10:10', pid('1002'), answer('o1', '9', 'NM')).replace('S1^CRM', 'S9^CRM');
    expect(await hospital.sends(filled)).toEqual(applied);
    const { plans, responses } = await hospital.followUp(visit);
    expect(responses).toMatchObject([{ id: opened?.id, status: 'completed', basedOn: [{}] }]);
    expect(answers(responses[0]?.item)).toEqual(['o1 9']);
    expect(plans.map((it) => it.status)).toEqual(['active']);
  });
});

describe('ORU R01: answers that are none', () => {
  test('an answer that the item has no room for survives as text', async () => {
    const text = oru('2026-03-20 12:00', obr({ 3: 'S2^CRM' }), answer('o1', 'quite good', 'ST'));
    expect(await hospital.sends(text)).toEqual(applied);
    expect(JSON.stringify(await hospital.one('QuestionnaireResponse?identifier=S2'))).toContain('quite good');
  });

  test('an item that the questionnaire does not have is an Observation: nothing is lost', async () => {
    expect(await hospital.sends(oru('2026-03-20 12:00', obr({ 3: 'S3^CRM' }), answer('zz', 'blue', 'ST')))).toEqual(
      applied,
    );
    expect((await hospital.one('Observation')).valueString).toBe('blue');
  });

  test('answers and measurements in one message go their ways', async () => {
    const text = oru('2026-03-20 13:00', pid('2001'), obr({ 3: 'S4^CRM' }), answer('o1', '8', 'NM'), obx({ 1: '2' }));
    expect(await hospital.sends(text)).toEqual(applied);
    const { id } = await hospital.patient('2001');
    expect(await hospital.search(`QuestionnaireResponse?subject=Patient/${id}`)).toHaveLength(1);
    expect(await hospital.search(`Observation?subject=Patient/${id}`)).toHaveLength(1);
  });
});
