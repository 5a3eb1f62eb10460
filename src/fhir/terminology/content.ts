/** What a value set contains, by its definition: whether a code is in it, and which codes are. R4 valueset.html#compositions. */
import { Failure } from '../../outcome.ts';
import type { Json } from '../types.ts';
import type { CodeSystem, Concept } from './code-system.ts';
import type { ConceptTest, Spend } from './filter.ts';
import type { Grammar } from './grammar.ts';

/** A code of a value set. */
export interface Member {
  readonly system: string;
  readonly version?: string | undefined;
  readonly code: string;
  /** As the value set wants it shown; else the concept's own display counts. */
  readonly display?: string | undefined;
  readonly designation?: readonly Json[] | undefined;
  /** Both absent for codes of a system that is not here, or that is a grammar. */
  readonly codeSystem?: CodeSystem | undefined;
  readonly concept?: Concept | undefined;
}

/** One include or exclude, compiled: all of its conditions must hold. */
export interface Part {
  readonly system?: string;
  readonly version?: string;
  readonly codeSystem?: CodeSystem | undefined;
  readonly grammar?: Grammar | undefined;
  /** The codes that are listed, in order. */
  readonly listed?: ReadonlyMap<string, Json>;
  /** All filters in one; undefined where there are none. */
  readonly filter?: ConceptTest | undefined;
  /** The same for a grammar. */
  readonly grammarFilter?: ((code: string) => boolean) | undefined;
  readonly imports: readonly Content[];
}

/** The content of a system that is needed and not here. */
export function unheld(system: string, version?: string): Failure {
  const name = `${system.slice(0, 200)}${version ? `|${version.slice(0, 50)}` : ''}`;
  return new Failure('unknown-system', `the content of code system ${name} is not here`);
}

export interface Content {
  /**
   * The member with this code; undefined when the value set does not have it.
   * @throws Failure `invalid` when the content of a code system that would tell is not here
   */
  find(system: string, code: string): Member | undefined;
  /**
   * All codes, in the order of the definition, each once.
   * @throws Failure `invalid` when the codes of a system are not here, or are without end
   */
  members(): readonly Member[];
  /** The code systems that members may be of. */
  systems(): ReadonlySet<string>;
}

/** So many excludes cost as much as a look at a concept. */
const excludesPerStep = 10;

/** A value set by its compose element. */
export class ComposedContent implements Content {
  readonly #includes: readonly Part[];
  readonly #excludes: readonly Part[];
  /** False: without inactive codes. */
  readonly #inactive: boolean;
  readonly #spend: Spend;
  #members: readonly Member[] | undefined;
  #systems: ReadonlySet<string> | undefined;
  /** The last answer: value sets that import one another many times ask the same again and again. */
  #last: { readonly key: string; readonly member?: Member | undefined; readonly failure?: unknown } | undefined;

  constructor(includes: readonly Part[], excludes: readonly Part[], inactive: boolean, spend: Spend) {
    this.#includes = includes;
    this.#excludes = excludes;
    this.#inactive = inactive;
    this.#spend = spend;
  }

