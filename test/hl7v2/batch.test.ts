import { beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type BatchHeader, batchAnswer, splitBatch } from '../../src/hl7v2/batch.ts';
import { type Charset, decode, encode } from '../../src/hl7v2/charset.ts';
import { header } from './header.ts';

const fhs = 'FHS|^~\\&|HIS|RENHE|AFTERCARE|CENTRE|20260316||night|all|F77|\r';
const bhs = 'BHS|^~\\&|HIS|RENHE|AFTERCARE|CENTRE|20260316||||B1|\r';
let given = 0;
beforeEach(() => {
  given = 0;
});
const context = { controlId: () => `id-${++given}`, timestamp: '20260317' };

function message(n: number, fields: Record<number, string> = {}): string {
  return `${header({ 10: `C${n}`, ...fields })}PID|1||${n}\r`;
}

function split(text: string, charset: Charset = 'utf-8') {
  const batch = splitBatch(encode(text, charset));
  if (!batch) throw new Error('no batch was seen');
  return { ...batch, texts: batch.messages.map((it) => textOf(it, charset)) };
}

function textOf(bytes: Uint8Array, charset: Charset = 'utf-8'): string {
  const decoded = decode(bytes, charset);
  if ('error' in decoded) throw new Error(decoded.error);
  return decoded.text;
}

function answer(text: string, charset: Charset = 'utf-8'): string[] {
  const { header: frame, messages } = split(text, charset);
  const answers = messages.map((_, i) => encode(`MSH|A${i}\rMSA|AA|C${i}\r`, charset));
  return textOf(batchAnswer(frame, answers, context), charset)
    .trimEnd()
    .split('\r');
}

describe('a batch is cut into its messages', () => {
  test.each<[string, string, number]>([
    ['FHS BHS … BTS FTS', `${fhs}${bhs}${message(1)}${message(2)}BTS|2\rFTS|1\r`, 2],
    ['BHS … BTS', `${bhs}${message(1)}${message(2)}BTS|2\r`, 2],
    ['BHS … BTS with one message', `${bhs}${message(1)}BTS|1\r`, 1],
    ['BHS alone', `${bhs}${message(1)}${message(2)}`, 2],
    ['several BHS in one FHS', `${fhs}${bhs}${message(1)}BTS|1\r${bhs}${message(2)}BTS|1\rFTS|2\r`, 2],
    ['several MSH and nothing else', message(1) + message(2), 2],
    ['several MSH in a file', `${fhs}${message(1)}${message(2)}FTS\r`, 2],
    ['blank lines between', `\r\n${bhs}\r \r${message(1)}\r\r${message(2)}BTS|2\r\r`, 2],
    ['a batch without messages', `${bhs}BTS|0\r`, 0],
  ])('%s', (_, text, count) => {
    for (const end of ['\r', '\n', '\r\n']) {
      const { texts, problem } = split(text.replaceAll('\r', end));
      expect(texts.map((it) => it.replaceAll(end, '\r').replace(/[\r ]+$/, '\r'))).toEqual(
        [message(1), message(2)].slice(0, count),
      );
      expect(problem).toBeUndefined();
    }
  });

  test.each([
    ['one message', message(1)],
    ['one message with a mark', `\ufeff${message(1)}`],
    ['one message in lines', message(1).replaceAll('\r', '\n')],
    ['a message whose text speaks of MSH', `${message(1)}NTE|1||the MSH|^~\\& is first\rMSHX|1\r`],
    ['another text', 'hello\rMSH|^~\\&|\rMSH|^~\\&|\r'],
    ['nothing', ''],
    ['blanks', ' \r\n '],
  ])('but %s is no batch', (_, text) => {
    expect(splitBatch(Buffer.from(text))).toBeUndefined();
  });

  test.each<[Charset, string]>([
    ['gb18030', 'GB18030'],
    ['big5', 'BIG-5'],
    ['utf-8', 'UTF-8'],
    ['shift_jis', 'Shift_JIS'],
    ['iso-2022:ascii+jis_x0208', '~ISO IR87'],
    ['utf-16', 'UNICODE UTF-16'],
    ['utf-16le', 'UNICODE UTF-16'],
    ['utf-16be', 'UNICODE UTF-16'],
    ['utf-32', 'UNICODE UTF-32'],
    ['utf-32le', 'UNICODE UTF-32'],
  ])('in %s', (charset, declared) => {
    const wide = charset.startsWith('utf-16') || charset.startsWith('utf-32');
    // In the wide sets with characters whose bytes are those of line ends.
    const name = wide ? '張਍ഊ' : '表功';
    const one = (n: number): string => message(n, { 4: name, 18: declared });
    const { texts } = split(`${bhs.replace('RENHE', name)}${one(1)}${one(2)}BTS|2\r`, charset);
    expect(texts).toEqual([one(1), one(2)]);
  });

  test('whatever the fields are, what was joined is cut again, and no byte is lost', () => {
    const field = fc.string({ unit: fc.constantFrom(...'東城医院MSHBTF|^~\\&19 '), maxLength: 20 });
    fc.assert(
      fc.property(fc.array(field, { minLength: 2, maxLength: 8 }), fc.boolean(), (fields, framed) => {
        const all = fields.map((it, i) => encode(`${message(i, { 18: 'GB18030' })}NTE|1||${it}\r`, 'gb18030'));
        const around = framed ? [Buffer.from(fhs + bhs), Buffer.from(`BTS|${all.length}\rFTS|1\r`)] : [];
        const bytes = Buffer.concat([around[0] ?? Buffer.alloc(0), ...all, around[1] ?? Buffer.alloc(0)]);
        const batch = splitBatch(bytes);
        expect(batch?.problem).toBeUndefined();
        expect(batch?.messages.map((it) => Buffer.from(it).toString('hex'))).toEqual(
          all.map((it) => it.toString('hex')),
        );
      }),
    );
  });

  test('any bytes are a batch or none', () => {
    const piece = fc.constantFrom('MSH|', 'BHS|', 'FHS|', 'BTS|2', 'FTS|', '\r', '\n', 'x', ' ', '\0', '\ufeff', '張');
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 30 }),
        fc.constantFrom<Charset>('utf-8', 'utf-16le', 'utf-32be'),
        (all, set) => {
          const batch = splitBatch(encode(all.join(''), set));
          if (batch) expect(batchAnswer(batch.header, batch.messages, context)).toBeInstanceOf(Buffer);
        },
      ),
      { numRuns: 1000 },
    );
  });
});

