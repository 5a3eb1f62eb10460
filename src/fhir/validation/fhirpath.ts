/**
 * FHIRPath ─▶ closures over JSON, for invariants. @medplum/core parses; its evaluator is not used, because it answers
 * `descendants()` with nothing, compares dates as texts and finds duplicates in quadratic time: docs/decisions/0014.
 * R4's own invariants run in time linear in the resource; what clients write is timed by who runs it.
 */
import { EmptySetAtom, FunctionAtom, InfixOperatorAtom, LiteralAtom, parseFhirPath, SymbolAtom } from '@medplum/core';
import { elementOf, elementsOf, isPrimitive, isResourceType } from '../definitions.ts';
import type { Json } from '../types.ts';
import { callFunction } from './functions.ts';
import {
  type Atom,
  bothFixed,
  constant,
  held,
  identity,
  keysOf,
  type Part,
  type Place,
  type Run,
  type Surroundings,
} from './parts.ts';
import { distinct, equal, type Items, isObject, keyOf, no, nothing, ofBoolean, ordered, truth, yes } from './values.ts';

/** Says whether an invariant holds; where FHIRPath cannot decide, it does not. */
export type Invariant = (value: unknown, around: Surroundings) => boolean;

/**
 * Compiles an expression for elements of one type (`Patient.contact`, `Period`).
 * @throws Error for what is no FHIRPath, for a function that we do not have, for an element that the type does not have
 */
export function compileInvariant(expression: string, type: string): Invariant {
  const { run } = compile(parseFhirPath(expression).child as Atom, identity(type), { self: type, context: type });
  return (context, { resource, root, contained }) => {
    const focus = [context];
    return truth(run(focus, focus, { resource, root, contained, context })) === true;
  };
}

function compile(atom: Atom, input: Part, place: Place): Part {
  if (atom instanceof LiteralAtom) return constant([atom.value.value], atom.value.type);
  if (atom instanceof EmptySetAtom) return constant(nothing, '');
  if (atom instanceof SymbolAtom) return compileSymbol(atom.name, input, place);
  if (atom instanceof FunctionAtom)
    return callFunction(atom.name, { args: atom.args as Atom[], input, place, compile });
  if (atom instanceof InfixOperatorAtom) return compileInfix(atom, input, place);
  throw new Error('FHIRPath: an expression of a kind that is not supported');
}

function compileInfix({ operator, left, right }: InfixOperatorAtom, input: Part, place: Place): Part {
  if (operator === '.') return compile(right as Atom, compile(left as Atom, input, place), place);
  const operand = (atom: unknown): Part => held(compile(atom as Atom, identity(place.self), place));
  const of = operand(left);
  if (operator === 'is' || operator === 'as')
    return callFunction(operator, { args: [right as Atom], input: of, place, compile });
  const other = operand(right);
  const type = operator === '|' ? (of.type === other.type ? of.type : '') : '';
  return { run: infix(operator, of, other), type, fixed: bothFixed(of.fixed, other.fixed) };
}

function infix(operator: string, left: Part, right: Part): Run {
  const [l, r] = [left.run, right.run];
  switch (operator) {
    case 'and':
    case 'or':
    case 'xor':
    case 'implies':
      return logical(operator, l, r);
    case '=':
      return (_, self, scope) => ofBoolean(equal(l(self, self, scope), r(self, self, scope)));
    case '!=':
      return (_, self, scope) => not(equal(l(self, self, scope), r(self, self, scope)));
    case '<':
    case '<=':
    case '>':
    case '>=':
      return (_, self, scope) => ofBoolean(ordered(operator, l(self, self, scope), r(self, self, scope)));
    case '+':
      return (_, self, scope) => sum(l(self, self, scope), r(self, self, scope));
    case '&':
      return (_, self, scope) => [`${l(self, self, scope)[0] ?? ''}${r(self, self, scope)[0] ?? ''}`];
    case '|':
      return (_, self, scope) => distinct([...l(self, self, scope), ...r(self, self, scope)]);
    case 'in':
      return within(left, right);
    case 'contains':
      return within(right, left);
    default:
      throw new Error(`FHIRPath: the operator ${operator} is not supported`);
  }
}

function not(value: boolean | undefined): Items {
  return ofBoolean(value === undefined ? undefined : !value);
}

