import { expect, test } from '@jest/globals';
import { walk } from '../../src/ingest/walk.ts';
import type { JournalRow, MessageQuery } from '../../src/store/rows.ts';

/** A journal of so many messages, which notes how many were read at a time. */
function journal(count: number): { messages: (query: MessageQuery) => Promise<JournalRow[]>; read: number[] } {
  const all = Array.from({ length: count }, (_, i) => ({ id: count - i }) as JournalRow);
  const read: number[] = [];
  const messages = async ({ before = count + 1, limit }: MessageQuery): Promise<JournalRow[]> => {
    const page = all.filter(({ id }) => id < before).slice(0, limit);
    read.push(page.length);
    return page;
  };
  return { messages, read };
}

async function ids(store: ReturnType<typeof journal>, query: MessageQuery): Promise<number[]> {
  const found: number[] = [];
  for await (const { id } of walk(store, query)) found.push(id);
  return found;
}

test.each([
  [40, { limit: 100 }, 40, 1],
  [40, { limit: 20 }, 40, 21],
  [40, { limit: 16 }, 40, 25],
  [40, { limit: 10, before: 6 }, 5, 1],
])('of %i messages %j gives those from %i down to %i, a few at a time', async (count, query, first, last) => {
  const store = journal(count);
  expect(await ids(store, query)).toEqual(Array.from({ length: first - last + 1 }, (_, i) => first - i));
  expect(Math.max(...store.read)).toBeLessThanOrEqual(16);
});

test('of an empty journal nothing is given', async () => {
  expect(await ids(journal(0), { limit: 5 })).toEqual([]);
});
