/**
 * The search compiler: query ─▶ SQL that finds resource numbers. It fixes the join order itself: the most selective filter
 * drives, the others are EXISTS on the same resource. Every row carries the change that made it (`born`) and the one that
 * ended it (`gone`), so a search sees the state at one sequence: pages stay stable while writes go on.
 */
import type { Filter } from '../fhir/search/filter.ts';
import type { SearchParameter } from '../fhir/search/parameters.ts';
import type { Branch, Referred, SearchQuery, SortKey } from '../fhir/search/query.ts';
import type { Dialect, PageSql } from './dialect.ts';
import { keyset, readPlace } from './place.ts';
import { anyOf, anyOfResource, tables } from './predicate.ts';
import { driveMax, impliesAlive, isUnique, rank, shortMax } from './rank.ts';
import { orderBy, sortColumn, stamp } from './sort.ts';
import { flattened, narrowed, type Source, select } from './source.ts';
import { affordable, always, join, nothing, parenthesised, type Sql } from './sql.ts';

export type { CompiledSearch, Dialect, PageSql } from './dialect.ts';
export { placeOf } from './place.ts';

type ValuesFilter = Extract<Filter, { kind: 'values' }>;

/** Filters that are counted before one is chosen, and rows that are enough to tell. */
const sampledMax = 4;
const sampleSize = 200;

/**
 * SQL for one page: columns `rid` and one `k0`, `k1` … per sort key.
 * @param snapshot the sequence to look at; undefined for the state now
 * @throws Failure `malformed` for a damaged place, `too-costly` for more values than a statement can have
 */
export function compileSearch(
  query: SearchQuery,
  snapshot: number | undefined,
  after: string | undefined,
  dialect: Dialect,
): PageSql {
  const compiler = new Compiler(snapshot, dialect);
  const { branches, referred, sort, count } = query;
  const place = after === undefined ? undefined : keyset(sort, after);
  const limit = count + 1;
  if (sort.length === 0 && branches.length === 1 && !referred) {
    // One flat statement: the index gives the numbers in order, so the scan ends with the page.
    const source = compiler.source(branches[0] as Branch, true);
    const behind = place && { text: place.text.replaceAll('rid', source.rid), values: place.values };
    const { text, values } = select(behind ? narrowed(source, behind) : source);
    return affordable({ text: `${text} ORDER BY ${source.rid} LIMIT ${limit}`, values, order: 'rid' });
  }
  const walk = compiler.latest(query, after);
  const inner = walk ?? compiler.found(query, sort.length === 0);
  const keys = sort.map((key, i) => `${walk && i === 0 ? 'c.low' : compiler.sortColumn(key)} AS k${i}`);
  const order = orderBy(sort, walk !== undefined);
  const found = `SELECT ${['c.rid AS rid', ...keys].join(', ')} FROM (${inner.text}) c`;
  return affordable({
    text: `SELECT * FROM (${found}) p ${place ? `WHERE ${place.text} ` : ''}ORDER BY ${order} LIMIT ${limit}`,
    values: [...inner.values, ...(place?.values ?? [])],
    order,
  });
}

/** SQL that counts all matches. @throws Failure `too-costly` for more values than a statement can have */
export function compileCount(query: SearchQuery, snapshot: number | undefined, dialect: Dialect): Sql {
  const inner = new Compiler(snapshot, dialect).found(query);
  return affordable({ text: `SELECT count(*) AS n FROM (${inner.text}) c`, values: inner.values });
}

class Compiler {
  readonly #snapshot: number | undefined;
  readonly #dialect: Dialect;
  #aliases = 0;

  constructor(snapshot: number | undefined, dialect: Dialect) {
    this.#snapshot = snapshot;
    this.#dialect = dialect;
  }

