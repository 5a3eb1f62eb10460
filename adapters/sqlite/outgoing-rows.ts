/** Messages to hospitals, in SQLite. */
import type Database from 'better-sqlite3';
import type { NewOutgoing, OutgoingRow, OutgoingState } from '../../src/store/rows.ts';
import { outgoingColumns, outgoingRow } from '../../src/store/stage-rows.ts';
import type { Effect } from '../../src/store/store.ts';
import { one } from './one.ts';

export class OutgoingRows {
  readonly #insert: Database.Statement;
  readonly #sent: Database.Statement;
  readonly #due: Database.Statement<any[], any>;
  readonly #all: Database.Statement<any[], any>;
  readonly #inState: Database.Statement<any[], any>;
  readonly #counts: Database.Statement;

  constructor(db: Database.Database) {
    this.#insert = db.prepare(
      `INSERT INTO outgoing_message (destination, lane, identity, control_id, bytes, at, due_at, state, attempts)
       VALUES (@destination, @lane, @identity, @controlId, @bytes, @at, @at, 'waiting', 0)
       ON CONFLICT (destination, identity) DO NOTHING`,
    );
    this.#sent = db.prepare(
      `UPDATE outgoing_message SET state = @to, attempts = attempts + (@from = 'waiting' AND @to = 'waiting'), due_at = @dueAt,
         answer = coalesce(@answer, answer), error = @error WHERE id = @id AND state = @from`,
    );
    // From lane to lane by the index: what waits in a lane behind its oldest is not read.
    const waiting = `FROM outgoing_message WHERE destination = @destination AND state = 'waiting'`;
    this.#due = db.prepare(
      `WITH RECURSIVE found (lane) AS (
         SELECT min(lane) ${waiting}
         UNION ALL SELECT (SELECT min(lane) ${waiting} AND lane > found.lane) FROM found WHERE found.lane IS NOT NULL
       ) SELECT ${outgoingColumns} FROM found CROSS JOIN outgoing_message m
         ON m.id = (SELECT min(id) ${waiting} AND lane = found.lane)
         WHERE found.lane IS NOT NULL AND m.due_at <= @now ORDER BY m.id LIMIT @limit`,
    );
    const list = (which: string): Database.Statement<any[], any> =>
      db.prepare(
        `SELECT ${outgoingColumns} FROM outgoing_message m WHERE ${which} m.id < ? ORDER BY m.id DESC LIMIT ?`,
      );
    this.#all = list('');
    this.#inState = list('m.state = ? AND');
    this.#counts = db.prepare('SELECT state, count(*) AS n FROM outgoing_message GROUP BY state');
  }

  add(messages: readonly NewOutgoing[]): void {
    for (const message of messages) this.#insert.run(message);
  }

  /** @throws LostClaim when the message is not in the state that is named */
  sent({ id, from, to, dueAt, answer, error }: Extract<Effect, { kind: 'sent' }>): void {
    one(
      this.#sent.run({ id, from, to, dueAt, answer: answer ?? null, error: error ?? null }),
      `outgoing message ${id}`,
    );
  }

  due(destination: string, now: number, limit: number): OutgoingRow[] {
    return this.#due.all({ destination, now, limit }).map(outgoingRow);
  }

  list(state: OutgoingState | undefined, before: number, limit: number): OutgoingRow[] {
    const rows = state === undefined ? this.#all.all(before, limit) : this.#inState.all(state, before, limit);
    return rows.map(outgoingRow);
  }

  counts(): Record<string, number> {
    return Object.fromEntries((this.#counts.all() as { state: string; n: number }[]).map(({ state, n }) => [state, n]));
  }
}
