/** Segments of ADT that the guide has no sheet for, or that stand in several places. v2-to-fhir-2.md A and B. */
import { describe, expect, test } from '@jest/globals';
import type { Json } from '../../src/fhir/types.ts';
import { errorsOf } from '../../src/fhir/validate.ts';
import { all, extensions, first, follow, mapped, type Parts, segment, text } from './support.ts';

describe('a death', () => {
  test.each([
    ['20260315', 'Y', { deceasedDateTime: '2026-03-15' }],
    ['', 'Y', { deceasedBoolean: true }],
    ['00000000', 'Y', { deceasedBoolean: true }],
    ['00000000', 'N', { deceasedBoolean: false }],
    ['not known', 'Y', { deceasedBoolean: true }],
  ])('of PID-29 "%s" and PID-30 "%s" is %p', (when, whether, expected) => {
    const { deceasedBoolean, deceasedDateTime } = first({ PID: { 29: when, 30: whether } }, 'Patient');
    expect({
      ...(deceasedBoolean !== undefined && { deceasedBoolean }),
      ...(deceasedDateTime && { deceasedDateTime }),
    }).toEqual(expected);
  });

  test('without a date keeps what was written', () => {
    const texts = (PID: Record<number, string>): string => JSON.stringify(first({ PID }, 'Patient'));
    expect(texts({ 29: 'not known' })).toContain('"valueString":"not known"');
    expect(texts({ 29: 'not known', 30: 'Y' })).toContain('"valueString":"not known"');
  });
});

describe('next of kin', () => {
  test('with one number of two authorities are two persons', () => {
    const more = ['BIRTHREG', 'GOV'].map((it, i) => segment('NK1', { 1: `${i + 1}`, 2: `A^${it}`, 33: `7^^^${it}` }));
    expect(all({ more }, 'RelatedPerson')).toHaveLength(2);
  });
});

describe('GT1, who pays', () => {
  const guarantor = (fields: Readonly<Record<number, string>>, PID = {}): Parts => ({
    PID: { 18: 'A1^^^RENHE^AN', ...PID },
    more: [segment('GT1', { 1: '1', ...fields })],
  });

  test('is a RelatedPerson and the guarantor of the account', () => {
    const sent = guarantor({
      ...{ 2: 'G7^^^RENHE', 3: 'Doe^Rosa', 5: '1 Road^^Town', 6: '111', 7: '222', 8: '19750228', 9: 'F', 11: 'SPO' },
      ...{ 13: '20260101', 14: '20261231', 16: 'Harbour Works', 36: 'en' },
    });
    const account = first(sent, 'Account');
    expect(account.identifier[0].value).toBe('A1');
    expect(account.guarantor).toMatchObject([{ period: { start: '2026-01-01', end: '2026-12-31' } }]);
    const [employer] = account.guarantor[0].extension.filter((it: Json) => it.url.endsWith('v2-employer'));
    expect(extensions(employer)).toEqual({ name: 'Harbour Works' });
    expect(follow(sent, account.guarantor[0].party)).toMatchObject({
      resourceType: 'RelatedPerson',
      identifier: [{ value: 'G7' }],
      name: [{ family: 'Doe', given: ['Rosa'] }],
      telecom: [
        { value: '111', use: 'home' },
        { value: '222', use: 'work' },
      ],
      birthDate: '1975-02-28',
      gender: 'female',
      relationship: [{ coding: [{ code: 'SPS' }, { code: 'SPO' }] }],
      communication: [{ language: { coding: [{ code: 'en' }] } }],
    });
  });

  test('is the patient where GT1-11 says so', () => {
    const sent = guarantor({ 3: 'Zhang^Wei', 11: 'SEL' });
    expect(follow(sent, first(sent, 'Account').guarantor[0].party).resourceType).toBe('Patient');
    expect(all(sent, 'RelatedPerson')).toEqual([]);
  });

  test('is an organization where only one is named', () => {
    const sent = guarantor({ 5: '1 Road^^Town', 21: 'Harbour Works' });
    expect(follow(sent, first(sent, 'Account').guarantor[0].party)).toMatchObject({
      resourceType: 'Organization',
      name: 'Harbour Works',
      address: [{ city: 'Town' }],
    });
  });

  test('stands in an account of the visit where PID-18 names none', () => {
    const account = (visit: string): string =>
      first({ ...guarantor({ 3: 'Doe^Rosa' }, { 18: '' }), PV1: { 19: visit } }, 'Account').id;
    expect(account('V1')).toBe(account('V1'));
    expect(account('V1')).not.toBe(account('V2'));
  });

  test.each(['1', '01'])('is a person where GT1-11 is %s, the spouse in X12', (code) => {
    const sent = guarantor({ 3: 'Doe^Rosa', 11: code });
    expect(follow(sent, first(sent, 'Account').guarantor[0].party).name[0].family).toBe('Doe');
  });

  test('several are several guarantors of one account', () => {
    const sent = { PID: { 18: 'A1' }, more: ['GT1|1||Doe^Rosa', 'GT1|2||Doe^John'] };
    const parties = first(sent, 'Account').guarantor.map((it: Json) => follow(sent, it.party).name[0].given[0]);
    expect(parties).toEqual(['Rosa', 'John']);
  });
});

