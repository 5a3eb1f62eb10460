import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type Charset, decode, encode, salvageHeader } from '../../src/hl7v2/charset.ts';
import { hospitalDay } from '../support/messages.ts';
import { header } from './header.ts';

/** Text with a bar, caret, tilde or backslash as the second byte of a GB18030 pair, by that byte. */
const collisions: Record<string, string> = { '|': '東', '\\': '乗', '^': '俕', '~': '亊' };

const declarations = [
  'ASCII',
  'UTF-8',
  'GB18030',
  'BIG-5',
  'KS X 1001',
  'CNS 11643-1992',
  'ISO IR14',
  '~ISO IR87',
  '8859/1',
  '8859/6',
  'Shift_JIS',
  'EUC-JP',
  'UNICODE UTF-16',
  'UNICODE UTF-32',
];

function pid(name: string): string {
  return `PID|1||1001^^^RENHE^MR||${name}\r`;
}

describe('a message is decoded by its own MSH-18', () => {
  test.each<[string, Charset, string]>([
    ['UNICODE UTF-8', 'utf-8', '张三丰😀'],
    ['GB 18030-2000', 'gb18030', '张三丰𠮷喆'],
    ['BIG-5', 'big5', '張三豐'],
    ['KS X 1001', 'euc-kr', '홍길동'],
    ['8859/1', 'iso-8859-1', 'Müller'],
    ['8859/15', 'iso-8859-15', 'Œuvre €'],
    ['ASCII', 'ascii', 'Doe'],
  ])('%s, there and back', (declared, charset, name) => {
    const text = header({ 4: name, 18: declared }) + pid(name);
    const other = charset === 'utf-8' ? 'iso-8859-1' : 'utf-8';
    expect(decode(encode(text, charset), other)).toEqual({ text, charset });
  });

  test('every message of the sample hospital day is read in the set that it names and comes back byte for byte', () => {
    const seen = new Set<string>();
    for (const { name, bytes } of hospitalDay()) {
      const decoded = decode(bytes, 'ascii');
      if ('error' in decoded) throw new Error(`${name}: ${decoded.error}`);
      seen.add(decoded.charset);
      expect(encode(decoded.text, decoded.charset).equals(bytes)).toBe(true);
    }
    expect([...seen].sort()).toEqual(['gb18030', 'utf-8']);
  });

  test('an empty MSH-18, or a header that ends before it, means the default of the site', () => {
    for (const fields of [{}, { 17: 'CHN', 18: '' }, { 18: '', 19: 'zh' }]) {
      const text = header(fields) + pid('张三');
      expect(decode(encode(text, 'gb18030'), 'gb18030')).toEqual({ text, charset: 'gb18030' });
    }
  });

  test('the first repetition of MSH-18 counts', () => {
    const text = header({ 18: 'GB 18030-2000~UNICODE UTF-8' }) + pid('张三');
    expect(decode(encode(text, 'gb18030'), 'utf-8')).toEqual({ text, charset: 'gb18030' });
  });

  test.each(['UTF-8~UNICODE', 'ASCII~UNICODE UTF-8', 'GB18030~UTF-8', 'UTF-8~KLINGON', '~UTF-8'])(
    '%s says UTF-8 too, where the bytes are nothing else',
    (declared) => {
      const text = header({ 18: declared }) + pid('张三');
      expect(decode(Buffer.from(text), 'ascii')).toEqual({ text, charset: 'utf-8' });
    },
  );

  test('the repetitions of MSH-18 are cut at the repetition separator that MSH-2 names', () => {
    const text = header({ 18: 'GB 18030-2000!UNICODE UTF-8' }, '#', '*!?%');
    expect(decode(encode(text, 'gb18030'), 'utf-8')).toEqual({ text, charset: 'gb18030' });
  });

  test('another field separator than the bar is counted', () => {
    const text = header({ 4: '仁和', 18: 'GBK' }, '#', '*!?%');
    expect(decode(encode(text, 'gb18030'), 'utf-8')).toEqual({ text, charset: 'gb18030' });
  });

  test('MSH-18 is looked for in the first segment only, whatever ends it', () => {
    for (const end of ['\r', '\n', '\r\n']) {
      const bars = `NTE${'|UTF-8'.repeat(30)}`;
      const text = `${header({}).slice(0, -1)}${end}${bars}${end}`;
      expect(decode(Buffer.from(text), 'ascii')).toEqual({ text, charset: 'ascii' });
    }
  });
});

