/** Clients that we did not write: node-hl7-client sends a discharge; fhir-kit-client, fhirclient and MedplumClient read it. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Client as Hl7Client, Message } from 'node-hl7-client';
import type { App } from '../../src/app.ts';
import { FixedClock } from '../../src/clock.ts';
import { portOf, settled, startTestApp } from '../support/app.ts';
import { fhirKit, medplum, resourcesOf, smart } from '../support/clients.ts';
import { type Database, databases } from '../support/databases.ts';
import { discharge } from '../support/messages.ts';

/** Sends messages over one connection; gives MSA-1 of each answer. */
async function sendAll(app: App, texts: readonly string[]): Promise<string[]> {
  const client = new Hl7Client({ host: '127.0.0.1', version: '2.5.1' });
  const codes: string[] = [];
  let arrived: () => void = () => {};
  const connection = client.createConnection(
    { port: portOf(app.mllp), version: '2.5.1', waitAck: true },
    (response) => {
      codes.push(response.getMessage().get('MSA.1').toString());
      arrived();
    },
  );
  for (const text of texts) {
    const answer = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    await connection.sendMessage(new Message({ text }));
    await answer;
  }
  await connection.close();
  return codes;
}

/** What all three readers are asked for. */
interface Reader {
  search(type: string, parameters: Record<string, string>): Promise<any[]>;
  read(type: string, id: string): Promise<any>;
}

const readers: [string, (app: App) => Reader][] = [
  [
    'fhir-kit-client',
    (app) => {
      const client = fhirKit(app);
      return {
        search: async (resourceType, searchParams) => resourcesOf(await client.search({ resourceType, searchParams })),
        read: (resourceType, id) => client.read({ resourceType, id }),
      };
    },
  ],
  [
    'fhirclient',
    (app) => {
      const client = smart(app);
      return {
        search: (type, parameters) => client.request(`${type}?${new URLSearchParams(parameters)}`, { flat: true }),
        read: (type, id) => client.request(`${type}/${id}`),
      };
    },
  ],
  [
    'MedplumClient',
    (app) => {
      const client = medplum(app);
      return {
        search: async (type, parameters) => [...(await client.searchResources(type as 'Patient', parameters))],
        read: (type, id) => client.readResource(type as 'Patient', id),
      };
    },
  ],
];

describe.each(databases)('on $name,', ({ open }) => {
  let database: Database;
  let app: App;
  let acknowledged: string[];

  beforeAll(async () => {
    database = await open();
    app = await startTestApp({ storeUrl: database.url, clock: new FixedClock('2026-03-16T02:30:00Z') });
    const events = [discharge({ event: 'A01', controlId: 'J1' }), discharge({ event: 'A03', controlId: 'J2' })];
    acknowledged = await sendAll(app, events);
    await settled(app);
  });
  afterAll(async () => {
    await app.stop();
    await database.drop();
  });

  test('node-hl7-client has its messages acknowledged', () => {
    expect(acknowledged).toEqual(['AA', 'AA']);
  });

  describe.each(readers)('%s reads what a discharge became', (_, make) => {
    let reader: Reader;
    let patient: any;
    let encounter: any;

    beforeAll(async () => {
      reader = make(app);
      [patient] = await reader.search('Patient', { identifier: '1001' });
      [encounter] = await reader.search('Encounter', { status: 'finished' });
    });

    test('the Patient, found by identifier', async () => {
      expect(patient).toMatchObject({ resourceType: 'Patient', gender: 'female', birthDate: '1980-02-29' });
      expect(patient.name[0]).toMatchObject({ family: 'Doe', given: ['Jane'] });
      expect(await reader.read('Patient', patient.id)).toEqual(patient);
    });

    test('the Encounter, finished, of the Patient', () => {
      expect(encounter).toMatchObject({
        resourceType: 'Encounter',
        status: 'finished',
        subject: { reference: `Patient/${patient.id}` },
        period: { end: '2026-03-16T10:00:00+08:00' },
      });
    });

    test('an active CarePlan of the Encounter', async () => {
      const plans = await reader.search('CarePlan', { encounter: `Encounter/${encounter.id}` });
      expect(plans).toHaveLength(1);
      expect(plans[0]).toMatchObject({
        status: 'active',
        intent: 'plan',
        subject: { reference: `Patient/${patient.id}` },
      });
    });

    test('at least four Tasks of the Encounter, each for the Patient', async () => {
      const tasks = await reader.search('Task', { encounter: `Encounter/${encounter.id}` });
      expect(tasks.length).toBeGreaterThanOrEqual(4);
      for (const task of tasks) {
        expect(task.for).toMatchObject({ reference: `Patient/${patient.id}` });
        expect(task.encounter).toMatchObject({ reference: `Encounter/${encounter.id}` });
      }
    });

    test('a proposed Appointment that the Encounter supports', async () => {
      const appointments = await reader.search('Appointment', { 'supporting-info': `Encounter/${encounter.id}` });
      expect(appointments).toHaveLength(1);
      expect(appointments[0].status).toBe('proposed');
      expect(appointments[0].supportingInformation).toContainEqual(
        expect.objectContaining({ reference: `Encounter/${encounter.id}` }),
      );
    });

    test('a QuestionnaireResponse in progress, of the Encounter', async () => {
      const responses = await reader.search('QuestionnaireResponse', { encounter: `Encounter/${encounter.id}` });
      expect(responses.length).toBeGreaterThanOrEqual(1);
      for (const response of responses)
        expect(response).toMatchObject({ status: 'in-progress', subject: { reference: `Patient/${patient.id}` } });
    });

    test('everything that the CarePlan refers to', async () => {
      const [plan] = await reader.search('CarePlan', { subject: `Patient/${patient.id}` });
      const references: string[] = (plan.activity ?? []).flatMap((it: any) => it.reference?.reference ?? []);
      expect(references.length).toBeGreaterThanOrEqual(5);
      for (const reference of references) {
        const [type, id] = reference.split('/') as [string, string];
        expect((await reader.read(type, id)).id).toBe(id);
      }
    });
  });
});