describe('IN1, IN2, IN3, insurances', () => {
  test('the insured of IN1-17 01, the spouse in X12, is a person with what is said of him', () => {
    const spouse = { more: [segment('IN1', { 1: '1', 2: 'A', 3: 'C1', 16: 'Doe^Rosa', 17: '01', 18: '19750228' })] };
    const [coverage] = all(spouse, 'Coverage');
    expect(follow(spouse, coverage?.subscriber)).toMatchObject({ name: [{ family: 'Doe' }], birthDate: '1975-02-28' });
  });

  const sent: Parts = {
    more: [
      segment('IN1', { 1: '1', 2: 'A', 3: 'C1', 4: 'One', 16: 'Zhang^Wei', 17: 'SEL', 37: '250.00&CNY' }),
      segment('IN2', { 1: 'E1', 6: 'MC1', 61: 'M1', 63: '111' }),
      segment('IN1', { 1: '2', 2: 'B', 3: 'C2', 16: 'Doe^Rosa', 17: 'SPO', 44: '1 Road' }),
      segment('IN2', { 1: 'E2', 2: 'SSN2', 63: '222', 72: '02' }),
      segment('IN3', { 1: '1', 2: 'CERT2', 9: '20260310', 10: '20260331', 21: 'Wu Ting' }),
    ],
  };
  const coverages = all(sent, 'Coverage');

  test('IN2 belongs to the IN1 before it', () => {
    expect(coverages.map((it) => it.identifier.map((one: Json) => one.value))).toEqual([['A', 'M1'], ['B']]);
    const [insured] = all(sent, 'RelatedPerson');
    expect(follow(sent, coverages[1]?.subscriber)).toEqual(insured);
    expect(insured).toMatchObject({
      name: [{ family: 'Doe' }],
      identifier: [{ value: 'E2' }, { value: 'SSN2', type: { coding: [{ code: 'SS' }] } }],
      telecom: [{ value: '222', use: 'home' }],
    });
  });

  test('of the patient himself IN2 gives the patient numbers', () => {
    expect(first(sent, 'Patient').identifier.map((it: Json) => it.value)).toEqual(['1001', 'MC1', 'M1', 'E1']);
  });

  test('an insurance company may have a number only', () => {
    expect(follow(sent, coverages[1]?.payor[0]).identifier[0].value).toBe('C2');
  });

  test('a deductible is money, in its currency where R4 knows it', () => {
    expect(coverages[0]?.costToBeneficiary).toEqual([
      {
        type: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/coverage-copay-type', code: 'deductible' }] },
        valueMoney: { value: 250, currency: 'CNY' },
      },
    ]);
    const odd = first({ more: [segment('IN1', { 2: 'A', 37: '250&DOLLARS' })] }, 'Coverage');
    expect(odd.costToBeneficiary[0].valueMoney).toMatchObject({ value: 250 });
    expect(extensions(odd.costToBeneficiary[0].valueMoney)).toEqual({ 'v2-currency': 'DOLLARS' });
  });

  test('the certification of IN3 stands with its insurance; its case manager is in a care team', () => {
    const [certification] = coverages[1]?.extension.filter((it: Json) => it.url.endsWith('v2-certification')) ?? [];
    expect(certification.extension.map((it: Json) => it.url)).toEqual(['number', 'begin', 'end']);
    expect(first(sent, 'CareTeam').participant).toMatchObject([
      { member: { display: 'Wu Ting' }, role: [{ coding: [{ code: '768832004' }] }] },
    ]);
  });
});

