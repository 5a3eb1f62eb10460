import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Mapping } from '../../src/mapping/map.ts';
import { type MappingFiles, parseFile, readMappings } from '../../src/mapping/read.ts';
import { MappingError, type MessageMap, type SegmentMap } from '../../src/mapping/rows.ts';
import { tableOf } from '../../src/mapping/tables.ts';
import { mappingVersion } from '../../src/mapping/version.ts';
import { mappingFolder } from './support.ts';

const real = readMappings(mappingFolder);

/** The message of what is thrown; only a MappingError counts. */
function refusal(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(MappingError);
    return (error as Error).message;
  }
  throw new Error('it was accepted');
}

const head = [
  'segment: PID',
  'resource: Patient',
  'rows:',
  '  - { field: PID-8, to: gender, type: CWE-code, table: AdministrativeSex }',
];

/** The real mapping with one file replaced: PID-Patient with good first rows, and the lines under test from line 5 on. */
function withPatientRows(...lines: string[]): MappingFiles {
  const file = 'mappings/segments/PID-Patient.yaml';
  const located = parseFile<SegmentMap>('segments', file, [...head, ...lines].join('\n'));
  return { ...real, segments: new Map(real.segments).set('PID-Patient', located) };
}

function withMessage(...maps: string[]): MappingFiles {
  const lines = [
    'message: ADT_A01',
    'events: [A01]',
    'segments: [PID]',
    'require: [PID-3.1]',
    'maps:',
    '  - { segment: PID, map: PID-Patient }',
    ...maps,
  ];
  return { ...real, messages: [parseFile<MessageMap>('messages', 'mappings/messages/ADT_A01.yaml', lines.join('\n'))] };
}

describe('a row that cannot be used stops the start and says where it stands', () => {
  test.each([
    ['names an element that FHIR does not have', 'field: PID-8, to: sex', "Patient has no element 'sex'"],
    [
      'names a step that FHIR does not have',
      'field: PID-8, to: maritalStatus.txt',
      "CodeableConcept has no element 'txt'",
    ],
    ['gives one value to a list', 'field: PID-5, to: name, type: XPN-HumanName', 'Patient.name repeats'],
    ['appends to what is no list', 'field: PID-7, to: "birthDate[]"', 'Patient.birthDate does not repeat'],
    ['has a step that cannot be read', 'field: PID-7, to: "birth-date"', "'birth-date' in 'birth-date' is not a step"],
    ['names an unknown type', 'field: PID-5, to: "name[]", type: XPN-Name', "there is no type 'XPN-Name'"],
    ['names a type that makes something else', 'field: PID-5, to: "name[]", type: XAD-Address', 'makes Address'],
    ['names no type where there is no default', 'field: PID-5, to: "name[]"', 'name a type'],
    ['names an unknown table', 'field: PID-16, to: maritalStatus, table: Marital', 'mappings/tables/Marital.json'],
    [
      'refers to a resource that the element does not allow',
      'field: PID-3, to: managingOrganization, type: XCN-Practitioner',
      'may refer to Organization, not to Practitioner',
    ],
    [
      'refers from what is no reference',
      'to: maritalStatus, reference: Encounter',
      "'maritalStatus' is not a Reference",
    ],
    [
      'has a constant with an unknown key',
      'to: maritalStatus, value: { coding: [{ system: "urn:x", kode: M }] }',
      "Coding has no element 'kode'",
    ],
    ['has a plain constant for an object', 'to: maritalStatus, value: M', 'its constant is an object'],
    [
      'has a condition on a data type',
      'field: PID-8, to: gender, when: { valued: CX.4 }',
      "'CX.4' cannot be read by rows of PID",
    ],
    [
      'has a condition on a data type of three letters',
      'field: PID-8, to: gender, when: { valued: XPN.1 }',
      "'XPN.1' cannot be read by rows of PID",
    ],
    ['reads a part of a data type', 'field: CX.4, to: gender', "'CX.4' cannot be read by rows of PID"],
    [
      'reads a part of a data type of three letters',
      'field: XPN.2, to: gender',
      "'XPN.2' cannot be read by rows of PID",
    ],
    [
      'counts repetitions of another segment',
      'field: PID-8, to: gender, when: { repeats: PV1-3 }',
      "'PV1-3' is not a field of PID",
    ],
    [
      'repeats with another segment',
      'field: PID-8, each: PV1-3, to: gender, type: CWE-code',
      "'PV1-3' is not a field of PID",
    ],
  ])('a row that %s', (_, row, text) => {
    const message = refusal(() => new Mapping(withPatientRows(`  - { ${row} }`)));
    expect(message).toMatch(/^mappings\/segments\/PID-Patient\.yaml:5: /);
    expect(message).toContain(text);
  });

  test('the line is that of the row, also when the row is written over several lines', () => {
    const message = refusal(
      () =>
        new Mapping(
          withPatientRows(
            '  - field: PID-16',
            '    to: maritalStatus',
            '    table: MaritalStatus',
            '  - field: PID-16',
            '    to: marriage',
          ),
        ),
    );
    expect(message).toMatch(/^mappings\/segments\/PID-Patient\.yaml:8: /);
  });

  test('a wrong identity is refused at its line', () => {
    const file = parseFile<SegmentMap>(
      'segments',
      'mappings/segments/PID-Patient.yaml',
      ['segment: PID', 'resource: Patient', 'identity:', '  - { identifier: [MR] }', '  - [XPN.1]', 'rows: []'].join(
        '\n',
      ),
    );
    const files = { ...real, segments: new Map(real.segments).set('PID-Patient', file) };
    expect(refusal(() => new Mapping(files))).toMatch(
      /^mappings\/segments\/PID-Patient\.yaml:5: 'XPN\.1' cannot be read/,
    );
  });

  test('a resource that R4 does not have is refused at its line', () => {
    const file = parseFile<SegmentMap>(
      'segments',
      'mappings/segments/PID-Patient.yaml',
      ['segment: PID', 'resource: Person2', 'rows: []'].join('\n'),
    );
    const files = { ...real, segments: new Map(real.segments).set('PID-Patient', file) };
    expect(refusal(() => new Mapping(files))).toMatch(
      /^mappings\/segments\/PID-Patient\.yaml:2: no resource 'Person2'/,
    );
  });
});

