/** SearchParameters that clients post: indexed in the background, declared when ready, then used as any other. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { App } from '../../src/app.ts';
import { clientOf, entries, ids, type Resource, statuses, strict, warnings } from '../rest/client.ts';
import { settled, startTestApp, temporaryFolder } from '../support/app.ts';

const folder = temporaryFolder();
const sqlitePath = `${folder.path}/indexing.db`;
let app: App;
let last = 0;
/** A code of its own for each test. */
let code = '';

beforeAll(async () => {
  app = await startTestApp({ sqlitePath });
  const eye = (text: string) => [
    { url: 'urn:eye', valueCodeableConcept: { coding: [{ system: 'urn:c', code: text }], text: `the ${text} one` } },
  ];
  const patient = (id: string, more: object) => entries.put({ resourceType: 'Patient', id, ...more });
  await bundle('transaction', [
    patient('a', { extension: eye('blue'), name: [{ family: 'A' }], multipleBirthInteger: 2 }),
    patient('b', { extension: eye('brown'), name: [{ family: 'B' }], multipleBirthInteger: 1 }),
    patient('c', { name: [{ family: 'C' }], link: [{ other: { reference: 'Patient/a' }, type: 'seealso' }] }),
    entries.put({
      resourceType: 'Flag',
      id: 'f',
      status: 'active',
      code: { text: 'x' },
      subject: { reference: 'Patient/a' },
    }),
  ]);
});
afterAll(async () => {
  await app.stop();
  folder.remove();
});
beforeEach(() => {
  code = `own-${++last}`;
});

const { call, get, put, remove, bundle } = clientOf(() => app);

const eyeExpression = "Patient.extension.where(url='urn:eye').value";
const parameter = (more: object = {}): Resource => ({
  resourceType: 'SearchParameter',
  id: code,
  url: `urn:sp:${code}`,
  name: 'Own',
  status: 'active',
  description: 'x',
  code,
  base: ['Patient'],
  type: 'token',
  expression: eyeExpression,
  ...more,
});

async function publish(more: object = {}): Promise<void> {
  const { status } = await put(parameter(more));
  expect([200, 201]).toContain(status);
  await settled(app);
}

/** Ids, to a strict client: a parameter that is not there is refused. */
async function found(search: string, type = 'Patient'): Promise<string[] | number> {
  const { status, body } = await get(`${type}?${search}`, strict);
  return status === 200 ? ids(body).sort() : status;
}

async function declared(type = 'Patient'): Promise<any> {
  const { body } = await get('metadata');
  return body.rest[0].resource.find((it: any) => it.type === type).searchParam.find((it: any) => it.name === code);
}

describe('a SearchParameter that is posted', () => {
  test('finds what was there before and what comes after, and is declared', async () => {
    expect([await found(`${code}=blue`), await declared()]).toEqual([400, undefined]);
    await publish();
    expect(await found(`${code}=urn:c|blue`)).toEqual(['a']);
    expect(await declared()).toEqual({ name: code, definition: `urn:sp:${code}`, type: 'token' });
    const extension = [{ url: 'urn:eye', valueCodeableConcept: { coding: [{ code: 'grey' }] } }];
    await put({ resourceType: 'Patient', id: 'late', extension });
    expect(await found(`${code}=grey`)).toEqual(['late']);
    await put({ resourceType: 'Patient', id: 'late' });
    expect([await found(`${code}=grey`), await found(`${code}:missing=true`)]).toEqual([[], ['c', 'late']]);
    await remove('Patient/late');
    expect(await found(`${code}:missing=true`)).toEqual(['c']);
  });

  test.each<[string, object, [string, string[] | number][]]>([
    [
      'a token',
      {},
      [
        [':text=the br', ['b']],
        [':not=blue', ['b', 'c']],
        [':missing=false', ['a', 'b']],
        ['=none', []],
      ],
    ],
    [
      'a string',
      { type: 'string', expression: 'Patient.name.family' },
      [
        ['=a', ['a']],
        [':exact=B', ['b']],
        [':contains=c', ['c']],
      ],
    ],
    [
      'a number',
      { type: 'number', expression: 'Patient.multipleBirth.ofType(integer)' },
      [
        ['=2', ['a']],
        ['=lt2', ['b']],
        [':missing=true', ['c']],
      ],
    ],
    [
      'a reference',
      { type: 'reference', expression: 'Patient.link.other', target: ['Patient'] },
      [
        ['=Patient/a', ['c']],
        ['.family=A', ['c']],
        [':Patient.family=A', ['c']],
      ],
    ],
    [
      'a date',
      { type: 'date', expression: 'Patient.meta.lastUpdated' },
      [
        ['=gt2000', ['a', 'b', 'c']],
        ['=lt2000', []],
      ],
    ],
    ['a uri', { type: 'uri', expression: 'Patient.extension.url' }, [['=urn:eye', ['a', 'b']]]],
  ])('of type %s has its modifiers', async (_, more, searches) => {
    await publish(more);
    for (const [search, expected] of searches) expect([search, await found(code + search)]).toEqual([search, expected]);
  });

  test('can be sorted by, included, chained over and asked for backwards', async () => {
    await publish({ type: 'reference', expression: 'Patient.link.other', target: ['Patient'] });
    const included = await get(`Patient?_id=c&_include=Patient:${code}`, strict);
    expect(ids(included.body, 'include')).toEqual(['a']);
    expect(ids((await get(`Patient?_id=a&_revinclude=Patient:${code}`, strict)).body, 'include')).toEqual(['c']);
    expect(await found(`_has:Patient:${code}:family=C`)).toEqual(['a']);
    code = `${code}-sort`;
    await publish({ type: 'number', expression: 'Patient.multipleBirth.ofType(integer)' });
    expect(ids((await get(`Patient?_sort=-${code}`, strict)).body)).toEqual(['a', 'b', 'c']);
    expect(ids((await get(`Patient?_sort=${code}`, strict)).body)).toEqual(['b', 'a', 'c']);
  });

  test('of several bases is one of each', async () => {
    await publish({ base: ['Patient', 'Flag'], expression: 'Patient.name.family | Flag.code.text', type: 'string' });
    expect([await found(`${code}=A`), await found(`${code}=x`, 'Flag')]).toEqual([['a'], ['f']]);
    expect([await declared('Patient'), await declared('Flag'), await declared('Group')]).toEqual([
      expect.any(Object),
      expect.any(Object),
      undefined,
    ]);
  });

  test('of Resource is one of every type', async () => {
    await publish({ base: ['Resource'], expression: 'Resource.meta.versionId', type: 'string' });
    expect([await found(`${code}=1&_id=a`), await found(`${code}=1`, 'Flag')]).toEqual([['a'], ['f']]);
    expect(await declared('Slot')).toBeDefined();
  });

  test('comes by a transaction and by create as well', async () => {
    const { body } = await bundle('transaction', [entries.post(parameter())]);
    expect(statuses(body)).toEqual(['201']);
    await settled(app);
    expect(await found(`${code}=blue`)).toEqual(['a']);
  });

  test('is there after a restart, with its rows', async () => {
    await publish();
    await app.stop();
    app = await startTestApp({ sqlitePath });
    expect([await found(`${code}=blue`), (await declared())?.name]).toEqual([['a'], code]);
  });

  test.each(['draft', 'retired', 'unknown'])('that is %s is kept and not used', async (status) => {
    await publish({ status });
    expect([await found(`${code}=blue`), await declared()]).toEqual([400, undefined]);
    const { body } = await get(`Patient?${code}=blue`);
    expect(warnings(body)).toContain(code);
  });
});

