/**
 * What a message says of a resource, laid over what is stored. Each register has the stamp of what set it last, and the later
 * one wins: so the order in which messages arrive makes no difference. HL7 v2.5.1 2.5.3: empty keeps, `""` deletes.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Json, StoredResource } from '../fhir/types.ts';
import { isError } from '../mapping/complete.ts';
import type { Built } from '../mapping/context.ts';
import { ours } from '../mapping/converters.ts';
import { Marks } from './marks.ts';
import { type Part, type Parts, putTogether, registerPath, takeApart } from './registers.ts';
import { clientStamp, compareStamps, never, type Stamp, withdrawn } from './stamp.ts';

/** A resource with its marks, open to be changed. */
export class Draft {
  readonly head: { readonly resourceType: string; readonly id: string };
  readonly parts: Parts;
  readonly marks: Marks;
  /** Paths of which the message said something other than what stands, and too late. */
  readonly lost = new Set<string>();

  /** @param resource as stored; a new one has only its type and id */
  constructor(resource: Json & { resourceType: string; id: string }, marks = new Marks()) {
    this.head = { resourceType: resource.resourceType, id: resource.id };
    this.marks = marks;
    this.parts = takeApart(resource, marks.names);
  }

  /**
   * A client has written since: what it changed is its own, from then on.
   * @param before the version that the marks belong to
   * @param at when the client wrote; ms since 1970 UTC
   */
  absorb(before: Json, at: number): void {
    const stamp = clientStamp(at);
    const old = takeApart(before, this.marks.names);
    for (const [path, part] of this.parts) {
      const was = old.get(path);
      if (was && same(was, part)) continue;
      this.marks.set(path, stamp);
      this.marks.weak.delete(path);
    }
    for (const path of old.keys()) if (!this.parts.has(path)) this.marks.set(path, stamp);
  }

  /**
   * Takes back what an earlier application of a message gave or deleted, as if the message had never been.
   * @param isOthers registers that stay: they follow from what several messages say
   * @returns the paths, with what stood there
   */
  withdraw(message: number, isOthers: (part: Part) => boolean): Map<string, Part | undefined> {
    const taken = new Map<string, Part | undefined>();
    for (const path of this.marks.givenBy(message, this.parts.keys())) {
      const part = this.parts.get(path);
      if (part && isOthers(part)) continue;
      taken.set(path, part);
      this.parts.delete(path);
      this.marks.forget(path);
    }
    return taken;
  }

  /** True when something is said of a register: what it is, or that there is nothing. */
  isSaid(path: string): boolean {
    return this.parts.has(path) || this.marks.deleted(path) !== never;
  }

  /** Gives a register back that was taken, until somebody says what it is. */
  restore(path: string, part: Part): void {
    this.parts.set(path, part);
    this.marks.set(path, withdrawn);
  }

  /** Lays a message's resource over it. */
  overlay({ resource, clear, initial, registers }: Built, stamp: Stamp): void {
    const names = Object.fromEntries(registers);
    for (const path of clear) this.#clear(path, stamp);
    for (const [path, part] of takeApart(resource, names)) this.set(path, part, stamp, initial.has(part.key));
  }

  /** @param weak counts only while nothing else is said; of two weak ones the earlier */
  set(path: string, part: Part, stamp: Stamp, weak = false): void {
    const { marks, parts } = this;
    const standing = parts.get(path);
    const held = this.#heldAt(path, part);
    const order = compareStamps(held, stamp);
    if (held !== withdrawn && (held !== '' || standing)) {
      const standingIsWeak = marks.weak.has(path);
      if (weak && (!standingIsWeak || order < 0)) return;
      if (!weak && !standingIsWeak && order > 0) {
        if (!standing || !same(standing, part)) this.lost.add(path);
        return;
      }
    }
    if (weak) marks.weak.add(path);
    else {
      marks.weak.delete(path);
      if (part.kind === 'member') this.#dropFallback(part.key, stamp);
    }
    if (path === 'deceased' && isLess(part, standing)) {
      marks.set(path, stamp);
      return;
    }
    if (part.kind === 'list' && part.name !== '') this.#dropUnnamed(part.key, stamp);
    // Set anew at the end: identifiers of one message keep its order.
    parts.delete(path);
    parts.set(path, part);
    marks.set(path, stamp);
  }

