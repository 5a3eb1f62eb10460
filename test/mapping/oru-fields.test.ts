/** ORU: every field of its segments has a row that says where it goes, or why nowhere. HL7 v2.8; OBX, ORC, OBR, SPM v2.9. */
import { describe, expect, test } from '@jest/globals';
import { parseRef } from '../../src/hl7v2/message.ts';
import { readMappings } from '../../src/mapping/read.ts';
import { mapped, oru } from './oru-support.ts';
import { mappingFolder, segment } from './support.ts';

const files = readMappings(mappingFolder);
const entries = files.messages.find((it) => it.name === 'ORU_R01')?.content.maps ?? [];
const segmentMaps = new Map(entries.map((it) => [it.map, files.segments.get(it.map)!.content]));

/** Rows of the data types that stand for one segment (`XCN-PractitionerRole-PRT`) read its fields too. */
const rows = [
  ...[...segmentMaps.values()].flatMap((it) => it.rows),
  ...[...files.datatypes.values()].flatMap((it) => it.content.rows),
];
const said = new Set(
  rows.flatMap(({ field, to, nowhere }) => {
    const ref = parseRef(field ?? '');
    return ref && (to || nowhere) ? [`${ref.segment}-${ref.field}`] : [];
  }),
);

const counts: readonly (readonly [string, number])[] = [
  ['ORC', 38],
  ['OBR', 55],
  ['OBX', 33],
  ['SPM', 35],
  ['TQ1', 14],
  ['NTE', 9],
  ['PRT', 24],
  ['CTD', 7],
];

describe('every field', () => {
  test.each(counts)('of %s has a row', (name, count) => {
    const fields = Array.from({ length: count }, (_, i) => `${name}-${i + 1}`);
    expect(fields.filter((it) => !said.has(it))).toEqual([]);
  });

  test('that goes nowhere says why', () => {
    const reasons = rows.flatMap((it) => (it.nowhere === undefined ? [] : [it.nowhere]));
    expect(reasons.filter((it) => it.trim() === '')).toEqual([]);
  });

  // A code of its own in each field: what is lost is not among the elements.
  test.each([
    ['an order with its OBR', ['ORC', 'OBR']],
    ['a result', ['OBR', 'OBX']],
    ['a specimen', ['OBR', 'SPM']],
    ['a timing', ['ORC', 'OBR', 'TQ1']],
    ['a contact', ['OBR', 'CTD']],
  ])('of %s that is filled has an element', (_, names) => {
    const special: Readonly<Record<string, string>> = { 'OBX-2': 'ST', 'OBX-11': 'F', 'ORC-1': 'RE', 'TQ1-1': '1' };
    const filled = names.map((name) => {
      const count = counts.find(([it]) => it === name)?.[1] ?? 0;
      const fields = Array.from({ length: count }, (_, i) => [
        i + 1,
        special[`${name}-${i + 1}`] ?? `2026010${(i % 9) + 1}`,
      ]);
      return segment(name, Object.fromEntries(fields));
    });
    const found = new Set(mapped(oru(...filled), true).lineage?.map((it) => it.field.replace(/^(\w+-\d+).*$/, '$1')));
    const nowhere = new Set(rows.flatMap((it) => (it.nowhere ? [it.field] : [])));
    const lost = names.flatMap((name) =>
      Array.from({ length: counts.find(([it]) => it === name)?.[1] ?? 0 }, (_, i) => `${name}-${i + 1}`).filter(
        (it) => !found.has(it) && !nowhere.has(it),
      ),
    );
    expect(lost).toEqual([]);
  });

  test('that completion moved is named where it is now', () => {
    const sent = oru('OBX|1|ST|8867-4^HR^LN||refused||||||F|||20260320');
    const { resources, lineage = [] } = mapped(sent, true);
    const found = resources.find((it) => it.resource.resourceType === 'Observation')?.resource;
    expect(found?.valueString).toBeUndefined();
    expect(lineage.find((it) => it.field === 'OBX-5')?.element).toBe(`Observation/${found?.id}.extension`);
  });
});
