/** What whole results become. UPDATE_GOLDEN=1 writes the files anew (then `biome format --write`): read the difference. */
import { describe, expect, test } from '@jest/globals';
import { errorsOf } from '../../src/fhir/validate.ts';
import { expectGolden } from './golden.ts';
import { mapped, withHeader } from './oru-support.ts';
import { type Fields, segment } from './support.ts';

/** Fields that all OBX of one message have, then those of each. */
function results(common: Fields, ...each: readonly Fields[]): string[] {
  return each.map((fields, i) => segment('OBX', { 1: String(i + 1), ...common, ...fields }));
}

const messages: Readonly<Record<string, string>> = {
  // A meter at home: no order, no visit.
  'oru-home-glucose': withHeader(
    { 3: 'GLUCO', 7: '20260320181500+0800', 18: 'UNICODE UTF-8' },
    segment('OBR', { 1: '1', 3: 'G1001-20260320^GLUCO', 4: '14743-9^Glucose^LN', 7: '20260320', 25: 'F' }),
    ...results(
      { 2: 'NM', 3: '14743-9^Glucose^LN', 6: 'mmol/L', 7: '3.9-6.1', 11: 'F', 18: 'METER-77^GLUCO' },
      { 5: '11.2', 8: 'H', 14: '20260320070500+0800' },
      { 5: '>33.3', 8: 'HH', 14: '20260320120500+0800' },
    ),
    'NTE|1|P|午餐后',
  ),
  // A monitor at home: a panel with its pressures, units as people write them, a temperature that was not taken.
  'oru-vital-signs': withHeader(
    { 3: 'HOMEBP', 9: 'ORU^^ORU_R01', 18: 'UNICODE UTF-8' },
    'PV1|1|N',
    segment('OBR', {
      ...{ 1: '1', 3: 'V1001-1^HOMEBP', 4: '85353-1^生命体征^LN', 7: '20260320200000+0800' },
      ...{ 22: '20260320200105+0800', 24: 'NRS', 25: 'F' },
    }),
    ...results(
      { 2: 'NM' },
      { 2: '', 3: '85354-9^血压^LN', 4: '1' },
      { 3: '8480-6^收缩压^LN', 4: '1.1', 5: '152', 6: 'mmHg', 7: '90-139', 8: 'H' },
      { 3: '8462-4^舒张压^LN', 4: '1.2', 5: '88', 6: 'mmHg', 7: '60-89' },
      { 3: '8867-4^心率^LN', 4: '2', 5: '72', 6: '次/分', 7: '60-100' },
      { 2: 'ST', 3: '8310-5^体温^LN', 4: '3', 5: '未测' },
    ),
  ),
  // A laboratory with an order, a specimen, a comment, a correction and a PDF.
  'oru-laboratory': withHeader(
    { 3: 'LIS' },
    segment('PV1', { 1: '1', 2: 'O', 3: 'W05^^^RENHE', 7: 'D012^Chen^Jing^^^Dr^^^RENHE', 19: 'V7^^^RENHE^VN' }),
    segment('ORC', { 1: 'RE', 2: 'P77^HIS', 3: 'F77^LIS', 5: 'CM', 9: '20260320080000', 12: 'D012^Chen^Jing' }),
    segment('OBR', {
      ...{ 1: '1', 2: 'P77^HIS', 3: 'F77^LIS', 4: '24331-1^Lipid panel^LN', 7: '20260320073000', 16: 'D012^Chen^Jing' },
      ...{ 22: '20260320093000', 24: 'CH', 25: 'C', 31: 'I10^Essential hypertension^I10', 32: 'D050&Wu&Lan' },
    }),
    'NTE|1|L|Sample slightly haemolytic.',
    segment('TQ1', { 1: '1', 7: '20260320080000', 9: 'R^Routine^HL70485' }),
    ...results(
      { 11: 'F' },
      {
        ...{ 2: 'NM', 3: '2093-3^Cholesterol^LN', 5: '6.4', 6: 'mmol/L^mmol/L^UCUM', 7: '<5.2', 8: 'H', 11: 'C' },
        ...{ 14: '20260320073000', 16: 'D050^Wu^Lan', 17: 'ENZ^Enzymatic^99LIS', 18: 'AU5800^LIS' },
        ...{ 19: '20260320091500', 23: 'Renhe Laboratory^L^^^^RENHE^XX^^^LAB1' },
      },
      { 2: 'SN', 3: '13457-7^LDL^LN', 5: '<^2.6', 6: 'mmol/L', 8: 'N' },
      { 2: 'ED', 3: '11502-2^Laboratory report^LN', 5: 'LIS^application^pdf^Base64^JVBERi0xLjQKJSVFT0YK' },
    ),
    segment('SPM', {
      ...{ 1: '1', 2: 'S77&HIS^SF77&LIS', 4: 'BLD^Whole blood^HL70487', 7: 'VENIP^Venipuncture^HL70488' },
      ...{ 8: 'LACF^Left antecubital fossa^HL70163', 12: '5^mL&millilitre&UCUM', 17: '20260320073000', 20: 'Y' },
    }),
    ...results({ 11: 'F' }, { 2: 'CWE', 3: 'HEM^Haemolysis^99LIS', 5: '1^slight^99LIS' }),
  ),
  // A call of the follow-up centre, as its telephone system sends it; the temperature is no item of the checklist.
  'oru-followup-call': withHeader(
    { 3: 'CRM' },
    segment('OBR', { 1: '1', 3: 'CALL-7^CRM', 4: 'FUC^Follow-up call^99CRM', 7: '20260325100000+0800', 25: 'F' }),
    ...results(
      { 2: 'CWE', 11: 'F', 14: '20260325100000+0800' },
      { 3: 'r1^接通结果^followup-call', 5: 'reached^已接通^99CRM', 16: 'N305^Wu^Ting^^^^^^RENHE' },
      { 2: 'ST', 3: 'h1^恢复情况^followup-call', 5: '加重' },
      { 3: 'h2^症状^followup-call', 5: 'fever~abdominal-pain' },
      { 2: 'ID', 3: 'm1^取药^followup-call', 5: 'Y' },
      { 2: 'NM', 3: '8310-5^体温^LN', 5: '38.4', 6: '℃', 8: 'H' },
      { 2: 'DT', 3: 'z1^下次通话^followup-call', 5: '20260327' },
    ),
  ),
};

describe('a result', () => {
  test.each(Object.entries(messages))('%s', (name, sent) => {
    const { resources } = mapped(sent);
    expect(resources.flatMap(({ resource }) => errorsOf(resource))).toEqual([]);
    expectGolden(name, resources);
  });
});
