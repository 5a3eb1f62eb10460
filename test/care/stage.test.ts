import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { SqliteStore } from '../../adapters/sqlite/store.ts';
import { carePlanId } from '../../src/care/enrol.ts';
import { careStage } from '../../src/care/stage.ts';
import { FixedClock } from '../../src/clock.ts';
import { Commit } from '../../src/commit/commit.ts';
import { SearchParameters } from '../../src/fhir/search/parameters.ts';
import type { Json, StoredResource } from '../../src/fhir/types.ts';
import { errorsOf } from '../../src/fhir/validate.ts';
import { Zone } from '../../src/fhir/zone.ts';
import { Failure } from '../../src/outcome.ts';
import type { Key } from '../../src/store/store.ts';
import { actionOf, general, keyPatient, patient, visit } from './support.ts';

const zone = new Zone('Asia/Shanghai');
const parameters = new SearchParameters(zone);
const day = 86_400_000;

let store: SqliteStore;
let commit: Commit;
let clock: FixedClock;
let care: () => Promise<unknown>;
let refused: string[];
const notMade = ({ type, id }: Key): void => void refused.push(`${type}/${id}`);

beforeEach(() => {
  refused = [];
  store = new SqliteStore(':memory:');
  clock = new FixedClock('2026-03-16T02:31:00Z');
  commit = new Commit(store, parameters, clock);
  care = careStage({ store, commit, parameters, protocols: [general], zone, clock, notMade });
});

afterEach(() => store.close());

async function put(...resources: readonly StoredResource[]): Promise<void> {
  await commit.run({
    cause: 'message:1',
    keys: resources.map(({ resourceType: type, id }) => ({ type, id })),
    decide: () => ({ intentions: resources.map((resource) => ({ kind: 'put', resource })) }),
  });
}

async function read(type: string, id: string): Promise<StoredResource | undefined> {
  const version = await store.read({ type, id });
  return version?.json ? (JSON.parse(version.json) as StoredResource) : undefined;
}

async function all(type: string): Promise<StoredResource[]> {
  const ids = [...new Set((await store.history({ type, limit: 1000 })).map((it) => it.id))].toReversed();
  return (await Promise.all(ids.map((id) => read(type, id)))).filter((it) => it !== undefined);
}

/** Status of everything that a plan made: `Task l1-call` ─▶ `requested`. */
async function statuses(enrolment = 1): Promise<Record<string, string>> {
  const made = (await Promise.all(['CarePlan', 'Task', 'Appointment', 'QuestionnaireResponse'].map(all))).flat();
  const own = made.filter((it) => [it.identifier].flat()[0].value.endsWith(`|${enrolment}`));
  return Object.fromEntries(
    own.map((it) => [`${it.resourceType} ${it.resourceType === 'CarePlan' ? '' : actionOf(it)}`.trim(), it.status]),
  );
}

const open = {
  CarePlan: 'active',
  'Task l1-call': 'requested',
  'Task l2-sms-greet': 'requested',
  'Task l2-call': 'requested',
  'Task l2-survey': 'requested',
  'Appointment revisit': 'proposed',
  'QuestionnaireResponse l2-survey': 'in-progress',
};
const withdrawn = {
  CarePlan: 'revoked',
  'Task l1-call': 'cancelled',
  'Task l2-sms-greet': 'cancelled',
  'Task l2-call': 'cancelled',
  'Task l2-survey': 'cancelled',
  'Appointment revisit': 'cancelled',
  'QuestionnaireResponse l2-survey': 'stopped',
};

