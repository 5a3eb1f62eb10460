/** Parameters that are unknown or malformed, for a strict, a lenient and any other client. R4 search.html#errors, http.html#handling. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { App } from '../../src/app.ts';
import { startTestApp } from '../support/app.ts';
import { clientOf, expectOutcome, form, ids, lenient, linkOf, strict, warnings } from './client.ts';

let app: App;
beforeAll(async () => {
  app = await startTestApp();
  await put({ resourceType: 'Patient', id: 'm', gender: 'male', birthDate: '1980' });
  await put({ resourceType: 'Patient', id: 'f', gender: 'female', birthDate: '1990' });
});
afterAll(() => app.stop());

const { call, get, put } = clientOf(() => app);

/** Without a parameter that works, what was ignored would be everything. */
const sound = 'gender=male';

describe('what is not known', () => {
  test.each([
    'colour=red',
    'GENDER=female',
    'patient.name=x',
    '_tags=x',
    '__proto__=x',
    'constructor=x',
    'organization.colour=x',
  ])('%s is refused for a strict client; for others it is ignored, and the answer says so', async (unknown) => {
    const name = unknown.split('=')[0] as string;
    expectOutcome(await get(`Patient?${sound}&${unknown}`, strict), 400, 'structure');
    for (const headers of [{}, lenient]) {
      const { status, body } = await get(`Patient?${sound}&${unknown}`, headers);
      expect([status, ids(body)]).toEqual([200, ['m']]);
      expect(warnings(body)).toContain(name);
      expect(linkOf(body, 'self')).toBe(`${app.http}/Patient?${sound}`);
      const outcome = body.entry.find((it: any) => it.search.mode === 'outcome');
      expect(outcome.resource.issue[0]).toMatchObject({ severity: 'warning', code: 'not-supported' });
    }
  });

  test('is refused by name, and its value is not quoted', async () => {
    const { body } = await get('Patient?colour=geheim', strict);
    expect(JSON.stringify(body)).toContain('colour');
    expect(JSON.stringify(body)).not.toContain('geheim');
  });
});

describe('what is malformed', () => {
  test.each([
    'birthdate=soon',
    'birthdate=2026-02-30',
    'birthdate=ge',
    '_lastUpdated=yesterday',
    'birthdate:missing=perhaps',
    '_count=x',
    '_count=-1',
    '_sort=colour',
    '_total=exactly',
    '_include=Patient:gender',
    '_has:Observation:code=x',
    'name:exact=%CC%81',
    '_id:missing=x',
  ])('%s is refused, but for a lenient client, who is told', async (malformed) => {
    expectOutcome(await get(`Patient?${sound}&${malformed}`, strict), 400, 'structure');
    expectOutcome(await get(`Patient?${sound}&${malformed}`), 400, 'structure');
    const { status, body } = await get(`Patient?${sound}&${malformed}`, lenient);
    // R4 search.html#modifiers: "Servers SHALL reject any search request that contains a search parameter with a modifier
    // that the server does not support".
    if (malformed.startsWith('_id:')) expect(status).toBe(400);
    else {
      expect([status, ids(body)]).toEqual([200, ['m']]);
      expect(warnings(body)).not.toBe('');
      expect(linkOf(body, 'self')).toBe(`${app.http}/Patient?${sound}`);
    }
  });

  test.each([
    'gender:exact=male',
    'name:not=x',
    'gender:nonsense=male',
    'birthdate:contains=1',
    'organization:Nobody.name=x',
    'name.family=x',
  ])('a modifier or chain that is not supported, %s, is refused for everybody', async (query) => {
    for (const headers of [{}, strict, lenient]) {
      const { status, body } = await get(`Patient?${sound}&${query}`, headers);
      if (status === 200) expect([headers, warnings(body)]).toEqual([lenient, expect.stringMatching(/./)]);
      else expect([query, status]).toEqual([query, 400]);
    }
  });
});

describe('what is empty', () => {
  test.each(['colour=', 'birthdate=', 'name:exact=', '_sort=', '_count=', '_include=', '=x&gender='])(
    '%s says nothing, strict or not',
    async (empty) => {
      for (const headers of [{}, strict, lenient]) {
        const { status, body } = await get(`Patient?${sound}&${empty}`, headers);
        if (empty.startsWith('=') && headers === strict) expect(status).toBe(400);
        else expect([status, ids(body)]).toEqual([200, ['m']]);
      }
    },
  );
});

describe('a wish that is none', () => {
  test.each(['handling=loose', 'handling=', 'handling', 'return=minimal', 'HANDLING=strict', 'x'.repeat(5000)])(
    '%s is passed over',
    async (prefer) => {
      expect((await get('Patient?colour=red', { prefer: prefer.slice(0, 2000) })).status).toBe(200);
    },
  );

  test('beside others is seen', async () => {
    expect((await get('Patient?colour=red', { prefer: 'return=minimal; handling=strict' })).status).toBe(400);
    expect((await get('Patient?birthdate=soon', { prefer: 'respond-async, handling=lenient' })).status).toBe(200);
  });
});

test('a search by POST, of the system, of a compartment and in a Bundle is handled alike', async () => {
  for (const path of ['Patient/_search', '_search', 'Patient/m/Encounter/_search', 'Patient/m/*/_search']) {
    expect([path, (await call('POST', path, 'colour=red', { ...form, ...strict })).status]).toEqual([path, 400]);
    const { status, body } = await call('POST', path, 'colour=red', form);
    expect([path, status, warnings(body).includes('colour')]).toEqual([path, 200, true]);
  }
  const batch = {
    resourceType: 'Bundle',
    type: 'batch',
    entry: [{ request: { method: 'GET', url: 'Patient?colour=red' } }],
  };
  expect((await call('POST', '', batch, strict)).body.entry[0].response.status).toBe('400');
  expect((await call('POST', '', batch)).body.entry[0].response.status).toBe('200');
});
