/** Who and what takes part in an appointment: patient, persons, places and things, and whom to ask. */
import { describe, expect, test } from '@jest/globals';
import { appointment, builtAppointment, extension, participants, type Siu, siu } from './siu-messages.ts';
import { all, first } from './support.ts';

const family = (it: { who?: any }): string => it.who.name[0].family ?? it.who.name[0].text;

describe('the patient', () => {
  test('takes part', () => {
    expect(participants({}, 'Patient')).toMatchObject([{ who: { identifier: [{ value: '1001' }] } }]);
  });

  test('is each of several in a group appointment', () => {
    const parts = { more: ['PID|2||1002^^^RENHE^MR', 'RGS|1', 'AIP|1|A|D071^Li^Min'] };
    expect(participants(parts, 'Patient').map((it) => it.who.identifier[0].value)).toEqual(['1001', '1002']);
  });
});

describe('a person', () => {
  test('is a Practitioner with the part that he has', () => {
    const more = ['AIP|1|A|D071^李^敏^^^^^^RENHE|AT^主治医师^RENHE|||||||Confirm'];
    const [doctor] = participants({ more }, 'Practitioner');
    expect(doctor).toMatchObject({
      who: { identifier: [{ system: 'urn:id:RENHE', value: 'D071' }], name: [{ family: '李', given: ['敏'] }] },
      type: [{ coding: [{ system: 'urn:id:RENHE', code: 'AT', display: '主治医师' }] }],
    });
    expect(extension(doctor, 'v2-allow-substitution').coding[0].code).toBe('Confirm');
  });

  test('is each repetition of AIP-3, at the same time and in the same part', () => {
    const more = ['AIP|1|A|D1^Li~D2^Wu|AT||20260401093000|||30|MIN||Pending'];
    const both = participants({ more }, 'Practitioner');
    expect(both.map(family)).toEqual(['Li', 'Wu']);
    for (const it of both)
      expect(it).toMatchObject({
        type: [{ coding: [{ code: 'AT' }] }],
        status: 'tentative',
        period: { start: /./, end: /./ },
      });
  });

  test('whom nobody has chosen yet is anyone of his group', () => {
    const { participant } = appointment({ more: ['AIP|1|A||NURSE^护士|ONC^肿瘤科护理组|20260401093000'] });
    expect(participant[1]).toMatchObject({
      actor: { display: '肿瘤科护理组' },
      type: [{ coding: [{ code: 'NURSE' }] }],
      status: 'accepted',
      period: { start: '2026-04-01T09:30:00+08:00' },
    });
    expect(extension(participant[1], 'v2-resource-group').coding[0].code).toBe('ONC');
  });

  test('of whom nothing is said takes no part', () => {
    expect(appointment({ more: ['AIP|1|A|^^^', 'AIL|1|A', 'AIG|1|A'] }).participant).toHaveLength(1);
    const { resource, registers } = builtAppointment({ more: ['AIP|1|A|^^^', 'AIP|2|A|D071^Li'] });
    expect(registers.get('participant')).toHaveLength(resource.participant.length);
  });
});

describe('a place', () => {
  test('is a Location, with the name that people know', () => {
    const [room] = participants({ more: ['AIL|1|A|ENDO^3诊室^^RENHE^^C^^^内分泌科门诊三诊室|C^门诊'] }, 'Location');
    expect(room).toMatchObject({
      who: { name: '3诊室', partOf: {} },
      actor: { display: '内分泌科门诊三诊室' },
      type: [{ coding: [{ code: 'C', display: '门诊' }] }],
    });
  });

  test('that is described only is a participant without a Location', () => {
    const { participant } = appointment({ more: ['AIL|1|A|^^^^^^^^门诊大厅'] });
    expect(participant[1]).toEqual({ actor: { display: '门诊大厅' }, status: 'accepted' });
  });
});

