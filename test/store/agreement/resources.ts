/** Random resources. Few values of each kind, so that a random search meets a random resource. */
import fc from 'fast-check';
import type { StoredResource } from '../../../src/fhir/types.ts';

export const types = ['Patient', 'Encounter', 'Observation', 'RiskAssessment', 'Location', 'ValueSet'] as const;
export const ids = ['r0', 'r1', 'r2', 'r3'];

export const dates = [
  '2025',
  '2026',
  '2026-03',
  '2026-03-16',
  '2026-03-16T10:00:00+08:00',
  '2026-03-16T02:00:00.5Z',
  '2026-04',
];
export const strings = [
  'Anna',
  'annabel',
  'Ånna',
  '张',
  '伟',
  'Li',
  'Ｌｉ',
  'a b',
  "O'Neil",
  '100%',
  'x_y',
  'a,b',
  'a|b',
  '\u{1F600}',
  '\u{10ffff}',
];
export const codes = ['a', 'B', 'b', 'finished', 'planned', 'a|b', 'x,y'];
export const systems = ['urn:s', 'http://s.example/1?x=y'];
export const urls = ['http://s.example/1', 'http://s.example/1/2', 'http://s.example/10', 'urn:s'];
export const numbers = [0, 1, 5.4, 5.44, 5.35, -3, 1000];
export const units = ['mg', 'g', 'ug', 'Cel', '[degF]', 'spoons'];
export const ucum = 'http://unitsofmeasure.org';
const foreign = ['https://x.example/Patient/1', 'urn:uuid:7', 'Patient/r1/_history/1'];

const one = <T>(values: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...values);
const some = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T[]> => fc.array(value, { minLength: 1, maxLength: 2 });
const reference = (...targets: string[]): fc.Arbitrary<object> =>
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.tuple(one(targets), one([...ids, 'r9'])).map(([type, id]) => ({ reference: `${type}/${id}` })),
    },
    { weight: 1, arbitrary: one(foreign).map((it) => ({ reference: it })) },
    { weight: 1, arbitrary: one(codes).map((value) => ({ identifier: { system: 'urn:s', value } })) },
  );
const coding = fc.record({ system: one(systems), code: one(codes), display: one(strings) }, { requiredKeys: [] });
const concept = fc.record({ coding: some(coding), text: one(strings) }, { requiredKeys: ['coding'] });
const identifiers = some(fc.record({ system: one(systems), value: one(codes), type: concept }, { requiredKeys: [] }));
const quantity = fc
  .record(
    { value: one(numbers), unit: one(units), comparator: one(['<', '>=']), ucum: fc.boolean() },
    { requiredKeys: ['value', 'ucum'] },
  )
  .map(({ ucum: has, ...it }) => ({ ...it, ...(has && { system: ucum, code: it.unit ?? 'mg' }) }));
/** Also ends before it begins: a resource of another server may. */
const period = fc.record({ start: one(dates), end: one(dates) }, { requiredKeys: [] });
const range = fc.record({ low: quantity, high: quantity }, { requiredKeys: [] });
const words = some(one([...strings, 'walks with a cane', '每天走路', 'mill AND near'])).map((it) => it.join(' '));
const narrative = words.map((text) => ({ status: 'generated', div: `<div><b>${text.replaceAll('<', '')}</b></div>` }));

const bodies: Record<(typeof types)[number], fc.Arbitrary<object>> = {
  Patient: fc.record(
    {
      text: narrative,
      active: fc.boolean(),
      gender: one(['male', 'female']),
      birthDate: one(['2025', '2026-03', '2026-03-16']),
      name: some(fc.record({ family: one(strings), given: some(one(strings)) }, { requiredKeys: [] })),
      identifier: identifiers,
      managingOrganization: reference('Organization'),
      link: some(reference('Patient').map((other) => ({ other, type: 'seealso' }))),
      deceasedDateTime: one(dates),
    },
    { requiredKeys: [] },
  ),
  Encounter: fc.record(
    {
      status: one(['finished', 'planned']),
      class: coding,
      type: some(concept),
      subject: reference('Patient', 'Group'),
      partOf: reference('Encounter'),
      location: some(reference('Location').map((location) => ({ location, period: { start: '2026' } }))),
      period,
      identifier: identifiers,
    },
    { requiredKeys: ['status', 'class'] },
  ),
  Observation: fc
    .record(
      {
        code: concept,
        subject: reference('Patient', 'Group', 'Location'),
        encounter: reference('Encounter'),
        hasMember: some(reference('Observation')),
        value: fc.oneof(
          quantity.map((it) => ({ valueQuantity: it })),
          concept.map((it) => ({ valueCodeableConcept: it })),
          one(strings).map((it) => ({ valueString: it })),
          one(dates).map((it) => ({ valueDateTime: it })),
          period.map((it) => ({ valuePeriod: it })),
        ),
        component: some(fc.record({ code: concept, valueQuantity: quantity })),
      },
      { requiredKeys: ['code'] },
    )
    .map(({ value, ...rest }) => ({ status: 'final', ...rest, ...value })),
  RiskAssessment: fc
    .record(
      {
        subject: reference('Patient'),
        basis: some(reference('Observation')),
        number: one(numbers),
        range,
      },
      { requiredKeys: [] },
    )
    .map(({ number, range, ...rest }) => ({
      status: 'final',
      ...rest,
      prediction: [number === undefined ? { probabilityRange: range } : { probabilityDecimal: number }],
    })),
  Location: fc
    .record(
      {
        name: one(strings),
        partOf: reference('Location'),
        at: one([
          [39.9, 116.4],
          [39.91, 116.41],
          [0, 179.99],
          [-89.9, 0],
        ] as const),
      },
      { requiredKeys: [] },
    )
    .map(({ at, ...rest }) => ({ ...rest, ...(at && { position: { latitude: at[0], longitude: at[1] } }) })),
  ValueSet: fc.record(
    {
      status: one(['draft', 'active']),
      url: one(urls),
      title: one(strings),
      name: one(strings),
      date: one(['2025', '2026-03']),
    },
    { requiredKeys: ['status'] },
  ),
};

/** Some resources of every type, each type with ids of its own. */
export const world: fc.Arbitrary<StoredResource[]> = fc
  .tuple(...types.map((type) => fc.array(bodies[type], { minLength: 1, maxLength: ids.length, size: 'max' })))
  .map((all) =>
    all.flatMap((some, i) =>
      some.map((body, n) => ({ resourceType: types[i] as string, id: ids[n] as string, ...body })),
    ),
  );
