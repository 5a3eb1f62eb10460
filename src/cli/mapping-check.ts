/** `mapping check [NAME]`: everything compiled, every problem with file and line, not only the first. */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { Terminology } from '../fhir/terminology/terminology.ts';
import { Compiler } from '../mapping/compile.ts';
import { Mapping } from '../mapping/map.ts';
import { type MappingFiles, parseFile, readMappings, readSite } from '../mapping/read.ts';
import {
  type DataTypeMap,
  entryKeyOf,
  keyOf,
  type Located,
  MappingError,
  placeIn,
  type Row,
  type SegmentMap,
  type SiteFile,
  saysOnlyWhy,
} from '../mapping/rows.ts';
import { placeOf } from '../mapping/sites.ts';
import { type TableTarget, tableOf } from '../mapping/tables.ts';
import { Failure } from '../outcome.ts';
import { counted } from './convert.ts';
import { fileKinds } from './mapping-schema.ts';

/** What is wrong, and what is probably not meant so; each begins with file and line. */
export interface Findings {
  readonly errors: ReadonlySet<string>;
  readonly warnings: ReadonlySet<string>;
}

class Found implements Findings {
  readonly errors = new Set<string>();
  readonly warnings = new Set<string>();

  /** Runs something that may find a mistake; undefined when it did. */
  try<T>(run: () => T): T | undefined {
    try {
      return run();
    } catch (error) {
      if (!(error instanceof MappingError)) throw error;
      this.errors.add(error.message);
      return undefined;
    }
  }

  warn(file: string, line: number, text: string): void {
    this.warnings.add(`${file}:${line}: warning: ${text}`);
  }
}

/** @returns the exit code: 1 when there is an error */
export function checkCommand(folder: string, site: string | undefined): number {
  const { errors, warnings } = findingsOf(folder, site);
  for (const finding of [...errors, ...warnings].sort(byPlace)) process.stdout.write(`${finding}\n`);
  process.stdout.write(`${counted(errors.size, 'error')}, ${counted(warnings.size, 'warning')}\n`);
  return errors.size > 0 ? 1 : 0;
}

/** `file:2:` before `file:10:`. */
function byPlace(a: string, b: string): number {
  const [one, other] = [a, b].map((it) => /^(.*?):(\d+):/.exec(it));
  if (!one || !other || one[1] !== other[1]) return a < b ? -1 : 1;
  return Number(one[2]) - Number(other[2]);
}

/** @param site only this one, and of the warnings only its own; absent: the mapping as it ships, and every site */
export function findingsOf(folder: string, site?: string): Findings {
  const found = new Found();
  checkShapes(folder, found);
  if (found.errors.size > 0) return found;
  const sites = site === undefined ? [undefined, ...namesIn(folder, 'sites', '.yaml')] : [site];
  for (const name of sites) {
    const files = found.try(() => readMappings(folder, name));
    if (!files) continue;
    checkRows(files, found);
    checkEntries(files, found);
    if (name !== undefined) checkCodes(files, readSite(folder, name), found);
    lookForIdle(files, found);
    lookForTwins(files, found);
  }
  return site === undefined
    ? found
    : { ...found, warnings: warningsOf(found, `${basename(folder)}/sites/${site}.yaml:`) };
}

function warningsOf({ warnings }: Findings, file: string): Set<string> {
  return new Set([...warnings].filter((it) => it.startsWith(file)));
}

function namesIn(folder: string, kind: string, ending: string): string[] {
  return readdirSync(join(folder, kind))
    .filter((it) => it.endsWith(ending))
    .sort()
    .map((it) => it.slice(0, -ending.length));
}

function checkShapes(folder: string, found: Found): void {
  const each = (kind: string, ending: string, check: (file: string, text: string) => unknown): void => {
    for (const name of namesIn(folder, kind, ending)) {
      const text = readFileSync(join(folder, kind, name + ending), 'utf8');
      found.try(() => check(`${basename(folder)}/${kind}/${name}${ending}`, text));
    }
  };
  for (const kind of fileKinds) each(kind, '.yaml', (file, text) => parseFile(kind, file, text));
  each('tables', '.json', tableOf);
}

