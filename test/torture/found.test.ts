/** What torture found, in small: a seed finds it again only as long as the mutations stay the same. */
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { MllpSender } from '../../adapters/mllp/sender.ts';
import type { App } from '../../src/app.ts';
import { errorsOf } from '../../src/fhir/validate.ts';
import { topicSubscription } from '../subscriptions/resources.ts';
import { subscribed } from '../subscriptions/server.ts';
import { allEventNumbers, Subscriber } from '../subscriptions/subscriber.ts';
import { fhir, portOf, settled, startTestApp } from '../support/app.ts';
import { discharge } from '../support/messages.ts';

let app: App;
let sender: MllpSender;
beforeEach(async () => {
  app = await startTestApp();
  sender = await MllpSender.connect('127.0.0.1', portOf(app.mllp));
});
afterEach(async () => {
  jest.restoreAllMocks();
  await Subscriber.closeAll();
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

  test('when a procedure has a duration that it had not before (seed 31)', async () => {
    const pr1 = 'PR1|1||47.01^Appendectomy^I9CP||20260316003000|P';
    await applied(`${discharge({ event: 'A01' })}${pr1}\r`);
    await applied(`${discharge({ event: 'A08', controlId: 'C2' })}${pr1}|50\r`);
    const { body } = await fhir(app, 'GET', 'Procedure');
    expect(body.entry[0].resource.performedDateTime).toBeUndefined();
    expect(body.entry[0].resource.performedPeriod).toMatchObject({ start: '2026-03-16T00:30:00+08:00' });
  });

  test.each([
    [
      'insurance for nobody: an empty PID in a merge (seed 20261124)',
      'ADT^A40',
      'PID|1||W3^^^RENHE^MR||Doe^Jane\rMRG|W5^^^RENHE^MR\rPID\rIN1|1|GOLD^^RENHE|HHL^^^RENHE^NIIP|Harbour||||||||||||Carter^Emily',
    ],
    [
      'two appointments before one patient (seed 20261124)',
      'SIU^S14',
      'SCH||4\rSCH||F5^RENHE|||||2026\rPID|1||W1^^^RENHE^MR||Doe^Jane',
    ],
    [
      'somebody of two kinds and no name (seed 20261125)',
      'SIU^S12',
      'SCH||F6^RENHE|||||2026||||||20260320\rPID|1||W1^^^RENHE^MR||Doe^Jane\rRGS\rAIP||||A^^LN~B',
    ],
    [
      'a type of place with two blanks (seed 20262001)',
      'SIU^S26',
      `SCH||F7^RENHE${'|'.repeat(16)}W1^111^04^RENHE^^a b  c^B^3\rPID|1||W1^^^RENHE^MR||Doe^Jane`,
    ],
    [
      'ratios with one part (seed 20263034)',
      'ORU^R01',
      'PID|1||W1^^^RENHE^MR||Doe^Jane\rOBR|1||F1|X^^L\rOBX|1|SN|PULSE^^L||^1^:^128~<=^5|||||F',
    ],
    [
      'that nobody entered it (seed 20263051)',
      'SIU^S12',
      `SCH||F8^RENHE|||||||||^^^20260318|${'|'.repeat(8)}^^^^^^^^^^^^^^^^&&&&x\rPID|1||W1^^^RENHE^MR||Doe^Jane`,
    ],
    [
      'a number of another patient that is delimiters only (seed 20262008)',
      'ADT^A28',
      'PID|1||W1^^^RENHE^MR||Doe^Jane\rPD1||||||||||^^^^^^^^^^^^&&&&x',
    ],
  ])('when it says %s', async (_, type, rest) => {
    await applied(`MSH|^~\\&|HIS|RENHE|AFTERCARE|RENHE|20260316103000||${type}|C1|P|2.5.1\rEVN||20260316\r${rest}\r`);
  });

  test('when a result has several values at first and then one (seeds 20262003, 20262007)', async () => {
    const result = (value: string) => `OBX|1|NM|8462-4^Diastolic^LN||${value}|mm[Hg]|||||F|||20260316`;
    await applied(`${discharge({ event: 'A01' })}${result('61~62')}\r`);
    await applied(`${discharge({ event: 'A08', controlId: 'C2' })}${result('60')}\r`);
  });

  test('and soon, when a field is repeated a hundred thousand times (seed 3: some minutes)', async () => {
    await applied(discharge({ event: 'A01', phone: Array.from({ length: 100_000 }, () => '1').join('~') }));
  });
});

