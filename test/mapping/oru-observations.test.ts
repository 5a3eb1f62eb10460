/** ORU: what an OBX becomes. Values by their type, units, ranges, times, and what makes an Observation the same again. */
import { describe, expect, test } from '@jest/globals';
import type { Json } from '../../src/fhir/types.ts';
import { errorsOf } from '../../src/fhir/validate.ts';
import { all, extended, follow, mapped, obr, observed, obx, only, oru, withHeader } from './oru-support.ts';
import type { Fields } from './support.ts';

const ucum = 'http://unitsofmeasure.org';

describe('a glucose reading at home', () => {
  test('is a laboratory Observation of the patient with its unit, range, interpretation and time', () => {
    const found = observed({ 5: '11.2', 6: 'mmol/L', 7: '3.9-6.1', 8: 'H', 19: '20260320071000' });
    expect(found).toMatchObject({
      status: 'final',
      category: [{ coding: [{ code: 'laboratory' }] }],
      code: { coding: [{ system: 'http://loinc.org', code: '14743-9' }] },
      effectiveDateTime: '2026-03-20T07:05:00+08:00',
      issued: '2026-03-20T07:10:00+08:00',
      valueQuantity: { value: 11.2, unit: 'mmol/L', system: ucum, code: 'mmol/L' },
      referenceRange: [{ low: { value: 3.9, code: 'mmol/L' }, high: { value: 6.1 }, text: '3.9-6.1' }],
      interpretation: [{ coding: [{ code: 'H' }, {}] }],
    });
  });

  test.each([['14743-9'], ['41653-7'], ['2339-0'], ['15074-8']])('of LOINC %s is one of the laboratory', (code) => {
    expect(observed({ 3: `${code}^Glucose^LN`, 5: '7' }).category[0].coding[0].code).toBe('laboratory');
  });

  test('over the range of the meter keeps the sign, and a word keeps its text and its unit', () => {
    expect(observed({ 5: '>33.3', 6: 'mmol/L' }).valueQuantity).toMatchObject({ comparator: '>', value: 33.3 });
    const { valueQuantity } = observed({ 5: 'HI', 6: 'mmol/L' });
    expect(valueQuantity).toMatchObject({ code: 'mmol/L' });
    expect(valueQuantity.value).toBeUndefined();
    expect(extended(valueQuantity._value)).toEqual({ originalText: 'HI' });
  });
});

describe('a unit', () => {
  test.each([
    ['mmol/L', 'mmol/L', 'mmol/L'],
    ['mmol/l', 'mmol/l', 'mmol/L'],
    ['MMOL/L', 'MMOL/L', 'mmol/L'],
    ['mg/dl', 'mg/dl', 'mg/dL'],
    ['mg/dL^milligram per decilitre^UCUM', 'milligram per decilitre', 'mg/dL'],
    ['L001^mmol/L^99LAB', 'mmol/L', undefined],
    ['L001^^99LAB^mmol/L^^UCUM', 'L001', 'mmol/L'],
    ['ng/(mL.h)^^UCUM', 'ng/(mL.h)', 'ng/(mL.h)'],
    ['毫摩尔/升', '毫摩尔/升', 'mmol/L'],
    ['mmHg^mmHg^UCUM', 'mmHg', 'mm[Hg]'],
    ['bogus^^UCUM', 'bogus', undefined],
    ['G/L', 'G/L', undefined],
  ])('%s is written %s, and in UCUM it is %s', (sent, unit, code) => {
    const { valueQuantity } = observed({ 5: '7', 6: sent });
    expect(valueQuantity).toMatchObject({ value: 7, unit });
    expect(valueQuantity.system === ucum ? valueQuantity.code : undefined).toBe(code);
  });

  test('of a code system of the sender keeps its code there', () => {
    expect(observed({ 5: '7', 6: 'L001^drops^99LAB' }).valueQuantity).toEqual({
      value: 7,
      unit: 'drops',
      system: 'urn:id:99LAB',
      code: 'L001',
    });
  });

  test('beside a text, or without a value, stands in an extension', () => {
    expect(extended(observed({ 2: 'ST', 5: 'trace', 6: 'mg/dL' }))['v2-units'].coding[0].code).toBe('mg/dL');
    const without = observed({ 5: '', 6: 'mg/dL' });
    expect(extended(without)['v2-units'].coding[0].code).toBe('mg/dL');
    expect(without.valueQuantity).toBeUndefined();
  });
});

