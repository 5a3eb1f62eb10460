/** The ingest stage: takes received messages in the order of the journal. Rung by the listener, and once at start. */
import type { Next } from '../queue/queue.ts';
import type { JournalRow, MessageState } from '../store/rows.ts';
import { applyMessage, type IngestParts } from './apply.ts';

/** Messages handed to the writer at a time: enough for its group commit, few enough to bound memory. */
const batch = 16;

/**
 * @param applied told of each message that reached a state
 * @returns the handler of the queue's job `ingest`
 */
export function ingestStage(parts: IngestParts, applied: (state: MessageState) => void): () => Promise<Next> {
  return async () => {
    for (;;) {
      const rows = await parts.store.waiting(batch);
      if (rows.length === 0) return undefined;
      const fresh = withoutRepeats(rows);
      const twins = await Promise.all(fresh.map((row) => parts.store.hasTwin(row)));
      // Started in order and not awaited one by one: the writer runs their decisions in this order, in one group.
      const states = await Promise.all(fresh.map((row, i) => applyMessage(row, twins[i] as boolean, parts)));
      for (const state of states) if (state) applied(state);
    }
  };
}

/** A message that stands twice in one batch waits for the next, where its twin has been applied. */
function withoutRepeats(rows: readonly JournalRow[]): JournalRow[] {
  const seen = new Set<string>();
  return rows.filter(({ facility, controlId, sha256 }) => {
    const key = `${facility}|${controlId}|${sha256}`;
    return !seen.has(key) && seen.add(key);
  });
}
