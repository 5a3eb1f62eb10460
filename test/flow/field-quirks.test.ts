/** Trouble: what senders really write. None of it is a reason to refuse a message or to lose a field. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Json } from '../../src/fhir/types.ts';
import { applied, Hospital, nothing, opened, roles } from './hospital.ts';
import { adt, home, message, mrg, pid, pv1, segment, withHeader } from './messages.ts';

let hospital: Hospital;
beforeAll(async () => {
  hospital = await Hospital.open();
});
afterAll(() => Hospital.closeAll());

let patients = 1000;
/** An admission of the next patient, written as a sender writes it. */
const next = (): { n: string; text: string } => {
  const n = `${++patients}`;
  return { n, text: adt('A01', '2026-03-10 09:05', pid(n), pv1(`V${n}`, { 10: 'MED' })) };
};

/** The patient and the visit of an admission stand, with the last field of each segment. */
async function expectAdmitted(n: string): Promise<void> {
  expect(await hospital.patient(n)).toMatchObject({ gender: 'female', telecom: [{ value: '13900009999' }] });
  const visit = await hospital.visit(`V${n}`);
  expect(visit).toMatchObject({ status: 'in-progress', period: { start: '2026-03-10T09:00:00+08:00' } });
  expect(visit.serviceType.coding.map((it: Json) => it.code)).toContain('MED');
}

describe('around the fields', () => {
  test.each<[string, (text: string) => string]>([
    ['a byte-order mark before MSH', (it) => `\ufeff${it}`],
    ['a fifth encoding character in MSH-2 (v2.7)', (it) => it.replace('^~\\&', '^~\\&#').replace('|2.5.1', '|2.7')],
    ['blanks behind the last field of each segment', (it) => it.replaceAll('\r', '  \r')],
    ['LF in place of CR', (it) => it.replaceAll('\r', '\n')],
    ['CRLF in place of CR', (it) => it.replaceAll('\r', '\r\n')],
    ['no CR behind the last segment', (it) => it.replace(/\r$/, '')],
    ['empty lines between segments', (it) => it.replaceAll('\r', '\r\r')],
    ['delimiters of its own', (it) => it.replace('^~\\&', '@~\\&').replaceAll('^', '@')],
    ['separators behind the last field', (it) => it.replaceAll('\r', '||||\r')],
  ])('%s', async (_, written) => {
    const { n, text } = next();
    expect(await hospital.sends(written(text))).toEqual(applied);
    await expectAdmitted(n);
  });
});

describe('MSH-9', () => {
  test.each([
    ['with its structure', 'ADT^A01^ADT_A01'],
    ['without its third component', 'ADT^A01'],
    ['with a structure that is not the event’s own', 'ADT^A01^ADT_A07'],
    ['with the event in the structure and in EVN-1 only', 'ADT^^ADT_A01'],
    ['with the event in EVN-1 only', 'ADT'],
  ])('%s: %s', async (_, type) => {
    const { n, text } = next();
    expect(await hospital.sends(withHeader(text, { 9: type }))).toEqual(applied);
    await expectAdmitted(n);
  });

  test('ADT^A31^ADT_A07 is an update of a person, whatever its structure says', async () => {
    const text = adt('A31', '2026-03-10 09:05', pid('2001'), 'PV1|1|N');
    expect(await hospital.sends(withHeader(text, { 9: 'ADT^A31^ADT_A07' }))).toEqual(applied);
    const { id } = await hospital.patient('2001');
    expect(await hospital.search(`Encounter?patient=${id}`)).toEqual([]);
  });
});

test('MSH-18 that repeats (UTF-8~UNICODE)', async () => {
  const { n, text } = next();
  const named = withHeader(text.replace('Doe^Jane', '张^伟'), { 18: 'UTF-8~UNICODE' });
  expect(await hospital.sends(named)).toEqual(applied);
  expect((await hospital.patient(n)).name).toMatchObject([{ family: '张', given: ['伟'] }]);
});