/** Compiles each row on its own, so that the first mistake does not hide the others; also of maps that nobody uses. */
function checkRows(files: MappingFiles, found: Found): void {
  const compiler = new Compiler(files);
  const check = (file: Located<{ readonly rows: readonly Row[] }>, owner: string, type: string): void => {
    for (const [i, row] of file.content.rows.entries()) {
      const line = (path: readonly (string | number)[]): number =>
        file.line(path[0] === 'rows' ? ['rows', i, ...path.slice(2)] : path);
      found.try(() => compiler.rows({ ...file, line, content: { rows: [row] } }, owner, type));
    }
  };
  for (const file of files.segments.values()) check(file, file.content.segment, file.content.resource);
  for (const file of files.datatypes.values()) {
    const { datatype, makes, resource } = file.content;
    if (saysOnlyWhy(file.content)) continue;
    check(file, datatype, resource ?? makes ?? '');
  }
}

/** Message maps one by one: an entry that cannot be used hides only those of its own file. */
function checkEntries(files: MappingFiles, found: Found): void {
  try {
    new Mapping(files);
  } catch {
    for (const message of files.messages) found.try(() => new Mapping({ ...files, messages: [message] }));
  }
}

const terminology = new Terminology();

/** What a code of the hospital means must be a code, where the content of its system is here. */
function checkCodes({ tables }: MappingFiles, { file, content, line }: Located<SiteFile>, found: Found): void {
  for (const [name, codes] of Object.entries(content.tables ?? {}))
    for (const [code, target] of Object.entries(codes)) {
      if (target === null) continue;
      const meant = typeof target === 'string' ? { system: tables.get(name)?.target ?? '', code: target } : target;
      const wrong = mistakeIn(meant);
      if (wrong) found.errors.add(`${file}:${line(['tables', name, code])}: '${meant.code}': ${wrong}`);
    }
}

function mistakeIn({ system, code, display }: TableTarget): string | undefined {
  try {
    const { result, message } = terminology.validateInCodeSystem({
      codeSystem: system,
      code,
      ...(display && { display }),
    });
    return result ? undefined : (message ?? `the code is not in code system ${system}`);
  } catch (error) {
    if (error instanceof Failure) return undefined;
    throw error;
  }
}

/** A segment map without an entry does nothing, and so does a data type that no row names: a Z-segment is easily forgotten. */
function lookForIdle({ messages, segments, datatypes }: MappingFiles, found: Found): void {
  const entered = new Set(messages.flatMap(({ content }) => content.maps.map(({ map }) => map)));
  for (const file of segments.values()) {
    if (entered.has(file.name)) continue;
    const { segment } = file.content;
    found.warn(
      file.file,
      file.line([]),
      `no message map has an entry { segment: ${segment}, map: ${file.name} }: the map does nothing`,
    );
  }
  const maps: Located<SegmentMap | DataTypeMap>[] = [...segments.values(), ...datatypes.values()];
  const named = new Set(maps.flatMap(({ content }) => content.rows.map(({ type }) => type)));
  const extended = new Set([...datatypes.values()].map(({ content }) => content.extends));
  for (const file of datatypes.values())
    if (!named.has(file.name) && !extended.has(file.name) && !saysOnlyWhy(file.content))
      found.warn(file.file, file.line([]), `no row has the type ${file.name}`);
}

/** Of two rows with one key, a site can reach the first only. */
function lookForTwins({ messages, segments, datatypes }: MappingFiles, found: Found): void {
  for (const file of [...segments.values(), ...datatypes.values()])
    for (const i of twins(file.content.rows, keyOf)) {
      const row = file.content.rows[i] as Row;
      const place = placeOf(row) ?? placeIn(file, ['rows', i]);
      found.warn(place.file, place.line, `a row before it has the key '${keyOf(row)}' too: give it a 'key'`);
    }
  for (const file of messages)
    for (const i of twins(file.content.maps, entryKeyOf)) {
      const entry = file.content.maps[i]!;
      const place = placeOf(entry) ?? placeIn(file, ['maps', i]);
      found.warn(place.file, place.line, `an entry before it has the key '${entryKeyOf(entry)}' too: give it a 'key'`);
    }
}

/** Indexes of what has the key of something before it. */
function twins<T>(items: readonly T[], key: (item: T) => string): number[] {
  const seen = new Set<string>();
  return [...items.keys()].filter((i) => {
    const name = key(items[i] as T);
    const known = seen.has(name);
    seen.add(name);
    return known;
  });
}
