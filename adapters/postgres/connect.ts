/** How connections to PostgreSQL are made, and what their errors mean. */
import pg from 'pg';
import { Failure } from '../../src/outcome.ts';

/**
 * The search compiler fixes the order of joins, and every look-up has its index: the planner is held to that, on an empty
 * database as on a large one. Generic plans: the shape of a statement says all that a plan needs, so it is made once.
 */
const planning = {
  join_collapse_limit: 1,
  from_collapse_limit: 1,
  plan_cache_mode: 'force_generic_plan',
  enable_seqscan: 'off',
  enable_hashjoin: 'off',
  enable_mergejoin: 'off',
  max_parallel_workers_per_gather: 0,
  random_page_cost: 1.1,
  jit: 'off',
};

/**
 * @param url `postgres://user@host:port/database`; `options=-c search_path=x` names a schema
 * @param settings of the server, for the connections that are made with this
 */
export function clientConfig(url: string, settings: Readonly<Record<string, string | number>> = {}): pg.ClientConfig {
  const { searchParams, ...rest } = partsOf(url);
  const own = Object.entries({ ...planning, ...settings }).map(([name, value]) => `-c ${name}=${value}`);
  const given = searchParams.get('options');
  searchParams.delete('options');
  const query = searchParams.size > 0 ? `?${searchParams}` : '';
  return {
    connectionString: rest.address + query,
    options: [...(given ? [given] : []), ...own].join(' '),
    application_name: 'aftercare',
    keepAlive: true,
    connectionTimeoutMillis: 10_000,
    types: { getTypeParser },
  };
}

function partsOf(url: string): { address: string; searchParams: URLSearchParams } {
  const cut = url.indexOf('?');
  return cut < 0
    ? { address: url, searchParams: new URLSearchParams() }
    : { address: url.slice(0, cut), searchParams: new URLSearchParams(url.slice(cut + 1)) };
}

/** int8: sequences, numbers of resources and milliseconds are all below 2^53. */
const int8 = 20;

function getTypeParser(type: number, format?: any): any {
  return type === int8 ? Number : pg.types.getTypeParser(type, format);
}

/** Others were in the way: the same work may succeed when it is tried again. Serialisation, deadlock, lock not had in time. */
const conflicts = new Set(['40001', '40P01', '55P03']);

/** The connection is gone or will be: the server stops, starts, or has ended the session. */
const lost = /^(08...|57P0[1-3]|25P03|53300|E[A-Z]+)$/;

function codeOf(error: unknown): string {
  const { code } = error as { code?: unknown };
  return typeof code === 'string' ? code : '';
}

export function isConflict(error: unknown): boolean {
  return conflicts.has(codeOf(error));
}

/** The server has no room or no time, or was told to stop: what is asked next fares no better. */
const unable = /^(53|57|58)/;

/** True when the reason lies in the database, not in what was asked of it; a Failure is one of those as {@link translated}. */
export function isTrouble(error: unknown): boolean {
  return error instanceof Failure || isConflict(error) || isLost(error) || unable.test(codeOf(error));
}

export function isLost(error: unknown): boolean {
  const code = codeOf(error);
  if (code !== '') return lost.test(code);
  // What `pg` itself throws has no code.
  return (
    error instanceof Error &&
    /^(Connection terminated|Client (has encountered|was closed)|timeout|Query read timeout)/.test(error.message)
  );
}

/** A failed statement as callers know it: what a client can act on is a Failure, the rest stays what it is. */
export function translated(error: unknown): unknown {
  if (isConflict(error)) return new Failure('conflict', 'others were writing the same at this moment: try again');
  // 57014 statement_timeout, 54001 stack depth: docs/operating.md, `STORE_URL`.
  if (['57014', '54001'].includes(codeOf(error)))
    return new Failure('too-costly', 'the search takes too long: narrow it');
  return error;
}
