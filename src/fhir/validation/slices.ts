/** Which slice a value is of. R4 profiling.html#discriminator. */
import { type Item, itemsAt } from './items.ts';
import type { Rule, Slicing } from './rules.ts';
import { includes, isObject } from './values.ts';

/**
 * @returns the name of the slice; undefined when the value is of none; `unknown` when a discriminator goes where we cannot
 *   follow (`resolve()`, a profile), so that nothing can be said of the slicing
 */
export function sliceOf(item: Item, { discriminators, slices }: Slicing): { name: string | undefined } | 'unknown' {
  for (const [name, slice] of slices) {
    let all: boolean | undefined = true;
    for (const { type, path } of discriminators) {
      const answer = matches(item, slice, type, stepsOf(path));
      if (answer === false) all = false;
      else if (answer === undefined && all) all = undefined;
    }
    if (all === undefined) return 'unknown';
    if (all) return { name };
  }
  return { name: undefined };
}

type Step = { readonly name: string; readonly url?: string };

/** `$this`, `coding.code`, `extension('url').value`; undefined for more than that. */
function stepsOf(path: string): Step[] | undefined {
  if (path === '$this') return [];
  const steps: Step[] = [];
  let rest = path.replace(/^\$this\./, '');
  while (rest !== '') {
    const match = /^([A-Za-z]+)(?:\('([^']*)'\))?(?:\.|$)/.exec(rest);
    if (!match || (match[2] !== undefined && match[1] !== 'extension')) return undefined;
    steps.push({ name: match[1] as string, ...(match[2] !== undefined && { url: match[2] }) });
    rest = rest.slice(match[0].length);
  }
  return steps;
}

function matches(item: Item, slice: Rule, type: string, steps: readonly Step[] | undefined): boolean | undefined {
  if (!steps) return undefined;
  const found = follow([item], steps);
  if (type === 'value' || type === 'pattern') {
    const wanted = expected(slice, steps);
    return wanted.length === 0 ? undefined : found.some(({ value }) => wanted.some((it) => includes(value, it)));
  }
  const [rule] = rulesAt(slice, steps);
  if (!rule) return undefined;
  if (type === 'type') return found.some((it) => rule.types.has(it.type));
  if (type !== 'exists') return undefined;
  if (rule.max === 0) return found.length === 0;
  return rule.min > 0 ? found.length > 0 : undefined;
}

function follow(items: readonly Item[], steps: readonly Step[]): readonly Item[] {
  return steps.reduce<readonly Item[]>(
    (from, { name, url }) =>
      from
        .flatMap((it) => itemsAt(it, name))
        .filter(({ value }) => url === undefined || (isObject(value) && value.url === url)),
    items,
  );
}

/** The rules at a path, also those inside slices on the way. */
function rulesAt(rule: Rule, steps: readonly Step[]): Rule[] {
  const [step, ...rest] = steps;
  if (!step) return [rule];
  const child = rule.children.get(step.name);
  const slices = [...(child?.slicing?.slices.values() ?? [])];
  const on = step.url === undefined ? (child ? [child, ...slices] : []) : slices.filter((it) => urlOf(it) === step.url);
  return on.flatMap((it) => rulesAt(it, rest));
}

function urlOf(rule: Rule): unknown {
  return rule.children.get('url')?.fixed?.value ?? rule.profiles[0];
}

/** What a slice wants at a path: its fixed value or pattern there, or the part of one that stands above. */
function expected(rule: Rule, steps: readonly Step[]): unknown[] {
  const found: unknown[] = [];
  for (let depth = 0; depth <= steps.length; depth++)
    for (const above of rulesAt(rule, steps.slice(0, depth))) {
      const own = above.fixed ?? above.pattern;
      if (own) found.push(...dig(own.value, steps.slice(depth)));
      // An extension is told by its url, and that of a slice by its profile.
      if (depth === steps.length - 1 && steps[depth]?.name === 'url') found.push(...above.profiles);
    }
  return found;
}

function dig(value: unknown, steps: readonly Step[]): unknown[] {
  return steps.reduce<unknown[]>(
    (from, { name }) => from.flatMap((it) => (isObject(it) && Object.hasOwn(it, name) ? [it[name]].flat() : [])),
    [value],
  );
}
