/**
 * Merges of patients, accounts and visits (A40, A41, A45, A47): the retired resource points to the one that survives, and
 * whatever refers to it follows. HL7 v2.5.1 3.6.2; the guide says nothing of it (v2-to-fhir.md 1.2).
 */
import type { Json } from '../fhir/types.ts';
import type { Built } from '../mapping/context.ts';
import { ours } from '../mapping/converters.ts';
import type { Key } from '../store/store.ts';
import type { Marks } from './marks.ts';
import type { Draft } from './merge.ts';
import { moveDraft } from './reference-move.ts';
import type { Part } from './registers.ts';
import { type Edge, effectiveEdge, survivorOf } from './replacement.ts';
import type { Scene } from './scene.ts';
import { compareStamps, never, type Stamp } from './stamp.ts';

const mergedTypes = ['Patient', 'Account', 'Encounter'];

/** Resources that are tied by merges at most. */
export const nodesMax = 500;

/** What a retired resource says in place of its own status. */
const retiredStatus: Readonly<Record<string, Json>> = {
  Patient: { active: false },
  Account: { status: 'inactive' },
  Encounter: { status: 'entered-in-error' },
};

/** What a resource says that was retired and is not any more, while no message has said anything else. */
const restoredStatus: Readonly<Record<string, Json>> = {
  Patient: { active: true },
  Account: { status: 'active' },
  Encounter: { status: 'unknown' },
};

/** One saying of a message: `retired` was merged into `survivor`. */
export interface Merge {
  readonly type: string;
  readonly retired: string;
  readonly survivor: string;
}

function isLink(entry: Json): boolean {
  return entry.type === 'replaced-by' || entry.type === 'replaces' || /-(replaced-by|replaces)$/.test(entry.url ?? '');
}

function isReplacedBy(entry: Json): boolean {
  return entry.type === 'replaced-by' || /-replaced-by$/.test(entry.url ?? '');
}

/** Id in `Patient/ID` of a link or of our extension. */
function linkedId(entry: Json): string | undefined {
  return ((entry.other ?? entry.valueReference) as Json | undefined)?.reference?.split('/')[1];
}

function listOf(type: string): 'link' | 'extension' {
  return type === 'Patient' ? 'link' : 'extension';
}

/**
 * Takes the merges out of what the mapping made: its links and the status of the retired say a state, and the state follows
 * from all messages.
 */
export function takeMerges(built: readonly Built[]): { merges: Merge[]; resources: Built[] } {
  const merges: Merge[] = [];
  const resources = built.map((it): Built => {
    const { resourceType: type, id } = it.resource;
    if (!mergedTypes.includes(type)) return it;
    const list = listOf(type);
    const links = ((it.resource[list] ?? []) as Json[]).filter(isLink);
    if (links.length === 0) return it;
    const survivor = links.filter(isReplacedBy).map(linkedId)[0];
    if (survivor && survivor !== id) merges.push({ type, retired: id, survivor });
    const rest = { ...it.resource };
    const kept = (rest[list] as Json[]).filter((entry) => !isLink(entry));
    const names = it.registers.get(list)?.filter((_, i) => !isLink((it.resource[list] as Json[])[i] as Json));
    if (kept.length > 0) rest[list] = kept;
    else delete rest[list];
    if (survivor) for (const key of Object.keys(retiredStatus[type] ?? {})) delete rest[key];
    const registers = new Map(it.registers);
    if (names) registers.set(list, names);
    return { ...it, resource: rest, registers };
  });
  return { merges, resources };
}

/** The edge of a resource as its marks have it, or as a client wrote its link. */
export function edgeIn(draft: Draft): Edge | undefined {
  if (draft.marks.replacedBy) return draft.marks.replacedBy;
  const link = linksOf(draft).find(isReplacedBy);
  const id = link && linkedId(link);
  return id ? { id, stamp: never } : undefined;
}

function linksOf(draft: Draft): Json[] {
  return [...draft.parts.values()].flatMap(({ key, entries }) =>
    key === listOf(draft.head.resourceType) ? (entries as Json[]).filter(isLink) : [],
  );
}

/** The ids of all resources that are tied to some by merges, old or new. */
function tied(type: string, from: readonly string[], scene: Scene): string[] {
  const nodes = new Set(from);
  let next: readonly string[] = [...nodes];
  while (next.length > 0 && nodes.size <= nodesMax) {
    const drafts = scene.draftsOf(next.map((id): Key => ({ type, id })));
    const found = drafts.flatMap((it) =>
      [edgeIn(it)?.id ?? [], linksOf(it).map((link) => linkedId(link) ?? [])].flat(2),
    );
    next = [...new Set(found).difference(nodes)];
    for (const id of next) nodes.add(id);
  }
  return [...nodes];
}

