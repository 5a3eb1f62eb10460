import { mkdirSync } from 'node:fs';
import { afterAll, describe, expect, test } from '@jest/globals';
import { frame } from '../../adapters/mllp/frame.ts';
import { discharge } from '../support/messages.ts';
import { Workbench } from './run.ts';

const bench = new Workbench();
afterAll(() => bench.remove());

/** Runs the diff of a site file with these lines. */
function diff(lines: readonly string[], messages: readonly (string | Uint8Array)[], ...options: string[]) {
  bench.write('mappings/sites/here.yaml', `${lines.join('\n')}\n`);
  const files = messages.map((it, i) => bench.write(`${i}.hl7`, it));
  const { code, out, err } = bench.mapping('diff', ...options, 'here', ...files);
  const text = out.replaceAll(`${bench.at('')}/`, '').replaceAll(/\b[0-9a-f-]{36}\b/g, 'ID');
  return { code, err, lines: text.trimEnd().split('\n') };
}

const summary = (messages: string, resources: string, elements: string, codes: string): string[] => [
  `messages: ${messages}`,
  `resources: ${resources}`,
  `elements: ${elements}`,
  `unknown codes: ${codes}`,
];

describe('mapping diff', () => {
  test('of a site that changes nothing says so and ends with 0', () => {
    const same = '{ field: PID-8, to: gender, type: CWE-code, table: AdministrativeSex }';
    const run = diff(['segments:', '  PID-Patient:', `    - ${same}`], [discharge()]);
    expect(run).toEqual({
      code: 0,
      err: '',
      lines: summary(
        '0 differ, 1 do not, 0 cannot be mapped',
        '0 added, 0 changed, 0 removed; 0 have another id',
        '0 added, 0 changed, 0 removed',
        '0 fewer, 0 more',
      ),
    });
  });

  test('shows elements that are added, changed and removed, with the line that did it, and ends with 3', () => {
    const { code, lines } = diff(
      [
        'segments:',
        '  PID-Patient:',
        '    - { field: PID-8, to: gender, value: other }',
        '    - { key: PID-7 birthDate, remove: true }',
        '    - { to: active, value: true }',
      ],
      [discharge()],
    );
    expect(code).toBe(3);
    expect(lines.slice(0, 5)).toEqual([
      '0.hl7',
      '  ~ Patient/ID',
      '    - birthDate  "1980-02-29"  <- mappings/sites/here.yaml:4 removes PID-Patient#PID-7 birthDate',
      '    ~ gender  "female" -> "other"  <- mappings/sites/here.yaml:3 PID-Patient#PID-8 gender',
      '    + active  true  <- mappings/sites/here.yaml:5 PID-Patient#active',
    ]);
    expect(lines.slice(5)).toEqual(
      summary(
        '1 differ, 0 do not, 0 cannot be mapped',
        '0 added, 1 changed, 0 removed; 0 have another id',
        '1 added, 1 changed, 1 removed',
        '0 fewer, 0 more',
      ),
    );
  });

  test('hides what the elements hold with --no-values', () => {
    const { lines } = diff(
      ['segments:', '  PID-Patient:', '    - { field: PID-8, to: gender, value: other }'],
      [discharge()],
      '--no-values',
    );
    expect(lines[2]).toBe('    ~ gender  <- mappings/sites/here.yaml:3 PID-Patient#PID-8 gender');
  });

  test('shows what a segment of the hospital makes, and resources that its map adds', () => {
    const { lines } = diff(
      [
        'segments:',
        '  ZPI-Flag:',
        '    segment: ZPI',
        '    resource: Flag',
        '    rows:',
        '      - { to: status, value: active }',
        '      - { to: subject, reference: Patient }',
        '      - { field: ZPI-2, to: code }',
        'messages:',
        '  ADT:',
        '    - { segment: ZPI, map: ZPI-Flag }',
      ],
      [`${discharge()}ZPI|1|FALL^Falls\r`],
    );
    expect(lines.slice(0, 8)).toEqual([
      '0.hl7',
      '  ~ Provenance/ID',
      expect.stringMatching(/^ {4}\+ target\[\d\] {2}\{"reference":"Flag\/ID"\}/),
      '  + Flag/ID',
      '    + status  "active"  <- mappings/sites/here.yaml:6 ZPI-Flag#status',
      '    + subject.reference  "Patient/ID"  <- mappings/sites/here.yaml:7 ZPI-Flag#subject',
      '    + code.coding[0]  {"code":"FALL","display":"Falls"}  <- mappings/sites/here.yaml:8 ZPI-Flag#ZPI-2 code',
      'messages: 1 differ, 0 do not, 0 cannot be mapped',
    ]);
  });

  test('shows resources that are gone with the entry that the site removes', () => {
    const { lines } = diff(
      [
        'messages:',
        '  ADT:',
        '    - { key: DG1 DG1-Condition, remove: true }',
        '    - { key: NTE NTE-Condition, remove: true }',
      ],
      [discharge()],
    );
    expect(lines).toContain('  - Condition/ID');
    expect(lines.find((it) => it.includes('- code.coding[0]'))).toMatch(
      / {2}<- mappings\/sites\/here\.yaml:3 removes DG1 DG1-Condition$/,
    );
  });

  test('knows resources again that get another id, and counts them', () => {
    const { lines } = diff(['systems:', '  RENHE: https://renhe.example/ids'], [discharge()]);
    expect(lines).toContain('  ~ Patient/ID -> Patient/ID');
    expect(lines).toContain(
      '    ~ identifier[0].system  "urn:id:RENHE" -> "https://renhe.example/ids"  <- mappings/sites/here.yaml:2 systems RENHE',
    );
    expect(lines.filter((it) => it.includes('reference'))).toEqual([]);
    expect(lines.at(-3)).toMatch(/^resources: 0 added, \d+ changed, 0 removed; \d+ have another id$/);
  });

  test('shows codes that are known now, with the table of the site', () => {
    const coded = discharge().replace('|W1^101^01^RENHE|', '|W1^101^01^RENHE||||').replace('||||D012', '|D012');
    const sent = coded.replace(/(\|D012[^|]*)\|\|\|/, '$1|||ZJ');
    expect(sent.split('PV1|')[1]?.split('|')[9]).toBe('ZJ');
    const { lines } = diff(
      ['tables:', '  HospitalService:', '    ZJ: { system: "http://snomed.info/sct", code: "394579002" }'],
      [sent],
    );
    expect(lines.slice(2)).toEqual([
      '    + serviceType.coding[0]  {"system":"http://snomed.info/sct","code":"394579002"}  <- mappings/sites/here.yaml:2 tables HospitalService (PV1-Encounter#PV1-10 serviceType)',
      "  - unknown code PV1-10: 'ZJ' is not in table HospitalService",
      ...summary(
        '1 differ, 0 do not, 0 cannot be mapped',
        '0 added, 1 changed, 0 removed; 0 have another id',
        '1 added, 0 changed, 0 removed',
        '1 fewer, 0 more',
      ),
    ]);
  });

  test('reads each message in the character set of the site', () => {
    const header = discharge().replace('UNICODE UTF-8', '');
    const sent = Buffer.from(header.replace('Doe^Jane', '\u0000^Jane'), 'latin1');
    const at = sent.indexOf(0);
    const gbk = Buffer.concat([sent.subarray(0, at), Buffer.from([0xd5, 0xc5]), sent.subarray(at + 1)]);
    const { code, lines } = diff(['settings:', '  charset: GB 18030-2000'], [gbk]);
    expect(code).toBe(3);
    expect(lines[1]).toMatch(/^ {2}~ the message: refused: MSH-18: the bytes are not utf-8.* -> mapped$/);
  });

  test('takes frames, batches and folders', () => {
    mkdirSync(bench.at('folder/inner'), { recursive: true });
    const [one, two] = [discharge({ controlId: 'C1' }), discharge({ controlId: 'C2' })];
    bench.write('folder/frames.hl7', Buffer.concat([frame(Buffer.from(one)), frame(Buffer.from(two))]));
    bench.write('folder/inner/batch.hl7', `BHS|^~\\&|HIS\r${one}${two}BTS|2\r`);
    bench.write('mappings/sites/here.yaml', 'segments:\n  PID-Patient:\n    - { to: active, value: true }\n');
    const { code, out } = bench.mapping('diff', 'here', bench.at('folder'));
    expect(code).toBe(3);
    expect(out.match(/^\S*hl7.*$/gm)?.map((it) => it.slice(bench.at('folder/').length))).toEqual([
      'frames.hl7#1',
      'frames.hl7#2',
      'inner/batch.hl7#1',
      'inner/batch.hl7#2',
    ]);
  });

  test('ends with 1 when a message can be mapped neither way, and shows the others all the same', () => {
    const { code, err, lines } = diff(
      ['segments:', '  PID-Patient:', '    - { to: active, value: true }'],
      [discharge(), discharge({ patient: '' })],
    );
    expect(code).toBe(1);
    expect(err).toBe(`${bench.at('1.hl7')}: refused: PID-3.1: a required field is empty, as is PID-2.1 (101)\n`);
    expect(lines).toContain('messages: 1 differ, 0 do not, 1 cannot be mapped');
  });

  test('stops at a site file that cannot be used, with file and line', () => {
    expect(() => diff(['segments:', '  PID-Patient:', '    - { to: activ, value: true }'], [discharge()])).toThrow(
      "mappings/sites/here.yaml:3: Patient has no element 'activ'",
    );
  });

  test.each([
    ['no message', ['here']],
    ['an option that is not there', ['--values', 'here', 'x.hl7']],
  ])('refuses %s with the usage and 2', (_, args) => {
    expect(bench.mapping('diff', ...args)).toEqual({
      code: 2,
      out: '',
      err: 'mapping diff [--no-values] NAME FILE|FOLDER…\n',
    });
  });
});