describe('IAM, an allergy of A60', () => {
  const allergy = (fields: Readonly<Record<number, string>>, ...more: string[]): Json =>
    first(
      { event: 'A60', PV1: { 2: 'N' }, more: [segment('IAM', { 1: '1', 3: 'PCN^Penicillin^L', ...fields }), ...more] },
      'AllergyIntolerance',
    );
  const code = (concept: Json | undefined): string | undefined => concept?.coding[0].code;

  test.each([
    ['C', 'confirmed', 'active'],
    ['I', 'confirmed', 'inactive'],
    ['U', 'unconfirmed', 'active'],
    ['S', 'unconfirmed', 'active'],
    ['E', 'entered-in-error', undefined],
    ['', undefined, 'active'],
  ])('of the status "%s" is %s and %s', (status, verification, clinical) => {
    const found = allergy({ 17: status });
    expect([code(found.verificationStatus), code(found.clinicalStatus)]).toEqual([verification, clinical]);
    expect(errorsOf(found)).toEqual([]);
  });

  test('of a status that nobody knows keeps it', () => {
    const found = allergy({ 17: 'Q^quiet^L' });
    expect(found.verificationStatus).toBeUndefined();
    expect(extensions(found)['v2-allergy-status'].coding[0]).toMatchObject({ code: 'Q' });
  });

  test('that is deleted was entered in error', () => {
    const found = allergy({ 6: 'D', 17: 'C' });
    expect([code(found.verificationStatus), found.clinicalStatus]).toEqual(['entered-in-error', undefined]);
    expect(errorsOf(found)).toEqual([]);
  });

  test('that was inactivated is inactive', () => {
    expect(code(allergy({ 22: '20260101' }).clinicalStatus)).toBe('inactive');
  });

  test('has its kind by IAM-9 before IAM-2, its reactions and notes, and the times and people of its record', () => {
    const found = allergy(
      { 2: 'DA', 4: 'SV', 5: 'rash~nausea', 9: 'IN', 11: '20100516', 13: '20260101', 23: 'D1^Li^Min', 24: '20100601' },
      'IAR|HIVES^Hives^L|MO|AL|antihistamine',
      'NTE|1||since childhood',
    );
    expect(found).toMatchObject({
      type: 'intolerance',
      category: ['medication'],
      criticality: 'high',
      reaction: [
        { manifestation: [{ text: 'rash' }, { text: 'nausea' }], severity: 'severe' },
        { manifestation: [{ coding: [{ code: 'HIVES' }] }], severity: 'moderate', description: 'antihistamine' },
      ],
      onsetDateTime: '2010-05-16',
      recordedDate: '2010-06-01',
      note: [{ text: 'since childhood' }],
    });
  });

  test('is the same again by its own number, else by what it is to', () => {
    expect(allergy({ 3: 'PCN', 7: 'ALG1^RENHE' }).id).toBe(allergy({ 3: 'PEN^^L', 7: 'ALG1^RENHE' }).id);
    expect(allergy({ 4: 'MI' }).id).toBe(allergy({ 4: 'SV' }).id);
    expect(allergy({}).id).not.toBe(allergy({ 3: 'NUT' }).id);
  });
});