test('EVN-1 that contradicts MSH-9: MSH-9 wins, and the message is marked', async () => {
  const text = adt('A03', '2026-03-16 10:05', pid('2002'), pv1('V2002', home)).replace('EVN|A03', 'EVN|A01');
  expect(await hospital.sends(text)).toEqual(applied);
  expect((await hospital.visit('V2002')).status).toBe('finished');
  const headers = (await hospital.search('MessageHeader')).filter((it) => JSON.stringify(it).includes('contradicting'));
  expect(headers).toHaveLength(1);
  expect(headers[0]?.eventCoding.code).toBe('A03');
  expect(headers[0]?.extension).toContainEqual({
    url: expect.stringMatching(/v2-contradicting-event$/),
    valueCode: 'A01',
  });
});

describe('several in one message', () => {
  test('pairs of PID and MRG in one A40', async () => {
    const pairs = ['2011', '2012'].flatMap((n) => [pid(n), mrg(`9${n}`)]);
    expect(await hospital.sends(adt('A40', '2026-03-10 09:05', ...pairs))).toEqual(applied);
    for (const n of ['2011', '2012'])
      expect((await hospital.patient(n)).identifier.map((it: Json) => it.value)).toEqual([n, `9${n}`]);
  });

  test('pairs of MRG and PV1 in one A45', async () => {
    const pairs = ['VA', 'VB'].flatMap((it) => [mrg('2014', { 5: `${it}^^^RENHE^VN` }), pv1(it, { 44: '' })]);
    expect(await hospital.sends(adt('A45', '2026-03-10 09:05', pid('2013'), ...pairs))).toEqual(applied);
    const { id } = await hospital.patient('2013');
    expect(await hospital.search(`Encounter?patient=${id}`)).toHaveLength(2);
  });
});

test('NTE and PRT belong to the segment before them', async () => {
  const text = adt(
    'A01',
    '2026-03-10 09:05',
    pid('2021'),
    pv1('V2021'),
    'PRT|1|AD||CON|D077^Sun^Hui',
    'DG1|1||E11.9^Diabetes^I10',
    'NTE|1||since 2010',
    'AL1|1|DA|PCN^Penicillin',
    'NTE|1||since childhood',
    'PR1|1||47.0^Appendectomy^I9C||20260311',
    'PRT|2|AD||SO|D088^Wu^Gang',
  );
  expect(await hospital.sends(text)).toEqual(applied);
  const [{ id }, visit] = [await hospital.patient('2021'), await hospital.visit('V2021')];
  expect((await hospital.one(`Condition?subject=Patient/${id}`)).note).toMatchObject([{ text: 'since 2010' }]);
  expect((await hospital.one(`AllergyIntolerance?patient=${id}`)).note).toMatchObject([{ text: 'since childhood' }]);
  expect(roles(visit.participant)).toContain('CON');
  expect(visit.participant).toHaveLength(2);
  expect((await hospital.one(`Procedure?subject=Patient/${id}`)).performer).toHaveLength(1);
});

test('OBX without OBR is about the patient and her visit', async () => {
  const weight = 'OBX|1|NM|29463-7^Body weight^LN||62.5|kg|||||F|||20260310093000';
  expect(await hospital.sends(adt('A01', '2026-03-10 09:05', pid('2031'), pv1('V2031'), weight))).toEqual(applied);
  const [{ id }, visit] = [await hospital.patient('2031'), await hospital.visit('V2031')];
  expect(await hospital.one(`Observation?subject=Patient/${id}`)).toMatchObject({
    status: 'final',
    encounter: { reference: `Encounter/${visit.id}` },
    code: { coding: [{ code: '29463-7' }] },
    valueQuantity: { value: 62.5, unit: 'kg' },
    effectiveDateTime: '2026-03-10T09:30:00+08:00',
  });
});

