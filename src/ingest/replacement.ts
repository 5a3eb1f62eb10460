/**
 * Merges as a graph: a retired resource points to the one that it was merged into. Each keeps the newest such saying; of a
 * circle (the same merge sent the other way round) the oldest edge does not count. So the order of arrival makes no difference.
 */
import { compareStamps, type Stamp } from './stamp.ts';

/** The newest that was said of a resource: it was merged into `id`. */
export interface Edge {
  readonly id: string;
  readonly stamp: Stamp;
}

/** Gives the edge of a resource, by id; undefined for one that was never merged into another. */
export type EdgeOf = (id: string) => Edge | undefined;

/** Resources in one chain at most: a longer one is a mistake of the sender, and stops here. */
const chainMax = 100;

/**
 * The edge that counts.
 * @returns undefined for a resource that stands for itself
 */
export function effectiveEdge(id: string, edgeOf: EdgeOf): Edge | undefined {
  const own = edgeOf(id);
  if (!own) return undefined;
  const seen = new Set([id]);
  let oldest = { from: id, edge: own };
  for (let at = own; seen.size < chainMax; ) {
    if (at.id === id) return oldest.from === id ? undefined : own;
    // A circle that this resource only leads to does not concern its own edge.
    if (seen.has(at.id)) return own;
    const next = edgeOf(at.id);
    if (!next) return own;
    seen.add(at.id);
    // Of one message both are as old: whichever it is, it must be one.
    const order = compareStamps(next.stamp, oldest.edge.stamp) || (at.id < oldest.from ? -1 : 1);
    if (order < 0) oldest = { from: at.id, edge: next };
    at = next;
  }
  return own;
}

/** The resource that stands for another: itself, or the end of its chain. */
export function survivorOf(id: string, edgeOf: EdgeOf): string {
  let at = id;
  for (let n = 0; n < chainMax; n++) {
    const edge = effectiveEdge(at, edgeOf);
    if (!edge) return at;
    at = edge.id;
  }
  return at;
}
