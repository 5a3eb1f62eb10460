/**
 * The shape of mapping files (`mappings/**.yaml`): what a hospital engineer writes. docs/mapping.md explains each key.
 * file-schemas.ts checks a file; {@link Located} remembers where a row stands, for messages with file and line.
 */
import type { DestinationEntry } from './destination.ts';
import type { LocalCodes } from './tables.ts';

/** A condition from a closed list; several keys, or a list of conditions, must all hold. */
export interface Condition {
  /** The place holds something. */
  readonly valued?: string;
  readonly absent?: string;
  /** The place holds a date of which at least the year can be read; `00000000` and `n/a` are none. */
  readonly dated?: string;
  readonly undated?: string;
  /** The place holds a date that is not after the day on which the message was sent (MSH-7). */
  readonly past?: string;
  readonly notPast?: string;
  /** One of the places holds something. */
  readonly some?: readonly string[];
  /** The place is coded and names an item of a questionnaire that is known: what follows is its answer. */
  readonly item?: string;
  readonly noItem?: string;
  /** `[place, value …]`: the place holds one of the values. */
  readonly in?: readonly string[];
  readonly notIn?: readonly string[];
  /** The field has more than one repetition. */
  readonly repeats?: string;
  readonly single?: string;
  /** The segment of the place is the first of its name in its group (an ORC with what is behind it). */
  readonly first?: string;
  readonly further?: string;
  /** `[place, n]`: the text is longer than n characters. */
  readonly longer?: readonly [string, number];
  readonly notLonger?: readonly [string, number];
}

/** One row: a field, a target, and how one becomes the other. */
export interface Row {
  /** `PID-3`, `PV1-2.1`; in a data type `CX.4`. Absent: the row does not depend on a field. */
  readonly field?: string;
  /** A path below the resource or type: `name[]`, `participant[attending].individual`, `extension(url).valueCode`. */
  readonly to?: string;
  /** A data type file or a converter; absent: the converter for the FHIR type of the target. */
  readonly type?: string;
  /** A table (ConceptMap) for types that translate codes. */
  readonly table?: string;
  /** Run once for each repetition of this field, in place of those of `field`. */
  readonly each?: string;
  /** A constant. */
  readonly value?: unknown;
  /** The resource of this message to refer to. */
  readonly reference?: string;
  /** Constants for the list entry (or object) that the row fills, where the row left them empty. */
  readonly with?: Readonly<Record<string, unknown>>;
  readonly when?: Condition | readonly Condition[];
  /** Only for a resource that does not exist yet; a stored value stays. */
  readonly initial?: boolean;
  /** Only where no row before it gave the element a value. */
  readonly missing?: boolean;
  /** The stored element goes away; the row has no field of its own. */
  readonly clear?: boolean;
  /** Why the field goes nowhere. */
  readonly nowhere?: string;
  /** Why the row differs from the guide. */
  readonly because?: string;
  /** The name of the row for overrides and lineage; by default `field to`. */
  readonly key?: string;
}

/** The name of a row: for overrides and lineage. */
export function keyOf(row: Pick<Row, 'key' | 'field' | 'to'>): string {
  return row.key ?? [row.field, row.to].filter((it) => it).join(' ');
}

/** A row of a site: takes the place of the row with the same key, else is added; `remove` takes that row away. */
export type SiteRow = Row & { readonly remove?: boolean };

/** An entry of a site: takes the place of the entry with the same key, else is added at the end; `remove` takes it away. */
export type SiteEntry = MessageEntry & { readonly remove?: boolean };

/** What a hospital wants of the listener, besides rows. */
export interface SiteSettings {
  /** The character set when MSH-18 is empty: a name of table 0211. */
  readonly charset?: string;
  /** The same MSH-10 with other bytes: refused (AR, 205), or taken because this sender counts anew. */
  readonly controlIds?: 'unique' | 'reused';
  /** Events that no message map has: refused (AR, 201), or kept and acknowledged with AA. */
  readonly otherEvents?: 'refuse' | 'ignore';
}

/** `mappings/sites/NAME.yaml`: what one hospital wants otherwise, by file name. */
export interface SiteFile {
  readonly settings?: SiteSettings;
  /** Rows of a map that is there, or a whole new map. */
  readonly segments?: Readonly<Record<string, readonly SiteRow[] | SegmentMap>>;
  readonly datatypes?: Readonly<Record<string, readonly SiteRow[] | DataTypeMap>>;
  /** Entries of a message map. */
  readonly messages?: Readonly<Record<string, readonly SiteEntry[]>>;
  /** Local codes, by table. */
  readonly tables?: Readonly<Record<string, LocalCodes>>;
  /** Assigning authority ─▶ URI of its identifiers. */
  readonly systems?: Readonly<Record<string, string>>;
  /** Where it is told what the programme learns. */
  readonly destinations?: readonly DestinationEntry[];
}

