import { describe, expect, test } from '@jest/globals';
import type { Json } from '../../src/fhir/types.ts';
import { responseRule } from '../../src/outbound/response.ts';
import { expectGolden } from './golden.ts';
import { questionnaire, response } from './resources.ts';
import { destination, scene, text } from './support.ts';

const known = scene({}, [questionnaire]);
const told = (before: Json | undefined, now: Json | undefined, about = known): string =>
  text(responseRule.tell(before, now, about), about.destination);

/** The OBX of a message, from OBX-2 on. */
function observations(message: string): string[] {
  return message.split('\n').flatMap((line) => /^OBX\|\d+\|(.*)/.exec(line)?.[1] ?? []);
}

describe('what the hospital reads of an answer sheet', () => {
  test('that was completed', () => {
    expectGolden('oru-r01', told(undefined, response()));
  });

  test('that was changed afterwards: everything again, corrected, and deleted what is there no more', () => {
    const item = [...response().item.slice(0, 4), { linkId: 'total', answer: [{ valueDecimal: 90 }] }];
    expectGolden('oru-r01-corrected', told(response(), response({ status: 'amended', item })));
  });

  test.each([
    ['entered in error', response({ status: 'entered-in-error' })],
    ['deleted', undefined],
  ])('that was %s: what was said is withdrawn', (_, now) => {
    const message = told(response(), now);
    expect(message).toContain('|||X\n');
    expect(observations(message)).toHaveLength(8);
    for (const line of observations(message)) expect(line).toMatch(/\|W\|\|\|20260319102000\+0800$/);
  });

  test.each([
    ['not completed', undefined, response({ status: 'in-progress' })],
    ['stopped', undefined, response({ status: 'stopped' })],
    ['touched without another answer', response(), response({ status: 'amended', language: 'zh-CN' })],
    ['withdrawn already', response({ status: 'entered-in-error' }), response({ status: 'entered-in-error' })],
  ])('that is %s: nothing', (_, before, now) => {
    expect(told(before, now)).toBe('');
  });
});

describe('an answer', () => {
  /** OBX-2, OBX-5 and OBX-6. */
  const answered = (answer: Json, version: '2.4' | '2.5.1' | '2.6' = '2.5.1'): string => {
    const about = scene({ destination: destination({ version }) }, [questionnaire]);
    const message = told(undefined, response({ item: [{ linkId: 'm1', answer: [answer] }] }), about);
    const [type, , , value, unit] = observations(message)[0]?.split('|') ?? [];
    return [type, value, unit].filter((it) => it).join('|');
  };

  test.each<[string, Json, string]>([
    ['text in one line', { valueString: 'a|b' }, 'ST|a\\F\\b'],
    ['text in several lines', { valueString: 'a\r\nb\tc' }, 'TX|a\\.br\\b c'],
    ['two quotation marks, which would delete', { valueString: '""' }, 'ST|\\X2222\\'],
    ['an integer', { valueInteger: 0 }, 'NM|0'],
    ['a decimal without an exponent', { valueDecimal: 1e-7 }, 'NM|0.0000001'],
    ['no', { valueBoolean: false }, 'CWE|N^No^HL70136'],
    ['a code of LOINC', { valueCoding: { system: 'http://loinc.org', code: '1-8' } }, 'CWE|1-8^^LN'],
    [
      'a code of an HL7 table',
      { valueCoding: { system: 'http://terminology.hl7.org/CodeSystem/v2-0136', code: 'Y' } },
      'CWE|Y^^HL70136',
    ],
    ['a local code', { valueCoding: { system: 'urn:id:RENHE%20A', code: 'x' } }, 'CWE|x^^RENHE A'],
    ['a day', { valueDate: '2026-03-20' }, 'DT|20260320'],
    ['a month', { valueDate: '2026-03' }, 'DT|202603'],
    ['an instant, in the zone of the site', { valueDateTime: '2026-03-19T16:30:00Z' }, 'TS|20260320003000+0800'],
    ['a time', { valueTime: '08:30:00' }, 'TM|083000'],
    [
      'a quantity below what can be measured',
      { valueQuantity: { comparator: '<', value: 1, unit: 'mmol/L' } },
      'SN|<^1|mmol/L^mmol/L',
    ],
    ['a link', { valueUri: 'https://example.org/a&b' }, 'ST|https://example.org/a\\T\\b'],
    ['a reference', { valueReference: { display: '李敏' } }, 'ST|李敏'],
  ])('%s', (_, answer, expected) => {
    expect(answered(answer)).toBe(expected);
  });

  test('before v2.5 is a CE, from v2.6 on has its times as DTM', () => {
    expect(answered({ valueBoolean: true }, '2.4')).toMatch(/^CE\|Y/);
    expect(answered({ valueDateTime: '2026-03-19T16:30:00Z' }, '2.6')).toMatch(/^DTM\|/);
  });

  test('that is a file is not sent, and the others are', () => {
    const item = [{ linkId: 'm1', answer: [{ valueAttachment: { title: 'photo' } }, { valueBoolean: true }] }];
    expect(observations(told(undefined, response({ item })))).toEqual([
      'CWE|m1^取药^Call||Y^Yes^HL70136||||||F|||20260319102000+0800',
    ]);
  });

  test('has the text that the response says, else that of the questionnaire, else none', () => {
    const item = [
      { linkId: 'm1', text: '拿药了吗', answer: [{ valueBoolean: true }] },
      { linkId: 'h1', answer: [{ valueString: 'x' }] },
      { linkId: 'other', answer: [{ valueString: 'x' }] },
    ];
    const texts = observations(told(undefined, response({ item }))).map((it) => it.split('|')[1]);
    expect(texts).toEqual(['m1^拿药了吗^Call', 'h1^恢复情况^Call', 'other^^Call']);
  });
});

test('a questionnaire that is not here is called as its canonical ends', () => {
  const message = told(undefined, response(), scene({}, []));
  expect(message).toContain('|call^call^L^https://aftercare.example/fhir/Questionnaire/call\\F\\1.0.0^^URI|');
  expect(message).toContain('|h1^^call|');
});

test('items without end are cut off, not followed', () => {
  const item = Array.from({ length: 6000 }, (_, i) => ({ linkId: `i${i}`, answer: [{ valueInteger: i }] }));
  expect(observations(told(undefined, response({ item })))).toHaveLength(5000);
});