  #alias(letter: string): string {
    return `${letter}${this.#aliases++}`;
  }

  /** The state now needs no bounds; binding a value costs as much as a step of the index (2 µs), so numbers stand in the text. */
  #visible(alias: string): string {
    const at = this.#snapshot;
    return at === undefined
      ? `${alias}.gone IS NULL`
      : `${alias}.born <= ${at} AND (${alias}.gone IS NULL OR ${alias}.gone > ${at})`;
  }

  found({ branches, referred }: SearchQuery, inOrder = false): Sql {
    const own = this.union(branches, inOrder);
    if (!referred) return own;
    const more = this.#referred(referred);
    return { text: `${own.text} UNION ${more.text}`, values: [...own.values, ...more.values] };
  }

  /** From the resources of the branches to what their references name. */
  #referred({ by, types, since }: Referred): Sql {
    if (types.length === 0) return { text: 'SELECT 0 AS rid WHERE 1 = 0', values: [] };
    const [t, e, r, d] = [this.#alias('t'), this.#alias('e'), this.#alias('r'), this.#alias('d')];
    const inner = this.union(by);
    const alive = types.map((type) => this.#dialect.parameter({ type, code: '_lastUpdated' })).join(', ');
    const written = since === undefined ? '' : ` AND ${d}.low >= ${since}`;
    return {
      text: `SELECT ${d}.rid AS rid FROM (${inner.text}) ${t} CROSS JOIN reference_row ${e} CROSS JOIN resource ${r} CROSS JOIN date_row ${d} WHERE ${e}.rid = ${t}.rid AND ${this.#visible(e)} AND ${r}.type = ${e}.target AND ${r}.id = ${e}.id AND ${d}.rid = ${r}.rid AND ${d}.param IN (${alive}) AND ${this.#visible(d)}${written}`,
      values: inner.values,
    };
  }

  union(branches: readonly Branch[], inOrder = false): Sql {
    const parts = branches.map((branch) => select(this.source(branch, inOrder)));
    if (parts.length === 0) return { text: 'SELECT 0 AS rid WHERE 1 = 0', values: [] };
    // SQLite takes no parentheses around the parts of a UNION.
    const text =
      parts.length === 1
        ? (parts[0] as Sql).text
        : parts.map((part) => `SELECT rid FROM (${part.text}) ${this.#alias('u')}`).join(' UNION ALL ');
    return { text, values: parts.flatMap((part) => part.values) };
  }

  /**
   * The resources of a type of which all filters hold.
   * @param inOrder they are wanted in the order of their numbers, and mostly only the first of them
   */
  source({ type, filters }: Branch, inOrder = false): Source {
    const flat = flattened(filters);
    const [driver, ...rest] = this.#ordered(flat);
    const drives = driver !== undefined && rank(driver) <= driveMax;
    const found = drives ? this.#driven(type, driver) : this.#alive(type, inOrder);
    const source = drives && rank(driver) <= shortMax ? found : this.#guarded(found);
    const conditions = (drives ? rest : flat).map((filter) => this.#holds(filter, type, source.rid));
    return conditions.length === 0 ? source : narrowed(source, join(conditions, ' AND '));
  }

  /** The most selective first. Where what the values say does not tell, and the database can be asked, it is. */
  #ordered(filters: readonly Filter[]): readonly Filter[] {
    const ordered = [...filters].sort((a, b) => rank(a) - rank(b));
    const { sample } = this.#dialect;
    const open = ordered.filter(
      (it): it is ValuesFilter => it.kind === 'values' && rank(it) > shortMax && rank(it) <= driveMax,
    );
    if (!sample || open.length < 2 || open[0] !== ordered[0]) return ordered;
    const counted = open.slice(0, sampledMax).map((filter) => ({ filter, count: this.#sampled(filter) }));
    const best = counted.reduce((a, b) => (b.count < a.count ? b : a)).filter;
    return [best, ...ordered.filter((it) => it !== best)];
  }

  /**
   * Resources by the time of their last change, walked in that order: so the walk ends with the page. Only where the other
   * conditions leave many; of few, all are found and put in order.
   */
  latest({ branches, referred, sort }: SearchQuery, after: string | undefined): Sql | undefined {
    const [key] = sort;
    const [branch] = branches;
    if (!key || key.code !== stamp || !branch || branches.length > 1 || referred) return undefined;
    const filters = flattened(branch.filters);
    if (!this.#dialect.sample || this.#areFew(filters)) return undefined;
    const d = this.#alias('d');
    const lives: Sql = { text: this.#lives(branch.type, d), values: [] };
    const from = after === undefined ? undefined : readPlace(after, sort.length)[0];
    const begin: Sql[] =
      typeof from === 'number' ? [{ text: `${d}.low ${key.descending ? '<=' : '>='} ?`, values: [from] }] : [];
    const conditions = filters.map((filter) => this.#holds(filter, branch.type, `${d}.rid`));
    const source = this.#guarded({
      from: { text: `date_row ${d}`, values: [] },
      where: join([lives, ...begin, ...conditions], ' AND '),
      rid: `${d}.rid`,
      repeats: false,
    });
    return {
      text: `SELECT ${d}.rid AS rid, ${d}.low AS low FROM ${source.from.text} WHERE ${source.where.text}`,
      values: source.where.values,
    };
  }

  /** True when a filter is known to find few resources. */
  #areFew(filters: readonly Filter[]): boolean {
    const [driver] = this.#ordered(filters);
    if (!driver || rank(driver) > driveMax) return false;
    return driver.kind !== 'values' || rank(driver) <= shortMax || this.#sampled(driver) < sampleSize;
  }

  /** How many rows fit, up to so many. */
  #sampled({ parameter, values }: ValuesFilter): number {
    const d = this.#alias('d');
    const row = this.#row(parameter, anyOf(values, d, this.#dialect), d);
    const sql = { text: `SELECT 1 FROM ${tables[parameter.kind]} ${d} WHERE ${row.text}`, values: row.values };
    return this.#dialect.sample?.(sql, sampleSize) ?? sampleSize;
  }

  sortColumn(key: SortKey): string {
    return sortColumn(key, this.#visible('s'), this.#dialect);
  }

  /** First of the conditions: it must be asked before one that takes nearly every row away. */
  #guarded(source: Source): Source {
    const guard = this.#dialect.guard?.(source.rid);
    if (guard === undefined) return source;
    const { text, values } = source.where;
    return { ...source, where: { text: `${guard} AND ${text}`, values } };
  }

  /** Every resource of the type that lives at the snapshot: it has a row of `_lastUpdated`. */
  #alive(type: string, inOrder = false): Source {
    const { low, high } = this.#dialect.range(type);
    const d = this.#alias('d');
    const lives = this.#lives(type, d, inOrder ? this.#noIndex(`${d}.param`) : `${d}.param`);
    return {
      from: { text: `date_row ${d}`, values: [] },
      where: { text: `${d}.rid BETWEEN ${low} AND ${high} AND ${lives}`, values: [] },
      rid: `${d}.rid`,
      repeats: false,
    };
  }

  #lives(type: string, alias: string, param = `${alias}.param`): string {
    return `${param} = ${this.#dialect.parameter({ type, code: '_lastUpdated' })} AND ${this.#visible(alias)}`;
  }

  #noIndex(column: string): string {
    return this.#dialect.noIndex?.(column) ?? column;
  }

  #existsAlive(type: string, rid: string): Sql {
    const d = this.#alias('d');
    return {
      text: `EXISTS (SELECT 1 FROM date_row ${d} WHERE ${d}.rid = ${rid} AND ${this.#lives(type, d)})`,
      values: [],
    };
  }

  /** A source that begins at the rows of one filter. */
  #driven(type: string, filter: Filter): Source {
    switch (filter.kind) {
      case 'ids':
        return this.#byIds(type, filter.ids);
      case 'values': {
        const d = this.#alias('d');
        const { parameter, values } = filter;
        return {
          from: { text: `${tables[parameter.kind]} ${d}`, values: [] },
          where: this.#row(parameter, anyOf(values, d, this.#dialect), d),
          rid: `${d}.rid`,
          repeats: !isUnique(parameter, values),
        };
      }
      case 'chain':
        return this.#fromTarget(filter);
      case 'has':
        return this.#fromReferrer(filter);
      case 'any': {
        const d = this.#alias('d');
        const parts = filter.filters.map((it) => select(this.source({ type, filters: [it] })));
        const text = parts.map((part) => `SELECT rid FROM (${part.text}) ${this.#alias('u')}`).join(' UNION ');
        return {
          from: {
            text: `(${text || 'SELECT 0 AS rid WHERE 1 = 0'}) ${d}`,
            values: parts.flatMap((part) => part.values),
          },
          where: { text: '1 = 1', values: [] },
          rid: `${d}.rid`,
          repeats: false,
        };
      }
      default: {
        const source = this.#alive(type);
        return narrowed(source, this.#holds(filter, type, source.rid));
      }
    }
  }

  /** A visible row of a parameter that fits. */
  #row(parameter: SearchParameter, { text, values }: Sql, alias: string): Sql {
    return {
      text: `${alias}.param = ${this.#dialect.parameter(parameter)} AND (${text}) AND ${this.#visible(alias)}`,
      values,
    };
  }

  #byIds(type: string, ids: readonly string[]): Source {
    const [r, d] = [this.#alias('r'), this.#alias('d')];
    return {
      from: { text: `resource ${r} CROSS JOIN date_row ${d}`, values: [] },
      where: {
        text: `${r}.type = ? AND ${r}.id IN (${ids.map(() => '?').join(', ')}) AND ${d}.rid = ${r}.rid AND ${this.#lives(type, d)}`,
        values: [type, ...ids],
      },
      rid: `${d}.rid`,
      repeats: false,
    };
  }

  /** `subject:Patient.identifier=x`: from the Patients to what refers to them. */
  #fromTarget({ parameter, target, filters }: Extract<Filter, { kind: 'chain' }>): Source {
    const [t, r, e] = [this.#alias('t'), this.#alias('r'), this.#alias('e')];
    const inner = select(this.source({ type: target, filters }));
    const refers = this.#row(parameter, { text: `${e}.id = ${r}.id AND ${e}.target = ?`, values: [target] }, e);
    return {
      from: {
        text: `(${inner.text}) ${t} CROSS JOIN resource ${r} CROSS JOIN reference_row ${e}`,
        values: inner.values,
      },
      where: { text: `${r}.rid = ${t}.rid AND ${refers.text}`, values: refers.values },
      rid: `${e}.rid`,
      repeats: true,
    };
  }

  /** `_has:Observation:patient:code=x`: from the Observations to whom they refer to. */
  #fromReferrer({ type, parameter, filters }: Extract<Filter, { kind: 'has' }>): Source {
    const [t, e, r, d] = [this.#alias('t'), this.#alias('e'), this.#alias('r'), this.#alias('d')];
    const inner = select(this.source({ type: parameter.type, filters }));
    const refers = this.#row(parameter, { text: `${e}.rid = ${t}.rid AND ${e}.target = ?`, values: [type] }, e);
    return {
      from: {
        text: `(${inner.text}) ${t} CROSS JOIN reference_row ${e} CROSS JOIN resource ${r} CROSS JOIN date_row ${d}`,
        values: inner.values,
      },
      where: {
        text: `${refers.text} AND ${r}.type = ? AND ${r}.id = ${e}.id AND ${d}.rid = ${r}.rid AND ${this.#lives(type, d)}`,
        values: [...refers.values, type],
      },
      rid: `${d}.rid`,
      repeats: true,
    };
  }

  /** A condition on the resource with a number. */
  #holds(filter: Filter, type: string, rid: string): Sql {
    switch (filter.kind) {
      case 'ids':
        return {
          text: `${rid} IN (SELECT rid FROM resource WHERE type = ? AND id IN (${filter.ids.map(() => '?').join(', ')}))`,
          values: [type, ...filter.ids],
        };
      case 'not': {
        const { text, values } = this.#holds(filter.filter, type, rid);
        return { text: `NOT (${text})`, values };
      }
      case 'any':
      case 'all': {
        if (filter.filters.length === 0) return filter.kind === 'any' ? nothing : always;
        const parts = filter.filters.map((it) => this.#holds(it, type, rid));
        return parenthesised(join(parts, filter.kind === 'any' ? ' OR ' : ' AND '));
      }
      case 'missing':
      case 'values':
        return this.#hasRow(filter, rid);
      case 'chain':
        return this.#refersTo(filter, rid);
      case 'has':
        return this.#isReferredTo(filter, rid);
    }
  }

  #hasRow(filter: Extract<Filter, { kind: 'missing' | 'values' }>, rid: string): Sql {
    const e = this.#alias('e');
    const { parameter } = filter;
    const fits: Sql = filter.kind === 'missing' ? always : anyOfResource(filter.values, e, this.#dialect);
    const wanted =
      filter.kind === 'values' && filter.except ? { text: `NOT (${fits.text})`, values: fits.values } : fits;
    const { text, values } = this.#row(parameter, wanted, e);
    const not = filter.kind === 'missing' && filter.missing ? 'NOT ' : '';
    return {
      text: `${not}EXISTS (SELECT 1 FROM ${tables[parameter.kind]} ${e} WHERE ${e}.rid = ${rid} AND ${text})`,
      values,
    };
  }

  #refersTo({ parameter, target, filters }: Extract<Filter, { kind: 'chain' }>, rid: string): Sql {
    const [e, r] = [this.#alias('e'), this.#alias('r')];
    const refers = this.#row(parameter, { text: `${e}.rid = ${rid} AND ${e}.target = ?`, values: [target] }, e);
    const conditions = this.#allHold(filters, target, `${r}.rid`);
    return {
      text: `EXISTS (SELECT 1 FROM reference_row ${e} CROSS JOIN resource ${r} WHERE ${refers.text} AND ${r}.type = ? AND ${r}.id = ${e}.id AND ${conditions.text})`,
      values: [...refers.values, target, ...conditions.values],
    };
  }

  #isReferredTo({ type, parameter, filters }: Extract<Filter, { kind: 'has' }>, rid: string): Sql {
    const [r, e] = [this.#alias('r'), this.#alias('e')];
    const refers = this.#row(parameter, { text: `${e}.id = ${r}.id AND ${e}.target = ?`, values: [type] }, e);
    const conditions = this.#allHold(filters, parameter.type, `${e}.rid`);
    return {
      text: `EXISTS (SELECT 1 FROM resource ${r} CROSS JOIN reference_row ${e} WHERE ${r}.rid = ${rid} AND ${refers.text} AND ${conditions.text})`,
      values: [...refers.values, ...conditions.values],
    };
  }

  #allHold(filters: readonly Filter[], type: string, rid: string): Sql {
    const parts = filters.map((filter) => this.#holds(filter, type, rid));
    if (!filters.some(impliesAlive)) parts.unshift(this.#existsAlive(type, rid));
    return join(parts, ' AND ');
  }
}
