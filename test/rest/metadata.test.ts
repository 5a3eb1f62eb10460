/** What /metadata says of the server; capabilities.test.ts tries every line of it. R4 http.html#capabilities. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { App } from '../../src/app.ts';
import { resourceTypes } from '../../src/fhir/definitions.ts';
import { errorsOf } from '../../src/fhir/validate.ts';
import { startTestApp } from '../support/app.ts';
import { clientOf, expectOutcome } from './client.ts';

let app: App;
let statement: any;

beforeAll(async () => {
  app = await startTestApp();
  statement = (await get('metadata')).body;
});
afterAll(() => app.stop());

const { get } = clientOf(() => app);

describe('the capability statement', () => {
  test('is sound R4 and names the version, the formats and the base', () => {
    expect(errorsOf(statement)).toEqual([]);
    expect(statement).toMatchObject({
      resourceType: 'CapabilityStatement',
      kind: 'instance',
      fhirVersion: '4.0.1',
      implementation: { url: app.http },
    });
    expect(statement.format).toEqual(expect.arrayContaining(['application/fhir+json', 'application/fhir+xml']));
    expect(statement.patchFormat).toContain('application/json-patch+json');
  });

  test('has every resource type once', () => {
    expect(statement.rest[0].resource.map((it: any) => it.type)).toEqual(resourceTypes);
  });

  test('names each search parameter once per type; those of R4 with their definition', () => {
    for (const { type, searchParam } of statement.rest[0].resource) {
      const names = searchParam.map((it: any) => it.name);
      expect([type, new Set(names).size]).toEqual([type, names.length]);
      for (const { name, definition } of searchParam)
        if (name !== '_list' && name !== '_filter')
          expect(definition).toMatch(/^http:\/\/hl7\.org\/fhir\/SearchParameter\//);
    }
  });

  test('names the parameters that R4 lists for InsurancePlan, also by the expression without a type', () => {
    const plan = statement.rest[0].resource.find((it: any) => it.type === 'InsurancePlan');
    expect(plan.searchParam.map((it: any) => it.name)).toContain('name');
  });

  test.each(['Patient', 'Binary', 'Parameters'])('says of %s what conditional interactions do', (type) => {
    const declared = statement.rest[0].resource.find((it: any) => it.type === type);
    expect(declared).toMatchObject({
      versioning: 'versioned-update',
      readHistory: true,
      updateCreate: true,
      conditionalCreate: true,
      conditionalUpdate: true,
      conditionalRead: 'full-support',
      conditionalDelete: 'multiple',
    });
  });

  test.each(['', '?mode=full', '?mode=normative'])('is given for %j', async (query) => {
    expect((await get(`metadata${query}`)).body.resourceType).toBe('CapabilityStatement');
  });

  test('is that of the terminology service for mode=terminology', async () => {
    const { status, body } = await get('metadata?mode=terminology');
    expect([status, body.resourceType, errorsOf(body)]).toEqual([200, 'TerminologyCapabilities', []]);
  });

  test('of a mode that is none is refused', async () => {
    expectOutcome(await get('metadata?mode=everything'), 400);
  });
});
