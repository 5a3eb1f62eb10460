/** Units of work: all or nothing, views, claims. */
import { describe, expect, test } from '@jest/globals';
import type { StoredResource } from '../../../src/fhir/types.ts';
import { type Effect, LostClaim, type PreparedWrite, type View } from '../../../src/store/store.ts';
import { beginMs, claim, type Given, message, parameters, patient } from './bench.ts';

export function commitRules(given: Given): void {
  describe('a commit is all or nothing', () => {
    const refused = new Error('refused');

    test('what decide throws comes out unchanged and leaves nothing', async () => {
      await given.bench.write(patient('1', { gender: 'male' }));
      const head = await given.store.head();
      await expect(
        given.store.commit({
          cause: 'client:test',
          keys: [],
          decide: () => {
            throw refused;
          },
        }),
      ).rejects.toBe(refused);
      expect(await given.store.head()).toBe(head);
      expect(await given.store.changes(0, 10)).toHaveLength(1);
    });

    test('a unit that fails in its second write leaves no version, no search row and no claim of the first', async () => {
      const id = await given.store.keep(message());
      const clash: PreparedWrite = {
        type: 'Patient',
        id: 'b',
        interaction: 'update',
        version: 7,
        at: beginMs,
        json: '{}',
        added: [],
        removed: [],
      };
      const first: PreparedWrite = {
        type: 'Patient',
        id: 'a',
        interaction: 'create',
        version: 1,
        at: beginMs,
        json: '{"resourceType":"Patient","id":"a","gender":"male"}',
        added: parameters.extract(
          patient('a', { gender: 'male', meta: { lastUpdated: new Date(beginMs).toISOString() } }),
        ),
        removed: [],
      };
      const effects: Effect[] = [claim(id), { kind: 'cursor', name: 'care', from: 0, to: 9 }];
      await expect(
        given.store.commit({ cause: 'client:test', keys: [], decide: () => ({ writes: [first, clash], effects }) }),
      ).rejects.toThrow();
      expect(await given.store.read({ type: 'Patient', id: 'a' })).toBeUndefined();
      expect(await given.bench.ids('Patient?gender=male')).toEqual([]);
      expect(await given.bench.ids('Patient')).toEqual([]);
      expect(await given.store.cursor('care')).toBe(0);
      expect((await given.store.waiting(10)).map((row) => [row.id, row.attempts])).toEqual([[id, 0]]);
    });

    test('a lost claim takes the writes of its unit with it', async () => {
      const id = await given.store.keep(message());
      await given.bench.effects(claim(id));
      await expect(
        given.bench.commit.run({
          cause: `message:${id}`,
          keys: [{ type: 'Patient', id: 'a' }],
          decide: () => ({
            intentions: [{ kind: 'put', resource: patient('a', { gender: 'male' }) }],
            effects: () => [claim(id)],
          }),
        }),
      ).rejects.toBeInstanceOf(LostClaim);
      expect(await given.store.read({ type: 'Patient', id: 'a' })).toBeUndefined();
      expect(await given.bench.ids('Patient?gender=male')).toEqual([]);
    });

    test('a failed unit leaves no gap in the sequence', async () => {
      await given.bench.write(patient('1'));
      await expect(given.bench.write(patient('2'), { resourceType: 'Patient', id: '3', wrong: 1 })).rejects.toThrow();
      await given.bench.write(patient('4'));
      const changes = await given.store.changes(0, 10);
      expect(changes.map((change) => [change.id, change.sequence])).toEqual([
        ['1', 1],
        ['4', 2],
      ]);
    });

    test('of several units given at once the one that fails falls alone', async () => {
      const units = ['1', '2', '3', '4', '5'].map((id) =>
        given.bench.commit.run({
          cause: 'client:test',
          keys: [{ type: 'Patient', id }],
          decide: () => {
            if (id === '3') throw refused;
            return {
              intentions: [
                { kind: 'put', resource: patient(id, { identifier: [{ system: 'urn:s', value: `v${id}` }] }) },
              ],
            };
          },
        }),
      );
      const results = await Promise.allSettled(units);
      expect(results.map((it) => it.status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled', 'fulfilled']);
      expect(await given.bench.ids('Patient?identifier=urn:s|v1,urn:s|v3,urn:s|v5')).toEqual(['1', '5']);
      expect((await given.store.changes(0, 10)).map((change) => change.sequence)).toEqual([1, 2, 3, 4]);
    });

    test('search goes on to find by a parameter whose first use was undone', async () => {
      const bad = { resourceType: 'Device', id: 'd', owner: 5 };
      await expect(
        given.bench.write({ resourceType: 'Device', id: 'd1', status: 'active' }, bad as StoredResource),
      ).rejects.toThrow();
      await given.bench.write({ resourceType: 'Device', id: 'd2', status: 'active' });
      expect(await given.bench.ids('Device?status=active')).toEqual(['d2']);
    });

    test('a unit sees what the unit before it wrote, also when both were given at once', async () => {
      const seen: (number | undefined)[] = [];
      const unit = (gender: string): Promise<unknown> =>
        given.bench.commit.run({
          cause: 'client:test',
          keys: [{ type: 'Patient', id: '1' }],
          decide: (view) => {
            seen.push(view.get({ type: 'Patient', id: '1' })?.version);
            return { intentions: [{ kind: 'put', resource: patient('1', { gender }) }] };
          },
        });
      await Promise.all([unit('male'), unit('female'), unit('other')]);
      expect(seen).toEqual([undefined, 1, 2]);
      expect((await given.store.read({ type: 'Patient', id: '1' }))?.version).toBe(3);
    });

    test('more units at once than fit one group are all written, in the order given', async () => {
      await Promise.all(Array.from({ length: 150 }, (_, i) => given.bench.write(patient(`p${i}`))));
      expect((await given.store.changes(0, 1000)).map((change) => change.id)).toEqual(
        Array.from({ length: 150 }, (_, i) => `p${i}`),
      );
    });
  });

  describe('a view', () => {
    const identifier = { system: 'urn:mrn', value: '7' };
    const look = async <T>(see: (view: View) => T): Promise<T> => {
      let seen: T | undefined;
      await given.store.commit({
        cause: 'client:test',
        keys: [
          { type: 'Patient', id: '1' },
          { type: 'Patient', identifier },
        ],
        decide: (view) => {
          seen = see(view);
          return { writes: [] };
        },
      });
      return seen as T;
    };

    test('gives nothing for a key that was never used', async () => {
      expect(await look((view) => view.get({ type: 'Patient', id: '1' }))).toBeUndefined();
    });

    test('gives a deleted resource as a version without content', async () => {
      await given.bench.write(patient('1'));
      await given.bench.write('Patient/1');
      const current = await look((view) => view.get({ type: 'Patient', id: '1' }));
      expect(current).toMatchObject({ version: 2, interaction: 'delete', resource: undefined });
    });

    test('finds by identifier in the order of creation, two at the most, none that was deleted', async () => {
      const found = (): Promise<string[]> =>
        look((view) => view.find({ type: 'Patient', identifier }).map((it) => it.id));
      for (const id of ['c', 'a', 'b', 'd']) await given.bench.write(patient(id, { identifier: [identifier] }));
      expect(await found()).toEqual(['c', 'a']);
      await given.bench.write('Patient/c');
      expect(await found()).toEqual(['a', 'b']);
      await given.bench.write(patient('a', { identifier: [{ ...identifier, system: 'urn:other' }] }));
      expect(await found()).toEqual(['b', 'd']);
    });

    test.each<[string, (view: View) => unknown]>([
      ['looks at', (view) => view.get({ type: 'Patient', id: '2' })],
      ['finds by identifier', (view) => view.find({ type: 'Patient', identifier: { ...identifier, value: '8' } })],
      ['searches for', (view) => view.search(given.bench.query('Patient?_id=1'))],
    ])('of a decision that %s what its commit did not name says so', async (_, wrong) => {
      await expect(look(wrong)).rejects.toThrow('did not name');
    });
  });

  describe('claims', () => {
    test('a message is claimed once, from the state that is named', async () => {
      const id = await given.store.keep(message());
      await given.bench.effects(claim(id, { wrote: ['Patient/1/_history/1'], mappingVersion: 'm1' }));
      expect((await given.store.message(id))?.state).toBe('applied');
      await expect(given.bench.effects(claim(id))).rejects.toBeInstanceOf(LostClaim);
      await expect(given.bench.effects(claim(id + 1))).rejects.toBeInstanceOf(LostClaim);
    });

    test('of many that claim one message at once exactly one has it', async () => {
      const id = await given.store.keep(message());
      const results = await Promise.allSettled([1, 2, 3, 4].map(() => given.bench.effects(claim(id))));
      expect(results.filter((it) => it.status === 'fulfilled')).toHaveLength(1);
      expect((await given.store.message(id))?.attempts).toBe(1);
    });

    test('a cursor moves only from where it stands', async () => {
      await given.bench.effects({ kind: 'cursor', name: 'care', from: 0, to: 5 });
      await expect(given.bench.effects({ kind: 'cursor', name: 'care', from: 0, to: 6 })).rejects.toBeInstanceOf(
        LostClaim,
      );
      await expect(given.bench.effects({ kind: 'cursor', name: 'new', from: 3, to: 6 })).rejects.toBeInstanceOf(
        LostClaim,
      );
      expect(await given.store.cursor('care')).toBe(5);
      expect(await given.store.cursor('new')).toBe(0);
    });

    test('what was delivered moves only from where it stands', async () => {
      await given.bench.effects({ kind: 'delivered', subscription: 's', from: 0, to: 2 });
      await expect(
        given.bench.effects({ kind: 'delivered', subscription: 's', from: 0, to: 3 }),
      ).rejects.toBeInstanceOf(LostClaim);
      await given.bench.effects({ kind: 'delivered', subscription: 's', from: 2, to: 3 });
      expect(await given.store.progress('s')).toEqual({ lastNumber: 0, deliveredNumber: 3 });
    });

    test('what was delivered cannot begin elsewhere than at nothing', async () => {
      await expect(
        given.bench.effects({ kind: 'delivered', subscription: 's', from: 4, to: 5 }),
      ).rejects.toBeInstanceOf(LostClaim);
      expect(await given.store.progress('s')).toEqual({ lastNumber: 0, deliveredNumber: 0 });
    });

    test('one lost claim takes the other effects of its unit back', async () => {
      await expect(
        given.bench.effects(
          { kind: 'cursor', name: 'a', from: 0, to: 1 },
          { kind: 'events', events: [{ subscription: 's', number: 1, sequence: 1, at: 1, focus: 'Patient/1' }] },
          { kind: 'cursor', name: 'b', from: 9, to: 10 },
        ),
      ).rejects.toBeInstanceOf(LostClaim);
      expect(await given.store.cursor('a')).toBe(0);
      expect(await given.store.events('s', 0, 10)).toEqual([]);
    });
  });
}
