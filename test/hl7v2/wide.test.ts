import { describe, expect, test } from '@jest/globals';
import { acknowledge } from '../../src/hl7v2/ack.ts';
import { type Charset, decode, encode } from '../../src/hl7v2/charset.ts';
import { parse } from '../../src/hl7v2/message.ts';
import { header } from './header.ts';

/** U+0A0D and U+0D0A have the bytes of line ends, U+7C5C and U+0B1C those of delimiters and of the MLLP frame. */
const name = '张਍ഊ籜ଜ😀';

const charsets: Charset[] = ['utf-16', 'utf-16le', 'utf-16be', 'utf-32', 'utf-32le', 'utf-32be'];

describe.each(charsets)('%s', (charset) => {
  const width = charset.slice(0, 6).toUpperCase();

  test.each([`UNICODE ${width}`, width, 'UNICODE', ''])('is seen by its bytes, where MSH-18 says %p', (declared) => {
    const text = `${header({ 4: name, 18: declared })}PID|1||1||${name}\r`;
    expect(decode(encode(text, charset), 'gb18030')).toEqual({ text, charset });
  });

  test.each(['UNICODE UTF-8', 'GB18030', 'ASCII', 'KLINGON'])('is refused where MSH-18 says %p', (declared) => {
    expect(decode(encode(header({ 18: declared }), charset), 'utf-8')).toMatchObject({ error: expect.any(String) });
  });

  test('that ends inside a character is refused', () => {
    const sound = encode(header({ 18: width }), charset);
    expect(decode(sound.subarray(0, -1), 'utf-8')).toHaveProperty('error');
  });

  test('is answered in the same order of bytes', () => {
    const received = decode(encode(header({ 4: name, 18: width }), charset), 'utf-8');
    if ('error' in received) throw new Error(received.error);
    const bytes = acknowledge(parse(received.text), received.charset, [], { controlId: 'a', timestamp: '2026' });
    const answer = decode(bytes, 'utf-8');
    if ('error' in answer) throw new Error(answer.error);
    expect([answer.charset, parse(answer.text)?.header.text(6)]).toEqual([charset, name]);
  });
});

test('the order of bytes of a mark is kept by it, whichever it is', () => {
  const text = header({ 4: name, 18: 'UNICODE UTF-16' });
  const little = Buffer.concat([Buffer.from([0xff, 0xfe]), encode(text, 'utf-16le')]);
  const wide = Buffer.concat([Buffer.from([0xff, 0xfe, 0, 0]), encode(header({ 18: 'UNICODE UTF-32' }), 'utf-32le')]);
  expect(decode(little, 'utf-8')).toEqual({ text, charset: 'utf-16' });
  expect(decode(wide, 'utf-8')).toMatchObject({ charset: 'utf-32' });
});

test('a contradiction is named', () => {
  expect(decode(encode(header({ 18: 'UNICODE UTF-8' }), 'utf-16le'), 'utf-8')).toEqual({
    error: 'the bytes are not utf-8; they would be valid as utf-16le',
    declared: 'UNICODE UTF-8',
  });
});
