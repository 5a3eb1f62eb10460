import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { isTaken, readAnswer } from '../../src/outbound/acknowledgement.ts';

const answer = (...segments: string[]): Uint8Array =>
  Buffer.from(`${['MSH|^~\\&|HIS|RENHE|AFTERCARE|AFTERCARE|20260316||ACK|9|P|2.5.1', ...segments].join('\r')}\r`);

const textOf = (...segments: string[]): string | undefined => readAnswer(answer(...segments), 'UTF-8')?.text;

describe('an answer', () => {
  test.each([
    ['AA', true],
    ['CA', true],
    ['AE', false],
    ['AR', false],
    ['CE', false],
    ['CR', false],
    ['XX', false],
    ['', false],
  ])('%s: taken is %s', (code, taken) => {
    const read = readAnswer(answer(`MSA|${code}|C1`), 'UTF-8');
    expect(read).toMatchObject({ code, controlId: 'C1' });
    expect(read && isTaken(read)).toBe(taken);
  });

  test.each([
    ['no acknowledgement', answer()],
    ['no HL7', Buffer.from('hello')],
    ['nothing', Buffer.alloc(0)],
  ])('that is %s is none', (_, bytes) => {
    expect(readAnswer(bytes, 'UTF-8')).toBeUndefined();
  });

  test('of any bytes is one or none, and never an error of ours', () => {
    const begin = fc.constantFrom('', 'MSH|^~\\&|', 'MSH|^~\\&|A\rMSA|AA|', 'MSH|^~\\&|A\rERR|');
    fc.assert(
      fc.property(
        begin,
        fc.uint8Array({ maxLength: 200 }),
        fc.constantFrom('UTF-8' as const, 'GB18030' as const),
        (text, more, charset) => {
          const read = readAnswer(Buffer.concat([Buffer.from(text), more]), charset);
          expect(read === undefined || typeof read.controlId === 'string').toBe(true);
        },
      ),
    );
  });

  test('in the wrong character set is read all the same', () => {
    const bytes = Buffer.concat([answer('MSA|AE|C1'), Buffer.from('NTE|||'), Buffer.from([0xff, 0xfe, 0xd5])]);
    expect(readAnswer(bytes, 'UTF-8')).toMatchObject({ code: 'AE', controlId: 'C1' });
  });
});

describe('why a message was refused', () => {
  test.each<[string, string[], string]>([
    ['code and place', ['ERR||PID^1^3^1^1|101|E'], 'AE PID-3.1 required field missing (101)'],
    ['a place without a component', ['ERR||SCH^1^25|103|E'], 'AE SCH-25 table value not found (103)'],
    ['a segment alone', ['ERR||SCH|100|E'], 'AE SCH segment sequence error (100)'],
    ['a code of its own', ['ERR|||HIS-7^text^L|E'], 'AE (HIS-7)'],
    [
      'several',
      ['ERR||PID^1^3|101|E', 'ERR||PID^1^5|101|E'],
      'AE PID-3 required field missing (101); PID-5 required field missing (101)',
    ],
    ['as before v2.5', ['ERR|PID^1^3^101&Required field missing&HL70357'], 'AE PID-3 required field missing (101)'],
    ['nothing', [], 'AE'],
  ])('shows %s', (_, errors, shown) => {
    expect(textOf('MSA|AE|C1', ...errors)).toBe(shown);
  });

  test('shows nothing that a hospital writes in words: it may quote the patient', () => {
    const errors = ['ERR||ZZ Jane Doe^1^3 Jane|Jane Doe 1001^patient Jane Doe|E||||Jane Doe is not known|1001'];
    expect(textOf('MSA|AE|C1|Jane Doe is not known', ...errors)).toBe('AE');
    expect(textOf('MSA|Jane|C1')).toBe('an answer without a code');
  });

  test('shows ten errors at most', () => {
    const errors = Array.from({ length: 1000 }, () => 'ERR|||101|E');
    expect(textOf('MSA|AE|C1', ...errors)?.split(';')).toHaveLength(10);
  });
});
