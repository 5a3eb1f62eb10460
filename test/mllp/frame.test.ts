import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type Frame, Framer, frame } from '../../adapters/mllp/frame.ts';
import { hospitalDay } from '../support/messages.ts';

const vt = '\u000b';
const fs = '\u001c';
const frameBytesMax = 8192;
/** What the framer keeps of a frame that is too long. */
const keptBytesMax = 4096;

/** The frames of chunks, then of the end of the connection. */
function framesOf(chunks: readonly Uint8Array[], max = frameBytesMax): Frame[] {
  const framer = new Framer(max);
  const frames: Frame[] = [];
  for (const chunk of chunks) frames.push(...framer.push(Buffer.from(chunk)));
  frames.push(...framer.end());
  expect(framer.open).toBe(false);
  return frames;
}

function shown(frames: readonly Frame[]): string[] {
  return frames.map((it) => `${it.kind} ${it.bytes.toString('latin1')}`);
}

/** `expect` on every one of 100,000 cuts costs minutes: one comparison without it, one assertion at the end. */
function same(frames: readonly Frame[], expected: readonly Frame[]): boolean {
  return (
    frames.length === expected.length &&
    frames.every((it, i) => it.kind === expected[i]?.kind && it.bytes.equals(expected[i].bytes))
  );
}

