/** How search values stand in tables: the same columns in every database. */
import type { IndexKind, SearchValue, SimpleValue } from '../fhir/search/values.ts';
import { rowKey, wordsOf } from '../fhir/search/values.ts';
import { indexKey } from './index-key.ts';
import { tables } from './predicate.ts';

export type Cell = string | number | null;

/** A table of search rows; every one has `param`, `rid`, `born` and `gone` besides. */
export interface RowLayout {
  readonly table: string;
  readonly columns: readonly string[];
  /** Of the columns, those that tell two values of a parameter apart. */
  readonly identity: readonly string[];
  cells(value: SearchValue): Cell[];
  /** What becomes of the cells where rows are written (for SQLite in a thread of its own); nothing by default. */
  readonly written?: (cells: readonly Cell[]) => Cell[];
}

function layout<K extends IndexKind>(
  kind: K,
  columns: readonly string[],
  cells: (value: Extract<SearchValue, { kind: K }>) => Cell[],
  identity: readonly string[] = columns,
): RowLayout {
  return { table: tables[kind], columns, identity, cells: cells as RowLayout['cells'] };
}

const partColumns = [1, 2, 3].flatMap((part) => ['c', 's', 'l', 'h'].map((letter) => letter + part));

export const layouts: Readonly<Record<IndexKind, RowLayout>> = {
  token: layout('token', ['code', 'system'], ({ code, system }) => [indexKey(code), indexKey(system)]),
  string: layout('string', ['norm', 'text'], ({ norm, text }) => [norm, text]),
  date: layout('date', ['low', 'high'], ({ low, high }) => [low, high]),
  reference: layout('reference', ['id', 'target'], ({ id, target }) => [indexKey(id), target]),
  number: layout('number', ['low', 'high'], ({ low, high }) => [low, high]),
  position: layout('position', ['low', 'high'], ({ latitude, longitude }) => [latitude, longitude]),
  quantity: layout('quantity', ['low', 'high', 'system', 'code'], ({ low, high, system, code }) => [
    low,
    high,
    indexKey(system),
    indexKey(code),
  ]),
  composite: layout(
    'composite',
    ['key', ...partColumns],
    (value) => {
      const cells = value.parts.flatMap(partCells);
      // The first part begins the index, which takes no NULL.
      cells[0] ??= '';
      return [indexKey(rowKey(value)), ...cells, ...new Array<null>(partColumns.length - cells.length).fill(null)];
    },
    ['c1', 'key'],
  ),
  text: {
    ...layout('text', ['words'], ({ text }) => [text], []),
    written: ([text]) => [[...wordsOf(text as string)].join(' ')],
  },
};

/** `c s l h`: code or norm or id, system or text or target, and a range. */
function partCells(value: SimpleValue): Cell[] {
  switch (value.kind) {
    case 'token':
      return [indexKey(value.code), indexKey(value.system), null, null];
    case 'string':
      return [value.norm, value.text, null, null];
    case 'reference':
      return [indexKey(value.id), value.target, null, null];
    case 'quantity':
      return [indexKey(value.code), indexKey(value.system), value.low, value.high];
    default:
      return [null, null, value.low, value.high];
  }
}

/** Every table once. */
export const rowTables: readonly string[] = [...new Set(Object.values(layouts).map(({ table }) => table))];
