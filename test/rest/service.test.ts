/** What is beside FHIR: health, metrics, HL7 over HTTP; and the secrets of Subscriptions. */
import { createServer, type Server } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { App } from '../../src/app.ts';
import { FixedClock } from '../../src/clock.ts';
import { countingIds } from '../../src/ids.ts';
import { fhir, portOf, settled, startTestApp } from '../support/app.ts';
import { discharge } from '../support/messages.ts';

let app: App;
let origin: string;
beforeAll(async () => {
  app = await startTestApp({ clock: new FixedClock('2026-03-16T02:30:00Z'), ids: countingIds('id') });
  origin = new URL(app.http).origin;
});
afterAll(() => app.stop());

function hl7(body: string | Uint8Array, type = 'x-application/hl7-v2+er7'): Promise<Response> {
  return fetch(`${origin}/hl7v2`, { method: 'POST', body: body as string, headers: { 'content-type': type } });
}

describe('health', () => {
  test.each(['healthz', 'readyz'])('/%s answers ok', async (path) => {
    const response = await fetch(`${origin}/${path}`);
    expect([response.status, await response.text()]).toEqual([200, 'ok\n']);
  });

  test('has the headers that keep browsers safe, and does not say what the server is made of', async () => {
    const { headers } = await fetch(`${origin}/healthz`);
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('content-security-policy')).toBeTruthy();
    expect(headers.get('x-powered-by')).toBeNull();
  });
});

describe('HL7 over HTTP', () => {
  test('answers the ACK to a discharge, and applies it', async () => {
    const response = await hl7(discharge({ controlId: 'H1' }));
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toContain('x-application/hl7-v2+er7');
    const ack = await response.text();
    expect(ack).toMatch(/^MSH\|\^~\\&\|AFTERCARE\|RENHE\|HIS\|RENHE\|/);
    expect(ack).toMatch(/\rMSA\|AA\|H1/);
    await settled(app);
    const { body } = await fhir(app, 'GET', 'Encounter?status=finished');
    expect(body.entry).toHaveLength(1);
    expect((await fhir(app, 'GET', 'Task?_summary=count')).body.total).toBeGreaterThanOrEqual(4);
  });

  test('takes the content type that the sender has', async () => {
    expect(await (await hl7(discharge({ controlId: 'H2' }), 'text/plain')).text()).toMatch(/\rMSA\|AA\|H2/);
    expect(await (await hl7(discharge({ controlId: 'H3' }), 'application/hl7-v2')).text()).toMatch(/\rMSA\|AA\|H3/);
  });

  test('answers AE or AR to what it cannot map, with status 200 and the message in the journal', async () => {
    const before = await app.store.messageCounts();
    const unknown = await hl7(discharge({ controlId: 'H4' }).replace('ADT^A03^ADT_A01', 'MDM^T02^MDM_T02'));
    expect([unknown.status, /\rMSA\|(A[ER])\|H4/.exec(await unknown.text())?.[1]]).toEqual([200, expect.any(String)]);
    const garbage = await hl7(Buffer.from([0, 1, 2, 255]));
    expect([garbage.status, /\rMSA\|(A[ER])/.exec(await garbage.text())?.[1]]).toEqual([200, expect.any(String)]);
    const empty = await hl7('');
    expect(empty.status).toBe(200);
    expect(await empty.text()).toMatch(/MSA\|A[ER]/);
    expect((await app.store.messageCounts()).rejected).toBe((before.rejected ?? 0) + 3);
  });

  test('has no other method', async () => {
    expect((await fetch(`${origin}/hl7v2`)).status).toBeGreaterThanOrEqual(400);
  });
});

describe('metrics', () => {
  test('count requests and messages, and hold nothing of a patient', async () => {
    await fhir(app, 'PUT', 'Patient/secret-id-77', {
      resourceType: 'Patient',
      id: 'secret-id-77',
      name: [{ family: 'Geheim' }],
    });
    await fhir(app, 'GET', 'Patient?name=Geheim&identifier=secret-mrn');
    await fhir(app, 'GET', 'Patient/secret-id-77');
    await fetch(`${origin}/Geheim/secret-id-77`);
    await fetch(`${origin}/fhir/Geheim?name=secret-mrn`);
    const response = await fetch(`${origin}/metrics`);
    expect(response.status).toBe(200);
    const text = await response.text();
    expect(text).toMatch(/aftercare_http_request_seconds_count\{[^}]*route="\/fhir"[^}]*\} \d+/);
    expect(text).toMatch(/aftercare_messages\{state="applied"\} \d+/);
    expect(text).not.toMatch(/secret|Geheim|Patient|V1001|Jane|Doe|13900009999/);
  });
});

