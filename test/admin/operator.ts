/** A server with a small mapping of its own, and an operator who asks it. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { App } from '../../src/app.ts';
import { FixedClock } from '../../src/clock.ts';
import type { Json } from '../../src/fhir/types.ts';
import { fhir, settled, startTestApp, temporaryFolder } from '../support/app.ts';

/** Files of a mapping by their path below `mappings/`. */
export type MappingTexts = Readonly<Record<string, string>>;

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Json;
}

const headers = { 'content-type': 'application/json' };

export class Operator {
  readonly clock = new FixedClock('2026-03-16T02:31:00Z');
  readonly #folder = temporaryFolder();
  #app: App | undefined;

  private constructor(mapping: MappingTexts) {
    for (const kind of ['messages', 'segments', 'datatypes', 'tables', 'sites'])
      mkdirSync(join(this.#folder.path, 'mappings', kind), { recursive: true });
    this.#write(mapping);
  }

  static async open(mapping: MappingTexts): Promise<Operator> {
    const operator = new Operator(mapping);
    await operator.#start();
    return operator;
  }

  #write(mapping: MappingTexts): void {
    for (const [path, text] of Object.entries(mapping)) writeFileSync(join(this.#folder.path, 'mappings', path), text);
  }

  async #start(): Promise<void> {
    const mappings = join(this.#folder.path, 'mappings');
    const sqlitePath = join(this.#folder.path, 'test.db');
    this.#app = await startTestApp({ sqlitePath, clock: this.clock, config: { mappings } });
    await settled(this.#app);
  }

  get app(): App {
    return this.#app as App;
  }

  /** `http://127.0.0.1:PORT`. */
  get server(): string {
    return new URL(this.app.http).origin;
  }

  /** Stops and starts the server, with other mapping files when some are given. */
  async restart(mapping: MappingTexts = {}): Promise<void> {
    await this.app.stop();
    this.#write(mapping);
    await this.#start();
  }

  async close(): Promise<void> {
    await this.app.stop();
    this.#folder.remove();
  }

  /** Sends a message over HTTP; gives MSA-1. Everything has followed. */
  async send(message: string | Uint8Array): Promise<string> {
    const body = typeof message === 'string' ? Buffer.from(message) : message;
    const response = await fetch(`${this.server}/hl7v2`, { method: 'POST', body: body as unknown as string });
    const text = await response.text();
    await settled(this.app);
    return /\rMSA\|(\w\w)/.exec(text)?.[1] ?? text;
  }

  async get(path: string): Promise<Reply> {
    const response = await fetch(`${this.server}/admin${path}`);
    return { status: response.status, headers: response.headers, body: (await response.json()) as Json };
  }

  /** Posts and waits until everything has followed. */
  async post(path: string, body: unknown = {}, more: Record<string, string> = {}): Promise<Reply> {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const response = await fetch(`${this.server}/admin${path}`, {
      method: 'POST',
      headers: { ...headers, ...more },
      body: text,
    });
    await settled(this.app);
    return { status: response.status, headers: response.headers, body: (await response.json()) as Json };
  }

  /** The only resource of a type. */
  async one(type: string): Promise<Json> {
    const { body } = await fhir(this.app, 'GET', `${type}?_count=100`);
    if (body.entry?.length !== 1) throw new Error(`${body.entry?.length ?? 0} of ${type}`);
    return body.entry[0].resource;
  }

  async put(resource: Json): Promise<void> {
    await fhir(this.app, 'PUT', `${resource.resourceType}/${resource.id}`, resource);
    await settled(this.app);
  }
}

/** PID-Patient with these rows. */
export function patientRows(...rows: readonly string[]): string {
  const all = ['{ field: PID-3, to: "identifier[number].value" }', ...rows];
  return `segment: PID
resource: Patient
identity:
  - [PID-3.1]
rows:
${all.map((row) => `  - ${row}`).join('\n')}
`;
}

export const sexRow = '{ field: PID-8, to: gender, type: CWE-code, table: Sex }';

export const smallMapping: MappingTexts = {
  'messages/ADT_A01.yaml': `message: ADT_A01
events: [A01, A08]
segments: [PID]
require: [PID-3.1]
maps:
  - { segment: PID, map: PID-Patient }
  - { segment: DG1, map: DG1-Condition }
  - { segment: MSH, map: MSH-Provenance }
`,
  'segments/PID-Patient.yaml': patientRows(
    sexRow,
    '{ field: PID-7, to: birthDate }',
    '{ field: PID-5.1, to: "name[main].family" }',
    '{ field: PID-13, to: "telecom[home].value" }',
    '{ to: "telecom[home].system", value: phone, when: { valued: PID-13 } }',
    '{ field: PID-14, to: "telecom[work].value" }',
    '{ to: "telecom[work].system", value: phone, when: { valued: PID-14 } }',
    '{ field: PID-16, to: maritalStatus, table: Marital }',
    '{ field: PID-31, nowhere: "nobody asks for it" }',
  ),
  'segments/DG1-Condition.yaml': `segment: DG1
resource: Condition
identity:
  - ["@Patient", DG1-3.1]
rows:
  - { to: subject, reference: Patient }
  - { field: DG1-3, to: code }
`,
  'segments/MSH-Provenance.yaml': `segment: MSH
resource: Provenance
identity:
  - [MSH-10]
rows:
  - { to: "target[]", reference: Patient }
  - { to: recorded, type: received-instant }
  - { to: "agent[a].who", value: { display: us } }
  - { field: MSH-10, to: "entity[m].what.identifier.value" }
  - { to: "entity[m].role", value: source }
`,
  'tables/Sex.json': JSON.stringify({
    resourceType: 'ConceptMap',
    group: [
      {
        source: 'http://terminology.hl7.org/CodeSystem/v2-0001',
        target: 'http://hl7.org/fhir/administrative-gender',
        element: [
          { code: 'F', target: [{ code: 'female', equivalence: 'equivalent' }] },
          { code: 'M', target: [{ code: 'male', equivalence: 'equivalent' }] },
        ],
      },
    ],
  }),
  'tables/Marital.json': JSON.stringify({
    resourceType: 'ConceptMap',
    group: [
      {
        source: 'http://terminology.hl7.org/CodeSystem/v2-0002',
        target: 'http://terminology.hl7.org/CodeSystem/v3-MaritalStatus',
        element: [{ code: 'M', target: [{ code: 'M', display: 'Married', equivalence: 'equivalent' }] }],
      },
    ],
  }),
};

export interface Said {
  readonly id?: string;
  readonly patient?: string;
  /** Hours after midnight. */
  readonly at?: number;
  readonly event?: string;
  readonly fields?: Readonly<Record<number, string>>;
  readonly more?: readonly string[];
}

/** A small ADT of patient 1001 at RENHE. */
export function adt({ id = 'C1', patient = '1001', at = 8, event = 'A08', fields = {}, more = [] }: Said = {}): string {
  const time = `20260316${String(at).padStart(2, '0')}0000`;
  const pid = ['PID', ...Array.from({ length: 40 }, (_, i) => fields[i + 1] ?? '')];
  pid[3] = patient;
  return [
    `MSH|^~\\&|HIS|RENHE|||${time}||ADT^${event}|${id}|P|2.5.1`,
    `EVN|${event}|${time}`,
    pid.join('|').replace(/\|+$/, ''),
    ...more,
    '',
  ].join('\r');
}
