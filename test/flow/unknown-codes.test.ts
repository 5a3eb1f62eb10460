/** Trouble: a code that no table translates. It is kept as sent, put on a list, answered once, and what waited is mended. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Json } from '../../src/fhir/types.ts';
import { settled } from '../support/app.ts';
import { applied, Hospital, opened } from './hospital.ts';
import { adt, home, pid, pv1 } from './messages.ts';

let hospital: Hospital;
beforeAll(async () => {
  hospital = await Hospital.open();
});
afterAll(() => Hospital.closeAll());

const disposition = 'http://terminology.hl7.org/CodeSystem/discharge-disposition';

async function admin(method: string, path: string, body?: Json): Promise<{ status: number; body: Json }> {
  const address = hospital.app.http.replace(/\/fhir$/, `/admin/${path}`);
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(address, { method, headers, ...(body && { body: JSON.stringify(body) }) });
  return { status: response.status, body: (await response.json()) as Json };
}

/** The open codes, as `TABLE CODE MESSAGES`. */
async function open(): Promise<string[]> {
  const { codes } = (await admin('GET', 'codes?open=true')).body;
  return codes.map((it: Json) => `${it.table} ${it.code} ${it.messages}`).sort();
}

const discharged = (n: string, code: string): string =>
  adt('A03', '2026-03-16 10:05', pid(n), pv1(`V${n}`, { ...home, 36: code }));

async function dispositionOf(n: string): Promise<Json[]> {
  return (await hospital.visit(`V${n}`)).hospitalization.dischargeDisposition.coding;
}

describe('a disposition that only this hospital knows', () => {
  test('1. the message is taken; the code stands as it was sent, and the follow-up begins', async () => {
    for (const n of ['1001', '1002'])
      expect(await hospital.sends(discharged(n, 'H9^Home with nurse^L'))).toEqual(applied);
    expect(await dispositionOf('1001')).toMatchObject([{ code: 'H9', display: 'Home with nurse' }]);
    expect(await hospital.followed(await hospital.visit('V1001'))).toEqual(opened);
  });

  test('2. it is on the list once, with both messages', async () => {
    expect(await open()).toEqual(['DischargeDisposition H9 2']);
    const { codes } = (await admin('GET', 'codes?open=true')).body;
    expect(codes[0]).toMatchObject({ field: 'PV1-36', display: 'Home with nurse' });
    expect((await admin('GET', `codes/${codes[0].id}`)).body.messageIds).toHaveLength(2);
  });

  test('3. a wrong answer is refused', async () => {
    const { codes } = (await admin('GET', 'codes?open=true')).body;
    for (const target of [
      { system: 'http://loinc.org', code: 'home' },
      { system: disposition, code: 'moon' },
    ])
      expect((await admin('POST', `codes/${codes[0].id}`, { target, by: 'ward' })).status).toBeGreaterThanOrEqual(400);
    expect(await open()).toEqual(['DischargeDisposition H9 2']);
  });

  test('4. answered, it leaves the list, and both messages are applied again', async () => {
    const { codes } = (await admin('GET', 'codes?open=true')).body;
    const target = { system: disposition, code: 'home' };
    expect((await admin('POST', `codes/${codes[0].id}`, { target, by: 'ward' })).status).toBe(202);
    await settled(hospital.app);
    expect(await open()).toEqual([]);
    for (const n of ['1001', '1002'])
      expect(await dispositionOf(n)).toContainEqual(expect.objectContaining({ system: disposition, code: 'home' }));
    await hospital.expectMessages({ applied: 2 });
  });

  test('5. the follow-up goes on: no second plan', async () => {
    expect(await hospital.followed(await hospital.visit('V1001'))).toEqual(opened);
  });

  test('6. the next message with the code is translated at once', async () => {
    expect(await hospital.sends(discharged('1003', 'H9'))).toEqual(applied);
    expect(await dispositionOf('1003')).toContainEqual(expect.objectContaining({ system: disposition, code: 'home' }));
    expect(await open()).toEqual([]);
  });
});

describe('a code whose answer changes what follows', () => {
  test('"died", in a code of the hospital: the follow-up is taken back when somebody says what it means', async () => {
    await hospital.sends(discharged('2001', 'X'));
    expect((await hospital.followed(await hospital.visit('V2001'))).plans).toEqual(['active']);
    const { codes } = (await admin('GET', 'codes?open=true')).body;
    await admin('POST', `codes/${codes[0].id}`, { target: { system: disposition, code: 'exp' }, by: 'ward' });
    await settled(hospital.app);
    expect((await hospital.followed(await hospital.visit('V2001'))).plans).toEqual(['revoked']);
  });
});

describe('a code that has no meaning elsewhere', () => {
  test('is answered by none: it stays as it is sent, and is asked for no more', async () => {
    await hospital.sends(discharged('3001', 'LOCAL'));
    const { codes } = (await admin('GET', 'codes?open=true')).body;
    expect((await admin('POST', `codes/${codes[0].id}`, { target: null, by: 'ward' })).status).toBe(202);
    await settled(hospital.app);
    await hospital.sends(discharged('3002', 'LOCAL'));
    expect(await open()).toEqual([]);
    expect(await dispositionOf('3002')).toMatchObject([{ code: 'LOCAL' }]);
  });
});

describe('a code where FHIR has a fixed list', () => {
  test('is no reason to refuse: the element is left out, and what was sent stands in an extension', async () => {
    expect(await hospital.sends(adt('A28', '2026-03-10 09:05', pid('4001', { 8: '9' })))).toEqual(applied);
    const patient = await hospital.patient('4001');
    expect(patient).not.toHaveProperty('gender');
    expect(JSON.stringify(patient.extension)).toContain('"code":"9"');
    expect(await open()).toEqual(['AdministrativeSex 9 1']);
  });

  test('answered, the element stands', async () => {
    const { codes } = (await admin('GET', 'codes?open=true')).body;
    const target = { system: 'http://hl7.org/fhir/administrative-gender', code: 'unknown' };
    expect((await admin('POST', `codes/${codes[0].id}`, { target, by: 'ward' })).status).toBe(202);
    await settled(hospital.app);
    expect((await hospital.patient('4001')).gender).toBe('unknown');
  });
});
