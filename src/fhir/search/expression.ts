/**
 * Search-parameter expressions ─▶ compiled walks. The published expressions use a small part of FHIRPath: paths, `as`,
 * `ofType`, `where(resolve() is T)`, `where(a='b')`, `extension('url')`, unions. What is more goes to @medplum/core
 * (some 50 times slower, 20 µs an expression), see {@link compileExpression}.
 */
import { evalFhirPathTyped, type FhirPathAtom, parseFhirPath, type TypedValue, toTypedValue } from '@medplum/core';
import { elementOf, elementsOf } from '../definitions.ts';
import type { Json } from '../types.ts';

/** A value found in a resource, with its FHIR type (`Period`, `CodeableConcept`, `dateTime` …). */
export interface Found {
  readonly type: string;
  readonly value: any;
}

/** Finds the values of an expression in a resource. */
export type Walk = (resource: Json, found: Found[]) => void;

type Step =
  | { kind: 'element'; name: string }
  | { kind: 'as'; type: string }
  | { kind: 'refers'; type: string }
  | { kind: 'equals'; path: string; value: string }
  | { kind: 'extension'; url: string };

/**
 * Compiles what an expression says of one resource type.
 * @returns undefined when it says nothing of the type
 */
export function compileExpression(type: string, expression: string): Walk | undefined {
  const walks: Walk[] = [];
  for (const part of splitUnion(expression)) {
    const own = ownPart(type, part);
    if (own === undefined) continue;
    const steps = parseSteps(own);
    walks.push(steps ? fromResource(type, compileVisit(steps)) : slowWalk(part));
  }
  if (walks.length === 0) return undefined;
  if (walks.length === 1) return walks[0];
  return (resource, found) => {
    for (const walk of walks) walk(resource, found);
  };
}

/**
 * The keys of a resource of which one must be there for {@link compileExpression} to find something; undefined where that is
 * not known.
 */
export function rootsOf(type: string, expression: string): readonly string[] | undefined {
  const roots = new Set<string>();
  for (const part of splitUnion(expression)) {
    const own = ownPart(type, part);
    if (own === undefined) continue;
    const first = parseSteps(own)?.[0];
    if (first?.kind !== 'element') return undefined;
    for (const { key } of keysOf(type, first.name)) roots.add(key);
  }
  return [...roots];
}

/** Finds values from an element on, not from the resource. */
export type RelativeWalk = (context: Found, found: Found[]) => void;

/**
 * Compiles the expression of a composite's component: it begins at the element that the composite is about.
 * @returns undefined for what is not a path
 */
export function compileRelative(expression: string): RelativeWalk | undefined {
  const visits = splitUnion(expression).map((part) => {
    const steps = parseSteps(unwrap(part));
    return steps && compileVisit(steps);
  });
  if (visits.some((visit) => !visit)) return undefined;
  return ({ type, value }, found) => {
    for (const visit of visits) visit?.(value, type, found);
  };
}

/** True when an expression needs the slow evaluator; a test keeps the list of those short. */
export function isSlow(type: string, expression: string): boolean {
  return splitUnion(expression).some((part) => {
    const own = ownPart(type, part);
    return own !== undefined && !parseSteps(own);
  });
}

function splitUnion(expression: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let from = 0;
  for (let i = 0; i < expression.length; i++) {
    if (expression[i] === '(') depth++;
    else if (expression[i] === ')') depth--;
    else if (expression[i] === '|' && depth === 0) {
      parts.push(expression.slice(from, i));
      from = i + 1;
    }
  }
  parts.push(expression.slice(from));
  return parts.map((part) => part.trim());
}

/** The part behind `Type.`; undefined when the part is about another type. */
function ownPart(type: string, part: string): string | undefined {
  const text = unwrap(part);
  for (const base of [type, 'Resource', 'DomainResource']) {
    // A composite may be about the resource itself: the expression is `Observation`.
    if (text === base) return '';
    if (text.startsWith(`${base}.`)) return text.slice(base.length + 1);
  }
  // InsurancePlan-name is published as `name | alias`: what begins in lower case is of the type that the parameter has.
  return /^[a-z]/.test(text) ? text : undefined;
}

/** `(Observation.value as CodeableConcept).text` is `Observation.value.as(CodeableConcept).text`. */
function unwrap(part: string): string {
  if (!part.startsWith('(')) return part;
  let depth = 0;
  for (let i = 0; i < part.length; i++) {
    if (part[i] === '(') depth++;
    else if (part[i] === ')' && --depth === 0) {
      const inner = part
        .slice(1, i)
        .trim()
        .replace(/ as ([A-Za-z]+)$/, '.as($1)');
      return unwrap(inner) + part.slice(i + 1);
    }
  }
  return part;
}

