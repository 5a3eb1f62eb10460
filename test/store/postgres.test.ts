import { afterAll, describe, expect, test } from '@jest/globals';
import { clientConfig } from '../../adapters/postgres/connect.ts';
import { migrate } from '../../adapters/postgres/migrate.ts';
import { openPostgres } from '../../adapters/postgres/store.ts';
import type { SearchParameter } from '../../src/fhir/search/parameters.ts';
import { makeSchema, postgresMissing, schemaForEachTest, type TestSchema } from '../support/postgres.ts';
import { storeConformance } from './conformance.ts';
import { Bench, beginMs, claim, message, parameters, patient } from './rules/bench.ts';
import { expectUpgraded } from './rules/upgraded.ts';

const missing = await postgresMissing();

if (missing) test(`skipped: ${missing}`, () => {});
else {
  // Emptied and used again: making the tables costs more than most rules.
  const free: TestSchema[] = [];
  afterAll(() => Promise.all(free.map((schema) => schema.drop())));
  storeConformance('PostgreSQL', async () => {
    const schema = free.pop() ?? (await makeSchema());
    const store = await openPostgres(schema.url, { poolSize: 3 });
    return {
      store,
      async close() {
        await store.close();
        await schema.empty();
        free.push(schema);
      },
    };
  });
  describe('a schema of PostgreSQL', ownRules);
}

