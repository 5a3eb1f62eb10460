import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { frame } from '../../adapters/mllp/frame.ts';
import type { Json } from '../../src/fhir/types.ts';
import { mappingsWith } from '../flow/sites.ts';
import { temporaryFolder } from '../support/app.ts';
import { discharge, hospitalDay } from '../support/messages.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const day = join(root, 'demo', 'hospital-day');

interface Run {
  readonly code: number | null;
  readonly bundles: Json[];
  readonly stderr: string;
}

/** The command as the operator runs it; every line of its output must be JSON. */
function map(...args: string[]): Run {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, 'bin/aftercare.js'), 'map', ...args], {
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
    env: { ...process.env, NODE_NO_WARNINGS: '1', TIME_ZONE: 'Asia/Shanghai' },
  });
  const lines = stdout.split('\n').filter((line) => line !== '');
  return { code: status, bundles: lines.map((line) => JSON.parse(line) as Json), stderr };
}

const types = (bundle: Json | undefined): string[] => (bundle?.entry ?? []).map((it: Json) => it.resource.resourceType);
const resource = (bundle: Json | undefined, type: string): Json =>
  bundle?.entry.find((it: Json) => it.resource.resourceType === type).resource;

const urls = (bundle: Json | undefined): string[] => bundle?.entry.map((it: Json) => it.request.url);

let folder: ReturnType<typeof temporaryFolder>;
const at = (name: string): string => join(folder.path, name);

beforeAll(() => {
  folder = temporaryFolder();
  const one = Buffer.from(discharge({ controlId: 'C1' }));
  const two = Buffer.from(discharge({ controlId: 'C2', patient: '1002', visit: 'V1002' }));
  writeFileSync(at('one.hl7'), one);
  writeFileSync(at('two.hl7'), Buffer.concat([one, two]));
  writeFileSync(at('lines.hl7'), Buffer.concat([one, two]).toString().replaceAll('\r', '\r\n'));
  writeFileSync(at('framed.hl7'), Buffer.concat([frame(one), frame(two)]));
  writeFileSync(at('mark.hl7'), Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), one]));
  writeFileSync(at('broken.hl7'), Buffer.from(discharge({ patient: '', controlId: 'C3' })));
  writeFileSync(at('mixed.hl7'), discharge({ controlId: 'C4' }) + discharge({ patient: '', controlId: 'C5' }));
  writeFileSync(at('other.hl7'), 'this is no message');
  mkdirSync(at('folder'));
  copyFileSync(at('one.hl7'), at('folder/a.hl7'));
  copyFileSync(at('two.hl7'), at('folder/b.txt'));
  writeFileSync(at('folder/readme.md'), 'not a message');
});

afterAll(() => folder.remove());

describe('MAPPINGS names the folder of the mapping files', () => {
  const mappings = mappingsWith({ clinic: 'segments:\n  PID-Patient:\n    - { to: active, value: true }\n' });
  afterAll(() => mappings.remove());
  const aftercare = (...args: string[]): ReturnType<typeof spawnSync> =>
    spawnSync(process.execPath, [join(root, 'bin/aftercare.js'), ...args], {
      encoding: 'utf8',
      env: { ...process.env, NODE_NO_WARNINGS: '1', MAPPINGS: mappings.path },
    });

  test('for map', () => {
    const { status, stdout } = aftercare('map', '--site', 'clinic', at('one.hl7'));
    expect(status).toBe(0);
    expect(resource(JSON.parse(String(stdout)), 'Patient').active).toBe(true);
  });

  test('for mapping', () => {
    expect(aftercare('mapping', 'check', 'clinic')).toMatchObject({ status: 0 });
  });
});

