/** Regular expressions of clients (`regex` filters), with a bound on what matching may cost. */
import { Failure } from '../../outcome.ts';

export interface Pattern {
  /** True when the whole text matches. */
  test(text: string): boolean;
  /** The most steps that a text of this length can take: a backtracking matcher may try every way through. */
  steps(length: number): number;
}

const lengthMax = 200;
const repeatMax = 100;
const unsupported = 'uses what is not supported: groups that look around or have a name, loose brackets';

/** One piece of a pattern: an escape, a class, an opening or closing bracket, a bar, a quantifier, any other character. */
const pieces =
  /\\[pP]\{[^}]*\}|\\u\{[^}]*\}|\\.|\[(?:[^\]\\]|\\.)*\]|\(\?:|\((?!\?)|\)|\||(?<times>[*+?]|\{\d{1,4}(?:,\d{0,4})?\})\??|[^\\[\](){}*+?|]/suy;

/** How many ways there are through a pattern. */
interface Ways {
  /** By choices that do not depend on the text: bars, `?`, `{2,5}`. */
  readonly fixed: number;
  /** How many `*`, `+`, `{2,}` there are: each may end anywhere. */
  readonly open: number;
}

/**
 * @throws Failure `invalid` for what is no regular expression, is too long, repeats a group, looks around or refers back
 */
export function compilePattern(source: string): Pattern {
  if (source.length > lengthMax) throw refused(`is longer than ${lengthMax} characters`);
  const { fixed, open } = count(source);
  let expression: RegExp;
  try {
    expression = new RegExp(`^(?:${source})$`, 'u');
  } catch {
    throw refused('is not a regular expression');
  }
  return {
    test: (text) => expression.test(text),
    steps: (length) => {
      let ways = fixed;
      // Open ends in a row: each choice of their places is one way.
      for (let i = 1; i <= open; i++) ways *= (length + i) / i;
      return ways * (length + source.length);
    },
  };
}

/** Ways through a group: through its alternatives so far, and through the one at hand. */
interface Group {
  done: number;
  here: number;
}

function count(source: string): Ways {
  const groups: Group[] = [{ done: 0, here: 1 }];
  let open = 0;
  let before = '';
  pieces.lastIndex = 0;
  while (pieces.lastIndex < source.length) {
    const match = pieces.exec(source);
    const group = groups.at(-1);
    if (!match || !group) throw refused(unsupported);
    const piece = match[0];
    const times = match.groups?.times;
    if (/^\\[1-9k]/.test(piece)) throw refused('refers back to a group');
    if (times) {
      if (before === ')' && times !== '?') throw refused('repeats a group');
      const [least, most] = limits(times);
      if (most === undefined) open++;
      else group.here *= most - least + 1;
    } else if (piece === '|') Object.assign(group, { done: group.done + group.here, here: 1 });
    else if (piece.startsWith('(')) groups.push({ done: 0, here: 1 });
    else if (piece === ')') {
      groups.pop();
      const outer = groups.at(-1);
      if (outer) outer.here *= group.done + group.here;
    }
    before = piece;
  }
  const [whole] = groups;
  if (!whole || groups.length > 1) throw refused(unsupported);
  return { fixed: whole.done + whole.here, open };
}

/** @returns at least, at most; the latter undefined without an end */
function limits(times: string): [number, number | undefined] {
  if (times === '?') return [0, 1];
  if (times === '*' || times === '+') return [0, undefined];
  const [least = 0, most] = times.slice(1, -1).split(',').map(Number);
  const end = times.includes(',') ? (times.endsWith(',}') ? undefined : most) : least;
  if (Math.max(least, end ?? 0) > repeatMax) throw refused(`repeats more than ${repeatMax} times`);
  return [least, end];
}

function refused(reason: string): Failure {
  return new Failure('invalid', `the regular expression of a filter ${reason}`);
}