describe('ROL and PRT', () => {
  const person = 'D1^Li^Min';
  const role = (name: string, as: string): string =>
    name === 'ROL' ? segment('ROL', { 2: 'AD', 3: as, 4: person }) : segment('PRT', { 2: 'AD', 4: as, 5: person });
  const behind = (place: string, line: string): string =>
    text({ more: [segment('PR1', { 3: '47.01^Appendectomy^I9CP' }), segment('IN1', { 2: 'A' })] })
      .split('\r')
      .flatMap((it) => (it.startsWith(place) ? [it, line] : [it]))
      .join('\r');
  const practitioner = (message: string, role: Json | undefined): string =>
    follow(message, follow(message, role).practitioner).identifier[0].value;

  test.each(['ROL', 'PRT'])('%s behind PID is a care team; the general practitioner is one', (name) => {
    const team = behind('PID', role(name, 'AT'));
    expect(follow(team, first(team, 'CareTeam').participant[0].member).identifier[0].value).toBe('D1');
    const general = behind('PID', role(name, 'PP'));
    expect(practitioner(general, first(general, 'Patient').generalPractitioner[0])).toBe('D1');
    expect(all(general, 'CareTeam')).toEqual([]);
  });

  test.each(['ROL', 'PRT'])('%s behind PV1 takes part in the visit', (name) => {
    const sent = behind('PV1', role(name, 'AT'));
    expect(practitioner(sent, first(sent, 'Encounter').participant[0].individual)).toBe('D1');
    expect(all(sent, 'CareTeam')).toEqual([]);
  });

  test.each(['ROL', 'PRT'])('%s behind PR1 takes part in the procedure', (name) => {
    const sent = behind('PR1', role(name, 'AS'));
    expect(practitioner(sent, first(sent, 'Procedure').performer[0].actor)).toBe('D1');
    expect(first(sent, 'Encounter').participant).toBeUndefined();
  });

  test.each(['ROL', 'PRT'])('%s behind IN1 acts for the insurer', (name) => {
    const sent = behind('IN1', role(name, 'AS'));
    expect(practitioner(sent, extensions(first(sent, 'Coverage'))['v2-insurance-role'])).toBe('D1');
  });

  test('a role that ended is no part of the visit, and its care team is inactive', () => {
    const ended = segment('ROL', { 2: 'DE', 3: 'AT', 4: person });
    expect(first(behind('PV1', ended), 'Encounter').participant).toBeUndefined();
    expect(first(behind('PID', ended), 'CareTeam').status).toBe('inactive');
  });

  test('an organization takes part where PRT names no person', () => {
    const sent = behind('PV1', segment('PRT', { 4: 'AT', 8: 'North Practice', 15: '111' }));
    const part = follow(sent, first(sent, 'Encounter').participant[0].individual);
    expect(follow(sent, part.organization)).toMatchObject({ name: 'North Practice', telecom: [{ value: '111' }] });
  });

  test('a device that takes part is a Device', () => {
    const sent = behind('PV1', segment('PRT', { 4: 'EQUIP', 10: 'PUMP7', 20: 'SN1' }));
    expect(first(sent, 'Device')).toMatchObject({ identifier: [{ value: 'PUMP7' }], serialNumber: 'SN1' });
    expect(first(sent, 'Encounter').participant).toBeUndefined();
  });
});

