import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Zone } from '../../src/fhir/zone.ts';
import {
  parseDateTime,
  toDtm,
  toFhirDate,
  toFhirDateTime,
  toFhirInstant,
  toFhirTime,
} from '../../src/hl7v2/datetime.ts';

const shanghai = (): string => '+08:00';

/** R4 datatypes.html, the regular expressions of date, dateTime and instant. */
const year = '([0-9]([0-9]([0-9][1-9]|[1-9]0)|[1-9]00)|[1-9]000)';
const month = '(0[1-9]|1[0-2])';
const day = '(0[1-9]|[1-2][0-9]|3[0-1])';
const time = '([01][0-9]|2[0-3]):[0-5][0-9]:([0-5][0-9]|60)(\\.[0-9]+)?';
const offset = '(Z|(\\+|-)((0[0-9]|1[0-3]):[0-5][0-9]|14:00))';
const r4Date = new RegExp(`^${year}(-${month}(-${day})?)?$`);
const r4DateTime = new RegExp(`^${year}(-${month}(-${day}(T${time}${offset})?)?)?$`);
const r4Instant = new RegExp(`^${year}-${month}-${day}T${time}${offset}$`);
const r4Time = new RegExp(`^${time}$`);

describe('a v2 time keeps the precision that it came with', () => {
  test.each([
    ['a year', '2026', '2026'],
    ['a month', '202603', '2026-03'],
    ['a day', '20260316', '2026-03-16'],
    ['an hour', '2026031610', '2026-03-16T10:00:00+08:00'],
    ['a minute', '202603161030', '2026-03-16T10:30:00+08:00'],
    ['a second', '20260316103015', '2026-03-16T10:30:15+08:00'],
    ['a tenth', '20260316103015.1', '2026-03-16T10:30:15.1+08:00'],
    ['four digits of a second', '20260316103015.1234', '2026-03-16T10:30:15.1234+08:00'],
    ['the first second of a day', '20260316000000', '2026-03-16T00:00:00+08:00'],
  ])('%s', (_, text, expected) => {
    expect(toFhirDateTime(text, shanghai)).toBe(expected);
  });
});

describe('an offset of its own wins over the zone of the sender', () => {
  test.each([
    ['at a second', '20260316103015+0100', '2026-03-16T10:30:15+01:00'],
    ['at a fraction', '20260316103015.25-0500', '2026-03-16T10:30:15.25-05:00'],
    ['at a minute', '202603161030+0000', '2026-03-16T10:30:00+00:00'],
    ['at an hour', '2026031610+0900', '2026-03-16T10:00:00+09:00'],
    ['of a half hour', '20260316103015+0530', '2026-03-16T10:30:15+05:30'],
    ['of a quarter hour', '20260316103015+0545', '2026-03-16T10:30:15+05:45'],
    ['of three quarters', '20260316103015+1245', '2026-03-16T10:30:15+12:45'],
    ['negative of a half hour', '20260316103015-0330', '2026-03-16T10:30:15-03:30'],
    ['at the limit', '20260316103015+1400', '2026-03-16T10:30:15+14:00'],
    ['with a colon', '20260316103015+01:00', '2026-03-16T10:30:15+01:00'],
    ['after a day, where FHIR has no offset', '20260316+0100', '2026-03-16'],
  ])('%s', (_, text, expected) => {
    expect(toFhirDateTime(text, shanghai)).toBe(expected);
  });

  test.each([
    ['too short', '20260316103015+8'],
    ['without minutes', '20260316103015+08'],
    ['beyond 14 hours', '20260316103015+1401'],
    ['of 60 minutes', '20260316103015+0160'],
    ['of letters', '20260316103015+CEST'],
    ['of a sign alone', '20260316103015-'],
  ])('but one that is malformed (%s) counts as none', (_, text) => {
    expect(toFhirDateTime(text, shanghai)).toBe('2026-03-16T10:30:15+08:00');
  });

  test('the zone is asked for the local time that was sent', () => {
    const newYork = new Zone('America/New_York');
    const offsetOf = (local: string): string => newYork.offsetOf(local);
    expect(toFhirDateTime('20260307120000', offsetOf)).toBe('2026-03-07T12:00:00-05:00');
    expect(toFhirDateTime('20260309120000', offsetOf)).toBe('2026-03-09T12:00:00-04:00');
    expect(toFhirDateTime('20260309120000+0800', offsetOf)).toBe('2026-03-09T12:00:00+08:00');
  });
});

