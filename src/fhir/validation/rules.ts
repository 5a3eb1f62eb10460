/** StructureDefinitions as trees of rules. R4 profiling.html, elementdefinition.html. */
import type { Json } from '../types.ts';
import { invariantTable } from './invariants.ts';

/** What a profile says of one element, or of one slice of it. */
export interface Rule {
  /** `identifier`, `value` (for `value[x]`), or the type at the root. */
  readonly name: string;
  children: Map<string, Rule>;
  min: number;
  max: number;
  /** The types that a choice is restricted to. */
  types: ReadonlySet<string>;
  /** Canonicals of the profiles of which the value must follow one. */
  profiles: readonly string[];
  /** Canonicals of what a Reference may name. */
  targets: readonly string[];
  /** In `value`, so that `fixedBoolean: false` is one. */
  fixed?: { readonly value: unknown };
  pattern?: { readonly value: unknown };
  smallest?: unknown;
  largest?: unknown;
  longest?: number;
  /** The value set of a required binding. */
  valueSet?: string;
  constraints: readonly Json[];
  slicing?: Slicing;
}

export interface Slicing {
  readonly discriminators: readonly { readonly type: string; readonly path: string }[];
  /** What is in no slice is refused. */
  readonly closed: boolean;
  readonly slices: Map<string, Rule>;
}

const compiled = new WeakMap<Json, Rule>();

/** The rules of a StructureDefinition; compiled once for each object, so keep the object. */
export function rulesOf(structure: Json): Rule {
  let root = compiled.get(structure);
  if (!root) {
    root = ruleNamed(structure.type);
    for (const element of elementsOf(structure)) place(element, root);
    compiled.set(structure, root);
  }
  return root;
}

/**
 * The differential of a profile on a type of the specification is all that it adds to it. The snapshot of any other also
 * holds what the profiles say that it stands on; and every snapshot knows where an element has the children of another.
 */
function elementsOf({ type, baseDefinition, snapshot, differential }: Json): readonly Json[] {
  const own: Json[] | undefined = differential?.element;
  const all: Json[] | undefined = snapshot?.element;
  if (!all || !own || baseDefinition !== `http://hl7.org/fhir/StructureDefinition/${type}`) return all ?? own ?? [];
  return [...own, ...all.filter((it) => it.contentReference)];
}

function ruleNamed(name: string): Rule {
  return {
    name,
    children: new Map(),
    min: 0,
    max: Number.POSITIVE_INFINITY,
    types: new Set(),
    profiles: [],
    targets: [],
    constraints: [],
  };
}

/** Finds or makes the rule that an element's id names (`Patient.identifier:mrn.system`) and fills it. */
function place(element: Json, root: Rule): void {
  const id: string = element.id ?? (element.sliceName ? `${element.path}:${element.sliceName}` : element.path);
  // A slice of a slice: its discriminators are those inside the slice, which we do not follow.
  if (id.includes('/')) return;
  let rule = root;
  for (const part of id.split('.').slice(1)) {
    const cut = part.indexOf(':');
    const name = (cut < 0 ? part : part.slice(0, cut)).replace('[x]', '');
    rule = childOf(rule, name);
    if (cut >= 0) rule = sliceOf(rule, part.slice(cut + 1));
  }
  fill(rule, element, root);
}

function childOf({ children }: Rule, name: string): Rule {
  let child = children.get(name);
  if (!child) {
    child = ruleNamed(name);
    children.set(name, child);
  }
  return child;
}

/** What needs no slicing of its own: extensions are told by their url, `value[x]:valueString` by its type. */
const byUrl = [{ type: 'value', path: 'url' }];
const byType = [{ type: 'type', path: '$this' }];

function sliceOf(rule: Rule, name: string): Rule {
  const discriminators = /^(?:modifierE|e)xtension$/.test(rule.name) ? byUrl : byType;
  rule.slicing ??= { discriminators, closed: false, slices: new Map() };
  let slice = rule.slicing.slices.get(name);
  if (!slice) {
    slice = ruleNamed(rule.name);
    rule.slicing.slices.set(name, slice);
  }
  return slice;
}

function fill(rule: Rule, element: Json, root: Rule): void {
  if (element.min !== undefined) rule.min = element.min;
  if (element.max !== undefined) rule.max = element.max === '*' ? Number.POSITIVE_INFINITY : Number(element.max);
  if (element.type) {
    rule.types = new Set(element.type.map(typeCode));
    rule.profiles = element.type.flatMap((it: Json) => it.profile ?? []).map(withoutVersion);
    rule.targets = element.type.flatMap((it: Json) => it.targetProfile ?? []).map(withoutVersion);
  }
  fillValues(rule, element);
  if (element.binding?.strength === 'required' && element.binding.valueSet) rule.valueSet = element.binding.valueSet;
  rule.constraints = (element.constraint ?? []).filter(isOwn);
  if (element.slicing)
    rule.slicing = {
      discriminators: element.slicing.discriminator ?? [],
      closed: element.slicing.rules === 'closed',
      slices: rule.slicing?.slices ?? new Map(),
    };
  // `#Questionnaire.item`: the same children again; shared, so that an item in an item has them too.
  const again: string | undefined = element.contentReference?.split('#').at(-1);
  if (!again) return;
  let target: Rule | undefined = root;
  for (const part of again.split('.').slice(1)) target = target?.children.get(part);
  if (target) rule.children = target.children;
}

function fillValues(rule: Rule, element: Json): void {
  for (const [key, value] of Object.entries(element)) {
    if (/^fixed[A-Z]/.test(key)) rule.fixed = { value };
    else if (/^pattern[A-Z]/.test(key)) rule.pattern = { value };
    else if (/^minValue[A-Z]/.test(key)) rule.smallest = value;
    else if (/^maxValue[A-Z]/.test(key)) rule.largest = value;
    else if (key === 'maxLength') rule.longest = value as number;
  }
}

function typeCode({ code, extension }: Json): string {
  const named = extension?.find((it: Json) => it.url.endsWith('structuredefinition-fhir-type'));
  return named?.valueUrl ?? String(code).replace('http://hl7.org/fhirpath/System.String', 'string');
}

export function withoutVersion(canonical: string): string {
  return canonical.split('|')[0] as string;
}

let published: Set<string> | undefined;

/** Whether the profile itself says it: a snapshot repeats what the specification says, and that has been asked. */
function isOwn({ key, severity, expression }: Json): boolean {
  published ??= new Set([...invariantTable().values()].flat().map((it) => `${it.key} ${it.expression}`));
  return severity === 'error' && expression !== undefined && key !== 'ele-1' && !published.has(`${key} ${expression}`);
}
