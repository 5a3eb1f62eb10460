import { describe, expect, test } from '@jest/globals';
import type { Json } from '../../src/fhir/types.ts';
import { all, extensions, first, follow, type Parts } from './support.ts';

const patient = (PID: Parts['PID'] = {}, rest: Parts = {}): Json => first({ ...rest, PID: PID }, 'Patient');
const encounter = (PV1: Parts['PV1'] = {}, rest: Parts = {}): Json => first({ ...rest, PV1: PV1 }, 'Encounter');

describe('CX, an identifier', () => {
  const identifier = (cx: string, MSH: Parts['MSH'] = {}): Json => patient({ 3: cx }, { MSH }).identifier[0];

  test.each([
    [
      'of an authority with an ISO OID has that OID',
      '1001^^^RENHE&2.16.840.1.113883.19.5&ISO',
      'urn:oid:2.16.840.1.113883.19.5',
    ],
    ['of an OID without a name has that OID', '1001^^^&2.16.840.1.113883.19.5&ISO', 'urn:oid:2.16.840.1.113883.19.5'],
    [
      'of an authority with a UUID has it in lower case',
      '1001^^^&6F9619FF-8B86-D011-B42D-00CF4FC964FF&UUID',
      'urn:uuid:6f9619ff-8b86-d011-b42d-00cf4fc964ff',
    ],
    ['of an authority with a URI has that URI', '1001^^^&https://renhe.example/mrn&URI', 'https://renhe.example/mrn'],
    ['of an authority with a name only has a local URI', '1001^^^RENHE', 'urn:id:RENHE'],
    ['of a name with blanks has an encoded URI', '1001^^^Renhe Hospital', 'urn:id:Renhe%20Hospital'],
    ['of an authority that the table knows has its own URI', '1001^^^USSSA', 'http://hl7.org/fhir/sid/us-ssn'],
    ['of an OID that is none keeps the name', '1001^^^RENHE&2.16.x&ISO', 'urn:id:RENHE'],
    ['without an authority is the sending facility’s', '1001', 'urn:id:RENHE'],
  ])('%s', (_, cx, system) => {
    expect(identifier(cx)).toMatchObject({ system, value: '1001' });
  });

  test('without an authority and a facility is the sending application’s', () => {
    expect(identifier('1001', { 4: '' })).toMatchObject({ system: 'urn:id:HIS' });
  });

  test('without an authority, of a facility with an OID, is that OID’s', () => {
    expect(identifier('1001', { 4: 'RENHE^2.16.840.1.113883.19.6^ISO' }).system).toBe('urn:oid:2.16.840.1.113883.19.6');
  });

  test('keeps type, check digit, scheme, assigner, facility and period', () => {
    const found = identifier('1001^7^M11^RENHE^MR^East Wing^20200101^20301231');
    expect(found).toMatchObject({
      type: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0203', code: 'MR' }] },
      assigner: { display: 'RENHE' },
      period: { start: '2020-01-01', end: '2030-12-31' },
    });
    expect(extensions(found)).toEqual({
      'identifier-checkDigit': '7',
      'namingsystem-checkDigit': 'M11',
      'v2-assigning-facility': { display: 'East Wing' },
    });
  });

  test('a type that table 0203 does not list keeps its code without a system', () => {
    expect(identifier('1001^^^RENHE^ZHUYUAN').type).toEqual({ coding: [{ code: 'ZHUYUAN' }] });
  });

  test('each repetition is an identifier of its own', () => {
    const found = patient({ 3: '1001^^^RENHE^MR~990000197104220114^^^CHN^NI' }).identifier;
    expect(found.map((it: Json) => `${it.system}|${it.value}`)).toEqual([
      'urn:id:RENHE|1001',
      'urn:id:CHN|990000197104220114',
    ]);
  });
});

