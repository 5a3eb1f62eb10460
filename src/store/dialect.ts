/** What the search compiler takes and gives, and what it has to know of a database. */
import type { SearchParameter } from '../fhir/search/parameters.ts';
import type { SearchQuery } from '../fhir/search/query.ts';
import type { PredicateDialect } from './predicate.ts';
import type { Sql } from './sql.ts';

/** A query with the state and place at which it goes on. */
export interface CompiledSearch {
  readonly query: SearchQuery;
  /** The sequence that the first page saw; undefined for a first page. */
  readonly snapshot?: number;
  /** As `SearchPage.next` gave it. */
  readonly after?: string;
}

/** What differs between databases. */
export interface Dialect extends PredicateDialect {
  /** The database's number of a parameter. */
  parameter(parameter: Pick<SearchParameter, 'type' | 'code'>): number;
  /** Smallest and largest resource number of a type. */
  range(type: string): { low: number; high: number };
  /** How many rows a statement gives, up to `max`; absent where the database plans by its own statistics. */
  readonly sample?: (sql: Sql, max: number) => number;
}

/** SQL of one page, with the order that a statement around it repeats. */
export interface PageSql extends Sql {
  readonly order: string;
}
