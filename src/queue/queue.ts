/**
 * The Queue seam: a bell, not a store. The row is the truth; a bell lost is found again by a sweep, a bell rung twice does
 * no harm. One conformance suite (test/queue/conformance.ts).
 */

/** `{kind, id}`: what to look at. */
export interface Job {
  readonly kind: string;
  readonly id: string;
}

/** What a handler wants: nothing more, or to be rung again after a time (ms). */
export type Next = undefined | { readonly againMs: number };

export type Handler = (id: string) => Promise<Next>;

export interface Queue {
  /** One handler per kind, before {@link start}. */
  handle(kind: string, handler: Handler): void;
  start(): void;
  /**
   * Rings for a job, at least once, after `delayMs`. Jobs with the same kind and id run one at a time; rung while it runs,
   * a job runs once more afterwards.
   */
  ring(job: Job, delayMs?: number): void;
  /** Resolves when nothing runs and nothing is due now; for tests and a graceful stop. */
  idle(): Promise<void>;
  /** Takes no more bells; resolves when the running handlers have ended. */
  stop(): Promise<void>;
}