function parseSteps(path: string): Step[] | undefined {
  const steps: Step[] = [];
  const cast = /^(.*) as ([A-Za-z]+)$/.exec(path);
  let rest = cast ? (cast[1] as string) : path;
  const next = (pattern: RegExp, step: (match: RegExpExecArray) => Step | undefined): boolean => {
    const match = pattern.exec(rest);
    if (!match) return false;
    const made = step(match);
    if (made) steps.push(made);
    rest = rest.slice(match[0].length).replace(/^\./, '');
    return true;
  };
  while (rest !== '') {
    const known =
      next(/^(?:as|ofType)\(([A-Za-z]+)\)/, ([, type]) => ({ kind: 'as', type: type as string })) ||
      next(/^where\(resolve\(\) is ([A-Za-z]+)\)/, ([, type]) => ({ kind: 'refers', type: type as string })) ||
      next(/^where\(([a-zA-Z]+)='([^']*)'\)/, ([, name, value]) => ({
        kind: 'equals',
        path: name as string,
        value: value as string,
      })) ||
      next(/^extension\('([^']*)'\)/, ([, url]) => ({ kind: 'extension', url: url as string })) ||
      next(/^([a-zA-Z]+)(?=\.|$)/, ([, name]) => ({ kind: 'element', name: name as string }));
    if (!known) return undefined;
  }
  if (cast) steps.push({ kind: 'as', type: cast[2] as string });
  return steps;
}

type Visit = (value: any, type: string, found: Found[]) => void;

function compileVisit(steps: Step[]): Visit {
  const emit: Visit = (value, of, found) => {
    if (value !== undefined && value !== null) found.push({ type: of, value });
  };
  return steps.reduceRight<Visit>((then, step) => compileStep(step, then), emit);
}

function fromResource(type: string, visit: Visit): Walk {
  return (resource, found) => visit(resource, type, found);
}

function compileStep(step: Step, then: Visit): Visit {
  switch (step.kind) {
    case 'element':
      return elementStep(step.name, then);
    case 'as':
      return (value, type, found) => {
        if (type === step.type) then(value, type, found);
      };
    case 'refers':
      return (value, type, found) => {
        if (refersTo(value, step.type)) then(value, type, found);
      };
    case 'equals':
      return (value, type, found) => {
        if (value[step.path] === step.value) then(value, type, found);
      };
    case 'extension':
      return (value, _, found) => {
        for (const extension of value.extension ?? [])
          if (extension.url === step.url) then(extension, 'Extension', found);
      };
  }
}

/** R4 search.html: `resolve() is T` is decided by what the reference says, without reading the target. */
function refersTo(value: Json, type: string): boolean {
  if (value.type === type) return true;
  const reference: unknown = value.reference;
  return typeof reference === 'string' && (reference.startsWith(`${type}/`) || reference.includes(`/${type}/`));
}

/** Elements of a type by name, choice types resolved; looked up once per type. */
function elementStep(name: string, then: Visit): Visit {
  const byType = new Map<string, { key: string; type: string }[]>();
  return (value, type, found) => {
    let keys = byType.get(type);
    if (!keys) {
      keys = keysOf(type, name);
      byType.set(type, keys);
    }
    for (const { key, type: of } of keys) {
      const item = value[key];
      if (item === undefined) continue;
      if (Array.isArray(item)) for (const each of item) each !== null && then(each, of, found);
      else then(item, of, found);
    }
  };
}

function keysOf(type: string, name: string): { key: string; type: string }[] {
  const element = elementOf(type, name);
  if (element) return [{ key: name, type: element.type }];
  return Object.entries(elementsOf(type) ?? {})
    .filter(([, row]) => row.choice === name)
    .map(([key, row]) => ({ key, type: row.type }));
}

function slowWalk(expression: string): Walk {
  const parsed = parseFhirPath(expression);
  return (resource, found) => {
    for (const { type, value } of evaluated(parsed, resource)) if (value !== undefined) found.push({ type, value });
  };
}

/** An expression of a client may fail on one resource: that resource has no value then, and is stored all the same. */
function evaluated(expression: FhirPathAtom, resource: Json): TypedValue[] {
  try {
    return evalFhirPathTyped(expression, [toTypedValue(resource)]) as TypedValue[];
  } catch {
    return [];
  }
}
