/** What a transaction has yet to write: gathered, then sent as one statement for each table. */
import type { SearchParameter, SearchRow } from '../../src/fhir/search/parameters.ts';
import { nameOf } from '../../src/store/key.ts';
import { layouts, type RowLayout } from '../../src/store/row-layout.ts';
import type { Effect, PreparedWrite } from '../../src/store/store.ts';
import type { Stored } from '../../src/store/stored.ts';
import type { Numbering } from './parameters.ts';
import type { Session } from './transactions.ts';
import { arrayOf, columnsOf, type Value } from './values.ts';

/** A search row of a resource, with the change that makes or ends it. */
interface NumberedRow {
  readonly row: SearchRow;
  readonly rid: number;
  readonly sequence: number;
}

type IndexEffect = Extract<Effect, { kind: 'index' }>;

export class Batch {
  readonly #versions: Stored[] = [];
  /** Sequence of a version that waits ─▶ the marks that come with it. */
  readonly #newMarks = new Map<number, string>();
  /** Number of a resource ─▶ its new marks, without a version. */
  readonly #marked = new Map<number, string>();
  readonly #added: NumberedRow[] = [];
  readonly #ended: NumberedRow[] = [];
  readonly #cleared: { readonly parameter: SearchParameter; readonly rid: number }[] = [];
  /** Names of the resources with a version that waits. */
  readonly #names = new Set<string>();
  /** Name ─▶ codes of the parameters whose rows wait. */
  readonly #indexed = new Map<string, Set<string>>();

  /** Rows gathered so far, some kinds of them. */
  get size(): number {
    return this.#versions.length + this.#marked.size + this.#added.length + this.#cleared.length;
  }

  /** True when something of the resource waits: the statements of a batch do not see one another, so a version waits alone. */
  holds(name: string): boolean {
    return this.#names.has(name) || this.#indexed.has(name);
  }

  /** True when the rows of the parameter cannot be made anew with what waits. */
  holdsIndex(name: string, parameter: SearchParameter): boolean {
    return this.#names.has(name) || (this.#indexed.get(name)?.has(parameter.code) ?? false);
  }

  write(stored: Stored, { added, removed, marks }: PreparedWrite): void {
    const { rid, sequence } = stored;
    this.#names.add(nameOf(stored));
    this.#versions.push(stored);
    if (marks !== undefined) this.#newMarks.set(sequence, marks);
    for (const row of added) this.#added.push({ row, rid, sequence });
    for (const row of removed) this.#ended.push({ row, rid, sequence });
  }

