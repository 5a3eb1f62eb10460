/** `Patient/$everything` and `Encounter/$everything`. R4 patient-operation-everything.html, encounter-operation-everything.html. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { App } from '../../../src/app.ts';
import { FixedClock } from '../../../src/clock.ts';
import { startTestApp } from '../../support/app.ts';
import { clientOf, expectOutcome, linkOf, type Resource } from '../client.ts';

const clock = new FixedClock('2026-03-16T02:00:00Z');
let app: App;
const { call, get, put, remove, pages, below } = clientOf(() => app);

const ref = (reference: string) => ({ reference });
const encounter = (id: string, subject: string, start: string, more: object = {}): Resource => ({
  resourceType: 'Encounter',
  id,
  status: 'in-progress',
  class: { code: 'IMP' },
  subject: ref(subject),
  period: { start, end: start },
  ...more,
});
const observation = (id: string, subject: string, date: string | undefined, more: object = {}): Resource => ({
  resourceType: 'Observation',
  id,
  status: 'final',
  code: { text: 'x' },
  subject: ref(subject),
  ...(date && { effectiveDateTime: date }),
  ...more,
});

/** What belongs to patient `a`, and what does not. */
const world: Resource[] = [
  { resourceType: 'Organization', id: 'ward', name: 'ward', partOf: ref('Organization/top') },
  { resourceType: 'Organization', id: 'top', name: 'top' },
  { resourceType: 'Organization', id: 'other', name: 'other' },
  { resourceType: 'Practitioner', id: 'doc', active: true },
  { resourceType: 'Practitioner', id: 'nobody', active: true },
  { resourceType: 'Location', id: 'room', name: 'room' },
  { resourceType: 'Medication', id: 'pill', code: { text: 'pill' } },
  { resourceType: 'Patient', id: 'a', managingOrganization: ref('Organization/ward') },
  { resourceType: 'Patient', id: 'b' },
  encounter('e1', 'Patient/a', '2026-01-10', { location: [{ location: ref('Location/room') }] }),
  encounter('e2', 'Patient/a', '2026-02-10', { participant: [{ individual: ref('Practitioner/doc') }] }),
  encounter('e3', 'Patient/b', '2026-02-10', { participant: [{ individual: ref('Practitioner/nobody') }] }),
  observation('o1', 'Patient/a', '2026-01-11', { encounter: ref('Encounter/e1') }),
  observation('o2', 'Patient/a', '2026-02-11', {
    encounter: ref('Encounter/e2'),
    performer: [ref('Practitioner/doc')],
  }),
  observation('o3', 'Patient/a', undefined),
  observation('o4', 'Patient/b', '2026-02-11'),
  {
    resourceType: 'Condition',
    id: 'c1',
    subject: ref('Patient/a'),
    onsetDateTime: '2025-12-01',
    clinicalStatus: undefined,
  },
  {
    resourceType: 'MedicationRequest',
    id: 'm1',
    status: 'active',
    intent: 'order',
    subject: ref('Patient/a'),
    medicationReference: ref('Medication/pill'),
    authoredOn: '2026-02-12',
  },
].map((it) => JSON.parse(JSON.stringify(it)));

const everythingOfA = [
  'Condition/c1',
  'Encounter/e1',
  'Encounter/e2',
  'Location/room',
  'Medication/pill',
  'MedicationRequest/m1',
  'Observation/o1',
  'Observation/o2',
  'Observation/o3',
  'Organization/ward',
  'Patient/a',
  'Practitioner/doc',
];

beforeAll(async () => {
  app = await startTestApp({ clock });
  for (const resource of world) expect((await put(resource)).status).toBe(201);
  clock.advance(60_000);
  await put(observation('late', 'Patient/a', '2026-03-01'));
  await remove('Observation/late');
  await put(observation('o1', 'Patient/a', '2026-01-11', { encounter: ref('Encounter/e1'), note: [{ text: 'new' }] }));
});
afterAll(() => app.stop());

const names = (body: any): string[] =>
  (body.entry ?? []).map((it: any) => `${it.resource.resourceType}/${it.resource.id}`);
const parameters = (given: Record<string, unknown>) => ({
  resourceType: 'Parameters',
  parameter: Object.entries(given).flatMap(([name, value]) =>
    [value].flat().map((it) => ({
      name,
      [name.startsWith('_t')
        ? 'valueCode'
        : name === '_count'
          ? 'valueInteger'
          : name === '_since'
            ? 'valueInstant'
            : 'valueDate']: it,
    })),
  ),
});

