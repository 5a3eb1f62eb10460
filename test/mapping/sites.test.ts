import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { Zone } from '../../src/fhir/zone.ts';
import { parse } from '../../src/hl7v2/message.ts';
import { Mapping } from '../../src/mapping/map.ts';
import { readMappings } from '../../src/mapping/read.ts';
import { temporaryFolder } from '../support/app.ts';
import { discharge } from '../support/messages.ts';

const temporary = temporaryFolder();
const folder = join(temporary.path, 'mappings');
cpSync('mappings', folder, { recursive: true });
mkdirSync(join(folder, 'sites'), { recursive: true });
afterAll(() => temporary.remove());

/** The Patient of a small discharge under a site file of this text. */
function patientUnder(text: string): any {
  writeFileSync(join(folder, 'sites/here.yaml'), text);
  const mapping = new Mapping(readMappings(folder, 'here'));
  const options = { zone: new Zone('Asia/Shanghai'), receivedAt: '2026-03-16T10:00:00+08:00' };
  return mapping.map(parse(discharge())!, options).resources[0]?.resource;
}

function refusal(text: string): string {
  try {
    patientUnder(text);
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('it was accepted');
}

describe('a site file', () => {
  test('replaces the row with the same key', () => {
    const patient = patientUnder('segments:\n  PID-Patient:\n    - { field: PID-8, to: gender, value: unknown }\n');
    expect(patient.gender).toBe('unknown');
    expect(patient.birthDate).toBe('1980-02-29');
  });

  test('adds a row whose key is new', () => {
    const patient = patientUnder('segments:\n  PID-Patient:\n    - { to: active, value: true, key: always active }\n');
    expect(patient.active).toBe(true);
  });

  test('takes a row away', () => {
    const patient = patientUnder('segments:\n  PID-Patient:\n    - { key: PID-7 birthDate, remove: true }\n');
    expect(patient.birthDate).toBeUndefined();
  });

  test('changes a data type for every field that uses it', () => {
    const patient = patientUnder('datatypes:\n  XTN-ContactPoint:\n    - { to: rank, value: 1 }\n');
    expect(patient.telecom[0].rank).toBe(1);
  });

  test.each([
    [
      'a row that names no element of FHIR',
      'segments:\n  PID-Patient:\n    - { field: PID-8, to: gendre }\n',
      3,
      "Patient has no element 'gendre'",
    ],
    [
      'a removal of what is not there',
      'segments:\n  PID-Patient:\n    - { key: nothing, remove: true }\n',
      3,
      "there is no 'nothing' to remove",
    ],
    [
      'a file that is not there',
      'segments:\n  ZZZ-Patient:\n    - { field: ZZZ-1, to: active }\n',
      2,
      'there is no mappings/segments/ZZZ-Patient.yaml',
    ],
    ['an unknown key', 'segmets: {}\n', 1, "must NOT have additional properties 'segmets'"],
    ['a table that is not there', 'tables:\n  Ward:\n    A: B\n', 2, 'there is no mappings/tables/Ward.json'],
    [
      'a row that names a table that is not there',
      'segments:\n  PID-Patient:\n    - { field: PID-16, to: maritalStatus, table: Marriage }\n',
      3,
      'there is no table mappings/tables/Marriage.json',
    ],
    [
      'a code without a system in a table of its own',
      'segments:\n  PID-Patient:\n    - { field: PID-16, to: maritalStatus, table: Own }\ntables:\n  Own:\n    A: { system: "urn:x", code: B }\n    C: D\n',
      7,
      "write { system, code } for what 'C' means",
    ],
    [
      'a wrong row in a new segment map',
      'segments:\n  ZPI-Patient:\n    segment: ZPI\n    resource: Patient\n    rows:\n      - { field: ZPI-1, to: activ }\nmessages:\n  ADT:\n    - { segment: ZPI, map: ZPI-Patient, into: Patient }\n',
      6,
      "Patient has no element 'activ'",
    ],
    [
      'a wrong key in a new segment map',
      'segments:\n  ZPI-Patient:\n    segment: ZPI\n    resource: Patient\n    rows:\n      - { field: ZPI-1, too: active }\n',
      6,
      "must NOT have additional properties 'too'",
    ],
    [
      'a new segment map of no resource',
      'segments:\n  ZPI-Person:\n    segment: ZPI\n    resource: Patiend\n    rows: []\nmessages:\n  ADT:\n    - { segment: ZPI, map: ZPI-Person }\n',
      4,
      "no resource 'Patiend'",
    ],
    [
      'a new data type that makes nothing of FHIR',
      'segments:\n  PID-Patient:\n    - { field: PID-3, to: "identifier[]", type: CX-Own }\ndatatypes:\n  CX-Own:\n    datatype: CX\n    makes: Identifierr\n    rows: []\n',
      7,
      "FHIR R4 has no type 'Identifierr'",
    ],
    [
      'an entry for a map that is not there',
      'messages:\n  ADT_A01:\n    - { segment: ZPI, map: ZPI-Patient, into: Patient }\n',
      3,
      'there is no mappings/segments/ZPI-Patient.yaml',
    ],
    [
      'an entry of a message map that is not there',
      'messages:\n  ADT_A99:\n    - { segment: ZPI, map: ZPI-Patient }\n',
      2,
      'there is no mappings/messages/ADT_A99.yaml',
    ],
    [
      'a character set that nobody knows',
      'settings:\n  charset: KLINGON\n',
      2,
      "'KLINGON' is not a known character set",
    ],
    [
      'a setting that is none of those there are',
      'settings:\n  controlIds: never\n',
      2,
      'must be equal to one of the allowed values: unique, reused',
    ],
  ])('with %s stops the start with file and line', (_, text, line, reason) => {
    const message = refusal(text);
    expect(message).toMatch(new RegExp(`^mappings/sites/here\\.yaml:${line}: `));
    expect(message).toContain(reason);
  });

  test('may not replace by a key that several rows have: it would reach the first only', () => {
    const path = join(folder, 'segments/PD1-Patient.yaml');
    const good = readFileSync(path, 'utf8');
    writeFileSync(
      path,
      `${good}  - { field: PD1-4, to: "generalPractitioner[]", type: XCN-Practitioner, when: { valued: PD1-3 } }\n`,
    );
    const message = refusal(
      'segments:\n  PD1-Patient:\n    - { field: PD1-4, to: "generalPractitioner[]", type: XCN-Practitioner }\n',
    );
    writeFileSync(path, good);
    expect(message).toBe(
      "mappings/sites/here.yaml:3: 'PD1-4 generalPractitioner[]' is the key of more than one: give it a 'key' of its own",
    );
  });

  test('may have a table of its own, which its rows name', () => {
    const patient = patientUnder(
      [
        'segments:',
        '  PID-Patient:',
        '    - { field: PID-8, to: maritalStatus, table: Own }',
        'tables:',
        '  Own:',
        '    F: { system: "urn:oid:1.2.3", code: "7", display: seven }',
        '    M: null',
        '',
      ].join('\n'),
    );
    expect(patient.maritalStatus).toEqual({
      coding: [{ system: 'urn:oid:1.2.3', code: '7', display: 'seven' }, { code: 'F' }],
    });
  });

  test('that is not there stops the start', () => {
    expect(() => readMappings(folder, '../x')).toThrow('there is no such site');
    expect(() => readMappings(folder, 'nobody')).toThrow('mappings/sites/nobody.yaml:1: there is no such site');
  });

  test.each(readdirSync('mappings/sites'))('%s, which is shipped, compiles', (name) => {
    expect(() => new Mapping(readMappings('mappings', name.replace('.yaml', '')))).not.toThrow();
  });
});
