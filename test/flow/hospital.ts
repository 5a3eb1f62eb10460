/** A hospital and an app vendor around one server: sends messages, reads FHIR. What the stories of this folder have in common. */
import { expect } from '@jest/globals';
import { MllpSender } from '../../adapters/mllp/sender.ts';
import type { App } from '../../src/app.ts';
import { FixedClock } from '../../src/clock.ts';
import type { Config } from '../../src/config.ts';
import type { Json } from '../../src/fhir/types.ts';
import type { JournalRow } from '../../src/store/rows.ts';
import { topicSubscription } from '../subscriptions/resources.ts';
import { subscribed } from '../subscriptions/server.ts';
import { Subscriber } from '../subscriptions/subscriber.ts';
import { fhir, portOf, settled, startTestApp } from '../support/app.ts';
import { type DischargeOptions, discharge } from '../support/messages.ts';

/** What became of a message: the acknowledgement, and its row in the journal when everything has followed. */
export interface Answered {
  /** MSA-1. */
  readonly ack: string;
  /** Of each ERR: code and place, `101 PID-3.1`. */
  readonly errors?: readonly string[];
  readonly state: string;
}

/** The answer to an HTTP request. */
export interface Posted {
  readonly status: number;
  readonly type: string;
  readonly bytes: Buffer;
  readonly text: string;
}

export const applied: Answered = { ack: 'AA', state: 'applied' };
/** Something newer is stored: the message filled what was empty. */
export const stale: Answered = { ack: 'AA', state: 'stale' };
export const duplicate: Answered = { ack: 'AA', state: 'duplicate' };

/** Status of what follows a discharge; see {@link Hospital.followed}. */
export interface Followed {
  readonly plans: readonly string[];
  readonly tasks: readonly string[];
  readonly appointments: readonly string[];
  readonly responses: readonly string[];
}

const four = (status: string): string[] => Array.from({ length: 4 }, () => status);
export const nothing: Followed = { plans: [], tasks: [], appointments: [], responses: [] };
export const opened: Followed = {
  plans: ['active'],
  tasks: four('requested'),
  appointments: ['proposed'],
  responses: ['in-progress'],
};
export const takenBack: Followed = {
  plans: ['revoked'],
  tasks: four('cancelled'),
  appointments: ['cancelled'],
  responses: ['stopped'],
};

/** Open ones: a test that fails in the middle leaves none behind, see {@link Hospital.closeAll}. */
const open = new Set<Hospital>();

export class Hospital {
  readonly app: App;
  readonly clock: FixedClock;
  readonly #senders: readonly MllpSender[];
  #messages = 0;

  private constructor(app: App, clock: FixedClock, senders: readonly MllpSender[]) {
    this.app = app;
    this.clock = clock;
    this.#senders = senders;
  }

  /** @param now when the story begins @param config of the server; each of its listeners gets a connection */
  static async open(now = '2026-03-16T11:00:00+08:00', config: Partial<Config> = {}): Promise<Hospital> {
    const clock = new FixedClock(now);
    const app = await startTestApp({ clock, config });
    const senders = app.listeners.map((address) => MllpSender.connect('127.0.0.1', portOf(address)));
    const hospital = new Hospital(app, clock, await Promise.all(senders));
    open.add(hospital);
    return hospital;
  }

  /** A hospital whose discharges somebody has subscribed to. */
  static async openTold(): Promise<{ hospital: Hospital; subscriber: Subscriber }> {
    const hospital = await Hospital.open();
    const subscriber = await Subscriber.start();
    await subscribed(hospital.app, topicSubscription(subscriber.url()));
    return { hospital, subscriber };
  }

  /** Closes every subscriber and hospital of this file that is still open. */
  static async closeAll(): Promise<void> {
    await Subscriber.closeAll();
    await Promise.all([...open].map((it) => it.close()));
  }

