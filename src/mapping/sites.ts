/** Site overrides: rows of `mappings/sites/NAME.yaml` laid over those of the segment and data type files, by key. */
import { keyOf, type Located, MappingError, type Row, type SiteFile, type SiteRow } from './rows.ts';

type Rows = Located<{ readonly rows: readonly Row[] }>;

const places = new WeakMap<Row, { readonly file: string; readonly line: number }>();

/** Where a row of a site stands; undefined for a row of the file itself. */
export function sitePlace(row: Row): { readonly file: string; readonly line: number } | undefined {
  return places.get(row);
}

/**
 * @param files the files of one kind, by name
 * @returns the same, with the site's rows in the place of those that have their key, others added, some taken away
 * @throws MappingError for a file or a row that is not there
 */
export function withSite<T extends Rows>(
  files: ReadonlyMap<string, T>,
  kind: 'segments' | 'datatypes',
  site: Located<SiteFile>,
): Map<string, T> {
  const all = new Map(files);
  for (const [name, rows] of Object.entries(site.content[kind] ?? {})) {
    const file = files.get(name);
    if (!file) throw new MappingError(site.file, site.line([kind, name]), `there is no mappings/${kind}/${name}.yaml`);
    const merged = rows.reduce(
      (standing, row, i) => laidOver(standing, row, site, site.line([kind, name, i])),
      file.content.rows,
    );
    all.set(name, { ...file, content: { ...file.content, rows: merged } });
  }
  return all;
}

function laidOver(standing: readonly Row[], row: SiteRow, site: Located<SiteFile>, line: number): readonly Row[] {
  const key = keyOf(row);
  const at = standing.findIndex((it) => keyOf(it) === key);
  if (row.remove) {
    if (at < 0) throw new MappingError(site.file, line, `there is no row '${key}' to remove`);
    return standing.toSpliced(at, 1);
  }
  places.set(row, { file: site.file, line });
  return at < 0 ? [...standing, row] : standing.toSpliced(at, 1, row);
}
