import { expect, test } from '@jest/globals';
import { withinTime } from '../../src/commit/time-limit.ts';
import { Failure } from '../../src/outcome.ts';

const endless = (): never => {
  for (;;);
};

function thrownBy(work: () => unknown): unknown {
  try {
    return work();
  } catch (error) {
    return error;
  }
}

test('work that ends in time gives what it gives, and throws what it throws', () => {
  expect(withinTime(1000, () => 42)).toBe(42);
  const error = new TypeError('own');
  const failing = (): never => {
    throw error;
  };
  expect(thrownBy(() => withinTime(1000, failing))).toBe(error);
  expect(withinTime(undefined, () => 42)).toBe(42);
});

test.each([
  ['a loop', endless],
  ['an expression that goes back and forth', () => /^(a+)+$/.test(`${'a'.repeat(40)}b`)],
  ['work that catches everything', () => thrownBy(endless)],
  ['work within work', () => withinTime(100_000, endless)],
])('%s without an end is ended', (_, work) => {
  const error = thrownBy(() => withinTime(20, work));
  expect(error).toBeInstanceOf(Failure);
  expect(error).toMatchObject({ kind: 'too-costly', message: 'takes longer than 20 ms' });
  expect(withinTime(1000, () => 'and the next runs')).toBe('and the next runs');
});
