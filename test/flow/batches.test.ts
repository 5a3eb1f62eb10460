/** Trouble: a sender that sends its messages in batches (FHS, BHS), or several in one frame. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { settled } from '../support/app.ts';
import { Hospital } from './hospital.ts';
import { adt, home, mrg, pid, pv1 } from './messages.ts';

let hospital: Hospital;
beforeAll(async () => {
  hospital = await Hospital.open();
});
afterAll(() => Hospital.closeAll());

const batched = (...messages: readonly string[]): string =>
  ['BHS|^~\\&|HIS|RENHE|APP|AFTERCARE|20260316103000||||B77\r', ...messages, `BTS|${messages.length}\r`].join('');
const filed = (...messages: readonly string[]): string =>
  ['FHS|^~\\&|HIS|RENHE|APP|AFTERCARE|20260316103000||||F88\r', batched(...messages), 'FTS|1\r'].join('');

/** `BHS`, `MSA AA M7`, `BTS 3`: what of an answer matters here. */
function outline(answer: string): string[] {
  return answer
    .split('\r')
    .map((it) => it.split('|'))
    .filter(([name]) => ['FHS', 'BHS', 'MSA', 'BTS', 'FTS'].includes(name as string))
    .map(([name, first, second]) =>
      name === 'MSA' ? `MSA ${first} ${second}` : name?.endsWith('TS') ? `${name} ${first}` : `${name}`,
    );
}

const idOf = (text: string): string => text.split('|')[9] as string;

describe('a batch', () => {
  const [first, second, third] = [
    adt('A01', '2026-03-10 09:05', pid('1001'), pv1('V1001')),
    adt('A01', '2026-03-10 09:05', pid('1002')),
    adt('A03', '2026-03-16 10:05', pid('1001'), pv1('V1001', home)),
  ] as const;

  test('1. over MLLP gets one answer, with an acknowledgement of each message, in order', async () => {
    const answer = (await hospital.answerTo(batched(first, second, third))).toString();
    expect(outline(answer)).toEqual([
      'BHS',
      `MSA AA ${idOf(first)}`,
      `MSA AE ${idOf(second)}`,
      `MSA AA ${idOf(third)}`,
      'BTS 3',
    ]);
    expect(answer).toContain('ERR||PV1');
  });

  test('2. each message has its own row: the bad one does not keep the good ones', async () => {
    await settled(hospital.app);
    const rows = await hospital.journal(3);
    expect(rows.map((it) => [it.controlId, it.state]).reverse()).toEqual([
      [idOf(first), 'applied'],
      [idOf(second), 'rejected'],
      [idOf(third), 'applied'],
    ]);
    expect((await hospital.visit('V1001')).status).toBe('finished');
    expect((await hospital.followed()).plans).toEqual(['active']);
  });

  test('3. sent again changes nothing', async () => {
    const changed = await hospital.changedBy(async () => {
      const answer = (await hospital.answerTo(batched(first, second, third))).toString();
      expect(outline(answer)[1]).toBe(`MSA AA ${idOf(first)}`);
    });
    expect(changed).toEqual([]);
    expect((await hospital.journal(3)).map((it) => it.state)).toEqual(['duplicate', 'rejected', 'duplicate']);
  });
});

describe('a file of batches (FHS)', () => {
  test.each([
    ['over MLLP', '2001', async (text: string) => (await hospital.answerTo(text)).toString()],
    ['over HTTP', '2002', async (text: string) => (await hospital.posts(text)).text],
  ])('%s: is answered by a file', async (_, n, send) => {
    const message = adt('A28', '2026-03-10 09:05', pid(n));
    expect(outline(await send(filed(message)))).toEqual(['FHS', 'BHS', `MSA AA ${idOf(message)}`, 'BTS 1', 'FTS 1']);
    await settled(hospital.app);
    expect((await hospital.patient(n)).gender).toBe('female');
  });
});

test('each control id of an answer is 20 characters of A-Z and 0-9, and another one', async () => {
  const messages = ['2003', '2004'].map((n) => adt('A28', '2026-03-10 09:05', pid(n)));
  const lines = (await hospital.answerTo(filed(...messages))).toString().split('\r');
  const [frames, acks] = [/^[FB]HS/, /^MSH/].map((name) =>
    lines.filter((it) => name.test(it)).map((it) => it.split('|')),
  );
  const given = [...(frames ?? []).map((it) => it[10]), ...(acks ?? []).map((it) => it[9])];
  expect(given).toEqual(Array.from({ length: 4 }, () => expect.stringMatching(/^[A-Z0-9]{20}$/)));
  expect(new Set(given).size).toBe(4);
});

describe('several messages in one frame, without a batch', () => {
  test('are answered together, each by its own acknowledgement', async () => {
    const messages = ['3001', '3002'].map((n) => adt('A28', '2026-03-10 09:05', pid(n)));
    const answer = (await hospital.answerTo(messages.join(''))).toString();
    expect(outline(answer)).toEqual(messages.map((it) => `MSA AA ${idOf(it)}`));
    await settled(hospital.app);
    for (const n of ['3001', '3002']) await hospital.patient(n);
  });
});

describe('a batch in the order of a hospital that is not ours', () => {
  test('the discharge before the admission, the merge before both: the state is the same', async () => {
    const text = batched(
      adt('A40', '2026-03-15 09:00', pid('4001'), mrg('4002')),
      adt('A03', '2026-03-16 10:05', pid('4001'), pv1('V4', home)),
      adt('A01', '2026-03-10 09:05', pid('4002'), pv1('V4')),
    );
    await hospital.answerTo(text);
    await settled(hospital.app);
    const visit = await hospital.visit('V4');
    expect(visit).toMatchObject({ status: 'finished', period: { start: '2026-03-10T09:00:00+08:00' } });
    expect(visit.subject.reference).toBe(`Patient/${(await hospital.patient('4001')).id}`);
    expect((await hospital.followed(visit)).plans).toEqual(['active']);
  });
});

describe('a batch that is not sound', () => {
  test('a wrong count (BTS-1) is told, and the messages are taken', async () => {
    const message = adt('A28', '2026-03-10 09:05', pid('5001'));
    const answer = (await hospital.answerTo(batched(message).replace('BTS|1', 'BTS|7'))).toString();
    expect(outline(answer)).toEqual(['BHS', `MSA AA ${idOf(message)}`, 'BTS 1']);
    expect(answer).toMatch(/BTS\|1\|[^\r]*7 messages, 1 came/);
    await settled(hospital.app);
    await hospital.patient('5001');
  });
});
