/** `_filter=name co "Anna" and not (birthdate lt 1990)`. R4 search_filter.html. */
import { type Filter, type FilterValue, prefixes } from './filter.ts';
import type { SearchParameter, SearchParameters } from './parameters.ts';
import { chains } from './parse-chain.ts';
import { malformed, parseValue, shortened, stringFilter } from './parse-value.ts';
import type { QueryBudget } from './query-budget.ts';

const depthMax = 30;

/** Kinds of parameters whose values take a prefix. */
const ordered: ReadonlySet<string> = new Set(['date', 'number', 'quantity']);

interface Token {
  readonly kind: 'word' | 'text' | 'open' | 'close';
  readonly text: string;
}

/** @throws Failure `malformed` that says what was expected */
export function parseFilterExpression(
  type: string,
  text: string,
  parameters: SearchParameters,
  budget: QueryBudget,
): Filter {
  return new Parser(type, tokens(text), parameters, budget).whole();
}

function tokens(text: string): Token[] {
  const found: Token[] = [];
  const pattern = /\s*(?:(\()|(\))|"((?:[^"\\]|\\.)*)"|([^\s()"]+))/gsy;
  const end = text.trimEnd().length;
  while (pattern.lastIndex < end) {
    const match = pattern.exec(text);
    if (!match) throw malformed('_filter', 'a quotation mark is not closed');
    const [, open, close, quoted, word] = match;
    if (open) found.push({ kind: 'open', text: '(' });
    else if (close) found.push({ kind: 'close', text: ')' });
    else if (word !== undefined) found.push({ kind: 'word', text: word });
    else found.push({ kind: 'text', text: (quoted as string).replace(/\\(.)/gs, '$1') });
  }
  return found;
}

class Parser {
  readonly #type: string;
  readonly #tokens: readonly Token[];
  readonly #parameters: SearchParameters;
  readonly #budget: QueryBudget;
  #at = 0;

  constructor(type: string, tokens: readonly Token[], parameters: SearchParameters, budget: QueryBudget) {
    this.#type = type;
    this.#tokens = tokens;
    this.#parameters = parameters;
    this.#budget = budget;
  }

  whole(): Filter {
    const filter = this.#logical(0);
    if (this.#at < this.#tokens.length)
      throw malformed('_filter', `'and', 'or' or the end is expected at word ${this.#at + 1}`);
    return filter;
  }

  /** "Logical expressions are evaluated left to right, with no precedence between `and` and `or`." */
  #logical(depth: number): Filter {
    if (depth > depthMax) throw malformed('_filter', `is nested deeper than ${depthMax} levels`);
    let filter = this.#operand(depth);
    for (let kind = this.#operator(); kind; kind = this.#operator()) {
      const filters: Filter[] = [filter];
      for (let next: typeof kind | undefined = kind; next === kind; next = this.#operator()) {
        this.#at++;
        filters.push(this.#operand(depth));
      }
      filter = { kind, filters };
    }
    return filter;
  }

  #operator(): 'all' | 'any' | undefined {
    const next = this.#peek();
    return next?.kind !== 'word' ? undefined : next.text === 'and' ? 'all' : next.text === 'or' ? 'any' : undefined;
  }

  #operand(depth: number): Filter {
    const next = this.#peek();
    if (next?.kind === 'word' && next.text === 'not' && this.#tokens[this.#at + 1]?.kind === 'open') {
      this.#at++;
      return { kind: 'not', filter: this.#group(depth) };
    }
    return next?.kind === 'open' ? this.#group(depth) : this.#comparison();
  }

  #group(depth: number): Filter {
    this.#at++;
    const filter = this.#logical(depth + 1);
    if (this.#take()?.kind !== 'close') throw malformed('_filter', "a ')' is missing");
    return filter;
  }

