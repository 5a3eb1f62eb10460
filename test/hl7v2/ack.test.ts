import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type AckCode, ackCodeOf, acknowledge } from '../../src/hl7v2/ack.ts';
import { type Charset, decode, encode } from '../../src/hl7v2/charset.ts';
import { parse } from '../../src/hl7v2/message.ts';
import { type ErrorCode, errorCodes, type Problem } from '../../src/hl7v2/problem.ts';
import { header } from './header.ts';

const context = { controlId: 'ack-1', timestamp: '20260316103001+0800' };

function ack(received: string | undefined, problems: Problem[] = [], charset: Charset = 'utf-8'): string {
  const message = received === undefined ? undefined : parse(received);
  return encodeBack(acknowledge(message, charset, problems, context), charset);
}

function encodeBack(bytes: Buffer, charset: Charset): string {
  const decoded = decode(bytes, charset);
  if ('error' in decoded) throw new Error(decoded.error);
  return decoded.text;
}

const missingId: Problem = { code: '101', text: 'a required field is empty', segment: 'PID', field: 3, component: 1 };

describe('the acknowledgement code', () => {
  test.each<[AckCode, ErrorCode[]]>([
    ['AA', []],
    ['AE', ['100']],
    ['AE', ['101']],
    ['AE', ['102']],
    ['AE', ['103']],
    ['AR', ['200']],
    ['AR', ['201']],
    ['AR', ['202']],
    ['AR', ['203']],
    // Table 0357 lists 207 among the rejections, and 2.9.2.2 names an internal error as a reason for AR.
    ['AR', ['207']],
    ['AR', ['101', '201']],
    ['AE', ['100', '101']],
  ])('is %s for %p', (code, problems) => {
    expect(ackCodeOf(problems.map((it) => ({ code: it, text: '' })))).toBe(code);
  });
});

describe('a positive acknowledgement', () => {
  test('turns the sender and the receiver around and names what it answers', () => {
    expect(ack(header({ 4: 'RENHE^1.2.3^ISO', 5: 'AFTER', 6: 'CARE', 18: 'UNICODE UTF-8' }))).toBe(
      'MSH|^~\\&|AFTER|CARE|HIS|RENHE^1.2.3^ISO|20260316103001+0800||ACK^A03^ACK|ack-1|P|2.5.1||||||UNICODE UTF-8\r' +
        'MSA|AA|C1\r',
    );
  });

  test.each([
    ['2.3.1', 'ACK^A03'],
    ['2.4', 'ACK^A03'],
    ['2.5', 'ACK^A03^ACK'],
    ['2.5.1', 'ACK^A03^ACK'],
    ['2.8', 'ACK^A03^ACK'],
    ['2.5.1^CHN^ISO3166', 'ACK^A03^ACK'],
  ])('is of version %s, with message type %s', (version, type) => {
    const answer = parse(ack(header({ 12: version })))!;
    expect(answer.header.field(12)).toBe(version);
    expect(answer.header.field(9)).toBe(type);
  });

  test('repeats the processing id, and the control id as it was sent', () => {
    const answer = parse(ack(header({ 10: 'A\\T\\1', 11: 'T' })))!;
    expect(answer.header.field(11)).toBe('T');
    expect(answer.first('MSA')?.field(2)).toBe('A\\T\\1');
  });

  test('has no empty fields at the end of its header', () => {
    expect(ack(header()).split('\r')[0]).toBe(
      'MSH|^~\\&|AFTERCARE|RENHE|HIS|RENHE|20260316103001+0800||ACK^A03^ACK|ack-1|P|2.5.1',
    );
  });
});

describe('a problem', () => {
  test.each(['2.5', '2.5.1', '2.7', '2.8'])('has its place, code and text in fields of their own in v%s', (version) => {
    expect(
      ack(header({ 12: version }), [missingId])
        .split('\r')
        .slice(1, -1),
    ).toEqual(['MSA|AE|C1', 'ERR||PID^1^3^1^1|101^Required field missing^HL70357|E||||a required field is empty']);
  });

  test.each(['2.1', '2.3', '2.3.1', '2.4'])('is one ELD in ERR-1 and the text of MSA-3 in v%s', (version) => {
    expect(
      ack(header({ 12: version }), [missingId])
        .split('\r')
        .slice(1, -1),
    ).toEqual(['MSA|AE|C1|a required field is empty', 'ERR|PID^1^3^101&Required field missing&HL70357']);
  });

  test.each<[string, Partial<Problem>, string]>([
    ['nowhere', {}, ''],
    ['a segment', { segment: 'PID' }, 'PID^1'],
    ['a later segment', { segment: 'DG1', sequence: 2 }, 'DG1^2'],
    ['a field', { segment: 'MSH', field: 10 }, 'MSH^1^10^1'],
    ['a repetition', { segment: 'PID', field: 3, repetition: 2 }, 'PID^1^3^2'],
    ['a component', { segment: 'MSH', field: 9, component: 2 }, 'MSH^1^9^1^2'],
  ])('can be in %s', (_, place, location) => {
    const answer = parse(ack(header(), [{ code: '102', text: 'x', ...place }]))!;
    expect(answer.first('ERR')?.field(2)).toBe(location);
  });

  test('each has an ERR segment, in their order', () => {
    const answer = parse(ack(header(), [missingId, { code: '201', text: 'no', segment: 'MSH', field: 9 }]))!;
    expect(answer.first('MSA')?.text(1)).toBe('AR');
    expect(answer.segments.filter((it) => it.name === 'ERR').map((it) => it.text(3))).toEqual(['101', '201']);
  });

  test('before v2.5 each is a repetition of ERR-1 in the one segment that there is', () => {
    const problems: Problem[] = [missingId, { code: '201', text: 'no', segment: 'MSH', field: 9 }];
    const lines = ack(header({ 12: '2.4' }), problems).split('\r');
    expect(lines.slice(2)).toEqual([
      'ERR|PID^1^3^101&Required field missing&HL70357~MSH^1^9^201&Unsupported event code&HL70357',
      '',
    ]);
  });

  test('with delimiters in its text stays one field', () => {
    const answer = parse(ack(header(), [{ code: '102', text: 'a|b^c\rd' }]))!;
    expect(answer.first('ERR')?.text(8)).toBe('a|b^cd');
    expect(
      parse(ack(header({ 12: '2.3.1' }), [{ code: '102', text: 'a|b^c' }]))
        ?.first('MSA')
        ?.text(3),
    ).toBe('a|b^c');
  });
});

