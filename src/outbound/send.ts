/**
 * Messages that wait ─▶ sent, each until the hospital has said something. Those of one patient go one after the other, those
 * of different patients beside each other. At least once: a process that ends between sending and writing down the answer
 * sends the same bytes, with the same MSH-10, again.
 */
import type { Clock } from '../clock.ts';
import type { Commit } from '../commit/commit.ts';
import type { Destination } from '../mapping/destination.ts';
import type { Next } from '../queue/queue.ts';
import type { OutgoingRow } from '../store/rows.ts';
import type { Effect, Store } from '../store/store.ts';
import { isTaken } from './acknowledgement.ts';
import { type Attempt, Exchange } from './exchange.ts';
import type { Dial } from './line.ts';

/** What may be logged and counted of an attempt. */
export type SendOutcome = 'acknowledged' | 'refused' | 'no-answer' | 'unreachable' | 'gave-up';

export interface SendParts {
  readonly store: Store;
  readonly commit: Commit;
  readonly clock: Clock;
  readonly destinations: readonly Destination[];
  /** @returns how to reach a destination */
  readonly dial: (destination: Destination) => Dial;
  /** Told of each attempt that came to an end. */
  readonly attempted: (destination: string, outcome: SendOutcome) => void;
  /** While messages are on the way: how often new ones are looked for. ms; by default 200 */
  readonly lookMs?: number;
  /** When the process stops: how long answers that are on their way are waited for. ms; by default 2000 */
  readonly stopMs?: number;
}

/** First wait after an attempt without an answer, doubled up to five minutes. ms */
const backoffMs = 1000;
const backoffMaxMs = 300_000;
/** Where there is no connection, the next try is not later than this: all messages wait for it. ms */
const pauseMaxMs = 60_000;
/** A line is kept open between messages for so long. ms */
const idleMs = 30_000;
/** Messages read ahead: to find those that are due, the database looks at every lane. */
const readMax = 64;
/** Messages that are given up in one commit. */
const givenUpMax = 200;
const lookMs = 200;
const stopMs = 2000;

const hourMs = 3_600_000;

export class Sending {
  readonly #lanes: ReadonlyMap<string, Lanes>;

  constructor(parts: SendParts) {
    this.#lanes = new Map(parts.destinations.map((it) => [it.name, new Lanes(it, parts)]));
  }

  /** The handler of the queue's job `send`; the id is the name of a destination. */
  async deliver(name: string): Promise<Next> {
    return this.#lanes.get(name)?.run();
  }

