/**
 * CodeSystem/$lookup and CodeSystem/$subsumes, and the hierarchy for `:below` and `:above`.
 * http://hl7.org/fhir/R4/codesystem-operation-lookup.html http://hl7.org/fhir/R4/codesystem-operation-subsumes.html
 */
import { Failure } from '../../outcome.ts';
import type { Json } from '../types.ts';
import type { CodeSystem, Concept } from './code-system.ts';
import { unheld } from './content.ts';
import { designationsOf, displayOf } from './display.ts';
import type { Library } from './library.ts';
import { memberIn } from './validate-code.ts';

export interface LookupRequest {
  readonly system: string;
  readonly code: string;
  readonly version?: string | undefined;
  readonly displayLanguage?: string | undefined;
  /** Names of properties that are wanted, `lang.de` for designations in a language; all when absent. */
  readonly property?: readonly string[] | undefined;
}

/** The out parameters of $lookup. A property holds `code`, one `value[x]`, and `description` where the value is a code. */
export interface Lookup {
  readonly name: string;
  readonly version?: string;
  readonly display: string;
  readonly designation: readonly Json[];
  readonly property: readonly Json[];
}

/**
 * @throws Failure `not-found` when the system has no such code, `invalid` when its content is not here
 */
export function lookup(library: Library, request: LookupRequest): Lookup {
  const { system, code, version, displayLanguage, property } = request;
  const codeSystem = library.codeSystem(system, version);
  const member = memberIn(codeSystem, system, code);
  if (!member) throw new Failure('not-found', `code system ${system.slice(0, 200)} has no such code`);
  const wants = (name: string): boolean => !property?.length || property.includes(name);
  return {
    name: codeSystem?.name ?? system,
    ...(codeSystem?.version && { version: codeSystem.version }),
    display: displayOf(member, displayLanguage) ?? member.code,
    designation: designationsOf(member).filter((it) => wants('designation') || wants(`lang.${it.language}`)),
    property: member.concept ? propertiesOf(member.concept, wants) : [],
  };
}

function propertiesOf(concept: Concept, wants: (name: string) => boolean): Json[] {
  const relatives = (code: string, list: readonly Concept[]): Json[] =>
    [...new Set(list)].map((it) => ({ code, valueCode: it.code, ...(it.display && { description: it.display }) }));
  const all: Json[] = [
    ...(concept.definition === undefined ? [] : [{ code: 'definition', valueString: concept.definition }]),
    { code: 'inactive', valueBoolean: concept.inactive },
    ...(concept.abstract ? [{ code: 'notSelectable', valueBoolean: true }] : []),
    ...relatives('parent', concept.parents),
    ...relatives('child', concept.children),
  ];
  const said = new Set(all.map((it) => it.code));
  return [...all, ...concept.property.filter((it) => !said.has(it.code))].filter((it) => wants(it.code));
}

export interface SubsumesRequest {
  /** Needed for bare codes. */
  readonly system?: string | undefined;
  readonly version?: string | undefined;
  readonly codeA?: string | undefined;
  readonly codeB?: string | undefined;
  readonly codingA?: Json | undefined;
  readonly codingB?: Json | undefined;
}

/** R4 concept-subsumption-outcome. */
export type Subsumption = 'equivalent' | 'subsumes' | 'subsumed-by' | 'not-subsumed';

/**
 * @throws Failure `not-found` when the system has no such code, `invalid` when its content is not here, when a code or
 *   the system is missing, or when the codes are of two systems
 */
export function subsumes(library: Library, request: SubsumesRequest): Subsumption {
  const system = request.system ?? request.codingA?.system ?? request.codingB?.system;
  if (typeof system !== 'string') throw new Failure('invalid', 'subsumes needs a system');
  for (const coding of [request.codingA, request.codingB])
    if (coding?.system !== undefined && coding.system !== system)
      throw new Failure('invalid', 'how codes of two systems relate is not known');
  const codeSystem = held(library, system, request.version ?? request.codingA?.version ?? request.codingB?.version);
  const concept = (code: unknown): Concept => {
    if (typeof code !== 'string') throw new Failure('invalid', 'subsumes needs two codes');
    const found = codeSystem.get(code);
    if (!found) throw new Failure('not-found', `code system ${system.slice(0, 200)} has no such code`);
    return found;
  };
  const a = concept(request.codeA ?? request.codingA?.code);
  const b = concept(request.codeB ?? request.codingB?.code);
  if (a === b) return 'equivalent';
  if (codeSystem.ancestors(b).has(a)) return 'subsumes';
  return codeSystem.ancestors(a).has(b) ? 'subsumed-by' : 'not-subsumed';
}

/**
 * The code itself and those below it; the code alone when the system does not have it.
 * @throws Failure `invalid` when the content of the system is not here
 */
export function below(library: Library, system: string, code: string): readonly string[] {
  const codeSystem = held(library, system);
  const concept = codeSystem.get(code);
  return concept ? [...codeSystem.descendants(concept)].map((it) => it.code) : [code];
}

/** The code itself and those above it. @throws Failure as {@link below} */
export function above(library: Library, system: string, code: string): readonly string[] {
  const codeSystem = held(library, system);
  const concept = codeSystem.get(code);
  return concept ? [...codeSystem.ancestors(concept)].map((it) => it.code) : [code];
}

function held(library: Library, system: string, version?: string): CodeSystem {
  const codeSystem = library.codeSystem(system, version);
  if (!codeSystem) throw unheld(system, version);
  return codeSystem;
}
