/** ConceptMap/$translate. http://hl7.org/fhir/R4/conceptmap-operation-translate.html */
import { Failure } from '../../outcome.ts';
import type { Json } from '../types.ts';
import { type Library, splitCanonical } from './library.ts';
import { shippedConceptMaps } from './shipped.ts';

export interface TranslateRequest {
  /**
   * The maps to use: one by its canonical URL, or any number themselves. Without them those of R4 between `source`
   * and `target` or `targetSystem`.
   */
  readonly conceptMap?: string | readonly Json[] | undefined;
  readonly conceptMapVersion?: string | undefined;
  /** One of `code` with `system`, `coding`, `codeableConcept`. */
  readonly code?: string | undefined;
  readonly system?: string | undefined;
  readonly coding?: Json | undefined;
  readonly codeableConcept?: Json | undefined;
  /** Canonicals of value sets. */
  readonly source?: string | undefined;
  readonly target?: string | undefined;
  readonly targetSystem?: string | undefined;
  /** Other elements that a mapping may depend on. */
  readonly dependency?: readonly { readonly element: string; readonly concept: Json }[] | undefined;
  /** True: `code` is of the target, and its sources are sought. */
  readonly reverse?: boolean | undefined;
}

export interface Match {
  readonly equivalence: string;
  /** Absent where the map says that there is nothing. */
  readonly concept?: Json;
  readonly product?: readonly Json[];
  /** Canonical of the map. */
  readonly source?: string;
}

/** The out parameters of $translate. */
export interface Translation {
  /** True when a match says that there is something. */
  readonly result: boolean;
  readonly message?: string;
  readonly match: readonly Match[];
}

/** R4 concept-map-equivalence, read the other way round; the rest reads alike. */
const reversed: Readonly<Record<string, string>> = {
  wider: 'narrower',
  narrower: 'wider',
  subsumes: 'specializes',
  specializes: 'subsumes',
};
const nothing = new Set(['unmatched', 'disjoint']);
const matchesMax = 1000;
/** Maps gone through for one coding, which may refer to one another. */
const mapsMax = 1000;

/**
 * @throws Failure `invalid` when what is to be translated is missing or given twice, `not-found` for an unknown map
 */
export function translate(library: Library, request: TranslateRequest): Translation {
  const codings = codingsOf(request);
  const translator = new Translator(library, request);
  const match: Match[] = [];
  for (const map of mapsOf(library, request)) {
    for (const coding of codings) {
      for (const it of translator.through(map, coding)) match.push(it);
      if (match.length > matchesMax) throw new Failure('too-costly', `there are more than ${matchesMax} matches`);
    }
  }
  const result = match.some((it) => !nothing.has(it.equivalence));
  const message = translator.depends
    ? 'a mapping that depends on other elements was left out: give them as dependency'
    : match.length === 0
      ? 'no mapping was found'
      : undefined;
  return { result, ...(message && { message }), match };
}

function codingsOf({ code, system, coding, codeableConcept }: TranslateRequest): Json[] {
  if ([code, coding, codeableConcept].filter((it) => it !== undefined).length !== 1)
    throw new Failure('invalid', 'give one of code, coding and codeableConcept');
  if (code !== undefined && system === undefined) throw new Failure('invalid', 'a code needs its system');
  return codeableConcept ? (codeableConcept.coding ?? []) : [coding ?? { system, code }];
}

/** Value sets that a map is between, `from` what is asked. */
function ends(map: Json, reverse = false): { from?: string; to?: string } {
  const [source, target] = [map.sourceCanonical ?? map.sourceUri, map.targetCanonical ?? map.targetUri];
  return reverse ? { from: target, to: source } : { from: source, to: target };
}

