import { afterAll, describe, expect, test } from '@jest/globals';
import { discharge } from '../support/messages.ts';
import { Workbench } from './run.ts';

const bench = new Workbench();
afterAll(() => bench.remove());

const local = 'ZPI|1|FALL\r';

describe('mapping coverage', () => {
  test('says of each field of each sender how often it came and what becomes of it', () => {
    const other = discharge({ controlId: 'C9' }).replace('|HIS|RENHE|', '|LAB|RENHE|');
    const files = [
      bench.write('1.hl7', discharge() + local),
      bench.write('2.hl7', discharge({ controlId: 'C2' }) + local),
      bench.write('3.hl7', other),
    ];
    const { code, out, err } = bench.mapping('coverage', ...files);
    expect([code, err]).toEqual([0, '']);
    const [his, lab] = out.split('\n\n');
    const rows = his?.split('\n') ?? [];
    expect(rows[0]).toBe('HIS RENHE: 2 messages');
    expect(rows).toContainEqual(expect.stringMatching(/^PID-8 +2 +mapped +Patient\.gender$/));
    expect(rows).toContainEqual(expect.stringMatching(/^PID-3 +2 +mapped +Patient\.identifier$/));
    expect(rows).toContainEqual(expect.stringMatching(/^PID-1 +2 +nowhere +a number of the segment$/));
    expect(rows).toContainEqual(expect.stringMatching(/^ZPI-1 +2 +no row$/));
    expect(rows).toContainEqual(expect.stringMatching(/^ZPI-2 +2 +no row$/));
    expect(rows.at(-1)).toMatch(/^mapped \d+, deletes 0, nowhere \d+, not used 0, read \d+, no row 4$/);
    expect(lab?.split('\n')[0]).toBe('LAB RENHE: 1 message');
    expect(lab).not.toContain('ZPI');
    const names = rows.slice(1, -1).map((row) => row.split(' ')[0]);
    expect(names.indexOf('PID-8')).toBeLessThan(names.indexOf('PID-13'));
    expect(names.indexOf('MSH-3')).toBeLessThan(names.indexOf('PID-3'));
  });

  test('counts messages that cannot be mapped, says which and why, and ends with 1', () => {
    const files = [bench.write('1.hl7', discharge()), bench.write('2.hl7', discharge({ patient: '' }))];
    const { code, out, err } = bench.mapping('coverage', ...files);
    expect(code).toBe(1);
    expect(err).toBe(`${bench.at('2.hl7')}: PID-3.1: a required field is empty, as is PID-2.1 (101)\n`);
    expect(out.split('\n').slice(0, 2)).toEqual([
      'HIS RENHE: 2 messages',
      'not mapped: 1  PID-3.1: a required field is empty, as is PID-2.1 (101)',
    ]);
  });

  test('is JSON with --json, and reads with the rows of a site', () => {
    bench.write(
      'mappings/sites/here.yaml',
      [
        'segments:',
        '  ZPI-Patient:',
        '    segment: ZPI',
        '    resource: Patient',
        '    rows:',
        '      - { field: ZPI-1, nowhere: a number of the segment }',
        '      - { field: ZPI-2, to: extension(https://renhe.example/fhir/risk).valueCode }',
        'messages:',
        '  ADT:',
        '    - { segment: ZPI, map: ZPI-Patient, into: Patient }',
        '',
      ].join('\n'),
    );
    const file = bench.write('1.hl7', discharge() + local);
    const { out } = bench.mapping('coverage', '--json', '--site', 'here', file);
    const [sender] = JSON.parse(out);
    expect(sender).toMatchObject({ application: 'HIS', facility: 'RENHE', messages: 1, refused: {} });
    expect(sender.totals['no row']).toBe(0);
    expect(sender.fields.filter((it: any) => it.field.startsWith('ZPI'))).toEqual([
      { field: 'ZPI-1', use: 'nowhere', count: 1, reason: 'a number of the segment' },
      { field: 'ZPI-2', use: 'mapped', count: 1, elements: ['Patient.extension.valueCode'] },
    ]);
  });

  test('refuses a wrong call with the usage and 2', () => {
    expect(bench.mapping('coverage')).toEqual({
      code: 2,
      out: '',
      err: 'mapping coverage [--site NAME] [--json] FILE|FOLDER…\n',
    });
  });
});
