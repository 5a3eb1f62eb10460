/** A hospital and an app vendor around one server: sends messages, reads FHIR. What the stories of this folder have in common. */
import { expect } from '@jest/globals';
import { MllpSender } from '../../adapters/mllp/sender.ts';
import type { App } from '../../src/app.ts';
import { FixedClock } from '../../src/clock.ts';
import type { Json } from '../../src/fhir/types.ts';
import { fhir, portOf, settled, startTestApp } from '../support/app.ts';
import { type DischargeOptions, discharge } from '../support/messages.ts';

/** Open ones: a test that fails in the middle leaves none behind, see {@link Hospital.closeAll}. */
const open = new Set<Hospital>();

export class Hospital {
  readonly app: App;
  readonly clock: FixedClock;
  readonly #sender: MllpSender;
  #messages = 0;

  private constructor(app: App, clock: FixedClock, sender: MllpSender) {
    this.app = app;
    this.clock = clock;
    this.#sender = sender;
  }

  /** @param now when the story begins */
  static async open(now = '2026-03-16T11:00:00+08:00'): Promise<Hospital> {
    const clock = new FixedClock(now);
    const app = await startTestApp({ clock });
    const hospital = new Hospital(app, clock, await MllpSender.connect('127.0.0.1', portOf(app.mllp)));
    open.add(hospital);
    return hospital;
  }

  /** Closes every hospital of this file that is still open. */
  static async closeAll(): Promise<void> {
    await Promise.all([...open].map((it) => it.close()));
  }

  async close(): Promise<void> {
    open.delete(this);
    this.#sender.close();
    await this.app.stop();
  }

  /** Sends a message as it stands; gives MSA-1. */
  async sendRaw(message: string | Uint8Array): Promise<string> {
    const answer = await this.#sender.send(typeof message === 'string' ? Buffer.from(message) : message);
    return /\rMSA\|(\w\w)/.exec(answer.toString('latin1'))?.[1] ?? answer.toString('latin1');
  }

  /** Sends one of the small messages with the next control id, expects AA, and waits until everything has followed. */
  async send(event: string, options: DischargeOptions & { edit?: (message: string) => string } = {}): Promise<void> {
    const { edit = (it) => it, ...rest } = options;
    const before = event === 'A03' ? {} : { disposition: '' };
    const message = edit(discharge({ event, controlId: `C${++this.#messages}`, ...before, ...rest }));
    expect(await this.sendRaw(message)).toBe('AA');
    await settled(this.app);
  }

  /** All resources that a search finds. */
  async search(url: string): Promise<Json[]> {
    const { status, body } = await fhir(this.app, 'GET', `${url}${url.includes('?') ? '&' : '?'}_count=1000`);
    expect({ url, status }).toEqual({ url, status: 200 });
    return (body.entry ?? []).map((it: Json) => it.resource);
  }

  /** The only resource that a search finds. */
  async one(url: string): Promise<Json> {
    const found = await this.search(url);
    expect({ url, found: found.length }).toEqual({ url, found: 1 });
    return found[0] as Json;
  }

  async read(path: string): Promise<Json> {
    const { status, body } = await fhir(this.app, 'GET', path);
    expect({ path, status }).toEqual({ path, status: 200 });
    return body;
  }

  async put(resource: Json): Promise<Json> {
    const { status, body } = await fhir(this.app, 'PUT', `${resource.resourceType}/${resource.id}`, resource);
    expect([200, 201]).toContain(status);
    await settled(this.app);
    return body;
  }

  /** The visit with a number of the hospital. */
  visit(number = 'V1001'): Promise<Json> {
    return this.one(`Encounter?identifier=${number}`);
  }

  /** The follow-up of a visit, or of all. */
  async followUp(encounter?: Json): Promise<Record<'plans' | 'tasks' | 'appointments' | 'responses', Json[]>> {
    const of = (it: Json): boolean =>
      !encounter ||
      [it.encounter, ...(it.supportingInformation ?? [])].some((ref) => ref?.reference === `Encounter/${encounter.id}`);
    const [plans, tasks, appointments, responses] = await Promise.all(
      ['CarePlan', 'Task', 'Appointment', 'QuestionnaireResponse'].map((type) => this.search(type)),
    );
    return {
      plans: plans!.filter(of),
      tasks: tasks!.filter(of),
      appointments: appointments!.filter(of),
      responses: responses!.filter(of),
    };
  }

  /** No message is left waiting or lies in a state that a person has to mend. */
  async expectMessages(counts: Record<string, number>): Promise<void> {
    expect(await this.app.store.messageCounts()).toEqual(counts);
  }
}

/** `status` of each, sorted. */
export function statuses(resources: readonly Json[]): string[] {
  return resources.map((it) => it.status).sort();
}
