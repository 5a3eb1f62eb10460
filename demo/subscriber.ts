/** A third party that wants to be told: an HTTP endpoint that takes notifications. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One event as the subscriber read it. */
export interface Notified {
  readonly number: string;
  readonly focus: string;
  readonly status: string;
  readonly patient: string;
}

export class Subscriber {
  readonly #server: Server;
  readonly #events: Notified[] = [];
  #changed = (): void => {};

  constructor() {
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        this.#take(JSON.parse(Buffer.concat(chunks).toString('utf8')));
        response.end();
      });
    });
  }

  /** @returns the endpoint */
  listen(): Promise<string> {
    return new Promise((resolve) => {
      this.#server.listen(0, '127.0.0.1', () =>
        resolve(`http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/notify`),
      );
    });
  }

  #take(bundle: any): void {
    const [status, ...entries] = bundle.entry;
    for (const event of status.resource.parameter.filter((it: any) => it.name === 'notification-event')) {
      const part = (name: string): any => event.part.find((it: any) => it.name === name);
      const focus: string = part('focus').valueReference.reference;
      const resource = entries.find((it: any) => it.fullUrl === focus)?.resource;
      this.#events.push({
        number: part('event-number').valueString,
        focus: focus.split('/').slice(-2).join('/'),
        status: resource.status,
        patient: resource.subject.reference,
      });
    }
    this.#changed();
  }

  /** Resolves with what has arrived when it is as much as expected, or when patience ends. */
  async wait(count: number, patienceMs: number): Promise<readonly Notified[]> {
    if (this.#events.length < count) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, patienceMs);
        this.#changed = () => {
          if (this.#events.length < count) return;
          clearTimeout(timer);
          resolve();
        };
      });
    }
    return this.#events;
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }
}
