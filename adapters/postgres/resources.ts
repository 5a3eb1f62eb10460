/** Resources and their versions, as readers see them. */

import { typeNumber } from '../../src/store/numbers.ts';
import type { Change, HistoryQuery, Key, Version } from '../../src/store/store.ts';
import type { Reader } from './reader.ts';
import { versionColumns, versionOf } from './stored.ts';
import { columnsOf, type Value } from './values.ts';

/** So many changes are put in order rather than looked for from the newest on. */
const fewMax = 5000;

export class Resources {
  readonly #reader: Reader;

  constructor(reader: Reader) {
    this.#reader = reader;
  }

  async read({ type, id }: Key): Promise<Version | undefined> {
    const [row] = await this.#reader.rows(
      `SELECT ${versionColumns} FROM resource r JOIN change c ON c.sequence = r.sequence WHERE r.type = $1 AND r.id = $2`,
      [type, id],
    );
    return row && versionOf(row);
  }

  async readAll(keys: readonly Key[]): Promise<readonly Version[]> {
    if (keys.length === 0) return [];
    const rows = await this.#reader.rows(
      `SELECT ${versionColumns} FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS k (type, id, n)
       JOIN resource r ON r.type = k.type AND r.id = k.id JOIN change c ON c.sequence = r.sequence ORDER BY k.n`,
      columnsOf(keys, ['type', 'id']),
    );
    return rows.map(versionOf);
  }

  async readVersion({ type, id }: Key, version: number): Promise<Version | undefined> {
    const [row] = await this.#reader.rows(
      `SELECT ${versionColumns} FROM resource r JOIN change c ON c.rid = r.rid WHERE r.type = $1 AND r.id = $2 AND c.version = $3`,
      [type, id, version],
    );
    return row && versionOf(row);
  }

  async history({ type, id, since, at, before, limit }: HistoryQuery): Promise<readonly Version[]> {
    const where: string[] = [];
    const values: Value[] = [];
    const bound = (value: Value): string => `$${values.push(value)}`;
    if (type && id) where.push(`c.rid = (SELECT rid FROM resource WHERE type = ${bound(type)} AND id = ${bound(id)})`);
    else if (type) where.push(`c.rid >> 40 = ${typeNumber(type)}`);
    let changes = 'change';
    if (since !== undefined && (await this.#fewSince(since)))
      changes = `(SELECT * FROM change WHERE at >= ${bound(since)} OFFSET 0)`;
    else if (since !== undefined) where.push(`c.at >= ${bound(since)}`);
    if (at !== undefined) {
      // Current from its own instant until that of the next version.
      const next = `SELECT 1 FROM change n WHERE n.rid = c.rid AND n.version = c.version + 1 AND n.at <= ${bound(at.low)}`;
      where.push(`c.at < ${bound(at.high)} AND NOT EXISTS (${next})`);
    }
    if (before !== undefined) where.push(`c.sequence < ${bound(before)}`);
    const filter = where.length > 0 ? `WHERE ${where.join(' AND ')}` : '';
    const rows = await this.#reader.rows(
      `SELECT ${versionColumns} FROM ${changes} c JOIN resource r ON r.rid = c.rid ${filter} ORDER BY c.sequence DESC LIMIT ${bound(limit)}`,
      values,
    );
    return rows.map(versionOf);
  }

  /**
   * Little was written since, and is found by its time; or much, and the newest changes are met at once. The planner cannot
   * know: clocks differ, so time is not quite the order of sequences.
   */
  async #fewSince(since: number): Promise<boolean> {
    const [row] = await this.#reader.rows(
      `SELECT count(*) AS n FROM (SELECT 1 FROM change WHERE at >= $1 LIMIT ${fewMax + 1}) k`,
      [since],
    );
    return row?.n <= fewMax;
  }

  async changes(after: number, limit: number): Promise<readonly Change[]> {
    const rows = await this.#reader.rows(
      `SELECT c.sequence, r.type, r.id, c.version, c.interaction, c.at, c.cause FROM change c JOIN resource r ON r.rid = c.rid
       WHERE c.sequence > $1 ORDER BY c.sequence LIMIT $2`,
      [after, limit],
    );
    return rows as unknown as Change[];
  }

  async head(): Promise<number> {
    const [row] = await this.#reader.rows('SELECT coalesce(max(sequence), 0) AS head FROM change');
    return row?.head;
  }

  async types(): Promise<readonly string[]> {
    const rows = await this.#reader.rows("SELECT type FROM parameter WHERE code = '_lastUpdated' ORDER BY type");
    return rows.map(({ type }) => type);
  }
}
