/**
 * The invariants of R4 and the targets of its references: one walk over a resource that the JSON schema has let through.
 * What each element asks for is compiled at the first use of its type.
 */
import { readFileSync } from 'node:fs';
import type { FailureDetail } from '../../outcome.ts';
import { elementsOf, isPrimitive } from '../definitions.ts';
import type { Json } from '../types.ts';
import { isReferredTo } from './contained.ts';
import { compileInvariant, type Invariant } from './fhirpath.ts';
import { readNarrative } from './narrative.ts';
import type { Surroundings } from './parts.ts';
import { containedIn, isLocalKnown, targetProblem } from './references.ts';

/** A constraint of the specification, of severity error. */
export interface InvariantRow {
  readonly key: string;
  readonly human: string;
  readonly expression: string;
}

let table: Map<string, readonly InvariantRow[]> | undefined;

/** Type or element path (`Period`, `Patient.contact`) ─▶ its invariants. Made by `scripts/extract-invariants.ts`. */
export function invariantTable(): ReadonlyMap<string, readonly InvariantRow[]> {
  table ??= new Map(
    Object.entries(JSON.parse(readFileSync(new URL('../r4/invariants.json', import.meta.url), 'utf8')) as Json),
  );
  return table;
}

/** Invariants that FHIRPath says wrongly or too slowly; a test keeps the list short. */
export const byHand: ReadonlyMap<string, Invariant> = new Map<string, Invariant>([
  // Quadratic, and `as()` on many items is an error.
  ['dom-3', (value) => isReferredTo(value as Json)],
  // Does not know `#`, which names the container.
  ['ref-1', (value, around) => isLocalKnown(value as Json, around)],
  // Both are `htmlChecks()`, which is no FHIRPath but a name for what they say.
  ['txt-1', (value) => readNarrative(value).allowed],
  ['txt-2', (value) => !readNarrative(value).allowed || readNarrative(value).content],
]);

const emptyText = 'ele-1: All FHIR elements must have a @value or children';

interface Check {
  readonly text: string;
  readonly holds: Invariant;
}

/** A type with what it asks for. */
interface Plan {
  readonly checks: readonly Check[];
  /** JSON name ─▶ element, of the elements in which there is something to look at. */
  readonly parts: ReadonlyMap<string, Part>;
}

interface Part {
  /** As FHIRPath names it: `value` for `valueQuantity`, `birthDate` for `_birthDate`. */
  readonly label: string;
  /** Undefined for a primitive. */
  readonly plan: () => Plan | undefined;
  /** What the element asks for beyond its type. */
  readonly checks: readonly Check[];
  readonly targets: readonly string[] | undefined;
  readonly kind: 'element' | 'resource' | 'reference' | 'shadow';
}

const plans = new Map<string, Plan>();

/** Compiles what a type asks for; a few milliseconds at its first use. */
export function planOf(type: string): Plan {
  let plan = plans.get(type);
  if (!plan) {
    plan = { checks: checksOf(type), parts: new Map(partsOf(type)) };
    plans.set(type, plan);
  }
  return plan;
}

function checksOf(path: string, type = path): Check[] {
  const inherited = elementsOf(path)?.contained ? (invariantTable().get('DomainResource') ?? []) : [];
  return [...inherited, ...(invariantTable().get(path) ?? [])].map(({ key, human, expression }) => ({
    text: `${key}: ${human}`,
    holds: byHand.get(key) ?? compileInvariant(expression, type),
  }));
}

function* partsOf(type: string): Generator<[string, Part]> {
  for (const [name, element] of Object.entries(elementsOf(type) ?? {})) {
    const label = element.choice ?? name;
    const primitive = isPrimitive(element.type) || element.type === 'xhtml';
    const own = `${type}.${name}` === element.type ? [] : checksOf(`${type}.${name}`, element.type);
    const base = { label, checks: own, targets: element.targets };
    if (element.type === 'Resource') yield [name, { ...base, kind: 'resource', plan: () => undefined }];
    else if (!primitive) {
      const kind = element.type === 'Reference' ? 'reference' : 'element';
      yield [name, { ...base, kind, plan: () => planOf(element.type) }];
    } else {
      if (own.length > 0) yield [name, { ...base, kind: 'element', plan: () => undefined }];
      yield [`_${name}`, { ...base, checks: [], kind: 'shadow', plan: () => planOf('Element') }];
    }
  }
}

