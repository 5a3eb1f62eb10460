/** MLLP over TCP: bytes in, ACK bytes out, strictly in order within a connection. Decides nothing. */
import { createServer, type Server, type Socket } from 'node:net';
import type { Receive, RefuseFrame } from '../../src/journal/receive.ts';
import { type Frame, Framer, frame } from './frame.ts';

export interface ListenerOptions {
  readonly host: string;
  /** 0 picks a free port. */
  readonly port: number;
  readonly frameBytesMax: number;
  readonly connectionsMax: number;
  /** A begun frame must end within this time; ms. */
  readonly incompleteMs: number;
  /** A connection without traffic is closed after this time; ms. */
  readonly idleMs: number;
  readonly receive: Receive;
  readonly refuse: RefuseFrame;
  /** Told of what kept a message from being answered. */
  readonly failed: (error: unknown) => void;
}

const texts = {
  cut: 'the frame was cut off',
  'too-long': 'the frame is longer than this listener takes',
  junk: 'bytes outside of a frame',
} as const;

/** Frames that one connection may have waiting for their answer; then its socket is read no further. */
const waitingMax = 64;

export class MllpListener {
  readonly #options: ListenerOptions;
  readonly #server: Server;
  readonly #connections = new Set<Connection>();

  constructor(options: ListenerOptions) {
    this.#options = options;
    this.#server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => {
      const connection = new Connection(socket, options, `mllp:${this.port}`, () =>
        this.#connections.delete(connection),
      );
      this.#connections.add(connection);
    });
    this.#server.maxConnections = options.connectionsMax;
  }

  /** Resolves when the port is bound. */
  listen(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.#options.port, this.#options.host, () => {
        this.#server.off('error', reject);
        this.#server.on('error', this.#options.failed);
        resolve();
      });
    });
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address ? address.port : this.#options.port;
  }

  /** Takes no new connection and no new frame; resolves when every frame that was whole has its answer. */
  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    await Promise.all([...this.#connections].map((connection) => connection.finish()));
    await closed;
  }
}

class Connection {
  readonly #socket: Socket;
  readonly #options: ListenerOptions;
  readonly #framer: Framer;
  readonly #origin: { listener: string; peer: string };
  #answers: Promise<void> = Promise.resolve();
  #waiting = 0;
  #incomplete: NodeJS.Timeout | undefined;
  #closing = false;

  constructor(socket: Socket, options: ListenerOptions, listener: string, closed: () => void) {
    this.#socket = socket;
    this.#options = options;
    this.#framer = new Framer(options.frameBytesMax);
    this.#origin = { listener, peer: socket.remoteAddress ?? '' };
    socket.setTimeout(options.idleMs, () => (socket.writableLength > 0 ? socket.destroy() : this.#end()));
    socket.on('data', (chunk: Buffer) => this.#data(chunk));
    socket.on('end', () => this.#end());
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      clearTimeout(this.#incomplete);
      // A reset without an end still leaves a begun frame: it gets its row.
      this.#ended();
      closed();
    });
  }

  #data(chunk: Buffer): void {
    if (this.#closing) return;
    for (const item of this.#framer.push(chunk)) this.#handle(item);
    clearTimeout(this.#incomplete);
    if (this.#framer.open) this.#incomplete = setTimeout(() => this.#end(), this.#options.incompleteMs);
  }

  #handle(item: Frame): void {
    this.#waiting++;
    if (this.#waiting >= waitingMax) this.#socket.pause();
    const { receive, refuse } = this.#options;
    // Handed over at once, so that frames of a burst share a group commit; answered one after the other, in order.
    const answer =
      item.kind === 'frame' ? receive(item.bytes, this.#origin) : refuse(item.bytes, this.#origin, texts[item.kind]);
    answer.catch(() => {});
    this.#answers = this.#answers.then(() => this.#send(answer));
  }

  async #send(answer: Promise<Buffer>): Promise<void> {
    try {
      const ack = frame(await answer);
      if (this.#socket.writable && !this.#socket.write(ack)) await this.#drained();
    } catch (error) {
      // Not kept is not acknowledged: the sender sees the connection close and sends again.
      this.#options.failed(error);
      this.#closing = true;
      this.#socket.destroy();
    } finally {
      this.#waiting--;
      if (this.#waiting < waitingMax && !this.#closing) this.#socket.resume();
    }
  }

  #drained(): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        this.#socket.off('drain', done);
        this.#socket.off('close', done);
        resolve();
      };
      this.#socket.once('drain', done);
      this.#socket.once('close', done);
    });
  }

  #ended(): void {
    if (!this.#closing) for (const item of this.#framer.end()) this.#handle(item);
    this.#closing = true;
  }

  #end(): void {
    this.#ended();
    void this.#answers.then(() => this.#socket.end(() => this.#socket.destroySoon()));
  }

  /** Answers what is whole and closes. A frame that is only begun was not acknowledged: the sender sends it again. */
  async finish(): Promise<void> {
    this.#closing = true;
    this.#socket.pause();
    await this.#answers;
    await new Promise<void>((resolve) => {
      this.#socket.once('close', () => resolve());
      this.#socket.end();
      this.#socket.destroySoon();
      if (this.#socket.destroyed) resolve();
    });
  }
}
