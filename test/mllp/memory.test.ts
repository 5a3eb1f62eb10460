import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type Holder, Memory, reserveBytes } from '../../adapters/mllp/memory.ts';

/** A connection by numbers: `reading` is what it was told when it last asked. */
class Sender implements Holder {
  frames = 0;
  reading = true;
  #begunBytes = 0;
  #wholeBytes = 0;
  readonly #memory: Memory;

  constructor(memory: Memory) {
    this.#memory = memory;
  }

  get begun(): boolean {
    return this.#begunBytes > 0;
  }

  get heldBytes(): number {
    return this.#begunBytes + this.#wholeBytes;
  }

  flow(): void {
    this.reading = this.#memory.mayRead(this);
  }

  /** A part of a frame comes in. */
  reads(bytes: number): void {
    this.#begunBytes += bytes;
    this.#now(false);
  }

  /** The begun frame comes to its end, and of the next some bytes have come in. */
  ends(rest = 0): void {
    this.#wholeBytes += this.#begunBytes;
    this.#begunBytes = rest;
    this.frames++;
    this.#now(true);
  }

  /** All whole frames are answered. */
  answered(): void {
    this.#wholeBytes = 0;
    this.frames = 0;
    this.#now(false);
  }

  #now(ended: boolean): void {
    this.#memory.update(this, ended);
    this.flow();
  }
}

const big = 3 * reserveBytes;
const limit = 10 * reserveBytes;

function senders(count: number): { memory: Memory; all: Sender[] } {
  const memory = new Memory(limit);
  return { memory, all: Array.from({ length: count }, () => new Sender(memory)) };
}

/** Four of five senders have begun a big frame, the fifth has begun one too and brings it over the limit. */
function over(): { memory: Memory; all: [Sender, Sender, Sender, Sender, Sender] } {
  const { memory, all } = senders(5);
  for (const it of all) it.reads(big);
  for (const it of all) it.flow();
  return { memory, all: all as [Sender, Sender, Sender, Sender, Sender] };
}

const reading = (all: readonly Sender[]): boolean[] => all.map((it) => it.reading);

describe('over the limit', () => {
  test('one that has begun goes on, the others wait', () => {
    const { memory, all } = over();
    expect(memory.heldBytes).toBe(5 * big);
    expect(reading(all).filter((it) => it)).toHaveLength(1);
  });

  test('who holds little goes on', () => {
    const { memory } = over();
    const one = new Sender(memory);
    one.reads(reserveBytes);
    expect(one.reading).toBe(true);
    one.reads(1);
    expect(one.reading).toBe(false);
  });

  test('the next goes on when the frame of the first is answered, not when it has come in', () => {
    const { all } = over();
    const first = all.find((it) => it.reading) as Sender;
    first.reads(big);
    first.ends(2 * big);
    expect(reading(all)).not.toContain(true);
    first.answered();
    expect(reading(all).filter((it) => it)).toHaveLength(1);
    expect(first.reading).toBe(false);
  });

  test('the next goes on when the first is gone', () => {
    const { memory, all } = over();
    const first = all.find((it) => it.reading) as Sender;
    memory.leave(first);
    expect(reading(all.filter((it) => it !== first)).filter((it) => it)).toHaveLength(1);
  });

  test('one whose frames are whole is not the one that everybody waits for', () => {
    const { all } = senders(3);
    const [whole, begun, other] = all as [Sender, Sender, Sender];
    whole.reads(limit);
    whole.ends();
    begun.reads(big);
    other.reads(big);
    whole.flow();
    expect(reading(all)).toEqual([false, true, false]);
  });
});

test('below the limit again, everybody goes on', () => {
  const { memory, all } = over();
  for (const it of all.slice(2)) it.ends();
  for (const it of all.slice(2)) it.answered();
  expect(memory.heldBytes).toBe(2 * big);
  expect(reading(all)).toEqual([true, true, true, true, true]);
});

describe('whatever comes in and is answered', () => {
  const frameBytesMax = 8 * reserveBytes;
  const step = fc.record({
    who: fc.nat({ max: 7 }),
    what: fc.constantFrom('reads', 'reads', 'reads', 'ends', 'answered', 'leaves'),
    bytes: fc.integer({ min: 1, max: reserveBytes }),
  });

  test('no byte is forgotten, the limit holds, nobody waits below it, and somebody always gets on', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
        const { memory, all } = senders(8);
        for (const { who, what, bytes } of steps) {
          const it = all[who] as Sender;
          if (what === 'leaves') {
            memory.leave(it);
            all[who] = new Sender(memory);
          } else if (what === 'answered') it.answered();
          else if (it.reading && what === 'ends' && it.begun) it.ends(bytes);
          else if (it.reading && it.heldBytes < frameBytesMax) it.reads(bytes);
          expect(memory.heldBytes).toBe(all.reduce((sum, one) => sum + one.heldBytes, 0));
          expect(memory.heldBytes).toBeLessThanOrEqual(limit + frameBytesMax + 8 * 2 * reserveBytes);
          if (memory.heldBytes <= limit) expect(reading(all)).not.toContain(false);
          // Who holds more than its reserve is who the others wait for: it reads, or its frames are with the receiver.
          else expect(all.some((one) => one.heldBytes > reserveBytes && (one.reading || one.frames > 0))).toBe(true);
        }
      }),
      { numRuns: 300 },
    );
  });
});
