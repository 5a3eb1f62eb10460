import { hash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type Charset, encode } from '../../src/hl7v2/charset.ts';
import { contentDigest } from '../../src/hl7v2/content.ts';
import { header } from './header.ts';

const pid = 'PID|1||1001^^^RENHE^MR||张三\r';

function digest(fields: Record<number, string>, rest = pid, charset: Charset = 'utf-8', declared = true): string {
  return contentDigest(encode(header(fields) + rest, charset), declared ? undefined : charset);
}

test('the digest is SHA-256 of the message without its control id', () => {
  const without = hash('sha256', 'MSH|^~\\&|A||||||||P\rPID|1\r');
  expect(contentDigest(Buffer.from('MSH|^~\\&|A|||||||C1|P\rPID|1\r'))).toBe(without);
  expect(contentDigest(Buffer.from('MSH|^~\\&|A||||||||P\rPID|1\r'))).toBe(without);
});

describe('the same content under another control id has the same digest', () => {
  test.each<[string, Charset, Record<number, string>]>([
    ['UTF-8', 'utf-8', { 3: '东城', 18: 'UNICODE UTF-8' }],
    ['GB18030 with delimiters in second bytes', 'gb18030', { 3: '東乗俕', 4: '東', 18: 'GB18030' }],
    ['Shift_JIS with delimiters in second bytes', 'shift_jis', { 3: '表ソ', 4: 'ｱ', 18: 'Shift_JIS' }],
    ['ISO 2022', 'iso-2022:ascii+jis_x0208', { 3: '歳', 18: '~ISO IR87' }],
    ['UTF-16', 'utf-16le', { 3: '东城', 18: 'UNICODE UTF-16' }],
    ['UTF-32 with a mark', 'utf-32', { 3: '东城' }],
    ['ASCII', 'ascii', {}],
  ])('%s', (_, charset, fields) => {
    const [a, b] = ['C1', '20260316-000002'].map((id) => digest({ ...fields, 10: id }, 'PID|1\r', charset));
    expect(a).toBe(b);
    expect(digest({ ...fields, 9: 'ADT^A01' }, 'PID|1\r', charset)).not.toBe(a);
  });

  test('where MSH-18 is empty and the set is known', () => {
    const of = (id: string): string => digest({ 3: '東', 10: id }, pid, 'gb18030', false);
    expect(of('C1')).toBe(of('C2'));
  });

  test('with a byte-order mark or without', () => {
    expect(contentDigest(Buffer.from(`\ufeff${header()}${pid}`))).toBe(digest({}));
  });
});

describe('other content has another digest', () => {
  test.each(Array.from({ length: 18 }, (_, i) => i + 3).filter((n) => n !== 10))('in MSH-%i', (n) => {
    expect(digest({ 20: 'x', [n]: 'other' })).not.toBe(digest({ 20: 'x' }));
  });

  test('in another segment', () => {
    expect(digest({}, pid.replace('1001', '1002'))).not.toBe(digest({}));
  });
});

test('any bytes have a digest', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), fc.constantFrom('', 'MSH|', '\ufeff'), (bytes, start) => {
      expect(contentDigest(Buffer.concat([Buffer.from(start), bytes]))).toMatch(/^[0-9a-f]{64}$/);
    }),
  );
});
