/** What differs between two versions of a resource: element paths with what stood and what stands. Pure. */
import { isDeepStrictEqual } from 'node:util';
import type { Json } from '../fhir/types.ts';

/** One change, as JSON Patch has them (RFC 6902 section 4). */
export interface Change {
  readonly op: 'add' | 'remove' | 'replace';
  /** `name[0].family`: indexes from 0, of what was before for `remove`, else of what is after. */
  readonly path: string;
  readonly before?: unknown;
  readonly after?: unknown;
}

/**
 * What changes; what the server says of a version itself (`meta.versionId`, `meta.lastUpdated`) does not count.
 * @param max changes at most
 */
export function differenceOf(before: Json | undefined, after: Json | undefined, max: number): Change[] {
  const changes: Change[] = [];
  const [a, b] = [bare(before), bare(after)];
  for (const change of walk(a, b, '')) {
    changes.push(change);
    if (changes.length >= max) break;
  }
  return changes;
}

function bare(resource: Json | undefined): Json {
  const { meta, ...rest } = resource ?? {};
  const { versionId: _, lastUpdated: __, ...own } = meta ?? {};
  return { ...rest, ...(Object.keys(own).length > 0 && { meta: own }) };
}

function* walk(a: unknown, b: unknown, path: string): Generator<Change> {
  if (Array.isArray(a) && Array.isArray(b)) yield* lists(a, b, path);
  else if (isObject(a) && isObject(b)) {
    for (const key of new Set([...Object.keys(a), ...Object.keys(b)]))
      yield* walk(a[key], b[key], path === '' ? key : `${path}.${key}`);
  } else if (a === undefined && b !== undefined) yield { op: 'add', path, after: b };
  else if (a !== undefined && b === undefined) yield { op: 'remove', path, before: a };
  else if (a !== b) yield { op: 'replace', path, before: a, after: b };
}

/** Entries that are the same at the beginning and at the end do not count; the others are compared one by one. */
function* lists(a: readonly unknown[], b: readonly unknown[], path: string): Generator<Change> {
  let head = 0;
  const shorter = Math.min(a.length, b.length);
  while (head < shorter && isDeepStrictEqual(a[head], b[head])) head++;
  let tail = 0;
  while (tail < shorter - head && isDeepStrictEqual(a.at(-1 - tail), b.at(-1 - tail))) tail++;
  const ends = [a.length - tail, b.length - tail] as const;
  for (let i = head; i < Math.max(...ends); i++)
    yield* walk(i < ends[0] ? a[i] : undefined, i < ends[1] ? b[i] : undefined, `${path}[${i}]`);
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
