// https://hl7.org/fhir/uv/subscriptions-backport/STU1.1/OperationDefinition-backport-subscription-status.html
import type { Resource } from '../fhir/types.ts';
import { statusParameters } from '../subscriptions/notification.ts';
import { parseSubscription } from '../subscriptions/subscription.ts';
import { assertThere, type FhirRequest, type FhirResponse, type RestParts } from './fhir.ts';

/** `GET [base]/Subscription/[id]/$status`: a searchset with one status Parameters. */
export async function subscriptionStatus(
  request: FhirRequest,
  { store, subscriptions, base }: RestParts,
): Promise<FhirResponse> {
  const id = request.path[1] as string;
  const version = await store.read({ type: 'Subscription', id });
  assertThere('Subscription', version);
  const resource = JSON.parse(version.json) as Resource;
  const { lastNumber } = await store.progress(id);
  const status = { base: base(), status: resource.status, type: 'query-status' as const, total: lastNumber, at: '' };
  const parameters = statusParameters(parseSubscription(resource, subscriptions), status, []);
  return {
    status: 200,
    body: {
      resourceType: 'Bundle',
      type: 'searchset',
      total: 1,
      entry: [{ resource: parameters, search: { mode: 'match' } }],
    },
  };
}
