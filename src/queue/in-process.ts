/** The queue inside one process: the default. */
import type { Handler, Job, Queue } from './queue.ts';

interface Entry {
  readonly job: Job;
  state: 'due' | 'running' | 'running-and-rung';
}

/** First wait after a handler threw, doubled up to a minute. ms */
const retryMs = 200;
const retryMaxMs = 60_000;

export class InProcessQueue implements Queue {
  readonly #handlers = new Map<string, Handler>();
  readonly #entries = new Map<string, Entry>();
  readonly #timers = new Map<string, { timer: NodeJS.Timeout; dueAt: number }>();
  readonly #failures = new Map<string, number>();
  readonly #failed: (job: Job, error: unknown) => void;
  #idle: (() => void)[] = [];
  #running = false;
  #stopped = false;

  /** @param failed told of every handler that threw; the job is tried again after a wait that doubles */
  constructor(failed: (job: Job, error: unknown) => void) {
    this.#failed = failed;
  }

  handle(kind: string, handler: Handler): void {
    this.#handlers.set(kind, handler);
  }

  start(): void {
    this.#running = true;
    for (const entry of [...this.#entries.values()]) this.#run(entry);
  }

  ring(job: Job, delayMs = 0): void {
    if (this.#stopped) return;
    if (this.#running && !this.#handlers.has(job.kind)) throw new Error(`no handler for ${job.kind}`);
    const key = `${job.kind} ${job.id}`;
    if (delayMs > 0) {
      this.#later(key, job, delayMs);
      return;
    }
    const entry = this.#entries.get(key);
    if (!entry) {
      const fresh: Entry = { job, state: 'due' };
      this.#entries.set(key, fresh);
      if (this.#running) this.#run(fresh);
    } else if (entry.state === 'running') entry.state = 'running-and-rung';
  }

  #later(key: string, job: Job, delayMs: number): void {
    const dueAt = performance.now() + delayMs;
    const known = this.#timers.get(key);
    if (known && known.dueAt <= dueAt) return;
    clearTimeout(known?.timer);
    const timer = setTimeout(() => {
      this.#timers.delete(key);
      this.ring(job);
    }, delayMs);
    this.#timers.set(key, { timer, dueAt });
  }

  #run(entry: Entry): void {
    const { job } = entry;
    const key = `${job.kind} ${job.id}`;
    const handler = this.#handlers.get(job.kind);
    if (!handler) throw new Error(`no handler for ${job.kind}`);
    entry.state = 'running';
    handler(job.id)
      .then(
        (next) => {
          this.#failures.delete(key);
          return next?.againMs;
        },
        (error: unknown) => {
          this.#failed(job, error);
          const count = (this.#failures.get(key) ?? 0) + 1;
          this.#failures.set(key, count);
          return Math.min(retryMs * 2 ** (count - 1), retryMaxMs);
        },
      )
      .then((againMs) => this.#ended(entry, key, againMs));
  }

  #ended(entry: Entry, key: string, againMs: number | undefined): void {
    const rung = entry.state === 'running-and-rung';
    this.#entries.delete(key);
    if (rung && !this.#stopped) this.ring(entry.job);
    else if (againMs !== undefined && !this.#stopped) this.ring(entry.job, Math.max(againMs, 1));
    if (this.#entries.size > 0) return;
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  idle(): Promise<void> {
    if (this.#entries.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    for (const { timer } of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
    for (const [key, entry] of this.#entries) if (entry.state === 'due') this.#entries.delete(key);
    await this.idle();
  }
}