describe('Patient/$everything', () => {
  test.each<[string, string[]]>([
    ['', everythingOfA],
    // Dates of care: what has none is in, and so is what the rest refers to.
    [
      '?start=2026-02-01',
      [
        'Encounter/e2',
        'Medication/pill',
        'MedicationRequest/m1',
        'Observation/o2',
        'Observation/o3',
        'Organization/ward',
        'Patient/a',
        'Practitioner/doc',
      ],
    ],
    [
      '?start=2026-01-01&end=2026-01-31',
      ['Encounter/e1', 'Location/room', 'Observation/o1', 'Observation/o3', 'Organization/ward', 'Patient/a'],
    ],
    ['?end=2025-12-31', ['Condition/c1', 'Observation/o3', 'Organization/ward', 'Patient/a']],
    ['?_since=2026-03-16T02:00:30Z', ['Observation/o1']],
    ['?_since=2026-03-16T10:00:30+08:00', ['Observation/o1']],
    ['?_since=2027-01-01T00:00:00Z', []],
    ['?_type=Observation', ['Observation/o1', 'Observation/o2', 'Observation/o3']],
    [
      '?_type=Observation,Practitioner&_type=Patient',
      ['Observation/o1', 'Observation/o2', 'Observation/o3', 'Patient/a', 'Practitioner/doc'],
    ],
    ['?_type=Slot', []],
    ['?_type=Practitioner&end=2026-01-31', []],
  ])('%s gives the compartment and what it refers to, each once', async (query, expected) => {
    const { status, body } = await get(`Patient/a/$everything${query}`);
    expect([status, body.type]).toEqual([200, 'searchset']);
    expect(names(body).sort()).toEqual(expected);
    const paged = (await pages(`Patient/a/$everything${query}${query ? '&' : '?'}_count=2`)).flatMap(names);
    expect(paged.sort()).toEqual(expected);
  });

  test('is the same by POST, in its pages too', async () => {
    const asked = { start: '2026-01-01', end: '2026-01-31', _type: ['Observation', 'Encounter', 'Patient'], _count: 2 };
    const { status, body } = await call('POST', 'Patient/a/$everything', parameters(asked));
    expect([status, names(body).length]).toEqual([200, 2]);
    const rest = await pages(below(linkOf(body, 'next') as string));
    const all = [...names(body), ...rest.flatMap(names)];
    expect(all.sort()).toEqual(['Encounter/e1', 'Observation/o1', 'Observation/o3', 'Patient/a']);
    expect(names((await call('POST', 'Patient/a/$everything', undefined)).body).sort()).toEqual(everythingOfA);
  });

  test('gives every resource as it is, with its full URL', async () => {
    const { body } = await get('Patient/a/$everything');
    for (const { fullUrl, resource } of body.entry) {
      expect(fullUrl).toBe(`${app.http}/${resource.resourceType}/${resource.id}`);
      expect((await get(`${resource.resourceType}/${resource.id}`)).body).toEqual(resource);
    }
    const part = (await get('Patient/a/$everything?_elements=status&_count=3')).body;
    expect(part.entry[0].resource.meta.tag[0].code).toBe('SUBSETTED');
    expect(linkOf(part, 'next')).toContain('_elements=status');
  });

  test('is stable while others write: no page has what came later, or misses what was there', async () => {
    const before = (await get('Patient/a/$everything')).body.entry.map((it: any) => it.resource);
    const found = await pages('Patient/a/$everything?_count=2', async (page) => {
      await put(observation(`new${page}`, 'Patient/a', '2026-02-11'));
      await put({
        resourceType: 'Flag',
        id: `f${page}`,
        status: 'active',
        code: { text: 'x' },
        subject: ref('Patient/a'),
      });
      await put(observation('o2', 'Patient/a', '2026-02-11', { note: [{ text: `${page}` }] }));
      if (page === 1) await remove('Encounter/e2');
    });
    expect(found.flatMap((it) => it.entry.map((entry: any) => entry.resource))).toEqual(before);
    expect(names((await get('Patient/a/$everything')).body)).toEqual(
      expect.arrayContaining(['Flag/f1', 'Observation/new1']),
    );
    for (const id of ['e2', 'o2']) await put(world.find((it) => it.id === id) as Resource);
  });

  test('of what never was answers 404, of what was deleted 410', async () => {
    expectOutcome(await get('Patient/never/$everything'), 404, 'not-found');
    await put({ resourceType: 'Patient', id: 'gone' });
    await remove('Patient/gone');
    expectOutcome(await get('Patient/gone/$everything'), 410, 'deleted');
  });

  test.each([
    'start=soon',
    'end=2026-13-01',
    '_since=yesterday',
    '_type=Nobody',
    '_type=,',
    '_count=x',
    '_count=-1',
    '_page=x',
    '_summary=half',
  ])('with %s is refused with 400', async (query) => {
    expectOutcome(await get(`Patient/a/$everything?${query}`), 400, 'structure');
  });

  test.each<[string, unknown]>([
    ['a resource', { resourceType: 'Patient' }],
    ['a parameter without a name', { resourceType: 'Parameters', parameter: [{}] }],
    ['a parameter that is null', { resourceType: 'Parameters', parameter: [null] }],
    ['parameters that are no list', { resourceType: 'Parameters', parameter: 5 }],
    ['a date that is an object', { resourceType: 'Parameters', parameter: [{ name: 'start', valueCoding: {} }] }],
    ['null', 'null'],
    ['a list', '[]'],
  ])('by a POST of %s is refused', async (_, body) => {
    const answer = await call('POST', 'Patient/a/$everything', body);
    expect([400, 422]).toContain(answer.status);
    expect(answer.body.resourceType).toBe('OperationOutcome');
  });
});

describe('Encounter/$everything', () => {
  test.each<[string, string[]]>([
    ['Encounter/e1/$everything', ['Encounter/e1', 'Location/room', 'Observation/o1', 'Patient/a']],
    ['Encounter/e2/$everything', ['Encounter/e2', 'Observation/o2', 'Patient/a', 'Practitioner/doc']],
    ['Encounter/e1/$everything?_type=Observation', ['Observation/o1']],
    ['Encounter/e3/$everything', ['Encounter/e3', 'Patient/b', 'Practitioner/nobody']],
  ])('%s gives %j', async (path, expected) => {
    const { status, body } = await get(path);
    expect(status).toBe(200);
    expect(
      names(body)
        .filter((it) => !/new/.test(it))
        .sort(),
    ).toEqual(expected);
  });
});
