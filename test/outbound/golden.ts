/** Messages as files that an interface engineer reads: a line for each segment. UPDATE_GOLDEN=1 writes them anew. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from '@jest/globals';

/** @param name of a file in `expected/` without its ending */
export function expectGolden(name: string, message: string): void {
  const path = fileURLToPath(new URL(`expected/${name}.hl7`, import.meta.url));
  if (process.env.UPDATE_GOLDEN === '1') writeFileSync(path, message);
  expect(existsSync(path)).toBe(true);
  expect(message).toBe(readFileSync(path, 'utf8'));
}
