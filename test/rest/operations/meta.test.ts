/** `$meta`, `$meta-add` and `$meta-delete`. R4 resource-operation-meta.html. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { App } from '../../../src/app.ts';
import { startTestApp } from '../../support/app.ts';
import { clientOf, expectOutcome, ids } from '../client.ts';

let app: App;
const { call, get, put, remove, head } = clientOf(() => app);
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app.stop());

let last = 0;
let path = '';
const tag = { system: 'urn:t', code: 'old', display: 'Old' };
beforeEach(async () => {
  path = `Patient/m${++last}`;
  const meta = { tag: [tag], profile: ['http://example.org/p'] };
  await put({ resourceType: 'Patient', id: `m${last}`, meta, active: true });
});

const parameters = (meta: unknown) => ({ resourceType: 'Parameters', parameter: [{ name: 'meta', valueMeta: meta }] });
const metaOf = (body: any) => body.parameter[0].valueMeta;

describe('$meta', () => {
  test.each(['GET', 'POST'])('by %s gives profiles, tags and labels with the version', async (method) => {
    const { status, body } = await call(method, `${path}/$meta`);
    expect([status, body.resourceType, body.parameter[0].name]).toEqual([200, 'Parameters', 'return']);
    expect(metaOf(body)).toMatchObject({ versionId: '1', tag: [tag], profile: ['http://example.org/p'] });
  });
});

describe('$meta-add', () => {
  test('adds what is not there, makes a version, and leaves the rest of the resource', async () => {
    const security = [{ system: 'urn:s', code: 'R' }];
    const given = {
      tag: [{ ...tag, display: 'other' }, { code: 'new' }, { code: 'new' }],
      security,
      profile: ['http://example.org/p', 'http://example.org/q'],
    };
    const { status, body } = await call('POST', `${path}/$meta-add`, parameters(given));
    expect(status).toBe(200);
    expect(metaOf(body)).toMatchObject({
      versionId: '2',
      tag: [tag, { code: 'new' }],
      security,
      profile: ['http://example.org/p', 'http://example.org/q'],
    });
    const stored = (await get(path)).body;
    expect([stored.active, stored.meta]).toEqual([true, metaOf(body)]);
    expect(ids((await get(`Patient?_tag=new&_id=m${last}`)).body)).toHaveLength(1);
  });

  test('of what is there makes no version', async () => {
    const before = await head();
    const { body } = await call('POST', `${path}/$meta-add`, parameters({ tag: [tag] }));
    expect(metaOf(body).versionId).toBe('1');
    expect(await head()).toBe(before);
  });

  test('stamps no version or time of the client', async () => {
    const given = { versionId: '99', lastUpdated: '1999-01-01T00:00:00Z', tag: [{ code: 'x' }] };
    const { body } = await call('POST', `${path}/$meta-add`, parameters(given));
    expect([metaOf(body).versionId, metaOf(body).lastUpdated.slice(0, 4)]).toEqual([
      '2',
      expect.not.stringMatching('1999'),
    ]);
  });

  test('by many at the same time loses none', async () => {
    const add = (n: number) => call('POST', `${path}/$meta-add`, parameters({ tag: [{ code: `n${n}` }] }));
    await Promise.all(Array.from({ length: 20 }, (_, n) => add(n)));
    expect((await get(path)).body.meta.tag).toHaveLength(21);
  });

  test('with If-Match holds to the version', async () => {
    const wrong = await call('POST', `${path}/$meta-add`, parameters({ tag: [{ code: 'x' }] }), {
      'if-match': 'W/"7"',
    });
    expectOutcome(wrong, 412, 'conflict');
  });
});

describe('$meta-delete', () => {
  test('takes away what is named by system and code, and the list when it is empty', async () => {
    const { status, body } = await call(
      'POST',
      `${path}/$meta-delete`,
      parameters({ tag: [{ system: 'urn:t', code: 'old' }] }),
    );
    expect([status, metaOf(body).versionId, metaOf(body).tag]).toEqual([200, '2', undefined]);
    expect((await get(path)).body.meta).toEqual(metaOf(body));
  });

  test('of what is not there does no harm', async () => {
    const before = await head();
    const { status, body } = await call(
      'POST',
      `${path}/$meta-delete`,
      parameters({ tag: [{ code: 'old' }], security: [{ code: 'x' }] }),
    );
    expect([status, metaOf(body).tag]).toEqual([200, [tag]]);
    expect(await head()).toBe(before);
  });
});

describe('what is refused', () => {
  test.each(['$meta', '$meta-add', '$meta-delete'])(
    '%s of what never was: 404, of what was deleted: 410',
    async (name) => {
      expectOutcome(await call('POST', `Patient/never/${name}`, parameters({ tag: [tag] })), 404, 'not-found');
      await remove(path);
      expectOutcome(await call('POST', `${path}/${name}`, parameters({ tag: [tag] })), 410, 'deleted');
    },
  );

  test.each<[string, unknown]>([
    ['no meta', { resourceType: 'Parameters', parameter: [{ name: 'other', valueString: 'x' }] }],
    ['a meta that is a text', { resourceType: 'Parameters', parameter: [{ name: 'meta', valueString: 'x' }] }],
    ['tags that are no list', parameters({ tag: 5 })],
    ['tags that are an object', parameters({ tag: {} })],
    ['a tag that is null', parameters({ tag: [null] })],
    ['a tag that is a text', parameters({ tag: ['x'] })],
    ['a profile that is an object', parameters({ profile: [{}] })],
    ['an unknown element', parameters({ colour: 'red' })],
    [
      '__proto__',
      '{"resourceType":"Parameters","parameter":[{"name":"meta","valueMeta":{"__proto__":{"tag":[{"code":"x"}]}}}]}',
    ],
    ['null', 'null'],
    ['a resource', { resourceType: 'Patient' }],
    ['nothing', undefined],
  ])('%s', async (_, body) => {
    const before = await head();
    for (const name of ['$meta-add', '$meta-delete']) {
      const answer = await call('POST', `${path}/${name}`, body);
      expect([400, 422]).toContain(answer.status);
      expect(answer.body.resourceType).toBe('OperationOutcome');
    }
    expect(await head()).toBe(before);
  });
});