describe('a SearchParameter that changes', () => {
  test('finds by its new expression alone', async () => {
    await publish({ type: 'string', expression: 'Patient.name.family' });
    expect(await found(`${code}=A`)).toEqual(['a']);
    await publish({ type: 'string', expression: 'Patient.id' });
    expect([await found(`${code}=b`), await found(`${code}=A`)]).toEqual([['b'], ['a']]);
    await publish({ expression: eyeExpression });
    expect([await found(`${code}=blue`), await found(`${code}=b`)]).toEqual([['a'], []]);
  });

  test('of code is found by the new one alone', async () => {
    await publish();
    const before = code;
    await publish({ code: `${code}-x` });
    expect([await found(`${before}=blue`), await found(`${before}-x=blue`)]).toEqual([400, ['a']]);
  });

  test.each<[string, () => Promise<unknown>]>([
    ['is deleted', () => remove(`SearchParameter/${code}`)],
    ['is retired', () => put(parameter({ status: 'retired' }))],
  ])('and %s is there no more, and again when it comes back', async (_, end) => {
    await publish();
    expect(await found(`${code}=blue`)).toEqual(['a']);
    await end();
    await settled(app);
    expect([await found(`${code}=blue`), await declared()]).toEqual([400, undefined]);
    // What is written and deleted meanwhile makes no rows.
    const extension = [{ url: 'urn:eye', valueCodeableConcept: { coding: [{ code: 'blue' }] } }];
    await put({ resourceType: 'Patient', id: 'meanwhile', extension });
    await publish();
    expect(await found(`${code}=blue`)).toEqual(['a', 'meanwhile']);
    await end();
    await settled(app);
    await remove('Patient/meanwhile');
    await publish();
    expect(await found(`${code}=blue`)).toEqual(['a']);
  });
});

describe('what an expression makes of a resource', () => {
  test('that it cannot evaluate is nothing: the resource is stored all the same', async () => {
    await publish({ type: 'string', expression: "Patient.name.where(given.first().substring(1, 1) = 'x').family" });
    const { status } = await put({
      resourceType: 'Patient',
      id: 'odd',
      name: [{ given: ['x'] }, { family: 'B', given: ['yx'] }],
    });
    expect(status).toBe(201);
    expect(await found(`${code}=B`)).toEqual(['odd']);
    await remove('Patient/odd');
  });

  test('of 500 resources is there when the parameter is declared', async () => {
    const all = Array.from({ length: 500 }, (_, i) =>
      entries.put({ resourceType: 'Basic', id: `b${i}`, code: { text: `n${i}` } }),
    );
    await bundle('transaction', all);
    await publish({ base: ['Basic'], type: 'string', expression: 'Basic.code.text' });
    expect((await get(`Basic?${code}=n&_summary=count`)).body.total).toBe(500);
    expect(await call('GET', `Basic?${code}:exact=n499`).then((it) => ids(it.body))).toEqual(['b499']);
  });
});
