/** XML in and out of every interaction: the same resources as in JSON, and errors too. R4 xml.html, http.html#mime-type. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { App } from '../../src/app.ts';
import { parseXml } from '../../src/fhir/xml/parse.ts';
import { startTestApp } from '../support/app.ts';
import { clientOf } from './client.ts';

let app: App;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app.stop());

const { get, put, head, text } = clientOf(() => app);
const type = 'application/fhir+xml';
const ns = 'xmlns="http://hl7.org/fhir"';
const patient = (id: string, content = '') => `<Patient ${ns}><id value="${id}"/>${content}</Patient>`;

/** A request in XML and its answer, which has to be XML too. */
async function xml(method: string, path: string, body?: string, headers: Record<string, string> = {}) {
  const answer = await text(method, path, body, { 'content-type': type, accept: type, ...headers });
  if (answer.text !== '') expect(answer.type).toBe('application/fhir+xml; charset=utf-8');
  return { ...answer, body: answer.text === '' ? undefined : parseXml(answer.text) };
}

describe('XML', () => {
  test('is taken and given by create, read, vread, update, delete', async () => {
    const name = '<name><family value="张 &amp; &quot;Müller&quot;"/><given value="A"/><given value="B"/></name>';
    const created = await xml('POST', 'Patient', `<Patient ${ns}><active value="true"/>${name}</Patient>`);
    expect(created.status).toBe(201);
    const { id } = created.body as { id: string };
    expect((await get(`Patient/${id}`)).body).toEqual(created.body);
    expect(created.body).toMatchObject({ active: true, name: [{ family: '张 & "Müller"', given: ['A', 'B'] }] });
    expect((await xml('GET', `Patient/${id}`)).body).toEqual(created.body);
    const updated = await xml('PUT', `Patient/${id}`, patient(id, '<active value="false"/>'));
    expect([updated.status, updated.headers.get('etag'), updated.body?.active]).toEqual([200, 'W/"2"', false]);
    expect((await xml('GET', `Patient/${id}/_history/1`)).body).toEqual(created.body);
    expect((await xml('DELETE', `Patient/${id}`)).status).toBe(204);
    expect((await xml('GET', `Patient/${id}`)).status).toBe(410);
  });

  test('that says the same as what is stored makes no new version', async () => {
    const json = {
      resourceType: 'Patient',
      id: 'same',
      active: true,
      name: [{ given: ['A', 'B'] }],
      birthDate: '1980',
    };
    await put(json);
    const whole = await xml('GET', 'Patient/same');
    const again = await xml('PUT', 'Patient/same', whole.text);
    expect([again.status, again.headers.get('etag')]).toEqual([200, 'W/"1"']);
  });

  test('is given for searches, histories, operations and the capability statement, as in JSON', async () => {
    for (const path of [
      'Patient?_id=same',
      'Patient/same/_history',
      '?_type=Patient',
      'metadata',
      'Patient/same/$meta',
    ]) {
      const { status, body } = await xml('GET', path);
      expect([path, status, body]).toEqual([path, 200, (await get(path)).body]);
    }
  });

  test('is taken by operations', async () => {
    const parameters = `<Parameters ${ns}><parameter><name value="resource"/><resource>${patient('v', '<gender value="m"/>')}</resource></parameter></Parameters>`;
    const { status, body } = await xml('POST', 'Patient/$validate', parameters);
    expect([status, body?.issue[0].expression]).toEqual([200, ['Patient.gender']]);
  });

  test('is a FHIRPath patch', async () => {
    await put({ resourceType: 'Patient', id: 'patched', active: true });
    const part = (name: string, value: string) => `<part><name value="${name}"/><value${value}/></part>`;
    const operation = `${part('type', 'Code value="replace"')}${part('path', 'String value="Patient.active"')}${part('value', 'Boolean value="false"')}`;
    const body = `<Parameters ${ns}><parameter><name value="operation"/>${operation}</parameter></Parameters>`;
    const answer = await xml('PATCH', 'Patient/patched', body);
    expect([answer.status, answer.body?.active]).toEqual([200, false]);
  });

  test('is a transaction, with its references rewritten', async () => {
    const urn = 'urn:uuid:7b6d32b5-9e3a-4c3c-8f5e-0d9a3f1b2c4d';
    const div = `<text><status value="generated"/><div xmlns="http://www.w3.org/1999/xhtml"><a href="${urn}">x</a></div></text>`;
    const entry = (content: string, method: string, url: string, full = '') =>
      `<entry>${full}<resource>${content}</resource><request><method value="${method}"/><url value="${url}"/></request></entry>`;
    const flag = `<Flag ${ns}>${div}<status value="active"/><code><text value="x"/></code><subject><reference value="${urn}"/></subject></Flag>`;
    const bundle = `<Bundle ${ns}><type value="transaction"/>${entry(patient('x'), 'POST', 'Patient', `<fullUrl value="${urn}"/>`)}${entry(flag, 'PUT', 'Flag/f1').replace('<status', '<id value="ignored"/><status')}</Bundle>`;
    const wrong = await xml('POST', '', bundle);
    expect(wrong.status).toBe(400);
    const { status, body } = await xml(
      'POST',
      '',
      bundle.replace('<id value="ignored"/>', '').replace(`<Flag ${ns}>`, `<Flag ${ns}><id value="f1"/>`),
    );
    expect([status, body?.entry.map((it: any) => it.response.status)]).toEqual([200, ['201', '201']]);
    const made = /Patient\/[^/]+/.exec(body?.entry[0].response.location)?.[0] as string;
    const stored = (await get('Flag/f1')).body;
    expect(stored.subject.reference).toBe(made);
    expect(stored.text.div).toContain(`href="${made}"`);
  });
});

