/** Nothing that is sent is lost without a reason: each valued field has lineage, or stands below with why it has none. */
import { describe, expect, test } from '@jest/globals';
import type { Message, Segment } from '../../src/hl7v2/message.ts';
import { isValued } from '../../src/mapping/context.ts';
import { foreignSamples, hospitalDay } from '../support/messages.ts';
import { mapped, messageOf } from './support.ts';

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

/** Fields that the guide has no row for and that are not kept. */
const nowhere: Readonly<Record<string, string>> = {
  'MSH-1': 'a delimiter',
  'MSH-2': 'the delimiters',
  'MSH-12': 'the version of the format',
  'MSH-15': 'how to acknowledge',
  'MSH-16': 'how to acknowledge',
  'EVN-1': 'MSH-9 wins (v2-to-fhir.md 1.9)',
  'EVN-3': 'the date of a planned event',
  'PID-1': 'a number of the segment',
  'PD1-1': 'living dependency',
  'PD1-17': 'date of a publicity code that is not there',
  'PV1-1': 'a number of the segment',
  'PV1-18': 'patient type, a site’s own',
  'PV1-41': 'account status',
  'NK1-1': 'a number of the segment',
  'NK1-35': 'race of the next of kin',
  'DG1-1': 'a number of the segment',
  'DG1-2': 'coding method, since v2.3 in DG1-3.3',
  'PR1-1': 'a number of the segment',
  'AL1-1': 'a number of the segment',
  'IN1-1': 'a number of the segment',
  'IN1-37': 'deductible, an amount',
  'IN1-42': 'employment of the insured',
  'IN1-44': 'address of the employer',
  'IN1-47': 'coverage type: "not a match" (guide, IN1-15)',
  'OBX-1': 'a number of the segment',
  'OBX-2': 'names the type of OBX-5',
  'OBX-32': 'a causal specimen id',
};

interface Exception {
  readonly because: string;
  holds(segment: Segment, message: Message): boolean;
}
const selfInsured: Exception = {
  because: 'the insured is the patient, who is in PID',
  holds: (segment) => ['SEL', '01', '1'].includes(segment.text(17)),
};
const cancelled: Exception = {
  because: 'a cancelled discharge: what it repeats of the discharge is stale (1.1)',
  holds: (_, message) => message.header.text(9, 2) === 'A13',
};

/** Fields that the guide maps, or we do, but not in this message. */
const not: Readonly<Record<string, Exception>> = {
  'MSH-6': { because: 'MSH-23 is valued', holds: (segment) => segment.text(23) !== '' },
  'PID-24': { because: 'PID-25 is valued', holds: (segment) => segment.text(25) !== '' },
  'PID-30': { because: 'PID-29 is valued', holds: (segment) => segment.text(29) !== '' },
  'PID-33': { because: 'PID-34 is not valued', holds: (segment) => segment.text(34) === '' },
  'DG1-21': { because: '"A and U don’t map to anything"', holds: (segment) => segment.text(21) !== 'D' },
  'PR1-7': { because: 'it is added to PR1-5 by the row of PR1-5', holds: (segment) => segment.text(5).length > 11 },
  'IN1-16': selfInsured,
  'IN1-18': selfInsured,
  'IN1-19': selfInsured,
  'IN1-43': selfInsured,
  'PV1-36': cancelled,
  'PV1-37': cancelled,
  'PV1-45': cancelled,
};

/** `PID-3` for the `PID-3[2].4.1` of a line of lineage. */
const fieldOf = (place: string): string => place.replace(/^([A-Z0-9]{3}-\d+).*$/, '$1');

/** Valued fields without lineage and without a reason. Two values of a field need two elements: `(1 of 2)`. */
function lost(bytes: Uint8Array): string[] {
  const message = messageOf(bytes);
  const elements = new Map<string, Set<string>>();
  for (const { field, element } of mapped(bytes, true).lineage ?? []) {
    const name = fieldOf(field);
    elements.set(name, (elements.get(name) ?? new Set()).add(element));
  }
  const values = new Map<string, Set<string>>();
  for (const segment of message.segments) {
    if (!guide[segment.name]) continue;
    for (let n = 1; n <= segment.fieldCount; n++) {
      const name = `${segment.name}-${n}`;
      if (!isValued(segment.field(n), message.delimiters) || nowhere[name] || not[name]?.holds(segment, message))
        continue;
      values.set(name, (values.get(name) ?? new Set()).add(segment.field(n)));
    }
  }
  return [...values].flatMap(([name, { size: wanted }]) => {
    const found = elements.get(name)?.size ?? 0;
    return found >= wanted ? [] : [wanted > 1 ? `${name} (${found} of ${wanted})` : name];
  });
}

describe('no field is lost', () => {
  test.each(hospitalDay())('of $name', ({ bytes }) => {
    expect(lost(bytes)).toEqual([]);
  });

  // The samples stand beside the project, not in it: where they are absent there is nothing to look at.
  for (const { name, bytes } of foreignSamples() ?? []) {
    test(`of the foreign sample ${name}`, () => {
      expect(lost(bytes)).toEqual([]);
    });
  }

  test('the list of fields that go nowhere names none that the guide maps', () => {
    const mappedByGuide = Object.keys(nowhere).filter((name) => {
      const [segment = '', field] = name.split('-');
      return guide[segment]?.includes(Number(field));
    });
    expect(mappedByGuide).toEqual([]);
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
