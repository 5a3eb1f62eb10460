/** Rows of the stages in SQLite: the journal, unknown codes, messages to hospitals, cursors, events. */
import type Database from 'better-sqlite3';
import type { EventRow, SubscriptionCursor } from '../../src/store/rows.ts';
import type { Effect } from '../../src/store/store.ts';
import { CodeRows } from './code-rows.ts';
import { MessageRows } from './message-rows.ts';
import { one } from './one.ts';
import { OutgoingRows } from './outgoing-rows.ts';
import type { Watch } from './watch.ts';

export type StageEffect = Exclude<Effect, { kind: 'index' | 'marks' }>;

export class StageRows {
  readonly messages: MessageRows;
  readonly codes: CodeRows;
  readonly outgoing: OutgoingRows;
  readonly #cursor: Database.Statement;
  readonly #newCursor: Database.Statement;
  readonly #moveCursor: Database.Statement;
  readonly #insertEvent: Database.Statement;
  readonly #events: Database.Statement;
  readonly #progress: Database.Statement;
  readonly #newDelivery: Database.Statement;
  readonly #forget: readonly Database.Statement[];
  readonly #deliver: Database.Statement;

  constructor(db: Database.Database, watch: Watch) {
    this.messages = new MessageRows(db, watch);
    this.codes = new CodeRows(db);
    this.outgoing = new OutgoingRows(db);
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
  apply(effect: StageEffect): void {
    switch (effect.kind) {
      case 'message':
        this.messages.claim(effect.claim);
        break;
      case 'tries':
        this.messages.tried(effect.message, effect.count);
        break;
      case 'codes':
        this.codes.meet(effect);
        break;
      case 'code-answer':
        this.codes.answer(effect.id, effect.answer);
        break;
      case 'outgoing':
        this.outgoing.add(effect.messages);
        break;
      case 'sent':
        this.outgoing.sent(effect);
        break;
      case 'cursor':
        this.#newCursor.run(effect.name);
        one(this.#moveCursor.run(effect.to, effect.name, effect.from), `cursor ${effect.name}`);
        break;
      case 'delivered':
        this.#newDelivery.run(effect.subscription);
        one(this.#deliver.run(effect.to, effect.subscription, effect.from), `delivery of ${effect.subscription}`);
        break;
      case 'forget':
        for (const forget of this.#forget) forget.run(effect.subscription);
        break;
      case 'events':
        for (const { subscription, number, sequence, at, focus } of effect.events)
          this.#insertEvent.run(subscription, number, sequence, at, focus);
    }
  }
}
