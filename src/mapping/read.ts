/** Reads and checks the mapping files. The only I/O of the mapping, at start. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { type Document, LineCounter, parseDocument } from 'yaml';
import type { Json } from './context.ts';
import type { Destination } from './destination.ts';
import { extendedMessages, extendedTypes } from './extends.ts';
import { type FilePath, lineOf, shapeProblem } from './file-problem.ts';
import { type FileKind, validators } from './file-schemas.ts';
import {
  type DataTypeMap,
  type Located,
  MappingError,
  type MessageMap,
  type SegmentMap,
  type SiteFile,
  type SiteSettings,
} from './rows.ts';
import { withSite } from './sites.ts';
import { type Table, tableOf } from './tables.ts';

/** Everything under `mappings/`, parsed and of the right shape; not yet checked against FHIR. */
export interface MappingFiles {
  readonly messages: readonly Located<MessageMap>[];
  readonly segments: ReadonlyMap<string, Located<SegmentMap>>;
  readonly datatypes: ReadonlyMap<string, Located<DataTypeMap>>;
  readonly tables: ReadonlyMap<string, Table>;
  /** Questionnaires (FHIR) whose answers come in results; they stand in `profiles/`, so whoever starts hands them in. */
  readonly questionnaires?: readonly Json[];
  /** Of the site. */
  readonly settings: SiteSettings;
  readonly destinations?: readonly Destination[];
}

/** What each file said last: all sites share the files that ship, and a reload parses what has changed. */
const known = new Map<string, { readonly text: string; readonly located: Located<unknown> }>();

/**
 * Parses one YAML file; the same text again gives the same object, which nobody changes.
 * @throws MappingError with file and line
 */
export function parseFile<T>(kind: FileKind, file: string, text: string): Located<T> {
  const last = known.get(`${kind} ${file}`);
  if (last?.text === text) return last.located as Located<T>;
  const located = parsed<T>(kind, file, text);
  known.set(`${kind} ${file}`, { text, located });
  return located;
}

function parsed<T>(kind: FileKind, file: string, text: string): Located<T> {
  const { document, lines } = parseText(text);
  const error = document.errors[0];
  if (error) throw new MappingError(file, lines.linePos(error.pos[0]).line, error.message);
  const content = document.toJS() as T;
  // What stands where takes ten times the memory of the text: it is let go, and parsed again when somebody asks for a line.
  let last: WeakRef<Positioned> | undefined;
  const line = (path: FilePath): number => {
    const it = last?.deref() ?? parseText(text);
    last = new WeakRef(it);
    return lineOf(it.document, it.lines, path);
  };
  const validate = validators[kind];
  if (!validate(content)) {
    const { path, text } = shapeProblem(validate.errors ?? []);
    throw new MappingError(file, line(path), text);
  }
  return { file, name: basename(file, '.yaml'), content, line };
}

interface Positioned {
  readonly document: Document;
  readonly lines: LineCounter;
}

function parseText(text: string): Positioned {
  const lines = new LineCounter();
  return { document: parseDocument(text, { lineCounter: lines, prettyErrors: false }), lines };
}

/**
 * Reads a folder with `messages/ segments/ datatypes/ tables/`.
 * @param site the name of a file in `sites/` whose rows are laid over
 * @throws MappingError for the first file of a wrong shape, or a site that is not there
 */
export function readMappings(folder: string, site?: string): MappingFiles {
  const list = (kind: string, ending: string): { file: string; text: string }[] =>
    readdirSync(join(folder, kind))
      .filter((name) => name.endsWith(ending))
      .sort()
      .map((name) => {
        const path = join(folder, kind, name);
        return { file: join(basename(folder), relative(folder, path)), text: readFileSync(path, 'utf8') };
      });
  const all = <T>(kind: FileKind): Located<T>[] =>
    list(kind, '.yaml').map(({ file, text }) => parseFile<T>(kind, file, text));
  const byName = <T>(files: Located<T>[]): Map<string, Located<T>> => new Map(files.map((it) => [it.name, it]));
  const segments = byName(all<SegmentMap>('segments'));
  const datatypes = byName(all<DataTypeMap>('datatypes'));
  const files: MappingFiles = {
    messages: all<MessageMap>('messages'),
    segments,
    datatypes,
    tables: new Map(list('tables', '.json').map(({ file, text }) => [basename(file, '.json'), tableOf(file, text)])),
    settings: {},
  };
  const own = site === undefined ? files : withSite(files, readSite(folder, site));
  // After the site: what it says of a map holds for those that extend it.
  return { ...own, messages: extendedMessages(own.messages), datatypes: extendedTypes(own.datatypes) };
}

/** One site file. @throws MappingError when it is not there, or of a wrong shape */
export function readSite(folder: string, site: string): Located<SiteFile> {
  const path = join(folder, 'sites', `${site}.yaml`);
  const file = join(basename(folder), relative(folder, path));
  if (!/^[\w-]+$/.test(site) || !existsSync(path)) throw new MappingError(file, 1, 'there is no such site');
  return parseFile<SiteFile>('sites', file, readFileSync(path, 'utf8'));
}
