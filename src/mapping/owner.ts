/**
 * Which segment belongs to which: an NTE to the OBX before it, an OBX to its OBR or SPM, an MRG to its PID. The `under` of
 * the message maps says who may own whom; the owner is the nearest such segment before.
 */
import type { Message, Segment } from '../hl7v2/message.ts';
import type { Built, MappingContext } from './context.ts';
import type { MessageEntry } from './rows.ts';

/** Segment name ─▶ names of the segments that may own it. */
export type OwnerNames = ReadonlyMap<string, ReadonlySet<string>>;

/** All names in the `under` of the entries of a message map, by segment. */
export function ownersBySegment(entries: readonly MessageEntry[]): OwnerNames {
  const names = new Map<string, Set<string>>();
  for (const { segment, under } of entries) {
    if (!under) continue;
    const known = names.get(segment) ?? new Set();
    for (const name of under) known.add(name);
    names.set(segment, known);
  }
  return names;
}

/** A resource under its name, with the place of the segment that made it. */
interface Made {
  readonly position: number;
  readonly built: Built;
}

/** Segments of one kind that are looked through, one behind the other; what is farther away is found by its place. */
const stepsMax = 50;

/** Owners of the segments of one message, and the resources that each segment made. */
export class Owners {
  readonly #message: Message;
  readonly #names: OwnerNames;
  readonly #bySegment = new Map<Segment, Map<string, Built>>();
  readonly #byName = new Map<string, Made[]>();
  #owners: Map<Segment, Segment> | undefined;
  /** The owner that is of another kind: a thousand OBR below one ORC each belong to the one before, and to the ORC. */
  readonly #parents = new Map<Segment, Segment | undefined>();
  /** Owner ─▶ the first segment of each name that belongs to it. */
  readonly #children = new Map<Segment, Map<string, Segment>>();
  #positions: Map<Segment, number> | undefined;

  constructor(message: Message, names: OwnerNames) {
    this.#message = message;
    this.#names = names;
  }

  /** The segment that this one belongs to; undefined where it stands on its own. */
  ownerOf(segment: Segment): Segment | undefined {
    if (!this.#names.has(segment.name)) return undefined;
    this.#owners ??= this.#findOwners();
    return this.#owners.get(segment);
  }

  /** The outermost of its owners that may own it: an ORC, with the OBR and the TQ1 behind it. */
  groupOf(segment: Segment): Segment | undefined {
    const names = this.#names.get(segment.name);
    let group = this.ownerOf(segment);
    for (let next = group && this.ownerOf(group); next && names?.has(next.name); next = this.ownerOf(next))
      group = next;
    return group;
  }

  #parentOf(segment: Segment): Segment | undefined {
    return this.ownerOf(segment) && this.#parents.get(segment);
  }

