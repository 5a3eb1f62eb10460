/** The ingest stage: takes received messages in the order of the journal. Rung by the listener, and once at start. */
import type { Next } from '../queue/queue.ts';
import type { JournalRow, MessageState } from '../store/rows.ts';
import { isSentAgain } from './again.ts';
import { type IngestParts, type Prepared, prepareMessage } from './apply.ts';

/** Messages handed to the writer at a time: enough for its group commit, few enough to bound memory. */
const batch = 16;

/**
 * @param applied told of each message that reached a state
 * @returns the handler of the queue's job `ingest`
 */
export function ingestStage(
  parts: IngestParts,
  applied: (id: number, state: MessageState) => void,
): () => Promise<Next> {
  return async () => {
    for (;;) {
      const rows = await parts.store.waiting(batch);
      if (rows.length === 0) return undefined;
      const fresh = withoutRepeats(rows);
      const twins = await Promise.all(fresh.map((row) => isSentAgain(row, parts.store)));
      const prepared: Prepared[] = [];
      for (const [i, row] of fresh.entries()) {
        // Between two messages others have their turn: a sender waits for its acknowledgement.
        await new Promise((resolve) => setImmediate(resolve));
        prepared.push(telling(row, prepareMessage(row, twins[i] as boolean, parts), applied));
      }
      // All of them: what is under way while the database is in trouble may still be written.
      const ended = await Promise.allSettled(inLanes(prepared));
      const failed = ended.find((it) => it.status === 'rejected');
      if (failed) throw failed.reason;
    }
  };
}

/** Each is told of by itself, whatever becomes of the others. */
function telling(
  { id }: JournalRow,
  { lanes, run }: Prepared,
  applied: (id: number, state: MessageState) => void,
): Prepared {
  return {
    lanes,
    async run() {
      const state = await run();
      if (state) applied(id, state);
      return state;
    },
  };
}

/**
 * What is about the same patient or visit is applied in order; the rest is started and not awaited one by one, so that the
 * writer takes it in one group.
 */
function inLanes(messages: readonly Prepared[]): Promise<MessageState | undefined>[] {
  const last = new Map<string, Promise<unknown>>();
  return messages.map(({ lanes, run }) => {
    const before = lanes.flatMap((lane) => last.get(lane) ?? []);
    const own = before.length === 0 ? run() : Promise.all(before).then(run);
    for (const lane of lanes) last.set(lane, own);
    return own;
  });
}

/** A message that stands twice in one batch waits for the next, where its twin has been applied. */
function withoutRepeats(rows: readonly JournalRow[]): JournalRow[] {
  const seen = new Set<string>();
  return rows.filter(({ facility, content }) => {
    const key = `${facility}|${content}`;
    return !seen.has(key) && seen.add(key);
  });
}
