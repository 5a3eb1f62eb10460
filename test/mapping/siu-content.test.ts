/** What an appointment is about: numbers, reasons, types, services, orders and comments. */
import { describe, expect, test } from '@jest/globals';
import { appointment, builtAppointment, extension, type Siu, siu } from './siu-messages.ts';
import { all, type Fields, first, mapped, mapping, messageOf } from './support.ts';

describe('an appointment is the same by', () => {
  const id = (SCH: Fields, event = 'S12'): string => builtAppointment({ event, SCH }).resource.id;
  const both = { 1: 'P5001^HIS', 2: 'F7001^RENHE' };

  test.each(['S13', 'S14', 'S15', 'S26'])('the number of the filler, in %s too', (event) => {
    expect(id({ 2: 'F7001^RENHE' }, event)).toBe(id(both));
    expect(id({ 2: 'F7002^RENHE' }, event)).not.toBe(id(both));
    expect(id({ 2: 'F7001^OTHER' }, event)).not.toBe(id(both));
  });

  test('the number of the placer where there is no other; the ingest finds one that has both by it', () => {
    const { identifier, resource } = builtAppointment({ event: 'S15', SCH: { 1: 'P5001^HIS', 2: '' } });
    expect(identifier).toEqual({ system: 'urn:id:HIS', value: 'P5001' });
    expect(appointment({ SCH: both }).identifier).toContainEqual(resource.identifier[0]);
  });

  test('its numbers are told apart by their type', () => {
    expect(
      appointment({ SCH: both }).identifier.map((it: any) => [it.type.coding[0].code, it.system, it.value]),
    ).toEqual([
      ['PLAC', 'urn:id:HIS', 'P5001'],
      ['FILL', 'urn:id:RENHE', 'F7001'],
    ]);
  });

  test('the universal id of its authority', () => {
    const made = appointment({ SCH: { 2: 'F7001^SCHED^1.2.840.99^ISO' } });
    expect(made.identifier[0]).toMatchObject({
      system: 'urn:oid:1.2.840.99',
      value: 'F7001',
      assigner: { display: 'SCHED' },
    });
  });

  test('its occurrence: the second of a series is another than the first', () => {
    expect(id({ 3: '2' })).not.toBe(id({ 3: '1' }));
    expect(id({ 3: '2' })).toBe(id({ 3: '2' }, 'S15'));
    expect(id({ 3: '1' })).toBe(id({}));
    expect(extension(appointment({ SCH: { 3: '2' } }), 'v2-occurrence-number')).toBe('2');
  });

  test('a message without any number is refused, and the place is named', () => {
    const problems = mapping.check(messageOf(siu({ SCH: { 2: '' } })));
    expect(problems).toMatchObject([{ code: '101', segment: 'SCH', field: 2 }]);
  });
});

