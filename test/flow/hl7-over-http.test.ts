/** Trouble: a sender that cannot do MLLP. It posts its messages to /hl7v2. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { applied, Hospital, opened, readAnswer } from './hospital.ts';
import { adt, home, pid, pv1, withHeader } from './messages.ts';
import { mappingsWith, serving } from './sites.ts';

const folder = mappingsWith({ clinic: 'settings: { otherEvents: ignore }' });

let hospital: Hospital;
beforeAll(async () => {
  hospital = await Hospital.open(undefined, { ...serving(folder, [undefined, 'clinic']), bodyBytesMax: 100_000 });
});
afterAll(async () => {
  await Hospital.closeAll();
  folder.remove();
});

const admission = (n: string): string => adt('A01', '2026-03-10 09:05', pid(n), pv1(`V${n}`));
const asking = (text: string, accept: string, application: string): string =>
  withHeader(text, { 15: accept, 16: application });

describe('a message by HTTP', () => {
  const message = admission('1001');

  test('1. is answered with 200 and an acknowledgement, and applied', async () => {
    const { status, type, text } = await hospital.posts(message);
    expect([status, type, readAnswer(text)]).toEqual([200, 'x-application/hl7-v2+er7', { ack: 'AA' }]);
    expect(await hospital.visit('V1001')).toMatchObject({ status: 'in-progress' });
    expect((await hospital.journal())[0]).toMatchObject({ listener: 'http', state: 'applied' });
  });

  test('2. sent again, by HTTP or MLLP, gets the same answer', async () => {
    const first = (await hospital.posts(message)).text;
    expect((await hospital.posts(message)).text).toBe(first);
    expect((await hospital.answerTo(message)).toString()).toBe(first);
  });

  test('3. goes on where one by MLLP left off', async () => {
    expect(await hospital.sends(adt('A03', '2026-03-16 10:05', pid('1001'), pv1('V1001', home)))).toEqual(applied);
    expect(await hospital.followed(await hospital.visit('V1001'))).toEqual(opened);
    await hospital.posts(adt('A13', '2026-03-16 10:30', pid('1001'), pv1('V1001')));
    expect((await hospital.visit('V1001')).status).toBe('in-progress');
  });

  test('4. that cannot be taken is answered with 200 and AE: the problem is in the message', async () => {
    const { status, text } = await hospital.posts(adt('A01', '2026-03-10 09:05', pid('1002')));
    expect(status).toBe(200);
    expect(readAnswer(text)).toMatchObject({ ack: 'AE' });
    expect((await hospital.journal())[0]?.state).toBe('rejected');
  });
});

describe('enhanced mode by HTTP has one answer to one request', () => {
  test.each([
    ['AL', 'AL', 200, 'AA'],
    ['AL', 'NE', 200, 'CA'],
    ['NE', 'AL', 200, 'AA'],
    ['NE', 'NE', 204, ''],
    ['ER', 'ER', 204, ''],
  ])('MSH-15 = %s, MSH-16 = %s: %i %s', async (accept, application, status, ack) => {
    const answer = await hospital.posts(asking(admission('1003'), accept, application));
    expect([answer.status, answer.text && readAnswer(answer.text).ack]).toEqual([status, ack]);
  });
});

describe('the site of a request (?site=)', () => {
  const other = (): string => adt('A17', '2026-03-10 09:05', pid('1004'), pv1('V4'));

  test('is that of the server when none is named', async () => {
    expect(readAnswer((await hospital.posts(other())).text).ack).toBe('AR');
  });

  test('chooses the mapping', async () => {
    expect(readAnswer((await hospital.posts(other(), '?site=clinic')).text).ack).toBe('AA');
    expect((await hospital.journal())[0]).toMatchObject({ site: 'clinic', state: 'ignored' });
  });

  test.each(['?site=nobody', '?site=../../etc/passwd', '?site=us'])(
    '%s, which no listener has, is not found, and nothing is kept',
    async (query) => {
      const before = await hospital.app.store.messageCounts();
      expect((await hospital.posts(admission('1005'), query)).status).toBe(404);
      expect(await hospital.app.store.messageCounts()).toEqual(before);
    },
  );
});

describe('a request that is no message', () => {
  test('too long: 413, and nothing is kept', async () => {
    const before = await hospital.app.store.messageCounts();
    const long = `${admission('1006')}ZZZ|${'x'.repeat(100_000)}\r`;
    expect((await hospital.posts(long)).status).toBe(413);
    expect(await hospital.app.store.messageCounts()).toEqual(before);
  });

  test('words, or nothing: an answer that says so', async () => {
    for (const body of ['good morning', '']) {
      const { status, text } = await hospital.posts(body);
      expect([status, readAnswer(text).ack]).toEqual([200, 'AE']);
    }
  });

  test.each([['http://evil.example'], ['null']])(
    'from a page of another origin (%s): refused, and nothing is kept',
    async (origin) => {
      const before = await hospital.app.store.messageCounts();
      const headers = { origin, 'content-type': 'text/plain' };
      const address = hospital.app.http.replace(/\/fhir$/, '/hl7v2');
      expect((await fetch(address, { method: 'POST', headers, body: admission('1007') })).status).toBe(403);
      expect(await hospital.app.store.messageCounts()).toEqual(before);
      const own = { ...headers, origin: new URL(address).origin };
      expect((await fetch(address, { method: 'POST', headers: own, body: admission('1007') })).status).toBe(200);
    },
  );

  test.each(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'])('%s: 405, and what the path takes', async (method) => {
    const { status, headers } = await fetch(hospital.app.http.replace(/\/fhir$/, '/hl7v2'), { method });
    expect([status, headers.get('allow')]).toEqual([405, 'POST']);
  });
});
