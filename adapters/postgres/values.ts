/** Values as PostgreSQL takes them. */

export type Value = string | number | boolean | null | Uint8Array;

/** Text of PostgreSQL has no U+0000. */
export function textOf(text: string): string {
  return text.includes('\0') ? text.replaceAll('\0', '\ufffd') : text;
}

/** A value of a statement. */
export function bindable(value: Value): Value {
  return typeof value === 'string' ? textOf(value) : value;
}

/** A column as an array literal: one value for `unnest`, whatever the number of rows. */
export function arrayOf(values: readonly Value[]): string {
  let literal = '{';
  for (let i = 0; i < values.length; i++) {
    if (i > 0) literal += ',';
    literal += elementOf(values[i] as Value);
  }
  return `${literal}}`;
}

function elementOf(value: Value): string {
  if (value === null) return 'NULL';
  if (typeof value === 'string') return `"${escaped(textOf(value))}"`;
  if (typeof value === 'object')
    return `"\\\\x${Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex')}"`;
  return String(value);
}

function escaped(text: string): string {
  return /["\\]/.test(text) ? text.replace(/["\\]/g, '\\$&') : text;
}

/** Rows turned into columns: what is missing is NULL. */
export function columnsOf<T extends object>(rows: readonly T[], names: readonly (keyof T)[]): string[] {
  return names.map((name) => arrayOf(rows.map((row) => (row[name] ?? null) as Value)));
}