function join({ joined }: Marks, id: string, stamp: Stamp): void {
  const first = joined.get(id);
  if (first === undefined ? joined.size < nodesMax : compareStamps(stamp, first) < 0) joined.set(id, stamp);
}

/** Which resources stand for others, `Type/id` ─▶ id. */
export type Survivors = ReadonlyMap<string, string>;

/** A resource that the message merged when it was applied before, and does not merge any more, stands for itself. */
function part(draft: Draft): void {
  draft.marks.replacedBy = undefined;
  for (const [path, it] of draft.parts) {
    const others = (it.entries as Json[]).filter((entry) => !isLink(entry) || !isReplacedBy(entry));
    if (it.entries.length > 0 && others.length === 0) draft.parts.delete(path);
    else if (others.length < it.entries.length) draft.parts.set(path, { ...it, entries: others });
  }
  for (const key of Object.keys(retiredStatus[draft.head.resourceType] ?? {})) {
    draft.parts.delete(key);
    delete draft.marks.aside[key];
  }
}

/** True for registers that follow from merges: links, and the status of what was merged. They have no stamp of their own. */
export function isOfMerges(draft: Draft, { key, name }: Part): boolean {
  if (name === 'merge') return true;
  return edgeIn(draft) !== undefined && key in (retiredStatus[draft.head.resourceType] ?? {});
}

/**
 * Lays the merges of a message over the stored ones, and moves what refers to a resource that changed its survivor.
 * @param undone resources that the message merged when it was applied before, and does not merge any more
 * @returns who stands for whom, of all resources that the message and its merges name
 */
export function settleMerges(
  merges: readonly Merge[],
  named: readonly Key[],
  stamp: Stamp,
  scene: Scene,
  undone: readonly Key[] = [],
): Survivors {
  const survivors = new Map<string, string>();
  for (const type of mergedTypes) {
    const own = merges.filter((it) => it.type === type);
    const parted = undone.filter((it) => it.type === type).map(({ id }) => id);
    const ids = [
      ...parted,
      ...named.filter((it) => it.type === type).map(({ id }) => id),
      ...own.flatMap((it) => [it.retired, it.survivor]),
    ];
    // Most messages name one patient that was never merged: nothing is to be looked at.
    if (own.length === 0 && ids.every((id) => !edgeIn(scene.draft({ type, id })))) continue;
    const nodes = tied(type, ids, scene);
    const edgeOf = (id: string): Edge | undefined => edgeIn(scene.draft({ type, id }));
    const before = new Map(nodes.map((id) => [id, survivorOf(id, edgeOf)]));
    for (const id of parted) {
      const draft = scene.draft({ type, id });
      const other = draft.marks.replacedBy?.id ?? id;
      draft.marks.joined.delete(other);
      scene.draft({ type, id: other }).marks.joined.delete(id);
      part(draft);
    }
    for (const { retired, survivor } of own) {
      const { marks, lost } = scene.draft({ type, id: retired });
      join(marks, survivor, stamp);
      join(scene.draft({ type, id: survivor }).marks, retired, stamp);
      if (compareStamps(marks.replacedBy?.stamp ?? never, stamp) > 0) {
        if (marks.replacedBy?.id !== survivor) lost.add('link');
      } else marks.replacedBy = { id: survivor, stamp };
    }
    for (const id of nodes) survivors.set(`${type}/${id}`, survivorOf(id, edgeOf));
    if (type === 'Patient') inherit(nodes, survivors, scene);
    // What a message says of a retired record does not bring it back.
    const isTold = own.length > 0 || parted.length > 0;
    for (const id of isTold ? nodes : ids) show(scene.draft({ type, id }), nodes, edgeOf);
    if (!isTold) continue;
    const changed = nodes.filter((id) => before.get(id) !== survivors.get(`${type}/${id}`));
    for (const at of new Set(changed.map((id) => before.get(id) as string))) {
      scene.draftsOf(scene.referrers({ type, id: at }).filter((key) => key.type !== type || !nodes.includes(key.id)));
    }
  }
  return survivors;
}

/** What a record does not take over from another: its numbers, its links, and what is said of the record itself. */
const ownKeys = new Set(['identifier', 'link', 'active', 'meta', 'text', 'contained', 'implicitRules', 'language']);

/**
 * What the messages of a living record leave empty is taken from those that were merged into it (a changed number, A47, brings
 * no name and no telephone; a death may be known to the retired record alone). It counts only while nothing else is said.
 */
function inherit(nodes: readonly string[], survivors: Survivors, scene: Scene): void {
  for (const id of nodes) {
    const draft = scene.draft({ type: 'Patient', id });
    if (draft.parts.size === 0) continue;
    const retired = nodes.filter((it) => it !== id && survivors.get(`Patient/${it}`) === id).sort();
    const found = new Map<string, { part: Part; stamp: Stamp }>();
    for (const { parts, marks } of retired.map((it) => scene.draft({ type: 'Patient', id: it }))) {
      for (const [path, it] of parts) {
        if (ownKeys.has(it.key) || found.has(path) || marks.weak.has(path)) continue;
        found.set(path, { part: it, stamp: marks.stampOf(path, true) });
      }
    }
    for (const path of [...draft.marks.weak]) if (!found.has(path)) draft.drop(path);
    for (const [path, { part, stamp }] of found) draft.inherit(path, part, stamp);
  }
}

