import { isAscii, isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type Charset, decode, encode } from '../../src/hl7v2/charset.ts';
import { decodeAs, encodeAs } from '../../src/hl7v2/codec.ts';
import { cnsPlane } from '../../src/hl7v2/euc-tw.ts';
import { header } from './header.ts';

/** Every character that may stand in a field; without the control characters, and without one that is a byte-order mark. */
function everyCharacter(last: number): string[] {
  const characters: string[] = [];
  for (let point = 0x20; point <= last; point++) {
    const isControl = point >= 0x7f && point < 0xa0;
    if (!isControl && (point < 0xd800 || point > 0xdfff) && point !== 0xfeff)
      characters.push(String.fromCodePoint(point));
  }
  return characters;
}

const tables: [Charset, number][] = [
  ['ascii', 95],
  ['gb18030', 63_402],
  ['big5', 19_805],
  ['euc-kr', 17_329],
  ['euc-tw', 13_618],
  ['euc-jp', 13_270],
  ['shift_jis', 9364],
  ['jis_x0201', 158],
  ['iso-8859-1', 218],
  ['iso-8859-2', 191],
  ['iso-8859-3', 184],
  ['iso-8859-4', 191],
  ['iso-8859-5', 191],
  ['iso-8859-6', 146],
  ['iso-8859-7', 188],
  ['iso-8859-8', 155],
  ['iso-8859-9', 216],
  ['iso-8859-15', 191],
  ['windows-1250', 218],
  ['windows-1251', 222],
  ['windows-1252', 218],
  ['iso-2022:ascii+jis_x0201+jis_x0208+jis_x0212', 13_270],
  ['iso-2022:iso-8859-1+iso-8859-7+ks_x1001', 8598],
  ['iso-2022:ascii+gb_2312+cns_11643', 17_760],
];

describe('every character of Unicode comes back from bytes as itself, or as a question mark', () => {
  const characters = everyCharacter(0xffff);

  test.each(tables)('%s has %i of them', (charset, count) => {
    const back = decodeAs(encodeAs(characters.join(''), charset), charset) as string;
    expect(back).toHaveLength(characters.length);
    let kept = 0;
    for (const [i, character] of characters.entries()) {
      if (back[i] === character) kept++;
      else if (back[i] !== '?') throw new Error(`${character} became ${back[i]}`);
    }
    expect(kept).toBe(count);
  });

  test.each<Charset>(['utf-8', 'utf-16le', 'utf-16be', 'utf-32le', 'utf-32be'])('%s has all of them', (charset) => {
    const text = everyCharacter(0xffff).join('');
    expect(decodeAs(encodeAs(text, charset), charset) === text).toBe(true);
  });

  test.each<Charset>(['utf-8', 'gb18030', 'utf-16le', 'utf-16be', 'utf-32le', 'utf-32be'])(
    '%s has those beyond the first plane',
    (charset) => {
      const points = Array.from({ length: 0x10_0000 / 7 }, (_, i) => String.fromCodePoint(0x1_0000 + i * 7));
      const text = `${points.join('')}\u{10ffff}`;
      expect(decodeAs(encodeAs(text, charset), charset) === text).toBe(true);
    },
  );
});

/** Words whose bytes are no UTF-8 by chance. */
const alphabets: [Charset, string, string][] = [
  ['utf-8', 'UNICODE UTF-8', '张三丰😀éß한'],
  ['gb18030', 'GB 18030-2000', '東乗俕亊张三丰𠮷龴'],
  ['big5', 'BIG-5', '張三豐許功蓋'],
  ['euc-kr', 'KS X 1001', '홍길동똠방각하'],
  ['euc-tw', 'CNS 11643-1992', '張三豐許功蓋彞龘'],
  ['euc-jp', 'EUC-JP', '山田太郎丂ｱ'],
  ['shift_jis', 'Shift_JIS', '表示ソ予能ｱﾟ'],
  ['jis_x0201', 'ISO IR14', 'ﾔﾏﾀﾞﾀﾛｳ'],
  ['iso-8859-1', '8859/1', 'äöüßéñ'],
  ['iso-8859-2', '8859/2', 'řčęů'],
  ['iso-8859-5', '8859/5', 'ьэюя'],
  ['iso-8859-7', '8859/7', 'ωχψφ'],
  ['windows-1252', 'windows-1252', 'äöüß€'],
  ['utf-16le', 'UNICODE UTF-16', '张三ਊഊ😀'],
  ['utf-16be', 'UNICODE UTF-16', '张三ਊഊ😀'],
  ['utf-16', 'UNICODE UTF-16', '张三ਊഊ😀'],
  ['utf-32le', 'UNICODE UTF-32', '张三ਊഊ😀'],
  ['utf-32be', 'UNICODE', '张三ਊഊ😀'],
  ['utf-32', 'UNICODE UTF-32', '张三ਊഊ😀'],
];

