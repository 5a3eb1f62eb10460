/** The journal in SQLite: received messages with what became of them. */
import type Database from 'better-sqlite3';
import { firstId, namedAs } from '../../src/store/named-message.ts';
import type {
  JournalRow,
  KeptMessage,
  MessageClaim,
  MessageOutcome,
  MessageQuery,
  NewMessage,
} from '../../src/store/rows.ts';
import { againMax, journalRow, messageColumns, messageOutcome, outcomeColumns } from '../../src/store/stage-rows.ts';
import { hidden } from './hidden.ts';
import { one } from './one.ts';
import type { Watch } from './watch.ts';

export class MessageRows {
  readonly #db: Database.Database;
  readonly #watch: Watch;
  readonly #insert: Database.Statement;
  readonly #waiting: Database.Statement<any[], any>;
  readonly #twin: Database.Statement;
  readonly #last: Database.Statement<any[], any>;
  readonly #answered: Database.Statement;
  readonly #message: Database.Statement<any[], any>;
  readonly #outcomes: Database.Statement<any[], any>;
  readonly #counts: Database.Statement;
  readonly #remember: Database.Statement;
  readonly #claim: Database.Statement;
  readonly #tried: Database.Statement;

  constructor(db: Database.Database, watch: Watch) {
    this.#db = db;
    this.#watch = watch;
    this.#insert = db.prepare(
      `INSERT INTO received_message (received_at, listener, peer, site, bytes, charset, type, control_id, application,
         facility, sha256, content, answer, state, error) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    const select = `SELECT ${messageColumns} FROM received_message`;
    this.#waiting = db.prepare(`${select} WHERE state = 'received' AND (attempts > 0) = ? ORDER BY id LIMIT ?`);
    this.#twin = db.prepare(
      `SELECT 1 FROM received_message WHERE content = ? AND facility = ? AND site = ? AND id < ?
         AND state IN ('applied', 'stale') AND content <> '' LIMIT 1`,
    );
    this.#last = db.prepare(
      hidden(`SELECT id, sha256, state, error FROM received_message WHERE control_id = ? AND facility = ? AND (state = 'rejected') = 0
         AND site = ? AND coalesce(application, ?) = ?
       ORDER BY id DESC LIMIT 1`),
    );
    this.#answered = db.prepare('UPDATE received_message SET answer = ? WHERE id = ?');
    this.#message = db.prepare(`${select} WHERE id = ?`);
    this.#outcomes = db.prepare(`SELECT ${outcomeColumns} FROM message_outcome WHERE message = ? ORDER BY id`);
    this.#counts = db.prepare('SELECT state, count(*) AS n FROM received_message GROUP BY state');
    this.#remember = db.prepare(
      `INSERT INTO message_outcome (message, at, state, mapping_version, wrote, error)
       SELECT id, ?, state, mapping_version, wrote, error FROM received_message WHERE id = ? AND state = ?`,
    );
    this.#tried = db.prepare("UPDATE received_message SET tries = nullif(?, 0) WHERE id = ? AND state = 'received'");
    this.#claim = db.prepare(
      `UPDATE received_message SET state = ?, attempts = attempts + 1, tries = NULL, error = ?, mapping_version = ?,
         wrote = ?, applied_at = ? WHERE id = ? AND state = ?`,
    );
  }

  keep(message: NewMessage): number {
    const { receivedAt, listener, peer, site, bytes, charset, type, controlId, application, facility } = message;
    const { sha256, content, answer, state, error = null } = message;
    const head = [receivedAt, listener, peer, site, bytes, charset, type, controlId, application, facility];
    return this.#insert.run(...head, sha256, content, answer, state, error).lastInsertRowid as number;
  }

  /** See {@link Store.keepNamed}. */
  keepNamed(message: NewMessage, clash: string | undefined): KeptMessage {
    const { controlId, facility, site, application } = message;
    const last = this.#last.get(controlId, facility, site, application, application);
    const isRepeat = last?.sha256 === message.sha256;
    const first = isRepeat ? (this.message(firstId(last)) ?? this.message(last.id)) : undefined;
    const named = namedAs(message, last && { first }, clash);
    return { ...named.as, id: this.keep(named.message) };
  }

  answered(id: number, answer: Uint8Array): void {
    this.#answered.run(answer, id);
  }

  waiting(limit: number): JournalRow[] {
    const fresh = this.#waiting.all(0, limit);
    const again = this.#waiting.all(1, againMax(fresh.length, limit));
    return [...fresh.slice(0, limit - again.length), ...again].map(journalRow);
  }

  hasTwin({ facility, site, content, id }: JournalRow): boolean {
    return this.#twin.get(content, facility, site, id) !== undefined;
  }

  message(id: number): JournalRow | undefined {
    const row = this.#message.get(id);
    return row && journalRow(row);
  }

  /** @throws Failure `too-costly` when it goes on for too long */
  messages({ state, type, site, facility, controlId, from, to, before, limit }: MessageQuery): JournalRow[] {
    const given = Object.entries({
      'state = ?': state,
      'type = ?': type,
      'site = ?': site,
      'facility = ?': facility,
      'control_id = ?': controlId,
      'received_at >= ?': from,
      'received_at < ?': to,
      'id < ?': before,
    }).filter(([, value]) => value !== undefined);
    const where = [...given.map(([text]) => text), 'in_time(id)'].join(' AND ');
    // Numbers first: what is put in order is then short.
    const statement = this.#db.prepare<any[], any>(
      `SELECT ${messageColumns} FROM received_message
       WHERE id IN (SELECT id FROM received_message WHERE ${where} ORDER BY id DESC LIMIT ?) ORDER BY id DESC`,
    );
    return this.#watch.run(() => statement.all(...given.map(([, value]) => value), limit)).map(journalRow);
  }

  outcomes(id: number): MessageOutcome[] {
    return this.#outcomes.all(id).map(messageOutcome);
  }

  counts(): Record<string, number> {
    return Object.fromEntries((this.#counts.all() as { state: string; n: number }[]).map(({ state, n }) => [state, n]));
  }

  /** @throws LostClaim when the message is not `received` */
  tried(id: number, count: number): void {
    one(this.#tried.run(count, id), `message ${id}`);
  }

  /** @throws LostClaim when the message is not in the state that is named */
  claim({ id, from, to, at, error, mappingVersion, wrote }: MessageClaim): void {
    if (to === 'received') this.#remember.run(at, id, from);
    const applied = to === 'applied' || to === 'stale';
    const written = wrote ? JSON.stringify(wrote) : applied ? '[]' : null;
    one(
      this.#claim.run(to, error ?? null, mappingVersion ?? null, written, applied ? at : null, id, from),
      `message ${id}`,
    );
  }
}
