/** The ingest stage: takes received messages in the order of the journal. Rung by the listener, and once at start. */
import type { Next } from '../queue/queue.ts';
import type { JournalRow, MessageState } from '../store/rows.ts';
import { isSentAgain } from './again.ts';
import { applyMessage, type IngestParts, mappingThere, type Prepared, prepareMessage, settle } from './apply.ts';

/** Messages taken at a time. While they are applied the next are mapped: twice as many are under way, which bounds memory. */
const batch = 16;

/** How long messages are mapped before others have their turn; one by one each would find caches that its followers have filled. ms */
const turnMs = 4;

/** A message that is tried for the last time, and ends the program again, is set aside when that starts the next time. */
const triesMax = 5;

/**
 * @param applied told of each message that reached a state
 * @returns the handler of the queue's job `ingest`
 */
export function ingestStage(
  parts: IngestParts,
  applied: (id: number, state: MessageState) => void,
): () => Promise<Next> {
  /** Those that may have been under way when the program ended. */
  let suspects: readonly JournalRow[] | undefined;
  return async () => {
    suspects ??= await parts.store.waiting(2 * batch);
    for (const row of suspects) {
      const state = await applyAlone(row, parts);
      suspects = suspects.slice(1);
      if (state) applied(row.id, state);
    }
    const underWay = new UnderWay(applied);
    for (;;) {
      const isIdle = underWay.size === 0;
      const rows = await underWay.next((count) => parts.store.waiting(batch + count));
      if (rows.length === 0 && isIdle) return undefined;
      const twins = await Promise.all(rows.map((row) => isSentAgain(row, parts.store)));
      let begunAt = Number.NEGATIVE_INFINITY;
      for (const [i, row] of rows.entries()) {
        // A sender waits for its acknowledgement.
        if (performance.now() - begunAt >= turnMs) {
          await new Promise((resolve) => setImmediate(resolve));
          begunAt = performance.now();
        }
        underWay.start(row, prepareMessage(row, twins[i] as boolean, parts));
      }
      await underWay.shrunkTo(rows.length === 0 ? 0 : batch);
    }
  };
}

/**
 * Applies a message that may have been under way when the program ended. Should it be the reason (memory, time), it must not be
 * so for ever: each try is counted before it is made.
 */
async function applyAlone(row: JournalRow, parts: IngestParts): Promise<MessageState | undefined> {
  const { tries = 0 } = row;
  if (tries >= triesMax) {
    const reason = `the program ended ${triesMax} times while it was applied`;
    return settle(row, 'failed', reason, mappingThere(row.site, parts), parts);
  }
  const count = (to: number): Promise<boolean> =>
    parts.commit.effects(`message:${row.id}`, [{ kind: 'tries', message: row.id, count: to }]);
  if (!(await count(tries + 1))) return undefined;
  try {
    return await applyMessage({ ...row, tries: tries + 1 }, await isSentAgain(row, parts.store), parts);
  } catch (error) {
    // The database is away, but the program did not end. Where that cannot be written either, the try counts.
    await count(tries).catch(() => {});
    throw error;
  }
}

/**
 * Messages that are being applied. What is about the same patient or visit is applied in order; the rest is started and not
 * awaited one by one, so that the writer takes it in one group.
 */
class UnderWay {
  readonly #applied: (id: number, state: MessageState) => void;
  readonly #messages = new Map<number, Promise<void>>();
  readonly #contents = new Set<string>();
  /** Patient or visit ─▶ the last message about it. */
  readonly #lanes = new Map<string, Promise<unknown>>();
  #failed: { readonly reason: unknown } | undefined;

  constructor(applied: (id: number, state: MessageState) => void) {
    this.#applied = applied;
  }

  get size(): number {
    return this.#messages.size;
  }

  /**
   * Messages that are not under way. One that repeats another waits until that has been applied.
   * @param ask gives those that wait in the journal, besides so many that are under way
   */
  async next(ask: (count: number) => Promise<readonly JournalRow[]>): Promise<JournalRow[]> {
    // What ends while the journal is asked may still be in its answer.
    const known = new Set(this.#messages.keys());
    const seen = new Set(this.#contents);
    return (await ask(known.size)).filter((row) => {
      const content = contentOf(row);
      return !known.has(row.id) && !seen.has(content) && seen.add(content);
    });
  }

  start(row: JournalRow, { lanes, run }: Prepared): void {
    // What it may have to wait for was not applied.
    if (this.#failed) return;
    const before = lanes.flatMap((lane) => this.#lanes.get(lane) ?? []);
    const own = before.length === 0 ? run() : Promise.all(before).then(run);
    for (const lane of lanes) this.#lanes.set(lane, own);
    this.#contents.add(contentOf(row));
    const ended = own
      .then(
        // Each is told of by itself, whatever becomes of the others.
        (state) => state && this.#applied(row.id, state),
        (reason) => {
          this.#failed ??= { reason };
        },
      )
      .then(() => {
        this.#messages.delete(row.id);
        this.#contents.delete(contentOf(row));
        for (const lane of lanes) if (this.#lanes.get(lane) === own) this.#lanes.delete(lane);
      });
    this.#messages.set(row.id, ended);
  }

  /**
   * Waits until no more than so many are under way.
   * @throws what one of them threw, when all have ended: what is under way while the database is in trouble may still be written
   */
  async shrunkTo(count: number): Promise<void> {
    while (this.#messages.size > (this.#failed ? 0 : count)) await Promise.race(this.#messages.values());
    if (this.#failed) throw this.#failed.reason;
  }
}

function contentOf({ site, facility, content }: JournalRow): string {
  return `${site}|${facility}|${content}`;
}
