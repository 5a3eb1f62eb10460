/**
 * The JSON schemas of mapping files, draft-07: what ajv checks at start, and what an editor completes and explains from
 * (`npm run mapping -- schema` writes them). One source for both: an editor gets the names that are there as closed lists.
 */
import { Ajv, type ValidateFunction } from 'ajv';
import { destinationsSchema } from './destination.ts';

/** The kinds of mapping files, by their folder. */
export type FileKind = 'messages' | 'segments' | 'datatypes' | 'sites';

/** What rows may name, for an editor to complete; see {@link fileSchema}. */
export interface SchemaNames {
  /** FHIR resource types. */
  readonly resources: readonly string[];
  readonly converters: readonly string[];
  readonly messages: readonly string[];
  readonly segments: readonly string[];
  readonly datatypes: readonly string[];
  readonly tables: readonly string[];
}

type Schema = Readonly<Record<string, unknown>>;

/** Draft-07 reads nothing beside a `$ref`, so that one stands inside. */
const said = (description: string, schema: Schema): Schema => ({
  description,
  ...('$ref' in schema ? { allOf: [schema] } : schema),
});
const ref = (name: string): Schema => ({ $ref: `#/definitions/${name}` });
const text = { type: 'string', minLength: 1 };
const flag = { type: 'boolean' };
const list = (items: Schema, more: Schema = {}): Schema => ({ type: 'array', items, ...more });
const object = (required: readonly string[], properties: Record<string, Schema>, more: Schema = {}): Schema => ({
  type: 'object',
  additionalProperties: false,
  required,
  properties,
  ...more,
});

/** A closed list where names are known. @param open others may stand there too: a site brings its own */
function named(names: readonly string[] | undefined, open: boolean): Schema {
  if (!names) return text;
  return open ? { anyOf: [{ enum: names }, text] } : { enum: names };
}

const place = said(
  'A field, component or subcomponent: PID-3, PV1-2.1; in a data type CX.4, CX.4.2, CX.0 for the whole',
  {
    type: 'string',
    pattern: '^[A-Z][A-Z0-9]{1,2}[-.][0-9]+(\\.[0-9]+){0,2}$',
  },
);
const placeAndValues = { type: 'array', minItems: 2, items: [ref('place')], additionalItems: { type: 'string' } };
const placeAndLength = { type: 'array', minItems: 2, maxItems: 2, items: [ref('place'), { type: 'integer' }] };

const condition = object(
  [],
  {
    valued: said('The place holds something.', ref('place')),
    absent: said('The place is empty.', ref('place')),
    dated: said('The place holds a date that can be read; 00000000 is none.', ref('place')),
    undated: said('The place holds no date that can be read.', ref('place')),
    past: said('The place holds a date that is not after the day of MSH-7.', ref('place')),
    notPast: said('The place holds no date, or one after the day of MSH-7.', ref('place')),
    some: said('One of the places holds something.', list(ref('place'), { minItems: 1 })),
    item: said('The place is coded and names an item of a questionnaire that is known.', ref('place')),
    noItem: said('The place names no item of a questionnaire.', ref('place')),
    in: said('[place, value …]: the place holds one of the values.', placeAndValues),
    notIn: said('[place, value …]: the place holds none of the values.', placeAndValues),
    repeats: said('The field has more than one repetition.', ref('place')),
    single: said('The field has at most one repetition.', ref('place')),
    first: said('The segment of the place is the first of its name in its group.', ref('place')),
    further: said('The segment of the place is not the first of its name in its group.', ref('place')),
    longer: said('[place, n]: the text is longer than n characters.', placeAndLength),
    notLonger: said('[place, n]: the text has at most n characters.', placeAndLength),
  },
  { minProperties: 1 },
);
const when = said('All must hold.', { anyOf: [ref('condition'), list(ref('condition'))] });
const remove = said('Takes away what has this key.', { const: true });

function row(names: SchemaNames | undefined, open: boolean): Record<string, Schema> {
  const types = names && [...names.converters, ...names.datatypes].sort();
  return {
    field: said('Where it comes from. Every repetition counts. Absent: the row depends on no field.', ref('place')),
    to: said(
      'A path below the resource or type: gender, "name[]" (appends), "identifier[ssn].value" (one entry, shared by rows), extension(URL).valueString, birthDate.extension(URL).valueDateTime.',
      { type: 'string' },
    ),
    type: said(
      'A file of mappings/datatypes, or a converter (docs/mapping.md). Absent: the converter of the FHIR type.',
      named(types, open),
    ),
    table: said(
      'A file of mappings/tables, or v2-0203: the codes of that HL7 table and no translation.',
      names
        ? { anyOf: [{ enum: names.tables }, open ? text : { type: 'string', pattern: '^v2-[0-9]{4}$' }] }
        : { type: 'string' },
    ),
    each: said('Run once for each repetition of this field, in place of those of "field".', ref('place')),
    value: said('A constant, checked against FHIR.', {}),
    reference: said('A resource of this message that was made before, by its name: Patient, Encounter.', text),
    with: said('Constants for the list entry or object that the row fills, where the row left them empty.', {
      type: 'object',
    }),
    when,
    initial: said('Counts only while nothing is stored: an earlier value stays.', flag),
    missing: said('Counts only where no row before it gave the element a value.', flag),
    clear: said('The stored element goes away.', flag),
    nowhere: said('Why the field is not mapped.', text),
    because: said('Why the row differs from the HL7 v2-to-FHIR guide.', text),
    key: said('The name of the row, for overrides of a site and for lineage; by default "field to" as written.', text),
  };
}

