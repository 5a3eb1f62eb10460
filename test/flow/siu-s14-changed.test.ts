/** SIU S14: something of an appointment changed: doctor, room, service, reason. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Json } from '../../src/fhir/types.ts';
import { applied, duplicate, Hospital, stale } from './hospital.ts';
import { renumbered, siu } from './messages.ts';

let hospital: Hospital;
beforeAll(async () => {
  hospital = await Hospital.open();
  await hospital.sends(
    siu('S12', '2026-03-11 10:30', {}, 'RGS|1', 'AIS|1||CONS^Consultation', 'AIL|1||CLINIC^5', 'AIP|1||D012^Li^Min'),
  );
});
afterAll(() => Hospital.closeAll());

/** Names of doctors and rooms of the appointment. */
async function parts(): Promise<string[]> {
  const { participant } = await hospital.appointment();
  const others = participant.filter((it: Json) => !it.actor.reference.startsWith('Patient/'));
  const actors: Json[] = await Promise.all(others.map((it: Json) => hospital.read(it.actor.reference)));
  return actors.map(({ name }) => (typeof name === 'string' ? name : name[0].family)).sort();
}

describe('S14: an appointment changes', () => {
  const change = siu('S14', '2026-03-12 10:30', {}, 'RGS|1|U', 'AIL|1|U|CLINIC^7', 'AIP|1|U|D013^Wu^Gang');

  test('1. another doctor and another room take the places of the old ones', async () => {
    expect(await parts()).toEqual(['5', 'Li']);
    expect(await hospital.sends(change)).toEqual(applied);
    expect(await parts()).toEqual(['7', 'Wu']);
  });

  test('2. time, status and service stay', async () => {
    expect(await hospital.appointment()).toMatchObject({
      status: 'booked',
      start: '2026-04-01T09:30:00+08:00',
      serviceType: [{ coding: [{ code: 'CONS' }] }],
    });
  });

  test('3. repeated, it changes nothing', async () => {
    const changed = await hospital.changedBy(async () => {
      expect(await hospital.sends(change)).toEqual(duplicate);
      expect(await hospital.sends(renumbered(change))).toEqual(duplicate);
    });
    expect(changed).toEqual([]);
  });

  test('4. a late change does not bring the old doctor back', async () => {
    const late = siu('S14', '2026-03-11 12:00', {}, 'RGS|1|U', 'AIP|1|U|D012^Li^Min');
    expect(await hospital.sends(late)).toEqual(stale);
    expect(await parts()).toEqual(['7', 'Wu']);
  });

  test('5. a doctor who is taken out (AIP-2 = D) is no part any more', async () => {
    expect(await hospital.sends(siu('S14', '2026-03-12 11:00', {}, 'RGS|1|U', 'AIP|1|D|D013^Wu^Gang'))).toEqual(
      applied,
    );
    expect(await parts()).toEqual(['7']);
  });

  test('6. it says that the appointment began, and that it is over', async () => {
    for (const [code, status, at] of [
      ['Started', 'checked-in', '2026-03-13 09:30'],
      ['Complete', 'fulfilled', '2026-03-13 10:00'],
    ]) {
      expect(await hospital.sends(siu('S14', at as string, { 25: code as string }))).toEqual(applied);
      expect((await hospital.appointment()).status).toBe(status);
    }
  });
});
