/**
 * What the connections of a listener hold together, and who may go on reading when it is too much. Nothing is refused:
 * who may not go on is read no further, and TCP makes its sender wait.
 */

/** What a connection says of itself. */
export interface Holder {
  /** Memory of its begun frame and of its frames that wait for an answer; bytes. */
  readonly heldBytes: number;
  /** Frames that wait for their accept answer. */
  readonly frames: number;
  /** A frame is begun and not ended. */
  readonly begun: boolean;
  /** Asks {@link Memory.mayRead} again. */
  flow(): void;
}

/** A connection that holds no more than this may always go on: small messages do not wait for big ones. bytes */
export const reserveBytes = 65_536;

/**
 * Over the limit go on: who holds no more than {@link reserveBytes}, and of the others one, until its frame is answered.
 * Without that one, begun frames alone could fill the limit and all wait for one another. So what is held stays below
 * the limit + one frame + for each connection its reserve and one chunk from the socket (64 KiB).
 */
export class Memory {
  readonly #bytesMax: number;
  readonly #held = new Map<Holder, number>();
  /** Who has begun a frame and holds more than its reserve; the first has waited longest. */
  readonly #begun = new Set<Holder>();
  readonly #stuck = new Set<Holder>();
  /** Who may go beyond the limit, and whether its frame has come to its end. */
  #beyond: { readonly holder: Holder; ended: boolean } | undefined;
  #heldBytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Takes note of what a connection holds now. `ended`: one of its frames came to its end. */
  update(holder: Holder, ended = false): void {
    const { heldBytes, begun } = holder;
    this.#heldBytes += heldBytes - (this.#held.get(holder) ?? 0);
    this.#held.set(holder, heldBytes);
    // After each frame a connection queues up anew.
    if (ended || !begun || heldBytes <= reserveBytes) this.#begun.delete(holder);
    if (begun && heldBytes > reserveBytes) this.#begun.add(holder);
    if (this.#beyond?.holder === holder) {
      this.#beyond.ended ||= ended || !begun;
      if (this.#beyond.ended && holder.frames === 0) this.#beyond = undefined;
    }
    this.#wake();
  }

  /** The connection is gone. */
  leave(holder: Holder): void {
    this.#heldBytes -= this.#held.get(holder) ?? 0;
    for (const all of [this.#held, this.#begun, this.#stuck]) all.delete(holder);
    if (this.#beyond?.holder === holder) this.#beyond = undefined;
    this.#wake();
  }

  mayRead(holder: Holder): boolean {
    const may = this.#heldBytes <= this.#bytesMax || holder.heldBytes <= reserveBytes || this.#mayGoBeyond(holder);
    if (may) this.#stuck.delete(holder);
    else this.#stuck.add(holder);
    return may;
  }

  #mayGoBeyond(holder: Holder): boolean {
    this.#choose();
    return this.#beyond?.holder === holder && !this.#beyond.ended;
  }

  #choose(): void {
    const [first] = this.#begun;
    if (first) this.#beyond ??= { holder: first, ended: false };
  }

  #wake(): void {
    if (this.#stuck.size === 0) return;
    if (this.#heldBytes <= this.#bytesMax) for (const holder of [...this.#stuck]) holder.flow();
    else {
      this.#choose();
      const holder = this.#beyond?.holder;
      if (holder && this.#stuck.has(holder)) holder.flow();
    }
  }
}