/** How a resource is the same in a later message; the first alternative that is valued wins. */
export type Identity =
  readonly // Identifier types in order of preference, then any with a value; `any`: a stored one is found by each of the typed ones;
  // `and`: places, valued or not, without which senders give one identifier to several things.
  (
    | { readonly identifier: readonly string[]; readonly any?: boolean; readonly and?: readonly string[] }
    | readonly string[] // places (`DG1-3.1`) and resources of the message (`@Encounter`), all of the places valued
  )[];

export interface SegmentMap {
  readonly segment: string;
  readonly resource: string;
  readonly identity?: Identity;
  readonly rows: readonly Row[];
}

export interface DataTypeMap {
  readonly datatype: string;
  /** Another data type map, of which this one is a variant: its rows, with those below laid over by key. */
  readonly extends?: string;
  /** The FHIR type that it makes, or … */
  readonly makes?: string;
  /** … the resource that it makes; a row with this type then targets a Reference. */
  readonly resource?: string;
  readonly identity?: Identity;
  readonly rows: readonly Row[];
}

/** A file such as `CWE.yaml`, for every map and converter of the data type: why parts of it go nowhere. It makes nothing. */
export function saysOnlyWhy({ makes, resource, rows }: DataTypeMap): boolean {
  return makes === undefined && resource === undefined && rows.every(({ nowhere }) => nowhere !== undefined);
}

export interface MessageEntry {
  readonly segment: string;
  /** The segment map, by file name. */
  readonly map: string;
  /** Fills the resource of this name that an earlier entry made, in place of making one. */
  readonly into?: string;
  /** The name by which rows refer to the resource; by default its type. */
  readonly as?: string;
  readonly when?: Condition | readonly Condition[];
  /** Only segments that belong to one of these: the nearest before; `none` for those that stand on their own. */
  readonly under?: readonly string[];
  /** The segments of this name replace, as a set, what earlier messages gave (HL7 v2.5.1 2.10.4, snapshot mode). */
  readonly snapshot?: boolean;
  /** Makes nothing that its identity could not find again: a PV1 without a number is no visit. */
  readonly identified?: boolean;
  /** With `into`: only where that resource is not the one of this name. Nobody is merged with himself. */
  readonly unlike?: string;
  /** The name for overrides of a site; by default `SEGMENT MAP` and the name under `as`. */
  readonly key?: string;
}

/** The name of an entry: for overrides of a site. */
export function entryKeyOf({ key, segment, map, as }: Pick<MessageEntry, 'key' | 'segment' | 'map' | 'as'>): string {
  return key ?? [segment, map, ...(as ? [as] : [])].join(' ');
}

/** A place that is valued, or one that holds one of some values. */
export type Required = string | { readonly in: readonly string[] };

export interface MessageMap {
  readonly message: string;
  /** Another message map: its entries, with those below laid over by key. */
  readonly extends?: string;
  readonly events: readonly string[];
  /** Segments without which the message is refused (AE, 100). */
  readonly segments: readonly string[];
  /** Places without which it is refused (AE, 101); a list is satisfied by any of its places. */
  readonly require: readonly (string | readonly Required[])[];
  readonly maps: readonly MessageEntry[];
}

/** A mapping file, parsed; `line` gives the line (from 1) of a path such as `['rows', 3]`. */
export interface Located<T> {
  /** Path as shown in messages: `mappings/segments/PID-Patient.yaml`. */
  readonly file: string;
  /** File name without its ending: `PID-Patient`. */
  readonly name: string;
  readonly content: T;
  /** The line (from 1) of a path; the file is parsed once more for it, so it is asked for when there is something to say. */
  line(path: readonly (string | number)[]): number;
}

/** A line of a file. */
export interface Place {
  readonly file: string;
  readonly line: number;
}

/** Where a part of a file stands; its line is looked up when it is read. */
export function placeIn(located: Located<unknown>, path: readonly (string | number)[]): Place {
  return {
    file: located.file,
    get line() {
      return located.line(path);
    },
  };
}

/** A mapping that cannot be used. `message` begins with file and line. */
export class MappingError extends Error {
  override readonly name = 'MappingError';

  constructor(file: string, line: number, text: string) {
    super(`${file}:${line}: ${text}`);
  }
}
