/** Walks /metadata: every interaction, search parameter, include and operation that it declares is tried, on both databases. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { App } from '../../src/app.ts';
import { type SearchParameter, SearchParameters } from '../../src/fhir/search/parameters.ts';
import { canonicalUnits, type SearchValue, wordsOf } from '../../src/fhir/search/values.ts';
import type { Resource, StoredResource } from '../../src/fhir/types.ts';
import { errorsOf } from '../../src/fhir/validate.ts';
import { filledResources } from '../fhir/examples.ts';
import { fhir, startTestApp, testConfig } from '../support/app.ts';
import { type Database, databases } from '../support/databases.ts';
import { smallest } from '../support/smallest.ts';

interface Declared {
  readonly type: string;
  readonly interaction: readonly { readonly code: string }[];
  readonly searchParam: readonly { readonly name: string; readonly type: string }[];
  readonly searchInclude?: readonly string[];
  readonly searchRevInclude?: readonly string[];
  readonly operation?: readonly { readonly name: string }[];
}

/** Gives what went wrong; a few requests are under way at a time. */
async function all<T>(work: readonly T[], run: (it: T) => Promise<string | undefined>): Promise<string[]> {
  const wrong: string[] = [];
  const rest = work[Symbol.iterator]();
  const worker = async (): Promise<void> => {
    for (const it of rest) {
      const text = await run(it).catch((error: Error) => error.message);
      if (text) wrong.push(text);
    }
  };
  await Promise.all(Array.from({ length: 8 }, worker));
  return wrong;
}

const strict = { prefer: 'handling=strict' };

/** A value as a client writes it, from what stands in the index; undefined for a row that is only for the server. */
function asked(value: SearchValue): string | undefined {
  const escaped = (text: string): string => text.replace(/[\\,|$]/g, '\\$&');
  switch (value.kind) {
    case 'token':
      return value.system === '' ? escaped(value.code) : `${escaped(value.system)}|${escaped(value.code)}`;
    case 'string':
      return escaped(value.text);
    case 'date':
      return `ge${new Date(value.low).toISOString()}`;
    case 'reference':
      return value.target === '' ? escaped(value.id) : `${value.target}/${value.id}`;
    case 'number':
      return String(value.low);
    case 'quantity':
      if (value.system === canonicalUnits) return undefined;
      return `le${value.high}|${escaped(value.system)}|${escaped(value.code)}`;
    case 'composite': {
      const parts = value.parts.map(asked);
      return parts.includes(undefined) ? undefined : parts.join('$');
    }
    case 'text':
      return [...wordsOf(value.text)][0];
    case 'position':
      return `${value.latitude}|${value.longitude}|1|km`;
  }
}

