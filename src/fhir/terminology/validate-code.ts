/**
 * ValueSet/$validate-code and CodeSystem/$validate-code.
 * http://hl7.org/fhir/R4/valueset-operation-validate-code.html http://hl7.org/fhir/R4/codesystem-operation-validate-code.html
 */
import { Failure } from '../../outcome.ts';
import { fold } from '../search/values.ts';
import type { Json } from '../types.ts';
import { type CodeSystem, compileCodeSystem } from './code-system.ts';
import { type Content, type Member, unheld } from './content.ts';
import { displayOf, namesOf } from './display.ts';
import { grammarOf } from './grammar.ts';
import type { Library } from './library.ts';

/** What is to be validated: one of `code`, `coding`, `codeableConcept`. */
export interface CodeRequest {
  readonly code?: string | undefined;
  readonly display?: string | undefined;
  readonly coding?: Json | undefined;
  readonly codeableConcept?: Json | undefined;
  /** False: an abstract code does not pass. Absent: it does. */
  readonly abstract?: boolean | undefined;
  readonly displayLanguage?: string | undefined;
}

export interface ValueSetCodeRequest extends CodeRequest {
  /** The value set itself, or its canonical URL. */
  readonly valueSet: Json | string;
  readonly valueSetVersion?: string | undefined;
  /** Without it the code must be of one system only. */
  readonly system?: string | undefined;
  readonly systemVersion?: string | undefined;
}

export interface CodeSystemCodeRequest extends CodeRequest {
  /** The code system itself, or its canonical URL. */
  readonly codeSystem: Json | string;
  readonly version?: string | undefined;
}

/** The out parameters of both operations. */
export interface Validation {
  readonly result: boolean;
  /** Why not; names no code and no display. */
  readonly message?: string;
  /** What the code is called. */
  readonly display?: string;
}

interface Coding {
  readonly system?: string | undefined;
  readonly version?: string | undefined;
  readonly code?: string | undefined;
  readonly display?: string | undefined;
}

/** Finds the code of a coding; a text says why it is not there. */
type Find = (coding: Coding) => Member | string;

/**
 * @throws Failure `invalid` when nothing or several things are to be validated, or when the content of a code system
 *   that would tell is not here; `not-found` for an unknown value set
 */
export function validateInValueSet(library: Library, request: ValueSetCodeRequest): Validation {
  const { valueSet: asked, valueSetVersion, system, systemVersion } = request;
  const valueSet = typeof asked === 'string' ? library.valueSet(asked, valueSetVersion) : asked;
  const content = library.content(valueSet);
  const name = valueSet.url ? `value set ${valueSet.url}` : 'the value set';
  return validate(request, { system, version: systemVersion }, (coding) => inContent(content, coding, name));
}

function inContent(content: Content, { system, version, code }: Coding, name: string): Member | string {
  if (code === undefined) return 'there is no code';
  const systems = system === undefined ? [...content.systems()] : [system];
  const [member, ...others] = systems.flatMap((it) => content.find(it, code) ?? []);
  if (others.length > 0) return `the code is of several systems of ${name}: it needs its system`;
  if (!member) return `the code is not in ${name}`;
  const versions = member.version !== undefined && version !== undefined;
  return versions && member.version !== version ? `${name} holds another version of the code system` : member;
}

/** @throws Failure as {@link validateInValueSet} */
export function validateInCodeSystem(library: Library, request: CodeSystemCodeRequest): Validation {
  const { codeSystem: asked, version } = request;
  const url = typeof asked === 'string' ? asked : asked.url;
  const codeSystem = typeof asked === 'string' ? library.codeSystem(asked, version) : compileCodeSystem(asked);
  return validate(request, { system: url }, (coding) => {
    if (coding.system !== undefined && coding.system !== url) return 'the coding is of another code system';
    return memberIn(codeSystem, url, coding.code) ?? `the code is not in code system ${url}`;
  });
}

/**
 * A code as the member of its whole system.
 * @throws Failure `invalid` when the content of the system is not here
 */
export function memberIn(
  codeSystem: CodeSystem | undefined,
  url: string,
  code: string | undefined,
): Member | undefined {
  if (code === undefined) return undefined;
  const concept = codeSystem?.get(code);
  if (codeSystem && concept)
    return { system: url, version: codeSystem.version, code: concept.code, codeSystem, concept };
  if (codeSystem?.complete) return undefined;
  const grammar = grammarOf(url);
  if (!grammar) throw unheld(url);
  return grammar.has(code) ? { system: url, code, display: grammar.display?.(code, undefined) } : undefined;
}

/** @param rest what is known of a bare code beside it */
function validate(request: CodeRequest, rest: Coding, find: Find): Validation {
  const { code, display, coding, codeableConcept } = request;
  const given = [code, coding, codeableConcept].filter((it) => it !== undefined);
  if (given.length !== 1) throw new Failure('invalid', 'give one of code, coding and codeableConcept');
  if (!codeableConcept) return one(coding ?? { ...rest, code, display }, request, find);
  return oneOf(codeableConcept.coding ?? [], request, find);
}

function one(coding: Coding, request: CodeRequest, find: Find): Validation {
  const member = find(coding);
  if (typeof member === 'string') return { result: false, message: member };
  const name = displayOf(member, request.displayLanguage);
  const display = name === undefined ? {} : { display: name };
  if (request.abstract === false && member.concept?.abstract)
    return { result: false, message: 'the code is abstract: it only groups others', ...display };
  const names = namesOf(member);
  if (coding.display !== undefined && names.length > 0 && !names.some((it) => same(it, coding.display as string)))
    return { result: false, message: 'the display is none of those of the code', ...display };
  return { result: true, ...display };
}

/** One coding that passes is enough; another one of an unknown system does no harm then. */
function oneOf(codings: readonly Coding[], request: CodeRequest, find: Find): Validation {
  let failed: Validation = { result: false, message: 'there is no coding' };
  let failure: unknown;
  for (const coding of codings) {
    try {
      const validation = one(coding, request, find);
      if (validation.result) return validation;
      failed = validation;
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      failure ??= error;
    }
  }
  if (failure) throw failure;
  return codings.length > 1 ? { result: false, message: 'none of the codings passes' } : failed;
}

/** Case, accents and blanks do not matter: no code system of R4 says that its displays are case sensitive. */
function same(a: string, b: string): boolean {
  const plain = (text: string): string => fold(text).replace(/\s+/g, ' ').trim();
  return plain(a) === plain(b);
}
