/** Two hospitals on one server, each with a listener and a mapping of its own. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { applied, duplicate, Hospital } from './hospital.ts';
import { adt, pid, pv1, segment, withHeader } from './messages.ts';
import { mappingsWith, serving } from './sites.ts';

const folder = mappingsWith({
  east: `
segments:
  PID-Patient:
    - { field: PID-32, to: "extension(https://east.example/reliability).valueString", because: the east wants it }
systems: { EAST: "https://east.example/mrn" }
`,
  west: `
settings: { charset: GB18030, controlIds: reused }
messages:
  ADT:
    - { segment: AL1, map: AL1-AllergyIntolerance }
`,
});
const [east, west] = [0, 1];

let hospital: Hospital;
beforeAll(async () => {
  hospital = await Hospital.open(undefined, serving(folder, ['east', 'west']));
});
afterAll(async () => {
  await Hospital.closeAll();
  folder.remove();
});

/** From a hospital: MSH-4 and the authority of its numbers. */
const from = (facility: string, text: string): string => text.replaceAll('RENHE', facility);

describe('two hospitals', () => {
  const admission = adt('A01', '2026-03-10 09:05', pid('1001', { 32: 'US' }), pv1('V1'));

  test('1. with the same numbers have two patients and two visits', async () => {
    expect(await hospital.sends(from('EAST', admission), east)).toEqual(applied);
    expect(await hospital.sends(from('WEST', admission), west)).toEqual(applied);
    expect(await hospital.search('Patient?identifier=1001')).toHaveLength(2);
    expect(await hospital.search('Encounter?identifier=V1')).toHaveLength(2);
    await hospital.one('Patient?identifier=https://east.example/mrn|1001');
  });

  test('2. each is read with its own rows', async () => {
    const [own, other] = await Promise.all([
      hospital.one('Patient?identifier=https://east.example/mrn|1001'),
      hospital.one('Patient?identifier=urn:id:WEST|1001'),
    ]);
    const urls = (it: { extension?: { url: string }[] }): string[] => (it.extension ?? []).map(({ url }) => url);
    expect(urls(own)).toContain('https://east.example/reliability');
    expect(urls(other)).not.toContain('https://east.example/reliability');
  });

  test('3. each message remembers its site and the version of its mapping', async () => {
    const [second, first] = await hospital.journal(2);
    expect([first?.site, second?.site]).toEqual(['east', 'west']);
    expect(first?.mappingVersion).not.toBe(second?.mappingVersion);
  });

  test('4. an empty MSH-18 is read in the character set of each', async () => {
    const bytes = (text: string, name: Uint8Array): Uint8Array => {
      const [head = '', tail = ''] = text.split('NAME');
      return Buffer.concat([Buffer.from(head), name, Buffer.from(tail)]);
    };
    const gb = Uint8Array.of(0xd5, 0xc5);
    const named = (facility: string): string =>
      from(facility, adt('A28', '2026-03-10 10:00', pid('1002', { 5: 'NAME' })));
    expect(await hospital.sends(bytes(named('EAST'), Buffer.from('张')), east)).toEqual(applied);
    expect(await hospital.sends(bytes(named('WEST'), gb), west)).toEqual(applied);
    for (const it of await hospital.search('Patient?identifier=1002'))
      expect(it.name).toMatchObject([{ family: '张' }]);
  });

  test('5. the same control id from both is no clash', async () => {
    const text = adt('A28', '2026-03-10 10:00', pid('1003'));
    expect(await hospital.sends(from('EAST', text), east)).toEqual(applied);
    expect(await hospital.sends(from('WEST', text), west)).toEqual(applied);
  });

  test('6. a control id that is used anew: refused in the east, taken in the west, which counts from 1 each day', async () => {
    const [first, second] = ['1004', '1005'].map((it) =>
      withHeader(adt('A28', '2026-03-10 10:00', pid(it)), { 10: '1' }),
    );
    expect(await hospital.sends(from('EAST', first as string), east)).toEqual(applied);
    expect(await hospital.sends(from('EAST', second as string), east)).toMatchObject({
      ack: 'AE',
      errors: ['205 MSH-10'],
    });
    expect(await hospital.sends(from('WEST', first as string), west)).toEqual(applied);
    expect(await hospital.sends(from('WEST', second as string), west)).toEqual(applied);
    expect(await hospital.sends(from('WEST', second as string), west)).toEqual(duplicate);
  });

  test('7. allergies replace as a set in the east, and add up in the west', async () => {
    const allergy = (code: string): string => segment('AL1', { 1: '1', 2: 'DA', 3: `${code}^${code}` });
    const active = async (facility: string): Promise<number> => {
      const found = await hospital.search('AllergyIntolerance?clinical-status=active');
      const { id } = await hospital.one(`Patient?identifier=${facility}|1006`);
      return found.filter((it) => it.patient.reference === `Patient/${id}`).length;
    };
    for (const [facility, listener] of [
      ['EAST', east],
      ['WEST', west],
    ] as const)
      for (const [at, code] of [
        ['2026-03-10 10:00', 'PCN'],
        ['2026-03-11 10:00', 'ASA'],
      ] as const)
        await hospital.sends(from(facility, adt('A08', at, pid('1006'), pv1('V6'), allergy(code))), listener);
    expect(await active('https://east.example/mrn')).toBe(1);
    expect(await active('urn:id:WEST')).toBe(2);
  });
});
