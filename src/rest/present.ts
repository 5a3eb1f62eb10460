/** A stored version as a client may see it: secrets of a Subscription stay here. */
import type { Json } from '../fhir/types.ts';
import { withoutSecrets } from '../subscriptions/subscription.ts';

/** @param json the text as stored */
export function present(type: string, json: string): string {
  return type === 'Subscription' ? JSON.stringify(withoutSecrets(JSON.parse(json))) : json;
}

/** The same, parsed, for entries of a Bundle. */
export function presentResource(type: string, json: string): Json {
  return JSON.parse(present(type, json)) as Json;
}
