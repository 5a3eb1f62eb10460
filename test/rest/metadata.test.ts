/** The CapabilityStatement promises nothing that is not there. R4 http.html#capabilities. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { App } from '../../src/app.ts';
import { errorsOf } from '../../src/fhir/validate.ts';
import { fhir, startTestApp } from '../support/app.ts';

interface Declared {
  readonly type: string;
  readonly interaction: readonly { readonly code: string }[];
  readonly searchParam: readonly { readonly name: string; readonly type: string; readonly definition: string }[];
  readonly searchInclude?: readonly string[];
}

let app: App;
let statement: any;
let declared: readonly Declared[];

beforeAll(async () => {
  app = await startTestApp();
  statement = (await fhir(app, 'GET', 'metadata')).body;
  declared = statement.rest[0].resource;
});
afterAll(() => app.stop());

const strict = { prefer: 'handling=strict' };

/** Gives what went wrong, in the order of the work; a few requests are under way at a time. */
async function all<T>(work: readonly T[], run: (it: T) => Promise<string | undefined>): Promise<string[]> {
  const wrong: string[] = [];
  const rest = work[Symbol.iterator]();
  const worker = async (): Promise<void> => {
    for (const it of rest) {
      const text = await run(it);
      if (text) wrong.push(text);
    }
  };
  await Promise.all(Array.from({ length: 8 }, worker));
  return wrong;
}

const sample: Record<string, string> = {
  token: 'x',
  string: 'x',
  date: '2026-03-16',
  reference: 'Patient/x',
  uri: 'urn:x',
};

describe('the capability statement', () => {
  test('is sound R4 and names the version, the formats and the base', () => {
    expect(errorsOf(statement)).toEqual([]);
    expect(statement).toMatchObject({
      resourceType: 'CapabilityStatement',
      kind: 'instance',
      fhirVersion: '4.0.1',
      implementation: { url: app.http },
    });
    expect(statement.format).toContain('application/fhir+json');
  });

  test('has every resource type once', () => {
    const types = declared.map((it) => it.type);
    expect(new Set(types).size).toBe(types.length);
    expect(types).toEqual(expect.arrayContaining(['Patient', 'Encounter', 'Bundle', 'Binary', 'Subscription']));
    expect(types.length).toBeGreaterThan(140);
  });

  test('names only search parameters that answer 200 to a strict client', async () => {
    const work = declared.flatMap(({ type, searchParam }) => searchParam.map((it) => ({ ...it, of: type })));
    expect(work.length).toBeGreaterThan(1500);
    const wrong = await all(work, async ({ of, name, type }) => {
      const value = sample[type];
      if (!value) return `${of}.${name}: no example of type ${type}`;
      const { status, body } = await fhir(app, 'GET', `${of}?${name}=${value}&_count=1`, undefined, strict);
      return status === 200 && body.type === 'searchset' ? undefined : `${of}.${name}: ${status}`;
    });
    expect(wrong).toEqual([]);
  });

  test('names each search parameter once per type, with its definition', () => {
    for (const { type, searchParam } of declared) {
      const names = searchParam.map((it) => it.name);
      expect([type, new Set(names).size]).toEqual([type, names.length]);
      for (const { definition } of searchParam)
        expect(definition).toMatch(/^http:\/\/hl7\.org\/fhir\/SearchParameter\//);
    }
  });

  test('names the parameters that R4 lists for InsurancePlan, also by the expression without a type', () => {
    const names = declared.find((it) => it.type === 'InsurancePlan')?.searchParam.map((it) => it.name);
    expect(names).toContain('name');
  });

  test('names only includes that a strict client can ask for', async () => {
    const work = declared.flatMap(({ type, searchInclude = [] }) =>
      searchInclude.map((include) => ({ type, include })),
    );
    const wrong = await all(work, async ({ type, include }) => {
      const { status } = await fhir(app, 'GET', `${type}?_include=${include}&_count=1`, undefined, strict);
      return status === 200 ? undefined : `${include}: ${status}`;
    });
    expect(wrong).toEqual([]);
  });

  test.each<[string, object]>([
    ['Patient', { active: true }],
    ['Basic', { code: { text: 'x' } }],
    ['Organization', { name: 'x' }],
    ['Bundle', { type: 'collection' }],
    ['Binary', { contentType: 'text/plain', data: 'eA==' }],
    ['Parameters', {}],
  ])('declares for %s interactions that work', async (type, content) => {
    const codes = declared.find((it) => it.type === type)?.interaction.map((it) => it.code);
    const body = { resourceType: type, id: 'm1', ...content };
    const runs: Record<string, () => Promise<number>> = {
      update: async () => (await fhir(app, 'PUT', `${type}/m1`, body)).status,
      create: async () => (await fhir(app, 'POST', type, body)).status,
      read: async () => (await fhir(app, 'GET', `${type}/m1`)).status,
      vread: async () => (await fhir(app, 'GET', `${type}/m1/_history/1`)).status,
      'history-instance': async () => (await fhir(app, 'GET', `${type}/m1/_history`)).status,
      'search-type': async () => (await fhir(app, 'GET', `${type}?_id=m1`)).status,
      delete: async () => (await fhir(app, 'DELETE', `${type}/m1`)).status,
    };
    expect([...(codes ?? [])].sort()).toEqual(Object.keys(runs).sort());
    const answers: [string, number][] = [];
    for (const [code, run] of Object.entries(runs)) answers.push([code, await run()]);
    expect(answers).toEqual([
      ['update', 201],
      ['create', 201],
      ['read', 200],
      ['vread', 200],
      ['history-instance', 200],
      ['search-type', 200],
      ['delete', 204],
    ]);
  });

  test('declares transaction and batch for the system, and both work', async () => {
    expect(statement.rest[0].interaction.map((it: any) => it.code).sort()).toEqual(['batch', 'transaction']);
    for (const type of ['batch', 'transaction'])
      expect((await fhir(app, 'POST', '', { resourceType: 'Bundle', type })).body.type).toBe(`${type}-response`);
  });

  test('does not declare what is refused', async () => {
    const patient = statement.rest[0].resource.find((it: any) => it.type === 'Patient');
    expect(patient).toMatchObject({ conditionalCreate: false, conditionalUpdate: false, updateCreate: true });
    expect((await fhir(app, 'PUT', 'Patient?identifier=x', { resourceType: 'Patient' })).status).toBe(405);
  });
});
