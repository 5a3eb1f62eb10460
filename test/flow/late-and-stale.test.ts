/** Trouble: messages that come late. What they say counts by when it happened, not by when it came. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { applied, Hospital, opened, stale } from './hospital.ts';
import { adt, dtm, home, message, pid, pv1, segment, withHeader } from './messages.ts';

let hospital: Hospital;
beforeAll(async () => {
  hospital = await Hospital.open();
});
afterAll(() => Hospital.closeAll());

/** Telephone number that stands. */
const phone = async (number: string): Promise<string> => (await hospital.patient(number)).telecom[0].value;

describe('a late message', () => {
  test('fills what is empty, overwrites nothing newer, and its row is stale and says how much was lost', async () => {
    await hospital.sends(adt('A08', '2026-03-12 09:00', pid('1001', { 13: '2' }), pv1('V1001', { 3: 'W2^2^2' })));
    const late = adt(
      'A08',
      '2026-03-11 09:00',
      pid('1001', { 13: '1', 16: 'M' }),
      pv1('V1001', { 3: 'W1^1^1', 14: '7' }),
    );
    expect(await hospital.sends(late)).toEqual(stale);
    expect(await phone('1001')).toBe('2');
    expect((await hospital.patient('1001')).maritalStatus.coding[0].code).toBe('M');
    const visit = await hospital.visit('V1001');
    expect(await hospital.places(visit)).toEqual(['active W2 2 2']);
    expect(visit.hospitalization.admitSource.coding[0].code).toBe('7');
    const [row] = await hospital.journal();
    expect(row?.error).toBe('older than what is stored: 2 elements stay as they are');
    expect(row?.wrote).toEqual(expect.arrayContaining([expect.stringMatching(/^Patient\/.*\/_history\/2$/)]));
  });

  test('that says nothing else than what stands is not stale', async () => {
    await hospital.sends(adt('A08', '2026-03-12 09:00', pid('1002'), pv1('V1002')));
    expect(await hospital.sends(adt('A08', '2026-03-11 09:00', pid('1002'), pv1('V1002')))).toEqual(applied);
  });

  test('does not delete by "" what is newer, and a later "" is not undone by an older value', async () => {
    await hospital.sends(adt('A08', '2026-03-12 09:00', pid('1003', { 13: '2' }), pv1('V1003')));
    expect(await hospital.sends(adt('A08', '2026-03-11 09:00', pid('1003', { 13: '""' }), pv1('V1003')))).toMatchObject(
      { ack: 'AA' },
    );
    expect(await phone('1003')).toBe('2');
    await hospital.sends(adt('A08', '2026-03-14 09:00', pid('1003', { 13: '""' }), pv1('V1003')));
    expect(await hospital.sends(adt('A08', '2026-03-13 09:00', pid('1003', { 13: '3' }), pv1('V1003')))).toEqual(stale);
    expect(await hospital.patient('1003')).not.toHaveProperty('telecom');
  });

  test('does not overwrite what a FHIR client changed meanwhile, and a newer one does', async () => {
    await hospital.sends(adt('A08', '2026-03-12 09:00', pid('1004', { 13: '2' }), pv1('V1004')));
    const patient = await hospital.patient('1004');
    await hospital.put({ ...patient, telecom: [{ system: 'phone', value: '9' }], language: 'zh' });
    expect(await hospital.sends(adt('A08', '2026-03-13 09:00', pid('1004', { 13: '3' }), pv1('V1004')))).toEqual(stale);
    expect(await phone('1004')).toBe('9');
    expect(await hospital.sends(adt('A08', '2026-03-16 12:00', pid('1004', { 13: '4' }), pv1('V1004')))).toEqual(
      applied,
    );
    expect(await phone('1004')).toBe('4');
    expect((await hospital.patient('1004')).language).toBe('zh');
  });

  test('of one visit says nothing of another', async () => {
    await hospital.sends(adt('A03', '2026-03-16 10:05', pid('1005'), pv1('V5A', home)));
    expect(await hospital.sends(adt('A01', '2026-03-10 09:05', pid('1005'), pv1('V5B')))).toEqual(applied);
    expect((await hospital.visit('V5B')).status).toBe('in-progress');
    expect(await hospital.followed(await hospital.visit('V5A'))).toEqual(opened);
  });
});

describe('when a message happened', () => {
  /** Two updates with a number each; the first one was sent first. */
  const times = (n: string, at: Readonly<Record<'msh' | 'evn2' | 'evn6' | 'zbe', string>>): string => {
    const { msh, evn2, evn6, zbe } = at;
    const evn = segment('EVN', { 1: 'A08', 2: evn2 && dtm(evn2), 6: evn6 && dtm(evn6) });
    const movement = zbe ? [segment('ZBE', { 1: 'M1', 2: dtm(zbe), 4: 'UPDATE' })] : [];
    return message('ADT^A08', msh, evn, pid(n, { 13: msh.slice(8, 10) }), pv1(`V${n}`), ...movement);
  };
  const none = { msh: '', evn2: '', evn6: '', zbe: '' };

  test.each([
    [
      'EVN-2 before all others',
      '2001',
      { evn2: '2026-03-11 09:00', evn6: '2026-03-13 09:00', zbe: '2026-03-13 09:00' },
    ],
    ['EVN-6 where EVN-2 is empty', '2002', { evn6: '2026-03-11 09:00', zbe: '2026-03-13 09:00' }],
    ['ZBE-2 where EVN says nothing', '2003', { zbe: '2026-03-11 09:00' }],
  ])('%s: later sent, earlier happened, is late', async (_, n, at) => {
    await hospital.sends(times(n, { ...none, msh: '2026-03-12 09:00', evn2: '2026-03-12 09:00' }));
    expect(await hospital.sends(times(n, { ...none, msh: '2026-03-14 09:00', ...at }))).toEqual(stale);
    expect(await phone(n)).toBe('12');
  });

  test('MSH-7 where nothing else says it', async () => {
    await hospital.sends(times('2004', { ...none, msh: '2026-03-12 09:00' }));
    expect(await hospital.sends(times('2004', { ...none, msh: '2026-03-11 09:00' }))).toEqual(stale);
    expect(await phone('2004')).toBe('12');
  });

  test('of one minute: by MSH-7, then by the number of MSH-10', async () => {
    const at = { ...none, evn2: '2026-03-12 09:00', msh: '2026-03-12 09:00' };
    await hospital.sends(withHeader(times('2005', at), { 10: 'X8' }));
    const earlier = withHeader(times('2005', at).replace('|12|', '|11|'), { 10: 'X7' });
    expect(await hospital.sends(earlier.replace('PRN', ''))).toMatchObject({ ack: 'AA' });
    expect(await phone('2005')).toBe('12');
  });

  test('without any time: when it came', async () => {
    await hospital.sends(times('2006', { ...none, msh: '2026-03-12 09:00' }));
    const timeless = times('2006', { ...none, msh: '2026-03-11 09:00' }).replace('20260311090000', '');
    expect(await hospital.sends(timeless)).toEqual(applied);
    expect(await phone('2006')).toBe('11');
  });

  test('a time that is none ("00000000", 1900) counts for nothing', async () => {
    await hospital.sends(times('2007', { ...none, msh: '2026-03-12 09:00' }));
    const filler = message(
      'ADT^A08',
      '2026-03-13 09:00',
      segment('EVN', { 1: 'A08', 2: '19000101000000' }),
      pid('2007', { 13: '13' }),
      pv1('V2007'),
    );
    expect(await hospital.sends(filler)).toEqual(applied);
    expect(await phone('2007')).toBe('13');
  });
});
