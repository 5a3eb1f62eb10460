import { describe, expect, test } from '@jest/globals';
import { parse } from '../../src/hl7v2/message.ts';
import type { FieldUse } from '../../src/mapping/coverage.ts';
import { CoverageTally } from '../../src/mapping/sender-coverage.ts';

const from = (application: string, facility = 'F') =>
  parse(`MSH|^~\\&|${application}|${facility}|||2026||ADT^A01|1|P|2.5\r`)!;

function use(field: string, more: Partial<FieldUse> = {}): FieldUse {
  return { field, segment: 1, use: 'no row', lineage: [], rows: [], readBy: [], ...more };
}

describe('the tally', () => {
  test('counts a field in each way in which it is used', () => {
    const tally = new CoverageTally();
    const mapped = (id: string) =>
      use('PID-8', {
        use: 'mapped',
        lineage: [{ field: 'PID-8', segment: 1, element: `Patient/${id}.gender`, row: 'r' }],
      });
    tally.add(from('A'), [mapped('1'), use('PID-9')]);
    tally.add(from('A'), [mapped('2')]);
    tally.add(from('A'), [use('PID-8', { use: 'not used', reason: 'a condition' })]);
    expect(tally.report()).toMatchObject([
      {
        application: 'A',
        messages: 3,
        totals: { mapped: 2, 'no row': 1, 'not used': 1, nowhere: 0 },
        fields: [
          { field: 'PID-8', use: 'mapped', count: 2, elements: ['Patient.gender'] },
          { field: 'PID-8', use: 'not used', count: 1, reason: 'a condition' },
          { field: 'PID-9', use: 'no row', count: 1 },
        ],
      },
    ]);
  });

  test('keeps the order of the segments as they came, and of fields by number', () => {
    const tally = new CoverageTally();
    tally.add(
      from('A'),
      ['PV1-3', 'PID-11', 'PID-2', 'PV1-2'].map((it) => use(it)),
    );
    expect(tally.report()[0]?.fields.map((it) => it.field)).toEqual(['PV1-2', 'PV1-3', 'PID-2', 'PID-11']);
  });

  test('does not grow with senders, fields and reasons that somebody makes up', () => {
    const tally = new CoverageTally();
    for (let i = 0; i < 1000; i++) tally.add(from(`A${i}`), []);
    for (let i = 0; i < 1000; i++) tally.refuse(from('A0'), `reason ${i}`);
    for (let i = 0; i < 60; i++)
      tally.add(
        from('A1'),
        Array.from({ length: 100 }, (_, n) => use(`Z${i % 10}Z-${i}${n}`)),
      );
    const report = tally.report();
    expect(report).toHaveLength(201);
    expect(report.at(-1)).toMatchObject({ facility: 'all others', messages: 800 });
    expect(Object.keys(report[0]?.refused ?? {})).toHaveLength(51);
    expect(report[0]?.refused['other reasons']).toBe(950);
    expect(report[1]?.fields.length).toBe(5000);
    expect(report[1]?.others).toBeGreaterThan(0);
  });

  test('has a sender for messages that cannot be read', () => {
    const tally = new CoverageTally();
    tally.refuse(undefined, 'unreadable');
    expect(tally.report()).toMatchObject([{ application: '', facility: '', messages: 1, refused: { unreadable: 1 } }]);
  });
});
