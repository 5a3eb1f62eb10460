/** Trouble: one message concerns more than anybody looks at one by one. It is applied like others, and those behind it too. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Json } from '../../src/fhir/types.ts';
import { applied, Hospital } from './hospital.ts';
import { adt, mrg, pid, pv1 } from './messages.ts';

let hospital: Hospital;
beforeAll(async () => {
  hospital = await Hospital.open();
});
afterAll(() => Hospital.closeAll());

const count = 70;
const numbers = Array.from({ length: count }, (_, i) => i + 1);

test('a set of one diagnosis after one of seventy', async () => {
  const all = numbers.map((i) => `DG1|${i}||C${i}^C${i}^I10`);
  await hospital.sends(adt('A01', '2026-03-10 09:00', pid('1001'), pv1('V1'), ...all));
  expect(await hospital.sends(adt('A08', '2026-03-11 09:00', pid('1001'), pv1('V1'), 'DG1|1||Z^Z^I10'))).toEqual(
    applied,
  );
  const { id } = await hospital.patient('1001');
  const conditions = await hospital.search(`Condition?subject=Patient/${id}&_count=100`);
  expect(conditions.filter((it) => it.clinicalStatus?.coding[0].code === 'inactive')).toHaveLength(count);
});

test('seventy records that are merged into one, and what is said of it then', async () => {
  await hospital.sends(adt('A28', '2026-03-10 08:00', pid('2001')));
  for (const i of numbers) await hospital.sends(adt('A40', '2026-03-10 09:00', pid('2001'), mrg(`R${i}`)));
  expect((await hospital.patient('2001')).link).toHaveLength(count);
  expect(await hospital.sends(adt('A31', '2026-03-11 09:00', pid('2001'), 'AL1|1|DA|PCN^P'))).toEqual(applied);
});

test('a merge of a record with seventy results that a client has changed since', async () => {
  const results = numbers.map((i) => `OBX|${i}|NM|X${i}^X${i}||${i}|mmol/L|||||F`);
  await hospital.sends(adt('A28', '2026-03-10 08:00', pid('3001')));
  await hospital.sends(adt('A01', '2026-03-10 09:00', pid('3002'), pv1('V3'), ...results));
  const own = async (number: string): Promise<Json[]> =>
    hospital.search(`Observation?subject=Patient/${(await hospital.patient(number)).id}&_count=100`);
  for (const it of await own('3002')) await hospital.put({ ...it, note: [{ text: 'seen' }] });
  expect(await hospital.sends(adt('A40', '2026-03-11 09:00', pid('3001'), mrg('3002')))).toEqual(applied);
  expect((await own('3001')).filter((it) => it.note?.[0].text === 'seen')).toHaveLength(count);
});
