/** One connection: frames in, answers out, in order; reads no faster than its frames are answered. */
import type { Socket } from 'node:net';
import type { Answer, Origin } from '../../src/journal/receive.ts';
import { Applications } from './applications.ts';
import { type Frame, Framer, frame } from './frame.ts';
import type { Holder, Memory } from './memory.ts';
import type { ListenerEvent, ListenerOptions } from './options.ts';

const texts = {
  cut: 'the frame was cut off',
  'too-long': 'the frame is longer than this listener takes',
  junk: 'bytes outside of a frame',
} as const;

/** Frames that one connection may have waiting for their answer; then its socket is read no further. */
const framesWaitingMax = 64;

export interface ConnectionParts {
  readonly options: ListenerOptions;
  readonly memory: Memory;
  readonly listener: string;
  /** `10.0.0.5`, `10.0.0.5 CN=engine1`. */
  readonly peer: string;
  readonly observe: (event: ListenerEvent) => void;
}

export class Connection implements Holder {
  readonly #socket: Socket;
  readonly #parts: ConnectionParts;
  readonly #framer: Framer;
  readonly #applications: Applications;
  readonly #origin: Origin;
  readonly #done = Promise.withResolvers<void>();
  /** open: taking; over: the sender has ended; stopped: we take no more, what is only begun is dropped. */
  #input: 'open' | 'over' | 'stopped' = 'open';
  #chunks: Buffer[] = [];
  #chunkBytes = 0;
  /** The frames of the chunk at hand. */
  #cut: Generator<Frame> | undefined;
  #answers: Promise<void> = Promise.resolve();
  #frames = 0;
  #frameBytes = 0;
  #paused = false;
  #leaving: Promise<void> | undefined;
  #incomplete: NodeJS.Timeout | undefined;

