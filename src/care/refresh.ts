/**
 * An open plan after what it rests on has changed: a telephone number that came later, another time of the discharge. What
 * nobody has begun follows; what somebody has begun stays as it is. Pure.
 */
import type { Json, StoredResource } from '../fhir/types.ts';
import type { Key } from '../store/store.ts';
import { reasonCode, withdrawn } from './withdraw.ts';

/**
 * @param made what an enrolment with the same number would make now
 * @param known all that an enrolment of that number may make
 * @param stored what stands of it
 * @returns what is to be written; resources that stay as they are may be among it
 */
export function refreshed(
  made: readonly StoredResource[],
  known: readonly Key[],
  stored: (key: Key) => StoredResource | undefined,
): StoredResource[] {
  const changed = made.flatMap((fresh) => {
    const standing = stored({ type: fresh.resourceType, id: fresh.id });
    return standing ? follow(standing, fresh) : [fresh];
  });
  const wanted = new Set(made.map(({ resourceType, id }) => `${resourceType}/${id}`));
  const dropped = known.flatMap((key) => {
    const standing = wanted.has(`${key.type}/${key.id}`) ? undefined : stored(key);
    return (standing && isUntouched(standing) && withdrawn(standing, 'not-applicable')) || [];
  });
  return [...changed, ...dropped];
}

function follow(standing: StoredResource, fresh: StoredResource): StoredResource[] {
  if (standing.resourceType === 'CarePlan') return standing.status === 'active' ? [plan(standing, fresh)] : [];
  if (reasonCode(standing) === 'not-applicable') return [fresh];
  if (isMissed(standing) && fresh.status === 'requested') return [fresh];
  if (!isUntouched(standing) && !isMissed(standing)) return [];
  if (standing.resourceType === 'Task') {
    // A window that has passed since the Task was made is overdue; one that had passed when its day became known is missed.
    const { status, businessStatus, statusReason, executionPeriod, lastModified, input } = fresh;
    const moved = JSON.stringify(executionPeriod) !== JSON.stringify(standing.executionPeriod);
    const restriction = { ...standing.restriction, period: fresh.restriction?.period };
    const missed = isMissed(fresh) && { status, businessStatus, statusReason };
    return moved ? [{ ...standing, ...missed, executionPeriod, restriction, input, lastModified }] : [];
  }
  if (standing.resourceType === 'Appointment') return [{ ...standing, requestedPeriod: fresh.requestedPeriod }];
  return [];
}

function plan(standing: StoredResource, fresh: StoredResource): StoredResource {
  const names = new Set((standing.activity ?? []).map((it: Json) => it.reference?.reference));
  const more = (fresh.activity ?? []).filter((it: Json) => !names.has(it.reference?.reference));
  return {
    ...standing,
    period: fresh.period,
    ...(fresh.addresses && { addresses: fresh.addresses }),
    activity: [...(standing.activity ?? []), ...more],
  };
}

/** Nobody has begun it. */
function isUntouched({ resourceType, status }: Json): boolean {
  const fresh: Record<string, string> = {
    Task: 'requested',
    Appointment: 'proposed',
    QuestionnaireResponse: 'in-progress',
  };
  return fresh[resourceType] === status;
}

function isMissed({ status, businessStatus }: Json): boolean {
  return status === 'failed' && businessStatus?.text === 'missed';
}
