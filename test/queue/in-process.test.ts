import { describe, expect, test } from '@jest/globals';
import { InProcessQueue } from '../../src/queue/in-process.ts';
import type { Job } from '../../src/queue/queue.ts';
import { queueConformance } from './conformance.ts';

queueConformance('in one process', (failed) => new InProcessQueue(failed));

describe('the queue in one process', () => {
  test('waits twice as long after each failure, a minute at most, and begins again after a success', async () => {
    const waits: number[] = [];
    const real = globalThis.setTimeout;
    const fire: (() => void)[] = [];
    // The waits themselves are the subject: they are noted, and run out at once.
    globalThis.setTimeout = ((callback: () => void, ms: number) => {
      waits.push(ms);
      fire.push(callback);
      return real(() => {}, 0);
    }) as unknown as typeof setTimeout;
    try {
      const queue = new InProcessQueue(() => {});
      let runs = 0;
      queue.handle('work', async () => {
        runs++;
        if (runs !== 12) throw new Error('no');
        return undefined;
      });
      queue.start();
      queue.ring({ kind: 'work', id: '1' });
      await queue.idle();
      while (fire.length > 0) {
        fire.shift()?.();
        await queue.idle();
      }
      expect(waits).toEqual([200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 51_200, 60_000, 60_000]);
      queue.ring({ kind: 'work', id: '1' });
      await queue.idle();
      expect(waits.at(-1)).toBe(200);
      await queue.stop();
    } finally {
      globalThis.setTimeout = real;
    }
  });

  test('fails where it is rung for a kind that nobody handles, and is idle afterwards', async () => {
    const queue = new InProcessQueue((job: Job) => expect(job).toBeUndefined());
    queue.start();
    expect(() => queue.ring({ kind: 'nobody', id: '1' })).toThrow('nobody');
    await queue.idle();
    await queue.stop();
  }, 2000);
});
