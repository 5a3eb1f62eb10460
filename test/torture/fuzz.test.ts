import { describe, expect, test } from '@jest/globals';
import { fuzz } from './fuzz.ts';
import { seedOf } from './random.ts';

const messages = Number(process.env.FUZZ ?? (process.env.CI ? 10_000 : 1000));
const seed = seedOf(process.env.SEED ?? '20260316');

describe(`${messages} mutated messages (SEED=${seed})`, () => {
  test(
    'are all answered and kept, and what is answered AA is applied',
    async () => {
      const { answers, states } = await fuzz({ messages, seed });
      expect(Object.keys(answers)).toEqual(expect.arrayContaining(['AA', 'AE', 'AR', 'CA', 'CE']));
      expect(Object.keys(states)).toEqual(expect.arrayContaining(['applied', 'stale', 'duplicate', 'rejected']));
    },
    30_000 + messages * 30,
  );
});
