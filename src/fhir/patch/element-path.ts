/**
 * The path of a patch operation ─▶ the places that it finds. FHIRPath evaluators give values; a patch needs to know where
 * they stand. So @medplum/core parses, this file walks the members, and @medplum/core evaluates what stands in `where()`.
 * What it cannot follow for certain it refuses.
 */
import {
  AndAtom,
  AsAtom,
  type Atom,
  DotAtom,
  EqualsAtom,
  FunctionAtom,
  ImpliesAtom,
  IndexerAtom,
  InfixOperatorAtom,
  IsAtom,
  initFhirPathParserBuilder,
  LiteralAtom,
  NotEqualsAtom,
  OrAtom,
  SymbolAtom,
  Tokenizer,
  XorAtom,
} from '@medplum/core';
import { Failure } from '../../outcome.ts';
import { type ElementDefinition, elementOf, elementsOf, isPrimitive } from '../definitions.ts';
import type { Json, Resource } from '../types.ts';
import { isForbidden, isObject, sizeOf } from './common.ts';
import { childrenOf, lengthOf, type Place, read } from './place.ts';

/** Characters of one path. */
const pathLengthMax = 1000;
/**
 * Work for all paths of a patch: 10 for each element looked at, and for each `where()` the characters of the element times
 * the terms of the condition. 2e7 are about half a second; a larger resource may be looked at ten times.
 */
const workMin = 2e7;
const workPerCharacter = 10;

/**
 * Functions that a condition may call: those that @medplum/core computes as FHIRPath says, without regular expressions, the
 * clock or other resources. `not()` is out: it makes true of nothing, and so would choose what the path does not name.
 */
const conditionFunctions: ReadonlySet<string> = new Set([
  ...['where', 'exists', 'empty', 'count', 'first', 'last', 'single', 'hasValue', 'ofType', 'as', 'is'],
  ...['extension', 'startsWith', 'endsWith', 'contains', 'upper', 'lower', 'length'],
]);
/** Without comparisons: @medplum/core compares times as texts, whatever their zones are. */
const conditionOperators = [
  ...[DotAtom, EqualsAtom, NotEqualsAtom, AndAtom, OrAtom, XorAtom, ImpliesAtom, IsAtom, AsAtom],
];

/** A resource being patched: what its paths start from and what they may still cost. */
export interface Walk {
  readonly root: Place;
  workLeft: number;
}

/** The beginning of all paths into a resource, which stands in an object of its own. */
export function startWalk(resource: Resource): Walk {
  const root: Place = {
    holder: { resource },
    holderType: undefined,
    key: 'resource',
    index: undefined,
    element: undefined,
    type: resource.resourceType,
  };
  return { root, workLeft: Math.max(workMin, workPerCharacter * sizeOf(resource)) };
}

/**
 * The places of all elements that a path finds, in order.
 * @throws Failure `malformed` for what is no FHIRPath or not followed here, `invalid` for what the resource cannot have,
 *   `too-costly`
 */
export function findPlaces(walk: Walk, path: string): Place[] {
  return follow(walk, parse(path));
}

/**
 * As {@link findPlaces} for a path that names a whole list: it ends in the name of an element.
 * @throws Failure `invalid` as well when there is no such list, or several
 */
export function findList(walk: Walk, path: string): Place {
  const atom = parse(path);
  const places = follow(walk, atom);
  const [first] = places;
  const named = atom instanceof DotAtom ? atom.right : atom;
  if (!(named instanceof SymbolAtom)) throw new Failure('malformed', 'the path ends in no name of a list');
  if (!first) throw new Failure('invalid', 'there is nothing at its path; add makes a list');
  if (!first.element?.list) throw new Failure('invalid', 'its path names no list');
  if (places.some(({ holder, key }) => holder !== first.holder || key !== first.key))
    throw new Failure('invalid', 'its path names several lists');
  return first;
}

