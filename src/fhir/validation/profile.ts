/**
 * Whether a resource follows a profile: cardinality, types, fixed values and patterns, slices with what is inside them,
 * required bindings, targets, constraints. R4 profiling.html. What R4 itself asks is asked by validate.ts before.
 */
import { createContext, Script } from 'node:vm';
import { Failure, type FailureDetail } from '../../outcome.ts';
import { isResourceType } from '../definitions.ts';
import { Library } from '../terminology/library.ts';
import type { Json } from '../types.ts';
import { compileInvariant, type Invariant } from './fhirpath.ts';
import { type Item, itemsAt } from './items.ts';
import { isMember } from './members.ts';
import type { Surroundings } from './parts.ts';
import { containedIn, targetProblem } from './references.ts';
import { type Rule, rulesOf, type Slicing } from './rules.ts';
import { sliceOf } from './slices.ts';
import { includes, keyOf, ordered } from './values.ts';

const problemsMax = 20;
const millisecondsMax = 250;

/** What a profile speaks of that is not in it. */
export interface ProfileSources {
  /** A StructureDefinition by its canonical, without version: profiles of extensions, of data types, of targets. */
  readonly structure?: (url: string) => Json | undefined;
  /** Value sets for required bindings; R4's own when absent. A value set that is not there lets every code pass. */
  readonly library?: Library;
  /** True when all profiles are our own: they are not timed, which would cost more than they do. */
  readonly trusted?: boolean;
}

const shippedLibrary = new Library();

/**
 * The problems of a resource with profiles, at most 20; none when it follows them all. Constraints in a FHIRPath that we do
 * not have, and slices whose discriminator we cannot follow, let everything pass.
 * @param resource sound R4: see `errorsOf`
 * @param profiles StructureDefinitions on resource types, sound R4, with a snapshot or on a type of the specification
 * @throws Failure `too-costly` when profiles that are not trusted take longer than 250 ms
 */
export function profileErrors(
  resource: Json,
  profiles: readonly Json[],
  sources: ProfileSources = {},
): FailureDetail[] {
  const judge = (): FailureDetail[] => profiles.flatMap((it) => new Judge(resource, it, sources).errors());
  return (sources.trusted ? judge() : inTime(judge)).slice(0, problemsMax);
}

const script = new Script('job()');
const bench = createContext({}) as { job?: () => unknown };

/** A client's profile may hold slices by the thousand, or a regular expression that takes ages. */
function inTime<T>(job: () => T): T {
  bench.job = job;
  try {
    return script.runInContext(bench, { timeout: millisecondsMax }) as T;
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error;
    throw new Failure('too-costly', `a profile takes longer than ${millisecondsMax} ms`);
  } finally {
    delete bench.job;
  }
}

/** A constraint, compiled for each type that it is asked of; undefined when it cannot be. */
const constraints = new WeakMap<Json, Map<string, Invariant | undefined>>();

function compiledFor(constraint: Json, type: string): Invariant | undefined {
  const byType = constraints.get(constraint) ?? new Map<string, Invariant | undefined>();
  constraints.set(constraint, byType);
  if (!byType.has(type)) byType.set(type, compileOrPass(constraint.expression, type));
  return byType.get(type);
}

function compileOrPass(expression: string, type: string): Invariant | undefined {
  try {
    return compileInvariant(expression, type);
  } catch {
    return undefined;
  }
}

class Judge {
  readonly #resource: Json;
  readonly #profile: Json;
  readonly #sources: ProfileSources;
  readonly #found: FailureDetail[] = [];
  #around: Surroundings;

  constructor(resource: Json, profile: Json, sources: ProfileSources) {
    this.#resource = resource;
    this.#profile = profile;
    this.#sources = sources;
    this.#around = { resource, root: resource, contained: containedIn(resource) };
  }

  errors(): FailureDetail[] {
    const type: string = this.#resource.resourceType;
    if (this.#profile.type === type) this.#apply(rulesOf(this.#profile), { value: this.#resource, type, at: type });
    else this.#report(`is for ${this.#profile.type}, not for ${type}`, type);
    return this.#found;
  }

  #report(text: string, expression: string): void {
    this.#found.push({ text: `${this.#profile.name}: ${text}`, expression });
  }

