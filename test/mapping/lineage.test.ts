/** Nothing that is sent is lost without a reason: each valued field has lineage, or a row says why it has none. */
import { describe, expect, test } from '@jest/globals';
import { readMappings } from '../../src/mapping/read.ts';
import { foreignSamples, hospitalDay } from '../support/messages.ts';
import { lostIn } from './lost.ts';
import { mapped, mappingFolder, messageOf } from './support.ts';

/** The fields that the segment maps of the HL7 v2-to-FHIR guide 1.0.0 have rows for (v2-to-fhir.md section 3). */
const guide: Readonly<Record<string, readonly number[]>> = {
  MSH: [3, 4, 5, 6, 7, 8, 9, 10, 11, 17, 18, 19, 21, 22, 23, 24, 25, 26, 27],
  EVN: [2, 4, 5, 6, 7],
  PID: [
    2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 33,
    34, 35, 36, 39, 40,
  ],
  PD1: [3, 4, 6, 14],
  PV1: [2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15, 16, 17, 19, 20, 36, 37, 38, 40, 42, 44, 45, 50, 52, 53, 54],
  PV2: [1, 3, 7, 8, 9, 10, 11, 12, 13, 21, 22, 25, 38, 40],
  NK1: [2, 3, 4, 5, 6, 7, 8, 9, 12, 13, 15, 16, 20, 30, 31, 32, 33, 37, 40, 41],
  DG1: [3, 4, 5, 6, 15, 16, 19, 20, 21, 22],
  PR1: [3, 4, 5, 6, 7, 8, 11, 12, 15, 16, 19, 23, 25],
  AL1: [2, 3, 4, 5, 6],
  IN1: [2, 4, 5, 10, 11, 12, 13, 15, 16, 17, 49],
  OBX: [3, 4, 5, 6, 7, 8, 10, 11, 14, 15, 16, 17, 18, 19, 20, 21, 23, 24, 25, 29, 30, 33],
};

describe('no field is lost', () => {
  test.each(hospitalDay())('of $name', ({ bytes }) => {
    expect(lostIn(messageOf(bytes))).toEqual([]);
  });

  // The samples stand beside the project, not in it: where they are absent there is nothing to look at.
  for (const { name, bytes } of foreignSamples() ?? []) {
    test(`of the foreign sample ${name}`, () => {
      expect(lostIn(messageOf(bytes))).toEqual([]);
    });
  }

  test('and no row says of a field that the guide maps that it goes nowhere whatever else is sent', () => {
    const rows = [...readMappings(mappingFolder).segments.values()].flatMap((it) => it.content.rows);
    const dropped = rows.filter((row) => row.nowhere && !row.when).map((row) => row.field);
    const mappedByGuide = Object.entries(guide).flatMap(([name, fields]) => fields.map((n) => `${name}-${n}`));
    expect(mappedByGuide.filter((name) => dropped.includes(name))).toEqual([]);
  });
});

describe('a line of lineage', () => {
  const [admission] = hospitalDay();
  const { resources, lineage = [] } = mapped(admission?.bytes ?? '', true);

  test('names an element that is there', () => {
    for (const { element } of lineage) {
      const [, type, id, path = ''] = /^(\w+)\/([A-Za-z0-9-]+)[.#](.+)$/.exec(element) ?? [];
      let at: any = resources.find(({ resource }) => resource.resourceType === type && resource.id === id)?.resource;
      for (const [, key, index] of path.matchAll(/([A-Za-z_]+)(?:\[(\d+)\])?/g)) {
        at = at?.[key as string];
        if (index !== undefined) at = at?.[Number(index)];
      }
      expect([element, at === undefined]).toEqual([element, false]);
    }
  });

  test('names field, repetition and component, and the row that did it', () => {
    expect(lineage).toContainEqual(
      expect.objectContaining({
        field: 'PID-3[2].1',
        row: 'CX-Identifier#CX.1 value',
        element: expect.stringMatching(/identifier\[1\].value$/),
      }),
    );
    expect(lineage).toContainEqual(expect.objectContaining({ field: 'PID-8', row: 'PID-Patient#PID-8 gender' }));
  });

  test('is there only when it is asked for', () => {
    expect(mapped(admission?.bytes ?? '').lineage).toBeUndefined();
  });
});
