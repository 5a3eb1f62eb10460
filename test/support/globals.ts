/** What `@jest/globals` gives under the light runner, which has no time limits: a test that hangs would hang everything. */
const all = globalThis as any;

const limitMs = 20_000;
const { setTimeout, clearTimeout } = globalThis;

type Run = (...args: any[]) => unknown;

function limited(run: Run | undefined, ms = limitMs): Run | undefined {
  if (!run) return undefined;
  return async (...args) => {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Error(`took more than ${ms} ms`)), ms);
    });
    try {
      await Promise.race([run(...args), late]);
    } finally {
      clearTimeout(timer);
    }
  };
}

function testBy(original: any): any {
  const each =
    (rows: any) =>
    (name: string, run: Run, ms?: number): void =>
      original.each(rows)(name, limited(run, ms));
  return Object.assign((name: string, run: Run, ms?: number): void => original(name, limited(run, ms)), { each });
}

const hookBy =
  (original: any) =>
  (run: Run, ms?: number): void =>
    original(limited(run, ms));

export const { describe, expect, jest } = all;
export const test = Object.assign(testBy(all.test), { only: testBy(all.test.only) });
export const [beforeAll, beforeEach, afterEach, afterAll] = ['beforeAll', 'beforeEach', 'afterEach', 'afterAll'].map(
  (name) => hookBy(all[name]),
);
