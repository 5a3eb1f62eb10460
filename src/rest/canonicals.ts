/** Resources by canonical URL (R4 references.html#canonical), and what needs them: terminology, and profiles that a resource claims. */
import type { Filter, FilterValue } from '../fhir/search/filter.ts';
import { mapValues } from '../fhir/search/filter.ts';
import type { SearchParameters } from '../fhir/search/parameters.ts';
import { queryOf, type SearchQuery } from '../fhir/search/query.ts';
import { Library } from '../fhir/terminology/library.ts';
import { Terminology } from '../fhir/terminology/terminology.ts';
import type { Json, Resource } from '../fhir/types.ts';
import { assertValid } from '../fhir/validate.ts';
import { type ProfileSources, profileErrors } from '../fhir/validation/profile.ts';
import { Failure, type FailureDetail } from '../outcome.ts';
import type { Store } from '../store/store.ts';

/** Definitions kept parsed, so that what is compiled from one is kept with it. */
const keptMax = 200;
/** Definitions that one operation may pull in after another. */
const pulledMax = 200;
/** Codes that a modifier of a search may stand for. */
const codesMax = 1000;

/** Thrown into a synchronous evaluation that needs what has not been read yet. */
class NotRead extends Error {
  readonly type: string;
  readonly url: string;
  readonly version: string | undefined;

  constructor(type: string, url: string, version: string | undefined) {
    super(`${type} has not been read`);
    this.type = type;
    this.url = url;
    this.version = version;
  }
}

export class Canonicals {
  readonly #store: Store;
  readonly #parameters: SearchParameters;
  readonly #shipped = new Map<string, Json>();
  /** What profiles speak of: our own extensions and value sets. */
  readonly #sources: ProfileSources;
  readonly #kept = new Map<string, { json: string; resource: Json }>();

  /** @param shipped the profiles that come with the program: at hand without a read */
  constructor(store: Store, parameters: SearchParameters, shipped: readonly Json[]) {
    this.#store = store;
    this.#parameters = parameters;
    const own = new Map(shipped.map((it) => [`${it.resourceType} ${it.url}`, it]));
    for (const it of shipped) if (it.resourceType === 'StructureDefinition') this.#shipped.set(it.url, it);
    const library = new Library({
      codeSystem: (url) => own.get(`CodeSystem ${url}`),
      valueSet: (url) => own.get(`ValueSet ${url}`),
      conceptMap: (url) => own.get(`ConceptMap ${url}`),
    });
    this.#sources = { structure: (url) => this.#shipped.get(url), library };
  }

