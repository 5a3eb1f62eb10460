/**
 * What the ingest stage remembers beside a resource: which message gave each register, and when. It stands in the row of the
 * resource, belongs to no version, and is small: most registers of a resource come from one message.
 */
import type { Json } from '../fhir/types.ts';
import type { Names } from './registers.ts';
import { compareStamps, messageOf, never, type Stamp, withdrawn } from './stamp.ts';

/** A set of resources that segments in snapshot mode gave. */
export interface Snapshot {
  readonly stamp: Stamp;
  /** `AllergyIntolerance/ID`: the set. */
  readonly now: readonly string[];
  /** All that were ever in it. */
  readonly ever: readonly string[];
}

/** True for marks in the form of the store that say that something was said at a stamp. */
export function hasStamp(marks: Json, stamp: Stamp): boolean {
  const { s = [], n = {}, by } = marks as { s?: Stamp[]; n?: Record<string, Snapshot>; by?: { stamp: Stamp } };
  return s.includes(stamp) || by?.stamp === stamp || Object.values(n).some((it) => it.stamp === stamp);
}

/** The marks of one resource; changed while a message is applied. */
export class Marks {
  readonly #stamps: Map<string, Stamp>;
  /** Registers that count only while nothing else is said. */
  readonly weak: Set<string>;
  names: Names;
  /** Registers without a stamp of their own have this one. */
  readonly #rest: Stamp;
  /** By segment name. */
  readonly snapshots: Map<string, Snapshot>;
  /** The id of the resource that this one was merged into, and when that was said. */
  replacedBy: { readonly id: string; readonly stamp: Stamp } | undefined;
  /** The ids of those that were ever merged with this one, whichever retired, and when that was said first. */
  readonly joined: Map<string, Stamp>;
  /** What messages say of the elements that a merge speaks for, while it does. */
  readonly aside: Json;
  /** The version that was written with these marks; 0 for none. */
  readonly version: number;

  constructor(json?: string) {
    const {
      v = 0,
      s = [],
      p = {},
      w = [],
      l = {},
      n = {},
      by,
      j = {},
      a = {},
    } = json === undefined ? ({} as Json) : JSON.parse(json);
    this.version = v;
    this.#rest = s[0] ?? never;
    this.#stamps = new Map(Object.entries(p as Record<string, number>).map(([path, i]) => [path, s[i]]));
    this.weak = new Set(w);
    this.names = l;
    this.snapshots = new Map(Object.entries(n));
    this.replacedBy = by;
    this.joined = new Map(Object.entries(j));
    this.aside = a;
  }

  /** When a register was set or deleted last. @param there true when it holds something */
  stampOf(path: string, there: boolean): Stamp {
    return this.#stamps.get(path) ?? (there ? this.#rest : never);
  }

  set(path: string, stamp: Stamp): void {
    this.#stamps.set(path, stamp);
  }

  /**
   * The registers that a message set or deleted last, and those that nobody says any more.
   * @param there the registers that hold something
   */
  givenBy(message: number, there: Iterable<string>): string[] {
    const all = new Set([...there, ...this.#stamps.keys()]);
    return [...all].filter((path) => {
      const stamp = this.#stamps.get(path) ?? this.#rest;
      return stamp === withdrawn || messageOf(stamp) === message;
    });
  }

  /** Forgets which sets a message gave last. @returns their segments, with all that were ever in them */
  withdrawSnapshots(message: number): Map<string, readonly string[]> {
    const taken = new Map<string, readonly string[]>();
    for (const [segment, { stamp, ever }] of this.snapshots) {
      if (messageOf(stamp) !== message) continue;
      this.snapshots.set(segment, { stamp: never, now: [], ever });
      taken.set(segment, ever);
    }
    return taken;
  }

  /** Registers of which something was said, with when: also those that hold nothing any more. */
  said(): Iterable<readonly [path: string, stamp: Stamp]> {
    return this.#stamps;
  }

  /** As if nobody had ever said anything of a register. */
  forget(path: string): void {
    this.#stamps.delete(path);
    this.weak.delete(path);
  }

  /** When a list register was deleted with all that came from its field. */
  deleted(path: string): Stamp {
    return this.#stamps.get(path) ?? never;
  }

  /**
   * For the row of the resource, without the version.
   * @param paths the registers that hold something
   */
  toJson(paths: Iterable<string>): Json {
    const there = new Set(paths);
    const stamps = new Map(this.#stamps);
    for (const path of there) if (!stamps.has(path)) stamps.set(path, this.#rest);
    const counts = new Map<Stamp, number>();
    for (const path of there) {
      const stamp = stamps.get(path) as Stamp;
      counts.set(stamp, (counts.get(stamp) ?? 0) + 1);
    }
    const [rest = never] = [...counts].sort(([a, n], [b, m]) => m - n || compareStamps(b, a)).map(([stamp]) => stamp);
    const s = [rest];
    const p: Record<string, number> = {};
    for (const [path, stamp] of stamps) {
      if (stamp === rest && there.has(path)) continue;
      let i = s.indexOf(stamp);
      if (i < 0) i = s.push(stamp) - 1;
      p[path] = i;
    }
    return {
      s,
      ...(Object.keys(p).length > 0 && { p }),
      ...(this.weak.size > 0 && { w: [...this.weak] }),
      ...(Object.keys(this.names).length > 0 && { l: this.names }),
      ...(this.snapshots.size > 0 && { n: Object.fromEntries(this.snapshots) }),
      ...(this.replacedBy && { by: this.replacedBy }),
      ...(this.joined.size > 0 && { j: Object.fromEntries(this.joined) }),
      ...(Object.keys(this.aside).length > 0 && { a: this.aside }),
    };
  }
}
