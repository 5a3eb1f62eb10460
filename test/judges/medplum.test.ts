/** The first day with MedplumClient of @medplum/core: what its own functions do against this server. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type MedplumClient, normalizeErrorString, OperationOutcomeError } from '@medplum/core';
import type { Bundle, Patient } from '@medplum/fhirtypes';
import type { App } from '../../src/app.ts';
import { startTestApp } from '../support/app.ts';
import { idsOf, medplum, pulses, ward } from '../support/clients.ts';
import { type Database, databases } from '../support/databases.ts';

describe.each(databases)('MedplumClient on $name', ({ open }) => {
  let database: Database;
  let app: App;
  let client: MedplumClient;
  let doctor: string;
  let jane: string;
  let stay: string;

  beforeAll(async () => {
    database = await open();
    app = await startTestApp({ storeUrl: database.url });
    client = medplum(app);
    [doctor, jane, , stay] = idsOf(await client.executeBatch(ward())) as [string, string, string, string];
  });
  afterAll(async () => {
    await app.stop();
    await database.drop();
  });

  const patient = (value: string, more: Partial<Patient> = {}): Patient => ({
    resourceType: 'Patient',
    identifier: [{ system: 'urn:medplum', value }],
    ...more,
  });

  describe('keeps a resource:', () => {
    test('createResource gives it an id and a version, readResource and readReference give it back', async () => {
      const created = await client.createResource(patient('create', { gender: 'male' }));
      expect(created.meta).toEqual({ versionId: '1', lastUpdated: expect.any(String) });
      expect(await client.readResource('Patient', created.id)).toEqual(created);
      expect(await client.readReference({ reference: `Patient/${created.id}` })).toEqual(created);
    });

    test('updateResource makes a second version, readVersion still gives the first', async () => {
      const created = await client.createResource(patient('update', { gender: 'male' }));
      const updated = await client.updateResource<Patient>({ ...created, gender: 'female' });
      expect(updated).toMatchObject({ gender: 'female', meta: { versionId: '2' } });
      expect((await client.readVersion('Patient', created.id, '1')).gender).toBe('male');
    });

    test('updateResource without a change makes no version', async () => {
      const created = await client.createResource(patient('same'));
      expect(await client.updateResource(created)).toEqual(created);
    });

    test('createResourceIfNoneExist twice makes one', async () => {
      const create = (): Promise<Patient> =>
        client.createResourceIfNoneExist(patient('once'), 'identifier=urn:medplum|once');
      const first = await create();
      expect(await create()).toEqual(first);
      expect(await client.searchResources('Patient', 'identifier=urn:medplum|once')).toHaveLength(1);
    });

    test('upsertResource creates, then updates what it found', async () => {
      const upsert = (gender: Patient['gender']): Promise<Patient> =>
        client.upsertResource(patient('upsert', { ...(gender && { gender }) }), 'identifier=urn:medplum|upsert');
      const { id } = await upsert('male');
      expect(await upsert('female')).toMatchObject({ id, gender: 'female', meta: { versionId: '2' } });
    });

    test('patchResource gives the patched resource', async () => {
      const { id } = await client.createResource(patient('patch', { gender: 'male', active: true }));
      const patched = await client.patchResource('Patient', id, [
        { op: 'test', path: '/meta/versionId', value: '1' },
        { op: 'replace', path: '/gender', value: 'female' },
        { op: 'remove', path: '/active' },
      ]);
      expect(patched).toMatchObject({ gender: 'female', meta: { versionId: '2' } });
      expect(patched.active).toBeUndefined();
    });

    test('deleteResource leaves an error that says it was deleted', async () => {
      const { id } = await client.createResource(patient('delete'));
      await client.deleteResource('Patient', id);
      await expect(client.readResource('Patient', id)).rejects.toMatchObject({
        outcome: { issue: [{ code: 'deleted' }] },
      });
      const { entry } = await client.readHistory('Patient', id);
      expect(entry?.map((it) => it.request?.method)).toEqual(['DELETE', 'POST']);
    });

    test('readHistory begins with what came last, as many as asked for', async () => {
      const created = await client.createResource(patient('history'));
      await client.updateResource<Patient>({ ...created, active: true });
      const versions = (bundle: Bundle<Patient>): any => bundle.entry?.map((it) => it.resource?.meta?.versionId);
      expect(versions(await client.readHistory('Patient', created.id))).toEqual(['2', '1']);
      expect(versions(await client.readHistory('Patient', created.id, { count: 1 }))).toEqual(['2']);
    });

    test('createBinary keeps bytes, download gives them back', async () => {
      const data = Uint8Array.from({ length: 300 }, (_, i) => i);
      const binary = await client.createBinary({ data, contentType: 'application/pdf', filename: 'letter.pdf' });
      expect(binary).toMatchObject({ resourceType: 'Binary', contentType: 'application/pdf' });
      const blob = await client.download(client.fhirUrl('Binary', binary.id));
      expect([blob.type, new Uint8Array(await blob.arrayBuffer())]).toEqual(['application/pdf', data]);
    });

    test('createDocumentReference keeps a document, createComment a note', async () => {
      const document = await client.createDocumentReference({
        data: 'Rest and water.',
        contentType: 'text/plain',
        filename: 'advice.txt',
        additionalFields: { subject: { reference: `Patient/${jane}` } },
      });
      expect(document).toMatchObject({ meta: { versionId: '2' }, content: [{ attachment: { title: 'advice.txt' } }] });
      const encounter = await client.readResource('Encounter', stay);
      expect(await client.createComment(encounter, 'called her')).toMatchObject({
        resourceType: 'Communication',
        subject: { reference: `Patient/${jane}` },
        encounter: { reference: `Encounter/${stay}` },
      });
      await client.deleteResource('DocumentReference', document.id as string);
    });
  });

  describe('searches:', () => {
    test('searchResources takes text, an object and pairs', async () => {
      for (const query of [
        'family=muller&gender=female',
        { family: 'muller', gender: 'female' },
        [
          ['family', 'muller'],
          ['gender', 'female'],
        ],
        new URLSearchParams({ family: 'Müller', gender: 'female' }),
      ] as const)
        expect((await client.searchResources('Patient', query as string)).map((it) => it.id)).toEqual([jane]);
    });

    test('searchOne gives the first in the order asked for, or nothing', async () => {
      expect(await client.searchOne('Observation', { subject: `Patient/${jane}`, _sort: '-date' })).toMatchObject({
        valueQuantity: { value: 66 },
      });
      expect(await client.searchOne('Observation', { subject: 'Patient/nobody' })).toBeUndefined();
    });

    test('search gives the Bundle with its total, and what is included', async () => {
      const bundle = await client.search('Encounter', {
        'subject:Patient.birthdate': '1980-02-29',
        _include: 'Encounter:participant',
        _revinclude: 'Observation:encounter',
        _total: 'accurate',
      });
      expect(bundle.total).toBe(1);
      const modes = bundle.entry?.map((it) => it.search?.mode);
      expect(modes).toEqual(['match', ...Array(1 + pulses).fill('include')]);
      expect(bundle.entry?.some((it) => it.resource?.id === doctor)).toBe(true);
    });

    test('searchResourcePages walks over every match once', async () => {
      const pages: (number | undefined)[][] = [];
      for await (const page of client.searchResourcePages('Observation', `encounter=${stay}&_sort=-date&_count=3`))
        pages.push(page.map((it) => it.valueQuantity?.value));
      expect(pages).toEqual([[66, 65, 64], [63, 62, 61], [60]]);
    });

    test('a summary is marked, so that its cache leaves it out', async () => {
      const caching = medplum(app, { cacheTime: 10_000 });
      const [summary] = await caching.searchResources('Patient', { _id: jane, _elements: 'gender' });
      expect(summary).toMatchObject({ gender: 'female', meta: { tag: [{ code: 'SUBSETTED' }] } });
      expect(caching.getCached('Patient', jane)).toBeUndefined();
      expect(await caching.readResource('Patient', jane)).toMatchObject({ birthDate: '1980-02-29' });
    });

    test('readCanonical finds one of several types by its url', async () => {
      const url = 'http://example.org/Questionnaire/medplum';
      const { id } = await client.createResource({ resourceType: 'Questionnaire', url, status: 'active' });
      expect((await client.readCanonical('Questionnaire', url))?.id).toBe(id);
      expect((await client.readCanonical(['Questionnaire', 'PlanDefinition'], url))?.id).toBe(id);
    });
  });

  describe('sends many at once:', () => {
    test('a transaction whose references by urn:uuid become references to what was made', async () => {
      const encounter = await client.readResource('Encounter', stay);
      expect(encounter.subject?.reference).toBe(`Patient/${jane}`);
      expect(encounter.participant?.[0]?.individual?.reference).toBe(`Practitioner/${doctor}`);
    });

    test('a transaction of which one entry is wrong leaves nothing', async () => {
      const entry = (resource: Patient): any => ({ resource, request: { method: 'POST', url: 'Patient' } });
      const wrong = { birthDate: '1980-13-01' };
      await expect(
        client.executeBatch({
          resourceType: 'Bundle',
          type: 'transaction',
          entry: [entry(patient('half')), entry(patient('half', wrong))],
        }),
      ).rejects.toMatchObject({ outcome: { issue: [{ expression: ['Bundle.entry[1].resource.birthDate'] }] } });
      expect(await client.searchOne('Patient', 'identifier=urn:medplum|half')).toBeUndefined();
    });

    test('a transaction with conditional entries, more than eight of them', async () => {
      const entry = Array.from({ length: 12 }, (_, i): any => ({
        resource: patient(`many-${i}`),
        request: { method: 'POST', url: 'Patient', ifNoneExist: `identifier=urn:medplum|many-${i}` },
      }));
      const run = async (): Promise<any> =>
        (await client.executeBatch({ resourceType: 'Bundle', type: 'transaction', entry })).entry?.map((it) =>
          it.response?.status.slice(0, 3),
        );
      expect(await run()).toEqual(Array(12).fill('201'));
      expect(await run()).toEqual(Array(12).fill('200'));
    });

    test('reads that its autoBatchTime puts into one batch, each with its own end', async () => {
      const batching = medplum(app, { autoBatchTime: 5 });
      const [found, missing, pulse] = await Promise.allSettled([
        batching.readResource('Patient', jane),
        batching.readResource('Patient', 'nobody'),
        batching.searchResources('Observation', `subject=Patient/${jane}`),
      ]);
      expect(found).toMatchObject({ status: 'fulfilled', value: { id: jane } });
      expect(missing).toMatchObject({ status: 'rejected', reason: { outcome: { issue: [{ code: 'not-found' }] } } });
      expect(pulse.status === 'fulfilled' && pulse.value.length).toBe(pulses);
    });
  });

  describe('calls operations:', () => {
    test('readPatientEverything', async () => {
      const { entry = [] } = await client.readPatientEverything(jane);
      expect(entry.map((it) => it.resource?.id)).toEqual(expect.arrayContaining([jane, stay, doctor]));
      expect(entry.filter((it) => it.resource?.resourceType === 'Observation')).toHaveLength(pulses);
    });

    test('valueSetExpand with a filter and a count', async () => {
      const url = 'http://hl7.org/fhir/ValueSet/observation-status';
      const { expansion } = await client.valueSetExpand({ url, filter: 'am', count: 1 });
      expect(expansion?.contains?.map((it) => it.code)).toEqual(['amended']);
      expect(expansion?.total).toBeGreaterThanOrEqual(1);
    });

    test('validateResource says what is wrong', async () => {
      expect((await client.validateResource(patient('valid'))).issue[0]?.severity).toBe('information');
      const { issue } = await client.validateResource(patient('valid', { birthDate: 'yesterday' }));
      expect(issue).toMatchObject([{ severity: 'error', expression: ['Patient.birthDate'] }]);
    });

    test('$match, by post', async () => {
      const resource = patient('other', { identifier: [{ system: 'urn:ward', value: 'jane' }] });
      const found: Bundle = await client.post(client.fhirUrl('Patient', '$match'), {
        resourceType: 'Parameters',
        parameter: [{ name: 'resource', resource }],
      });
      expect(found.entry?.[0]?.resource?.id).toBe(jane);
    });

    test('the capability statement, by get', async () => {
      expect(await client.get(client.fhirUrl('metadata'))).toMatchObject({
        resourceType: 'CapabilityStatement',
        fhirVersion: '4.0.1',
      });
    });
  });

  describe('tells the user what is wrong as an OperationOutcomeError:', () => {
    test.each<[string, string, RegExp, () => PromiseLike<unknown>]>([
      ['an id that nobody has', 'not-found', /Patient/, () => client.readResource('Patient', 'nobody')],
      ['a type that is none', 'not-supported', /metadata/, () => client.readResource('Patienten' as 'Patient', '1')],
      ['a date that is none', 'structure', /birthdate/, () => client.search('Patient', 'birthdate=yesterday')],
      [
        'a parameter that is none, when it asked to be strict',
        'structure',
        /nome/,
        () => client.search('Patient', 'nome=x', { headers: { prefer: 'handling=strict' } }),
      ],
      [
        'a code that is none',
        'invalid',
        /Patient\.gender/,
        () => client.createResource(patient('x', { gender: 'x' as 'male' })),
      ],
      ['GraphQL, which we do not have', 'not-supported', /metadata/, () => client.graphql('{ PatientList { id } }')],
    ])('%s', async (_, code, text, run) => {
      const error: unknown = await Promise.resolve(run()).catch((it) => it);
      expect(error).toBeInstanceOf(OperationOutcomeError);
      expect((error as OperationOutcomeError).outcome.issue[0]).toMatchObject({ severity: 'error', code });
      expect(normalizeErrorString(error)).toMatch(text);
    });
  });
});
