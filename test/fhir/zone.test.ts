import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { addDays, Zone } from '../../src/fhir/zone.ts';

describe('a zone', () => {
  const newYork = new Zone('America/New_York');

  test.each([
    ['Asia/Shanghai', '2026-07-01T00:00:00', '+08:00'],
    ['UTC', '2026-07-01T00:00:00', '+00:00'],
    ['Asia/Kathmandu', '2026-07-01T00:00:00', '+05:45'],
    // the clocks of New York go forward on 2026-03-08 at 02:00 and back on 2026-11-01 at 02:00
    ['America/New_York', '2026-03-08T01:59:59', '-05:00'],
    ['America/New_York', '2026-03-08T03:00:00', '-04:00'],
    ['America/New_York', '2026-11-01T00:59:59', '-04:00'],
    ['America/New_York', '2026-11-01T02:00:00', '-05:00'],
    ['Europe/Berlin', '2026-03-29T01:59:59', '+01:00'],
    ['Europe/Berlin', '2026-03-29T03:00:00', '+02:00'],
    ['Europe/Berlin', '2026-10-25T01:59:59', '+02:00'],
    ['Europe/Berlin', '2026-10-25T03:00:00', '+01:00'],
    ['Pacific/Auckland', '2026-04-05T01:59:59', '+13:00'],
    ['Pacific/Auckland', '2026-04-05T03:00:00', '+12:00'],
    // Lord Howe goes by half an hour: forward at 02:00, back at 02:00
    ['Australia/Lord_Howe', '2026-10-04T02:30:00', '+11:00'],
    ['Australia/Lord_Howe', '2026-04-05T02:00:00', '+10:30'],
  ])('in %s gives %s the offset %s', (name, local, offset) => {
    expect(new Zone(name).offsetOf(local)).toBe(offset);
  });

  test('gives an hour that is there twice one of its two offsets', () => {
    expect(['-04:00', '-05:00']).toContain(newYork.offsetOf('2026-11-01T01:30:00'));
  });

  test('gives the same offset whatever was asked before', () => {
    const fresh = new Zone('Australia/Lord_Howe');
    expect(fresh.offsetOf('2026-04-05T01:10:00')).toBe('+11:00');
    const asked = new Zone('Australia/Lord_Howe');
    asked.offsetOf('2026-04-05T01:59:00');
    expect(asked.offsetOf('2026-04-05T01:10:00')).toBe('+11:00');
  });

  test('writes an instant so that it can be read back, in every zone', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('Asia/Shanghai', 'America/New_York', 'Asia/Kathmandu', 'Pacific/Auckland', 'America/Santiago'),
        fc.integer({ min: Date.parse('1950-01-01'), max: Date.parse('2080-01-01') }),
        (name, at) => {
          const zone = new Zone(name);
          expect(Date.parse(zone.isoOf(at))).toBe(Math.floor(at / 1000) * 1000);
        },
      ),
    );
  });

  test('finds the offset of every local time that is there once', () => {
    const zones = ['America/New_York', 'Europe/Berlin', 'Pacific/Auckland', 'America/Santiago', 'Africa/Cairo'];
    fc.assert(
      fc.property(
        fc.constantFrom(...zones),
        fc.integer({ min: Date.parse('2020-01-01') / 60_000, max: Date.parse('2030-01-01') / 60_000 }),
        (name, minute) => {
          const zone = new Zone(name);
          const at = minute * 60_000;
          const offset = zone.offsetAt(at);
          // Twice in a year an hour comes twice: the instants an hour around have another offset.
          fc.pre([-3_600_000, 3_600_000].every((by) => zone.offsetAt(at + by) === offset));
          expect(zone.offsetOf(zone.isoOf(at).slice(0, 19))).toBe(offset);
        },
      ),
      { numRuns: 300 },
    );
  });

  test('counts days as patients do: the local day of an instant', () => {
    expect(new Zone('Asia/Shanghai').dayOf(Date.parse('2026-03-15T16:00:00Z'))).toBe('2026-03-16');
    expect(new Zone('Asia/Shanghai').dayOf(Date.parse('2026-03-15T15:59:59Z'))).toBe('2026-03-15');
    expect(newYork.dayOf(Date.parse('2026-03-09T03:59:59Z'))).toBe('2026-03-08');
  });

  test('begins and ends the days on which the clocks change with the offset of that hour', () => {
    expect(newYork.startOfDay('2026-03-08')).toBe('2026-03-08T00:00:00-05:00');
    expect(newYork.endOfDay('2026-03-08')).toBe('2026-03-08T23:59:59-04:00');
    expect(newYork.startOfDay('2026-11-01')).toBe('2026-11-01T00:00:00-04:00');
    expect(newYork.endOfDay('2026-11-01')).toBe('2026-11-01T23:59:59-05:00');
  });

  test.each([
    ['America/Santiago', '2026-09-06', '2026-09-06T04:00:00Z'],
    ['America/Havana', '2026-03-08', '2026-03-08T05:00:00Z'],
    ['Africa/Cairo', '2026-04-24', '2026-04-23T22:00:00Z'],
  ])('begins a day without a midnight at its first instant: %s %s', (name, day, instant) => {
    const zone = new Zone(name);
    const begins = Date.parse(zone.startOfDay(day));
    expect(begins).toBe(Date.parse(instant));
    expect(zone.dayOf(begins)).toBe(day);
  });

  test('refuses a name that nobody knows', () => {
    expect(() => new Zone('Mars/Olympus')).toThrow(RangeError);
  });
});

describe('addDays', () => {
  test.each([
    ['2026-03-16', 1, '2026-03-17'],
    ['2026-02-28', 1, '2026-03-01'],
    ['2028-02-28', 1, '2028-02-29'],
    ['2100-02-28', 1, '2100-03-01'],
    ['2026-12-31', 1, '2027-01-01'],
    ['2026-01-01', -1, '2025-12-31'],
    ['2026-03-08', 365, '2027-03-08'],
    ['2026-03-08', 0, '2026-03-08'],
  ])('%s and %i days is %s', (day, days, later) => {
    expect(addDays(day, days)).toBe(later);
  });

  test('goes back the way it came', () => {
    fc.assert(
      fc.property(
        fc.date({ min: new Date('1900-01-01'), max: new Date('2100-12-31'), noInvalidDate: true }),
        fc.integer({ min: -4000, max: 4000 }),
        (date, days) => {
          const day = date.toISOString().slice(0, 10);
          expect(addDays(addDays(day, days), -days)).toBe(day);
        },
      ),
    );
  });
});
