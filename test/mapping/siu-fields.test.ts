/** Every field of the segments of a schedule has a row; and whole messages, as they are mapped. */
import { describe, expect, test } from '@jest/globals';
import { errorsOf } from '../../src/fhir/validate.ts';
import { parseRef } from '../../src/hl7v2/message.ts';
import { readMappings } from '../../src/mapping/read.ts';
import { expectGolden } from './golden.ts';
import { type Siu, siu } from './siu-messages.ts';
import { mapped, mappingFolder, segment } from './support.ts';

const files = readMappings(mappingFolder);
const maps = files.messages.find((it) => it.content.message === 'SIU_S12')?.content.maps ?? [];

/** Fields of HL7 v2.8.2. */
const fields: Readonly<Record<string, number>> = {
  SCH: 28,
  TQ1: 14,
  RGS: 3,
  AIS: 12,
  AIG: 14,
  AIL: 12,
  AIP: 12,
  NTE: 9,
};

function rowsOf(name: string): { field: string; says: boolean }[] {
  return maps
    .filter((it) => it.segment === name)
    .flatMap((it) => files.segments.get(it.map)?.content.rows ?? [])
    .flatMap(({ field, to, nowhere }) => (field ? [{ field, says: to !== undefined || (nowhere ?? '') !== '' }] : []));
}

describe('every field of', () => {
  test.each(Object.entries(fields))('%s has a row that says where it goes, or why nowhere', (name, count) => {
    const known = new Set(
      rowsOf(name).flatMap(({ field, says }) => {
        const ref = parseRef(field);
        return says && ref?.segment === name ? [ref.field] : [];
      }),
    );
    const missing = Array.from({ length: count }, (_, i) => i + 1).filter((n) => !known.has(n));
    expect(missing).toEqual([]);
  });
});

const outpatient: Siu = {
  SCH: {
    1: 'P5001^HIS',
    2: 'F7001^RENHE-SCHED',
    6: 'NEW^新预约^RENHE',
    7: 'FOLLOWUP^随访^HL70276',
    8: 'Normal^Normal^HL70277',
    9: '30',
    10: '分钟',
    11: '',
    16: 'D071^李^敏^^^^^^RENHE',
    17: '010-65001234',
    20: 'U12^王^芳^^^^^^RENHE',
    21: '010-65001235',
    22: 'REG^窗口3',
    25: 'Booked^Booked^HL70278',
  },
  timing: ['TQ1|1||||||20260401093000|20260401100000', 'NTE|1||请空腹前来', 'NTE|2||带上用药清单~以及检查报告'],
  PID: { 5: '张^伟', 7: '19650312', 8: 'M' },
  more: [
    segment('PV1', {
      1: '1',
      2: 'O',
      3: 'ENDO-CLINIC^3诊室^^RENHE',
      7: 'D071^李^敏^^^^^^RENHE',
      19: 'V2001^^^RENHE^VN',
    }),
    'RGS|1|A',
    'AIS|1|A|ENDO-FU^内分泌复诊^RENHE|20260401093000|||30|MIN|No|Booked',
    'NTE|1||复查糖化血红蛋白',
    'AIL|1|A|ENDO-CLINIC^3诊室^^RENHE^^C^^^内分泌科门诊三诊室|C^门诊||20260401093000|||30|MIN',
    'AIP|1|A|D071^李^敏^^^^^^RENHE|1^主治医师^RENHE||20260401093000|||30|MIN||Booked',
  ],
};

const moved: Siu = {
  event: 'S13',
  MSH: { 7: '20260320080000', 10: 'C2' },
  SCH: { 2: 'F7001^RENHE-SCHED', 6: 'MOVED^医生停诊^RENHE', 9: '30', 10: 'MIN', 11: '^^^20260403140000', 25: 'Booked' },
  more: ['RGS|1', 'AIP|1|U|D072^赵^强^^^^^^RENHE||||||||', 'AIP|2|D|D071^李^敏^^^^^^RENHE'],
};

const cancelled: Siu = {
  event: 'S15',
  MSH: { 7: '20260325080000', 10: 'C3' },
  SCH: { 1: 'P5001^HIS', 2: '', 6: 'PAT^患者要求取消^RENHE', 11: '', 25: '^已取消' },
};

