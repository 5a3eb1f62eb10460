/**
 * HAPI's instance validator over everything that we make: no error. It stands beside the project (../shared/validator) and
 * wants Java; where either is missing the test says so and passes, except that CI must have Java when it has the validator.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from '@jest/globals';
import { claiming } from '../../scripts/make-examples.ts';
import { enrol, isExpired } from '../../src/care/enrol.ts';
import { withdrawn } from '../../src/care/withdraw.ts';
import type { StoredResource } from '../../src/fhir/types.ts';
import { general, keyPatient, patient, profileFolder, visit } from '../care/support.ts';
import { Workbench } from '../cli/run.ts';
import { broken } from '../fhir/profiles-cases.ts';
import { mapped, shanghai } from '../mapping/support.ts';
import { temporaryFolder } from '../support/app.ts';
import { foreignFolder, resourcesIn } from '../support/foreign.ts';
import { foreignSamples, hospitalDay } from '../support/messages.ts';

const bench = new Workbench();
afterAll(() => bench.remove());

const validator = fileURLToPath(new URL('../../../shared/validator/validate', import.meta.url));

/** Why the validator cannot run here; undefined when it can. */
function obstacle(): string | undefined {
  if (!existsSync(validator)) return 'there is no ../shared/validator';
  if (spawnSync('java', ['-version']).status === 0) return undefined;
  if (process.env.CI === 'true') throw new Error('CI has the validator but no Java to run it');
  return 'there is no Java';
}
const missing = obstacle();
const title = (text: string): string => (missing ? `skipped: ${missing}: ${text}` : text);

/** Runs the validator with our profiles over resources, one a line; gives its exit code and the errors, one a line. */
function judge(resources: readonly object[], ...more: string[]): { code: number | null; errors: string[] } {
  const folder = temporaryFolder();
  try {
    const path = join(folder.path, 'all.ndjson');
    writeFileSync(path, resources.map((it) => `${JSON.stringify(it)}\n`).join(''));
    const options = ['--profiles', profileFolder, '--level', 'error', '--json'];
    const { status, stdout, stderr } = spawnSync(validator, [...options, path, ...more], {
      encoding: 'utf8',
      maxBuffer: 64 * 1024 * 1024,
    });
    const errors = stdout.split('\n').filter((line) => line.startsWith('{'));
    return { code: status, errors: status === 2 ? [stderr] : errors };
  } finally {
    folder.remove();
  }
}

/** Each resource once: a ward stands in every message of its patients, and a judgement takes 15 ms. */
function distinct(bundles: readonly (readonly StoredResource[])[]): StoredResource[][] {
  const seen = new Set<string>();
  const isNew = (it: StoredResource): boolean => {
    const text = JSON.stringify(it);
    return !seen.has(text) && seen.add(text) === seen;
  };
  return bundles.map((resources) => resources.filter(isNew)).filter((it) => it.length > 0);
}

function bundle(resources: readonly StoredResource[]): object {
  const entry = resources.map((resource) => {
    const url = `${resource.resourceType}/${resource.id}`;
    return { fullUrl: `https://aftercare.example/fhir/${url}`, resource, request: { method: 'PUT', url } };
  });
  return { resourceType: 'Bundle', type: 'transaction', entry };
}

const resourcesOf = (bytes: Uint8Array): StoredResource[] => mapped(bytes).resources.map((it) => it.resource);

/** The follow-up of every discharge of the day, and one of each special kind. */
function followUps(): StoredResource[][] {
  const now = Date.parse('2026-03-16T10:31:00+08:00');
  const discharges = hospitalDay().flatMap(({ bytes }) => {
    const resources = resourcesOf(bytes);
    const who = resources.find((it) => it.resourceType === 'Patient') as StoredResource;
    const encounter = resources.find((it) => it.resourceType === 'Encounter') as StoredResource;
    if (encounter.status !== 'finished' || isExpired(who, encounter)) return [];
    return [enrol(general, { patient: who, encounter, flags: [], enrolment: 1, now }, shanghai)];
  });
  const special = { patient, encounter: visit(), flags: [keyPatient], enrolment: 2 };
  const late = enrol(general, { ...special, now: now + 60 * 86_400_000 }, shanghai);
  const made = enrol(general, { ...special, now }, shanghai);
  const cancelled = made.flatMap((it) => withdrawn(it, 'cancelled-discharge') ?? []);
  const died = made.flatMap((it) => withdrawn(it, 'deceased') ?? []);
  return [...discharges, made, late, cancelled, died];
}

const profiled = new Set(['Patient', 'Encounter', 'CarePlan', 'Task', 'Appointment', 'QuestionnaireResponse']);

describe('HAPI’s validator', () => {
  // One run: most of its seconds are the start.
  test(title(
    'finds no error in what the hospital day and the foreign messages become, in the follow-ups, in our profiles and their examples',
  ), () => {
    if (missing) return void process.stderr.write(`validator: ${missing}\n`);
    const messages = [...hospitalDay(), ...(foreignSamples() ?? [])].map(({ bytes }) => resourcesOf(bytes));
    const bundles = distinct([...messages, ...followUps()]).map((resources) =>
      bundle(resources.map((it) => (profiled.has(it.resourceType) ? claiming(it) : it))),
    );
    // What foreign systems book and ask follows R4; the profiles of those types are of follow-ups.
    const foreign = distinct(resourcesIn(bench.map(foreignFolder).out)).map((resources) =>
      bundle(resources.map((it) => (['Patient', 'Encounter'].includes(it.resourceType) ? claiming(it) : it))),
    );
    expect(foreign.length).toBeGreaterThan(90);
    expect(judge([...bundles, ...foreign], profileFolder)).toEqual({ code: 0, errors: [] });
  }, 600_000);

  test(title('refuses every example that we refuse by our profiles'), () => {
    if (missing) return void process.stderr.write(`validator: ${missing}\n`);
    const all = broken();
    const { errors } = judge(all.map((it) => it.resource));
    const refused = new Set(errors.map((line) => Number(/line (\d+)/.exec(JSON.parse(line).at)?.[1])));
    expect(all.filter((_, i) => !refused.has(i + 1)).map((it) => it.what)).toEqual([]);
  }, 120_000);
});