/** FHIRPath N1 6.5: three values; what the left side decides is not asked of the right. */
function logical(operator: string, left: Run, right: Run): Run {
  return (_, self, scope) => {
    const a = truth(left(self, self, scope));
    if (operator === 'and' && a === false) return no;
    if (operator === 'or' && a === true) return yes;
    if (operator === 'implies' && a === false) return yes;
    const b = truth(right(self, self, scope));
    if (operator === 'and') return b === false ? no : ofBoolean(a && b);
    if (operator === 'or') return b === true ? yes : a === false ? ofBoolean(b) : nothing;
    if (operator === 'implies') return b === true ? yes : a ? ofBoolean(b) : nothing;
    return a === undefined || b === undefined ? nothing : ofBoolean(a !== b);
  };
}

function sum(left: Items, right: Items): Items {
  const [a, b] = [left[0], right[0]];
  if (typeof a === 'number' && typeof b === 'number') return [a + b];
  return typeof a === 'string' && typeof b === 'string' ? [a + b] : nothing;
}

function within(item: Part, list: Part): Run {
  const keys = keysOf(list);
  return (_, self, scope) => {
    const items = item.run(self, self, scope);
    return items.length === 0 ? nothing : ofBoolean(items.length === 1 && keys(self, scope).has(keyOf(items[0])));
  };
}

function compileSymbol(name: string, input: Part, place: Place): Part {
  if (name === '$this') return { run: (_, self) => self, type: place.self };
  if (name.startsWith('%')) return variable(name, place);
  // A path may begin with the type: `Appointment.status`.
  if (isResourceType(name) && (input.type === name || input.type === '')) return { ...input, type: name };
  return step(name, name === 'extension' ? (input.shadow?.() ?? input) : input);
}

function variable(name: string, { context }: Place): Part {
  const type = context.split('.')[0] as string;
  switch (name) {
    case '%ucum':
      return constant(['http://unitsofmeasure.org'], 'uri');
    case '%context':
      return { run: (_, __, scope) => [scope.context], type: context, fixed: 'scope' };
    case '%resource':
      // Data types stand in many resources.
      return { run: (_, __, scope) => [scope.resource], type: isResourceType(type) ? type : '', fixed: 'scope' };
    case '%rootResource':
      return { run: (_, __, scope) => [scope.root], type: '', fixed: 'scope' };
    default:
      throw new Error(`FHIRPath: there is no variable ${name}`);
  }
}

/** One element further. */
function step(name: string, input: Part): Part {
  const open = input.type === '' || input.type === 'Resource';
  const element = open ? undefined : elementOf(input.type, name);
  const of = (keys: readonly string[], type: string): Part => ({
    run: getter(input.run, keys),
    type,
    fixed: input.fixed,
    ...(isPrimitive(type) && { shadow: () => of([`_${name}`], 'Element') }),
  });
  if (open || element) return of([name], element?.type ?? '');
  const choices = Object.entries(elementsOf(input.type) ?? {}).filter(([, row]) => row.choice === name);
  if (choices.length === 0) throw new Error(`FHIRPath: ${input.type} has no element ${name}`);
  const oneOf = (rows: typeof choices): Part =>
    of(
      rows.map(([key]) => key),
      rows.length === 1 ? rows[0]![1].type : '',
    );
  return { ...oneOf(choices), narrow: (type) => oneOf(choices.filter(([, row]) => row.type === type)) };
}

function getter(input: Run, keys: readonly string[]): Run {
  // Of many choices the object has one: going by its own few keys is quicker than asking for each.
  const many =
    keys.length > 3 ? new Map(keys.flatMap((key) => [[key, key] as const, [`_${key}`, key] as const])) : undefined;
  return (focus, self, scope) => {
    const found: unknown[] = [];
    for (const item of input(focus, self, scope)) {
      if (!isObject(item)) continue;
      if (!many) for (const key of keys) collect(item, key, found);
      else {
        const there = Object.keys(item).find((key) => many.has(key));
        if (there) collect(item, many.get(there) as string, found);
      }
    }
    return found;
  };
}

/** A primitive is its value or, where it has only an extension, the object that carries it. R4 json.html#primitive. */
function collect(node: Json, key: string, found: unknown[]): void {
  const value: unknown = Object.hasOwn(node, key) ? node[key] : undefined;
  const shadow: unknown = Object.hasOwn(node, `_${key}`) ? node[`_${key}`] : undefined;
  if (value === undefined && shadow === undefined) return;
  if (!Array.isArray(value) && !Array.isArray(shadow)) {
    found.push(value ?? shadow);
    return;
  }
  const [values, shadows] = [(value ?? []) as unknown[], (shadow ?? []) as unknown[]];
  for (let i = 0; i < Math.max(values.length, shadows.length); i++) {
    const item = values[i] ?? shadows[i];
    if (item !== undefined && item !== null) found.push(item);
  }
}
