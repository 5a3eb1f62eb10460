/** Messages for tests: the sample hospital day, and a small discharge whose fields can be set. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('../../demo/hospital-day/', import.meta.url));

/** The sample hospital day, in order. */
export function hospitalDay(): { name: string; bytes: Buffer }[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.hl7'))
    .sort()
    .map((name) => ({ name, bytes: readFileSync(`${folder}${name}`) }));
}

/** The foreign samples beside the project; undefined where they are not. */
export function foreignSamples(): { name: string; bytes: Buffer }[] | undefined {
  const samples = fileURLToPath(new URL('../../../shared/samples/hl7v2/', import.meta.url));
  try {
    return readdirSync(samples)
      .sort()
      .map((name) => ({ name, bytes: readFileSync(`${samples}${name}`) }));
  } catch {
    return undefined;
  }
}

export interface DischargeOptions {
  readonly event?: string;
  readonly controlId?: string;
  readonly patient?: string;
  readonly visit?: string;
  /** PV1-36. */
  readonly disposition?: string;
  /** PV1-45, a DTM; empty for a visit that goes on. */
  readonly dischargedAt?: string;
  /** PID-30. */
  readonly deceased?: string;
  readonly phone?: string;
}

/** One message, segments ended by CR. Without options: patient 1001, visit V1001, discharged on 2026-03-16 at 10:00. */
export function discharge(options: DischargeOptions = {}): string {
  const {
    event = 'A03',
    controlId = 'C1',
    patient = '1001',
    visit = 'V1001',
    disposition = '01',
    deceased = '',
    phone = '13900009999',
  } = options;
  const dischargedAt = options.dischargedAt ?? (event === 'A03' ? '20260316100000' : '');
  const pv1 = Array.from({ length: 46 }, () => '');
  pv1[0] = 'PV1';
  Object.assign(pv1, {
    1: '1',
    2: 'I',
    3: 'W1^101^01^RENHE',
    7: 'D012^Li^Min^^^Dr^^^RENHE',
    19: `${visit}^^^RENHE^VN`,
    36: disposition,
    44: '20260310090000',
    45: dischargedAt,
  });
  const pid = Array.from({ length: 31 }, () => '');
  pid[0] = 'PID';
  Object.assign(pid, {
    1: '1',
    3: `${patient}^^^RENHE^MR`,
    5: 'Doe^Jane^^^^^L',
    7: '19800229',
    8: 'F',
    13: `${phone}^PRN^CP`,
    30: deceased,
  });
  return [
    `MSH|^~\\&|HIS|RENHE|AFTERCARE|RENHE|20260316103000||ADT^${event}^ADT_A01|${controlId}|P|2.5.1|||||CHN|UNICODE UTF-8`,
    `EVN|${event}|20260316103000`,
    pid.join('|').replace(/\|+$/, ''),
    pv1.join('|').replace(/\|+$/, ''),
    'DG1|1||E11.9^Type 2 diabetes^I10||20260310|F',
    '',
  ].join('\r');
}
