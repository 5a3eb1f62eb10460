/** `extends`, `identified`, `unlike` and conditions in `require`: what one file takes from another, and what a map leaves out. */
import { describe, expect, test } from '@jest/globals';
import { parse } from '../../src/hl7v2/message.ts';
import { extendedMessages, extendedTypes } from '../../src/mapping/extends.ts';
import { Mapping } from '../../src/mapping/map.ts';
import { parseFile, readMappings } from '../../src/mapping/read.ts';
import type { DataTypeMap, Located, MessageMap } from '../../src/mapping/rows.ts';
import { mappingFolder, receivedAt, segment, shanghai } from './support.ts';

const real = readMappings(mappingFolder);
const type = (name: string, ...lines: string[]): Located<DataTypeMap> =>
  parseFile('datatypes', `mappings/datatypes/${name}.yaml`, lines.join('\n'));
const message = (name: string, ...lines: string[]): Located<MessageMap> =>
  parseFile('messages', `mappings/messages/${name}.yaml`, lines.join('\n'));

function refusal(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('it was accepted');
}

describe('a data type that extends another', () => {
  const base = type(
    'XON-Base',
    'datatype: XON',
    'resource: Organization',
    'identity:',
    '  - [XON.1]',
    'rows:',
    '  - { field: XON.1, to: name }',
    '  - { to: active, value: true }',
  );
  const derived = type(
    'XON-Derived',
    'datatype: XON',
    'extends: XON-Base',
    'rows:',
    '  - { to: active, value: false }',
    '  - { field: XON.2, to: "alias[]" }',
  );
  const both = new Map([base, derived].map((it) => [it.name, it]));

  test('makes what that one makes, with its rows: own rows take the place of those with their key, others are added', () => {
    const { content } = extendedTypes(both).get('XON-Derived') as Located<DataTypeMap>;
    expect(content).toMatchObject({ resource: 'Organization', identity: [['XON.1']] });
    expect(content.rows).toEqual([
      { field: 'XON.1', to: 'name' },
      { to: 'active', value: false },
      { field: 'XON.2', to: 'alias[]' },
    ]);
    expect(extendedTypes(both).get('XON-Base')?.content.rows).toHaveLength(2);
  });

  test('names the file and line of the row that cannot be used, whichever file it stands in', () => {
    const wrong = type(
      'XON-Base',
      'datatype: XON',
      'resource: Organization',
      'rows:',
      '  - { field: XON.1, to: nmae }',
    );
    const used = type('XON-Organization-OBX', 'datatype: XON', 'extends: XON-Base', 'rows: []');
    const types = new Map(real.datatypes).set('XON-Base', wrong).set('XON-Organization-OBX', used);
    const files = { ...real, datatypes: extendedTypes(types) };
    expect(refusal(() => new Mapping(files))).toMatch(/^mappings\/datatypes\/XON-Base\.yaml:4: /);
  });

  test.each([
    ['is not there', new Map([[derived.name, derived]]), "there is no 'XON-Base' to extend"],
    [
      'extends another itself',
      new Map(both).set('XON-Third', type('XON-Third', 'datatype: XON', 'extends: XON-Derived', 'rows: []')),
      "'XON-Derived' extends a file itself",
    ],
  ])('that %s stops the start with file and line', (_, files, text) => {
    const said = refusal(() => extendedTypes(files));
    expect(said).toMatch(/^mappings\/datatypes\/XON-(Derived|Third)\.yaml:2: /);
    expect(said).toContain(text);
  });
});

describe('a message map that extends another', () => {
  const head = ['events: [A01]', 'segments: [PID]', 'require: [PID-3.1]', 'maps:'];
  const base = message(
    'ADT_BASE',
    'message: ADT',
    'events: []',
    ...head.slice(1),
    '  - { segment: PID, map: PID-Patient }',
    '  - { segment: NK1, map: NK1-RelatedPerson }',
  );
  const derived = message(
    'ADT_X01',
    'message: ADT_X01',
    'extends: ADT_BASE',
    ...head,
    '  - { segment: NK1, map: NK1-RelatedPerson, when: { in: [NK1-3.1, SPO] } }',
    '  - { segment: PD1, map: PD1-Patient, into: Person }',
  );
  const [, whole] = extendedMessages([base, derived]) as [unknown, Located<MessageMap>];

  test('has its entries, and its own in the place of those with their key', () => {
    expect(whole.content.maps.map((it) => `${it.map}${it.when ? ' when' : ''}`)).toEqual([
      'PID-Patient',
      'NK1-RelatedPerson when',
      'PD1-Patient',
    ]);
    expect(whole.content).toMatchObject({ message: 'ADT_X01', events: ['A01'], require: ['PID-3.1'] });
  });

  test('names the line of its own entry that cannot be used', () => {
    const said = refusal(() => new Mapping({ ...real, messages: [whole] }));
    expect(said).toMatch(/^mappings\/messages\/ADT_X01\.yaml:8: no entry before it makes a Patient 'Person'/);
  });
});

/** The mapping of one message map, and the types that it makes of segments. */
function made(maps: readonly string[], require: string, ...segments: string[]): string[] {
  const head = ['message: ADT_X01', 'events: [A01]', 'segments: [PID]', `require: ${require}`, 'maps:'];
  const mapping = new Mapping({ ...real, messages: [message('ADT_X01', ...head, ...maps.map((it) => `  - ${it}`))] });
  const header = segment('MSH', { 2: '^~\\&', 4: 'RENHE', 9: 'ADT^A01', 10: 'C1', 11: 'P', 12: '2.5.1' });
  const sent = parse(`${[header, ...segments].join('\r')}\r`)!;
  const problems = mapping.check(sent);
  if (problems.length > 0) return problems.map((it) => `${it.segment}-${it.field}`);
  const { resources } = mapping.map(sent, { zone: shanghai, receivedAt });
  return resources.map((it) => it.resource.resourceType).filter((it) => it !== 'Organization');
}

const patient = '{ segment: PID, map: PID-Patient }';
const pid = 'PID|||1001^^^RENHE^MR';

test('an entry that must be identified makes nothing that could not be found again', () => {
  const maps = [patient, '{ segment: PV1, map: PV1-Encounter, identified: true }'];
  expect(made(maps, '[]', pid, 'PV1|1|I')).toEqual(['Patient']);
  expect(made(maps, '[]', pid, segment('PV1', { 2: 'I', 19: 'V1' }))).toEqual(['Patient', 'Encounter']);
});

test('a requirement may be that a place holds a value', () => {
  const require = '[[PV1-19.1, { in: [PV1-2.1, N] }]]';
  const maps = [patient];
  expect(made(maps, require, pid, 'PV1|1|I')).toEqual(['PV1-19']);
  expect(made(maps, require, pid, 'PV1|1|N')).toEqual(['Patient']);
  expect(made(maps, require, pid, segment('PV1', { 19: 'V1' }))).toEqual(['Patient']);
});

test('"unlike" wants something to compare', () => {
  const maps = [patient, '{ segment: PD1, map: PD1-Patient, into: Patient, unlike: Nobody }'];
  expect(refusal(() => made(maps, '[]', pid))).toMatch(/^mappings\/messages\/ADT_X01\.yaml:7: 'unlike' compares/);
});