describe('GB18030 trail bytes that are delimiters, in fields before MSH-18', () => {
  const places = [3, 4, 5, 6, 8, 15, 17];
  for (const [delimiter, character] of Object.entries(collisions)) {
    test(`${character} ends in the byte of ${delimiter}`, () => {
      expect(encode(character, 'gb18030').at(-1)).toBe(delimiter.charCodeAt(0));
    });

    test.each(places)(`${character} in MSH-%i hides no declaration`, (place) => {
      const text = header({ 17: 'CHN', 18: 'GB 18030-2000', [place]: `甲${character}` }) + pid(character);
      expect(decode(encode(text, 'gb18030'), 'utf-8')).toEqual({ text, charset: 'gb18030' });
    });

    test.each([3, 4, 6, 8])(`${character} in MSH-%i hides no declaration behind an empty MSH-17`, (place) => {
      const text = header({ 18: 'GB 18030-2000', [place]: `甲${character}` }) + pid(character);
      expect(decode(encode(text, 'gb18030'), 'utf-8')).toEqual({ text, charset: 'gb18030' });
    });
  }

  test('a trail byte does not make another field the declaration', () => {
    // Cut at every bar byte, MSH-17 of this header would be taken for MSH-18.
    const text = header({ 4: '東', 17: 'UTF-8', 18: 'GB18030' }) + pid('张');
    expect(decode(encode(text, 'gb18030'), 'ascii')).toEqual({ text, charset: 'gb18030' });
  });

  test('UTF-8 in fields before MSH-18 hides no declaration', () => {
    const text = header({ 3: '张', 4: '医院', 6: 'é', 18: 'UNICODE UTF-8' }) + pid('张');
    expect(decode(Buffer.from(text), 'gb18030')).toEqual({ text, charset: 'utf-8' });
  });
});