describe('why and what kind', () => {
  test('a reason of table 0276 is translated and kept', () => {
    const made = appointment({ SCH: { 7: 'FOLLOWUP^随访^HL70276', 8: 'Tentative^T^HL70277' } });
    expect(made.reasonCode).toMatchObject([
      {
        coding: [
          { system: 'http://snomed.info/sct', code: '185389009' },
          { code: 'FOLLOWUP', display: '随访' },
        ],
      },
    ]);
    expect(made.appointmentType.coding).toMatchObject([
      { system: 'http://terminology.hl7.org/CodeSystem/v2-0277', code: 'Tentative' },
    ]);
  });

  test('the type is the reason code where SCH-8 is empty, as R4 has its codes there', () => {
    expect(appointment({ SCH: { 7: 'WALKIN' } })).toMatchObject({
      reasonCode: [{ coding: [{ code: 'WALKIN' }] }],
      appointmentType: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0276', code: 'WALKIN' }] },
    });
  });

  test('a type that stands in SCH-7 is the type', () => {
    const made = appointment({ SCH: { 7: 'Complete^^HL70277' } });
    expect(made).toMatchObject({ appointmentType: { coding: [{ code: 'Complete' }] } });
    expect(made.reasonCode).toBeUndefined();
    expect(appointment({ SCH: { 7: 'Complete^^HL70277', 8: 'OFFICE' } })).toMatchObject({
      appointmentType: { coding: [{ code: 'OFFICE' }] },
      reasonCode: [{ coding: [{ code: 'Complete' }] }],
    });
  });

  test('words and codes of the hospital are kept, and nobody is asked about them', () => {
    const made = appointment({ SCH: { 7: 'R7^化疗后复查^RENHE', 8: '^专家门诊' } });
    expect(made.reasonCode).toEqual([{ coding: [{ system: 'urn:id:RENHE', code: 'R7', display: '化疗后复查' }] }]);
    expect(made.appointmentType).toEqual({ text: '专家门诊' });
  });

  test('schedule, groups and parents', () => {
    const made = appointment({ SCH: { 4: 'G1^HIS', 5: 'S1^门诊排班', 23: 'PP^HIS', 24: 'PF^RENHE', 28: 'PG^HIS' } });
    expect(extension(made, 'v2-placer-group-number')).toEqual({ system: 'urn:id:HIS', value: 'G1' });
    expect(extension(made, 'v2-schedule-id').coding[0].display).toBe('门诊排班');
    expect(extension(made, 'v2-placer-order-group-number').value).toBe('PG');
    expect(made.supportingInformation).toEqual([
      { type: 'Appointment', identifier: { system: 'urn:id:HIS', value: 'PP' } },
      { type: 'Appointment', identifier: { system: 'urn:id:RENHE', value: 'PF' } },
    ]);
  });
});

describe('services', () => {
  test('are the types of service, with what is said of each', () => {
    const more = ['AIS|1|A|CT^CT平扫^RENHE||||||Yes||LFT^左|SEDATE^镇静~CONTRAST^增强', 'AIS|2|A|^会诊'];
    const { serviceType } = appointment({ more });
    expect(serviceType).toMatchObject([{ coding: [{ code: 'CT', display: 'CT平扫' }] }, { text: '会诊' }]);
    expect(extension(serviceType[0], 'v2-allow-substitution').coding[0].code).toBe('Yes');
    expect(extension(serviceType[0], 'v2-placer-supplemental-service').coding[0].code).toBe('LFT');
    expect(extension(serviceType[0], 'v2-filler-supplemental-service').map((it: any) => it.coding[0].code)).toEqual([
      'SEDATE',
      'CONTRAST',
    ]);
  });
});

describe('the order that it is for', () => {
  const orders = (SCH: Fields, event = 'S12'): any[] =>
    all(siu({ event, SCH, more: ['AIS|1|A|CT^CT平扫'] }), 'ServiceRequest');
  const basedOn = (SCH: Fields): any[] => appointment({ SCH }).basedOn;

  test('is one by both numbers', () => {
    const SCH = { 12: 'D1^Li', 26: 'PO1^HIS', 27: 'FO1^RIS' };
    expect(orders(SCH)).toMatchObject([
      {
        identifier: [
          { type: { coding: [{ code: 'PLAC' }] }, system: 'urn:id:HIS', value: 'PO1' },
          { type: { coding: [{ code: 'FILL' }] }, system: 'urn:id:RIS', value: 'FO1' },
        ],
        status: 'active',
        intent: 'order',
        subject: {},
        requester: {},
        code: { coding: [{ code: 'CT' }] },
      },
    ]);
    expect(basedOn(SCH)).toEqual([{ reference: `ServiceRequest/${orders(SCH)[0].id}` }]);
  });

  test.each([[{ 26: 'PO1' }], [{ 27: 'FO1' }]])('is one by one number: %j', (SCH) => {
    expect(orders(SCH)).toHaveLength(1);
    expect(basedOn(SCH)).toEqual([{ reference: `ServiceRequest/${orders(SCH)[0].id}` }]);
  });

  test('is not revoked when the appointment is cancelled, and what an order message says of it stands', () => {
    expect(orders({ 26: 'PO1' }, 'S15')[0].status).toBe('active');
    const [built] = mapped(siu({ SCH: { 26: 'PO1' } })).resources.filter(
      (it) => it.resource.resourceType === 'ServiceRequest',
    );
    expect([...(built?.initial ?? [])].sort()).toEqual(['intent', 'status']);
  });

  test('is several by several numbers; fillers beside placers are named', () => {
    expect(orders({ 26: 'PO1~PO2', 27: 'FO1~FO2' }).map((it) => it.identifier[0].value)).toEqual(['PO1', 'PO2']);
    expect(basedOn({ 26: 'PO1~PO2', 27: 'FO1~FO2' })).toMatchObject([
      { reference: /^ServiceRequest/ },
      { reference: /^ServiceRequest/ },
      { identifier: { value: 'FO1' } },
      { identifier: { value: 'FO2' } },
    ]);
    expect(basedOn({ 26: 'PO1', 27: 'FO1~FO2' })).toHaveLength(3);
    expect(basedOn({ 26: 'PO1~PO2', 27: 'FO1' })).toHaveLength(3);
    expect(orders({ 27: 'FO1~FO2' }).map((it) => it.identifier[0].value)).toEqual(['FO1', 'FO2']);
  });

  test('is none without a number', () => {
    expect(orders({})).toEqual([]);
    expect(basedOn({})).toBeUndefined();
  });
});

