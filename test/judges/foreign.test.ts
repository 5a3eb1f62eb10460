/**
 * Messages of eighteen foreign systems, v2.3 to v2.8, through `npm run map`: what becomes of them is judged by our own validator
 * here, and by HAPI's in validator.test.ts.
 */
import { afterAll, afterEach, describe, expect, jest, test } from '@jest/globals';
import { Library } from '../../src/fhir/terminology/library.ts';
import type { Json, StoredResource } from '../../src/fhir/types.ts';
import { errorsOf } from '../../src/fhir/validate.ts';
import { profileErrors } from '../../src/fhir/validation/profile.ts';
import { readMappings } from '../../src/mapping/read.ts';
import { readProfiles } from '../../src/profiles.ts';
import { profileFolder } from '../care/support.ts';
import { Workbench } from '../cli/run.ts';
import { mappingFolder } from '../mapping/support.ts';
import { foreignFolder, foreignMessages, resourcesIn } from '../support/foreign.ts';

const bench = new Workbench();
afterAll(() => bench.remove());
afterEach(() => {
  jest.restoreAllMocks();
});

const run = bench.map(foreignFolder);
const messages = foreignMessages();
const lines = (text: string): string[] => text.split('\n').filter((line) => line !== '');

const byUrl = (type: string): Map<string, StoredResource> =>
  new Map(
    readProfiles(profileFolder)
      .filter((it) => it.resourceType === type)
      .map((it) => [it.url, it]),
  );
const [structures, valueSets, codeSystems] = ['StructureDefinition', 'ValueSet', 'CodeSystem'].map(byUrl) as [
  Map<string, StoredResource>,
  Map<string, StoredResource>,
  Map<string, StoredResource>,
];
const sources = {
  structure: (url: string): Json | undefined => structures.get(url),
  library: new Library({
    valueSet: (url) => valueSets.get(url),
    codeSystem: (url) => codeSystems.get(url),
    conceptMap: () => undefined,
  }),
  trusted: true,
};

/** The problems of a resource with R4, and of a patient or a visit with our profile; those of other types are of follow-ups. */
function problemsOf(resource: StoredResource): string[] {
  const { resourceType: type } = resource;
  const profile =
    ['Patient', 'Encounter'].includes(type) &&
    structures.get(`https://aftercare.example/fhir/StructureDefinition/aftercare-${type.toLowerCase()}`);
  const found = [...errorsOf(resource), ...(profile ? profileErrors(resource, [profile], sources) : [])];
  return found.map(({ expression, text }) => `${expression}: ${text}`);
}

describe('foreign messages', () => {
  test('hold every event that is mapped, in two versions at least, and the character sets of many countries', () => {
    const versions = new Map<string, Set<string>>();
    for (const { message } of messages) {
      const event = message.header.text(9, 2);
      versions.set(event, (versions.get(event) ?? new Set()).add(message.header.text(12)));
    }
    const events = readMappings(mappingFolder).messages.flatMap(({ content }) => content.events);
    expect(events.filter((it) => (versions.get(it)?.size ?? 0) < 2)).toEqual([]);
    expect([...new Set([...versions.values()].flatMap((it) => [...it]))].sort()).toEqual([
      '2.3',
      '2.3.1',
      '2.4',
      '2.5',
      '2.5.1',
      '2.6',
      '2.7',
      '2.8',
    ]);
    expect(new Set(messages.map((it) => it.charset)).size).toBe(9);
  });

  test('become a bundle each; the command ends with 0, and tells of nothing but codes that no table has', () => {
    expect(run.code).toBe(0);
    expect(lines(run.err).filter((it) => !/^warning: .* is not in table /.test(it))).toEqual([]);
    const controlIds = lines(run.out).map((line) => JSON.parse(line).identifier.value);
    expect(controlIds).toEqual(messages.map(({ message }) => message.header.text(10)));
  });

  test('become the same bytes at any time', () => {
    jest.spyOn(Date, 'now').mockReturnValue(Date.UTC(2031, 5, 1));
    expect(bench.map(foreignFolder)).toEqual(run);
  });

  test('become sound R4 that follows our profiles', () => {
    const wrong = resourcesIn(run.out).flatMap((resources, i) =>
      resources.flatMap((it) =>
        problemsOf(it).map((problem) => `${messages[i]?.name} ${it.resourceType}/${it.id} ${problem}`),
      ),
    );
    expect(wrong).toEqual([]);
  });

  test('become sound Bundles, also with lineage and follow-ups', () => {
    const { code, out } = bench.map('--plan', '--lineage', foreignFolder);
    expect(code).toBe(0);
    expect(lines(out).flatMap((line) => errorsOf(JSON.parse(line)))).toEqual([]);
  });

  test('lose no field but those of their own segments', () => {
    const { code, out } = bench.mapping('coverage', '--json', foreignFolder);
    expect(code).toBe(0);
    const lost = (JSON.parse(out) as Json[]).flatMap(({ application, fields }) =>
      fields
        .filter(({ use }: Json) => ['no row', 'not used', 'read'].includes(use))
        .map(({ field, use, reason }: Json) => `${application} ${field} ${use} ${reason}`),
    );
    expect(lost.filter((it) => !/ Z[A-Z]{2}-\d+ no row /.test(it))).toEqual([]);
  });

  test('that cannot be read are told by their place, end the command with 1, and keep no other from being mapped', () => {
    const good = Buffer.from(`MSH|^~\\&|A|B|||20240101||ADT^A31|1|P|2.5|||||||UNICODE UTF-8\rPID|1||1^^^B\r`);
    const latin = Buffer.from(good.toString().replace('1^^^B', '1^^^B||Käthe'), 'latin1');
    const path = bench.write(
      'mixed.hl7',
      Buffer.concat([good, latin, Buffer.from(good.toString().replace('A31', 'P03'))]),
    );
    const { code, out, err } = bench.map(path);
    expect([code, lines(out).length]).toEqual([1, 1]);
    expect(lines(err)).toEqual([
      `${path}#2: MSH-18: the bytes are not utf-8; they would be valid as gb18030 or big5 or shift_jis`,
      `${path}#3: MSH-9.2: this event is not mapped (201)`,
    ]);
  });
});
