/** Questions of one turn of the event loop, asked of the database together. */
interface Look<Q, A> {
  readonly question: Q;
  resolve(answer: A | undefined): void;
  reject(error: unknown): void;
}

/** Questions in one statement at the most. */
const together = 200;

export class Looks<Q, A> {
  readonly #ask: (questions: readonly Q[]) => ReadonlyMap<number, A>;
  readonly #soon: (run: () => void) => void;
  #waiting: Look<Q, A>[] = [];

  /**
   * @param ask gives answers by the place of their question
   * @param soon runs it when the questions of this turn are together
   */
  constructor(ask: (questions: readonly Q[]) => ReadonlyMap<number, A>, soon: (run: () => void) => void) {
    this.#ask = ask;
    this.#soon = soon;
  }

  /** @returns undefined when there is no answer; rejects with what `ask` throws */
  look(question: Q): Promise<A | undefined> {
    return new Promise((resolve, reject) => {
      if (this.#waiting.push({ question, resolve, reject }) === 1) this.#soon(() => this.#flush());
    });
  }

  #flush(): void {
    const group = this.#waiting.splice(0, together);
    if (this.#waiting.length > 0) this.#soon(() => this.#flush());
    try {
      const answers = this.#ask(group.map(({ question }) => question));
      for (const [i, { resolve }] of group.entries()) resolve(answers.get(i));
    } catch (error) {
      for (const { reject } of group) reject(error);
    }
  }
}
