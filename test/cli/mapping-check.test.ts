import { readFileSync } from 'node:fs';
import { afterAll, afterEach, describe, expect, test } from '@jest/globals';
import { findingsOf } from '../../src/cli/mapping-check.ts';
import { Workbench } from './run.ts';

const bench = new Workbench();
const originals = new Map<string, string>();
afterAll(() => bench.remove());
afterEach(() => {
  for (const [path, text] of originals) bench.write(path, text);
  originals.clear();
});

/** Puts a text into a file of the copy; it is as before after the test. */
function change(path: string, from: string, to: string): number {
  const text = readFileSync(bench.at(path), 'utf8');
  originals.set(path, originals.get(path) ?? text);
  expect(text).toContain(from);
  bench.write(path, text.replace(from, to));
  return text.slice(0, text.indexOf(from)).split('\n').length;
}

const site = (...lines: string[]): string => bench.write('mappings/sites/here.yaml', `${lines.join('\n')}\n`);
const errors = (name?: string): string[] => [...findingsOf(bench.setting.mappings, name).errors];

describe('mapping check', () => {
  test('finds nothing to say of the mapping as it ships', () => {
    expect(bench.mapping('check')).toEqual({ code: 0, out: '0 errors, 0 warnings\n', err: '' });
  });

  test('names every row that cannot be used, not only the first, and ends with 1', () => {
    const sex = change('mappings/segments/PID-Patient.yaml', 'to: gender,', 'to: sex,');
    const born = change('mappings/segments/PID-Patient.yaml', 'to: birthDate }', 'to: born }');
    const code = change('mappings/segments/AL1-AllergyIntolerance.yaml', 'to: code }', 'to: kode }');
    const { code: exit, out } = bench.mapping('check');
    expect(exit).toBe(1);
    expect(out.split('\n').filter((it) => !it.includes('warning'))).toEqual([
      `mappings/segments/AL1-AllergyIntolerance.yaml:${code}: AllergyIntolerance has no element 'kode'`,
      `mappings/segments/PID-Patient.yaml:${born}: Patient has no element 'born'`,
      `mappings/segments/PID-Patient.yaml:${sex}: Patient has no element 'sex'`,
      '',
    ]);
    expect(out).toMatch(/^3 errors, \d+ warnings$/m);
  });

  test('names every file of a wrong shape', () => {
    change('mappings/segments/PID-Patient.yaml', 'resource: Patient', 'resorce: Patient');
    change('mappings/messages/ADT_A01.yaml', 'message: ADT_A01', 'mesage: ADT_A01');
    expect(errors()).toEqual([
      "mappings/messages/ADT_A01.yaml:2: file must NOT have additional properties 'mesage'",
      "mappings/segments/PID-Patient.yaml:2: file must NOT have additional properties 'resorce'",
    ]);
  });

  test('looks at all sites, or at one', () => {
    site('segments:', '  PID-Patient:', '    - { field: PID-8, to: sex }');
    bench.write('mappings/sites/there.yaml', 'messages:\n  ADT:\n    - { segment: ZPI, map: ZPI-Patient }\n');
    const here = "mappings/sites/here.yaml:3: Patient has no element 'sex'";
    const there = 'mappings/sites/there.yaml:3: there is no mappings/segments/ZPI-Patient.yaml';
    expect(errors()).toEqual([here, there]);
    expect(errors('here')).toEqual([here]);
    expect(errors('nowhere')).toEqual(['mappings/sites/nowhere.yaml:1: there is no such site']);
    bench.write('mappings/sites/there.yaml', '{}\n');
  });

  test('looks whether what a code means is a code, where the content of its system is here', () => {
    site(
      'tables:',
      '  AdministrativeSex:',
      '    W: female',
      '    V: femail',
      '  HospitalService:',
      '    ZJ: { system: "http://terminology.hl7.org/CodeSystem/v2-0069", code: ZZZ }',
      '    XN: { system: "http://snomed.info/sct", code: "394579002" }',
      '    QT: null',
    );
    expect(errors('here')).toEqual([
      "mappings/sites/here.yaml:4: 'femail': the code is not in code system http://hl7.org/fhir/administrative-gender",
      "mappings/sites/here.yaml:6: 'ZZZ': the code is not in code system http://terminology.hl7.org/CodeSystem/v2-0069",
    ]);
  });

  test('warns of a segment of the hospital that no message has, which the server takes', () => {
    site(
      'segments:',
      '  ZPI-Patient:',
      '    segment: ZPI',
      '    resource: Patient',
      '    rows:',
      '      - { field: ZPI-1, to: active }',
    );
    expect(bench.mapping('check', 'here')).toEqual({
      code: 0,
      err: '',
      out:
        'mappings/sites/here.yaml:2: warning: no message map has an entry { segment: ZPI, map: ZPI-Patient }: the map does nothing\n' +
        '0 errors, 1 warning\n',
    });
  });

  test('warns of a second row with the same key, which a site could not reach', () => {
    site(
      'segments:',
      '  PID-Patient:',
      '    - { field: PID-8, to: active, value: true, when: { in: [PID-8, F] } }',
      '    - { field: PID-8, to: active, value: false, when: { in: [PID-8, M] } }',
    );
    expect(errors('here')).toEqual([]);
    expect([...findingsOf(bench.setting.mappings, 'here').warnings]).toEqual([]);
    change(
      'mappings/segments/PD1-Patient.yaml',
      'rows:\n',
      'rows:\n  - { to: active, value: true }\n  - { to: active, value: false }\n',
    );
    expect([...findingsOf(bench.setting.mappings).warnings]).toContainEqual(
      expect.stringMatching(
        /^mappings\/segments\/PD1-Patient\.yaml:\d+: warning: a row before it has the key 'active' too: give it a 'key'$/,
      ),
    );
  });

  test('refuses a wrong call with the usage and 2', () => {
    const { code, err } = bench.mapping('check', 'here', 'there');
    expect([code, err.split('\n')]).toEqual([
      2,
      [
        'mapping diff [--no-values] NAME FILE|FOLDER…',
        'mapping check [NAME]',
        'mapping schema',
        'mapping coverage [--site NAME] [--json] FILE|FOLDER…',
        '',
      ],
    ]);
  });
});