  async close(): Promise<void> {
    open.delete(this);
    for (const sender of this.#senders) sender.close();
    await this.app.stop();
  }

  /** Sends a message as it stands; gives MSA-1. */
  async sendRaw(message: string | Uint8Array): Promise<string> {
    const answer = await this.answerTo(message);
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

  /** Sends a message over MLLP; gives the bytes of the answer. @param listener its number, from 0 */
  answerTo(message: string | Uint8Array, listener = 0): Promise<Buffer> {
    const bytes = typeof message === 'string' ? Buffer.from(message) : message;
    return (this.#senders[listener] as MllpSender).send(bytes);
  }

  /** Sends a message, and waits until everything has followed. @param listener its number, from 0 */
  async sends(message: string | Uint8Array, listener = 0): Promise<Answered> {
    const answer = await this.answerTo(message, listener);
    await settled(this.app);
    const [row] = await this.app.store.messages({ limit: 1 });
    return { ...readAnswer(answer.toString('latin1')), state: row?.state ?? '' };
  }

  /** Posts a message to /hl7v2, and waits until everything has followed. @param query `?site=…` */
  async posts(message: string | Uint8Array, query = ''): Promise<Posted> {
    const address = this.app.http.replace(/\/fhir$/, `/hl7v2${query}`);
    const body = typeof message === 'string' ? message : new Uint8Array(message);
    const response = await fetch(address, {
      method: 'POST',
      body,
      headers: { 'content-type': 'x-application/hl7-v2+er7' },
    });
    const bytes = Buffer.from(await response.arrayBuffer());
    await settled(this.app);
    return {
      status: response.status,
      type: response.headers.get('content-type')?.split(';')[0] ?? '',
      bytes,
      text: bytes.toString('latin1'),
    };
  }

  /** The last messages of the journal, the newest first. */
  journal(limit = 1): Promise<readonly JournalRow[]> {
    return this.app.store.messages({ limit });
  }

  /** Types of the resources that something changes, each once; without those that tell of the messages themselves. */
  async changedBy(something: () => Promise<unknown>): Promise<string[]> {
    await settled(this.app);
    const before = await this.app.store.head();
    await something();
    await settled(this.app);
    const changes = await this.app.store.changes(before, 1000);
    return [...new Set(changes.map(({ type }) => type))]
      .filter((it) => it !== 'MessageHeader' && it !== 'Provenance')
      .sort();
  }

  /** All resources that a search finds. */
  async search(url: string): Promise<Json[]> {
    const { status, body } = await fhir(this.app, 'GET', `${url}${url.includes('?') ? '&' : '?'}_count=1000`);
    expect({ url, status }).toEqual({ url, status: 200 });
    return (body.entry ?? []).map((it: Json) => it.resource);
  }

  /** Types of the resources that refer to one, each once; without the links of the record itself. */
  async referrers(type: string, id: string): Promise<string[]> {
    const found: string[] = [];
    for (const each of await this.app.store.types()) {
      const others = (await this.search(each)).filter((it) => each !== type || it.link === undefined);
      if (JSON.stringify(others).includes(`"${type}/${id}"`)) found.push(each);
    }
    return found.filter((it) => it !== 'MessageHeader' && it !== 'Provenance').sort();
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

  /** The appointment with a number of the hospital. */
  appointment(number = 'F7001'): Promise<Json> {
    return this.one(`Appointment?identifier=${number}`);
  }

  /** The follow-up of a visit, or of all. */
  async followUp(encounter?: Json): Promise<Record<'plans' | 'tasks' | 'appointments' | 'responses', Json[]>> {
    const of = (parameter: string): string => (encounter ? `?${parameter}=Encounter/${encounter.id}` : '');
    const [plans = [], tasks = [], appointments = [], responses = []] = await Promise.all(
      [
        `CarePlan${of('encounter')}`,
        `Task${of('encounter')}`,
        `Appointment${of('supporting-info')}`,
        `QuestionnaireResponse${of('encounter')}`,
      ].map((url) => this.search(url)),
    );
    return { plans, tasks, appointments, responses };
  }

  /** The same, by status. */
  async followed(encounter?: Json): Promise<Followed> {
    const { plans, tasks, appointments, responses } = await this.followUp(encounter);
    return {
      plans: statuses(plans),
      tasks: statuses(tasks),
      appointments: statuses(appointments),
      responses: statuses(responses),
    };
  }

  /** The patient who has a number now; who had it before a merge is another one. */
  async patient(number = '1001'): Promise<Json> {
    const found = await this.search(`Patient?identifier=${number}`);
    const [own, ...more] = found.filter((it) =>
      it.identifier.some((id: Json) => id.value === number && id.use !== 'old'),
    );
    expect({ number, more: more.length }).toEqual({ number, more: 0 });
    expect({ number, own }).toEqual({ number, own: expect.anything() });
    return own as Json;
  }

  /** Where a visit is and was: `active W1 101 01`, the ward first. */
  async places(visit: Json): Promise<string[]> {
    const all = ((visit.location ?? []) as Json[]).map(async ({ status, location }) => {
      const names: string[] = [];
      for (let at: string | undefined = location.reference; at; ) {
        const { name, partOf } = await this.read(at);
        names.unshift(name);
        at = partOf?.reference;
      }
      return [status, ...names].join(' ');
    });
    return (await Promise.all(all)).sort();
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

/** MSA-1, and of each ERR its code and place. */
export function readAnswer(text: string): Pick<Answered, 'ack' | 'errors'> {
  const segments = text.split('\r').map((it) => it.split('|'));
  const errors = segments
    .filter(([name]) => name === 'ERR')
    .map(([, , place = '', code = '']) => {
      const [segment, , field, , component] = place.split('^');
      const at = [segment, field && `-${field}`, component && `.${component}`].filter((it) => it).join('');
      return `${code.split('^')[0]} ${at}`.trim();
    });
  const ack = segments.find(([name]) => name === 'MSA')?.[1] ?? text;
  return { ack, ...(errors.length > 0 && { errors }) };
}

/** Codes of a list of CodeableConcepts or of what has them as `type`: `participantCodes` of a visit, sorted. */
export function roles(participants: readonly Json[]): string[] {
  return participants
    .flatMap((it) => it.type.flatMap((type: Json) => type.coding.map((coding: Json) => coding.code)))
    .sort();
}