describe('what senders really write is read whole', () => {
  test.each([
    ['blanks behind', '20260316103015  ', '2026-03-16T10:30:15+08:00'],
    ['blanks behind a day', '20260316 ', '2026-03-16'],
    ['a blank before the offset', '20260316103015 -0500', '2026-03-16T10:30:15-05:00'],
    [
      'an offset behind more digits of a second than anybody needs',
      '20260316103015.1234567891-0500',
      '2026-03-16T10:30:15.123456789-05:00',
    ],
    ['an offset behind a point without digits', '20260316103015.-0500', '2026-03-16T10:30:15-05:00'],
    ['a comma for the point', '20260316103015,25', '2026-03-16T10:30:15.25+08:00'],
    ['Z for UTC', '20260316103015Z', '2026-03-16T10:30:15+00:00'],
    ['a day as a database writes it', '2026-03-16', '2026-03-16'],
    ['a time as a database writes it', '2026-03-16 10:30:15.5', '2026-03-16T10:30:15.5+08:00'],
    ['a time as ISO 8601 writes it', '2026-03-16T10:30:15-05:00', '2026-03-16T10:30:15-05:00'],
    ['slashes', '2026/03/16 10:30', '2026-03-16T10:30:00+08:00'],
    ['a year with an offset, which is no month', '2026-0500', '2026'],
  ])('%s', (_, text, expected) => {
    expect(toFhirDateTime(text, shanghai)).toBe(expected);
  });

  test.each(Array.from({ length: 57 }, (_, i) => -14 * 60 + i * 30))('an offset of %i minutes', (minutes) => {
    for (const quarter of [0, 15]) {
      const all = Math.min(minutes + quarter, 14 * 60);
      const size = Math.abs(all);
      const [hour, minute] = [Math.floor(size / 60), size % 60].map((it) => String(it).padStart(2, '0'));
      const sign = all < 0 ? '-' : '+';
      expect(toFhirDateTime(`20260316103015${sign}${hour}${minute}`, shanghai)).toBe(
        `2026-03-16T10:30:15${sign}${hour}:${minute}`,
      );
    }
  });
});

describe('what is sound from the left is read', () => {
  test.each([
    ['month 00', '20260016', '2026'],
    ['month 13', '20261316', '2026'],
    ['day 00', '20260300', '2026-03'],
    ['zeros for an unknown month and day', '20240000', '2024'],
    ['zeros for all but the year', '20240000000000', '2024'],
    ['day 32', '20260332', '2026-03'],
    ['30 February', '20260230', '2026-02'],
    ['31 April', '20260431', '2026-04'],
    ['hour 24', '2026031624', '2026-03-16'],
    ['minute 60', '202603161060', '2026-03-16T10:00:00+08:00'],
    ['second 61', '20260316103061', '2026-03-16T10:30:00+08:00'],
    ['half a month', '20261', '2026'],
    ['half a day', '2026031', '2026-03'],
    ['half an hour digit', '202603161', '2026-03-16'],
    ['a text behind the day', '20260316 approx.', '2026-03-16'],
  ])('%s', (_, text, expected) => {
    expect(toFhirDateTime(text, shanghai)).toBe(expected);
  });

  test.each(['', '0000', '00000000000000', '202', 'unknown', '""', ' 2026', '-2026'])(
    '%p is no time at all',
    (text) => {
      expect(parseDateTime(text)).toBeUndefined();
      expect(toFhirDate(text)).toBeUndefined();
      expect(toFhirDateTime(text, shanghai)).toBeUndefined();
      expect(toFhirInstant(text, shanghai)).toBeUndefined();
    },
  );

  test.each([
    ['20240229', '2024-02-29'],
    ['20000229', '2000-02-29'],
    ['20230229', '2023-02'],
    ['19000229', '1900-02'],
  ])('29 February is there in leap years only: %s', (text, expected) => {
    expect(toFhirDate(text)).toBe(expected);
  });
});

