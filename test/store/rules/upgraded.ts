/** A database of schema 2 with three messages and a patient, after it was brought up to date: the same story on each database. */
import { expect } from '@jest/globals';
import { type Bench, beginMs, claim, message, patient } from './bench.ts';

/** @returns the number of the next message that it keeps */
export async function expectUpgraded(bench: Bench): Promise<number> {
  const { store } = bench;
  // Which application sent it, nobody looked at.
  const { application, ...kept } = message({ content: '', answer: Buffer.alloc(0) });
  expect(await store.message(1)).toEqual({
    ...kept,
    id: 1,
    state: 'applied',
    attempts: 1,
    mappingVersion: 'm1',
    wrote: ['Patient/1/_history/1'],
    appliedAt: beginMs,
  });
  expect(await store.message(3)).toMatchObject({ state: 'rejected', error: 'why', controlId: 'C3' });
  expect(await store.messageCounts()).toEqual({ applied: 1, received: 1, rejected: 1 });
  expect((await store.waiting(10)).map(({ id }) => id)).toEqual([2]);
  const repeat = await store.keepNamed(message({ controlId: 'C2', application, content: '' }), 'why');
  expect(repeat).toMatchObject({ kind: 'repeat', first: { id: 2 } });
  const again = repeat.id;
  expect(await store.hasTwin((await store.message(again))!)).toBe(false);
  await bench.effects(claim(1, { from: 'applied', to: 'received' }));
  expect(await store.outcomes(1)).toMatchObject([{ state: 'applied', mappingVersion: 'm1' }]);
  await bench.commit.run({
    cause: 'message:2',
    keys: [{ type: 'Patient', id: '1' }],
    decide: (view) => {
      expect(view.get({ type: 'Patient', id: '1' })).toMatchObject({ version: 1, marks: undefined });
      return { intentions: [{ kind: 'put', resource: patient('1', { gender: 'male' }), marks: { from: 2 } }] };
    },
  });
  expect(await store.head()).toBe(2);
  return again;
}