  /** Sends nothing more and closes all lines, within a bound. What had no answer is sent again at the next start. */
  async stop(): Promise<void> {
    await Promise.all([...this.#lanes.values()].map((it) => it.stop()));
  }
}

/** The messages of one destination. */
class Lanes {
  readonly #destination: Destination;
  readonly #parts: SendParts;
  readonly #exchange: Exchange;
  /** Lanes that are put off, and until when: what the next run waits for. */
  readonly #putOff = new Map<string, number>();
  /** Tries in a row without a connection. */
  #down = 0;
  #pausedUntil = 0;
  #stopped = false;

  constructor(destination: Destination, parts: SendParts) {
    this.#destination = destination;
    this.#parts = parts;
    const { charset, timeoutMs } = destination;
    this.#exchange = new Exchange({ dial: parts.dial(destination), charset, timeoutMs, idleMs });
  }

  async run(): Promise<Next> {
    const busy = new Map<string, Promise<void>>();
    let ready: OutgoingRow[] = [];
    let failure: { error: unknown } | undefined;
    const isOpen = (): boolean => !this.#stopped && !failure && this.#pausedUntil <= this.#parts.clock.now();
    for (;;) {
      while (isOpen() && busy.size < this.#destination.lanesMax) {
        if (ready.length === 0) ready = await this.#due(busy);
        const row = ready.shift();
        if (!row) break;
        const attempt = this.#attempt(row)
          .catch((error: unknown) => {
            failure ??= { error };
          })
          .finally(() => busy.delete(row.lane));
        busy.set(row.lane, attempt);
      }
      if (busy.size === 0) break;
      // A message that comes in meanwhile does not wait for the slowest of those that are on the way.
      await firstOf([...busy.values()], this.#parts.lookMs ?? lookMs);
    }
    if (failure) throw failure.error;
    return this.#next();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#exchange.stop(this.#parts.stopMs ?? stopMs);
  }

  /** The oldest of each lane that has none on the way. */
  async #due(busy: ReadonlyMap<string, unknown>): Promise<OutgoingRow[]> {
    const { name, lanesMax } = this.#destination;
    // A lane whose message comes to its end while this is read is seen as it was before.
    const taken = new Set(busy.keys());
    const rows = await this.#parts.store.outgoingDue(name, this.#parts.clock.now(), lanesMax + readMax);
    return rows.filter(({ lane }) => !taken.has(lane));
  }

  #next(): Next {
    const now = this.#parts.clock.now();
    // What is due and was not found has come to its end elsewhere.
    for (const [lane, at] of this.#putOff) if (at <= now) this.#putOff.delete(lane);
    const first = this.#pausedUntil > now ? this.#pausedUntil : Math.min(...this.#putOff.values());
    return this.#stopped || !Number.isFinite(first) ? undefined : { againMs: first - now };
  }

  async #attempt(row: OutgoingRow): Promise<void> {
    const attempt = await this.#exchange.send(row);
    if (attempt.kind === 'stopped') return;
    if (attempt.kind === 'unreachable') await this.#unreachable();
    else this.#down = 0;
    await this.#settle(row, attempt);
  }

  async #settle(row: OutgoingRow, attempt: Exclude<Attempt, { kind: 'stopped' }>): Promise<void> {
    const { name } = this.#destination;
    const now = this.#parts.clock.now();
    const base = { kind: 'sent', id: row.id, from: 'waiting' } as const;
    this.#putOff.delete(row.lane);
    if (attempt.kind === 'answered') {
      const { answer, bytes } = attempt;
      const taken = isTaken(answer);
      const to = taken ? 'acknowledged' : 'failed';
      const reason = taken ? {} : { error: answer.text };
      const effect = { ...base, to, dueAt: row.dueAt, answer: bytes, ...reason } as const;
      if (await this.#write([effect])) this.#parts.attempted(name, taken ? 'acknowledged' : 'refused');
      return;
    }
    if (this.#isOver(row, now)) {
      const effect = { ...base, to: 'failed', dueAt: row.dueAt, error: this.#overText(attempt.text) } as const;
      if (await this.#write([effect])) this.#parts.attempted(name, 'gave-up');
      return;
    }
    const dueAt = now + Math.min(backoffMs * 2 ** row.attempts, backoffMaxMs);
    this.#putOff.set(row.lane, dueAt);
    if (await this.#write([{ ...base, to: 'waiting', dueAt, error: attempt.text }]))
      this.#parts.attempted(name, attempt.kind);
  }

  /** Nobody there: the others need not try. Those that have waited too long have failed with it. */
  async #unreachable(): Promise<void> {
    const now = this.#parts.clock.now();
    if (this.#pausedUntil <= now) {
      this.#pausedUntil = now + Math.min(backoffMs * 2 ** this.#down, pauseMaxMs);
      this.#down++;
      await this.#giveUp(now);
    }
  }

  async #giveUp(now: number): Promise<void> {
    const { name } = this.#destination;
    for (;;) {
      const due = await this.#parts.store.outgoingDue(name, now, givenUpMax);
      const over = due.filter((row) => this.#isOver(row, now));
      if (over.length === 0) return;
      const error = this.#overText('no connection');
      const effects = over.map((row): Effect => {
        return { kind: 'sent', id: row.id, from: 'waiting', to: 'failed', dueAt: row.dueAt, error };
      });
      if (!(await this.#write(effects))) return;
      for (const _ of over) this.#parts.attempted(name, 'gave-up');
    }
  }

  #isOver({ at }: OutgoingRow, now: number): boolean {
    return now - at >= this.#destination.giveUpHours * hourMs;
  }

  #overText(text: string): string {
    return `given up after ${this.#destination.giveUpHours} h: ${text}`;
  }

  /** @returns false when another worker was first */
  #write(effects: readonly Effect[]): Promise<boolean> {
    return this.#parts.commit.effects('system:outbound', effects);
  }
}

/** Resolves when one of them does, or after a time (ms). */
async function firstOf(promises: readonly Promise<void>[], ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const later = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([...promises, later]);
  clearTimeout(timer);
}
