/** Trouble: character sets. What a sender declares is what it is read in; what cannot be is answered, never garbled. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Charset, decode, encode } from '../../src/hl7v2/charset.ts';
import { applied, Hospital, readAnswer } from './hospital.ts';
import { adt, pid, pv1, withHeader } from './messages.ts';

let hospital: Hospital;
beforeAll(async () => {
  hospital = await Hospital.open();
});
afterAll(() => Hospital.closeAll());

/** An admission of somebody with a name, by MSH-18 and in the bytes of a set. */
function named(n: string, name: string, declared: string, charset: Charset): Buffer {
  const ward = name.split('^')[0] as string;
  const admission = adt('A01', '2026-03-10 09:05', pid(n, { 5: name }), pv1(`V${n}`, { 3: ward }));
  return encode(withHeader(admission, { 18: declared }), charset);
}

describe('a name in the character set that MSH-18 declares', () => {
  let number = 1000;
  test.each([
    ['UNICODE UTF-8', 'utf-8', '张^伟'],
    ['UTF-8', 'utf-8', '张^伟'],
    ['UTF-8~UNICODE', 'utf-8', '張^偉'],
    ['GB 18030-2000', 'gb18030', '张^伟'],
    ['GB18030', 'gb18030', '陈^晐'],
    ['GBK', 'gb18030', '王^琟'],
    ['GB2312', 'gb18030', '李^玕'],
    ['BIG-5', 'big5', '許^功蓋'],
    ['8859/1', 'iso-8859-1', 'Müller^José'],
    ['8859/15', 'iso-8859-15', 'Œuvre^€'],
    ['8859/2', 'iso-8859-2', 'Łukasz^Wałęsa'],
    ['8859/5', 'iso-8859-5', 'Иванов^Пётр'],
    ['KS X 1001', 'euc-kr', '김^철수'],
    ['Windows-1252', 'windows-1252', 'Müller^“Jo”'],
    ['', 'utf-8', '张^伟'],
    ['ASCII', 'ascii', 'Doe^Jane'],
  ] as const)('%s: is taken, stored whole and found', async (declared, charset, name) => {
    const n = `${++number}`;
    expect(await hospital.sends(named(n, name, declared, charset))).toEqual(applied);
    const [family, given] = name.split('^');
    expect((await hospital.patient(n)).name).toMatchObject([{ family, given: [given] }]);
    expect(
      await hospital.search(`Patient?identifier=${n}&family:exact=${encodeURIComponent(family as string)}`),
    ).toHaveLength(1);
    expect(await hospital.places(await hospital.visit(`V${n}`))).toEqual([`active ${family}`]);
  });

  test('the answer comes in the same set, and names it', async () => {
    const message = withHeader(adt('A28', '2026-03-10 09:05', pid('3001')), { 3: '王琟系统', 18: 'GB 18030-2000' });
    const answer = await hospital.answerTo(encode(message, 'gb18030'));
    const read = decode(answer, 'ascii');
    expect(read).toMatchObject({ charset: 'gb18030' });
    expect('text' in read && read.text).toMatch(/^MSH\|\^~\\&\|\|\|王琟系统\|/);
    expect(readAnswer(answer.toString('latin1'))).toEqual({ ack: 'AA' });
  });
});

describe('a wrong declaration', () => {
  test.each([
    ['UTF-8 is declared, the bytes are GB 18030', 'UNICODE UTF-8', 'gb18030', '张^伟'],
    ['ASCII is declared, the bytes are UTF-8', 'ASCII', 'utf-8', '张^伟'],
    ['nothing is declared, the bytes are Big5', '', 'big5', '許^功蓋'],
    ['a set that nobody knows', 'KLINGON-8', 'utf-8', '张^伟'],
    ['Big5 is declared, the bytes are none of it', 'BIG-5', 'iso-8859-1', 'M\u00ff^\u00ff'],
  ] as const)(
    '%s: AE 102 at MSH-18, kept as rejected, and nothing garbled is stored',
    async (_, declared, charset, name) => {
      const changed = await hospital.changedBy(async () => {
        const answer = await hospital.sends(named('4001', name, declared, charset));
        expect(answer).toEqual({ ack: 'AE', errors: ['102 MSH-18'], state: 'rejected' });
      });
      expect(changed).toEqual([]);
    },
  );

  test('the bytes are kept as they came, for whoever mends it', async () => {
    const bytes = named('4002', '张^伟', 'UNICODE UTF-8', 'gb18030');
    await hospital.sends(bytes);
    expect(Buffer.from((await hospital.journal())[0]?.bytes ?? [])).toEqual(bytes);
  });

  test('mended and sent again under its control id, it is taken', async () => {
    const text = withHeader(adt('A28', '2026-03-10 09:05', pid('4003', { 5: '张^伟' })), { 18: 'UNICODE UTF-8' });
    expect(await hospital.sends(encode(text, 'gb18030'))).toMatchObject({ ack: 'AE' });
    expect(await hospital.sends(text.replace('UNICODE UTF-8', 'GB18030'))).toMatchObject({ ack: 'AE' });
    expect(await hospital.sends(encode(text.replace('UNICODE UTF-8', 'GB18030'), 'gb18030'))).toEqual(applied);
    expect((await hospital.patient('4003')).name).toMatchObject([{ family: '张', given: ['伟'] }]);
  });
});

describe('UTF-16', () => {
  test.each([
    ['big end first, with its mark', 'utf-16be', [0xfe, 0xff]],
    ['little end first, with its mark', 'utf-16le', [0xff, 0xfe]],
    ['big end first, without a mark', 'utf-16be', []],
  ] as const)('over HTTP, %s: is taken, and answered in UTF-16', async (_, charset, mark) => {
    const n = `5${charset.length}${charset.charCodeAt(6)}${mark.length}`;
    const text = withHeader(adt('A28', '2026-03-10 09:05', pid(n, { 5: '张^伟' })), { 18: 'UNICODE UTF-16' });
    const body = Buffer.concat([Buffer.from(mark), encode(text, charset)]);
    const { status, bytes } = await hospital.posts(body);
    expect(status).toBe(200);
    const answer = decode(bytes, 'ascii');
    expect('text' in answer && readAnswer(answer.text)).toEqual({ ack: 'AA' });
    expect((await hospital.patient(n)).name).toMatchObject([{ family: '张', given: ['伟'] }]);
  });
});
