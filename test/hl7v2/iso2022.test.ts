import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { acknowledge } from '../../src/hl7v2/ack.ts';
import { type Charset, charsetOf, decode, encode } from '../../src/hl7v2/charset.ts';
import { charsetsOf } from '../../src/hl7v2/charset-names.ts';
import { parse } from '../../src/hl7v2/message.ts';
import { header } from './header.ts';

const kanji: Charset = 'iso-2022:ascii+jis_x0208';

/** Latin-1 text, in which `<` `>` stand for ESC $ B and ESC ( B. */
function bytes(text: string): Buffer {
  return Buffer.from(text.replaceAll('<', '\u001b$B').replaceAll('>', '\u001b(B'), 'latin1');
}

function textOf(message: Uint8Array): string {
  const decoded = decode(message, 'utf-8');
  if ('error' in decoded) throw new Error(decoded.error);
  return decoded.text;
}

const japan = { 18: '~ISO IR87', 20: 'ISO 2022-1994' };

describe('kanji between escape sequences', () => {
  test.each<[string, Record<number, string>]>([
    ['~ISO IR87 with ISO 2022-1994, as Japan writes it', japan],
    ['ASCII~ISO IR87 with an empty MSH-20', { 18: 'ASCII~ISO IR87' }],
    ['ISO IR87 alone', { 18: 'ISO IR87' }],
    ['^ISO IR87, a slip that is seen', { 18: '^ISO IR87' }],
  ])('are read where MSH-18 says %s', (_, fields) => {
    const message = parse(textOf(bytes(`${header(fields)}PID|1||1||<;3ED>^<B@O:>~<$d$^$@>^<$?$m$&>\r`)))!;
    expect(message.first('PID')?.repetitions(5)).toEqual(['山田^太郎', 'やまだ^たろう']);
  });

  test('hold the bytes of delimiters and are not cut there', () => {
    // 匙 is `:|`, ま is `$^`, 蔭 is `0~`, ぼ is `$\\` and う is `$&`.
    const message = parse(textOf(bytes(`${header(japan)}PID|1||1||<:|$^0~$\\$&>^<:|>\r`)))!;
    expect(message.first('PID')?.text(5)).toBe('匙ま蔭ぼう');
    expect(message.first('PID')?.text(5, 2)).toBe('匙');
  });

  test('before MSH-18 do not hide it', () => {
    const text = header({ ...japan, 3: '<:|$^0~>', 4: '<:|>' });
    expect(parse(textOf(bytes(text)))?.header.text(4)).toBe('匙');
  });

  test('that are not switched back end with their segment', () => {
    const message = parse(textOf(bytes(`${header(japan)}PID|1||1||<;3ED\rPV1|1|I\r`)))!;
    expect(message.first('PID')?.text(5)).toBe('山田');
    expect(message.first('PV1')?.text(2)).toBe('I');
  });

  test('spelled in hexadecimal are read where MSH-20 is 2.3, and there alone', () => {
    const spelled = 'PID|1||1||\\M2442\\;3ED\\C2842\\^X\r';
    const read = parse(textOf(bytes(header({ ...japan, 20: '2.3' }) + spelled)))!;
    expect([read.first('PID')?.text(5), read.first('PID')?.text(5, 2)]).toEqual(['山田', 'X']);
    const unread = parse(textOf(bytes(header(japan) + spelled)))!;
    expect(unread.first('PID')?.text(5)).toBe('\\M2442\\;3ED\\C2842\\');
  });
});

describe('other sets are switched to as the registry says', () => {
  test.each<[string, string, string]>([
    ['JIS X 0212', '\u001b$(D0!\u001b(B', '丂'],
    ['JIS C 6226-1978', '\u001b$@0!\u001b(B', '亜'],
    ['the revised JIS X 0208 with its announcement', '\u001b&@\u001b$B0!\u001b(B', '亜'],
    ['half-width katakana in the lower half', '\u001b(I164\u001b(B', 'ｱｶｴ'],
    ['half-width katakana in the upper half', '\u001b)I\u00b1\u00b6\u00b4', 'ｱｶｴ'],
    ['JIS X 0201 Roman, whose delimiters stay delimiters', '\u001b(Ja~b', 'a~b'],
    ['GB 2312', '\u001b$AUEHR\u001b(B', '张纫'],
    ['KS X 1001', '\u001b$(CH+1f\u001b(B', '홍길'],
    ['KS X 1001 behind SO', '\u001b$)C\u000eH+1f\u000f!', '홍길!'],
    ['CNS 11643 plane 1', '\u001b$(GD!\u001b(B', '一'],
    ['CNS 11643 plane 2', '\u001b$(H!!\u001b(B', '乂'],
    ['Greek', '\u001b-F\u00d9\u00ec', 'Ωμ'],
    ['Cyrillic', '\u001b-L\u00b8\u00d2', 'Ив'],
  ])('%s', (_, name, expected) => {
    const message = parse(textOf(bytes(`${header(japan)}NTE|1||${name}\r`)))!;
    expect(message.first('NTE')?.field(3)).toBe(expected);
  });

  test('the upper half of the first declared set needs no sequence', () => {
    const sets = { 18: '8859/1~8859/7', 20: 'ISO 2022-1994' };
    const message = parse(textOf(bytes(`${header(sets)}PID|1||1||M\u00fcller^\u001b-F\u00d9\r`)))!;
    expect([message.first('PID')?.text(5), message.first('PID')?.text(5, 2)]).toEqual(['Müller', 'Ω']);
  });
});

