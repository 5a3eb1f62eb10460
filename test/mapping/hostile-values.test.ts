/** What senders do to the delimiters, and values that no type was meant for: nothing is lost, and nothing becomes something else. */
import { describe, expect, test } from '@jest/globals';
import type { Json } from '../../src/fhir/types.ts';
import { errorsOf } from '../../src/fhir/validate.ts';
import { Mapping } from '../../src/mapping/map.ts';
import { readMappings } from '../../src/mapping/read.ts';
import { all, extended, mapped, mapping, obr, observed, obx, oru } from './oru-support.ts';
import { first, mappingFolder, messageOf, receivedAt, segment, shanghai } from './support.ts';

const original = (text: string): Json => ({ originalText: text });

describe('a unit whose ^ was not escaped', () => {
  test.each([
    ['10^9/L', '10^9/L', '10*9/L'],
    ['10^12/L', '10^12/L', '10*12/L'],
    ['kg/m^2', 'kg/m^2', 'kg/m2'],
    ['10\\S\\9/L', '10^9/L', '10*9/L'],
    ['mg^milligram', 'milligram', 'mg'],
    ['12^mg', 'mg', 'mg'],
  ])('%s is %s', (sent, unit, code) => {
    expect(observed({ 5: '5.4', 6: sent }).valueQuantity).toMatchObject({ value: 5.4, unit, code });
  });

  test('that nobody knows stays whole', () => {
    expect(observed({ 5: '5.4', 6: 'kU^3/L' }).valueQuantity).toEqual({ value: 5.4, unit: 'kU^3/L' });
  });
});

describe('a structured number (SN)', () => {
  test.each([
    ['^10^*^2', { valueString: '10 * 2 mg' }],
    ['^10^^2', { valueString: '10 2 mg' }],
    ['<^1^-^5', { valueString: '< 1 - 5 mg' }],
    ['""^5', { valueQuantity: { value: 5, code: 'mg' } }],
    ['>^90', { valueQuantity: { comparator: '>', value: 90 } }],
  ])('%s loses nothing', (sent, expected) => {
    expect(observed({ 2: 'SN', 5: sent, 6: 'mg' })).toMatchObject(expected);
  });

  test('has in each repetition the form of that repetition', () => {
    const made = observed({ 2: 'SN', 5: '^5~^1^:^128~^3^-^4~^2^+', 6: 'mg' });
    expect(made.component.map((it: Json) => Object.keys(it).find((key) => key.startsWith('value')))).toEqual([
      'valueQuantity',
      'valueRatio',
      'valueRange',
      'valueString',
    ]);
    expect(errorsOf(made as any)).toEqual([]);
  });

  test('keeps its places and its digits', () => {
    expect(extended(observed({ 2: 'SN', 5: '^7.10' }).valueQuantity._value)).toEqual({ 'quantity-precision': 2 });
    const long = observed({ 2: 'SN', 5: '^123456789012345678' }).valueQuantity._value;
    expect(extended(long)).toEqual(original('123456789012345678'));
  });
});

describe('an array', () => {
  test('of two channels has the points of one time together', () => {
    expect(observed({ 2: 'NA', 5: '1^2^3~4^5^6' }).valueSampledData).toMatchObject({
      dimensions: 2,
      data: '1 4 2 5 3 6',
    });
    expect(observed({ 2: 'MA', 5: '1^2^3~4^5^6' }).valueSampledData).toMatchObject({
      dimensions: 3,
      data: '1 2 3 4 5 6',
    });
  });

  test('is made anew by another mapping of the same message: a site has units of its own', () => {
    const message = messageOf(oru(obr(), obx({ 2: 'NA', 5: '1^2', 6: 'mV' })));
    const files = readMappings(mappingFolder);
    const tables = new Map([...files.tables].filter(([name]) => name !== 'UnitOfMeasure'));
    const codes = [mapping, new Mapping({ ...files, tables })].map((it) => {
      const { resources } = it.map(message, { zone: shanghai, receivedAt });
      return resources.find(({ resource }) => resource.valueSampledData)?.resource.valueSampledData.origin.code;
    });
    expect(codes).toEqual(['mV', undefined]);
  });

  test.each([
    ['NA', '1^2~3', '1 2\n3'],
    ['MA', '1^2~3^Kxx~5^6', '1 2\n3 Kxx\n5 6'],
  ])('%s %s that is none keeps all its rows', (type, sent, text) => {
    expect(observed({ 2: type, 5: sent }).valueString).toBe(text);
  });
});

