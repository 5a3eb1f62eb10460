/** Trouble: the same message comes twice, or what looks like it. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { settled } from '../support/app.ts';
import { applied, duplicate, Hospital, readAnswer } from './hospital.ts';
import { adt, pid, pv1, renumbered, withHeader } from './messages.ts';

let hospital: Hospital;
beforeAll(async () => {
  hospital = await Hospital.open();
});
afterAll(() => Hospital.closeAll());

const admission = (n: string): string => adt('A01', '2026-03-10 09:05', pid(n), pv1(`V${n}`));

describe('the same control id and the same bytes', () => {
  test('get the same answer, byte for byte, and nothing is done twice', async () => {
    const message = admission('1001');
    const first = await hospital.answerTo(message);
    await hospital.sends(admission('1002'));
    const changed = await hospital.changedBy(async () => {
      expect(await hospital.answerTo(message)).toEqual(first);
      expect(await hospital.answerTo(message)).toEqual(first);
    });
    expect(changed).toEqual([]);
    const [last] = await hospital.journal();
    expect(last).toMatchObject({ state: 'duplicate', error: expect.stringMatching(/^message \d+ sent again$/) });
  });

  test('of a message that was refused are refused with the same answer', async () => {
    const refused = adt('A01', '2026-03-10 09:05', pid('1003'));
    expect(await hospital.sends(refused)).toMatchObject({ ack: 'AE', state: 'rejected' });
    expect(await hospital.sends(refused)).toMatchObject({ ack: 'AE', state: 'rejected' });
  });

  test('at the same time, on one connection: one is applied', async () => {
    const message = admission('1004');
    const answers = await Promise.all([
      hospital.answerTo(message),
      hospital.answerTo(message),
      hospital.answerTo(message),
    ]);
    expect(new Set(answers.map((it) => it.toString())).size).toBe(1);
    await settled(hospital.app);
    expect((await hospital.journal(3)).map((it) => it.state).sort()).toEqual(['applied', 'duplicate', 'duplicate']);
    expect((await hospital.visit('V1004')).meta.versionId).toBe('1');
  });
});

describe('the same control id and other bytes', () => {
  test('are refused, visible in the journal, and write nothing', async () => {
    const message = admission('1005');
    expect(await hospital.sends(message)).toEqual(applied);
    const changed = await hospital.changedBy(async () => {
      const answer = await hospital.sends(message.replace('Doe^Jane', 'Poe^Anna'));
      expect(answer).toEqual({ ack: 'AE', errors: ['205 MSH-10'], state: 'rejected' });
    });
    expect(changed).toEqual([]);
    expect((await hospital.journal())[0]?.error).toContain('another message had this control id');
  });

  test('are taken where the first was refused: the sender has mended it', async () => {
    const broken = adt('A01', '2026-03-10 09:05', pid('1006'));
    expect(await hospital.sends(broken)).toMatchObject({ state: 'rejected' });
    expect(await hospital.sends(`${broken}${pv1('V1006')}\r`)).toEqual(applied);
  });

  test('are taken from another facility', async () => {
    const message = admission('1007');
    expect(await hospital.sends(message)).toEqual(applied);
    expect(await hospital.sends(message.replaceAll('RENHE', 'OTHER'))).toEqual(applied);
  });
});

describe('the same content under a new control id', () => {
  test('is acknowledged under its own id, and makes no new version', async () => {
    const message = admission('1008');
    await hospital.sends(message);
    const again = withHeader(message, { 10: 'AGAIN-1' });
    const changed = await hospital.changedBy(async () => {
      const answer = (await hospital.answerTo(again)).toString();
      expect(readAnswer(answer)).toEqual({ ack: 'AA' });
      expect(answer).toContain('MSA|AA|AGAIN-1');
    });
    expect(changed).toEqual([]);
    expect((await hospital.journal())[0]?.state).toBe('duplicate');
  });

  test('with a new MSH-7 is applied, and makes no new version but of what tells of the message', async () => {
    const message = admission('1009');
    await hospital.sends(message);
    const before = await hospital.search('MessageHeader');
    const changed = await hospital.changedBy(async () => {
      const later = withHeader(message, { 7: '20260310100000', 10: 'AGAIN-2' });
      expect(await hospital.sends(later)).toEqual(applied);
    });
    expect(changed).toEqual([]);
    expect(await hospital.search('MessageHeader')).toHaveLength(before.length + 1);
  });

  test('counts by its time: what changed in between stays', async () => {
    const message = adt('A08', '2026-03-10 09:05', pid('1010', { 13: '1' }), pv1('V1010'));
    await hospital.sends(message);
    await hospital.sends(adt('A08', '2026-03-11 09:05', pid('1010', { 13: '2' }), pv1('V1010')));
    expect(await hospital.sends(renumbered(message))).toEqual(duplicate);
    expect((await hospital.patient('1010')).telecom).toMatchObject([{ value: '2' }]);
  });
});

test('every answer has a control id of its own, and names the message that it answers', async () => {
  const ids = new Set<string>();
  for (let i = 0; i < 5; i++) {
    const message = admission(`20${i}`);
    const [msh = '', msa = ''] = (await hospital.answerTo(message)).toString().split('\r');
    ids.add(msh.split('|')[9] as string);
    expect(msa.split('|')[2]).toBe(message.split('|')[9]);
  }
  expect(ids.size).toBe(5);
});
