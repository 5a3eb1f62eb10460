/**
 * SearchParameters that clients write: a new one is extracted from then on, indexed for what is there in the background,
 * and declared when every resource has its rows. Also the rows that an earlier version of the program did not make.
 */
import { isResourceType, type SearchParameterRow } from '../fhir/definitions.ts';
import type { SearchParameter, SearchParameters, SearchRow } from '../fhir/search/parameters.ts';
import { queryOf } from '../fhir/search/query.ts';
import type { Resource } from '../fhir/types.ts';
import type { Handler } from '../queue/queue.ts';
import type { Effect, Store } from '../store/store.ts';
import { parseSearchParameter, versionName } from './search-parameter.ts';

export interface IndexingParts {
  readonly store: Store;
  readonly parameters: SearchParameters;
  /** Told of each page of resources that was indexed. */
  readonly progress: (indexed: { what: string; resources: number }) => void;
}

/** Resources in one commit: short enough that other writers hardly wait. */
const pageSize = 200;

/** Which rows the program makes: one more whenever it makes rows that databases before it do not have. */
const rowsVersion = 2;
const rowsCursor = 'search-rows';

/** Rows that version 1 made; its databases have no others. */
const firstKinds = new Set(['token', 'string', 'date', 'reference']);

/**
 * The work at the start: rows of a newer version for a database of an older one, and the parameters that clients wrote.
 * Resolves when searches may begin.
 */
export async function startIndexing(parts: IndexingParts): Promise<void> {
  const { store } = parts;
  const made = await store.cursor(rowsCursor);
  if (made < rowsVersion) {
    const isNew = ({ kind, aspect }: SearchParameter): boolean => aspect !== 'value' || !firstKinds.has(kind);
    if (made > 0 || (await store.head()) > 0)
      for (const type of await store.types())
        await indexType(
          type,
          (resource) => parts.parameters.extract(resource).filter((row) => isNew(row.parameter)),
          'new rows',
          parts,
        );
    await moveCursor(rowsCursor, made, rowsVersion, store);
  }
  for (const resource of await stored(parts)) await takeUp(resource, parts);
}

/** Handles the bell of a commit: indexes what is active and not complete yet. */
export function indexingStage(parts: IndexingParts): Handler {
  return async () => {
    const resources = await stored(parts);
    const current = new Set(resources.map(versionName));
    for (const [url, name] of [...parts.parameters.added]) if (!current.has(name)) parts.parameters.remove(url);
    for (const resource of resources) {
      const row = await takeUp(resource, parts);
      if (row) await complete(resource, row, parts);
    }
    return undefined;
  };
}

/** Every active SearchParameter in the store. */
async function stored({ store, parameters }: IndexingParts): Promise<Resource[]> {
  const status = parameters.of('SearchParameter').get('status') as SearchParameter;
  const active = { kind: 'token' as const, system: undefined, code: 'active' };
  const query = queryOf('SearchParameter', [{ kind: 'values', parameter: status, values: [active] }], 1000);
  const found: Resource[] = [];
  for (let after: string | undefined; ; ) {
    const page = await store.search({ query, ...(after !== undefined && { after }) });
    found.push(...page.hits.map(({ json }) => JSON.parse(json) as Resource));
    if (page.next === undefined) return found;
    after = page.next;
  }
}

/** Extracted from now on. @returns the parameter when its index is not complete */
async function takeUp(
  resource: Resource,
  { store, parameters }: IndexingParts,
): Promise<SearchParameterRow | undefined> {
  const done = (await store.cursor(versionName(resource))) > 0;
  if (parameters.added.get(resource.url) === versionName(resource) && done) return undefined;
  let row: SearchParameterRow | undefined;
  try {
    row = parseSearchParameter(resource, parameters);
  } catch {
    // Written by a version of the program that could use it: kept, and not used.
  }
  if (!row) return undefined;
  if (parameters.added.get(row.url) !== versionName(resource)) parameters.add(row, versionName(resource));
  if (done) parameters.ready(row.url);
  return done ? undefined : row;
}

async function complete(resource: Resource, row: SearchParameterRow, parts: IndexingParts): Promise<void> {
  const { store, parameters } = parts;
  const types = await store.types();
  const everywhere = row.base.some((base) => !isResourceType(base));
  for (const type of types)
    if (everywhere || row.base.includes(type))
      await indexType(
        type,
        (it) => parameters.extractOf(it, row.url),
        row.code,
        parts,
        parameters.extracted(type, row.url),
      );
  await moveCursor(versionName(resource), 0, 1, store);
  parameters.ready(row.url);
}

/**
 * Gives every resource of a type its rows, page by page; what is written meanwhile makes its own.
 * @param always a parameter whose rows are replaced also where there are none
 */
async function indexType(
  type: string,
  rowsOf: (resource: Resource) => SearchRow[],
  what: string,
  { store, progress }: IndexingParts,
  always?: SearchParameter,
): Promise<void> {
  const query = queryOf(type, [], pageSize);
  for (let after: string | undefined; ; ) {
    const page = await store.search({ query, ...(after !== undefined && { after }) });
    const keys = page.hits.map(({ id }) => ({ type, id }));
    if (keys.length > 0)
      await store.commit({
        cause: 'system:index',
        keys,
        decide: (view) => ({
          writes: [],
          effects: keys.flatMap((key): Effect[] => {
            const resource = view.get(key)?.resource;
            return resource ? effectsOf(key, rowsOf(resource), always) : [];
          }),
        }),
      });
    progress({ what: `${type} ${what}`, resources: keys.length });
    if (page.next === undefined) return;
    after = page.next;
  }
}

function effectsOf(
  key: { type: string; id: string },
  rows: readonly SearchRow[],
  always: SearchParameter | undefined,
): Effect[] {
  const byParameter = new Map<SearchParameter, SearchRow[]>();
  if (always) for (const it of [always, ...always.modified]) byParameter.set(it, []);
  for (const row of rows) {
    const own = byParameter.get(row.parameter);
    if (own) own.push(row);
    else byParameter.set(row.parameter, [row]);
  }
  return [...byParameter].map(([parameter, own]) => ({ kind: 'index', key, parameter, rows: own }));
}

async function moveCursor(name: string, from: number, to: number, store: Store): Promise<void> {
  await store.commit({
    cause: 'system:index',
    keys: [],
    decide: () => ({ writes: [], effects: [{ kind: 'cursor', name, from, to }] }),
  });
}