function mapsOf(library: Library, request: TranslateRequest): readonly Json[] {
  const { conceptMap, conceptMapVersion, source, target, targetSystem, reverse } = request;
  const same = (a: string | undefined, b: string): boolean =>
    a !== undefined && splitCanonical(a)[0] === splitCanonical(b)[0];
  if (typeof conceptMap === 'string') return [library.conceptMap(conceptMap, conceptMapVersion)];
  if (!conceptMap && source === undefined && target === undefined && targetSystem === undefined)
    throw new Failure('invalid', 'translate needs a concept map, a source or a target');
  return (conceptMap ?? shippedConceptMaps()).filter((it) => {
    const { from, to } = ends(it, reverse);
    return (source === undefined || same(from, source)) && (target === undefined || same(to, target));
  });
}

class Translator {
  readonly #library: Library;
  readonly #request: TranslateRequest;
  /** True when a mapping was left out because what it depends on was not given. */
  depends = false;
  #maps = 0;

  constructor(library: Library, request: TranslateRequest) {
    this.#library = library;
    this.#request = request;
  }

  /** @param seen maps that led here, so that those that refer to one another end */
  through(map: Json, coding: Json, seen: ReadonlySet<Json> = new Set()): Match[] {
    if (seen.has(map)) return [];
    if (++this.#maps > mapsMax) throw new Failure('too-costly', 'the concept maps refer to one another too often');
    const { reverse, targetSystem } = this.#request;
    return (map.group ?? []).flatMap((group: Json) => {
      const [from, to] = reverse ? [group.target, group.source] : [group.source, group.target];
      if (from !== undefined && coding.system !== undefined && from !== coding.system) return [];
      if (targetSystem !== undefined && to !== targetSystem) return [];
      const found = reverse ? this.#back(map, group, coding) : this.#forth(map, group, coding);
      if (found.length > 0 || reverse || !group.unmapped) return found;
      return this.#unmapped(map, group, coding, new Set([...seen, map]));
    });
  }

  #forth(map: Json, group: Json, coding: Json): Match[] {
    const elements: Json[] = group.element.filter((it: Json) => it.code === coding.code);
    return elements.flatMap((element) =>
      (element.target ?? [])
        .filter((it: Json) => this.#holds(it))
        .map((it: Json) => match(map, it.equivalence, concept(group.target, group.targetVersion, it), it.product)),
    );
  }

  #back(map: Json, group: Json, coding: Json): Match[] {
    return group.element.flatMap((element: Json) =>
      (element.target ?? [])
        .filter((it: Json) => it.code !== undefined && it.code === coding.code && this.#holds(it))
        .map((it: Json) =>
          match(map, reversed[it.equivalence] ?? it.equivalence, concept(group.source, group.sourceVersion, element)),
        ),
    );
  }

  /** R4 conceptmap-unmapped-mode. How exact such a match is, nobody has said: `relatedto`. */
  #unmapped(map: Json, group: Json, coding: Json, seen: ReadonlySet<Json>): Match[] {
    const { mode, url, code, display } = group.unmapped;
    if (mode === 'other-map') return this.through(this.#library.conceptMap(url), coding, seen);
    const row = mode === 'fixed' ? { code, display } : { code: coding.code, display: coding.display };
    return [match(map, 'relatedto', concept(group.target, group.targetVersion, row))];
  }

  /** Whether what the mapping depends on was given, and is so. */
  #holds(target: Json): boolean {
    const fits = (on: Json): boolean =>
      (this.#request.dependency ?? []).some(
        ({ element, concept: value }) =>
          element === on.property &&
          (value.text === on.value ||
            value.coding?.some((it: Json) => it.code === on.value && (!on.system || it.system === on.system))),
      );
    const holds = (target.dependsOn ?? []).every(fits);
    if (!holds) this.depends = true;
    return holds;
  }
}

function concept(system: string | undefined, version: string | undefined, { code, display }: Json): Json | undefined {
  if (code === undefined) return undefined;
  return { ...(system && { system }), ...(version && { version }), code, ...(display && { display }) };
}

function match(map: Json, equivalence: string, coding: Json | undefined, product?: readonly Json[]): Match {
  return {
    equivalence,
    ...(coding && { concept: coding }),
    ...(product && { product }),
    ...(map.url && { source: map.url }),
  };
}
