/** Codes that no table translates, in SQLite. */
import type Database from 'better-sqlite3';
import type { CodeAnswer, CodeKey, UnknownCode } from '../../src/store/rows.ts';
import { answeredCode, answeredCodeColumns, unknownCode, unknownCodeColumns } from '../../src/store/stage-rows.ts';
import type { Effect } from '../../src/store/store.ts';
import { one } from './one.ts';

export class CodeRows {
  readonly #meet: Database.Statement<any[], any>;
  readonly #hold: Database.Statement;
  readonly #answer: Database.Statement;
  readonly #all: Database.Statement<any[], any>;
  readonly #open: Database.Statement<any[], any>;
  readonly #one: Database.Statement<any[], any>;
  readonly #answers: Database.Statement<any[], any>;
  readonly #messages: Database.Statement;

  constructor(db: Database.Database) {
    this.#meet = db.prepare(
      `INSERT INTO unknown_code (site, code_table, code, system, display, field, messages, first_at, last_at)
       VALUES (@site, @table, @code, @system, @display, @field, 1, @at, @at)
       ON CONFLICT (site, code_table, code) DO UPDATE SET
         system = excluded.system, display = excluded.display, field = excluded.field,
         first_at = min(first_at, excluded.first_at), last_at = max(last_at, excluded.last_at),
         messages = messages + (NOT EXISTS (SELECT 1 FROM unknown_code_message WHERE code = unknown_code.id AND message = @message))
       RETURNING id`,
    );
    this.#hold = db.prepare(
      'INSERT INTO unknown_code_message (code, message) VALUES (?, ?) ON CONFLICT (code, message) DO NOTHING',
    );
    this.#answer = db.prepare(
      `UPDATE unknown_code SET target_system = ?, target_code = ?, target_display = ?, answered_by = ?, answered_at = ?
       WHERE id = ?`,
    );
    const list = (which: string): Database.Statement<any[], any> =>
      db.prepare(`SELECT ${unknownCodeColumns} FROM unknown_code WHERE ${which} AND id < ? ORDER BY id DESC LIMIT ?`);
    this.#all = list('TRUE');
    this.#open = list('answered_at IS NULL');
    this.#one = db.prepare(`SELECT ${unknownCodeColumns} FROM unknown_code WHERE id = ?`);
    this.#answers = db.prepare(
      `SELECT ${answeredCodeColumns} FROM unknown_code WHERE answered_at IS NOT NULL ORDER BY id`,
    );
    this.#messages = db
      .prepare('SELECT message FROM unknown_code_message WHERE code = ? AND message > ? ORDER BY message LIMIT ?')
      .pluck();
  }

  meet({ message, at, codes }: Extract<Effect, { kind: 'codes' }>): void {
    for (const code of codes) {
      const { id } = this.#meet.get({ ...code, message, at });
      this.#hold.run(id, message);
    }
  }

  /** @throws LostClaim for a code that is not on the list */
  answer(id: number, { target, by, at }: CodeAnswer): void {
    const cells = [target?.system, target?.code, target?.display].map((it) => it ?? null);
    one(this.#answer.run(...cells, by, at, id), `code ${id}`);
  }

  list(open: boolean, before: number, limit: number): UnknownCode[] {
    return (open ? this.#open : this.#all).all(before, limit).map(unknownCode);
  }

  one(id: number): UnknownCode | undefined {
    const row = this.#one.get(id);
    return row && unknownCode(row);
  }

  answers(): (CodeKey & { readonly answer: CodeAnswer })[] {
    return this.#answers.all().map(answeredCode);
  }

  messagesWith(id: number, after: number, limit: number): number[] {
    return this.#messages.all(id, after, limit) as number[];
  }
}
