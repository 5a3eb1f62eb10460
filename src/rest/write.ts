/** What create, update and transaction share: a client's resource as it may be stored, and the answer to a write. */
import type { Intention, Written } from '../commit/commit.ts';
import type { Resource, StoredResource } from '../fhir/types.ts';
import { assertValid } from '../fhir/validate.ts';
import type { View } from '../store/store.ts';
import { admit } from '../subscriptions/subscription.ts';
import { etagOf, type FhirRequest, type FhirResponse, preferred, type RestParts } from './fhir.ts';
import { present } from './present.ts';

/** @throws Failure when a Subscription will not be honoured */
export function toPut(resource: Resource, id: string, view: View, parts: RestParts): Intention {
  const own = { ...resource, id } as StoredResource;
  if (own.resourceType !== 'Subscription') return { kind: 'put', resource: own };
  assertValid(own);
  return { kind: 'put', resource: admit(own, view.get({ type: 'Subscription', id })?.resource, parts.subscriptions) };
}

/** The answer to one write: 201 with Location for a new resource, else 200. */
export function written(
  request: FhirRequest,
  { type, id, version, interaction, at, json }: Written,
  parts: RestParts,
): FhirResponse {
  const body = preferred(request, json === undefined ? undefined : present(type, json));
  return {
    status: interaction === 'create' ? 201 : 200,
    etag: etagOf(version),
    lastModified: at,
    ...(interaction === 'create' && { location: `${parts.base()}/${type}/${id}/_history/${version}` }),
    ...(body !== undefined && { body }),
  };
}
