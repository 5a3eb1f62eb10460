/**
 * MLLP framing on bytes. HL7 v2 "Minimal Lower Layer Protocol" (Transport Specification: MLLP, Release 1):
 * `<VT> message <FS> <CR>`. Pure: chunks in, frames out, whatever the cuts. CR after FS is not insisted on.
 */

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

function isJunk(byte: number): boolean {
  return byte !== cr && byte !== 0x0a && byte !== 0x20 && byte !== 0;
}

/** Cuts one connection's bytes into frames. Memory: one frame of at most `frameBytesMax`. */
export class Framer {
  readonly #frameBytesMax: number;
  #parts: Buffer[] = [];
  #length = 0;
  /** outside: between frames; inside: after VT; skipping: inside a frame that is too long */
  #state: 'outside' | 'inside' | 'skipping' = 'outside';

  constructor(frameBytesMax: number) {
    this.#frameBytesMax = frameBytesMax;
  }

  /** True while a frame is begun and not ended. */
  get open(): boolean {
    return this.#state !== 'outside' || this.#parts.some((part) => part.some(isJunk));
  }

  /** Takes the next bytes; gives every frame that they complete, in order. */
  *push(chunk: Buffer): Generator<Frame> {
    let at = 0;
    while (at < chunk.length) {
      if (this.#state === 'outside') {
        const begin = chunk.indexOf(vt, at);
        this.#keep(chunk.subarray(at, begin < 0 ? undefined : begin), keptBytesMax);
        if (begin < 0) return;
        yield* this.#takeJunk();
        this.#state = 'inside';
        at = begin + 1;
        continue;
      }
      const end = this.#endOf(chunk, at);
      const stop = end < 0 ? chunk.length : end;
      yield* this.#inside(chunk.subarray(at, stop));
      if (end < 0) return;
      const byte = chunk[end];
      at = end + 1;
      if (byte === fs) {
        if (this.#state === 'inside') yield { kind: 'frame', bytes: this.#take() };
        this.#state = 'outside';
        this.#clear();
      } else {
        // A new VT inside a frame: the sender broke off and began again. What came before is a cut message.
        if (this.#state === 'inside') yield { kind: 'cut', bytes: this.#take() };
        this.#state = 'inside';
        this.#clear();
      }
    }
  }

  /** The connection ended: what was begun is cut. */
  *end(): Generator<Frame> {
    if (this.#state === 'outside') yield* this.#takeJunk();
    else if (this.#state === 'inside') yield { kind: 'cut', bytes: this.#take() };
    this.#state = 'outside';
    this.#clear();
  }

  #endOf(chunk: Buffer, from: number): number {
    const end = chunk.indexOf(fs, from);
    const begin = chunk.subarray(from, end < 0 ? undefined : end).indexOf(vt);
    return begin < 0 ? end : from + begin;
  }

  *#inside(part: Buffer): Generator<Frame> {
    if (this.#state !== 'inside') return;
    if (this.#length + part.length <= this.#frameBytesMax) {
      this.#keep(part, this.#frameBytesMax);
      return;
    }
    this.#keep(part, keptBytesMax);
    yield { kind: 'too-long', bytes: this.#take().subarray(0, keptBytesMax) };
    this.#state = 'skipping';
    this.#clear();
  }

  *#takeJunk(): Generator<Frame> {
    const bytes = this.#take();
    this.#clear();
    // CR, LF and blanks between frames are what many senders put there.
    if (bytes.some(isJunk)) yield { kind: 'junk', bytes };
  }

  /** Copies: a kept slice must not hold the whole chunk that it came in. */
  #keep(part: Buffer, max: number): void {
    const room = max - this.#length;
    if (part.length === 0 || room <= 0) return;
    const kept = Buffer.from(part.subarray(0, room));
    this.#parts.push(kept);
    this.#length += kept.length;
  }

  #take(): Buffer {
    return this.#parts.length === 1 ? (this.#parts[0] as Buffer) : Buffer.concat(this.#parts);
  }

  #clear(): void {
    this.#parts = [];
    this.#length = 0;
  }
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
