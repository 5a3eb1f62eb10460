/**
 * The text of the search compiler ─▶ text whose plan is fixed. The planner may use neither statistics nor guesses to turn the
 * order of things round: `OFFSET 0` is a fence that it does not look through.
 */
const fence = ' OFFSET 0';

/** A whole code, id or text: behind it, the index has the numbers of the resources in order. */
const whole = /^\(*\w+\.(?:code|id|norm|c1) = \?/;

/** What an index begins with, and so finds: a range of it, or one of several values. */
const bound = /\.(?:code|id|norm|c1|low) (?:=|>=?|<=?|BETWEEN) |@>/;

/** A page without sorting whose driver is a row table: its alias, and what is behind the parenthesis of its condition. */
const flatPage =
  /^SELECT (?:DISTINCT )?(\w+)\.rid AS rid FROM \w+_row \1 WHERE \1\.param = -?\d+ AND \((.*) ORDER BY \1\.rid LIMIT \d+$/s;

/** The beginning of a condition on a resource: its table, alias and number, its parameter, and where the values follow. */
const lookup = /EXISTS \(SELECT 1 FROM (\w+_row) (\w+) WHERE \2\.rid = (\w+\.rid) AND \2\.param = (-?\d+) AND (?=\()/g;

/** The rows of a resource that a sort key is made of. */
const sortRows = /FROM (\w+_row) s WHERE s\.rid = c\.rid AND s\.param IN \(([-\d, ]+)\)/g;

/** Fixes the plan of a page. */
export function fixedPage(text: string): string {
  return fencedSorting(fixedConditions(sortedDriver(text)));
}

/** Fixes the plan of the conditions on a resource. */
export function fixedConditions(text: string): string {
  return fencedExists(lookedUpByResource(text));
}

/** Each EXISTS is a look at one resource, not a join whose order the planner chooses. */
function fencedExists(text: string): string {
  const ends = [...text.matchAll(/EXISTS \(/g)].map((match) => closing(text, match.index + match[0].length - 1));
  let result = '';
  let from = 0;
  for (const end of ends.sort((a, b) => a - b)) {
    result += text.slice(from, end) + fence;
    from = end;
  }
  return result + text.slice(from);
}

/**
 * The rows of one resource are found by its number, not by the values: a range of those has any number of rows. A whole
 * value and the number are found together.
 */
function lookedUpByResource(text: string): string {
  return text.replace(lookup, (all, table, alias, rid, param, at: number) => {
    const condition = text.slice(at + all.length, closing(text, at + all.length) + 1);
    if (isWhole(condition)) return all;
    return `EXISTS (SELECT 1 FROM (SELECT * FROM ${table} WHERE param = ${param} AND rid = ${rid}${fence}) ${alias} WHERE `;
  });
}

/**
 * Sort keys are looked up once for each resource, however often the order and the place speak of them; and by its number,
 * not by a walk from the smallest value on until one of the resource comes.
 */
function fencedSorting(text: string): string {
  if (!text.includes(' AS k0')) return text;
  return text
    .replace(/\) p (WHERE|ORDER BY) /, `${fence}) p $1 `)
    .replace(sortRows, `FROM (SELECT * FROM $1 WHERE param IN ($2) AND rid = c.rid${fence}) s WHERE 1 = 1`);
}

/**
 * What a range or several values find is not in the order of pages. Left alone, the planner may walk all rows of the parameter
 * in that order instead, and hope to meet enough that fit. No index has the order of a sum. Where no index helps to find,
 * the walk is right: it ends with the page.
 */
function sortedDriver(text: string): string {
  const [, driver, where = ''] = flatPage.exec(text) ?? [];
  if (!driver || !isRange(where.slice(0, closing(`(${where}`, 0) - 1))) return text;
  return text
    .replace(`${driver}.rid AS rid`, `${driver}.rid + 0 AS rid`)
    .replace(new RegExp(` ORDER BY ${driver}\\.rid (LIMIT \\d+)$`), ' ORDER BY rid $1');
}

function isRange(condition: string): boolean {
  if (condition.includes('NOT ') || isWhole(condition)) return false;
  return condition.split(' OR ').every((part) => bound.test(part));
}

function isWhole(condition: string): boolean {
  return whole.test(condition) && !condition.includes(' OR ');
}

/** Where a parenthesis that opens at a place closes. */
function closing(text: string, open: number): number {
  let depth = 0;
  for (let i = open; i < text.length; i++) {
    if (text[i] === '(') depth++;
    else if (text[i] === ')' && --depth === 0) return i;
  }
  return text.length;
}