describe('the headers of a Subscription', () => {
  const secret = 'Bearer s3cr3t-value';
  let hook: Server;
  let endpoint: string;
  const received: { authorization: string | undefined; second: string | undefined; body: string }[] = [];

  beforeAll(async () => {
    hook = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk) => chunks.push(chunk));
      request.on('end', () => {
        const { authorization, 'x-second': second } = request.headers;
        received.push({ authorization, second: second as string, body: Buffer.concat(chunks).toString() });
        response.end();
      });
    });
    await new Promise<void>((resolve) => hook.listen(0, '127.0.0.1', resolve));
    endpoint = `http://127.0.0.1:${(hook.address() as { port: number }).port}/hook`;
  });
  afterAll(() => {
    hook.closeAllConnections();
    hook.close();
  });

  const subscription = (id: string) => ({
    resourceType: 'Subscription',
    id,
    status: 'requested',
    reason: 'test',
    criteria: 'Flag?patient=1',
    channel: {
      type: 'rest-hook',
      endpoint,
      payload: 'application/fhir+json',
      header: [`Authorization: ${secret}`, 'X-Second: s3cr3t-two'],
    },
  });

  async function text(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<string> {
    const answer = await fhir(app, method, path, body, headers);
    expect(answer.status).toBeLessThan(300);
    return JSON.stringify(answer.body);
  }

  test('never come back: not from a write, a read, a search, a history, a batch or a transaction', async () => {
    const id = 'sub1';
    const entry = (url: string) => ({ request: { method: 'GET', url } });
    const batch = [
      'Subscription/sub1',
      'Subscription/sub1/_history',
      'Subscription',
      'Subscription/sub1/_history/1',
    ].map(entry);
    const put = { resource: subscription('sub2'), request: { method: 'PUT', url: 'Subscription/sub2' } };
    const answers = {
      create: await text('POST', 'Subscription', subscription('x')),
      update: await text('PUT', `Subscription/${id}`, subscription(id)),
      read: await text('GET', `Subscription/${id}`),
      pretty: await text('GET', `Subscription/${id}?_pretty=true`),
      vread: await text('GET', `Subscription/${id}/_history/1`),
      history: await text('GET', `Subscription/${id}/_history`),
      search: await text('GET', 'Subscription'),
      status: await text('GET', `Subscription/${id}/$status`),
      batch: await text('POST', '', { resourceType: 'Bundle', type: 'batch', entry: batch }),
      transaction: await text(
        'POST',
        '',
        { resourceType: 'Bundle', type: 'transaction', entry: [put] },
        { prefer: 'return=representation' },
      ),
      reads: await text('POST', '', { resourceType: 'Bundle', type: 'transaction', entry: batch }),
    };
    for (const [name, answer] of Object.entries(answers))
      expect([name, answer.includes('s3cr3t')]).toEqual([name, false]);
    expect(answers.read).toContain('Authorization: ********');
    expect(answers.transaction).toContain('Authorization: ********');
    expect(answers.batch.match(/Authorization: \*{8}/g)?.length).toBeGreaterThanOrEqual(4);
  });

  test('are kept when the masked form is put back, and go out with each notification', async () => {
    await text('PUT', 'Subscription/sub3', subscription('sub3'));
    await settled(app);
    const { body } = await fhir(app, 'GET', 'Subscription/sub3');
    await text('PUT', 'Subscription/sub3', { ...body, reason: 'another' });
    await settled(app);
    const stored = JSON.parse((await app.store.read({ type: 'Subscription', id: 'sub3' }))?.json as string);
    expect(stored).toMatchObject({ reason: 'another', channel: { header: subscription('x').channel.header } });
    expect(await text('GET', 'Subscription/sub3')).not.toContain('s3cr3t');
    received.length = 0;
    await text('POST', 'Flag', {
      resourceType: 'Flag',
      status: 'active',
      code: { text: 'x' },
      subject: { reference: 'Patient/1' },
    });
    await settled(app);
    expect(received.length).toBeGreaterThan(0);
    for (const it of received) expect(it).toMatchObject({ authorization: secret, second: 's3cr3t-two' });
  });

  test('of one name are each kept when the masked form is put back', async () => {
    const own = subscription('sub4');
    own.channel.header = ['X-Key: s3cr3t-a', 'X-Key: s3cr3t-b'];
    await text('PUT', 'Subscription/sub4', own);
    const { body } = await fhir(app, 'GET', 'Subscription/sub4');
    await text('PUT', 'Subscription/sub4', { ...body, reason: 'another' });
    const stored = JSON.parse((await app.store.read({ type: 'Subscription', id: 'sub4' }))?.json as string);
    expect(stored.channel.header).toEqual(own.channel.header);
  });

  test('do not go to another endpoint when the masked form is put back with one', async () => {
    await text('PUT', 'Subscription/sub5', subscription('sub5'));
    await settled(app);
    const { body } = await fhir(app, 'GET', 'Subscription/sub5');
    const moved = { ...body, channel: { ...body.channel, endpoint: `http://127.0.0.1:${portOf(app.http)}/elsewhere` } };
    await fhir(app, 'PUT', 'Subscription/sub5', moved);
    const stored = JSON.parse((await app.store.read({ type: 'Subscription', id: 'sub5' }))?.json as string);
    const sent = stored.channel.endpoint === endpoint || !JSON.stringify(stored.channel.header).includes('s3cr3t');
    expect(sent).toBe(true);
  });

  test('do not go out in a notification about the Subscription itself', async () => {
    const spy = { ...subscription('spy'), criteria: 'Subscription?type=rest-hook' };
    await text('PUT', 'Subscription/spy', { ...spy, channel: { ...spy.channel, header: undefined } });
    await settled(app);
    received.length = 0;
    await text('PUT', 'Subscription/sub7', subscription('sub7'));
    await settled(app);
    await text('DELETE', 'Subscription/spy');
    expect(received.length).toBeGreaterThan(0);
    expect(received.filter((it) => it.body.includes('s3cr3t'))).toEqual([]);
  });

  test('are replaced when others are put', async () => {
    await text('PUT', 'Subscription/sub6', subscription('sub6'));
    const other = subscription('sub6');
    other.channel.header = ['Authorization: Bearer s3cr3t-new'];
    await text('PUT', 'Subscription/sub6', other);
    const stored = JSON.parse((await app.store.read({ type: 'Subscription', id: 'sub6' }))?.json as string);
    expect(stored.channel.header).toEqual(['Authorization: Bearer s3cr3t-new']);
  });
});