describe('what does not fit is said and loses nothing', () => {
  test('BTS-1 that counts other messages', () => {
    const batch = split(`${bhs}${message(1)}${message(2)}BTS|3|end of night\r`);
    expect(batch.texts).toHaveLength(2);
    expect(batch.problem).toBe('BTS-1 says 3 messages, 2 came');
  });

  test('FTS-1 that counts other batches', () => {
    const batch = split(`${fhs}${bhs}${message(1)}BTS|1\rFTS|2\r`);
    expect(batch.problem).toBe('FTS-1 says 2 batches, 1 came');
  });

  test('in every batch of a file', () => {
    const batch = split(`${fhs}${bhs}${message(1)}BTS|0\r${bhs}${message(2)}BTS|5\rFTS|2\r`, 'utf-16le');
    expect(batch.problem).toBe('BTS-1 says 0 messages, 1 came; BTS-1 says 5 messages, 1 came');
  });

  test('segments that belong to no message, of which nothing is quoted', () => {
    const batch = split(`${bhs}NTE|1||Zhang\r${message(1)}BTS|1\rPID|1||lost\r`);
    expect(batch.texts).toEqual([message(1)]);
    expect(batch.problem).toBe('2 segments belong to no message');
  });

  test('a count that is none is none', () => {
    expect(split(`${bhs}${message(1)}BTS\r`).problem).toBeUndefined();
    expect(split(`${bhs}${message(1)}BTS|many\r`).problem).toBeUndefined();
  });

  test('more messages than the limit stay one, to be refused whole', () => {
    const bytes = Buffer.from(message(1) + message(2) + message(3));
    expect(splitBatch(bytes, 3)?.messages).toHaveLength(3);
    const batch = splitBatch(bytes, 2);
    expect(batch).toMatchObject({ messages: [bytes], problem: 'more than 2 messages in a batch' });
  });
});