describe('a reference range', () => {
  const range = (text: string, unit = 'mmol/L'): Json => observed({ 5: '5', 6: unit, 7: text }).referenceRange[0];

  test.each([
    ['3.9-6.1', 3.9, 6.1],
    ['3.9 - 6.1', 3.9, 6.1],
    [String.raw`3.9\R\6.1`, 3.9, 6.1],
    ['-1.5 - 2', -1.5, 2],
    ['3.9 to 6.1 mmol/L', 3.9, 6.1],
    ['<6.1', undefined, 6.1],
    ['≥3.9', 3.9, undefined],
  ])('%s goes from %p to %p', (text, low, high) => {
    const found = range(text);
    expect([found.low?.value, found.high?.value]).toEqual([low, high]);
  });

  test.each([['negative'], ['70-110 mg/dL'], ['6.1-3.9'], ['1-2-3'], [`1${'0'.repeat(200)}-2`]])(
    '%s is its text alone',
    (text) => {
      expect(range(text)).toEqual({ text });
    },
  );
});

describe('a value by its type', () => {
  test.each<[string, string, Json]>([
    ['SN', '>^100', { valueQuantity: { comparator: '>', value: 100 } }],
    ['SN', '^1^:^128', { valueRatio: { numerator: { value: 1 }, denominator: { value: 128 } } }],
    ['SN', '^1^-^5', { valueRange: { low: { value: 1, code: 'mg/dL' }, high: { value: 5, code: 'mg/dL' } } }],
    ['NR', '3.9^6.1', { valueRange: { low: { value: 3.9, code: 'mg/dL' }, high: { value: 6.1, code: 'mg/dL' } } }],
    ['CNE', 'A^a^L', { valueCodeableConcept: { coding: [{ code: 'A' }] } }],
    ['CF', 'A^a^L', { valueCodeableConcept: { coding: [{ code: 'A' }] } }],
    ['ID', 'Y', { valueCodeableConcept: { coding: [{ code: 'Y' }] } }],
    ['CQ', '5^mL&millilitre&UCUM', { valueQuantity: { value: 5, unit: 'millilitre', code: 'mL' } }],
    ['NA', '1.5^2^^-3', { valueSampledData: { dimensions: 1, data: '1.5 2 E -3', origin: { code: 'mg/dL' } } }],
    ['NA', '1^x', { valueString: '1 x' }],
    ['MA', '1^2~3^4', { valueSampledData: { dimensions: 2, data: '1 2 3 4' } }],
    ['PT', 'P^T', { valueString: 'P T' }],
    ['VR', 'a^b', { valueString: 'a-b' }],
    ['ZZ', 'what^is this', { valueString: 'what is this' }],
    ['', 'no type', { valueString: 'no type' }],
  ])('%s %s', (type, value, expected) => {
    const found = observed({ 2: type, 5: value, 6: 'mg/dL' });
    expect(found).toMatchObject(expected);
    expect(errorsOf(found)).toEqual([]);
  });

  test.each<[string, string, Json]>([
    ['CX', '77^^^RENHE^MR', { system: 'urn:id:RENHE', value: '77' }],
    ['EI', '77^LAB', { system: 'urn:id:LAB', value: '77' }],
    ['XPN', 'Li^Min', { family: 'Li', given: ['Min'] }],
    ['XAD', '1 Road^^Town', { line: ['1 Road'], city: 'Town' }],
    ['XTN', '^PRN^PH^^86^21^555', { value: '+86 21 555' }],
    ['TN', '555-1234', { value: '555-1234' }],
    ['MO', '12.5^CNY', { value: 12.5, currency: 'CNY' }],
    [
      'MO',
      '12.5^TALER',
      { value: 12.5, extension: [{ url: expect.stringMatching('v2-currency'), valueString: 'TALER' }] },
    ],
  ])('%s %s is its text, with its parts in an extension', (type, value, expected) => {
    const found = observed({ 2: type, 5: value });
    expect(typeof found.valueString).toBe('string');
    expect(extended(found)['v2-value']).toMatchObject(expected);
  });

  test.each([
    ['XCN', 'D12^Li^Min', 'Practitioner'],
    ['XON', 'Lab One', 'Organization'],
    ['PL', 'W01^12^3', 'Location'],
  ])('%s %s refers to a %s besides its text', (type, value, resource) => {
    const sent = oru(obr(), obx({ 2: type, 5: value }));
    const found = only(sent, 'Observation');
    expect(found.valueString).toContain(value.split('^')[0]);
    expect(follow(sent, extended(found)['v2-value']).resourceType).toBe(resource);
  });

  test('that is a range from high to low keeps the low number beside it', () => {
    for (const [type, value] of [
      ['NR', '9^3'],
      ['SN', '^9^-^3'],
    ] as const) {
      const { valueRange } = observed({ 2: type, 5: value });
      expect(valueRange).toMatchObject({ high: { value: 3 } });
      expect(valueRange.low).toBeUndefined();
      expect(extended(valueRange)['v2-range-low']).toEqual({ value: 9 });
    }
  });

  test('that repeats is a component each, with the unit and the range', () => {
    const found = observed({ 5: '60~120', 6: 'mg/dL', 7: '70-100' });
    expect(found.component.map((it: Json) => [it.valueQuantity.value, it.referenceRange[0].low.value])).toEqual([
      [60, 70],
      [120, 70],
    ]);
    expect(found.valueQuantity).toBeUndefined();
  });
});

