import { describe, expect, test } from '@jest/globals';
import type { Json } from '../../src/fhir/types.ts';
import { all, builtOf, extensions, first, follow, mapped, type Parts, segment } from './support.ts';

describe('OBX, an observation', () => {
  const observe = (fields: Readonly<Record<number, string>>): Json =>
    first({ more: [segment('OBX', { 1: '1', 3: '2345-7^Glucose^LN', 11: 'F', ...fields })] }, 'Observation');

  test('a number with its unit, range, interpretation and time', () => {
    expect(
      observe({ 2: 'NM', 5: '152', 6: 'mm[Hg]^mm[Hg]^UCUM', 7: '90-139', 8: 'H', 14: '20260309101500' }),
    ).toMatchObject({
      status: 'final',
      code: { coding: [{ system: 'http://loinc.org', code: '2345-7', display: 'Glucose' }] },
      valueQuantity: { value: 152, unit: 'mm[Hg]', system: 'http://unitsofmeasure.org', code: 'mm[Hg]' },
      referenceRange: [{ text: '90-139' }],
      interpretation: [
        { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation', code: 'H' }, {}] },
      ],
      effectiveDateTime: '2026-03-09T10:15:00+08:00',
    });
  });

  test.each([
    ['78.5', 78.5],
    ['+3', 3],
    ['-0.5', -0.5],
    ['.5', 0.5],
    ['3.', 3],
  ])('the number %s is %d', (sent, value) => {
    expect(observe({ 2: 'NM', 5: sent }).valueQuantity).toEqual({ value });
  });

  test('a number that is none survives as its text, and its unit stays', () => {
    const { valueQuantity } = observe({ 2: 'NM', 5: 'high', 6: 'mmHg' });
    expect(valueQuantity).toMatchObject({ unit: 'mmHg' });
    expect(JSON.stringify(valueQuantity)).toContain('"valueString":"high"');
  });

  test.each([
    ['ST', 'no change', { valueString: 'no change' }],
    ['TX', 'first line', { valueString: 'first line' }],
    ['FT', 'a ^ in it', { valueString: 'a ^ in it' }],
    [
      'CWE',
      'POS^positive^L',
      { valueCodeableConcept: { coding: [{ system: 'urn:id:L', code: 'POS', display: 'positive' }] } },
    ],
    ['CE', 'POS^positive', { valueCodeableConcept: { coding: [{ code: 'POS', display: 'positive' }] } }],
    ['IS', 'POS', { valueCodeableConcept: { coding: [{ code: 'POS' }] } }],
    ['DT', '20260309', { valueDateTime: '2026-03-09' }],
    ['TS', '202603091015', { valueDateTime: '2026-03-09T10:15:00+08:00' }],
    ['DTM', '202603091015', { valueDateTime: '2026-03-09T10:15:00+08:00' }],
    ['TM', '1015', { valueTime: '10:15:00' }],
    ['DR', '20260301^20260309', { valuePeriod: { start: '2026-03-01', end: '2026-03-09' } }],
    ['NR', '3.9^6.1', { valueRange: { low: { value: 3.9 }, high: { value: 6.1 } } }],
    ['VR', 'a^b', { valueString: 'a-b' }],
    ['XYZ', 'what is this', { valueString: 'what is this' }],
    ['', 'no type', { valueString: 'no type' }],
  ])('the value of type %s', (type, value, expected) => {
    expect(observe({ 2: type, 5: value })).toMatchObject(expected);
  });

  test.each([
    ['>^100', { valueQuantity: { comparator: '>', value: 100, unit: 'mg' } }],
    ['^5', { valueQuantity: { value: 5, unit: 'mg' } }],
    ['=^5', { valueQuantity: { value: 5, unit: 'mg' } }],
    ['^1^-^5', { valueRange: { low: { value: 1, unit: 'mg' }, high: { value: 5, unit: 'mg' } } }],
    ['^1^:^128', { valueRatio: { numerator: { value: 1, unit: 'mg' }, denominator: { value: 128, unit: 'mg' } } }],
    ['<^1^/^128', { valueRatio: { numerator: { comparator: '<', value: 1 }, denominator: { value: 128 } } }],
  ])('the structured number %s', (value, expected) => {
    expect(observe({ 2: 'SN', 5: value, 6: 'mg^mg^UCUM' })).toMatchObject(expected);
  });

  test('a comparator "=" is left out of a quantity', () => {
    expect(observe({ 2: 'SN', 5: '=^5' }).valueQuantity).toEqual({ value: 5 });
  });

  test.each([['^2^+'], ['<>^5']])(
    'the structured number %s, which FHIR has no type for, is a text with its unit',
    (value) => {
      const { valueString } = observe({ 2: 'SN', 5: value, 6: 'mg^mg^UCUM' });
      expect(valueString).toContain(
        value
          .split('^')
          .filter((it) => it)
          .join(' '),
      );
      // Guide, OBX[Observation]: valueString = OBX-5.1 … OBX-5.4 and OBX-6.
      expect(valueString).toContain('mg');
    },
  );

  test('a document in base64 and a pointer are attachments', () => {
    const document = observe({ 2: 'ED', 5: '^application^pdf^Base64^JVBERi0=' });
    expect(extensions(document)['r5-Observation.value']).toMatchObject({ data: 'JVBERi0=' });
    const pointer = observe({ 2: 'RP', 5: 'https://pacs.example/1^^image^png' });
    expect(extensions(pointer)['r5-Observation.value']).toEqual({
      url: 'https://pacs.example/1',
      contentType: 'image/png',
    });
  });

  test('several values are components with one code', () => {
    const found = observe({ 2: 'NM', 5: '60~120', 6: '/min^/min^UCUM', 7: '70-80' });
    expect(found.valueQuantity).toBeUndefined();
    expect(
      found.component.map((it: Json) => [it.code.coding[0].code, it.valueQuantity.value, it.valueQuantity.code]),
    ).toEqual([
      ['2345-7', 60, '/min'],
      ['2345-7', 120, '/min'],
    ]);
  });

  test.each([
    ['F', '', 'unknown'],
    ['X', '', 'unknown'],
    ['N', '', 'not-asked'],
  ])('result status %s without a value says why it is absent', (status, value, reason) => {
    const found = observe({ 2: 'NM', 5: value, 11: status });
    expect(found.dataAbsentReason.coding[0].code).toBe(reason);
  });

  test.each([
    ['F', 'final'],
    ['P', 'preliminary'],
    ['C', 'corrected'],
    ['X', 'cancelled'],
    ['D', 'entered-in-error'],
    ['I', 'unknown'],
  ])('result status %s is %s', (sent, status) => {
    expect(observe({ 2: 'NM', 5: '1', 11: sent }).status).toBe(status);
  });

  test('an observation without a code or a status is still one', () => {
    expect(observe({ 2: 'NM', 3: '', 5: '1', 11: '' })).toMatchObject({
      status: 'unknown',
      code: { text: 'unknown' },
      valueQuantity: { value: 1 },
    });
  });
});

describe('DG1, PR1, AL1', () => {
  test('a diagnosis is a Condition of the visit, with its rank and its role there', () => {
    const parts: Parts = {
      more: [
        'DG1|1||E11.9^Diabetes^I10||20260309101500|A^Admitting^HL70052|||||||||1|D071^Li^Min',
        'DG1|2||I10^Hypertension^I10|high pressure||F|||||||||2',
      ],
    };
    const [diabetes, pressure] = all(parts, 'Condition');
    expect(diabetes).toMatchObject({
      code: { coding: [{ code: 'E11.9' }] },
      onsetDateTime: '2026-03-09T10:15:00+08:00',
    });
    expect(follow(parts, diabetes?.asserter).resourceType).toBe('Practitioner');
    expect(pressure?.code.text).toBe('high pressure');
    const { diagnosis } = first(parts, 'Encounter');
    expect(diagnosis.map((it: Json) => [it.condition.reference, it.rank, it.use.coding[0].code])).toEqual([
      [`Condition/${diabetes?.id}`, 1, 'AD'],
      [`Condition/${pressure?.id}`, 2, 'DD'],
    ]);
  });

  test('a working diagnosis has no role of R4, and nobody has to say which', () => {
    const parts: Parts = { more: ['DG1|1||R07.4^Chest pain^I10|||W'] };
    expect(first(parts, 'Encounter').diagnosis[0].use).toEqual({
      coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0052', code: 'W' }],
    });
    expect(mapped(parts).codes).toEqual([]);
  });

  test('a deleted diagnosis is entered in error and no longer one of the visit', () => {
    const parts: Parts = { more: [segment('DG1', { 1: '1', 3: 'E11.9^^I10', 6: 'F', 21: 'D' })] };
    expect(first(parts, 'Condition').verificationStatus.coding[0].code).toBe('entered-in-error');
    expect(first(parts, 'Encounter').diagnosis).toBeUndefined();
  });

  test('a procedure with minutes has a period, without has a time', () => {
    const procedure = (fields: Readonly<Record<number, string>>): Json =>
      first({ more: [segment('PR1', { 1: '1', 3: '47.01^Appendectomy^I9CP', ...fields })] }, 'Procedure');
    expect(procedure({ 5: '20260316003000', 7: '50' }).performedPeriod).toEqual({
      start: '2026-03-16T00:30:00+08:00',
      end: '2026-03-16T01:20:00+08:00',
    });
    expect(procedure({ 5: '20260315235000-0330', 7: '50' }).performedPeriod.end).toBe('2026-03-16T00:40:00-03:30');
    expect(procedure({ 5: '20260316003000' }).performedDateTime).toBe('2026-03-16T00:30:00+08:00');
    expect(procedure({ 5: '20260316', 7: '50' }).performedDateTime).toBe('2026-03-16');
  });

  test('a procedure is completed when the patient has gone home, before that nobody knows', () => {
    const more = ['PR1|1||47.01^Appendectomy^I9CP||20260316003000'];
    expect(first({ event: 'A03', more }, 'Procedure').status).toBe('completed');
    expect(first({ event: 'A01', more }, 'Procedure').status).toBe('unknown');
  });

  test('surgeon, anaesthetist and others are performers', () => {
    const parts = {
      more: [
        segment('PR1', { 1: '1', 3: '47.01^^I9CP', 8: 'D62^Lin^Bo', 11: 'D51^Gao^Peng~D52^Wu^An', 12: 'D53^Xu^Li' }),
      ],
    };
    const { performer } = first(parts, 'Procedure');
    expect(
      performer.map((it: Json) => [follow(parts, it.actor).identifier[0].value, it.function?.coding[0].code]),
    ).toEqual([
      ['D62', '88189002'],
      ['D51', '304292004'],
      ['D52', '304292004'],
      ['D53', undefined],
    ]);
  });

  test('an allergy has type, category, criticality and its reaction', () => {
    const found = first(
      { more: ['AL1|1|DA^药物过敏^HL70127|PCN^青霉素^RENHE-ALG|SV^重度^HL70128|皮疹|20100516'] },
      'AllergyIntolerance',
    );
    expect(found).toMatchObject({
      clinicalStatus: { coding: [{ code: 'active' }] },
      type: 'allergy',
      category: ['medication'],
      criticality: 'high',
      code: { coding: [{ system: 'urn:id:RENHE-ALG', code: 'PCN', display: '青霉素' }] },
      reaction: [{ manifestation: [{ text: '皮疹' }], severity: 'severe' }],
      onsetDateTime: '2010-05-16',
    });
  });
});

describe('NK1, the next of kin', () => {
  const kin = (...more: string[]): Json => first({ more }, 'Patient').contact;

  test('is a contact of the patient and a related person', () => {
    const more = ['NK1|1|Zhang^Mei^^^^^L|SPO^Spouse^HL70063||13900001002^PRN^CP||C^Emergency Contact^HL70131'];
    expect(kin(...more)).toMatchObject([
      {
        name: { family: 'Zhang', given: ['Mei'] },
        relationship: [{ coding: [{ code: 'SPS' }, { code: 'SPO' }] }, { coding: [{ code: 'C' }] }],
        telecom: [{ system: 'phone', value: '13900001002', use: 'mobile' }],
      },
    ]);
    expect(first({ more }, 'RelatedPerson')).toMatchObject({
      name: [{ family: 'Zhang', given: ['Mei'] }],
      telecom: [{ value: '13900001002' }],
    });
  });

  test.each([['EMR'], ['E'], ['F'], ['I'], ['S']])('of relationship %s is a contact only', (code) => {
    const more = [`NK1|1|Renhe^^^^^^L|${code}`];
    expect(kin(...more)).toHaveLength(1);
    expect(all({ more }, 'RelatedPerson')).toEqual([]);
  });

  test('two next of kin are two contacts', () => {
    expect(
      kin('NK1|1|Wang^Lei|SPO||1', 'NK1|2|Wang^Fang|MTH||2').map((it: Json) => [it.name.family, it.telecom[0].value]),
    ).toEqual([
      ['Wang', '1'],
      ['Wang', '2'],
    ]);
  });

  test('all telephone numbers of one next of kin stand in one contact', () => {
    const contacts = kin('NK1|1|Whitfield^Anna|CHD||^PRN^CP^^^^^^^^^13900001052~^NET^Internet^anna@example.org');
    expect(contacts).toHaveLength(1);
    expect(contacts[0].telecom.map((it: Json) => it.value)).toEqual(['13900001052', 'anna@example.org']);
  });
});

describe('a row that reads another field of its own kind of segment', () => {
  const insurance = [
    'IN1|1|310^Basic|JCYB^^^RENHE^NIIP|City Fund|1 Main St^^Jiangcheng||111',
    'IN1|2|HHL^Gold|HHL^^^RENHE^NIIP|Harbour Health|2 Quay^^Hudong||222',
  ];

  test('reads the second insurer’s number, address and phone from the second IN1', () => {
    const companies = all({ more: insurance }, 'Coverage').map((it) => follow({ more: insurance }, it.payor[0]));
    expect(
      companies.map((it) => [
        it.name,
        it.identifier.map((one: Json) => one.value),
        it.address[0].city,
        it.telecom[0].value,
      ]),
    ).toEqual([
      ['City Fund', ['JCYB'], 'Jiangcheng', '111'],
      ['Harbour Health', ['HHL'], 'Hudong', '222'],
    ]);
  });

  test('reads the second provider’s phone and organization from the second ROL', () => {
    const roles = [
      segment('ROL', {
        1: 'R1',
        2: 'AD',
        3: 'PP',
        4: 'D1^Smith^John',
        12: '^^Internet^john@example.org',
        14: 'North Practice',
      }),
      segment('ROL', {
        1: 'R2',
        2: 'AD',
        3: 'PP',
        4: 'D2^Phoeb^Harold',
        12: '^^Internet^harold@example.org',
        14: 'South Practice',
      }),
    ];
    const parts = { more: roles };
    expect(
      all(parts, 'PractitionerRole').map((it) => [
        it.identifier[0].value,
        it.telecom[0].value,
        follow(parts, it.organization).name,
      ]),
    ).toEqual([
      ['R1', 'john@example.org', 'North Practice'],
      ['R2', 'harold@example.org', 'South Practice'],
    ]);
  });

  test('reads every repetition of it', () => {
    const parts = { more: [segment('IN1', { 1: '1', 2: '310', 3: 'JCYB^^^RENHE', 4: 'City Fund', 7: '111~222' })] };
    expect(follow(parts, first(parts, 'Coverage').payor[0]).telecom.map((it: Json) => it.value)).toEqual([
      '111',
      '222',
    ]);
  });
});

describe('IN1, the insurance', () => {
  test('of the patient names the patient as subscriber', () => {
    const parts = {
      more: [
        segment('IN1', {
          1: '1',
          2: '310^Basic',
          3: 'JCYB',
          4: 'City Fund',
          16: 'Zhang^Wei',
          17: 'SEL^本人^HL70063',
          12: '20260101',
          13: '20261231',
          36: 'P-1',
          49: 'JC100^^^JCYB^SN',
        }),
      ],
    };
    const found = first(parts, 'Coverage');
    expect(follow(parts, found.subscriber).resourceType).toBe('Patient');
    expect(found).toMatchObject({
      status: 'active',
      subscriberId: 'JC100',
      period: { start: '2026-01-01', end: '2026-12-31' },
    });
    expect(found.identifier.map((it: Json) => it.value)).toEqual(['310', 'P-1']);
  });

  test('of somebody else names that person, with birth date, sex and address', () => {
    const parts = {
      more: [
        segment('IN1', {
          1: '1',
          2: 'BAV',
          3: 'IC1',
          4: 'Blue',
          16: 'Doe^Rosa',
          17: 'SPO',
          18: '19750228',
          19: '1 Road^^Town',
          43: 'F',
        }),
      ],
    };
    expect(follow(parts, first(parts, 'Coverage').subscriber)).toMatchObject({
      resourceType: 'RelatedPerson',
      name: [{ family: 'Doe', given: ['Rosa'] }],
      birthDate: '1975-02-28',
      gender: 'female',
      address: [{ city: 'Town' }],
    });
  });
});

describe('where a message comes from', () => {
  const sent: Parts = {
    event: 'A08',
    EVN: { 4: '01^Patient request^HL70062', 5: 'N201^Wu^Ting', 6: '20260316081000', 7: 'RENHE' },
  };

  test('the source and the event are two Provenances', () => {
    expect(all(sent, 'Provenance')).toHaveLength(2);
  });

  test('the source names the facility as author, us as assembler, the message as entity and the time of receipt', () => {
    const source = all(sent, 'Provenance').find((it) => it.entity);
    expect(source).toMatchObject({
      recorded: '2026-03-16T10:31:00+08:00',
      occurredDateTime: '2026-03-16T10:30:00+08:00',
      agent: [{ type: { coding: [{ code: 'author' }] } }, { type: { coding: [{ code: 'assembler' }] } }],
      entity: [{ role: 'source', what: { identifier: { value: 'C1' } } }],
    });
    expect(follow(sent, source?.agent[0].who).name).toBe('RENHE');
  });

  test('the event names its operator, reason, place, and when it happened and was recorded (EVN)', () => {
    const event = all(sent, 'Provenance').find((it) => it.reason);
    expect(event).toMatchObject({
      recorded: '2026-03-16T10:30:00+08:00',
      occurredDateTime: '2026-03-16T08:10:00+08:00',
      reason: [{ coding: [{ code: 'PATRQT' }, { code: '01' }] }],
    });
    expect(follow(sent, event?.agent[0].who)).toMatchObject({
      resourceType: 'Practitioner',
      identifier: [{ value: 'N201' }],
    });
    expect(follow(sent, event?.location).name).toBe('RENHE');
  });
});

describe('empty and ""', () => {
  test('an empty field makes nothing and clears nothing', () => {
    const built = builtOf({ PID: { 7: '', 8: '', 13: '' } }, 'Patient');
    expect(Object.keys(built.resource).sort()).toEqual(['id', 'identifier', 'resourceType']);
    expect([...built.clear]).toEqual([]);
  });

  test('"" makes nothing and is recorded as to be deleted', () => {
    const built = builtOf({ PID: { 7: '""', 13: '""', 16: '""', 5: '""' } }, 'Patient');
    expect(Object.keys(built.resource).sort()).toEqual(['id', 'identifier', 'resourceType']);
    expect([...built.clear].sort()).toEqual([
      'birthDate',
      'maritalStatus',
      'name{PID-5}',
      'name{called}',
      'telecom{PID-13}',
    ]);
  });

  test('"" in a part of an element is recorded by its path', () => {
    expect([...builtOf({ event: 'A08', PV1: { 36: '""', 45: '""' } }, 'Encounter').clear].sort()).toEqual([
      'hospitalization.dischargeDisposition',
      'period.end',
    ]);
  });

  test('"" in one of several fields of an element does not delete what the others say', () => {
    const built = builtOf({ PID: { 2: '""', 4: '""', 13: '139', 14: '""' } }, 'Patient');
    expect(built.resource.identifier).toHaveLength(1);
    expect(built.resource.telecom).toHaveLength(1);
  });

  test('a field of delimiters and blanks is empty', () => {
    expect(mapped({ PID: { 5: '^^ ^^', 11: '&^~^' } }).resources[0]?.resource).not.toMatchObject({ name: [] });
    expect(builtOf({ PID: { 5: '^^ ^^', 11: '&^~^' } }, 'Patient').resource).not.toHaveProperty('address');
  });
});
