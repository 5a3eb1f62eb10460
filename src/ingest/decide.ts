/** What a message means given what is stored: the drafts of everything that changes. Pure, on a view of the store. */

import { type Intention, keyOf } from '../commit/commit.ts';
import { parseReference } from '../fhir/reference.ts';
import type { Json } from '../fhir/types.ts';
import type { Zone } from '../fhir/zone.ts';
import { straighten } from '../mapping/complete.ts';
import type { Built } from '../mapping/context.ts';
import { nameOf } from '../store/key.ts';
import type { Key, View } from '../store/store.ts';
import { type Before, ofMessage, type Recalled, settleTaken, type Taken, takeBack, undoneMerges } from './again.ts';
import type { Draft } from './merge.ts';
import { followMerges, settleMerges, takeMerges } from './merged.ts';
import { moved } from './reference-move.ts';
import { renamed } from './rename.ts';
import { type Reading, Scene } from './scene.ts';
import { asCurrent, joinSnapshots, settleSnapshots } from './snapshot.ts';
import { never, type Stamp } from './stamp.ts';
import type { Surroundings } from './surroundings.ts';
import { type Subject, settleVisits, subjectOf } from './visit-subject.ts';

/** What is to be written. */
export interface Outcome {
  readonly intentions: readonly Intention[];
  /** How many registers of the message were older than what stands and say otherwise. */
  readonly lost: number;
  /** Messages that are applied again, for what this one does not say any more. */
  readonly recalled: Recalled;
}

/** A message that is applied again. */
export interface Again {
  readonly before: Before;
  readonly around: Surroundings;
}

/** What the commit of a message names: each resource by its id and by its identifier. */
export function keysOf(
  built: readonly Built[],
): (Key | { type: string; identifier: { system: string; value: string } })[] {
  return built.flatMap(({ resource, identifier, others = [] }) => {
    const type = resource.resourceType;
    const identifiers = [...(identifier ? [identifier] : []), ...others];
    return [{ type, id: resource.id }, ...identifiers.map((it) => ({ type, identifier: it }))];
  });
}

/**
 * @param mapped what the mapping made of the message
 * @param reading what an earlier look found missing
 * @param again for a message that was applied before
 * @throws Needs for what is missing now
 */
export function decide(
  mapped: readonly Built[],
  stamp: Stamp,
  view: View,
  reading: Reading,
  zone: Zone,
  again?: Again,
): Outcome {
  const named = new Set(mapped.map(({ resource }) => nameOf({ type: resource.resourceType, id: resource.id })));
  const { resources, found } = identified(mapped, view, named);
  const { merges, resources: built } = takeMerges(resources.map(asCurrent));
  const known = again?.before.wrote.map(nameOf) ?? [];
  const scene = new Scene(view, new Set([...named, ...found, ...known]), reading);

  const registered = built.filter(({ resource }) => !ofMessage.has(resource.resourceType));
  const people = registered.map(({ resource }) => ({ type: resource.resourceType, id: resource.id }));
  const drafts = scene.draftsOf(people);
  const visits = new Map<string, Subject | undefined>();
  for (const draft of drafts) if (draft.head.resourceType === 'Encounter') visits.set(draft.head.id, subjectOf(draft));
  const taken: Taken = again ? takeBack(again.before, people, scene) : new Map();
  const undone = again ? undoneMerges(again.before, taken, merges, scene) : [];
  for (const [i, it] of registered.entries()) (drafts[i] as Draft).overlay(it, stamp);
  const owners = settleSnapshots(registered, stamp, scene);
  const patients = settleVisits(visits, registered.map(filing), scene);
  const survivors = settleMerges(merges, [...people, ...patients], stamp, scene, undone);
  const merged = merges.map(({ type, survivor }): Key => ({ type, id: survivor }));
  joinSnapshots([...owners, ...merged], scene);
  followMerges(survivors, scene);
  const made = new Set(people.map(nameOf));
  const recalled = again ? settleTaken(again.before, taken, made, again.around, scene) : new Map();

  const { intentions, lost } = finished(scene, zone, new Set(taken.keys()));
  const own = built
    .filter(({ resource }) => ofMessage.has(resource.resourceType))
    .map(({ resource }): Intention => {
      const followed = moved(resource, (type, id) => survivors.get(`${type}/${id}`)) as Built['resource'];
      return { kind: 'put', resource: followed };
    });
  if (again) own.push(...leftBehind(again.before, built, view));
  // Of a message that is applied again they are stored already, and a merge may have moved them as others' resources.
  const names = new Set(own.map((it) => nameOf(keyOf(it))));
  return { intentions: [...intentions.filter((it) => !names.has(nameOf(keyOf(it)))), ...own], lost, recalled };
}

