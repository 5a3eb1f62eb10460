/** Trouble: a sender of enhanced mode asks for two answers, one of them, or none (MSH-15, MSH-16). */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Client } from '../mllp/client.ts';
import { portOf, settled } from '../support/app.ts';
import { Hospital, readAnswer } from './hospital.ts';
import { adt, pid, pv1, withHeader } from './messages.ts';

let hospital: Hospital;
let client: Client;
beforeAll(async () => {
  hospital = await Hospital.open();
  client = await Client.connect(portOf(hospital.app.mllp));
});
afterAll(async () => {
  client.socket.destroy();
  await Hospital.closeAll();
});

const frame = (text: string): string => `\x0b${text}\x1c\r`;
const good = (): string => adt('A01', '2026-03-10 09:05', pid('1001'), pv1('V1001'));
const bad = (): string => adt('A01', '2026-03-10 09:05', pid('1001'));
const asking = (text: string, accept: string, application: string): string =>
  withHeader(text, { 15: accept, 16: application });

/** All answers to a message: what comes before those to two of original mode, the second sent when all is done. */
async function answersTo(text: string): Promise<string[]> {
  const codes: string[] = [];
  const [first, second] = [pid('9998'), pid('9999')].map((it) => adt('A28', '2026-03-10 09:05', it));
  client.write(frame(text));
  for (const mark of [first as string, second as string]) {
    client.write(frame(mark));
    const own = `|${mark.split('|')[9]}`;
    for (let answer = ''; !answer.includes(own); ) {
      answer = (await client.next()) as string;
      if (!answer.includes(own)) codes.push(readAnswer(answer).ack);
    }
    await settled(hospital.app);
  }
  return codes;
}

describe('both answers', () => {
  test('come on one connection: CA when it is kept, AA when it is applied', async () => {
    const message = asking(good(), 'AL', 'AL');
    client.write(frame(message));
    const [first, second] = (await client.take(2)) as string[];
    expect([readAnswer(first as string), readAnswer(second as string)]).toEqual([{ ack: 'CA' }, { ack: 'AA' }]);
    expect(second).toContain(`MSA|AA|${message.split('|')[9]}`);
    expect((await hospital.journal())[0]?.state).toBe('applied');
    expect((await hospital.visit('V1001')).status).toBe('in-progress');
  });

  test('are one of a message that cannot be taken: CE says what is wrong, and ends it (2.9.3)', async () => {
    client.write(frame(asking(bad(), 'AL', 'AL')));
    const refused = readAnswer((await client.next()) as string);
    expect(refused).toMatchObject({ ack: 'CE' });
    expect(refused.errors).toContain('100 PV1');
    expect(await answersTo(asking(bad(), 'AL', 'AL'))).toEqual(['CE']);
  });

  test('come again, sent again: the same CA, and the AA of what was applied', async () => {
    const message = asking(good(), 'AL', 'AL');
    client.write(frame(message));
    const [accept] = await client.take(2);
    client.write(frame(message));
    const [again, application] = (await client.take(2)) as string[];
    expect(again).toBe(accept);
    expect(readAnswer(application as string)).toEqual({ ack: 'AA' });
    expect((await hospital.journal())[0]?.state).toBe('duplicate');
  });

  test('of many messages under way name their messages', async () => {
    const messages = Array.from({ length: 5 }, () => asking(good(), 'AL', 'AL'));
    client.write(messages.map(frame).join(''));
    const answers = ((await client.take(10)) as string[]).map((it) => /MSA\|(\w+)\|(\w+)/.exec(it)?.slice(1).join(' '));
    const expected = messages.flatMap((it) => [`CA ${it.split('|')[9]}`, `AA ${it.split('|')[9]}`]);
    expect(answers.sort()).toEqual(expected.sort());
  });
});

describe('answers that are wanted', () => {
  test.each([
    ['AL', 'NE', ['CA'], ['CE']],
    ['NE', 'AL', ['AA'], ['AE']],
    ['AL', '', ['CA'], ['CE']],
    ['', 'AL', ['AA'], ['AE']],
    ['ER', 'ER', [], ['CE']],
    ['SU', 'SU', ['CA', 'AA'], []],
    ['ER', 'SU', ['AA'], ['CE']],
    ['NE', 'NE', [], []],
    ['??', 'NE', ['CA'], ['CE']],
  ])('MSH-15 = %s, MSH-16 = %s: of a good message %j, of a bad one %j', async (accept, application, ofGood, ofBad) => {
    expect(await answersTo(asking(good(), accept, application))).toEqual(ofGood);
    expect(await answersTo(asking(bad(), accept, application))).toEqual(ofBad);
  });

  test('a message that wants none is kept and applied all the same', async () => {
    const message = asking(adt('A28', '2026-03-10 09:05', pid('1002')), 'NE', 'NE');
    expect(await answersTo(message)).toEqual([]);
    expect((await hospital.patient('1002')).gender).toBe('female');
  });
});
