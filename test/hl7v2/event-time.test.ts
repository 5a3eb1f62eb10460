import { describe, expect, test } from '@jest/globals';
import { Zone } from '../../src/fhir/zone.ts';
import { eventTimes } from '../../src/hl7v2/event-time.ts';
import { parse } from '../../src/hl7v2/message.ts';
import { header } from './header.ts';

const shanghai = new Zone('Asia/Shanghai');

interface Times {
  readonly evn2?: string;
  readonly evn6?: string;
  readonly zbe2?: string;
  readonly msh7?: string;
  readonly controlId?: string;
}

function times({ evn2 = '', evn6 = '', zbe2, msh7 = '', controlId = 'C1' }: Times) {
  const zbe = zbe2 === undefined ? '' : `ZBE|Z1|${zbe2}||INSERT\r`;
  const message = parse(`${header({ 7: msh7, 10: controlId })}EVN|A03|${evn2}||||${evn6}\r${zbe}`)!;
  const { at, sent, sequence } = eventTimes(message, (local) => shanghai.offsetOf(local));
  const iso = (ms: number | undefined): string | undefined =>
    ms === undefined ? undefined : new Date(ms).toISOString();
  return { at: iso(at), sent: iso(sent), sequence };
}

const [ten, eleven, noon, one] = ['20260316100000', '20260316110000', '20260316120000', '20260316130000'];

describe('the event time is', () => {
  test.each<[string, Times, string]>([
    ['EVN-2', { evn2: ten, evn6: eleven, zbe2: noon, msh7: one }, '2026-03-16T02:00:00.000Z'],
    ['else EVN-6', { evn6: eleven, zbe2: noon, msh7: one }, '2026-03-16T03:00:00.000Z'],
    ['else ZBE-2', { zbe2: noon, msh7: one }, '2026-03-16T04:00:00.000Z'],
    ['else MSH-7', { msh7: one }, '2026-03-16T05:00:00.000Z'],
  ])('%s', (_, given, expected) => {
    expect(times(given).at).toBe(expected);
  });

  test('nothing when there is none', () => {
    expect(times({})).toEqual({ at: undefined, sent: undefined, sequence: 1 });
  });

  test.each<[string, string]>([
    ['cannot be read', 'yesterday'],
    ['is null', '""'],
    ['is a month', '202603'],
    ['is a year', '2026'],
    ['has a day that is none', '20260230120000'],
    ['says that it is only a month', '20260301000000^L'],
    ['is the beginning of 1900', '19000101000000'],
    ['is the beginning of 1970', '19700101000000'],
    ['is the end of time', '99991231235959'],
  ])('not one that %s', (_, evn2) => {
    expect(times({ evn2, evn6: eleven }).at).toBe('2026-03-16T03:00:00.000Z');
    expect(times({ evn2, msh7: one }).at).toBe('2026-03-16T05:00:00.000Z');
  });
});

describe('a time that is not exact counts from its low end', () => {
  test.each([
    ['20260316', '2026-03-15T16:00:00.000Z'],
    ['2026031610', '2026-03-16T02:00:00.000Z'],
    ['202603161030', '2026-03-16T02:30:00.000Z'],
    ['20260316103015.1234', '2026-03-16T02:30:15.123Z'],
    ['20260316103015.9999', '2026-03-16T02:30:15.999Z'],
  ])('%s', (evn2, expected) => {
    expect(times({ evn2 }).at).toBe(expected);
  });
});

describe('of a day', () => {
  test.each([
    ['the time of sending counts', '20260316', '20260316160000', '2026-03-16T08:00:00.000Z'],
    ['the end, when it was sent later', '20260316', '20260317000500', '2026-03-16T15:59:59.999Z'],
    ['the beginning, when it was sent before', '20260316', '20260315235900', '2026-03-15T16:00:00.000Z'],
    ['and hour the time of sending counts', '2026031610', '20260316101500', '2026-03-16T02:15:00.000Z'],
    ['hour and minute the beginning counts', '202603161015', '20260316101530', '2026-03-16T02:15:00.000Z'],
  ])('%s', (_, evn2, msh7, expected) => {
    expect(times({ evn2, msh7 }).at).toBe(expected);
  });
});

describe('a time after MSH-7', () => {
  test('counts, when clocks or zones may be the reason', () => {
    expect(times({ evn2: '20260317090000', msh7: ten }).at).toBe('2026-03-17T01:00:00.000Z');
  });

  test.each(['20270316100000', '20260318', '20260322100000'])('by days (%s) is passed over', (evn2) => {
    expect(times({ evn2, evn6: '20260316093000', msh7: ten }).at).toBe('2026-03-16T01:30:00.000Z');
    expect(times({ evn2, msh7: ten }).at).toBe('2026-03-16T02:00:00.000Z');
  });
});

describe('a local time has', () => {
  test('its own offset', () => {
    expect(times({ evn2: '20260316100000+0545', msh7: `${one}+0000` }).at).toBe('2026-03-16T04:15:00.000Z');
  });

  test('else that of MSH-7', () => {
    expect(times({ evn2: ten, msh7: `${one}-0500` })).toMatchObject({
      at: '2026-03-16T15:00:00.000Z',
      sent: '2026-03-16T18:00:00.000Z',
    });
  });

  test('else that of the zone', () => {
    expect(times({ evn2: ten, msh7: one }).at).toBe('2026-03-16T02:00:00.000Z');
  });
});

describe('the time of sending is', () => {
  test('MSH-7', () => {
    expect(times({ evn2: ten, msh7: one }).sent).toBe('2026-03-16T05:00:00.000Z');
  });

  test('else the event time', () => {
    expect(times({ evn2: ten, msh7: '2026' }).sent).toBe('2026-03-16T02:00:00.000Z');
  });
});

describe('the sequence is the number at the end of the control id', () => {
  test.each<[string, number]>([
    ['12345', 12_345],
    ['MSG00042', 42],
    ['HIS-7', 7],
    ['123456789012345', 123_456_789_012_345],
    ['1234567890123456', 0],
    ['A1B2', 0],
    ['8d5f-4c', 0],
    ['abc', 0],
    ['', 0],
  ])('%p: %i', (controlId, sequence) => {
    expect(times({ controlId }).sequence).toBe(sequence);
  });
});
