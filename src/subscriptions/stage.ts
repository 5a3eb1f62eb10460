/**
 * Changes ─▶ numbered events. The active subscriptions are those at the place where the stage stands in the changes, so
 * that a restart goes on exactly where it stopped: one event per change and subscription, without gaps.
 */
import type { Clock } from '../clock.ts';
import type { Commit } from '../commit/commit.ts';
import { matches } from '../fhir/search/match.ts';
import { parseQuery } from '../fhir/search/query.ts';
import type { Resource } from '../fhir/types.ts';
import { Failure } from '../outcome.ts';
import type { Job, Next, Queue } from '../queue/queue.ts';
import type { EventRow } from '../store/rows.ts';
import type { Change, Effect, Store } from '../store/store.ts';
import { type ParsedSubscription, parseSubscription, type SubscriptionParts } from './subscription.ts';
import type { State, Transition } from './topic.ts';

export interface EventParts extends SubscriptionParts {
  readonly store: Store;
  readonly commit: Commit;
  readonly queue: Queue;
  readonly clock: Clock;
}

const cursorName = 'subscriptions';
const batch = 500;

/** @returns the handler of the queue's job `subscriptions` */
export function subscriptionStage(parts: EventParts): () => Promise<Next> {
  const stage = new Stage(parts);
  return async () => {
    while (await stage.step()) {
      // the next batch
    }
    return undefined;
  };
}

class Stage {
  readonly #parts: EventParts;
  readonly #active = new Map<string, ParsedSubscription>();
  /** The last event number given to each subscription that was seen since the load: ahead of the store within a batch. */
  readonly #numbers = new Map<string, number>();
  /** The sequence that `#active` is the state at; undefined before the first load. */
  #asOf: number | undefined;

  constructor(parts: EventParts) {
    this.#parts = parts;
  }

  /** Handles one batch. @returns false when there was none */
  async step(): Promise<boolean> {
    try {
      return await this.#batch();
    } catch (error) {
      // The numbers given meanwhile were not written: start again from what is.
      this.#asOf = undefined;
      throw error;
    }
  }

  async #batch(): Promise<boolean> {
    const { store, commit, queue } = this.#parts;
    const from = await store.cursor(cursorName);
    if (this.#asOf !== from) await this.#load(from);
    const changes = await store.changes(from, batch);
    const last = changes.at(-1);
    if (!last) return false;
    const effects: Effect[] = [{ kind: 'cursor', name: cursorName, from, to: last.sequence }];
    const bells: Job[] = [];
    for (const change of changes) {
      const events = await this.#eventsOf(change);
      if (events.length > 0) effects.push({ kind: 'events', events });
      for (const { subscription } of events) bells.push({ kind: 'deliver', id: subscription });
      if (change.type === 'Subscription') await this.#subscriptionChanged(change, effects, bells);
    }
    const written = await commit.effects('subscription:events', effects);
    this.#asOf = written ? last.sequence : undefined;
    if (!written) return true;
    for (const bell of bells) queue.ring(bell);
    return true;
  }

  /** The subscriptions that were active at a sequence: a search at that state. */
  async #load(sequence: number): Promise<void> {
    const { store, parameters } = this.#parts;
    this.#active.clear();
    this.#numbers.clear();
    const query = parseQuery('Subscription', new URLSearchParams('status=active,error&_count=1000'), parameters);
    let after: string | undefined;
    do {
      const page = await store.search({ query, snapshot: sequence, ...(after !== undefined && { after }) });
      for (const { json } of page.hits) await this.#activate(JSON.parse(json));
      after = page.next;
    } while (after !== undefined);
    this.#asOf = sequence;
  }

  async #activate(resource: Resource): Promise<void> {
    try {
      const subscription = parseSubscription(resource, this.#parts);
      const { id } = subscription;
      if (!this.#numbers.has(id)) this.#numbers.set(id, (await this.#parts.store.progress(id)).lastNumber);
      // Backport i77: in error the events go on being counted. One that was never active has none to go on from.
      if (resource.status === 'error' && this.#numbers.get(id) === 0) this.#active.delete(id);
      else this.#active.set(id, subscription);
    } catch (error) {
      // A topic or channel that is configured no more: the subscription rests until its owner writes it again.
      if (!(error instanceof Failure)) throw error;
    }
  }

  async #subscriptionChanged(change: Change, effects: Effect[], bells: Job[]): Promise<void> {
    const { id } = change;
    const version = await this.#parts.store.readVersion(change, change.version);
    const resource: Resource | undefined = version?.json === undefined ? undefined : JSON.parse(version.json);
    if (resource?.status === 'active' || resource?.status === 'error') {
      if (resource.status === 'active') bells.push({ kind: 'deliver', id });
      await this.#activate(resource);
      return;
    }
    this.#active.delete(id);
    if (resource?.status === 'requested') bells.push({ kind: 'handshake', id });
    if (change.interaction !== 'delete') return;
    // What is written later under this id is another subscription: it begins at 1.
    effects.push({ kind: 'forget', subscription: id });
    this.#numbers.set(id, 0);
  }

  async #eventsOf(change: Change): Promise<EventRow[]> {
    const interested = [...this.#active.values()].filter(({ trigger }) => {
      return (trigger.kind === 'topic' ? trigger.topic.type : trigger.query.branches[0]?.type) === change.type;
    });
    if (interested.length === 0) return [];
    const transition = await this.#transition(change);
    const now = this.#parts.clock.now();
    const { sequence, at } = change;
    const focus = `${change.type}/${change.id}/_history/${change.version}`;
    return interested
      .filter((it) => (it.endsAt ?? Number.POSITIVE_INFINITY) > now && triggered(it, transition))
      .map(({ id: subscription }) => {
        const number = (this.#numbers.get(subscription) ?? 0) + 1;
        this.#numbers.set(subscription, number);
        return { subscription, number, sequence, at, focus };
      });
  }

  async #transition(change: Change): Promise<Transition> {
    const state = async (version: number): Promise<State | undefined> => {
      const row = version > 0 ? await this.#parts.store.readVersion(change, version) : undefined;
      if (row?.json === undefined) return undefined;
      const resource = JSON.parse(row.json) as Resource;
      return { resource, rows: this.#parts.parameters.extract(resource) };
    };
    const { type, interaction } = change;
    return { type, interaction, previous: await state(change.version - 1), current: await state(change.version) };
  }
}

/** R4 subscription.html: classic criteria fire on every create or update that leaves a match. */
function triggered({ trigger }: ParsedSubscription, transition: Transition): boolean {
  const { current } = transition;
  if (!current) return false;
  const id = current.resource.id as string;
  if (trigger.kind === 'classic') return matches(trigger.query, id, current.rows);
  return trigger.topic.triggers(transition) && trigger.filters.every((filter) => matches(filter, id, current.rows));
}
