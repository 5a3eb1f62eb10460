import { cpSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
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
      "there is no row 'nothing' to remove",
    ],
    [
      'a file that is not there',
      'segments:\n  ZZZ-Patient:\n    - { field: ZZZ-1, to: active }\n',
      3,
      'there is no mappings/segments/ZZZ-Patient.yaml',
    ],
    ['an unknown key', 'segmets: {}\n', 1, "must NOT have additional properties 'segmets'"],
  ])('with %s stops the start with file and line', (_, text, line, reason) => {
    const message = refusal(text);
    expect(message).toMatch(new RegExp(`^mappings/sites/here\\.yaml:[${line - 1}-${line}]: `));
    expect(message).toContain(reason);
  });

  test('that is not there stops the start', () => {
    expect(() => readMappings(folder, '../x')).toThrow('there is no such site');
    expect(() => readMappings(folder, 'nobody')).toThrow('mappings/sites/nobody.yaml:1: there is no such site');
  });

  test.each(readdirSync('mappings/sites'))('%s, which is shipped, compiles', (name) => {
    expect(() => new Mapping(readMappings('mappings', name.replace('.yaml', '')))).not.toThrow();
  });
});
