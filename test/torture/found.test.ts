/** What the fuzzer found, in small: a seed finds it again only as long as the mutations stay the same. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { MllpSender } from '../../adapters/mllp/sender.ts';
import type { App } from '../../src/app.ts';
import { errorsOf } from '../../src/fhir/validate.ts';
import { fhir, portOf, settled, startTestApp } from '../support/app.ts';
import { discharge } from '../support/messages.ts';

let app: App;
let sender: MllpSender;
beforeEach(async () => {
  app = await startTestApp();
  sender = await MllpSender.connect('127.0.0.1', portOf(app.mllp));
});
afterEach(async () => {
  sender.close();
  await app.stop();
});

/** Sends a message that has to be taken, and waits until it is applied. */
async function applied(message: string): Promise<void> {
  expect((await sender.send(Buffer.from(message))).toString()).toMatch(/\rMSA\|AA\|/);
  await settled(app);
  const row = await app.store.message(Object.values(await app.store.messageCounts()).reduce((sum, n) => sum + n, 0));
  expect({ state: row?.state, error: row?.error ?? undefined }).toEqual({ state: 'applied' });
}

describe('a message that is answered AA is applied', () => {
  test('when AL1-2 repeats and only its first repetition is known (seeds 9, 11, 12, 25)', async () => {
    const message = discharge({ event: 'A01' });
    await applied(`${message}AL1|1|DA^Drug allergy^HL70127~what^else|PCN^Penicillin\r`);
  });

  test('when AL1-2 repeats and only its last repetition is known', async () => {
    const message = discharge({ event: 'A01' });
    await applied(`${message}AL1|1|what^else~DA^Drug allergy^HL70127|PCN^Penicillin\r`);
  });

  test('when it deletes the class of a known visit: PV1-2 is "" (seed 12)', async () => {
    await applied(discharge({ event: 'A01' }));
    await applied(discharge({ event: 'A08', controlId: 'C2' }).replace('PV1|1|I|', 'PV1|1|""|'));
    const { body } = await fhir(app, 'GET', 'Encounter');
    expect(body.entry).toHaveLength(1);
    expect(body.entry[0].resource.class).toBeDefined();
  });

  test('when two people of a message are one resource that a client wrote (seed 24)', async () => {
    const identifier = ['D012', 'D099'].map((value) => ({ system: 'urn:id:RENHE', value }));
    const doctor = { resourceType: 'Practitioner', id: 'li-min', identifier, name: [{ family: 'Li', given: ['Min'] }] };
    expect((await fhir(app, 'PUT', 'Practitioner/li-min', doctor)).status).toBe(201);
    const message = discharge({ event: 'A01' });
    // PV1-8, the referring doctor, under the other number.
    await applied(message.replace('D012^Li^Min^^^Dr^^^RENHE|', 'D012^Li^Min^^^Dr^^^RENHE|D099^Li^Min^^^Dr^^^RENHE'));
    const { body } = await fhir(app, 'GET', 'Encounter');
    const references = body.entry[0].resource.participant.map((it: any) => it.individual.reference);
    expect(new Set(references)).toEqual(new Set(['Practitioner/li-min']));
  });

  test('when PID repeats and says once that the patient died and once when (seeds 41, 43)', async () => {
    const message = discharge({ event: 'A03', deceased: 'Y' });
    const pid = message.split('\r').find((it) => it.startsWith('PID')) as string;
    const withTime = pid.replace(/\|Y$/, '20260316104500|Y');
    expect(withTime).not.toBe(pid);
    await applied(message.replace(pid, `${pid}\r${withTime}`));
  });

  test('when a number is too large for a number, and so is the next message of the visit (seed 1791296994)', async () => {
    const message = discharge({ event: 'A01' });
    await applied(
      `${message}PV2||||||||||${'9'.repeat(400)}|${'9'.repeat(400)}\rOBX|1|NM|29463-7^Weight^LN||${'9'.repeat(400)}|kg|||||F\r`,
    );
    await applied(discharge({ event: 'A03', controlId: 'C2' }));
    const { body } = await fhir(app, 'GET', 'Encounter?status=finished');
    expect(body.entry).toHaveLength(1);
    expect(JSON.stringify(body)).not.toMatch(/:null/);
  });
});

describe('the gate for FHIR', () => {
  test.each([Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN])('refuses the number %p', (value) => {
    // JSON has no such number: it would be stored as null, and every later write of the resource would be refused.
    const observation = { resourceType: 'Observation', status: 'final', code: { text: 'x' }, valueQuantity: { value } };
    expect(errorsOf(observation)).not.toEqual([]);
  });

  test('refuses a number in a body that is too large for a number', async () => {
    const text = '{"resourceType":"Observation","status":"final","code":{"text":"x"},"valueQuantity":{"value":1e999}}';
    expect((await fhir(app, 'POST', 'Observation', text)).status).toBe(422);
  });
});

describe('an answer', () => {
  test('never holds a frame byte, whatever stood in the header that it copies (seed 3)', async () => {
    const header =
      'MSH|^~\\&|HIS|RENHE|AFTERCARE|RENHE|20260316103000||ADT^A01|C\x1c1|P|2.5.1|||||CHN|UNICODE\x1c UTF-8';
    // Without VT all this is junk, and is answered when the next frame begins.
    const good = Buffer.from(discharge({ event: 'A01', controlId: 'GOOD' }));
    const answers = [sender.answer(), sender.answer()];
    sender.raw(Buffer.concat([Buffer.from(`${header}\r`), Buffer.from([0x0b]), good, Buffer.from([0x1c, 0x0d])]));
    const [junk, ack] = await Promise.all(answers);
    expect(junk?.toString('latin1')).toMatch(/\rMSA\|A[ER]\|/);
    expect(ack?.toString('latin1')).toMatch(/\rMSA\|AA\|GOOD/);
  });
});
