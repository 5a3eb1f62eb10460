/** What whole messages become. UPDATE_GOLDEN=1 writes the files anew (then `biome format --write`): read the difference. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { hospitalDay } from '../support/messages.ts';
import { mapped } from './support.ts';

const chosen = [
  '01-A01-zhang-endocrinology',
  '03-A01-carter-delivery',
  '12-A03-whitfield-died',
  '13-A03-chen-transferred',
  '18-A03-zhao-never-admitted',
];

describe('the resources of the sample hospital day', () => {
  test.each(chosen)('%s', (name) => {
    const message = hospitalDay().find((it) => it.name === `${name}.hl7`);
    const made = mapped(message?.bytes ?? '').resources.map(({ resource, clear, initial }) => ({
      resource,
      ...(clear.size > 0 && { clear: [...clear].sort() }),
      ...(initial.size > 0 && { initial: [...initial].sort() }),
    }));
    const path = fileURLToPath(new URL(`expected/${name}.json`, import.meta.url));
    if (process.env.UPDATE_GOLDEN === '1') writeFileSync(path, `${JSON.stringify(made, undefined, 2)}\n`);
    expect(existsSync(path)).toBe(true);
    expect(made).toEqual(JSON.parse(readFileSync(path, 'utf8')));
  });
});