describe('XPN, a name', () => {
  test('all parts go where FHIR has them', () => {
    const [name] = patient({
      5: 'Berg&van den&Berg&de&Vries^Anna^Maria J^III^Dr.^MD^L^^^^G^20200101^20301231^PhD',
    }).name;
    expect(name).toMatchObject({
      use: 'official',
      family: 'Berg',
      given: ['Anna', 'Maria J'],
      prefix: ['Dr.'],
      suffix: ['III', 'MD', 'PhD'],
      period: { start: '2020-01-01', end: '2030-12-31' },
    });
    expect(extensions(name._family)).toEqual({
      'humanname-own-prefix': 'van den',
      'humanname-own-name': 'Berg',
      'humanname-partner-prefix': 'de',
      'humanname-partner-name': 'Vries',
    });
    expect(extensions(name)).toEqual({ 'humanname-assembly-order': 'G' });
  });

  test('the name one is called by is a nickname', () => {
    expect(patient({ 5: 'Doe^Jane^^^^^L^^^^^^^^Janey' }).name).toEqual([
      { use: 'official', family: 'Doe', given: ['Jane'] },
      { use: 'nickname', given: ['Janey'] },
    ]);
  });

  test('the validity range (XPN.10) counts while no dates stand in XPN.12 and XPN.13', () => {
    expect(patient({ 5: 'Doe^Jane^^^^^L^^^20200101&20210101' }).name[0].period).toEqual({
      start: '2020-01-01',
      end: '2021-01-01',
    });
    expect(patient({ 5: 'Doe^Jane^^^^^L^^^20200101&20210101^^20220101' }).name[0].period).toEqual({
      start: '2022-01-01',
    });
  });

  test.each([
    ['D', 'usual'],
    ['L', 'official'],
    ['R', 'official'],
    ['M', 'maiden'],
    ['N', 'nickname'],
    ['BAD', 'old'],
    ['MSK', 'anonymous'],
    ['TEMP', 'temp'],
  ])('name type %s is the use %s', (type, use) => {
    expect(patient({ 5: `Doe^Jane^^^^^${type}` }).name[0].use).toBe(use);
  });

  test('a name type without a use survives beside the name', () => {
    const [name] = patient({ 5: 'Doe^Jane^^^^^A' }).name;
    expect(name.use).toBeUndefined();
    expect(JSON.stringify(name.extension)).toContain('"code":"A"');
  });

  test('a Chinese and a Latin name of the same person stand side by side', () => {
    expect(patient({ 5: '张^伟^^^^^L~Zhang^Wei^^^^^L' }).name).toEqual([
      { use: 'official', family: '张', given: ['伟'] },
      { use: 'official', family: 'Zhang', given: ['Wei'] },
    ]);
  });
});

