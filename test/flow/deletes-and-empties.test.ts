/** Trouble: `""` deletes what stands, an empty field says nothing (HL7 v2.5.1 2.5.3). */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { applied, Hospital } from './hospital.ts';
import { adt, home, pid, pv1 } from './messages.ts';

let hospital: Hospital;
beforeAll(async () => {
  hospital = await Hospital.open();
});
afterAll(() => Hospital.closeAll());

const full = { 9: 'Roe^Jane', 11: 'Road 1^^Harbour City', 13: '1', 14: '2', 15: 'zh', 16: 'M', 29: '', 32: 'US' };
const update = (n: string, patient: Readonly<Record<number, string>>, visit = {}): string =>
  adt(
    'A08',
    '2026-03-11 09:00',
    pid(n, { 7: '', 8: '', 13: '', ...patient }),
    pv1(`V${n}`, { 3: '', 7: '', 44: '', ...visit }),
  );

async function known(n: string): Promise<void> {
  const visit = pv1(`V${n}`, { 4: 'R', 10: 'MED', 14: '7' });
  await hospital.sends(adt('A01', '2026-03-10 09:05', pid(n, full), visit));
}

describe('"" in a field of the patient', () => {
  test.each([
    ['PID-7, the birth date', 7, 'birthDate'],
    ['PID-8, the gender', 8, 'gender'],
    ['PID-11, the address', 11, 'address'],
    ['PID-15, the language', 15, 'communication'],
    ['PID-16, the marital status', 16, 'maritalStatus'],
  ])('%s: takes it away, and leaves the rest', async (_, field, element) => {
    const n = `1${field}`;
    await known(n);
    const before = await hospital.patient(n);
    expect(before).toHaveProperty(element);
    expect(await hospital.sends(update(n, { [field]: '""' }))).toEqual(applied);
    const { meta, [element]: gone, ...rest } = before;
    const { meta: _meta, ...after } = await hospital.patient(n);
    expect(after).toEqual(rest);
  });

  test('PID-13: takes the home number away, and leaves the one at work (PID-14)', async () => {
    await known('113');
    await hospital.sends(update('113', { 13: '""' }));
    expect((await hospital.patient('113')).telecom.map((it: { value: string }) => it.value)).toEqual(['2']);
  });

  test('PID-29 and PID-30: a death that was a mistake is none any more', async () => {
    await known('130');
    await hospital.sends(
      adt('A03', '2026-03-16 10:05', pid('130', { 29: '20260316095000', 30: 'Y' }), pv1('V130', home)),
    );
    expect(await hospital.patient('130')).toMatchObject({ deceasedDateTime: '2026-03-16T09:50:00+08:00' });
    const alive = adt('A08', '2026-03-16 10:30', pid('130', { 29: '""', 30: 'N' }), pv1('V130', home));
    expect(await hospital.sends(alive)).toEqual(applied);
    expect(await hospital.patient('130')).not.toHaveProperty('deceasedDateTime');
    expect(await hospital.patient('130')).not.toMatchObject({ deceasedBoolean: true });
  });
});

describe('"" in a field of the visit', () => {
  test.each([
    ['PV1-3, the bed', 3, 'location'],
    ['PV1-4, the type', 4, 'type'],
    ['PV1-7, the attending doctor', 7, 'participant'],
    ['PV1-10, the service', 10, 'serviceType'],
  ])('%s: takes it away, and leaves the rest', async (_, field, element) => {
    const n = `2${field}`;
    await known(n);
    const before = await hospital.visit(`V${n}`);
    expect(before).toHaveProperty(element);
    expect(await hospital.sends(update(n, {}, { [field]: '""' }))).toEqual(applied);
    const { meta, [element]: gone, ...rest } = before;
    const { meta: _meta, ...after } = await hospital.visit(`V${n}`);
    expect(after).toEqual(rest);
  });

  test('PV1-45: the end of a visit that goes on; the status is a matter of events', async () => {
    await hospital.sends(adt('A03', '2026-03-16 10:05', pid('245'), pv1('V245', home)));
    expect(await hospital.sends(adt('A08', '2026-03-16 10:30', pid('245'), pv1('V245', { 45: '""' })))).toEqual(
      applied,
    );
    const visit = await hospital.visit('V245');
    expect(visit.status).toBe('finished');
    expect(visit.period).toEqual({ start: '2026-03-10T09:00:00+08:00' });
  });
});

describe('empty fields', () => {
  test('keep everything: a message that says only who and which visit changes nothing', async () => {
    await known('301');
    const changed = await hospital.changedBy(async () => {
      expect(await hospital.sends(update('301', { 5: '' }))).toEqual(applied);
    });
    expect(changed).toEqual([]);
  });

  test('at the end of a segment may be left out or written', async () => {
    await known('302');
    const changed = await hospital.changedBy(async () => {
      await hospital.sends(update('302', { 5: '', 39: '' }, { 52: '' }));
    });
    expect(changed).toEqual([]);
  });

  test('a field that is sent again replaces all that it said before', async () => {
    await known('303');
    await hospital.sends(update('303', { 13: '7~8' }));
    expect((await hospital.patient('303')).telecom.map((it: { value: string }) => it.value)).toEqual(['7', '8', '2']);
    await hospital.sends(update('303', { 13: '9' }).replaceAll('20260311090000', '20260311100000'));
    expect((await hospital.patient('303')).telecom.map((it: { value: string }) => it.value)).toEqual(['9', '2']);
  });
});