  constructor(socket: Socket, parts: ConnectionParts) {
    const { options } = parts;
    this.#socket = socket;
    this.#parts = parts;
    this.#framer = new Framer(options.frameBytesMax);
    this.#applications = new Applications({
      waitMs: options.applicationMs ?? 60_000,
      send: (answer) => this.#write(answer),
      lost: parts.observe,
    });
    const { site, charset } = options;
    this.#origin = {
      listener: parts.listener,
      peer: parts.peer,
      ...(site !== undefined && { site }),
      ...(charset !== undefined && { charset }),
    };
    socket.setTimeout(options.idleMs);
    socket.on('timeout', () => this.#idle());
    socket.on('data', (chunk: Buffer) => this.#data(chunk));
    socket.on('end', () => this.#over());
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#gone());
    // A socket that was destroyed before anybody looked at it has no more to say.
    if (socket.closed) this.#gone();
  }

  get heldBytes(): number {
    return this.#chunkBytes + this.#framer.heldBytes + this.#frameBytes;
  }

  get begun(): boolean {
    return this.#input === 'open' && this.#framer.open;
  }

  /** Frames that wait for their accept answer. */
  get frames(): number {
    return this.#frames;
  }

  get paused(): boolean {
    return this.#paused && this.#input === 'open';
  }

  /** Resolves when the socket is closed and nothing that it brought waits for an answer. */
  get done(): Promise<void> {
    return this.#done.promise;
  }

  #data(chunk: Buffer): void {
    if (this.#input !== 'open') return;
    this.#chunks.push(chunk);
    this.#chunkBytes += chunk.length;
    this.#pump();
  }

  /** Hands over frames as long as not too many wait, then says what that means for reading on. */
  #pump(): void {
    let ended = false;
    while (this.#frames < framesWaitingMax) {
      const item = this.#next();
      if (!item) break;
      ended = true;
      this.#handle(item);
    }
    this.#parts.memory.update(this, ended);
    this.flow();
    this.#watch(ended);
    if (this.#input !== 'open' && !this.#cut && this.#chunks.length === 0) this.#leave();
  }

  /** The next frame of what was read; undefined when there is none yet. */
  #next(): Frame | undefined {
    for (;;) {
      const item = this.#cut?.next();
      if (item && !item.done) return item.value;
      if (this.#cut) this.#chunkBytes -= this.#chunks.shift()?.length ?? 0;
      this.#cut = this.#source();
      if (!this.#cut) return undefined;
    }
  }

  #source(): Generator<Frame> | undefined {
    const [chunk] = this.#chunks;
    if (chunk) return this.#framer.push(chunk);
    // The sender has ended, so what is begun is cut. Once: then nothing is begun.
    return this.#input === 'over' && this.#framer.open ? this.#framer.end() : undefined;
  }

  #handle(item: Frame): void {
    const { options, observe } = this.#parts;
    const { receive, refuse } = options;
    this.#frames++;
    this.#frameBytes += item.bytes.length;
    // Handed over at once, so that frames of a burst share a group commit; answered one after the other, in order.
    const answer =
      item.kind === 'frame' ? receive(item.bytes, this.#origin) : refuse(item.bytes, this.#origin, texts[item.kind]);
    if (item.kind !== 'frame') observe({ what: 'frame-refused', reason: item.kind });
    answer.then(
      // Whoever waits for them looks later: until then a failure must not be one that nobody looks at.
      ({ application }) => application?.catch(() => {}),
      // Answers to those before may still be on their way out: nothing behind it may be kept meanwhile.
      () => this.#stop(),
    );
    this.#answers = this.#answers.then(() => this.#answer(answer, item.bytes.length));
  }

  async #answer(answer: Promise<Answer>, bytes: number): Promise<void> {
    try {
      const { accept, application } = await answer;
      if (accept) await this.#write(accept);
      if (application) this.#applications.add(application);
    } catch (error) {
      // Not kept is not acknowledged: the sender sees the connection close and sends again.
      this.#parts.options.failed(error);
      this.#socket.destroy();
    } finally {
      this.#frames--;
      this.#frameBytes -= bytes;
      this.#pump();
    }
  }

  #stop(): void {
    this.#input = 'stopped';
    this.#chunks = [];
    this.#chunkBytes = 0;
    this.#cut = undefined;
  }

  async #write(answer: Buffer): Promise<void> {
    const socket = this.#socket;
    if (!socket.writable || socket.write(frame(answer))) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        socket.off('drain', done);
        socket.off('close', done);
        resolve();
      };
      socket.once('drain', done);
      socket.once('close', done);
    });
  }

  /** Reads on, or not: asked whenever something has changed. */
  flow(): void {
    if (this.#input !== 'open') return;
    const full = this.#frames >= framesWaitingMax;
    const paused = full || !this.#parts.memory.mayRead(this);
    if (paused === this.#paused) return;
    this.#paused = paused;
    if (paused) {
      this.#parts.observe({ what: 'paused', reason: full ? 'frames' : 'bytes' });
      this.#socket.pause();
    } else this.#socket.resume();
    this.#watch(true);
  }

  /** A begun frame has its time, anew for each frame and after each time that we did not read. */
  #watch(anew: boolean): void {
    const watched = this.begun && !this.#paused;
    if (!watched || anew) {
      clearTimeout(this.#incomplete);
      this.#incomplete = undefined;
    }
    if (watched) this.#incomplete ??= setTimeout(() => this.#timedOut('incomplete'), this.#parts.options.incompleteMs);
  }

  #timedOut(reason: 'idle' | 'incomplete'): void {
    this.#parts.observe({ what: 'timed-out', reason });
    this.#over();
  }

  #idle(): void {
    const socket = this.#socket;
    if (socket.writableLength > 0) {
      this.#parts.observe({ what: 'timed-out', reason: 'deaf' });
      socket.destroy();
    } else if (this.#frames + this.#applications.count > 0 || this.paused) {
      // It waits for us, not we for it.
      socket.setTimeout(this.#parts.options.idleMs);
    } else if (this.#input === 'open') this.#timedOut('idle');
    else socket.destroy();
  }

  /** No more will be read: what is whole is answered, what is begun is refused, then our half is closed. */
  #over(): void {
    if (this.#input !== 'open') return;
    this.#input = 'over';
    this.#pump();
  }

  /** A reset without an end still leaves a begun frame: it gets its row. */
  #gone(): void {
    this.#over();
    this.#applications.giveUp('disconnected');
    this.#parts.observe({ what: 'disconnected' });
  }

  #leave(): void {
    this.#leaving ??= this.#answered().then(() => this.#hangUp());
  }

  async #answered(): Promise<void> {
    await this.#answers;
    await this.#applications.done();
  }

  /**
   * Closes our half and throws away what still comes, for a while: a socket destroyed with unread bytes is reset,
   * and a reset can take our last answers from a sender that has not read them yet.
   */
  #hangUp(): void {
    const socket = this.#socket;
    const closed = (): void => {
      clearTimeout(timer);
      this.#parts.memory.leave(this);
      this.#done.resolve();
    };
    let timer: NodeJS.Timeout | undefined;
    if (socket.closed) {
      closed();
      return;
    }
    socket.once('close', closed);
    socket.end(() => {
      timer = setTimeout(() => socket.destroy(), this.#parts.options.lingerMs ?? 1000);
      if (socket.closed) clearTimeout(timer);
    });
  }

  /**
   * Answers what is whole and closes. A frame that is only begun was not acknowledged: the sender sends it again.
   * @param applicationMs how long application answers are waited for
   */
  async finish(applicationMs: number): Promise<void> {
    if (this.#input === 'open') {
      this.#input = 'stopped';
      // Read and thrown away, so that a sender that goes is seen to go.
      this.#socket.resume();
      this.#pump();
    }
    const timer = setTimeout(() => this.#applications.giveUp('late'), applicationMs);
    await this.done;
    clearTimeout(timer);
  }

  /** Closes at once, whatever is owed. */
  destroy(): void {
    this.#socket.destroy();
  }
}
