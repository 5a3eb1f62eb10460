/** Story: what the follow-up centre learns after a discharge is told to the hospital, which asked for it in its site file. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Json } from '../../src/fhir/types.ts';
import type { Message } from '../../src/hl7v2/message.ts';
import { HospitalListener } from '../outbound/hospital.ts';
import { settled } from '../support/app.ts';
import { Hospital } from './hospital.ts';
import { mappingsWith } from './sites.ts';

let mappings: ReturnType<typeof mappingsWith>;
let hospital: Hospital;
/** The hospital's side: its own MLLP listener. */
let his: HospitalListener;

beforeAll(async () => {
  his = await HospitalListener.open();
  mappings = mappingsWith({
    renhe: `destinations:
  - name: his
    host: 127.0.0.1
    port: ${his.port}
    application: HIS
    facility: RENHE
    send: [SIU^S12, ORU^R01, MDM^T02]
`,
  });
  hospital = await Hospital.open('2026-03-16T11:00:00+08:00', { mappings: mappings.path, site: 'renhe' });
});
afterAll(async () => {
  await Hospital.closeAll();
  await HospitalListener.closeAll();
  mappings.remove();
});

/** What has come in since the last look: MSH-9 and one field. */
let seen = 0;
function told(): Message[] {
  const all = his.received.slice(seen);
  seen = his.received.length;
  return all;
}

const kinds = (messages: readonly Message[]): string[] =>
  messages.map(({ header }) => `${header.text(9)}^${header.text(9, 2)}`);

async function task(action: string): Promise<Json> {
  const { tasks } = await hospital.followUp();
  return tasks.find((it) => it.identifier[0].value.includes(`|${action}|`)) as Json;
}

const outgoing = async () => (await hospital.app.store.outgoing({ limit: 100 })).map((it) => it.state);

describe('after a discharge', () => {
  test('1. nothing is told: the plan is proposed, and the hospital knows its discharge', async () => {
    await hospital.send('A01');
    await hospital.send('A03');
    expect((await hospital.followUp()).appointments[0]?.status).toBe('proposed');
    expect(told()).toEqual([]);
  });

  test('2. a booked revisit is told as SIU S12, for the patient and the visit as the hospital knows them', async () => {
    const [proposed] = (await hospital.followUp()).appointments;
    const times = { start: '2026-04-01T09:00:00+08:00', end: '2026-04-01T09:15:00+08:00' };
    await hospital.put({ ...proposed, status: 'booked', ...times });
    const [message, ...more] = told();
    expect(more).toEqual([]);
    expect(message?.header.text(9, 2)).toBe('S12');
    expect(message?.first('PID')?.text(3)).toBe('1001');
    expect(message?.first('PV1')?.text(19)).toBe('V1001');
    expect(message?.first('SCH')?.text(25)).toBe('Booked');
    expect(message?.first('SCH')?.text(11, 4)).toBe('20260401090000+0800');
    expect(message?.first('AIP')?.field(3)).toBe('D012^Li^Min^^^Dr^^^RENHE');
  });

  test('3. a revisit that is moved is told as SIU S13', async () => {
    const [booked] = (await hospital.followUp()).appointments;
    await hospital.put({ ...booked, start: '2026-04-02T09:00:00+08:00', end: '2026-04-02T09:15:00+08:00' });
    const [message] = told();
    expect(message?.header.text(9, 2)).toBe('S13');
    expect(message?.first('SCH')?.text(11, 4)).toBe('20260402090000+0800');
  });

  test('4. the completed survey is told as ORU R01, an OBX for each answer', async () => {
    const [response] = (await hospital.followUp()).responses;
    const question = (linkId: string, value: Json): Json => ({ linkId, answer: [value] });
    const item = [question('o1', { valueInteger: 9 }), question('o3', { valueString: '等候太久' })];
    await hospital.put({ ...response, status: 'completed', authored: '2026-04-01T10:00:00+08:00', item });
    const [message] = told();
    expect(kinds(message ? [message] : [])).toEqual(['ORU^R01']);
    const results = message?.segments.filter((it) => it.name === 'OBX') ?? [];
    expect(results.map((it) => [it.text(2), it.text(3), it.text(3, 3), it.text(5)])).toEqual([
      ['NM', 'o1', 'InpatientSatisfaction', '9'],
      ['ST', 'o3', 'InpatientSatisfaction', '等候太久'],
    ]);
  });

  test('5. a call that was made is told as MDM T02, with its checklist', async () => {
    const call = await task('l1-call');
    const better = {
      system: 'https://aftercare.example/fhir/CodeSystem/followup-call-answer',
      code: 'better',
      display: '好转',
    };
    await hospital.put({
      resourceType: 'QuestionnaireResponse',
      id: 'checklist',
      status: 'completed',
      questionnaire: 'https://aftercare.example/fhir/Questionnaire/followup-call|1.0.0',
      subject: call.for,
      encounter: call.encounter,
      authored: '2026-03-19T10:20:00+08:00',
      item: [{ linkId: 'h1', answer: [{ valueCoding: better }] }],
    });
    const valueReference = { reference: 'QuestionnaireResponse/checklist' };
    await hospital.put({ ...call, status: 'completed', output: [{ type: { text: 'checklist' }, valueReference }] });
    const messages = told();
    expect(kinds(messages)).toEqual(['ORU^R01', 'MDM^T02']);
    const lines = messages[1]?.segments.filter((it) => it.name === 'OBX').map((it) => it.text(5));
    expect(lines).toEqual([
      '一级随访电话',
      '2026-03-19 10:20 Min Li',
      '出院随访电话核查表',
      expect.stringMatching(/: 好转$/),
    ]);
  });

  test('6. when the hospital takes the discharge back, it is told that the revisit is cancelled', async () => {
    await hospital.send('A13');
    const messages = told();
    expect(kinds(messages)).toEqual(['SIU^S15']);
    expect(messages[0]?.first('SCH')?.text(6, 2)).toBe('the discharge was cancelled');
  });

  test('7. everything was acknowledged, and the metrics say so', async () => {
    expect(await outgoing()).toEqual(Array.from({ length: 6 }, () => 'acknowledged'));
    const metrics = await (await fetch(hospital.app.http.replace('/fhir', '/metrics'))).text();
    expect(metrics).toContain('aftercare_outgoing_messages{state="acknowledged"} 6');
    expect(his.connections).toBe(1);
  });

  test('8. a hospital that is down is told when it is back', async () => {
    const { port } = his;
    await his.close();
    await hospital.send('A03', { dischargedAt: '20260317100000' });
    const appointments = (await hospital.followUp()).appointments;
    const proposed = appointments.find((it) => it.status === 'proposed');
    await hospital.put({ ...proposed, status: 'booked', start: '2026-04-07T01:00:00Z', end: '2026-04-07T01:15:00Z' });
    expect((await outgoing())[0]).toBe('waiting');
    const back = await HospitalListener.open(() => 'AA', { port });
    hospital.clock.advance(60_000);
    hospital.app.queue.ring({ kind: 'send', id: 'his' });
    await settled(hospital.app);
    expect(kinds(back.received)).toEqual(['SIU^S12']);
    expect(await hospital.app.store.outgoingCounts()).toEqual({ acknowledged: 7 });
  });
});