  /** One value of the element that a rule is about. */
  #apply(rule: Rule, item: Item): void {
    if (this.#found.length >= problemsMax) return;
    const outside = this.#around;
    const resource = item.value as Json;
    if (rule.name === 'contained') this.#around = { ...outside, resource };
    else if (isResourceType(item.type)) this.#around = { resource, root: resource, contained: containedIn(resource) };
    const problem = valueProblem(rule, item.value) ?? this.#codeProblem(rule, item);
    if (problem) this.#report(problem, item.at);
    if (item.type === 'Reference') this.#reference(rule, item);
    for (const constraint of rule.constraints) {
      const holds = compiledFor(constraint, item.type)?.(item.value ?? item.shadow, this.#around) ?? true;
      if (!holds) this.#report(`${constraint.key}: ${constraint.human}`, item.at);
    }
    for (const child of rule.children.values()) this.#element(child, item);
    this.#around = outside;
  }

  /** All values of one element. */
  #element(rule: Rule, parent: Item): void {
    const items = itemsAt(parent, rule.name);
    this.#count(rule, items.length, rule.name, parent.at);
    if (items.length === 0) {
      for (const [name, slice] of rule.slicing?.slices ?? []) this.#count(slice, 0, `${rule.name}:${name}`, parent.at);
      return;
    }
    for (const item of items) {
      if (item.choice && rule.types.size > 0 && !rule.types.has(item.type))
        this.#report(`must be ${[...rule.types].join(' or ')}`, item.at);
      this.#apply(rule, item);
      this.#conform(rule, item);
    }
    if (rule.slicing) this.#slices(rule.slicing, rule.name, items, parent.at);
  }

  #count({ min, max }: Rule, there: number, name: string, at: string): void {
    if (there < min) this.#report(`needs at least ${min} of '${name}', and has ${there}`, at);
    else if (max === 0 && there > 0) this.#report(`'${name}' may not stand here`, at);
    else if (there > max) this.#report(`takes at most ${max} of '${name}', and has ${there}`, at);
  }

  #slices(slicing: Slicing, name: string, items: readonly Item[], at: string): void {
    const counts = new Map([...slicing.slices.keys()].map((it) => [it, 0]));
    const members = items.map((item) => ({ item, found: sliceOf(item, slicing) }));
    if (members.some(({ found }) => found === 'unknown')) return;
    for (const { item, found } of members) {
      const slice = found === 'unknown' ? undefined : found.name;
      if (slice === undefined) {
        if (slicing.closed) this.#report(`is none of the slices of '${name}', and there may be no other`, item.at);
        continue;
      }
      counts.set(slice, counts.get(slice)! + 1);
      this.#apply(slicing.slices.get(slice)!, item);
      this.#conform(slicing.slices.get(slice)!, item);
    }
    for (const [slice, count] of counts) this.#count(slicing.slices.get(slice)!, count, `${name}:${slice}`, at);
  }

  /** A value that must follow a profile itself, as extensions do; one that nobody knows lets it pass. */
  #conform(rule: Rule, item: Item): void {
    const structures = rule.profiles.map((it) => this.#sources.structure?.(it));
    if (structures.length === 1 && structures[0]) this.#apply(rulesOf(structures[0]), item);
  }

  #codeProblem({ valueSet }: Rule, item: Item): string | undefined {
    if (valueSet === undefined || isMember(this.#sources.library ?? shippedLibrary, valueSet, item)) return undefined;
    return `the code is not in value set ${valueSet}, which is required here`;
  }

  #reference({ targets }: Rule, { value, at }: Item): void {
    const types = targets.map((it) => this.#typeOf(it));
    if (types.length === 0 || types.includes(undefined)) return;
    const problem = targetProblem(value as Json, types as string[], this.#around);
    if (problem) this.#report(problem.text, `${at}.${problem.part}`);
  }

  /** The resource type of a target profile; undefined for one that nobody knows, and for any resource. */
  #typeOf(url: string): string | undefined {
    const name = url.split('/').at(-1) as string;
    if (url === `http://hl7.org/fhir/StructureDefinition/${name}`) return isResourceType(name) ? name : undefined;
    return this.#sources.structure?.(url)?.type;
  }
}

/** What a rule asks of the value itself. Only what the profile wants is quoted, never what the resource has. */
function valueProblem(rule: Rule, value: unknown): string | undefined {
  const { fixed, pattern, smallest, largest, longest } = rule;
  if (fixed && keyOf(value) !== keyOf(fixed.value)) return `must be ${quoted(fixed.value)}`;
  if (pattern && !includes(value, pattern.value)) return `must match ${quoted(pattern.value)}`;
  if (longest !== undefined && typeof value === 'string' && value.length > longest)
    return `has more than ${longest} characters`;
  if (smallest !== undefined && ordered('>=', [value], [smallest]) === false) return 'is less than the profile allows';
  if (largest !== undefined && ordered('<=', [value], [largest]) === false) return 'is more than the profile allows';
  return undefined;
}

function quoted(value: unknown): string {
  return JSON.stringify(value).slice(0, 200);
}