describe('a number', () => {
  const precision = 'quantity-precision';
  test.each<[string, number | undefined, Json | undefined]>([
    ['7.1', 7.1, undefined],
    ['+007.', 7, undefined],
    ['.5', 0.5, undefined],
    ['-12', -12, undefined],
    ['7.10', 7.1, { [precision]: 2 }],
    ['5.0', 5, { [precision]: 1 }],
    ['>33.30', 33.3, { [precision]: 2 }],
    ['1234567890123456789', 1_234_567_890_123_456_800, { originalText: '1234567890123456789' }],
    ['0.10000000000000000001', 0.1, { originalText: '0.10000000000000000001' }],
    ['5^6', undefined, { originalText: '5^6' }],
    ['5^', 5, undefined],
  ])('%s says how exact it is', (sent, value, beside) => {
    const made = observed({ 2: 'NM', 5: sent, 6: 'mmol/L' }).valueQuantity;
    expect(made.value).toBe(value);
    expect(made._value && extended(made._value)).toEqual(beside);
  });
});

describe('a status', () => {
  test.each([
    ['C', 'F', 'corrected'],
    ['D', 'F', 'entered-in-error'],
    ['', 'F', 'final'],
    ['', 'P', 'preliminary'],
    ['', '', 'unknown'],
    ['I', 'F', 'unknown'],
  ])('of OBX-11 "%s" below an OBR-25 "%s" is %s', (own, report, status) => {
    expect(only(oru(obr({ 25: report }), obx({ 5: '7', 11: own })), 'Observation').status).toBe(status);
  });

  test('without a value gives way to a reason or value that is stored; with one it takes the reason away', () => {
    const [without, withValue] = ['', '7'].map(
      (value) =>
        mapped(oru(obr(), obx({ 5: value }))).resources.find((it) => it.resource.resourceType === 'Observation')!,
    );
    expect(without?.resource.dataAbsentReason.coding[0].code).toBe('unknown');
    expect([...(without?.initial ?? [])]).toContain('dataAbsentReason');
    expect([...(withValue?.clear ?? [])]).toEqual(['dataAbsentReason']);
  });

  test('may come with the sender’s own reason (OBX-32)', () => {
    expect(observed({ 5: '', 32: 'NOSPEC^no specimen^L' }).dataAbsentReason.coding[0].code).toBe('NOSPEC');
  });
});

describe('a time', () => {
  test('is that of the OBX, else that of the OBR, which may be a period', () => {
    const time = (obrFields: Fields, obxFields: Fields): Json => {
      const { effectiveDateTime, effectivePeriod } = only(
        oru(obr(obrFields), obx({ 5: '7', ...obxFields })),
        'Observation',
      );
      return { effectiveDateTime, effectivePeriod };
    };
    expect(time({ 7: '20260320' }, { 14: '20260319' }).effectiveDateTime).toBe('2026-03-19');
    expect(time({ 7: '20260320' }, { 14: '' }).effectiveDateTime).toBe('2026-03-20');
    expect(time({ 7: '20260320', 8: '20260321' }, { 14: '' })).toEqual({
      effectivePeriod: { start: '2026-03-20', end: '2026-03-21' },
    });
  });

  test('of issue is that of the analysis, else that of the report; a day alone is no instant', () => {
    expect(only(oru(obr({ 22: '20260320090000' }), obx({ 5: '7' })), 'Observation').issued).toBe(
      '2026-03-20T09:00:00+08:00',
    );
    const day = only(oru(obr({ 22: '20260320' }), obx({ 5: '7' })), 'DiagnosticReport');
    expect(day.issued).toBeUndefined();
    expect(extended(day)['v2-status-change-date']).toBe('2026-03-20');
  });
});