describe('times', () => {
  test.each([
    ['an offset of a quarter of an hour', '20260310090000+0545', '2026-03-10T09:00:00+05:45'],
    ['a malformed offset: that of the hospital', '20260310090000+8', '2026-03-10T09:00:00+08:00'],
    ['an offset that is none on earth', '20260310090000+9900', '2026-03-10T09:00:00+08:00'],
    ['four digits of fraction', '20260310090000.1234+0800', '2026-03-10T09:00:00.1234+08:00'],
    ['only an hour', '2026031009', '2026-03-10T09:00:00+08:00'],
    ['no seconds', '202603100915', '2026-03-10T09:15:00+08:00'],
    ['only a day', '20260310', '2026-03-10'],
    ['only a month', '202603', '2026-03'],
    ['only a year', '2026', '2026'],
    ['a day of zeros', '20260300', '2026-03'],
    ['as a database writes it', '2026-03-10 09:15:00', '2026-03-10T09:15:00+08:00'],
  ])('%s, %s: %s', async (_, sent, start) => {
    const { n, text } = next();
    expect(await hospital.sends(text.replace('20260310090000\r', `${sent}\r`))).toEqual(applied);
    expect((await hospital.visit(`V${n}`)).period).toMatchObject({ start });
  });

  test.each([['0000'], ['00000000'], ['unknown']])('%s: no time, and what was sent stays readable', async (sent) => {
    const { n, text } = next();
    expect(await hospital.sends(text.replace('20260310090000\r', `${sent}\r`))).toEqual(applied);
    const { period } = await hospital.visit(`V${n}`);
    expect(period).not.toHaveProperty('start');
    const url = 'http://hl7.org/fhir/StructureDefinition/originalText';
    expect(period._start.extension).toEqual([{ url, valueString: sent }]);
    // And no longer when it is corrected.
    expect(await hospital.sends(withHeader(text, { 7: '20260310091000', 10: `${n}C` }))).toEqual(applied);
    const corrected = (await hospital.visit(`V${n}`)).period;
    expect(corrected).toEqual({ start: '2026-03-10T09:00:00+08:00' });
  });

  test('an offset in MSH-7 holds for the times of the message that have none', async () => {
    const { n, text } = next();
    expect(await hospital.sends(withHeader(text, { 7: '20260310090500+0900' }))).toEqual(applied);
    expect((await hospital.visit(`V${n}`)).period.start).toBe('2026-03-10T09:00:00+09:00');
  });
});

describe('a birth date', () => {
  test.each([
    ['198002290030+0900', '1980-02-29'],
    ['19800229233000-1000', '1980-02-29'],
    ['19800229000000', '1980-02-29'],
    ['1980', '1980'],
  ])('%s: the local digits are the date, never its day in UTC', async (sent, date) => {
    const { n, text } = next();
    expect(await hospital.sends(text.replace('|19800229|', `|${sent}|`))).toEqual(applied);
    expect((await hospital.patient(n)).birthDate).toBe(date);
    expect(await hospital.search(`Patient?identifier=${n}&birthdate=${date}`)).toHaveLength(1);
  });
});

describe('a stale PV1-45', () => {
  test('in a message that opens the visit again (A13) does not end it', async () => {
    await hospital.sends(adt('A03', '2026-03-16 10:05', pid('2041'), pv1('V2041', home)));
    expect(await hospital.followed(await hospital.visit('V2041'))).toEqual(opened);
    expect(await hospital.sends(adt('A13', '2026-03-16 10:30', pid('2041'), pv1('V2041', home)))).toEqual(applied);
    const visit = await hospital.visit('V2041');
    expect(visit.status).toBe('in-progress');
    expect(visit.period).not.toHaveProperty('end');
    expect((await hospital.followed(visit)).plans).toEqual(['revoked']);
  });

  test('in the next update of that visit does not finish it either', async () => {
    expect(await hospital.sends(adt('A08', '2026-03-16 10:40', pid('2041'), pv1('V2041', home)))).toMatchObject({
      ack: 'AA',
    });
    expect((await hospital.visit('V2041')).status).toBe('in-progress');
    expect((await hospital.followed(await hospital.visit('V2041'))).plans).toEqual(['revoked']);
  });
});

test('a discharge without PV1-45 ended when the event happened (EVN-6, else EVN-2)', async () => {
  const evn = segment('EVN', { 1: 'A03', 2: '20260316100500', 6: '20260316095500' });
  await hospital.sends(message('ADT^A03', '2026-03-16 10:06', evn, pid('2051'), pv1('V2051', { 36: '01' })));
  expect((await hospital.visit('V2051')).period.end).toBe('2026-03-16T09:55:00+08:00');
  await hospital.sends(adt('A03', '2026-03-16 10:05', pid('2052'), pv1('V2052', { 36: '01' })));
  expect((await hospital.visit('V2052')).period.end).toBe('2026-03-16T10:05:00+08:00');
});

test('no follow-up began for those who are still there', async () => {
  const staying = await hospital.search('Encounter?status=in-progress');
  expect(staying.length).toBeGreaterThan(20);
  expect(await hospital.followed(staying[0])).toEqual(nothing);
});