  #findOwners(): Map<Segment, Segment> {
    const owners = new Map<Segment, Segment>();
    const last = new Map<string, { segment: Segment; position: number }>();
    for (const [position, segment] of this.#message.segments.entries()) {
      let nearest: { segment: Segment; position: number } | undefined;
      for (const name of this.#names.get(segment.name) ?? []) {
        const found = last.get(name);
        if (found && (!nearest || found.position > nearest.position)) nearest = found;
      }
      if (nearest) {
        const { segment: owner } = nearest;
        owners.set(segment, owner);
        this.#parents.set(segment, owner.name === segment.name ? this.#parents.get(owner) : owner);
        const children = this.#children.get(nearest.segment) ?? new Map<string, Segment>();
        this.#children.set(nearest.segment, children);
        if (!children.has(segment.name)) children.set(segment.name, segment);
      }
      last.set(segment.name, { segment, position });
    }
    return owners;
  }

  #positionOf(segment: Segment): number {
    this.#positions ??= new Map(this.#message.segments.map((it, i) => [it, i]));
    return this.#positions.get(segment) ?? 0;
  }

  /**
   * A segment of a name as seen from another: itself or one of its owners, the first that belongs to it, else the first of the
   * message. Where segments of that name may own it or belong to it, those of another group are not looked at.
   */
  segmentNamed(name: string, from: Segment): Segment | undefined {
    for (let at: Segment | undefined = from; at; at = this.#parentOf(at)) if (at.name === name) return at;
    if (this.#names.get(name)?.has(from.name)) return this.#firstOf(name, from);
    return mayOwn(name, from.name, this.#names) ? undefined : this.#message.first(name);
  }

  #firstOf(name: string, owner: Segment): Segment | undefined {
    this.#owners ??= this.#findOwners();
    return this.#children.get(owner)?.get(name);
  }

  remember(name: string, built: Built, segment: Segment): void {
    const own = this.#bySegment.get(segment) ?? new Map<string, Built>();
    this.#bySegment.set(segment, own.set(name, built));
    const all = this.#byName.get(name);
    if (!all) {
      this.#byName.set(name, [{ position: -1, built }]);
      this.#first.set(name, segment);
      return;
    }
    // The first of a name needs no position until there is a second.
    if (all.length === 1)
      all[0] = { position: this.#positionOf(this.#first.get(name) as Segment), built: all[0]!.built };
    const position = this.#positionOf(segment);
    all.splice(after(all, position), 0, { position, built });
  }

  readonly #first = new Map<string, Segment>();
  /** Places of the PIDs. */
  #patients: readonly number[] | undefined;

  /** What this segment made under a name, else its owners, else the nearest segment before, else the first of the message. */
  standing(name: string, segment: Segment): Built | undefined {
    let steps = 0;
    for (let at: Segment | undefined = segment; at && steps < stepsMax; at = this.ownerOf(at), steps++) {
      const own = this.#bySegment.get(at)?.get(name);
      if (own) return own;
    }
    const all = this.#byName.get(name);
    if (!all) return undefined;
    this.#patients ??= this.#message.segments.flatMap((it, i) => (it.name === 'PID' ? [i] : []));
    if (this.#patients.length > 1) return this.#standingOfPatient(name, all, segment);
    if (all.length === 1) return all[0]?.built;
    const before = after(all, this.#positionOf(segment)) - 1;
    return all[Math.max(before, 0)]?.built;
  }

  /** In a message of several patients, what one has is not taken for another's: only what stands before the first is shared. */
  #standingOfPatient(name: string, all: readonly Made[], segment: Segment): Built | undefined {
    const first = this.#first.get(name) as Segment;
    const placed = all.length === 1 ? [{ position: this.#positionOf(first), built: all[0]!.built }] : all;
    const at = this.#positionOf(segment);
    const own = this.#patientAt(at);
    const before = after(placed, at) - 1;
    const near = [placed[before], placed[before + 1], placed[0]];
    return near.find((it) => it && (own === 0 || [0, own].includes(this.#patientAt(it.position))))?.built;
  }

  /** How many PIDs stand up to a place: 0 in the header. */
  #patientAt(position: number): number {
    const patients = this.#patients as readonly number[];
    let [low, high] = [0, patients.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((patients[middle] as number) <= position) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** True when segments of a name may own those of another, at one remove or more. */
function mayOwn(name: string, of: string, names: OwnerNames, seen = new Set<string>()): boolean {
  for (const owner of names.get(of) ?? []) {
    if (owner === name) return true;
    if (seen.has(owner)) continue;
    seen.add(owner);
    if (mayOwn(name, owner, names, seen)) return true;
  }
  return false;
}

/** Index of the first entry behind a position. */
function after(all: readonly Made[], position: number): number {
  let [low, high] = [0, all.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((all[middle] as Made).position <= position) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** See {@link Owners.standing}. */
export function standing(name: string, segment: Segment, { owners }: MappingContext): Built | undefined {
  return owners.standing(name, segment);
}

/** Gives a resource its name for the rows that come after. */
export function remember(name: string, built: Built, segment: Segment, { owners }: MappingContext): void {
  owners.remember(name, built, segment);
}
