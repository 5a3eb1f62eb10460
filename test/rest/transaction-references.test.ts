/** References between the entries of a transaction, and those that are searches. R4 http.html#trules, bundle.html#references. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { App } from '../../src/app.ts';
import { countingIds } from '../../src/ids.ts';
import { startTestApp } from '../support/app.ts';
import { clientOf, entries, expectOutcome, namesOf, type Resource, statuses } from './client.ts';

let app: App;
beforeAll(async () => {
  app = await startTestApp({ ids: countingIds('id') });
});
afterAll(() => app.stop());

const { get, post, put, bundle, head } = clientOf(() => app);
const { post: create, put: update, remove } = entries;
const send = (all: readonly unknown[]) => bundle('transaction', all);

const urn = 'urn:uuid:61ebe359-bfdc-4613-8bf2-c5e300945f0a';
const flag = (reference: string, more: object = {}): Resource => ({
  resourceType: 'Flag',
  status: 'active',
  code: { text: 'x' },
  subject: { reference },
  ...more,
});

/** Sends the entries, and gives what each has become: its name, and as it is stored. */
async function stored(all: readonly unknown[]): Promise<{ names: string[]; resources: any[] }> {
  const { status, body } = await send(all);
  expect([status, body.issue]).toEqual([200, undefined]);
  const names = namesOf(body);
  return { names, resources: await Promise.all(names.map(async (name) => (await get(name)).body)) };
}

