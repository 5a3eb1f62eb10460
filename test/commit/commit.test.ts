import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { SqliteStore } from '../../adapters/sqlite/store.ts';
import { FixedClock } from '../../src/clock.ts';
import { Commit, type Intention, keyOf, type Written } from '../../src/commit/commit.ts';
import { SearchParameters } from '../../src/fhir/search/parameters.ts';
import type { StoredResource } from '../../src/fhir/types.ts';
import { Zone } from '../../src/fhir/zone.ts';
import type { CommitRequest, Decision, PreparedWrite, Store } from '../../src/store/store.ts';

const parameters = new SearchParameters(new Zone('Asia/Shanghai'));
const begin = Date.parse('2026-03-16T02:00:00Z');
const key = { type: 'Patient', id: '1' };

/** A store that remembers what it was given to write. */
class Recording extends SqliteStore {
  prepared: readonly PreparedWrite[] = [];

  override commit(request: CommitRequest): Promise<void> {
    const decide = (view: Parameters<CommitRequest['decide']>[0]): Decision => {
      const decision = request.decide(view);
      this.prepared = decision.writes;
      return decision;
    };
    return super.commit({ ...request, decide });
  }
}

let store: Recording;
let clock: FixedClock;
let commit: Commit;
let bells: number;

beforeEach(() => {
  store = new Recording(':memory:');
  clock = new FixedClock('2026-03-16T02:00:00Z');
  bells = 0;
  commit = new Commit(store, parameters, clock, () => bells++);
});
afterEach(() => store.close());

async function run(...intentions: Intention[]): Promise<readonly Written[]> {
  clock.advance(1000);
  return commit.run({ cause: 'client:test', keys: intentions.map(keyOf), decide: () => ({ intentions }) });
}

function put(more: object = {}): Intention {
  return { kind: 'put', resource: { resourceType: 'Patient', id: '1', ...more } as StoredResource };
}

const remove: Intention = { kind: 'delete', key };

async function stored(): Promise<any> {
  return JSON.parse((await store.read(key))?.json as string);
}

function rowsOf(rows: PreparedWrite['added'] = []): string[] {
  return rows.map((row) => row.parameter.code).sort();
}

describe('a write', () => {
  test('is stamped with version and time, and keeps the id', async () => {
    const [written] = await run(put({ gender: 'male' }));
    const at = begin + 1000;
    expect(written).toMatchObject({ type: 'Patient', id: '1', version: 1, interaction: 'create', at });
    expect(await stored()).toEqual({
      resourceType: 'Patient',
      id: '1',
      meta: { versionId: '1', lastUpdated: new Date(at).toISOString() },
      gender: 'male',
    });
    expect(JSON.parse(written?.json as string)).toEqual(await stored());
  });

  test('counts the versions of each resource for itself', async () => {
    await run(put({ gender: 'male' }));
    await run(put({ gender: 'female' }), { kind: 'put', resource: { resourceType: 'Patient', id: '2' } });
    const [written] = await run(put({ gender: 'other' }));
    expect(written).toMatchObject({ version: 3, interaction: 'update' });
    expect((await stored()).meta.versionId).toBe('3');
    expect((await store.read({ type: 'Patient', id: '2' }))?.version).toBe(1);
  });

  test('keeps the meta of the client and takes version and time for its own', async () => {
    const meta = {
      versionId: '99',
      lastUpdated: '1999-01-01T00:00:00Z',
      profile: ['http://example.org/p'],
      tag: [{ system: 'urn:t', code: 'x' }],
      source: 'urn:his',
      extension: [{ url: 'x', valueCode: 'y' }],
    };
    await run(put({ meta }));
    expect((await stored()).meta).toEqual({
      ...meta,
      versionId: '1',
      lastUpdated: new Date(begin + 1000).toISOString(),
    });
  });

  test('rings the bell when something was written, and only then', async () => {
    await run(put());
    expect(bells).toBe(1);
    await run(put());
    expect(bells).toBe(1);
    await expect(run(put({ colour: 'red' }))).rejects.toThrow();
    expect(bells).toBe(1);
  });
});

describe('an update that changes nothing', () => {
  const full = {
    gender: 'male',
    birthDate: '1980-01-01',
    name: [{ family: 'A', given: ['B', 'C'] }],
    meta: { tag: [{ code: 'x' }] },
  };

  beforeEach(async () => {
    await run(put(full));
  });

  test.each<[string, object]>([
    ['the same', full],
    [
      'other order of keys',
      {
        name: [{ given: ['B', 'C'], family: 'A' }],
        meta: { tag: [{ code: 'x' }] },
        birthDate: '1980-01-01',
        gender: 'male',
      },
    ],
    [
      'the version of the server in meta',
      {
        ...full,
        meta: { versionId: '1', lastUpdated: '2026-03-16T02:00:01.000Z', tag: [{ code: 'x' }] },
      },
    ],
    ['another version in meta', { ...full, meta: { versionId: '7', tag: [{ code: 'x' }] } }],
  ])('makes no version: %s', async (_, resource) => {
    const [written] = await run(put(resource));
    expect(written).toMatchObject({ version: 1, interaction: 'none', at: begin + 1000 });
    expect(JSON.parse(written?.json as string)).toEqual(await stored());
    expect(await store.head()).toBe(1);
  });

  test.each<[string, object]>([
    ['a value', { ...full, gender: 'female' }],
    ['an element less', { ...full, gender: undefined }],
    ['an element more', { ...full, active: true }],
    ['the order of a list', { ...full, name: [{ family: 'A', given: ['C', 'B'] }] }],
    ['a tag', { ...full, meta: { tag: [{ code: 'y' }] } }],
    ['no meta', { ...full, meta: undefined }],
  ])('is not one that changes %s', async (_, resource) => {
    const [written] = await run(put(JSON.parse(JSON.stringify(resource))));
    expect(written).toMatchObject({ version: 2, interaction: 'update' });
  });

  test('of a resource without meta of the client makes no version with an empty one', async () => {
    await run({ kind: 'put', resource: { resourceType: 'Patient', id: '2' } });
    const [written] = await run({ kind: 'put', resource: { resourceType: 'Patient', id: '2', meta: {} } });
    expect(written).toMatchObject({ version: 1, interaction: 'none' });
  });
});