/** Messages are kept and not applied, until it is resolved. */
function hold(): PromiseWithResolvers<void> {
  const held = Promise.withResolvers<void>();
  const { waiting } = app.store;
  jest.spyOn(app.store, 'waiting').mockImplementation(async (limit) => {
    await held.promise;
    return waiting.call(app.store, limit);
  });
  return held;
}

describe('a message of enhanced mode', () => {
  const message = Buffer.from(discharge({ event: 'A01' }).replace('|2.5.1|||||', '|2.5.1|||AL|AL|'));
  const asked = { controlId: 'C1', accept: true, application: true };
  const codeOf = (answer: Buffer | undefined): string | undefined => /\rMSA\|(\w\w)/.exec(`${answer}`)?.[1];

  test('that comes twice at once is told both times when it is applied (seed 3)', async () => {
    const other = await MllpSender.connect('127.0.0.1', portOf(app.mllp));
    const both = [sender, other].map((it) => it.exchange(message, asked));
    expect(await Promise.all(both.map(async (it) => codeOf(await it.accept)))).toEqual(['CA', 'CA']);
    expect(await Promise.all(both.map(async (it) => codeOf(await it.application)))).toEqual(['AA', 'AA']);
    other.close();
  });

  test('that comes a third time is not said to be applied before it is (kill -9, seed 20260316)', async () => {
    const held = hold();
    const order: string[] = [];
    for (const name of ['first', 'second', 'third']) {
      const one = await MllpSender.connect('127.0.0.1', portOf(app.mllp));
      const { accept, application } = one.exchange(message, asked);
      expect(codeOf(await accept)).toBe('CA');
      void application.then(() => order.push(name)).finally(() => one.close());
    }
    // One answer more: what would have come before it has come.
    expect(codeOf(await sender.send(Buffer.from(discharge({ controlId: 'C2' }))))).toBe('AA');
    expect(order).toEqual([]);
    held.resolve();
    await settled(app);
    expect(await app.store.messageCounts()).toEqual({ applied: 2, duplicate: 2 });
  });

  test('in a batch over HTTP is answered together with those of original mode (seed 3)', async () => {
    const body = Buffer.concat([message, Buffer.from(discharge({ event: 'A08', controlId: 'C2' }))]);
    const response = await fetch(`${new URL(app.http).origin}/hl7v2`, { method: 'POST', body });
    expect((await response.text()).match(/MSA\|\w\w\|\w+/g)).toEqual(['MSA|AA|C1', 'MSA|AA|C2']);
  });

  test('is told that it is applied, when another one taken with it could not be written at first', async () => {
    const held = hold();
    const first = Buffer.from(String(message).replaceAll('1001', '1002').replace('|C1|', '|C2|'));
    const exchanges = [sender.exchange(first, { ...asked, controlId: 'C2' }), sender.exchange(message, asked)];
    expect(await Promise.all(exchanges.map(async (it) => codeOf(await it.accept)))).toEqual(['CA', 'CA']);
    jest.spyOn(app.store, 'commit').mockRejectedValueOnce(new Error('no database'));
    held.resolve();
    expect(await Promise.all(exchanges.map(async (it) => codeOf(await it.application)))).toEqual(['AA', 'AA']);
  });
});

describe('a subscriber', () => {
  test('is told of events without a gap, when the database was away between two of them', async () => {
    const subscriber = await Subscriber.start();
    await subscribed(app, topicSubscription(subscriber.url()));
    const { readVersion } = app.store;
    const finished: string[] = [];
    jest.spyOn(app.store, 'readVersion').mockImplementation(async (key, version) => {
      if (key.type === 'Encounter' && finished.push(key.id) === 2) throw new Error('no database');
      return readVersion.call(app.store, key, version);
    });
    const entry = ['a', 'b'].map((id) => ({
      resource: {
        resourceType: 'Encounter',
        id,
        status: 'finished',
        class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'IMP' },
      },
      request: { method: 'PUT', url: `Encounter/${id}` },
    }));
    expect((await fhir(app, 'POST', '', { resourceType: 'Bundle', type: 'transaction', entry })).status).toBe(200);
    await subscriber.until(() => allEventNumbers(subscriber.received.slice(1)).length >= 2);
    expect(allEventNumbers(subscriber.received.slice(1))).toEqual([1, 2]);
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
