/** The stage alone: which changes become messages to whom. The store is real, the messages stay in it. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { SqliteStore } from '../../adapters/sqlite/store.ts';
import { FixedClock } from '../../src/clock.ts';
import { Commit } from '../../src/commit/commit.ts';
import { SearchParameters } from '../../src/fhir/search/parameters.ts';
import type { Json, StoredResource } from '../../src/fhir/types.ts';
import type { Destination } from '../../src/mapping/destination.ts';
import { type OutboundParts, outboundStage, startOutbound } from '../../src/outbound/stage.ts';
import { InProcessQueue } from '../../src/queue/in-process.ts';
import type { Job } from '../../src/queue/queue.ts';
import type { NewMessage, OutgoingRow } from '../../src/store/rows.ts';
import type { Cause } from '../../src/store/store.ts';
import { appointment, call, questionnaire, response } from './resources.ts';
import { destination, doctor, encounter, patient, zone } from './support.ts';

const parameters = new SearchParameters(zone);

let store: SqliteStore;
let clock: FixedClock;
let commit: Commit;
let notMade: string[];
let rung: Job[];
/** The message by which RENHE brought patient and visit. */
let renhe: Cause;

beforeEach(async () => {
  store = new SqliteStore(':memory:');
  clock = new FixedClock('2026-03-16T02:30:00Z');
  commit = new Commit(store, parameters, clock);
  notMade = [];
  rung = [];
  renhe = await messageFrom('RENHE');
  await put([questionnaire], 'system:profiles');
  await put([patient, encounter, doctor, { resourceType: 'Basic', id: 'b', code: { text: 'x' } }], renhe);
});
afterEach(() => store.close());

async function messageFrom(facility: string): Promise<Cause> {
  const bytes = Buffer.from('MSH|');
  const rest = {
    listener: 'mllp:2575',
    peer: '',
    site: '',
    charset: 'utf-8',
    type: 'ADT^A03',
    controlId: 'C1',
    application: '',
  };
  const digests = { sha256: '', content: '', answer: Buffer.alloc(0) };
  const row: NewMessage = { receivedAt: clock.now(), bytes, state: 'received', facility, ...rest, ...digests };
  return `message:${await store.keep(row)}`;
}

async function put(resources: readonly StoredResource[], cause: Cause = 'client:rest'): Promise<void> {
  await commit.run({
    cause,
    keys: resources.map(({ resourceType: type, id }) => ({ type, id })),
    // As JSON: what a test leaves undefined is not there.
    decide: () => ({
      intentions: JSON.parse(JSON.stringify(resources.map((resource) => ({ kind: 'put', resource })))),
    }),
  });
}

function parts(destinations: readonly Destination[]): OutboundParts {
  const queue = new InProcessQueue(() => {});
  queue.ring = (job) => void rung.push(job);
  const notMadeOf = (_: string, error: unknown): void => void notMade.push((error as Error).name);
  return { store, commit, queue, parameters, destinations, zone, clock, notMade: notMadeOf };
}

/** A stage that knows nothing yet, as after a start, at work. */
async function run(...destinations: readonly Destination[]): Promise<void> {
  const own = parts(destinations.length > 0 ? destinations : [destination()]);
  await outboundStage(own)();
}

async function rows(): Promise<OutgoingRow[]> {
  return (await store.outgoing({ limit: 1000 })).toReversed();
}

async function identities(): Promise<string[]> {
  return (await rows()).map((it) => it.identity);
}

describe('what is told', () => {
  test('is a booked follow-up, a completed answer sheet and a completed call, each once, in a lane of its patient', async () => {
    await put([appointment(), response(), call()]);
    await run();
    await run();
    expect(await identities()).toEqual([
      'SIU^S12 Appointment/a1/_history/1',
      'ORU^R01 QuestionnaireResponse/q1/_history/1',
      'MDM^T02 Task/t1/_history/1',
    ]);
    expect(new Set((await rows()).map((it) => it.lane))).toEqual(new Set(['Patient/p1']));
    expect(new Set((await rows()).map((it) => it.controlId)).size).toBe(3);
    expect(rung).toEqual([{ kind: 'send', id: 'his' }]);
  });

  test('has the number of patient and visit, and the checklist of the call', async () => {
    await put([response(), call()]);
    await run();
    const text = Buffer.from((await rows())[1]?.bytes ?? []).toString();
    expect(text).toContain('|1001^^^RENHE^MR|');
    expect(text).toContain('|V1001^^^RENHE^VN\r');
    expect(text).toContain('|恢复情况: 好转|');
    expect(text).toContain('|D071^李^敏^^^Dr^^^RENHE|');
  });

  test('is what the site asks for', async () => {
    await put([appointment(), response(), call()]);
    await run(destination({ send: ['ORU^R01'] }));
    expect(await identities()).toEqual(['ORU^R01 QuestionnaireResponse/q1/_history/1']);
  });

  test('goes to every hospital that knows the patient, each with its own names', async () => {
    await put([appointment()]);
    await run(destination(), destination({ name: 'pas', application: 'PAS', charset: 'GB18030' }));
    expect((await rows()).map((it) => it.destination)).toEqual(['his', 'pas']);
    const [his, pas] = await rows();
    expect(his?.controlId).not.toBe(pas?.controlId);
    const text = new TextDecoder('gb18030').decode(pas?.bytes);
    expect(text).toMatch(/\|PAS\|RENHE\|.*\|GB 18030-2000\r/);
    expect(text).toContain('|张^伟^');
  });
});

