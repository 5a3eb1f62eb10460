/** A group of messages ─▶ rows of the journal, in one transaction. */
import { type Earlier, firstId, namedAs } from '../../src/store/named-message.ts';
import type { JournalRow, KeptMessage, NewMessage } from '../../src/store/rows.ts';
import type { Session } from './transactions.ts';
import { columnsOf } from './values.ts';

export interface ToKeep {
  readonly message: NewMessage;
  /** There when the control id is looked at; see {@link Store.keepNamed}. */
  readonly named?: { readonly clash: string | undefined };
}

/**
 * @param group no two of which have the same name, where that is looked at
 * @returns what each is kept as, in the order of the group
 */
export async function keepAll(group: readonly ToKeep[], session: Session): Promise<KeptMessage[]> {
  const earlier = await earlierOf(
    group.filter((it) => it.named),
    session,
  );
  const kept = group.map((it) => namedAs(it.message, earlier.get(it), it.named?.clash));
  const messages = kept.map(({ message }) => message);
  const ids = await insert(messages, session);
  return kept.map(({ as }, i) => ({ ...as, id: ids[i] as number }));
}

async function earlierOf(named: readonly ToKeep[], session: Session): Promise<Map<ToKeep, Earlier>> {
  if (named.length === 0) return new Map();
  const names = named.map(({ message: { controlId, facility, site, application } }, place) => ({
    place,
    controlId,
    facility,
    site,
    application,
  }));
  // Another process may be keeping the same: what is looked for behind the lock is what it has committed. Two processes take
  // their locks in one order, so that they do not wait for each other.
  const locked = session.query(
    `SELECT count(pg_advisory_xact_lock(name)) FROM (
       SELECT DISTINCT hashtextextended(concat_ws(chr(1), control, sender, site), 0) AS name
       FROM unnest($1::text[], $2::text[], $3::text[]) AS k (control, sender, site) ORDER BY name) AS names`,
    columnsOf(names, ['controlId', 'facility', 'site']),
  );
  const found = session.query(
    `SELECT k.place, m.* FROM unnest($1::int[], $2::text[], $3::text[], $4::text[], $5::text[])
       AS k (place, control, sender, site, application) CROSS JOIN LATERAL (
       SELECT id, state, sha256, error, answer FROM received_message
       WHERE left(control_id, 100) = left(k.control, 100) AND left(facility, 100) = left(k.sender, 100)
         AND (state = 'rejected')::int = 0 AND control_id = k.control AND facility = k.sender
         AND received_message.site = k.site AND coalesce(received_message.application, k.application) = k.application
       ORDER BY id DESC LIMIT 1) m`,
    columnsOf(names, ['place', 'controlId', 'facility', 'site', 'application']),
  );
  const [, { rows }] = await Promise.all([locked, found]);
  const earlier = new Map<ToKeep, Earlier>();
  for (const { place, ...last } of rows as (JournalRow & { readonly place: number })[]) {
    const kept = named[place] as ToKeep;
    earlier.set(kept, { first: last.sha256 === kept.message.sha256 ? await firstOf(last, session) : undefined });
  }
  return earlier;
}

/** The message that a row repeats; the row itself when it repeats none, or that one is gone. */
async function firstOf(last: JournalRow, session: Session): Promise<JournalRow> {
  const id = firstId(last);
  if (id === last.id) return last;
  const { rows } = await session.query('SELECT id, state, answer FROM received_message WHERE id = $1', [id]);
  return (rows[0] as JournalRow | undefined) ?? last;
}

async function insert(messages: readonly NewMessage[], session: Session): Promise<number[]> {
  const { rows } = await session.query(
    `INSERT INTO received_message (received_at, listener, peer, site, bytes, charset, type, control_id, application, facility,
       sha256, content, answer, state, error)
     SELECT * FROM unnest($1::int8[], $2::text[], $3::text[], $4::text[], $5::bytea[], $6::text[], $7::text[], $8::text[],
       $9::text[], $10::text[], $11::text[], $12::text[], $13::bytea[], $14::text[], $15::text[])
     RETURNING id`,
    columnsOf(messages, [
      'receivedAt',
      'listener',
      'peer',
      'site',
      'bytes',
      'charset',
      'type',
      'controlId',
      'application',
      'facility',
      'sha256',
      'content',
      'answer',
      'state',
      'error',
    ]),
  );
  // Numbers are given in the order of the rows; the order in which they are returned is nobody's promise.
  return rows.map(({ id }) => id as number).sort((a, b) => a - b);
}
