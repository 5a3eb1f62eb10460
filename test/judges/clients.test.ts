/** Clients that we did not write: node-hl7-client sends a discharge, fhir-kit-client and MedplumClient read and write. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { MedplumClient } from '@medplum/core';
import type { Patient } from '@medplum/fhirtypes';
import { Client as FhirKitClient } from 'fhir-kit-client';
import { Client as Hl7Client, Message } from 'node-hl7-client';
import type { App } from '../../src/app.ts';
import { FixedClock } from '../../src/clock.ts';
import { portOf, settled, startTestApp } from '../support/app.ts';
import { discharge } from '../support/messages.ts';

const clock = new FixedClock('2026-03-16T02:30:00Z');
let app: App;
let acknowledged: string[];

/** Sends messages over one connection; gives MSA-1 of each answer. */
async function sendAll(texts: readonly string[]): Promise<string[]> {
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

beforeAll(async () => {
  app = await startTestApp({ clock });
  acknowledged = await sendAll([
    discharge({ event: 'A01', controlId: 'J1' }),
    discharge({ event: 'A03', controlId: 'J2' }),
  ]);
  await settled(app);
});
afterAll(() => app.stop());

/** What both readers are asked for. */
interface Reader {
  search(type: string, parameters: Record<string, string>): Promise<any[]>;
  read(type: string, id: string): Promise<any>;
}

function fhirKit(): FhirKitClient {
  return new FhirKitClient({ baseUrl: app.http });
}

function medplum(): MedplumClient {
  return new MedplumClient({
    baseUrl: `${new URL(app.http).origin}/`,
    fhirUrlPath: 'fhir/',
    cacheTime: 0,
    autoBatchTime: 0,
    maxRetries: 0,
    fetch,
  });
}

const readers: [string, () => Reader][] = [
  [
    'fhir-kit-client',
    () => {
      const client = fhirKit();
      return {
        async search(resourceType, searchParams) {
          const bundle: any = await client.search({ resourceType, searchParams });
          return (bundle.entry ?? []).map((it: any) => it.resource);
        },
        read: (resourceType, id) => client.read({ resourceType, id }),
      };
    },
  ],
  [
    'MedplumClient',
    () => {
      const client = medplum();
      return {
        search: async (type, parameters) => [...(await client.searchResources(type as 'Patient', parameters))],
        read: (type, id) => client.readResource(type as 'Patient', id),
      };
    },
  ],
];

test('node-hl7-client has its messages acknowledged', () => {
  expect(acknowledged).toEqual(['AA', 'AA']);
});

describe.each(readers)('%s reads what a discharge became', (_, make) => {
  let reader: Reader;
  let patient: any;
  let encounter: any;

  beforeAll(async () => {
    reader = make();
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

describe('fhir-kit-client', () => {
  test('creates, reads, updates, finds, pages and goes through the history', async () => {
    const client = fhirKit();
    const created: any = await client.create({
      resourceType: 'Patient',
      body: { resourceType: 'Patient', identifier: [{ system: 'urn:kit', value: '1' }], gender: 'male' },
    });
    expect(created.meta.versionId).toBe('1');
    const updated: any = await client.update({
      resourceType: 'Patient',
      id: created.id,
      body: { ...created, gender: 'female' },
    });
    expect([updated.gender, updated.meta.versionId]).toEqual(['female', '2']);
    const first: any = await client.vread({ resourceType: 'Patient', id: created.id, version: '1' });
    expect(first.gender).toBe('male');
    const found: any = await client.search({ resourceType: 'Patient', searchParams: { identifier: 'urn:kit|1' } });
    expect(found.entry.map((it: any) => it.resource.id)).toEqual([created.id]);
    const posted: any = await client.search({
      resourceType: 'Patient',
      searchParams: { identifier: 'urn:kit|1' },
      options: { postSearch: true },
    });
    expect(posted.entry).toHaveLength(1);
    const history: any = await client.history({ resourceType: 'Patient', id: created.id });
    expect(history.entry.map((it: any) => it.resource.meta.versionId)).toEqual(['2', '1']);
    const page: any = await client.search({ resourceType: 'Task', searchParams: { _count: 2 } });
    const next: any = await client.nextPage({ bundle: page });
    expect(next.entry[0].resource.id).not.toBe(page.entry[0].resource.id);
    await client.delete({ resourceType: 'Patient', id: created.id });
    await expect(client.read({ resourceType: 'Patient', id: created.id })).rejects.toMatchObject({
      response: { status: 410 },
    });
  });

  test('reads the capability statement and runs a transaction', async () => {
    const client = fhirKit();
    expect(await client.capabilityStatement()).toMatchObject({ fhirVersion: '4.0.1' });
    const answer: any = await client.transaction({
      body: {
        resourceType: 'Bundle',
        type: 'transaction',
        entry: [{ resource: { resourceType: 'Patient' }, request: { method: 'POST', url: 'Patient' } }],
      },
    });
    expect(answer.entry[0].response.status).toMatch(/^201/);
  });
});

describe('MedplumClient', () => {
  test('creates, reads, updates, finds and goes through the history', async () => {
    const client = medplum();
    const created = await client.createResource<Patient>({
      resourceType: 'Patient',
      identifier: [{ system: 'urn:medplum', value: '1' }],
      gender: 'male',
    });
    expect(created.meta?.versionId).toBe('1');
    const updated = await client.updateResource<Patient>({ ...created, gender: 'female' });
    expect([updated.gender, updated.meta?.versionId]).toEqual(['female', '2']);
    expect((await client.readVersion('Patient', created.id, '1')).gender).toBe('male');
    expect((await client.readReference({ reference: `Patient/${created.id}` })).id).toBe(created.id);
    const found = await client.searchOne('Patient', { identifier: 'urn:medplum|1' });
    expect(found?.id).toBe(created.id);
    const bundle = await client.search('Patient', 'identifier=urn:medplum|1&_total=accurate');
    expect(bundle.total).toBe(1);
    const history = await client.readHistory('Patient', created.id);
    expect(history.entry?.map((it) => it.resource?.meta?.versionId)).toEqual(['2', '1']);
    const seen: number[] = [];
    for await (const page of client.searchResourcePages('Task', { _count: '2' })) seen.push(page.length);
    expect(seen.length).toBeGreaterThanOrEqual(2);
    await client.deleteResource('Patient', created.id);
    await expect(client.readResource('Patient', created.id)).rejects.toThrow();
  });

  test('runs a batch and is told what is wrong with a resource', async () => {
    const client = medplum();
    const answer = await client.executeBatch({
      resourceType: 'Bundle',
      type: 'batch',
      entry: [
        { request: { method: 'GET', url: 'Patient?_count=1' } },
        { request: { method: 'GET', url: 'Patient/x' } },
      ],
    });
    expect(answer.entry?.map((it) => it.response?.status)).toEqual(['200', '404']);
    const wrong = { resourceType: 'Patient', gender: 'm' } as unknown as { resourceType: 'Patient' };
    await expect(client.createResource(wrong)).rejects.toMatchObject({ outcome: { resourceType: 'OperationOutcome' } });
  });
});
