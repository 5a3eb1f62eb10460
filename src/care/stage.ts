/**
 * The care stage: reads changes of Encounters and Patients and brings each visit's plan to what its state asks for. It
 * looks at the state, not at the event, so a change seen twice or late does no harm.
 */
import type { Clock } from '../clock.ts';
import type { Commit, Intention } from '../commit/commit.ts';
import { parseReference } from '../fhir/reference.ts';
import type { SearchParameters } from '../fhir/search/parameters.ts';
import { parseQuery } from '../fhir/search/query.ts';
import type { StoredResource } from '../fhir/types.ts';
import type { Zone } from '../fhir/zone.ts';
import { isLasting } from '../outcome.ts';
import type { Next } from '../queue/queue.ts';
import { keyNamed, nameOf } from '../store/key.ts';
import type { Change, Key, Store, View } from '../store/store.ts';
import { carePlanId, centre, enrol, enrolmentKeys, isExpired } from './enrol.ts';
import type { Protocol } from './protocol.ts';
import { refreshed } from './refresh.ts';
import { type Reason, withdrawn } from './withdraw.ts';

export interface CareParts {
  readonly store: Store;
  readonly commit: Commit;
  readonly parameters: SearchParameters;
  readonly protocols: readonly Protocol[];
  readonly zone: Zone;
  readonly clock: Clock;
  /** Told of a visit or patient whose plan could not be made or changed: the others go on. */
  readonly notMade: (key: Key, error: unknown) => void;
}

const cursorName = 'care';
const batch = 500;
/** Discharges of one visit that were cancelled, at most. */
const enrolmentMax = 5;

/** @returns the handler of the queue's job `care` */
export function careStage(parts: CareParts): () => Promise<Next> {
  return async () => {
    for (;;) {
      const from = await parts.store.cursor(cursorName);
      const changes = await parts.store.changes(from, batch);
      const last = changes.at(-1);
      if (!last) return undefined;
      const visits = await visitsTouched(changes, parts);
      await Promise.all([...visits.values()].map((key) => byItself(key, visitChanged(key, parts), undefined, parts)));
      await parts.commit.effects('plan:cursor', [{ kind: 'cursor', name: cursorName, from, to: last.sequence }]);
    }
  };
}

/** Somebody of whom nothing sound can be made (a discharge in the year 9999) must not hold up all the others for ever. */
async function byItself<T>(key: Key, work: Promise<T>, otherwise: T, { notMade }: CareParts): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!isLasting(error)) throw error;
    notMade(key, error);
    return otherwise;
  }
}

async function current(key: Key, store: Store): Promise<StoredResource | undefined> {
  const version = await store.read(key);
  return version?.json === undefined ? undefined : (JSON.parse(version.json) as StoredResource);
}

async function visitChanged(key: Key, parts: CareParts): Promise<void> {
  const encounter = await current(key, parts.store);
  if (!encounter) return withdrawAll(`encounter=Encounter/${key.id}`, 'cancelled-discharge', parts);
  const patientKey = parseReference(encounter.subject?.reference ?? '');
  if (patientKey?.type !== 'Patient') return;
  const patient = await current(patientKey, parts.store);
  if (!patient) return;
  if (encounter.status === 'finished' && !isExpired(patient, encounter)) return apply(key, patientKey, parts);
  if (encounter.status === 'finished') return withdrawAll(`encounter=Encounter/${key.id}`, 'deceased', parts);
  return withdrawAll(`encounter=Encounter/${key.id}`, 'cancelled-discharge', parts);
}

/** The visits whose plans may be others now: each once, whatever of it changed. */
async function visitsTouched(changes: readonly Change[], parts: CareParts): Promise<Map<string, Key>> {
  const visits = new Map<string, Key>();
  const others = changes.filter(({ cause }) => !cause.startsWith('plan:'));
  for (const { type, id } of others) if (type === 'Encounter') visits.set(id, { type, id });
  const patients = Map.groupBy(
    others.filter(({ type }) => type === 'Patient'),
    ({ id }) => id,
  );
  await Promise.all(
    [...patients].map(async ([id, own]) => {
      const found = byItself({ type: 'Patient', id }, visitsOf(id, own, parts), [], parts);
      for (const key of await found) visits.set(key.id, key);
    }),
  );
  return visits;
}

/** @param changes of the patient */
async function visitsOf(id: string, changes: readonly Change[], parts: CareParts): Promise<Key[]> {
  const patient = await current({ type: 'Patient', id }, parts.store);
  if (!patient) return [];
  if (isExpired(patient, {})) {
    await withdrawAll(`subject=Patient/${id}`, 'deceased', parts);
    return [];
  }
  if (await mayHaveWaited(changes, parts)) {
    const visits = await find('Encounter', `subject=Patient/${id}&status=finished`, parts);
    return visits.map((it): Key => ({ type: 'Encounter', id: it.id }));
  }
  const plans = await find('CarePlan', `subject=Patient/${id}&status=active`, parts);
  return plans.flatMap((plan) => parseReference(plan.encounter?.reference ?? '') ?? []);
}

/**
 * True when visits of a patient may be without the plan that they should have: a client may write a patient after the visit
 * that refers to it, and who was said to be dead by mistake is followed up like others.
 */
