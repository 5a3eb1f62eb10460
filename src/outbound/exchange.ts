/**
 * Messages and their answers on the line to one hospital. Several may be on the way; which answer belongs to which message,
 * MSA-2 says. Every message that is handed over here comes to an end: answered, not answered, or not sent.
 */
import { type Acknowledgement, readAnswer } from './acknowledgement.ts';
import type { Dial, Line } from './line.ts';

/** What became of an attempt. */
export type Attempt =
  | { readonly kind: 'answered'; readonly answer: Acknowledgement; readonly bytes: Uint8Array }
  /** It was sent, and the hospital may have it. */
  | { readonly kind: 'no-answer'; readonly text: string }
  /** There is no connection: nothing was sent. */
  | { readonly kind: 'unreachable'; readonly text: string }
  /** We are going down: it is sent again at the next start. */
  | { readonly kind: 'stopped' };

export interface ExchangeOptions {
  readonly dial: Dial;
  readonly charset: 'UTF-8' | 'GB18030';
  readonly timeoutMs: number;
  /** A line without traffic is closed after this time: a firewall forgets it, and tells nobody. ms */
  readonly idleMs: number;
}

interface Waiting {
  readonly resolve: (attempt: Attempt) => void;
  readonly timer: NodeJS.Timeout;
  /** Answers that the line had given when this message was sent. */
  readonly heard: number;
}

/** Shows why no connection came about: the code of the system, never a text that may quote something. */
function reasonOf(error: unknown): string {
  const { code } = error as { code?: unknown };
  return typeof code === 'string' ? code : 'no connection';
}

export class Exchange {
  readonly #options: ExchangeOptions;
  readonly #waiting = new Map<string, Waiting>();
  #opening: Promise<Line> | undefined;
  #line: Line | undefined;
  #heard = 0;
  #idle: NodeJS.Timeout | undefined;
  readonly #stopping = new AbortController();
  #drained: (() => void) | undefined;

  constructor(options: ExchangeOptions) {
    this.#options = options;
  }

  get #stopped(): boolean {
    return this.#stopping.signal.aborted;
  }

  /** Never rejects. One message of a control id at a time. */
  async send(message: { readonly controlId: string; readonly bytes: Uint8Array }): Promise<Attempt> {
    if (this.#stopped) return { kind: 'stopped' };
    let line: Line;
    try {
      line = await this.#open();
    } catch (error) {
      return this.#stopped ? { kind: 'stopped' } : { kind: 'unreachable', text: reasonOf(error) };
    }
    if (this.#stopped) return { kind: 'stopped' };
    if (this.#line !== line) return { kind: 'unreachable', text: 'the connection was closed at once' };
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#timedOut(message.controlId, line), this.#options.timeoutMs);
      this.#waiting.set(message.controlId, { resolve, timer, heard: this.#heard });
      clearTimeout(this.#idle);
      line.write(message.bytes);
    });
  }

  /** One connection, also when several ask for it at the same time. */
  #open(): Promise<Line> {
    if (this.#line) return Promise.resolve(this.#line);
    this.#opening ??= this.#dial().finally(() => {
      this.#opening = undefined;
    });
    return this.#opening;
  }

  async #dial(): Promise<Line> {
    let line: Line | undefined;
    let gone = false;
    const closed = (): void => {
      gone = true;
      if (line && this.#line === line) this.#lost();
    };
    const answered = (bytes: Uint8Array): void => this.#answered(bytes);
    line = await this.#options.dial({ answered, closed }, this.#stopping.signal);
    if (this.#stopped) line.close();
    else if (!gone) this.#line = line;
    return line;
  }

  #answered(bytes: Uint8Array): void {
    this.#heard++;
    const answer = readAnswer(bytes, this.#options.charset);
    // An answer to something else is none: the message that waits goes on waiting.
    if (answer) this.#end(answer.controlId, { kind: 'answered', answer, bytes });
  }

  #timedOut(controlId: string, line: Line): void {
    const silent = this.#waiting.get(controlId)?.heard === this.#heard;
    this.#end(controlId, { kind: 'no-answer', text: `no answer within ${this.#options.timeoutMs} ms` });
    // Nothing at all was heard since: the line may be dead without our knowing, for all that are on it.
    if (silent && this.#line === line) this.#close();
  }

  /** Nobody gets a line that is about to close. */
  #close(): void {
    const line = this.#line;
    this.#lost();
    line?.close();
  }

  #lost(): void {
    this.#line = undefined;
    clearTimeout(this.#idle);
    const outcome: Attempt = this.#stopped
      ? { kind: 'stopped' }
      : { kind: 'no-answer', text: 'the connection was closed' };
    for (const controlId of [...this.#waiting.keys()]) this.#end(controlId, outcome);
  }

  #end(controlId: string, attempt: Attempt): void {
    const waiting = this.#waiting.get(controlId);
    if (!waiting) return;
    this.#waiting.delete(controlId);
    clearTimeout(waiting.timer);
    waiting.resolve(attempt);
    if (this.#waiting.size > 0) return;
    this.#drained?.();
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => this.#close(), this.#options.idleMs);
    this.#idle.unref();
  }

  /** Sends nothing more; waits for answers that are on their way, at most so long, and closes. ms */
  async stop(graceMs: number): Promise<void> {
    this.#stopping.abort();
    if (this.#waiting.size > 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, graceMs);
        this.#drained = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.#close();
  }
}
