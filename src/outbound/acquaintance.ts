/**
 * Whom and what a hospital knows: a patient or visit that a message of it brought and that has a number of it. What we call its
 * own it has said itself, so nothing of that goes back to it.
 */
import type { Json } from '../fhir/types.ts';
import type { Destination } from '../mapping/destination.ts';
import type { Cause, Key, Store } from '../store/store.ts';
import { identifiersOf } from './person.ts';

/** Answers that are remembered; a message never changes its sender, and who is known stays known. */
const rememberedMax = 20_000;
/** Versions that are looked through for one that a message wrote. */
const versionsMax = 1000;
const page = 50;

export class Acquaintance {
  readonly #store: Store;
  /** Message id ─▶ MSH-4. */
  readonly #facilities = new Map<number, string>();
  readonly #known = new Set<string>();

  constructor(store: Store) {
    this.#store = store;
  }

  /** True when a message of the hospital is behind a change. */
  async isFrom(cause: Cause, { from }: Destination): Promise<boolean> {
    const [, id] = /^message:(\d+)$/.exec(cause) ?? [];
    if (id === undefined) return false;
    return from.includes(await this.#facilityOf(Number(id)));
  }

  async knowsPatient(patient: Json, destination: Destination): Promise<boolean> {
    if (identifiersOf(patient, destination.patientSystem).length === 0) return false;
    return this.#brought({ type: 'Patient', id: patient.id }, destination);
  }

  async knowsVisit(encounter: Json, destination: Destination): Promise<boolean> {
    if (identifiersOf(encounter, destination.visitSystem).length === 0) return false;
    return this.#brought({ type: 'Encounter', id: encounter.id }, destination);
  }

  async #facilityOf(message: number): Promise<string> {
    const known = this.#facilities.get(message);
    if (known !== undefined) return known;
    const facility = (await this.#store.message(message))?.facility ?? '';
    if (this.#facilities.size >= rememberedMax) this.#facilities.clear();
    this.#facilities.set(message, facility);
    return facility;
  }

  async #brought(key: Key, destination: Destination): Promise<boolean> {
    const name = `${destination.name} ${key.type}/${key.id}`;
    if (this.#known.has(name)) return true;
    if (!(await this.#anyVersionFrom(key, destination))) return false;
    if (this.#known.size >= rememberedMax) this.#known.clear();
    this.#known.add(name);
    return true;
  }

  /** Mostly the first version says it; else all are looked at, the newest first. */
  async #anyVersionFrom(key: Key, destination: Destination): Promise<boolean> {
    const first = await this.#store.readVersion(key, 1);
    if (first && (await this.isFrom(first.cause, destination))) return true;
    let before: number | undefined;
    for (let seen = 0; seen < versionsMax; seen += page) {
      const versions = await this.#store.history({ ...key, ...(before !== undefined && { before }), limit: page });
      for (const { cause } of versions) if (await this.isFrom(cause, destination)) return true;
      if (versions.length < page) return false;
      before = versions.at(-1)?.sequence;
    }
    return false;
  }
}
