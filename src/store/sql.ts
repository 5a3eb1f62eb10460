/** Pieces of SQL with their values. */
import { Failure } from '../outcome.ts';

/** SQL with `?` for each value, in order. */
export interface Sql {
  readonly text: string;
  readonly values: readonly (string | number)[];
}

export const always: Sql = { text: '1 = 1', values: [] };
export const nothing: Sql = { text: '1 = 0', values: [] };

/** Conditions that are put together without further parentheses. */
const flatMax = 10;

/** Conditions with AND or OR between them; many as a tree of halves, because SQLite takes none deeper than 1,000. */
export function join(parts: readonly Sql[], between: ' AND ' | ' OR '): Sql {
  if (parts.length === 1) return parts[0] as Sql;
  if (parts.length > flatMax) {
    const half = parts.length >> 1;
    return join(
      [parts.slice(0, half), parts.slice(half)].map((some) => parenthesised(join(some, between))),
      between,
    );
  }
  // A loop: every search puts conditions together, and this is a fifth of its compilation.
  let text = '';
  const values: (string | number)[] = [];
  for (const part of parts) {
    if (text !== '') text += between;
    text += between === ' OR ' && / (AND|OR) /.test(part.text) ? `(${part.text})` : part.text;
    for (const value of part.values) values.push(value);
  }
  return { text, values };
}

export function parenthesised({ text, values }: Sql): Sql {
  return { text: `(${text})`, values };
}

/** SQLite binds 32,766 values, PostgreSQL 65,535. */
const valuesMax = 30_000;

/** @throws Failure `too-costly` for more values than a statement can have */
export function affordable<T extends Sql>(sql: T): T {
  if (sql.values.length > valuesMax)
    throw new Failure('too-costly', 'the search has too many values: name fewer types or fewer values');
  return sql;
}
