/** MLLP over TCP or TLS: bytes in, answers out, strictly in order within a connection. Decides nothing. */
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TLSSocket, type Server as TlsServer } from 'node:tls';
import { Connection } from './connection.ts';
import { Memory } from './memory.ts';
import type { ListenerEvent, ListenerOptions, ListenerState, TlsOptions } from './options.ts';
import { isIn, nameIn, plainAddress } from './peer.ts';

export type { ListenerEvent, ListenerOptions, ListenerState } from './options.ts';

const minVersion = 'TLSv1.2';

type Refusal = Extract<ListenerEvent, { what: 'peer-refused' }>['reason'];

export class MllpListener {
  readonly #options: ListenerOptions;
  readonly #server: Server;
  /** Takes over sockets that the server has let in; listens on no port itself. */
  readonly #tls: TlsServer | undefined;
  readonly #memory: Memory;
  readonly #connections = new Set<Connection>();
  /** Sockets that have not shown their certificate yet, by their own address and port. */
  readonly #handshakes = new Map<string, Socket>();
  /** Open sockets by address. */
  readonly #addresses = new Map<string, number>();
  #port: number;

  /** @throws what `tls.read` throws, or node:tls for what is no certificate */
  constructor(options: ListenerOptions) {
    this.#options = options;
    this.#port = options.port;
    this.#memory = new Memory(options.waitingBytesMax ?? 134_217_728);
    this.#tls = options.tls && this.#tlsServer(options.tls);
    this.#server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => this.#accept(socket));
    this.#server.maxConnections = options.connectionsMax;
    this.#server.on('drop', (peer) => this.#refused('connections', peer?.remoteAddress));
  }

  /** Resolves when the port is bound. */
  listen(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.#options.port, this.#options.host, () => {
        this.#server.off('error', reject);
        this.#server.on('error', this.#options.failed);
        this.#port = (this.#server.address() as AddressInfo).port;
        resolve();
      });
    });
  }

  /** The one that was picked, when it was to pick one. */
  get port(): number {
    return this.#port;
  }

  get name(): string {
    return this.#options.name ?? `mllp:${this.#port}`;
  }

  /** `mllp://127.0.0.1:2575`; `mllps:` over TLS. */
  get address(): string {
    const { host, tls } = this.#options;
    return `${tls ? 'mllps' : 'mllp'}://${host.includes(':') ? `[${host}]` : host}:${this.#port}`;
  }

  get state(): ListenerState {
    const all = [...this.#connections];
    return {
      connections: all.length,
      paused: all.filter((it) => it.paused).length,
      frames: all.reduce((sum, it) => sum + it.frames, 0),
      heldBytes: this.#memory.heldBytes,
    };
  }

  /** Reads the certificates anew, for connections from now on. What is not sound is reported, and the old ones stay. */
  reload(): void {
    const { tls } = this.#options;
    if (!tls) return;
    try {
      this.#tls?.setSecureContext({ ...tls.read(), minVersion });
      this.#observe({ what: 'certificates-read' });
    } catch (error) {
      this.#observe({ what: 'certificates-not-read', error });
    }
  }

  /**
   * Takes no new connection and no new frame; resolves when every frame that was whole has its answer, application answers
   * included as far as they come within `stopApplicationMs`, or when `stopMs` is over: then the rest is destroyed.
   */
  async stop(): Promise<void> {
    const { stopApplicationMs = 5000, stopMs = 15_000 } = this.#options;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#handshakes.values()) socket.destroy();
    const finished = Promise.all([...this.#connections].map((it) => it.finish(stopApplicationMs)));
    const limit = Promise.withResolvers<void>();
    const timer = setTimeout(() => {
      for (const connection of this.#connections) {
        connection.destroy();
        this.#observe({ what: 'destroyed' });
      }
      limit.resolve();
    }, stopMs);
    await Promise.race([finished, limit.promise]);
    clearTimeout(timer);
    await closed;
  }

  #observe(event: ListenerEvent): void {
    this.#options.observed?.(event, this.name);
  }

  #refused(reason: Refusal, address: string | undefined): void {
    this.#observe({ what: 'peer-refused', reason, peer: plainAddress(address ?? '') });
  }

  #accept(socket: Socket): void {
    const { allow, connectionsMax, connectionsPerAddressMax = connectionsMax } = this.#options;
    // Without an address it has gone again already.
    const address = socket.remoteAddress && plainAddress(socket.remoteAddress);
    if (!address) return void socket.destroy();
    const open = this.#addresses.get(address) ?? 0;
    const reason =
      allow && !isIn(allow, address) ? 'network' : open >= connectionsPerAddressMax ? 'address' : undefined;
    if (reason) {
      socket.destroy();
      this.#refused(reason, address);
      return;
    }
    this.#addresses.set(address, open + 1);
    socket.once('close', () => this.#closed(address));
    if (this.#tls) this.#shake(socket, this.#tls);
    else this.#open(socket, address);
  }

  #closed(address: string): void {
    const open = (this.#addresses.get(address) ?? 1) - 1;
    if (open > 0) this.#addresses.set(address, open);
    else this.#addresses.delete(address);
  }

  #shake(socket: Socket, tls: TlsServer): void {
    const key = endOf(socket);
    this.#handshakes.set(key, socket);
    socket.once('close', () => this.#handshakes.delete(key));
    tls.emit('connection', socket);
  }

  #tlsServer({ read, clientCertificate }: TlsOptions): TlsServer {
    const server = createTlsServer({
      ...read(),
      minVersion,
      requestCert: clientCertificate,
      rejectUnauthorized: clientCertificate,
      handshakeTimeout: this.#options.handshakeMs ?? 10_000,
      allowHalfOpen: true,
    });
    server.on('secureConnection', (socket: TLSSocket) => {
      this.#handshakes.delete(endOf(socket));
      const address = addressOf(socket);
      const name = clientCertificate ? nameIn(socket.getPeerCertificate()) : undefined;
      this.#open(socket, name ? `${address} ${name}` : address);
    });
    server.on('tlsClientError', (_, socket) => {
      this.#refused('handshake', addressOf(socket));
      socket.destroy();
    });
    return server;
  }

  #open(socket: Socket, peer: string): void {
    const observe = (event: ListenerEvent): void => this.#observe(event);
    const connection = new Connection(socket, {
      options: this.#options,
      memory: this.#memory,
      listener: this.name,
      peer,
      observe,
    });
    this.#connections.add(connection);
    observe({ what: 'connected' });
    void connection.done.then(() => this.#connections.delete(connection));
  }
}

/** The address of a TLS client; a socket that node has destroyed knows it only through the one that it came from. */
function addressOf(socket: TLSSocket & { readonly _parent?: Socket }): string {
  return plainAddress(socket.remoteAddress ?? socket._parent?.remoteAddress ?? '');
}

/** The other end, which no two open sockets share. */
function endOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