describe('a message map that cannot be used stops the start and says where', () => {
  test.each([
    ['names a segment map that is not there', '{ segment: NK1, map: NK1-Person }', 'mappings/segments/NK1-Person.yaml'],
    ['uses a map of another segment', '{ segment: NK1, map: PD1-Patient }', 'PD1-Patient is for PD1'],
    [
      'fills what no entry before it makes',
      '{ segment: PV2, map: PV2-Encounter, into: Encounter }',
      "makes a Encounter 'Encounter'",
    ],
    [
      'has a condition that cannot be read',
      '{ segment: PID, map: PID-Account, when: { valued: CX.1 } }',
      "'CX.1' cannot be read",
    ],
  ])('an entry that %s', (_, entry, text) => {
    const message = refusal(() => new Mapping(withMessage(`  - ${entry}`)));
    expect(message).toMatch(/^mappings\/messages\/ADT_A01\.yaml:7: /);
    expect(message).toContain(text);
  });
});

describe('a file of the wrong shape', () => {
  const rows = (...lines: string[]): string =>
    refusal(() => parseFile('segments', 'x.yaml', [...head, ...lines].join('\n')));

  test.each([
    ['an unknown key', ['  - { field: PID-7, to: birthDate, tabel: X }'], "'tabel'"],
    ['a condition that is not on the list', ['  - { field: PID-7, to: birthDate, when: { matches: PID-7 } }'], ''],
    ['a place that is none', ['  - { field: PID.x, to: birthDate }'], 'pattern'],
    ['a row without a target or a reason', ['  - { field: PID-7 }'], ''],
  ])('with %s is refused at its line', (_, lines, text) => {
    const message = rows(...lines);
    expect(message).toMatch(/^x\.yaml:5: /);
    expect(message).toContain(text);
  });

  test('that is no YAML is refused at the line of the mistake', () => {
    expect(rows('  - { field: PID-7, to: birthDate }', '  - { field: PID-8, to: [ }')).toMatch(/^x\.yaml:6: /);
  });

  test('with an unknown key at the top is refused', () => {
    expect(refusal(() => parseFile('datatypes', 'y.yaml', 'datatype: CX\nmake: Identifier\nrows: []'))).toMatch(
      /^y\.yaml:\d+: .*'make'/,
    );
  });

  test('a data type that makes nothing is refused', () => {
    const files = withPatientRows('  - { field: PID-3, to: "identifier[]", type: CX-Nothing }');
    const nothing = parseFile<never>('datatypes', 'mappings/datatypes/CX-Nothing.yaml', 'datatype: CX\nrows: []');
    const message = refusal(
      () => new Mapping({ ...files, datatypes: new Map(files.datatypes).set('CX-Nothing', nothing) }),
    );
    expect(message).toMatch(/^mappings\/datatypes\/CX-Nothing\.yaml:1: /);
  });

  test.each([
    ['is no JSON', '{', ''],
    ['is another resource', '{"resourceType":"ValueSet"}', 'not a ConceptMap'],
    [
      'has an element that ConceptMap lacks',
      '{"resourceType":"ConceptMap","group":[{"element":[]}],"gruop":1}',
      'gruop',
    ],
  ])('a table that %s is refused by its name', (_, json, text) => {
    const message = refusal(() => tableOf('mappings/tables/T.json', json));
    expect(message).toMatch(/^mappings\/tables\/T\.json:1: /);
    expect(message).toContain(text);
  });
});

describe('a folder of mapping files', () => {
  let folder = '';
  beforeAll(() => {
    folder = join(mkdtempSync(join(tmpdir(), 'aftercare-mapping-')), 'mappings');
    cpSync(mappingFolder, folder, { recursive: true });
  });
  afterAll(() => rmSync(join(folder, '..'), { recursive: true, force: true }));

  test('a mistake in a file on the disk is named by folder, file and line', () => {
    const path = join(folder, 'segments', 'AL1-AllergyIntolerance.yaml');
    const good = readFileSync(path, 'utf8');
    const line = good.split('\n').findIndex((it) => it.includes('field: AL1-3')) + 1;
    writeFileSync(path, good.replace('{ field: AL1-3, to: code }', '{ field: AL1-3, to: kode }'));
    expect(refusal(() => new Mapping(readMappings(folder)))).toBe(
      `mappings/segments/AL1-AllergyIntolerance.yaml:${line}: AllergyIntolerance has no element 'kode'`,
    );
    writeFileSync(path, good);
    expect(() => new Mapping(readMappings(folder))).not.toThrow();
  });

  test('its version is the same for the same files and another when one changes', () => {
    expect(mappingVersion(folder)).toBe(mappingVersion(mappingFolder));
    expect(mappingVersion(folder)).toMatch(/^[0-9a-f]{12}$/);
    expect(mappingVersion(folder, '', [{ url: 'a questionnaire' }])).not.toBe(mappingVersion(folder));
    const path = join(folder, 'messages', 'ADT_A01.yaml');
    writeFileSync(path, `${readFileSync(path, 'utf8')}# changed\n`);
    expect(mappingVersion(folder)).not.toBe(mappingVersion(mappingFolder));
  });
});