describe.each(databases)('what /metadata declares, on $name,', ({ open }) => {
  let app: App;
  let database: Database;
  let declared: readonly Declared[];
  let statement: any;
  const parameters = new SearchParameters(testConfig().zone);
  const examples = new Map<string, readonly Resource[]>();

  beforeAll(async () => {
    database = await open();
    app = await startTestApp({ storeUrl: database.url });
    statement = (await fhir(app, 'GET', 'metadata')).body;
    declared = statement.rest[0].resource;
    // Past the gate: with every element filled in, invariants that exclude one another cannot all hold.
    for (const { type } of declared) {
      const own = filledResources(type, 3);
      examples.set(type, own);
      await app.store.commit({
        cause: 'system:test',
        keys: own.map(({ id }) => ({ type, id: id as string })),
        decide: () => ({
          writes: own.map((resource) => ({
            type,
            id: resource.id as string,
            interaction: 'create',
            version: 1,
            at: 0,
            json: JSON.stringify(resource),
            added: parameters.extract({ ...resource, meta: { ...resource.meta, lastUpdated: '2026-03-16T02:30:00Z' } }),
            removed: [],
          })),
        }),
      });
    }
  }, 120_000);
  afterAll(async () => {
    await app?.stop();
    await database?.drop();
  });

  test('is sound R4', () => {
    expect(errorsOf(statement)).toEqual([]);
  });

  test('for every type: the interactions', async () => {
    const wrong = await all(declared, async ({ type, interaction }) => {
      const body = { ...smallest(type), id: 'walk' };
      const expected: Record<string, () => Promise<number>> = {
        update: async () => (await fhir(app, 'PUT', `${type}/walk`, body)).status - 1,
        create: async () => (await fhir(app, 'POST', type, smallest(type))).status - 1,
        patch: async () =>
          (
            await fhir(app, 'PATCH', `${type}/walk`, [{ op: 'add', path: '/language', value: 'en' }], {
              'content-type': 'application/json-patch+json',
            })
          ).status,
        read: async () => (await fhir(app, 'GET', `${type}/walk`)).status,
        vread: async () => (await fhir(app, 'GET', `${type}/walk/_history/1`)).status,
        'history-instance': async () => (await fhir(app, 'GET', `${type}/walk/_history`)).status,
        'history-type': async () => (await fhir(app, 'GET', `${type}/_history?_count=2`)).status,
        'search-type': async () => ((await fhir(app, 'GET', `${type}?_id=walk`)).body.entry?.length === 1 ? 200 : 0),
        delete: async () => (await fhir(app, 'DELETE', `${type}/walk`)).status - 4,
      };
      const codes = interaction.map(({ code }) => code);
      const unknown = codes.filter((code) => !expected[code]);
      const failed: string[] = [];
      for (const [code, run] of Object.entries(expected)) {
        if (!codes.includes(code)) failed.push(`${code} is not declared`);
        const status = await run();
        if (status !== 200) failed.push(`${code} ${status}`);
      }
      return unknown.length + failed.length === 0 ? undefined : `${type}: ${[...unknown, ...failed].join(', ')}`;
    });
    expect(wrong).toEqual([]);
  }, 120_000);

  test('for every type: the search parameters find what has their values', async () => {
    const work = declared.flatMap(({ type, searchParam }) => searchParam.map(({ name }) => ({ type, name })));
    expect(work.length).toBeGreaterThan(1800);
    let found = 0;
    const wrong = await all(work, async ({ type, name }) => {
      const [value, id] = exampleOf(type, name, parameters, examples.get(type) as StoredResource[]);
      const { status, body } = await fhir(
        app,
        'GET',
        `${type}?${name}=${encodeURIComponent(value)}&_count=1000`,
        undefined,
        strict,
      );
      if (status !== 200) return `${type}?${name}: ${status} ${JSON.stringify(body.issue)}`;
      if (id === undefined) return undefined;
      found++;
      return body.entry?.some((it: any) => it.resource.id === id)
        ? undefined
        : `${type}?${name}=${value} does not find ${id}`;
    });
    expect(wrong).toEqual([]);
    // Most parameters have a value in an example; the others have shown that they are taken.
    expect(found / work.length).toBeGreaterThan(0.8);
  }, 180_000);

  test('for every type: the includes', async () => {
    const work = declared.flatMap(({ type, searchInclude = [], searchRevInclude = [] }) => [
      ...searchInclude.map((it) => `${type}?_include=${it}`),
      ...searchRevInclude.filter((_, i) => i % 15 === 0).map((it) => `${type}?_revinclude=${it}`),
    ]);
    const wrong = await all(work, async (url) => {
      const { status } = await fhir(app, 'GET', `${url}&_count=1`, undefined, strict);
      return status === 200 ? undefined : `${url}: ${status}`;
    });
    expect(wrong).toEqual([]);
  }, 120_000);

  test('for the system: interactions, parameters and compartments', async () => {
    const codes = statement.rest[0].interaction.map((it: any) => it.code).sort();
    expect(codes).toEqual(['batch', 'history-system', 'search-system', 'transaction']);
    for (const type of ['batch', 'transaction'])
      expect((await fhir(app, 'POST', '', { resourceType: 'Bundle', type })).body.type).toBe(`${type}-response`);
    expect((await fhir(app, 'GET', '_history?_count=3')).body.entry).toHaveLength(3);
    for (const { name } of statement.rest[0].searchParam) {
      const [value] = exampleOf('Patient', name, parameters, examples.get('Patient') as StoredResource[]);
      const { status } = await fhir(
        app,
        'GET',
        `?${name}=${encodeURIComponent(value)}&_type=Patient,Encounter&_count=1`,
        undefined,
        strict,
      );
      expect([name, status]).toEqual([name, 200]);
    }
    for (const url of statement.rest[0].compartment as string[]) {
      const type = declared.find((it) => it.type.toLowerCase() === url.split('/').at(-1)?.toLowerCase())?.type;
      expect([url, (await fhir(app, 'GET', `${type}/r0/*?_count=1`)).status]).toEqual([url, 200]);
    }
  });

  test('every operation answers', async () => {
    const urls: Record<string, string> = {
      'Resource.validate': 'Patient/$validate',
      'Resource.meta': 'Patient/op/$meta',
      'Resource.meta-add': 'Patient/op/$meta-add',
      'Resource.meta-delete': 'Patient/op/$meta-delete',
      'Patient.everything': 'Patient/op/$everything',
      'Patient.match': 'Patient/$match',
      'Encounter.everything': 'Encounter/op/$everything',
      'ValueSet.expand': 'ValueSet/$expand?url=http://hl7.org/fhir/ValueSet/administrative-gender',
      'ValueSet.validate-code':
        'ValueSet/$validate-code?url=http://hl7.org/fhir/ValueSet/administrative-gender&code=male',
      'CodeSystem.lookup': 'CodeSystem/$lookup?system=http://hl7.org/fhir/administrative-gender&code=male',
      'CodeSystem.validate-code': 'CodeSystem/$validate-code?url=http://hl7.org/fhir/administrative-gender&code=male',
      'CodeSystem.subsumes':
        'CodeSystem/$subsumes?system=http://hl7.org/fhir/administrative-gender&codeA=male&codeB=female',
      'ConceptMap.translate':
        'ConceptMap/$translate?url=http://hl7.org/fhir/ConceptMap/cm-address-use-v3&system=http://hl7.org/fhir/address-use&code=home',
      'Subscription.status': 'Subscription/op/$status',
    };
    const patient = {
      resourceType: 'Patient',
      id: 'op',
      name: [{ family: '张', given: ['伟'] }],
      birthDate: '1980-02-29',
    };
    const meta = { resourceType: 'Parameters', parameter: [{ name: 'meta', valueMeta: { tag: [{ code: 'x' }] } }] };
    const posts: Record<string, object> = {
      'Resource.validate': patient,
      'Patient.match': patient,
      'Resource.meta-add': meta,
      'Resource.meta-delete': meta,
    };
    await fhir(app, 'PUT', 'Patient/op', patient);
    await fhir(app, 'PUT', 'Encounter/op', {
      ...smallest('Encounter'),
      id: 'op',
      subject: { reference: 'Patient/op' },
    });
    const subscription = {
      ...smallest('Subscription'),
      id: 'op',
      status: 'off',
      criteria: 'Patient?active=true',
      channel: { type: 'rest-hook', endpoint: 'http://127.0.0.1:9/x' },
    };
    expect((await fhir(app, 'PUT', 'Subscription/op', subscription)).status).toBe(201);
    const names = [
      ...statement.rest[0].operation.map((it: any) => `Resource.${it.name}`),
      ...declared.flatMap(({ type, operation = [] }) => operation.map(({ name }) => `${type}.${name}`)),
    ];
    expect([...names].sort()).toEqual(Object.keys(urls).sort());
    for (const name of names) {
      const body = posts[name];
      const { status } = await fhir(app, body ? 'POST' : 'GET', urls[name] as string, body);
      expect([name, status]).toEqual([name, 200]);
    }
  });
});

/** A value of the parameter from the examples, with the id of the one that has it. */
function exampleOf(
  type: string,
  name: string,
  parameters: SearchParameters,
  examples: readonly StoredResource[],
): [value: string, id?: string] {
  if (name === '_id') return [examples[0]?.id as string, examples[0]?.id as string];
  if (name === '_list') return ['none'];
  if (name === '_filter') return [`_id eq ${examples[1]?.id}`, examples[1]?.id as string];
  const parameter = parameters.of(type).get(name) as SearchParameter;
  for (const example of examples)
    for (const row of parameters.extract({
      ...example,
      meta: { ...example.meta, lastUpdated: '2026-03-16T02:30:00Z' },
    })) {
      const value = row.parameter.code === name ? asked(row.value) : undefined;
      if (value !== undefined) return [value, example.id];
    }
  const untested: Record<string, string> = {
    date: '2026-03-16',
    reference: 'Patient/x',
    number: '1',
    quantity: '1',
    special: '1|1',
    string: 'x',
    token: 'x',
    uri: 'urn:x',
  };
  if (parameter.kind === 'composite')
    return [parameter.components.map((it) => untested[it.parameter.declared]).join('$')];
  return [untested[parameter.declared] as string];
}