describe('the later versions of an appointment', () => {
  const later = { start: '2026-04-03T01:00:00Z', end: '2026-04-03T01:15:00Z' };

  test('are told by what has changed since the hospital was told', async () => {
    const states = [
      appointment({ status: 'proposed' }),
      appointment(),
      appointment(later),
      appointment({ ...later, comment: 'x' }),
      appointment({ ...later, comment: 'x', minutesDuration: 15 }),
      appointment({ ...later, status: 'noshow' }),
      appointment(),
      appointment({ status: 'cancelled' }),
    ];
    for (const state of states) await put([state]);
    await run();
    expect(await identities()).toEqual([
      'SIU^S12 Appointment/a1/_history/2',
      'SIU^S13 Appointment/a1/_history/3',
      'SIU^S14 Appointment/a1/_history/4',
      'SIU^S26 Appointment/a1/_history/6',
      'SIU^S12 Appointment/a1/_history/7',
      'SIU^S15 Appointment/a1/_history/8',
    ]);
  });

  test('are the same messages, whether the stage looks after each or after all', async () => {
    const states = [appointment(), appointment(later), appointment({ ...later, status: 'cancelled' })];
    for (const state of states) {
      await put([state]);
      await run();
    }
    expect(await identities()).toEqual([
      'SIU^S12 Appointment/a1/_history/1',
      'SIU^S13 Appointment/a1/_history/2',
      'SIU^S15 Appointment/a1/_history/3',
    ]);
  });

  test('that is deleted is cancelled', async () => {
    await put([appointment()]);
    const key = { type: 'Appointment', id: 'a1' };
    await commit.run({ cause: 'client:rest', keys: [key], decide: () => ({ intentions: [{ kind: 'delete', key }] }) });
    await run();
    expect(await identities()).toEqual(['SIU^S12 Appointment/a1/_history/1', 'SIU^S15 Appointment/a1/_history/2']);
  });

  test('that a plan takes back is cancelled', async () => {
    await put([appointment()]);
    await put([appointment({ status: 'cancelled' })], 'plan:cancelled-discharge');
    await run();
    expect((await identities())[1]).toBe('SIU^S15 Appointment/a1/_history/2');
  });
});

describe('what a hospital has said itself', () => {
  test('does not go back to it, and goes to another', async () => {
    const other = destination({ name: 'clinic', facility: 'CLINIC', authority: 'RENHE', from: ['CLINIC', 'RENHE'] });
    await put([appointment(), response()], await messageFrom('CLINIC'));
    await run(destination(), other);
    expect((await rows()).map((it) => it.destination)).toEqual(['his', 'his']);
  });

  test('is what later versions are compared with', async () => {
    await put([appointment()], renhe);
    await put([appointment({ start: '2026-04-03T01:00:00Z', end: '2026-04-03T01:15:00Z' })]);
    await run();
    expect(await identities()).toEqual(['SIU^S13 Appointment/a1/_history/2']);
  });

  test('of an appointment that we told it of is not told again', async () => {
    await put([appointment()]);
    await put([appointment({ comment: 'of the hospital' })], renhe);
    await put([appointment({ comment: 'of the hospital', minutesDuration: 15 })]);
    await run();
    expect(await identities()).toEqual(['SIU^S12 Appointment/a1/_history/1']);
  });
});

