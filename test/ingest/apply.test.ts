import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import Database from 'better-sqlite3';
import { SqliteStore } from '../../adapters/sqlite/store.ts';
import { FixedClock } from '../../src/clock.ts';
import { Commit, type Work } from '../../src/commit/commit.ts';
import { TooLong } from '../../src/commit/time-limit.ts';
import { SearchParameters } from '../../src/fhir/search/parameters.ts';
import type { Json, StoredResource } from '../../src/fhir/types.ts';
import { Zone } from '../../src/fhir/zone.ts';
import { applyMessage, type IngestParts } from '../../src/ingest/apply.ts';
import { ingestStage } from '../../src/ingest/stage.ts';
import { draftOf } from '../../src/mapping/context.ts';
import { Mapping } from '../../src/mapping/map.ts';
import { readMappings } from '../../src/mapping/read.ts';
import type { SiteMapping } from '../../src/mapping/site-mappings.ts';
import type { JournalRow, MessageState } from '../../src/store/rows.ts';
import { temporaryFolder } from '../support/app.ts';
import { discharge } from '../support/messages.ts';
import { received } from './received.ts';

const zone = new Zone('Asia/Shanghai');
const mapping = new Mapping(readMappings('mappings'));
const parameters = new SearchParameters(zone);
const site: SiteMapping = { mapping, settings: {}, version: 'abc' };

let folder: ReturnType<typeof temporaryFolder>;
let store: SqliteStore;
let parts: IngestParts;

beforeEach(() => {
  folder = temporaryFolder();
  store = new SqliteStore(`${folder.path}/test.db`);
  const clock = new FixedClock('2026-03-16T02:31:00Z');
  parts = { store, commit: new Commit(store, parameters, clock), parameters, mappingOf: () => site, zone, clock };
});

afterEach(async () => {
  await store.close();
  folder.remove();
});

/** Keeps a message as the listener does; gives its row. */
async function keep(text: string): Promise<JournalRow> {
  const id = await store.keep(received(text, Date.parse('2026-03-16T02:31:00Z')));
  return (await store.message(id)) as JournalRow;
}

async function apply(text: string): Promise<MessageState | undefined> {
  const row = await keep(text);
  return applyMessage(row, await store.hasTwin(row), parts);
}

/** What the store's own interface does not give: the columns of a message. */
function columns(id: number): Json {
  const db = new Database(`${folder.path}/test.db`, { readonly: true });
  const row = db
    .prepare('SELECT state, error, mapping_version, wrote, applied_at FROM received_message WHERE id = ?')
    .get(id);
  db.close();
  return row as Json;
}

/** Current resources of a type. */
async function stored(type: string): Promise<StoredResource[]> {
  const ids = [...new Set((await store.history({ type, limit: 1000 })).map((it) => it.id))];
  const versions = await Promise.all(ids.map((id) => store.read({ type, id })));
  return versions.flatMap((it) => (it?.json ? [JSON.parse(it.json) as StoredResource] : []));
}

async function only(type: string): Promise<StoredResource> {
  const all = await stored(type);
  expect(all).toHaveLength(1);
  return all[0] as StoredResource;
}

async function create(resource: StoredResource): Promise<void> {
  await parts.commit.run({
    cause: 'client:test',
    keys: [{ type: resource.resourceType, id: resource.id }],
    decide: () => ({ intentions: [{ kind: 'put', resource }] }),
  });
}

