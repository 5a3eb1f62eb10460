/** A small ward: the resources that the rules of search look at. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { StoredResource } from '../../../src/fhir/types.ts';
import { Bench, type MadeStore, type MakeStore, patient } from './bench.ts';

const ucum = 'http://unitsofmeasure.org';
const loinc = 'http://loinc.org';

function concept(code: string, more: { system?: string; display?: string; text?: string } = {}): object {
  const { text, ...coding } = { system: loinc, ...more };
  return { coding: [{ ...coding, code }], ...(text !== undefined && { text }) };
}

function quantity(value: number, code: string, unit = code): object {
  return { value, unit, system: ucum, code };
}

function observation(id: string, code: string, more: object): StoredResource {
  return { resourceType: 'Observation', id, status: 'final', code: concept(code), ...more };
}

function location(id: string, latitude: number, longitude: number): StoredResource {
  return { resourceType: 'Location', id, position: { latitude, longitude } };
}

const patients: StoredResource[] = [
  patient('anna', {
    text: { status: 'generated', div: '<div xmlns="http://www.w3.org/1999/xhtml">Walks with a <b>cane</b></div>' },
    gender: 'female',
    active: true,
    birthDate: '1980-02-29',
    name: [{ family: 'Ångström', given: ['Anna', 'Bo'] }],
    identifier: [
      {
        type: { coding: [{ system: 'urn:types', code: 'MR' }], text: 'Record number' },
        system: 'urn:mrn',
        value: '1',
      },
    ],
    telecom: [{ system: 'phone', value: '139' }],
    maritalStatus: { coding: [{ system: 'urn:marital', code: 'M', display: 'Married' }], text: 'Wedded' },
    managingOrganization: { reference: 'Organization/renhe' },
    generalPractitioner: [{ reference: 'Practitioner/wang' }],
  }),
  patient('zhang', {
    gender: 'male',
    birthDate: '1990',
    name: [{ family: '张', given: ['伟'] }],
    address: [{ text: '北京市朝阳区 12 号', city: '北京' }],
    identifier: [{ system: 'urn:mrn', value: '2' }, { value: '1' }],
    managingOrganization: { reference: 'https://other.example/Organization/renhe' },
    meta: { profile: ['http://example.org/p'], tag: [{ system: 'urn:t', code: 'x' }], source: 'urn:feed' },
  }),
  patient('bo', {
    birthDate: '1990-07',
    name: [{ text: 'ANNABEL O’Neil' }],
    // The same number in two systems: found once.
    identifier: [
      { type: { coding: [{ system: 'urn:types', code: 'SS' }] }, value: '1' },
      { system: 'urn:old', value: '1' },
    ],
    link: [{ other: { reference: 'Patient/anna' }, type: 'seealso' }],
    deceasedDateTime: '2026-01-02T10:00:00+08:00',
  }),
];

const care: StoredResource[] = [
  { resourceType: 'Organization', id: 'group', name: 'East Group' },
  { resourceType: 'Organization', id: 'renhe', name: '仁和医院', partOf: { reference: 'Organization/group' } },
  { resourceType: 'Practitioner', id: 'wang', name: [{ family: '王', given: ['芳'] }], gender: 'female' },
  {
    resourceType: 'Encounter',
    id: 'stay',
    status: 'finished',
    class: { system: 'urn:c', code: 'IMP' },
    subject: { reference: 'Patient/anna' },
    serviceProvider: { reference: 'Organization/renhe' },
    period: { start: '2026-03-10T09:00:00+08:00', end: '2026-03-16' },
  },
  {
    resourceType: 'Encounter',
    id: 'visit',
    status: 'in-progress',
    class: { code: 'AMB' },
    subject: { reference: 'Patient/zhang' },
    partOf: { reference: 'Encounter/stay' },
    period: { start: '2026-03-12' },
  },
  {
    resourceType: 'List',
    id: 'round',
    status: 'current',
    mode: 'working',
    entry: [{ item: { reference: 'Patient/anna' } }, { item: { reference: 'Patient/zhang' } }],
  },
  {
    resourceType: 'Provenance',
    id: 'seal',
    target: [{ reference: 'Patient/anna/_history/1' }],
    recorded: '2026-03-16T10:00:00+08:00',
    agent: [{ who: { reference: 'Practitioner/wang' } }],
  },
  {
    resourceType: 'AuditEvent',
    id: 'look',
    type: { system: 'urn:audit', code: 'read' },
    recorded: '2026-03-16T10:00:00+08:00',
    agent: [{ requestor: true, altId: 'u7', who: { reference: 'Practitioner/wang' } }],
    source: { observer: { display: 'here' } },
    entity: [{ what: { reference: 'Observation/dose' } }],
  },
  {
    resourceType: 'CarePlan',
    id: 'knee',
    status: 'active',
    intent: 'plan',
    title: 'After the operation: 每天走三十分钟, see [doctor]',
    subject: { reference: 'Patient/anna' },
    instantiatesCanonical: ['http://example.org/PlanDefinition/knee|2.1'],
  },
];

/** Numbers and units. `dose` and `gram` are the same mass; 98.6 °F are 37 °C. */
const measures: StoredResource[] = [
  observation('dose', 'mass', {
    subject: { reference: 'Patient/anna' },
    encounter: { reference: 'Encounter/stay' },
    effectiveDateTime: '2026-03-10T10:30:00+08:00',
    valueQuantity: quantity(5.4, 'mg'),
  }),
  observation('gram', 'mass', { subject: { reference: 'Patient/zhang' }, valueQuantity: quantity(0.0054, 'g') }),
  observation('near', 'mass', { valueQuantity: quantity(5.44, 'mg') }),
  observation('less', 'mass', { valueQuantity: { ...quantity(5, 'mg'), comparator: '<' } }),
  observation('word', 'mass', { valueQuantity: { value: 5.4, unit: 'mg' } }),
  observation('celsius', 'heat', {
    valueQuantity: quantity(37, 'Cel', '°C'),
    performer: [{ identifier: { system: 'urn:staff', value: '77' }, display: 'Nurse' }],
  }),
  observation('fahrenheit', 'heat', { valueQuantity: quantity(98.6, '[degF]') }),
  observation('pressure', 'pressure', {
    subject: { reference: 'Patient/anna' },
    hasMember: [{ reference: 'Observation/dose' }],
    component: [
      { code: concept('systolic'), valueQuantity: quantity(120, 'mm[Hg]') },
      { code: concept('diastolic'), valueQuantity: quantity(80, 'mm[Hg]') },
    ],
  }),
  observation('grade', 'grade', {
    valueCodeableConcept: concept('high', { system: 'urn:g', display: 'Very high', text: 'Alarming' }),
  }),
  observation('note', 'note', { valueString: 'Näusea at night' }),
  observation('when', 'onset', { valueDateTime: '2026-03-01' }),
  ...[80, 85, 0.1].map((probabilityDecimal, i) => ({
    resourceType: 'RiskAssessment',
    id: `risk${i}`,
    status: 'final',
    subject: { reference: 'Patient/anna' },
    prediction: [{ probabilityDecimal }],
  })),
  {
    resourceType: 'RiskAssessment',
    id: 'range',
    status: 'final',
    subject: { reference: 'Patient/bo' },
    prediction: [{ probabilityRange: { low: quantity(20, '%'), high: quantity(90, '%') } }],
  },
  {
    resourceType: 'MolecularSequence',
    id: 'gene',
    coordinateSystem: 0,
    referenceSeq: { genomeBuild: 'GRCh37', chromosome: { coding: [{ code: '17' }] }, windowStart: 100, windowEnd: 200 },
    variant: [
      { start: 110, end: 120 },
      { start: 150, end: 160 },
    ],
  },
];

