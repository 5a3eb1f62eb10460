/**
 * Changes ─▶ messages to hospitals, in the order of the changes. Each destination has a cursor of its own over the changes, and
 * one for each resource that it was told of: the version that it knows. Both move in the commit that writes the messages, so a
 * restart repeats nothing and leaves nothing out.
 */
import type { Clock } from '../clock.ts';
import type { Commit } from '../commit/commit.ts';
import { parseReference } from '../fhir/reference.ts';
import type { SearchParameters } from '../fhir/search/parameters.ts';
import type { Zone } from '../fhir/zone.ts';
import type { Destination } from '../mapping/destination.ts';
import { isLasting } from '../outcome.ts';
import type { Next, Queue } from '../queue/queue.ts';
import type { NewOutgoing } from '../store/rows.ts';
import type { Change, Effect, Store } from '../store/store.ts';
import { Acquaintance } from './acquaintance.ts';
import { controlIdOf, messageBytes } from './message.ts';
import { ruleFor } from './rules.ts';
import type { Content, Rule, Scene } from './scene.ts';
import { Surroundings } from './surroundings.ts';

export interface OutboundParts {
  readonly store: Store;
  readonly commit: Commit;
  readonly queue: Queue;
  readonly parameters: SearchParameters;
  readonly destinations: readonly Destination[];
  readonly zone: Zone;
  readonly clock: Clock;
  /** Told of a message that could not be made: the others go on. */
  readonly notMade: (destination: string, error: unknown) => void;
}

const cause = 'system:outbound';
const batch = 200;
/** Changes that tell nobody anything: so many are gone through before the cursor is written. */
const unwrittenMax = 1000;

function cursorOf({ name }: Destination): string {
  return `outbound ${name}`;
}

/**
 * Before the listeners open: a hospital that is new here is told of what happens from now on, not of all that was.
 * @throws Error when two sites call their destinations the same: their messages would be one queue
 */
