import { describe, expect, test } from '@jest/globals';
import { carePlanId, type Discharge, enrol, isExpired } from '../../src/care/enrol.ts';
import { parseProtocol } from '../../src/care/protocol.ts';
import type { Json, StoredResource } from '../../src/fhir/types.ts';
import { errorsOf } from '../../src/fhir/validate.ts';
import { Zone } from '../../src/fhir/zone.ts';
import { readProfiles } from '../../src/profiles.ts';
import { mapped } from '../mapping/support.ts';
import { hospitalDay } from '../support/messages.ts';
import { actionOf, general, keyPatient, patient, profileFolder, visit } from './support.ts';

const shanghai = new Zone('Asia/Shanghai');
const berlin = new Zone('Europe/Berlin');

function plan(change: Partial<Discharge> = {}, zone = shanghai): StoredResource[] {
  const now = Date.parse('2026-03-16T10:31:00+08:00');
  return enrol(general, { patient, encounter: visit(), flags: [], enrolment: 1, now, ...change }, zone);
}

function of(resources: readonly StoredResource[], type: string): StoredResource[] {
  return resources.filter((it) => it.resourceType === type);
}

/** Action ─▶ window of its Task or Appointment. */
function windows(resources: readonly StoredResource[]): Record<string, string> {
  const all = [...of(resources, 'Task'), ...of(resources, 'Appointment')];
  return Object.fromEntries(
    all.map((it) => {
      const { start, end } = it.executionPeriod ?? it.requestedPeriod[0];
      return [actionOf(it), `${start} … ${end}`];
    }),
  );
}

const ended = (end: string): Partial<Discharge> => ({
  encounter: visit({ period: { end } }),
  now: Date.parse(end.length > 10 ? end : `${end}T23:59:59+08:00`),
});