  find(system: string, code: string): Member | undefined {
    const key = `${system}|${code}`;
    if (this.#last?.key !== key) this.#last = { key, ...this.#search(system, code) };
    if (this.#last.failure) throw this.#last.failure;
    return this.#last.member;
  }

  #search(system: string, code: string): { member?: Member | undefined; failure?: unknown } {
    let failure: unknown;
    for (const part of this.#includes) {
      this.#spend(1);
      try {
        const member = find(part, system, code);
        if (member) return { member: this.#keeps(member) ? member : undefined };
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
        failure ??= error; // another include may still have it
      }
    }
    return { failure };
  }

  members(): readonly Member[] {
    this.#members ??= this.#gather();
    return this.#members;
  }

  #gather(): readonly Member[] {
    const found = new Map<string, Member>();
    for (const part of this.#includes) {
      for (const member of membersOf(part)) {
        this.#spend(1);
        const key = `${member.system}|${member.code}`;
        if (!found.has(key) && this.#keeps(member)) found.set(key, member);
      }
    }
    return [...found.values()];
  }

  systems(): ReadonlySet<string> {
    this.#systems ??= new Set(this.#includes.flatMap((it) => it.system ?? [...(it.imports[0]?.systems() ?? [])]));
    return this.#systems;
  }

  #keeps(member: Member): boolean {
    if (!this.#inactive && member.concept?.inactive) return false;
    this.#spend(this.#excludes.length / excludesPerStep);
    return !this.#excludes.some((part) => excluded(part, member));
  }
}

/** A value set that is stored as its expansion, without a definition. */
export class ExpandedContent implements Content {
  readonly #members = new Map<string, Member>();

  /** @param codeSystem finds the concepts behind the codes, where they are here */
  constructor(contains: readonly Json[], codeSystem: (url: string) => CodeSystem | undefined) {
    const open = contains.toReversed();
    for (let it = open.pop(); it; it = open.pop()) {
      const { system, version, code, display, designation } = it;
      if (system !== undefined && code !== undefined) {
        const held = codeSystem(system);
        const member = { system, version, code, codeSystem: held, concept: held?.get(code), display, designation };
        this.#members.set(`${system}|${code}`, member);
      }
      for (const child of it.contains?.toReversed() ?? []) open.push(child);
    }
  }

  find(system: string, code: string): Member | undefined {
    return this.#members.get(`${system}|${code}`);
  }

  members(): readonly Member[] {
    return [...this.#members.values()];
  }

  systems(): ReadonlySet<string> {
    return new Set(this.members().map((it) => it.system));
  }
}

/** An exclude of a whole system needs no content of it. */
function excluded(part: Part, member: Member): boolean {
  if (part.system !== undefined && part.system !== member.system) return false;
  const whole = part.system !== undefined && !part.listed && !part.filter && !part.grammarFilter;
  return whole
    ? part.imports.every((it) => it.find(member.system, member.code))
    : find(part, member.system, member.code) !== undefined;
}

function inAll(contents: readonly Content[], { system, code }: Member): boolean {
  return contents.every((it) => it.find(system, code) !== undefined);
}

function find(part: Part, system: string, code: string): Member | undefined {
  const [first, ...others] = part.imports;
  if (part.system === undefined) {
    const member = first?.find(system, code);
    return member && inAll(others, member) ? member : undefined;
  }
  const own = part.system === system ? ownMember(part, system, code) : undefined;
  return own && inAll(part.imports, own) ? own : undefined;
}

/** The member by system, list and filters alone. */
function ownMember(part: Part, system: string, code: string): Member | undefined {
  const { codeSystem, grammar, listed } = part;
  const concept = codeSystem?.get(code);
  if (listed) {
    // The code as the system writes it: some have no upper and lower case.
    const row = listed.get(concept?.code ?? code);
    return row && (concept || !codeSystem?.complete) ? memberOf(part, system, concept ?? code, row) : undefined;
  }
  if (concept) return !part.filter || part.filter(concept) ? memberOf(part, system, concept) : undefined;
  if (codeSystem?.complete) return undefined;
  if (!grammar) throw unheld(system, part.version);
  if (!grammar.has(code) || part.grammarFilter?.(code) === false) return undefined;
  return memberOf(part, system, code, { display: grammar.display?.(code, undefined) });
}

function memberOf(part: Part, system: string, concept: Concept | string, row?: Json): Member {
  return {
    system,
    version: part.codeSystem?.version ?? part.version,
    ...(typeof concept === 'string' ? { code: concept } : { code: concept.code, concept }),
    codeSystem: part.codeSystem,
    display: row?.display,
    designation: row?.designation,
  };
}

function* membersOf(part: Part): Iterable<Member> {
  const { system, codeSystem, listed, imports } = part;
  const [first, ...others] = imports;
  if (system !== undefined && (listed || codeSystem)) {
    const codes: Iterable<string> = listed?.keys() ?? codeSystem?.codes() ?? [];
    for (const code of codes) {
      const member = ownMember(part, system, code);
      if (member && inAll(imports, member)) yield member;
    }
  } else if (first) {
    for (const it of first.members()) {
      const own = system === undefined ? it : it.system === system ? ownMember(part, system, it.code) : undefined;
      if (own && inAll(others, own)) yield own;
    }
  } else if (part.grammar)
    throw new Failure('invalid', `code system ${system} has no list of its codes: it is a grammar`);
  else throw unheld(system ?? '', part.version);
}
