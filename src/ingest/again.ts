/**
 * A message that is applied again, by another mapping: what it gave before and does not say any more goes. What other messages
 * say of the same registers, and what lost against this one, is heard again: those messages are applied again too.
 */
import type { Json, StoredResource } from '../fhir/types.ts';
import { errorsOf } from '../fhir/validate.ts';
import { keyNamed, nameOf } from '../store/key.ts';
import type { JournalRow, MessageState } from '../store/rows.ts';
import type { Key, Store } from '../store/store.ts';
import type { Draft } from './merge.ts';
import { isOfMerges, type Merge } from './merged.ts';
import { referencesIn } from './reference-move.ts';
import type { Part } from './registers.ts';
import { Needs, type Scene } from './scene.ts';
import { messageOf, never, withdrawn } from './stamp.ts';
import type { Speaker, Surroundings } from './surroundings.ts';

/** What became of a message when it was applied before. */
export interface Before {
  readonly message: number;
  /** What it wrote, also what only followed from it: references that a merge moved. */
  readonly wrote: readonly Key[];
  /** What it made: the first version is its own. */
  readonly made: readonly Key[];
  /** It was not late: what it loses now came after it. */
  readonly inTime: boolean;
}

/** @returns undefined for a message that was never applied */
export async function appliedBefore(row: JournalRow, store: Pick<Store, 'outcomes'>): Promise<Before | undefined> {
  if (row.attempts === 0) return undefined;
  const all = [...(await store.outcomes(row.id)), row].filter(({ state }) => state === 'applied' || state === 'stale');
  const last = all.at(-1);
  if (!last) return undefined;
  const versions = all.flatMap(({ wrote = [] }) => wrote);
  const names = (some: readonly string[]): Key[] =>
    [...new Set(some.map((it) => it.split('/', 2).join('/')))].map(keyNamed);
  const made = names(versions.filter((it) => it.endsWith('/_history/1')));
  return { message: row.id, wrote: names(versions), made, inTime: last.state === 'applied' };
}

/** True when an earlier message with the same content was applied. One that was applied itself is nobody's repetition. */
export async function isSentAgain(row: JournalRow, store: Pick<Store, 'hasTwin' | 'outcomes'>): Promise<boolean> {
  return (await store.hasTwin(row)) && !(await appliedBefore(row, store));
}

/** Registers that were taken back, by the name of their resource. */
export type Taken = ReadonlyMap<string, ReadonlyMap<string, Part | undefined>>;

/** Resources that tell of the message itself: nothing else writes them, and nothing is remembered of their registers. */
export const ofMessage: ReadonlySet<string> = new Set(['MessageHeader', 'Provenance']);

/**
 * Before the message is laid over the drafts: what it gave before is taken back.
 * @throws Needs
 */
export function takeBack({ message, wrote, made }: Before, named: readonly Key[], scene: Scene): Taken {
  const taken = new Map<string, ReadonlyMap<string, Part | undefined>>();
  const told = made.flatMap((key) => (ofMessage.has(key.type) ? [scene.stored(key)?.resource] : []));
  let names = new Set([
    ...[...wrote, ...named].map(nameOf),
    // What nobody says any more may have been kept because this message told of it.
    ...told.flatMap((it) => [...referencesIn(it, true)]),
  ]);
  while (names.size > 0) {
    const next = new Set<string>();
    const registered = [...names].filter((it) => !ofMessage.has(keyNamed(it).type));
    for (const draft of concerned(registered, message, scene)) {
      const registers = draft.withdraw(message, (part) => isOfMerges(draft, part));
      for (const [segment, members] of draft.marks.withdrawSnapshots(message)) {
        registers.set(snapshotPath(segment), undefined);
        // What its set had left out, others may have given since.
        for (const member of members) next.add(member);
      }
      // What nobody says any more was kept as long as this referred to it.
      for (const part of registers.values()) for (const name of referencesIn(part, true)) next.add(name);
      taken.set(nameOf({ type: draft.head.resourceType, id: draft.head.id }), registers);
    }
    names = next.difference(taken);
  }
  return taken;
}

/** Those of which something may be taken back; or one question for all that have not been read. */
function concerned(names: readonly string[], message: number, scene: Scene): Draft[] {
  return Needs.ofAll(names, (name): Draft[] => {
    const marks = scene.stored(keyNamed(name))?.marks;
    const isConcerned = marks?.includes(`@${message}"`) || marks?.includes(`${withdrawn}"`);
    return isConcerned ? [scene.draft(keyNamed(name))] : [];
  }).flat();
}

/** Stands for the set that a segment in snapshot mode gives, among the registers of its owner. */
export function snapshotPath(segment: string): string {
  return `snapshot ${segment}`;
}

/** Resources that the message merged before and does not merge any more. */
export function undoneMerges({ message }: Before, taken: Taken, merges: readonly Merge[], scene: Scene): Key[] {
  return [...taken.keys()].flatMap((name): Key[] => {
    const { type, id } = keyNamed(name);
    const { replacedBy } = scene.draft({ type, id }).marks;
    const isOwn = replacedBy !== undefined && messageOf(replacedBy.stamp) === message;
    return isOwn && !merges.some((it) => it.type === type && it.retired === id) ? [{ type, id }] : [];
  });
}