/**
 * The problems of a resource that is sound by its schema.
 * @param max gathers at most so many
 */
export function invariantErrors(resource: Json, max: number): FailureDetail[] {
  return new Walk(resource.resourceType, max).resource(resource);
}

class Walk {
  readonly #max: number;
  readonly #path: (string | number)[];
  readonly #found: FailureDetail[] = [];
  #around!: Surroundings;

  constructor(type: string, max: number) {
    this.#max = max;
    this.#path = [type];
  }

  /** A resource that is contained in none: the root, or the entry of a Bundle. */
  resource(resource: Json): FailureDetail[] {
    const outside = this.#around;
    this.#around = { resource, root: resource, contained: containedIn(resource) };
    this.#object(resource, planOf(resource.resourceType));
    this.#around = outside;
    return this.#found;
  }

  #contained(resource: Json): void {
    const outside = this.#around;
    this.#around = { ...outside, resource };
    this.#object(resource, planOf(resource.resourceType));
    this.#around = outside;
  }

  #object(node: Json, { checks, parts }: Plan): void {
    this.#check(node, checks);
    let children = 0;
    for (const key in node) {
      if (this.#found.length >= this.#max) return;
      const value: unknown = node[key];
      if (key !== 'id') children++;
      const part = parts.get(key);
      if (part) this.#part(value, part);
      else if (value === '') this.#report(emptyText, key);
      else if (Array.isArray(value)) this.#primitives(node, key, value);
    }
    if (children === 0) this.#report(emptyText);
  }

  #part(value: unknown, part: Part): void {
    this.#path.push(part.label);
    if (!Array.isArray(value)) this.#item(value, part);
    else
      for (let i = 0; i < value.length && this.#found.length < this.#max; i++) {
        if (value[i] === null) continue;
        this.#path.push(i);
        this.#item(value[i], part);
        this.#path.pop();
      }
    this.#path.pop();
  }

  #item(value: unknown, part: Part): void {
    this.#check(value, part.checks);
    if (part.kind === 'resource') {
      if (part.label === 'contained') this.#contained(value as Json);
      else this.resource(value as Json);
      return;
    }
    // An id alone is enough where the value stands beside it.
    if (part.kind === 'shadow' && Object.keys(value as Json).length === 1 && (value as Json).id !== undefined) return;
    const plan = part.plan();
    if (plan) this.#object(value as Json, plan);
    if (part.kind !== 'reference') return;
    const problem = targetProblem(value as Json, part.targets, this.#around);
    if (problem) this.#report(problem.text, problem.part);
  }

  /** R4 json.html#primitive: `null` fills a place that has an id or extension instead. */
  #primitives(node: Json, key: string, values: readonly unknown[]): void {
    const shadows: unknown = node[`_${key}`];
    for (let i = 0; i < values.length; i++) {
      const value = values[i] ?? (Array.isArray(shadows) ? shadows[i] : undefined);
      if (value !== undefined && value !== null && value !== '') continue;
      if (this.#found.length >= this.#max) return;
      this.#path.push(key);
      this.#report(emptyText, i);
      this.#path.pop();
    }
  }

  #check(value: unknown, checks: readonly Check[]): void {
    for (const { text, holds } of checks)
      if (this.#found.length < this.#max && !holds(value, this.#around)) this.#report(text);
  }

  #report(text: string, ...below: (string | number)[]): void {
    this.#found.push({ text, expression: expressionOf([...this.#path, ...below]) });
  }
}

/** `Patient.contact[0].name` */
export function expressionOf(path: readonly (string | number)[]): string {
  return path.map((part, i) => (typeof part === 'number' ? `[${part}]` : i === 0 ? part : `.${part}`)).join('');
}