describe('the acknowledgement speaks as the sender does', () => {
  test('with the delimiters of the sender', () => {
    const received = header({ 4: 'A*B' }, '#', '*!?%');
    expect(ack(received, [{ ...missingId, text: 'x#y' }])).toBe(
      'MSH#*!?%#AFTERCARE#RENHE#HIS#A*B#20260316103001+0800##ACK*A03*ACK#ack-1#P#2.5.1\r' +
        'MSA#AE#C1\rERR##PID*1*3*1*1#101*Required field missing*HL70357#E####x?F?y\r',
    );
  });

  test('with five encoding characters as with four', () => {
    expect(ack(header({}, '|', '^~\\&#'))).toContain('|ACK^A03^ACK|');
  });

  test.each<[Charset, string, string]>([
    ['gb18030', 'GB 18030-2000', '東城医院𠮷'],
    ['utf-8', 'UNICODE UTF-8', '东城医院😀'],
    ['big5', 'BIG-5', '東城醫院'],
    ['iso-8859-1', '8859/1', 'Klinik Süd'],
  ])('in %s', (charset, declared, name) => {
    const text = header({ 3: name, 4: name, 17: 'CHN', 18: declared });
    const received = decode(encode(text, charset), 'ascii');
    if ('error' in received) throw new Error(received.error);
    const bytes = acknowledge(parse(received.text), received.charset, [missingId], context);
    const answer = decode(bytes, 'ascii');
    if ('error' in answer) throw new Error(answer.error);
    expect(answer.charset).toBe(charset);
    const message = parse(answer.text)!;
    expect([message.header.text(5), message.header.text(6), message.header.text(18)]).toEqual([name, name, declared]);
    expect(message.first('MSA')?.text(2)).toBe('C1');
  });

  test('and when nothing of the message could be read, in the standard way', () => {
    expect(ack(undefined, [{ code: '100', text: 'not a message', segment: 'MSH' }])).toBe(
      'MSH|^~\\&|||||20260316103001+0800||ACK^^ACK|ack-1|P|2.5.1\r' +
        'MSA|AE|\rERR||MSH^1|100^Segment sequence error^HL70357|E||||not a message\r',
    );
  });

  test('and when version or processing id are empty, 2.5.1 and P', () => {
    const answer = parse(ack(header({ 11: '', 12: '' })))!;
    expect([answer.header.text(11), answer.header.text(12)]).toEqual(['P', '2.5.1']);
  });
});

test('whatever the problems are, the acknowledgement is a message with one ERR each, before v2.5 with one of all', () => {
  const problem = fc.record(
    {
      code: fc.constantFrom(...(Object.keys(errorCodes) as ErrorCode[])),
      text: fc.string({ unit: 'binary' }),
      segment: fc.constantFrom('MSH', 'PID'),
      field: fc.integer({ min: 1, max: 40 }),
      component: fc.integer({ min: 1, max: 9 }),
    },
    { requiredKeys: ['code', 'text'] },
  );
  fc.assert(
    fc.property(fc.array(problem, { maxLength: 4 }), fc.constantFrom('2.3.1', '2.5.1', '2.8'), (problems, version) => {
      const answer = parse(ack(header({ 12: version }), problems as Problem[]))!;
      const errors = version === '2.3.1' ? problems.slice(0, 1) : problems;
      expect(answer.segments.map((it) => it.name)).toEqual(['MSH', 'MSA', ...errors.map(() => 'ERR')]);
      if (version === '2.3.1') expect(answer.first('ERR')?.repetitions(1) ?? []).toHaveLength(problems.length);
      expect(answer.first('MSA')?.field(1)).toBe(ackCodeOf(problems as Problem[]));
    }),
  );
});
