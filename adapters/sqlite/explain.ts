/** What SQLite does with a search: for operators, and for the golden file of the tests. */
import type Database from 'better-sqlite3';
import type { Sql } from '../../src/store/sql.ts';

/** The statement with its plan, in lines. Numbers of parameters are shown as their names; values are not shown. */
export function explained(db: Database.Database, { text, values }: Sql): string {
  const named = new Map(
    (
      db.prepare('SELECT param, type, code FROM parameter').all() as { param: number; type: string; code: string }[]
    ).map(({ param, type, code }) => [String(param), `${type}.${code}`]),
  );
  const name = (number: string): string => named.get(number) ?? number;
  const shown = text
    .replace(/\bparam = (\d+)/g, (_, number: string) => `param = ${name(number)}`)
    .replace(
      /\bparam IN \(([\d, ]+)\)/g,
      (_, numbers: string) => `param IN (${numbers.split(', ').map(name).join(', ')})`,
    );
  const steps = db.prepare(`EXPLAIN QUERY PLAN ${text}`).all(...values) as Step[];
  return [...lines(shown), '', ...planOf(steps, 0, '')].join('\n');
}

interface Step {
  readonly id: number;
  readonly parent: number;
  readonly detail: string;
}

function planOf(steps: readonly Step[], parent: number, indent: string): string[] {
  return steps
    .filter((step) => step.parent === parent)
    .flatMap(({ id, detail }) => [`${indent}${detail}`, ...planOf(steps, id, `${indent}  `)]);
}

const clause =
  /(?= (?:FROM|CROSS JOIN|WHERE|UNION ALL|UNION|ORDER BY|AND (?!\d)|OR) )| ?(?=\bSELECT )|(?=[()])|(?<=[()])/;

/** A line for each clause, indented by its parentheses; what is short stays on its line. */
function lines(text: string): string[] {
  const found: string[] = [];
  let line = '';
  let depth = 0;
  const opened: boolean[] = [];
  const flush = (): void => {
    if (line.trim() !== '') found.push(`${'  '.repeat(depth)}${line.trim()}`);
    line = '';
  };
  const parts = text.replace(/\s+/g, ' ').split(clause);
  for (const [i, part] of parts.entries()) {
    if (part === '(') {
      line += part;
      const breaks = /^ ?SELECT /.test(parts[i + 1] ?? '');
      if (breaks) {
        flush();
        depth++;
      }
      opened.push(breaks);
    } else if (part === ')') {
      if (opened.pop()) {
        flush();
        depth--;
      }
      line += part;
    } else {
      if (/^ (?:FROM|CROSS JOIN|WHERE|UNION|ORDER BY)/.test(part)) flush();
      if (/^ (?:AND|OR) /.test(part) && opened.at(-1) !== false) flush();
      line += part;
    }
  }
  flush();
  return found;
}
