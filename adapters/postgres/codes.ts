/** Codes that no table translates, in PostgreSQL. */
import { indexKey } from '../../src/store/index-key.ts';
import type { CodeAnswer, CodeKey, UnknownCode } from '../../src/store/rows.ts';
import { answeredCode, answeredCodeColumns, unknownCode, unknownCodeColumns } from '../../src/store/stage-rows.ts';
import { type Effect, LostClaim } from '../../src/store/store.ts';
import type { Reader } from './reader.ts';
import type { Session } from './transactions.ts';
import { columnsOf } from './values.ts';

export class Codes {
  readonly #reader: Reader;

  constructor(reader: Reader) {
    this.#reader = reader;
  }

  async list(open: boolean, before: number, limit: number): Promise<UnknownCode[]> {
    const rows = await this.#reader.rows(
      `SELECT ${unknownCodeColumns} FROM unknown_code WHERE ${open ? 'answered_at IS NULL AND' : ''} id < $1
       ORDER BY id DESC LIMIT $2`,
      [before, limit],
    );
    return rows.map(unknownCode);
  }

  async one(id: number): Promise<UnknownCode | undefined> {
    const [row] = await this.#reader.rows(`SELECT ${unknownCodeColumns} FROM unknown_code WHERE id = $1`, [id]);
    return row && unknownCode(row);
  }

  async answers(): Promise<(CodeKey & { readonly answer: CodeAnswer })[]> {
    const rows = await this.#reader.rows(
      `SELECT ${answeredCodeColumns} FROM unknown_code WHERE answered_at IS NOT NULL ORDER BY id`,
    );
    return rows.map(answeredCode);
  }

  async messagesWith(id: number, after: number, limit: number): Promise<number[]> {
    const rows = await this.#reader.rows(
      'SELECT message FROM unknown_code_message WHERE code = $1 AND message > $2 ORDER BY message LIMIT $3',
      [id, after, limit],
    );
    return rows.map(({ message }) => message);
  }
}

/** Puts the codes of a message on the list. */
export async function meetCodes(
  { message, at, codes }: Extract<Effect, { kind: 'codes' }>,
  session: Session,
): Promise<void> {
  // One statement meets a row once: of a code that the message holds twice, the last one counts.
  const rows = codes.map((it) => ({ ...it, key: indexKey(it.code) }));
  const distinct = new Map(rows.map((it) => [JSON.stringify([it.site, it.table, it.key]), it]));
  const columns = ['site', 'table', 'code', 'key', 'system', 'display', 'field'] as const;
  await session.query(
    `WITH met AS (
       INSERT INTO unknown_code AS u
         (site, code_table, code, code_key, system, display, field, messages, first_at, last_at)
       SELECT k.*, 1, $8::int8, $8::int8
       FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[]) AS k
       ON CONFLICT (site, code_table, code_key) DO UPDATE SET
         system = excluded.system, display = excluded.display, field = excluded.field,
         first_at = least(u.first_at, excluded.first_at), last_at = greatest(u.last_at, excluded.last_at),
         messages = u.messages
           + (NOT EXISTS (SELECT 1 FROM unknown_code_message h WHERE h.code = u.id AND h.message = $9::int8))::int
       RETURNING id
     )
     INSERT INTO unknown_code_message (code, message) SELECT id, $9::int8 FROM met ON CONFLICT DO NOTHING`,
    [...columnsOf([...distinct.values()], columns), at, message],
  );
}

/** @throws LostClaim for a code that is not on the list */
export async function answerCode(
  { id, answer: { target, by, at } }: Extract<Effect, { kind: 'code-answer' }>,
  session: Session,
): Promise<void> {
  const { rowCount } = await session.query(
    `UPDATE unknown_code SET target_system = $1, target_code = $2, target_display = $3, answered_by = $4, answered_at = $5
     WHERE id = $6`,
    [target?.system ?? null, target?.code ?? null, target?.display ?? null, by, at, id],
  );
  if (rowCount !== 1) throw new LostClaim(`code ${id}`);
}
