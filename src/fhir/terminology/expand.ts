/** ValueSet/$expand. http://hl7.org/fhir/R4/valueset-operation-expand.html */
import { Failure } from '../../outcome.ts';
import { fold } from '../search/values.ts';
import type { Json } from '../types.ts';
import type { Member } from './content.ts';
import { designationsOf, displayOf, namesOf } from './display.ts';
import type { Library } from './library.ts';

/** More codes than this are not sent at once. */
export const codesMax = 10_000;
const filterLengthMax = 200;
/** Deeper nesting is of no help to a reader; what is below stays beside. */
const nestedMax = 30;

export interface ExpandRequest {
  /** The value set itself, or its canonical URL, which may carry `|version`. */
  readonly valueSet: Json | string;
  readonly valueSetVersion?: string | undefined;
  /** Words that must all be in the code or in one of its names; case, accents and width do not matter. */
  readonly filter?: string | undefined;
  /** Codes, from 0. */
  readonly offset?: number | undefined;
  /** Codes; 0 asks for the total only. */
  readonly count?: number | undefined;
  readonly includeDesignations?: boolean | undefined;
  /** Tokens `language` or `system|code` of a use: only these designations. */
  readonly designation?: readonly string[] | undefined;
  readonly includeDefinition?: boolean | undefined;
  readonly activeOnly?: boolean | undefined;
  /** False: codes that the code system puts below others stand below them, unless a page or a filter is asked for. */
  readonly excludeNested?: boolean | undefined;
  /** True: without abstract codes. */
  readonly excludeNotForUI?: boolean | undefined;
  /** BCP 47. */
  readonly displayLanguage?: string | undefined;
  /** Canonicals of code systems to leave out. */
  readonly excludeSystem?: readonly string[] | undefined;
  /** Of the expansion: a `urn:uuid:…`, and now. */
  readonly identifier: string;
  readonly timestamp: string;
}

/**
 * @returns the ValueSet with its expansion
 * @throws Failure `too-costly` for more than {@link codesMax} codes at once, `not-found` for an unknown value set,
 *   `invalid` for a definition that cannot be followed or a code system whose codes are not here
 */
export function expand(library: Library, request: ExpandRequest): Json {
  const { offset = 0, count } = request;
  if (offset < 0 || (count !== undefined && count < 0))
    throw new Failure('invalid', 'offset and count are not negative');
  if ((request.filter ?? '').length > filterLengthMax)
    throw new Failure('invalid', `the filter is longer than ${filterLengthMax} characters`);
  const valueSet =
    typeof request.valueSet === 'string'
      ? library.valueSet(request.valueSet, request.valueSetVersion)
      : request.valueSet;
  const wanted = chosen(library.content(valueSet).members(), request);
  const paged = count !== undefined || offset > 0;
  const page = paged ? wanted.slice(offset, count === undefined ? undefined : offset + count) : wanted;
  if (page.length > codesMax)
    throw new Failure(
      'too-costly',
      `the expansion has more than ${codesMax} codes: ask for pages with offset and count`,
    );
  const nested = request.excludeNested === false && !paged && request.filter === undefined;
  const contains = nested ? nest(page, request) : page.map((it) => row(it, request));
  const { id, url, version, name, title, status, compose } = valueSet;
  return {
    resourceType: 'ValueSet',
    ...defined({ id, url, version, name, title }),
    status: status ?? 'unknown',
    ...(request.includeDefinition && compose && { compose }),
    expansion: {
      identifier: request.identifier,
      timestamp: request.timestamp,
      total: wanted.length,
      ...(paged && { offset }),
      parameter: [...echoed(request), ...versions(wanted)],
      ...(contains.length > 0 && { contains }),
    },
  };
}

function chosen(members: readonly Member[], request: ExpandRequest): readonly Member[] {
  const words = fold(request.filter ?? '')
    .split(/\s+/)
    .filter((it) => it !== '');
  const without = new Set(request.excludeSystem);
  return members.filter((it) => {
    if (request.activeOnly && it.concept?.inactive) return false;
    if (request.excludeNotForUI && it.concept?.abstract) return false;
    if (without.has(it.system) || without.has(`${it.system}|${it.version}`)) return false;
    if (words.length === 0) return true;
    const texts = [it.code, ...namesOf(it)].map(fold);
    return words.every((word) => texts.some((text) => text.includes(word)));
  });
}

function row(member: Member, request: ExpandRequest): Json {
  const { system, version, code, concept } = member;
  const designation = request.includeDesignations ? asked(designationsOf(member), request.designation) : [];
  return {
    system,
    ...(concept?.abstract && { abstract: true }),
    ...(concept?.inactive && { inactive: true }),
    ...defined({ version, code, display: displayOf(member, request.displayLanguage) }),
    ...(designation.length > 0 && { designation }),
  };
}

function asked(designations: readonly Json[], tokens: readonly string[] = []): readonly Json[] {
  const fits = (it: Json, token: string): boolean =>
    it.language === token.split('|').at(-1) || (it.use && `${it.use.system ?? ''}|${it.use.code}` === token);
  return tokens.length === 0 ? designations : designations.filter((it) => tokens.some((token) => fits(it, token)));
}

/** Puts each code below the first of its parents that is in the expansion too and comes before it. */
function nest(members: readonly Member[], request: ExpandRequest): Json[] {
  const roots: Json[] = [];
  const placed = new Map<unknown, { readonly row: Json; readonly depth: number }>();
  for (const member of members) {
    const parent = member.concept?.parents.map((it) => placed.get(it)).find((it) => it && it.depth < nestedMax);
    const it = { row: row(member, request), depth: parent ? parent.depth + 1 : 0 };
    if (parent) {
      parent.row.contains ??= [];
      parent.row.contains.push(it.row);
    } else roots.push(it.row);
    if (member.concept) placed.set(member.concept, it);
  }
  return roots;
}

/** The parameters that shaped the expansion, as it must tell. */
function echoed(request: ExpandRequest): Json[] {
  const { filter, offset, count, includeDesignations, activeOnly, excludeNested, excludeNotForUI } = request;
  const rows = Object.entries({
    ...defined({ filter, offset, count, includeDesignations, activeOnly, excludeNested, excludeNotForUI }),
    ...defined({ includeDefinition: request.includeDefinition, displayLanguage: request.displayLanguage }),
  }).map(([name, value]) => ({ name, [valueName(name, value)]: value }));
  const each = (name: string, key: string, values: readonly string[] = []): Json[] =>
    values.map((it) => ({ name, [key]: it }));
  return [
    ...rows,
    ...each('designation', 'valueString', request.designation),
    ...each('exclude-system', 'valueUri', request.excludeSystem),
  ];
}

function valueName(name: string, value: unknown): string {
  if (typeof value === 'boolean') return 'valueBoolean';
  if (typeof value === 'number') return 'valueInteger';
  return name === 'displayLanguage' ? 'valueCode' : 'valueString';
}

/** The versions of the code systems that were used, and which of them are not here in full. */
function versions(members: readonly Member[]): Json[] {
  const used = new Map(members.map((it) => [`${it.system}|${it.version ?? ''}`, it]));
  return [...used].flatMap(([canonical, { version, codeSystem }]) => {
    const content = codeSystem?.content;
    const valueUri = canonical.replace(/\|$/, '');
    return [
      ...(version ? [{ name: 'version', valueUri }] : []),
      ...(content === 'fragment' || content === 'example' ? [{ name: `used-${content}`, valueUri }] : []),
    ];
  });
}

/** Without what is undefined. */
function defined(values: Json): Json {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}