describe('the answer is a batch of acknowledgements', () => {
  test('with FHS and BHS turned around, counted anew, naming what it answers', () => {
    expect(answer(`${fhs}${bhs}${message(1)}${message(2)}BTS|2\rFTS|1\r`)).toEqual([
      'FHS|^~\\&|AFTERCARE|CENTRE|HIS|RENHE|20260317||||id-1|F77',
      'BHS|^~\\&|AFTERCARE|CENTRE|HIS|RENHE|20260317||||id-2|B1',
      'MSH|A0',
      'MSA|AA|C0',
      'MSH|A1',
      'MSA|AA|C1',
      'BTS|2',
      'FTS|1',
    ]);
  });

  test('without FHS where none came, with the control id as given', () => {
    expect(answer(`${bhs}${message(1)}BTS|1\r`)).toEqual([
      'BHS|^~\\&|AFTERCARE|CENTRE|HIS|RENHE|20260317||||id-1|B1',
      'MSH|A0',
      'MSA|AA|C0',
      'BTS|1',
    ]);
  });

  test('without BHS where none came', () => {
    expect(answer(message(1) + message(2))).toEqual(['MSH|A0', 'MSA|AA|C0', 'MSH|A1', 'MSA|AA|C1']);
  });

  test('each in the batch of its message', () => {
    const two = answer(
      `${fhs}${bhs}${message(1)}BTS|1\r${bhs.replace('B1', 'B2')}${message(2)}${message(3)}BTS|2\rFTS|2\r`,
    );
    expect(two.filter((line) => /^(MSA|B|F)/.test(line)).map((line) => line.replace(/\|.*\|/, '…'))).toEqual([
      'FHS…F77',
      'BHS…B1',
      'MSA…C0',
      'BTS|1',
      'BHS…B2',
      'MSA…C1',
      'MSA…C2',
      'BTS|2',
      'FTS|2',
    ]);
  });

  test('with what did not fit in the comment', () => {
    expect(answer(`${bhs}${message(1)}BTS|3\r`).at(-1)).toBe('BTS|1|BTS-1 says 3 messages, 1 came');
  });

  test('without those that the sender does not want', () => {
    const { header: frame } = split(`${bhs}${message(1)}${message(2)}BTS|2\r`);
    const one = Buffer.from('MSH|A\r');
    expect(batchAnswer(frame, [undefined, one], context).toString()).toMatch(/^BHS[^\r]*\rMSH\|A\rBTS\|1\r$/);
  });

  test('with the delimiters of the sender, and standard ones where his are none', () => {
    const theirs = bhs.replaceAll('|', '#').replace('^~\\&', '*!?%');
    expect(answer(`${theirs}${message(1)}BTS#1\r`)[0]).toBe('BHS#*!?%#AFTERCARE#CENTRE#HIS#RENHE#20260317####id-1#B1');
    expect(answer(`BHS\r${message(1)}`)[0]).toBe('BHS|^~\\&|||||20260317||||id-2|');
  });

  test('that no control character of the header can break', () => {
    const { header: frame } = split(`${bhs.replace('HIS', 'H\u001c\u000bS')}${message(1)}BTS|1\r`);
    expect(batchAnswer(frame, [], context).toString()).toContain('|H  S|');
  });

  test.each<[Charset, string]>([
    ['gb18030', 'GB18030'],
    ['shift_jis', 'Shift_JIS'],
    ['utf-16', 'UNICODE UTF-16'],
    ['utf-16be', 'UNICODE UTF-16'],
    ['utf-32le', 'UNICODE UTF-32'],
  ])('in the set of its first message: %s', (charset, declared) => {
    const text = `${bhs.replace('HIS', '表東')}${message(1, { 18: declared })}BTS|1\r`;
    const { header: frame } = split(text, charset);
    const bytes = batchAnswer(frame, [], context);
    expect(textOf(bytes, charset).split('\r')[0]).toBe('BHS|^~\\&|AFTERCARE|CENTRE|表東|RENHE|20260317||||id-1|B1');
  });

  test('byte for byte where the first message calls narrow bytes UTF-16 (fuzz, seed 20262000)', () => {
    const bytes = Buffer.from(`${bhs.replace('HIS', '张三')}${message(1, { 18: 'UTF-16LE' })}`);
    const frame = splitBatch(bytes)?.header as BatchHeader;
    expect(batchAnswer(frame, [], context).toString()).toContain('|张三|');
  });

  test('byte for byte where the first message names no set', () => {
    const { header: frame } = split(`${bhs.replace('HIS', '张三')}${message(1)}BTS|1\r`, 'gb18030');
    expect(textOf(batchAnswer(frame, [], context), 'gb18030')).toContain('|张三|');
  });
});
