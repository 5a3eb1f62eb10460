/** The terminology of FHIR R4 as shipped: compact rows, made by `npm run definitions`, read back as FHIR resources. */
import { openSync, readFileSync, readSync } from 'node:fs';
import type { Json } from '../types.ts';

/**
 * Where CodeSystems, ValueSets and ConceptMaps come from, by canonical URL and, when given, exact version.
 * Give the same object for the same stored version: what is compiled from it is kept by its identity.
 */
export interface TerminologySource {
  codeSystem(url: string, version?: string): Json | undefined;
  valueSet(url: string, version?: string): Json | undefined;
  conceptMap(url: string, version?: string): Json | undefined;
}

/** Where a line stands in its file; bytes. */
interface Line {
  readonly from: number;
  readonly length: number;
}

/** A file and its lines, by key. */
interface Lines {
  readonly descriptor: number;
  readonly byKey: ReadonlyMap<string, Line>;
}

/** One file: a line for each canonical URL, `"url":row,`. A row is read when it is asked for: most never are. */
class Shelf {
  readonly #name: string;
  readonly #decode: (url: string, row: Json) => Json;
  #lines: Lines | undefined;
  readonly #read = new Map<string, Json>();

  constructor(name: string, decode: (url: string, row: Json) => Json) {
    this.#name = name;
    this.#decode = decode;
  }

  /** A key is a URL, or `url|version` where two versions are shipped. */
  get(url: string, version?: string): Json | undefined {
    const resource = this.#at(`${url}|${version}`) ?? this.#at(url);
    return version === undefined || resource?.version === version ? resource : undefined;
  }

  urls(): readonly string[] {
    return [...this.#opened().byKey.keys()];
  }

  #at(key: string): Json | undefined {
    const known = this.#read.get(key);
    if (known) return known;
    const { descriptor, byKey } = this.#opened();
    const line = byKey.get(key);
    if (!line) return undefined;
    const row = Buffer.alloc(line.length);
    readSync(descriptor, row, 0, line.length, line.from);
    const resource = this.#decode(key.split('|')[0] as string, JSON.parse(row.toString()));
    this.#read.set(key, resource);
    return resource;
  }

  /** Stays open: an upgrade that replaces the file does not move the lines of this one. */
  #opened(): Lines {
    if (!this.#lines) {
      const descriptor = openSync(new URL(`../r4/${this.#name}.json`, import.meta.url), 'r');
      this.#lines = { descriptor, byKey: linesOf(readFileSync(descriptor)) };
    }
    return this.#lines;
  }
}

/** The rows behind the keys; the first and the last line are braces. */
function linesOf(text: Buffer): ReadonlyMap<string, Line> {
  const lines = new Map<string, Line>();
  let from = text.indexOf('\n') + 1;
  for (let end = text.indexOf('\n', from); end >= 0; from = end + 1, end = text.indexOf('\n', from)) {
    const behindKey = text.indexOf('":', from) + 1;
    // A closing brace has no key.
    if (behindKey === 0 || behindKey > end) continue;
    const last = text[end - 1] === 0x2c ? end - 1 : end;
    lines.set(text.toString('utf8', from + 1, behindKey - 1), { from: behindKey + 1, length: last - behindKey - 1 });
  }
  return lines;
}

/** Empty places of a row are 0. */
type Row = readonly any[];

function designations(rows: Row | undefined): Json | undefined {
  return (
    rows && {
      designation: rows.map(([value, language, use]) => ({
        ...(language && { language }),
        ...(use && { use }),
        value,
      })),
    }
  );
}

function properties(rows: Row, types: ReadonlyMap<string, string>): Json {
  const named = ([code, value]: Row): Json => {
    const type = types.get(code) ?? 'string';
    return { code, [`value${(type[0] as string).toUpperCase()}${type.slice(1)}`]: value };
  };
  return { property: rows.map(named) };
}

function concept([code, display, definition, children, names, values]: Row, types: ReadonlyMap<string, string>): Json {
  return {
    code,
    ...(display && { display }),
    ...(definition && { definition }),
    ...(names && designations(names)),
    ...(values && properties(values, types)),
    ...(children && { concept: children.map((it: Row) => concept(it, types)) }),
  };
}

const codeSystems = new Shelf('code-systems', (url, row) => {
  const types = new Map<string, string>((row.property ?? []).map((it: Json) => [it.code, it.type]));
  return {
    resourceType: 'CodeSystem',
    url,
    status: 'active',
    content: 'complete',
    ...row,
    concept: row.concept?.map((it: Row) => concept(it, types)),
  };
});

function include(row: Json): Json {
  const listed = ([code, display, names]: Row): Json => ({
    code,
    ...(display && { display }),
    ...designations(names || undefined),
  });
  return row.concept ? { ...row, concept: row.concept.map(listed) } : row;
}

const valueSets = new Shelf('value-sets', (url, row) => {
  const compose = { ...row.compose, include: row.compose.include.map(include) };
  if (row.compose.exclude) compose.exclude = row.compose.exclude.map(include);
  return { resourceType: 'ValueSet', url, status: 'active', ...row, compose };
});

const conceptMaps = new Shelf('concept-maps', (url, row) => ({
  resourceType: 'ConceptMap',
  url,
  status: 'active',
  ...row,
}));

/** R4's own code systems, v3 code systems and v2 tables, value sets and concept maps. Read at the first question. */
export const shipped: TerminologySource = {
  codeSystem: (url, version) => codeSystems.get(url, version),
  valueSet: (url, version) => valueSets.get(url, version),
  conceptMap: (url, version) => conceptMaps.get(url, version),
};

/** Every shipped concept map, for a translation that names none. */
export function shippedConceptMaps(): readonly Json[] {
  return conceptMaps.urls().map((url) => conceptMaps.get(url) as Json);
}
