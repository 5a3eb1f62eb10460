/** What every implementation of the Queue seam keeps to. A job is a bell: once too often does no harm, never is a loss. */
import { afterEach, describe, expect, test } from '@jest/globals';
import type { Job, Next, Queue } from '../../src/queue/queue.ts';

/** Makes a queue that is empty and not started; `failed` is told of every handler that threw. */
export type MakeQueue = (failed: (job: Job, error: unknown) => void) => Queue | Promise<Queue>;

/** Much longer than any test: what is rung with it does not run. ms */
const never = 3_600_000;

/** A promise that a handler or a test resolves. */
interface Signal {
  readonly given: Promise<void>;
  give(): void;
}

function signal(): Signal {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { given: promise, give: resolve };
}

/** Counts calls; `reached(n)` resolves at the nth. */
class Counter {
  count = 0;
  #waiting: { at: number; resolve(): void }[] = [];

  hit(): number {
    this.count++;
    for (const it of this.#waiting) if (it.at <= this.count) it.resolve();
    return this.count;
  }

  async reached(at: number): Promise<void> {
    if (this.count >= at) return;
    await new Promise<void>((resolve) => this.#waiting.push({ at, resolve }));
  }
}

export function queueConformance(name: string, make: MakeQueue): void {
  describe(`the queue seam: ${name}`, () => {
    const made: Queue[] = [];
    const failures: { job: Job; error: unknown }[] = [];

    afterEach(async () => {
      for (const queue of made.splice(0)) await queue.stop();
      failures.length = 0;
    });

    async function queueOf(handlers: Record<string, (id: string) => Promise<Next>>): Promise<Queue> {
      const queue = await make((job, error) => failures.push({ job, error }));
      made.push(queue);
      for (const [kind, handler] of Object.entries(handlers)) queue.handle(kind, handler);
      return queue;
    }

    async function started(handlers: Record<string, (id: string) => Promise<Next>>): Promise<Queue> {
      const queue = await queueOf(handlers);
      queue.start();
      return queue;
    }

    const limitMs = 5_000;

    describe('at least once', () => {
      test(
        'a job goes to the handler of its kind, with its id',
        async () => {
          const seen: string[] = [];
          const done = new Counter();
          const handler = (kind: string) => async (id: string) => {
            seen.push(`${kind} ${id}`);
            done.hit();
            return undefined;
          };
          const queue = await started({ mail: handler('mail'), sweep: handler('sweep') });
          queue.ring({ kind: 'mail', id: '1' });
          queue.ring({ kind: 'sweep', id: 'all' });
          await done.reached(2);
          expect(seen.sort()).toEqual(['mail 1', 'sweep all']);
        },
        limitMs,
      );

      test(
        'every job runs',
        async () => {
          const seen = new Set<string>();
          const done = new Counter();
          const queue = await started({
            work: async (id) => {
              if (!seen.has(id)) done.hit();
              seen.add(id);
              return undefined;
            },
          });
          for (let i = 0; i < 200; i++) queue.ring({ kind: 'work', id: `${i}` });
          await done.reached(200);
          expect(seen.size).toBe(200);
        },
        limitMs,
      );

      test(
        'a job that is rung before the start runs after it, not before',
        async () => {
          const ran = new Counter();
          const queue = await queueOf({
            work: async () => {
              ran.hit();
              return undefined;
            },
          });
          queue.ring({ kind: 'work', id: '1' });
          expect(ran.count).toBe(0);
          queue.start();
          await ran.reached(1);
        },
        limitMs,
      );

      test(
        'a job that is rung again after it has run runs again',
        async () => {
          const ran = new Counter();
          const queue = await started({
            work: async () => {
              ran.hit();
              return undefined;
            },
          });
          for (let i = 1; i <= 3; i++) {
            queue.ring({ kind: 'work', id: '1' });
            await ran.reached(i);
            await queue.idle();
          }
          expect(ran.count).toBe(3);
        },
        limitMs,
      );

      test(
        'a handler may ring for other jobs',
        async () => {
          const ran: string[] = [];
          const done = signal();
          let queue: Queue | undefined;
          queue = await started({
            first: async (id) => {
              ran.push(`first ${id}`);
              queue?.ring({ kind: 'second', id });
              return undefined;
            },
            second: async (id) => {
              ran.push(`second ${id}`);
              done.give();
              return undefined;
            },
          });
          queue.ring({ kind: 'first', id: '1' });
          await done.given;
          expect(ran).toEqual(['first 1', 'second 1']);
        },
        limitMs,
      );
    });

    describe('one at a time for a kind and id', () => {
      test(
        'rung many times while it runs, a job runs once more, after the run that was under way',
        async () => {
          const begun = new Counter();
          const release = signal();
          let inside = 0;
          let insideMax = 0;
          const queue = await started({
            work: async () => {
              insideMax = Math.max(insideMax, ++inside);
              if (begun.hit() === 1) await release.given;
              inside--;
              return undefined;
            },
          });
          queue.ring({ kind: 'work', id: '1' });
          await begun.reached(1);
          for (let i = 0; i < 5; i++) queue.ring({ kind: 'work', id: '1' });
          release.give();
          await begun.reached(2);
          await queue.idle();
          expect(begun.count).toBe(2);
          expect(insideMax).toBe(1);
        },
        limitMs,
      );

      test(
        'what was written before a bell is seen by the run that it leads to',
        async () => {
          let rows = 0;
          let done = 0;
          const queue = await started({
            work: async () => {
              const seen = rows;
              await new Promise<void>((resolve) => setImmediate(resolve));
              done = seen;
              return undefined;
            },
          });
          for (let i = 0; i < 50; i++) {
            rows++;
            queue.ring({ kind: 'work', id: '1' });
            if (i % 7 === 0) await new Promise<void>((resolve) => setImmediate(resolve));
          }
          await queue.idle();
          expect(done).toBe(50);
        },
        limitMs,
      );

      test(
        'a bell that rings while a failing run is under way is not lost',
        async () => {
          const begun = new Counter();
          const release = signal();
          const queue = await started({
            work: async () => {
              if (begun.hit() > 1) return undefined;
              await release.given;
              throw new Error('first');
            },
          });
          queue.ring({ kind: 'work', id: '1' });
          await begun.reached(1);
          queue.ring({ kind: 'work', id: '1' });
          release.give();
          await begun.reached(2);
        },
        limitMs,
      );

      test(
        'jobs of different ids run beside one another',
        async () => {
          const both = new Counter();
          const queue = await started({
            work: async () => {
              both.hit();
              await both.reached(2);
              return undefined;
            },
          });
          queue.ring({ kind: 'work', id: '1' });
          queue.ring({ kind: 'work', id: '2' });
          await both.reached(2);
          await queue.idle();
          expect(both.count).toBe(2);
        },
        limitMs,
      );

      test(
        'jobs of different kinds with the same id run beside one another',
        async () => {
          const both = new Counter();
          const handler = async (): Promise<Next> => {
            both.hit();
            await both.reached(2);
            return undefined;
          };
          const queue = await started({ one: handler, two: handler });
          queue.ring({ kind: 'one', id: '1' });
          queue.ring({ kind: 'two', id: '1' });
          await both.reached(2);
          await queue.idle();
          expect(both.count).toBe(2);
        },
        limitMs,
      );
    });

    describe('later', () => {
      test(
        'a job with a delay runs, and not before its time',
        async () => {
          const ran = Promise.withResolvers<number>();
          const queue = await started({
            work: async () => {
              ran.resolve(performance.now());
              return undefined;
            },
          });
          const from = performance.now();
          queue.ring({ kind: 'work', id: '1' }, 30);
          // Timers count whole milliseconds of a clock that the event loop reads once a turn.
          expect((await ran.promise) - from).toBeGreaterThanOrEqual(28);
        },
        limitMs,
      );

      test(
        'a bell now does not wait for one that rings later',
        async () => {
          const ran = new Counter();
          const queue = await started({
            work: async () => {
              ran.hit();
              return undefined;
            },
          });
          queue.ring({ kind: 'work', id: '1' }, never);
          queue.ring({ kind: 'work', id: '1' });
          await ran.reached(1);
        },
        limitMs,
      );

      test.each([
        ['rung first', [20, never]],
        ['rung second', [never, 20]],
      ])(
        'of two delays the shorter one counts, %s',
        async (_, delays) => {
          const ran = new Counter();
          const queue = await started({
            work: async () => {
              ran.hit();
              return undefined;
            },
          });
          for (const delay of delays) queue.ring({ kind: 'work', id: '1' }, delay);
          await ran.reached(1);
        },
        limitMs,
      );

      test(
        'a handler that wants to be rung again is',
        async () => {
          const ran = new Counter();
          const queue = await started({
            work: async () => (ran.hit() < 3 ? { againMs: 5 } : undefined),
          });
          queue.ring({ kind: 'work', id: '1' });
          await ran.reached(3);
          await queue.idle();
          expect(ran.count).toBe(3);
        },
        limitMs,
      );

      test(
        'a bell with a delay that rings while the job runs is not lost',
        async () => {
          const begun = new Counter();
          const release = signal();
          const queue = await started({
            work: async () => {
              if (begun.hit() === 1) await release.given;
              return undefined;
            },
          });
          queue.ring({ kind: 'work', id: '1' });
          await begun.reached(1);
          queue.ring({ kind: 'work', id: '1' }, 10);
          release.give();
          await begun.reached(2);
        },
        limitMs,
      );
    });

    describe('a handler that throws', () => {
      test(
        'is called again, and each failure is told',
        async () => {
          const ran = new Counter();
          const error = new Error('database gone');
          const queue = await started({
            work: async () => {
              if (ran.hit() < 3) throw error;
              return undefined;
            },
          });
          queue.ring({ kind: 'work', id: '1' });
          await ran.reached(3);
          await queue.idle();
          expect(failures.map(({ job }) => job)).toEqual([
            { kind: 'work', id: '1' },
            { kind: 'work', id: '1' },
          ]);
          expect(failures.map((it) => (it.error as Error).message)).toEqual(['database gone', 'database gone']);
        },
        limitMs,
      );

      test(
        'does not hold up other jobs, and waits before it is called again',
        async () => {
          const ran = new Counter();
          const other = new Counter();
          const queue = await started({
            broken: async () => {
              ran.hit();
              throw new Error('always');
            },
            sound: async () => {
              other.hit();
              return undefined;
            },
          });
          queue.ring({ kind: 'broken', id: '1' });
          await ran.reached(1);
          for (let i = 1; i <= 20; i++) {
            queue.ring({ kind: 'sound', id: `${i}` });
            await other.reached(i);
          }
          // One that did not wait would have run as often as the others; a slow machine may see a second turn.
          expect(ran.count).toBeLessThan(5);
        },
        limitMs,
      );

      test(
        'can be rung for without waiting for its next turn',
        async () => {
          const ran = new Counter();
          const queue = await started({
            work: async () => {
              if (ran.hit() === 1) throw new Error('once');
              return undefined;
            },
          });
          queue.ring({ kind: 'work', id: '1' });
          await ran.reached(1);
          await queue.idle();
          queue.ring({ kind: 'work', id: '1' });
          await ran.reached(2);
        },
        limitMs,
      );
    });

    describe('idle', () => {
      test('is at once when nothing was rung', async () => {
        const queue = await started({});
        await queue.idle();
      });

      test(
        'waits for what runs and for what that rings',
        async () => {
          const seen: number[] = [];
          let queue: Queue | undefined;
          queue = await started({
            work: async (id) => {
              await new Promise<void>((resolve) => setImmediate(resolve));
              seen.push(Number(id));
              if (Number(id) < 5) queue?.ring({ kind: 'work', id: `${Number(id) + 1}` });
              return undefined;
            },
          });
          queue.ring({ kind: 'work', id: '1' });
          await queue.idle();
          expect(seen).toEqual([1, 2, 3, 4, 5]);
        },
        limitMs,
      );

      test(
        'does not wait for what is due later',
        async () => {
          const queue = await started({ work: async () => undefined });
          queue.ring({ kind: 'work', id: '1' }, never);
          await queue.idle();
        },
        limitMs,
      );

      test(
        'answers everybody who waits',
        async () => {
          const begun = signal();
          const release = signal();
          const queue = await started({
            work: async () => {
              begun.give();
              await release.given;
              return undefined;
            },
          });
          queue.ring({ kind: 'work', id: '1' });
          await begun.given;
          const waiting = [queue.idle(), queue.idle()];
          release.give();
          await Promise.all(waiting);
        },
        limitMs,
      );
    });

    describe('stop', () => {
      test(
        'waits for the handlers that run',
        async () => {
          const begun = new Counter();
          const release = signal();
          const order: string[] = [];
          const queue = await started({
            work: async (id) => {
              begun.hit();
              await release.given;
              order.push(`ended ${id}`);
              return undefined;
            },
          });
          queue.ring({ kind: 'work', id: '1' });
          queue.ring({ kind: 'work', id: '2' });
          await begun.reached(2);
          const stopping = queue.stop().then(() => order.push('stopped'));
          release.give();
          await stopping;
          expect(order.slice(0, 2).sort()).toEqual(['ended 1', 'ended 2']);
          expect(order[2]).toBe('stopped');
        },
        limitMs,
      );

      test(
        'takes no more bells, neither new ones nor those of running handlers',
        async () => {
          const ran = new Counter();
          const release = signal();
          const queue = await started({
            work: async (id) => {
              ran.hit();
              if (id === '1') await release.given;
              return { againMs: 1 };
            },
          });
          queue.ring({ kind: 'work', id: '1' });
          await ran.reached(1);
          queue.ring({ kind: 'work', id: '1' });
          queue.ring({ kind: 'work', id: 'later' }, 1);
          const stopping = queue.stop();
          queue.ring({ kind: 'work', id: '2' });
          release.give();
          await stopping;
          queue.ring({ kind: 'work', id: '3' });
          // Another queue's bell with a longer delay than those above says that their time is over.
          const over = new Counter();
          const clock = await started({
            tick: async () => {
              over.hit();
              return undefined;
            },
          });
          clock.ring({ kind: 'tick', id: '1' }, 20);
          await over.reached(1);
          expect(ran.count).toBe(1);
        },
        limitMs,
      );

      test(
        'before the start runs nothing and ends',
        async () => {
          const ran = new Counter();
          const queue = await queueOf({
            work: async () => {
              ran.hit();
              return undefined;
            },
          });
          queue.ring({ kind: 'work', id: '1' });
          await queue.stop();
          expect(ran.count).toBe(0);
        },
        limitMs,
      );

      test(
        'is ended by a handler that throws as by one that returns',
        async () => {
          const begun = signal();
          const release = signal();
          const queue = await started({
            work: async () => {
              begun.give();
              await release.given;
              throw new Error('late');
            },
          });
          queue.ring({ kind: 'work', id: '1' });
          await begun.given;
          const stopping = queue.stop();
          release.give();
          await stopping;
          expect(failures).toHaveLength(1);
        },
        limitMs,
      );
    });
  });
}
