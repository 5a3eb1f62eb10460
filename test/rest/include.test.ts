/** `_include` and `_revinclude`. R4 search.html#include. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { App } from '../../src/app.ts';
import { startTestApp } from '../support/app.ts';
import { clientOf, entries, expectOutcome, ids, strict, warnings } from './client.ts';

let app: App;
const { call, get, put, remove, pages, bundle } = clientOf(() => app);

const patient = (id: string, more: object = {}) => put({ resourceType: 'Patient', id, ...more });
const encounter = (id: string, subject: string, more: object = {}) =>
  put({
    resourceType: 'Encounter',
    id,
    status: 'planned',
    class: { code: 'IMP' },
    subject: { reference: subject },
    ...more,
  });

beforeAll(async () => {
  app = await startTestApp();
  await put({ resourceType: 'Organization', id: 'top', name: 'top' });
  await put({ resourceType: 'Organization', id: 'ward', name: 'ward', partOf: { reference: 'Organization/top' } });
  await put({ resourceType: 'Practitioner', id: 'doc', active: true });
  await patient('a', {
    managingOrganization: { reference: 'Organization/ward' },
    generalPractitioner: [{ reference: 'Practitioner/doc' }, { reference: 'Organization/top' }],
  });
  await patient('b', { link: [{ other: { reference: 'Patient/a' }, type: 'seealso' }] });
  await patient('gone');
  await remove('Patient/gone');
  await encounter('e1', 'Patient/a');
  await encounter('e2', 'Patient/a', { partOf: { reference: 'Encounter/e1' } });
  await encounter('e3', `${app.http}/Patient/b`);
  await encounter('e4', 'Patient/gone');
  await encounter('e5', 'Patient/never');
  await encounter('e6', 'https://elsewhere.example/Patient/a');
  await encounter('e7', 'Patient/a/_history/1');
  // A circle.
  for (const [id, next] of [
    ['c1', 'c2'],
    ['c2', 'c3'],
    ['c3', 'c1'],
  ] as const)
    await patient(id, { link: [{ other: { reference: `Patient/${next}` }, type: 'seealso' }] });
});
afterAll(() => app.stop());

const names = (body: any, mode: string): string[] =>
  (body.entry ?? [])
    .filter((it: any) => it.search.mode === mode)
    .map((it: any) => `${it.resource.resourceType}/${it.resource.id}`)
    .sort();

describe('_include', () => {
  test.each<[string, string[], string[]]>([
    ['Encounter?_id=e1,e2&_include=Encounter:subject', ['Encounter/e1', 'Encounter/e2'], ['Patient/a']],
    ['Encounter?_id=e3&_include=Encounter:patient', ['Encounter/e3'], ['Patient/b']],
    ['Encounter?_id=e4,e5,e6&_include=Encounter:subject', ['Encounter/e4', 'Encounter/e5', 'Encounter/e6'], []],
    ['Encounter?_id=e7&_include=Encounter:subject', ['Encounter/e7'], ['Patient/a']],
    ['Encounter?_id=e1&_include=Encounter:subject:Group', ['Encounter/e1'], []],
    ['Encounter?_id=e1&_include=Encounter:subject:Patient', ['Encounter/e1'], ['Patient/a']],
    ['Encounter?_id=e2&_include=Encounter:*', ['Encounter/e2'], ['Encounter/e1', 'Patient/a']],
    ['Encounter?_id=e2&_include=*', ['Encounter/e2'], ['Encounter/e1', 'Patient/a']],
    ['Encounter?_id=e1,e2&_include=Encounter:part-of', ['Encounter/e1', 'Encounter/e2'], []],
    ['Patient?_id=a&_include=Patient:general-practitioner', ['Patient/a'], ['Organization/top', 'Practitioner/doc']],
    ['Patient?_id=a&_include=Patient:general-practitioner:Practitioner', ['Patient/a'], ['Practitioner/doc']],
    [
      'Encounter?_id=e2&_include=Encounter:subject&_include=Encounter:part-of',
      ['Encounter/e2'],
      ['Encounter/e1', 'Patient/a'],
    ],
    [
      'Encounter?_id=e1&_include=Encounter:subject&_include:iterate=Patient:organization',
      ['Encounter/e1'],
      ['Organization/ward', 'Patient/a'],
    ],
    [
      'Encounter?_id=e1&_include=Encounter:subject&_include:iterate=Patient:organization&_include:iterate=Organization:partof',
      ['Encounter/e1'],
      ['Organization/top', 'Organization/ward', 'Patient/a'],
    ],
    ['Encounter?_id=e1&_include:recurse=Encounter:subject', ['Encounter/e1'], ['Patient/a']],
    ['Patient?_id=c1&_include=Patient:link', ['Patient/c1'], ['Patient/c2']],
    ['Patient?_id=c1&_include:iterate=Patient:link', ['Patient/c1'], ['Patient/c2', 'Patient/c3']],
    ['Patient?_id=c1,c2,c3&_include:iterate=Patient:link', ['Patient/c1', 'Patient/c2', 'Patient/c3'], []],
    ['Patient?_id=nobody&_include=*', [], []],
    [
      '?_type=Encounter,Patient&_id=e1,b&_include=Encounter:subject&_include=Patient:link',
      ['Encounter/e1', 'Patient/b'],
      ['Patient/a'],
    ],
  ])('%s finds %j and adds %j', async (path, matches, added) => {
    const { status, body } = await get(path, strict);
    expect([status, names(body, 'match'), names(body, 'include')]).toEqual([200, matches, added]);
  });
});

describe('_revinclude', () => {
  test.each<[string, string[], string[]]>([
    ['Patient?_id=a&_revinclude=Encounter:subject', ['Patient/a'], ['Encounter/e1', 'Encounter/e2', 'Encounter/e7']],
    ['Patient?_id=b&_revinclude=Encounter:patient', ['Patient/b'], ['Encounter/e3']],
    ['Patient?_id=a&_revinclude=Encounter:subject:Group', ['Patient/a'], []],
    ['Patient?_id=a,b&_revinclude=Patient:link', ['Patient/a', 'Patient/b'], []],
    ['Organization?_id=top&_revinclude=Organization:partof', ['Organization/top'], ['Organization/ward']],
    [
      'Organization?_id=top&_revinclude:iterate=Organization:partof&_revinclude:iterate=Patient:organization',
      ['Organization/top'],
      ['Organization/ward', 'Patient/a'],
    ],
    ['Practitioner?_id=doc&_revinclude=*', ['Practitioner/doc'], ['Patient/a']],
    ['Patient?_id=c1&_revinclude:iterate=Patient:link', ['Patient/c1'], ['Patient/c2', 'Patient/c3']],
    [
      'Patient?_id=a&_include=Patient:organization&_revinclude=Encounter:patient',
      ['Patient/a'],
      ['Encounter/e1', 'Encounter/e2', 'Encounter/e7', 'Organization/ward'],
    ],
    ['Patient?_id=gone&_revinclude=Encounter:subject', [], []],
  ])('%s finds %j and adds %j', async (path, matches, added) => {
    const { status, body } = await get(path, strict);
    expect([status, names(body, 'match'), names(body, 'include')]).toEqual([200, matches, added]);
  });
});

describe('what is added', () => {
  test('counts neither for the page nor for the total', async () => {
    const found = await pages('Encounter?subject=Patient/a&_count=2&_include=Encounter:subject&_total=accurate');
    expect(found.map((it) => [it.total, ids(it), ids(it, 'include')])).toEqual([
      [3, ['e1', 'e2'], ['a']],
      [3, ['e7'], ['a']],
    ]);
  });

  test('has its full URL', async () => {
    const { body } = await get('Encounter?_id=e1&_include=Encounter:subject');
    expect(body.entry.map((it: any) => it.fullUrl)).toEqual([`${app.http}/Encounter/e1`, `${app.http}/Patient/a`]);
  });

  test('is not added to a count', async () => {
    const { body } = await get('Encounter?subject=Patient/a&_summary=count&_include=*');
    expect([body.total, body.entry]).toEqual([3, undefined]);
  });

  test('of a crowd ends at a limit, and says so', async () => {
    const appointment = (i: number) => ({
      resourceType: 'Appointment',
      id: `t${i}`,
      status: 'proposed',
      participant: [{ actor: { reference: 'Patient/crowd' }, status: 'accepted' }],
    });
    await patient('crowd');
    await bundle(
      'transaction',
      Array.from({ length: 1100 }, (_, i) => entries.put(appointment(i))),
    );
    const { status, body } = await get('Patient?_id=crowd&_revinclude=Appointment:patient');
    expect([status, ids(body), ids(body, 'include').length]).toEqual([200, ['crowd'], 1000]);
    expect(warnings(body)).toContain('1000');
    const back = (
      await get('Appointment?_count=1000&_include=Appointment:patient&_revinclude:iterate=Appointment:patient')
    ).body;
    expect(ids(back, 'include').length).toBeLessThanOrEqual(1000);
  });
});

describe('an include', () => {
  test.each([
    '_include=Encounter',
    '_include=Encounter:',
    '_include=:subject',
    '_include=Encounter:status',
    '_include=Encounter:nonsense',
    '_include=Nobody:x',
    '_include=Patient:organization',
    '_include=__proto__:constructor',
    '_include:sometimes=Encounter:subject',
    '_revinclude=Encounter:nonsense',
    '_revinclude=Nobody:subject',
    '_revinclude:exact=Encounter:subject',
  ])('%s that names no reference is refused with 400', async (query) => {
    expectOutcome(await get(`Encounter?${query}`), 400, 'structure');
    expectOutcome(await get(`Encounter?${query}`, strict), 400, 'structure');
  });

  test('is done by POST as well', async () => {
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    const { body } = await call('POST', 'Encounter/_search', '_id=e1&_include=Encounter:subject', form);
    expect(ids(body, 'include')).toEqual(['a']);
  });
});