describe('references to what a transaction writes', () => {
  test('are rewritten in elements, lists, extensions, extensions of primitives and contained resources', async () => {
    const reference = { reference: urn };
    const extension = [{ url: 'urn:x', valueReference: reference }];
    const { names, resources } = await stored([
      create({
        resourceType: 'Encounter',
        status: 'planned',
        _status: { extension },
        class: { code: 'IMP' },
        subject: reference,
        extension: [
          { url: 'urn:outer', extension },
          { url: 'urn:inner', valueReference: { reference: '#b' } },
        ],
        contained: [{ resourceType: 'Basic', id: 'b', code: { text: 'x' }, subject: reference }],
        participant: [{ individual: { reference: 'Practitioner/1' } }, { individual: { display: 'nobody' } }],
      }),
      create({ resourceType: 'Patient' }, {}, urn),
    ]);
    const [encounter] = resources;
    expect(JSON.stringify(encounter)).not.toContain('urn:uuid');
    expect(JSON.stringify(encounter).match(new RegExp(`"${names[1]}"`, 'g'))).toHaveLength(4);
    expect(encounter.participant[0].individual.reference).toBe('Practitioner/1');
    expect(encounter.extension[1].valueReference.reference).toBe('#b');
    expect((await get(`Encounter?subject=${names[1]}`)).body.entry).toHaveLength(1);
  });

  test('are rewritten in uri and url elements and in the narrative too, but not in canonicals, strings and ids', async () => {
    // R4 http.html#trules: "whether they are found in the resource ids, resource references, elements of type uri, url,
    // oid, uuid, and <a href="" & <img src="" in the narrative. Elements of type canonical are not replaced."
    const div = `<div xmlns="http://www.w3.org/1999/xhtml"><a href="${urn}">x</a><img src="${urn}" alt="${urn}"/></div>`;
    const { names, resources } = await stored([
      create({ resourceType: 'Patient' }, {}, urn),
      create({
        resourceType: 'DocumentReference',
        status: 'current',
        text: { status: 'generated', div },
        content: [{ attachment: { url: urn } }],
        identifier: [{ system: 'urn:ietf:rfc:3986', value: urn }],
        extension: [
          { url: 'urn:u', valueUri: urn },
          { url: 'urn:c', valueCanonical: urn },
          { url: 'urn:s', valueString: urn },
        ],
      }),
    ]);
    const [name, document] = [names[0], resources[1]];
    expect(document.content[0].attachment.url).toBe(name);
    const values = document.extension.map((it: any) => it.valueUri ?? it.valueCanonical ?? it.valueString);
    expect(values).toEqual([name, urn, urn]);
    expect(document.identifier[0].value).toBe(urn);
    expect(document.text.div).toContain(`href="${name}"`);
    expect(document.text.div).toContain(`src="${name}" alt="${urn}"`);
  });

  test('may go in a circle, by absolute full URLs, and to what is updated', async () => {
    const [one, two, three] = [
      'https://his.example/Patient/1',
      'https://his.example/Patient/2',
      'https://his.example/Patient/3',
    ];
    const link = (other: string) => [{ other: { reference: other }, type: 'seealso' }];
    const { names, resources } = await stored([
      create({ resourceType: 'Patient', link: link(two) }, {}, one),
      create({ resourceType: 'Patient', link: link(three) }, {}, two),
      update({ resourceType: 'Patient', id: 'circle', link: link(one) }, {}, three),
    ]);
    expect(names[2]).toBe('Patient/circle');
    expect(resources.map((it) => it.link[0].other.reference)).toEqual([names[1], names[2], names[0]]);
  });

  test('that are relative are those of the base that the entry itself comes from', async () => {
    const base = 'https://his.example/fhir';
    await put({ resourceType: 'Patient', id: '1' });
    const { names, resources } = await stored([
      create({ resourceType: 'Patient' }, {}, `${base}/Patient/1`),
      create(flag('Patient/1'), {}, `${base}/Flag/7`),
      create(flag('Patient/1'), {}, 'https://other.example/fhir/Flag/7'),
      create(flag('Patient/1'), {}, 'urn:uuid:1f7b1f63-4a51-4a0c-b5bb-1c5b0e6a3f10'),
      create(flag('Patient/1')),
    ]);
    expect(names[0]).not.toBe('Patient/1');
    const subjects = resources.slice(1).map((it) => it.subject.reference);
    expect(subjects).toEqual([names[0], 'Patient/1', 'Patient/1', 'Patient/1']);
  });

  test('go to what a conditional create or update finds', async () => {
    const { id } = (await post({ resourceType: 'Patient', identifier: [{ value: 'there' }] })).body;
    const other = 'urn:uuid:9b4d0ad9-60a0-4c3f-8c3b-8c8bf6d1b1f2';
    const { resources } = await stored([
      create({ resourceType: 'Patient' }, { ifNoneExist: 'identifier=there' }, urn),
      create(flag(urn)),
      {
        ...create({ resourceType: 'Organization', name: 'x' }, {}, other),
        request: { method: 'PUT', url: 'Organization?name=x' },
      },
      create(flag(other)),
    ]);
    expect(resources[1].subject.reference).toBe(`Patient/${id}`);
    expect(resources[3].subject.reference).toBe(`Organization/${resources[2].id}`);
  });

  test('to what nobody wrote stay as they are', async () => {
    const { resources } = await stored([create(flag(urn)), create(flag('https://elsewhere.example/Patient/1'))]);
    expect(resources.map((it) => it.subject.reference)).toEqual([urn, 'https://elsewhere.example/Patient/1']);
  });
});

