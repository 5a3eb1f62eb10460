/** Searches: the text of the search compiler for PostgreSQL, one statement for a page with its content. */

import { range } from '../../src/store/numbers.ts';
import type { Sql } from '../../src/store/predicate.ts';
import { type CompiledSearch, compileCount, compileSearch, type Dialect } from '../../src/store/search.ts';
import type { Numbers, Parameter, Run } from './parameters.ts';
import { fixedConditions, fixedPage } from './plan.ts';
import { versionColumns } from './stored.ts';
import type { Row } from './transactions.ts';

/** One row of a page: `rid`, a sort key in each of `k0` …, and the columns of the version. */
export interface FoundPage {
  /** In order; one more than the page has when there is a next one. */
  readonly rows: readonly Row[];
  readonly total: number | undefined;
}

/**
 * @param numbers of the parameters; those that are missing are looked up
 * @param run runs the statement, in a transaction or outside
 * @param columns of `resource r` and `change c`
 */
export async function findPage(
  search: CompiledSearch,
  numbers: Numbers,
  run: Run,
  columns = versionColumns,
): Promise<FoundPage> {
  const { query } = search;
  const wantsTotal = query.total || query.countOnly;
  const dialect = new PostgresDialect(numbers);
  let sql = compile(search, dialect, columns);
  if (dialect.missing.length > 0) {
    await numbers.look(dialect.missing, run);
    sql = compile(search, new PostgresDialect(numbers), columns);
  }
  const rows = await run(numbered(sql.text), sql.values);
  const total: number | undefined = wantsTotal ? rows[0]?.total : undefined;
  // The row of a count alone has no resource.
  return { rows: rows.filter(({ rid }) => rid !== null && rid !== undefined), total };
}

function compile({ query, snapshot, after }: CompiledSearch, dialect: Dialect, columns: string): Sql {
  const wantsTotal = query.total || query.countOnly;
  const count = wantsTotal ? compileCount(query, snapshot, dialect) : undefined;
  const counted = count && fixedConditions(count.text);
  if (query.countOnly && count) return { text: `SELECT n AS total FROM (${counted}) n`, values: count.values };
  const page = pageOf(
    { query, ...(snapshot !== undefined && { snapshot }), ...(after !== undefined && { after }) },
    dialect,
    columns,
  );
  if (!count) return { text: `${page.text} ORDER BY ${page.order}`, values: page.values };
  // One statement, so that the number is of the same state as the page.
  return {
    text: `SELECT f.*, n.n AS total FROM (${counted}) n LEFT JOIN (${page.text}) f ON true ORDER BY ${page.order}`,
    values: [...count.values, ...page.values],
  };
}

/** The rows of a page with the content of each as it was at the snapshot. */
function pageOf(
  { query, snapshot, after }: CompiledSearch,
  dialect: Dialect,
  columns: string,
): Sql & { readonly order: string } {
  const sql = compileSearch(query, snapshot, after, dialect);
  const version =
    snapshot === undefined
      ? 'JOIN change c ON c.sequence = r.sequence'
      : `JOIN LATERAL (SELECT * FROM change v WHERE v.rid = r.rid AND v.sequence <= ${snapshot}
         ORDER BY v.sequence DESC LIMIT 1) c ON true`;
  const keys = query.sort.map((_, i) => `f.k${i}, `).join('');
  // Of the same statement: what is committed a moment later is not in the page, and must not be in its links.
  const head = snapshot === undefined ? ', (SELECT coalesce(max(sequence), 0) FROM change) AS head' : '';
  return {
    text: `SELECT ${keys}${columns}${head} FROM (${fixedPage(sql.text)}) f JOIN resource r ON r.rid = f.rid ${version}`,
    values: sql.values,
    order: sql.order,
  };
}

class PostgresDialect implements Dialect {
  readonly missing: Parameter[] = [];
  readonly #numbers: Numbers;

  constructor(numbers: Numbers) {
    this.#numbers = numbers;
  }

  /** No row has the number of a parameter that nobody used yet. */
  parameter(parameter: Parameter): number {
    const known = this.#numbers.get(parameter);
    if (known === undefined) this.missing.push(parameter);
    return known ?? -1;
  }

  range(type: string): { low: number; high: number } {
    return range(type);
  }

  contains(column: string): string {
    return `strpos(${column}, ?) > 0`;
  }

  endsWith(column: string, end: string): Sql {
    return { text: `right(${column}, ${[...end].length}) = ?`, values: [end] };
  }

  words(alias: string, words: readonly string[]): Sql {
    return { text: `${alias}.words @> string_to_array(?, ' ')`, values: [words.join(' ')] };
  }
}

/** `?` ─▶ `$1` … in order. No literal of the compiler has a question mark. */
function numbered(text: string): string {
  let last = 0;
  return text.replace(/\?/g, () => `$${++last}`);
}
