/** Events ─▶ deliveries, in order, at least once; and the handshake that makes a subscription active. */
import type { Clock } from '../clock.ts';
import type { Commit } from '../commit/commit.ts';
import { targetsOf } from '../fhir/search/parameters.ts';
import type { Json, StoredResource } from '../fhir/types.ts';
import type { Ids } from '../ids.ts';
import { Failure } from '../outcome.ts';
import type { Next } from '../queue/queue.ts';
import type { EventRow } from '../store/rows.ts';
import type { Store } from '../store/store.ts';
import type { Channel, DeliveryOutcome, Notification } from './channel.ts';
import { type NotificationType, type NotifiedEvent, notificationBundle } from './notification.ts';
import { type ParsedSubscription, parseSubscription, type SubscriptionParts, withoutSecrets } from './subscription.ts';
import type { Topic } from './topic.ts';

export interface DeliveryParts extends SubscriptionParts {
  readonly store: Store;
  readonly commit: Commit;
  readonly clock: Clock;
  readonly ids: Ids;
  /** FHIR base URL, for references in notifications; asked late, when the port is known. */
  readonly base: () => string;
  /** Told of every attempt. */
  readonly attempted: (outcome: DeliveryOutcome['kind']) => void;
}

/** First wait after a failed attempt, doubled up to five minutes; after so many attempts the status becomes `error`. */
const backoffMs = 500;
const backoffMaxMs = 300_000;
const attemptsMax = 40;

/** Handlers of the queue's jobs `handshake` and `deliver`; the id is the Subscription's. */
export function deliveryStage(parts: DeliveryParts): {
  handshake(id: string): Promise<Next>;
  deliver(id: string): Promise<Next>;
} {
  // Only paces the retries: after a restart they begin at the first wait again.
  const pauses = new Map<string, { attempts: number; until: number }>();

  return {
    async handshake(id) {
      const found = await load(id, 'requested', parts);
      if (!found) return undefined;
      const { resource, subscription, channel } = found;
      // R4 core knows no handshake: a classic subscription is active when its criteria and endpoint were accepted.
      const outcome: DeliveryOutcome =
        subscription.trigger.kind === 'classic'
          ? { kind: 'delivered' }
          : await send(channel, await notification(subscription, 'handshake', 'requested', [], parts), parts);
      if (outcome.kind === 'delivered') await setStatus(resource, 'active', undefined, parts);
      else await setStatus(resource, 'error', `handshake: ${outcome.reason}`, parts);
      return undefined;
    },

    async deliver(id) {
      // A new event rings while a failed one waits: that does not cut its wait short.
      const wait = (pauses.get(id)?.until ?? 0) - parts.clock.now();
      if (wait > 0) return { againMs: wait };
      for (;;) {
        const found = await load(id, 'active', parts);
        if (!found) return undefined;
        const { resource, subscription, channel } = found;
        const { deliveredNumber } = await parts.store.progress(id);
        const limit = subscription.trigger.kind === 'topic' ? subscription.countMax : 1;
        const events = await parts.store.events(id, deliveredNumber, limit);
        const last = events.at(-1);
        if (!last) return undefined;
        const outcome = await send(channel, await eventNotification(subscription, events, parts), parts);
        if (outcome.kind === 'delivered') {
          pauses.delete(id);
          if (!(await advance(id, deliveredNumber, last.number, parts))) return undefined;
          continue;
        }
        const attempts = (pauses.get(id)?.attempts ?? 0) + 1;
        if (outcome.kind === 'try-again' && attempts < attemptsMax) {
          const againMs = Math.min(backoffMs * 2 ** (attempts - 1), backoffMaxMs);
          pauses.set(id, { attempts, until: parts.clock.now() + againMs });
          return { againMs };
        }
        pauses.delete(id);
        await setStatus(resource, 'error', `event ${events[0]?.number}: ${outcome.reason}`, parts);
        return undefined;
      }
    },
  };
}

interface Loaded {
  readonly resource: StoredResource;
  readonly subscription: ParsedSubscription;
  readonly channel: Channel;
}

async function load(id: string, status: string, parts: DeliveryParts): Promise<Loaded | undefined> {
  const version = await parts.store.read({ type: 'Subscription', id });
  if (version?.json === undefined) return undefined;
  const resource = JSON.parse(version.json) as StoredResource;
  if (resource.status !== status) return undefined;
  if (resource.end && Date.parse(resource.end) <= parts.clock.now()) return undefined;
  try {
    const subscription = parseSubscription(resource, parts);
    return { resource, subscription, channel: parts.channels.get(resource.channel.type) as Channel };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    await setStatus(resource, 'error', error.message, parts);
    return undefined;
  }
}

