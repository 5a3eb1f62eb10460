/** ADT A41: two accounts of one patient become one. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Json } from '../../src/fhir/types.ts';
import { applied, duplicate, Hospital } from './hospital.ts';
import { adt, mrg, pid, pv1, renumbered } from './messages.ts';

let hospital: Hospital;
beforeAll(async () => {
  hospital = await Hospital.open();
});
afterAll(() => Hospital.closeAll());

const account = (number: string): string => `${number}^^^RENHE^AN`;

/** The account that has a number as its own. */
async function accountOf(number: string): Promise<Json> {
  const found = await hospital.search(`Account?identifier=${number}`);
  const own = found.filter((it) => it.identifier.some((id: Json) => id.value === number && id.use !== 'old'));
  expect({ number, own: own.length }).toEqual({ number, own: 1 });
  return own[0] as Json;
}

describe('A41: account A2 goes into account A1', () => {
  const merge = adt('A41', '2026-03-12 09:00', pid('1001', { 18: account('A1') }), mrg('1001', { 3: account('A2') }));
  let retired: Json;

  test('1. the one is inactive and points to the other, which has both numbers', async () => {
    await hospital.sends(adt('A01', '2026-03-10 09:05', pid('1001', { 18: account('A1') }), pv1('V1001')));
    await hospital.sends(adt('A04', '2026-03-11 09:05', pid('1001', { 18: account('A2') }), pv1('V1002', { 2: 'O' })));
    retired = await accountOf('A2');
    expect(await hospital.sends(merge)).toEqual(applied);
    const survivor = await accountOf('A1');
    expect(survivor).toMatchObject({ status: 'active', identifier: [{ value: 'A1' }, { value: 'A2', use: 'old' }] });
    expect(await hospital.read(`Account/${retired.id}`)).toMatchObject({
      status: 'inactive',
      extension: [
        { url: expect.stringMatching(/account-replaced-by$/), valueReference: { reference: `Account/${survivor.id}` } },
      ],
    });
  });

  test('2. the patient and her visits stay as they are', async () => {
    const { id } = await hospital.patient('1001');
    expect((await hospital.visit('V1001')).subject.reference).toBe(`Patient/${id}`);
    expect((await hospital.visit('V1002')).subject.reference).toBe(`Patient/${id}`);
    expect(await hospital.read(`Patient/${id}`)).not.toHaveProperty('link');
  });

  test('3. repeated, it changes nothing', async () => {
    const changed = await hospital.changedBy(async () => {
      expect(await hospital.sends(merge)).toEqual(duplicate);
      expect(await hospital.sends(renumbered(merge))).toEqual(duplicate);
    });
    expect(changed).toEqual([]);
  });

  test('4. what a client bills to the retired account moves with the merge that is sent again', async () => {
    const survivor = await accountOf('A1');
    const { id } = await hospital.patient('1001');
    await hospital.put({
      resourceType: 'ChargeItem',
      id: 'ci-1',
      status: 'billable',
      code: { text: 'bed' },
      subject: { reference: `Patient/${id}` },
      account: [{ reference: `Account/${survivor.id}` }],
    });
    const inverse = adt(
      'A41',
      '2026-03-13 09:00',
      pid('1001', { 18: account('A2') }),
      mrg('1001', { 3: account('A1') }),
    );
    expect(await hospital.sends(inverse)).toEqual(applied);
    expect(await hospital.read(`Account/${retired.id}`)).toMatchObject({ status: 'active' });
    expect(await hospital.read(`Account/${survivor.id}`)).toMatchObject({ status: 'inactive' });
    expect((await hospital.read('ChargeItem/ci-1')).account).toMatchObject([{ reference: `Account/${retired.id}` }]);
  });
});

describe('A41 that says too little', () => {
  test.each([
    [
      'no account that stays',
      adt('A41', '2026-03-12 09:00', pid('1001'), mrg('1001', { 3: account('A2') })),
      '101 PID-18.1',
    ],
    [
      'no account that goes',
      adt('A41', '2026-03-12 09:00', pid('1001', { 18: account('A1') }), mrg('1001')),
      '101 MRG-3.1',
    ],
  ])('%s: refused', async (_, message, error) => {
    expect(await hospital.sends(message)).toEqual({ ack: 'AE', errors: [error], state: 'rejected' });
  });
});
