import { describe, expect, test } from '@jest/globals';
import { crash } from './crash.ts';
import { seedOf } from './random.ts';

const kills = Number(process.env.KILLS ?? 3);
const seed = seedOf(process.env.SEED ?? '20260316');

describe(`a server killed ${kills} times under load (SEED=${seed})`, () => {
  test(
    'loses nothing that it acknowledged, does nothing twice, and tells subscribers in order',
    async () => {
      const report = await crash({ kills, seed });
      expect(report.messages).toBeGreaterThan(kills);
      expect(report.events).toBeGreaterThan(kills);
    },
    30_000 + kills * 10_000,
  );
});
