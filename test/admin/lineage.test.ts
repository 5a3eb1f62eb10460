/** Which field made this, and where did that field go. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Json } from '../../src/fhir/types.ts';
import { adt, Operator, patientRows, sexRow, smallMapping } from './operator.ts';

let operator: Operator;
let patient: Json;

/** The field of a message, of the nth segment of its name. */
async function field(message: number, name: string, segment = 1, query = ''): Promise<Json> {
  const { status, body } = await operator.get(`/messages/${message}/lineage${query}`);
  expect(status).toBe(200);
  const found = body.fields.filter((it: Json) => it.field === name && it.segment === segment);
  expect(found).toHaveLength(1);
  return found[0];
}

/** The register of a resource. */
async function register(path: string, name: string, query = ''): Promise<Json> {
  const { status, body } = await operator.get(`/lineage/${path}${query}`);
  expect(status).toBe(200);
  const found = body.registers.filter((it: Json) => it.register === name);
  expect(found).toHaveLength(1);
  return found[0];
}

beforeAll(async () => {
  operator = await Operator.open(smallMapping);
  // A FHIR client knew the patient before, under an id of its own.
  await operator.put({ resourceType: 'Patient', id: 'from-the-app', identifier: [{ system: 'urn:x', value: '7' }] });
  const more = ['DG1|1|I10|E11^Diabetes', 'DG1|2|I10|I10^Pressure', 'ZZZ|what'];
  await operator.send(adt({ id: 'C1', at: 8, fields: { 7: '19800229', 8: 'F', 13: '13911112222', 31: 'Y' }, more }));
  await operator.send(adt({ id: 'C2', at: 9, fields: { 7: '19800301', 14: '222' } }));
  const all = (await (await fetch(`${operator.app.http}/Patient?gender=female`)).json()) as Json;
  patient = all.entry[0].resource;
  operator.clock.advance(60_000);
  await operator.put({ ...patient, gender: 'other' });
});

afterAll(() => operator.close());

