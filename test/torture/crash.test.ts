import { describe, expect, test } from '@jest/globals';
import { databases } from '../support/databases.ts';
import { crash } from './crash.ts';
import { seedOf } from './random.ts';

const kills = Number(process.env.KILLS ?? 3);
const seed = seedOf(process.env.SEED ?? '20260316');

describe.each(databases)(`a server on $name killed ${kills} times under load (SEED=${seed})`, (database) => {
  test(
    'loses nothing that it acknowledged, does nothing twice, and tells subscribers in order',
    async () => {
      const report = await crash({ database, kills, seed });
      expect(report.messages).toBeGreaterThan(kills);
      expect(report.events).toBeGreaterThan(kills);
    },
    60_000 + kills * 10_000,
  );
});
