/** Drops search rows that no page link needs any more. */
import { rowTables } from '../../src/store/row-layout.ts';
import type { Reader } from './reader.ts';

/** Rows dropped by one statement: it holds nobody up for long. */
const rowsMax = 5000;

/**
 * Drops what ended before an instant (ms). Takes no lock: nobody changes a row that has ended, and of two processes that
 * sweep at once each skips what the other one has.
 * @returns how many rows went
 */
export async function sweep(before: number, reader: Reader): Promise<number> {
  const [last] = await reader.rows(
    'SELECT sequence FROM change WHERE at < $1 ORDER BY at DESC, sequence DESC LIMIT 1',
    [before],
  );
  if (!last) return 0;
  let dropped = 0;
  for (const table of rowTables) {
    const text = `DELETE FROM ${table} WHERE ctid = ANY (ARRAY(
      SELECT ctid FROM ${table} WHERE gone <= $1 ORDER BY gone LIMIT ${rowsMax} FOR UPDATE SKIP LOCKED))`;
    for (;;) {
      const count = (await reader.run(text, [last.sequence])).rowCount ?? 0;
      dropped += count;
      if (count < rowsMax) break;
    }
  }
  return dropped;
}