const places: StoredResource[] = [
  location('gate', 39.9, 116.4),
  location('park', 39.91, 116.41),
  location('harbour', 31.23, 121.47),
  location('fiji', -17.7, 179.99),
  ...['http://a.example/fhir', 'http://a.example/fhir/vs', 'http://a.example/fhir/vs/1', 'urn:oid:1.2.3'].map(
    (url, i) => ({ resourceType: 'ValueSet', id: `vs${i}`, status: 'active', url }),
  ),
];

export const ward: readonly StoredResource[] = [...patients, ...care, ...measures, ...places];

export type Found = readonly [search: string, ids: readonly string[]];

/**
 * Rules that only read: they share one store with the ward in it. Each row of a table is a search with the ids that it
 * finds; the order counts where the search asks for one.
 */
export function onTheWard(makeStore: MakeStore, rules: (see: () => Bench) => void): void {
  describe('on the ward', () => {
    let made: MadeStore;
    let bench: Bench;
    beforeAll(async () => {
      made = await makeStore();
      bench = new Bench(made.store);
      await bench.write(...ward);
    });
    afterAll(() => made.close());
    rules(() => bench);
  });
}

export function finds(title: string, see: () => Bench, rows: readonly Found[]): void {
  describe(title, () => {
    test.each(rows.map(([search, ids]) => ({ search, ids })))('$search finds $ids', async ({ search, ids }) => {
      const query = see().query(`${search}${search.includes('?') ? '&' : '?'}_total=accurate`);
      const { hits, total } = await see().store.search({ query });
      const found = hits.map(({ id }) => id);
      expect(total).toBe(ids.length);
      if (search.includes('_sort')) expect(found).toEqual(ids);
      else expect(found.sort()).toEqual([...ids].sort());
    });
  });
}
