/**
 * Answers to codes that no table translates. The mapping is laid over with them, and the messages that hold the code are
 * applied again. How far that has come is a cursor, so that it goes on after a restart.
 */
import type { AnsweredCode, SiteMappings } from '../mapping/site-mappings.ts';
import type { TableTarget } from '../mapping/tables.ts';
import { Failure } from '../outcome.ts';
import type { Next } from '../queue/queue.ts';
import type { JournalRow, UnknownCode } from '../store/rows.ts';
import { type IngestParts, mappingThere } from './apply.ts';
import { replay } from './replay.ts';

export interface AnswerParts extends Pick<IngestParts, 'store' | 'commit' | 'clock' | 'mappingOf'> {
  readonly mappings: Pick<SiteMappings, 'answer'>;
  /** The bell of {@link CodeAnswers.stage}, with the id of a code. */
  readonly ring: (id: string) => void;
  /** The bell of the ingest. */
  readonly received: () => void;
}

/** The job that looks through all codes: after a start. */
export const allCodes = 'all';

/** Messages of a code, and codes, that are looked at together. */
const batch = 100;
const countMax = 10_000;

export class CodeAnswers {
  readonly #parts: AnswerParts;

  constructor(parts: AnswerParts) {
    this.#parts = parts;
  }

  /** Lays the mapping over with all answers: at the start, and after each. */
  async load(): Promise<void> {
    const answers = await this.#parts.store.codeAnswers();
    this.#parts.mappings.answer(
      answers.map(({ site, table, code, answer }): AnsweredCode => ({ site, table, code, target: answer.target })),
    );
  }

  /**
   * Stores an answer; from now on messages are mapped with it, and those that hold the code are applied again.
   * @param target undefined: the code has none, and stays as it is sent
   * @throws Failure `not-found`
   */
  async answer(id: number, target: TableTarget | undefined, by: string): Promise<UnknownCode> {
    const { store, commit, clock, ring } = this.#parts;
    const before = await store.unknownCode(id);
    if (!before) throw new Failure('not-found', 'there is no code with this id');
    // Each answer has a time of its own: the cursor of its messages is named by it.
    const at = Math.max(clock.now(), (before.answer?.at ?? 0) + 1);
    const answer = { ...(target && { target }), by, at };
    await commit.run({
      cause: 'system:code-answer',
      keys: [],
      decide: () => ({ intentions: [], effects: () => [{ kind: 'code-answer', id, answer }] }),
    });
    await this.load();
    ring(String(id));
    return { ...before, answer };
  }

  /** Codes that wait for an answer, up to 10,000. */
  async countOpen(): Promise<number> {
    let count = 0;
    for (let before = Number.MAX_SAFE_INTEGER; count < countMax; ) {
      const codes = await this.#parts.store.unknownCodes({ open: true, before, limit: 1000 });
      count += codes.length;
      const last = codes.at(-1);
      if (!last || codes.length < 1000) break;
      before = last.id;
    }
    return count;
  }

  /** @returns the handler of the queue's job `answers` */
  stage(): (id: string) => Promise<Next> {
    return async (id) => {
      if (id === allCodes) await this.#ringOpen();
      else await this.#applyAgain(Number(id));
      return undefined;
    };
  }

  /** Codes of which not all messages have been applied again. */
  async #ringOpen(): Promise<void> {
    const { store, ring } = this.#parts;
    for (let before = Number.MAX_SAFE_INTEGER; ; ) {
      const codes = await store.unknownCodes({ open: false, before, limit: batch });
      for (const code of codes) {
        const name = cursorOf(code);
        if (name === undefined) continue;
        const left = await store.messagesWithCode(code.id, await store.cursor(name), 1);
        if (left.length > 0) ring(String(code.id));
      }
      const last = codes.at(-1);
      if (!last || codes.length < batch) return;
      before = last.id;
    }
  }

  async #applyAgain(id: number): Promise<void> {
    const { store, received } = this.#parts;
    const code = await store.unknownCode(id);
    const name = code && cursorOf(code);
    if (name === undefined) return;
    for (;;) {
      const from = await store.cursor(name);
      const ids = await store.messagesWithCode(id, from, batch);
      const last = ids.at(-1);
      if (last === undefined) return;
      const waiting: Pick<JournalRow, 'id' | 'state'>[] = [];
      for (const message of ids) {
        const row = await store.message(message);
        if (row && this.#isOutdated(row)) waiting.push({ id: row.id, state: row.state });
      }
      // Moved first, noted second: after a crash in between they are looked at once more.
      if ((await replay(waiting, this.#parts)) > 0) received();
      // Another worker may have gone on from here.
      await this.#parts.commit.effects('system:code-answer', [{ kind: 'cursor', name, from, to: last }]);
    }
  }

  /** One that was applied by the mapping as it stands needs nothing. */
  #isOutdated({ site, mappingVersion }: JournalRow): boolean {
    const mapping = mappingThere(site, this.#parts);
    return mapping !== undefined && mappingVersion !== mapping.version;
  }
}

function cursorOf({ id, answer }: UnknownCode): string | undefined {
  return answer && `code ${id} ${answer.at}`;
}