  /**
   * The stored resource with a canonical URL, of several the one that was written last. The same version of a resource is
   * the same object each time.
   * @param canonical with or without `|version`
   */
  async find(type: string, canonical: string, version?: string): Promise<Json | undefined> {
    const [url = '', inUrl] = canonical.split('|');
    const wanted = inUrl ?? version;
    const filters = [this.#token(type, 'url', url), ...(wanted ? [this.#token(type, 'version', wanted)] : [])];
    const { hits } = await this.#store.search({ query: queryOf(type, filters, 20) });
    const all = hits.map(({ id, json }) => this.#parsed(`${type}/${id}`, json));
    return all.sort((a, b) => (a.meta.lastUpdated < b.meta.lastUpdated ? 1 : -1))[0];
  }

  #token(type: string, code: string, text: string): Filter {
    const parameter = this.#parameters.of(type).get(code);
    if (!parameter) throw new Error(`${type} has no parameter ${code}`);
    return {
      kind: 'values',
      parameter,
      values: [{ kind: 'token', system: code === 'url' ? '' : undefined, code: text }],
    };
  }

  #parsed(name: string, json: string): Json {
    const known = this.#kept.get(name);
    if (known?.json === json) return known.resource;
    if (this.#kept.size >= keptMax) this.#kept.clear();
    const resource = JSON.parse(json) as Json;
    this.#kept.set(name, { json, resource });
    return resource;
  }

  /**
   * Runs an evaluation that asks a terminology: what clients stored is read as it is asked for. The evaluation is pure: it
   * runs again after each read.
   * @throws Failure as {@link Terminology} does; `too-costly` when one definition pulls in too many
   */
  async terminology<T>(evaluate: (terminology: Terminology) => T): Promise<T> {
    const read = new Map<string, Json | undefined>();
    const source = (type: string) => (url: string, version?: string) => {
      const name = `${type} ${url}|${version ?? ''}`;
      if (!read.has(name)) throw new NotRead(type, url, version);
      return read.get(name);
    };
    const terminology = new Terminology({
      codeSystem: source('CodeSystem'),
      valueSet: source('ValueSet'),
      conceptMap: source('ConceptMap'),
    });
    for (let pulled = 0; pulled < pulledMax; pulled++) {
      try {
        return evaluate(terminology);
      } catch (error) {
        if (!(error instanceof NotRead)) throw error;
        const { type, url, version } = error;
        read.set(`${type} ${url}|${version ?? ''}`, await this.find(type, url, version));
      }
    }
    throw new Failure('too-costly', `this needs more than ${pulledMax} definitions`);
  }

  /** The query with `:in`, `:below`, `:above` replaced by the codes that they stand for. @throws Failure `too-costly` */
  async resolved(query: SearchQuery): Promise<SearchQuery> {
    const branches = await Promise.all(
      query.branches.map(async ({ type, filters }) => ({
        type,
        filters: await Promise.all(filters.map((filter) => mapValues(filter, (value) => this.#codes(value)))),
      })),
    );
    return { ...query, branches };
  }

  async #codes(value: FilterValue): Promise<readonly FilterValue[]> {
    if (value.kind !== 'concept') return [value];
    const { relation, url, code } = value;
    const codes = await this.terminology((it) =>
      relation === 'in' ? it.codesIn(url) : it[relation](url, code).map((found) => ({ system: url, code: found })),
    );
    if (codes.length > codesMax)
      throw new Failure('too-costly', `:${relation} stands for more than ${codesMax} codes here`);
    return codes.map((it) => ({ kind: 'token', ...it }));
  }

  /**
   * The profiles of clients that a resource claims hold, as far as this server has them.
   * @throws Failure `invalid` with a location for each problem
   */
  async assertProfiles(resource: Resource): Promise<void> {
    const claimed = claims(resource).filter((it) => !this.#shipped.has(it.split('|')[0] as string));
    if (claimed.length === 0) return;
    assertValid(resource);
    assertConforms(resource, await this.profiles(claimed), this.#sources);
  }

  /** The profiles of this program that a resource claims hold. @throws Failure as {@link assertProfiles} */
  assertShippedProfiles(resource: Resource): void {
    const claimed = claims(resource).flatMap((it) => this.#shipped.get(it.split('|')[0] as string) ?? []);
    if (claimed.length === 0) return;
    assertValid(resource);
    assertConforms(resource, claimed, { ...this.#sources, trusted: true });
  }

  /** The problems of a resource with profiles that {@link profiles} gave. @throws Failure `too-costly` */
  problems(resource: Json, profiles: readonly Json[]): readonly FailureDetail[] {
    return profileErrors(resource, profiles, this.#sources);
  }

  /** The StructureDefinitions of these canonicals that are known. */
  async profiles(canonicals: readonly string[]): Promise<Json[]> {
    const found = await Promise.all(canonicals.slice(0, 20).map((it) => this.find('StructureDefinition', it)));
    return found.filter((it): it is Json => it !== undefined);
  }
}

function claims({ meta }: Resource): string[] {
  const claimed: unknown = meta?.profile;
  return Array.isArray(claimed) ? claimed.filter((it) => typeof it === 'string') : [];
}

function assertConforms(resource: Resource, profiles: readonly Json[], sources: ProfileSources): void {
  const errors = profileErrors(resource, profiles, sources);
  if (errors.length > 0)
    throw new Failure('invalid', 'the resource does not conform to a profile that it claims', errors);
}