/** The elements that a name stands for: one, or those of a choice (`value` ─▶ `valueString`, `valueQuantity` …). */
export function childElements(type: string, name: string): { key: string; element: ElementDefinition }[] {
  // FHIRPath has `value` on primitives, which is no element: it is the primitive itself.
  if (isPrimitive(type) && name === 'value') return [];
  const element = elementOf(type, name);
  if (element) return [{ key: name, element }];
  return Object.entries(elementsOf(type) ?? {}).flatMap(([key, row]) =>
    row.choice === name ? [{ key, element: row }] : [],
  );
}

/** The error for a name that a type does not have. */
export function noSuchElement(type: string): Failure {
  return new Failure('invalid', `${type} has no element of that name`);
}

function parse(path: string): Atom {
  if (path.length > pathLengthMax) throw new Failure('malformed', `a path has at most ${pathLengthMax} characters`);
  try {
    const tokens = new Tokenizer(path, ['true', 'false'], ['!=', '!~', '<=', '>=', '{}', '->']).tokenize();
    const parser = initFhirPathParserBuilder().construct(tokens);
    const atom = parser.consumeAndParse();
    // `parseFhirPath` would forget what follows: of `Patient.name[0] Patient.active` it reads the first half.
    if (!parser.hasMore()) return atom;
  } catch {
    // Its error quotes the path, which may name a patient.
  }
  throw new Failure('malformed', 'its path is not FHIRPath');
}

function spend(walk: Walk, work: number): void {
  walk.workLeft -= work;
  if (walk.workLeft < 0) throw new Failure('too-costly', 'the paths look at too many elements');
}

function notFollowed(): Failure {
  return new Failure(
    'malformed',
    'a path here is made of names, [index], where(), first(), last(), single(), ofType(), as, extension(), resolve()',
  );
}

function follow(walk: Walk, atom: Atom): Place[] {
  if (atom instanceof DotAtom) return step(walk, atom.right, follow(walk, atom.left));
  if (atom instanceof AsAtom) return ofType(follow(walk, atom.left), atom.right);
  if (atom instanceof IndexerAtom) {
    const index: unknown = atom.expr instanceof LiteralAtom ? atom.expr.value.value : undefined;
    if (!Number.isSafeInteger(index)) throw notFollowed();
    return follow(walk, atom.left).slice(index as number, (index as number) + 1);
  }
  return step(walk, atom, [walk.root]);
}

function step(walk: Walk, atom: Atom, from: readonly Place[]): Place[] {
  if (atom instanceof SymbolAtom) return from.flatMap((place) => member(walk, place, atom.name));
  if (!(atom instanceof FunctionAtom)) throw notFollowed();
  const [argument, ...more] = atom.args;
  if (more.length > 0) throw notFollowed();
  return argument ? callWith(walk, atom.name, argument, from) : call(walk, atom.name, from);
}

function call(walk: Walk, name: string, from: readonly Place[]): Place[] {
  switch (name) {
    case 'first':
      return from.slice(0, 1);
    case 'last':
      return from.slice(-1);
    case 'single':
      if (from.length > 1) throw new Failure('invalid', 'single() in its path finds several elements');
      return [...from];
    case 'resolve':
      return from.flatMap((place) => contained(walk, place));
    default:
      throw notFollowed();
  }
}

function callWith(walk: Walk, name: string, argument: Atom, from: readonly Place[]): Place[] {
  switch (name) {
    case 'where':
      return where(walk, argument, from);
    case 'ofType':
    case 'as':
      return ofType(from, argument);
    case 'extension': {
      const url = argument instanceof LiteralAtom ? argument.value.value : undefined;
      if (typeof url !== 'string') throw notFollowed();
      return from
        .flatMap((place) => member(walk, place, 'extension'))
        .filter((place) => (read(place).value as Json | undefined)?.url === url);
    }
    default:
      throw notFollowed();
  }
}

const baseTypes: ReadonlySet<string> = new Set(['Resource', 'DomainResource']);

