/** A small MLLP client for `npm run send`, the bench and the tests: sends one message, gives the answer. */
import { connect, type Socket } from 'node:net';
import { Framer, frame } from './frame.ts';

const answerBytesMax = 1_048_576;

export class MllpSender {
  readonly #socket: Socket;
  readonly #framer = new Framer(answerBytesMax);
  #waiting: { resolve(answer: Buffer): void; reject(error: Error): void }[] = [];

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => {
      for (const item of this.#framer.push(chunk))
        if (item.kind === 'frame') this.#waiting.shift()?.resolve(item.bytes);
    });
    socket.on('close', () => this.#fail(new Error('the listener closed the connection')));
    socket.on('error', (error) => this.#fail(error));
  }

  /** @throws Error when nobody listens there */
  static connect(host: string, port: number): Promise<MllpSender> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host, port, noDelay: true }, () => resolve(new MllpSender(socket)));
      socket.once('error', reject);
    });
  }

  #fail(error: Error): void {
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }

  /** Sends a message; resolves with the next answer. Several may be under way: answers come in order. */
  send(message: Uint8Array): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      if (this.#socket.destroyed) return reject(new Error('the connection is closed'));
      this.#waiting.push({ resolve, reject });
      this.#socket.write(frame(message));
    });
  }

  /** Writes bytes as they are, for tests of broken frames. */
  raw(bytes: Uint8Array): void {
    this.#socket.write(bytes);
  }

  /** The next frame that the listener sends. */
  answer(): Promise<Buffer> {
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  close(): void {
    this.#socket.end();
    this.#socket.destroySoon();
  }
}
