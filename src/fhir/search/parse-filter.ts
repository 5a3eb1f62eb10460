/** One search parameter with its value ─▶ a filter. R4 search.html#modifiers, #chaining, #has. */
import { Failure } from '../../outcome.ts';
import { isResourceType } from '../definitions.ts';
import type { Filter } from './filter.ts';
import { parseFilterExpression } from './filter-expression.ts';
import type { SearchParameter, SearchParameters } from './parameters.ts';
import { chains } from './parse-chain.ts';
import { malformed, parseValue, splitValues, unescapeValue, WrongModifier } from './parse-value.ts';
import { QueryBudget } from './query-budget.ts';

/**
 * @param name the parameter as the URL names it, with chains and modifiers
 * @returns undefined when the type has no such parameter
 * @throws Failure `malformed` that names the parameter; `too-costly` for a chain over too many types
 */
export function parseFilter(
  type: string,
  name: string,
  value: string,
  parameters: SearchParameters,
  budget = new QueryBudget(),
): Filter | undefined {
  budget.spend(name);
  if (name.startsWith('_has:')) return parseHas(type, name, value, parameters, budget);
  if (name === '_filter') return parseFilterExpression(type, value, parameters, budget);
  if (name === '_list') return parseList(type, value, parameters, budget);
  const dot = name.indexOf('.');
  if (dot > 0) return parseChain(type, name.slice(0, dot), name.slice(dot + 1), value, parameters, budget);
  const [code = '', ...rest] = name.split(':');
  const modifier = rest.join(':');
  if (code === '_id') return parseIds(name, modifier, value, budget);
  const parameter = parameters.of(type).get(code);
  if (!parameter) return undefined;
  return parseModified(name, parameter, modifier, value, parameters, budget);
}

function valuesOf(name: string, text: string, budget: QueryBudget): string[] {
  const values = splitValues(name, text);
  budget.spendValues(name, values.length);
  return values;
}

function parseIds(name: string, modifier: string, value: string, budget: QueryBudget): Filter {
  if (modifier !== '' && modifier !== 'not') throw new WrongModifier(name);
  const filter: Filter = { kind: 'ids', ids: valuesOf(name, value, budget).map(unescapeValue) };
  return modifier === 'not' ? { kind: 'not', filter } : filter;
}

function parseModified(
  name: string,
  parameter: SearchParameter,
  modifier: string,
  value: string,
  parameters: SearchParameters,
  budget: QueryBudget,
): Filter {
  if (modifier === 'missing') {
    if (value !== 'true' && value !== 'false') throw malformed(name, 'must be true or false');
    return { kind: 'missing', parameter, missing: value === 'true' };
  }
  // `:not-in` is `:in` turned round, as `:not` is equality turned round: resources without a value match both.
  const positive = modifier === 'not' ? '' : modifier === 'not-in' ? 'in' : modifier;
  if (positive !== modifier && parameter.declared !== 'token')
    throw new WrongModifier(name, `the modifier is not supported for a parameter of type ${parameter.declared}`);
  const looked = parameter.modified.find(({ aspect }) => aspect === positive) ?? parameter;
  const values = valuesOf(name, value, budget).flatMap((text) => parseValue(name, looked, positive, text, parameters));
  const filter: Filter = { kind: 'values', parameter: looked, values };
  return positive === modifier ? filter : { kind: 'not', filter };
}

/** `subject:Patient.name`: without a type, every target of the parameter that has what follows. */
function parseChain(
  type: string,
  head: string,
  rest: string,
  value: string,
  parameters: SearchParameters,
  budget: QueryBudget,
): Filter | undefined {
  const [code = '', only, ...more] = head.split(':');
  const parameter = parameters.of(type).get(code);
  if (!parameter) return undefined;
  if (parameter.kind !== 'reference') throw malformed(head, 'a chain goes on from a reference parameter only');
  if (more.length > 0 || (only !== undefined && !isResourceType(only)))
    throw new WrongModifier(head, 'the modifier of a chain is a resource type');
  const targets = only === undefined ? parameter.targets : [only];
  return chains(parameter, targets, (target) =>
    budget.follow(head, () => parseFilter(target, rest, value, parameters, budget)),
  );
}

/** `_has:Observation:patient:code=1234`. */
function parseHas(
  type: string,
  name: string,
  value: string,
  parameters: SearchParameters,
  budget: QueryBudget,
): Filter | undefined {
  const [, source = '', code = '', ...rest] = name.split(':');
  const parameter = isResourceType(source) ? parameters.of(source).get(code) : undefined;
  if (parameter?.kind !== 'reference' || rest.length === 0)
    throw malformed(name, 'is not _has:[type]:[reference parameter]:[parameter]');
  if (parameter.targets.length > 0 && !parameter.targets.includes(type))
    throw malformed(name, `${source}:${code} does not refer to ${type}`);
  const filter = budget.follow('_has', () => parseFilter(source, rest.join(':'), value, parameters, budget));
  return filter && { kind: 'has', type, parameter, filters: [filter] };
}

/** R4 search.html#list: what a List names. The functional lists (`$current-…`) are not kept here. */
function parseList(type: string, value: string, parameters: SearchParameters, budget: QueryBudget): Filter {
  const ids = valuesOf('_list', value, budget).map(unescapeValue);
  if (ids.some((id) => !/^[A-Za-z0-9\-.]{1,64}$/.test(id)))
    throw malformed('_list', 'is not the id of a List; functional lists are not supported');
  const parameter = parameters.of('List').get('item');
  if (!parameter) throw new Failure('internal', 'List has no parameter item');
  return { kind: 'has', type, parameter, filters: [{ kind: 'ids', ids }] };
}