describe('what cannot be read is an error, never a garbled text', () => {
  test('a declaration that the bytes contradict', () => {
    const name = pid('张三');
    expect(decode(encode(header({ 18: 'UNICODE UTF-8' }) + name, 'gb18030'), 'gb18030')).toEqual({
      error: 'the bytes are not utf-8; they would be valid as gb18030 or euc-kr or euc-jp',
      declared: 'UNICODE UTF-8',
    });
    expect(decode(Buffer.from(header({ 18: 'ASCII' }) + name), 'utf-8')).toEqual({
      error: 'the bytes are not ascii; they would be valid as utf-8',
      declared: 'ASCII',
    });
    expect(decode(encode(header() + name, 'gb18030'), 'utf-8')).toEqual({
      error: 'the bytes are not utf-8; they would be valid as gb18030 or euc-kr or euc-jp',
      declared: '',
    });
  });

  test('a name that nobody knows', () => {
    expect(decode(Buffer.from(header({ 18: 'KLINGON' })), 'utf-8')).toEqual({
      error: 'the character set of MSH-18 is not known',
      declared: 'KLINGON',
    });
  });

  test('UTF-16 that is not there, even when every byte is ASCII', () => {
    expect(decode(Buffer.from(header({ 17: 'CHN', 18: 'UNICODE UTF-16' })), 'utf-8')).toEqual({
      error: 'the bytes are not utf-16; they would be valid as ascii',
      declared: 'UNICODE UTF-16',
    });
  });

  test.each<[Charset, string, number[]]>([
    ['gb18030', 'GB 18030-2000', [0xff]],
    ['gb18030', 'GB 18030-2000', [0x81]],
    ['gb18030', 'GB 18030-2000', [0x81, 0x30, 0x81]],
    ['utf-8', 'UNICODE UTF-8', [0xe5, 0xbc]],
    ['utf-8', 'UNICODE UTF-8', [0xc0, 0xaf]],
    ['utf-8', 'UNICODE UTF-8', [0xed, 0xa0, 0x80]],
    ['big5', 'BIG-5', [0x81]],
  ])('%s that ends in a broken character is refused, and the next message is read as if nothing was', (...row) => {
    const [charset, declared, tail] = row;
    const text = header({ 18: declared }) + pid('一二');
    const sound = encode(text, charset);
    expect(decode(Buffer.concat([sound, Buffer.from(tail)]), 'ascii')).toHaveProperty('error');
    expect(decode(sound, 'ascii')).toEqual({ text, charset });
  });

  test('any bytes at all, in any declared set, give a text or an error, and a header to answer', () => {
    const start = fc.constantFrom('', 'MSH|^~\\&|', 'MSH', '\ufeff', ...declarations.map((it) => header({ 18: it })));
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), start, (tail, begin) => {
        const bytes = Buffer.concat([Buffer.from(begin), tail]);
        const decoded = decode(bytes, 'utf-8');
        expect('text' in decoded ? decoded.text : decoded.error).toEqual(expect.any(String));
        expect(salvageHeader(bytes).text).not.toMatch(/[\r\n]/);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('UTF-8 under another name is refused, where its bytes would be characters of that other set', () => {
  test.each<[string, string]>([
    ['GB 18030-2000', '张三丰'],
    ['BIG-5', '张三丰'],
    ['KS X 1001', '홍길동'],
    ['Shift_JIS', '山田'],
    ['8859/1', 'Müller'],
    ['8859/2', 'Dvořák'],
    ['8859/5', 'Иванов'],
    ['windows-1252', 'Müller'],
  ])('%s', (declared, name) => {
    expect(decode(Buffer.from(header({ 18: declared }) + pid(name)), 'ascii')).toEqual({
      error: expect.stringMatching(/^the bytes are not .*; they would be valid as utf-8$/),
      declared,
    });
  });

  test('also where MSH-18 is empty and the site says another', () => {
    expect(decode(Buffer.from(header() + pid('张三')), 'gb18030')).toHaveProperty('error');
  });

  test('but two-byte sequences happen by chance in GB18030', () => {
    const text = header({ 18: 'GB18030' }) + pid('谩');
    expect(encode('谩', 'gb18030').toString()).toBe('á');
    expect(decode(encode(text, 'gb18030'), 'ascii')).toEqual({ text, charset: 'gb18030' });
  });

  test('and no error quotes what the message says', () => {
    const name = 'Geheimnis';
    for (const declared of [...declarations, 'KLINGON']) {
      const bytes = Buffer.concat([Buffer.from(header({ 18: declared }) + pid(name)), Buffer.from([0xff, 0x80, 0xff])]);
      const decoded = decode(bytes, 'ascii');
      if ('error' in decoded) expect(decoded.error).not.toContain(name);
    }
  });
});

describe('a header that could not be decoded', () => {
  test('goes back byte for byte', () => {
    const bytes = encode(header({ 4: '东城€', 18: 'UTF-8' }), 'gb18030');
    const { text, charset } = salvageHeader(bytes);
    expect(encode(`${text}\r`, charset).equals(bytes)).toBe(true);
  });

  test('of UTF-16 is answered in UTF-16', () => {
    const bytes = Buffer.concat([encode(header({ 10: 'C7', 18: 'UTF-16' }), 'utf-16le'), Buffer.from([0x00, 0xd8])]);
    expect(decode(bytes, 'utf-8')).toHaveProperty('error');
    expect(salvageHeader(bytes)).toEqual({ text: header({ 10: 'C7', 18: 'UTF-16' }).trim(), charset: 'utf-16le' });
  });
});

describe('a byte-order mark', () => {
  test('of UTF-8 says more than the default of the site, and contradicts another declaration', () => {
    const text = header() + pid('é');
    expect(decode(Buffer.from(`\ufeff${text}`), 'gb18030')).toEqual({ text, charset: 'utf-8' });
    const other = `\ufeff${header({ 18: 'GB18030' })}${pid('é')}`;
    expect(decode(Buffer.from(other), 'ascii')).toHaveProperty('error');
  });

  test('of GB18030 is dropped too', () => {
    const text = header() + pid('张三');
    const bytes = Buffer.concat([Buffer.from([0x84, 0x31, 0x95, 0x33]), encode(text, 'gb18030')]);
    expect(decode(bytes, 'utf-8')).toEqual({ text, charset: 'gb18030' });
  });

  test('in front of UTF-8 is dropped, and the declaration is still found', () => {
    const text = header({ 18: 'UNICODE UTF-8' }) + pid('张三');
    expect(decode(Buffer.from(`\ufeff${text}`), 'gb18030')).toEqual({ text, charset: 'utf-8' });
  });

  test('in front of ASCII is dropped', () => {
    const text = header({ 18: 'ASCII' });
    expect(decode(Buffer.from(`\ufeff${text}`), 'utf-8')).toEqual({ text, charset: 'ascii' });
  });
});

test('what a character set lacks becomes a question mark, not another length of text', () => {
  expect(encode('A张B', 'iso-8859-1').toString('latin1')).toBe('A?B');
});