async function mayHaveWaited(changes: readonly Change[], { store }: CareParts): Promise<boolean> {
  for (const { type, id, version, interaction } of changes) {
    if (interaction === 'create') return true;
    const before = await store.readVersion({ type, id }, version - 1);
    if (before?.json === undefined || isExpired(JSON.parse(before.json) as StoredResource, {})) return true;
  }
  return false;
}

/** Everything is looked at again inside the transaction: a discharge cancelled in the meantime enrols nobody. */
async function apply(encounterKey: Key, patientKey: Key, parts: CareParts): Promise<void> {
  const { commit, protocols, zone, clock } = parts;
  const flags = await find('Flag', `subject=Patient/${patientKey.id}`, parts);
  for (const protocol of protocols) {
    const plans = Array.from(
      { length: enrolmentMax },
      (_, i): Key => ({ type: 'CarePlan', id: carePlanId(encounterKey.id, protocol, i + 1) }),
    );
    // A visit that took over another has that one's plan; where both had been discharged, its own alone.
    const active = await find('CarePlan', `encounter=Encounter/${encounterKey.id}&status=active`, parts);
    const taken = active.filter((it) => isOf(it, protocol) && plans.every(({ id }) => id !== it.id));
    const hasOwn = active.some((it) => plans.some(({ id }) => id === it.id));
    const surplus = hasOwn ? taken : taken.toSorted((a, b) => (a.id < b.id ? -1 : 1)).slice(1);
    for (const plan of surplus) await withdraw(plan, 'not-applicable', parts);
    if (surplus.length < taken.length) continue;
    for (let next: number | undefined = 1; next !== undefined; ) {
      const enrolment: number = next;
      const own = enrolmentKeys(encounterKey.id, protocol, enrolment);
      await commit.run({
        cause: `plan:${protocol.id}`,
        keys: [encounterKey, patientKey, ...plans, ...own],
        decide: (view) => {
          next = undefined;
          const encounter = view.get(encounterKey)?.resource;
          const patient = view.get(patientKey)?.resource;
          if (!encounter || !patient || encounter.status !== 'finished' || isExpired(patient, encounter))
            return { intentions: [] };
          const wanted = enrolmentOf(encounterKey.id, protocol, view);
          if (wanted !== enrolment) {
            // Known only here: the next commit names what that enrolment writes.
            next = wanted;
            return { intentions: [] };
          }
          const stored = (key: Key): StoredResource | undefined => view.get(key)?.resource;
          const plan = stored(plans[enrolment - 1] as Key);
          const known = plan?.created && { knownAt: Date.parse(plan.created) };
          const discharge = { patient, encounter, flags, enrolment, now: clock.now(), ...known };
          const made = enrol(protocol, discharge, zone).map((resource) => kept(resource, view));
          const all = plan ? refreshed(made, own, stored) : made;
          return { intentions: all.map((resource): Intention => ({ kind: 'put', resource })) };
        },
      });
    }
  }
}

/** The centre is the hospital's to edit: once it stands, it is not written again. */
function kept(resource: StoredResource, view: View): StoredResource {
  if (resource.id !== centre.id) return resource;
  return view.get({ type: 'Organization', id: centre.id })?.resource ?? resource;
}

/** The enrolment that stands and is open, else the first number that was not used; undefined when there is nothing to do. */
function enrolmentOf(encounterId: string, protocol: Protocol, view: View): number | undefined {
  for (let n = 1; n <= enrolmentMax; n++) {
    const plan = view.get({ type: 'CarePlan', id: carePlanId(encounterId, protocol, n) });
    if (!plan) return n;
    if (plan.resource?.status !== 'revoked') return plan.resource?.status === 'active' ? n : undefined;
  }
  return undefined;
}

async function find(type: string, url: string, { store, parameters }: CareParts): Promise<StoredResource[]> {
  const query = parseQuery(type, [...new URLSearchParams(url), ['_count', '1000']], parameters);
  const { hits } = await store.search({ query });
  return hits.map((hit) => JSON.parse(hit.json) as StoredResource);
}

async function withdrawAll(url: string, reason: Reason, parts: CareParts): Promise<void> {
  for (const plan of await find('CarePlan', `${url}&status=active`, parts)) await withdraw(plan, reason, parts);
}

function isOf(plan: StoredResource, { url }: Protocol): boolean {
  return plan.instantiatesCanonical?.some((it: string) => it.startsWith(`${url}|`)) ?? false;
}

async function withdraw(plan: StoredResource, reason: Reason, parts: CareParts): Promise<void> {
  if (!parts.protocols.some((protocol) => isOf(plan, protocol))) return;
  const responses = await find('QuestionnaireResponse', `based-on=CarePlan/${plan.id}`, parts);
  const activities: Key[] = (plan.activity ?? []).flatMap(
    (it: { reference?: { reference?: string } }) => parseReference(it.reference?.reference ?? '') ?? [],
  );
  const named: Key[] = [
    { type: 'CarePlan', id: plan.id },
    ...activities,
    ...responses.map(({ id }) => ({ type: 'QuestionnaireResponse', id })),
  ];
  // A client may have named an activity twice, or one of its versions.
  const keys = [...new Set(named.map(nameOf))].map(keyNamed);
  await parts.commit.run({
    cause: `plan:${reason}`,
    keys,
    decide: (view) => ({
      intentions: keys.flatMap((key): Intention[] => {
        const resource = view.get(key)?.resource;
        const closed = resource && withdrawn(resource, reason);
        return closed ? [{ kind: 'put', resource: closed }] : [];
      }),
    }),
  });
}
