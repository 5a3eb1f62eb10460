/** Mappings for tests, as a site would write them: a few rows in place of all of `mappings/`. */
import { Mapping } from '../../src/mapping/map.ts';
import { type MappingFiles, parseFile } from '../../src/mapping/read.ts';
import type { Located, MessageMap, SegmentMap } from '../../src/mapping/rows.ts';
import { type LocalCodes, type Table, tableOf } from '../../src/mapping/tables.ts';

export interface SmallMapping {
  /** Events of the only message map. */
  readonly events?: readonly string[];
  /** The entries of the only message map: YAML, a line each. */
  readonly maps: string;
  /** Segment maps by name: YAML. */
  readonly segments: Readonly<Record<string, string>>;
  /** Tables by name: code ─▶ code of the target system `urn:target`. */
  readonly tables?: Readonly<Record<string, LocalCodes>>;
}

export function smallFiles({
  events = ['A01', 'A03', 'A08'],
  maps,
  segments,
  tables = {},
}: SmallMapping): MappingFiles {
  const message = parseFile<MessageMap>(
    'messages',
    'mappings/messages/ADT_A01.yaml',
    `message: ADT_A01\nevents: [${events}]\nsegments: [PID]\nrequire: []\nmaps:\n${maps}`,
  );
  return {
    messages: [message],
    segments: new Map(
      Object.entries(segments).map(([name, text]): [string, Located<SegmentMap>] => [
        name,
        parseFile('segments', `mappings/segments/${name}.yaml`, text),
      ]),
    ),
    datatypes: new Map(),
    tables: new Map(Object.entries(tables).map(([name, codes]): [string, Table] => [name, smallTable(name, codes)])),
    settings: {},
  };
}

export function smallMapping(small: SmallMapping): Mapping {
  return new Mapping(smallFiles(small));
}

function smallTable(name: string, codes: LocalCodes): Table {
  const element = Object.entries(codes).map(([code, target]) => ({
    code,
    target: [{ code: target, equivalence: 'equivalent' }],
  }));
  const map = { resourceType: 'ConceptMap', group: [{ source: 'urn:source', target: 'urn:target', element }] };
  return tableOf(`mappings/tables/${name}.json`, JSON.stringify(map));
}
