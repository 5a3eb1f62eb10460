/** The profiles that we publish: what the server writes follows them, and what breaks them is said. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { claiming, examples } from '../../scripts/make-examples.ts';
import { withSnapshot } from '../../scripts/make-snapshots.ts';
import { enrol } from '../../src/care/enrol.ts';
import { withdrawn } from '../../src/care/withdraw.ts';
import { Library } from '../../src/fhir/terminology/library.ts';
import type { Json, StoredResource } from '../../src/fhir/types.ts';
import { errorsOf } from '../../src/fhir/validate.ts';
import { profileErrors } from '../../src/fhir/validation/profile.ts';
import { readProfiles } from '../../src/profiles.ts';
import { general, keyPatient, patient, profileFolder, visit } from '../care/support.ts';
import { mapped, shanghai } from '../mapping/support.ts';
import { foreignSamples, hospitalDay } from '../support/messages.ts';
import { realResources } from './examples.ts';
import { broken } from './profiles-cases.ts';

const published = (type: string) =>
  new Map(
    readProfiles(profileFolder)
      .filter((it) => it.resourceType === type)
      .map((it) => [it.url as string, it]),
  );
const structures = published('StructureDefinition');
const [valueSets, codeSystems] = [published('ValueSet'), published('CodeSystem')];
const library = new Library({
  valueSet: (url) => valueSets.get(url),
  codeSystem: (url) => codeSystems.get(url),
  conceptMap: () => undefined,
});
const sources = { library, structure: (url: string): Json | undefined => structures.get(url) };
const profiled = ['Patient', 'Encounter', 'CarePlan', 'Task', 'Appointment', 'QuestionnaireResponse'];
const profileOf = (type: string): StoredResource =>
  structures.get(
    `https://aftercare.example/fhir/StructureDefinition/aftercare-${type.toLowerCase()}`,
  ) as StoredResource;

/** The problems of resources with our profile of their type; those of other types have none. */
function problems(resources: readonly Json[]): string[] {
  return resources
    .filter((it) => profiled.includes(it.resourceType))
    .flatMap((it) => profileErrors(it, [profileOf(it.resourceType)], { ...sources, trusted: true }))
    .map((it) => `${it.expression}: ${it.text}`);
}

describe.each(profiled)('the profile of %s', (type) => {
  const profile = profileOf(type);

  test('is sound, and says what its differential says of the type', () => {
    expect(errorsOf(profile)).toEqual([]);
    expect(withSnapshot(profile)).toEqual(profile);
    expect(profile.snapshot.element.length).toBeGreaterThan(profile.differential.element.length);
  });

  test('is described in Chinese and English', () => {
    for (const it of [profile, ...profile.differential.element.filter((element: Json) => element.short)])
      for (const key of ['title', 'short', 'description']) if (it[key]) expect(it[`_${key}`].extension).toHaveLength(1);
  });

  test('has an example', () => {
    expect([...examples().values()].map((it) => it.resourceType)).toContain(type);
  });
});

describe('the examples', () => {
  const folder = fileURLToPath(new URL('../../profiles/examples/', import.meta.url));

  test('are what mapping and care make today: else run scripts/make-examples.ts', () => {
    const made = Object.fromEntries(examples());
    expect(readdirSync(folder).sort()).toEqual(Object.keys(made).sort());
    for (const [name, resource] of Object.entries(made))
      expect(JSON.parse(readFileSync(folder + name, 'utf8'))).toEqual(JSON.parse(JSON.stringify(resource)));
  });

  test('are sound and follow the profile that they claim', () => {
    const made = [...examples().values()];
    expect(made.flatMap(errorsOf)).toEqual([]);
    for (const it of made) expect(profileErrors(it, it.meta?.profile.map(sources.structure), sources)).toEqual([]);
  });
});

describe('what the server writes follows our profiles', () => {
  test('from the hospital day and the foreign samples', () => {
    const resources = [...hospitalDay(), ...(foreignSamples() ?? [])].flatMap(({ bytes }) =>
      mapped(bytes).resources.map((it) => it.resource),
    );
    expect(resources.filter((it) => profiled.includes(it.resourceType)).length).toBeGreaterThan(30);
    expect(problems(resources)).toEqual([]);
  });

  test('in the follow-up of every discharge of the day', () => {
    const resources = realResources().filter((it) => profiled.includes(it.resourceType));
    expect(new Set(resources.map((it) => it.resourceType))).toEqual(new Set(profiled));
    expect(problems(resources)).toEqual([]);
  });

  test('for a key patient, for a discharge that comes late, and when it is taken back', () => {
    const now = Date.parse('2026-03-16T10:31:00+08:00');
    const discharge = { patient, encounter: visit(), flags: [keyPatient], enrolment: 2 };
    const made = [now, now + 60 * 86_400_000].flatMap((it) => enrol(general, { ...discharge, now: it }, shanghai));
    const taken = made.flatMap((it) =>
      [withdrawn(it, 'cancelled-discharge') ?? [], withdrawn(it, 'deceased') ?? []].flat(),
    );
    expect(new Set([...made, ...taken].map((it) => it.status))).toEqual(
      new Set([
        'active',
        'revoked',
        'requested',
        'failed',
        'cancelled',
        'proposed',
        'in-progress',
        'stopped',
        undefined,
      ]),
    );
    expect(problems([...made, ...taken])).toEqual([]);
  });
});

describe('what breaks a profile of ours', () => {
  test.each(broken().map((it) => [it.what, it] as const))('%s is sound R4, and said', (_, { resource, at, text }) => {
    expect(errorsOf(resource)).toEqual([]);
    const found = profileErrors(resource, [profileOf(resource.resourceType)], sources);
    expect(found).toContainEqual({ text: expect.stringContaining(text), expression: at });
  });

  test('is said with the name of the profile', () => {
    const task = { ...claiming(examples().get('Task-call.json') as StoredResource), intent: 'plan' };
    expect(profileErrors(task, [profileOf('Task')], sources)).toEqual([
      { text: 'AftercareTask: must be "order"', expression: 'Task.intent' },
    ]);
  });
});
