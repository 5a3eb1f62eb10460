/**
 * The shape of mapping files (`mappings/**.yaml`): what a hospital engineer writes. docs/mapping.md explains each key.
 * ajv checks a file against these schemas; {@link Located} remembers where a row stands, for messages with file and line.
 */
import { Ajv, type ValidateFunction } from 'ajv';

/** A condition from a closed list; several keys, or a list of conditions, must all hold. */
export interface Condition {
  /** The place holds something. */
  readonly valued?: string;
  readonly absent?: string;
  /** `[place, value …]`: the place holds one of the values. */
  readonly in?: readonly string[];
  readonly notIn?: readonly string[];
  /** The field has more than one repetition. */
  readonly repeats?: string;
  readonly single?: string;
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
  /** Stored values that stand against this row: a late admission does not open a finished visit. */
  readonly keeps?: readonly string[];
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

/** `mappings/sites/NAME.yaml`: what one hospital wants otherwise, by file name. */
export interface SiteFile {
  readonly segments?: Readonly<Record<string, readonly SiteRow[]>>;
  readonly datatypes?: Readonly<Record<string, readonly SiteRow[]>>;
}

/** How a resource is the same in a later message; the first alternative that is valued wins. */
export type Identity = readonly (
  | { readonly identifier: readonly string[] } // identifier types in order of preference, then any with a value
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
  /** The FHIR type that it makes, or … */
  readonly makes?: string;
  /** … the resource that it makes; a row with this type then targets a Reference. */
  readonly resource?: string;
  readonly identity?: Identity;
  readonly rows: readonly Row[];
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
}

export interface MessageMap {
  readonly message: string;
  readonly events: readonly string[];
  /** Segments without which the message is refused (AE, 100). */
  readonly segments: readonly string[];
  /** Places without which it is refused (AE, 101); a list is satisfied by any of its places. */
  readonly require: readonly (string | readonly string[])[];
  readonly maps: readonly MessageEntry[];
}

const place = { type: 'string', pattern: '^[A-Z][A-Z0-9]{1,2}[-.][0-9]+(\\.[0-9]+){0,2}$' };
const places = { type: 'array', minItems: 2, items: [place], additionalItems: { type: 'string' } };
const lengths = { type: 'array', minItems: 2, maxItems: 2, items: [place, { type: 'integer' }] };
const condition = {
  type: 'object',
  additionalProperties: false,
  minProperties: 1,
  properties: {
    valued: place,
    absent: place,
    in: places,
    notIn: places,
    repeats: place,
    single: place,
    longer: lengths,
    notLonger: lengths,
  },
};
const when = { oneOf: [condition, { type: 'array', items: condition }] };
const row = {
  type: 'object',
  additionalProperties: false,
  properties: {
    field: place,
    to: { type: 'string' },
    type: { type: 'string' },
    table: { type: 'string' },
    each: place,
    value: {},
    reference: { type: 'string' },
    with: { type: 'object' },
    when,
    initial: { type: 'boolean' },
    missing: { type: 'boolean' },
    keeps: { type: 'array', items: { type: 'string' } },
    clear: { type: 'boolean' },
    nowhere: { type: 'string' },
    because: { type: 'string' },
    key: { type: 'string' },
  },
  anyOf: [{ required: ['to'] }, { required: ['nowhere', 'field'] }],
};
const identity = {
  type: 'array',
  items: {
    oneOf: [
      {
        type: 'object',
        additionalProperties: false,
        required: ['identifier'],
        properties: { identifier: { type: 'array', items: { type: 'string' } } },
      },
      { type: 'array', minItems: 1, items: { type: 'string' } },
    ],
  },
};
const object = (required: string[], properties: object): object => ({
  type: 'object',
  additionalProperties: false,
  required,
  properties,
});
const rows = { type: 'array', items: row };
const siteRow = {
  ...row,
  properties: { ...row.properties, remove: { const: true } },
  anyOf: [...row.anyOf, { required: ['key', 'remove'] }],
};
const siteRows = { type: 'object', additionalProperties: { type: 'array', items: siteRow } };
const name = { type: 'string', minLength: 1 };

/** JSON schemas of the kinds of file. */
export const fileSchemas = {
  segments: object(['segment', 'resource', 'rows'], { segment: name, resource: name, identity, rows }),
  datatypes: object(['datatype', 'rows'], { datatype: name, makes: name, resource: name, identity, rows }),
  messages: object(['message', 'events', 'segments', 'require', 'maps'], {
    message: name,
    events: { type: 'array', items: name },
    segments: { type: 'array', items: name },
    require: { type: 'array', items: { oneOf: [place, { type: 'array', minItems: 1, items: place }] } },
    maps: {
      type: 'array',
      items: object(['segment', 'map'], { segment: name, map: name, into: name, as: name, when }),
    },
  }),
  sites: object([], { segments: siteRows, datatypes: siteRows }),
} as const;

export type FileKind = keyof typeof fileSchemas;

const ajv = new Ajv({ allErrors: true, strict: false });
export const validators: Record<FileKind, ValidateFunction> = {
  segments: ajv.compile(fileSchemas.segments),
  datatypes: ajv.compile(fileSchemas.datatypes),
  messages: ajv.compile(fileSchemas.messages),
  sites: ajv.compile(fileSchemas.sites),
};

/** A mapping file, parsed; `line` gives the line (from 1) of a path such as `['rows', 3]`. */
export interface Located<T> {
  /** Path as shown in messages: `mappings/segments/PID-Patient.yaml`. */
  readonly file: string;
  /** File name without its ending: `PID-Patient`. */
  readonly name: string;
  readonly content: T;
  line(path: readonly (string | number)[]): number;
}

/** A mapping that cannot be used. `message` begins with file and line. */
export class MappingError extends Error {
  constructor(file: string, line: number, text: string) {
    super(`${file}:${line}: ${text}`);
  }
}
