/**
 * Rows of the stages: the journal, cursors, events. Keeping a message waits for no commit but that of a message of the same name,
 * which another process may be keeping at this moment.
 */
import type pg from 'pg';
import type {
  EventRow,
  JournalRow,
  KeptMessage,
  MessageOutcome,
  MessageQuery,
  NewMessage,
  SubscriptionCursor,
} from '../../src/store/rows.ts';
import { againMax, journalRow, messageColumns, messageOutcome, outcomeColumns } from '../../src/store/stage-rows.ts';
import { isTrouble, translated } from './connect.ts';
import { Groups } from './groups.ts';
import { keepAll, type ToKeep } from './keep.ts';
import type { Reader } from './reader.ts';
import { Transactions } from './transactions.ts';
import type { Value } from './values.ts';

interface Keeping extends ToKeep {
  resolve(kept: KeptMessage): void;
  reject(error: unknown): void;
}

function rejectAll(some: readonly Keeping[], reason: unknown): void {
  for (const { reject } of some) reject(reason);
}

export class Journal {
  readonly #reader: Reader;
  readonly #transactions: Transactions;
  readonly #groups = new Groups<Keeping>((group) => this.#run(group));

  /** @param config of the connection that messages are kept on */
  constructor(config: pg.ClientConfig, reader: Reader) {
    this.#transactions = new Transactions(config);
    this.#reader = reader;
  }

  async keep(message: NewMessage): Promise<number> {
    const { id } = await new Promise<KeptMessage>((resolve, reject) => this.#groups.add({ message, resolve, reject }));
    return id;
  }

  keepNamed(message: NewMessage, clash: string | undefined): Promise<KeptMessage> {
    return new Promise((resolve, reject) => this.#groups.add({ message, named: { clash }, resolve, reject }));
  }

  async answered(id: number, answer: Uint8Array): Promise<void> {
    await this.#transactions.run([], async (session) => {
      await session.query('UPDATE received_message SET answer = $1 WHERE id = $2', [answer as Buffer, id]);
      return { value: undefined, keep: true };
    });
  }

  async #run(group: readonly Keeping[]): Promise<void> {
    const trouble = await this.#together(group);
    // A message may not be kept when one that came before it on its connection is not.
    if (trouble !== undefined) rejectAll(this.#groups.take(), trouble);
  }