export async function startOutbound({ store, commit, destinations }: OutboundParts): Promise<void> {
  const names = destinations.map((it) => it.name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw new Error(`two sites have a destination '${twice}'`);
  const head = await store.head();
  for (const destination of destinations) {
    if (head === 0 || (await store.cursor(cursorOf(destination))) > 0) continue;
    await commit.effects(cause, [{ kind: 'cursor', name: cursorOf(destination), from: 0, to: head }]);
  }
}

/** @returns the handler of the queue's job `outbound` */
export function outboundStage(parts: OutboundParts): () => Promise<Next> {
  const acquaintance = new Acquaintance(parts.store);
  const readers = parts.destinations.map((destination) => new Reader(destination, acquaintance, parts));
  return async () => {
    for (const reader of readers) {
      while (await reader.step()) {
        // the next batch
      }
    }
    return undefined;
  };
}

/** What one batch of changes comes to. */
interface Plan {
  readonly messages: NewOutgoing[];
  /** By resource: the version that the hospital knew before the batch, and the one that it knows after it. */
  readonly versions: Map<string, { readonly from: number; to: number }>;
}

class Reader {
  readonly #destination: Destination;
  readonly #acquaintance: Acquaintance;
  readonly #parts: OutboundParts;
  /** As stored; undefined before the first look. */
  #cursor: number | undefined;
  /** How far the changes were gone through: at or behind the cursor. */
  #position = 0;

  constructor(destination: Destination, acquaintance: Acquaintance, parts: OutboundParts) {
    this.#destination = destination;
    this.#acquaintance = acquaintance;
    this.#parts = parts;
  }

  /** Handles one batch. @returns false when there was none */
  async step(): Promise<boolean> {
    const { store, commit, queue } = this.#parts;
    if (this.#cursor === undefined) {
      this.#cursor = await store.cursor(cursorOf(this.#destination));
      this.#position = this.#cursor;
    }
    const changes = await store.changes(this.#position, batch);
    const to = changes.at(-1)?.sequence;
    if (to === undefined) return false;
    const plan: Plan = { messages: [], versions: new Map() };
    for (const change of changes) {
      try {
        await this.#consider(change, plan);
      } catch (error) {
        if (!isLasting(error)) throw error;
        this.#parts.notMade(this.#destination.name, error);
      }
    }
    if (plan.messages.length > 0 || plan.versions.size > 0 || to - this.#cursor >= unwrittenMax) {
      const from = this.#cursor;
      // Where another worker was first, what is stored is looked at again.
      this.#cursor = undefined;
      if (!(await commit.effects(cause, this.#effects(plan, from, to)))) return true;
      this.#cursor = to;
    }
    this.#position = to;
    if (plan.messages.length > 0) queue.ring({ kind: 'send', id: this.#destination.name });
    return true;
  }

  #effects({ messages, versions }: Plan, from: number, to: number): Effect[] {
    const known = [...versions].map(([name, version]): Effect => {
      return { kind: 'cursor', name: `${cursorOf(this.#destination)} ${name}`, ...version };
    });
    return [
      { kind: 'cursor', name: cursorOf(this.#destination), from, to },
      ...known,
      ...(messages.length > 0 ? [{ kind: 'outgoing' as const, messages }] : []),
    ];
  }

  async #consider(change: Change, plan: Plan): Promise<void> {
    const rule = ruleFor(change.type, this.#destination.send);
    if (!rule) return;
    const { store } = this.#parts;
    const name = `${change.type}/${change.id}`;
    // Of a first version nothing was told before.
    const stored = async () => (change.version === 1 ? 0 : store.cursor(`${cursorOf(this.#destination)} ${name}`));
    const known = plan.versions.get(name)?.to ?? (await stored());
    const now = await this.#read(change, change.version);
    if (known === 0 && !(now && rule.concerns(now))) return;
    if (await this.#acquaintance.isFrom(change.cause, this.#destination)) {
      this.#learnt(change, known, plan);
      return;
    }
    const told = known > 0 ? await this.#read(change, known) : undefined;
    const scene = await this.#scene(rule, now ?? told);
    const content = scene && this.#made(() => rule.tell(told, now, scene));
    const message = content && this.#made(() => this.#outgoing(change, content, scene));
    if (!message) return;
    plan.messages.push(message);
    this.#learnt(change, known, plan);
  }

  #learnt({ type, id, version }: Change, known: number, { versions }: Plan): void {
    const name = `${type}/${id}`;
    const entry = versions.get(name);
    if (entry) entry.to = version;
    else versions.set(name, { from: known, to: version });
  }

  async #read({ type, id }: Change, version: number) {
    const row = await this.#parts.store.readVersion({ type, id }, version);
    return row?.json === undefined ? undefined : JSON.parse(row.json);
  }

  /** @returns undefined when the hospital does not know patient or visit */
  async #scene(rule: Rule, resource: Parameters<Rule['about']>[0] | undefined): Promise<Scene | undefined> {
    if (!resource) return undefined;
    const { store, parameters, zone } = this.#parts;
    const about = rule.about(resource);
    if (parseReference(about.patient ?? '')?.type !== 'Patient') return undefined;
    const { resources, questionnaires } = rule.references(resource);
    const named = [about.patient, about.encounter, ...resources].filter((it) => it !== undefined);
    const surroundings = await Surroundings.read(named, questionnaires, { store, parameters });
    const patient = surroundings.look(about.patient);
    if (!patient || !(await this.#acquaintance.knowsPatient(patient, this.#destination))) return undefined;
    const encounter = surroundings.look(about.encounter);
    if (about.encounter !== undefined) {
      if (!encounter || !(await this.#acquaintance.knowsVisit(encounter, this.#destination))) return undefined;
    }
    return {
      destination: this.#destination,
      zone,
      patient,
      encounter,
      look: (reference) => surroundings.look(reference),
      questionnaire: (canonical) => surroundings.questionnaire(canonical),
    };
  }

  #outgoing({ type, id, version }: Change, content: Content, { patient, zone }: Scene): NewOutgoing {
    const { name } = this.#destination;
    const identity = `${content.type[0]}^${content.type[1]} ${type}/${id}/_history/${version}`;
    const controlId = controlIdOf(name, identity);
    const now = this.#parts.clock.now();
    const bytes = messageBytes(content, controlId, { destination: this.#destination, zone, now });
    return { destination: name, lane: `Patient/${patient.id}`, identity, controlId, bytes, at: now };
  }

  /** A defect in the making of one message does not hold up those behind it. */
  #made<T>(make: () => T): T | undefined {
    try {
      return make();
    } catch (error) {
      this.#parts.notMade(this.#destination.name, error);
      return undefined;
    }
  }
}
