/** `Patient/$match`. R4 patient-operation-match.html. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { App } from '../../../src/app.ts';
import { errorsOf } from '../../../src/fhir/validate.ts';
import { startTestApp } from '../../support/app.ts';
import { clientOf, expectOutcome, ids, statuses } from '../client.ts';

let app: App;
const { call, put, remove, bundle, head } = clientOf(() => app);

const person = (id: string, mrn: string, family: string, given: string, birthDate: string, more: object = {}) => ({
  resourceType: 'Patient',
  id,
  identifier: [{ system: 'urn:mrn', value: mrn }],
  name: [{ family, given: [given] }],
  birthDate,
  ...more,
});

beforeAll(async () => {
  app = await startTestApp();
  await put(
    person('chen', '1', 'Chen', 'Wei', '1980-02-29', {
      gender: 'male',
      telecom: [{ system: 'phone', value: '13900001111' }],
    }),
  );
  await put(person('chen2', '2', 'Chen', 'Wei', '1981-05-05', { gender: 'male' }));
  await put(person('wang', '3', '王', '芳', '1975-11-11', { gender: 'female' }));
  await put(person('twin1', '4', 'Twin', 'A', '2000-01-01', { identifier: [{ system: 'urn:card', value: 'shared' }] }));
  await put(person('twin2', '5', 'Twin', 'B', '2000-01-01', { identifier: [{ system: 'urn:card', value: 'shared' }] }));
  await put(person('away', '6', 'Gone', 'Away', '1950-01-01', { active: false }));
  await put(person('dead', '7', 'Dead', 'Gone', '1940-01-01'));
  await remove('Patient/dead');
});
afterAll(() => app.stop());

const parameters = (resource: unknown, more: Record<string, boolean | number> = {}) => ({
  resourceType: 'Parameters',
  parameter: [
    { name: 'resource', resource },
    ...Object.entries(more).map(([name, value]) => ({
      name,
      [typeof value === 'number' ? 'valueInteger' : 'valueBoolean']: value,
    })),
  ],
});
const match = (resource: object, more?: Record<string, boolean | number>) =>
  call('POST', 'Patient/$match', parameters({ resourceType: 'Patient', ...resource }, more));

function graded(body: any): [string, string, number][] {
  return (body.entry ?? []).map(({ resource, search }: any) => [
    resource.id,
    search.extension[0].valueCode,
    search.score,
  ]);
}

const byMrn = (value: string) => ({ identifier: [{ system: 'urn:mrn', value }] });
const chen = { name: [{ family: 'Chen', given: ['Wei'] }], birthDate: '1980-02-29', gender: 'male' };

describe('$match', () => {
  test('answers a searchset with a score and a grade for each, the best first', async () => {
    const { status, body } = await match(chen);
    expect([status, body.type, errorsOf(body)]).toEqual([200, 'searchset', []]);
    const found = graded(body);
    expect(found[0]?.[0]).toBe('chen');
    expect(['probable', 'certain']).toContain(found[0]?.[1]);
    expect(found.map(([, , score]) => score)).toEqual([...found.map(([, , score]) => score)].sort((a, b) => b - a));
    expect(body.total).toBe(found.length);
    const [entry] = body.entry;
    expect(entry.fullUrl).toBe(`${app.http}/Patient/chen`);
    expect(entry.search.mode).toBe('match');
    expect(entry.search.extension[0].url).toBe('http://hl7.org/fhir/StructureDefinition/match-grade');
  });

  test('by an identifier is certain', async () => {
    expect(graded((await match(byMrn('3'))).body)).toEqual([['wang', 'certain', 1]]);
  });

  test.each([
    ['case and accents', { name: [{ family: 'CHÉN', given: ['wei'] }], birthDate: '1980-02-29' }],
    ['a typing error in the date', { ...chen, birthDate: '1980-02-28' }],
    [
      'a telephone number',
      { name: [{ family: 'Chen', given: ['W'] }], telecom: [{ system: 'phone', value: '139 0000 1111' }] },
    ],
    ['a bare resource in Parameters', chen],
  ])('finds by %s', async (_, wanted) => {
    expect(ids((await match(wanted)).body)).toContain('chen');
  });

  test('finds Chinese names, as text and in parts', async () => {
    for (const name of [{ family: '王', given: ['芳'] }, { text: '王芳' }])
      expect(ids((await match({ name: [name], birthDate: '1975-11-11' })).body)).toContain('wang');
  });

  test('takes a bare Patient as well', async () => {
    const { status, body } = await call('POST', 'Patient/$match', { resourceType: 'Patient', ...byMrn('1') });
    expect([status, ids(body)]).toEqual([200, ['chen']]);
  });

  test('with onlyCertainMatches gives one at most: two that are certain are not certain', async () => {
    expect(ids((await match(byMrn('1'), { onlyCertainMatches: true })).body)).toEqual(['chen']);
    const shared = { identifier: [{ system: 'urn:card', value: 'shared' }] };
    expect(ids((await match(shared)).body).sort()).toEqual(['twin1', 'twin2']);
    expect((await match(shared, { onlyCertainMatches: true })).body.entry).toBeUndefined();
    expect((await match(chen, { onlyCertainMatches: true })).body.total).toBe(0);
  });

  test('with count gives so many', async () => {
    const shared = { identifier: [{ system: 'urn:card', value: 'shared' }] };
    expect(ids((await match(shared, { count: 1 })).body)).toHaveLength(1);
    expect(ids((await match(shared, { count: 1_000_000 })).body)).toHaveLength(2);
    for (const count of [0, -1]) expectOutcome(await match(shared, { count }), 400);
  });

  test('finds nobody who was deleted or is not active, unless that is asked for', async () => {
    expect(ids((await match(byMrn('7'))).body)).toEqual([]);
    expect(ids((await match(byMrn('6'))).body)).toEqual([]);
    expect(ids((await match({ ...byMrn('6'), active: false })).body)).toEqual(['away']);
  });

  test('finds nobody for a Patient of whom nothing is known', async () => {
    const { status, body } = await match({});
    expect([status, body.total, body.entry]).toEqual([200, 0, undefined]);
  });

  test('writes nothing, and runs inside a Bundle', async () => {
    const before = await head();
    const entry = {
      resource: parameters({ resourceType: 'Patient', ...byMrn('1') }),
      request: { method: 'POST', url: 'Patient/$match' },
    };
    const { body } = await bundle('transaction', [entry]);
    expect([statuses(body), ids(body.entry[0].resource)]).toEqual([['200'], ['chen']]);
    expect(await head()).toBe(before);
  });

  test.each<[string, unknown, number[]]>([
    ['nothing', undefined, [400]],
    ['no resource', { resourceType: 'Parameters' }, [400]],
    ['another resource', parameters({ resourceType: 'Person' }), [400]],
    ['an unsound Patient', parameters({ resourceType: 'Patient', gender: 'm' }), [422]],
    ['a Patient that is a text', parameters('Patient'), [400, 422]],
    [
      'a count that is a text',
      {
        ...parameters({ resourceType: 'Patient' }),
        parameter: [
          { name: 'resource', resource: { resourceType: 'Patient' } },
          { name: 'count', valueString: 'x' },
        ],
      },
      [400],
    ],
    ['null', 'null', [400]],
  ])('of %s is refused', async (_, body, allowed) => {
    const answer = await call('POST', 'Patient/$match', body);
    expect(allowed).toContain(answer.status);
    expect(answer.body.resourceType).toBe('OperationOutcome');
  });

  test('of somebody whose name is an accent alone finds nobody', async () => {
    const { status, body } = await match({ name: [{ family: '!', given: ['\u1a55'] }] });
    expect([status, graded(body)]).toEqual([200, []]);
  });

  test('of any sound Patient answers, whatever is written in it', async () => {
    const text = fc
      .string({ unit: 'binary', minLength: 1, maxLength: 20 })
      .filter((it) => it.trim() !== '' && !/[\p{Cc}\ufffe\uffff]/u.test(it));
    const name = fc.record(
      { family: text, given: fc.array(text, { minLength: 1, maxLength: 2 }), text },
      { requiredKeys: [] },
    );
    const wanted = fc.record(
      {
        name: fc.array(
          name.filter((it) => Object.keys(it).length > 0),
          { minLength: 1, maxLength: 3 },
        ),
        birthDate: fc.constantFrom('1980', '1980-02', '1980-02-29', '0001-01-01'),
        telecom: fc.array(fc.record({ system: fc.constantFrom('phone', 'email'), value: text }), {
          minLength: 1,
          maxLength: 2,
        }),
        identifier: fc.array(fc.record({ system: fc.constantFrom('urn:mrn', 'urn:x'), value: text }), {
          minLength: 1,
          maxLength: 3,
        }),
      },
      { requiredKeys: [] },
    );
    await fc.assert(
      fc.asyncProperty(wanted, async (patient) => {
        const { status, body } = await match(patient);
        const sound = errorsOf({ resourceType: 'Patient', ...patient }).length === 0;
        expect([status, body.resourceType]).toEqual(sound ? [200, 'Bundle'] : [422, 'OperationOutcome']);
      }),
      { numRuns: 40 },
    );
  });
});
