/** When an appointment takes place: what TQ1, SCH, AIS, AIG, AIL and AIP say, in the units of their senders. */
import { describe, expect, test } from '@jest/globals';
import { appointment, builtAppointment, extension, participants, type Siu, times } from './siu-messages.ts';

const nine = '2026-04-01T09:00:00+08:00';
const half = '2026-04-01T09:30:00+08:00';
const ten = '2026-04-01T10:00:00+08:00';
const absent = {
  extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/data-absent-reason', valueCode: 'unknown' }],
};
/** No times in SCH. */
const none = { 11: '' };

describe('start and end come from', () => {
  test('SCH-11', () => {
    expect(times({})).toEqual([half, ten]);
  });

  test('TQ1 before SCH-11', () => {
    expect(times({ timing: ['TQ1|1||||||20260401090000|20260401093000'] })).toEqual([nine, half]);
  });

  test('AIS alone, with its duration', () => {
    expect(times({ SCH: none, more: ['RGS|1', 'AIS|1|A|CONS|20260401090000|||30|MIN'] })).toEqual([nine, half]);
  });

  test.each(['AIG|1|A|P7|EQUIP||||', 'AIL|1|A|ENDO|||', 'AIP|1|A|D071^Li^Min|||'])('%s alone', (segment) => {
    expect(times({ SCH: none, more: [`${segment}20260401090000|||1|H`] })).toEqual([nine, ten]);
  });

  test('the first and the last of several services in several groups', () => {
    const more = [
      'RGS|1',
      'AIS|1|A|B|20260401093000|||30|MIN',
      'RGS|2',
      'AIS|1|A|A|20260401090000|||15|MIN',
      'AIS|2|A|C|20260401090000|||20|MIN',
    ];
    expect(times({ SCH: none, more })).toEqual([nine, ten]);
  });

  test('services that are not deleted', () => {
    const more = [
      'RGS|1|A',
      'AIS|1|A|B|20260401093000|||30|MIN',
      'AIS|2|D|A|20260401090000|||300|MIN',
      'RGS|2|D',
      'AIS|1||X|2025',
    ];
    expect(times({ SCH: none, more })).toEqual([half, ten]);
  });

  test('a start with the duration of SCH-9, whichever segment says the start', () => {
    const SCH = { 9: '60', 10: 'MIN' };
    expect(times({ SCH: { ...SCH, 11: '^^^20260401090000' } })).toEqual([nine, ten]);
    expect(times({ SCH: { ...SCH, ...none }, timing: ['TQ1|1||||||20260401090000'] })).toEqual([nine, ten]);
    expect(times({ SCH: { ...SCH, ...none }, more: ['AIS|1|A|X|20260401090000|||5|MIN'] })).toEqual([nine, ten]);
  });

  test('a start with the duration of TQ1-6, or of TQ.3 in SCH-11', () => {
    expect(times({ SCH: none, timing: ['TQ1|1|||||1^H|20260401090000'] })).toEqual([nine, ten]);
    expect(times({ SCH: { 11: '^^M30^20260401090000' } })).toEqual([nine, half]);
    expect(times({ SCH: { 11: '^^30^20260401090000' } })).toEqual([nine, half]);
  });

  test('a time with an offset of its own, and the duration keeps it', () => {
    expect(times({ SCH: { 9: '1', 10: 'h', 11: '^^^20260401090000-0530' } })).toEqual([
      '2026-04-01T09:00:00-05:30',
      '2026-04-01T10:00:00-05:30',
    ]);
  });
});

describe('a duration in SCH-9', () => {
  test.each([
    ['30', '', 30],
    ['30', 'MIN', 30],
    ['30', 'M', 30],
    ['30', 'min^minutes^ISO+', 30],
    ['30', '^分钟', 30],
    ['1800', 'S', 30],
    ['2', 'H^Hours', 120],
    ['1.5', '小时', 90],
    ['30 分钟', '', 30],
    ['1', 'D', 1440],
  ])('%s %s is %d minutes', (amount, unit, minutes) => {
    expect(appointment({ SCH: { 9: amount, 10: unit } }).minutesDuration).toBe(minutes);
  });

  test.each([
    ['90', 'S', '90 S'],
    ['2', 'fortnights', '2 fortnights'],
    ['soon', '', 'soon'],
    ['0', 'MIN', '0 MIN'],
    ['99999999999999999999', 'MIN', '99999999999999999999 MIN'],
    ['999999999', 'H', '999999999 H'],
  ])('%s %s makes no whole minutes and stays readable', (amount, unit, text) => {
    const made = appointment({ SCH: { 9: amount, 10: unit } });
    expect(made.minutesDuration).toBeUndefined();
    expect(extension(made, 'v2-appointment-duration')).toBe(text);
  });
});

