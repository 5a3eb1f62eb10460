/** Lineage: which field made which element by which row. */
import type { Built, Json, MappingContext } from './context.ts';
import { isSame } from './unite.ts';

/** Which field made which element by which row. */
export interface LineageRow {
  /** `PID-3[2].4.1`. */
  readonly field: string;
  /** Which of the segments of this name it is of, from 1, as ERR-2.2 counts. */
  readonly segment: number;
  /** `Patient/ID.identifier[0].system`: indexes from 0, as in the JSON. */
  readonly element: string;
  /** `CX-Identifier#CX.4 system`. */
  readonly row: string;
}

/**
 * Traces ─▶ rows, by the paths that the containers have in the finished resources.
 *
 * @param all with rows that read no field: constants
 */
export function lineageOf(
  built: readonly Built[],
  { trace: traces = [], aliases }: Pick<MappingContext, 'trace' | 'aliases'>,
  all = false,
): LineageRow[] {
  const paths = new Map<object, string>();
  const walk = (node: object, path: string): void => {
    paths.set(node, path);
    for (const [key, value] of Object.entries(node)) {
      if (typeof value !== 'object' || value === null) continue;
      for (const [i, item] of Array.isArray(value) ? value.entries() : []) {
        if (typeof item === 'object' && item !== null) walk(item, `${path}.${key}[${i}]`);
      }
      if (!Array.isArray(value)) walk(value, `${path}.${key}`);
    }
  };
  for (const { resource } of built) walk(resource, `${resource.resourceType}/${resource.id}`);
  const rows: LineageRow[] = [];
  for (const { container, key, field, row, segment = 1 } of traces) {
    const path = paths.get(container) ?? pathOf(container as Json, key, paths, aliases);
    if (path && (field || all)) rows.push({ field, segment, element: elementIn(container as Json, path, key), row });
  }
  return rows;
}

/** Of what was made twice the first stands: it is the element of the second too, where it says the same. */
function pathOf(
  container: Json,
  key: string,
  paths: ReadonlyMap<object, string>,
  aliases: ReadonlyMap<object, object> | undefined,
): string | undefined {
  const standing = aliases?.get(container) as Json | undefined;
  if (!standing) return undefined;
  const [own, other] = [container[key], standing[key]];
  const isThere = Array.isArray(own)
    ? own.every((it) => other?.some((one: unknown) => isSame(one, it)))
    : isSame(own, other);
  return isThere ? paths.get(standing) : undefined;
}

/** What was completed after the rows may have put a value aside, into an extension of its container, or made another of it. */
function elementIn(container: Json, path: string, key: string): string {
  if (container[key] !== undefined) return `${path}.${key}`;
  return container.extension === undefined ? path : `${path}.extension`;
}
