/** Names that v2 uses for code systems and authorities ─▶ URIs. */
import { readFileSync } from 'node:fs';
import { grammarOf } from '../fhir/terminology/grammar.ts';
import type { MappingContext } from './context.ts';
import { isCountry } from './countries.ts';
import type { Table } from './tables.ts';

const v2Codes: Record<string, string[]> = JSON.parse(
  readFileSync(new URL('../fhir/r4/v2-codes.json', import.meta.url), 'utf8'),
);
const prefix = 'http://terminology.hl7.org/CodeSystem/v2-';
const v2Sets = new Map(Object.entries(v2Codes).map(([table, codes]) => [prefix + table, new Set(codes)]));

/** FHIR `code`: no blanks around, single blanks inside (R4 datatypes.html#code). */
export const codePattern = /^\S+( \S+)*$/;

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
  const source = `http://terminology.hl7.org/CodeSystem/${name}`;
  return { name: '', source, target: '', translate: () => undefined, knows: () => true };
}

/** False for what stands under the name of a system and is none of its codes: `mmHg` is no unit of UCUM. */
function isCodeOf(system: string, code: string): boolean {
  if (system === 'urn:iso:std:iso:3166') return isCountry(code);
  return (v2Sets.get(system) ?? grammarOf(system))?.has(code) ?? true;
}

/**
 * The system of a coded value whose coding system is named (CWE.3, table 0396).
 * `HL7nnnn` is the v2 table only for codes that the table lists: a hospital's own code in it is a local one. So it is with
 * systems whose codes we can tell: units, countries.
 */
export function codeSystemOf(name: string, code: string, context: MappingContext): string {
  const known = context.tables.get('CodingSystem')?.translate(name)?.code;
  if (known) return isCodeOf(known, code) ? known : localSystem(name);
  const table = /^HL7(\d{4})$/.exec(name)?.[1];
  if (table && isV2Code(prefix + table, code)) return prefix + table;
  const written = oidUri(name) ?? (/^(https?:|urn:)/i.test(name) ? uri(name) : undefined);
  return written && isCodeOf(written, code) ? written : localSystem(name);
}

/** `urn:oid:` of an OID; of fewer than four arcs it is that of no authority, and validators take it for none. */
export function oidUri(id: string): string | undefined {
  return /^[0-2](\.(0|[1-9]\d*)){3,}$/.test(id) ? `urn:oid:${id}` : undefined;
}

/** `urn:uuid:` of a UUID, in lower case as R4 wants it. */
export function uuidUri(id: string): string | undefined {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id) ? `urn:uuid:${id.toLowerCase()}` : undefined;
}

/** A text that is an absolute URI, as that; an OID and a UUID behind `urn:` must be ones. */
export function uri(text: string): string | undefined {
  const [, scheme, id = ''] = /^urn:(oid|uuid):(.*)$/i.exec(text) ?? [];
  if (scheme) return scheme.toLowerCase() === 'oid' ? oidUri(id) : uuidUri(id);
  return /^[a-z][a-z0-9+.-]*:\S+$/i.test(text) ? text : undefined;
}

/** A universal id with its type (HD.2, HD.3; table 0301) as a URI; undefined for what is none. */
export function universalUri(id: string, type: string): string | undefined {
  if (type === 'ISO') return oidUri(id);
  if (type === 'UUID') return uuidUri(id);
  return type === 'URI' ? uri(id) : undefined;
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
  const universal = id && universalUri(id, kind);
  if (universal) return universal;
  if (namespace) return localSystem(namespace);
  return id ? localSystem(id) : undefined;
}
