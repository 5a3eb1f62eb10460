import { describe, expect, test } from '@jest/globals';
import type { Json } from '../../src/fhir/types.ts';
import { appointmentRule, eventOf } from '../../src/outbound/appointment.ts';
import { mapped } from '../mapping/support.ts';
import { expectGolden } from './golden.ts';
import { appointment } from './resources.ts';
import { destination, doctor, scene, text } from './support.ts';

const told = (known: Json | undefined, now: Json | undefined, about = scene()): string =>
  text(appointmentRule.tell(known, now, about), about.destination);

const later = { start: '2026-04-03T01:00:00Z', end: '2026-04-03T01:15:00Z' };

describe('what the hospital reads of an appointment', () => {
  test('when it is booked (S12)', () => {
    expectGolden('siu-s12', told(undefined, appointment()));
  });

  test('when it is moved (S13)', () => {
    expectGolden('siu-s13', told(appointment(), appointment(later)));
  });

  test('when something else is changed (S14)', () => {
    expectGolden('siu-s14', told(appointment(), appointment({ comment: '空腹' })));
  });

  test('when it is cancelled (S15), with the reason', () => {
    const cancelationReason = { text: 'the discharge was cancelled' };
    expectGolden('siu-s15', told(appointment(), appointment({ status: 'cancelled', cancelationReason })));
  });

  test('when the patient does not come (S26)', () => {
    expectGolden('siu-s26', told(appointment(), appointment({ status: 'noshow' })));
  });

  test('when it was deleted: cancelled, as it was known', () => {
    expect(told(appointment(), undefined)).toContain('|Cancelled\n');
    expect(told(appointment(), undefined)).toContain('20260402090000+0800');
  });
});

describe('the event of an appointment', () => {
  const wording = (it: Json): string => `${it.status} ${it.comment}`;
  const of = (status: string | undefined, more: Json = {}): Json | undefined =>
    status === undefined ? undefined : { status, ...more };

  test.each<[string, string | undefined, string | undefined, string | undefined]>([
    ['booked for the first time', undefined, 'booked', 'S12'],
    ['proposed for the first time', undefined, 'proposed', undefined],
    ['first seen when it is over', undefined, 'fulfilled', undefined],
    ['booked again after it was cancelled', 'cancelled', 'booked', 'S12'],
    ['booked again after a no-show', 'noshow', 'booked', 'S12'],
    ['cancelled', 'booked', 'cancelled', 'S15'],
    ['entered in error', 'booked', 'entered-in-error', 'S15'],
    ['deleted', 'booked', undefined, 'S15'],
    ['only proposed again', 'booked', 'proposed', 'S15'],
    ['missed', 'booked', 'noshow', 'S26'],
    ['kept', 'booked', 'fulfilled', 'S14'],
    ['cancelled a second time', 'cancelled', 'cancelled', undefined],
    ['missed after it was cancelled', 'cancelled', 'noshow', undefined],
    ['unchanged', 'booked', 'booked', undefined],
    ['deleted after it was cancelled', 'cancelled', undefined, undefined],
  ])('%s', (_, before, now, event) => {
    expect(eventOf(of(before), of(now), wording)).toBe(event);
  });

  test('of another time is S13, whatever else was changed', () => {
    const [before, now] = [of('booked', { start: '2026-04-02T01:00:00Z' }), of('booked', { ...later, comment: 'b' })];
    expect(eventOf(before, now, wording)).toBe('S13');
  });

  test('of the same instant in another offset is none', () => {
    const [utc, local] = ['2026-04-02T01:00:00Z', '2026-04-02T09:00:00+08:00'];
    expect(eventOf(of('booked', { start: utc }), of('booked', { start: local }), wording)).toBeUndefined();
  });

  test('of a change that a message does not show is none', () => {
    const accepted = appointment({ participant: [{ actor: { reference: 'Practitioner/d1' }, status: 'tentative' }] });
    const before = appointment({ participant: [{ actor: { reference: 'Practitioner/d1' }, status: 'accepted' }] });
    expect(told(before, accepted)).toBe('');
  });
});

describe('an appointment of the hospital', () => {
  const own = [
    { system: 'urn:id:RENHE', value: 'P7', type: { coding: [{ code: 'PLAC' }] } },
    { system: 'urn:oid:1.2.156.1', value: 'F8', type: { coding: [{ code: 'FILL' }] } },
  ];

  test('goes by the numbers that the hospital gave it', () => {
    expect(told(undefined, appointment({ identifier: own }))).toContain('SCH|P7^RENHE|F8^AFTERCARE^1.2.156.1^ISO|');
  });

  test('has our number for the placer where the hospital is the filler', () => {
    const identifier = [own[1], { system: 'urn:id:AFTERCARE', value: 'A9' }];
    expect(told(undefined, appointment({ identifier }))).toContain('SCH|A9^AFTERCARE|F8^');
  });

  test('that a client made without a number goes by its id', () => {
    expect(told(undefined, appointment({ identifier: undefined }))).toContain('SCH||a1^AFTERCARE|');
  });
});

describe('a booking', () => {
  test('before v2.5 has its times in SCH-11 alone', () => {
    const message = told(undefined, appointment(), scene({ destination: destination({ version: '2.4' }) }));
    expect(message).not.toContain('\nTQ1');
    expect(message).toContain('|^^M15^20260402090000+0800^20260402091500+0800|');
  });

  test('names ward, room and bed', () => {
    const level = (id: string, code: string, name: string, partOf?: string): Json => ({
      resourceType: 'Location',
      id,
      name,
      physicalType: { coding: [{ code }] },
      ...(partOf && { partOf: { reference: `Location/${partOf}` } }),
    });
    const places = [level('w', 'wa', '内分泌科门诊'), level('r', 'ro', '305', 'w'), doctor];
    const participant = [{ actor: { reference: 'Location/r' } }];
    const message = told(undefined, appointment({ participant }), scene({}, places));
    expect(message).toContain('\nAIL|1|A|内分泌科门诊^305|||');
  });

  test('of a place that is part of itself comes to an end', () => {
    const place = { resourceType: 'Location', id: 'x', name: 'X', partOf: { reference: 'Location/x' } };
    const participant = [{ actor: { reference: 'Location/x' } }];
    expect(told(undefined, appointment({ participant }), scene({}, [place]))).toContain('\nAIL|1|A|^^^^^^^^X|');
  });

  test('without a visit has no PV1', () => {
    expect(told(undefined, appointment(), scene({ encounter: undefined }))).not.toContain('\nPV1');
  });

  test('read by our own mapping is the appointment that it was', () => {
    const { resources } = mapped(told(undefined, appointment()).replaceAll('\n', '\r'));
    const back = resources.find(({ resource }) => resource.resourceType === 'Appointment')?.resource;
    expect(back).toMatchObject({
      status: 'booked',
      start: '2026-04-02T09:00:00+08:00',
      end: '2026-04-02T09:15:00+08:00',
      appointmentType: { coding: [{ code: 'FOLLOWUP' }] },
      comment: '带上血糖记录 & bring the log|book',
    });
    const ours = appointment().identifier[0];
    expect(back?.identifier).toEqual([expect.objectContaining(ours)]);
  });
});
