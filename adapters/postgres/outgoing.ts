/** Messages to hospitals, in PostgreSQL. */
import type { NewOutgoing, OutgoingRow, OutgoingState } from '../../src/store/rows.ts';
import { outgoingColumns, outgoingRow } from '../../src/store/stage-rows.ts';
import { type Effect, LostClaim } from '../../src/store/store.ts';
import type { Reader } from './reader.ts';
import type { Session } from './transactions.ts';
import { columnsOf } from './values.ts';

export class Outgoing {
  readonly #reader: Reader;

  constructor(reader: Reader) {
    this.#reader = reader;
  }

  async due(destination: string, now: number, limit: number): Promise<OutgoingRow[]> {
    // From lane to lane by the index: what waits in a lane behind its oldest is not read.
    const waiting = "FROM outgoing_message WHERE destination = $1 AND state = 'waiting'";
    const rows = await this.#reader.rows(
      `WITH RECURSIVE found (lane) AS (
         (SELECT lane ${waiting} ORDER BY lane LIMIT 1)
         UNION ALL SELECT n.lane FROM found
           CROSS JOIN LATERAL (SELECT lane ${waiting} AND lane > found.lane ORDER BY lane LIMIT 1) n
       ) SELECT ${outgoingColumns} FROM found
         CROSS JOIN LATERAL (SELECT * ${waiting} AND lane = found.lane ORDER BY id LIMIT 1) m
         WHERE m.due_at <= $2 ORDER BY m.id LIMIT $3`,
      [destination, now, limit],
    );
    return rows.map(outgoingRow);
  }

  async list(state: OutgoingState | undefined, before: number, limit: number): Promise<OutgoingRow[]> {
    const rows = await this.#reader.rows(
      `SELECT ${outgoingColumns} FROM outgoing_message m WHERE ${state === undefined ? '' : 'm.state = $3 AND'} m.id < $1
       ORDER BY m.id DESC LIMIT $2`,
      [before, limit, ...(state === undefined ? [] : [state])],
    );
    return rows.map(outgoingRow);
  }

  async counts(): Promise<Record<string, number>> {
    const rows = await this.#reader.rows('SELECT state, count(*) AS n FROM outgoing_message GROUP BY state');
    return Object.fromEntries(rows.map(({ state, n }) => [state, n]));
  }
}

/** What is there already stays as it is. */
export async function addOutgoing(messages: readonly NewOutgoing[], session: Session): Promise<void> {
  await session.query(
    `INSERT INTO outgoing_message (destination, lane, identity, control_id, bytes, at, due_at, state, attempts)
     SELECT k.*, k.at, 'waiting', 0
     FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bytea[], $6::int8[])
       AS k (destination, lane, identity, control_id, bytes, at)
     ON CONFLICT (destination, identity) DO NOTHING`,
    columnsOf(messages, ['destination', 'lane', 'identity', 'controlId', 'bytes', 'at']),
  );
}

/** @throws LostClaim when the message is not in the state that is named */
export async function markSent(
  { id, from, to, dueAt, answer, error }: Extract<Effect, { kind: 'sent' }>,
  session: Session,
): Promise<void> {
  const { rowCount } = await session.query(
    `UPDATE outgoing_message SET state = $3, attempts = attempts + ($2 = 'waiting' AND $3 = 'waiting')::int, due_at = $4,
       answer = coalesce($5, answer), error = $6 WHERE id = $1 AND state = $2`,
    [id, from, to, dueAt, answer ?? null, error ?? null],
  );
  if (rowCount !== 1) throw new LostClaim(`outgoing message ${id}`);
}