describe('what AIG names', () => {
  test('is a Device', () => {
    const [pump] = participants(
      { more: ['AIG|1|A|P7^输液泵7号^RENHE|EQUIP^设备|PUMPS^泵~SPARE^备用|2|台^台'] },
      'Device',
    );
    expect(pump).toMatchObject({
      who: {
        identifier: [{ system: 'urn:id:RENHE', value: 'P7' }],
        deviceName: [{ name: '输液泵7号', type: 'user-friendly-name' }],
      },
      type: [{ coding: [{ code: 'EQUIP' }] }],
    });
    expect(extension(pump, 'v2-resource-quantity')).toEqual({ value: 2, unit: '台' });
    expect(extension(pump, 'v2-resource-group').map((it: any) => it.coding[0].code)).toEqual(['PUMPS', 'SPARE']);
  });

  test.each([['ROOM'], ['^Room'], ['诊室'], ['CLINIC^门诊^L']])('is a Location where AIG-4 is %s', (kind) => {
    expect(participants({ more: [`AIG|1|A|R3^3诊室|${kind}`] }, 'Location')).toMatchObject([
      { who: { name: '3诊室' } },
    ]);
    expect(all(siu({ more: [`AIG|1|A|R3^3诊室|${kind}`] }), 'Device')).toHaveLength(0);
  });

  test.each([['DOCTOR'], ['D^Doctor'], ['医生']])('is a Practitioner where AIG-4 is %s', (kind) => {
    const [doctor] = participants({ more: [`AIG|1|A|D071^李敏|${kind}`] }, 'Practitioner');
    expect(doctor).toMatchObject({ who: { identifier: [{ value: 'D071' }], name: [{ text: '李敏' }] } });
  });

  test('is the same doctor as in AIP', () => {
    const more = ['AIG|1|A|D071^李敏|医生', 'AIP|1|A|D071^李^敏^^^^^^RENHE'];
    expect(new Set(participants({ more }, 'Practitioner').map((it) => it.who.id)).size).toBe(1);
  });
});

describe('segments with an action code', () => {
  const doctors = (more: readonly string[]): string[] =>
    participants({ event: 'S14', more }, 'Practitioner').map(family);

  test('A and U and none keep a participant, D leaves it out', () => {
    expect(doctors(['AIP|1|A|D1^Li', 'AIP|2|U|D2^Wu', 'AIP|3||D3^He', 'AIP|4|D|D4^Xu'])).toEqual(['Li', 'Wu', 'He']);
  });

  test('D of a group leaves out all that it has', () => {
    expect(doctors(['RGS|1|D', 'AIP|1|A|D1^Li', 'RGS|2|A', 'AIP|1|A|D2^Wu'])).toEqual(['Wu']);
    expect(appointment({ more: ['RGS|1|D', 'AIS|1|A|LAB'] }).serviceType).toBeUndefined();
  });

  test.each([
    ['AIS|1|D|LAB', 'serviceType{AIS}'],
    ['AIG|1|D|P7|EQUIP', 'participant{AIG}'],
    ['AIL|1|D|ENDO', 'participant{AIL-each}'],
    ['AIP|1|D|D1^Li', 'participant{AIP-each}'],
  ])('the last of its kind may go: %s', (segment, register) => {
    expect(builtAppointment({ event: 'S14', more: [segment] }).clear).toContain(register);
    expect(builtAppointment({ event: 'S14', more: ['RGS|1|D', segment.replace('|D|', '|A|')] }).clear).toContain(
      register,
    );
    expect(builtAppointment({ event: 'S14', more: [segment.replace('|D|', '|A|')] }).clear).not.toContain(register);
  });

  test('each kind replaces its own kind: a message without places says nothing of the places', () => {
    const { registers } = builtAppointment({
      more: ['AIP|1|A|D1^Li', 'AIL|1|A|ENDO', 'AIG|1|A|P7|EQUIP', 'AIS|1|A|LAB'],
    });
    expect(new Set(registers.get('participant'))).toEqual(new Set(['patient', 'AIG', 'AIL-each', 'AIP-each']));
    expect(registers.get('serviceType')).toEqual(['AIS']);
  });
});

