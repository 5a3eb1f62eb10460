/** Names of prepared statements. */

/** Texts that are remembered; each name costs the server some 20 KB on each connection. */
const textsMax = 300;

/** A connection is renewed after so many uses: what was prepared on it goes with it. */
export const usesMax = 10_000;

/** A statement that comes again gets a name, so that the server parses and plans it once for each connection. */
export class StatementNames {
  /** Texts seen, the latest last, with the name of those that came again. */
  readonly #names = new Map<string, string | undefined>();
  #last = 0;

  /** @returns undefined the first time: many a text comes once and never again */
  of(text: string): string | undefined {
    const name = this.#names.has(text) ? (this.#names.get(text) ?? `s${++this.#last}`) : undefined;
    this.#names.delete(text);
    this.#names.set(text, name);
    if (this.#names.size > textsMax) this.#names.delete(this.#names.keys().next().value as string);
    return name;
  }
}
