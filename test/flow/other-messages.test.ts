/** A message that is none of those that are mapped: kept and refused, or kept and ignored where a site says so. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Hospital } from './hospital.ts';
import { adt, message, pid, pv1 } from './messages.ts';
import { mappingsWith, serving } from './sites.ts';

const folder = mappingsWith({ patient: 'settings: { otherEvents: ignore }' });
const [strict, patient] = [0, 1];

let hospital: Hospital;
beforeAll(async () => {
  hospital = await Hospital.open(undefined, serving(folder, [undefined, 'patient']));
});
afterAll(async () => {
  await Hospital.closeAll();
  folder.remove();
});

const others: [name: string, text: () => string, code: string][] = [
  [
    'an event that is not mapped (A17, swap of beds)',
    () => adt('A17', '2026-03-10 09:05', pid('1001'), pv1('V1')),
    '201',
  ],
  ['an event of the schedule (S17)', () => message('SIU^S17', '2026-03-10 09:05', pid('1001')), '201'],
  ['another type of message (MFN)', () => message('MFN^M02', '2026-03-10 09:05', 'MFI|STF'), '200'],
  ['a type that nobody knows (XYZ)', () => message('XYZ^Z99', '2026-03-10 09:05', 'ZZZ|1'), '200'],
];

describe('a message that is not mapped', () => {
  test.each(others)('%s: refused with AR, kept, and nothing is written', async (_, text, code) => {
    const changed = await hospital.changedBy(async () => {
      const answer = await hospital.sends(text(), strict);
      expect(answer).toMatchObject({ ack: 'AR', state: 'rejected' });
      expect(answer.errors?.[0]).toMatch(new RegExp(`^${code} MSH-9\\.`));
    });
    expect(changed).toEqual([]);
    const [row] = await hospital.journal();
    expect(Buffer.from(row?.bytes ?? []).toString()).toContain(`|${row?.controlId}|P|2.5.1`);
  });

  test.each(others)(
    '%s, where the site ignores others: AA, kept as ignored, and nothing is written',
    async (_, text) => {
      const changed = await hospital.changedBy(async () => {
        expect(await hospital.sends(text(), patient)).toEqual({ ack: 'AA', state: 'ignored' });
      });
      expect(changed).toEqual([]);
    },
  );

  test('a mapped event that lacks something is refused there as well', async () => {
    const answer = await hospital.sends(adt('A01', '2026-03-10 09:05', pv1('V1')), patient);
    expect(answer).toMatchObject({ ack: 'AE', state: 'rejected' });
  });
});

describe('what is no message', () => {
  test.each([
    ['words', 'good morning', 'AE'],
    ['no MSH', 'PID|1||1001^^^RENHE^MR\r', 'AE'],
    ['MSH without its delimiters', 'MSH|', 'AE'],
    ['nothing', ' ', 'AE'],
  ])('%s: an answer, and a row', async (_, text, ack) => {
    const answer = await hospital.sends(text);
    expect(answer).toMatchObject({ ack, state: 'rejected' });
    expect(answer.errors?.[0]).toMatch(/^100/);
  });

  test('a processing id that is not ours, and a version of another world, are refused', async () => {
    const good = adt('A01', '2026-03-10 09:05', pid('1001'), pv1('V1'));
    expect(await hospital.sends(good.replace('|P|2.5.1', '|X|2.5.1'))).toEqual({
      ack: 'AR',
      errors: ['202 MSH-11'],
      state: 'rejected',
    });
    expect(await hospital.sends(good.replace('|P|2.5.1', '|P|9.9'))).toEqual({
      ack: 'AR',
      errors: ['203 MSH-12'],
      state: 'rejected',
    });
  });

  test('the connection goes on: the next message is taken', async () => {
    expect(await hospital.sends(adt('A01', '2026-03-10 09:05', pid('1001'), pv1('V1')))).toMatchObject({ ack: 'AA' });
  });
});