describe('a service or resource is needed', () => {
  const period = (segment: string): unknown => participants({ more: [segment] }, 'Practitioner')[0]?.period;

  test('from its own start, as long as it says', () => {
    expect(period('AIP|1|A|D071^Li^Min|||20260401090000|||60|MIN')).toEqual({ start: nine, end: ten });
  });

  test.each([
    ['-30|MIN', nine],
    ['0.5|H', ten],
    ['30', ten],
  ])('by its offset %s from the start of the appointment', (offset, start) => {
    expect(period(`AIP|1|A|D071^Li^Min||||${offset}`)).toEqual({ start });
  });

  test('from the start of the appointment on, when it says the duration only', () => {
    expect(period('AIP|1|A|D071^Li^Min||||||30|MIN')).toEqual({ end: ten });
  });

  test('on a day, when no time of day is given', () => {
    expect(period('AIP|1|A|D071^Li^Min|||20260401')).toEqual({ start: '2026-04-01' });
  });

  test('and what makes no time stays readable', () => {
    const [doctor] = participants({ more: ['AIP|1|A|D071^Li^Min||||2|moons|1|epoch'] }, 'Practitioner');
    expect(doctor?.period).toBeUndefined();
    expect([extension(doctor, 'v2-start-offset'), extension(doctor, 'v2-duration')]).toEqual(['2 moons', '1 epoch']);
  });

  test('a service at serviceType, where there is no participant', () => {
    const more = ['AIS|1|A|LAB^验血|20260401093000|||10|MIN', 'AIS|2|A|CHEMO^化疗||30|MIN|1|H'];
    const { serviceType } = appointment({ more });
    expect(serviceType.map((it: object) => extension(it, 'v2-service-period'))).toEqual([
      { start: half, end: '2026-04-01T09:40:00+08:00' },
      { start: ten, end: '2026-04-01T11:00:00+08:00' },
    ]);
  });
});

describe('what a message does not say of its times', () => {
  const marked = (parts: Siu): string[] => [...builtAppointment(parts).initial];

  test('is said to be unknown, and yields to what is stored', () => {
    expect(appointment({ SCH: none })).toMatchObject({ status: 'booked', _start: absent, _end: absent });
    expect(marked({ SCH: none })).toEqual(['start', 'end']);
  });

  test('needs no saying when the appointment is cancelled or waited for', () => {
    expect(appointment({ event: 'S15', SCH: none })._start).toBeUndefined();
    expect(appointment({ SCH: { ...none, 25: 'Waitlist' } })._start).toBeUndefined();
  });

  test('is the end alone: it is unknown, and the end of another start does not stay', () => {
    const parts = { SCH: { 11: '^^^20260401090000' } };
    expect(appointment(parts)).toMatchObject({ start: nine, _end: absent });
    expect(marked(parts)).toEqual([]);
  });

  test('is the time of day: the day is the requested period', () => {
    const made = appointment({ SCH: { 11: '^^^20260401^20260403' } });
    expect(made).toMatchObject({ _start: absent, requestedPeriod: [{ start: '2026-04-01', end: '2026-04-03' }] });
    expect(marked({ SCH: { 11: '^^^20260401' } })).toEqual([]);
    expect(appointment({ SCH: none, more: ['AIS|1|A|X|20260401'] }).requestedPeriod).toEqual([
      { start: '2026-04-01', end: '2026-04-01' },
    ]);
  });

  test('is an end that can be: one before the start stands beside it', () => {
    const made = appointment({ SCH: { 11: '^^^20260401093000^20260401090000' } });
    expect(made).toMatchObject({ start: half, _end: absent });
    expect(extension(made, 'v2-appointment-end')).toBe(nine);
  });
});

describe('what else is said of the timing', () => {
  test('by TQ1 stands in an extension, one for each', () => {
    const timing = [
      'TQ1|1|2^次|Q1W|0930|15^min|30^min|20260401090000|20260401093000|R|fasting|bring the list|S|30^min|3',
      'TQ1|2||||||20260408090000',
    ];
    const [one, two] = extension(appointment({ timing }), 'v2-appointment-timing');
    expect(Object.fromEntries(one.map(({ url, ...value }: any) => [url, Object.values(value)[0]]))).toEqual({
      quantity: '2 次',
      interval: 'Q1W',
      timeOfDay: '09:30:00',
      relativeTime: '15 min',
      duration: '30 min',
      start: nine,
      end: half,
      priority: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0485', code: 'R' }] },
      condition: 'fasting',
      instruction: 'bring the list',
      conjunction: 'S',
      occurrenceDuration: '30 min',
      totalOccurrences: 3,
    });
    expect(two).toEqual([{ url: 'start', valueDateTime: '2026-04-08T09:00:00+08:00' }]);
  });

  test('by SCH-11 as well, for each repetition', () => {
    const made = appointment({ SCH: { 11: '1^Q1W^M30^20260401090000^^R^^look^S~^^M30^20260408090000' } });
    expect(extension(made, 'v2-appointment-timing')).toHaveLength(2);
    expect(JSON.stringify(extension(made, 'v2-appointment-timing')[1])).toContain('2026-04-08T09:00:00+08:00');
  });

  test('goes with the times that it belonged to', () => {
    const url = 'https://aftercare.example/fhir/StructureDefinition/v2-appointment-timing';
    expect(builtAppointment({ event: 'S13' }).clear).toContain(`extension(${url})`);
    expect(builtAppointment({ event: 'S13' }).clear).toContain('requestedPeriod{day}');
    expect(builtAppointment({ event: 'S15' }).clear).not.toContain(`extension(${url})`);
  });
});
