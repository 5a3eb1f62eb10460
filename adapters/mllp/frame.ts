/**
 * MLLP framing on bytes. HL7 v2 "Minimal Lower Layer Protocol" (Transport Specification: MLLP, Release 1):
 * `<VT> message <FS> <CR>`. Pure: chunks in, frames out, whatever the cuts. CR after FS is not insisted on.
 */
import { Gathered } from './gathered.ts';

const vt = 0x0b;
const fs = 0x1c;
const cr = 0x0d;

/** What came out of the bytes: a whole frame, or a broken one. `bytes` of a too long frame are its beginning. */
export type Frame =
  | { readonly kind: 'frame'; readonly bytes: Buffer }
  | { readonly kind: 'cut'; readonly bytes: Buffer }
  | { readonly kind: 'too-long'; readonly bytes: Buffer }
  | { readonly kind: 'junk'; readonly bytes: Buffer };

/** Kept of what is too long or junk, for the journal; bytes. */
const keptBytesMax = 4096;

const nothing = Buffer.alloc(0);

function isJunk(byte: number): boolean {
  return byte !== cr && byte !== 0x0a && byte !== 0x20 && byte !== 0;
}

/**
 * Cuts one connection's bytes into frames. Memory: one frame of at most `frameBytesMax`, see {@link heldBytes}.
 * A generator that it gave may be left standing between two frames: what the getters say holds at any time.
 */
export class Framer {
  readonly #frameBytesMax: number;
  readonly #gathered = new Gathered();
  /** outside: between frames; inside: after VT; skipping: inside a frame that is too long */
  #state: 'outside' | 'inside' | 'skipping' = 'outside';
  /** Between frames, something came that does not belong there. */
  #junk = false;

  constructor(frameBytesMax: number) {
    this.#frameBytesMax = frameBytesMax;
  }

  /** True while a frame, or junk, is begun and not ended. */
  get open(): boolean {
    return this.#state !== 'outside' || this.#junk;
  }

  /** Memory that what is begun takes; bytes. */
  get heldBytes(): number {
    return this.#gathered.heldBytes;
  }

  /** Takes the next bytes; gives every frame that they complete, in order. */
  *push(chunk: Buffer): Generator<Frame> {
    const [nextVt, nextFs] = [finder(chunk, vt), finder(chunk, fs)];
    let at = 0;
    while (at < chunk.length) {
      const [begin, end] = [nextVt(at), nextFs(at)];
      if (this.#state === 'outside') {
        this.#between(chunk.subarray(at, begin));
        at = begin + 1;
        if (begin < chunk.length) yield* this.#begin();
        continue;
      }
      const stop = Math.min(begin, end);
      const part = chunk.subarray(at, stop);
      at = stop + 1;
      if (stop === chunk.length) yield* this.#inside(part);
      // A new VT inside a frame: the sender broke off and began again. What came before is a cut message.
      else if (stop === end) yield* this.#leave('frame', 'outside', part);
      else yield* this.#leave('cut', 'inside', part);
    }
  }

  /** The connection ended: what was begun is cut. */
  *end(): Generator<Frame> {
    if (this.#state === 'outside') yield* this.#takeJunk();
    else yield* this.#leave('cut', 'outside', nothing);
  }

  #between(part: Buffer): void {
    this.#junk ||= part.some(isJunk);
    this.#gathered.add(part, keptBytesMax);
  }

  *#begin(): Generator<Frame> {
    this.#state = 'inside';
    yield* this.#takeJunk();
  }

  *#inside(part: Buffer): Generator<Frame> {
    if (this.#state !== 'inside') return;
    if (this.#gathered.length + part.length <= this.#frameBytesMax) {
      this.#gathered.add(part, this.#frameBytesMax);
      return;
    }
    this.#gathered.add(part, keptBytesMax);
    this.#state = 'skipping';
    yield { kind: 'too-long', bytes: this.#gathered.take(keptBytesMax) };
  }

  *#leave(kind: 'frame' | 'cut', state: 'outside' | 'inside', part: Buffer): Generator<Frame> {
    // Most frames come in one chunk: there is nothing to gather, but a copy must not hold the chunk.
    const whole = this.#state === 'inside' && this.#gathered.length === 0 && part.length <= this.#frameBytesMax;
    if (!whole) yield* this.#inside(part);
    const told = this.#state === 'skipping';
    this.#state = state;
    const bytes = whole ? Buffer.from(part) : this.#gathered.take();
    if (!told) yield { kind, bytes };
  }

  *#takeJunk(): Generator<Frame> {
    const bytes = this.#gathered.take();
    const junk = this.#junk;
    this.#junk = false;
    // CR, LF and blanks between frames are what many senders put there.
    if (junk) yield { kind: 'junk', bytes };
  }
}

/** Where a byte comes next at or after a place; the length when it does not. Each byte is looked at once. */
function finder(chunk: Buffer, byte: number): (from: number) => number {
  let found = -1;
  return (from) => {
    if (found < from) {
      const at = chunk.indexOf(byte, from);
      found = at < 0 ? chunk.length : at;
    }
    return found;
  };
}

/** Puts a message into a frame. */
export function frame(message: Uint8Array): Buffer {
  const out = Buffer.allocUnsafe(message.length + 3);
  out[0] = vt;
  out.set(message, 1);
  out[out.length - 2] = fs;
  out[out.length - 1] = cr;
  return out;
}
