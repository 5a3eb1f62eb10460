/** What the mapping makes, as files that people read. UPDATE_GOLDEN=1 writes them anew (then `biome format --write`). */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from '@jest/globals';
import type { Built } from '../../src/mapping/context.ts';

/** @param name of the file in `expected/`, without its ending */
export function expectGolden(name: string, built: readonly Built[]): void {
  const made = built.map(({ resource, clear, initial }) => ({
    resource,
    ...(clear.size > 0 && { clear: [...clear].sort() }),
    ...(initial.size > 0 && { initial: [...initial].sort() }),
  }));
  const path = fileURLToPath(new URL(`expected/${name}.json`, import.meta.url));
  if (process.env.UPDATE_GOLDEN === '1') writeFileSync(path, `${JSON.stringify(made, undefined, 2)}\n`);
  expect(existsSync(path)).toBe(true);
  expect(made).toEqual(JSON.parse(readFileSync(path, 'utf8')));
}
