/** The MLLP listeners of a server: made from the configuration, counted, started and stopped together. */
import { type ListenerState, MllpListener } from '../adapters/mllp/listener.ts';
import type { Receiver } from './journal/receive.ts';
import { type ListenerConfig, readCertificates } from './listeners.ts';
import { describeError, type Observer } from './observe.ts';

const gauges: readonly [key: keyof ListenerState, name: string, help: string][] = [
  ['connections', 'aftercare_mllp_connections', 'Open MLLP connections'],
  ['paused', 'aftercare_mllp_paused', 'MLLP connections that are read no further for now'],
  ['heldBytes', 'aftercare_mllp_held_bytes', 'Memory of MLLP frames begun or not answered'],
];

export class MllpListeners {
  readonly #all: readonly MllpListener[];

  /** @throws what is wrong with a certificate */
  constructor(configs: readonly ListenerConfig[], ways: Pick<Receiver, 'receive' | 'refuse'>, observer: Observer) {
    this.#all = configs.map((it) => made(it, ways, observer));
    for (const [key, name, help] of gauges) {
      const read = async (): Promise<Record<string, number>> =>
        Object.fromEntries(this.#all.map((it) => [it.name, it.state[key]]));
      observer.gauge(name, help, read, 'listener');
    }
  }

  /** Resolves when every port is bound. @throws what a port says; then {@link stop} closes the others */
  async listen(): Promise<void> {
    for (const it of this.#all) await it.listen();
  }

  /** `mllp://127.0.0.1:2575`, `mllps:` over TLS; as the configuration has them. */
  get addresses(): readonly string[] {
    return this.#all.map((it) => it.address);
  }

  /** Reads the certificates anew. */
  reload(): void {
    for (const it of this.#all) it.reload();
  }

  async stop(): Promise<void> {
    await Promise.all(this.#all.map((it) => it.stop()));
  }
}

function made(
  { tls, ...options }: ListenerConfig,
  ways: Pick<Receiver, 'receive' | 'refuse'>,
  observer: Observer,
): MllpListener {
  return new MllpListener({
    ...options,
    ...ways,
    tls: tls && { read: () => readCertificates(tls), clientCertificate: tls.clientAuthority !== undefined },
    failed: (error) => observer.note({ event: 'message-not-kept', error: describeError(error) }),
    observed: (event, listener) => {
      const { error, ...rest } = { error: undefined, ...event };
      const described = error === undefined ? {} : { error: describeError(error) };
      observer.note({ event: 'mllp', listener, ...rest, ...described });
      if (rest.what === 'certificates-not-read') observer.note({ event: rest.what, listener, ...described });
    },
  });
}
