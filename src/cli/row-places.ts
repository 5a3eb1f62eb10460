/** Which line of which mapping file did it: rows by their names in lineage, and what a site says of them. */

import type { ElementChange } from '../fhir/difference.ts';
import type { LineageRow } from '../mapping/lineage.ts';
import type { MappingFiles } from '../mapping/read.ts';
import {
  entryKeyOf,
  keyOf,
  type Located,
  type MessageEntry,
  type Place,
  placeIn,
  type Row,
  type SiteFile,
} from '../mapping/rows.ts';
import { placeOf } from '../mapping/sites.ts';

interface RowPlace {
  readonly name: string;
  readonly place: Place;
  /** The row is of the site's file. */
  readonly own: boolean;
  readonly table: string | undefined;
}

/** Causes shown of one change. */
const causesMax = 3;

/** Answers which row made a change, for a site laid over the mapping as it ships. */
export class RowPlaces {
  readonly #site: Located<SiteFile>;
  readonly #rows = new Map<string, RowPlace>();
  /** Row as lineage names it, or map ─▶ place of what takes it away. */
  readonly #removed = new Map<string, string>();
  /** URI ─▶ place. */
  readonly #systems = new Map<string, string>();

  /**
   * @param shipped the mapping without the site
   * @param laidOver the mapping with it
   */
  constructor(shipped: MappingFiles, laidOver: MappingFiles, site: Located<SiteFile>) {
    this.#site = site;
    for (const files of [shipped, laidOver])
      for (const file of [...files.segments.values(), ...files.datatypes.values()]) this.#note(file);
    for (const [name, uri] of Object.entries(site.content.systems ?? {}))
      this.#systems.set(uri, `${this.#at(['systems', name])} systems ${name}`);
    this.#noteRemovals(shipped);
  }

  #note(file: Located<{ readonly rows: readonly Row[] }>): void {
    for (const [i, row] of file.content.rows.entries()) {
      const place = placeOf(row) ?? placeIn(file, ['rows', i]);
      const name = `${file.name}#${keyOf(row)}`;
      this.#rows.set(name, { name, place, own: place.file === this.#site.file, table: row.table });
    }
  }

  #noteRemovals({ messages }: MappingFiles): void {
    const { segments = {}, datatypes = {}, messages: entries = {} } = this.#site.content;
    for (const [kind, maps] of Object.entries({ segments, datatypes }))
      for (const [name, given] of Object.entries(maps))
        for (const [i, row] of Array.isArray(given) ? given.entries() : [])
          if (row.remove)
            this.#removed.set(`${name}#${keyOf(row)}`, `${this.#at([kind, name, i])} removes ${name}#${keyOf(row)}`);
    for (const [name, given] of Object.entries(entries))
      for (const [i, entry] of given.entries()) {
        const removed = entry.remove && entryOf(messages, name, entryKeyOf(entry));
        if (removed) this.#removed.set(removed.map, `${this.#at(['messages', name, i])} removes ${entryKeyOf(entry)}`);
      }
  }

  #at(path: readonly (string | number)[]): string {
    return `${this.#site.file}:${this.#site.line(path)}`;
  }

  /**
   * What made a change: rows, codes and systems of the site where there are any, else the row that made the element.
   *
   * @param earlier lineage without the site, of the resource; `later` with it
   */
  causesOf(change: ElementChange, earlier: Lineage, later: Lineage): readonly string[] {
    const made = change.later === undefined ? [] : later.around(change.later);
    const lost = change.earlier === undefined ? [] : earlier.around(change.earlier);
    const own = [...made, ...lost].filter((it) => this.#rows.get(it)?.own);
    const removals = lost.flatMap((it) => this.#removed.get(it) ?? this.#removed.get(it.split('#')[0] as string) ?? []);
    const candidates = [
      () => [...own.flatMap((it) => this.#placeOf(it)), ...removals],
      () => this.#systemsIn(change.after),
      () => made.flatMap((it) => this.#tableOf(it)),
      () => [...made, ...lost].flatMap((it) => this.#placeOf(it)).slice(0, 1),
    ];
    for (const candidate of candidates) {
      const found = [...new Set(candidate())];
      if (found.length > 0) return found.slice(0, causesMax);
    }
    return [];
  }

  /** `mappings/sites/renhe.yaml:12 PID-Patient#PID-8 gender`; none for a row that is not there. */
  #placeOf(row: string): string[] {
    const known = this.#rows.get(row);
    return known ? [`${known.place.file}:${known.place.line} ${known.name}`] : [];
  }

  #systemsIn(value: unknown): string[] {
    if (this.#systems.size === 0) return [];
    const text = JSON.stringify(value) ?? '';
    return [...this.#systems].flatMap(([uri, place]) => (text.includes(JSON.stringify(uri)) ? [place] : []));
  }

  #tableOf(row: string): string[] {
    const table = this.#rows.get(row)?.table;
    return table !== undefined && this.#site.content.tables?.[table]
      ? [`${this.#at(['tables', table])} tables ${table} (${row})`]
      : [];
  }
}

function entryOf(messages: MappingFiles['messages'], name: string, key: string): MessageEntry | undefined {
  return messages.find((it) => it.name === name)?.content.maps.find((it) => entryKeyOf(it) === key);
}

/** Lineage of one resource, by element. */
export class Lineage {
  readonly #rows: readonly (LineageRow & { readonly path: string })[];

  /** @param rows of the resource, their elements beginning with `Type/id.` */
  constructor(rows: readonly LineageRow[]) {
    this.#rows = rows.map((row) => ({ ...row, path: row.element.slice(row.element.indexOf('.') + 1) }));
  }

  /** The first place that anything of it came from: what it is known by when its id is another. */
  get origin(): string {
    return this.#rows.find(({ field }) => field !== '')?.field ?? '';
  }

  /** Names of the rows that made an element, what is in it, or the list that it is in; the nearest first. */
  around(path: string): string[] {
    const plain = path.replace(/\[\d+\]$/, '');
    const inside = this.#rows.filter(
      (it) => it.path === path || it.path === plain || twin(it.path) === path || isBelow(it.path, path),
    );
    if (inside.length > 0 && inside.some((it) => isBelow(it.path, path))) {
      // Of the rows that append to the list, those that read the field which the parts of this entry come from.
      const fields = inside.filter((it) => isBelow(it.path, path)).map(({ field }) => field);
      const fitting = inside.filter((it) => it.path !== plain || fields.some((field) => field.startsWith(it.field)));
      return names(fitting);
    }
    if (inside.length > 0) return names(inside);
    const above = this.#rows.filter((it) => isBelow(path, it.path)).sort((a, b) => b.path.length - a.path.length);
    return names(above.filter((it) => it.path.length === above[0]?.path.length));
  }
}

/** `birthDate` and `_birthDate` are one element. */
function twin(path: string): string {
  return path.replace(/(^|\.)_?([^.]*)$/, (_, dot: string, name: string) => `${dot}_${name}`);
}

function isBelow(path: string, above: string): boolean {
  return path.startsWith(above) && /^[.[]/.test(path.slice(above.length));
}

function names(rows: readonly LineageRow[]): string[] {
  return [...new Set(rows.map(({ row }) => row))];
}