  /** @returns the error when the database failed: then nothing behind it in the group is kept either */
  async #together(group: readonly Keeping[]): Promise<unknown> {
    const again = firstRepeated(group);
    if (again > 0) return this.#inTurn([group.slice(0, again), group.slice(again)]);
    try {
      const kept = await this.#transactions.run([], async (session) => ({
        value: await keepAll(group, session),
        keep: true,
      }));
      for (const [i, { resolve }] of group.entries()) resolve(kept[i] as KeptMessage);
      return undefined;
    } catch (error) {
      if (!isTrouble(error) && group.length > 1) return this.#inTurn(group.map((one) => [one]));
      const reason = translated(error);
      rejectAll(group, reason);
      return isTrouble(error) ? reason : undefined;
    }
  }

  async #inTurn(groups: readonly (readonly Keeping[])[]): Promise<unknown> {
    for (const [i, group] of groups.entries()) {
      const trouble = await this.#together(group);
      if (trouble === undefined) continue;
      rejectAll(groups.slice(i + 1).flat(), trouble);
      return trouble;
    }
    return undefined;
  }

  async waiting(limit: number): Promise<JournalRow[]> {
    const look = (again: boolean, count: number) =>
      this.#reader.rows(
        `SELECT ${messageColumns} FROM received_message WHERE state = 'received' AND (attempts > 0) = $1 ORDER BY id LIMIT $2`,
        [again, count],
      );
    const fresh = await look(false, limit);
    const again = await look(true, againMax(fresh.length, limit));
    return [...fresh.slice(0, limit - again.length), ...again].map(journalRow);
  }

  async hasTwin({ facility, site, content, id }: JournalRow): Promise<boolean> {
    const rows = await this.#reader.rows(
      `SELECT 1 FROM received_message WHERE content = $1 AND facility = $2 AND site = $4 AND id < $3
         AND state IN ('applied', 'stale') AND content <> '' LIMIT 1`,
      [content, facility, id, site],
    );
    return rows.length > 0;
  }

  async message(id: number): Promise<JournalRow | undefined> {
    const [row] = await this.#reader.rows(`SELECT ${messageColumns} FROM received_message WHERE id = $1`, [id]);
    return row && journalRow(row);
  }

  async messages(query: MessageQuery): Promise<JournalRow[]> {
    const { text, values } = conditions(query);
    // Numbers first: what is put in order is then short.
    const rows = await this.#reader.rows(
      `SELECT ${messageColumns} FROM received_message
       WHERE id = ANY (ARRAY(SELECT id FROM received_message WHERE ${text} ORDER BY id DESC LIMIT $${values.length + 1}))
       ORDER BY id DESC`,
      [...values, query.limit],
    );
    return rows.map(journalRow);
  }

  async outcomes(id: number): Promise<MessageOutcome[]> {
    const rows = await this.#reader.rows(
      `SELECT ${outcomeColumns} FROM message_outcome WHERE message = $1 ORDER BY id`,
      [id],
    );
    return rows.map(messageOutcome);
  }

  async messageCounts(): Promise<Record<string, number>> {
    const rows = await this.#reader.rows('SELECT state, count(*) AS n FROM received_message GROUP BY state');
    return Object.fromEntries(rows.map(({ state, n }) => [state, n]));
  }

  async cursor(name: string): Promise<number> {
    const [row] = await this.#reader.rows('SELECT sequence FROM cursor WHERE name = $1', [name]);
    return row?.sequence ?? 0;
  }

  async events(subscription: string, after: number, limit: number): Promise<EventRow[]> {
    const rows = await this.#reader.rows(
      `SELECT subscription, number, sequence, at, focus FROM event
       WHERE subscription = $1 AND number > $2 ORDER BY number LIMIT $3`,
      [subscription, after, limit],
    );
    return rows as EventRow[];
  }

  async progress(subscription: string): Promise<SubscriptionCursor> {
    const [row] = await this.#reader.rows(
      `SELECT coalesce((SELECT max(number) FROM event WHERE subscription = $1), 0) AS "lastNumber",
              coalesce((SELECT delivered_number FROM delivery WHERE subscription = $1), 0) AS "deliveredNumber"`,
      [subscription],
    );
    return row as SubscriptionCursor;
  }

  /** Finishes what was given. */
  async close(): Promise<void> {
    await this.#groups.drained();
    await this.#transactions.close();
  }
}

/** The place of the first whose control id an earlier one of the group has: that must be in the journal first. */
function firstRepeated(group: readonly Keeping[]): number {
  const names = new Set<string>();
  return group.findIndex(({ message: { site, application, facility, controlId }, named }) => {
    const name = JSON.stringify([site, application, facility, controlId]);
    return (names.has(name) && named !== undefined) || !names.add(name);
  });
}

function conditions({ state, type, site, facility, controlId, from, to, before }: MessageQuery): {
  text: string;
  values: Value[];
} {
  const given = Object.entries({
    'state = ?': state,
    'type = ?': type,
    'site = ?': site,
    'facility = ?': facility,
    'left(control_id, 100) = left(?, 100) AND control_id = ?': controlId,
    'received_at >= ?': from,
    'received_at < ?': to,
    'id < ?': before,
  }).filter((it): it is [string, string | number] => it[1] !== undefined);
  const texts = given.map(([text], i) => text.replaceAll('?', `$${i + 1}`));
  return { text: texts.join(' AND ') || 'true', values: given.map(([, value]) => value) };
}
