/** Tables: FHIR ConceptMaps compiled to a look-up by source code. */
import { basename } from 'node:path';
import { elementOf } from '../fhir/definitions.ts';
import { MappingError } from './rows.ts';

export interface TableTarget {
  readonly system: string;
  readonly code: string;
  readonly display?: string;
}

/** One ConceptMap. */
export interface Table {
  /** The file name without its ending; empty for a table that translates nothing: its codes never wait for an answer. */
  readonly name: string;
  /** The code system of targets that are given as a code alone. */
  readonly target: string;
  /** The code system of the source codes, when the sender names none. */
  readonly source: string;
  /** Source code ─▶ target; `undefined` for a code that is known and has none. The source system is looked at first. */
  translate(code: string, system?: string): TableTarget | undefined;
  /** True for a code that the table lists, with a target or without. */
  knows(code: string): boolean;
  /** The code systems of its targets; absent or empty for one that is not bound to any. */
  readonly targets?: readonly string[];
  /** True for a code that somebody answered while the server ran: he may answer it again. */
  answered?(code: string): boolean;
}

interface ConceptMapJson {
  readonly resourceType: string;
  readonly group?: readonly {
    readonly source?: string;
    readonly target?: string;
    readonly element: readonly {
      readonly code: string;
      readonly target?: readonly { readonly code?: string; readonly display?: string; readonly equivalence: string }[];
    }[];
  }[];
}

/** Compiles the text of a ConceptMap. @throws MappingError when it is not one */
export function tableOf(file: string, text: string): Table {
  let map: ConceptMapJson;
  try {
    map = JSON.parse(text);
  } catch (error) {
    throw new MappingError(file, 1, (error as Error).message);
  }
  if (map.resourceType !== 'ConceptMap' || !map.group?.[0])
    throw new MappingError(file, 1, 'not a ConceptMap with a group');
  for (const key of Object.keys(map)) {
    if (key !== 'resourceType' && !elementOf('ConceptMap', key))
      throw new MappingError(file, 1, `ConceptMap has no ${key}`);
  }
  const bySystem = new Map<string, Map<string, TableTarget | undefined>>();
  const anySystem = new Map<string, TableTarget | undefined>();
  for (const group of map.group) {
    const codes = bySystem.get(group.source ?? '') ?? new Map<string, TableTarget | undefined>();
    bySystem.set(group.source ?? '', codes);
    for (const element of group.element) {
      const hit = element.target?.find((it) => it.code !== undefined);
      const target = hit && {
        system: group.target ?? '',
        code: hit.code as string,
        ...(hit.display && { display: hit.display }),
      };
      if (!codes.get(element.code)) codes.set(element.code, target);
      if (!anySystem.get(element.code)) anySystem.set(element.code, target);
    }
  }
  const { source = '', target = '' } = map.group[0];
  return {
    name: basename(file, '.json'),
    source,
    target,
    targets: [...new Set(map.group.flatMap((it) => it.target || []))],
    knows: (code) => anySystem.has(code),
    translate: (code, system) => (system && bySystem.get(system)?.get(code)) || anySystem.get(code),
  };
}

/** Codes of one hospital: a target, a code of the table's own target system, or null for one that has no target. */
export type LocalCodes = Readonly<Record<string, TableTarget | string | null>>;

/** A table with the codes of a hospital laid over: they are looked at first, whatever system the sender names. */
export function withLocalCodes(table: Table, codes: LocalCodes): Table {
  const local = new Map(
    Object.entries(codes).map(([code, target]) => [
      code,
      typeof target === 'string' ? { system: table.target, code: target } : (target ?? undefined),
    ]),
  );
  return {
    ...table,
    knows: (code) => local.has(code) || table.knows(code),
    translate: (code, system) => (local.has(code) ? local.get(code) : table.translate(code, system)),
  };
}