/** Messages to be applied again, with the state that they are in. */
export type Recalled = ReadonlyMap<number, MessageState>;

/** What the message does not say any more of a stored resource. */
interface Left {
  readonly name: string;
  readonly draft: Draft;
  readonly stored: StoredResource;
  readonly holes: readonly (readonly [path: string, part: Part | undefined])[];
}

/**
 * After the message was laid over the drafts: what others say of the registers that it does not say any more.
 * @param made names of the resources that the message makes now
 * @throws Needs
 */
export function settleTaken(
  before: Before,
  taken: Taken,
  made: ReadonlySet<string>,
  around: Surroundings,
  scene: Scene,
): Recalled {
  const recalled = new Map<number, MessageState>();
  const left = [...taken].flatMap(([name, parts]): Left[] => {
    const draft = scene.draft(keyNamed(name));
    const stored = scene.stored(keyNamed(name))?.resource;
    const holes = [...parts].filter(([path, part]) => !isSaid(path, draft) || isLessNow(path, part, draft));
    return stored && holes.length > 0 ? [{ name, draft, stored, holes }] : [];
  });
  const speakers = around.speakersOf(left.map(({ stored }) => stored));
  for (const { name, draft, holes } of left) {
    const others = (speakers.get(name) ?? []).filter(({ id }) => id !== before.message);
    for (const [path, part] of holes) fill(path, part, draft, others, recalled);
  }
  keepReferred(before, left, around, scene);
  for (const it of left) {
    // What is left of a resource that the message has left must be sound as long as others have not been heard.
    if (it.draft.parts.size === 0 || made.has(it.name) || errorsOf(it.draft.finish().resource).length === 0) continue;
    restore(it);
  }
  return recalled;
}

function isSaid(path: string, draft: Draft): boolean {
  const segment = /^snapshot (.+)$/.exec(path)?.[1];
  return segment === undefined ? draft.isSaid(path) : draft.marks.snapshots.get(segment)?.stamp !== never;
}

function fill(
  path: string,
  part: Part | undefined,
  draft: Draft,
  others: readonly Speaker[],
  recalled: Map<number, MessageState>,
): void {
  // What deletes a whole element deletes its parts.
  const root = /^\w+/.exec(path)?.[0] ?? '';
  const speaking = others.filter(({ says }) => says.has(path) || says.has(root));
  for (const { id, state } of speaking) if (state !== 'received') recalled.set(id, state);
  // Until they are heard it stays: nobody sees it go and come back.
  if (part && speaking.some(({ says }) => says.get(path))) draft.restore(path, part);
}

function restore({ draft, holes }: Pick<Left, 'draft' | 'holes'>): void {
  for (const [path, part] of holes) if (part && !draft.isSaid(path)) draft.restore(path, part);
}

/** A resource that nobody speaks of any more is kept while others refer to it; a patient or visit is then out of use. */
function keepReferred(before: Before, left: readonly Left[], around: Surroundings, scene: Scene): void {
  const empty = new Map(left.filter(({ draft }) => draft.parts.size === 0).map((it) => [it.name, it]));
  const referrers = around.referrersOf([...empty.keys()].map(keyNamed));
  // What tells of the message itself is made anew, and refers to what there is now.
  const own = new Set(before.made.filter(({ type }) => ofMessage.has(type)).map(nameOf));
  for (let isStable = false; !isStable; ) {
    isStable = true;
    for (const [name, it] of empty) {
      const { keys = [], more = false } = referrers.get(name) ?? {};
      if (!more && !keys.some((key) => refers(key, name, empty, own, scene))) continue;
      empty.delete(name);
      restore(it);
      for (const [path, part] of outOfUse(it.draft)) it.draft.restore(path, part);
      isStable = false;
    }
  }
}

function refers(
  key: Key,
  name: string,
  empty: ReadonlyMap<string, Left>,
  own: ReadonlySet<string>,
  scene: Scene,
): boolean {
  const referrer = nameOf(key);
  if (referrer === name || empty.has(referrer)) return false;
  if (own.has(referrer)) return false;
  const draft = scene.open(key);
  return !draft || [...draft.parts.values()].some((part) => referencesIn(part).has(name));
}

function outOfUse({ head: { resourceType } }: Draft): (readonly [path: string, part: Part])[] {
  const status: Readonly<Record<string, Json>> = {
    Patient: { active: false },
    Account: { status: 'inactive' },
    Encounter: { status: 'entered-in-error' },
  };
  return Object.entries(status[resourceType] ?? {}).map(([key, value]) => [
    key,
    { key, kind: 'member', members: { [key]: value }, entries: [], name: '' },
  ]);
}

/** A death that another message told with its time was not made less by this one. */
function isLessNow(path: string, taken: Part | undefined, { parts }: Draft): boolean {
  return (
    path === 'deceased' &&
    taken?.members.deceasedDateTime !== undefined &&
    parts.get(path)?.members.deceasedBoolean === true
  );
}
