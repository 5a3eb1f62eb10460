import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Zone } from '../../src/fhir/zone.ts';
import { parse } from '../../src/hl7v2/message.ts';
import { components, dtm, nm, repetitions, segment, st } from '../../src/outbound/field.ts';
import { zone } from './support.ts';

describe('whatever a text holds', () => {
  test('is read as the same text from the component that it was written to', () => {
    // Blanks around a value do not count in HL7 (2.5.3), nor do control characters.
    const texts = fc.string({ unit: 'grapheme', maxLength: 60 }).map((it) => it.replaceAll('\t', ' ').trim());
    fc.assert(
      fc.property(texts, texts, (one, two) => {
        const line = segment('NTE', { 1: '1', 3: components(st('before'), st(one), st(two)) });
        const nte = parse(`MSH|^~\\&|A\r${line}\r`)?.first('NTE');
        expect([nte?.text(3, 2), nte?.text(3, 3)]).toEqual([one, two]);
      }),
    );
  });

  test('no segment ends and no frame ends in it', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
        expect([...st(text)].every((it) => it >= ' ')).toBe(true);
        expect(st(text).isWellFormed()).toBe(true);
      }),
    );
  });

  test.each([
    ['line ends of all kinds as .br', 'a\r\nb\rc\nd', 'a\\.br\\b\\.br\\c\\.br\\d'],
    ['a tab as a blank', 'a\tb', 'a b'],
    ['half a surrogate pair as the replacement character', 'a\ud800b', 'a\ufffdb'],
    ['two quotation marks, which delete, in hexadecimal', '""', '\\X2222\\'],
    ['nothing as nothing', undefined, ''],
    ['zero as zero', 0, '0'],
  ])('writes %s', (_, value, written) => {
    expect(st(value)).toBe(written);
  });
});

describe('a time', () => {
  test.each([
    ['2026', '2026'],
    ['2026-03', '202603'],
    ['2026-03-16', '20260316'],
    ['2026-03-16T02:30:00Z', '20260316103000+0800'],
    ['2026-03-15T23:30:00.123-05:00', '20260316123000+0800'],
    ['no time at all', ''],
    [undefined, ''],
  ])('%s is %s', (value, written) => {
    expect(dtm(value, zone)).toBe(written);
  });

  test('in the summer of a zone has the offset of the summer', () => {
    expect(dtm('2026-07-01T12:00:00Z', new Zone('Europe/Berlin'))).toBe('20260701140000+0200');
  });
});

describe('a number', () => {
  test.each([
    [0, '0'],
    [-1.5, '-1.5'],
    [1e21, '1000000000000000000000'],
    [1e-7, '0.0000001'],
    [Number.NaN, ''],
    ['7', ''],
  ])('%s is %s', (value, written) => {
    expect(nm(value)).toBe(written);
  });
});

describe('what is empty', () => {
  test('at the end is not written, in the middle it is', () => {
    expect(components('a', '', 'c', '', '')).toBe('a^^c');
    expect(segment('PV1', { 1: '1', 3: 'x', 5: '' })).toBe('PV1|1||x');
    expect(segment('PV1', {})).toBe('PV1');
    expect(repetitions(['a', '', undefined, 'b'])).toBe('a~b');
  });
});
