/** What whole messages become. UPDATE_GOLDEN=1 writes the files anew (then `biome format --write`): read the difference. */
import { describe, test } from '@jest/globals';
import { hospitalDay } from '../support/messages.ts';
import { expectGolden } from './golden.ts';
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
    expectGolden(name, mapped(message?.bytes ?? '').resources);
  });
});