describe('what R4 has no element for', () => {
  const parts = (resource: Json, name: string): Json =>
    extensions(resource.extension.find((it: Json) => it.url.endsWith(name)));

  test('a restriction belongs to the patient or to the visit, by its place', () => {
    const lines = text({}).split('\r');
    lines.splice(3, 0, 'ARV|1|A|DEM|PAT|only the family doctor');
    const sent = `${lines.join('\r')}ARV|1|A|LOC|PHY\r`;
    expect(parts(first(sent, 'Patient'), 'v2-access-restriction').value.coding[0].code).toBe('DEM');
    expect(parts(first(sent, 'Encounter'), 'v2-access-restriction').value.coding[0].code).toBe('LOC');
  });

  test('a movement (ZBE) stands with the visit', () => {
    const more = ['ZBE|M1^RENHE|20260316101500||INSERT|N|A01|Ward 7^^^^^RENHE^XX^^^W07||S'];
    expect(parts(first({ more }, 'Encounter'), 'v2-movement')).toMatchObject({
      id: { value: 'M1' },
      start: '2026-03-16T10:15:00+08:00',
      action: 'INSERT',
      historic: false,
      originalEvent: 'A01',
    });
  });

  test('an accident, a disability, and the cause of a death', () => {
    const sent: Parts = {
      PID: { 29: '20260316083000' },
      more: ['ACC|20260315||Route 50||Y', 'DB1|1|PT||Y|20260315||20260401', 'PDA|I21.9^Infarction^I10|W07|Y'],
    };
    expect(parts(first(sent, 'Encounter'), 'v2-accident')).toMatchObject({ date: '2026-03-15', jobRelated: true });
    expect(parts(first(sent, 'Patient'), 'v2-disability')).toMatchObject({ returnToWork: '2026-04-01' });
    expect(first(sent, 'Observation')).toMatchObject({
      code: { coding: [{ code: '69453-9' }] },
      component: [{ valueCodeableConcept: { coding: [{ code: 'I21.9' }] } }],
      effectiveDateTime: '2026-03-16T08:30:00+08:00',
    });
  });

  test('a login is not kept', () => {
    const sent = { more: ['UAC|KERB^Kerberos^HL70615|^APPLICATION^^Base64^U0VDUkVU'] };
    expect(JSON.stringify(mapped(sent, true).resources)).not.toMatch(/U0VDUkVU|KERB/);
  });

  test('a possible duplicate is named as one to look at', () => {
    const sent = { more: [segment('PD1', { 2: 'A', 10: '1009^^^RENHE^MR~1010^^^RENHE^MR' })] };
    expect(first(sent, 'Patient').link).toMatchObject([
      { type: 'seealso', other: { identifier: { value: '1009' } } },
      { type: 'seealso', other: { identifier: { value: '1010' } } },
    ]);
  });
});

describe('a segment with one field only', () => {
  const counts = {
    ...{ PD1: 23, DB1: 8, ARV: 10, ZBE: 9, ACC: 13, DRG: 33, PDA: 9, GT1: 57, IN1: 55, IN2: 72, IN3: 31, IAM: 30 },
    ...{ IAR: 4, ROL: 14, PRT: 24, PV2: 50, DG1: 26, PR1: 25, NK1: 41, NTE: 9, UAC: 2 },
  };
  const before: Readonly<Record<string, string>> = { IN2: 'IN1|1|A', IN3: 'IN1|1|A', IAR: 'IAM|1||A', NTE: 'DG1|1||A' };

  test.each(['A~B', '^""', '^B', '20261399', '\\.br\\'])('that holds %s is sound', (value) => {
    const wrong: string[] = [];
    for (const [name, count] of Object.entries(counts))
      for (let field = 1; field <= count; field++) {
        const more = [...(before[name] ? [before[name]] : []), segment(name, { [field]: value })];
        for (const { resource } of mapped({ more }).resources)
          for (const { expression, text } of errorsOf(resource)) wrong.push(`${name}-${field}: ${expression} ${text}`);
      }
    expect(wrong).toEqual([]);
  });
});
