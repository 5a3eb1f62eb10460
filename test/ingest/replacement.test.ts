import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type Edge, effectiveEdge, survivorOf } from '../../src/ingest/replacement.ts';
import { clientStamp, compareStamps } from '../../src/ingest/stamp.ts';

/** Merges `RETIRED>SURVIVOR`, one a day; each resource keeps the newest. */
function graph(...merges: readonly string[]): (id: string) => Edge | undefined {
  const edges = new Map<string, Edge>();
  for (const [day, merge] of merges.entries()) {
    const [retired, survivor] = merge.split('>') as [string, string];
    edges.set(retired, { id: survivor, stamp: clientStamp(Date.UTC(2026, 0, day + 1)) });
  }
  return (id) => edges.get(id);
}

describe('who stands for a merged resource', () => {
  test.each([
    ['nobody else, where nothing was merged', [], 'A', 'A'],
    ['the survivor', ['A>B'], 'A', 'B'],
    ['the end of the chain', ['A>B', 'B>C'], 'A', 'C'],
    ['the end of the chain, whichever merge came first', ['B>C', 'A>B'], 'A', 'C'],
    ['the newest survivor', ['A>B', 'A>C'], 'A', 'C'],
    ['of a merge sent the other way round later, the later survivor', ['A>B', 'B>A'], 'B', 'A'],
    ['itself, when a later merge made it the survivor', ['A>B', 'B>A'], 'A', 'A'],
    ['of a circle, what the oldest merge retired', ['A>B', 'B>C', 'C>A'], 'C', 'A'],
    ['of what leads to a circle, the survivor of the circle', ['X>A', 'A>B', 'B>A'], 'X', 'A'],
  ])('%s', (_, merges, id, survivor) => {
    expect(survivorOf(id, graph(...merges))).toBe(survivor);
  });

  test('is one that was not merged, from every start of every graph', () => {
    const id = fc.constantFrom('A', 'B', 'C', 'D', 'E');
    const merge = fc
      .tuple(id, id)
      .filter(([a, b]) => a !== b)
      .map(([a, b]) => `${a}>${b}`);
    fc.assert(
      fc.property(fc.array(merge, { maxLength: 12 }), id, (merges, start) => {
        const edgeOf = graph(...merges);
        expect(effectiveEdge(survivorOf(start, edgeOf), edgeOf)).toBeUndefined();
      }),
      { numRuns: 500 },
    );
  });

  test('is found in a chain that is too long, too', () => {
    const edgeOf = (id: string): Edge => ({ id: String(Number(id) + 1), stamp: clientStamp(Number(id)) });
    expect(Number(survivorOf('1', edgeOf))).toBeGreaterThan(1);
  });
});

test('stamps order as times do', () => {
  fc.assert(
    fc.property(fc.nat(2 ** 42), fc.nat(2 ** 42), (a, b) => {
      expect(Math.sign(compareStamps(clientStamp(a), clientStamp(b)))).toBe(Math.sign(a - b));
    }),
  );
});