const rowNeeds: readonly Schema[] = [{ required: ['to'] }, { required: ['nowhere', 'field'] }];
const removal: Schema = { required: ['key', 'remove'] };

const identity = said(
  'What makes the resource the same again in a later message; the first alternative that is valued wins.',
  {
    type: 'array',
    items: {
      anyOf: [
        object(['identifier'], {
          identifier: said('One of its identifiers, these types (table 0203) first.', list(text)),
          any: said('A stored one is found by each of these identifiers.', { type: 'boolean' }),
          and: said(
            'Places (OBX-3.1), valued or not, "parent" (the result that OBR-26 names), "suffix" (of OBX-3.1) and "occurrence", which tell apart what a sender gives one identifier.',
            list(text, { minItems: 1 }),
          ),
        }),
        said(
          'Places (DG1-3.1), ids of other resources of the message (@Encounter), "sender", "questionnaire" (that OBX-3 names), "parent" (the result that OBR-26 names, where it names one), "suffix" (of OBX-3.1, where there is one), or "occurrence": 1 for the first of the message of which all else is equal.',
          list(text, { minItems: 1 }),
        ),
      ],
    },
  },
);

function entry(names: SchemaNames | undefined, open: boolean): Record<string, Schema> {
  return {
    segment: said('The name of the segment: PID, ZPI.', text),
    map: said('The file of mappings/segments that it goes through.', named(names?.segments, open)),
    into: said('Fills the resource of this name that an entry before it made, in place of making one.', text),
    as: said('The name by which rows refer to the resource; by default its type.', text),
    when,
    under: said(
      'Only segments that belong to one of these, the nearest before; "none" for those that stand on their own.',
      list(text, { minItems: 1 }),
    ),
    snapshot: said('The segments of this name replace, as a set, what earlier messages gave.', flag),
    identified: said('Makes nothing that its identity could not find again.', flag),
    unlike: said('With "into": only where that resource is not the one of this name.', text),
    key: said(
      'The name of the entry, for overrides of a site; by default "SEGMENT MAP", and the name under "as".',
      text,
    ),
  };
}

function segmentMap(names: SchemaNames | undefined): Schema {
  return object(['segment', 'resource', 'rows'], {
    segment: said('The name of the segment: PID, ZPI.', text),
    resource: said('The FHIR resource that the rows fill.', named(names?.resources, false)),
    identity: ref('identity'),
    rows: said(
      'The first row that fills an element wins; later rows complete objects and append to lists.',
      list(ref('row')),
    ),
  });
}

function dataTypeMap(names: SchemaNames | undefined): Schema {
  return object(['datatype', 'rows'], {
    datatype: said('The HL7 data type: CX, XPN.', text),
    extends: said('Another data type map: its rows, with those below laid over by key.', named(names?.datatypes, true)),
    makes: said('The FHIR type that it makes: Identifier, HumanName …', text),
    resource: said(
      '… or the resource that it makes: a row with this type fills a Reference to it.',
      named(names?.resources, false),
    ),
    identity: ref('identity'),
    rows: said('The rows; places are CX.4, CX.4.2, CX.0 for the whole.', list(ref('row'))),
  });
}

function messageMap(names: SchemaNames | undefined): Schema {
  const required = {
    anyOf: [
      ref('place'),
      object(['in'], { in: said('[place, value …]: the place holds one of the values.', placeAndValues) }),
    ],
  };
  return object(['message', 'events', 'segments', 'require', 'maps'], {
    message: said('The message structure: ADT_A01. What stands before _ is the message type of MSH-9.1.', text),
    extends: said('Another message map: its entries, with those below laid over by key.', named(names?.messages, true)),
    events: said('The trigger events of MSH-9.2 that this file is for.', list(text)),
    segments: said('Segments without which the message is refused (AE, 100).', list(text)),
    require: said(
      'Places without which the message is refused (AE, 101); a list is satisfied by any of its places.',
      list({ anyOf: [ref('place'), list(required, { minItems: 1 })] }),
    ),
    maps: said('Which segment goes through which map, in this order.', list(ref('entry'))),
  });
}