describe('an error', () => {
  test.each<[string, string, string, string | undefined, number]>([
    ['of a read', 'GET', 'Patient/never', undefined, 404],
    ['of a search', 'GET', 'Patient?birthdate=soon', undefined, 400],
    ['of an unknown type', 'GET', 'Nobody', undefined, 404],
    ['of a method', 'POST', 'Patient/1', patient('1'), 405],
    ['of a create', 'POST', 'Patient', `<Patient ${ns}><gender value="m"/></Patient>`, 422],
    ['of an update', 'PUT', 'Patient/a', patient('b'), 400],
    ['of a transaction', 'POST', '', `<Bundle ${ns}><type value="document"/></Bundle>`, 400],
  ])('%s is XML when that is asked for', async (_, method, path, content, status) => {
    const answer = await xml(method, path, content);
    expect([answer.status, answer.body?.resourceType]).toEqual([status, 'OperationOutcome']);
    expect(answer.body?.issue[0].severity).toBe('error');
  });
});

describe('XML that is refused', () => {
  const dtd = '<!DOCTYPE Patient [<!ENTITY x SYSTEM "file:///etc/passwd">]>';
  const bomb = '<!DOCTYPE p [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>';
  test.each<[string, string]>([
    ['nothing', ' '],
    ['no XML', '{"resourceType":"Patient"}'],
    ['an element that is not closed', `<Patient ${ns}><active value="true"/>`],
    ['no namespace', '<Patient><active value="true"/></Patient>'],
    ['another namespace', '<Patient xmlns="urn:x"><active value="true"/></Patient>'],
    ['no resource', `<Nobody ${ns}/>`],
    ['a type that every object has', `<__proto__ ${ns}/>`],
    ['an unknown element', `<Patient ${ns}><colour value="red"/></Patient>`],
    ['an element that every object has', `<Patient ${ns}><constructor value="x"/></Patient>`],
    ['__proto__ as an element', `<Patient ${ns}><__proto__ value="x"/></Patient>`],
    ['an external entity', `${dtd}<Patient ${ns}><language value="&x;"/></Patient>`],
    ['entities that grow', `${bomb}<Patient ${ns}><language value="&b;"/></Patient>`],
    ['an entity that is not there', `<Patient ${ns}><language value="&nbsp;"/></Patient>`],
    ['text where none may be', `<Patient ${ns}>hello</Patient>`],
    ['the same element twice', `<Patient ${ns}><active value="true"/><active value="false"/></Patient>`],
    ['two roots', `${patient('1')}${patient('2')}`],
    ['nesting without end', `<Patient ${ns}>${'<extension url="u">'.repeat(50_000)}`],
    [
      'a document with attributes by the thousand',
      `<Patient ${ns} ${Array.from({ length: 20_000 }, (_, i) => `a${i}="1"`).join(' ')}/>`,
    ],
    ['control characters', `<Patient ${ns}><language value="\u0001"/></Patient>`],
    ['a number that is none', `<Patient ${ns}><multipleBirthInteger value="1e"/></Patient>`],
  ])('%s answers 4xx and stores nothing', async (_, content) => {
    const before = await head();
    const answer = await xml('POST', 'Patient', content);
    expect([400, 413, 422]).toContain(answer.status);
    expect(answer.body?.resourceType).toBe('OperationOutcome');
    expect(await head()).toBe(before);
  });
});
