/**
 * The way to a hospital's MLLP listener: node-hl7-client connects, speaks TLS, frames and writes. What it does not tell (that a
 * connection failed or was closed) and the bytes of the answers, which it would decode as UTF-8 and cut wrongly, come from its
 * socket. docs/decisions/0018-outbound.md says why.
 */
import { readFileSync } from 'node:fs';
import { Socket } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import { Client, type Connection, type HL7Version, Message } from 'node-hl7-client';
import type { Dial, Line, LineListener } from '../../src/outbound/line.ts';
import { Framer } from '../mllp/frame.ts';

export interface DialOptions {
  readonly host: string;
  readonly port: number;
  /** PEM files, their paths relative to the working folder; absent: no TLS. */
  readonly tls?:
    | { readonly ca?: string; readonly cert?: string; readonly key?: string; readonly serverName?: string }
    | undefined;
  /** MSH-12 of all messages. */
  readonly version: HL7Version;
  /** By default 10 s. */
  readonly connectMs?: number;
}

const connectMs = 10_000;

/** An answer has some hundred bytes; one with a long list of errors some thousand. */
const answerBytesMax = 1_048_576;

/** Reads the certificates now: a file that is not there stops the start, not the first message. @throws what the file says */
export function dialer(options: DialOptions): Dial {
  const tls = options.tls && tlsOptions(options.tls);
  return (listener, signal) => dial({ ...options, tls }, listener, signal);
}

function tlsOptions({ ca, cert, key, serverName }: NonNullable<DialOptions['tls']>): ConnectionOptions {
  return {
    ...(ca !== undefined && { ca: readFileSync(ca) }),
    ...(cert !== undefined && { cert: readFileSync(cert) }),
    ...(key !== undefined && { key: readFileSync(key) }),
    ...(serverName !== undefined && { servername: serverName }),
  };
}

type Options = Omit<DialOptions, 'tls'> & { readonly tls: ConnectionOptions | undefined };

function dial(options: Options, listener: LineListener, signal: AbortSignal): Promise<Line> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(failure('ABORTED'));
    const { connection, socket } = connect(options);
    let reason: Error | undefined;
    const giveUp = (code: string): void => {
      reason ??= failure(code);
      socket.destroy();
    };
    const aborted = (): void => giveUp('ABORTED');
    const timer = setTimeout(() => giveUp('ETIMEDOUT'), options.connectMs ?? connectMs);
    const settled = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', aborted);
    };
    signal.addEventListener('abort', aborted);
    socket.on('error', (error) => {
      reason ??= error;
    });
    socket.once('close', () => {
      settled();
      // After that the client would go on counting the connection as open.
      void connection.close();
      reject(reason ?? failure('ECONNRESET'));
    });
    socket.once(options.tls ? 'secureConnect' : 'connect', () => {
      settled();
      resolve(open(connection, socket, options.version, listener));
    });
  });
}

/** One client for one connection: it keeps every connection that it made. It never reconnects, queues or waits by itself. */
function connect({ host, port, tls, version }: Options): { connection: Connection; socket: Socket } {
  // Both families: it takes the one of an address, and of a name the one that answers.
  const client = new Client({ host, version, ipv4: true, ipv6: true, ...(tls && { tls }) });
  // latin1 keeps every byte of a message as it is.
  const connection = client.createConnection({ port, version, encoding: 'latin1', waitAck: false }, () => {});
  // The socket is there at once. Its own listeners come first; the answers are read from it by ours alone.
  const socket: unknown = Reflect.get(connection, '_socket');
  if (!(socket instanceof Socket)) throw new Error('node-hl7-client keeps its socket elsewhere');
  socket.removeAllListeners('data');
  return { connection, socket };
}

function open(connection: Connection, socket: Socket, version: HL7Version, listener: LineListener): Line {
  const framer = new Framer(answerBytesMax);
  socket.on('data', (chunk: Buffer) => {
    for (const { kind, bytes } of framer.push(chunk)) {
      if (kind === 'frame') listener.answered(bytes);
      // Nobody knows any more what belongs to what.
      else if (kind === 'too-long') socket.destroy();
    }
  });
  // The hospital has said that it sends nothing more, so no answer will come.
  socket.once('end', () => socket.destroy());
  socket.once('close', () => listener.closed());
  return {
    write(message) {
      // On a closed connection the client would keep the message and open another one.
      if (!socket.destroyed) connection.sendMessage(new Whole(message, version)).catch(() => socket.destroy());
    },
    close: () => socket.destroy(),
  };
}

function failure(code: string): Error {
  return Object.assign(new Error('no connection'), { code });
}

/**
 * A message as it was kept. The client's own would trim it, and with it bytes that are blanks in latin1 only, and take away the
 * last CR; all that the client asks of it is the version and the text.
 */
class Whole extends Message {
  readonly #text: string;

  constructor(bytes: Uint8Array, version: string) {
    super({ text: `MSH|^~\\&${'|'.repeat(10)}${version}` });
    this.#text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
  }

  override toString(): string {
    return this.#text;
  }
}