describe('what cannot be read is an error', () => {
  test.each([
    ['a sequence that nobody knows', '\u001b$(Zab\u001b(B'],
    ['planes of CNS 11643 above 2', '\u001b$(I!!\u001b(B'],
    ['half a character', '<;'],
    ['a place without a character', '<~~>'],
    ['an upper half that nobody set', '\u00b1'],
    ['a shift to a half that nobody set', '\u000eab\u000f'],
    ['ESC at the end', '\u001b'],
  ])('%s', (_, name) => {
    expect(decode(bytes(`${header(japan)}PID|1||1||${name}\r`), 'utf-8')).toHaveProperty('error');
  });

  test.each(['ASCII', 'UTF-8', '8859/1', 'GB18030', ''])('kanji that MSH-18 (%p) does not announce', (declared) => {
    expect(decode(bytes(`${header({ 18: declared })}PID|1||1||<;3ED>\r`), 'utf-8')).toMatchObject({
      error: expect.stringContaining('they would be valid as ISO 2022 with ascii, jis_x0208'),
    });
  });

  test('any bytes at all are a text or an error', () => {
    const piece = fc.oneof(
      fc.constantFrom('<', '>', '\u001b$(D', '\u001b)I', '\u000e', '\u000f', '\u001b', '\r', '0!', '\\M2442\\'),
      fc.string({ unit: 'binary-ascii', maxLength: 4 }),
    );
    fc.assert(
      fc.property(fc.array(piece), fc.constantFrom('2.3', 'ISO 2022-1994'), (pieces, scheme) => {
        const decoded = decode(bytes(header({ ...japan, 20: scheme }) + pieces.join('')), 'utf-8');
        expect('text' in decoded ? decoded.text : decoded.error).toEqual(expect.any(String));
      }),
    );
  });
});

describe('what we write', () => {
  test('switches to kanji and back before every delimiter', () => {
    expect(encode('山田^太郎|x', kanji).toString('latin1')).toBe(bytes('<;3ED>^<B@O:>|x').toString('latin1'));
  });

  test('uses the declared sets only', () => {
    expect(encode('丂ｱ', kanji).toString('latin1')).toBe('??');
    expect(encode('丂ｱ', charsetOf('JAS2020') as Charset).toString('latin1')).toBe('\u001b$(D0!\u001b(I1\u001b(B');
  });

  test('holds no shift that a text smuggled in', () => {
    expect(encode('a\u001b$Bb\u000e', kanji).toString('latin1')).toBe('a?$Bb?');
  });

  test.each<[string, string]>([
    ['~ISO IR87', '山田太郎まみ~^|x'],
    ['ASCII~ISO IR14~ISO IR87~ISO IR159', '山丂ｱﾟま|^x'],
    ['8859/1~8859/7~ISO IR87', 'üéΩμ山|^x'],
    ['ASCII~KS X 1001', '홍길동|^x'],
    ['ASCII~CNS 11643-1992~GB 18030-2000', '張龘张|^x'],
  ])('in %s is read as it was', (declared, letters) => {
    const charset = charsetsOf(declared.split('~'), 'ISO 2022-1994')?.[0] as Charset;
    const name = fc.string({ unit: fc.constantFrom(...letters), maxLength: 12 });
    fc.assert(
      fc.property(name, (it) => {
        const text = `${header({ 18: declared, 20: 'ISO 2022-1994' })}NTE|1||${it}\r`;
        expect(textOf(encode(text, charset))).toBe(text);
      }),
    );
  });

  test('answers the sender in his sets and says so in MSH-20', () => {
    const received = bytes(`${header({ ...japan, 3: '<;3ED>' })}PID|1||1||<;3ED>\r`);
    const decoded = decode(received, 'utf-8');
    if ('error' in decoded) throw new Error(decoded.error);
    const context = { controlId: 'a', timestamp: '2026' };
    const answer = parse(textOf(acknowledge(parse(decoded.text), decoded.charset, [], context)))!;
    expect([5, 18, 20].map((n) => answer.header.field(n))).toEqual(['山田', '~ISO IR87', 'ISO 2022-1994']);
  });
});