describe('XAD, an address', () => {
  test('all parts go where FHIR has them', () => {
    const [address] = patient({
      11: '88&Anping Road&3-502^Block C^Jiangcheng^Hudong^439900^CHN^H^^Donghu&East Lake^0042^^^20200101^20301231^^^^^Near the bridge',
    }).address;
    expect(address).toEqual({
      use: 'home',
      line: ['88', 'Anping Road', '3-502', 'Block C', 'Near the bridge'],
      city: 'Jiangcheng',
      district: 'Donghu',
      state: 'Hudong',
      postalCode: '439900',
      country: 'CHN',
      period: { start: '2020-01-01', end: '2030-12-31' },
      extension: expect.any(Array),
    });
    expect(extensions(address)).toEqual({
      'v2-county': { coding: [{ code: 'Donghu', display: 'East Lake' }] },
      'v2-census-tract': { coding: [{ code: '0042' }] },
    });
  });

  test.each([
    ['Hauptstr. 12&Hauptstr.&12', ['Hauptstr. 12']],
    ['&Hauptstr.&12', ['Hauptstr. 12']],
    ['&Hauptstr.', ['Hauptstr.']],
    ['Hauptstr. 112&Hauptstr.&12', ['Hauptstr. 112', '12']],
    ['""&Hauptstr.&12', ['Hauptstr. 12']],
  ])('street and number of %s are not said twice', (sad, line) => {
    expect(patient({ 11: `${sad}^^Ulm` }).address[0].line).toEqual(line);
  });

  test.each([
    ['M', { type: 'postal' }],
    ['SH', { type: 'postal' }],
    ['B', { use: 'work' }],
    ['BI', { use: 'billing' }],
    ['BA', { use: 'old' }],
    ['C', { use: 'temp' }],
  ])('address type %s gives %j', (type, expected) => {
    expect(patient({ 11: `1 Road^^Town^^^^${type}` }).address[0]).toMatchObject(expected);
  });

  test('an address type that FHIR has no word for survives', () => {
    const [address] = patient({ 11: '1 Road^^Town^^^^BDL' }).address;
    expect(address.use ?? address.type).toBeUndefined();
    expect(JSON.stringify(address.extension)).toContain('"code":"BDL"');
  });

  test('the county (PID-12) is the district only where there is no address', () => {
    expect(patient({ 12: 'GL' }).address).toEqual([{ district: 'GL' }]);
    const both = patient({ 11: '1 Road^^Town', 12: 'GL' });
    expect(both.address[0].district).toBeUndefined();
    expect(extensions(both)['v2-county-code']).toBe('GL');
  });
});

describe('XPN, where a text is wanted', () => {
  test.each([
    ['the parts of the name in the order in which it is said', 'Brien^Molly^Ann^Jr^Dr^^M', 'Dr Molly Ann Brien Jr'],
    ['the family name first where XPN.11 says so', 'Kovács^Anna^^^^^M^^^^F', 'Kovács Anna'],
    ['no blank in a Chinese name', '李^芳^^^^^M', '李芳'],
    ['a family name alone', 'Brien&van&Brien', 'Brien'],
  ])('%s', (_, xpn, expected) => {
    expect(extensions(patient({ 6: xpn }))['patient-mothersMaidenName']).toBe(expected);
  });

  test('the reporter of an allergy', () => {
    const more = ['IAM|1||PCN^Penicillin^L|||||||||||Welby^Marcus^^^Dr^^L'];
    expect(first({ event: 'A60', PV1: { 2: 'N' }, more }, 'AllergyIntolerance').asserter.display).toBe(
      'Dr Marcus Welby',
    );
  });
});

