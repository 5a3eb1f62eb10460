/** Topics and search parameters as a server has them, with a channel that takes every endpoint. */
import { fileURLToPath } from 'node:url';
import { SearchParameters } from '../../src/fhir/search/parameters.ts';
import { Zone } from '../../src/fhir/zone.ts';
import { readProfiles } from '../../src/profiles.ts';
import type { Channel } from '../../src/subscriptions/channel.ts';
import type { SubscriptionParts } from '../../src/subscriptions/subscription.ts';
import { isTopic, parseTopic } from '../../src/subscriptions/topic.ts';

const takesAll: Channel = {
  refuses: (endpoint) => (endpoint === '' ? 'no endpoint' : undefined),
  deliver: async () => ({ kind: 'delivered' }),
  close: async () => {},
};

export function subscriptionParts(): SubscriptionParts {
  const parameters = new SearchParameters(new Zone('Asia/Shanghai'));
  const profiles = readProfiles(fileURLToPath(new URL('../../profiles', import.meta.url)));
  const topics = profiles.filter(isTopic).map((basic) => parseTopic(basic, parameters));
  return { parameters, topics, channels: new Map([['rest-hook', takesAll]]) };
}