describe('aftercare map', () => {
  test('writes one transaction per message and line, in the order of the files', () => {
    const { code, bundles, stderr } = map(day);
    expect([code, stderr.split('\n').filter((it) => !it.startsWith('warning: '))]).toEqual([0, ['']]);
    expect(bundles.map((it) => it.identifier.value)).toEqual(
      hospitalDay().map((_, i) => `RH202603160000${String(i + 1).padStart(2, '0')}`),
    );
    for (const { resourceType, type, entry } of bundles) {
      expect([resourceType, type]).toEqual(['Bundle', 'transaction']);
      for (const { fullUrl, request, resource: made } of entry) {
        expect(request).toEqual({ method: 'PUT', url: `${made.resourceType}/${made.id}` });
        expect(fullUrl).toBe(`https://aftercare.example/fhir/${request.url}`);
      }
    }
    expect(resource(bundles[1], 'Patient').name[0].given).toEqual(['琟']);
  });

  test('reads several messages in a file, with CR, with CRLF and in frames, a mark in front, and folders', () => {
    const { code, bundles, stderr } = map(
      at('two.hl7'),
      at('lines.hl7'),
      at('framed.hl7'),
      at('mark.hl7'),
      at('folder'),
    );
    expect([code, stderr]).toEqual([0, '']);
    expect(bundles.map((it) => it.identifier.value)).toEqual([
      'C1',
      'C2',
      'C1',
      'C2',
      'C1',
      'C2',
      'C1',
      'C1',
      'C1',
      'C2',
    ]);
    for (const i of [2, 4, 6, 7]) expect(urls(bundles[i])).toEqual(urls(bundles[0]));
  });

  test('goes on after a message that fails, says which and why, and ends with 1', () => {
    const { code, bundles, stderr } = map(at('one.hl7'), at('broken.hl7'), at('other.hl7'), at('mixed.hl7'));
    expect(code).toBe(1);
    expect(bundles.map((it) => it.identifier.value)).toEqual(['C1', 'C4']);
    expect(stderr.split('\n')).toEqual([
      `${at('broken.hl7')}: PID-3.1: a required field is empty, as is PID-2.1 (101)`,
      `${at('other.hl7')}: the message does not begin with a sound MSH segment`,
      `${at('mixed.hl7')}#2: PID-3.1: a required field is empty, as is PID-2.1 (101)`,
      '',
    ]);
  });

  test('adds the follow-up with --plan, and none for who has died', () => {
    const { code, bundles } = map(
      '--plan',
      join(day, '09-A03-zhang-home.hl7'),
      join(day, '12-A03-whitfield-died.hl7'),
      join(day, '01-A01-zhang-endocrinology.hl7'),
    );
    expect(code).toBe(0);
    expect(types(bundles[0])).toEqual(
      expect.arrayContaining(['CarePlan', 'Task', 'Appointment', 'QuestionnaireResponse']),
    );
    expect(types(bundles[1])).not.toContain('CarePlan');
    expect(types(bundles[2])).not.toContain('CarePlan');
    const { status, encounter } = resource(bundles[0], 'CarePlan');
    expect([status, encounter.reference]).toEqual(['active', `Encounter/${resource(bundles[0], 'Encounter').id}`]);
  });

  test('adds where each element came from with --lineage, and gives the same ids in another process', () => {
    const [plain] = map(at('one.hl7')).bundles;
    const [bundle] = map('--lineage', at('one.hl7')).bundles;
    expect(urls(bundle)).toEqual(urls(plain));
    expect(plain?.entry.some((it: Json) => it.extension)).toBe(false);
    const entry = bundle?.entry.find((it: Json) => it.resource.resourceType === 'Patient');
    const rows = entry.extension.map((it: Json) =>
      Object.fromEntries(it.extension.map((part: Json) => [part.url, part.valueString])),
    );
    expect(rows).toContainEqual(expect.objectContaining({ field: 'PID-7', row: 'PID-Patient#PID-7 birthDate' }));
  });

  test.each([
    ['an unknown option', ['--plans', 'one.hl7']],
    ['no file', []],
  ])('refuses %s with the usage and 2', (_, args) => {
    const { code, bundles, stderr } = map(...args);
    expect([code, bundles, stderr]).toEqual([
      2,
      [],
      'map [--plan] [--lineage] [--strict] [--site NAME] FILE|FOLDER…\n',
    ]);
  });

  test('ends quietly when the reader of its output has seen enough', () => {
    const command = `"${process.execPath}" bin/aftercare.js map "${day}" "${day}" 2>/dev/null; echo $? >&2`;
    const { stderr } = spawnSync('sh', ['-c', `{ ${command}; } | head -c 1`], { cwd: root, encoding: 'utf8' });
    expect(stderr).toBe('0\n');
  });

  test('says in a line when a file is not there', () => {
    const { code, stderr } = map(at('nowhere.hl7'));
    expect(code).toBe(1);
    expect(stderr).toMatch(/^ENOENT: .*nowhere\.hl7'?\n$/);
  });
});