describe('XTN, a telephone number or address', () => {
  const telecom = (xtn: string): Json => patient({ 13: xtn }).telecom[0];

  test.each([
    ['the old form, XTN.1 alone', '13900001001', { system: 'phone', value: '13900001001', use: 'home' }],
    ['XTN.1 with use and equipment', '13900001001^PRN^PH', { system: 'phone', value: '13900001001', use: 'home' }],
    ['a number in parts', '^PRN^PH^^86^099^88880031', { system: 'phone', value: '+86 099 88880031' }],
    ['a number in parts with an extension', '^PRN^PH^^86^099^88880031^7', { value: '+86 099 88880031 X7' }],
    ['a number without a country', '^PRN^PH^^^099^88880031', { value: '099 88880031' }],
    ['a number without a country, with an extension', '^PRN^PH^^^099^88880031^7', { value: '099 88880031 X7' }],
    ['a local number with its country', '^PRN^PH^^86^^88880031', { value: '+86 88880031' }],
    ['a local number alone', '^PRN^PH^^^^88880031', { value: '88880031' }],
    ['an unformatted number, XTN.12', '^PRN^PH^^^^^^^^^13900001021', { value: '13900001021' }],
    ['XTN.12 before the old form', '1^PRN^PH^^^^^^^^^13900001021', { value: '13900001021' }],
    ['a mobile phone', '^PRN^CP^^^^^^^^^13900001021', { system: 'phone', use: 'mobile', value: '13900001021' }],
    ['a mobile phone without use', '13900001021^^CP', { system: 'phone', use: 'mobile', value: '13900001021' }],
    ['a pager', '121^WPN^BP', { system: 'pager', use: 'work', value: '121' }],
    ['a fax', '121^WPN^FX', { system: 'fax', use: 'work', value: '121' }],
    ['an e-mail address', '^NET^Internet^jane@example.org', { system: 'email', value: 'jane@example.org' }],
    ['an address without equipment type', '^^^jane@example.org', { system: 'email', value: 'jane@example.org' }],
    [
      'an e-mail address in the old place',
      'jane@example.org^NET^Internet',
      { system: 'email', value: 'jane@example.org' },
    ],
    [
      'preference and period',
      '139^PRN^PH^^^^^^^^^^20200101^20301231^^^^2',
      { period: { start: '2020-01-01', end: '2030-12-31' }, rank: 2 },
    ],
  ])('%s', (_, xtn, expected) => {
    expect(telecom(xtn)).toMatchObject(expected);
  });

  test('the parts of a number survive beside it', () => {
    expect(extensions(telecom('5551^PRN^PH^jane@example.org^86^099^88880031^7^after six'))).toEqual({
      'contactpoint-country': '86',
      'contactpoint-area': '099',
      'contactpoint-local': '88880031',
      'contactpoint-extension': '7',
      'v2-telecom-text': 'after six',
      'v2-telecom-number': '5551',
      'v2-telecom-address': 'jane@example.org',
    });
  });

  test('a home phone is home and a business phone is work, where XTN.2 does not say otherwise', () => {
    expect(patient({ 13: '1', 14: '2' }).telecom.map((it: Json) => it.use)).toEqual(['home', 'work']);
    expect(patient({ 13: '1^WPN', 14: '2^PRN' }).telecom.map((it: Json) => it.use)).toEqual(['work', 'home']);
  });

  test('a number for emergencies in the field of home phones is none at home, and the one beside it is', () => {
    const [emergency, home] = patient({ 13: '1^EMR~2^^PH' }).telecom;
    expect(emergency.use).toBeUndefined();
    expect(JSON.stringify(emergency.extension)).toContain('"code":"EMR"');
    expect(home.use).toBe('home');
  });

  test('equipment that the table does not list survives, and the value stays findable', () => {
    const found = telecom('139^PRN^WECHAT');
    expect(found.value).toBe('139');
    expect(JSON.stringify(found)).toContain('"code":"WECHAT"');
  });
});

