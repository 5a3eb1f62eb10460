/** A hospital's MLLP listener that answers as a test says: takes, refuses, is silent, answers to something else, hangs up. */
import { createServer, type Server, type Socket } from 'node:net';
import { Framer, frame } from '../../adapters/mllp/frame.ts';
import { type Message, parse } from '../../src/hl7v2/message.ts';

/** What the hospital does with a message: MSA-1 of its answer, whole answers as they are, nothing, or it hangs up. */
export type Behaviour = (message: Message, socket: Socket) => string | Uint8Array | 'silent' | 'hang-up';

/** The acknowledgement of a message, as a hospital writes it. */
export function ack(message: Message, code: string, controlId = message.header.text(10)): Buffer {
  const error = code.endsWith('A')
    ? ''
    : 'ERR||PID^1^3|204^Unknown key identifier^HL70357|E||||Jane Doe is not known\r';
  return Buffer.from(
    `MSH|^~\\&|HIS|RENHE|AFTERCARE|AFTERCARE|20260316||ACK|A1|P|2.5.1\rMSA|${code}|${controlId}\r${error}`,
  );
}

const open = new Set<HospitalListener>();

export class HospitalListener {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #arrivals: (() => void)[] = [];
  behaviour: Behaviour;
  /** In the order in which they came in. */
  readonly received: Message[] = [];
  /** How many connections there have been. */
  connections = 0;

  private constructor(server: Server, behaviour: Behaviour, carries: string) {
    this.#server = server;
    this.behaviour = behaviour;
    server.on('connection', (socket: Socket) => this.#opened(socket));
    server.on(carries, (socket: Socket) => this.#connected(socket));
  }

  /** @param server another than plain TCP; `carries` is then the event of what carries the messages */
  static async open(
    behaviour: Behaviour = () => 'AA',
    { port = 0, server = createServer(), carries = 'connection' } = {},
  ): Promise<HospitalListener> {
    const listener = new HospitalListener(server, behaviour, carries);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', resolve);
    });
    open.add(listener);
    return listener;
  }

  /** Closes every listener of this file that is still open. */
  static async closeAll(): Promise<void> {
    await Promise.all([...open].map((it) => it.close()));
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  #opened(socket: Socket): void {
    socket.on('error', () => {});
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
  }

  #connected(socket: Socket): void {
    socket.on('error', () => {});
    this.connections++;
    const framer = new Framer(16_777_216);
    socket.on('data', (chunk: Buffer) => {
      for (const { kind, bytes } of framer.push(chunk)) if (kind === 'frame') this.#arrived(bytes, socket);
    });
  }

  #arrived(bytes: Buffer, socket: Socket): void {
    const message = parse(bytes.toString());
    // A TLS greeting may hold the bytes of a frame.
    if (!message) return;
    this.received.push(message);
    const answer = this.behaviour(message, socket);
    if (answer === 'hang-up') socket.destroy();
    else if (answer !== 'silent') socket.write(frame(typeof answer === 'string' ? ack(message, answer) : answer));
    for (const arrival of this.#arrivals.splice(0)) arrival();
  }

  /** Resolves when so many messages have come in. */
  async arrived(count: number): Promise<void> {
    while (this.received.length < count) await new Promise<void>((resolve) => this.#arrivals.push(resolve));
  }

  /** MSH-9 and MSH-10 of what came in. */
  get control(): string[] {
    return this.received.map(({ header }) => header.text(10));
  }

  /** Hangs up on everybody; a new listener may have the port. */
  async close(): Promise<void> {
    open.delete(this);
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}