describe('nothing is told of', () => {
  const about = (id: string): Json => ({ subject: { reference: `Patient/${id}` }, encounter: undefined });

  test.each<[string, StoredResource[], Cause?]>([
    [
      'a patient of another hospital',
      [{ ...patient, id: 'p2', identifier: [{ system: 'urn:id:OTHER', value: '7' }] }, response(about('p2'))],
    ],
    ['a patient whom only a client knows', [{ ...patient, id: 'p3' }, response(about('p3'))]],
    [
      'a patient whose number of the hospital is an old one',
      [
        { ...patient, id: 'p4', identifier: [{ system: 'urn:id:RENHE', value: '7', use: 'old' }] },
        response(about('p4')),
      ],
    ],
    ['a patient who is not here', [response(about('p9'))]],
    ['somebody who answered without a name', [response({ subject: undefined })]],
    ['a group', [response({ subject: { reference: 'Group/g1' } })]],
    [
      'a visit that the hospital does not know',
      [{ ...encounter, id: 'e2' }, response({ encounter: { reference: 'Encounter/e2' } })],
    ],
    ['a visit that is not here', [response({ encounter: { reference: 'Encounter/e9' } })]],
    [
      'an appointment that is no follow-up',
      [appointment({ appointmentType: undefined, supportingInformation: undefined })],
    ],
    ['an appointment that is only proposed', [appointment({ status: 'proposed' })]],
    [
      'an appointment without a patient',
      [appointment({ participant: [{ actor: { reference: 'Practitioner/d1' }, status: 'accepted' }] })],
    ],
    ['a call that is not over', [call({ status: 'in-progress' })]],
  ])('%s', async (_, resources) => {
    await put(resources);
    await run();
    expect(await rows()).toEqual([]);
  });

  test('what happened before the hospital was to be told', async () => {
    await put([appointment()]);
    await startOutbound(parts([destination()]));
    await put([response()]);
    await run();
    expect(await identities()).toEqual(['ORU^R01 QuestionnaireResponse/q1/_history/1']);
    // A later start does not move the beginning.
    await put([call()]);
    await startOutbound(parts([destination()]));
    await run();
    expect(await identities()).toHaveLength(2);
  });

  test('a late change of an appointment from before: the hospital is told of the appointment', async () => {
    await put([appointment()]);
    await startOutbound(parts([destination()]));
    await put([appointment({ comment: 'x' })]);
    await run();
    expect(await identities()).toEqual(['SIU^S12 Appointment/a1/_history/2']);
  });
});

describe('a patient is known', () => {
  test('whom a client wrote first and the hospital later', async () => {
    const late: StoredResource = { ...patient, id: 'p5' };
    for (let i = 0; i < 120; i++) await put([{ ...late, multipleBirthInteger: i }]);
    await put([{ ...late, multipleBirthInteger: 1 }], renhe);
    for (let i = 0; i < 120; i++) await put([{ ...late, multipleBirthInteger: i }]);
    await put([response({ subject: { reference: 'Patient/p5' }, encounter: undefined })]);
    await run();
    expect(await identities()).toHaveLength(1);
  });

  test('by another name of the hospital', async () => {
    await put([{ ...patient, id: 'p6' }], await messageFrom('RENHE-EAST'));
    await put([response({ subject: { reference: 'Patient/p6' }, encounter: undefined })]);
    await run(destination({ from: ['RENHE', 'RENHE-EAST'] }));
    expect(await identities()).toHaveLength(1);
  });
});

describe('the stage', () => {
  test('is at the end of the changes after a restart, also when nothing was to be told', async () => {
    await startOutbound(parts([destination()]));
    for (let i = 0; i < 1100; i++) await put([{ resourceType: 'Basic', id: 'b', code: { text: String(i) } }]);
    await run();
    expect(await store.cursor('outbound his')).toBeGreaterThan(900);
    await put([appointment()]);
    await run();
    expect(await store.cursor('outbound his')).toBe(await store.head());
    expect(await identities()).toHaveLength(1);
  });

  test('of two processes makes each message once', async () => {
    const [one, two] = [outboundStage(parts([destination()])), outboundStage(parts([destination()]))];
    await Promise.all([one(), two()]);
    await put([appointment()]);
    await Promise.all([one(), two()]);
    await put([appointment({ status: 'cancelled' }), response()]);
    await Promise.all([two(), one()]);
    expect((await identities()).sort()).toEqual([
      'ORU^R01 QuestionnaireResponse/q1/_history/1',
      'SIU^S12 Appointment/a1/_history/1',
      'SIU^S15 Appointment/a1/_history/2',
    ]);
  });

  test('goes on behind a message that cannot be made, and says so', async () => {
    const comment = `${'x'.repeat(99)} `.repeat(25_000);
    await put([appointment({ comment }), response()]);
    await run();
    expect(notMade).toEqual(['RangeError']);
    expect(await identities()).toEqual(['ORU^R01 QuestionnaireResponse/q1/_history/1']);
  });

  test('with two destinations of one name does not start', async () => {
    await expect(startOutbound(parts([destination(), destination()]))).rejects.toThrow("destination 'his'");
  });
});
