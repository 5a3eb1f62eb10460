/** Reads and checks the mapping files. The only I/O of the mapping, at start. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { LineCounter, parseDocument } from 'yaml';
import {
  type DataTypeMap,
  type FileKind,
  type Located,
  MappingError,
  type MessageMap,
  type SegmentMap,
  type SiteFile,
  validators,
} from './rows.ts';
import { withSite } from './sites.ts';
import { type Table, tableOf } from './tables.ts';

/** Everything under `mappings/`, parsed and of the right shape; not yet checked against FHIR. */
export interface MappingFiles {
  readonly messages: readonly Located<MessageMap>[];
  readonly segments: ReadonlyMap<string, Located<SegmentMap>>;
  readonly datatypes: ReadonlyMap<string, Located<DataTypeMap>>;
  readonly tables: ReadonlyMap<string, Table>;
}

/** Parses one YAML file. @throws MappingError with file and line */
export function parseFile<T>(kind: FileKind, file: string, text: string): Located<T> {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const error = document.errors[0];
  if (error) throw new MappingError(file, error.linePos?.[0].line ?? 1, error.message);
  const line = (path: readonly (string | number)[]): number => {
    for (let depth = path.length; depth > 0; depth--) {
      const node = document.getIn(path.slice(0, depth), true) as { range?: [number, number, number] } | undefined;
      if (node?.range) return lines.linePos(node.range[0]).line;
    }
    return 1;
  };
  const content = document.toJS() as T;
  const validate = validators[kind];
  if (!validate(content)) {
    const first = validate.errors?.[0];
    const path = (first?.instancePath ?? '')
      .split('/')
      .slice(1)
      .map((part) => (/^\d+$/.test(part) ? Number(part) : part));
    const extra = first?.keyword === 'additionalProperties' ? ` '${first.params.additionalProperty as string}'` : '';
    throw new MappingError(file, line(path), `${first?.instancePath || 'file'} ${first?.message}${extra}`);
  }
  return { file, name: basename(file, '.yaml'), content, line };
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
  const own = site === undefined ? undefined : readSite(folder, site);
  return {
    messages: all<MessageMap>('messages'),
    segments: own ? withSite(segments, 'segments', own) : segments,
    datatypes: own ? withSite(datatypes, 'datatypes', own) : datatypes,
    tables: new Map(list('tables', '.json').map(({ file, text }) => [basename(file, '.json'), tableOf(file, text)])),
  };
}

function readSite(folder: string, site: string): Located<SiteFile> {
  const path = join(folder, 'sites', `${site}.yaml`);
  const file = join(basename(folder), relative(folder, path));
  if (!/^[\w-]+$/.test(site) || !existsSync(path)) throw new MappingError(file, 1, 'there is no such site');
  return parseFile<SiteFile>('sites', file, readFileSync(path, 'utf8'));
}
