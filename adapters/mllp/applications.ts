/** The application answers of one connection (HL7 v2 chapter 2, enhanced mode): sent in the order of their messages. */
import type { ListenerEvent } from './options.ts';

/** More than these do not pile up on one connection: the oldest that is not there is given up. */
const countMax = 1000;

export interface ApplicationsParts {
  /** How long an answer is waited for; ms. */
  readonly waitMs: number;
  /** Sends it; resolves when the next may be sent. */
  readonly send: (answer: Buffer) => Promise<void>;
  readonly lost: (event: Lost) => void;
}

type Lost = Extract<ListenerEvent, { what: 'application-answer-lost' }>;

type Outcome = { readonly answer: Buffer | undefined } | { readonly lost: Lost };

/**
 * One that never comes holds up those behind it until its time is over, then it is given up; it never holds up anything else.
 * The message is kept and applied all the same: the sender may ask again by sending it again.
 */
export class Applications {
  readonly #parts: ApplicationsParts;
  /** How each that is not there yet is given up, oldest first. */
  readonly #waiting = new Set<(reason: 'late' | 'disconnected') => void>();
  #last: Promise<void> = Promise.resolve();
  #count = 0;
  #over: 'late' | 'disconnected' | undefined;

  constructor(parts: ApplicationsParts) {
    this.#parts = parts;
  }

  /** Answers that are neither sent nor given up. */
  get count(): number {
    return this.#count;
  }

  /** To be called when the accept answer of the message was sent. */
  add(answer: Promise<Buffer | undefined>): void {
    const outcome = this.#outcome(answer);
    this.#count++;
    if (this.#count > countMax) this.#waiting.values().next().value?.('late');
    this.#last = this.#last.then(() => this.#settle(outcome));
  }

  /** Resolves when every answer added so far is sent or given up. */
  done(): Promise<void> {
    return this.#last;
  }

  /** From now on waits for none. */
  giveUp(reason: 'late' | 'disconnected'): void {
    this.#over = reason;
    for (const giveUp of [...this.#waiting]) giveUp(reason);
  }

  #outcome(answer: Promise<Buffer | undefined>): Promise<Outcome> {
    return new Promise((resolve) => {
      const settle = (outcome: Outcome): void => {
        clearTimeout(timer);
        this.#waiting.delete(giveUp);
        resolve(outcome);
      };
      const giveUp = (reason: 'late' | 'disconnected'): void =>
        settle({ lost: { what: 'application-answer-lost', reason } });
      const timer = setTimeout(giveUp, this.#parts.waitMs, 'late');
      this.#waiting.add(giveUp);
      if (this.#over) giveUp(this.#over);
      answer.then(
        (bytes) => settle({ answer: bytes }),
        (error) => settle({ lost: { what: 'application-answer-lost', reason: 'failed', error } }),
      );
    });
  }

  async #settle(outcomeToCome: Promise<Outcome>): Promise<void> {
    const outcome = await outcomeToCome;
    if ('lost' in outcome) this.#parts.lost(outcome.lost);
    else if (outcome.answer) await this.#parts.send(outcome.answer);
    this.#count--;
  }
}
