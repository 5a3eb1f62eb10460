/** Between a server and its database: closed, connections are cut and refused, as if the database were away. */
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

export class Gate {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #isOpen = true;
  /** STORE_URL through this. */
  readonly url: string;

  private constructor(server: Server, url: string) {
    this.#server = server;
    const through = new URL(url);
    through.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    this.url = through.href;
    const { hostname, port } = new URL(url);
    server.on('connection', (client: Socket) => {
      if (!this.#isOpen) return void client.destroy();
      const upstream = connect(Number(port || 5432), hostname);
      for (const [one, other] of [
        [client, upstream],
        [upstream, client],
      ] as const) {
        this.#sockets.add(one);
        one.pipe(other);
        one.on('error', () => {});
        one.on('close', () => {
          this.#sockets.delete(one);
          other.destroy();
        });
      }
    });
  }

  /** @param url `postgres://…` */
  static async open(url: string): Promise<Gate> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new Gate(server, url);
  }

  /** The database goes away: in the middle of whatever it does. */
  shut(): void {
    this.#isOpen = false;
    for (const socket of this.#sockets) socket.destroy();
  }

  /** The database is there again. */
  reopen(): void {
    this.#isOpen = true;
  }

  async close(): Promise<void> {
    this.shut();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