/** Every name that is there, with what it may hold; and any other name. */
function byName(names: readonly string[] | undefined, schema: Schema): Schema {
  const known = names?.map((name) => [name, schema]);
  return { type: 'object', ...(known && { properties: Object.fromEntries(known) }), additionalProperties: schema };
}

const settings = object([], {
  charset: said(
    'The character set when MSH-18 is empty: a name of HL7 table 0211, such as UNICODE UTF-8, GB 18030-2000, 8859/1.',
    text,
  ),
  controlIds: said(
    'The same MSH-10 with other bytes: refused (unique), or taken because this sender counts anew (reused).',
    {
      enum: ['unique', 'reused'],
    },
  ),
  otherEvents: said('Events that no message map has: refused with AR, or kept, ignored and acknowledged with AA.', {
    enum: ['refuse', 'ignore'],
  }),
});

const localCode = {
  anyOf: [
    said('A code of the target system of the table.', text),
    said('Known, and without a target: it stays as it is sent.', { type: 'null' }),
    object(['system', 'code'], {
      system: said('URI of the code system.', text),
      code: said('The code in that system.', text),
      display: said('Its text.', { type: 'string' }),
    }),
  ],
};

function siteFile(names: SchemaNames | undefined): Schema {
  return object([], {
    settings: said('What the hospital wants of the listener.', settings),
    segments: said(
      'By map: rows that replace (same key), add or remove; or a whole new map, for a segment of its own.',
      byName(names?.segments, ref('siteSegment')),
    ),
    datatypes: said('The same for data types.', byName(names?.datatypes, ref('siteDataType'))),
    messages: said(
      'By message map: entries that replace (same key), add or remove.',
      byName(names?.messages, ref('siteEntries')),
    ),
    tables: said('By table: what the hospital’s own codes mean.', byName(names?.tables, ref('localCodes'))),
    systems: said('Assigning authority as sent (HD.1) to the URI of its identifiers.', {
      type: 'object',
      additionalProperties: text,
    }),
    destinations: destinationsSchema,
  });
}

function definitions(names: SchemaNames | undefined, open: boolean): Record<string, Schema> {
  const [rows, entries] = [row(names, open), entry(names, open)];
  const or = (needs: readonly Schema[], keys: Schema): Schema => ({ anyOf: [...needs, keys] });
  return {
    place,
    condition,
    identity,
    row: object([], rows, { anyOf: rowNeeds }),
    entry: object(['segment', 'map'], entries),
    siteRows: list(object([], { ...rows, remove }, or(rowNeeds, removal))),
    siteEntries: list(object([], { ...entries, remove }, or([{ required: ['segment', 'map'] }], removal))),
    siteSegment: { anyOf: [ref('siteRows'), ref('segmentMap')] },
    siteDataType: { anyOf: [ref('siteRows'), ref('dataTypeMap')] },
    segmentMap: segmentMap(names),
    dataTypeMap: dataTypeMap(names),
    localCodes: { type: 'object', additionalProperties: localCode },
  };
}

const bodies = { messages: messageMap, segments: segmentMap, datatypes: dataTypeMap, sites: siteFile } as const;

/** Definitions that a schema refers to, and those that these refer to. */
function needed(schema: Schema, all: Record<string, Schema>): Record<string, Schema> {
  const names = new Set<string>();
  const look = (part: unknown): void => {
    for (const [, name = ''] of JSON.stringify(part).matchAll(/"#\/definitions\/(\w+)"/g)) {
      if (names.has(name)) continue;
      names.add(name);
      look(all[name]);
    }
  };
  look(schema);
  return Object.fromEntries(Object.entries(all).filter(([name]) => names.has(name)));
}

/**
 * The schema of one kind of file.
 *
 * @param names with them, an editor completes: closed lists, which a site may go beyond with maps of its own. Without, only the
 *   shape is checked; what a name stands for is checked when the rows are compiled, with a better message
 */
export function fileSchema(kind: FileKind, names?: SchemaNames): Schema {
  const schema = bodies[kind](names);
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    ...schema,
    definitions: needed(schema, definitions(names, kind === 'sites')),
  };
}

const ajv = new Ajv({ allErrors: true, strict: false, meta: false, validateSchema: false });

/** Checks of the shape, by kind. */
export const validators: Readonly<Record<FileKind, ValidateFunction>> = {
  segments: ajv.compile(fileSchema('segments')),
  datatypes: ajv.compile(fileSchema('datatypes')),
  messages: ajv.compile(fileSchema('messages')),
  sites: ajv.compile(fileSchema('sites')),
};
