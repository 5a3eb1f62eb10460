/**
 * Required bindings, beyond what the JSON schema lists as `enum`. Compiled per type into a plan that visits only
 * elements with a binding at or below them. Goes by the shipped value sets alone: a client cannot redefine them.
 *
 * R4 terminologies.html#required, for a CodeableConcept: "at least one Coding element SHALL be present; one of the
 * Coding values SHALL be from the specified value set; text can be provided as well, and is always recommended, but is
 * not an acceptable substitute for the required code".
 */
import { readFileSync } from 'node:fs';
import { Failure, type FailureDetail } from '../../outcome.ts';
import { elementsOf, isResourceType } from '../definitions.ts';
import type { Json } from '../types.ts';
import type { Content } from './content.ts';
import { Library } from './library.ts';

const issuesMax = 20;

/** element path ─▶ value set, and `max` where it binds only what is coded (elementdefinition-maxValueSet). */
type Bindings = Readonly<Record<string, readonly [valueSet: string, max?: 'max']>>;

/** One element to visit. */
interface Step {
  readonly name: string;
  readonly check?: Check | undefined;
  /** The type whose plan goes on from here; `Resource`: that of the resource found. */
  readonly into?: string | undefined;
}

/** @returns what is wrong with the value; undefined when nothing is */
type Check = (value: any) => string | undefined;

let bindings: Bindings | undefined;
const plans = new Map<string, readonly Step[]>();
const tests = new Map<string, Test>();

function bindingAt(path: string): Bindings[string] | undefined {
  bindings ??= JSON.parse(readFileSync(new URL('../r4/bindings.json', import.meta.url), 'utf8')) as Bindings;
  return Object.hasOwn(bindings, path) ? bindings[path] : undefined;
}

/**
 * The problems of a resource with its required bindings; none when all codes are of their value sets. Looks into
 * contained resources, Bundle entries and Parameters; not into extensions, whose bindings are those of profiles.
 * Codes of systems that are not here, and that no grammar describes, pass.
 * @param resource sound by its schema
 */
export function bindingErrors(resource: Json): FailureDetail[] {
  const found: FailureDetail[] = [];
  const type = resource.resourceType;
  if (isResourceType(type)) visit(resource, type, type, found);
  return found;
}

function visit(value: Json, type: string, path: string, found: FailureDetail[]): void {
  for (const step of planOf(type)) {
    const child = value[step.name];
    if (child === undefined || found.length >= issuesMax) continue;
    const at = `${path}.${step.name}`;
    if (!Array.isArray(child)) take(child, step, at, found);
    else for (let i = 0; i < child.length; i++) take(child[i], step, `${at}[${i}]`, found);
  }
}

function take(value: any, { check, into }: Step, path: string, found: FailureDetail[]): void {
  // A null in a list holds the place of an extension.
  if (value === null) return;
  const text = check?.(value);
  if (text !== undefined && found.length < issuesMax) found.push({ text, expression: path });
  if (into === 'Resource') {
    if (isResourceType(value.resourceType)) visit(value, value.resourceType, path, found);
  } else if (into !== undefined) visit(value, into, path, found);
}

function planOf(type: string): readonly Step[] {
  let plan = plans.get(type);
  if (!plan) {
    plan = Object.entries(elementsOf(type) ?? {}).flatMap(([name, element]) => {
      const binding = bindingAt(`${type}.${name}`) ?? bindingAt(element.type);
      const into = binds(element.type) ? element.type : undefined;
      return binding || into ? [{ name, check: binding && checkOf(element.type, binding), into }] : [];
    });
    plans.set(type, plan);
  }
  return plan;
}

/** Whether a binding is on an element of the type, or deeper. */
function binds(type: string): boolean {
  const reached = new Set([type]);
  for (const it of reached) {
    if (it === 'Resource') return true;
    if (it === 'Extension') continue;
    for (const [name, element] of Object.entries(elementsOf(it) ?? {})) {
      if (bindingAt(`${it}.${name}`) || bindingAt(element.type)) return true;
      reached.add(element.type);
    }
  }
  return false;
}

function checkOf(type: string, [url, max]: Bindings[string]): Check {
  const refused = `the code is not in value set ${url}, which is required here`;
  let test: Test | undefined;
  /** Compiled when the first code is to be tested, not with the plan. */
  const allows = (system: string | undefined, code: string): boolean => {
    test ??= testOf(url);
    return test(system, code);
  };
  if (type === 'CodeableConcept') {
    const missing = `needs a coding from value set ${url}: text alone is not enough`;
    return ({ coding }) => {
      const coded: Json[] = coding?.filter((it: Json) => it.code !== undefined) ?? [];
      if (coded.length === 0) return max ? undefined : missing;
      return coded.some((it) => allows(it.system ?? '', it.code)) ? undefined : refused;
    };
  }
  if (/^[a-z]/.test(type)) return (code) => (allows(undefined, code) ? undefined : refused);
  // Coding, and quantities, whose code is the unit.
  return ({ system, code }) => (code === undefined ? undefined : allows(system ?? '', code) ? undefined : refused);
}

/** Whether a code is in a value set; of any of its systems when none is given. */
type Test = (system: string | undefined, code: string) => boolean;

function testOf(url: string): Test {
  let test = tests.get(url);
  if (!test) {
    test = compileTest(url);
    tests.set(url, test);
  }
  return test;
}

function compileTest(url: string): Test {
  const library = new Library();
  let content: Content;
  try {
    content = library.content(library.valueSet(url), Number.POSITIVE_INFINITY);
  } catch (error) {
    if (error instanceof Failure) return () => true; // R4 names a few value sets that it does not define
    throw error;
  }
  try {
    const members = content.members();
    const codes = new Set(members.map((it) => it.code));
    const codings = new Set(members.map((it) => `${it.system}|${it.code}`));
    return (system, code) => (system === undefined ? codes.has(code) : codings.has(`${system}|${code}`));
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return (system, code) => decide(content, system, code);
  }
}

/** Asks the grammars; where the content of a system is not here, a code of it passes. */
function decide(content: Content, system: string | undefined, code: string): boolean {
  try {
    const systems = system === undefined ? [...content.systems()] : [system];
    return systems.some((it) => content.find(it, code) !== undefined);
  } catch (error) {
    if (error instanceof Failure) return true;
    throw error;
  }
}