  /** New marks of a resource: sent with its version when one waits, else before the versions. */
  mark({ rid, sequence, type, id }: Stored, marks: string): void {
    if (this.#names.has(nameOf({ type, id }))) this.#newMarks.set(sequence, marks);
    else this.#marked.set(rid, marks);
  }

  /** The rows of one parameter for a resource, anew. */
  index(effect: IndexEffect, stored: Stored): void {
    const { rid, sequence } = stored;
    const codes = this.#indexed.get(nameOf(stored)) ?? new Set();
    this.#indexed.set(nameOf(stored), codes.add(effect.parameter.code));
    for (const parameter of [effect.parameter, ...effect.parameter.modified]) this.#cleared.push({ parameter, rid });
    for (const row of effect.rows) this.#added.push({ row, rid, sequence });
  }

  /** Sends everything; the answers are awaited together. */
  async flush(session: Session, numbering: Numbering): Promise<void> {
    if (this.size === 0) return;
    await this.#numberParameters(session, numbering);
    await Promise.all([
      ...this.#writeMarks(session),
      ...this.#writeVersions(session),
      ...this.#clearRows(session, numbering),
      ...this.#endRows(session, numbering),
      ...this.#addRows(session, numbering),
    ]);
  }

  async #numberParameters(session: Session, numbering: Numbering): Promise<void> {
    const used = [...this.#added, ...this.#ended].map(({ row }) => row.parameter);
    const cleared = this.#cleared.map(({ parameter }) => parameter);
    const unknown = [...used, ...cleared].filter((parameter) => numbering.get(parameter) === undefined);
    if (unknown.length === 0) return;
    await numbering.give(unknown, async (text, values) => (await session.query(text, values)).rows);
  }

  *#writeMarks(session: Session): Iterable<Promise<unknown>> {
    if (this.#marked.size === 0) return;
    yield session.query(markedSql, [arrayOf([...this.#marked.keys()]), arrayOf([...this.#marked.values()])]);
  }

  *#writeVersions(session: Session): Iterable<Promise<unknown>> {
    const all = this.#versions;
    if (all.length === 0) return;
    const created = all.filter(({ version }) => version === 1);
    const updated = all.filter(({ version }) => version > 1);
    const marks = (some: readonly Stored[]): string =>
      arrayOf(some.map(({ sequence }) => this.#newMarks.get(sequence) ?? null));
    if (created.length > 0)
      yield session.query(createdSql, [...columnsOf(created, ['rid', 'type', 'id', 'sequence']), marks(created)]);
    if (updated.length > 0) {
      const deleted = arrayOf(updated.map(({ interaction }) => interaction === 'delete'));
      yield session
        .query(updatedSql, [...columnsOf(updated, ['rid', 'version', 'sequence']), deleted, marks(updated)])
        .then(({ rowCount }) => {
          // Only the writer that has the lock changes these rows: another number means that they are not what it read.
          if (rowCount !== updated.length) throw new Error('a resource is not at the version that was read');
        });
    }
    const columns = ['sequence', 'rid', 'version', 'interaction', 'at', 'cause', 'json'] as const;
    yield session.query(changeSql, columnsOf(all, columns));
  }

  *#clearRows(session: Session, numbering: Numbering): Iterable<Promise<unknown>> {
    for (const [{ table }, some] of Map.groupBy(this.#cleared, ({ parameter }) => layouts[parameter.kind])) {
      const text = `DELETE FROM ${table} t USING unnest($1::int[], $2::int8[]) AS k (param, rid)
        WHERE t.param = k.param AND t.rid = k.rid`;
      const rows = some.map(({ parameter, rid }) => ({ param: numbering.get(parameter) as number, rid }));
      yield session.query(text, columnsOf(rows, ['param', 'rid']));
    }
  }

  *#endRows(session: Session, numbering: Numbering): Iterable<Promise<unknown>> {
    for (const [layout, rows] of Map.groupBy(this.#ended, ({ row }) => layouts[row.value.kind])) {
      const { text, columns } = endOf(layout);
      yield session.query(text, cellsOf(rows, layout, columns, numbering));
    }
  }

  *#addRows(session: Session, numbering: Numbering): Iterable<Promise<unknown>> {
    for (const [layout, rows] of Map.groupBy(this.#added, ({ row }) => layouts[row.value.kind])) {
      const { text, columns } = addOf(layout);
      yield session.query(text, cellsOf(rows, layout, columns, numbering));
    }
  }
}

const markedSql = `UPDATE resource r SET marks = k.marks FROM unnest($1::int8[], $2::text[]) AS k (rid, marks)
  WHERE r.rid = k.rid`;
const createdSql = `INSERT INTO resource (rid, type, id, sequence, marks, version, deleted)
  SELECT k.*, 1, false FROM unnest($1::int8[], $2::text[], $3::text[], $4::int8[], $5::text[]) AS k`;
const updatedSql = `UPDATE resource r SET version = k.version, sequence = k.sequence, deleted = k.deleted,
    marks = coalesce(k.marks, r.marks)
  FROM unnest($1::int8[], $2::int[], $3::int8[], $4::bool[], $5::text[]) AS k (rid, version, sequence, deleted, marks)
  WHERE r.rid = k.rid AND r.version = k.version - 1`;
const changeSql = `INSERT INTO change (sequence, rid, version, interaction, at, cause, json)
  SELECT * FROM unnest($1::int8[], $2::int8[], $3::int[], $4::text[], $5::int8[], $6::text[], $7::text[])`;

interface Statement {
  readonly text: string;
  /** Of the layout, as many as the statement wants. */
  readonly columns: readonly string[];
}

/** layout ─▶ the statement that adds rows: param, rid, born and the columns. */
const addOf = remembered((layout) => {
  const { table, columns } = layout;
  const wanted = columns.map((column) => (column === 'words' ? "string_to_array(words, ' ')" : column)).join(', ');
  const text = `INSERT INTO ${table} (param, rid, born, ${columns.join(', ')})
    SELECT param, rid, born, ${wanted} FROM unnest(${arrays(layout, columns)}) AS k (param, rid, born, ${columns.join(', ')})`;
  return { text, columns };
});

/** layout ─▶ the statement that ends rows: param, rid, gone and what tells values apart. */
const endOf = remembered((layout) => {
  const { table, identity } = layout;
  const same = ['param', 'rid', ...identity].map((column) => `t.${column} = k.${column}`).join(' AND ');
  const text = `UPDATE ${table} t SET gone = k.gone
    FROM unnest(${arrays(layout, identity)}) AS k (${['param', 'rid', 'gone', ...identity].join(', ')}) WHERE ${same} AND t.gone IS NULL`;
  return { text, columns: identity };
});

function remembered(make: (layout: RowLayout) => Statement): (layout: RowLayout) => Statement {
  const made = new Map<RowLayout, Statement>();
  return (layout) => {
    const known = made.get(layout);
    if (known) return known;
    const statement = make(layout);
    made.set(layout, statement);
    return statement;
  };
}

function arrays({ table }: RowLayout, columns: readonly string[]): string {
  const types = ['int', 'int8', 'int8', ...columns.map((column) => typeOf(table, column))];
  return types.map((type, i) => `$${i + 1}::${type}[]`).join(', ');
}

function typeOf(table: string, column: string): string {
  if (!/^(low|high|[lh]\d)$/.test(column)) return 'text';
  return table === 'date_row' ? 'int8' : 'float8';
}

function cellsOf(
  rows: readonly NumberedRow[],
  layout: RowLayout,
  columns: readonly string[],
  numbering: Numbering,
): string[] {
  const { written = (some) => some } = layout;
  const cells = rows.map(({ row }) => written(layout.cells(row.value)));
  const places = columns.map((column) => layout.columns.indexOf(column));
  return [
    arrayOf(rows.map(({ row }) => numbering.get(row.parameter) as number)),
    arrayOf(rows.map(({ rid }) => rid)),
    arrayOf(rows.map(({ sequence }) => sequence)),
    ...places.map((place) => arrayOf(cells.map((some) => some[place] as Value))),
  ];
}