describe('comments', () => {
  const notes = (parts: Siu): any[] => [extension(appointment(parts), 'r5-Appointment.note')].flat();

  test('on the appointment and on its resources are one comment, in order', () => {
    const parts = {
      timing: ['NTE|1||请空腹前来', 'NTE|2||带药\\.br\\带报告~并签字'],
      more: ['RGS|1', 'AIS|1|A|LAB', 'NTE|1||抽血', 'AIP|1|A|D1^Li', 'NTE|1||A \\T\\ B'],
    };
    expect(appointment(parts).comment).toBe('请空腹前来\n带药\n带报告\n并签字\n抽血\nA & B');
    expect(notes(parts).map((it) => it.text)).toEqual(['请空腹前来', '带药\n带报告\n并签字', '抽血', 'A & B']);
  });

  test('have author, time, kind, source and a code', () => {
    const timing = ['NTE|1|P|小心跌倒|RE^Remark^HL70364|U1^Wang^Fang|20260316103000|20260401|20260402|FALL^fall risk'];
    const [note] = notes({ timing });
    expect(note).toMatchObject({
      text: '小心跌倒',
      time: '2026-03-16T10:30:00+08:00',
      authorReference: { reference: /^Practitioner/ },
    });
    expect(extension(note, 'v2-note-source').coding[0].code).toBe('P');
    expect(extension(note, 'v2-note-type').coding[0].code).toBe('RE');
    expect(extension(note, 'v2-note-code').coding[0].code).toBe('FALL');
    expect(extension(note, 'v2-note-period')).toEqual({ start: '2026-04-01', end: '2026-04-02' });
  });

  test('may be a code without words, or an author without either', () => {
    expect(notes({ timing: ['NTE|1||||||||FALL^fall risk'] })).toMatchObject([{ text: 'fall risk' }]);
    expect(notes({ timing: ['NTE|1||||U1^Wang'] })).toMatchObject([{ _text: {}, authorReference: {} }]);
    expect(appointment({ timing: ['NTE|1'] }).comment).toBeUndefined();
  });
});

describe('the rest of the patient', () => {
  const more = [
    `PV1|1|I|W07${'|'.repeat(16)}V1001^^^RENHE^VN`,
    'OBX|1|NM|8867-4^Heart rate^LN||60|/min^^UCUM|||||F',
    'DG1|1||E11.9^2型糖尿病^I10|||A',
    'NK1|1|Zhang^Mei|SPO',
  ];

  test('is mapped as in an ADT message', () => {
    expect(first(siu({ more }), 'Observation').code.coding[0].code).toBe('8867-4');
    expect(first(siu({ more }), 'Condition').code.coding[0].code).toBe('E11.9');
    expect(first(siu({ more }), 'RelatedPerson').name[0].family).toBe('Zhang');
  });

  test('but is no snapshot: the diagnoses of the stay are not those of the appointment alone', () => {
    expect(mapped(siu({ more })).resources.filter((it) => it.snapshot)).toEqual([]);
  });
});