describe('a message that is applied', () => {
  test('is in state applied, with the mapping that was used and each version that it wrote', async () => {
    const row = await keep(discharge());
    expect(await applyMessage(row, false, parts)).toBe('applied');
    const { state, error, mapping_version, wrote, applied_at } = columns(row.id);
    expect({ state, error, mapping_version, applied_at }).toEqual({
      state: 'applied',
      error: null,
      mapping_version: 'abc',
      applied_at: Date.parse('2026-03-16T02:31:00Z'),
    });
    const patient = await only('Patient');
    const names = JSON.parse(wrote) as string[];
    expect(names).toContain(`Patient/${patient.id}/_history/1`);
    const versions = await store.history({ limit: 1000 });
    expect(names.toSorted()).toEqual(versions.map((it) => `${it.type}/${it.id}/_history/${it.version}`).toSorted());
    expect(new Set(versions.map((it) => it.cause))).toEqual(new Set([`message:${row.id}`]));
  });

  test('and sent again is a duplicate that writes nothing', async () => {
    expect(await apply(discharge())).toBe('applied');
    const before = await store.head();
    const row = await keep(discharge());
    expect(await applyMessage(row, await store.hasTwin(row), parts)).toBe('duplicate');
    expect(await store.head()).toBe(before);
    expect(columns(row.id)).toMatchObject({ state: 'duplicate', wrote: null });
  });

  test('with the same control id and other content is applied', async () => {
    await apply(discharge());
    expect(await apply(discharge({ phone: '13900001111' }))).toBe('applied');
    expect((await only('Patient')).telecom[0].value).toBe('13900001111');
  });

  test('and says nothing new makes no new version of the patient and the visit', async () => {
    await apply(discharge({ controlId: 'C1' }));
    await apply(discharge({ controlId: 'C2' }));
    for (const type of ['Patient', 'Encounter', 'Condition', 'Practitioner', 'Location'])
      for (const { meta } of await stored(type)) expect([type, meta?.versionId]).toEqual([type, '1']);
  });

  test('is taken once: a second worker finds it gone', async () => {
    const row = await keep(discharge());
    expect(await Promise.all([applyMessage(row, false, parts), applyMessage(row, false, parts)])).toEqual([
      'applied',
      undefined,
    ]);
    expect(await stored('Patient')).toHaveLength(1);
  });

  test('is one unit: when one resource is refused nothing of it is written, and the reason names no patient data', async () => {
    const broken = {
      ...parts,
      mappingOf: () => ({
        ...site,
        mapping: {
          check: () => [],
          map: () => ({ resources: [made('Patient', {}), made('Observation', { valueString: 'secret' })], codes: [] }),
        },
      }),
    };
    const row = await keep(discharge());
    expect(await applyMessage(row, false, broken as unknown as IngestParts)).toBe('unmapped');
    expect(await stored('Patient')).toEqual([]);
    const { error } = columns(row.id);
    expect(error).toMatch(/^invalid: .*Observation/);
    expect(error).not.toContain('secret');
  });

  test('that a newer mapping refuses is unmapped', async () => {
    const refusing = {
      ...parts,
      mappingOf: () => ({
        ...site,
        mapping: { check: () => [{ code: '101', text: 'a required field is empty', segment: 'PID', field: 3 }] },
      }),
    };
    const row = await keep(discharge());
    expect(await applyMessage(row, false, refusing as unknown as IngestParts)).toBe('unmapped');
    expect(columns(row.id)).toMatchObject({ state: 'unmapped', error: 'PID-3: a required field is empty (101)' });
  });
});

function made(type: string, content: Json): object {
  return { ...draftOf(type), resource: { resourceType: type, id: `${type}-1`, ...content } };
}

describe('a resource that a FHIR client wrote', () => {
  const client: StoredResource = {
    resourceType: 'Patient',
    id: 'from-the-app',
    identifier: [{ system: 'urn:id:RENHE', value: '1001' }],
    maritalStatus: { text: 'married' },
  };

  test('with the identifier of the message’s patient is that patient, and what refers to it follows', async () => {
    await create(client);
    expect(await apply(discharge())).toBe('applied');
    const patient = await only('Patient');
    expect(patient).toMatchObject({ id: 'from-the-app', birthDate: '1980-02-29', maritalStatus: { text: 'married' } });
    expect(patient.identifier).toHaveLength(1);
    expect((await only('Encounter')).subject.reference).toBe('Patient/from-the-app');
    expect((await only('Condition')).subject.reference).toBe('Patient/from-the-app');
    for (const provenance of await stored('Provenance'))
      expect(provenance.target).toContainEqual({ reference: 'Patient/from-the-app' });
  });

  test('stays the same patient for the next message', async () => {
    await create(client);
    await apply(discharge({ event: 'A01', controlId: 'C1' }));
    await apply(discharge({ event: 'A03', controlId: 'C2', phone: '13900001111' }));
    expect((await only('Patient')).id).toBe('from-the-app');
    expect((await only('Encounter')).status).toBe('finished');
  });

  test('twice with the same identifier is nobody: the message makes its own', async () => {
    await create(client);
    await create({ ...client, id: 'again' });
    await apply(discharge());
    expect(await stored('Patient')).toHaveLength(3);
  });
});

