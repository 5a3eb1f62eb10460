/** The functions of FHIRPath that invariants use: R4's own, and those that profiles commonly take. */
import { InfixOperatorAtom, LiteralAtom, SymbolAtom } from '@medplum/core';
import { isResourceType } from '../definitions.ts';
import { type Atom, bothFixed, held, identity, keysOf, type Part, type Place, type Run, type Scope } from './parts.ts';
import { resolved } from './references.ts';
import { distinct, type Items, isObject, keyOf, no, nothing, ofBoolean, truth, yes } from './values.ts';

/** A function call: what it is called on, with what, and how its arguments are compiled. */
export interface Call {
  readonly args: readonly Atom[];
  readonly input: Part;
  readonly place: Place;
  readonly compile: (atom: Atom, input: Part, place: Place) => Part;
}

type Make = (call: Call) => Part;

/** @throws Error for a function that is not here, or not with such arguments */
export function callFunction(name: string, call: Call): Part {
  const make = functions.get(name);
  if (!make) throw new Error(`FHIRPath: the function ${name} is not supported`);
  return make(call);
}

/** A function of the whole collection; its type stays unless another is given. */
function whole(of: (items: Items) => Items, type?: string): Make {
  return ({ input }) => ({
    run: (focus, self, scope) => of(input.run(focus, self, scope)),
    type: type ?? input.type,
    fixed: input.fixed,
  });
}

/** A function with an expression that is asked of each item (`where`, `all`). */
function each(
  of: (items: Items, ask: (item: unknown) => Items) => Items,
  type?: (asked: Part, input: Part) => string,
): Make {
  return ({ args, input, place, compile }) => {
    const asked = compile(argument(args, 0), identity(input.type), { ...place, self: input.type });
    return {
      run: (focus, self, scope) =>
        of(input.run(focus, self, scope), (item) => {
          const one = [item];
          return asked.run(one, one, scope);
        }),
      type: type ? type(asked, input) : '',
      fixed: input.fixed,
    };
  };
}

/** A function that takes the value of another expression, which is about `$this`, not about what it is called on. */
function withValue(of: (items: Items, value: Items) => Items, type?: string): Make {
  return ({ args, input, place, compile }) => {
    const value = held(compile(argument(args, 0), identity(place.self), place));
    return {
      run: (focus, self, scope) => of(input.run(focus, self, scope), value.run(self, self, scope)),
      type: type ?? input.type,
      fixed: bothFixed(input.fixed, value.fixed),
    };
  };
}

/** A function of one text; of anything else it gives nothing. */
function onText(of: (text: string, value: unknown) => unknown): (items: Items, value?: Items) => Items {
  return (items, value) => {
    const text = items[0];
    if (items.length !== 1 || typeof text !== 'string') return nothing;
    const result = of(text, value?.[0]);
    return result === undefined ? nothing : [result];
  };
}

function argument(args: readonly Atom[], index: number): Atom {
  const atom = args[index];
  if (!atom) throw new Error('FHIRPath: a function lacks an argument');
  return atom;
}

function literal(args: readonly Atom[], index: number): string {
  const atom = argument(args, index);
  if (!(atom instanceof LiteralAtom) || typeof atom.value.value !== 'string')
    throw new Error('FHIRPath: a regular expression must be a literal');
  return atom.value.value;
}

/** `Quantity`, `FHIR.Quantity`, `System.Boolean`. */
function typeName(atom: Atom): string {
  if (atom instanceof SymbolAtom) return atom.name;
  if (atom instanceof InfixOperatorAtom && atom.operator === '.') return typeName(atom.right as Atom);
  throw new Error('FHIRPath: a type is a name');
}

const systemTypes = new Map<string, (value: unknown) => boolean>([
  ['Boolean', (value) => typeof value === 'boolean'],
  ['Integer', Number.isInteger],
  ['Decimal', (value) => typeof value === 'number'],
  ['String', (value) => typeof value === 'string'],
]);

/** @throws Error for a FHIR type, when nothing is known of the value: JSON does not say what it is */
function typeTest(type: string, known: string): (value: unknown) => boolean {
  if (type === 'Resource' || type === 'DomainResource') return (value) => isObject(value) && 'resourceType' in value;
  if (isResourceType(type)) return (value) => isObject(value) && value.resourceType === type;
  if (known === '') throw new Error(`FHIRPath: whether something is ${type} cannot be told here`);
  return () => known === type;
}

const ofType: Make = ({ args, input }) => {
  const type = typeName(argument(args, 0));
  const system = systemTypes.get(type);
  if (!system && input.narrow) return input.narrow(type);
  const test = system ?? typeTest(type, input.type);
  const run: Run = (focus, self, scope) => input.run(focus, self, scope).filter(test);
  return { run, type: system ? input.type : type, fixed: input.fixed };
};

const is: Make = (call) => {
  const { input } = call;
  const narrowed = ofType(call);
  return {
    run: (focus, self, scope) => {
      if (input.run(focus, self, scope).length !== 1) return nothing;
      return ofBoolean(narrowed.run(focus, self, scope).length === 1);
    },
    type: 'boolean',
    fixed: input.fixed,
  };
};

const iif: Make = ({ args, input, place, compile }) => {
  const about = { ...place, self: input.type };
  const [asked, then, otherwise] = args.map((atom) => compile(atom, identity(input.type), about));
  if (!asked || !then) throw new Error('FHIRPath: iif takes two or three arguments');
  return {
    run: (focus, self, scope) => {
      const items = input.run(focus, self, scope);
      const branch = truth(asked.run(items, items, scope)) === true ? then : otherwise;
      return branch?.run(items, items, scope) ?? nothing;
    },
    type: '',
  };
};