  #comparison(): Filter {
    const [path, operator, value] = [this.#take(), this.#take(), this.#take()];
    if (path?.kind !== 'word' || operator?.kind !== 'word' || !value || !['word', 'text'].includes(value.kind))
      throw malformed('_filter', 'parameter, operator and value are expected');
    return this.#compare(this.#type, path.text, operator.text, value.text);
  }

  #compare(type: string, path: string, operator: string, text: string): Filter {
    this.#budget.spend('_filter');
    const dot = path.indexOf('.');
    if (dot > 0) return this.#chain(type, path.slice(0, dot), path.slice(dot + 1), operator, text);
    if (path === '_id') return idFilter(operator, text);
    const parameter = this.#parameters.of(type).get(path);
    if (!parameter) throw malformed('_filter', `${type} has no search parameter '${shortened(path)}' here`);
    if (operator === 'pr') {
      if (text !== 'true' && text !== 'false') throw malformed('_filter', 'pr is true or false');
      return { kind: 'missing', parameter, missing: text === 'false' };
    }
    if (operator === 'ni')
      return { kind: 'not', filter: { kind: 'values', parameter, values: this.#values(parameter, 'in', text) } };
    // "An item in the set has an unequal value": not the same as no item that is equal. What is ordered has a prefix for it.
    const except = operator === 'ne' && !ordered.has(parameter.declared);
    const values = this.#values(parameter, except ? 'eq' : operator, text);
    return { kind: 'values', parameter, values, ...(except && { except }) };
  }

  #chain(type: string, code: string, rest: string, operator: string, text: string): Filter {
    const parameter = this.#parameters.of(type).get(code);
    if (parameter?.kind !== 'reference')
      throw malformed('_filter', `${type} has no reference parameter '${shortened(code)}' here`);
    const filter = chains(parameter, parameter.targets, (target) =>
      this.#budget.follow('_filter', () => this.#compare(target, rest, operator, text)),
    );
    if (!filter) throw malformed('_filter', `'${code}' names no type that is known here`);
    return filter;
  }

  #values(parameter: SearchParameter, operator: string, text: string): FilterValue[] {
    const parse = (modifier: string, value: string): FilterValue[] =>
      parseValue('_filter', parameter, modifier, value, this.#parameters);
    const kind = parameter.declared;
    if (parameter.kind === 'text') {
      if (operator === 'eq' || operator === 'co') return parse('', text);
    } else if (kind === 'string') {
      const match = ({ eq: 'equal', co: 'contains', sw: 'prefix', ew: 'suffix' } as const)[operator as 'eq'];
      if (match) return [stringFilter('_filter', match, text)];
    } else if (ordered.has(kind)) {
      if ((prefixes as readonly string[]).includes(operator)) return parse('', operator + text);
      if (operator === 'po' && kind === 'date')
        return parse('', text).flatMap((it) => (it.kind === 'date' ? [{ ...it, prefix: 'overlap' as const }] : []));
    } else if (operator === 'eq' || (operator === 're' && kind === 'reference')) return parse('', text);
    else if (kind === 'token' || kind === 'uri') {
      if (operator === 'sw') return [{ kind: 'prefix', text }];
      if (operator === 'in' && kind === 'token') return parse('in', text);
      // "True if the value subsumes a concept in the set": the concept is below the value.
      if (operator === 'ss') return parse('below', text);
      if (operator === 'sb') return parse('above', text);
    }
    throw malformed(
      '_filter',
      `the operator '${operator.slice(0, 10)}' is not supported for a parameter of type ${kind}`,
    );
  }

  #peek(): Token | undefined {
    return this.#tokens[this.#at];
  }

  #take(): Token | undefined {
    return this.#tokens[this.#at++];
  }
}

function idFilter(operator: string, text: string): Filter {
  const filter: Filter = { kind: 'ids', ids: [text] };
  if (operator === 'eq') return filter;
  if (operator === 'ne') return { kind: 'not', filter };
  throw malformed('_filter', '_id takes eq and ne');
}
