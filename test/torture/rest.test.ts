import { describe, expect, test } from '@jest/globals';
import { databases } from '../support/databases.ts';
import { seedOf } from './random.ts';
import { tortureRest } from './rest.ts';

const seconds = Number(process.env.TORTURE_SECONDS ?? 2);
const seed = seedOf(process.env.SEED ?? '20260316');

describe.each(databases)(
  `clients that write, read and page at the same time on $name for ${seconds} s (SEED=${seed})`,
  ({ open }) => {
    test(
      'see what they wrote, no page twice and none missed, and of 50 conditional creates one',
      async () => {
        const database = await open();
        try {
          const report = await tortureRest({ storeUrl: database.url, seconds, seed });
          expect(Math.min(report.writes, report.pageRuns, report.conditionalRounds)).toBeGreaterThan(0);
        } finally {
          await database.drop();
        }
      },
      60_000 + seconds * 2000,
    );
  },
);
