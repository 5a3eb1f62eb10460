/**
 * What one hospital wants otherwise (`mappings/sites/NAME.yaml`), laid over the mapping: rows and entries by key, whole new
 * maps for its Z-segments, its own codes and identifier systems.
 */
import { charsetOf } from '../hl7v2/charset.ts';
import { checkDestinations, destinationsOf } from './destination.ts';
import type { MappingFiles } from './read.ts';
import {
  entryKeyOf,
  keyOf,
  type Located,
  MappingError,
  type MessageEntry,
  type MessageMap,
  type Place,
  placeIn,
  type Row,
  type SiteFile,
} from './rows.ts';
import { type LocalCodes, type Table, withLocalCodes } from './tables.ts';

type WithRows = Located<{ readonly rows: readonly Row[] }>;

const places = new WeakMap<Row | MessageEntry, Place>();

/** Where a row or entry stands that came from another file than the one that it is compiled in. */
export function notePlace(item: Row | MessageEntry, place: Place): void {
  places.set(item, place);
}

/** See {@link notePlace}; undefined for one of the file itself. */
export function placeOf(item: Row | MessageEntry): Place | undefined {
  return places.get(item);
}

/** @throws MappingError for what the site names and is not there */
export function withSite(files: MappingFiles, site: Located<SiteFile>): MappingFiles {
  const { tables = {}, systems, settings = {} } = site.content;
  if (settings.charset && !charsetOf(settings.charset)) {
    const text = `'${settings.charset}' is not a known character set`;
    throw new MappingError(site.file, site.line(['settings', 'charset']), text);
  }
  const codes = { ...tables, ...(systems && { AssigningAuthority: { ...tables.AssigningAuthority, ...systems } }) };
  checkDestinations(site);
  const own = withCodes(files.tables, codes, site);
  return {
    messages: withEntries(files.messages, site),
    segments: withRows(files.segments, 'segments', site),
    datatypes: withRows(files.datatypes, 'datatypes', site),
    tables: own,
    settings,
    destinations: destinationsOf(site.content.destinations ?? [], own),
  };
}

function withRows<T extends WithRows>(
  files: ReadonlyMap<string, T>,
  kind: 'segments' | 'datatypes',
  site: Located<SiteFile>,
): Map<string, T> {
  const all = new Map(files);
  for (const [name, given] of Object.entries(site.content[kind] ?? {})) {
    const line = (...path: (string | number)[]): number => site.line([kind, name, ...path]);
    if (!Array.isArray(given)) {
      const file = {
        file: site.file,
        name,
        content: given,
        line: (path: readonly (string | number)[]) => line(...path),
      };
      all.set(name, file as unknown as T);
      continue;
    }
    const file = files.get(name);
    if (!file) throw new MappingError(site.file, line(), `there is no mappings/${kind}/${name}.yaml`);
    const rows = laidOver(file.content.rows, given, keyOf, site.file, line);
    for (const [i, row] of given.entries()) notePlace(row, placeIn(site, [kind, name, i]));
    all.set(name, { ...file, content: { ...file.content, rows } });
  }
  return all;
}

function withEntries(files: readonly Located<MessageMap>[], site: Located<SiteFile>): Located<MessageMap>[] {
  const given = site.content.messages ?? {};
  for (const name of Object.keys(given)) {
    if (!files.some((file) => file.name === name))
      throw new MappingError(site.file, site.line(['messages', name]), `there is no mappings/messages/${name}.yaml`);
  }
  return files.map((file) => {
    const entries = given[file.name];
    if (!entries) return file;
    const line = (...path: (string | number)[]): number => site.line(['messages', file.name, ...path]);
    const maps = laidOver<MessageEntry>(file.content.maps, entries, entryKeyOf, site.file, line);
    for (const [i, entry] of entries.entries()) notePlace(entry, placeIn(site, ['messages', file.name, i]));
    return { ...file, content: { ...file.content, maps } };
  });
}

/** Each takes the place of what has its key, is added, or (`remove`) takes that away. */
function laidOver<T extends object>(
  standing: readonly T[],
  given: readonly (T & { readonly remove?: boolean })[],
  keyOf: (item: T) => string,
  file: string,
  line: (i: number) => number,
): readonly T[] {
  let all = standing;
  for (const [i, item] of given.entries()) {
    const key = keyOf(item);
    const at = all.findIndex((it) => keyOf(it) === key);
    if (all.findLastIndex((it) => keyOf(it) === key) !== at)
      throw new MappingError(file, line(i), `'${key}' is the key of more than one: give it a 'key' of its own`);
    if (item.remove && at < 0) throw new MappingError(file, line(i), `there is no '${key}' to remove`);
    if (item.remove) all = all.toSpliced(at, 1);
    else all = at < 0 ? [...all, item] : all.toSpliced(at, 1, item);
  }
  return all;
}

function withCodes(
  files: MappingFiles['tables'],
  codes: Readonly<Record<string, LocalCodes>>,
  site: Located<SiteFile>,
): MappingFiles['tables'] {
  const all = new Map(files);
  for (const [name, own] of Object.entries(codes)) {
    const table = files.get(name) ?? newTable(name, own, site);
    all.set(name, {
      ...withLocalCodes(table, own),
      targets: [...new Set([...(table.targets ?? []), ...systemsOf(own)])],
    });
  }
  return all;
}

function systemsOf(codes: LocalCodes): string[] {
  return Object.values(codes).flatMap((it) => (it !== null && typeof it === 'object' ? it.system : []));
}

/** A table that only the hospital has: its rows name it, and each of its codes says in which system the target is. */
function newTable(name: string, codes: LocalCodes, site: Located<SiteFile>): Table {
  const { segments = {}, datatypes = {} } = site.content;
  const maps = [...Object.values(segments), ...Object.values(datatypes)];
  const rows = maps.flatMap((map): readonly Row[] => ('rows' in map ? map.rows : map));
  if (!rows.some((row) => row.table === name)) {
    const text = `there is no mappings/tables/${name}.json, and no row of the site names a table '${name}' of its own`;
    throw new MappingError(site.file, site.line(['tables', name]), text);
  }
  const bare = Object.keys(codes).find((code) => typeof codes[code] === 'string');
  if (bare !== undefined) {
    const text = `'${name}' is a table of the site's own: write { system, code } for what '${bare}' means`;
    throw new MappingError(site.file, site.line(['tables', name, bare]), text);
  }
  return { name, source: '', target: '', translate: () => undefined, knows: () => false };
}

/** The mapping with codes that were answered while it ran: later answers stand over those of the files. */
export function withAnswers(files: MappingFiles, answers: Readonly<Record<string, LocalCodes>>): MappingFiles {
  const tables = new Map(files.tables);
  for (const [name, codes] of Object.entries(answers)) {
    const table = tables.get(name);
    // A table that a newer mapping does not have any more: its answers wait for it.
    if (table) tables.set(name, { ...withLocalCodes(table, codes), answered: (code) => Object.hasOwn(codes, code) });
  }
  return { ...files, tables };
}