describe('a visit that has ended', () => {
  test('is enrolled, and everything made is sound', async () => {
    await put(patient, visit());
    await care();
    expect(await statuses()).toEqual(open);
    for (const type of ['CarePlan', 'Task', 'Appointment', 'QuestionnaireResponse', 'Organization'])
      for (const resource of await all(type)) expect(errorsOf(resource)).toEqual([]);
  });

  test('is enrolled once: a second run writes nothing', async () => {
    await put(patient, visit());
    await care();
    const head = await store.head();
    await care();
    expect(await store.head()).toBe(head);
  });

  test('is enrolled once, also when it changes afterwards', async () => {
    await put(patient, visit());
    await care();
    clock.advance(day);
    await put(visit({ serviceType: { text: 'Cardiology' } }), { ...patient, birthDate: '1980-02-29' });
    const head = await store.head();
    await care();
    expect(await store.head()).toBe(head);
    expect(await statuses()).toEqual(open);
  });

  test('is enrolled when another worker has read the same changes', async () => {
    await put(patient, visit());
    const other = careStage({ store, commit, parameters, protocols: [general], zone, clock, notMade });
    await Promise.all([care(), other()]);
    expect(await all('CarePlan')).toHaveLength(1);
    for (const resource of await all('Task')) expect(resource.meta?.versionId).toBe('1');
  });

  test('of somebody who was said to be dead by mistake is enrolled when that is corrected', async () => {
    await put({ ...patient, deceasedBoolean: true }, visit());
    await care();
    expect(await statuses()).toEqual({});
    await put({ ...patient, deceasedBoolean: false });
    await care();
    expect(await statuses()).toEqual(open);
  });

  test('on a day that is a placeholder (9999-12-31) is followed up from today', async () => {
    await put(patient, visit({ period: { end: '9999-12-31' } }));
    await care();
    expect(await statuses()).toEqual(open);
    expect((await all('CarePlan'))[0]?.period.start).toMatch(/^2026-03-16/);
  });

  test('without a day is followed up from the day on which it became known, whatever changes later', async () => {
    await put(patient, visit({ period: { start: '2026-03-09' } }));
    await care();
    const tasks = await all('Task');
    clock.advance(3 * day);
    await put(
      { ...patient, birthDate: '1980-02-29' },
      visit({ period: { start: '2026-03-09' }, serviceType: { text: 'Cardiology' } }),
    );
    await care();
    expect(await all('Task')).toEqual(tasks);
    expect((await all('CarePlan'))[0]?.period.start).toMatch(/^2026-03-16/);
  });

  test('of which no sound plan can be made does not hold up the next', async () => {
    // The last day that a plan can begin on; it would end in the year 10000.
    await put(patient, visit({ period: { end: '9998-12-31' } }));
    jest.spyOn(commit, 'run').mockImplementationOnce(() => Promise.reject(new Failure('invalid', 'no sound plan')));
    await care();
    expect(refused).toHaveLength(1);
    expect(await statuses()).toEqual({});
    await put({ ...patient, gender: 'female' }, visit());
    await care();
    expect(await statuses()).toEqual(open);
  });

  test('of a key patient gets a visit at home', async () => {
    await put(patient, keyPatient, visit());
    await care();
    expect(await statuses()).toEqual({ ...open, 'Task l3-home': 'requested' });
  });

  test.each([
    ['PID-30', { deceasedBoolean: true }, {}],
    ['a time of death', { deceasedDateTime: '2026-03-16T09:00:00+08:00' }, {}],
    ['the disposition', {}, { hospitalization: { dischargeDisposition: { coding: [{ code: 'exp' }] } } }],
  ])('by death (%s) is not', async (_, about, encounter) => {
    await put({ ...patient, ...about }, visit(encounter));
    await care();
    expect(await statuses()).toEqual({});
  });

  test.each([['planned'], ['in-progress'], ['cancelled'], ['entered-in-error']])(
    'is not enrolled while it is %s',
    async (status) => {
      await put(patient, visit({ status }));
      await care();
      expect(await statuses()).toEqual({});
    },
  );

  test('keeps the centre as the hospital has edited it', async () => {
    await put({ resourceType: 'Organization', id: 'follow-up-centre', name: 'Our own centre' });
    await put(patient, visit());
    await care();
    expect(await read('Organization', 'follow-up-centre')).toMatchObject({
      name: 'Our own centre',
      meta: { versionId: '1' },
    });
  });

  test('is enrolled beside another visit of the same patient', async () => {
    await put(patient, visit(), { ...visit(), id: 'e2' });
    await care();
    expect(await all('CarePlan')).toHaveLength(2);
    expect(await all('Task')).toHaveLength(8);
  });
});