describe('a date is the local day that was written', () => {
  test.each([
    ['a day', '19800229', '1980-02-29'],
    ['a month', '198002', '1980-02'],
    ['a year', '1980', '1980'],
    ['a time late in the day', '19800229235900', '1980-02-29'],
    ['a time and an offset that would move it forward', '19800229233000-0500', '1980-02-29'],
    ['a time and an offset that would move it back', '19800301003000+0800', '1980-03-01'],
    ['an offset alone', '19800301+0800', '1980-03-01'],
  ])('%s', (_, text, expected) => {
    expect(toFhirDate(text)).toBe(expected);
  });
});

describe('an instant', () => {
  test('has a time of day or is not there', () => {
    expect(toFhirInstant('20260316103015.5', shanghai)).toBe('2026-03-16T10:30:15.5+08:00');
    expect(toFhirInstant('2026031610', shanghai)).toBe('2026-03-16T10:00:00+08:00');
    expect(toFhirInstant('20260316', shanghai)).toBeUndefined();
    expect(toFhirInstant('2026', shanghai)).toBeUndefined();
  });
});

describe('a time of day', () => {
  test.each([
    ['10', '10:00:00'],
    ['1030', '10:30:00'],
    ['103015', '10:30:15'],
    ['103015.25', '10:30:15'],
    ['103015.1234', '10:30:15'],
    ['10:30', '10:30:00'],
    ['103015+0800', '10:30:15'],
    ['1030  ', '10:30:00'],
    ['235959', '23:59:59'],
    ['24', undefined],
    ['1', undefined],
    ['', undefined],
    ['noon', undefined],
    ['08:30 PM', undefined],
    ['0830 to 0930', undefined],
    ['08305', undefined],
  ])('%p is %p', (text, expected) => {
    expect(toFhirTime(text)).toBe(expected);
  });
});

describe('what comes out is what R4 allows', () => {
  const digits = fc.stringMatching(/^\d{0,16}(\.\d{0,10})?([+-]\d{0,5})?$/);
  const near = fc
    .tuple(
      fc.constantFrom('1899', '1900', '2024', '2026', '0001', '9999'),
      fc.constantFrom('', '00', '01', '02', '12', '13'),
      fc.constantFrom('', '00', '01', '29', '30', '31', '32'),
      fc.constantFrom('', '00', '23', '24', '2359', '2360', '235959', '235960', '000000.0', '120000.123456789'),
      fc.constantFrom('', '+0000', '-0000', '+1400', '-1400', '+1401', '-1200', '+0545', '+9', 'Z'),
    )
    .map((parts) => parts.join(''));
  const any = fc.oneof(digits, near, fc.string());
  const zones = ['Asia/Shanghai', 'America/New_York', 'Asia/Kathmandu'].map((name) => new Zone(name));

  test('for any digits, in any zone', () => {
    fc.assert(
      fc.property(any, fc.constantFrom(...zones), (text, zone) => {
        const dateTime = toFhirDateTime(text, (local) => zone.offsetOf(local));
        if (dateTime !== undefined) expect(dateTime).toMatch(r4DateTime);
        const date = toFhirDate(text);
        if (date !== undefined) expect(date).toMatch(r4Date);
        expect(date?.slice(0, 10)).toBe(dateTime?.slice(0, 10));
        const instant = toFhirInstant(text, (local) => zone.offsetOf(local));
        if (instant !== undefined) expect(instant).toMatch(r4Instant);
        const timeOfDay = toFhirTime(text);
        if (timeOfDay !== undefined) expect(timeOfDay).toMatch(r4Time);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('what we write', () => {
  test('is the local time with its offset', () => {
    const at = Date.parse('2026-03-16T02:30:15.999Z');
    expect(toDtm(at, '+08:00')).toBe('20260316103015+0800');
    expect(toDtm(at, '-03:30')).toBe('20260315230015-0330');
    expect(toDtm(at, '+05:45')).toBe('20260316081515+0545');
    expect(toDtm(at, '+00:00')).toBe('20260316023015+0000');
  });

  test('is read back as the same instant', () => {
    const instants = fc.integer({ min: 0, max: 4_102_444_800 }).map((it) => it * 1000);
    fc.assert(
      fc.property(instants, fc.constantFrom('+08:00', '-03:30', '+05:45', '+00:00', '+14:00'), (at, zone) => {
        expect(Date.parse(toFhirInstant(toDtm(at, zone), shanghai)!)).toBe(at);
      }),
    );
  });
});
