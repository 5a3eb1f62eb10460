/**
 * Segments in snapshot mode (HL7 v2.5.1 2.10.4): the allergies, diagnoses or relatives of a message are all that there are.
 * What an earlier message gave and a later one leaves out is not deleted: it is marked as no longer current.
 */
import type { Json } from '../fhir/types.ts';
import { isError } from '../mapping/complete.ts';
import type { Built } from '../mapping/context.ts';
import { keyNamed, nameOf } from '../store/key.ts';
import type { Key } from '../store/store.ts';
import { nodesMax } from './merged.ts';
import type { Scene } from './scene.ts';
import { compareStamps, never, type Stamp } from './stamp.ts';

const inactive = (system: string): Json => ({
  coding: [{ system: `http://terminology.hl7.org/CodeSystem/${system}`, code: 'inactive' }],
});

/** Type ─▶ the element that says that a resource is no longer current. Others stay as they are. */
const notCurrent: Readonly<Record<string, readonly [key: string, value: unknown]>> = {
  AllergyIntolerance: ['clinicalStatus', inactive('allergyintolerance-clinical')],
  Condition: ['clinicalStatus', inactive('condition-clinical')],
  RelatedPerson: ['active', false],
  Coverage: ['status', 'cancelled'],
};

/** These belong to the patient whatever the visit; other things belong to the visit that they name. */
const ofPatient = new Set(['AllergyIntolerance', 'RelatedPerson', 'Coverage']);

/** The patient or visit whose set a resource belongs to. */
export function ownerOf(resource: Json): Key | undefined {
  const reference = (node: Json | undefined): string | undefined => node?.reference;
  const patient = reference(resource.patient ?? resource.beneficiary ?? resource.subject);
  const chosen = ofPatient.has(resource.resourceType) ? patient : (reference(resource.encounter) ?? patient);
  const [type, id] = chosen?.split('/') ?? [];
  return type && id ? { type, id } : undefined;
}

/** What is in the set again says nothing of being left out. */
export function asCurrent(built: Built): Built {
  const key = notCurrent[built.resource.resourceType]?.[0];
  if (!built.snapshot || !key || built.resource[key] !== undefined) return built;
  return { ...built, clear: new Set([...built.clear, key]) };
}

/**
 * After the message was laid over the drafts: the sets that its snapshot segments name.
 * @returns their owners
 */
export function settleSnapshots(built: readonly Built[], stamp: Stamp, scene: Scene): readonly Key[] {
  const sets = new Map<string, { owner: Key; segment: string; members: string[] }>();
  const membersOf = (owner: Key, segment: string): string[] => {
    const name = `${owner.type}/${owner.id} ${segment}`;
    const set = sets.get(name) ?? { owner, segment, members: [] };
    sets.set(name, set);
    return set.members;
  };
  for (const { resource, snapshot, emptied = [] } of built) {
    const { resourceType: type, id } = resource;
    for (const segment of emptied) membersOf({ type, id }, segment);
    const owner = snapshot && ownerOf(resource);
    if (owner) membersOf(owner, snapshot).push(`${type}/${id}`);
  }
  for (const { owner, segment, members } of sets.values()) {
    const { marks } = scene.draft(owner);
    const standing = marks.snapshots.get(segment) ?? { stamp: never, now: [], ever: [] };
    const later = compareStamps(standing.stamp, stamp) <= 0;
    const now = later ? members : standing.now;
    const ever = [...new Set([...standing.ever, ...members])].sort();
    marks.snapshots.set(segment, { stamp: later ? stamp : standing.stamp, now, ever });
    leaveOut(ever, now, later ? stamp : standing.stamp, scene);
  }
  return [...sets.values()].map(({ owner }) => owner);
}

/**
 * Records that were merged are one from then on: a set that is said of any of them later replaces what was said of the others
 * before. Asked for whenever a set or a merge is told, for these come in any order.
 * @param owners patients and visits of which the message tells one
 */
export function joinSnapshots(owners: readonly Key[], scene: Scene): void {
  const done = new Set<string>();
  for (const { type, id } of owners) {
    if (done.has(nameOf({ type, id }))) continue;
    const joined = joinedWith({ type, id }, scene);
    if (joined.length === 1) continue;
    for (const own of joined) {
      done.add(nameOf(own));
      for (const [segment, { stamp, now }] of scene.draft(own).marks.snapshots)
        for (const other of joinedWith(own, scene, stamp)) {
          const replaced = scene.draft(other).marks.snapshots.get(segment);
          if (!replaced || other === own || compareStamps(replaced.stamp, stamp) >= 0) continue;
          leaveOut(replaced.ever, now, stamp, scene, false);
        }
    }
  }
}

/** All that were merged with one, itself first. @param before only by merges that were said no later */
function joinedWith(own: Key, scene: Scene, before?: Stamp): readonly Key[] {
  const found = new Map([[own.id, own]]);
  let next: readonly Key[] = [own];
  while (next.length > 0 && found.size <= nodesMax) {
    const joined = scene.draftsOf(next).flatMap(({ marks }) => [...marks.joined]);
    const ids = joined.flatMap(([id, stamp]) => (before === undefined || compareStamps(stamp, before) <= 0 ? id : []));
    next = [...new Set(ids)].filter((id) => !found.has(id)).map((id) => ({ type: own.type, id }));
    for (const key of next) found.set(key.id, key);
  }
  return [...found.values()];
}

/**
 * @param ever names of all that were ever in a set
 * @param now those that are
 * @param tells false when the stamp is not the message's: what was said later is then no loss of this one
 */
function leaveOut(ever: readonly string[], now: readonly string[], stamp: Stamp, scene: Scene, tells = true): void {
  const current = new Set(now);
  const out = ever.filter((name) => !current.has(name) && notCurrent[name.split('/')[0] as string]);
  for (const draft of scene.draftsOf(out.map(keyNamed))) {
    const [key, value] = notCurrent[draft.head.resourceType] as readonly [string, unknown];
    // con-5: a Condition that was entered in error has no clinical status.
    const verification = draft.parts.get('verificationStatus')?.members.verificationStatus as Json | undefined;
    if (draft.parts.size === 0 || isError(verification)) continue;
    if (!tells && compareStamps(draft.marks.stampOf(key, draft.parts.has(key)), stamp) > 0) continue;
    draft.set(key, { key, kind: 'member', members: { [key]: value }, entries: [], name: '' }, stamp);
  }
}
