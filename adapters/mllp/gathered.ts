/** Bytes that come in pieces, gathered in blocks: of a sender that writes one byte at a time only the bytes are held. */

/** What is made ahead of its bytes, once there are more than the first piece; bytes. */
const aheadBytesMin = 64;
const aheadBytesMax = 65_536;

/** Copies what it takes, so that a kept slice never holds the whole chunk that it came in. */
export class Gathered {
  #blocks: Buffer[] = [];
  #length = 0;
  #heldBytes = 0;

  /** Bytes gathered. */
  get length(): number {
    return this.#length;
  }

  /** Memory taken: at most twice the bytes gathered, or 64 more; never more than 64 KiB more. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Adds bytes as long as no more than `lengthMax` are gathered; the rest is left out. */
  add(bytes: Buffer, lengthMax: number): void {
    const part = bytes.subarray(0, Math.max(0, lengthMax - this.#length));
    let at = 0;
    while (at < part.length) {
      const room = this.#heldBytes - this.#length;
      const last = this.#blocks.at(-1);
      if (!last || room === 0) {
        this.#grow(part.length - at, lengthMax);
        continue;
      }
      const copied = part.copy(last, last.length - room, at);
      this.#length += copied;
      at += copied;
    }
  }

  #grow(wanted: number, lengthMax: number): void {
    const ahead = this.#length === 0 ? 0 : Math.min(aheadBytesMax, Math.max(aheadBytesMin, this.#length));
    // Not from the pool: a slice of that would hold 64 KiB for the sake of a few bytes.
    const block = Buffer.allocUnsafeSlow(Math.max(wanted, Math.min(ahead, lengthMax - this.#length)));
    this.#blocks.push(block);
    this.#heldBytes += block.length;
  }

  /** Gives what was gathered, or its beginning, in one piece of just that length; then begins anew. */
  take(lengthMax = this.#length): Buffer {
    const length = Math.min(lengthMax, this.#length);
    const [first] = this.#blocks;
    const bytes = this.#blocks.length === 1 && first?.length === length ? first : this.#joined(length);
    this.#blocks = [];
    this.#length = 0;
    this.#heldBytes = 0;
    return bytes;
  }

  #joined(length: number): Buffer {
    const bytes = Buffer.allocUnsafeSlow(length);
    let at = 0;
    for (const block of this.#blocks) at += block.copy(bytes, at, 0, Math.min(block.length, length - at));
    return bytes;
  }
}
