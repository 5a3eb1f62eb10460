/** Code systems, value sets and concept maps by canonical URL: those of the clients first, then those of R4. */
import { Failure } from '../../outcome.ts';
import type { Json } from '../types.ts';
import { type CodeSystem, compileCodeSystem } from './code-system.ts';
import { ComposedContent, type Content, ExpandedContent, type Part, unheld } from './content.ts';
import { type ConceptTest, compileFilter, type Spend } from './filter.ts';
import { grammarOf } from './grammar.ts';
import { shipped, type TerminologySource } from './shipped.ts';

/** How many steps one operation may take, of a microsecond or less each: nothing else is answered meanwhile. */
const stepsMax = 1_000_000;
const importDepthMax = 50;
const supplement = 'http://hl7.org/fhir/StructureDefinition/valueset-supplement';

/** `url|version` ─▶ both. A version given beside it counts where the URL has none. */
export function splitCanonical(canonical: string, version?: string): [url: string, version: string | undefined] {
  const cut = canonical.indexOf('|');
  return cut < 0 ? [canonical, version] : [canonical.slice(0, cut), canonical.slice(cut + 1) || version];
}

export class Library {
  readonly #sources: readonly TerminologySource[];

  constructor(source?: TerminologySource) {
    this.#sources = source ? [source, shipped] : [shipped];
  }

  /** A code system with content; undefined when it is unknown, or only its name is here. */
  codeSystem(canonical: string, version?: string): CodeSystem | undefined {
    const [url, exact] = splitCanonical(canonical, version);
    const resource = this.#first((it) => it.codeSystem(url, exact));
    const held = resource && (resource.concept || resource.content === 'complete') && resource.content !== 'supplement';
    return held ? compileCodeSystem(resource) : undefined;
  }

  /** @throws Failure `not-found` */
  valueSet(canonical: string, version?: string): Json {
    const [url, exact] = splitCanonical(canonical, version);
    const resource = this.#first((it) => it.valueSet(url, exact));
    if (!resource) throw new Failure('not-found', `there is no value set ${canonical.slice(0, 200)}`);
    return resource;
  }

  /** @throws Failure `not-found` */
  conceptMap(canonical: string, version?: string): Json {
    const [url, exact] = splitCanonical(canonical, version);
    const resource = this.#first((it) => it.conceptMap(url, exact));
    if (!resource) throw new Failure('not-found', `there is no concept map ${canonical.slice(0, 200)}`);
    return resource;
  }

  /**
   * What a value set contains. Nothing is enumerated yet.
   * @param valueSet sound by its schema
   * @param steps that may be taken while it is in use; the shipped value sets need no bound
   * @throws Failure `invalid` for a definition that cannot be followed, `not-found` for an import that is not here
   */
  content(valueSet: Json, steps: number = stepsMax): Content {
    return new Composer(this, steps).content(valueSet);
  }

  #first(ask: (source: TerminologySource) => Json | undefined): Json | undefined {
    for (const source of this.#sources) {
      const found = ask(source);
      if (found) return found;
    }
    return undefined;
  }
}

/** Compiles the definition of a value set and of those that it imports, for one operation. */
class Composer {
  readonly #library: Library;
  readonly #done = new Map<Json, Content>();
  readonly #open = new Set<Json>();
  /** A source may read anew each time; here one canonical is one object, or no cycle would be seen. */
  readonly #imports = new Map<string, Json>();
  readonly #spend: Spend;

  constructor(library: Library, steps: number) {
    this.#library = library;
    let left = steps;
    this.#spend = (steps) => {
      left -= steps;
      if (!(left >= 0)) throw new Failure('too-costly', 'the value set takes too long to work out');
    };
  }

  content(valueSet: Json): Content {
    const known = this.#done.get(valueSet);
    if (known) return known;
    if (this.#open.has(valueSet)) throw new Failure('invalid', 'the value set imports itself');
    if (this.#open.size >= importDepthMax)
      throw new Failure('too-costly', `value sets import one another more than ${importDepthMax} deep`);
    this.#open.add(valueSet);
    const content = this.#compile(valueSet);
    this.#open.delete(valueSet);
    this.#done.set(valueSet, content);
    return content;
  }

  #compile({ compose, expansion, extension }: Json): Content {
    // Its names would be wrong without the supplement, and nothing in the answer would say so.
    if (extension?.some((it: Json) => it.url === supplement))
      throw new Failure('invalid', 'value sets that need a code system supplement are not supported');
    if (compose) {
      const parts = (rows?: Json[]): Part[] => (rows ?? []).map((it) => this.#part(it));
      return new ComposedContent(
        parts(compose.include),
        parts(compose.exclude),
        compose.inactive !== false,
        this.#spend,
      );
    }
    if (expansion) return new ExpandedContent(expansion.contains ?? [], (url) => this.#library.codeSystem(url));
    throw new Failure('invalid', 'the value set has neither a definition nor an expansion');
  }

  #part({ system: canonical, version: named, concept, filter, valueSet }: Json): Part {
    this.#spend(1);
    const imports = (valueSet ?? []).map((it: string) => this.content(this.#import(it)));
    if (canonical === undefined) {
      if (imports.length === 0) throw new Failure('invalid', 'an include needs a system or a value set');
      return { imports };
    }
    const [system, exact] = splitCanonical(canonical, named === '*' ? undefined : named);
    const codeSystem = this.#library.codeSystem(system, exact);
    const grammar = codeSystem ? undefined : grammarOf(system);
    return {
      system,
      ...(exact !== undefined && { version: exact }),
      codeSystem,
      grammar,
      ...(concept && { listed: new Map(concept.map((it: Json) => [codeSystem?.get(it.code)?.code ?? it.code, it])) }),
      ...(filter && codeSystem && { filter: this.#filter(codeSystem, filter) }),
      ...(filter && !codeSystem && { grammarFilter: grammarFilter(system, exact, filter) }),
      imports,
    };
  }

  #import(canonical: string): Json {
    const valueSet = this.#imports.get(canonical) ?? this.#library.valueSet(canonical);
    this.#imports.set(canonical, valueSet);
    return valueSet;
  }

  #filter(system: CodeSystem, rows: Json[]): ConceptTest {
    const tests = rows.map((it) => compileFilter(system, it, this.#spend));
    return (concept) => tests.every((it) => it(concept));
  }
}

function grammarFilter(system: string, version: string | undefined, rows: Json[]): (code: string) => boolean {
  const tests = rows.map((it) => grammarOf(system)?.filter?.(it.property, it.op, it.value));
  // Without the content nobody can tell: said when a code is asked for, not before.
  return (code) =>
    tests.every((it) => {
      if (!it) throw unheld(system, version);
      return it(code);
    });
}
