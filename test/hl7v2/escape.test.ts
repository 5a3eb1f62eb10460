import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { escapeText, unescapeText } from '../../src/hl7v2/escape.ts';
import type { Delimiters } from '../../src/hl7v2/message.ts';

const standard: Delimiters = { field: '|', component: '^', repetition: '~', escape: '\\', subcomponent: '&' };
const other: Delimiters = { field: '#', component: '*', repetition: '!', escape: '?', subcomponent: '%' };

describe('an escape sequence is undone', () => {
  test.each([
    ['field separator', 'a\\F\\b', 'a|b'],
    ['component separator', 'a\\S\\b', 'a^b'],
    ['subcomponent separator', 'a\\T\\b', 'a&b'],
    ['repetition separator', 'a\\R\\b', 'a~b'],
    ['escape character', 'a\\E\\b', 'a\\b'],
    ['line break', 'a\\.br\\b', 'a\nb'],
    ['lines down', 'a\\.sp\\b\\.sp2\\c\\.sp+1\\d', 'a\nb\n\nc\nd'],
    ['a line in the middle', 'a\\.ce\\b', 'a\nb'],
    ['blanks', 'a\\.sk3\\b\\.sk\\c', 'a   b c'],
    ['indents and wraps, which a text has not', '\\.fi\\a\\.in+4\\b\\.ti-2\\c\\.nf\\', 'abc'],
    ['highlighting, which is dropped', 'a\\H\\b\\N\\c', 'abc'],
    ['hexadecimal', '\\X41\\\\X6a6B\\', 'Ajk'],
    ['hexadecimal line ends, all as LF', 'a\\X0D0A\\b\\X0D\\c\\X0A\\d', 'a\nb\nc\nd'],
    ['one right behind another', '\\F\\\\S\\\\T\\', '|^&'],
    ['an escaped escape character before a letter', '\\E\\F\\E\\', '\\F\\'],
    ['at both ends', '\\T\\a\\T\\', '&a&'],
  ])('%s', (_, sent, read) => {
    expect(unescapeText(sent, standard)).toBe(read);
  });

  test('with the delimiters of the sender', () => {
    expect(unescapeText('?F??S??R??E??T?\\F\\', other)).toBe('#*!?%\\F\\');
  });
});

describe('what is not an escape sequence stays as it was sent', () => {
  test.each([
    ['no mark at all', 'abc'],
    ['nothing', ''],
    ['an unknown sequence', 'a\\Q\\b'],
    ['an unknown command', 'a\\.zz2\\b'],
    ['more lines than a page has', 'a\\.sp100000000\\b'],
    ['lines up', 'a\\.sp-2\\b'],
    ['a truncation character where MSH-2 has none', 'a\\P\\b'],
    ['a local sequence', 'a\\Zxyz\\b'],
    ['a change of the character set', 'a\\C2842\\b\\M244231\\c'],
    ['an unterminated sequence', 'a\\F'],
    ['a mark at the end', 'a\\'],
    ['two marks', 'a\\\\b'],
    ['a small letter', 'a\\f\\b'],
    ['hexadecimal of half a byte', '\\X4\\'],
    ['hexadecimal without digits', '\\X\\'],
    ['hexadecimal that is not', '\\XZZ\\'],
    ['hexadecimal control characters', '\\X00\\\\X0B\\\\X1C\\'],
  ])('%s', (_, text) => {
    expect(unescapeText(text, standard)).toBe(text);
  });

  test.each([
    ['a stray mark before a sequence', '5\\10 \\F\\', '5\\10 |'],
    ['a mark inside what began another', '\\Q\\F\\', '\\Q|'],
    ['a doubled mark before a sequence', '\\\\F\\', '\\|'],
    ['a Windows path', 'C:\\Temp\\S\\x', 'C:\\Temp^x'],
    ['a sequence before an unterminated one', '\\F\\a\\S', '|a\\S'],
  ])('but %s does not hide a real one', (_, sent, read) => {
    expect(unescapeText(sent, standard)).toBe(read);
  });
});

describe('a text is made safe', () => {
  test('every delimiter is escaped and a line end is a line break', () => {
    expect(escapeText('a|^&~\\b\nc', standard)).toBe('a\\F\\\\S\\\\T\\\\R\\\\E\\b\\.br\\c');
    expect(escapeText('a|#*!?%', other)).toBe('a|?F??S??R??E??T?');
  });

  test('control characters do not get out: they could end the segment or the frame', () => {
    expect(escapeText('a\r\u000b\u001c\u0000b', standard)).toBe('ab');
  });
});

const printable = fc.string({
  unit: fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(...'|^~\\&#*!?%EFSTRXHN.br0A1') },
    fc.constantFrom('张', '😀', '\n', 'é', ' ', '"'),
  ),
});

describe.each([
  ['standard', standard],
  ['other', other],
])('with %s delimiters', (_, delimiters) => {
  test('unescaping what was escaped gives any text back', () => {
    fc.assert(
      fc.property(fc.oneof(printable, fc.string({ unit: 'grapheme' })), (text) => {
        const clean = [...text].filter((char) => char >= ' ' || char === '\n').join('');
        expect(unescapeText(escapeText(clean, delimiters), delimiters)).toBe(clean);
      }),
      { numRuns: 1000 },
    );
  });

  test('an escaped text never has a delimiter or a line end in it', () => {
    const { field, component, repetition, subcomponent } = delimiters;
    fc.assert(
      fc.property(fc.oneof(printable, fc.string({ unit: 'binary' })), (text) => {
        const escaped = escapeText(text, delimiters);
        for (const char of [field, component, repetition, subcomponent, '\r', '\n', '\u000b', '\u001c'])
          expect(escaped.includes(char)).toBe(false);
      }),
    );
  });

  test('reading any text as sent never loses a character that is not part of a sequence', () => {
    fc.assert(
      fc.property(printable, (text) => {
        if (!text.includes(delimiters.escape)) expect(unescapeText(text, delimiters)).toBe(text);
        else expect(unescapeText(text, delimiters).length).toBeLessThanOrEqual(text.length);
      }),
    );
  });
});
