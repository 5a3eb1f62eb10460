/** Story: Chinese patients of the sample day, sent in GB18030, are found over FHIR by their names. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Json } from '../../src/fhir/types.ts';
import { settled } from '../support/app.ts';
import { hospitalDay } from '../support/messages.ts';
import { Hospital } from './hospital.ts';

let hospital: Hospital;
beforeAll(async () => {
  hospital = await Hospital.open('2026-03-16T17:00:00+08:00');
  for (const { bytes } of hospitalDay()) expect(await hospital.sendRaw(bytes)).toBe('AA');
  await settled(hospital.app);
});
afterAll(() => hospital.close());

const found = async (parameter: string, text: string): Promise<string[]> =>
  (await hospital.search(`Patient?${parameter}=${encodeURIComponent(text)}`)).map(
    (it) => it.identifier.find((id: Json) => id.type?.coding?.[0]?.code === 'MR').value,
  );

describe('a name in GB18030', () => {
  // The second byte of each given name is a delimiter of HL7: ^ | \ ~
  test.each([
    ['张', '伟', '100231'],
    ['王', '琟', '100245'],
    ['陈', '晐', '100218'],
    ['李', '玕', '100260'],
    ['赵', '珇', '100281'],
  ])('%s%s is found by family, given and whole name, and by its beginning', async (family, given, mrn) => {
    expect(await found('family', family)).toEqual([mrn]);
    expect(await found('given', given)).toEqual([mrn]);
    expect(await found('name', family + given)).toEqual([mrn]);
    expect(await found('name', family)).toEqual([mrn]);
    expect(await found('name', given)).toEqual([mrn]);
    expect(await found('name:exact', family + given)).toEqual([mrn]);
    expect(await found('name:contains', given)).toEqual([mrn]);
  });

  test('is stored whole, with the Latin name beside it', async () => {
    const patient = await hospital.one('Patient?identifier=100231');
    expect(patient.name).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ family: '张', given: ['伟'] }),
        expect.objectContaining({ family: 'Zhang', given: ['Wei'] }),
      ]),
    );
    expect(await found('name', 'zhang')).toEqual(['100231']);
    expect(await found('family', 'ZHANG')).toEqual(['100231']);
  });

  test('of nobody finds nobody', async () => {
    expect(await found('name', '伟张')).toEqual([]);
    expect(await found('name:exact', '张')).toEqual(['100231']);
    expect(await found('name', '孙')).toEqual([]);
  });

  test('nothing in the store is garbled', async () => {
    for (const type of ['Patient', 'Encounter', 'Condition', 'RelatedPerson', 'Practitioner', 'Location', 'Coverage'])
      expect(JSON.stringify(await hospital.search(type))).not.toMatch(/\uFFFD|[\u0080-\u009f]/);
  });

  test('of a doctor, a diagnosis and an address are readable as well', async () => {
    const patient = await hospital.one('Patient?identifier=100245');
    expect(JSON.stringify(patient.address)).toMatch(/东閈街17号/);
    const visit = await hospital.visit('V202603110012');
    expect(visit.serviceType.coding[0].display).toBe('妇产科');
    const condition = await hospital.read(visit.diagnosis[0].condition.reference);
    expect(JSON.stringify(condition.code)).toMatch(/输卵管/);
  });

  test('arrives in UTF-8 over a foreign connection the same', async () => {
    const { bytes } = hospitalDay()[0]!;
    const text = new TextDecoder('gb18030').decode(bytes);
    const utf8 = text.replace('GB 18030-2000', 'UNICODE UTF-8').replace('RH20260316000001', 'U1');
    expect(await hospital.sendRaw(utf8)).toBe('AA');
    await settled(hospital.app);
    expect(await found('name', '张伟')).toEqual(['100231']);
    // The first message of the day: what came behind it is newer.
    await hospital.expectMessages({ applied: 18, stale: 1 });
  });
});