describe('messages of one visit, one after the other', () => {
  test('an update after the discharge leaves the visit finished', async () => {
    await apply(discharge({ event: 'A03', controlId: 'C1' }));
    await apply(discharge({ event: 'A08', controlId: 'C2', phone: '13900001111', disposition: '' }));
    expect(await only('Encounter')).toMatchObject({
      status: 'finished',
      period: { start: '2026-03-10T09:00:00+08:00', end: '2026-03-16T10:00:00+08:00' },
      hospitalization: { dischargeDisposition: { coding: [{ code: 'home' }, {}] } },
    });
    expect((await only('Patient')).telecom[0].value).toBe('13900001111');
  });

  test('an update of a visit that nobody knew opens it', async () => {
    await apply(discharge({ event: 'A08' }));
    expect((await only('Encounter')).status).toBe('in-progress');
  });

  test('a cancelled discharge opens the visit, without end, disposition and destination', async () => {
    await apply(discharge({ event: 'A03', controlId: 'C1' }));
    await apply(discharge({ event: 'A13', controlId: 'C2', dischargedAt: '20260316100000' }));
    const encounter = await only('Encounter');
    expect(encounter.status).toBe('in-progress');
    expect(encounter.period).toEqual({ start: '2026-03-10T09:00:00+08:00' });
    expect(encounter.hospitalization).toBeUndefined();
  });

  test('a second discharge ends it again', async () => {
    for (const [i, event] of ['A01', 'A03', 'A13', 'A03'].entries())
      await apply(
        discharge({ event, controlId: `C${i}`, dischargedAt: event === 'A03' ? `2026031${6 + i}100000` : '' }),
      );
    expect(await only('Encounter')).toMatchObject({ status: 'finished', period: { end: '2026-03-19T10:00:00+08:00' } });
  });

  test('"" deletes what an earlier message said', async () => {
    await apply(discharge({ event: 'A01', controlId: 'C1' }));
    await apply(discharge({ event: 'A08', controlId: 'C2', phone: '""' }).replace('""^PRN^CP', '""'));
    expect(await only('Patient')).not.toHaveProperty('telecom');
  });

  test('"" in a field that is an extension deletes that extension and no other', async () => {
    const about = (race: string, birthPlace: string, controlId: string): string =>
      discharge({ event: 'A08', controlId }).replace(
        /^PID.*$/m,
        `PID|1||1001^^^RENHE^MR|||||||${race}|||||||||||||${birthPlace}`,
      );
    await apply(about('2106-3^White', 'Hudong', 'C1'));
    expect((await only('Patient')).extension).toHaveLength(2);
    await apply(about('""', '', 'C2'));
    expect((await only('Patient')).extension).toEqual([
      expect.objectContaining({ url: expect.stringMatching(/patient-birthPlace$/) }),
    ]);
  });
});

/** The ingest stage of a program that has just started, and what became of messages in it. */
async function started(given = parts): Promise<{ run: () => Promise<unknown>; states: MessageState[] }> {
  const states: MessageState[] = [];
  const run = ingestStage(given, (_, state) => states.push(state));
  await run();
  return { run, states };
}

describe('the ingest stage', () => {
  test('applies what waits in the order received and says what became of each', async () => {
    const phones = [
      '1',
      '2',
      '3',
      '4',
      '5',
      '6',
      '7',
      '8',
      '9',
      '10',
      '11',
      '12',
      '13',
      '14',
      '15',
      '16',
      '17',
      '18',
      '19',
      '20',
    ];
    const { run, states } = await started();
    for (const [i, phone] of phones.entries()) await keep(discharge({ event: 'A08', controlId: `C${i}`, phone }));
    await run();
    expect(states).toEqual(phones.map(() => 'applied'));
    const patient = await only('Patient');
    expect(patient.telecom[0].value).toBe('20');
    expect(patient.meta?.versionId).toBe('20');
    expect(await store.waiting(10)).toEqual([]);
  });

  test('the same message twice in one batch is applied once', async () => {
    const { run, states } = await started();
    await keep(discharge());
    await keep(discharge());
    await run();
    expect(states).toEqual(['applied', 'duplicate']);
  });

  test('applies what waited when it started, the same message twice among it', async () => {
    await keep(discharge({ event: 'A01', controlId: 'C1' }));
    await keep(discharge({ event: 'A03', controlId: 'C2' }));
    await keep(discharge({ event: 'A03', controlId: 'C3' }));
    expect((await started()).states).toEqual(['applied', 'applied', 'duplicate']);
    expect((await only('Encounter')).status).toBe('finished');
  });
});

