/** A visit that moves to another patient (A45) takes what belongs to it along, whatever came first. */
import type { Json } from '../fhir/types.ts';
import type { Key } from '../store/store.ts';
import type { Draft } from './merge.ts';
import { filed, moveDraft, originOf } from './reference-move.ts';
import type { Scene } from './scene.ts';

/** The patient of a visit. */
export interface Subject {
  /** As the hospital filed it. */
  readonly filed: string;
  /** Who it is now: the one that the filed one was merged into. */
  readonly shown: string;
}

/** @returns undefined for a visit that has none, or is not there */
export function subjectOf(draft: Draft): Subject | undefined {
  const reference = draft.parts.get('subject')?.members.subject as Json | undefined;
  const filed = originOf(reference);
  return filed === undefined ? undefined : { filed, shown: reference?.reference?.split('/').at(-1) ?? filed };
}

/**
 * After the message was laid over the drafts.
 * @param visits Encounters of the message with the patients that they had before, undefined for new ones
 * @param own the resources of the message: what it files under its own patient belongs to the patient of the visit
 * @returns the patients of the visits, who may have been merged into others
 */
export function settleVisits(
  visits: ReadonlyMap<string, Subject | undefined>,
  own: readonly { readonly key: Key; readonly visit: string | undefined; readonly patient: string | undefined }[],
  scene: Scene,
): Key[] {
  const patients: Key[] = [];
  for (const [id, before] of visits) {
    const now = subjectOf(scene.draft({ type: 'Encounter', id }))?.filed;
    if (!now) continue;
    patients.push({ type: 'Patient', id: now });
    for (const { key, visit, patient } of own)
      if (visit === id && patient !== undefined && patient !== now) refile(scene.draft(key), patient, now);
    if (before === undefined || before.filed === now) continue;
    // What was made since a merge knows only who the patient is now.
    const former = [...new Set([before.filed, before.shown])].filter((it) => it !== now);
    const referrers = scene.referrers({ type: 'Encounter', id }).filter(({ type }) => type !== 'Encounter');
    for (const draft of scene.draftsOf(referrers)) for (const from of former) refile(draft, from, now);
  }
  return patients;
}

/** What was filed under one patient is filed under another. */
function refile(draft: Draft, from: string, to: string): void {
  if (draft.head.resourceType === 'Patient') return;
  moveDraft(draft, (type, id) => (type === 'Patient' && id === from ? to : undefined));
  forget(draft, from);
}

/** The old origin is a mistake that was corrected: it is not kept. */
function forget(draft: Draft, from: string): void {
  const clean = (node: unknown): unknown => {
    if (Array.isArray(node)) return node.map(clean);
    if (typeof node !== 'object' || node === null) return node;
    const json = Object.fromEntries(Object.entries(node).map(([key, value]) => [key, clean(value)])) as Json;
    const named = typeof json.reference === 'string' ? json.reference.split('/') : undefined;
    return named?.[0] === 'Patient' && originOf(json) === from
      ? filed(json, 'Patient', named[1] as string, named[1] as string)
      : json;
  };
  for (const [path, part] of draft.parts)
    draft.parts.set(path, { ...part, members: clean(part.members) as Json, entries: clean(part.entries) as unknown[] });
}
