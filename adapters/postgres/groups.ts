/** Group commit: whatever is waiting goes into one transaction and so shares one fsync. */

/** Tasks in one transaction at the most: bounds what a failure takes back, and how long other processes wait. */
const groupMax = 64;

export class Groups<T> {
  readonly #run: (group: readonly T[]) => Promise<void>;
  #waiting: T[] = [];
  #running: Promise<void> | undefined;

  /** @param run settles every task of the group and never rejects; one group runs at a time */
  constructor(run: (group: readonly T[]) => Promise<void>) {
    this.#run = run;
  }

  add(task: T): void {
    this.#waiting.push(task);
    this.#running ??= this.#work();
  }

  /** Gives back what waits; whoever takes it settles it. */
  take(): T[] {
    return this.#waiting.splice(0);
  }

  /** Resolves when everything that was added has been settled. */
  async drained(): Promise<void> {
    while (this.#running) await this.#running;
  }

  async #work(): Promise<void> {
    // After the I/O of this turn of the loop: everything that it brought is in the group.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#waiting.length > 0) await this.#run(this.#waiting.splice(0, groupMax));
    this.#running = undefined;
  }
}