describe('several groups', () => {
  test('the name of the group stands at its resources, and the number from the second on', () => {
    const more = ['RGS|1|A|G1^上午', 'AIS|1|A|LAB', 'AIP|1|A|D1^Li', 'RGS|2|A|G2^下午', 'AIS|1|A|EDU', 'AIP|1|A|D2^Wu'];
    const groups = (it: object): unknown[] => [
      extension(it, 'v2-schedule-group').coding[0].display,
      extension(it, 'v2-schedule-group-number'),
    ];
    const expected = [
      ['上午', undefined],
      ['下午', 2],
    ];
    expect(appointment({ more }).serviceType.map(groups)).toEqual(expected);
    expect(participants({ more }, 'Practitioner').map(groups)).toEqual(expected);
  });
});

describe('whom to ask', () => {
  const SCH = {
    12: 'D1^Li~D2^Wu',
    13: '010-1',
    14: '1 A Street^^Beijing',
    15: 'DESK1',
    16: 'D3^He',
    17: '010-2',
    18: '2 B Street',
    19: 'DESK2',
    20: 'U1^Xu',
    21: '010-3',
    22: 'DESK3',
  };
  const people = (parts: Siu): any[] => participants(parts, 'Practitioner');

  test('takes part for information only, as the contact of placer or filler, or as who entered it', () => {
    expect(
      people({ SCH }).map((it) => [family(it), it.type[0].text ?? it.type[0].coding[0].code, it.required]),
    ).toEqual([
      ['Li', 'placer contact', 'information-only'],
      ['Wu', 'placer contact', 'information-only'],
      ['He', 'filler contact', 'information-only'],
      ['Xu', 'enterer', 'information-only'],
    ]);
  });

  test('has the telephone and the address', () => {
    const [li, , he, xu] = people({ SCH }).map((it) => it.who);
    expect(li).toMatchObject({ telecom: [{ value: '010-1' }], address: [{ line: ['1 A Street'], city: 'Beijing' }] });
    expect(he).toMatchObject({ telecom: [{ value: '010-2' }], address: [{ line: ['2 B Street'] }] });
    expect(xu).toMatchObject({ telecom: [{ value: '010-3' }] });
  });

  test('has the telephone and the address too when he also treats', () => {
    const more = ['AIP|1|A|D3^He'];
    const [asked, treating] = people({ SCH: { 16: SCH[16], 17: SCH[17] }, more });
    expect([asked.who.id, asked.who.telecom]).toEqual([treating.who.id, [{ system: 'phone', value: '010-2' }]]);
  });

  test('may be a telephone without a name', () => {
    const made = appointment({ SCH: { 13: '010-1', 17: '010-2', 18: '2 B Street', 21: '010-3' } });
    expect(extension(made, 'v2-placer-contact-phone').value).toBe('010-1');
    expect(extension(made, 'v2-filler-contact-phone').value).toBe('010-2');
    expect(extension(made, 'v2-filler-contact-address').line).toEqual(['2 B Street']);
    expect(extension(made, 'v2-entered-by-phone').value).toBe('010-3');
  });

  test('and where: the location of a contact is no place of the appointment', () => {
    const made = appointment({ SCH });
    expect(made.participant.filter((it: any) => it.actor.reference.startsWith('Location'))).toHaveLength(0);
    for (const name of ['v2-placer-contact-location', 'v2-filler-contact-location', 'v2-entered-by-location'])
      expect(extension(made, name).reference).toMatch(/^Location\//);
  });

  test('who entered it answers for it in a Provenance of its own', () => {
    const provenances = all(siu({ SCH }), 'Provenance');
    const id = `Appointment/${first(siu({ SCH }), 'Appointment').id}`;
    expect(provenances.every((it) => it.target.some((target: any) => target.reference === id))).toBe(true);
    expect(provenances.map((it) => it.agent[0].type.coding[0].code)).toEqual(['author', 'enterer']);
    expect(provenances[1]?.location.reference).toMatch(/^Location\//);
    expect(first(siu({ SCH }), 'MessageHeader').focus).toContainEqual({ reference: id });
  });
});