function cutAt(bytes: Buffer, places: readonly number[]): Buffer[] {
  const sorted = [0, ...places.map((it) => it % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return sorted.slice(1).map((to, i) => bytes.subarray(sorted[i], to));
}

const day = hospitalDay();

describe('every message of the sample hospital day', () => {
  test.each(day.map(({ name, bytes }) => [name, bytes] as const))(
    '%s is the same frame at every single cut',
    (_, it) => {
      const stream = frame(it);
      const expected: Frame[] = [{ kind: 'frame', bytes: it }];
      const wrong: number[] = [];
      for (let place = 0; place <= stream.length; place++) {
        if (!same(framesOfQuietly(cutAt(stream, [place])), expected)) wrong.push(place);
      }
      expect(wrong).toEqual([]);
    },
  );

  test('is the same frame byte by byte', () => {
    for (const { bytes } of day) {
      const stream = frame(bytes);
      const single = Array.from(stream, (_, i) => stream.subarray(i, i + 1));
      expect(same(framesOf(single), [{ kind: 'frame', bytes }])).toBe(true);
    }
  });

  test('is a frame of its own when the whole day comes in two chunks, at every cut', () => {
    const stream = Buffer.concat(day.map(({ bytes }) => frame(bytes)));
    const expected = day.map(({ bytes }): Frame => ({ kind: 'frame', bytes }));
    const wrong: number[] = [];
    for (let place = 0; place <= stream.length; place++) {
      if (!same(framesOfQuietly(cutAt(stream, [place])), expected)) wrong.push(place);
    }
    expect(wrong).toEqual([]);
  });

  test('broken off at every byte is cut, never a frame', () => {
    for (const { bytes } of day) {
      const stream = frame(bytes);
      const wrong: number[] = [];
      for (let length = 1; length < stream.length - 1; length++) {
        const expected: Frame[] = [{ kind: 'cut', bytes: bytes.subarray(0, length - 1) }];
        if (!same(framesOfQuietly([stream.subarray(0, length)]), expected)) wrong.push(length);
      }
      expect(wrong).toEqual([]);
    }
  });
});

function framesOfQuietly(chunks: readonly Buffer[]): Frame[] {
  const framer = new Framer(frameBytesMax);
  const frames: Frame[] = [];
  for (const chunk of chunks) frames.push(...framer.push(chunk));
  frames.push(...framer.end());
  return frames;
}

describe('what senders do between frames', () => {
  test.each([
    ['nothing', ''],
    ['CR', '\r'],
    ['CRLF', '\r\n'],
    ['blanks', '\r  \n'],
    ['padding with zeros', '\0\0'],
  ])('%s is passed over in silence', (_, between) => {
    const stream = Buffer.from(`${between}${vt}one${fs}${between}${vt}two${fs}${between}`);
    expect(shown(framesOf([stream]))).toEqual(['frame one', 'frame two']);
  });

  test('other bytes are junk, with what surrounds them', () => {
    const stream = Buffer.from(`hello${vt}one${fs}\rMSH|^~\\&|\r${vt}two${fs}\rbye`);
    expect(shown(framesOf([stream]))).toEqual([
      'junk hello',
      'frame one',
      'junk \rMSH|^~\\&|\r',
      'frame two',
      'junk \rbye',
    ]);
  });

  test('an FS without a frame is junk', () => {
    expect(shown(framesOf([Buffer.from(`${fs}\r${vt}one${fs}\r`)]))).toEqual([`junk ${fs}\r`, 'frame one']);
  });

  test('junk is kept up to a limit', () => {
    const [junk, next] = framesOf([Buffer.from('x'.repeat(10_000)), Buffer.from(`${vt}one${fs}\r`)]);
    expect([junk?.kind, junk?.bytes.length, next?.kind]).toEqual(['junk', keptBytesMax, 'frame']);
  });
});

describe('broken frames', () => {
  test('a frame without bytes is a frame', () => {
    expect(shown(framesOf([Buffer.from(`${vt}${fs}\r`)]))).toEqual(['frame ']);
  });

  test('a new VT cuts the frame before it', () => {
    expect(shown(framesOf([Buffer.from(`${vt}one${vt}two${fs}\r`)]))).toEqual(['cut one', 'frame two']);
  });

  test('the end of the connection cuts a begun frame', () => {
    expect(shown(framesOf([Buffer.from(`${vt}one${fs}\r${vt}tw`)]))).toEqual(['frame one', 'cut tw']);
    expect(shown(framesOf([Buffer.from(vt)]))).toEqual(['cut ']);
  });

  test('a frame of exactly the limit is taken, one byte more is too long', () => {
    const [fits] = framesOf([frame(Buffer.alloc(frameBytesMax, 'a'))]);
    expect([fits?.kind, fits?.bytes.length]).toEqual(['frame', frameBytesMax]);
    const frames = framesOf([frame(Buffer.alloc(frameBytesMax + 1, 'a')), frame(Buffer.from('next'))]);
    expect(frames.map((it) => [it.kind, it.bytes.length])).toEqual([
      ['too-long', keptBytesMax],
      ['frame', 4],
    ]);
  });

  test('a frame that is too long is reported as soon as that is known, and only once', () => {
    const framer = new Framer(10);
    expect([...framer.push(Buffer.from(`${vt}0123456789`))]).toEqual([]);
    expect([...framer.push(Buffer.from('x'))].map((it) => it.kind)).toEqual(['too-long']);
    expect([...framer.push(Buffer.from('y'.repeat(1000)))]).toEqual([]);
    expect(shown([...framer.push(Buffer.from(`${fs}\r${vt}ok${fs}\r`))])).toEqual(['frame ok']);
  });

  test('a new VT ends one that is too long', () => {
    expect(shown(framesOf([Buffer.from(`${vt}0123456789${vt}ok${fs}\r`)], 5)).at(-1)).toBe('frame ok');
  });

  test('a sender that never ends its frame costs no more than the limit', () => {
    const framer = new Framer(1_000_000);
    const chunk = Buffer.alloc(65_536, 'a');
    let kept = 0;
    for (const item of framer.push(Buffer.from(vt))) kept += item.bytes.length;
    for (let i = 0; i < 100; i++) for (const item of framer.push(chunk)) kept += item.bytes.length;
    for (const item of framer.end()) kept += item.bytes.length;
    expect(kept).toBe(keptBytesMax);
  });
});

describe('a frame is open', () => {
  test('from its VT to its FS', () => {
    const framer = new Framer(100);
    const states = [...`${vt}ab${fs}`].map((char) => {
      for (const _ of framer.push(Buffer.from(char))) void _;
      return framer.open;
    });
    expect(states).toEqual([true, true, true, false]);
  });

  test('and not because of the CR, LF and blanks after it', () => {
    const framer = new Framer(100);
    for (const _ of framer.push(Buffer.from(`${vt}one${fs}\r`))) void _;
    expect(framer.open).toBe(false);
    for (const _ of framer.push(Buffer.from('\n \0'))) void _;
    expect(framer.open).toBe(false);
  });

  test('while one that is too long is skipped', () => {
    const framer = new Framer(2);
    for (const _ of framer.push(Buffer.from(`${vt}abcdef`))) void _;
    expect(framer.open).toBe(true);
    for (const _ of framer.push(Buffer.from(fs))) void _;
    expect(framer.open).toBe(false);
  });
});

test('what was framed does not change when the chunk that it came in is used again', () => {
  const chunk = frame(Buffer.from('MSH|1'));
  const [item] = framesOf([chunk]);
  chunk.fill(0);
  expect(item?.bytes.toString()).toBe('MSH|1');
});

/** One thing that a sender puts on the wire, and what must come out of it. */
interface Sent {
  readonly bytes: Buffer;
  readonly frames: readonly Frame[];
}

const blank = fc.constantFrom('', '\r', '\r\n', ' ', '\0');
const body = fc.oneof(
  fc.constantFrom(...day.map(({ bytes }) => bytes)),
  fc.uint8Array({ maxLength: 40 }).map((it) => Buffer.from(it.filter((byte) => byte !== 0x0b && byte !== 0x1c))),
);

const whole = fc.tuple(body, blank, fc.constantFrom('', '', 'x', 'MSH|', fs)).map(([bytes, end, junk]): Sent => {
  const between = Buffer.from(`${end}${junk}`);
  return {
    bytes: Buffer.concat([Buffer.from(vt), bytes, Buffer.from(fs), between]),
    frames: [{ kind: 'frame', bytes }, ...(junk ? [{ kind: 'junk', bytes: between } as const] : [])],
  };
});
const broken = body.map(
  (bytes): Sent => ({ bytes: Buffer.concat([Buffer.from(vt), bytes]), frames: [{ kind: 'cut', bytes }] }),
);
const tooLong = fc
  .tuple(fc.integer({ min: frameBytesMax + 1, max: 3 * frameBytesMax }), fc.boolean())
  .map(([length, ended]): Sent => {
    const bytes = Buffer.alloc(length, 'abcdefg');
    return {
      bytes: Buffer.concat([Buffer.from(vt), bytes, Buffer.from(ended ? fs : '')]),
      frames: [{ kind: 'too-long', bytes: bytes.subarray(0, keptBytesMax) }],
    };
  });

test('any sequence of frames, broken frames and junk, cut anywhere, gives the same frames', () => {
  const sent = fc.array(
    fc.oneof({ weight: 5, arbitrary: whole }, { weight: 1, arbitrary: broken }, { weight: 1, arbitrary: tooLong }),
    {
      maxLength: 6,
    },
  );
  const places = fc.array(fc.nat({ max: 60_000 }), { maxLength: 12 });
  fc.assert(
    fc.property(sent, places, (items, cuts) => {
      const stream = Buffer.concat(items.map((it) => it.bytes));
      const expected = items.flatMap((it) => it.frames);
      expect(shown(framesOf(cutAt(stream, cuts)))).toEqual(shown(expected));
    }),
    { numRuns: 500 },
  );
});

test('unframing what was framed gives any message back', () => {
  fc.assert(
    fc.property(fc.array(body, { maxLength: 4 }), (bodies) => {
      const frames = framesOf([Buffer.concat(bodies.map((it) => frame(it)))]);
      expect(shown(frames)).toEqual(bodies.map((it) => `frame ${it.toString('latin1')}`));
    }),
  );
  expect(frame(Buffer.from('ab')).equals(Buffer.from(`${vt}ab${fs}\r`))).toBe(true);
});
