/**
 * The closed list of what may be logged, and the metrics. Patient data has no place in it: no values, no ids of patients,
 * no URLs with search terms, no error text of a library that may quote its input.
 */
import { pino } from 'pino';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/** Everything that may be logged. */
export type Observation =
  | { readonly event: 'started'; readonly http: string; readonly mllp: string; readonly ms: number }
  | { readonly event: 'stopped' }
  | { readonly event: 'message-kept'; readonly state: string }
  | { readonly event: 'message-applied'; readonly state: string }
  | { readonly event: 'message-not-kept'; readonly error: string }
  /** An application acknowledgement of enhanced mode: too many were waited for. */
  | { readonly event: 'answer-given-up' }
  | {
      readonly event: 'mllp';
      readonly listener: string;
      readonly what: string;
      readonly reason?: string;
      /** The address of who was refused. */
      readonly peer?: string;
      readonly error?: string;
    }
  | { readonly event: 'certificates-not-read'; readonly listener: string; readonly error?: string }
  | { readonly event: 'job-failed'; readonly kind: string; readonly error: string }
  /** `Encounter/…` or `Patient/…`: its follow-up could not be made, and nobody will be called. */
  | { readonly event: 'plan-not-made'; readonly of: string; readonly error: string }
  | { readonly event: 'request-failed'; readonly error: string }
  | { readonly event: 'delivery'; readonly outcome: string }
  | { readonly event: 'outgoing'; readonly destination: string; readonly outcome: string }
  | { readonly event: 'outgoing-failed'; readonly destination: string; readonly outcome: string }
  | { readonly event: 'outgoing-not-made'; readonly destination: string; readonly error: string }
  | { readonly event: 'indexed'; readonly what: string; readonly resources: number }
  | { readonly event: 'swept'; readonly rows: number }
  /** An operator read what is in a message: `message 12`. */
  | { readonly event: 'content-read'; readonly what: string }
  | { readonly event: 'replayed'; readonly messages: number }
  | { readonly event: 'code-answered'; readonly site: string; readonly table: string };

/** Level by event: what happens for every message is counted, and logged only for those who ask. */
const levels: Record<Observation['event'], 'debug' | 'info' | 'warn' | 'error'> = {
  started: 'info',
  stopped: 'info',
  'message-kept': 'debug',
  'message-applied': 'debug',
  'message-not-kept': 'error',
  'answer-given-up': 'error',
  mllp: 'debug',
  'certificates-not-read': 'error',
  'job-failed': 'error',
  'plan-not-made': 'error',
  'request-failed': 'error',
  delivery: 'debug',
  outgoing: 'debug',
  'outgoing-failed': 'warn',
  'outgoing-not-made': 'error',
  indexed: 'info',
  swept: 'debug',
  'content-read': 'info',
  replayed: 'info',
  'code-answered': 'info',
};

/** Name, code and the place in our code; a message may quote data, so it stays out. */
export function describeError(error: unknown): string {
  const { name = 'Error', code, stack = '' } = error as { name?: string; code?: string; stack?: string };
  const frames = stack
    .split('\n')
    .filter((line) => line.trimStart().startsWith('at '))
    .slice(0, 4);
  return [name, code, ...frames.map((line) => line.trim())].filter((it) => it).join(' ');
}

/** Logs and counts. One per process. */
export class Observer {
  readonly registry = new Registry();
  readonly #log: ReturnType<typeof pino>;
  readonly #messages = new Counter({
    name: 'aftercare_messages_total',
    help: 'Received messages by state reached',
    labelNames: ['state'],
    registers: [this.registry],
  });
  readonly #deliveries = new Counter({
    name: 'aftercare_deliveries_total',
    help: 'Delivery attempts by outcome',
    labelNames: ['outcome'],
    registers: [this.registry],
  });
  readonly #failures = new Counter({
    name: 'aftercare_failures_total',
    help: 'Defects by event',
    labelNames: ['event'],
    registers: [this.registry],
  });
  readonly #mllp = new Counter({
    name: 'aftercare_mllp_total',
    help: 'What happened to MLLP connections and frames',
    labelNames: ['listener', 'what', 'reason'],
    registers: [this.registry],
  });
  readonly #requests = new Histogram({
    name: 'aftercare_http_request_seconds',
    help: 'HTTP requests',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10],
    registers: [this.registry],
  });

  /** @param level a pino level, or `silent` */
  constructor(level: string) {
    this.#log = pino({ level, base: null }, pino.destination({ fd: 2, sync: true }));
    collectDefaultMetrics({ register: this.registry });
  }

  note(observation: Observation): void {
    const { event, ...rest } = observation;
    if ('state' in observation) this.#messages.inc({ state: observation.state });
    if (event === 'delivery') this.#deliveries.inc({ outcome: observation.outcome });
    if (event === 'mllp') {
      const { listener, what, reason = '' } = observation;
      this.#mllp.inc({ listener, what, reason });
    }
    if (levels[event] === 'error') this.#failures.inc({ event });
    this.#log[levels[event]](rest, event);
  }

  request({ method, route, status, ms }: { method: string; route: string; status: number; ms: number }): void {
    const known = ['/fhir', '/hl7v2', '/admin', '/healthz', '/readyz', '/metrics'].includes(route) ? route : 'other';
    this.#requests.observe({ method, route: known, status: String(status) }, ms / 1000);
  }

  /** A value read when the metrics are asked for. */
  gauge(name: string, help: string, read: () => Promise<Readonly<Record<string, number>>>, label: string): void {
    const gauge: Gauge = new Gauge({
      name,
      help,
      labelNames: [label],
      registers: [this.registry],
      async collect() {
        const values = Object.entries(await read());
        // A state that no row is in any more must not keep its last number.
        gauge.reset();
        for (const [key, value] of values) gauge.set({ [label]: key }, value);
      },
    });
  }
}
