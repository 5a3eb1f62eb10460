/** PostgreSQL with several processes, and when it asks for another try or goes away. */
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { clientConfig } from '../../adapters/postgres/connect.ts';
import { migrate } from '../../adapters/postgres/migrate.ts';
import type { Written } from '../../src/commit/commit.ts';
import type { View } from '../../src/store/store.ts';
import { cutCommits, postgresMissing, schemaForEachTest } from '../support/postgres.ts';
import { type Bench, claim, message, patient } from './rules/bench.ts';

const missing = await postgresMissing();

if (missing) test(`skipped: ${missing}`, () => {});
else describe('PostgreSQL', troubleRules);

function troubleRules(): void {
  const given = schemaForEachTest();
  const identifier = { system: 'urn:mrn', value: '7' };

  /** R4 http.html#ccreate. */
  function createOnce(bench: Bench, id: string, how: 'query' | 'identifier'): Promise<readonly Written[]> {
    const query = bench.query('Patient?identifier=urn:mrn|7');
    const found = (view: View): unknown[] =>
      how === 'query' ? [...view.search(query)] : [...view.find({ type: 'Patient', identifier })];
    return bench.commit.run({
      cause: 'client:test',
      keys: [{ type: 'Patient', id }, how === 'query' ? { query } : { type: 'Patient', identifier }],
      decide: (view) => ({
        intentions:
          found(view).length > 0 ? [] : [{ kind: 'put', resource: patient(id, { identifier: [identifier] }) }],
      }),
    });
  }

  describe('with two processes', () => {
    test.each(['query', 'identifier'] as const)('50 creates at once on one %s make one resource', async (how) => {
      const benches = [await given.makeBench(), await given.makeBench()];
      const all = Array.from({ length: 50 }, (_, i) => createOnce(benches[i % 2] as Bench, `p${i}`, how));
      const written = (await Promise.all(all)).flat();
      expect(written.map((it) => it.interaction)).toEqual(['create']);
      expect(await benches[0]?.ids('Patient?identifier=urn:mrn|7')).toEqual([written[0]?.id]);
      expect(await benches[1]?.store.head()).toBe(1);
    });

    test('a reader that goes by sequence sees every change once and in order while both write', async () => {
      const [a, b, reader] = [await given.makeBench(), await given.makeBench(), await given.makeBench()];
      let writing = true;
      const writes = Promise.all(
        [a, b].flatMap((bench, n) =>
          Array.from({ length: 60 }, async (_, i) => {
            await wait(i * 3);
            await bench.write(patient(`${n}-${i}`), patient(`${n}-${i}-more`));
          }),
        ),
      ).finally(() => {
        writing = false;
      });
      const seen: number[] = [];
      for (;;) {
        const last = !writing;
        const changes = await reader.store.changes(seen.at(-1) ?? 0, 7);
        seen.push(...changes.map((change) => change.sequence));
        if (last && changes.length === 0) break;
      }
      await writes;
      expect(seen).toEqual(Array.from({ length: 240 }, (_, i) => i + 1));
    });

    test('each sees what the other wrote, also of what it remembers', async () => {
      const [a, b] = [await given.makeBench(), await given.makeBench()];
      await a.write(patient('1', { gender: 'male' }));
      await b.write(patient('1', { gender: 'female' }));
      await a.write(patient('1', { gender: 'female' }));
      expect((await b.store.read({ type: 'Patient', id: '1' }))?.version).toBe(2);
      await a.write(patient('1', { gender: 'other', name: [{ family: 'a' }] }));
      await b.write({ resourceType: 'Device', id: 'd', status: 'active' });
      expect(await b.ids('Patient?gender=other&name=a')).toEqual(['1']);
      expect(await a.ids('Device?status=active')).toEqual(['d']);
    });

    test('each sees the marks that the other wrote, also of a version that it remembers', async () => {
      const [a, b] = [await given.makeBench(), await given.makeBench()];
      const key = { type: 'Patient', id: '1' };
      const put = (bench: Bench, from: string): Promise<unknown> =>
        bench.commit.run({
          cause: 'message:1',
          keys: [key],
          decide: () => ({ intentions: [{ kind: 'put', resource: patient('1'), marks: { from } }] }),
        });
      const seen: (string | undefined)[] = [];
      const look = (bench: Bench): Promise<void> =>
        bench.store.commit({
          cause: 'client:test',
          keys: [key],
          decide: (view) => {
            seen.push(view.get(key)?.marks);
            return { writes: [] };
          },
        });
      await put(a, 'a');
      await look(b);
      await put(a, 'again');
      await look(b);
      await put(b, 'b');
      await look(a);
      expect(seen).toEqual(['a', 'again', 'b'].map((from) => JSON.stringify({ from, v: 1 })));
      expect(await a.store.head()).toBe(1);
    });

    test('one message is taken by one of them, and the other units of the loser stand', async () => {
      const [a, b] = [await given.makeBench(), await given.makeBench()];
      const ids = await Promise.all(Array.from({ length: 20 }, () => a.store.keep(message())));
      const units = ids.flatMap((id) => [a.effects(claim(id)), b.effects(claim(id)), b.write(patient(`after-${id}`))]);
      const results = await Promise.allSettled(units);
      expect(results.filter((it) => it.status === 'rejected')).toHaveLength(20);
      expect(await a.store.messageCounts()).toEqual({ applied: 20 });
      expect((await a.store.message(ids[0] as number))?.attempts).toBe(1);
      expect((await a.store.changes(0, 100)).map((it) => it.sequence)).toEqual(ids.map((_, i) => i + 1));
    });

    test('a message is kept while another process holds the writers up', async () => {
      const [a, b] = [await given.makeBench(), await given.makeBench()];
      const lock = await migrate(clientConfig(given.schema.url));
      await given.schema.query(`SELECT pg_advisory_lock(${lock})`);
      const written = b.write(patient('1'));
      const id = await a.store.keep(message());
      expect((await b.store.waiting(1))[0]?.id).toBe(id);
      await wait(100);
      expect(await a.store.head()).toBe(0);
      await given.schema.query(`SELECT pg_advisory_unlock(${lock})`);
      await written;
      expect(await a.store.head()).toBe(1);
    });

    test('a message that the database fails is not overtaken: those that wait behind it are not kept either', async () => {
      const { store } = await given.makeBench(given.schema.url, { readMaxMs: 300 });
      const keep = (controlId: string) => store.keepNamed(message({ controlId }), undefined);
      await given.schema.query('BEGIN');
      await given.schema.query('LOCK TABLE received_message IN ACCESS EXCLUSIVE MODE');
      const first = keep('1');
      await new Promise((resolve) => setTimeout(resolve, 100));
      const behind = [keep('2'), keep('3')];
      // The lock goes in the very moment in which they would be tried.
      const released = first.catch(() => given.schema.query('COMMIT'));
      const ended = await Promise.allSettled([first, ...behind]);
      await released;
      expect(ended.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
      expect(await store.messageCounts()).toEqual({});
      await keep('4');
      expect(await store.messageCounts()).toEqual({ received: 1 });
    });

    test('of one message that both get at the same moment one is new, and the other is told of it', async () => {
      const [a, b] = [await given.makeBench(), await given.makeBench()];
      for (let i = 0; i < 20; i++) {
        const names = Array.from({ length: 8 }, (_, n) => `${i}-${n}`);
        const keep = ({ store }: Bench, some: readonly string[]) =>
          Promise.all(some.map((controlId) => store.keepNamed(message({ controlId }), 'clash')));
        const [ofA, ofB] = await Promise.all([keep(a, names), keep(b, names.toReversed())]);
        const kinds = names.map((_, n) => [ofA[n]?.kind, ofB[names.length - 1 - n]?.kind].sort());
        expect(kinds).toEqual(names.map(() => ['new', 'repeat']));
      }
    });

    test('both may sweep at once', async () => {
      const [a, b] = [await given.makeBench(), await given.makeBench()];
      for (const gender of ['male', 'female', 'other'])
        await a.write(...['1', '2'].map((id) => patient(id, { gender })));
      const whole = await given.schema.query('SELECT count(*)::int AS n FROM token_row WHERE gone IS NOT NULL');
      expect(whole[0]?.n).toBe(4);
      await Promise.all([a.store.sweep(a.clock.now()), b.store.sweep(a.clock.now())]);
      expect(await given.schema.query('SELECT 1 FROM token_row WHERE gone IS NOT NULL')).toEqual([]);
      expect(await b.ids('Patient?gender=other')).toEqual(['1', '2']);
    });
  });

  describe('when the database asks for another try', () => {
    /** Makes the first so many inserts of versions fail. */
    async function fail(times: number, code: string): Promise<void> {
      await given.schema.query('CREATE SEQUENCE tries');
      await given.schema.query(`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF nextval('${given.schema.name}.tries') <= ${times} THEN RAISE EXCEPTION 'not now' USING ERRCODE = '${code}'; END IF;
        RETURN NEW; END $$`);
      await given.schema.query('CREATE TRIGGER refuse BEFORE INSERT ON change FOR EACH ROW EXECUTE FUNCTION refuse()');
    }

    test.each([
      ['a serialisation failure', '40001'],
      ['a deadlock', '40P01'],
    ])('a commit is tried again after %s', async (_, code) => {
      const bench = await given.makeBench();
      await fail(3, code);
      await Promise.all([bench.write(patient('1')), bench.write(patient('2'))]);
      expect((await bench.store.changes(0, 10)).map((it) => [it.sequence, it.id])).toEqual([
        [1, '1'],
        [2, '2'],
      ]);
    });

    test.each(['40001', '40P01'])('after some tries %s is a conflict, and the next commit is taken', async (code) => {
      const bench = await given.makeBench();
      await fail(6, code);
      await expect(bench.write(patient('1', { gender: 'male' }))).rejects.toMatchObject({ kind: 'conflict' });
      expect(await bench.store.head()).toBe(0);
      await bench.write(patient('2', { gender: 'male' }));
      expect(await bench.ids('Patient?gender=male')).toEqual(['2']);
    });

    test('a real deadlock hurts nobody', async () => {
      const bench = await given.makeBench();
      const lock = await migrate(clientConfig(given.schema.url));
      await given.schema.query('BEGIN; LOCK TABLE change IN EXCLUSIVE MODE');
      const written = bench.write(patient('1'));
      await wait(100);
      await given.schema.query(`SELECT pg_advisory_xact_lock(${lock})`);
      await given.schema.query('COMMIT');
      await written;
      expect(await bench.store.head()).toBe(1);
    });
  });

  describe('when connections are lost', () => {
    test('everything that was given is written once, and reads go on', async () => {
      const name = `${given.schema.name}_killed`;
      const bench = await given.makeBench(`${given.schema.url}&application_name=${name}`);
      let working = true;
      const work = Promise.all([
        ...Array.from({ length: 40 }, async (_, i) => {
          await wait(i * 10);
          await bench.write(patient(`p${i}`, { gender: 'male' }));
          expect((await bench.store.read({ type: 'Patient', id: `p${i}` }))?.version).toBe(1);
        }),
        ...Array.from({ length: 40 }, async (_, i) => {
          await wait(i * 10);
          await bench.store.keep(message({ controlId: `C${i}` }));
        }),
      ]).finally(() => {
        working = false;
      });
      let killed = 0;
      while (working) {
        await wait(60);
        const rows = await given.schema.query(
          'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1',
          [name],
        );
        killed += rows.length;
      }
      await work;
      expect(killed).toBeGreaterThan(3);
      expect((await bench.store.changes(0, 100)).map((it) => it.sequence)).toEqual(
        Array.from({ length: 40 }, (_, i) => i + 1),
      );
      const rows = await bench.store.waiting(100);
      expect(rows.map((row) => row.controlId).sort()).toEqual(Array.from({ length: 40 }, (_, i) => `C${i}`).sort());
      expect(await bench.ids('Patient?gender=male&_count=100')).toHaveLength(40);
    });

    test.each(['before', 'after'] as const)(
      'during a commit, %s the server has done it, it is written once',
      async (when) => {
        const cutter = await cutCommits(given.schema.url);
        given.open.push(cutter);
        const bench = await given.makeBench(cutter.url);
        const key = { type: 'Patient', id: '1' };
        const count = (): Promise<unknown> =>
          bench.commit.run({
            cause: 'client:test',
            keys: [key],
            decide: (view) => {
              const multipleBirthInteger = (view.get(key)?.resource?.multipleBirthInteger ?? 0) + 1;
              return { intentions: [{ kind: 'put', resource: patient('1', { multipleBirthInteger }) }] };
            },
          });
        await count();
        cutter.cut(when);
        await count();
        cutter.cut(when);
        const id = await bench.store.keep(message());
        expect(cutter.cuts).toBe(2);
        await count();
        expect(JSON.parse((await bench.store.read(key))?.json as string).multipleBirthInteger).toBe(3);
        expect((await bench.store.changes(0, 10)).map((it) => it.sequence)).toEqual([1, 2, 3]);
        expect((await bench.store.waiting(10)).map((row) => row.id)).toEqual([id]);
      },
    );
  });
}
