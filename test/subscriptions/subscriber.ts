/** A local subscriber: an HTTP server that keeps what it gets and lets a test wait for it. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Json } from '../../src/fhir/types.ts';

/** One request as it came in. */
export interface Received {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  /** Names and values in turn, as sent. */
  readonly rawHeaders: readonly string[];
  readonly body: string;
}

/** What the subscriber answers: a status, a status with headers and a body, or `hang` for no answer at all. */
export type Answer =
  | number
  | 'hang'
  | { readonly status: number; readonly headers?: Record<string, string>; readonly body?: Iterable<Buffer> };

/** Open ones: a test that fails in the middle leaves none behind, see {@link Subscriber.closeAll}. */
const open = new Set<Subscriber>();

export class Subscriber {
  readonly #server: Server;
  /** Everything received, in order. */
  readonly received: Received[] = [];
  /** Decides on the answer to each request; 200 when not set. */
  answer: (request: Received, count: number) => Answer = () => 200;
  #waiting: { holds(): boolean; resolve(): void }[] = [];

  private constructor(server: Server) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
    server.on('request', (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const { method = '', url = '', headers, rawHeaders } = request;
        const received = { method, path: url, headers, rawHeaders, body: Buffer.concat(chunks).toString('utf8') };
        this.received.push(received);
        const answer = this.answer(received, this.received.length);
        if (typeof answer === 'number') response.writeHead(answer).end();
        else if (answer !== 'hang') {
          response.writeHead(answer.status, answer.headers);
          void drip(response, answer.body ?? []);
        }
        for (const it of this.#waiting.filter((it) => it.holds())) it.resolve();
        this.#waiting = this.#waiting.filter((it) => !it.holds());
      });
    });
  }

  /** @param port 0 picks a free one */
  static async start(port = 0): Promise<Subscriber> {
    const server = createServer({ keepAliveTimeout: 60_000 });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', resolve);
    });
    const subscriber = new Subscriber(server);
    open.add(subscriber);
    return subscriber;
  }

  /** The port, also after {@link close}. */
  readonly port: number;

  url(path = '/hook'): string {
    return `http://127.0.0.1:${this.port}${path}`;
  }

  /** Resolves when `holds` does, which is asked after each request. */
  until(holds: () => boolean): Promise<void> {
    if (holds()) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ holds, resolve }));
  }

  /** Resolves with everything received when that is at least `count` requests. */
  async atLeast(count: number): Promise<readonly Received[]> {
    await this.until(() => this.received.length >= count);
    return this.received;
  }

  /** Closes every subscriber of this file that is still open. */
  static async closeAll(): Promise<void> {
    await Promise.all([...open].map((it) => it.close()));
  }

  async close(): Promise<void> {
    open.delete(this);
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
  }
}

async function drip(response: ServerResponse, body: Iterable<Buffer>): Promise<void> {
  for (const chunk of body) {
    if (response.destroyed) return;
    if (response.write(chunk)) continue;
    await new Promise<void>((resolve) => {
      const on = (): void => {
        response.off('drain', on).off('close', on);
        resolve();
      };
      response.on('drain', on).on('close', on);
    });
  }
  response.end();
}

/** A port on which nobody listens. */
export async function freePort(): Promise<number> {
  const subscriber = await Subscriber.start();
  const { port } = subscriber;
  await subscriber.close();
  return port;
}

/** The named parameter of the status in a notification bundle. */
export function statusPart(bundle: Json, name: string): Json | undefined {
  return bundle.entry[0].resource.parameter.find((it: Json) => it.name === name);
}

/** `handshake`, `event-notification` … of a request that holds a notification bundle. */
export function typeOf({ body }: Received): string {
  return statusPart(JSON.parse(body), 'type')?.valueCode;
}

/** The event numbers in a request, in order. */
export function eventNumbers({ body }: Received): number[] {
  const parameters: Json[] = JSON.parse(body).entry[0].resource.parameter;
  return parameters
    .filter((it) => it.name === 'notification-event')
    .map((it) => Number(it.part.find((part: Json) => part.name === 'event-number').valueString));
}

/** The event numbers of all event notifications, in the order in which they came. */
export function allEventNumbers(received: readonly Received[]): number[] {
  return received.filter((it) => typeOf(it) === 'event-notification').flatMap(eventNumbers);
}