describe('a discharge that is cancelled', () => {
  beforeEach(async () => {
    await put(patient, visit());
    await care();
  });

  test('takes back what was not begun, with the reason', async () => {
    await put(visit({ status: 'in-progress', period: { start: '2026-03-10' } }));
    await care();
    expect(await statuses()).toEqual(withdrawn);
    for (const task of await all('Task')) expect(task.statusReason.coding[0].code).toBe('cancelled-discharge');
    const [appointment] = await all('Appointment');
    expect(appointment?.cancelationReason.coding[0].code).toBe('cancelled-discharge');
    for (const type of ['CarePlan', 'Task', 'Appointment', 'QuestionnaireResponse'])
      for (const resource of await all(type)) expect(errorsOf(resource)).toEqual([]);
  });

  test('leaves what was done or is being done', async () => {
    const [call, , , survey] = await all('Task');
    const [sheet] = await all('QuestionnaireResponse');
    await put(
      { ...call, status: 'completed' } as StoredResource,
      { ...survey, status: 'in-progress' } as StoredResource,
      { ...sheet, status: 'completed' } as StoredResource,
    );
    await put(visit({ status: 'in-progress' }));
    await care();
    expect(await statuses()).toEqual({
      ...withdrawn,
      'Task l1-call': 'completed',
      'Task l2-survey': 'in-progress',
      'QuestionnaireResponse l2-survey': 'completed',
    });
  });

  test('is withdrawn once: a second run writes nothing', async () => {
    await put(visit({ status: 'in-progress' }));
    await care();
    const head = await store.head();
    await put(visit({ status: 'in-progress', serviceType: { text: 'x' } }));
    await care();
    expect(await store.head()).toBe(head + 1);
  });

  test('and made again applies the protocol fresh, from the new day', async () => {
    await put(visit({ status: 'in-progress' }));
    await care();
    clock.advance(2 * day);
    await put(visit({ period: { end: '2026-03-18T10:00:00+08:00' } }));
    await care();
    expect(await statuses(1)).toEqual(withdrawn);
    expect(await statuses(2)).toEqual(open);
    expect((await read('CarePlan', carePlanId('e1', general, 2)))?.period.start).toBe('2026-03-18T10:00:00+08:00');
    const fresh = (await all('Task')).filter((it) => it.status === 'requested');
    expect(fresh.find((it) => actionOf(it) === 'l2-sms-greet')?.executionPeriod.start).toBe(
      '2026-03-19T00:00:00+08:00',
    );
  });

  test('both before anybody looked comes to nothing new', async () => {
    await put(visit({ status: 'in-progress' }));
    await put(visit());
    await care();
    expect(await statuses()).toEqual(open);
    expect(await all('CarePlan')).toHaveLength(1);
  });

  test('does not touch a plan that somebody else made for the visit', async () => {
    const foreign: Json = {
      resourceType: 'CarePlan',
      id: 'theirs',
      status: 'active',
      intent: 'plan',
      subject: { reference: 'Patient/p1' },
      encounter: { reference: 'Encounter/e1' },
      instantiatesCanonical: ['https://other.example/PlanDefinition/x|1'],
    };
    await put(foreign as StoredResource);
    await put(visit({ status: 'in-progress' }));
    await care();
    expect((await read('CarePlan', 'theirs'))?.status).toBe('active');
  });
});

describe('a death after the discharge', () => {
  beforeEach(async () => {
    await put(patient, visit());
    await care();
    clock.advance(3 * day);
  });

  test.each([
    ['that the patient record tells of', [{ ...patient, deceasedBoolean: true }]],
    ['with a time', [{ ...patient, deceasedDateTime: '2026-03-18' }]],
    [
      'that the visit tells of later',
      [visit({ hospitalization: { dischargeDisposition: { coding: [{ code: 'exp' }] } } })],
    ],
  ])('%s ends the follow-up', async (_, changes) => {
    await put(...(changes as StoredResource[]));
    await care();
    expect(await statuses()).toEqual(withdrawn);
    for (const task of await all('Task')) expect(task.statusReason.coding[0].code).toBe('deceased');
    const [carePlan] = await all('CarePlan');
    expect(carePlan?.note).toEqual([{ text: 'the patient has died' }]);
  });

  test('ends the follow-up of every visit of the patient', async () => {
    await put({ ...visit(), id: 'e2' });
    await care();
    await put({ ...patient, deceasedBoolean: true });
    await care();
    expect((await all('CarePlan')).map((it) => it.status)).toEqual(['revoked', 'revoked']);
  });

  test('of somebody else changes nothing', async () => {
    await put({ ...patient, id: 'p2', deceasedBoolean: true });
    await care();
    expect(await statuses()).toEqual(open);
  });
});

describe('many changes at once', () => {
  test('are read in batches to the end', async () => {
    const visits = Array.from({ length: 250 }, (_, i) => ({ ...visit(), id: `v${i}` }));
    await put(patient, ...visits);
    await care();
    expect(await all('CarePlan')).toHaveLength(250);
    expect(await store.cursor('care')).toBeGreaterThanOrEqual(251);
  });
});
