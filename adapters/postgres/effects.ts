/** Rows of the stages that change with a commit: claims of messages, codes, messages to hospitals, cursors, events, deliveries. */
import type { EventRow, MessageClaim } from '../../src/store/rows.ts';
import { type Effect, LostClaim } from '../../src/store/store.ts';
import { answerCode, meetCodes } from './codes.ts';
import { addOutgoing, markSent } from './outgoing.ts';
import type { Session } from './transactions.ts';
import { columnsOf } from './values.ts';

type StageEffect = Exclude<Effect, { kind: 'index' | 'marks' | 'message' }>;

/** @throws LostClaim when a row was not as claimed */
export async function applyEffect(effect: StageEffect, session: Session): Promise<void> {
  switch (effect.kind) {
    case 'tries':
      return countTries(effect, session);
    case 'codes':
      return meetCodes(effect, session);
    case 'code-answer':
      return answerCode(effect, session);
    case 'outgoing':
      return addOutgoing(effect.messages, session);
    case 'sent':
      return markSent(effect, session);
    case 'cursor':
      return move(session, 'cursor', 'name', 'sequence', effect.name, effect.from, effect.to);
    case 'delivered':
      return move(session, 'delivery', 'subscription', 'delivered_number', effect.subscription, effect.from, effect.to);
    case 'forget':
      for (const table of ['event', 'delivery'])
        await session.query(`DELETE FROM ${table} WHERE subscription = $1`, [effect.subscription]);
      return;
    case 'events':
      await addEvents(effect.events, session);
  }
}

async function countTries({ message, count }: Extract<Effect, { kind: 'tries' }>, session: Session): Promise<void> {
  const { rowCount } = await session.query(
    "UPDATE received_message SET tries = nullif($2::int, 0) WHERE id = $1 AND state = 'received'",
    [message, count],
  );
  if (rowCount !== 1) throw new LostClaim(`message ${message}`);
}

/** A row that is not there stands at 0. */
async function move(
  session: Session,
  table: string,
  key: string,
  column: string,
  of: string,
  from: number,
  to: number,
): Promise<void> {
  const text =
    from === 0
      ? `INSERT INTO ${table} AS t (${key}, ${column}) VALUES ($1, $2)
         ON CONFLICT (${key}) DO UPDATE SET ${column} = excluded.${column} WHERE t.${column} = $3`
      : `UPDATE ${table} SET ${column} = $2 WHERE ${key} = $1 AND ${column} = $3`;
  const { rowCount } = await session.query(text, [of, to, from]);
  if (rowCount !== 1) throw new LostClaim(`${table} ${of}`);
}

async function addEvents(events: readonly EventRow[], session: Session): Promise<void> {
  await session.query(
    `INSERT INTO event (subscription, number, sequence, at, focus)
     SELECT * FROM unnest($1::text[], $2::int[], $3::int8[], $4::int8[], $5::text[])`,
    columnsOf(events, ['subscription', 'number', 'sequence', 'at', 'focus']),
  );
}

/** Claims of different messages, all in one statement. @returns ids of the messages that were as claimed */
export async function claimMessages(claims: readonly MessageClaim[], session: Session): Promise<ReadonlySet<number>> {
  const rows = claims.map(({ id, from, to, at, error, mappingVersion, wrote }) => {
    const applied = to === 'applied' || to === 'stale';
    return {
      id,
      from,
      to,
      error,
      mappingVersion,
      at,
      wrote: wrote ? JSON.stringify(wrote) : applied ? '[]' : null,
      appliedAt: applied ? at : null,
    };
  });
  const again = rows.filter(({ to }) => to === 'received');
  if (again.length > 0) await rememberOutcomes(again, session);
  const result = await session.query(
    `UPDATE received_message m SET state = k.state, attempts = m.attempts + 1, tries = NULL, error = k.error,
       mapping_version = k.mapping_version, wrote = k.wrote, applied_at = k.applied_at
     FROM unnest($1::int8[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::int8[])
       AS k (id, claimed, state, error, mapping_version, wrote, applied_at)
     WHERE m.id = k.id AND m.state = k.claimed RETURNING m.id`,
    columnsOf(rows, ['id', 'from', 'to', 'error', 'mappingVersion', 'wrote', 'appliedAt']),
  );
  return new Set(result.rows.map(({ id }) => id));
}

/** What became of messages that are received again. */
async function rememberOutcomes(
  claims: readonly Pick<MessageClaim, 'id' | 'from' | 'at'>[],
  session: Session,
): Promise<void> {
  await session.query(
    `INSERT INTO message_outcome (message, at, state, mapping_version, wrote, error)
     SELECT m.id, k.at, m.state, m.mapping_version, m.wrote, m.error
     FROM unnest($1::int8[], $2::text[], $3::int8[]) AS k (id, claimed, at)
     JOIN received_message m ON m.id = k.id AND m.state = k.claimed`,
    columnsOf(claims, ['id', 'from', 'at']),
  );
}
