/** Headers and URLs that nobody meant: an answer in time, an outcome for every error, never a defect, nothing half-written. */
import { afterAll, beforeAll, describe, test } from '@jest/globals';
import fc from 'fast-check';
import type { App } from '../../src/app.ts';
import { resourceTypes } from '../../src/fhir/definitions.ts';
import { startTestApp } from '../support/app.ts';
import { clientOf } from './client.ts';
import { askerOf, json, scalars, texts } from './hostile.ts';

let app: App;
beforeAll(async () => {
  app = await startTestApp();
  await put({ resourceType: 'Patient', id: 'a', active: true, name: [{ family: 'A', given: ['x'] }] });
  const subject = { reference: 'Patient/a' };
  await put({ resourceType: 'Observation', id: 'o', status: 'final', code: { text: 'x' }, subject });
});
afterAll(() => app.stop());

const { put } = clientOf(() => app);
const ask = askerOf(() => app);

describe('headers', () => {
  /** Values that a header line can carry. */
  const values = fc.oneof(
    fc.string({ maxLength: 50 }).map((it) => it.replace(/[^\x20-\x7e]/g, '').trim()),
    fc.constantFrom(
      ...[
        '*',
        '""',
        'W/""',
        'W/"1',
        '"1"',
        'W/"1", W/"2"',
        'W/"99999999999999999999"',
        'W/"-1"',
        ',',
        ';',
        ';;q=',
        'q=0',
      ],
      ...[
        'a'.repeat(3000),
        'W/"1"'.repeat(500),
        `${'a,'.repeat(2000)}a`,
        'handling=strict',
        'return=',
        'Patient?',
        '?',
      ],
      ...['identifier=x&', 'Mon, 16 Mar 2026 02:00:00 GMT'],
    ),
  );
  const names = 'if-match if-none-match if-modified-since if-none-exist prefer accept content-type x-security-context';

  test.each([...names.split(' '), 'content-encoding'])('%s of any text', async (header) => {
    const body = { resourceType: 'Patient', id: 'h', active: true };
    await fc.assert(
      fc.asyncProperty(values, async (text) => {
        if (text === '' && header === 'content-type') return;
        await ask('GET', 'Patient/a', { [header]: text });
        await ask('GET', 'Patient?name=x', { [header]: text });
        await ask('PUT', 'Patient/h', { ...json, [header]: text }, body);
        await ask('POST', 'Patient', { ...json, [header]: text }, body);
        await ask('POST', 'Binary', { 'content-type': 'text/plain', [header]: text }, 'x');
        await ask('DELETE', 'Patient/nobody', { [header]: text });
      }),
      { numRuns: 15 },
    );
  });
});

/** Not a step of a path: fetch would take it away. */
function isName(text: string): boolean {
  return text !== '' && text !== '.' && text !== '..';
}

describe('URLs', () => {
  test('of any path and method', async () => {
    const words =
      'Patient a _history _search * $everything $validate metadata 1 %00 %2e%2e ..%2f % __proto__ %F0%9F%98%80';
    const part = fc.oneof(
      fc.constantFrom(...resourceTypes.slice(0, 20), ...words.split(' '), 'x'.repeat(100)),
      fc.string({ maxLength: 10 }).map(encodeURIComponent),
    );
    const method = fc.constantFrom('GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS');
    await fc.assert(
      fc.asyncProperty(fc.array(part.filter(isName), { maxLength: 5 }), method, async (path, how) => {
        const [resourceType = 'Patient', id = 'a'] = path;
        const body = ['POST', 'PUT', 'PATCH'].includes(how) ? { resourceType, id } : undefined;
        await ask(how, path.join('/'), body ? json : {}, body);
      }),
      { numRuns: 200 },
    );
  });

  test('of any search', async () => {
    const codes =
      'name birthdate identifier _id gender _lastUpdated organization general-practitioner _tag _sort _count _include _revinclude _summary _elements _total _page _type _has _filter _list _text _content _format _pretty _since _at near code-value-quantity value-quantity probability __proto__';
    const code = fc.oneof(fc.constantFrom(...codes.split(' ')), fc.string({ maxLength: 8 }));
    const modifiers =
      ':exact :contains :missing :not :in :below :text :of-type :identifier :Patient :iterate : .name .a.b.c.d.e.f.g :Observation:patient:code :a:b:c:d';
    const modifier = fc.oneof(fc.constant(''), fc.constantFrom(...modifiers.split(' ')), fc.string({ maxLength: 6 }));
    const value = fc.oneof(
      texts.map((it) => it.slice(0, 1000).toWellFormed()),
      fc.constantFrom(
        ...[
          '',
          ',',
          '|',
          '||',
          '$',
          '\\',
          '*',
          '-',
          'ge',
          'ap',
          'ge2026',
          'ap1e400',
          '1e999',
          '-1',
          '0',
          '5||[',
          '91|181|1|km',
        ],
        ...[
          '5.4|http://unitsofmeasure.org|mg',
          'Patient:organization',
          'Patient:*',
          '*:*',
          '-name,birthdate',
          'true',
          'a$b$c',
        ],
        ...[
          'name co "x"',
          '((((',
          'not (name eq "',
          'http://hl7.org/fhir/ValueSet/administrative-gender',
          '%'.repeat(50),
        ],
      ),
    );
    const paths =
      'Patient Observation Location Patient/a/* Patient/a/Observation Patient/_history Patient/a/$everything';
    const path = fc.constantFrom(...paths.split(' '), '', 'RiskAssessment');
    const prefer = fc.constantFrom('', 'handling=strict', 'handling=lenient');
    const asked = fc.array(fc.tuple(code, modifier, value), { maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(path, asked, prefer, async (where, all, wish) => {
        const query = new URLSearchParams(all.map(([name, more, text]) => [`${name}${more}`, text]));
        await ask('GET', `${where}?${query}`, { prefer: wish });
      }),
      { numRuns: 200 },
    );
  });

  test('of any page token', async () => {
    const encoded = (it: unknown): string => Buffer.from(JSON.stringify(it)).toString('base64url');
    const token = fc.oneof(
      texts.map((it) => it.slice(0, 500).toWellFormed()),
      fc.tuple(scalars, fc.oneof(texts, fc.json({ maxDepth: 2 })), scalars).map(encoded),
      fc
        .tuple(fc.nat(), fc.array(scalars, { maxLength: 4 }))
        .map(([snapshot, after]) => encoded([snapshot, JSON.stringify(after), Date.now()])),
    );
    const paths =
      'Patient? Patient?_sort=name& Patient?_sort=-birthdate,_id& ? Patient/_history? Patient/a/$everything?';
    await fc.assert(
      fc.asyncProperty(token, fc.constantFrom(...paths.split(' ')), async (page, path) => {
        await ask('GET', `${path}_page=${encodeURIComponent(page)}`);
      }),
      { numRuns: 200 },
    );
  });

  test('of any id and version', async () => {
    const word = texts.map((it) => encodeURIComponent(it.slice(0, 300).toWellFormed())).filter(isName);
    await fc.assert(
      fc.asyncProperty(word, async (text) => {
        for (const path of ['', '/_history', '/_history/1', '/Observation', '/$everything', '/$meta'])
          await ask('GET', `Patient/${text}${path}`);
        await ask('GET', `Patient/a/_history/${text}`);
        await ask('PUT', `Patient/${text}`, json, { resourceType: 'Patient', id: decodeURIComponent(text) });
        await ask('DELETE', `Patient/${text}`);
      }),
      { numRuns: 40 },
    );
  });
});