describe('the search rows of an update', () => {
  test('are only what differs', async () => {
    await run(put({ gender: 'male', birthDate: '1980', name: [{ family: 'A' }, { family: 'B' }] }));
    expect(rowsOf(store.prepared[0]?.added)).toEqual(
      expect.arrayContaining(['_lastUpdated', 'birthdate', 'deceased', 'family', 'family', 'gender', 'name', 'name']),
    );
    expect(store.prepared[0]?.removed).toEqual([]);
    await run(put({ gender: 'male', birthDate: '1981', name: [{ family: 'B' }, { family: 'C' }] }));
    const [write] = store.prepared;
    const changed = ['_content', '_lastUpdated', 'birthdate', 'family', 'name', 'phonetic'];
    expect(rowsOf(write?.added).filter((it) => it !== 'phonetic')).toEqual(changed.filter((it) => it !== 'phonetic'));
    expect(rowsOf(write?.removed).filter((it) => it !== 'phonetic')).toEqual(changed.filter((it) => it !== 'phonetic'));
    expect(write?.added.find((row) => row.parameter.code === 'family')?.value).toMatchObject({ text: 'C' });
    expect(write?.removed.find((row) => row.parameter.code === 'family')?.value).toMatchObject({ text: 'A' });
  });

  test('at the same instant leave the row of the time alone', async () => {
    const unit = (gender: string): Promise<unknown> =>
      commit.run({ cause: 'client:test', keys: [key], decide: () => ({ intentions: [put({ gender })] }) });
    await unit('male');
    await unit('female');
    expect(rowsOf(store.prepared[0]?.added)).toEqual(['gender']);
    expect(rowsOf(store.prepared[0]?.removed)).toEqual(['gender']);
  });

  test('of a deletion are all that there were', async () => {
    await run(put({ gender: 'male', birthDate: '1980' }));
    const [first] = store.prepared;
    await run(remove);
    expect(rowsOf(store.prepared[0]?.removed)).toEqual(rowsOf(first?.added));
    expect(store.prepared[0]?.added).toEqual([]);
  });
});

describe('a unit', () => {
  test('that writes a resource twice is refused as a whole', async () => {
    const other = { kind: 'put' as const, resource: { resourceType: 'Patient', id: '2' } };
    for (const second of [put({ gender: 'male' }), remove])
      await expect(run(other, put(), second)).rejects.toMatchObject({ kind: 'malformed' });
    expect(await store.head()).toBe(0);
  });

  test('with one resource that is not valid is refused as a whole, and the failure says where', async () => {
    const failure = { kind: 'invalid', details: [{ expression: 'Patient.gender' }] };
    await expect(
      run({ kind: 'put', resource: { resourceType: 'Patient', id: '2' } }, put({ gender: 'm' })),
    ).rejects.toMatchObject(failure);
    expect(await store.head()).toBe(0);
  });

  test.each<[string, unknown]>([
    ['a number', 5],
    ['a text', 'x'],
    ['a list', []],
    ['null', null],
    ['a truth', true],
  ])('with a meta that is %s is refused', async (_, meta) => {
    await expect(run(put({ meta }))).rejects.toMatchObject({ kind: 'invalid' });
  });

  test('that decide throws out of is not written, and the error comes out as it is', async () => {
    const error = new Error('no');
    await expect(
      commit.run({
        cause: 'client:test',
        keys: [],
        decide: () => {
          throw error;
        },
      }),
    ).rejects.toBe(error);
  });

  test('answers one entry for each intention, in order', async () => {
    await run(put(), { kind: 'put', resource: { resourceType: 'Patient', id: '2', active: true } });
    const written = await run(
      { kind: 'delete', key: { type: 'Patient', id: '2' } },
      put(),
      { kind: 'put', resource: { resourceType: 'Patient', id: '3' } },
      { kind: 'delete', key: { type: 'Patient', id: '4' } },
    );
    expect(written.map((it) => `${it.id} ${it.interaction} ${it.version}`)).toEqual([
      '2 delete 2',
      '1 none 1',
      '3 create 1',
      '4 none 0',
    ]);
  });

  test('may write nothing', async () => {
    expect(await run()).toEqual([]);
    expect(await store.head()).toBe(0);
  });
});

describe('a deletion', () => {
  test('makes a version without content, a second one makes none', async () => {
    await run(put());
    expect(await run(remove)).toMatchObject([{ version: 2, interaction: 'delete', json: undefined }]);
    expect(await run(remove)).toMatchObject([{ version: 2, interaction: 'none', json: undefined }]);
    expect(await store.head()).toBe(2);
  });

  test('is undone by a put, with the next version, and found again by everything', async () => {
    await run(put({ gender: 'male' }));
    await run(remove);
    const [written] = await run(put({ gender: 'male' }));
    expect(written).toMatchObject({ version: 3, interaction: 'create' });
    expect((await stored()).meta.versionId).toBe('3');
    expect(rowsOf(store.prepared[0]?.added)).toContain('gender');
    expect((await (store as Store).history({ ...key, limit: 10 })).map((it) => it.interaction)).toEqual([
      'create',
      'delete',
      'create',
    ]);
  });
});
