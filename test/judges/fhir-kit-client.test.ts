/** The first day with fhir-kit-client: what its own functions do against this server. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { CapabilityTool, Client } from 'fhir-kit-client';
import type { App } from '../../src/app.ts';
import { startTestApp } from '../support/app.ts';
import { fhirKit, idsOf, pulses, resourcesOf, ward } from '../support/clients.ts';
import { type Database, databases } from '../support/databases.ts';

describe.each(databases)('fhir-kit-client on $name', ({ open }) => {
  let database: Database;
  let app: App;
  let client: Client;
  let doctor: string;
  let jane: string;
  let john: string;
  let stay: string;

  beforeAll(async () => {
    database = await open();
    app = await startTestApp({ storeUrl: database.url });
    client = fhirKit(app);
    [doctor, jane, john, stay] = idsOf(await client.transaction({ body: ward() })) as [string, string, string, string];
  });
  afterAll(async () => {
    await app.stop();
    await database.drop();
  });

  const patient = (value: string, more: object = {}): any => ({
    resourceType: 'Patient',
    identifier: [{ system: 'urn:kit', value }],
    ...more,
  });
  const create = (body: any, headers: Record<string, string> = {}): Promise<any> =>
    client.create({ resourceType: 'Patient', body, options: { headers } });
  const read = (id: string): Promise<any> => client.read({ resourceType: 'Patient', id });
  const update = (body: any, headers: Record<string, string> = {}): Promise<any> =>
    client.update({ resourceType: 'Patient', id: body.id, body, options: { headers } });
  const search = (resourceType: string, searchParams: Record<string, any>): Promise<any> =>
    client.search({ resourceType, searchParams });
  const idsIn = (bundle: any): string[] => resourcesOf(bundle).map((it) => it.id);

  describe('keeps a resource:', () => {
    test('create gives it an id and a version, read gives it back', async () => {
      const created = await create(patient('create', { gender: 'male' }));
      expect(created.meta).toEqual({ versionId: '1', lastUpdated: expect.any(String) });
      expect(await read(created.id)).toEqual(created);
    });

    test('the HTTP answer of a create is at hand, with its headers', async () => {
      const created = await create(patient('headers'));
      const { response } = Client.httpFor(created);
      expect([response?.status, response?.headers.get('etag')]).toEqual([201, 'W/"1"']);
      expect(response?.headers.get('location')).toBe(`${app.http}/Patient/${created.id}/_history/1`);
    });

    test('update makes a second version, vread still gives the first', async () => {
      const { id } = await create(patient('update', { gender: 'male' }));
      const updated = await update(patient('update', { id, gender: 'female' }));
      expect(updated).toMatchObject({ gender: 'female', meta: { versionId: '2' } });
      expect(await client.vread({ resourceType: 'Patient', id, version: '1' })).toMatchObject({ gender: 'male' });
    });

    test('update makes a resource under an id that the client chose', async () => {
      const body = { resourceType: 'Patient', id: 'kit-own-id' };
      expect(await update(body)).toMatchObject({ id: body.id, meta: { versionId: '1' } });
    });

    test('update with If-Match of an old version is refused', async () => {
      const { id } = await create(patient('if-match'));
      const changed = (gender: string): Promise<any> =>
        update(patient('if-match', { id, gender }), { 'If-Match': 'W/"1"' });
      expect(await changed('male')).toMatchObject({ meta: { versionId: '2' } });
      await expect(changed('female')).rejects.toMatchObject({ response: { status: 412 } });
    });

    test('create with If-None-Exist twice makes one', async () => {
      const once = (): Promise<any> => create(patient('once'), { 'If-None-Exist': 'identifier=urn:kit|once' });
      const [first, second] = [await once(), await once()];
      expect(second).toEqual(first);
      expect(idsIn(await search('Patient', { identifier: 'urn:kit|once' }))).toEqual([first.id]);
    });

    test('update with searchParams creates, then updates what it found', async () => {
      const searchParams = { identifier: 'urn:kit|upsert' };
      const upsert = (gender: string): Promise<any> =>
        client.update({ resourceType: 'Patient', searchParams, body: patient('upsert', { gender }) });
      const { id } = await upsert('male');
      expect(await upsert('female')).toMatchObject({ id, gender: 'female', meta: { versionId: '2' } });
    });

    test('patch changes an element; a test that fails changes nothing', async () => {
      const { id } = await create(patient('patch', { gender: 'male' }));
      const patch = (expected: string): Promise<any> =>
        client.patch({
          resourceType: 'Patient',
          id,
          jsonPatch: [
            { op: 'test', path: '/gender', value: expected },
            { op: 'replace', path: '/gender', value: 'female' },
            { op: 'add', path: '/active', value: true },
          ],
        });
      expect(await patch('male')).toMatchObject({ gender: 'female', active: true, meta: { versionId: '2' } });
      await expect(patch('male')).rejects.toMatchObject({
        response: { status: 422, data: { resourceType: 'OperationOutcome' } },
      });
      expect(await read(id)).toMatchObject({ meta: { versionId: '2' } });
    });

    test('delete leaves 410 behind, and the history', async () => {
      const { id } = await create(patient('delete'));
      await client.delete({ resourceType: 'Patient', id });
      await expect(read(id)).rejects.toMatchObject({
        response: { status: 410, data: { issue: [{ code: 'deleted' }] } },
      });
      const history: any = await client.history({ resourceType: 'Patient', id });
      expect(history.entry.map((it: any) => it.request.method)).toEqual(['DELETE', 'POST']);
    });

    test('request reaches what has no function of its own: a conditional delete', async () => {
      await create(patient('gone'));
      await client.request('Patient?identifier=urn:kit|gone', { method: 'DELETE' });
      expect(idsIn(await search('Patient', { identifier: 'urn:kit|gone' }))).toEqual([]);
    });
  });

  describe('searches:', () => {
    test.each<[string, string, () => Record<string, any>, () => string[]]>([
      ['a token with its system', 'Patient', () => ({ identifier: 'urn:ward|jane' }), () => [jane]],
      ['a name without its accent', 'Patient', () => ({ family: 'muller', gender: 'male' }), () => [john]],
      ['a date with a prefix', 'Patient', () => ({ birthdate: 'lt1960', family: 'Müller' }), () => [john]],
      ['one parameter twice', 'Patient', () => ({ birthdate: ['ge1980', 'lt1981'] }), () => [jane]],
      ['a chain', 'Encounter', () => ({ 'subject:Patient.identifier': 'urn:ward|jane' }), () => [stay]],
      [
        'a chain of two',
        'Encounter',
        () => ({ 'patient.general-practitioner:Practitioner.name': 'okafor' }),
        () => [stay],
      ],
      ['the reverse of a chain', 'Patient', () => ({ '_has:Encounter:patient:status': 'in-progress' }), () => [jane]],
      ['several ids, sorted', 'Patient', () => ({ _id: `${jane},${john}`, _sort: 'birthdate' }), () => [john, jane]],
    ])('%s', async (_, type, parameters, expected) => {
      expect(idsIn(await search(type, parameters()))).toEqual(expected());
    });

    test('by POST as by GET', async () => {
      const searchParams = { subject: `Patient/${jane}`, 'value-quantity': 'ge65', _sort: 'date' };
      const got: any = await search('Observation', searchParams);
      const options = { postSearch: true };
      const posted: any = await client.search({ resourceType: 'Observation', searchParams, options });
      expect(resourcesOf(got).map((it) => it.valueQuantity.value)).toEqual([65, 66]);
      expect(posted.entry).toEqual(got.entry);
    });

    test('a compartment, by GET and by POST', async () => {
      const compartment = { resourceType: 'Patient', id: jane };
      const searchParams = { _summary: 'count' };
      for (const options of [{}, { postSearch: true }])
        expect(await client.search({ resourceType: 'Observation', compartment, searchParams, options })).toMatchObject({
          total: pulses,
        });
    });

    test('the system, by GET and by POST', async () => {
      const searchParams = { _type: 'Patient,Encounter', _id: `${jane},${stay}` };
      for (const options of [{}, { postSearch: true }])
        expect(idsIn(await client.search({ searchParams, options })).sort()).toEqual([jane, stay].sort());
    });

    test('with what is referred to and what refers', async () => {
      const bundle: any = await search('Encounter', {
        _id: stay,
        _include: ['Encounter:subject', 'Encounter:practitioner'],
        _revinclude: 'Observation:encounter',
      });
      const modes = bundle.entry.map((it: any) => `${it.search.mode} ${it.resource.resourceType}`).sort();
      expect(modes).toEqual(
        [
          'match Encounter',
          'include Patient',
          'include Practitioner',
          ...Array(pulses).fill('include Observation'),
        ].sort(),
      );
    });

    test('nextPage walks over every match once', async () => {
      const seen: number[] = [];
      const sizes: number[] = [];
      let page: any = await search('Observation', { subject: `Patient/${jane}`, _sort: '-date', _count: 3 });
      while (page) {
        sizes.push(page.entry.length);
        seen.push(...resourcesOf(page).map((it) => it.valueQuantity.value));
        page = await client.nextPage({ bundle: page });
      }
      expect(sizes).toEqual([3, 3, 1]);
      expect(seen).toEqual([66, 65, 64, 63, 62, 61, 60]);
    });

    test('resolve finds a reference in the Bundle, on the server, and contained', async () => {
      const bundle: any = await search('Encounter', { _id: stay, _include: 'Encounter:subject' });
      const [encounter] = resourcesOf(bundle);
      const subject: any = await client.resolve({ reference: encounter.subject.reference, context: bundle });
      expect(subject).toBe(bundle.entry[1].resource);
      const individual: any = await client.resolve({ reference: encounter.participant[0].individual.reference });
      expect(individual.id).toBe(doctor);
      const absolute: any = await client.resolve({ reference: `${app.http}/Patient/${john}` });
      expect(absolute.id).toBe(john);
      const holder = await create(
        patient('contained', {
          contained: [{ resourceType: 'Organization', id: 'home', name: 'Home' }],
          managingOrganization: { reference: '#home' },
        }),
      );
      await expect(client.resolve({ reference: '#home', context: holder })).resolves.toMatchObject({ name: 'Home' });
    });
  });

  test('is told of a parameter that is none, beside what was found without it', async () => {
    const bundle: any = await search('Patient', { identifier: 'urn:ward|jane', nome: 'x' });
    const [match, outcome] = bundle.entry;
    expect([match.search.mode, match.resource.id]).toEqual(['match', jane]);
    expect(outcome.search.mode).toBe('outcome');
    expect(outcome.resource.issue).toMatchObject([{ severity: 'warning', diagnostics: expect.stringMatching(/nome/) }]);
    expect(bundle.link[0].url).not.toMatch(/nome/);
  });

  describe('looks back:', () => {
    test('history of the resource, of its type and of the system begins with what came last', async () => {
      const { id } = await create(patient('history'));
      await update(patient('history', { id, active: true }));
      for (const level of [{ resourceType: 'Patient', id }, { resourceType: 'Patient' }, {}]) {
        const { type, entry }: any = await client.history(level);
        expect(type).toBe('history');
        expect(entry.slice(0, 2).map((it: any) => [it.resource.id, it.response.etag])).toEqual([
          [id, 'W/"2"'],
          [id, 'W/"1"'],
        ]);
      }
    });
  });

  describe('sends many at once:', () => {
    test('a transaction whose references by urn:uuid become references to what was made', async () => {
      const encounter: any = await client.read({ resourceType: 'Encounter', id: stay });
      expect(encounter.subject.reference).toBe(`Patient/${jane}`);
      expect(encounter.participant[0].individual.reference).toBe(`Practitioner/${doctor}`);
    });

    test('a transaction of which one entry is wrong leaves nothing', async () => {
      const post = (resource: any): any => ({ resource, request: { method: 'POST', url: 'Patient' } });
      const entry = [post(patient('half')), post(patient('half', { gender: 'x' }))];
      await expect(
        client.transaction({ body: { resourceType: 'Bundle', type: 'transaction', entry } as any }),
      ).rejects.toMatchObject({
        response: { status: 422, data: { issue: [{ expression: ['Bundle.entry[1].resource.gender'] }] } },
      });
      expect(idsIn(await search('Patient', { identifier: 'urn:kit|half' }))).toEqual([]);
    });

    test('a batch of which one entry is wrong does the others', async () => {
      const answer: any = await client.batch({
        body: {
          resourceType: 'Bundle',
          type: 'batch',
          entry: [
            { request: { method: 'GET', url: `Patient/${jane}` } },
            { request: { method: 'GET', url: 'Patient/nobody' } },
            { resource: patient('batch'), request: { method: 'POST', url: 'Patient' } },
          ],
        } as any,
      });
      expect(answer.type).toBe('batch-response');
      expect(answer.entry.map((it: any) => it.response.status.slice(0, 3))).toEqual(['200', '404', '201']);
      expect(answer.entry[0].resource.id).toBe(jane);
      expect(answer.entry[1].response.outcome.resourceType).toBe('OperationOutcome');
    });
  });

  describe('calls operations:', () => {
    test('$everything of a patient', async () => {
      const bundle: any = await client.operation({
        name: 'everything',
        resourceType: 'Patient',
        id: jane,
        method: 'GET',
      });
      expect(idsIn(bundle)).toEqual(expect.arrayContaining([jane, stay, doctor]));
      expect(bundle.entry).toHaveLength(3 + pulses);
    });

    test('$expand with a filter', async () => {
      const { expansion }: any = await client.operation({
        name: '$expand',
        resourceType: 'ValueSet',
        method: 'GET',
        input: { url: 'http://hl7.org/fhir/ValueSet/administrative-gender', filter: 'fem' },
      });
      expect(expansion.contains.map((it: any) => it.code)).toEqual(['female']);
    });

    test('$validate says what is wrong and keeps nothing', async () => {
      const validate = (resource: any): Promise<any> =>
        client.operation({
          name: 'validate',
          resourceType: 'Patient',
          input: { resourceType: 'Parameters', parameter: [{ name: 'resource', resource }] } as any,
        });
      expect((await validate(patient('valid'))).issue[0].severity).toBe('information');
      const { issue } = await validate(patient('valid', { birthDate: 'yesterday' }));
      expect(issue[0]).toMatchObject({ severity: 'error', expression: ['Patient.birthDate'] });
      expect(idsIn(await search('Patient', { identifier: 'urn:kit|valid' }))).toEqual([]);
    });

    test('$match finds the patient again', async () => {
      const resource = {
        resourceType: 'Patient',
        identifier: [{ system: 'urn:ward', value: 'jane' }],
        birthDate: '1980-02-29',
      };
      const bundle: any = await client.operation({
        name: 'match',
        resourceType: 'Patient',
        input: {
          resourceType: 'Parameters',
          parameter: [
            { name: 'resource', resource },
            { name: 'onlyCertainMatches', valueBoolean: true },
          ],
        } as any,
      });
      expect(idsIn(bundle)).toEqual([jane]);
    });
  });

  describe('asks what the server can:', () => {
    test('its CapabilityTool reads our statement', async () => {
      const tool = new CapabilityTool((await client.capabilityStatement()) as any);
      expect(tool.serverCan('transaction')).toBe(true);
      expect(tool.resourceCan('Patient', 'patch')).toBe(true);
      expect(tool.resourceSearch('Patient', 'birthdate')).toBe(true);
      expect(tool.interactionsFor({ resourceType: 'Task' })).toEqual(
        expect.arrayContaining(['read', 'vread', 'update', 'patch', 'delete', 'create', 'search-type', 'history-type']),
      );
    });

    test('smartAuthMetadata finds no authorisation, and no error', async () => {
      const { authorizeUrl, tokenUrl } = await client.smartAuthMetadata();
      expect([authorizeUrl, tokenUrl]).toEqual([undefined, undefined]);
    });
  });

  describe('tells the user what is wrong:', () => {
    test.each<[string, number, string, () => Promise<unknown>]>([
      ['a type that is none', 404, 'not-supported', () => client.request('Patienten/1')],
      ['an id that nobody has', 404, 'not-found', () => read('nobody')],
      ['a date that is none', 400, 'structure', () => search('Patient', { birthdate: 'yesterday' })],
      [
        'a parameter that is none, when it asked to be strict',
        400,
        'structure',
        () => client.request('Patient?nome=x', { options: { headers: { prefer: 'handling=strict' } } }),
      ],
      ['an id that is none', 400, 'structure', () => update({ resourceType: 'Patient', id: 'a b' })],
      ['a code that is none', 422, 'invalid', () => create(patient('x', { gender: 'x' }))],
    ])('%s', async (_, status, code, run) => {
      await expect(run()).rejects.toMatchObject({
        response: { status, data: { resourceType: 'OperationOutcome', issue: [{ severity: 'error', code }] } },
      });
    });
  });
});
