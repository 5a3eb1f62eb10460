/** ADT A06 and A07: an outpatient stays, an inpatient goes on as an outpatient. The visit may get a new number. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Json } from '../../src/fhir/types.ts';
import { applied, duplicate, Hospital, nothing, opened, stale } from './hospital.ts';
import { adt, home, mrg, pid, pv1, renumbered } from './messages.ts';

let hospital: Hospital;
beforeAll(async () => {
  hospital = await Hospital.open();
});
afterAll(() => Hospital.closeAll());

const registered = (n: string, visit: string): string =>
  adt(
    'A04',
    '2026-03-10 08:00',
    pid(n),
    pv1(visit, { 2: 'O', 3: 'CLINIC^5', 44: '20260310080000' }),
    'DG1|1||K35^Appendicitis^I10',
  );

describe('A06: an outpatient becomes an inpatient, under the same number', () => {
  const change = adt('A06', '2026-03-10 09:05', pid('1001'), pv1('V1001', { 6: 'CLINIC^5', 44: '' }));

  test('1. the visit goes on in another class and place', async () => {
    await hospital.sends(registered('1001', 'V1001'));
    expect(await hospital.sends(change)).toEqual(applied);
    const visit = await hospital.visit('V1001');
    expect(visit).toMatchObject({
      status: 'in-progress',
      class: { code: 'IMP' },
      period: { start: '2026-03-10T08:00:00+08:00' },
    });
    expect(await hospital.places(visit)).toEqual(['active W1 101 01', 'completed CLINIC 5']);
    expect(await hospital.followed()).toEqual(nothing);
  });

  test('2. repeated, it changes nothing', async () => {
    const changed = await hospital.changedBy(async () => {
      expect(await hospital.sends(change)).toEqual(duplicate);
      expect(await hospital.sends(renumbered(change))).toEqual(duplicate);
    });
    expect(changed).toEqual([]);
  });

  test('3. the inverse (A07) makes an outpatient again', async () => {
    const back = adt(
      'A07',
      '2026-03-11 09:00',
      pid('1001'),
      pv1('V1001', { 2: 'O', 3: 'CLINIC^5', 6: 'W1^101^01', 44: '' }),
    );
    expect(await hospital.sends(back)).toEqual(applied);
    const visit = await hospital.visit('V1001');
    expect(visit).toMatchObject({ status: 'in-progress', class: { code: 'AMB' } });
    expect(await hospital.places(visit)).toEqual(['active CLINIC 5', 'completed W1 101 01']);
  });

  test('4. the A06 that comes again behind it is late', async () => {
    expect(await hospital.sends(renumbered(change).replaceAll('20260310090500', '20260310090600'))).toEqual(stale);
    expect((await hospital.visit('V1001')).class).toMatchObject({ code: 'AMB' });
  });

  test('5. late behind the discharge it opens nothing', async () => {
    await hospital.sends(adt('A03', '2026-03-16 10:05', pid('1001'), pv1('V1001', { 2: 'O', ...home, 44: '' })));
    expect(await hospital.sends(renumbered(change).replaceAll('20260310090500', '20260310090700'))).toEqual(stale);
    const visit = await hospital.visit('V1001');
    expect(visit.status).toBe('finished');
    expect(await hospital.followed(visit)).toEqual(opened);
  });
});

describe('A06 with a new number of the visit (MRG-5 is the old one)', () => {
  const change = adt('A06', '2026-03-10 09:05', pid('1002'), mrg('', { 5: 'V2^^^RENHE^VN' }), pv1('V2000', { 44: '' }));
  let old: Json;

  test('1. the old visit points to the new one, and is none any more', async () => {
    await hospital.sends(registered('1002', 'V2'));
    old = await hospital.visit('V2');
    expect(await hospital.sends(change)).toEqual(applied);
    const visit = await hospital.visit('V2000');
    expect(visit).toMatchObject({ status: 'in-progress', class: { code: 'IMP' }, subject: old.subject });
    expect(visit.identifier).toMatchObject([{ value: 'V2000' }, { value: 'V2', use: 'old' }]);
    expect(await hospital.read(`Encounter/${old.id}`)).toMatchObject({
      status: 'entered-in-error',
      extension: expect.arrayContaining([
        {
          url: expect.stringMatching(/encounter-replaced-by$/),
          valueReference: { reference: `Encounter/${visit.id}` },
        },
      ]),
    });
  });

  test('2. what belonged to the old visit belongs to the new one', async () => {
    const visit = await hospital.visit('V2000');
    const { id } = await hospital.patient('1002');
    expect((await hospital.one(`Condition?subject=Patient/${id}`)).encounter.reference).toBe(`Encounter/${visit.id}`);
  });

  test('3. a message that still has the old number changes the old record only', async () => {
    expect(await hospital.sends(adt('A08', '2026-03-10 10:00', pid('1002'), pv1('V2', { 2: 'O', 44: '' })))).toEqual(
      applied,
    );
    expect((await hospital.read(`Encounter/${old.id}`)).status).toBe('entered-in-error');
    expect(await hospital.visit('V2000')).toMatchObject({ status: 'in-progress', class: { code: 'IMP' } });
  });

  test('4. the discharge of the new number is followed up, once', async () => {
    await hospital.sends(adt('A03', '2026-03-16 10:05', pid('1002'), pv1('V2000', { ...home, 44: '' })));
    expect(await hospital.followed(await hospital.visit('V2000'))).toEqual(opened);
    expect(await hospital.followed(old)).toEqual(nothing);
  });
});
