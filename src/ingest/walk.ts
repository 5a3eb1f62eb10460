/** Reading through the journal: any number of messages, a few at a time, whatever their size. */
import type { JournalRow, MessageQuery } from '../store/rows.ts';
import type { Store } from '../store/store.ts';

/** Messages in memory at a time. */
const chunk = 16;

/** Lets other work come in between: a database in the process answers without ever giving way. */
export function giveWay(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** The messages of a query, the newest first; `limit` of them at most. */
export async function* walk(store: Pick<Store, 'messages'>, query: MessageQuery): AsyncGenerator<JournalRow> {
  let { before } = query;
  for (let left = query.limit; left > 0; ) {
    const limit = Math.min(left, chunk);
    const rows = await store.messages({ ...query, ...(before !== undefined && { before }), limit });
    yield* rows;
    await giveWay();
    const last = rows.at(-1);
    if (!last || rows.length < limit) return;
    left -= rows.length;
    before = last.id;
  }
}
