import { describe, expect, test } from '@jest/globals';
import { type Charset, charsetOf, charsetsOf } from '../../src/hl7v2/charset-names.ts';

const kanji: Charset = 'iso-2022:ascii+jis_x0208';
const japanese: Charset = 'iso-2022:ascii+jis_x0201+jis_x0208+jis_x0212';

describe('every name of HL7 table 0211, in all its versions, is known', () => {
  test.each<[string, Charset]>([
    ['ASCII', 'ascii'],
    ['8859/1', 'iso-8859-1'],
    ['8859/2', 'iso-8859-2'],
    ['8859/3', 'iso-8859-3'],
    ['8859/4', 'iso-8859-4'],
    ['8859/5', 'iso-8859-5'],
    ['8859/6', 'iso-8859-6'],
    ['8859/7', 'iso-8859-7'],
    ['8859/8', 'iso-8859-8'],
    ['8859/9', 'iso-8859-9'],
    ['8859/15', 'iso-8859-15'],
    ['JAS2020', japanese],
    ['JIS X 0202', japanese],
    ['ISO IR6', 'ascii'],
    ['ISO IR14', 'jis_x0201'],
    ['ISO IR87', kanji],
    ['ISO IR159', 'iso-2022:ascii+jis_x0212'],
    ['GB 18030-2000', 'gb18030'],
    ['KS X 1001', 'euc-kr'],
    ['CNS 11643-1992', 'euc-tw'],
    ['BIG-5', 'big5'],
    ['UNICODE', 'utf-8'],
    ['UNICODE UTF-8', 'utf-8'],
    ['UNICODE UTF-16', 'utf-16'],
    ['UNICODE UTF-32', 'utf-32'],
  ])('%s is %s', (name, charset) => {
    expect(charsetOf(name)).toBe(charset);
  });
});

describe('so are the names that senders write', () => {
  test.each<[string, Charset]>([
    ['US-ASCII', 'ascii'],
    ['ISO-8859-1', 'iso-8859-1'],
    ['iso_8859-15', 'iso-8859-15'],
    ['ISO8859/2', 'iso-8859-2'],
    ['ISO_IR 100', 'iso-8859-1'],
    ['ISO_IR 192', 'utf-8'],
    ['ISO 2022 IR 87', kanji],
    ['UTF-8', 'utf-8'],
    ['utf8', 'utf-8'],
    ['UTF-16LE', 'utf-16le'],
    ['UTF-16BE', 'utf-16be'],
    ['UTF-32LE', 'utf-32le'],
    ['GB18030', 'gb18030'],
    ['gb-18030', 'gb18030'],
    ['GBK', 'gb18030'],
    ['GB2312', 'gb18030'],
    ['CP936', 'gb18030'],
    ['Big5', 'big5'],
    ['EUC-KR', 'euc-kr'],
    ['CP949', 'euc-kr'],
    ['EUC-TW', 'euc-tw'],
    ['Shift_JIS', 'shift_jis'],
    ['Windows-31J', 'shift_jis'],
    ['EUC-JP', 'euc-jp'],
    ['ISO-2022-JP', japanese],
    ['windows-1252', 'windows-1252'],
    ['Cp1251', 'windows-1251'],
  ])('%s is %s', (name, charset) => {
    expect(charsetOf(name)).toBe(charset);
  });

  test.each(['EBCDIC', '8859/99', '8859/12', 'UTF-7', 'constructor', '__proto__', 'iso-2022:klingon', ''])(
    'but nobody knows %p',
    (name) => {
      expect(charsetOf(name)).toBeUndefined();
    },
  );

  test('a canonical name means itself, so that a set that was written down is found again', () => {
    const canonical: Charset[] = [
      'ascii',
      'utf-8',
      'utf-16',
      'utf-32be',
      'gb18030',
      'jis_x0201',
      'euc-jp',
      kanji,
      japanese,
    ];
    for (const charset of canonical) expect(charsetOf(charset)).toBe(charset);
  });
});

describe('several repetitions of MSH-18', () => {
  test.each<[string, string[], string, Charset[]]>([
    ['two names of one set are one', ['UTF-8', 'UNICODE'], '', ['utf-8']],
    ['an empty one before others is ASCII, as Japan writes it', ['', 'ISO IR87'], 'ISO 2022-1994', [kanji]],
    ['ISO IR87 needs switching, whatever MSH-20 says', ['ASCII', 'ISO IR87'], '', [kanji]],
    [
      'MSH-20 makes others switch too',
      ['8859/1', '8859/7'],
      'ISO 2022-1994',
      ['iso-2022:iso-8859-1+iso-8859-7', 'iso-8859-1', 'iso-8859-7'],
    ],
    ['without it, they are one or the other', ['8859/1', '8859/7'], '', ['iso-8859-1', 'iso-8859-7']],
    ['UTF-8 is never switched', ['UTF-8', 'ISO IR87'], 'ISO 2022-1994', ['utf-8', kanji]],
    ['a name that nobody knows counts for nothing beside others', ['KLINGON', 'GBK'], '', ['gb18030']],
  ])('%s', (_, repetitions, scheme, expected) => {
    expect(charsetsOf(repetitions, scheme)).toEqual(expected);
  });

  test('of which nobody knows any are no set', () => {
    expect(charsetsOf(['KLINGON', 'EBCDIC'], '')).toBeUndefined();
  });

  test('may stand in a configuration', () => {
    expect(charsetOf('ASCII~ISO IR87')).toBe(kanji);
  });
});