  /** Takes over what another record says, where this one says nothing. */
  inherit(path: string, part: Part, stamp: Stamp): void {
    const { marks, parts } = this;
    if (!marks.weak.has(path) && (parts.has(path) || this.#heldAt(path, part) !== never)) return;
    parts.delete(path);
    parts.set(path, part);
    marks.set(path, stamp);
    marks.weak.add(path);
  }

  /** A weak register goes without a trace. */
  drop(path: string): void {
    this.parts.delete(path);
    this.marks.forget(path);
  }

  /** When a register was said last, with the deletion of the whole field that it comes from. */
  #heldAt(path: string, part: Part): Stamp {
    const own = this.marks.stampOf(path, this.parts.has(path));
    if (part.kind !== 'list') return own;
    const all = [own, this.marks.deleted(`${part.key}{${part.name}}`), this.#unnamed(part.key, part.name)];
    const element = fallbackOf(part);
    if (element !== undefined && !this.marks.weak.has(element))
      all.push(this.marks.stampOf(element, this.parts.has(element)));
    return all.sort(compareStamps).at(-1) as Stamp;
  }

  /** A code that nobody could translate stands in an extension until the element has a code, or is deleted. */
  #dropFallback(key: string, stamp: Stamp): void {
    const path = `extension(${fallback}${key})`;
    if (this.parts.has(path) && compareStamps(this.marks.stampOf(path, true), stamp) < 0) this.drop(path);
  }

  /** A list that a client wrote stands against older messages as a whole. */
  #unnamed(key: string, name: string): Stamp {
    const path = `${key}{}`;
    return name === '' || key === 'identifier' || key === 'extension'
      ? ''
      : this.marks.stampOf(path, this.parts.has(path));
  }

  #dropUnnamed(key: string, stamp: Stamp): void {
    if (key === 'identifier' || key === 'extension' || !this.parts.delete(`${key}{}`)) return;
    this.marks.set(`${key}{}`, stamp);
  }

  /** `""`: what stands under a path goes away, and what older messages say of it does not come back. */
  #clear(named: string, stamp: Stamp): void {
    const path = registerPath(this.head.resourceType, named);
    const [, key, name] = /^(\w+)\{(.*)\}$/.exec(path) ?? [];
    this.#dropFallback(path, stamp);
    for (const [at, part] of this.parts) {
      if (
        key === undefined
          ? at !== path && (part.key !== path || part.kind === 'member')
          : part.key !== key || part.name !== name
      )
        continue;
      if (compareStamps(this.marks.stampOf(at, true), stamp) > 0 && !this.marks.weak.has(at)) continue;
      this.parts.delete(at);
      this.marks.set(at, stamp);
      this.marks.weak.delete(at);
    }
    if (compareStamps(this.marks.stampOf(path, this.parts.has(path)), stamp) < 0) this.marks.set(path, stamp);
  }

  /**
   * con-5, ait-2: what was entered in error has no clinical status. Of the two, what was said later counts; but an error that is
   * left out of a later set stays one.
   */
  #settleError(): void {
    const error = this.parts.get('verificationStatus')?.members.verificationStatus as Json | undefined;
    const status = this.parts.get('clinicalStatus')?.members.clinicalStatus as Json | undefined;
    if (!status || !isError(error)) return;
    if (status.coding?.[0]?.code === 'inactive') {
      this.parts.delete('clinicalStatus');
      return;
    }
    const [clinical, verified] = ['clinicalStatus', 'verificationStatus'].map((path) => this.marks.stampOf(path, true));
    const [path, stamp] =
      compareStamps(clinical as Stamp, verified as Stamp) > 0
        ? (['verificationStatus', verified] as const)
        : (['clinicalStatus', clinical] as const);
    this.parts.delete(path);
    this.marks.set(path, stamp as Stamp);
  }

  /** The resource as it stands, and its marks for the store. */
  finish(): { resource: StoredResource; marks: Json } {
    this.#settleError();
    const newer = (path: string, other: string): number =>
      compareStamps(this.marks.stampOf(other, true), this.marks.stampOf(path, true));
    const { resource, names } = putTogether(this.head, this.parts, newer);
    this.marks.names = names;
    return { resource, marks: this.marks.toJson(this.parts.keys()) };
  }
}

/** `gender` for the extension `v2-gender`, which the mapping gives in its place. */
function fallbackOf({ key, entries }: Part): string | undefined {
  const { url } = (key === 'extension' ? entries[0] : {}) as { url?: string };
  return url?.startsWith(fallback) ? url.slice(fallback.length) : undefined;
}

const fallback = `${ours}v2-`;

/** A death that is known with its time is not made less by a "yes". */
function isLess({ members }: Part, standing: Part | undefined): boolean {
  return members.deceasedBoolean === true && standing?.members.deceasedDateTime !== undefined;
}

function same(a: Part, b: Part): boolean {
  return isDeepStrictEqual([a.members, a.entries], [b.members, b.entries]);
}