describe('CWE, a coded value', () => {
  const code = (cwe: string): Json => first({ more: [`DG1|1||${cwe}||20260310|F`] }, 'Condition').code;

  test('each of three triplets is a coding with its version, and CWE.9 is the text', () => {
    expect(
      code('E11.9^Diabetes^I10^44054006^Diabetes mellitus type 2^SCT^2019^2024^sugar^D1^Zucker^RENHE-DX^3'),
    ).toEqual({
      coding: [
        { system: 'http://hl7.org/fhir/sid/icd-10', version: '2019', code: 'E11.9', display: 'Diabetes' },
        { system: 'http://snomed.info/sct', version: '2024', code: '44054006', display: 'Diabetes mellitus type 2' },
        { system: 'urn:id:RENHE-DX', version: '3', code: 'D1', display: 'Zucker' },
      ],
      text: 'sugar',
    });
  });

  test.each([
    ['LN', 'http://loinc.org'],
    ['SCT', 'http://snomed.info/sct'],
    ['I10', 'http://hl7.org/fhir/sid/icd-10'],
    ['2.16.156.10011.2.3.3.11', 'urn:oid:2.16.156.10011.2.3.3.11'],
    ['http://renhe.example/codes', 'http://renhe.example/codes'],
    ['RENHE-DX', 'urn:id:RENHE-DX'],
    ['99zzz', 'urn:id:99zzz'],
  ])('coding system %s is %s', (name, system) => {
    expect(code(`X1^text^${name}`).coding).toEqual([{ system, code: 'X1', display: 'text' }]);
  });

  test('a code without a coding system has none', () => {
    expect(code('X1^text').coding).toEqual([{ code: 'X1', display: 'text' }]);
  });

  test('words without a code are the text', () => {
    expect(code('^chest pain')).toEqual({ text: 'chest pain' });
    expect(code('^^^^chest pain')).toEqual({ text: 'chest pain' });
  });

  test('a table puts its target before the code that was sent', () => {
    expect(patient({ 16: 'M^已婚^HL70002' }).maritalStatus).toEqual({
      coding: [
        { system: 'http://terminology.hl7.org/CodeSystem/v3-MaritalStatus', code: 'M', display: 'Married' },
        { system: 'http://terminology.hl7.org/CodeSystem/v2-0002', code: 'M', display: '已婚' },
      ],
    });
  });

  test('a code that the table does not list is kept', () => {
    expect(patient({ 16: '90^未说明^GB/T 2261.2' }).maritalStatus).toEqual({
      coding: [{ system: 'urn:id:GB%2FT%202261.2', code: '90', display: '未说明' }],
    });
  });

  test('a hospital’s own code said to be of a v2 table is not called one', () => {
    expect(patient({ 16: 'XX^x^HL70002' }).maritalStatus.coding).toEqual([
      { system: 'urn:id:HL70002', code: 'XX', display: 'x' },
    ]);
  });

  test('a code without a system belongs to the table of its field, if that lists it', () => {
    expect(patient({ 16: 'M' }).maritalStatus.coding[1]).toEqual({
      system: 'http://terminology.hl7.org/CodeSystem/v2-0002',
      code: 'M',
    });
  });

  test('the discharge disposition is understood in the HL7 table and in CV06.00.226, where 1 is home and 5 is death', () => {
    const disposition = (pv136: string): Json =>
      encounter({ 36: pv136, 45: '20260316' }, { event: 'A03' }).hospitalization.dischargeDisposition.coding[0].code;
    expect(disposition('01^Home^HL70112')).toBe('home');
    expect(disposition('20^Expired^HL70112')).toBe('exp');
    expect(disposition('05^Other^HL70112')).toBe('other-hcf');
    expect(disposition('1^医嘱离院^CV06.00.226')).toBe('home');
    expect(disposition('5^死亡^CV06.00.226')).toBe('exp');
    expect(disposition('4^非医嘱离院^CV06.00.226')).toBe('aadvice');
  });

  test('a code of a required value set that has no target survives as alternate-codes', () => {
    const [component] = all({ more: ['OBX|1|NM|8867-4^^LN||60||||||S'] }, 'Observation');
    expect(component).toMatchObject({ status: 'unknown' });
    expect(component?._status.extension).toEqual([
      {
        url: 'http://hl7.org/fhir/StructureDefinition/alternate-codes',
        valueCodeableConcept: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0085', code: 'S' }] },
      },
    ]);
    const found = patient({ 8: 'Q' });
    expect(found.gender).toBeUndefined();
    expect(JSON.stringify(found)).toContain('"code":"Q"');
  });

  test.each([
    ['F', 'female'],
    ['M', 'male'],
    ['A', 'other'],
    ['U', 'unknown'],
  ])('sex %s is %s', (sex, gender) => {
    expect(patient({ 8: sex }).gender).toBe(gender);
  });

  test.each([
    ['zh^Chinese^ISO639', 'zh'],
    ['eng^English^HL70296', 'en'],
    ['zho', 'zh'],
    ['zh-TW', 'zh-TW'],
    ['PT_br', 'pt-BR'],
    ['zh-MO', 'zh'],
  ])('the language %s is %s of BCP-47', (sent, tag) => {
    expect(patient({ 15: sent }).communication[0].language.coding).toEqual([{ system: 'urn:ietf:bcp:47', code: tag }]);
  });

  test('a language that BCP-47 does not know keeps its words and its code', () => {
    const { language } = patient({ 15: 'WUU-X^吴语^RENHE-LANG' }).communication[0];
    expect(language.text).toBe('吴语');
    expect(JSON.stringify(language.extension)).toContain('"code":"WUU-X"');
  });
});

