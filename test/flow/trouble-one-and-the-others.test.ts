/** Trouble: what a client wrote cannot be followed for one patient. All the others are followed, and told of. */
import { afterAll, expect, test } from '@jest/globals';
import type { Json } from '../../src/fhir/types.ts';
import { HospitalListener } from '../outbound/hospital.ts';
import { settled } from '../support/app.ts';
import { Hospital } from './hospital.ts';
import { adt, home, pid, pv1 } from './messages.ts';
import { mappingsWith } from './sites.ts';

const folders: { remove(): void }[] = [];
afterAll(async () => {
  await Hospital.closeAll();
  await HospitalListener.closeAll();
  for (const it of folders) it.remove();
});

test('a plan that names an activity twice, and one of its versions, is withdrawn like others', async () => {
  const hospital = await Hospital.open();
  await hospital.sends(adt('A03', '2026-03-16 10:00', pid('1001'), pv1('V1', home)));
  const [plan] = (await hospital.search('CarePlan')) as [Json & { resourceType: string; id: string }];
  const [first] = plan.activity;
  const version = { reference: { reference: `${first.reference.reference}/_history/1` } };
  await hospital.put({ ...plan, activity: [...plan.activity, first, version] });
  await hospital.sends(adt('A13', '2026-03-16 10:30', pid('1001'), pv1('V1')));
  expect((await hospital.search('CarePlan')).map((it) => it.status)).toEqual(['revoked']);
  await hospital.sends(adt('A03', '2026-03-16 10:45', pid('1002'), pv1('V2', home)));
  expect(await hospital.search('CarePlan?status=active')).toHaveLength(1);
});

test('an answer to a questionnaire whose name no search takes is told of, and the next one too', async () => {
  const his = await HospitalListener.open();
  const address = `{ name: his, host: 127.0.0.1, port: ${his.port}, application: HIS, facility: RENHE, send: [ORU^R01] }`;
  const mappings = mappingsWith({ renhe: `destinations:\n  - ${address}\n` });
  folders.push(mappings);
  const hospital = await Hospital.open('2026-03-16T11:00:00+08:00', { mappings: mappings.path, site: 'renhe' });
  await hospital.send('A01');
  const subject = { reference: `Patient/${(await hospital.patient('1001')).id}` };
  const names = [',', 'http://x|,', 'a,'.repeat(600), 'http://fine'];
  for (const [i, questionnaire] of names.entries())
    await hospital.put({
      resourceType: 'QuestionnaireResponse',
      id: `q${i}`,
      status: 'completed',
      questionnaire,
      subject,
    });
  await settled(hospital.app);
  const told = (await hospital.app.store.outgoing({ limit: 100 })).map((it) => it.identity);
  for (const i of names.keys()) expect(told.filter((it) => it.includes(`/q${i}/`))).toHaveLength(1);
});