async function send(channel: Channel, notification: Notification, parts: DeliveryParts): Promise<DeliveryOutcome> {
  const outcome = await channel.deliver(notification);
  parts.attempted(outcome.kind);
  return outcome;
}

async function eventNotification(
  subscription: ParsedSubscription,
  rows: readonly EventRow[],
  parts: DeliveryParts,
): Promise<Notification> {
  const events = await Promise.all(rows.map((row) => notified(row, subscription, parts)));
  if (subscription.trigger.kind === 'topic')
    return notification(subscription, 'event-notification', 'active', events, parts);
  return classic(subscription, events[0] as NotifiedEvent);
}

async function notified(
  { number, at, focus }: EventRow,
  { trigger }: ParsedSubscription,
  { store }: DeliveryParts,
): Promise<NotifiedEvent> {
  const [type = '', id = '', , version = ''] = focus.split('/');
  const row = await store.readVersion({ type, id }, Number(version));
  const method = row?.interaction === 'create' ? 'POST' : row?.interaction === 'delete' ? 'DELETE' : 'PUT';
  const resource = row?.json === undefined ? undefined : withoutSecrets(JSON.parse(row.json));
  const context = trigger.kind === 'topic' && resource ? await contextOf(resource, trigger.topic, store) : [];
  return { number, at: new Date(at).toISOString(), focus: `${type}/${id}`, method, resource, context };
}

/** What the topic's shape includes beside the focus, as it is now. */
async function contextOf(resource: Json, topic: Topic, store: Store): Promise<NotifiedEvent['context']> {
  const keys = topic.includes.flatMap((parameter) => targetsOf(parameter, resource));
  return Promise.all(
    keys.map(async (key) => {
      const json = (await store.read(key))?.json;
      return {
        reference: `${key.type}/${key.id}`,
        resource: json === undefined ? undefined : withoutSecrets(JSON.parse(json)),
      };
    }),
  );
}

/** R4 subscription.html#rest-hook: an empty POST without payload, else the resource PUT below the endpoint. */
function classic(
  { endpoint, headers, contentType, timeoutMs }: ParsedSubscription,
  event: NotifiedEvent,
): Notification {
  if (!contentType || !event.resource)
    return { method: 'POST', url: endpoint, headers, contentType: '', body: '', timeoutMs };
  const url = `${endpoint.replace(/\/$/, '')}/${event.focus}`;
  return { method: 'PUT', url, headers, contentType, body: JSON.stringify(event.resource), timeoutMs };
}

async function notification(
  subscription: ParsedSubscription,
  type: NotificationType,
  status: string,
  events: readonly NotifiedEvent[],
  { store, clock, ids, base }: DeliveryParts,
): Promise<Notification> {
  const { lastNumber } = await store.progress(subscription.id);
  const at = new Date(clock.now()).toISOString();
  const bundle = notificationBundle(subscription, { base: base(), status, type, total: lastNumber, at }, events, ids);
  const { endpoint, headers, contentType = 'application/fhir+json', timeoutMs } = subscription;
  return { method: 'POST', url: endpoint, headers, contentType, body: JSON.stringify(bundle), timeoutMs };
}

function advance(subscription: string, from: number, to: number, { commit }: DeliveryParts): Promise<boolean> {
  return commit.effects(`subscription:${subscription}`, [{ kind: 'delivered', subscription, from, to }]);
}

/** Only from the version that was looked at: what the owner wrote in the meantime stands. */
async function setStatus(
  seen: StoredResource,
  status: string,
  error: string | undefined,
  { commit }: DeliveryParts,
): Promise<void> {
  const key = { type: 'Subscription', id: seen.id };
  await commit.run({
    cause: `subscription:${seen.id}`,
    keys: [key],
    decide: (view) => {
      const current = view.get(key)?.resource;
      if (!current || current.meta?.versionId !== seen.meta?.versionId) return { intentions: [] };
      const { error: _, ...rest } = current;
      return {
        intentions: [{ kind: 'put', resource: { ...rest, status, ...(error && { error }) } as StoredResource }],
      };
    },
  });
}