function member(walk: Walk, place: Place, name: string): Place[] {
  if (place === walk.root && (name === place.type || baseTypes.has(name))) return [place];
  const rows = childElements(place.type, name);
  if (rows.length === 0) throw noSuchElement(place.type);
  const holder = childrenOf(place, isPrimitive(place.type));
  if (!holder) return [];
  const found = rows.flatMap(({ key, element }) => {
    const at = (index: number | undefined): Place => {
      const type = element.type === 'Resource' ? resourceTypeOf(read({ holder, key, index }).value) : element.type;
      return { holder, holderType: place.type, key, index, element, type };
    };
    return element.list ? Array.from({ length: lengthOf(holder, key) }, (_, index) => at(index)) : [at(undefined)];
  });
  spend(walk, 10 * (found.length + 1));
  return found.filter((it) => Object.values(read(it)).some((half) => half !== undefined));
}

function resourceTypeOf(value: unknown): string {
  return isObject(value) && typeof value.resourceType === 'string' ? value.resourceType : 'Resource';
}

function ofType(from: readonly Place[], atom: Atom): Place[] {
  const named =
    atom instanceof DotAtom && atom.left instanceof SymbolAtom && atom.left.name === 'FHIR' ? atom.right : atom;
  if (!(named instanceof SymbolAtom)) throw notFollowed();
  if (!elementsOf(named.name)) throw new Failure('invalid', 'its path names a type that R4 does not have');
  return from.filter((place) => place.type === named.name);
}

/** R4 fhirpatch.html: "resolve() SHALL only be used to refer to contained resource within the resource being patched". */
function contained(walk: Walk, place: Place): Place[] {
  const { value } = read(place);
  const reference: unknown = place.type === 'Reference' && isObject(value) ? value.reference : value;
  if (typeof reference !== 'string' || !reference.startsWith('#'))
    throw new Failure('invalid', 'its path leaves the resource: resolve() leads to contained resources only');
  return member(walk, walk.root, 'contained').filter((it) => (read(it).value as Json).id === reference.slice(1));
}

function where(walk: Walk, condition: Atom, from: readonly Place[]): Place[] {
  const terms = termsOf(condition);
  const asksExtensions = terms.includes('extension') || terms.includes('id');
  return from.filter((place) => {
    const { value, shadow } = read(place);
    spend(walk, (sizeOf(value) + sizeOf(shadow)) * terms.length);
    // As @medplum/core has primitives with extensions: an object that carries them. Its text functions do not take that.
    const whole: unknown = asksExtensions && isObject(shadow) ? Object.assign(Object(value ?? {}), shadow) : value;
    return holds(condition, place.type, whole);
  });
}

function holds(condition: Atom, type: string, value: unknown): boolean {
  let result: { value: unknown }[];
  try {
    result = condition.eval({ variables: {} }, [{ type, value }]);
  } catch {
    // Its error quotes values.
    throw new Failure('invalid', 'a condition in its path cannot be evaluated on this resource');
  }
  if (result.length === 0) return false;
  const truth = result[0]?.value;
  if (result.length > 1 || typeof truth !== 'boolean')
    throw new Failure('invalid', 'a condition in its path is neither true nor false');
  return truth;
}

/** The names and literals that a condition is made of. @throws Failure `malformed` for one that is not evaluated here */
function termsOf(atom: Atom): string[] {
  if (atom instanceof LiteralAtom) return [''];
  if (atom instanceof SymbolAtom) {
    if (isForbidden(atom.name) || !/^(?:\$this$|[A-Za-z])/.test(atom.name)) throw notEvaluated();
    return [atom.name];
  }
  if (atom instanceof IndexerAtom) return [...termsOf(atom.left), ...termsOf(atom.expr)];
  if (atom instanceof FunctionAtom && conditionFunctions.has(atom.name) && atom.args.length <= 1)
    return [atom.name, ...atom.args.flatMap(termsOf)];
  if (atom instanceof InfixOperatorAtom && conditionOperators.some((kind) => atom instanceof kind))
    return [...termsOf(atom.left), ...termsOf(atom.right)];
  throw notEvaluated();
}

function notEvaluated(): Failure {
  const functions = [...conditionFunctions].join(', ');
  return new Failure(
    'malformed',
    `a condition here is made of names, =, !=, and, or, xor, implies, is, as, ${functions}`,
  );
}