describe('trouble that is not the message’s', () => {
  class Broken extends Mapping {
    override map(): never {
      throw new TypeError('the text of a patient');
    }
  }

  test('a defect of ours on one message marks it failed, without its content, and leaves nothing behind', async () => {
    const row = await keep(discharge());
    const broken = new Broken(readMappings('mappings'));
    expect(await applyMessage(row, false, { ...parts, mappingOf: () => ({ ...site, mapping: broken }) })).toBe(
      'failed',
    );
    expect(columns(row.id)).toMatchObject({ state: 'failed', error: 'a defect: TypeError' });
    expect(await stored('Patient')).toEqual([]);
  });

  /** Of a program that ends while it writes a message: nothing is written any more, and nobody is told. */
  class Ended extends Commit {
    readonly #ends = Promise.withResolvers<void>();
    readonly here = this.#ends.promise;

    override run(work: Work): ReturnType<Commit['run']> {
      if (work.keys.length === 0) return super.run(work);
      this.#ends.resolve();
      return new Promise(() => {});
    }
  }

  class Endless extends Mapping {
    readonly #error: () => Error;

    constructor(error: () => Error) {
      super(readMappings('mappings'));
      this.#error = error;
    }

    override map(): never {
      throw this.#error();
    }
  }

  test('a message that takes too long is failed, and says so', async () => {
    const row = await keep(discharge());
    const mapping = new Endless(() => new TooLong(10_000));
    expect(await applyMessage(row, false, { ...parts, mappingOf: () => ({ ...site, mapping }) })).toBe('failed');
    expect(columns(row.id)).toMatchObject({ state: 'failed', error: 'too-costly: takes longer than 10000 ms' });
  });

  test('a message that ends the program is tried five times, then those behind it go on; a replay tries again', async () => {
    const { id } = await keep(discharge({ controlId: 'C1' }));
    await keep(discharge({ controlId: 'C2', patient: '1002', visit: 'V2' }));
    for (let start = 1; start <= 5; start++) {
      const ended = new Ended(store, parameters, parts.clock);
      void started({ ...parts, commit: ended });
      await ended.here;
      expect((await store.message(id))?.tries).toBe(start);
    }
    const { run, states } = await started();
    expect(states).toEqual(['failed', 'applied']);
    expect(columns(id)).toMatchObject({ state: 'failed', error: 'the program ended 5 times while it was applied' });
    const claim = { id, from: 'failed', to: 'received', at: 0 } as const;
    await parts.commit.effects('system:replay', [{ kind: 'message', claim }]);
    await run();
    expect(states).toEqual(['failed', 'applied', 'applied']);
  });

  test('a message that waits for the database is no reason for the program to end, however often that starts', async () => {
    const { id } = await keep(discharge());
    const away = new Endless(() => new Error('the database is away'));
    let mapping: Mapping = away;
    for (let start = 1; start <= 6; start++) {
      mapping = away;
      const run = ingestStage({ ...parts, mappingOf: () => ({ ...site, mapping }) }, () => {});
      await expect(run()).rejects.toThrow('the database is away');
      expect(await store.message(id)).not.toHaveProperty('tries');
      mapping = site.mapping;
      if (start === 6) await run();
    }
    expect(columns(id)).toMatchObject({ state: 'applied' });
  });

  test('a store that cannot write leaves the message received, to be tried again', async () => {
    const row = await keep(discharge());
    const away = { run: () => Promise.reject(new Error('SQLITE_FULL')) } as unknown as Commit;
    await expect(applyMessage(row, false, { ...parts, commit: away })).rejects.toThrow('SQLITE_FULL');
    expect(columns(row.id)).toMatchObject({ state: 'received' });
  });
});