/** FHIRPath N1 5.6.8: a match anywhere in the text; a dot is also the end of a line. */
const matches: Make = (call) => {
  const pattern = new RegExp(literal(call.args, 0), 's');
  return whole(
    onText((text) => pattern.test(text)),
    'boolean',
  )(call);
};

const replaceMatches: Make = (call) => {
  const pattern = new RegExp(literal(call.args, 0), 'gs');
  const replacement = literal(call.args, 1);
  return whole(
    onText((text) => text.replace(pattern, replacement)),
    'string',
  )(call);
};

const extension: Make = (call) => {
  const input = call.input.shadow?.() ?? call.input;
  return withValue(
    (items, [url]) =>
      items
        .flatMap((item) => (isObject(item) && Array.isArray(item.extension) ? item.extension : []))
        .filter((it) => it?.url === url),
    'Extension',
  )({ ...call, input });
};

/** The children of a node: no `resourceType`, which JSON alone has; a primitive with its extension is one child. */
function childrenOf(item: unknown): unknown[] {
  if (!isObject(item)) return [];
  return Object.entries(item).flatMap(([key, value]: [string, unknown]) => {
    if (key === 'resourceType' || (key.startsWith('_') && Object.hasOwn(item, key.slice(1)))) return [];
    return Array.isArray(value) ? value.filter((it) => it !== null) : [value];
  });
}

function descendantsOf(items: Items): Items {
  const found: unknown[] = [];
  for (let level = items.flatMap(childrenOf); level.length > 0; level = level.flatMap(childrenOf))
    for (const item of level) found.push(item);
  return found;
}

const toInteger = (items: Items): Items => {
  const [value] = items;
  if (typeof value === 'number') return Number.isInteger(value) ? [value] : nothing;
  return typeof value === 'string' && /^[+-]?\d{1,15}$/.test(value) ? [Number(value)] : nothing;
};

const intersect: Make = ({ args, input, place, compile }) => {
  const keys = keysOf(held(compile(argument(args, 0), identity(place.self), place)));
  const run = (focus: Items, self: Items, scope: Scope): Items =>
    distinct(input.run(focus, self, scope).filter((item) => keys(self, scope).has(keyOf(item))));
  return { run, type: input.type };
};

const exists = (items: Items): Items => (items.length > 0 ? yes : no);
const where = each(
  (items, ask) => items.filter((item) => truth(ask(item)) === true),
  (_, input) => input.type,
);

const functions = new Map<string, Make>([
  ['empty', whole((items) => (items.length === 0 ? yes : no), 'boolean')],
  ['exists', (call) => whole(exists, 'boolean')(call.args.length > 0 ? { ...call, input: where(call) } : call)],
  ['count', whole((items) => [items.length], 'integer')],
  ['hasValue', whole((items) => ofBoolean(items.length === 1 && !isObject(items[0])), 'boolean')],
  ['not', whole((items) => ofBoolean(truth(items) === undefined ? undefined : !truth(items)), 'boolean')],
  ['all', each((items, ask) => ofBoolean(items.every((item) => truth(ask(item)) === true)))],
  ['allTrue', whole((items) => ofBoolean(items.every((it) => it === true)), 'boolean')],
  ['allFalse', whole((items) => ofBoolean(items.every((it) => it === false)), 'boolean')],
  ['anyTrue', whole((items) => ofBoolean(items.includes(true)), 'boolean')],
  ['anyFalse', whole((items) => ofBoolean(items.includes(false)), 'boolean')],
  ['distinct', whole(distinct)],
  ['isDistinct', whole((items) => ofBoolean(distinct(items).length === items.length), 'boolean')],
  ['where', where],
  [
    'select',
    each(
      (items, ask) => items.flatMap(ask),
      (asked) => asked.type,
    ),
  ],
  ['first', whole((items) => items.slice(0, 1))],
  ['last', whole((items) => items.slice(-1))],
  ['tail', whole((items) => items.slice(1))],
  ['single', whole((items) => (items.length === 1 ? items : nothing))],
  ['combine', withValue((items, others) => [...items, ...others], '')],
  ['union', withValue((items, others) => distinct([...items, ...others]), '')],
  ['intersect', intersect],
  ['iif', iif],
  ['is', is],
  ['as', ofType],
  ['ofType', ofType],
  ['trace', whole((items) => items)],
  ['children', whole((items) => items.flatMap(childrenOf), '')],
  ['descendants', whole(descendantsOf, '')],
  ['extension', extension],
  ['resolve', ({ input }) => ({ run: (f, s, scope) => resolved(input.run(f, s, scope), scope), type: '' })],
  ['toInteger', whole(toInteger, 'integer')],
  ['toString', whole((items) => (items.length === 1 && !isObject(items[0]) ? [String(items[0])] : nothing), 'string')],
  [
    'length',
    whole(
      onText((text) => text.length),
      'integer',
    ),
  ],
  [
    'lower',
    whole(
      onText((text) => text.toLowerCase()),
      'string',
    ),
  ],
  [
    'upper',
    whole(
      onText((text) => text.toUpperCase()),
      'string',
    ),
  ],
  [
    'startsWith',
    withValue(
      onText((text, part) => typeof part === 'string' && text.startsWith(part)),
      'boolean',
    ),
  ],
  [
    'endsWith',
    withValue(
      onText((text, part) => typeof part === 'string' && text.endsWith(part)),
      'boolean',
    ),
  ],
  [
    'contains',
    withValue(
      onText((text, part) => typeof part === 'string' && text.includes(part)),
      'boolean',
    ),
  ],
  [
    'indexOf',
    withValue(
      onText((text, part) => (typeof part === 'string' ? text.indexOf(part) : undefined)),
      'integer',
    ),
  ],
  ['matches', matches],
  ['replaceMatches', replaceMatches],
]);
