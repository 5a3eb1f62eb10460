/** A listener with a receiver whose answers the test gives, and clients; all closed by {@link stopAll}. */
import type { TcpNetConnectOpts } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import { type ListenerEvent, type ListenerOptions, MllpListener } from '../../adapters/mllp/listener.ts';
import type { Answer, Origin } from '../../src/journal/receive.ts';
import { Client } from './client.ts';

export const vt = '\u000b';
export const fs = '\u001c';

export function framed(text: string): string {
  return `${vt}${text}${fs}\r`;
}

/** One frame that was handed over, to be answered by the test. */
interface Handed {
  readonly text: string;
  readonly origin: Origin;
  /** Why it was refused; undefined for a whole frame. */
  readonly refused: string | undefined;
  /** `ack TEXT`, or `nak TEXT` when it was refused, if nothing else is said. */
  answer(text?: string): void;
  /** In enhanced mode: `accept` at once (undefined: none), then what the promise gives. */
  enhanced(accept: string | undefined, application: Promise<Buffer | undefined>): void;
  fail(error: Error): void;
}

/** A receiver whose answers the test gives; `auto` answers at once. */
export class Receiver {
  readonly handed: Handed[] = [];
  readonly failures: unknown[] = [];
  readonly events: ListenerEvent[] = [];
  auto: boolean;
  #waiting: { count: number; resolve(): void }[] = [];

  constructor(auto: boolean) {
    this.auto = auto;
  }

  take(bytes: Uint8Array, origin: Origin, refused?: string): Promise<Answer> {
    const text = Buffer.from(bytes).toString();
    return new Promise((resolve, reject) => {
      const answer = (it = `${refused === undefined ? 'ack' : 'nak'} ${text}`): void =>
        resolve({ accept: Buffer.from(it) });
      const enhanced = (accept: string | undefined, application: Promise<Buffer | undefined>): void =>
        resolve({ accept: accept === undefined ? undefined : Buffer.from(accept), application });
      this.handed.push({ text, origin, refused, answer, enhanced, fail: reject });
      if (this.auto || text === 'ping') answer();
      this.#waiting = this.#waiting.filter(({ count, resolve: done }) => {
        if (this.handed.length < count) return true;
        done();
        return false;
      });
    });
  }

  /** Resolves when that many frames were handed over. */
  async got(count: number): Promise<void> {
    if (this.handed.length >= count) return;
    await new Promise<void>((resolve) => this.#waiting.push({ count, resolve }));
  }

  answerAll(): void {
    this.auto = true;
    for (const it of this.handed) it.answer();
  }

  /** What was observed, without the coming and going of connections. */
  get remarkable(): ListenerEvent[] {
    return this.events.filter(({ what }) => what !== 'connected' && what !== 'disconnected');
  }
}

export interface Running {
  readonly listener: MllpListener;
  readonly receiver: Receiver;
  /** A new client. */
  client(options?: Partial<TcpNetConnectOpts>, tls?: ConnectionOptions): Promise<Client>;
}

const running: { listener: MllpListener; receiver: Receiver; clients: Client[] }[] = [];

/** A listener on a free port that has all the time it wants. */
export async function start({
  auto = true,
  ...rest
}: Partial<ListenerOptions> & { auto?: boolean } = {}): Promise<Running> {
  const receiver = new Receiver(auto);
  const listener = new MllpListener({
    host: '127.0.0.1',
    port: 0,
    frameBytesMax: 1_000_000,
    connectionsMax: 200,
    incompleteMs: 60_000,
    idleMs: 60_000,
    lingerMs: 20,
    stopApplicationMs: 20,
    receive: (bytes, origin) => receiver.take(bytes, origin),
    refuse: (bytes, origin, text) => receiver.take(bytes, origin, text),
    failed: (error) => receiver.failures.push(error),
    observed: (event) => receiver.events.push(event),
    ...rest,
  });
  await listener.listen();
  const clients: Client[] = [];
  const client: Running['client'] = async (options, tls) => {
    const made = await Client.connect(listener.port, options, tls);
    clients.push(made);
    return made;
  };
  running.push({ listener, receiver, clients });
  return { listener, receiver, client };
}

/** To be called after each test. */
export async function stopAll(): Promise<void> {
  for (const { listener, receiver, clients } of running.splice(0)) {
    receiver.answerAll();
    for (const client of clients) client.socket.destroy();
    await listener.stop();
  }
}

/** Lets the loop turn until something is so: what it waits for is on its way, and the time limit of the test ends it. */
export async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setImmediate(resolve));
}