const noShow: Siu = {
  event: 'S26',
  MSH: { 7: '20260403170000', 10: 'C4' },
  SCH: { 2: 'F7001^RENHE-SCHED', 6: '^未到', 25: '^患者爽约' },
  more: ['RGS|1', 'AIP|1||D072^赵^强^^^^^^RENHE'],
};

/** The form of v2.3: no TQ1, codes without a system, the duration in three places. */
const old: Siu = {
  MSH: { 3: 'SCHED', 4: 'GOODHEALTH', 9: 'SIU^S12', 12: '2.3' },
  SCH: {
    1: '10345^10345',
    2: '2196178^2196178',
    5: '10345',
    6: 'OFFICE^Office visit',
    7: 'sore throat',
    8: 'OFFICE',
    9: '60',
    10: 'm',
    11: '^^60^20110617084500^20110617093000',
    16: '9^DENT^ARTHUR',
    20: '9^DENT^COREY',
    25: 'Scheduled',
  },
  PID: { 3: '42', 5: 'SMITH^PAUL' },
  more: [
    'RGS|1|A',
    'AIG|1|A|1^White, Charles|D^Doctor',
    'AIL|1|A|OFFICE^^^OFFICE|^Main Office||20110617084500|||45|m^Minutes||Scheduled',
    'AIP|1|A|1^White^Charles^A^MD|D^White, Douglas||20110617084500|||45|m^Minutes||Scheduled',
  ],
};

/** A day in the day clinic: two groups, times in AIS, AIL and AIP only, offsets and durations in four units. */
const dayClinic: Siu = {
  MSH: { 12: '2.8' },
  SCH: { 2: 'F8001^RENHE-SCHED', 3: '2', 5: 'PLAN^化疗计划', 11: '', 26: 'P77^HIS', 27: 'F88^LIS' },
  more: [
    'RGS|1|A|CHEMO^化疗',
    'AIS|1|A|LAB^验血|20260410080000|||15|MIN',
    'AIS|2|A|CHEMO^化疗||90|M|2|H',
    'AIG|1|A|PUMP-7^输液泵7号|EQUIP^设备||1|台',
    'AIL|1|A|DAYCARE^^B3^RENHE|||20260410093000|||2|小时',
    'RGS|2|A',
    'AIS|1|A|EDU^宣教|20260410130000|||900|S',
    'AIG|1|A|N031^陈护士|护士',
    'AIP|1|A||NURSE^护士|ONC-N^肿瘤科护理组',
    'NTE|1|P|第二组在示教室|RE|U12^王^芳|20260316103000',
  ],
};

/** What is of the schedule; the patient and the header are as in every message. */
const shown = new Set(['Appointment', 'Encounter', 'ServiceRequest', 'Practitioner', 'Location', 'Device']);

describe('whole messages', () => {
  test.each([
    ['siu-S12-outpatient', outpatient],
    ['siu-S13-moved', moved],
    ['siu-S15-cancelled', cancelled],
    ['siu-S26-noshow', noShow],
    ['siu-S12-v23', old],
    ['siu-S12-day-clinic', dayClinic],
  ])('%s', (name, parts) => {
    const resources = mapped(siu(parts)).resources;
    expect(resources.flatMap(({ resource }) => errorsOf(resource))).toEqual([]);
    expectGolden(
      name,
      resources.filter((it) => shown.has(it.resource.resourceType)),
    );
  });

  test.each([
    ['siu-S12-outpatient', outpatient],
    ['siu-S12-v23', old],
    ['siu-S12-day-clinic', dayClinic],
  ])('of every field that %s fills, lineage says where it went, or a row why it goes nowhere', (_, parts) => {
    const text = siu(parts);
    const traced = new Set((mapped(text, true).lineage ?? []).map(({ field }) => /^\w+-\d+/.exec(field)?.[0]));
    const lost = text.split('\r').flatMap((line) => {
      const [name = '', ...values] = line.split('|');
      if (!(name in fields)) return [];
      const nowhere = maps
        .filter((it) => it.segment === name)
        .flatMap((it) => files.segments.get(it.map)?.content.rows ?? [])
        .flatMap((row) => (row.nowhere ? [row.field] : []));
      return values.flatMap((value, i) => {
        const field = `${name}-${i + 1}`;
        return value === '' || traced.has(field) || nowhere.includes(field) ? [] : [field];
      });
    });
    expect(lost).toEqual([]);
  });
});
