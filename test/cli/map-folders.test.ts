import { mkdirSync } from 'node:fs';
import { afterAll, afterEach, describe, expect, jest, test } from '@jest/globals';
import type { Json } from '../../src/fhir/types.ts';
import { discharge } from '../support/messages.ts';
import { type Run, Workbench } from './run.ts';

const bench = new Workbench();
afterAll(() => bench.remove());
afterEach(() => {
  jest.restoreAllMocks();
});

const bundles = ({ out }: Run): Json[] =>
  out
    .split('\n')
    .filter((it) => it !== '')
    .map((it) => JSON.parse(it));
const controlIds = (run: Run): string[] => bundles(run).map((it) => it.identifier.value);
const resource = (run: Run, type: string): Json =>
  bundles(run)[0]?.entry.find((it: Json) => it.resource.resourceType === type)?.resource;
const numbered = (n: number): string => discharge({ controlId: `C${n}`, patient: `${1000 + n}`, visit: `V${n}` });

describe('aftercare map of folders', () => {
  test('takes what is below, in the order of names, and of each folder only what is a message', () => {
    mkdirSync(bench.at('in/b'), { recursive: true });
    mkdirSync(bench.at('in/.git'));
    bench.write('in/c.hl7', numbered(3));
    bench.write('in/b/2.dat', numbered(2));
    bench.write('in/a.MSG', numbered(1));
    bench.write('in/d', `\u000b${numbered(4)}\u001c\r`);
    bench.write('in/e.bin', Buffer.from(`\ufeff${numbered(5).replace('UTF-8', 'UTF-16')}`, 'utf16le'));
    bench.write('in/README.md', 'MSHs of this folder are from the ward');
    bench.write('in/.git/x.hl7', numbered(9));
    const run = bench.map(bench.at('in'));
    expect([run.code, run.err]).toEqual([0, '']);
    expect(controlIds(run)).toEqual(['C1', 'C2', 'C3', 'C4', 'C5']);
  });

  test('cuts batches, and says when a count does not fit', () => {
    const sound = bench.write('sound.hl7', `FHS|^~\\&|HIS\rBHS|^~\\&|HIS\r${numbered(1)}${numbered(2)}BTS|2\rFTS|1\r`);
    const short = bench.write('short.hl7', `BHS|^~\\&|HIS\r${numbered(3)}${numbered(4)}BTS|3\r`);
    expect(bench.map(sound)).toMatchObject({ code: 0, err: '' });
    const run = bench.map(sound, short);
    expect([run.code, run.err]).toEqual([1, `${short}#1: the batch: BTS-1 says 3 messages, 2 came\n`]);
    expect(controlIds(run)).toEqual(['C1', 'C2', 'C3', 'C4']);
  });

  test('tells of text that stands in front of the messages, and takes them', () => {
    const file = bench.write('log.hl7', `exported on Monday\r\n${numbered(1)}${numbered(2)}`);
    const run = bench.map(file);
    expect([run.code, run.err]).toEqual([1, `${file}#1: the message does not begin with a sound MSH segment\n`]);
    expect(controlIds(run)).toEqual(['C1', 'C2']);
  });

  test('gives the same output for the same bytes at any time', () => {
    const file = bench.write('one.hl7', discharge().replace('EVN|A03|20260316103000', 'EVN|A03'));
    jest.spyOn(Date, 'now').mockReturnValue(Date.UTC(2026, 2, 17));
    const today = bench.map('--plan', '--lineage', file);
    jest.spyOn(Date, 'now').mockReturnValue(Date.UTC(2031, 5, 1));
    expect(bench.map('--plan', '--lineage', file)).toEqual(today);
    expect(resource(today, 'CarePlan')).toBeDefined();
    expect(resource(today, 'Provenance').recorded).toBe('2026-03-16T10:30:00+08:00');
  });

  test('of a message that names no time the Provenance is of 1970, for it must say one', () => {
    const file = bench.write('none.hl7', discharge().replaceAll('20260316103000', ''));
    expect(resource(bench.map(file), 'Provenance').recorded).toBe('1970-01-01T08:00:00+08:00');
  });

  test('names codes that no table has once each, and takes them for errors with --strict', () => {
    const coded = (n: number): string => numbered(n).replace('DG1|', 'AL1|1|ZZ|MILK^Milk\rDG1|');
    const [one, two] = [bench.write('1.hl7', coded(1)), bench.write('2.hl7', coded(2))];
    const run = bench.map(one, two);
    const text = `AL1-2: 'ZZ' is not in table AllergyType (2 messages, first ${one})`;
    expect(run.err.split('\n')).toContain(`warning: ${text}`);
    expect(run.code).toBe(0);
    const strict = bench.map('--strict', one, two);
    expect(strict.err.split('\n')).toContain(text);
    expect([strict.code, strict.out]).toEqual([1, run.out]);
  });

  test('reads with what the site says: its rows, its character set, and events that it does not want', () => {
    bench.write(
      'mappings/sites/here.yaml',
      'settings:\n  charset: GB 18030-2000\n  otherEvents: ignore\nsegments:\n  PID-Patient:\n    - { to: active, value: true }\n',
    );
    const [before, after] = discharge().replace('UNICODE UTF-8', '').split('Doe');
    const gbk = Buffer.concat([Buffer.from(before ?? ''), Buffer.from([0xd5, 0xc5]), Buffer.from(after ?? '')]);
    const other = bench.write('other.hl7', discharge().replaceAll('A03', 'P10'));
    const run = bench.map('--site', 'here', bench.write('gbk.hl7', gbk), other);
    expect([run.code, run.err]).toEqual([0, `${other}: ignored: MSH-9.2: this event is not mapped (201)\n`]);
    expect(resource(run, 'Patient')).toMatchObject({ active: true, name: [{ family: '张' }] });
    expect(bench.map(other)).toMatchObject({ code: 1, err: `${other}: MSH-9.2: this event is not mapped (201)\n` });
  });
});
