/**
 * Terminology: what the operations on value sets, code systems and concept maps answer, and what search and validation
 * ask. Pure and synchronous; what the store holds comes through a {@link TerminologySource}. R4 terminology-service.html.
 */
import type { Json } from '../types.ts';
import { type ExpandRequest, expand } from './expand.ts';
import { Library } from './library.ts';
import {
  above,
  below,
  type Lookup,
  type LookupRequest,
  lookup,
  type SubsumesRequest,
  type Subsumption,
  subsumes,
} from './lookup.ts';
import type { TerminologySource } from './shipped.ts';
import { type TranslateRequest, type Translation, translate } from './translate.ts';
import {
  type CodeSystemCodeRequest,
  type Validation,
  type ValueSetCodeRequest,
  validateInCodeSystem,
  validateInValueSet,
} from './validate-code.ts';

/** A code of a value set as search compares it. */
export interface SystemCode {
  readonly system: string;
  readonly code: string;
}

/**
 * Every method throws a Failure: `not-found` for a value set, concept map or code that is not there, `invalid` where a
 * definition cannot be followed or the content of a code system that is needed is not here (the text names the system),
 * `too-costly` where the answer would be too large or take too long.
 */
export class Terminology {
  readonly #library: Library;

  /** @param source what the clients have stored; it goes before what is shipped */
  constructor(source?: TerminologySource) {
    this.#library = new Library(source);
  }

  /** ValueSet/$expand. @returns the ValueSet with its expansion */
  expand(request: ExpandRequest): Json {
    return expand(this.#library, request);
  }

  /** ValueSet/$validate-code. */
  validateInValueSet(request: ValueSetCodeRequest): Validation {
    return validateInValueSet(this.#library, request);
  }

  /** CodeSystem/$validate-code. */
  validateInCodeSystem(request: CodeSystemCodeRequest): Validation {
    return validateInCodeSystem(this.#library, request);
  }

  /** CodeSystem/$lookup. */
  lookup(request: LookupRequest): Lookup {
    return lookup(this.#library, request);
  }

  /** CodeSystem/$subsumes. */
  subsumes(request: SubsumesRequest): Subsumption {
    return subsumes(this.#library, request);
  }

  /** ConceptMap/$translate. */
  translate(request: TranslateRequest): Translation {
    return translate(this.#library, request);
  }

  /** All codes of a value set, for `:in` and `:not-in` (R4 search.html#token). */
  codesIn(valueSetUrl: string): readonly SystemCode[] {
    return this.#library.content(this.#library.valueSet(valueSetUrl)).members();
  }

  /** The code and all that it subsumes, for `:below`; the code alone when the system does not have it. */
  below(system: string, code: string): readonly string[] {
    return below(this.#library, system, code);
  }

  /** The code and all that subsume it, for `:above`. */
  above(system: string, code: string): readonly string[] {
    return above(this.#library, system, code);
  }
}
