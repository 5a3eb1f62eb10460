import { describe, expect, test } from '@jest/globals';
import { builtOf, first } from './support.ts';

const gone = '20260316100000';

describe('the status of a visit', () => {
  test.each([
    // event, PV1-2, PV1-45, status, only while nothing is stored
    ['A01', 'I', '', 'in-progress', false],
    ['A04', 'O', '', 'in-progress', false],
    ['A01', 'P', '', 'planned', false],
    ['A04', 'P', '', 'planned', false],
    ['A03', 'I', gone, 'finished', false],
    ['A03', 'I', '', 'finished', false],
    ['A03', 'P', '', 'finished', false],
    ['A03', '', '', 'finished', false],
    ['A13', 'I', '', 'in-progress', false],
    ['A13', 'I', gone, 'in-progress', false],
    ['A13', 'P', '', 'in-progress', false],
    ['A08', 'I', '', 'in-progress', true],
    ['A08', 'P', '', 'planned', true],
    ['A08', 'I', gone, 'finished', true],
    ['A08', 'U', '', 'unknown', true],
    ['A08', '', '', 'unknown', true],
    ['A08', 'ZZ', '', 'unknown', true],
  ])('after %s of class "%s" with PV1-45 "%s" is %s (initial: %s)', (event, type, dischargedAt, status, initial) => {
    const built = builtOf({ event, PV1: { 2: type, 45: dischargedAt } }, 'Encounter');
    expect(built.resource.status).toBe(status);
    expect(built.initial.has('status')).toBe(initial);
  });

  test('a discharge ends the period at PV1-45, else when EVN-6 says, else when it was recorded', () => {
    const end = (dischargedAt: string, EVN = {}): string =>
      first({ event: 'A03', PV1: { 45: dischargedAt }, EVN }, 'Encounter').period.end;
    expect(end(gone)).toBe('2026-03-16T10:00:00+08:00');
    expect(end('', { 6: '20260316095000' })).toBe('2026-03-16T09:50:00+08:00');
    expect(end('')).toBe('2026-03-16T10:30:00+08:00');
  });

  test.each(['00000000', '00000000000000', 'n/a', '20260317', '20260401100000', '99991231'])(
    'PV1-45 "%s" of an update is no discharge: the visit goes on, and nobody is followed up',
    (dischargedAt) => {
      expect(builtOf({ event: 'A08', PV1: { 45: dischargedAt } }, 'Encounter').resource.status).toBe('in-progress');
    },
  );

  test.each(['2026', '202603', '20260316', '20260316235900'])(
    'PV1-45 "%s" of an update is one: by the day, for clocks differ',
    (dischargedAt) => {
      expect(builtOf({ event: 'A08', PV1: { 45: dischargedAt } }, 'Encounter').resource.status).toBe('finished');
    },
  );

  test('a discharge whose PV1-45 and EVN-6 are zeros ends when it was recorded', () => {
    const { period } = first({ event: 'A03', PV1: { 45: '00000000' }, EVN: { 6: '00000000' } }, 'Encounter');
    expect(period.end).toBe('2026-03-16T10:30:00+08:00');
  });

  test('an update without PV1-45 ends nothing', () => {
    const built = builtOf({ event: 'A08' }, 'Encounter');
    expect(built.resource.period).toEqual({ start: '2026-03-10T09:00:00+08:00' });
    expect([...built.clear]).toEqual([]);
  });

  test.each(['A01', 'A04'])('%s without PV1-45 begins a visit, also one that had ended under its number', (event) => {
    const built = builtOf({ event }, 'Encounter');
    expect(built.resource.period).toEqual({ start: '2026-03-10T09:00:00+08:00' });
    expect([...built.clear]).toEqual([
      'period.end',
      'hospitalization.dischargeDisposition',
      'hospitalization.destination',
    ]);
    expect([...builtOf({ event, PV1: { 36: '01', 37: 'HOME', 45: '20260316' } }, 'Encounter').clear]).toEqual([]);
  });

  test('a cancelled discharge ignores the stale PV1-36, -37 and -45 and clears what the discharge wrote', () => {
    const built = builtOf({ event: 'A13', PV1: { 36: '01', 37: 'SNF^1', 45: gone } }, 'Encounter');
    expect(built.resource.period).toEqual({ start: '2026-03-10T09:00:00+08:00' });
    expect(built.resource.hospitalization).toBeUndefined();
    expect([...built.clear].sort()).toEqual([
      'hospitalization.destination',
      'hospitalization.dischargeDisposition',
      'length',
      'period.end',
    ]);
  });

  test('MSH-9 decides, not EVN-1 and not the structure in MSH-9.3', () => {
    const sent = { MSH: { 9: 'ADT^A03^ADT_A01' }, EVN: { 1: 'A01' } };
    expect(first(sent, 'Encounter').status).toBe('finished');
    expect(first({ MSH: { 9: 'ADT^A03' } }, 'Encounter').status).toBe('finished');
  });

  test('a visit without a class is a visit, its class unknown until somebody says', () => {
    const built = builtOf({ PV1: { 2: '' } }, 'Encounter');
    expect(built.resource.class.extension[0].valueCode).toBe('unknown');
    expect(built.initial.has('class')).toBe(true);
  });

  test.each([
    ['I', 'http://terminology.hl7.org/CodeSystem/v3-ActCode', 'IMP'],
    ['E', 'http://terminology.hl7.org/CodeSystem/v3-ActCode', 'EMER'],
    ['O', 'http://terminology.hl7.org/CodeSystem/v3-ActCode', 'AMB'],
    ['P', 'http://terminology.hl7.org/CodeSystem/v3-ActCode', 'PRENC'],
    ['B', 'http://terminology.hl7.org/CodeSystem/v2-0004', 'B'],
  ])('patient class %s is %s %s', (sent, system, code) => {
    expect(first({ PV1: { 2: sent } }, 'Encounter').class).toMatchObject({ system, code });
  });
});
