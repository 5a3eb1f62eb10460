/** A CodeSystem compiled: its concepts by code, and its hierarchy both ways. R4 codesystem.html. */
import type { Json } from '../types.ts';

export interface Concept {
  readonly code: string;
  readonly display?: string;
  readonly definition?: string;
  readonly designation: readonly Json[];
  readonly property: readonly Json[];
  readonly parents: readonly Concept[];
  readonly children: readonly Concept[];
  /** Groups others; not meant to be chosen (`notSelectable`). */
  readonly abstract: boolean;
  /** No longer to be used (`inactive`, or a `status` that says so). Deprecated ones still may be. */
  readonly inactive: boolean;
}

type Building = { -readonly [K in keyof Concept]: Concept[K] } & { parents: Concept[]; children: Concept[] };

const none: readonly never[] = [];
const standard = 'http://hl7.org/fhir/concept-properties#';
const retired = new Set(['inactive', 'retired']);

/** The value of a concept's property, whatever its type. A Coding counts by its code. */
export function propertyValue(property: Json): string | undefined {
  const key = Object.keys(property).find((it) => it.startsWith('value'));
  const value = key && (key === 'valueCoding' ? property[key]?.code : property[key]);
  return value === undefined || typeof value === 'object' ? undefined : String(value);
}

export class CodeSystem {
  readonly url: string;
  readonly version: string | undefined;
  readonly name: string;
  /** Of the displays. */
  readonly language: string | undefined;
  /** `complete`, or how little is here (R4 codesystem-content-mode). */
  readonly content: string;
  /** The properties and filters that the system defines, and those that every system has. */
  readonly properties: ReadonlySet<string>;
  readonly #concepts = new Map<string, Concept>();
  /** Folded code ─▶ concept, for a system without case. */
  readonly #folded: Map<string, Concept> | undefined;

  constructor(resource: Json) {
    this.url = resource.url ?? '';
    this.version = resource.version;
    this.name = resource.title ?? resource.name ?? this.url;
    this.language = resource.language;
    this.content = resource.content;
    const declared: Json[] = resource.property ?? [];
    this.properties = new Set([...basics, ...declared.map((it) => it.code)]);
    /** A system may name a standard property as it likes; the URI says which it is. */
    const names = (name: string): Set<string> =>
      new Set([name, ...declared.filter((it) => it.uri === standard + name).map((it) => it.code)]);
    this.#gather(resource.concept ?? [], {
      abstract: names('notSelectable').add('abstract'),
      inactive: names('inactive'),
      status: names('status'),
    });
    this.#relate(names('parent'), names('child'));
    if (resource.caseSensitive === false)
      this.#folded = new Map([...this.#concepts.values()].map((it) => [it.code.toLowerCase(), it]));
  }

  /** Every code of the system is here: what is not, is no code. */
  get complete(): boolean {
    return this.content === 'complete';
  }

  get(code: string): Concept | undefined {
    return this.#concepts.get(code) ?? this.#folded?.get(code.toLowerCase());
  }

  /** In the order of the definition, parents before what is nested in them. */
  codes(): Iterable<string> {
    return this.#concepts.keys();
  }

  /** Those that the concept subsumes, itself included. Cycles do no harm. */
  descendants(concept: Concept): ReadonlySet<Concept> {
    return reach(concept, (it) => it.children);
  }

  /** Those that subsume the concept, itself included. */
  ancestors(concept: Concept): ReadonlySet<Concept> {
    return reach(concept, (it) => it.parents);
  }

  /** Nested concepts, without recursion: a hierarchy may be deeper than the stack. Of a code that comes twice the first counts. */
  #gather(roots: Json[], names: { abstract: Set<string>; inactive: Set<string>; status: Set<string> }): void {
    const open: { list: Json[]; at: number; parent?: Building }[] = [{ list: roots, at: 0 }];
    for (let level = open.at(-1); level; level = open.at(-1)) {
      const row = level.list[level.at++];
      if (row === undefined) open.pop();
      else if (typeof row.code === 'string' && !this.#concepts.has(row.code)) {
        const concept = conceptOf(row, names);
        this.#concepts.set(concept.code, concept);
        if (level.parent) link(level.parent, concept);
        if (row.concept) open.push({ list: row.concept, at: 0, parent: concept });
      }
    }
  }

  /** Hierarchy by properties, which may give a concept several parents. */
  #relate(parent: Set<string>, child: Set<string>): void {
    for (const concept of this.#concepts.values()) {
      for (const it of concept.property) {
        const [isParent, isChild] = [parent.has(it.code), child.has(it.code)];
        const other = isParent || isChild ? this.#concepts.get(propertyValue(it) ?? '') : undefined;
        if (other) link((isParent ? other : concept) as Building, (isParent ? concept : other) as Building);
      }
    }
  }
}

/** Filter properties that need no declaration: R4 valueset.html#filters and codesystem.html#defined-props. */
const basics = ['concept', 'code', 'display', 'definition', 'parent', 'child', 'inactive', 'status', 'notSelectable'];

function conceptOf(row: Json, names: { abstract: Set<string>; inactive: Set<string>; status: Set<string> }): Building {
  const property: readonly Json[] = row.property ?? none;
  return {
    code: row.code,
    ...(row.display !== undefined && { display: row.display }),
    ...(row.definition !== undefined && { definition: row.definition }),
    designation: row.designation ?? none,
    property,
    parents: [],
    children: [],
    abstract: property.some((it) => names.abstract.has(it.code) && it.valueBoolean === true),
    inactive: property.some(
      (it) =>
        (names.inactive.has(it.code) && it.valueBoolean === true) ||
        (names.status.has(it.code) && retired.has(it.valueCode)),
    ),
  };
}

/** The same link may be made twice, by nesting and by a property; who lists relatives takes each once. */
function link(parent: Building, child: Building): void {
  if (parent === child) return;
  parent.children.push(child);
  child.parents.push(parent);
}

function reach(from: Concept, next: (concept: Concept) => readonly Concept[]): ReadonlySet<Concept> {
  const found = new Set([from]);
  for (const concept of found) for (const it of next(concept)) found.add(it);
  return found;
}

const compiled = new WeakMap<Json, CodeSystem>();

/** Compiles a CodeSystem once for each object. */
export function compileCodeSystem(resource: Json): CodeSystem {
  let system = compiled.get(resource);
  if (!system) {
    system = new CodeSystem(resource);
    compiled.set(resource, system);
  }
  return system;
}