describe('the lineage of a message', () => {
  test('says of each field where it went, by which row, and that it stands', async () => {
    expect(await field(1, 'PID-13')).toEqual({
      field: 'PID-13',
      segment: 1,
      use: 'mapped',
      rows: ['PID-Patient#PID-13 telecom[home].value'],
      readBy: ['PID-Patient#telecom[home].system'],
      elements: [
        {
          element: `Patient/${patient.id}.telecom[0].value`,
          from: 'PID-13',
          row: 'PID-Patient#PID-13 telecom[home].value',
          by: { message: 1, at: '2026-03-16T00:00:00.000Z' },
        },
      ],
    });
  });

  test('names the place in what is stored, not in what the message made alone', async () => {
    expect((await field(2, 'PID-14')).elements).toMatchObject([
      { element: `Patient/${patient.id}.telecom[1].value`, by: { message: 2 } },
    ]);
  });

  test('says when another message gave what stands', async () => {
    expect((await field(1, 'PID-7')).elements).toMatchObject([
      { element: `Patient/${patient.id}.birthDate`, by: { message: 2, at: '2026-03-16T01:00:00.000Z' } },
    ]);
  });

  test('says when a client changed it', async () => {
    expect((await field(1, 'PID-8')).elements).toMatchObject([
      { element: `Patient/${patient.id}.gender`, by: { by: 'client', at: '2026-03-16T02:32:00.000Z' } },
    ]);
  });

  test('says why a field goes nowhere, and which have no row', async () => {
    expect(await field(1, 'PID-31')).toMatchObject({ use: 'nowhere', reason: 'nobody asks for it' });
    expect(await field(1, 'ZZZ-1')).toMatchObject({ use: 'no row' });
    expect(await field(1, 'DG1-2')).toMatchObject({ use: 'no row' });
    expect(await field(1, 'MSH-7')).toMatchObject({ use: 'read', readBy: ['the order of messages'] });
  });

  test('tells two segments of one name apart', async () => {
    const [first, second] = [await field(1, 'DG1-3', 1), await field(1, 'DG1-3', 2)];
    const names = [first, second].map((it) => it.elements[0].element.split('.')[0]);
    expect(names[0]).toMatch(/^Condition\//);
    expect(new Set(names).size).toBe(2);
  });

  test('names what a message told of itself', async () => {
    expect((await field(1, 'MSH-10')).elements).toMatchObject([
      { element: expect.stringMatching(/^Provenance\/.*identifier.value$/), by: { message: 1 } },
    ]);
  });

  test('has values only when they are asked for', async () => {
    const { body } = await operator.get('/messages/1/lineage');
    for (const secret of ['19800229', '1980', 'Diabetes', '13911112222'])
      expect(JSON.stringify(body)).not.toContain(secret);
    expect(await field(1, 'PID-13', 1, '?values=true')).toMatchObject({
      value: '13911112222',
      elements: [{ value: '13911112222' }],
    });
  });

  test('of one that cannot be mapped says why', async () => {
    await operator.send(adt({ id: 'C3', patient: '' }));
    const { body } = await operator.get('/messages/3/lineage');
    expect(body).toMatchObject({
      state: 'rejected',
      problems: [expect.stringMatching(/^PID-3.1: a required/)],
      fields: [],
    });
  });
});

describe('the lineage of a resource', () => {
  test('says of each register which message gave it, when, by which field and row', async () => {
    expect(await register(`Patient/${patient.id}`, 'birthDate')).toEqual({
      register: 'birthDate',
      elements: ['birthDate'],
      message: 2,
      at: '2026-03-16T01:00:00.000Z',
      from: [{ field: 'PID-7', row: 'PID-Patient#PID-7 birthDate' }],
    });
    expect(await register(`Patient/${patient.id}`, 'telecom{home}')).toMatchObject({
      elements: ['telecom[0]'],
      message: 1,
    });
    expect(await register(`Patient/${patient.id}`, 'telecom{work}')).toMatchObject({
      elements: ['telecom[1]'],
      message: 2,
    });
  });

  test('says what a client changed', async () => {
    const { from, ...rest } = await register(`Patient/${patient.id}`, 'gender');
    expect([rest.by, rest.at, from]).toEqual(['client', '2026-03-16T02:32:00.000Z', undefined]);
  });

  test('of one that no message wrote says that', async () => {
    const { body } = await operator.get('/lineage/Patient/from-the-app');
    expect(body).toMatchObject({ cause: expect.stringMatching(/^client:/), registers: [] });
  });

  test('that tells of a message names that message', async () => {
    const { entry } = (await (await fetch(`${operator.app.http}/Provenance?_sort=_lastUpdated`)).json()) as Json;
    const { body } = await operator.get(`/lineage/Provenance/${entry[0].resource.id}`);
    expect(body).toMatchObject({
      message: 1,
      registers: expect.arrayContaining([expect.objectContaining({ message: 1 })]),
    });
  });

  test('has values only when they are asked for', async () => {
    const { body } = await operator.get(`/lineage/Patient/${patient.id}`);
    const [{ value }] = patient.identifier;
    for (const secret of ['1980', 'other', '13911112222', value]) expect(JSON.stringify(body)).not.toContain(secret);
    expect(await register(`Patient/${patient.id}`, 'birthDate', '?values=true')).toMatchObject({
      values: ['1980-03-01'],
    });
  });

  test.each([
    ['Patient/nobody', 404, /there is no Patient/],
    ['Nothing/1', 404, /no resource of this type/],
    ['Patient/a_b', 400, /1 to 64 characters/],
    [`Patient/${'a'.repeat(65)}`, 400, /1 to 64 characters/],
    ['Patient/..%2F..%2Fetc', 400, /1 to 64 characters/],
  ])('at %s is answered %i', async (path, status, text) => {
    const { body, ...reply } = await operator.get(`/lineage/${path}`);
    expect([reply.status, body.error]).toEqual([status, expect.stringMatching(text)]);
  });

  test('of one that was deleted is answered 410', async () => {
    await fetch(`${operator.app.http}/Patient/from-the-app`, { method: 'DELETE' });
    expect((await operator.get('/lineage/Patient/from-the-app')).status).toBe(410);
  });
});

describe('after the mapping has changed', () => {
  beforeAll(() =>
    operator.restart({
      'segments/PID-Patient.yaml': patientRows(sexRow, '{ field: PID-7, to: multipleBirthBoolean, type: ID-boolean }'),
    }),
  );

  test('a message says that it was applied with another one, and where its fields would go now', async () => {
    const { body } = await operator.get('/messages/1/lineage');
    expect(body.isCurrent).toBe(false);
    expect(body.appliedWith).not.toBe(body.mappingVersion);
    expect((await field(1, 'PID-13')).use).toBe('no row');
  });

  test('an element that is not there any more says that', async () => {
    expect((await field(1, 'PID-7')).elements).toMatchObject([
      { element: expect.stringMatching(/\.extension$/), absent: true },
    ]);
  });

  test('a register that no row makes now still names its message', async () => {
    const found = await register(`Patient/${patient.id}`, 'telecom{home}');
    expect([found.message, found.from]).toEqual([1, undefined]);
  });
});
