/** A small MLLP client for `npm run send`, the bench and the tests: sends messages, gives their answers. */
import { connect, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { Framer, frame } from './frame.ts';

const answerBytesMax = 1_048_576;
/** MSA-1 and MSA-2 are looked for in the beginning of an answer; bytes. */
const msaBytesMax = 4096;

type Waiter = PromiseWithResolvers<Buffer | undefined>;

/** A message of enhanced mode under way. */
interface Pending {
  /** MSH-10; undefined: takes the next answer whatever it answers. */
  readonly controlId: string | undefined;
  accept: Waiter | undefined;
  application: Waiter | undefined;
}

/** What a message of enhanced mode asks for: MSH-10, and whether MSH-15 and MSH-16 want an answer. */
export interface Asked {
  readonly controlId: string;
  readonly accept: boolean;
  readonly application: boolean;
}

/** The two answers of enhanced mode. Undefined: not asked for, or the other one was the last word. */
export interface Exchange {
  /** CA, CE or CR; another when the listener answers in original mode. */
  readonly accept: Promise<Buffer | undefined>;
  /** AA, AE or AR. */
  readonly application: Promise<Buffer | undefined>;
}

/** There will be no answer: the connection is gone. */
export class ConnectionLost extends Error {
  override readonly name = 'ConnectionLost';
}

export class MllpSender {
  readonly #socket: Socket;
  readonly #framer = new Framer(answerBytesMax);
  #pending: Pending[] = [];

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => {
      for (const item of this.#framer.push(chunk)) if (item.kind === 'frame') this.#answered(item.bytes);
    });
    socket.on('close', () => this.#fail(new ConnectionLost('the listener closed the connection')));
    socket.on('error', ({ message, code }: NodeJS.ErrnoException) =>
      this.#fail(new ConnectionLost(`the connection was lost (${code ?? message})`)),
    );
  }

  /**
   * @param tls over TLS; `{}` trusts the authorities that Node trusts, `ca` others; `cert` and `key` for mutual TLS
   * @throws Error when nobody listens there, or who listens is not trusted
   */
  static connect(host: string, port: number, tls?: ConnectionOptions): Promise<MllpSender> {
    return new Promise((resolve, reject) => {
      const connected = (): void => resolve(new MllpSender(socket));
      const socket: Socket = tls
        ? connectTls({ minVersion: 'TLSv1.2', ...tls, host, port }, connected).setNoDelay()
        : connect({ host, port, noDelay: true }, connected);
      socket.once('error', reject);
    });
  }

  /** Sends a message of original mode; resolves with the next answer. Several may be under way: answers come in order. */
  send(message: Uint8Array): Promise<Buffer> {
    const answer = this.answer();
    if (!this.#socket.destroyed) this.#socket.write(frame(message));
    return answer;
  }

  /** Sends a message of enhanced mode. Several may be under way: their answers are told apart by MSA-1 and MSA-2. */
  exchange(message: Uint8Array, { controlId, accept, application }: Asked): Exchange {
    const answers = this.#expect(controlId, accept, application);
    if (!this.#socket.destroyed) this.#socket.write(frame(message));
    return answers;
  }

  /** Writes bytes as they are, for tests of broken frames. */
  raw(bytes: Uint8Array): void {
    this.#socket.write(bytes);
  }

  /** The next frame that the listener sends. */
  answer(): Promise<Buffer> {
    return this.#expect(undefined, true, false).accept as Promise<Buffer>;
  }

  close(): void {
    this.#socket.end();
    this.#socket.destroySoon();
  }

  #expect(controlId: string | undefined, accept: boolean, application: boolean): Exchange {
    const [first, second] = [accept, application].map((wanted) =>
      wanted ? Promise.withResolvers<Buffer | undefined>() : undefined,
    );
    this.#pending.push({ controlId, accept: first, application: second });
    // A caller may look at one of the two only.
    second?.promise.catch(() => {});
    if (this.#socket.destroyed) this.#fail(new ConnectionLost('the connection is closed'));
    return {
      accept: first?.promise ?? Promise.resolve(undefined),
      application: second?.promise ?? Promise.resolve(undefined),
    };
  }

  #answered(answer: Buffer): void {
    const { code, controlId } = msaOf(answer);
    const isAccept = code.startsWith('C');
    const it =
      this.#pending.find((one) => one.controlId === controlId && (one.accept || !isAccept)) ??
      this.#pending.find((one) => one.controlId === undefined || controlId === '');
    if (!it) return;
    const { accept, application } = it;
    // An application answer ends the exchange, and so does an accept answer that says no.
    if (!isAccept && application) application.resolve(answer);
    else accept?.resolve(answer);
    it.accept = undefined;
    if (isAccept && code === 'CA' && application) return;
    accept?.resolve(undefined);
    application?.resolve(undefined);
    this.#pending.splice(this.#pending.indexOf(it), 1);
  }

  #fail(error: Error): void {
    for (const { accept, application } of this.#pending.splice(0))
      for (const waiter of [accept, application]) waiter?.reject(error);
  }
}

/** MSA-1 and MSA-2, as bytes: every character set of an answer has ASCII where it matters here. */
function msaOf(answer: Buffer): { code: string; controlId: string } {
  const [, code = '', controlId = ''] =
    /[\r\n]MSA[^\w\s]([A-Z]{2})(?:[^\w\s]([^\r\n|]*))?/.exec(answer.toString('latin1', 0, msaBytesMax)) ?? [];
  return { code, controlId };
}
