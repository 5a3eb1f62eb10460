/** Names that v2 uses for code systems and authorities ─▶ URIs. */
import { readFileSync } from 'node:fs';
import type { MappingContext } from './context.ts';
import type { Table } from './tables.ts';

const v2Codes: Record<string, string[]> = JSON.parse(
  readFileSync(new URL('../fhir/r4/v2-codes.json', import.meta.url), 'utf8'),
);
const prefix = 'http://terminology.hl7.org/CodeSystem/v2-';
const v2Sets = new Map(Object.entries(v2Codes).map(([table, codes]) => [prefix + table, new Set(codes)]));

/** A URI for a name that only its sender knows; `urn:id:` as LinuxForHealth writes it. */
export function localSystem(name: string): string {
  return `urn:id:${encodeURIComponent(name)}`;
}

/** True when the v2 table of this system URI lists the code; tables that we don't know list nothing. */
export function isV2Code(system: string, code: string): boolean {
  return v2Sets.get(system)?.has(code) ?? false;
}

/** A v2 table that translates nothing: its codes stay, and codes that it does not list get no system. */
export function v2Table(name: string): Table {
  return { source: `http://terminology.hl7.org/CodeSystem/${name}`, translate: () => undefined };
}

/**
 * The system of a coded value whose coding system is named (CWE.3, table 0396).
 * `HL7nnnn` is the v2 table only for codes that the table lists: a hospital's own code in it is a local one.
 */
export function codeSystemOf(name: string, code: string, context: MappingContext): string {
  const known = context.tables.get('CodingSystem')?.translate(name)?.code;
  if (known) return known;
  const table = /^HL7(\d{4})$/.exec(name)?.[1];
  if (table && isV2Code(prefix + table, code)) return prefix + table;
  if (/^[0-2](\.\d+){2,}$/.test(name)) return `urn:oid:${name}`;
  if (/^(https?:|urn:)\S+$/.test(name)) return name;
  return localSystem(name);
}

/** The system of identifiers of an assigning authority (HD, three parts). Undefined when none is named. */
export function authoritySystemOf(
  namespace: string,
  id: string,
  type: string,
  context: MappingContext,
): string | undefined {
  const known = namespace && context.tables.get('AssigningAuthority')?.translate(namespace)?.code;
  if (known) return known;
  const kind = type.toUpperCase();
  if (id) {
    if (kind === 'ISO' && /^[0-2](\.(0|[1-9]\d*))+$/.test(id)) return `urn:oid:${id}`;
    if (kind === 'UUID' && /^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$/.test(id))
      return `urn:uuid:${id.toLowerCase()}`;
    if (kind === 'URI' && /^\w+:\S+$/.test(id)) return id;
  }
  if (namespace) return localSystem(namespace);
  return id ? localSystem(id) : undefined;
}
