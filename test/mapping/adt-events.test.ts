/** The trigger events of ADT: which are taken, with what, and what each says of a visit (v2-to-fhir.md 1.1). */
import { describe, expect, test } from '@jest/globals';
import { all, builtOf, first, mapped, mapping, messageOf, type Parts, segment, text } from './support.ts';

const gone = '20260316100000';

/** The problems of a message with these segments beside MSH and EVN. */
function problems(event: string, ...lines: string[]): string[] {
  const header = text({ event }).split('\r').slice(0, 2);
  return mapping
    .check(messageOf(`${[...header, ...lines].join('\r')}\r`))
    .map((it) => [it.segment, it.field].filter((part) => part !== undefined).join('-'));
}
const pid = 'PID|1||1001^^^RENHE^MR';

describe('an event is taken', () => {
  test.each('A01 A02 A03 A04 A05 A06 A07 A08 A11 A12 A13 A14 A28 A31 A38 A40 A41 A45 A47 A60'.split(' '))(
    '%s, whatever MSH-9.3 says',
    (event) => {
      const more = [segment('MRG', { 1: '1002^^^RENHE^MR', 3: 'A2', 5: 'V2' })];
      const sent: Parts = { event, MSH: { 9: `ADT^${event}^ADT_A99` }, PID: { 18: 'A1' }, more };
      expect(mapping.check(messageOf(text(sent)))).toEqual([]);
      expect(mapped(sent).resources.length).toBeGreaterThan(3);
    },
  );

  test.each('A01 A02 A03 A04 A06 A07 A08 A11 A12 A13'.split(' '))(
    '%s with a visit that can be found again',
    (event) => {
      expect(problems(event, pid)).toEqual(['PV1']);
      expect(problems(event, pid, 'PV1|1|I')).toEqual(['PV1-19']);
      expect(problems(event, pid, segment('PV1', { 2: 'I', 44: gone }))).toEqual([]);
      expect(problems(event, pid, segment('PV1', { 2: 'I', 50: 'V1' }))).toEqual([]);
    },
  );

  test.each('A05 A14 A38'.split(' '))('%s also by the number of the pre-admission', (event) => {
    expect(problems(event, pid, 'PV1|1|P')).toEqual(['PV1-19']);
    expect(problems(event, pid, 'PV1|1|P|||P77')).toEqual([]);
  });

  test.each('A28 A31 A60'.split(' '))('%s without a visit', (event) => {
    expect(problems(event, pid)).toEqual([]);
    expect(problems(event)).toEqual(['PID']);
  });
});

describe('a PV1 that says nothing of a visit', () => {
  test.each('A01 A04 A08 A28 A31 A40'.split(' '))('makes none: PV1-2 = N in %s', (event) => {
    const sent = { event, PV1: { 2: 'N', 20: '01' }, more: ['PV2|||Pain', 'ROL||AD|AT|D1^Li^Min', 'MRG|1002'] };
    expect(all(sent, 'Encounter')).toEqual([]);
    expect(all(sent, 'Coverage')).toEqual([]);
    expect(first(sent, 'Patient').identifier[0].value).toBe('1001');
  });

  test('need not have a number then', () => {
    expect(problems('A04', pid, 'PV1|1|N')).toEqual([]);
  });

  test('makes none where nothing could find it again', () => {
    const sent = { event: 'A31', PV1: { 2: 'O', 19: '', 44: '' } };
    expect(all(sent, 'Encounter')).toEqual([]);
  });
});

describe('the status of a visit', () => {
  test.each([
    ['A02', 'I', 'in-progress'],
    ['A02', 'P', 'planned'],
    ['A06', 'I', 'in-progress'],
    ['A07', 'O', 'in-progress'],
    ['A12', 'I', 'in-progress'],
    ['A12', 'P', 'in-progress'],
    ['A05', 'P', 'planned'],
    ['A05', 'I', 'planned'],
    ['A14', '', 'planned'],
    ['A11', 'I', 'cancelled'],
    ['A38', 'P', 'cancelled'],
  ])('after %s of class "%s" is %s', (event, type, status) => {
    const built = builtOf({ event, PV1: { 2: type } }, 'Encounter');
    expect(built.resource.status).toBe(status);
    // What is documented after the discharge does not open the visit again.
    expect(built.initial.has('status')).toBe(['A02', 'A06', 'A07', 'A12'].includes(event));
  });

  test.each(['A08', 'A28', 'A31', 'A40', 'A60'])(
    'is not what %s is about: it counts only where nothing is stored',
    (event) => {
      const built = builtOf({ event, more: ['MRG|1002'] }, 'Encounter');
      expect([built.resource.status, built.initial.has('status')]).toEqual(['in-progress', true]);
      const ended = builtOf({ event, PV1: { 45: gone }, more: ['MRG|1002'] }, 'Encounter');
      expect([ended.resource.status, ended.initial.has('status')]).toEqual(['finished', true]);
    },
  );
});

describe('what a cancellation takes back', () => {
  test('A13: the end of the visit, its disposition and its length; a stale PV1-45 ends nothing', () => {
    const sent = { event: 'A13', PV1: { 36: '01', 37: 'SNF^1', 45: gone }, more: [segment('PV2', { 11: '6' })] };
    const { resource, clear } = builtOf(sent, 'Encounter');
    expect(resource).toMatchObject({ status: 'in-progress', period: { start: '2026-03-10T09:00:00+08:00' } });
    expect(resource.period.end).toBeUndefined();
    expect(resource.hospitalization).toBeUndefined();
    expect(resource.length).toBeUndefined();
    const cleared = ['hospitalization.destination', 'hospitalization.dischargeDisposition', 'length', 'period.end'];
    expect([...clear].sort()).toEqual(cleared);
  });

  test('A12: the transfer; the patient is in PV1-3 again and never was in PV1-6', () => {
    const sent = { event: 'A12', PV1: { 3: 'W07^0706^12', 6: 'W09^0901^03' } };
    const { resource, clear } = builtOf(sent, 'Encounter');
    expect(resource.location).toHaveLength(1);
    expect(resource.location[0]).toMatchObject({ status: 'active' });
    expect([...clear]).toEqual(['location{prior}']);
    expect(all(sent, 'Location').map((it) => it.name)).toEqual(['W07', '0706', '12']);
  });
});

describe('A05, a visit that is planned', () => {
  const planned = (PV1: Parts['PV1'], fields: Readonly<Record<number, string>>, event = 'A05'): any =>
    first({ event, PV1: { 2: 'P', 44: '', ...PV1 }, more: [segment('PV2', fields)] }, 'Encounter');

  test('begins when it is planned to; the expected end is no end', () => {
    expect(planned({}, { 8: '20260320', 9: '20260325' })).toMatchObject({
      status: 'planned',
      period: { start: '2026-03-20' },
      extension: [{ valueDateTime: '2026-03-20' }, { valueDateTime: '2026-03-25' }],
    });
  });

  test('begins at PV1-44 where that is sent', () => {
    expect(planned({ 44: '20260321' }, { 8: '20260320' }).period).toEqual({ start: '2026-03-21' });
  });

  test('in another event PV2-8 is an expectation only', () => {
    expect(planned({}, { 8: '20260320' }, 'A08').period).toBeUndefined();
  });

  test('is known by the number of the pre-admission until it has another', () => {
    const id = (event: string): string => planned({ 5: 'P77', 19: '' }, { 8: '20260320' }, event).id;
    expect(id('A14')).toBe(id('A05'));
    expect(id('A38')).toBe(id('A05'));
  });
});