describe('XCN, a person with a number', () => {
  const attending = (xcn: string): Json => {
    const parts = { PV1: { 7: xcn } };
    return follow(parts, first(parts, 'Encounter').participant[0].individual);
  };

  test('with a number and an authority', () => {
    expect(attending('D071^Li^Min^Hua^Jr^Dr^MD^^RENHE^L^^^DN')).toMatchObject({
      resourceType: 'Practitioner',
      identifier: [
        {
          system: 'urn:id:RENHE',
          value: 'D071',
          assigner: { display: 'RENHE' },
          type: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0203', code: 'DN' }] },
        },
      ],
      name: [{ use: 'official', family: 'Li', given: ['Min', 'Hua'], prefix: ['Dr'], suffix: ['Jr'] }],
      qualification: [{ code: { coding: [{ code: 'MD' }] } }],
    });
  });

  test('with a number alone, which is the sender’s', () => {
    expect(attending('D071^Li^Min').identifier).toEqual([{ system: 'urn:id:RENHE', value: 'D071' }]);
  });

  test('with an OID for an authority', () => {
    expect(attending('D071^Li^Min^^^^^^NPI&2.16.840.1.113883.4.6&ISO').identifier[0].system).toBe(
      'http://hl7.org/fhir/sid/us-npi',
    );
    expect(attending('D071^Li^Min^^^^^^X&2.16.840.1.113883.4.9&ISO').identifier[0].system).toBe(
      'urn:oid:2.16.840.1.113883.4.9',
    );
  });

  test('without a number, a name alone', () => {
    const found = attending('^Li^Min');
    expect(found.identifier).toBeUndefined();
    expect(found.name).toEqual([{ family: 'Li', given: ['Min'] }]);
  });

  test('each repetition is a participant of its own', () => {
    const found = encounter({ 9: 'D1^Li^Min~D2^Wu^Ting' });
    expect(found.participant).toHaveLength(2);
    expect(found.participant.map((it: Json) => it.type[0].coding[0].code)).toEqual(['CON', 'CON']);
  });
});

describe('PL, a place', () => {
  /** Physical type and name from the most granular place up. */
  const chain = (pl: string): string[] => {
    const parts = { PV1: { 3: pl } };
    const found: string[] = [];
    let at: Json | undefined = first(parts, 'Encounter').location[0].location;
    while (at) {
      const place: Json = follow(parts, at);
      found.push(`${place.physicalType.coding[0].code} ${place.name}`);
      at = place.partOf;
    }
    return found;
  };

  test('is a chain from the bed up to the facility, each part of the next', () => {
    expect(chain('W07^0706^12^RENHE^^^B2^7')).toEqual(['bd 12', 'ro 0706', 'wa W07', 'lvl 7', 'bu B2', 'si RENHE']);
  });

  test('levels that are not named are left out', () => {
    expect(chain('W07^^12^RENHE')).toEqual(['bd 12', 'wa W07', 'si RENHE']);
    expect(chain('W07')).toEqual(['wa W07']);
    expect(chain('^^^RENHE')).toEqual(['si RENHE']);
  });

  test('the description and the comprehensive id belong to the most granular place', () => {
    const parts = { PV1: { 3: 'W07^0706^12^RENHE^^C^^^By the window^L-17^RENHE' } };
    expect(follow(parts, first(parts, 'Encounter').location[0].location)).toMatchObject({
      name: '12',
      description: 'By the window',
      type: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0305', code: 'C' }] }],
      identifier: [{ value: '12' }, { system: 'urn:id:RENHE', value: 'L-17' }],
    });
  });

  test('a place with a universal id keeps it', () => {
    const parts = { PV1: { 3: 'W07&2.16.840.1.113883.19.7&ISO' } };
    expect(follow(parts, first(parts, 'Encounter').location[0].location).identifier).toEqual([
      { value: 'W07' },
      { system: 'urn:ietf:rfc:3986', value: 'urn:oid:2.16.840.1.113883.19.7' },
    ]);
  });

  test('the status says whether one is there, was there, or will be', () => {
    const found = encounter({ 3: 'W07', 6: 'W01', 11: 'X1', 42: 'W09' });
    expect(found.location.map((it: Json) => it.status)).toEqual(['active', 'completed', 'active', 'reserved']);
    expect(encounter({ 2: 'P', 3: 'W07' }).location[0].status).toBe('planned');
  });
});