function ownRules(): void {
  const given = schemaForEachTest();
  const identifier = { system: 'urn:mrn', value: '7' };

  describe('migrations', () => {
    test('of several processes that start at once run once', async () => {
      const benches = await Promise.all([1, 2, 3, 4].map(() => given.makeBench()));
      await Promise.all(benches.map((bench, i) => bench.write(patient(`${i}`))));
      expect(await given.schema.query('SELECT version FROM schema_version ORDER BY version')).toEqual([
        { version: 1 },
        { version: 2 },
        { version: 3 },
        { version: 4 },
        { version: 5 },
      ]);
    });

    test('go on from version 1 with what was written there', async () => {
      await migrate(clientConfig(given.schema.url), 1);
      const rid = await ridOfFirstPatient();
      const json = '{"resourceType":"Patient","id":"1","meta":{"versionId":"1"},"gender":"male"}';
      await given.schema.query(
        "INSERT INTO parameter (type, code) VALUES ('Patient', '_lastUpdated'), ('Patient', 'gender')",
      );
      await given.schema.query("INSERT INTO resource VALUES ($1, 'Patient', '1', 1, 1, false)", [rid]);
      await given.schema.query("INSERT INTO change VALUES (1, $1, 1, 'create', $2, 'client:old', $3)", [
        rid,
        beginMs,
        json,
      ]);
      await given.schema.query("INSERT INTO token_row (param, rid, born, code, system) VALUES (2, $1, 1, 'male', '')", [
        rid,
      ]);
      await given.schema.query('INSERT INTO date_row (param, rid, born, low, high) VALUES (1, $1, 1, $2, $2)', [
        rid,
        beginMs,
      ]);
      await given.schema.query("INSERT INTO cursor VALUES ('care', 1)");
      const bench = await given.makeBench();
      expect((await bench.store.read({ type: 'Patient', id: '1' }))?.json).toBe(json);
      expect(await bench.ids('Patient?gender=male')).toEqual(['1']);
      expect(await bench.store.cursor('care')).toBe(1);
      await bench.write(patient('1', { gender: 'female' }), {
        resourceType: 'RiskAssessment',
        id: 'r',
        status: 'final',
        subject: { reference: 'Patient/1' },
        prediction: [{ probabilityDecimal: 0.5 }],
      });
      expect(await bench.ids('Patient?gender=male')).toEqual([]);
      expect(await bench.ids('Patient?gender=female')).toEqual(['1']);
      expect(await bench.ids('RiskAssessment?probability=gt0.4')).toEqual(['r']);
    });

    test('go on from version 2 with the messages that were kept there', async () => {
      await migrate(clientConfig(given.schema.url), 2);
      const rid = await ridOfFirstPatient();
      await given.schema.query("INSERT INTO resource VALUES ($1, 'Patient', '1', 1, 1, false)", [rid]);
      await given.schema.query("INSERT INTO change VALUES (1, $1, 1, 'create', $2, 'message:1', $3)", [
        rid,
        beginMs,
        '{"resourceType":"Patient","id":"1","meta":{"versionId":"1"}}',
      ]);
      const insert = `INSERT INTO received_message (received_at, listener, peer, bytes, charset, type, control_id, facility,
          sha256, state, attempts, error, mapping_version, wrote, applied_at)
        VALUES ($1, 'mllp:2575', '127.0.0.1', $2, 'utf-8', 'ADT^A03', $3, 'RENHE', 'aa', $4, $5, $6, $7, $8, $9)`;
      const { bytes } = message();
      const wrote = '["Patient/1/_history/1"]';
      await given.schema.query(insert, [beginMs, bytes, 'C1', 'applied', 1, null, 'm1', wrote, beginMs]);
      await given.schema.query(insert, [beginMs, bytes, 'C2', 'received', 0, null, null, null, null]);
      await given.schema.query(insert, [beginMs, bytes, 'C3', 'rejected', 0, 'why', null, null, null]);
      const bench = await given.makeBench();
      await expectUpgraded(bench);
    });

    async function ridOfFirstPatient(): Promise<number> {
      const other = await makeSchema();
      const store = await openPostgres(other.url);
      await new Bench(store).write(patient('1'));
      const [row] = await other.query('SELECT rid FROM resource');
      await store.close();
      await other.drop();
      return Number(row?.rid);
    }

    test('of a newer program are refused, and nothing is changed', async () => {
      await migrate(clientConfig(given.schema.url), 1);
      await given.schema.query('INSERT INTO schema_version VALUES (999)');
      await expect(openPostgres(given.schema.url)).rejects.toThrow('schema 999');
      expect(await given.schema.query("SELECT to_regclass('number_row') AS made")).toEqual([{ made: null }]);
    });

    test('need a schema', async () => {
      const url = given.schema.url.replace(given.schema.name, 'not_there');
      await expect(openPostgres(url)).rejects.toThrow('no schema');
    });
  });

  describe('a decision', () => {
    test('may write what its search found', async () => {
      const bench = await given.makeBench();
      await bench.write(patient('a', { identifier: [identifier] }), patient('b'));
      const query = bench.query('Patient?identifier=urn:mrn|7');
      const [written] = await bench.commit.run({
        cause: 'client:test',
        keys: [{ query }],
        decide: (view) => ({
          intentions: view.search(query).map(({ id }) => ({ kind: 'put', resource: patient(id, { active: true }) })),
        }),
      });
      expect(written).toMatchObject({ id: 'a', version: 2, interaction: 'update' });
    });
  });

  describe('what was rolled back', () => {
    test('is forgotten: versions, and the numbers of parameters', async () => {
      const bench = await given.makeBench();
      await bench.write(patient('1', { gender: 'male' }));
      const event = { subscription: 's', number: 0, sequence: 1, at: 1, focus: 'Patient/1' };
      const unit = bench.commit.run({
        cause: 'client:test',
        keys: [
          { type: 'Patient', id: '1' },
          { type: 'Device', id: 'd' },
        ],
        decide: () => ({
          intentions: [
            { kind: 'put', resource: patient('1', { gender: 'female' }) },
            { kind: 'put', resource: { resourceType: 'Device', id: 'd', status: 'active' } },
          ],
          effects: () => [{ kind: 'events', events: [event] }],
        }),
      });
      await expect(unit).rejects.toThrow();
      await bench.write(patient('1', { gender: 'female' }), { resourceType: 'Device', id: 'd', status: 'active' });
      expect(await bench.ids('Patient?gender=female')).toEqual(['1']);
      expect(await bench.ids('Patient?gender=male')).toEqual([]);
      expect(await bench.ids('Device?status=active')).toEqual(['d']);
      expect((await bench.store.changes(0, 10)).map((it) => it.version)).toEqual([1, 2, 1]);
    });
  });

  describe('a search', () => {
    test('that takes too long is given up, and says so', async () => {
      const bench = await given.makeBench(given.schema.url, { readMaxMs: 100 });
      await bench.write(patient('1', { gender: 'male' }));
      await given.schema.query('BEGIN; LOCK TABLE token_row IN ACCESS EXCLUSIVE MODE');
      await expect(bench.ids('Patient?gender=male')).rejects.toMatchObject({ kind: 'too-costly' });
      await given.schema.query('ROLLBACK');
      expect(await bench.ids('Patient?gender=male')).toEqual(['1']);
    });

    test.each(['["x",1]', '[1e300,1]', '[1.5,1]'])('refuses the place %s for a date', async (after) => {
      const bench = await given.makeBench();
      await bench.write(patient('1', { birthDate: '1980' }));
      const query = bench.query('Patient?_sort=birthdate');
      await expect(bench.store.search({ query, snapshot: 1, after })).rejects.toMatchObject({ kind: 'malformed' });
    });

    test('finds by a parameter that another process numbered after it was looked for', async () => {
      const [a, b] = [await given.makeBench(), await given.makeBench()];
      expect(await a.ids('Patient?gender=male')).toEqual([]);
      await b.write(patient('1', { gender: 'male' }));
      expect(await a.ids('Patient?gender=male')).toEqual(['1']);
    });
  });

  test('makes the rows of a parameter anew also when another process numbered it', async () => {
    const [a, b] = [await given.makeBench(), await given.makeBench()];
    await a.write(patient('1', { gender: 'male', birthDate: '1980' }));
    const all = parameters.of('Patient');
    const [gender, birthdate] = [all.get('gender') as SearchParameter, all.get('birthdate') as SearchParameter];
    const key = { type: 'Patient', id: '1' };
    const female = { parameter: gender, value: { kind: 'token', system: '', code: 'female' } } as const;
    await b.store.commit({
      cause: 'system:index',
      keys: [key],
      decide: () => ({
        writes: [],
        effects: [
          { kind: 'index', key, parameter: gender, rows: [] },
          { kind: 'index', key, parameter: birthdate, rows: [] },
          { kind: 'index', key, parameter: gender, rows: [female] },
        ],
      }),
    });
    expect(await a.ids('Patient?gender=male')).toEqual([]);
    expect(await a.ids('Patient?birthdate=1980')).toEqual([]);
    expect(await a.ids('Patient?gender=female')).toEqual(['1']);
  });

  test('takes a message whose fields no text of PostgreSQL can hold', async () => {
    const bench = await given.makeBench();
    const odd = 'a\0b\ud800"\\{},\u{10ffff}';
    const id = await bench.store.keep(
      message({ controlId: odd, facility: odd, peer: odd, bytes: Buffer.from([0, 255]) }),
    );
    const row = await bench.store.message(id);
    expect(row?.controlId).toBe('a\ufffdb\ufffd"\\{},\u{10ffff}');
    expect(Buffer.from(row?.bytes as Uint8Array)).toEqual(Buffer.from([0, 255]));
    await bench.effects(claim(id));
    const again = await bench.store.keep(message({ controlId: odd, facility: odd }));
    const twin = await bench.store.message(again);
    expect(twin && (await bench.store.hasTwin(twin))).toBe(true);
  });

  test('takes what was given before it is closed', async () => {
    const bench = await given.makeBench();
    const work = [bench.write(patient('1')), bench.store.keep(message())];
    await given.open.pop()?.close();
    await Promise.all(work);
    await expect(bench.write(patient('2'))).rejects.toThrow('closed');
    const after = await given.makeBench();
    expect(await after.store.head()).toBe(1);
    expect(await after.store.messageCounts()).toEqual({ received: 1 });
  });

  test('takes thousands of resources in one unit', async () => {
    const bench = await given.makeBench();
    const many = Array.from({ length: 3000 }, (_, i) => patient(`p${i}`, { name: [{ family: `n${i % 7}` }] }));
    await bench.write(...many);
    await bench.write(...many.map((it) => ({ ...it, gender: 'male' })));
    const { total } = await bench.store.search({ query: bench.query('Patient?name=n3&gender=male&_summary=count') });
    expect(total).toBe(many.filter((it) => it.name[0].family === 'n3').length);
    expect(await bench.store.head()).toBe(6000);
  });
}