/** Resources that told of the message and that it does not make any more. */
function leftBehind({ made }: Before, built: readonly Built[], view: View): Intention[] {
  const now = new Set(built.map(({ resource }) => nameOf({ type: resource.resourceType, id: resource.id })));
  return made.flatMap((key): Intention[] =>
    ofMessage.has(key.type) && !now.has(nameOf(key)) && view.get(key)?.resource ? [{ kind: 'delete', key }] : [],
  );
}

/** Resources that came to refer to a merged one meanwhile: they refer to its survivor. */
export function followers(
  target: Key,
  keys: readonly Key[],
  view: View,
  reading: Reading,
  zone: Zone,
): readonly Intention[] {
  const scene = new Scene(view, new Set(keys.map(nameOf)), reading);
  scene.draftsOf(keys);
  // The stamp is that of no merge: nothing is said here, only followed.
  followMerges(settleMerges([], [target], never, scene), scene);
  return finished(scene, zone).intentions;
}

/** @param taken names of resources of which something was taken back: with nothing left they are deleted */
function finished(
  scene: Scene,
  zone: Zone,
  taken: ReadonlySet<string> = new Set(),
): { intentions: Intention[]; lost: number } {
  let lost = 0;
  const intentions = [...scene.drafts()].flatMap((draft): Intention[] => {
    if (draft.parts.size === 0) {
      const { resourceType: type, id } = draft.head;
      // Else a draft that was only looked at, and is not there.
      const isLeft = taken.has(nameOf({ type, id })) && scene.stored({ type, id });
      return isLeft ? [{ kind: 'delete', key: { type, id } }] : [];
    }
    lost += draft.lost.size;
    const { resource, marks } = draft.finish();
    straighten(resource, zone);
    return [{ kind: 'put', resource, marks }];
  });
  return { intentions, lost };
}

function filing({ resource }: Built): { key: Key; visit: string | undefined; patient: string | undefined } {
  const id = (reference: Json | undefined, type: string): string | undefined => {
    const found = parseReference(reference?.reference ?? '');
    return found?.type === type ? found.id : undefined;
  };
  return {
    key: { type: resource.resourceType, id: resource.id },
    visit: resource.resourceType === 'Encounter' ? undefined : id(resource.encounter ?? resource.context, 'Encounter'),
    patient: id(resource.subject ?? resource.patient, 'Patient'),
  };
}

/**
 * A resource is the stored one with the same id, else the one that a FHIR client wrote with the same identifier, else new.
 * References follow when the id is another than the message's own.
 */
export function identified(
  built: readonly Built[],
  view: View,
  named: Set<string>,
): { resources: readonly Built[]; found: ReadonlySet<string> } {
  const ids = new Map<string, string>();
  const found = new Set<string>();
  for (const { resource, identifier, others = [] } of built) {
    const { resourceType: type, id } = resource;
    if (!identifier || view.get({ type, id })?.resource) continue;
    // A survivor has the numbers of those that were merged into it, as old ones: they are not its own.
    const own = [identifier, ...others]
      .map((it) => view.find({ type, identifier: it }).filter(({ resource }) => holds(resource, it)))
      .find((it) => it.length === 1)?.[0];
    if (!own || own.id === id) continue;
    ids.set(`${type}/${id}`, own.id);
    found.add(`${type}/${own.id}`);
  }
  for (const name of found) named.add(name);
  return { resources: renamed(built, ids), found };
}

/** True when it has the identifier as its own. */
export function holds(resource: Json | undefined, { system, value }: { system: string; value: string }): boolean {
  return ((resource?.identifier ?? []) as Json[])
    .flat()
    .some((it) => it.system === system && it.value === value && it.use !== 'old');
}
