/** What a message says of a resource, laid over what is stored. HL7 v2.5.1 2.5.3: empty keeps, `""` deletes. */
import { elementOf, isPrimitive } from '../fhir/definitions.ts';
import type { Json, StoredResource } from '../fhir/types.ts';
import type { Built } from '../mapping/context.ts';

/** @returns the resource as it shall be; neither argument is changed */
export function merge(stored: StoredResource | undefined, { resource, clear, initial, keeps }: Built): StoredResource {
  if (!stored) return resource;
  const type = resource.resourceType;
  const merged: Json = { ...stored };
  for (const path of clear) {
    const url = /^extension\((.*)\)$/.exec(path)?.[1];
    if (url === undefined) removePath(merged, path.split('.'));
    else removeExtension(merged, url);
  }
  for (const [key, value] of Object.entries(resource)) {
    if (key === 'resourceType' || key === 'id' || (initial.has(key) && stored[key] !== undefined)) continue;
    if (keeps.get(key)?.includes(stored[key])) continue;
    // A death that is known with its time is not made less by a later "yes".
    if (key === 'deceasedBoolean' && value === true && merged.deceasedDateTime) continue;
    dropOtherChoices(type, key, merged);
    merged[key] = overlay(type, key, merged[key], value);
    const element = elementOf(type, key);
    if (element && isPrimitive(element.type) && !resource[`_${key}`]) delete merged[`_${key}`];
  }
  return merged as StoredResource;
}

function removePath(node: Json, [first, ...rest]: string[]): void {
  if (first === undefined || node[first] === undefined) return;
  if (rest.length === 0 || Array.isArray(node[first])) {
    delete node[first];
    delete node[`_${first}`];
    return;
  }
  node[first] = { ...node[first] };
  removePath(node[first], rest);
  if (Object.keys(node[first]).length === 0) delete node[first];
}

function removeExtension(node: Json, url: string): void {
  const kept = (node.extension ?? []).filter((it: Json) => it.url !== url);
  if (kept.length > 0) node.extension = kept;
  else delete node.extension;
}

function dropOtherChoices(type: string, key: string, merged: Json): void {
  const choice = elementOf(type, key)?.choice;
  if (!choice) return;
  for (const other of Object.keys(merged)) {
    if (other !== key && other !== `_${key}` && elementOf(type, other.replace(/^_/, ''))?.choice === choice)
      delete merged[other];
  }
}

/** One element: backbones and periods are completed, identifiers and extensions united, everything else replaced. */
function overlay(type: string, key: string, old: unknown, value: unknown): unknown {
  if (old === undefined) return value;
  const of = elementOf(type, key)?.type ?? '';
  if (Array.isArray(value)) {
    if (key === 'identifier') return unite(value, old as Json[], (it) => `${it.system ?? ''}|${it.value ?? ''}`);
    if (key === 'extension') return unite(value, old as Json[], (it) => it.url);
    return value;
  }
  if (of.includes('.') || of === 'Period' || of === 'Meta') return { ...(old as Json), ...(value as Json) };
  return value;
}

function unite(fresh: Json[], old: Json[], key: (item: Json) => string): Json[] {
  const seen = new Set(fresh.map(key));
  return [...fresh, ...old.filter((item) => !seen.has(key(item)))];
}
