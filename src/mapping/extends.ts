/** `extends:` of a mapping file: what another file of its kind says, with its own rows (or entries) laid over by key. */
import { type DataTypeMap, entryKeyOf, keyOf, type Located, MappingError, type MessageMap, placeIn } from './rows.ts';
import { notePlace, placeOf } from './sites.ts';

/**
 * @param files data type maps by name
 * @returns the same, each with the rows of the one that it extends before its own
 * @throws MappingError for a file that is not there, or extends one that extends another
 */
export function extendedTypes(files: ReadonlyMap<string, Located<DataTypeMap>>): Map<string, Located<DataTypeMap>> {
  const all = new Map(files);
  for (const file of files.values()) {
    const base = baseOf(file, files);
    if (!base) continue;
    for (const it of [base, file])
      for (const [i, row] of it.content.rows.entries()) if (!placeOf(row)) notePlace(row, placeIn(it, ['rows', i]));
    const rows = laidOver(base.content.rows, file.content.rows, keyOf);
    all.set(file.name, { ...file, content: { ...base.content, ...file.content, rows } });
  }
  return all;
}

/** The same for message maps: a segment that the standard lists for some events only is mapped in all. */
export function extendedMessages(files: readonly Located<MessageMap>[]): Located<MessageMap>[] {
  const byName = new Map(files.map((it) => [it.name, it]));
  return files.map((file) => {
    const base = baseOf(file, byName);
    if (!base) return file;
    const maps = laidOver(base.content.maps, file.content.maps, entryKeyOf);
    const line = (path: readonly (string | number)[]): number => {
      if (path[0] !== 'maps' || path.length < 2) return file.line(path);
      const own = file.content.maps.indexOf(maps[path[1] as number] as MessageMap['maps'][number]);
      return own < 0 ? file.line(['extends']) : file.line(['maps', own]);
    };
    return { ...file, line, content: { ...file.content, maps } };
  });
}

function baseOf<T extends { readonly extends?: string }>(
  file: Located<T>,
  files: ReadonlyMap<string, Located<T>>,
): Located<T> | undefined {
  const name = file.content.extends;
  if (name === undefined) return undefined;
  const base = files.get(name);
  const refuse = (text: string): MappingError => new MappingError(file.file, file.line(['extends']), text);
  if (!base) throw refuse(`there is no '${name}' to extend`);
  if (base.content.extends) throw refuse(`'${name}' extends a file itself: name that one`);
  return base;
}

function laidOver<T>(base: readonly T[], own: readonly T[], key: (item: T) => string): T[] {
  const merged = [...base];
  for (const item of own) {
    const at = merged.findIndex((it) => key(it) === key(item));
    if (at < 0) merged.push(item);
    else merged[at] = item;
  }
  return merged;
}