describe('DTM, a date with a time', () => {
  const start = (dtm: string, MSH: Parts['MSH'] = {}): string => encounter({ 44: dtm }, { MSH }).period.start;

  test.each([
    ['2026', '2026'],
    ['202603', '2026-03'],
    ['20260310', '2026-03-10'],
    ['2026031009', '2026-03-10T09:00:00+08:00'],
    ['202603100915', '2026-03-10T09:15:00+08:00'],
    ['20260310091530', '2026-03-10T09:15:30+08:00'],
    ['20260310091530.1234', '2026-03-10T09:15:30.1234+08:00'],
    ['20260310091530+0530', '2026-03-10T09:15:30+05:30'],
    ['20260310091530-0845', '2026-03-10T09:15:30-08:45'],
    ['20260310091530+9999', '2026-03-10T09:15:30+08:00'],
    ['20260000', '2026'],
    ['20260231', '2026-02'],
  ])('%s is %s, no more precise than it came', (dtm, expected) => {
    expect(start(dtm)).toBe(expected);
  });

  test('a time without an offset has that of MSH-7', () => {
    expect(start('202603100915', { 7: '20260316103000+0545' })).toBe('2026-03-10T09:15:00+05:45');
  });

  test('what is no date at all survives as the original text', () => {
    const found = encounter({ 44: 'gestern' });
    expect(found.period?.start).toBeUndefined();
    expect(JSON.stringify(found)).toContain('gestern');
  });

  test('a birth date with a time keeps the day that was written, and the time beside it', () => {
    const found = patient({ 7: '198808180126+1400' });
    expect(found.birthDate).toBe('1988-08-18');
    expect(extensions(found._birthDate)).toEqual({ 'patient-birthTime': '1988-08-18T01:26:00+14:00' });
  });
});

describe('texts', () => {
  test('escape sequences are undone', () => {
    expect(patient({ 11: String.raw`Unit 5 \T\ 6\F\7\S\8\R\9\E\10^^Town` }).address[0].line).toEqual([
      'Unit 5 & 6|7^8~9\\10',
    ]);
  });

  test('an unknown escape sequence stays as it was sent', () => {
    expect(patient({ 11: String.raw`a\Zx\b^^Town` }).address[0].line).toEqual([String.raw`a\Zx\b`]);
  });

  test('a line break in an observation is a line break', () => {
    expect(all({ more: [String.raw`OBX|1|FT|X^note^L||first\.br\second||||||F`] }, 'Observation')[0]?.valueString).toBe(
      'first\nsecond',
    );
  });

  test('other delimiters are read as MSH-2 names them', () => {
    const sent =
      'MSH#*%!$#HIS#RENHE###20260316103000##ADT*A01#C1#P#2.5.1\rEVN#A01#20260316103000\rPID#1##1001***RENHE*MR%2***X$1.2.156.3$ISO\rPV1#1#I' +
      '#'.repeat(17) +
      'V1001\r';
    expect(first(sent, 'Patient').identifier.map((it: Json) => `${it.system}|${it.value}`)).toEqual([
      'urn:id:RENHE|1001',
      'urn:oid:1.2.156.3|2',
    ]);
  });
});
