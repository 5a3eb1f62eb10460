/** An MLLP client for tests that need more of TCP than `MllpSender` has: half-close, reset, no reading. */
import { connect, type Socket, type TcpNetConnectOpts } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { Framer } from '../../adapters/mllp/frame.ts';

export class Client {
  readonly socket: Socket;
  readonly #framer = new Framer(16_777_216);
  readonly #answers: string[] = [];
  #waiting: ((answer: string | undefined) => void)[] = [];
  #over = false;
  /** Resolves when the connection is gone, however it went. */
  readonly closed: Promise<void>;
  /** Resolves when the other side has sent its FIN. */
  readonly ended: Promise<void>;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => {
      for (const item of this.#framer.push(chunk)) this.#answered(item.bytes.toString());
    });
    socket.on('error', () => {});
    this.ended = new Promise((resolve) => socket.once('end', resolve));
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        this.#over = true;
        for (const waiter of this.#waiting.splice(0)) waiter(undefined);
        resolve();
      });
    });
  }

  /** @param options of the socket, such as `localAddress`; @param tls over TLS */
  static connect(port: number, options: Partial<TcpNetConnectOpts> = {}, tls?: ConnectionOptions): Promise<Client> {
    return new Promise((resolve, reject) => {
      const all = { host: '127.0.0.1', port, noDelay: true, ...options };
      const socket = tls ? connectTls({ ...all, ...tls }) : connect(all);
      const client = new Client(socket);
      socket.once(tls ? 'secureConnect' : 'connect', () => resolve(client));
      socket.once('error', reject);
    });
  }

  #answered(answer: string): void {
    const waiter = this.#waiting.shift();
    if (waiter) waiter(answer);
    else this.#answers.push(answer);
  }

  write(text: string | Uint8Array): void {
    this.socket.write(text);
  }

  /** The next answer; undefined when the connection closed before it. */
  next(): Promise<string | undefined> {
    const answer = this.#answers.shift();
    if (answer !== undefined || this.#over) return Promise.resolve(answer);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  async take(count: number): Promise<(string | undefined)[]> {
    const answers: (string | undefined)[] = [];
    while (answers.length < count) answers.push(await this.next());
    return answers;
  }
}
