/** Rows of the stages in SQLite: the journal, cursors, events. */
import type Database from 'better-sqlite3';
import type { EventRow, JournalRow, MessageClaim, NewMessage, SubscriptionCursor } from '../../src/store/rows.ts';
import { type Effect, LostClaim } from '../../src/store/store.ts';

export class StageRows {
  readonly #insertMessage: Database.Statement;
  readonly #waiting: Database.Statement;
  readonly #twin: Database.Statement;
  readonly #message: Database.Statement;
  readonly #counts: Database.Statement;
  readonly #claim: Database.Statement;
  readonly #cursor: Database.Statement;
  readonly #newCursor: Database.Statement;
  readonly #moveCursor: Database.Statement;
  readonly #insertEvent: Database.Statement;
  readonly #events: Database.Statement;
  readonly #progress: Database.Statement;
  readonly #newDelivery: Database.Statement;
  readonly #forget: readonly Database.Statement[];
  readonly #deliver: Database.Statement;

  constructor(db: Database.Database) {
    this.#insertMessage = db.prepare(
      `INSERT INTO received_message (received_at, listener, peer, bytes, charset, type, control_id, facility, sha256, state, error)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    const message =
      'id, received_at AS receivedAt, listener, peer, bytes, charset, type, control_id AS controlId, facility, sha256, state, attempts, error';
    this.#waiting = db.prepare(`SELECT ${message} FROM received_message WHERE state = 'received' ORDER BY id LIMIT ?`);
    this.#twin = db.prepare(
      `SELECT 1 FROM received_message WHERE facility = ? AND control_id = ? AND sha256 = ? AND id < ? AND state = 'applied' LIMIT 1`,
    );
    this.#message = db.prepare(`SELECT ${message} FROM received_message WHERE id = ?`);
    this.#counts = db.prepare('SELECT state, count(*) AS n FROM received_message GROUP BY state');
    this.#claim = db.prepare(
      `UPDATE received_message SET state = ?, attempts = attempts + 1, error = ?, mapping_version = ?, wrote = ?, applied_at = ?
       WHERE id = ? AND state = ?`,
    );
    this.#cursor = db.prepare('SELECT sequence FROM cursor WHERE name = ?');
    this.#newCursor = db.prepare('INSERT OR IGNORE INTO cursor (name, sequence) VALUES (?, 0)');
    this.#moveCursor = db.prepare('UPDATE cursor SET sequence = ? WHERE name = ? AND sequence = ?');
    this.#insertEvent = db.prepare(
      'INSERT INTO event (subscription, number, sequence, at, focus) VALUES (?, ?, ?, ?, ?)',
    );
    this.#events = db.prepare('SELECT * FROM event WHERE subscription = ? AND number > ? ORDER BY number LIMIT ?');
    this.#progress = db.prepare(
      `SELECT coalesce((SELECT max(number) FROM event WHERE subscription = @subscription), 0) AS lastNumber,
              coalesce((SELECT delivered_number FROM delivery WHERE subscription = @subscription), 0) AS deliveredNumber`,
    );
    this.#forget = ['event', 'delivery'].map((table) => db.prepare(`DELETE FROM ${table} WHERE subscription = ?`));
    this.#newDelivery = db.prepare('INSERT OR IGNORE INTO delivery (subscription, delivered_number) VALUES (?, 0)');
    this.#deliver = db.prepare(
      'UPDATE delivery SET delivered_number = ? WHERE subscription = ? AND delivered_number = ?',
    );
  }

  keep(m: NewMessage): number {
    const { receivedAt, listener, peer, bytes, charset, type, controlId, facility, sha256, state, error = null } = m;
    return this.#insertMessage.run(
      receivedAt,
      listener,
      peer,
      bytes,
      charset,
      type,
      controlId,
      facility,
      sha256,
      state,
      error,
    ).lastInsertRowid as number;
  }

  waiting(limit: number): JournalRow[] {
    return (this.#waiting.all(limit) as StoredMessage[]).map(journalRow);
  }

  hasTwin({ facility, controlId, sha256, id }: JournalRow): boolean {
    return this.#twin.get(facility, controlId, sha256, id) !== undefined;
  }

  message(id: number): JournalRow | undefined {
    const row = this.#message.get(id) as StoredMessage | undefined;
    return row && journalRow(row);
  }

  messageCounts(): Record<string, number> {
    return Object.fromEntries((this.#counts.all() as { state: string; n: number }[]).map(({ state, n }) => [state, n]));
  }

  cursor(name: string): number {
    return (this.#cursor.get(name) as { sequence: number } | undefined)?.sequence ?? 0;
  }

  events(subscription: string, after: number, limit: number): EventRow[] {
    return this.#events.all(subscription, after, limit) as EventRow[];
  }

  progress(subscription: string): SubscriptionCursor {
    return this.#progress.get({ subscription }) as SubscriptionCursor;
  }

  /** @throws LostClaim when a row was not as claimed */
  apply(effect: Exclude<Effect, { kind: 'index' }>): void {
    if (effect.kind === 'message') this.#claimMessage(effect.claim);
    else if (effect.kind === 'cursor') {
      this.#newCursor.run(effect.name);
      one(this.#moveCursor.run(effect.to, effect.name, effect.from), `cursor ${effect.name}`);
    } else if (effect.kind === 'delivered') {
      this.#newDelivery.run(effect.subscription);
      one(this.#deliver.run(effect.to, effect.subscription, effect.from), `delivery of ${effect.subscription}`);
    } else if (effect.kind === 'forget') {
      for (const forget of this.#forget) forget.run(effect.subscription);
    } else {
      for (const { subscription, number, sequence, at, focus } of effect.events) {
        this.#insertEvent.run(subscription, number, sequence, at, focus);
      }
    }
  }

  #claimMessage({ id, from, to, at, error, mappingVersion, wrote }: MessageClaim): void {
    const applied = to === 'applied';
    const written = wrote ? JSON.stringify(wrote) : applied ? '[]' : null;
    one(
      this.#claim.run(to, error ?? null, mappingVersion ?? null, written, applied ? at : null, id, from),
      `message ${id}`,
    );
  }
}

/** As the table has it: a missing error is NULL there and absent in the seam. */
type StoredMessage = Omit<JournalRow, 'error'> & { error: string | null };

function journalRow({ error, ...row }: StoredMessage): JournalRow {
  return error === null ? row : { ...row, error };
}

function one(result: Database.RunResult, what: string): void {
  if (result.changes !== 1) throw new LostClaim(what);
}
