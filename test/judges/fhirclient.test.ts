/** The first day with fhirclient, the SMART client: what its own functions do against this server. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { App } from '../../src/app.ts';
import { startTestApp } from '../support/app.ts';
import { idsOf, pulses, resourcesOf, type SmartClient, smart, ward } from '../support/clients.ts';
import { type Database, databases } from '../support/databases.ts';

const json = { 'content-type': 'application/fhir+json' };

describe.each(databases)('fhirclient on $name', ({ open }) => {
  let database: Database;
  let app: App;
  let client: SmartClient;
  let doctor: string;
  let jane: string;
  let stay: string;

  beforeAll(async () => {
    database = await open();
    app = await startTestApp({ storeUrl: database.url });
    client = smart(app);
    const made = await client.request({ url: '/', method: 'POST', body: JSON.stringify(ward()), headers: json });
    [doctor, jane, , stay] = idsOf(made) as [string, string, string, string];
  });
  afterAll(async () => {
    await app.stop();
    await database.drop();
  });

  const patient = (value: string, more: object = {}): any => ({
    resourceType: 'Patient',
    identifier: [{ system: 'urn:smart', value }],
    ...more,
  });
  const post = (url: string, body: object): Promise<any> =>
    client.request({ url, method: 'POST', body: JSON.stringify(body), headers: json });

  describe('keeps a resource:', () => {
    test('create gives it an id and a version, request reads it', async () => {
      const created: any = await client.create(patient('create', { gender: 'male' }));
      expect(created.meta).toEqual({ versionId: '1', lastUpdated: expect.any(String) });
      expect(await client.request(`Patient/${created.id}`)).toEqual(created);
    });

    test('create follows Location when it asked for no content', async () => {
      const created: any = await client.create(patient('minimal'), { headers: { prefer: 'return=minimal' } });
      expect(created).toMatchObject({ identifier: [{ value: 'minimal' }], meta: { versionId: '1' } });
    });

    test('includeResponse gives the headers too', async () => {
      const { body, response } = await client.create<any, { includeResponse: true }>(patient('headers'), {
        includeResponse: true,
      });
      expect([response.status, response.headers.get('etag')]).toEqual([201, 'W/"1"']);
      expect(response.headers.get('location')).toBe(`${app.http}/Patient/${body.id}/_history/1`);
    });

    test('update makes a second version; the first can still be read', async () => {
      const { id }: any = await client.create(patient('update', { gender: 'male' }));
      expect(await client.update(patient('update', { id, gender: 'female' }))).toMatchObject({
        gender: 'female',
        meta: { versionId: '2' },
      });
      expect(await client.request(`Patient/${id}/_history/1`)).toMatchObject({ gender: 'male' });
    });

    test('update with If-Match of an old version is refused', async () => {
      const { id }: any = await client.create(patient('if-match'));
      const update = (gender: string): Promise<any> =>
        client.update(patient('if-match', { id, gender }), { headers: { 'if-match': 'W/"1"' } });
      expect(await update('male')).toMatchObject({ meta: { versionId: '2' } });
      await expect(update('female')).rejects.toMatchObject({ status: 412 });
    });

    test('create with If-None-Exist twice makes one', async () => {
      const create = (): Promise<any> =>
        client.create(patient('once'), { headers: { 'if-none-exist': 'identifier=urn:smart|once' } });
      const first = await create();
      expect(await create()).toEqual(first);
    });

    test('a PUT to a search creates, then updates what it found', async () => {
      const put = (gender: string): Promise<any> =>
        client.request({
          url: 'Patient?identifier=urn:smart|upsert',
          method: 'PUT',
          body: JSON.stringify(patient('upsert', { gender })),
          headers: json,
        });
      const { id } = await put('male');
      expect(await put('female')).toMatchObject({ id, gender: 'female', meta: { versionId: '2' } });
    });

    test('patch gives the patched resource', async () => {
      const { id }: any = await client.create(patient('patch', { gender: 'male' }));
      const patched = await client.patch(`Patient/${id}`, [
        { op: 'replace', path: '/gender', value: 'female' },
        { op: 'add', path: '/identifier/-', value: { system: 'urn:smart', value: 'patched' } },
      ]);
      expect(patched).toMatchObject({
        gender: 'female',
        identifier: [{}, { value: 'patched' }],
        meta: { versionId: '2' },
      });
    });

    test('delete leaves 410 behind, and the history', async () => {
      const { id }: any = await client.create(patient('delete'));
      await client.delete(`Patient/${id}`);
      await expect(client.request(`Patient/${id}`)).rejects.toMatchObject({ status: 410, statusText: 'Gone' });
      const { entry } = await client.request(`Patient/${id}/_history`);
      expect(entry.map((it: any) => it.request.method)).toEqual(['DELETE', 'POST']);
    });
  });

  describe('reads many:', () => {
    test('flat gives the resources of one page', async () => {
      const found: any[] = await client.request(`Observation?encounter=${stay}&_sort=date&_count=3`, { flat: true });
      expect(found.map((it) => it.valueQuantity.value)).toEqual([60, 61, 62]);
    });

    test('pageLimit 0 and flat give every match once', async () => {
      const found: any[] = await client.request(`Observation?subject=Patient/${jane}&_sort=-date&_count=3`, {
        pageLimit: 0,
        flat: true,
      });
      expect(found.map((it) => it.valueQuantity.value)).toEqual([66, 65, 64, 63, 62, 61, 60]);
    });

    test('pageLimit 2 ends after two pages', async () => {
      const pages: any[] = await client.request(`Observation?subject=Patient/${jane}&_count=3`, { pageLimit: 2 });
      expect(pages.map((it) => it.entry.length)).toEqual([3, 3]);
    });

    test('onPage is told of each page', async () => {
      const sizes: number[] = [];
      await client.request(`Observation?subject=Patient/${jane}&_count=3`, {
        pageLimit: 0,
        onPage: (page: any) => void sizes.push(page.entry.length),
      });
      expect(sizes).toEqual([3, 3, 1]);
    });

    test('a history too, page by page', async () => {
      const { id }: any = await client.create(patient('history'));
      for (const gender of ['male', 'female', 'other']) await client.update(patient('history', { id, gender }));
      const versions: any[] = await client.request(`Patient/${id}/_history?_count=3`, { pageLimit: 0, flat: true });
      expect(versions.map((it) => [it.meta.versionId, it.gender])).toEqual([
        ['4', 'other'],
        ['3', 'female'],
        ['2', 'male'],
        ['1', undefined],
      ]);
    });

    test('with many parameters, chained and included', async () => {
      const bundle = await client.request(
        'Observation?code=http://loinc.org|8867-4&patient.identifier=urn:ward|jane&encounter.status=in-progress' +
          '&value-quantity=gt64||/min&date=ge2026-03-01&date=lt2026-03-07T00:00:00Z&_sort=-date&_include=Observation:subject',
      );
      expect(resourcesOf(bundle).map((it) => it.valueQuantity?.value ?? it.id)).toEqual([66, 65, jane]);
    });

    test('of the patient of the launch: its parameter is taken from our CapabilityStatement', async () => {
      const launched = smart(app, jane);
      expect(((await launched.patient.read()) as any).id).toBe(jane);
      for (const [type, count] of [
        ['Observation', pulses],
        ['Encounter', 1],
        ['Patient', 1],
        ['Condition', 0],
      ] as const) {
        const found: any[] = await launched.patient.request(type, { pageLimit: 0, flat: true });
        expect(found).toHaveLength(count);
      }
    });
  });

  describe('resolves references:', () => {
    test('as a graph: they stand where the reference stood', async () => {
      const encounter: any = await client.request(`Encounter/${stay}`, {
        resolveReferences: ['subject', 'subject.generalPractitioner', 'participant.0.individual'],
      });
      expect(encounter.subject).toMatchObject({ resourceType: 'Patient', id: jane });
      expect(encounter.participant[0].individual).toMatchObject({ resourceType: 'Practitioner', id: doctor });
      expect(encounter.subject.generalPractitioner).toMatchObject([{ resourceType: 'Practitioner', id: doctor }]);
    });

    test('beside the pages of a search', async () => {
      const { data, references } = await client.request(`Observation?subject=Patient/${jane}&_count=3`, {
        pageLimit: 0,
        flat: true,
        graph: false,
        resolveReferences: ['subject', 'encounter'],
      });
      expect(data).toHaveLength(pulses);
      expect(Object.keys(references).sort()).toEqual([`Encounter/${stay}`, `Patient/${jane}`].sort());
      expect(references[`Patient/${jane}`]).toMatchObject({ id: jane, birthDate: '1980-02-29' });
    });
  });

  describe('sends many at once:', () => {
    test('a batch of which one entry is wrong does the others', async () => {
      const answer = await post('/', {
        resourceType: 'Bundle',
        type: 'batch',
        entry: [
          { request: { method: 'GET', url: `Observation?subject=Patient/${jane}&_summary=count` } },
          { resource: patient('batch', { gender: 'x' }), request: { method: 'POST', url: 'Patient' } },
          { request: { method: 'DELETE', url: 'Patient?identifier=urn:smart|nobody' } },
        ],
      });
      expect(answer.entry.map((it: any) => it.response.status.slice(0, 3))).toEqual(['200', '422', '204']);
      expect(answer.entry[0].resource.total).toBe(pulses);
    });
  });

  describe('calls operations:', () => {
    test('$everything, over its pages', async () => {
      const all: any[] = await client.request(`Patient/${jane}/$everything?_count=4`, { pageLimit: 0, flat: true });
      expect(new Set(all.map((it) => it.id)).size).toBe(all.length);
      expect(all).toHaveLength(3 + pulses);
      expect(all.map((it) => it.id)).toEqual(expect.arrayContaining([jane, stay, doctor]));
    });

    test('$expand of a value set that it posted', async () => {
      const url = 'http://example.org/ValueSet/smart';
      const include = [
        { system: 'http://hl7.org/fhir/task-status', concept: [{ code: 'draft' }, { code: 'completed' }] },
      ];
      await client.create({ resourceType: 'ValueSet', url, status: 'active', compose: { include } } as any);
      const { expansion } = await client.request(`ValueSet/$expand?url=${encodeURIComponent(url)}`);
      expect(expansion.contains.map((it: any) => it.code)).toEqual(['draft', 'completed']);
    });

    test('$validate says what is wrong', async () => {
      const { issue } = await post('Observation/$validate', { resourceType: 'Observation', status: 'final' });
      expect(issue).toMatchObject([
        { severity: 'error', expression: ['Observation'], diagnostics: expect.stringMatching(/code/) },
      ]);
    });

    test('$match finds the patient again, with its score', async () => {
      const resource = patient('other', {
        name: [{ family: 'Muller', given: ['Jane'] }],
        gender: 'female',
        birthDate: '1980-02-29',
      });
      const { entry } = await post('Patient/$match', {
        resourceType: 'Parameters',
        parameter: [{ name: 'resource', resource }],
      });
      expect(entry[0]).toMatchObject({ resource: { id: jane }, search: { mode: 'match', score: expect.any(Number) } });
    });
  });

  test('knows the release of FHIR', async () => {
    expect([await client.getFhirVersion(), await client.getFhirRelease()]).toEqual(['4.0.1', 4]);
  });

  describe('tells the user what is wrong, with our OperationOutcome in the message:', () => {
    test.each<[string, number, RegExp, () => Promise<unknown>]>([
      ['a type that is none', 404, /not-supported/, () => client.request('Patienten/1')],
      ['an id that nobody has', 404, /not-found/, () => client.request('Patient/nobody')],
      ['a date that is none', 400, /birthdate/, () => client.request('Patient?birthdate=yesterday')],
      [
        'a parameter that is none, when it asked to be strict',
        400,
        /nome/,
        () => client.request({ url: 'Patient?nome=x', headers: { prefer: 'handling=strict' } }),
      ],
      ['a code that is none', 422, /Patient\.gender/, () => client.create(patient('x', { gender: 'x' }))],
      [
        'a patch to nowhere',
        422,
        /operation 0/,
        () => client.patch(`Encounter/${stay}`, [{ op: 'remove', path: '/name/0' }]),
      ],
    ])('%s', async (_, status, message, run) => {
      const error: any = await run().catch((it) => it);
      expect(error.status).toBe(status);
      expect(error.message).toMatch(/"resourceType": "OperationOutcome"/);
      expect(error.message).toMatch(message);
    });
  });
});
