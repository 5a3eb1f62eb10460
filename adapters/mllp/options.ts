/** What a listener is told, and what it tells. */
import type { BlockList } from 'node:net';
import type { Origin, Receive, RefuseFrame } from '../../src/journal/receive.ts';

/** PEM texts, as node:tls takes them. */
export interface Certificates {
  readonly cert: string | Buffer;
  readonly key: string | Buffer;
  /** The authorities of client certificates. */
  readonly ca?: string | Buffer;
}

export interface TlsOptions {
  /** Reads the files: at the start, and at each {@link MllpListener.reload}. */
  readonly read: () => Certificates;
  /** Mutual TLS: a client without a certificate of one of the authorities is refused. */
  readonly clientCertificate: boolean;
}

export interface ListenerOptions {
  /** In the journal and the metrics; `mllp:PORT` when there is none. */
  readonly name?: string | undefined;
  readonly host: string;
  /** 0 picks a free port. */
  readonly port: number;
  /** Goes into the origin of every message. */
  readonly site?: Origin['site'] | undefined;
  readonly charset?: Origin['charset'] | undefined;
  readonly tls?: TlsOptions | undefined;
  /** Who may connect; everybody when it is not there. */
  readonly allow?: BlockList | undefined;
  readonly frameBytesMax: number;
  /** What all connections together may hold before they are read no further; bytes. 128 MiB. */
  readonly waitingBytesMax?: number;
  readonly connectionsMax: number;
  /** As many as `connectionsMax` when it is not there. */
  readonly connectionsPerAddressMax?: number;
  /** A begun frame must end within this time, not counted while we do not read; ms. */
  readonly incompleteMs: number;
  /** A connection without traffic, that is owed nothing, is closed after this time; ms. */
  readonly idleMs: number;
  /** An application answer is waited for this long after its accept answer; ms. 60,000. */
  readonly applicationMs?: number;
  /** A TLS handshake must end within this time; ms. 10,000. */
  readonly handshakeMs?: number;
  /** After our last answer the other side may take this long to close its half; ms. 1,000. */
  readonly lingerMs?: number;
  /** `stop` waits this long for application answers; ms. 5,000. */
  readonly stopApplicationMs?: number;
  /** After this time `stop` destroys what is left; ms. 15,000. */
  readonly stopMs?: number;
  readonly receive: Receive;
  readonly refuse: RefuseFrame;
  /** Told of what kept a message from being answered: it could not be kept, or no connection could be taken. */
  readonly failed: (error: unknown) => void;
  /** Told of everything that is worth a counter. */
  readonly observed?: (event: ListenerEvent, listener: string) => void;
}

/** The closed list of what is worth a counter. */
export type ListenerEvent =
  | { readonly what: 'connected' | 'disconnected' }
  /** `network`: not in the allow-list. `connections`, `address`: one too many in all, or from there. `handshake`: no TLS with it. */
  | {
      readonly what: 'peer-refused';
      readonly reason: 'network' | 'connections' | 'address' | 'handshake';
      readonly peer: string;
    }
  | { readonly what: 'frame-refused'; readonly reason: 'cut' | 'too-long' | 'junk' }
  /** `deaf`: reads no answers. */
  | { readonly what: 'timed-out'; readonly reason: 'idle' | 'incomplete' | 'deaf' }
  /** Read no further for now: too many frames wait on the connection, or too many bytes in all. */
  | { readonly what: 'paused'; readonly reason: 'frames' | 'bytes' }
  /** The message is kept; its application answer came too late or never, or its connection was gone. */
  | { readonly what: 'application-answer-lost'; readonly reason: 'late' | 'disconnected' }
  /** The message is kept; to make its application answer was a failure. */
  | { readonly what: 'application-answer-lost'; readonly reason: 'failed'; readonly error: unknown }
  | { readonly what: 'certificates-read' }
  /** The old ones stay. */
  | { readonly what: 'certificates-not-read'; readonly error: unknown }
  /** `stop` had to destroy it: its time was over. */
  | { readonly what: 'destroyed' };

/** What a listener holds at the moment. */
export interface ListenerState {
  readonly connections: number;
  /** Connections that are read no further for now. */
  readonly paused: number;
  /** Frames that wait for their accept answer. */
  readonly frames: number;
  readonly heldBytes: number;
}