describe('an Observation is the same again', () => {
  const id = (...segments: string[]): string => only(oru(...segments), 'Observation').id;

  test('when it is resent under another control id, or corrected', () => {
    const sent = [obr(), obx({ 5: '7' })];
    const later = withHeader({ 7: '20260321', 10: 'R2' }, obr({ 25: 'C' }), obx({ 1: '9', 5: '8', 11: 'C' }));
    expect(only(later, 'Observation')).toMatchObject({ id: id(...sent), status: 'corrected' });
  });

  test('by its own number (OBX-21) and code, whatever else changes', () => {
    const numbered = obx({ 5: '7', 21: 'OBS-1^LAB' });
    expect(id(obr(), numbered)).toBe(id(obr({ 3: 'F2^LAB' }), obx({ 5: '8', 14: '', 21: 'OBS-1^LAB' })));
  });

  test('of a number that a sender gives to all results of an order, each is one of its own', () => {
    const own = { 21: 'OBS-1^LAB' };
    const results = [
      obx({ 1: '1', 5: '7', ...own }),
      obx({ 1: '2', 3: '2160-0^Creatinine^LN', 5: '80', 14: '', ...own }),
      ...['one', 'two'].map((line, i) => obx({ 1: `${i + 3}`, 2: 'TX', 3: 'R^r^L', 5: line, ...own })),
    ];
    const made = all(oru(obr(), ...results), 'Observation');
    expect(made.map((it) => it.valueString ?? it.valueQuantity.value)).toEqual([7, 80, 'one', 'two']);
    // Alone it is the same again.
    expect(only(oru(obr(), results[1] as string), 'Observation').id).toBe(made[1]?.id);
  });

  test.each<[string, string[], string[]]>([
    ['at another time', [obr(), obx({ 14: '20260320120000' })], [obr(), obx({})]],
    ['at another time of the OBR', [obr({ 7: '20260321' }), obx({ 14: '' })], [obr(), obx({ 14: '' })]],
    ['with another sub-id', [obr(), obx({ 4: '1' })], [obr(), obx({ 4: '2' })]],
    ['of another order', [obr({ 3: 'F2^LAB' }), obx({})], [obr(), obx({})]],
    ['of another service of one order number', [obr({ 4: 'X^x^L' }), obx({})], [obr(), obx({})]],
    ['with another code', [obr(), obx({ 3: '2339-0^x^LN' })], [obr(), obx({})]],
  ])('and another one %s', (_, one, other) => {
    expect(id(...one)).not.toBe(id(...other));
  });

  test('by the placer’s number where the filler gives none, and by patient, service and time where nobody does', () => {
    const placer = (n: string): string => id(obr({ 2: n, 3: '' }), obx({}));
    expect(placer('P1^HIS')).toBe(placer('P1^HIS'));
    expect(placer('P1^HIS')).not.toBe(placer('P2^HIS'));
    const neither = (time: string): string => id(obr({ 3: '', 7: time }), obx({ 14: '' }));
    expect(neither('20260320')).toBe(neither('20260320'));
    expect(neither('20260320')).not.toBe(neither('20260321'));
  });

  test('line by line of a text, although the lines differ in nothing but their order', () => {
    const lines = ['one', 'two', 'three'].map((line, i) => obx({ 1: String(i + 1), 2: 'TX', 3: 'R^r^L', 5: line }));
    const sent = oru(obr(), ...lines);
    expect(all(sent, 'Observation').map((it) => it.valueString)).toEqual(['one', 'two', 'three']);
    expect(only(sent, 'DiagnosticReport').result).toHaveLength(3);
  });

  test('without an OBR by patient, code and time, also in another visit', () => {
    const about = (visit: string, fields: Fields): string =>
      only(oru(`PV1|1|O|${'|'.repeat(16)}${visit}^^^RENHE^VN`, obx({ 5: '7', ...fields })), 'Observation').id;
    expect(about('V1', { 1: '1' })).toBe(about('V2', { 1: '5', 5: '8', 11: 'C' }));
    expect(about('V1', {})).not.toBe(about('V1', { 14: '20260321' }));
  });
});
