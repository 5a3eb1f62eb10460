import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Gathered } from '../../adapters/mllp/gathered.ts';

/** Gathers the pieces; gives what is held after each. */
function gather(pieces: readonly Uint8Array[], lengthMax = 1_000_000): { all: Gathered; held: number[] } {
  const all = new Gathered();
  const held = pieces.map((piece) => {
    all.add(Buffer.from(piece), lengthMax);
    return all.heldBytes;
  });
  return { all, held };
}

const pieces = fc.array(fc.oneof(fc.uint8Array({ maxLength: 3 }), fc.uint8Array({ maxLength: 3000 })), {
  maxLength: 40,
});

test('pieces of any size come out as one, in order', () => {
  fc.assert(
    fc.property(pieces, (all) => {
      expect(gather(all).all.take().equals(Buffer.concat(all))).toBe(true);
    }),
  );
});

test('of too much, the beginning is kept', () => {
  fc.assert(
    fc.property(pieces, fc.nat({ max: 2000 }), (all, lengthMax) => {
      const expected = Buffer.concat(all).subarray(0, lengthMax);
      expect(gather(all, lengthMax).all.take().equals(expected)).toBe(true);
    }),
  );
});

describe('memory', () => {
  test('is at most twice the bytes, or 64 more', () => {
    fc.assert(
      fc.property(pieces, (all) => {
        const { held } = gather(all);
        let length = 0;
        for (const [i, piece] of all.entries()) {
          length += piece.length;
          expect(held[i]).toBeGreaterThanOrEqual(length);
          expect(held[i]).toBeLessThanOrEqual(length + Math.max(64, length));
        }
      }),
    );
  });

  test('of a megabyte in single bytes is no more than 64 KiB above it', () => {
    const all = new Gathered();
    for (let i = 0; i < 1_000_000; i++) all.add(Buffer.of(i & 255), 1_000_000);
    expect(all.heldBytes).toBeLessThanOrEqual(1_065_536);
    const bytes = all.take();
    expect([bytes.length, bytes[999_999]]).toEqual([1_000_000, 999_999 & 255]);
  });

  test('never goes beyond the limit of the length', () => {
    expect(
      gather(
        Array.from({ length: 100 }, () => Buffer.of(1)),
        100,
      ).all.heldBytes,
    ).toBe(100);
  });

  test('is given back with the bytes, which are all that they hold', () => {
    const { all } = gather([Buffer.from('one'), Buffer.from('two')]);
    const bytes = all.take();
    expect([bytes.toString(), bytes.buffer.byteLength]).toEqual(['onetwo', 6]);
    expect([all.length, all.heldBytes, all.take().length]).toEqual([0, 0, 0]);
  });
});