describe('the follow-up after a discharge', () => {
  test('is one care plan with the calls, the survey and the revisit of the protocol', () => {
    const made = plan();
    const [carePlan] = made;
    expect(carePlan).toMatchObject({
      resourceType: 'CarePlan',
      status: 'active',
      subject: { reference: 'Patient/p1' },
      encounter: { reference: 'Encounter/e1' },
      instantiatesCanonical: ['https://aftercare.example/fhir/PlanDefinition/fu-general|1.0.0'],
      title: '出院随访(通用)',
      period: { start: '2026-03-16T10:00:00+08:00', end: '2026-04-15T23:59:59+08:00' },
    });
    expect(of(made, 'Task').map((it) => [actionOf(it), it.status])).toEqual([
      ['l1-call', 'requested'],
      ['l2-sms-greet', 'requested'],
      ['l2-call', 'requested'],
      ['l2-survey', 'requested'],
    ]);
    expect(of(made, 'Appointment').map((it) => [actionOf(it), it.status])).toEqual([['revisit', 'proposed']]);
    expect(of(made, 'QuestionnaireResponse')).toHaveLength(1);
    expect(carePlan?.activity).toHaveLength(5);
  });

  test('counts whole local days from the day of discharge, day 0', () => {
    expect(windows(plan({ flags: [keyPatient] }))).toEqual({
      'l1-call': '2026-03-16T00:00:00+08:00 … 2026-03-23T23:59:59+08:00',
      'l2-sms-greet': '2026-03-17T00:00:00+08:00 … 2026-03-17T23:59:59+08:00',
      'l2-call': '2026-03-24T00:00:00+08:00 … 2026-03-30T23:59:59+08:00',
      'l2-survey': '2026-03-31T00:00:00+08:00 … 2026-04-15T23:59:59+08:00',
      'l3-home': '2026-03-31T00:00:00+08:00 … 2026-04-15T23:59:59+08:00',
      revisit: '2026-03-30T00:00:00+08:00 … 2026-04-13T23:59:59+08:00',
    });
  });

  test.each([
    // discharged, day of the greeting, last day of the first call, last day of the plan
    ['2026-01-31T10:00:00+08:00', '2026-02-01', '2026-02-07', '2026-03-02'],
    ['2026-12-31T10:00:00+08:00', '2027-01-01', '2027-01-07', '2027-01-30'],
    ['2028-02-28T10:00:00+08:00', '2028-02-29', '2028-03-06', '2028-03-29'],
    ['2027-02-28T10:00:00+08:00', '2027-03-01', '2027-03-07', '2027-03-30'],
    ['2026-03-16T23:30:00+08:00', '2026-03-17', '2026-03-23', '2026-04-15'],
    ['2026-03-16T15:30:00Z', '2026-03-17', '2026-03-23', '2026-04-15'],
    ['2026-03-16T16:30:00Z', '2026-03-18', '2026-03-24', '2026-04-16'],
    ['2026-03-17T00:10:00+08:00', '2026-03-18', '2026-03-24', '2026-04-16'],
    ['2026-03-16', '2026-03-17', '2026-03-23', '2026-04-15'],
  ])('discharged at %s: greeting on %s, first call until %s, the end on %s', (end, greeting, call, last) => {
    const made = plan(ended(end));
    const found = windows(made);
    expect(found['l2-sms-greet']).toBe(`${greeting}T00:00:00+08:00 … ${greeting}T23:59:59+08:00`);
    expect(found['l1-call']).toMatch(new RegExp(`… ${call}T23:59:59\\+08:00$`));
    expect(made[0]?.period.end).toBe(`${last}T23:59:59+08:00`);
  });

  test('keeps to local midnight when the clocks change in between', () => {
    const spring = windows(plan(ended('2026-03-27T10:00:00+01:00'), berlin));
    expect(spring['l1-call']).toBe('2026-03-27T00:00:00+01:00 … 2026-04-03T23:59:59+02:00');
    expect(spring['l2-sms-greet']).toBe('2026-03-28T00:00:00+01:00 … 2026-03-28T23:59:59+01:00');
    expect(windows(plan(ended('2026-03-28T10:00:00+01:00'), berlin))['l2-sms-greet']).toBe(
      '2026-03-29T00:00:00+01:00 … 2026-03-29T23:59:59+02:00',
    );
    expect(windows(plan(ended('2026-10-24T23:30:00+02:00'), berlin))['l2-sms-greet']).toBe(
      '2026-10-25T00:00:00+02:00 … 2026-10-25T23:59:59+01:00',
    );
  });

  test('names a target day inside the window', () => {
    const [call] = of(plan(), 'Task');
    expect(call?.input).toContainEqual({ type: { text: 'target-day' }, valueDate: '2026-03-19' });
  });

  test('tells how it is to be done: channels, questionnaire, attempts', () => {
    const [call, greeting, , survey] = of(plan(), 'Task');
    expect(call?.input).toContainEqual({ type: { text: 'channel' }, valueCode: 'phone' });
    expect(call?.input).toContainEqual({
      type: { text: 'questionnaire' },
      valueCanonical: 'https://aftercare.example/fhir/Questionnaire/followup-call|1.0.0',
    });
    expect(call?.restriction).toEqual({ repetitions: 4, period: { end: '2026-03-23T23:59:59+08:00' } });
    expect(greeting?.input.map((it: Json) => it.valueCode).slice(0, 2)).toEqual(['sms', 'wechat']);
    expect(survey?.focus.reference).toMatch(/^QuestionnaireResponse\//);
  });

  test('has an answer sheet in progress for the survey', () => {
    const made = plan();
    const [sheet] = of(made, 'QuestionnaireResponse');
    expect(sheet).toMatchObject({
      status: 'in-progress',
      questionnaire: 'https://aftercare.example/fhir/Questionnaire/inpatient-satisfaction|1.0.0',
      basedOn: [{ reference: `CarePlan/${made[0]?.id}` }],
      subject: { reference: 'Patient/p1' },
    });
    expect(of(made, 'Task').find((it) => actionOf(it) === 'l2-survey')?.focus.reference).toBe(
      `QuestionnaireResponse/${sheet?.id}`,
    );
  });
});

describe('who does it', () => {
  const owners = (made: readonly StoredResource[]): Record<string, string> =>
    Object.fromEntries(of(made, 'Task').map((it) => [actionOf(it), it.owner.reference]));

  test('the first call the attending doctor’s side, the rest the follow-up centre', () => {
    expect(owners(plan())).toEqual({
      'l1-call': 'Practitioner/d1',
      'l2-sms-greet': 'Organization/follow-up-centre',
      'l2-call': 'Organization/follow-up-centre',
      'l2-survey': 'Organization/follow-up-centre',
    });
  });

  test('the admitting doctor where nobody attends, the centre where there is no doctor at all', () => {
    const admitter = visit({
      participant: [{ type: [{ coding: [{ code: 'ADM' }] }], individual: { reference: 'Practitioner/d2' } }],
    });
    expect(owners(plan({ encounter: admitter }))['l1-call']).toBe('Practitioner/d2');
    expect(owners(plan({ encounter: visit({ participant: [] }) }))['l1-call']).toBe('Organization/follow-up-centre');
  });

  test('the revisit is proposed to patient and attending doctor', () => {
    const [revisit] = of(plan(), 'Appointment');
    expect(revisit?.participant.map((it: Json) => it.actor.reference)).toEqual(['Patient/p1', 'Practitioner/d1']);
  });
});

describe('for whom', () => {
  const actions = (change: Partial<Discharge>): string[] => of(plan(change), 'Task').map(actionOf);

  test('a patient without a telephone gets no message', () => {
    expect(actions({ patient: { ...patient, telecom: [] } })).not.toContain('l2-sms-greet');
    expect(actions({ patient: { ...patient, telecom: [{ system: 'email', value: 'a@example.org' }] } })).not.toContain(
      'l2-sms-greet',
    );
  });

  test('a key patient gets a visit at home', () => {
    expect(actions({ flags: [keyPatient] })).toContain('l3-home');
    expect(actions({ flags: [{ ...keyPatient, id: 'f0', code: { text: 'other' } }, keyPatient] })).toContain('l3-home');
  });

  test.each([
    ['no flag', []],
    ['another flag', [{ ...keyPatient, code: { coding: [{ code: 'falls' }] } }]],
    ['a flag that is over', [{ ...keyPatient, status: 'inactive' }]],
  ])('a patient with %s does not', (_, flags) => {
    expect(actions({ flags: flags as StoredResource[] })).not.toContain('l3-home');
  });

  test.each([
    ['PID-30 says yes', { deceasedBoolean: true }, {}, true],
    ['there is a time of death', { deceasedDateTime: '2026-03-16' }, {}, true],
    [
      'the disposition says expired',
      {},
      { hospitalization: { dischargeDisposition: { coding: [{ code: 'exp' }] } } },
      true,
    ],
    ['PID-30 says no', { deceasedBoolean: false }, {}, false],
    [
      'the disposition is another',
      {},
      { hospitalization: { dischargeDisposition: { coding: [{ code: 'home' }] } } },
      false,
    ],
    ['nothing is said', {}, {}, false],
  ])('expired when %s', (_, about, encounter, expired) => {
    expect(isExpired({ ...patient, ...about }, visit(encounter))).toBe(expired);
  });
});

describe('a discharge that becomes known late', () => {
  const at = (now: string): Record<string, string> =>
    Object.fromEntries(
      of(plan({ now: Date.parse(now) }), 'Task').map((it) => [actionOf(it), it.businessStatus?.text ?? it.status]),
    );

  test('has missed the windows that have passed, and only those', () => {
    expect(at('2026-03-26T12:00:00+08:00')).toEqual({
      'l1-call': 'missed',
      'l2-sms-greet': 'missed',
      'l2-call': 'requested',
      'l2-survey': 'requested',
    });
  });

  test('a window is missed when its last second is over', () => {
    expect(at('2026-03-17T23:59:59+08:00')['l2-sms-greet']).toBe('requested');
    expect(at('2026-03-18T00:00:00+08:00')['l2-sms-greet']).toBe('missed');
  });

  test('a missed task is never due: it has failed, and says why', () => {
    const [call] = of(plan({ now: Date.parse('2026-03-26T12:00:00+08:00') }), 'Task');
    expect(call).toMatchObject({ status: 'failed', statusReason: { text: expect.stringContaining('passed') } });
  });
});

describe('ids', () => {
  const ids = (made: readonly StoredResource[]): string[] => made.map((it) => `${it.resourceType}/${it.id}`);

  test('are the same for the same discharge, whenever it is looked at', () => {
    expect(ids(plan({ now: Date.parse('2027-01-01') }))).toEqual(ids(plan()));
    expect(plan()[0]?.id).toBe(carePlanId('e1', general, 1));
  });

  test('are others for another visit and for another enrolment', () => {
    const centre = 'Organization/follow-up-centre';
    for (const other of [plan({ encounter: visit({}), enrolment: 2 }), plan({ encounter: { ...visit(), id: 'e2' } })]) {
      const common = ids(other).filter((it) => ids(plan()).includes(it));
      expect(common).toEqual([centre]);
    }
  });

  test('are told apart in the identifiers, too', () => {
    const values = (made: readonly StoredResource[]): string[] =>
      made.flatMap((it) => (it.id === 'follow-up-centre' ? [] : [[it.identifier].flat()[0].value as string]));
    const all = [...values(plan({ flags: [keyPatient] })), ...values(plan({ flags: [keyPatient], enrolment: 2 }))];
    // The survey's task and its sheet share a value under two systems.
    expect(new Set(all).size).toBe(all.length - 2);
  });
});

describe('every resource that a discharge makes', () => {
  test.each([
    ['as usual', {}],
    ['of a key patient', { flags: [keyPatient] }],
    ['known late', { now: Date.parse('2027-01-01') }],
    [
      'without doctor, telephone and time',
      { patient: { ...patient, telecom: [] }, encounter: visit({ participant: [], period: undefined }) },
    ],
    ['on a day', ended('2026-03-16')],
    ['in a month', ended('2026-03')],
    ['with diagnoses', { encounter: visit({ diagnosis: [{ condition: { reference: 'Condition/c1' } }] }) }],
  ])('is sound: %s', (_, change) => {
    for (const resource of plan(change as Partial<Discharge>))
      expect([resource.resourceType, errorsOf(resource)]).toEqual([resource.resourceType, []]);
  });

  test('is sound for each discharge of the hospital day', () => {
    let plans = 0;
    for (const { bytes } of hospitalDay()) {
      const resources = mapped(bytes).resources.map((it) => it.resource as StoredResource);
      const encounter = resources.find((it) => it.resourceType === 'Encounter') as StoredResource;
      const who = resources.find((it) => it.resourceType === 'Patient') as StoredResource;
      if (encounter.status !== 'finished' || isExpired(who, encounter)) continue;
      plans++;
      for (const resource of plan({ patient: who, encounter, flags: [keyPatient] }))
        expect(errorsOf(resource)).toEqual([]);
    }
    expect(plans).toBe(7);
  });

  test('changes neither the patient nor the visit', () => {
    const encounter = Object.freeze(visit());
    const before = structuredClone({ patient, encounter });
    plan({ encounter });
    expect({ patient, encounter }).toEqual(before);
  });
});

describe('a protocol that cannot be carried out is refused when it is read', () => {
  const shipped = readProfiles(profileFolder).find((it) => it.id === 'fu-general') as StoredResource;
  const withAction = (change: (action: Json) => Json): StoredResource => ({
    ...shipped,
    action: shipped.action.map((it: Json) => (it.id === 'l2-survey' ? change(structuredClone(it)) : it)),
  });

  test.each([
    ['without a window', ({ relatedAction: _, ...rest }: Json) => rest, /l2-survey has no id or no window in days/],
    ['without an id', ({ id: _, ...rest }: Json) => rest, /has no id/],
    [
      'with a window in weeks',
      (it: Json) => ({
        ...it,
        relatedAction: [
          { ...it.relatedAction[0], offsetRange: { low: { value: 1, code: 'wk' }, high: { value: 2, code: 'wk' } } },
        ],
      }),
      /no window in days/,
    ],
    [
      'of a survey without a questionnaire',
      ({ definitionCanonical: _, ...rest }: Json) => rest,
      /l2-survey names no questionnaire/,
    ],
    [
      'with a condition that is no FHIRPath',
      (it: Json) => ({ ...it, condition: [{ expression: { expression: 'a.where(' } }] }),
      /./,
    ],
  ])('an action %s', (_, change, message) => {
    expect(() => parseProtocol(withAction(change))).toThrow(message);
  });

  test('a plan without a version', () => {
    const { version: _, ...rest } = shipped;
    expect(() => parseProtocol(rest as StoredResource)).toThrow(/url and version/);
  });
});