describe('a conditional reference', () => {
  const withIdentifier = (value: string, more: object = {}): Resource => ({
    resourceType: 'Patient',
    identifier: [{ system: 'urn:mrn', value }],
    ...more,
  });
  const reference = (value: string) => `Patient?identifier=urn:mrn|${value}`;

  test('is resolved to what is stored', async () => {
    const { id } = (await post(withIdentifier('stored'))).body;
    const { resources } = await stored([create(flag(reference('stored'))), create(flag(reference('stored')))]);
    expect(resources.map((it) => it.subject.reference)).toEqual([`Patient/${id}`, `Patient/${id}`]);
  });

  test('is resolved to what comes with it, before or after it, made or replaced', async () => {
    await put({ resourceType: 'Patient', id: 'becomes' });
    const { names, resources } = await stored([
      create(flag(reference('new'))),
      create(withIdentifier('new')),
      create(flag(reference('becomes'))),
      update(withIdentifier('becomes', { id: 'becomes' })),
      create(flag(reference('new'))),
    ]);
    expect(resources.map((it) => it.subject?.reference)).toEqual([
      names[1],
      undefined,
      'Patient/becomes',
      undefined,
      names[1],
    ]);
  });

  test('may ask by names, dates and chains, also in extensions', async () => {
    const organization = (await post({ resourceType: 'Organization', name: 'Chained' })).body.id;
    const { id } = (
      await post({
        resourceType: 'Patient',
        birthDate: '1966-06-06',
        managingOrganization: { reference: `Organization/${organization}` },
      })
    ).body;
    const { resources } = await stored([
      create(flag('Patient?birthdate=1966-06-06')),
      create(flag('Patient?organization.name=chained')),
      create(
        flag('Patient/1', {
          extension: [{ url: 'urn:x', valueReference: { reference: 'Organization?name=chained' } }],
        }),
      ),
    ]);
    expect(resources.slice(0, 2).map((it) => it.subject.reference)).toEqual([`Patient/${id}`, `Patient/${id}`]);
    expect(resources[2].extension[0].valueReference.reference).toBe(`Organization/${organization}`);
  });

  test('is about what the transaction leaves: not what it deletes, nor what has changed', async () => {
    const [one, two] = [(await post(withIdentifier('twice'))).body.id, (await post(withIdentifier('twice'))).body.id];
    const deleted = await stored([remove(`Patient/${one}`), create(flag(reference('twice')))].reverse());
    expect(deleted.resources[0].subject.reference).toBe(`Patient/${two}`);
    await put({ ...withIdentifier('twice'), id: one } as Resource);
    const changed = await stored([update({ resourceType: 'Patient', id: two }), create(flag(reference('twice')))]);
    expect(changed.resources[1].subject.reference).toBe(`Patient/${one}`);
  });

  test.each<[string, () => unknown[], number, string]>([
    ['nobody', () => [create(flag(reference('nobody')))], 412, 'conflict'],
    ['two that are stored', () => [create(flag(reference('pair')))], 412, 'multiple-matches'],
    [
      'two that come with it',
      () => [create(withIdentifier('p2')), create(withIdentifier('p2')), create(flag(reference('p2')))],
      412,
      'multiple-matches',
    ],
    [
      'one that is stored and one that comes with it',
      () => [create(withIdentifier('single')), create(flag(reference('single')))],
      412,
      'multiple-matches',
    ],
    ['what it deletes', () => [remove('Patient/lonely'), create(flag(reference('lonely')))], 412, 'conflict'],
    ['an unknown parameter', () => [create(flag('Patient?colour=red'))], 400, 'structure'],
    ['no condition', () => [create(flag('Patient?_count=5'))], 400, 'structure'],
  ])('to %s refuses the transaction and names its entry', async (_, all, status, code) => {
    await put({ ...withIdentifier('lonely'), id: 'lonely' } as Resource);
    for (const id of ['pair1', 'pair2']) await put({ ...withIdentifier('pair'), id } as Resource);
    await put({ ...withIdentifier('single'), id: 'single' } as Resource);
    const before = await head();
    const answer = await send(all());
    expectOutcome(answer, status, code);
    expect(answer.body.issue[0].diagnostics).toMatch(new RegExp(`entry ${all().length - 1}\\b`));
    expect(await head()).toBe(before);
  });

  test('in the body of what writes nothing is none', async () => {
    const resource = flag('Patient?colour=red');
    const validate = { resource, request: { method: 'POST', url: 'Flag/$validate' } };
    expect(statuses((await send([validate])).body)).toEqual(['200']);
  });

  test('outside of a transaction is no search: it is refused, or stays a text', async () => {
    const { status, body } = await post(flag(reference('stored')));
    if (status === 201) expect(body.subject.reference).toBe(reference('stored'));
    else expect([400, 412, 422]).toContain(status);
  });

  test('of which there are as many as entries takes time in proportion', async () => {
    const of = (n: number, run: string) =>
      Array.from({ length: n }, (_, i) => [
        create(withIdentifier(`${run}-${i}`)),
        create(flag(reference(`${run}-${i}`))),
      ]).flat();
    const took = async (n: number, run: string): Promise<number> => {
      const begun = performance.now();
      const { status, body } = await send(of(n, run));
      expect([status, statuses(body).length]).toEqual([200, 2 * n]);
      return performance.now() - begun;
    };
    await took(50, 'warm');
    const [few, many] = [await took(250, 'few'), await took(2000, 'many')];
    // Eight times as many; were each compared with each, it would be sixty-four.
    expect(many / few).toBeLessThan(24);
  });
});