/** Writes the links and the status that follow from the edges. */
function show(draft: Draft, nodes: readonly string[], edgeOf: (id: string) => Edge | undefined): void {
  const { resourceType: type, id } = draft.head;
  const edge = effectiveEdge(id, edgeOf);
  const replaces = nodes.filter((it) => effectiveEdge(it, edgeOf)?.id === id).sort();
  const wasRetired = linksOf(draft).some(isReplacedBy);
  const list = listOf(type);
  for (const [path, part] of draft.parts) {
    if (part.key !== list) continue;
    const others = (part.entries as Json[]).filter((entry) => !isLink(entry));
    if (others.length > 0) draft.parts.set(path, { ...part, entries: others });
    else draft.parts.delete(path);
  }
  const links = [
    ...(edge ? [link(type, 'replaced-by', edge.id)] : []),
    ...replaces.map((it) => link(type, 'replaces', it)),
  ];
  for (const entry of links) {
    const path = list === 'link' ? 'link{merge}' : `extension(${entry.url})`;
    const standing = draft.parts.get(path)?.entries ?? [];
    draft.parts.set(path, { key: list, kind: 'list', members: {}, entries: [...standing, entry], name: 'merge' });
  }
  for (const [path, part] of draft.parts) draft.parts.set(path, numbered(part, edge !== undefined));
  const { aside } = draft.marks;
  for (const [key, retired] of Object.entries(retiredStatus[type] ?? {})) {
    const said = draft.parts.get(key)?.members[key];
    if (edge) {
      if (said !== undefined && said !== retired) aside[key] = said;
      draft.parts.set(key, member(key, retired));
    } else if (wasRetired) {
      const isOurs = said === undefined || said === retired;
      if (isOurs) draft.parts.set(key, member(key, aside[key] ?? restoredStatus[type]?.[key]));
      delete aside[key];
    }
  }
  if (type !== 'Patient' && !draft.parts.has('status'))
    draft.parts.set('status', member('status', restoredStatus[type]?.status));
}

/** Numbers of a record: with it they are retired. A person keeps his identity card, a visit its number. */
const recordNumbers = new Set(['MR', 'PI', 'PT', 'PN', 'AN']);

/** Ends the name of a register whose number is old because its record is retired, and only as long as it is. */
const retiredMark = ' of a retired record';

function numbered(part: Part, isRetired: boolean): Part {
  const { key, name, entries } = part;
  const isMarked = name.endsWith(retiredMark);
  if (key !== 'identifier' || isMarked === isRetired) return part;
  const all = entries as readonly Json[];
  if (isMarked) {
    const named = name.slice(0, -retiredMark.length);
    return { ...part, name: named, entries: all.map(({ use: _, ...identifier }) => identifier) };
  }
  const codes = all.flatMap(({ type }) => ((type?.coding ?? []) as Json[]).map((it) => it.code));
  const isOfRecord = codes.length === 0 || codes.some((it) => recordNumbers.has(it));
  if (!isOfRecord || all.some(({ use }) => use !== undefined)) return part;
  return { ...part, name: `${name}${retiredMark}`, entries: all.map((it) => ({ use: 'old', ...it })) };
}

function member(key: string, value: unknown): Part {
  return { key, kind: 'member', members: { [key]: value }, entries: [], name: '' };
}

function link(type: string, kind: string, id: string): Json {
  const reference = { reference: `${type}/${id}` };
  if (type === 'Patient') return { other: reference, type: kind };
  return { url: `${ours}${type.toLowerCase()}-${kind}`, valueReference: reference };
}

/** Lets all open drafts refer to who stands for whom. */
export function followMerges(survivors: Survivors, scene: Scene): void {
  if (survivors.size === 0) return;
  for (const draft of scene.drafts()) {
    if (mergedTypes.includes(draft.head.resourceType)) moveOthers(draft, survivors);
    else moveDraft(draft, (type, id) => survivors.get(`${type}/${id}`));
  }
}

/** The links and extensions between the merged resources name each other, whoever survived. */
function moveOthers(draft: Draft, survivors: Survivors): void {
  const aside = [...draft.parts].filter(([, { entries }]) => (entries as Json[]).some(isLink));
  for (const [path] of aside) draft.parts.delete(path);
  moveDraft(draft, (type, id) => survivors.get(`${type}/${id}`));
  for (const [path, part] of aside) draft.parts.set(path, part);
}