describe('a message in a set, encoded and decoded, is the same message', () => {
  test.each(alphabets)('%s, declared as %s', (charset, declared, letters) => {
    const word = fc.string({ unit: fc.constantFrom(...letters, ...'aZ09 |^~&\\'), maxLength: 12 });
    fc.assert(
      fc.property(word, word, (facility, name) => {
        const text = `${header({ 4: facility.replaceAll(/[|^~&\\]/g, ''), 18: declared })}PID|1||1||${name}\r`;
        const bytes = encode(text, charset);
        // `ß€` of Windows-1252 is a letter of N'Ko in UTF-8: nobody can tell.
        fc.pre(charset === 'utf-8' || isAscii(bytes) || !isUtf8(bytes));
        expect(decode(bytes, 'ascii')).toEqual({ text, charset });
      }),
    );
  });
});

describe('bytes of known characters are read as the standards say', () => {
  test.each<[Charset, string, string]>([
    ['gb18030', 'd5c5 c8fd', '张三'],
    ['gb18030', '95328236', '𠀀'],
    ['big5', 'b169 a454', '張三'],
    ['euc-kr', 'c8ab b1e6 b5bf', '홍길동'],
    ['euc-kr', '8c63 b9e6', '똠방'],
    ['euc-tw', 'c4a1 c4e3', '一中'],
    ['euc-tw', 'a1a1 8ea1a1a1 8ea2a1a1', '\u3000\u3000乂'],
    ['euc-jp', '8fb0a1 8eb1 b0a1', '丂ｱ亜'],
    ['shift_jis', '955c b1', '表ｱ'],
    ['jis_x0201', 'd4cfc0de', 'ﾔﾏﾀﾞ'],
    ['iso-8859-1', '80e9', '€é'],
    ['iso-8859-9', '80fd', '€ı'],
    ['iso-8859-15', 'a4', '€'],
    ['iso-8859-5', 'd0', 'а'],
    ['utf-16be', '4e00 d840dc0b', '一𠀋'],
    ['utf-32le', '0b000200', '𠀋'],
  ])('%s %s is %s', (charset, hex, text) => {
    expect(decodeAs(Buffer.from(hex.replaceAll(' ', ''), 'hex'), charset)).toBe(text);
  });

  test.each<[Charset, string]>([
    ['iso-8859-2', '9a'],
    ['iso-8859-6', 'a1'],
    ['iso-8859-1', '81'],
    ['windows-1252', '9d'],
    ['euc-kr', 'c8'],
    ['euc-kr', 'c930'],
    ['euc-kr', 'ffa1'],
    ['euc-tw', '8ea3a1a1'],
    ['euc-tw', 'a1'],
    ['euc-tw', 'fefe'],
    ['euc-jp', '80'],
    ['shift_jis', '80'],
    ['jis_x0201', 'e0'],
    ['big5', 'ff41'],
    ['utf-16le', '00d8'],
    ['utf-16le', '41'],
    ['utf-32be', '00110000'],
    ['utf-32be', '0000d800'],
    ['utf-32le', '414243'],
    ['iso-2022:ascii+jis_x0208', '80'],
  ])('%s has nothing at %s', (charset, hex) => {
    expect(decodeAs(Buffer.from(hex, 'hex'), charset)).toBeUndefined();
  });

  /** Six signs of plane 1 that the other table lacks. */
  const ours = new Set(['1:213a', '1:213b', '1:213c', '1:213d', '1:2224', '1:2226']);

  test('planes 1 and 2 of CNS 11643 agree with x-EUC-TW of Java 17 in all of its 13,517 characters', () => {
    const lines: string[] = [];
    for (const plane of [1, 2] as const)
      for (const [i, unit] of cnsPlane(plane).entries()) {
        const code = `${plane}:${((Math.floor(i / 94) + 0x21) * 256 + (i % 94) + 0x21).toString(16)}`;
        if (unit !== 0 && !ours.has(code)) lines.push(`${code} ${String.fromCharCode(unit)}`);
      }
    expect(lines).toHaveLength(13_517);
    expect(createHash('sha256').update(lines.sort().join('\n')).digest('hex')).toBe(
      'c4e72e54d7b3c544dd1f79006311060fb04ba46b6096f7835dd23302ba0280fe',
    );
  });

  test('all 11,172 syllables of Korean have the bytes that cp949 of Python 3 gives them', () => {
    const syllables = Array.from({ length: 11_172 }, (_, i) => String.fromCharCode(0xac00 + i));
    const lines = syllables.map((it) => it + encodeAs(it, 'euc-kr').toString('hex'));
    expect(createHash('sha256').update(lines.join('\n')).digest('hex')).toBe(
      '44b89cd71d8a8089fc8dfaef86654f620665effc013ed8890a36314054c22db3',
    );
  });
});

test('a surrogate pair that a set lacks becomes one question mark', () => {
  expect(encode('a😀b', 'big5').toString('latin1')).toBe('a?b');
  expect(encode('a张b', 'ascii').toString('latin1')).toBe('a?b');
});