describe('a document', () => {
  const attachment = (sent: string): Json => extended(observed({ 2: 'ED', 5: sent }))['r5-Observation.value'];
  const textOf = ({ data }: Json): string => Buffer.from(data, 'base64').toString();

  test.each([
    ['^TEXT^PLAIN^^Normal', 'Normal'],
    ['^TEXT^PLAIN^^Nothing found', 'Nothing found'],
    ['^AP^PDF^^Nothing found', 'Nothing found'],
    ['^TEXT^PLAIN^A^part one^part two', 'part one^part two'],
    ['JVBERi0xLjQ=', '%PDF-1.4'],
    ['^AP^PDF^^JVBE\\.br\\Ri0x\\.br\\LjQ=', '%PDF-1.4'],
  ])('%s says "%s"', (sent, text) => {
    expect(textOf(attachment(sent))).toBe(text);
  });

  test.each([
    ['^AP^PDF^Hex^255044462', '255044462'],
    ['^AP^PDF^Base64^SGVsbG8^rest', 'SGVsbG8^rest'],
  ])('%s cannot be read and stays as it was sent', (sent, text) => {
    expect(attachment(sent).data).toBeUndefined();
    expect(extended(attachment(sent))).toMatchObject(original(text));
  });
});

describe('a time of day that none is', () => {
  test.each(['20260316086100+0100', '202603160875+0100', '20260316083060+0100'])('%s stays readable', (sent) => {
    const made = observed({ 2: 'TS', 5: sent });
    expect(made.valueDateTime).toMatch(/^2026-03-16T08/);
    expect(extended(made._valueDateTime)).toEqual(original(sent));
  });
});

describe('a part that is ""', () => {
  test('is no text', () => {
    const patient = first({ PID: { 13: '^PRN^PH^^49^""^1234567^""', 16: 'M^""^""' } }, 'Patient');
    expect(patient.telecom[0].value).toBe('+49 1234567');
    expect(JSON.stringify(patient)).not.toContain('""');
    expect(observed({ 2: 'CWE', 3: '""^Glucose^L', 5: 'X^^""' })).toMatchObject({
      code: { text: 'Glucose' },
      valueCodeableConcept: { coding: [{ code: 'X' }] },
    });
  });
});

describe('a code with two blanks inside', () => {
  test('stands beside the code that FHIR cannot have', () => {
    const [coding] = observed({ 3: 'GLU  F^Glucose^L', 5: '7' }).code.coding;
    expect(coding).toMatchObject({ system: 'urn:id:L', display: 'Glucose' });
    expect(extended(coding._code)).toEqual(original('GLU  F'));
  });

  test('a text without a code stays beside the original text', () => {
    expect(observed({ 3: '^Glucose^^^^^^^As written', 5: '7' }).code).toEqual({
      coding: [{ display: 'Glucose' }],
      text: 'As written',
    });
  });
});

describe('bytes in a text', () => {
  test('are read where they are UTF-8, and stay as sent where nobody knows', () => {
    const [made] = all(oru(obr(), obx({ 2: 'TX', 5: 'M\\XC3BC\\ller \\XE5BCA0\\ \\XE9\\' })), 'Observation');
    expect(made?.valueString).toBe('Müller 张 \\XE9\\');
  });
});

describe('an allergy', () => {
  test('has its reaction whole, and a second allergen beside the first', () => {
    const parts = { more: [segment('AL1', { 1: '1', 2: 'DA', 3: 'AMX^Amox^L~CEF^Cef^L', 5: '^Rash' })] };
    const made = first(parts, 'AllergyIntolerance');
    expect(made.reaction[0].manifestation).toEqual([{ text: 'Rash' }]);
    expect(JSON.stringify(made.extension)).toContain('"CEF"');
  });
});

describe('a message of very many segments takes its time once for each', () => {
  const took = (text: string): number => {
    const begun = performance.now();
    expect(mapped(text).resources.length).toBeGreaterThan(0);
    return performance.now() - begun;
  };

  test.each([
    ['8,000 orders without ORC', 8000, (i: number) => `OBR|${i}|O${i}|F${i}|X^Y^L`],
    ['19,000 visits in a result', 19_000, () => 'PV1|1|I'],
    ['8,000 specimens', 8000, (i: number) => `SPM|${i}|S${i}||BLD`],
    ['8,000 timings', 8000, () => 'TQ1|1||BID|||||20260316'],
    ['8,000 notes', 8000, (i: number) => `NTE|${i}||note`],
  ])('%s in less than 10 s', (_, count, line) => {
    expect(took(oru(obr(), ...Array.from({ length: count }, (__, i) => line(i + 1))))).toBeLessThan(10_000);
  });
});

test('a message of more segments than memory holds resources is refused, and the sender is told', () => {
  const text = oru(obr(), ...Array.from({ length: 20_000 }, (_, i) => obx({ 1: `${i + 1}`, 5: '5.4' })));
  expect(mapping.check(messageOf(text))).toEqual([{ code: '207', text: 'more than 20000 segments: send it in parts' }]);
});

describe('the financial class (PV1-20)', () => {
  const coverage = (sent: string): Json => first({ PV1: { 20: sent } }, 'Coverage');

  test('has its day where it is an FC', () => {
    expect(coverage('01^20260301')).toMatchObject({
      type: { coding: [{ code: '01' }] },
      period: { start: '2026-03-01' },
    });
  });

  test('is a code with its words where it has a system, also when these read like a year', () => {
    const made = coverage('01^2015^LOCAL^A^Alt^L2');
    expect(made.type.coding).toMatchObject([
      { code: '01', display: '2015' },
      { code: 'A', display: 'Alt' },
    ]);
    expect(made).not.toHaveProperty('period');
  });
});
